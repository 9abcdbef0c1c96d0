"""Shortlists: which pieces of the translation are worth a score, given the pieces of the source.

Firefox's translators come with one (`lex.*.bin`): for each piece of the source the pieces that it was translated by most
often, and besides the most frequent of all. With 32,000 pieces a step of the decoder spends most of its time on scoring
them; of a sentence's shortlist there are a few hundred.

    u64 magic | u64 checksum | u64 first | u64 best | u64 count of offsets | u64 count of ids
    offsets, u64: where each source piece's ids begin | ids, u32

lamella keeps it in its own order of ids: `count of ids | first | offsets | ids`, all little-endian u32. Each sentence has a
list of its own, so that its translation does not hang on its neighbours in a batch (Marian takes the union of a batch).
"""

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lamella.data.text.pieces import END, PADDING, START, UNKNOWN
from lamella.errors import ModelError
from lamella.tasks.translation.foreign.vocabulary import Words

MAGIC = 0xF11A48D5013417F5
HEAD = struct.Struct("<6Q")
OWN = struct.Struct("<II")
LARGEST = 256 << 20  # bytes
EIGHTH = 8  # Marian makes lists so long a multiple, by the pieces that follow the most frequent ones
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
    together = np.concatenate(lists) if lists else ids[:0]
    # Of the most frequent ones unknown and end come first as in Marian; before them stand padding and start.
    body = np.array(at, "<u4").tobytes() + together.astype("<u4").tobytes()
    return OWN.pack(len(together), int(first) + 2) + body


def _new_ids(words: Words) -> Ids:
    moved = np.zeros(len(words.texts), np.int64)
    for new, old in enumerate(words.order()):
        if old is not None and new != 2:  # the start has padding's row
            moved[old] = new
    return moved


class Shortlist:
    """Source ids -> the ids that are scored.

    pieces: how many a source and a target have; shared: the source's pieces are candidates too. ValueError where the bytes
    are no shortlist of these.
    """

    def __init__(self, raw: bytes, pieces: tuple[int, int], shared: bool) -> None:
        total, self.first = OWN.unpack_from(raw) if len(raw) >= OWN.size else (0, 0)
        count = pieces[0] + 1
        if len(raw) != OWN.size + 4 * (count + total) or not 3 <= self.first <= pieces[1] + 2:
            raise ValueError(f"a shortlist of {len(raw):,} bytes for {pieces[0]:,} pieces")
        self.starts = np.frombuffer(raw, "<u4", count, OWN.size).astype(np.int64)
        self.ids = np.frombuffer(raw, "<u4", total, OWN.size + 4 * count).astype(np.int64)
        if self.starts[0] != 0 or self.starts[-1] != total or (np.diff(self.starts) < 0).any():
            raise ValueError("a shortlist whose places are not in order")
        if (self.ids >= pieces[1]).any():
            raise ValueError("a shortlist of pieces that there are not")
        self.pieces, self.shared = pieces, shared

    def candidates(self, source: Ids, also: Sequence[int] = ()) -> Ids:
        """(B, S) source ids, padded with zeros -> (B, N) target ids in order, shorter rows padded with zeros.

        also: further target ids for each row, such as those of an answer whose likelihood is asked for.
        """
        more = np.array(also, np.int64)
        rows = [self._of(np.unique(row[row != PADDING]), more) for row in source]
        found = np.full((len(rows), max(map(len, rows))), PADDING, np.int64)
        for place, row in zip(found, rows, strict=True):
            place[: len(row)] = row
        return found

    def _of(self, source: Ids, also: Ids) -> Ids:
        lists = [self.ids[self.starts[i] : self.starts[i + 1]] for i in source]
        always = [UNKNOWN, END, *range(START, min(self.first, self.pieces[1]))]
        found = np.unique(np.concatenate([always, also, *lists, *([source] if self.shared else [])]))
        found = found[(found != PADDING) & (found != START)]  # no answers
        more = np.setdiff1d(np.arange(self.first, self.pieces[1]), found, assume_unique=True)[: -len(found) % EIGHTH]
        return np.sort(np.concatenate([found, more])).astype(np.int64)
