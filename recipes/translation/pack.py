"""Pack the encoded pairs into small files, so that they can travel to a machine with an accelerator.

    python -m recipes.translation.pack -o FOLDER --limit 33        parts of at most 33 MiB: part-0/, part-1/, ...

`mix.py` makes what this reads. The kinds that matter most come first, so that the first part alone is a corpus to begin
with. Of each pair the pieces of both sides stand one after the other, which compresses best; a part holds several
files, each of one language and kind, packed by LZMA. `read` puts back together what came of several parts.
"""

from __future__ import annotations

import argparse
import io
import lzma
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# Kinds in the order in which they travel, with the share that does: many interface strings are near copies.
ORDER = {
    "tatoeba": 1.0, "phrases": 1.0, "greetings": 1.0, "listed-to": 1.0, "listed-from": 1.0, "health": 1.0, "names": 1.0, "words": 1.0, "words-clean": 1.0, "words-common": 1.0,
    "noise": 1.0, "joined": 1.0, "prose": 1.0, "games": 1.0, "stories": 1.0, "traditional": 1.0, "descriptions": 1.0,
    "documentation": 1.0, "verses": 0.6, "help": 0.7, "interface": 0.4,
}  # fmt: skip
FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 26, "lc": 0, "lp": 1, "pb": 1}]
PIECE = 120_000  # pairs of a file

Part = dict[str, NDArray[np.generic]]  # en, en_starts, xx, xx_starts, kind, kinds


def gather(flat: NDArray[np.generic], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.generic]:
    """The stretches of `flat` that begin at `starts` (N,), one after the other."""
    ends = np.cumsum(lengths)
    return flat[np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - (ends - lengths), lengths)]


def files(size: int) -> Iterator[tuple[str, bytes]]:
    """Name and packed content of each file, the most useful first."""
    from recipes.translation.mix import LANGUAGES, OUT  # here: the machine that reads has no need of what these need

    parts = {}
    for lang in LANGUAGES:
        with np.load(OUT / f"encoded-{size}-{lang}.npz") as file:
            parts[lang] = {k: file[k] for k in file.files}
    for kind, share in ORDER.items():
        for lang, part in parts.items():
            names = [str(k) for k in part["kinds"]]
            rows = np.flatnonzero(part["kind"] == names.index(kind)) if kind in names else np.zeros(0, int)
            rows = rows[np.random.default_rng(0).random(len(rows)) < share]
            for number, first in enumerate(range(0, len(rows), PIECE)):
                chosen = rows[first : first + PIECE]
                starts = np.stack([part[f"{side}_starts"][chosen] for side in ("en", "xx")], axis=1)
                lengths = np.stack([np.diff(part[f"{side}_starts"])[chosen] for side in ("en", "xx")], axis=1)
                both = np.concatenate([part["en"], part["xx"]])
                flat = gather(both, (starts + np.array([0, len(part["en"])])).flatten(), lengths.flatten())
                out = io.BytesIO()
                np.save(out, lengths.astype(np.uint8))
                np.save(out, flat.astype(np.uint16))
                yield f"{lang}_{kind}_{number}", lzma.compress(out.getvalue(), lzma.FORMAT_XZ, filters=FILTERS)


def write(size: int, out: Path, limit: float) -> None:
    """Parts of at most `limit` MiB each."""
    part, used = 0, 0
    for name, content in files(size):
        if used + len(content) > limit * 2**20:
            print(f"part-{part}: {used / 2**20:.1f} MiB", flush=True)
            part, used = part + 1, 0
        used += len(content)
        folder = out / f"part-{part}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.xz").write_bytes(content)
    print(f"part-{part}: {used / 2**20:.1f} MiB", flush=True)


def read_file(path: Path) -> tuple[str, str, NDArray[np.int64], NDArray[np.uint16]]:
    """Language, kind, lengths (N, 2) and pieces of both sides of a file."""
    lang, kind, _ = path.stem.split("_")
    stream = io.BytesIO(lzma.decompress(path.read_bytes()))
    return lang, kind, np.load(stream).astype(np.int64), np.load(stream)


def read(folders: list[Path], languages: list[str]) -> dict[str, Part]:
    """What came in these folders, as `mix.encode` writes it."""
    paths = [p for folder in folders for p in sorted(folder.glob("*.xz")) if p.name.split("_")[0] in languages]
    with ThreadPoolExecutor() as pool:
        pieces = list(pool.map(read_file, paths))
    parts: dict[str, Part] = {}
    for lang in languages:
        own = [p for p in pieces if p[0] == lang]
        kinds = sorted({p[1] for p in own})
        part: Part = {"kinds": np.array(kinds)}
        part["kind"] = np.concatenate([np.full(len(p[2]), kinds.index(p[1]), np.int8) for p in own])
        for column, side in enumerate(("en", "xx")):
            flat = []
            for _, _, lengths, both in own:
                starts = np.cumsum(lengths.flatten()) - lengths.flatten()
                flat.append(gather(both, starts[column::2], lengths[:, column]))
            part[side] = np.concatenate(flat)
            part[f"{side}_starts"] = np.concatenate([[0], np.cumsum(np.concatenate([p[2][:, column] for p in own]))])
        parts[lang] = part
    return parts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=16000, help="pieces of the vocabulary")
    parser.add_argument("--limit", type=float, default=33, help="MiB of a part")
    parser.add_argument("-o", dest="out", type=Path, required=True, help="folder for the parts")
    given = parser.parse_args()
    write(given.size, given.out, given.limit)


if __name__ == "__main__":
    main()
