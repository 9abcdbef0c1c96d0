"""How well the confidence of translations holds: what was said, and what share of the answers was good.

    python -m bench.translation_confidence SETS... [--pairs en-fr fr-en] [--limit 1000] [--all]

SETS are files of `recipes.translation` (kind, package, English, other language), or tables of English and another language,
of sentences that no net has learned from; their names end in the language (dev-tatoeba-fr.tsv). Good is an answer with a chrF of 50 or more against its reference (in
Chinese with n-grams of up to 3 characters, see `recipes.translation.confidence`). Of a set to which the curves were fitted the other half is measured; --all takes all of it.
Printed for each direction are, by bins of confidence, how many answers are in it, how sure they were on average and how many
were good, and the expected calibration error: the mean distance of the two, weighted by the answers in a bin.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

from lamella.model import shipped
from recipes.translation.common import Pair, read_pairs
from recipes.translation.confidence import answered, directions, fitted_to

BINS = 5
FEWEST = 30  # answers in a bin, below which its share of good ones says little


def read(path: Path) -> list[Pair]:
    """The pairs of a file of the recipe, or of a table with two columns."""
    lines = [line for line in path.read_text("utf-8").splitlines() if line]
    if len(lines[0].split("\t")) >= 4:
        return list(read_pairs(path))
    return [Pair("", "", *line.split("\t")[:2]) for line in lines]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument("--pairs", nargs="+", help="directions, such as en-fr; else both of each set")
    parser.add_argument("--limit", type=int, default=1000, help="at most so many pairs of each set")
    parser.add_argument("--all", action="store_true", help="the half too that curves are fitted to")
    given = parser.parse_args()
    sure: dict[str, list[float]] = defaultdict(list)
    good: dict[str, list[bool]] = defaultdict(list)
    for path in given.sets:
        pairs = [pair for pair in read(path) if given.all or not fitted_to(pair)][: given.limit]
        for src, dst in directions(path):
            name = f"{src}-{dst}"
            if given.pairs and name not in given.pairs:
                continue
            for outcome, is_good in answered(shipped.translator(src, dst), pairs, src, dst):
                if outcome.confidence is not None:
                    for key in (f"{name} {path.stem}", name):
                        sure[key].append(outcome.confidence)
                        good[key].append(is_good)
    worst = ("", 0.0)
    for name in sorted(sure, key=lambda one: (one.split()[0], len(one.split()))):
        said, right = np.array(sure[name]), np.array(good[name])
        bins = np.minimum((said * BINS).astype(int), BINS - 1)
        print(f"{name}: {len(said)} answers, {said.mean():.0%} sure, {right.mean():.0%} good")
        error = 0.0
        for i in range(BINS):
            here = bins == i
            if here.any():
                off = right[here].mean() - said[here].mean()
                error += here.mean() * abs(off)
                print(
                    f"    {i / BINS:.1f} to {(i + 1) / BINS:.1f}: {here.sum():4d} answers, {said[here].mean():.0%} sure, {right[here].mean():.0%} good"
                )
                if here.sum() >= FEWEST and abs(off) > abs(worst[1]):
                    worst = (f"{name}, {i / BINS:.1f} to {(i + 1) / BINS:.1f}", off)
        print(f"    expected calibration error {error:.3f}", flush=True)
    print(f"worst of the bins with {FEWEST} answers or more: {worst[1]:+.2f} ({worst[0]})")


if __name__ == "__main__":
    main()
