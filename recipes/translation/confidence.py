"""Fit the curves by which shipped translators say how sure they are, and write them into the models.

    python -m recipes.translation.confidence SETS... --write

SETS are files of the recipe (kind, package, English, other language) that no net has learned from, such as the development sets
that `mix` writes; their names end in the language. Half of each is fitted to, by a hash of the English; the other half is for
`bench.translation_confidence`. Without --write the curves are printed alone.

A curve is a logistic regression on whether an answer was good: a chrF of 50 or more against its reference. In Chinese n-grams
of chrF are up to 3 characters long, elsewhere 6: so measured, two translations of one sentence by two people are good in 53% of
cases in Chinese (847 pairs of Tatoeba), and in 66, 54, 42 and 46% in English, French, German and Spanish (1,500 pairs each); with 6, in 21%.
"""

import argparse
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import sacrebleu
from msgspec.structs import replace
from numpy.typing import NDArray

import lamella
from lamella import model as folder
from lamella.model import Model, shipped
from lamella.tasks.translation import Translation
from lamella.tasks.translation.confidence import LEAST, PLAIN, TYPICAL, Curve, Evidence
from lamella.tasks.translation.outcomes import Outcome
from lamella.train.ship import store_learned
from recipes.translation.common import Pair, read_pairs

GOOD = 50.0
ORDER = {"zh": 3}  # of chrF's n-grams, elsewhere 6
NEAR = 4.0  # examples' worth of weight that keeps each number of a curve near the one of all directions

Case = tuple[Evidence, bool]  # what is known of an answer, and whether it was good


def fitted_to(pair: Pair) -> bool:
    """Whether a pair is of the half that curves are fitted to."""
    return zlib.crc32(pair.source.encode()) % 2 == 0


def is_good(answer: str, reference: str, language: str) -> bool:
    return bool(sacrebleu.sentence_chrf(answer, [reference], char_order=ORDER.get(language, 6)).score >= GOOD)


def directions(path: Path) -> list[tuple[str, str]]:
    """Both directions of a set, by the language at the end of its name."""
    language = path.stem.rpartition("-")[2]
    return [("en", language), (language, "en")]


def answered(model: Model, pairs: Sequence[Pair], src: str, dst: str) -> list[tuple[Outcome, bool]]:
    """What a model makes of one side of pairs, and whether that is good."""
    assert isinstance(model.task, Translation)
    sides = [(p.source, p.target) if src == "en" else (p.target, p.source) for p in pairs]
    outcomes = model.task.outcomes([{"text": text, "to": dst} for text, _ in sides], model.run)
    return [(one, is_good(one.text, ref, dst)) for one, (_, ref) in zip(outcomes, sides, strict=True)]


def fit(cases: Iterable[Case], near: Curve, weight: float = NEAR) -> Curve:
    """The curve of the cases by Newton's method, with a Gaussian prior around another one."""
    some = list(cases)
    x = np.array([_row(evidence) for evidence, _ in some])  # (N, 5)
    y = np.array([good for _, good in some], float)
    start = np.array(near)
    numbers = start.copy()
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ numbers))
        slope = x.T @ (y - p) - weight * (numbers - start)
        numbers += np.linalg.solve((x.T * (p * (1 - p))) @ x + weight * np.eye(len(numbers)), slope)
    return Curve(*(round(float(n), 2) for n in numbers))


def _row(evidence: Evidence) -> NDArray[np.float64]:
    """What each number of a curve is multiplied by."""
    long = np.log(max(evidence.length, 1) / TYPICAL)
    return np.array([1.0, max(evidence.mean, LEAST), long, evidence.doubts, evidence.repaired])


def write(model: Model, curves: dict[str, Curve]) -> None:
    """The model with these curves in the place of any that it has."""
    assert isinstance(model.task, Translation)
    model.task.curves_ = {name: list(curve) for name, curve in sorted(curves.items())}
    learned, blobs = store_learned(model.task)
    manifest = replace(model.manifest, lamella=lamella.__version__, learned=learned)
    files = {name: raw for name, raw in model.files.items() if name != "model.json"}
    folder.write(manifest, {**files, **blobs}, Path(model.where))
    print(f"wrote {len(curves)} curves into {model.where}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    cases: dict[tuple[str, str], list[Case]] = defaultdict(list)
    for path in given.sets:
        pairs = [pair for pair in read_pairs(path) if fitted_to(pair)]
        for src, dst in directions(path):
            found = answered(shipped.translator(src, dst), pairs, src, dst)
            cases[src, dst] += [(one.evidence, good) for one, good in found if one.evidence]
            print(f"{path.name}: {src}-{dst}, {len(pairs)} pairs", flush=True)
    plain = fit([case for some in cases.values() for case in some], PLAIN, 0.0)
    print("all directions:", *plain)
    curves: dict[Path, dict[str, Curve]] = defaultdict(dict)
    for (src, dst), some in cases.items():
        curve = fit(some, plain)
        print(f"{src}-{dst}: {len(some)} answers, {np.mean([good for _, good in some]):.0%} good; curve", *curve)
        curves[Path(shipped.translator(src, dst).where)][f"{src}-{dst}"] = curve
    for place, own in curves.items() if given.write else ():
        write(lamella.load(place), own)


if __name__ == "__main__":
    main()
