"""Link prediction on graphs of the literature: net and rules together, each alone, in int8, beside pykeen.

    python -m bench.link_prediction NAME FOLDER --minutes 2              NAME: umls, kinship, codex, wn18rr, or any other
    ... --python ENVIRONMENT/bin/python                                  pykeen 1.11 in that environment, on the same facts

FOLDER holds train.txt, valid.txt and test.txt, with tabs between head, relation and tail; or it is a zip or a .tar.gz of these. UMLS and Kinship
are in pykeen's wheel, CoDEx-S is MIT (tsafavi/codex), WN18RR is in TimDettmers/ConvE. Ranks are filtered, in both directions, ties "realistic".

Seconds are of processor time: reading, mining of rules, the search for the penalty, watching and export are counted. Set
OMP_NUM_THREADS=1. Of pykeen it is ComplEx with its reciprocal (inverse) relations, the same rank, cross-entropy and Adagrad; it is evaluated every
few epochs, and what is printed is when it first reaches our MRR, or its best.
"""

import argparse
import random
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import lamella
from lamella.data.readers.facts import read_facts
from lamella.model import Model
from lamella.verbs.compress import graphs_size

GOALS = {"umls": 0.965, "kinship": 0.89, "codex": 0.47, "wn18rr": 0.48}  # MRR
PEER = Path(__file__).with_name("link_prediction_peer.py")
PARTS = ("train.txt", "valid.txt", "test.txt")
LOOKED_AT = 300  # right answers whose facts are taken away
RULED, CHANGED = 0.6, 0.8  # of right answers: those with a rule; of these: those that change without its facts


def unpacked(source: Path, into: Path) -> Path:
    """The folder that holds the three parts."""
    if source.suffix == ".zip":
        with zipfile.ZipFile(source) as archive:
            archive.extractall(into)
    elif source.is_file():
        with tarfile.open(source) as packed:
            packed.extractall(into, filter="data")
    place = source if source.is_dir() else into
    return next(
        p.parent for p in sorted(place.rglob("train.txt")) if all((p.parent / part).is_file() for part in PARTS)
    )


def measured(model: Model, test: Path) -> dict[str, float]:
    """The scores of a model on a file of facts."""
    return {name: score["value"] for name, score in lamella.evaluate(model, str(test))["scores"].items()}


def weighed(model: Model, net: float, rules: float) -> Model:
    """The same model with other weights of its two parts."""
    other = model.with_config(model.task.config.__class__())
    other.task.mix_ = (net, rules)
    return other


def said(name: str, scores: dict[str, float], more: str = "") -> None:
    print(f"{name:24} " + "  ".join(f"{key} {value:.4f}" for key, value in scores.items()), more, flush=True)


def reasons(model: Model, test: Path) -> None:
    """How many right answers have a rule, and how many of these are others when the rule's facts are taken away."""
    job, asked, right = model.task, 0, []
    facts = [dict(zip(("head", "relation", "tail"), fact, strict=True)) for fact in read_facts([str(test)])[0]]
    random.Random(0).shuffle(facts)
    start = time.process_time()
    for example in facts:
        asked += 1
        answer = model.predict({name: example[name] for name in job.fields})
        if answer["answer"] == example["tail"]:
            right.append((example, answer))
        if len(right) == LOOKED_AT:
            break
    ruled = [pair for pair in right if pair[1]["rule"]]
    found = [job.details(model.graphs, job.collate([job.inputs(e)]), answer) for e, answer in ruled]
    changed = sum(one["changed"] for one in found)
    taken = sum(len(one["removed"]) for one in found) / max(1, len(found))
    seconds = time.process_time() - start
    print(
        f"of {asked} questions {len(right)} right; with a rule {len(ruled) / max(1, len(right)):.1%} (goal {RULED:.0%})"
    )
    print(
        f"without the rule's facts another answer: {changed / max(1, len(ruled)):.1%} (goal {CHANGED:.0%}), {taken:.1f} facts in the mean, {seconds:.0f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("source", type=Path)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--size", default="small")
    parser.add_argument("--python", type=Path)
    options: Any = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder, out = unpacked(options.source, Path(place, "facts")), Path(place, "model")
        start = time.process_time()
        model = lamella.train(
            "link-prediction", str(folder), out=str(out), minutes=options.minutes, size=options.size, threads=1
        )
        seconds = time.process_time() - start
        job, test = model.task, folder / "test.txt"
        print(f"weights of net and rules {job.mix_}, N3 {job.n3_}, {len(job.rules_) // 24} rules")
        both = measured(model, test)
        goal = GOALS.get(options.name)
        said("net and rules", both, f"{seconds:.0f} s" + (f"; goal: mrr {goal}" if goal else ""))
        said("the net alone", measured(weighed(model, 1.0, 0.0), test))
        said("the rules alone", measured(weighed(model, 0.0, 1.0), test))
        small = lamella.compress(model, str(Path(place, "small")), str(test), tolerance=0.05)
        said(
            "int8",
            measured(small, test),
            f"{graphs_size(model.files):,} -> {graphs_size(small.files):,} bytes of graphs",
        )
        reasons(model, test)
        if options.python:
            rank = job.size.width
            command = [
                str(options.python),
                str(PEER),
                *(str(folder / part) for part in PARTS),
                str(rank),
                str(5 * seconds),
                str(both["mrr"]),
            ]
            print(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout, end="")


if __name__ == "__main__":
    sys.exit(main())
