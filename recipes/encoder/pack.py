"""Pack encoded passages into one small folder, so that they can travel to a machine with an accelerator.

    python -m recipes.encoder.pack --vocabulary MODEL --out FOLDER --megabytes 19

`accelerator.py` reads what this writes, with nothing but numpy. The first passages of the text are held out: nobody trains on
them, and `ship.py` measures with them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from lamella.data.text.pieces import START, Pieces, normalise
from lamella.tasks.fill_mask import cloze
from recipes.encoder import stream

HELD_OUT = 1000  # passages
AT_A_TIME = 40_000  # passages in a file


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


def main() -> None:
    """Pack what fits."""
    cache = Path.home() / ".cache" / "lamella" / "encoder"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, default=cache / "all.jsonl")
    parser.add_argument("--vocabulary", type=Path, default=cache / "model" / "vocabulary.model")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--megabytes", type=float, default=19.0)
    given = parser.parse_args()
    pack(given.text, given.vocabulary, given.out, given.megabytes * 1e6)


if __name__ == "__main__":
    main()
