"""Blood cells: object-detection on BCCD's official test set, from a random start.

    python -m bench.object_detection FOLDER                      three seeds, 12 minutes of one core each
    python -m bench.object_detection FOLDER --steps 700 --seeds 0

FOLDER holds BCCD as its authors publish it (Shenggan/BCCD_Dataset, MIT): JPEGImages, Annotations and ImageSets, or zips of
them. The net learns from `trainval` (292 pictures) and is measured on `test` (72 pictures), on which nothing was chosen:
what is in `lamella.nets.boxes` and in the task's defaults was chosen with `train` to learn from and `val` to measure with.

Each model is measured a second time where it answers by the mean over mirror images (`--mirror`), and once more as int8.

CPU seconds are those of the whole training, reading and watching included: on a busy machine, minutes on the clock say
little. `--steps` makes the runs comparable between machines; `--minutes` counts the clock.
"""

import argparse
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import msgspec

import lamella
from lamella.verbs.compress import graphs_size

OPTIONS = {"image_size": 320, "flip": "both"}  # under a microscope up and down mean the same


def unpacked(folder: Path, into: Path) -> Path:
    """The folder itself, or one with the content of its zips."""
    if (folder / "ImageSets").is_dir():
        return folder
    for file in sorted(folder.glob("bccd*.zip")):
        with zipfile.ZipFile(file) as archive:
            archive.extractall(into)
    return into


def measured(result: dict[str, Any]) -> str:
    """AP and its like of an evaluation, with the interval of the first."""
    scores = result["scores"]
    low, high = scores["AP"]["low"], scores["AP"]["high"]
    each = "  ".join(f"{name} {scores[name]['value']:.3f}" for name in ("AP", "AP50", "AP75", "precision", "recall"))
    return f"{each}  (AP {low:.3f} to {high:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int)
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--out", type=Path, help="keep the models here, and go on with those that are not finished")
    args = parser.parse_args()
    budget = {"steps": args.steps} if args.steps else {"minutes": args.minutes}
    with tempfile.TemporaryDirectory() as folder:
        data = unpacked(args.folder, Path(folder)) / "ImageSets" / "Main"
        home = args.out or Path(folder)
        for seed in args.seeds:
            place = home / f"bccd-{seed}"
            begun = any((place / "training" / "checkpoint").glob("step-*"))
            start = time.process_time()
            if not (place / "model.json").is_file():
                again = {"resume": True} if begun else {"force": True}
                files = {"out": str(place), "test": [str(data / "test.txt")]}
                how = {"seed": seed, "threads": 1, **budget, **again, **OPTIONS}
                lamella.train("object-detection", str(data / "trainval.txt"), **files, **how)
            seconds = time.process_time() - start
            model = lamella.load(place)
            facts = f"seed {seed}: {model.manifest.training['steps']} steps, {seconds:.0f} CPU seconds{' since resumed' * begun}"
            result = lamella.evaluate(model, str(data / "test.txt"))
            print(f"{facts}, {graphs_size(model.files) / 1e6:.2f} MB: {measured(result)}", flush=True)
            print("  " + ", ".join(f"{row['label']} {row['AP50']:.3f}" for row in result["boxes"]), flush=True)
            mirrored = model.with_config(msgspec.structs.replace(model.task.config, mirror=True))
            print(f"seed {seed}, --mirror: {measured(lamella.evaluate(mirrored, str(data / 'test.txt')))}", flush=True)
        for seed in args.seeds:  # `val` was learned from too; it only says what may be rounded
            small = lamella.compress(
                str(home / f"bccd-{seed}"), str(home / f"bccd-{seed}-int8"), str(data / "val.txt"), force=True
            )
            result = lamella.evaluate(small, str(data / "test.txt"))
            print(f"seed {seed}, int8, {graphs_size(small.files) / 1e6:.2f} MB: {measured(result)}", flush=True)


if __name__ == "__main__":
    main()
