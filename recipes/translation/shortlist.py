"""Learn which pieces a translation may need, given the pieces of its source: the shortlist that ships with a net.

    python -m recipes.translation.shortlist to      for lamella/models/en-de+es+fr+zh; `from` for the other
    python -m recipes.translation.again lamella/models/en-de+es+fr+zh --shortlist FILE       puts it into the model

For each piece of the source, the pieces that it was translated by in the corpora of `mix.py`, by Model 1 of Brown et al.
(1993): the expectation of each pair of pieces of a sentence pair, added up over all sentences, four times over. Kept are
those that explain at least `LEAST` of a piece's occurrences, and for each target language all pieces that it used `OFTEN`
times, and all letters, digits and marks, with which anything may be spelled. (Fewer frequent pieces cost more than they
save: docs/LOG.md.)
"""

import argparse
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lamella.data.text.pieces import Pieces, normalise
from lamella.tasks.translation.shortlist import Lists, pack
from recipes.translation.mix import LANGUAGES, OUT, held_out, raw

ROUNDS = 4  # of expectation and maximisation
LEAST, MOST = 0.0005, 100  # the least probability of a piece that is kept, and how many of one piece of the source
OFTEN = 2
LONGEST = 60  # pieces of a side
PAIRS = 150_000  # sentence pairs of a language
WIDE = 0x2E80  # the first of the characters of which there are thousands


def pairs_of(lang: str, given: argparse.Namespace) -> list[tuple[str, str]]:
    """English and the other language, without what is measured on."""
    found = [p for p in raw(lang, given.parallel, given.tatoeba, given.tico) if not held_out(p.source)]
    health = [p for p in found if p.kind == "health"]
    measured = {p.source for p in health[::4]}  # as `mix.pairs` has it
    rows = [(p.source, p.target) for p in found if p.source not in measured]
    order = np.random.default_rng(5).permutation(len(rows))[: given.pairs]
    return [rows[i] for i in order]


def translations(rows: Iterable[tuple[list[int], list[int]]], pieces: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sentence pairs in ids -> source ids, target ids, and the probability of each target id given the source id.

    >>> source, target, p = translations([([5, 6], [7, 8]), ([5], [7])] * 20, 10)
    >>> [(int(a), int(b)) for a, b, q in zip(source, target, p) if q > 0.5]
    [(5, 7), (6, 8)]
    """
    crossed, groups, at = [], [], 0
    for source, target in rows:
        crossed.append((np.array(source)[None, :] * pieces + np.array(target)[:, None]).ravel())
        groups.append(np.repeat(np.arange(at, at + len(target)), len(source)))
        at += len(target)
    keys, place = np.unique(np.concatenate(crossed), return_inverse=True)
    group = np.concatenate(groups)
    source = keys // pieces
    p = np.ones(len(keys))
    for _ in range(ROUNDS):
        each = p[place]
        each /= np.bincount(group, each, at)[group]
        p = np.bincount(place, each, len(keys))
        p /= np.bincount(source, p, pieces)[source]
    return source, keys % pieces, p


def spelling(pieces: Pieces, used: np.ndarray) -> np.ndarray:
    """The pieces of one letter, digit or mark that the language uses or ASCII has, and those that stand for something."""
    found = []
    for i in range(4, len(pieces)):
        text = str(pieces.processor.IdToPiece(i)).lstrip("▁")
        if (len(text) == 1 and text < chr(WIDE) and (used[i] or text < "\x7f")) or text[:1] in "<%":
            found.append(i)
    return np.array(found)


def variants(pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
    """Each piece and those that differ from it in a space or in capitals, as they may be copied: two rows of ids."""
    groups: dict[str, list[int]] = {}
    for i in range(4, len(pieces)):
        groups.setdefault(str(pieces.processor.IdToPiece(i)).lstrip("▁").lower(), []).append(i)
    pairs = [(a, b) for group in groups.values() if len(group) < 9 for a in group for b in group if a != b]
    return tuple(np.array(pairs).T)  # type: ignore[return-value]


def learn(pieces: Pieces, mark: int, rows: list[tuple[list[int], list[int]]]) -> Lists:
    """The part of one direction."""
    size = len(pieces)
    used = np.bincount(np.concatenate([t for _, t in rows]), minlength=size)
    frequent = np.union1d(np.flatnonzero(used >= OFTEN), spelling(pieces, used))
    source, target, p = translations(rows, size)
    alike = variants(pieces)
    source, target = (np.concatenate([one, other]) for one, other in zip((source, target), alike, strict=True))
    p = np.concatenate([p, np.ones(len(alike[0]))])
    kept = (p >= LEAST) & ~np.isin(target, frequent)
    source, target, p = source[kept], target[kept], p[kept]
    order = np.lexsort((target, -p, source))
    source, target = source[order], target[order]
    starts = np.searchsorted(source, np.arange(size + 1))
    rank = np.arange(len(source)) - starts[source]
    source, target = source[rank < MOST], target[rank < MOST]
    return Lists(mark, 0, frequent, np.searchsorted(source, np.arange(size + 1)), target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=("to", "from"))
    parser.add_argument("--vocabulary", type=Path, help="vocabulary.model (default: that of the model that ships)")
    parser.add_argument("--parallel", type=Path, help="folder of en-fr.tsv.gz and so on, as `mix pairs` takes it")
    parser.add_argument("--tatoeba", type=Path)
    parser.add_argument("--tico", type=Path)
    parser.add_argument("--pairs", type=int, default=PAIRS, help="sentence pairs of a language")
    parser.add_argument("-o", "--out", type=Path)
    given = parser.parse_args()
    name = "en-de+es+fr+zh" if given.stage == "to" else "de+es+fr+zh-en"
    default = Path(__file__).parents[2] / "lamella" / "models" / name / "vocabulary.model"
    pieces = Pieces((given.vocabulary or default).read_bytes())
    parts = []
    for lang in LANGUAGES:
        began = time.perf_counter()
        texts = [[normalise(side) for side in pair] for pair in pairs_of(lang, given)]
        sides = [pieces.encode([row[i] for row in texts]) for i in (0, 1)]
        rows = [(a, b) for a, b in zip(*sides, strict=True) if 0 < len(a) <= LONGEST and 0 < len(b) <= LONGEST]
        if given.stage == "from":
            rows = [(b, a) for a, b in rows]
        parts.append((lang, rows))
        print(f"{lang}: {len(rows):,} pairs, {time.perf_counter() - began:.0f} s", flush=True)
    lists = []
    if given.stage == "to":
        for lang, rows in parts:
            lists.append(learn(pieces, pieces.mark(f"<2{lang}>"), rows))
            print(f"{lang}: {len(lists[-1].frequent):,} frequent, {len(lists[-1].ids):,} ids", flush=True)
    else:  # what it reads is one of several languages, in one list, whatever it is told to write
        lists.append(learn(pieces, 0, [row for _, rows in parts for row in rows]))
        print(f"{len(lists[-1].frequent):,} frequent, {len(lists[-1].ids):,} ids", flush=True)
    raw_bytes = pack(lists, (len(pieces), len(pieces)))
    out = given.out or OUT / f"shortlist-{given.stage}.bin"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(raw_bytes)
    print(f"wrote {out}: {len(raw_bytes):,} bytes")


if __name__ == "__main__":
    main()
