"""Train the identifier and make it small: the task text-classification as it is.

python -m recipes.languages.train              four minutes of training, as many before it, one core
"""

from __future__ import annotations

import argparse

import msgspec

import lamella
from lamella import model as folder
from lamella.graphs.int8 import quantize
from lamella.tasks.text_classification import linear
from recipes.languages.common import CACHE
from recipes.languages.prior import favour

MODEL, SMALL = CACHE / "model", CACHE / "small"
PIECES, FEATURES = 5000, 30_000
# The linear part is solved on so much (features times labels of all texts) and not on all that the task allows: here
# the texts are many and the part that reads in order learns from them all, so that more would only take longer.
WORK, CHOICE = 20_000_000, 2_000_000


def train(minutes: float, threads: int = 1) -> None:
    """Train on train.jsonl and measure on dev.jsonl; the test is for `release`."""
    linear.WORK, linear.CHOICE = WORK, CHOICE
    lamella.train(
        "text-classification", str(CACHE / "train.jsonl"), test=[str(CACHE / "dev.jsonl")], out=str(MODEL), size="tiny",
        minutes=minutes, threads=threads, force=True, net="cnn", vocabulary_size=PIECES, max_features=FEATURES, strength=2.0,
        max_length=128, dropout=0.2, word_dropout=0.05,
    )  # fmt: skip


def shrink() -> None:
    """Weigh the two parts on dev.jsonl, put the prior over languages in, and round to int8, written beside.

    `lamella compress` refuses int8 here: rows of a small table are read faster as they are. A millisecond a text is
    fast enough; what is shipped with everything has to be small.
    """
    model = lamella.load(str(MODEL))
    # Where nearly every answer is right, the 200 texts that training keeps aside say little of how the parts compare.
    model.task.calibrate(model.task.read([str(CACHE / "dev.jsonl")])[0], model.run)
    print(f"shrink: the part that reads in order and the linear one count as {model.task.mix_}", flush=True)
    learned = {**model.manifest.learned, "mix_": model.task.mix_}
    manifest = msgspec.structs.replace(model.manifest, learned=learned, precision="int8")
    files = {**model.files, "classify.onnx": quantize(favour(model))}
    files.pop("model.json", None)
    folder.write(manifest, files, SMALL)
    print(f"shrink: {sum(map(len, files.values())) / 1e6:.2f} MB in {SMALL.name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--shrink", action="store_true", help="only the last step, of the model that is there")
    given = parser.parse_args()
    if not given.shrink:
        train(given.minutes, given.threads)
    shrink()
