"""What learning without labels is worth: image-classification with few labels, from nothing and from a net that saw all pictures.

    python -m bench.pretraining                              MNIST, 8,000 pictures, 100 and 1,000 labels, three seeds
    python -m bench.pretraining --folder CIFAR/train --test CIFAR/test --labels 5000
    python -m bench.pretraining --net transformer --minutes 20

All pictures of the training set teach the first net, without labels; then a classifier learns from the few that have one, for the
same minutes, once from random weights and once from that net. "drawings": begun from a classifier of lamella's own drawn digits,
which had labels, for the same minutes as the first net. Accuracy on pictures that neither saw, mean and range of the seeds.
"""

import argparse
import random
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import lamella
from bench import mnist
from lamella.data.media.images import SUFFIXES

TASK = "image-classification"


def few(folder: Path, labels: int, seed: int, place: Path) -> str:
    """A table of so many pictures with labels, as many of each class."""
    classes = sorted(p for p in folder.iterdir() if p.is_dir())
    rng, rows = random.Random(seed), ["image,label"]
    for one in classes:
        pictures = sorted(p for p in one.rglob("*") if p.suffix.lower() in SUFFIXES)
        rows += [f"{p.resolve()},{one.name}" for p in rng.sample(pictures, labels // len(classes))]
    path = place / f"few-{labels}-{seed}.csv"
    path.write_text("\n".join(rows) + "\n")
    return str(path)


def train(data: str, out: Path, **options: Any) -> lamella.Model:
    return lamella.train(TASK, data, out=str(out), force=True, tell=lambda _: None, **options)


def accuracy(model: lamella.Model) -> float:
    return float(model.manifest.scores["held out"]["scores"]["accuracy"]["value"])


def compare(folder: Path, test: Path, given: argparse.Namespace, place: Path) -> None:
    own = {"net": given.net, "size": given.size}
    first, later = ({"steps": n} for n in given.steps) if given.steps else (
        {"minutes": given.minutes}, {"minutes": given.later}
    )  # fmt: skip
    seen = train(str(folder), place / "seen", labels="none", **first, test=[str(test)], **own)
    scores = {name: round(s["value"], 3) for name, s in seen.manifest.scores["held out"]["scores"].items()}
    print(f"{folder.name}: {first} without labels: {scores}", flush=True)
    drawn = train("sample", place / "drawn", **first, **own) if given.drawings else None
    print(f"{'labels':>8} {'begun from':24} {'accuracy':>9}   seeds", flush=True)
    for labels in given.labels:
        results: dict[str, list[float]] = {}
        for seed in given.seeds:
            data = few(folder, labels, seed, place)
            options = {**later, "seed": seed, "test": [str(test)]}
            results.setdefault("nothing", []).append(accuracy(train(data, place / "m", **own, **options)))
            results.setdefault("pictures, no labels", []).append(
                accuracy(train(data, place / "m", init=seen.where, **options))
            )
            if drawn is not None:
                results.setdefault("drawings", []).append(
                    accuracy(train(data, place / "m", init=drawn.where, **options))
                )
        for name, values in results.items():
            shown = ", ".join(f"{100 * v:.2f}" for v in values)
            print(f"{labels:8} {name:24} {100 * np.mean(values):8.2f}%   {shown}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20.0, help="without labels")
    parser.add_argument("--later", type=float, default=3.0, help="minutes of each classifier")
    parser.add_argument(
        "--steps", type=int, nargs=2, metavar=("FIRST", "LATER"), help="in the place of minutes, on a busy machine"
    )
    parser.add_argument("--labels", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--net", choices=["cnn", "transformer"], default="cnn")
    parser.add_argument("--size", default="small")
    parser.add_argument("--folder", type=Path, help="pictures in class folders; default: MNIST")
    parser.add_argument("--test", type=Path, help="others, to measure with")
    parser.add_argument("--drawings", action="store_true", help="also begin from a classifier of drawn digits")
    parser.add_argument("--data", type=Path, help="MNIST's 0.json to 9.json, where there is no network")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as there:
        place = Path(there)
        if given.folder is None:
            learn, test = mnist.split(place=given.data)
            mnist.write(place / "mnist", learn)
            mnist.write(place / "test", test)
            compare(place / "mnist", place / "test", given, place)
        elif given.test is None:
            parser.error("--folder: expected --test FOLDER with it, of pictures that are not in it.")
        else:
            compare(given.folder, given.test, given, place)


if __name__ == "__main__":
    main()
