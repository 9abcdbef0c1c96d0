"""Link prediction on graphs of the literature: net and rules together, each alone, in int8, beside pykeen.

    python -m bench.link_prediction NAME FOLDER --minutes 2              NAME: umls, kinship, codex, wn18rr, or any other
    ... --forget 10                                                      trained anew without the facts that ten answers stand on
    ... --python ENVIRONMENT/bin/python                                  pykeen 1.11 in that environment, on the same facts

FOLDER holds train.txt, valid.txt and test.txt, with tabs between head, relation and tail; or it is a zip or a .tar.gz of these. UMLS and Kinship
are in pykeen's wheel, CoDEx-S is MIT (tsafavi/codex), WN18RR is in TimDettmers/ConvE. Ranks are filtered, in both directions, ties "realistic".

Seconds are of processor time: reading, mining of rules, the search for the penalty, watching and export are counted. Set
OMP_NUM_THREADS=1. Of pykeen it is ComplEx with its reciprocal (inverse) relations, the same rank, the N3 penalty found here, cross-entropy and Adagrad; it
is evaluated every few epochs, and what is printed is when it first reaches our MRR, or its best.
"""

import argparse
import random
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lamella
from lamella.data.readers.facts import read_facts
from lamella.model import Model
from lamella.verbs.compress import graphs_size

GOALS = {"umls": 0.965, "kinship": 0.89, "codex": 0.47, "wn18rr": 0.48}  # MRR
PEER = Path(__file__).with_name("link_prediction_peer.py")
PARTS = ("train.txt", "valid.txt", "test.txt")
LOOKED_AT = 100  # right answers whose facts are taken away
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


def reasons(model: Model, test: Path) -> list[tuple[dict[str, str], list[list[str]]]]:
    """How many right answers have a rule, and how many of these are others when the facts that they stand on are taken away.

    Returns those that are others: the fact that was asked for, and the facts taken away.
    """
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
    found = [job.focus(model.graphs, job.collate([job.inputs(e)]), answer).details() for e, answer in ruled]
    changed = sum(one["changed"] for one in found)
    taken = [len(one["removed"]) for one in found]
    ends = [
        any(r == e["relation"] and t == e["tail"] for _, r, t in one["removed"])
        for (e, _), one in zip(ruled, found, strict=True)
    ]
    seconds = time.process_time() - start
    print(
        f"of {asked} questions {len(right)} right; with a rule {len(ruled) / max(1, len(right)):.1%} (goal {RULED:.0%})"
    )
    print(
        f"without these facts another answer: {changed / max(1, len(ruled)):.1%} (goal {CHANGED:.0%}); {statistics.median(taken or [0]):g} facts "
        f"in the median, {statistics.mean(taken or [0]):.1f} in the mean; in {sum(ends)} of {len(ends)} others that lead to the same end; {seconds:.0f} s"
    )
    return [(e, one["removed"]) for (e, _), one in zip(ruled, found, strict=True) if one["changed"]]


def forget(folder: Path, place: Path, stood: Sequence[tuple[dict[str, str], list[list[str]]]], options: Any) -> None:
    """Train anew without the facts that answers stood on, and beside it without as many others: how many answers change."""
    gone = {tuple(fact) for _, facts in stood for fact in facts}
    learned = read_facts([str(folder / PARTS[0])])[0]
    known = set(learned)
    other = random.Random(0).sample([fact for fact in learned if fact not in gone], len(gone))
    for name, left_out in (("these facts", gone), ("as many other facts", set(other))):
        part = place / name.replace(" ", "-")
        part.mkdir()
        for file in PARTS[1:]:
            (part / file).write_bytes((folder / file).read_bytes())
        (part / PARTS[0]).write_text("".join("\t".join(fact) + "\n" for fact in learned if fact not in left_out))
        model = lamella.train("link-prediction", str(part), out=str(part / "model"), **how(options))
        model = model.with_config(model.task.config.__class__(top=1000))
        answers = [asked(model, example) for example, _ in stood]
        # Of what was a fact before it is not asked whether it is concluded anew.
        changed = sum(
            next((a for a in ranked(answer) if (e["head"], e["relation"], a) not in known), "") != e["tail"]
            for answer, (e, _) in zip(answers, stood, strict=True)
            if answer
        )
        lost = answers.count(None)
        print(
            f"trained without {name} ({len(left_out)}): {changed} of {len(stood)} answers are others"
            + (f", {lost} questions are of a relation or an entity that no fact is left of" if lost else ""),
            flush=True,
        )


def asked(model: Model, example: dict[str, str]) -> dict[str, Any] | None:
    """The answer to the question of a fact; None where what it asks about is unknown now."""
    try:
        answer: dict[str, Any] = model.predict({name: example[name] for name in model.task.fields})
    except lamella.DataError:
        return None
    return answer


def how(options: Any) -> dict[str, Any]:
    """How a model is trained, as options of `lamella.train`."""
    budget = {"steps": options.steps} if options.steps else {"minutes": options.minutes}
    return {"size": options.size, "threads": 1, "members": options.members, **budget}


def ranked(answer: dict[str, Any]) -> list[str]:
    """The answers of a conclusion, the likeliest first."""
    return [answer["answer"], *(other["answer"] for other in answer["others"])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("source", type=Path)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--steps", type=int, help="in the place of minutes, where the processor is shared")
    parser.add_argument("--size", default="small")
    parser.add_argument("--members", type=int, default=1, help="nets whose scores are averaged")
    parser.add_argument("--out", type=Path, help="where the model is kept")
    parser.add_argument("--forget", type=int, default=0)
    parser.add_argument("--python", type=Path)
    options: Any = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder, out = unpacked(options.source, Path(place, "facts")), options.out or Path(place, "model")
        start = time.process_time()
        model = lamella.train("link-prediction", str(folder), out=str(out), **how(options))
        seconds = time.process_time() - start
        job, test = model.task, folder / "test.txt"
        print(f"weights of net and rules {job.mix_}, N3 {job.n3_}, {sum(map(len, job.ruled.of.values()))} rules")
        both = measured(model, test)
        goal = GOALS.get(options.name)
        said("net and rules", both, f"{seconds:.0f} s" + (f"; goal: mrr {goal}" if goal else ""))
        said("the net alone", measured(weighed(model, 1.0, 0.0), test))
        said("the rules alone", measured(weighed(model, 0.0, 1.0), test))
        try:
            small = lamella.compress(model, str(Path(place, "small")), str(test), tolerance=0.05)
        except lamella.LamellaError as error:  # such as slower, beside other work
            print(f"int8: {error}", flush=True)
        else:
            said(
                "int8",
                measured(small, test),
                f"{graphs_size(model.files):,} -> {graphs_size(small.files):,} bytes of graphs",
            )
        stood = reasons(model, test)
        if options.forget:
            forget(folder, Path(place), stood[: options.forget], options)
        if options.python:
            rank = job.size.width
            command = [
                str(options.python),
                str(PEER),
                *(str(folder / part) for part in PARTS),
                str(rank),
                str(5 * seconds),
                str(both["mrr"]),
                str(job.n3_),
            ]
            print(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout, end="")


if __name__ == "__main__":
    sys.exit(main())
