"""A shipped translator and a person's own words: chrF on a new domain and elsewhere, before and after `train --init`.

    python -m bench.adaptation FOLDER/clean/fr/pairs.tsv --package mkvtoolnix FOLDER/en-fr/dev-*.tsv
    python -m bench.adaptation FOLDER/clean/fr/pairs.tsv --package pidgin-data --pair fr-en --minutes 5

The corpus is that of `recipes.translation`: kind, package, English, other language. Choose a package that the shipped nets have
not learned from, such as those of the recipe's dev and test files. Of its pairs at most 2,000 are learned from, and of the others, 400
are measured on; texts that stand on both sides of that line are left out of the measure. The files behind are sets of other
domains, to see what was forgotten; pairs of the package are left out of them.
"""

import argparse
import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

import lamella
from lamella import metrics
from lamella.model.shipped import translator
from recipes.translation.common import Pair, read_pairs

LEARNED, MEASURED = 2000, 400


def order(pair: Pair) -> bytes:
    """An order that hangs on nothing but the text, so that the same pairs are kept aside each time."""
    return hashlib.sha256(pair.source.encode()).digest()


def domain(corpus: Path, package: str, side: int) -> tuple[list[Pair], list[Pair]]:
    """The pairs of a package to learn from, and those to measure on, no source in both."""
    pairs = sorted({p for p in read_pairs(corpus) if p.package.split("/")[0] == package}, key=order)
    if len(pairs) < 2 * MEASURED:
        raise SystemExit(f"{corpus}: {len(pairs)} pairs of {package}; expected {2 * MEASURED} or more.")
    held = pairs[:MEASURED]
    learned = pairs[MEASURED:][:LEARNED]
    known = {text(p, side) for p in learned}
    return learned, [p for p in held if text(p, side) not in known]


def text(pair: Pair, side: int) -> str:
    return (pair.source, pair.target)[side]


def chrf(model: lamella.Model, pairs: Sequence[Pair], side: int) -> float:
    answers = [str(answer) for answer in model.predict([{"text": text(p, side)} for p in pairs])]
    return metrics.translation(answers, [text(p, 1 - side) for p in pairs]).values["chrF"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("others", type=Path, nargs="*", help="sets of other domains")
    parser.add_argument("--package", required=True)
    parser.add_argument("--pair", default="en-fr", help="a shipped direction")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_intermixed_args()
    src, _, dst = given.pair.partition("-")
    side = 0 if src == "en" else 1
    learned, held = domain(given.corpus, given.package, side)
    sets = {f"{given.package}, {len(held)} held out": held}
    for path in given.others:
        sets[path.stem] = [p for p in read_pairs(path) if p.package.split("/")[0] != given.package][:MEASURED]
    before = translator(src, dst)
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder, "pairs.tsv")
        rows = [[text(p, side), text(p, 1 - side)] for p in learned]
        clean = [" ".join(cell.split()) for row in rows for cell in row]
        lines = ["\t".join(pair) for pair in zip(clean[::2], clean[1::2], strict=True)]
        table.write_text("\n".join([f"{src}\t{dst}", *lines]) + "\n", "utf-8")
        out = Path(folder, "mine")
        lamella.train(
            "translation", str(table), out=str(out), init=given.pair, minutes=given.minutes, threads=1, seed=given.seed,
            **{"from": src, "to": dst},
        )  # fmt: skip
        after = lamella.load(out)
        print(
            f"\n{given.pair}, {len(learned)} pairs of {given.package}, {given.minutes:g} minutes, seed {given.seed}; chrF"
        )
        for name, pairs in sets.items():
            was, now = chrf(before, pairs, side), chrf(after, pairs, side)
            print(f"{name:40} {was:5.1f} -> {now:5.1f}  {now - was:+.1f}", flush=True)


if __name__ == "__main__":
    main()
