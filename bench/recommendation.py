"""Next items on logs of the literature: the mixture, each of its parts, EASE, and beside them RecBole's SASRec and implicit.

    python -m bench.recommendation DATA... --minutes 5                   a folder or files: ml-100k, wikipedia.txt, Video.txt
    ... --python ENVIRONMENT/bin/python                                  RecBole 1.2.1 and implicit 0.7.3 in that environment

ML-100k is in RecBole's wheel (dataset_example/ml-100k: .inter and .item; GroupLens' terms: for measuring only), Wikipedia edits and Amazon
Games in pmixer/SASRec.pytorch (python/data/wikipedia.txt, Video.txt). Every rating counts as a choice, as in the literature.

Leave one out: of each user the last item is to be found, the one before it is for choosing, the rest to learn from. All items are ranked; those
that the user chose before are left out, unless users repeat themselves. Nothing is drawn: figures with 100 negatives cannot be compared. Differences
are over users, with a paired bootstrap: the share of 2,000 resamples in which the first is better. Set OMP_NUM_THREADS=1: seconds are of processor time.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import lamella
from lamella.data.readers.events import Read, read_histories
from lamella.model import Model
from lamella.task import as_measured
from lamella.tasks.recommendation.counts import Counts
from lamella.verbs.compress import graphs_size

PEER = Path(__file__).with_name("recommendation_peer.py")
RIDGE = 100.0  # of EASE
DENSE = 6000  # items up to which EASE, which inverts a matrix of them, is measured
DRAWS = 2000
MOST = 100  # places that are looked at; an item behind them counts as not found
GOALS = "ML-100k: hit@10 .205, NDCG@10 .108, 1.15 times RecBole's SASRec; notes of trials: EASE .143 .071, neighbours .158 .086, Markov .178 .100"
Ranks = np.ndarray[Any, Any]


def said(name: str, ranks: Ranks, more: str = "") -> Ranks:
    """Print hits and NDCG at 10 with their standard errors; ranks from 1, 0 for not found."""
    hit = ((ranks > 0) & (ranks <= 10)).astype(float)
    gain = hit / np.log2(1 + np.maximum(1, ranks))
    root = len(ranks) ** 0.5
    print(
        f"{name:28} hit@10 {hit.mean():.4f} ± {hit.std() / root:.4f}  NDCG@10 {gain.mean():.4f} ± {gain.std() / root:.4f} {more}",
        flush=True,
    )
    return np.asarray(gain)


def beside(name: str, own: Ranks, other: Ranks) -> None:
    """The ratio of two NDCGs of the same users, and how often the first is the better in a paired bootstrap."""
    rng = np.random.default_rng(0)
    draws = [rng.integers(0, len(own), len(own)) for _ in range(DRAWS)]
    better = np.mean([own[d].mean() > other[d].mean() for d in draws])
    print(
        f"  {own.mean() / max(1e-9, other.mean()):.3f} times {name}; better in {better:.1%} of {DRAWS} paired resamples"
    )


def ranks_of(model: Model, tests: Sequence[dict[str, Any]]) -> Ranks:
    """The rank of what came next in each answer."""
    asked = model.with_config(as_measured(model.task).config)
    answers = asked.predict([{"history": e["history"]} for e in tests])
    names = [[entry["item"] for entry in answer["items"]][:MOST] for answer in answers]
    return np.array([row.index(e["next"]) + 1 if e["next"] in row else 0 for row, e in zip(names, tests, strict=True)])


def mixed(model: Model, weights: Sequence[float]) -> Model:
    """The same model with other weights of its parts."""
    other = model.with_config(model.task.config.__class__())
    other.task.mix_ = weights
    return other


def place(scores: Ranks, wanted: int, seen: Sequence[int], again: bool) -> int:
    """The rank of an item by its score among all that may be recommended."""
    allowed = np.ones(len(scores), bool)
    if not again:
        allowed[list(seen)] = False
    return int((scores[allowed] > scores[wanted]).sum()) + 1 if allowed[wanted] else 0


def ease(histories: Sequence[Ranks], items: int) -> Ranks:
    """The weights (V, V) of EASE (Steck, 2019), in closed form."""
    chosen = np.zeros((len(histories), items), np.float32)
    for row, history in zip(chosen, histories, strict=True):
        row[history] = 1
    inverse = np.linalg.inv(chosen.T @ chosen + RIDGE * np.eye(items, dtype=np.float32))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return np.asarray(weights)


def split(read: Read, out: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Write what to learn from, and what to find; the examples and the paths."""
    whole = [[*e["history"], e["next"]] for e in read.examples if len(e["history"]) > 2]
    events = [
        {"user": f"u{n}", "item": name, "time": t} for n, names in enumerate(whole) for t, name in enumerate(names[:-1])
    ]
    tests = [{"history": names[:-1], "next": names[-1]} for names in whole]
    (out / "events.jsonl").write_text("".join(json.dumps(e) + "\n" for e in events))
    (out / "test.jsonl").write_text("".join(json.dumps(e) + "\n" for e in tests))
    paths = [str(out / "events.jsonl")]
    if read.described:
        rows = [{"item": name, **columns} for name, columns in read.described.items()]
        (out / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        paths.append(str(out / "items.jsonl"))
    return tests, paths


def counted(tests: Sequence[dict[str, Any]], again: bool) -> dict[str, Ranks]:
    """The ranks by each of what can be counted, and by EASE, from all but the last item of each user."""
    names = sorted({name for e in tests for name in e["history"]})
    number = {name: n for n, name in enumerate(names)}
    histories = [np.array([number[name] for name in e["history"]]) for e in tests]
    counts = Counts.learn(histories, len(names))
    weights = ease(histories, len(names)) if len(names) <= DENSE else None
    found: dict[str, list[int]] = {name: [] for name in ("Markov", "item neighbours", "popularity")}
    if weights is not None:
        found["EASE"] = []
    for example, history in zip(tests, histories, strict=True):
        wanted, seen = number.get(example["next"], -1), history.tolist()
        by = dict(zip(found, counts.scores(seen)[:3], strict=False))
        if weights is not None:
            by["EASE"] = weights[np.unique(history)].sum(axis=0)
        for name, scores in by.items():
            found[name].append(place(scores, wanted, seen, again) if wanted >= 0 else 0)
    return {name: np.array(ranks) for name, ranks in found.items()}


def peers(python: Path, out: Path, minutes: float, again: bool) -> dict[str, tuple[Ranks, str]]:
    """The ranks by RecBole and implicit, measured in an environment of their own, on the same files."""
    command = [str(python), str(PEER), str(out), str(60 * minutes), str(int(again))]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return {name: (np.array(one["ranks"]), f"{one['seconds']:.0f} s") for name, one in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--size", default="small")
    parser.add_argument("--users", type=int, default=0, help="only so many users, drawn by chance; 0: all")
    parser.add_argument("--python", type=Path)
    options: Any = parser.parse_args()
    with tempfile.TemporaryDirectory() as where:
        out = Path(where)
        read = read_histories(options.data, min_rating=0.0, whole=True)
        wholes = read_histories(options.data, min_rating=0.0, whole=False)
        read.examples = wholes.examples
        if options.users:
            rng = np.random.default_rng(0)
            drawn = rng.permutation(len(read.examples))[: options.users]
            read.examples = [read.examples[i] for i in sorted(drawn)]
        print(*wholes.lines, GOALS, sep="\n")
        tests, paths = split(read, out)
        start = time.process_time()
        model = lamella.train(
            "recommendation",
            *paths,
            test=str(out / "test.jsonl"),
            out=str(out / "model"),
            minutes=options.minutes,
            size=options.size,
            threads=1,
            min_rating=0.0,
        )
        seconds = time.process_time() - start
        again = model.task.again
        print(f"{len(tests):,} users, {len(model.task.known):,} items, weights of the parts {model.task.mix_}")
        own = said("the mixture", ranks_of(model, tests), f"{seconds:.0f} s")
        others = {"the net alone": said("the net alone", ranks_of(mixed(model, (1, 0, 0, 0, 0)), tests))}
        small = lamella.compress(model, str(out / "int8"), str(out / "test.jsonl"), tolerance=0.05)
        said("int8", ranks_of(small, tests), f"{graphs_size(model.files):,} -> {graphs_size(small.files):,} bytes")
        for name, ranks in counted(tests, again).items():
            others[name] = said(name, ranks)
        if options.python:
            for name, (ranks, more) in peers(options.python, out, options.minutes, again).items():
                others[name] = said(name, ranks, more)
        for name, gains in others.items():
            beside(name, own, gains)


if __name__ == "__main__":
    sys.exit(main())
