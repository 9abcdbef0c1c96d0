"""Connected things in a mask: find them, let them grow into what lies between them, find where two touch. All numpy.

things, count = connected(np.array([[1, 0], [0, 1]]))      both 1: corners connect
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]
Ints = NDArray[np.int32]


def connected(labels: Array) -> tuple[Ints, int]:
    """Number the connected things of a mask: (H, W) of labels, 0 for none -> (H, W) of 1 to count in reading order, 0; count.

    Points are connected over sides and corners where they have the same label. Rows are cut into runs of one label; runs
    of neighbouring rows that touch are joined, all at once, until no number changes (union-find by pointer jumping).

    >>> things, count = connected(np.array([[1, 1, 0, 2], [0, 0, 2, 1]]))
    >>> things.tolist(), count
    ([[1, 1, 0, 2], [0, 0, 2, 3]], 3)
    """
    height, width = labels.shape
    if not labels.size or not labels.any():
        return np.zeros((height, width), np.int32), 0
    padded = np.zeros((height, width + 2), labels.dtype)
    padded[:, 1:-1] = labels
    flat = padded.ravel()  # with a 0 at both ends of each row no run crosses rows
    starts = np.flatnonzero((flat[1:] != flat[:-1]) & (flat[1:] != 0)) + 1
    ends = np.flatnonzero((flat[1:] != flat[:-1]) & (flat[:-1] != 0)) + 1
    one, other = _touching(starts, ends, width + 2)
    same = flat[starts[one]] == flat[starts[other]]
    roots = _joined(len(starts), one[same], other[same])
    _, numbers = np.unique(roots, return_inverse=True)  # a root is a thing's first run: the order is that of reading
    things = np.zeros(len(flat) + 1, np.int32)
    # The number rises at a run's start and falls at its end; the running sum is the number inside.
    np.add.at(things, starts, numbers + 1)
    np.subtract.at(things, ends, numbers + 1)
    out = np.cumsum(things[:-1], dtype=np.int32).reshape(height, width + 2)[:, 1:-1]
    return np.ascontiguousarray(out), int(numbers.max()) + 1


def _touching(starts: Array, ends: Array, width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of runs (one above the other) that share a side or a corner; places run over rows of this width."""
    # A run [s, e) of one row touches those of the row above that begin before e + 1 and end after s - 1.
    low = np.searchsorted(ends, starts - width, side="left")
    high = np.searchsorted(starts, ends - width, side="right")
    counts = np.maximum(high - low, 0)
    below = np.repeat(np.arange(len(starts)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(low, counts) + within, below


def _joined(count: int, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """The smallest member of each member's set, where the pairs (one, other) are joined."""
    root = np.arange(count)
    while True:
        low = np.minimum(root[one], root[other])
        before = root.copy()
        np.minimum.at(root, root[one], low)
        np.minimum.at(root, root[other], low)
        while not np.array_equal(root, hop := root[root]):
            root = hop
        if np.array_equal(root, before):
            return root


def without_small(things: Ints, least: int) -> Ints:
    """Things of fewer than so many points taken away; the others numbered anew from 1.

    >>> without_small(np.array([[1, 0, 2, 2]], np.int32), 2).tolist()
    [[0, 0, 1, 1]]
    """
    sizes = np.bincount(things.ravel())
    keep = sizes >= least
    keep[0] = False
    numbers = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    return np.asarray(numbers[things], np.int32)


def grow(things: Ints, labels: Array, steps: int = 64) -> Ints:
    """Let things grow over points of their own label that no thing has yet, a point further each step.

    things (H, W): numbers, 0 for none; labels (H, W): 0 where nothing may grow. Where two meet, the higher number wins.

    >>> grow(np.array([[1, 0, 0, 0, 2]], np.int32), np.array([[1, 1, 0, 1, 1]])).tolist()
    [[1, 1, 0, 2, 2]]
    """
    out = np.array(things)
    for _ in range(steps):
        free = (out == 0) & (labels != 0)
        if not free.any():
            break
        reached = np.zeros_like(out)
        for here, there in (
            (np.s_[1:, :], np.s_[:-1, :]),
            (np.s_[:-1, :], np.s_[1:, :]),
            (np.s_[:, 1:], np.s_[:, :-1]),
            (np.s_[:, :-1], np.s_[:, 1:]),
        ):
            offered = np.where(labels[here] == labels[there], out[there], 0)
            reached[here] = np.maximum(reached[here], offered)
        if not (reached[free] != 0).any():
            break
        out[free] = reached[free]
    return out


def borders(things: Array, reach: int) -> NDArray[np.bool_]:
    """Where two different things are within `reach` points: on both sides of where they touch, and in gaps between.

    >>> borders(np.array([[1, 1, 1, 2, 2, 2, 0, 0]]), 1).astype(int).tolist()
    [[0, 0, 1, 1, 0, 0, 0, 0]]
    """
    none = np.iinfo(np.int32).max
    numbers = np.asarray(things, np.int32)
    high = _spread(numbers, reach, np.maximum, 0)
    low = _spread(np.where(numbers == 0, none, numbers).astype(np.int32), reach, np.minimum, none)
    return np.asarray((high > 0) & (low != high) & (low != none), bool)


def _spread(numbers: Ints, reach: int, pick: "np.ufunc", edge: int) -> Ints:
    """The largest or smallest number in the square of side 2 reach + 1 around each point."""
    for axis in (0, 1):
        pad = [(reach, reach) if a == axis else (0, 0) for a in (0, 1)]
        wide = np.pad(numbers, pad, constant_values=edge)
        size = numbers.shape[axis]
        parts = [np.take(wide, range(k, k + size), axis=axis) for k in range(2 * reach + 1)]
        numbers = pick.reduce(parts)
    return numbers
