"""Choose sentences that a shipped translator goes on learning while it is adapted to a user's texts, so that it forgets little.

    python -m recipes.translation.replay ~/.cache/lamella/translation/five/train-de.tsv

Of the pairs of Tatoeba that the nets were trained on (`mix` has taken out what they are tested on), 800 of each language are
written to `lamella/tasks/translation/replay-de.tsv` and so on: English, other language. Which is decided by a hash.
"""

import argparse
import hashlib
from pathlib import Path

from lamella.tasks import translation
from recipes.translation.common import Pair, read_pairs

COUNT = 800
LENGTHS = range(15, 120)  # characters of the English


def place_of(pair: Pair) -> bytes:
    """The place of a pair in an order that hangs on nothing but its English."""
    return hashlib.sha256(pair.source.encode()).digest()


def chosen(path: Path) -> list[Pair]:
    """Pairs of everyday sentences, no English twice, in the order of their English."""
    pairs = {p.source: p for p in read_pairs(path) if p.kind == "tatoeba" and len(p.source) in LENGTHS}
    some = sorted(pairs.values(), key=place_of)[:COUNT]
    return sorted((p for p in some if not {"\t", "\n"} & {*p.source, *p.target}), key=lambda p: p.source)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path, nargs="+", help="train-LANG.tsv of recipes.translation.mix")
    for path in parser.parse_args().corpora:
        language = path.stem.rpartition("-")[2]
        to = Path(translation.__file__).with_name(f"replay-{language}.tsv")
        rows = chosen(path)
        to.write_text("".join(f"{p.source}\t{p.target}\n" for p in rows), "utf-8")
        print(f"wrote {to.name}: {len(rows)} pairs, {to.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
