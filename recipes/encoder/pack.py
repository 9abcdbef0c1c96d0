"""Pack encoded passages into one small folder, so that they can travel to a machine with an accelerator.

    python -m recipes.encoder.pack --pairs train-fr.tsv train-de.tsv --wordnet FOLDER --out FOLDER --megabytes 19

`accelerator.py` reads what this writes, with nothing but numpy. The first passages of the text are held out: nobody trains on
them, and `ship.py` measures with them.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from lamella.data.text.pieces import START, Pieces, learn, normalise
from lamella.tasks.fill_mask import cloze
from recipes.encoder import pairs, stream
from recipes.encoder.pairs import Two

HELD_OUT = 1000  # passages
LONGEST = 48  # pieces of a text of a pair; longer ones stay behind
AT_A_TIME = 40_000  # passages in a file
SAMPLE = 0.25  # share of the passages that a vocabulary is learned from
CHARACTERS = 2500  # Chinese ones that each have a piece


def pack(text: Path, vocabulary: Path, out: Path, most: float) -> None:
    """Write held-out.xz, pieces-0.xz and so on, and kinds.npy; `most`: bytes of all together.

    A file is a stream of uint16, in which each passage begins with the start token. Passages with what reads as a mask are left out.
    """
    pieces = Pieces(vocabulary.read_bytes())
    out.mkdir(parents=True, exist_ok=True)
    kinds, mask = cloze.Kinds.make(pieces).of, pieces.mark(cloze.MASK)
    np.save(out / "kinds.npy", np.append(kinds, mask).astype(np.uint16))  # what each piece is, then the id that hides
    held, passages = divided(text)
    used = _write(out / "held-out.xz", pieces, held)
    number = count = 0
    while some := list(islice(passages, AT_A_TIME)):
        path = out / f"pieces-{number}.xz"
        size = _write(path, pieces, some)
        if used + size > most and number:
            path.unlink()
            break
        used, number, count = used + size, number + 1, count + len(some)
        print(f"pack: {count:,} passages, {used / 1e6:.1f} MB", flush=True)


def divided(text: Path) -> tuple[list[str], Iterator[str]]:
    """The passages that are held out, and the others."""
    passages = _passages(text)
    return list(islice(passages, HELD_OUT)), passages


def _passages(text: Path) -> Iterator[str]:
    with text.open(encoding="utf-8") as lines:
        for line in lines:
            passage = normalise(json.loads(line)["text"])
            if not cloze.MASKS.search(passage):
                yield passage


def _write(path: Path, pieces: Pieces, passages: list[str]) -> int:
    return stream.write(path, np.array([i for ids in pieces.encode(passages) for i in (START, *ids)], np.uint16))


def pack_pairs(found: list[Two], vocabulary: Path, out: Path) -> None:
    """Write pairs.xz: a stream of uint16 in which each text begins with the start token, two for a pair."""
    pieces = Pieces(vocabulary.read_bytes())
    sides = [pieces.encode([normalise(pair[side]) for pair in found]) for side in (0, 1)]
    kept = [(a, b) for a, b in zip(*sides, strict=True) if 0 < len(a) <= LONGEST and 0 < len(b) <= LONGEST]
    flat = np.array([i for pair in kept for ids in pair for i in (START, *ids)], np.uint16)
    print(f"pack: {len(kept):,} pairs, {stream.write(out / 'pairs.xz', flat) / 1e6:.1f} MB", flush=True)


def make_vocabulary(text: Path, size: int, path: Path) -> None:
    """Learn the pieces of a text file of passages, in which every frequent Chinese character is one."""
    passages = [p for p in _passages(text) if zlib.crc32(p.encode()) % 1000 < 1000 * SAMPLE]
    characters = Counter(c for p in passages for c in p if "\u4e00" <= c <= "\u9fff")
    required = "".join(c for c, count in characters.most_common(CHARACTERS) if count > 1)
    model = learn(passages, size, [cloze.MASK], threads=2, sentences=len(passages), required=required)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model)
    print(f"pack: {len(Pieces(model)):,} pieces from {len(passages):,} passages", flush=True)


def main() -> None:
    """Pack what fits."""
    cache = Path.home() / ".cache" / "lamella" / "encoder"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, default=cache / "text.jsonl", help="passages that `text` wrote")
    parser.add_argument(
        "--vocabulary", type=Path, default=cache / "vocabulary.model", help="learned where it is not there"
    )
    parser.add_argument("--pieces", type=int, default=20_000, help="of a vocabulary that is learned")
    parser.add_argument("--pairs", type=Path, nargs="*", default=[], help="corpora of pairs that mean the same")
    parser.add_argument("--wordnet", type=Path, help="WordNet's files: words and definitions are pairs too")
    parser.add_argument("--without", type=Path, nargs="*", default=[], help="tables of what no pair may have")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--megabytes", type=float, default=19.0)
    given = parser.parse_args()
    if not given.vocabulary.is_file():
        make_vocabulary(given.text, given.pieces, given.vocabulary)
    pack(given.text, given.vocabulary, given.out, given.megabytes * 1e6)
    if given.pairs:
        pack_pairs(pairs.collect(given.pairs, given.wordnet, given.without), given.vocabulary, given.out)


if __name__ == "__main__":
    main()
