"""Words for masks: fill-mask beside bigrams from both sides and beside BERT from scratch, on the same text and minutes.

    python -m bench.fill_mask plays.txt descriptions.txt --minutes 15
    python -m bench.fill_mask plays.txt --minutes 15 --python /opt/peers/bin/python      with BertForMaskedLM as well
    python -m bench.fill_mask plays.txt --minutes 1 --most 200                           a try
    python -m bench.fill_mask plays.txt --out model                                      keep the model in model/model
    python -m bench.fill_mask plays.txt --model model/model --python PYTHON              measure that one, with BERT beside it

The files are cut into passages; every tenth, by a hash of its text, is measured with and never trained on. In each of these, every
twelfth word is masked, one at a time, and asked for. Of the answers to 100 words a mask: how often the word is the first, how
often among five, and the pseudo-perplexity, what is not named being shared evenly by all words of the training text. "Net alone":
the same model without what it has counted.

Beside it: the most frequent words; Kneser-Ney bigrams from both sides, P(word | left) P(right | word), which is normalised
over its 2,000 best words; and with --python, an environment with torch and transformers, BertForMaskedLM with as many
layers and as wide, on the same pieces, trained on one core for the same minutes with AdamW, whole words masked, 15% of them. Its
net answers through the same search as our net alone. int8: the same model after `lamella compress`, as far as that finds it faster; else as it is.
"""

import argparse
import copy
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import lamella
from bench.bigrams import TwoSided
from lamella.data.readers.cloze import WORD
from lamella.data.readers.passages import read_passages
from lamella.metrics import fillings
from lamella.model import run_batches
from lamella.task import Task, as_measured

EVERY = 12  # words of a held-out passage between two that are asked for
NAMED = 100  # words of an answer
LENGTH = 512  # characters of a passage

PEER = Path(__file__).with_name("fill_mask_peer.py")


def split(paths: list[str]) -> tuple[list[str], list[str]]:
    """Passages to train on and to measure with."""
    texts = [" ".join(text.split()) for text in read_passages(paths, LENGTH // 32, True)[0]]
    held = [t for t in texts if hashlib.sha256(t.encode()).digest()[0] < 26]
    known = set(held)
    return [t for t in texts if t not in known], held


def questions(texts: list[str], most: int) -> list[dict[str, str]]:
    """Every twelfth word of each text, masked."""
    return [
        {"text": f"{text[: word.start()]}___{text[word.end() :]}", "words": word[0]}
        for text in texts
        for word in list(WORD.finditer(text))[EVERY // 2 :: EVERY]
    ][:most]


def said(name: str, answers: list[Any], asked: list[dict[str, str]], vocabulary: int, seconds: float) -> None:
    """Print one line of figures."""
    values = fillings(answers, [[q["words"]] for q in asked], vocabulary).values
    print(
        f"{name:<28} top-1 {values['top_1']:.3f}  top-5 {values['top_5']:.3f}  pseudo-perplexity {values['pseudo_perplexity']:8.1f}"
        f"  {1000 * seconds / len(asked):6.1f} ms a mask",
        flush=True,
    )


def answered(task: Task, graphs: Any, asked: list[dict[str, str]]) -> Iterator[Any]:
    """The answers of a net, a hundred questions at a time."""
    job = as_measured(task)
    for first in range(0, len(asked), 100):
        rows = [{"text": q["text"]} for q in asked[first : first + 100]]
        yield from job.answers(rows, lambda some: run_batches(job, graphs, some))


def alone(task: Task) -> Task:
    """The task without what it has counted: the net answers by itself."""
    other = copy.copy(task)
    vars(other)["counts_"] = b""
    return other


class Peer:
    """A graph that another process answers, over a pipe."""

    def __init__(self, python: str, model: lamella.Model, learn: list[str], minutes: float, place: Path) -> None:
        job = model.task
        ids = [job.targets({"text": text, "words": ""})["whole"].tolist() for text in learn]
        width, depth, heads = job.size.width, job.size.depth, job.size.heads
        facts = {
            "ids": ids, "kinds": job.kinds.of.tolist(), "mask": job.mask, "width": width, "depth": depth, "heads": heads,
            "window": job.config.window, "minutes": minutes,
        }  # fmt: skip
        (place / "facts.json").write_text(json.dumps(facts))
        self.process = subprocess.Popen(
            [python, str(PEER), str(place / "facts.json")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=False
        )
        assert self.process.stdout is not None
        print("peer:", self.process.stdout.readline().decode().strip(), flush=True)

    def __call__(self, pieces: Any, asked: Any) -> dict[str, Any]:
        assert self.process.stdin is not None and self.process.stdout is not None
        question = {"pieces": pieces.tolist(), "places": asked.argmax(axis=1).tolist()}
        self.process.stdin.write(json.dumps(question).encode() + b"\n")
        self.process.stdin.flush()
        rows, columns = map(int, self.process.stdout.readline().split())
        raw = self.process.stdout.read(4 * rows * columns)
        return {"log_probability": np.frombuffer(raw, np.float32).reshape(rows, columns)}


def main() -> None:
    """Train, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--size", default="small")
    parser.add_argument("--most", type=int, default=3000, help="masks to measure with")
    parser.add_argument("--python", help="of an environment with torch and transformers")
    parser.add_argument("--init", help="a model of masked words to begin from")
    parser.add_argument("--out", help="a folder to keep the model in")
    parser.add_argument("--model", help="a model that this bench has trained, to measure it and train none")
    given = parser.parse_args()
    learn, held = split(given.files)
    asked = questions(held, given.most)
    words = len({w for text in learn for w in WORD.findall(text)})
    print(
        f"{len(learn):,} passages to learn from, {len(asked):,} masks in {len(held):,} others, {words:,} words",
        flush=True,
    )
    start = time.perf_counter()
    bigrams = TwoSided(learn)
    said("most frequent words", [bigrams.frequent(NAMED)] * len(asked), asked, words, 0.0)
    said(
        "Kneser-Ney, both sides",
        [bigrams.answer(q["text"], NAMED) for q in asked],
        asked,
        words,
        time.perf_counter() - start,
    )
    with tempfile.TemporaryDirectory() as folder:
        place = Path(given.out or folder)
        place.mkdir(parents=True, exist_ok=True)
        model = lamella.load(given.model) if given.model else trained(given, learn, asked, place)
        measured("fill-mask", model.task, model.graphs, asked, words)
        measured("fill-mask, net alone", alone(model.task), model.graphs, asked, words)
        if not given.model:
            small = lamella.compress(model, str(place / "small"), str(place / "test.jsonl"))
            opened = small if isinstance(small, lamella.Model) else lamella.load(place / "small")
            measured(f"fill-mask, {opened.manifest.precision}", opened.task, opened.graphs, asked, words)
        if given.python:
            graphs = {"fill": Peer(given.python, model, learn, given.minutes, place)}
            measured("BertForMaskedLM", alone(model.task), graphs, asked, words)


def trained(given: argparse.Namespace, learn: list[str], asked: list[dict[str, str]], place: Path) -> lamella.Model:
    """A model of these passages, in place / "model"."""
    rows = [{"text": text} for text in learn]
    (place / "learn.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (place / "test.jsonl").write_text("".join(json.dumps(q) + "\n" for q in asked[:200]))
    return lamella.train(
        "fill-mask", str(place / "learn.jsonl"), test=[str(place / "test.jsonl")], out=str(place / "model"), threads=1,
        minutes=given.minutes, **({"init": given.init} if given.init else {"size": given.size}),
    )  # fmt: skip


def measured(name: str, task: Task, graphs: Any, asked: list[dict[str, str]], words: int) -> None:
    """Ask, and print how good the answers are."""
    start = time.perf_counter()
    said(name, list(answered(task, graphs, asked)), asked, words, time.perf_counter() - start)


if __name__ == "__main__":
    sys.exit(main())
