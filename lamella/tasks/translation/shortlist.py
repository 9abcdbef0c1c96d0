"""Shortlists: which pieces of the translation are worth a score, given the pieces of the source.

With 15,000 pieces a step of the decoder spends most of its time on scoring them, and nearly all score nothing: what can
stand in a translation hangs on what stands in the source. A shortlist has for each piece of the source the pieces that it
was translated by, and besides those that stand in any translation (Junczys-Dowmunt et al., 2018; "lexical shortlist").
A net of several target languages has a part for each, found by the mark that its source begins with.

    u32 count of parts | u32 pieces of a source | for each part:
        u32 mark, 0: any | u32 first | u32 count of frequent pieces | u32 count of ids
        frequent pieces | how many ids each piece of the source has, u16 | ids

all little-endian, ids u16 or, of a vocabulary of more than 65,536 pieces, u32.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamella.data.text.pieces import END, PADDING, START, UNKNOWN
from lamella.decode import Among
from lamella.task import Arrays, GraphLike

HEAD, PART = struct.Struct("<II"), struct.Struct("<IIII")
MASKED = -1e4  # the score of a piece that is no candidate: exp() of it is 0
EIGHTH = 8  # Marian makes lists so long a multiple, by the pieces that follow the most frequent ones
FEWEST = 16  # candidates of a batch: a step returns so many of them
MOST = (1 << 16) - 1  # ids of one piece
Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Lists:
    """The part of one target language."""

    mark: int  # the piece that its sources begin with; 0: any
    first: int  # pieces below are always candidates, as Marian has it, and lists are filled up from here on; 0: neither
    frequent: Ids  # further pieces that always are
    starts: Ids  # (pieces of a source + 1,): where each one's ids begin
    ids: Ids

    def always(self, pieces: int) -> NDArray[np.bool_]:
        """(pieces,): which pieces are candidates of any source."""
        place = np.zeros(pieces, np.bool_)
        place[[UNKNOWN, END]] = True
        place[START : self.first] = True
        place[self.frequent] = True
        return place


class Shortlist:
    """Source ids -> the ids that are scored.

    pieces: how many a source and a target have; shared: the source's pieces are candidates too. ValueError where the bytes
    are no shortlist of these.
    """

    def __init__(self, raw: bytes, pieces: tuple[int, int], shared: bool) -> None:
        self.pieces, self.shared = pieces, shared
        self.parts = {part.mark: part for part in _read(raw, pieces)}
        self._always = {mark: part.always(pieces[1]) for mark, part in self.parts.items()}

    def candidates(self, source: Ids, also: Sequence[int] = ()) -> tuple[Ids, NDArray[np.bool_]]:
        """(B, S) source ids, padded with zeros -> the (N,) ids that any row needs, in order, and which are each row's (B, N).

        Each sentence has a list of its own, so that its translation does not hang on its neighbours in a batch. Start and
        padding are among the ids, and in no row: nothing is translated by them. also: further ids for each row, such as
        those of an answer whose likelihood is asked for.
        """
        more = np.array(also, np.int64)
        allowed = np.zeros((len(source), self.pieces[1]), np.bool_)
        for at, row in enumerate(source):
            self._mark(row[row != PADDING], more, allowed[at])
        needed = np.logical_or.reduce(allowed, axis=0)
        needed[[PADDING, START]] = True
        missing = np.flatnonzero(~needed)[: max(0, FEWEST - int(needed.sum()))]
        needed[missing] = True
        ids = np.flatnonzero(needed)
        return ids, np.take(allowed, ids, axis=1)

    def _mark(self, source: Ids, also: Ids, place: NDArray[np.bool_]) -> None:
        """Set what a sentence may be answered with."""
        part = next((self.parts[int(i)] for i in source[:1] if int(i) in self.parts), self.parts.get(0))
        if part is None:  # a mark that was not learned: all may be right
            place[:] = True
        else:
            place[:] = self._always[part.mark]
            own = [
                part.ids[a:b]
                for a, b in zip(part.starts[source].tolist(), part.starts[source + 1].tolist(), strict=True)
            ]
            place[np.concatenate([also, *own, *([source] if self.shared else [])])] = True
            place[[PADDING, START]] = False
            if part.first:
                more = np.flatnonzero(~place[part.first :])[: -int(place.sum()) % EIGHTH]
                place[part.first + more] = True
        place[[PADDING, START]] = False


def read_with(
    shortlist: Shortlist, graphs: Mapping[str, GraphLike], source: Ids, also: Sequence[int] = ()
) -> tuple[Arrays, GraphLike]:
    """What an encoder with a shortlist makes of the source (B, S), (B, ...) each, and the graph of a step, whose tokens are ids."""
    candidates, allowed = shortlist.candidates(source, also)
    if compiled := getattr(graphs["encode"], "compiled", None):
        return compiled.read(source, candidates, allowed)  # type: ignore[no-any-return]  # the graph of torch has none
    memory = dict(graphs["encode"](source=source, candidates=candidates))
    whole = {name: memory.pop(name) for name in [*memory] if name.startswith(("row", "column"))}  # for all sentences
    memory["candidate_bias"] = np.where(allowed, np.float32(0), np.float32(MASKED))
    return memory, Among(graphs["step"], candidates, whole)


def pack(parts: Iterable[Lists], pieces: tuple[int, int]) -> bytes:
    """The bytes of a shortlist, for a source and a target of so many pieces."""
    kind, parts = _kind(pieces[1]), list(parts)
    out = [HEAD.pack(len(parts), pieces[0])]
    for part in parts:
        out.append(PART.pack(part.mark, part.first, len(part.frequent), len(part.ids)))
        out += [part.frequent.astype(kind).tobytes(), np.diff(part.starts).astype("<u2").tobytes()]
        out.append(part.ids.astype(kind).tobytes())
    return b"".join(out)


def _read(raw: bytes, pieces: tuple[int, int]) -> list[Lists]:
    kind = _kind(pieces[1])
    at = 0

    def take(count: int, dtype: str) -> Ids:
        nonlocal at
        size = count * np.dtype(dtype).itemsize
        if at + size > len(raw):
            raise ValueError(f"a shortlist that ends after {len(raw):,} bytes, where {at + size:,} are needed")
        at += size
        return np.frombuffer(raw, dtype, count, at - size).astype(np.int64)

    count, rows = (int(n) for n in take(2, "<u4"))
    if rows != pieces[0] or not 0 < count <= len(raw):
        raise ValueError(f"a shortlist of {rows:,} pieces in {count:,} parts, for {pieces[0]:,} pieces")
    parts = []
    for _ in range(count):
        mark, first, frequent, total = (int(n) for n in take(4, "<u4"))
        always, counts = take(frequent, kind), take(rows, "<u2")
        ids = take(total, kind)
        starts = np.concatenate([[0], np.cumsum(counts)])
        if starts[-1] != total or not 0 <= first <= pieces[1] or mark >= pieces[0]:
            raise ValueError("a shortlist whose counts do not fit each other")
        if max(always.max(initial=0), ids.max(initial=0)) >= pieces[1]:
            raise ValueError("a shortlist of pieces that there are not")
        parts.append(Lists(mark, first, always, starts, ids))
    if at != len(raw):
        raise ValueError(f"a shortlist of {len(raw):,} bytes, of which {at:,} are used")
    return parts


def _kind(pieces: int) -> str:
    return "<u2" if pieces <= 1 << 16 else "<u4"
