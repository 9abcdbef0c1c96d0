"""Train the identifier and make it small: the task text-classification as it is.

    python -m recipes.languages.train              four minutes of training, as many before it, one core
"""

from __future__ import annotations

import argparse

import lamella
from lamella.data import linear
from recipes.languages.common import CACHE

MODEL, SMALL = CACHE / "model", CACHE / "small"
PIECES, FEATURES = 5000, 30_000
# The linear part is solved on so much (features times labels of all texts) and not on all that the task allows: here
# the texts are many and the part that reads in order learns from them all, so that more would only take longer.
WORK, CHOICE = 20_000_000, 2_000_000


def train(minutes: float, threads: int = 1) -> None:
    """Train on train.jsonl, weigh the two parts and compress on dev.jsonl; the test is for `release`."""
    linear.WORK, linear.CHOICE = WORK, CHOICE
    dev = str(CACHE / "dev.jsonl")
    model = lamella.train(
        "text-classification", str(CACHE / "train.jsonl"), test=[dev], out=str(MODEL), size="tiny", minutes=minutes,
        threads=threads, force=True, net="cnn", pieces=PIECES, features=FEATURES, strength=2.0, longest=128,
        dropout=0.2, forget=0.05,
    )  # fmt: skip
    # Where nearly every answer is right, the 200 texts that training keeps aside say little of how the parts compare.
    model.task.calibrate(model.task.read([dev])[0], model.run)
    model.manifest.learned["mix_"] = model.task.mix_
    print(f"train: the part that reads in order and the linear one count as {model.task.mix_}", flush=True)
    small = lamella.compress(model, str(SMALL), dev, tolerance=0.002, force=True)
    print(f"train: {sum(map(len, small.files.values())) / 1e6:.2f} MB in {SMALL}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    train(given.minutes, given.threads)
