"""The shortlists of Firefox's translators (`lex.*.bin`), which become lamella's own (`translation.shortlist`).

For each piece of the source they have the pieces that it was translated by most often, and besides the most frequent of all.

    u64 magic | u64 checksum | u64 first | u64 best | u64 count of offsets | u64 count of ids
    offsets, u64: where each source piece's ids begin | ids, u32

Marian scores the union of a batch's lists; here each sentence has its own.
"""

import struct

import numpy as np
from numpy.typing import NDArray

from lamella.errors import ModelError
from lamella.tasks.translation.foreign.vocabulary import Words
from lamella.tasks.translation.shortlist import MOST, Lists, pack

MAGIC = 0xF11A48D5013417F5
HEAD = struct.Struct("<6Q")
LARGEST = 256 << 20  # bytes
Ids = NDArray[np.int64]


def convert_shortlist(raw: bytes, source: Words, target: Words, where: str) -> bytes:
    """A `lex.*.bin` -> lamella's form. Raises ModelError where it is damaged or of other vocabularies."""

    def refused(why: str) -> ModelError:
        return ModelError(f"{where}: expected a binary shortlist of Marian, and {why}. Copy it again, or take it away.")

    if len(raw) < HEAD.size or len(raw) > LARGEST:
        raise refused(f"it has {len(raw):,} bytes")
    magic, _, first, _, count, total = HEAD.unpack_from(raw)
    if magic != MAGIC:
        raise refused("it does not begin as one")
    if count > len(source.texts) + 1 or total > LARGEST or len(raw) != HEAD.size + 8 * count + 4 * total:
        raise refused(
            f"it claims {count:,} pieces and {total:,} translations of them, for {len(source.texts):,} pieces"
        )
    starts = np.frombuffer(raw, "<u8", count, HEAD.size)
    ids = np.frombuffer(raw, "<u4", total, HEAD.size + 8 * count).astype(np.int64)
    if (np.diff(starts.astype(np.float64)) < 0).any() or (count and starts[-1] > total):
        raise refused("its places are not in order")
    if not 0 < first <= len(target.texts) or (ids >= len(target.texts)).any():
        raise refused(f"it names pieces beyond the {len(target.texts):,} of the translation")
    # Pieces at the end of the vocabulary may have no list in the file.
    whole = np.full(len(source.texts) + 1, total, np.int64)
    whole[:count] = starts.astype(np.int64)
    moved, lists, at = _new_ids(target), [], [0]
    for old in source.order():
        rows = ids[whole[old] : whole[old + 1]] if old is not None else ids[:0]
        lists.append(moved[rows])
        at.append(at[-1] + len(rows))
    if max(map(len, lists), default=0) > MOST:
        raise refused(f"one of its lists is longer than {MOST:,}")
    together = np.concatenate(lists) if lists else ids[:0]
    pieces = len(source.order()), len(target.order())
    # Of the most frequent ones unknown and end come first as in Marian; before them stand padding and start.
    first = min(int(first) + 2, pieces[1])
    return pack([Lists(0, first, ids[:0], np.array(at, np.int64), together)], pieces)


def _new_ids(words: Words) -> Ids:
    moved = np.zeros(len(words.texts), np.int64)
    for new, old in enumerate(words.order()):
        if old is not None and new != 2:  # the start has padding's row
            moved[old] = new
    return moved
