"""Batches of about equal size in tokens, of examples of about equal length, in an order that is a pure function.

The order depends on the seed and the epoch only, so that a run taken up again at step 1,234 sees exactly the batch
that it would have seen, wherever the examples are kept: all that is known here is how long each is. Lengths are
bucketed: with sentences of 1 to 200 tokens, batches in random order are half padding; sorted ones under 5%.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
GROUP = 1 << 18  # examples that are shuffled and sorted by length together: what an order holds in memory at a time
BLOCK = 1 << 10  # neighbours that stay in one group where there are more examples than that


class Lengths(Protocol):
    """(N, M): how long each example's M sequences are, an array or what looks them up: `lengths[indices]` is (n, M)."""

    def __len__(self) -> int: ...

    def __getitem__(self, indices: Any, /) -> Any: ...


def groups_of(count: int, seed: int, epoch: int) -> Iterator[Ints]:
    """The indices of an epoch in groups, each to be shuffled by itself; up to `GROUP` examples are one.

    More are cut into blocks of neighbours, and each group is made of blocks from anywhere: so an order of any number of
    examples takes a bounded amount of memory, and a disk reads whole blocks.

    >>> groups = list(groups_of(614_400, seed=0, epoch=0))
    >>> [len(group) for group in groups], len(np.unique(np.concatenate(groups)))
    ([262144, 262144, 90112], 614400)
    """
    if count <= GROUP:
        yield np.arange(count)
        return
    blocks = np.random.default_rng((seed, epoch, 3)).permutation(-(-count // BLOCK))
    for first in range(0, len(blocks), GROUP // BLOCK):
        mine = np.sort(blocks[first : first + GROUP // BLOCK])
        indices = (mine[:, None] * BLOCK + np.arange(BLOCK)).ravel()
        yield indices[indices < count]


def draw(count: int, weights: NDArray[np.float64] | None, seed: int, epoch: int) -> Ints:
    """Indices of one epoch, shuffled; a weight of 2.5 is drawn twice or three times, one of 0.1 every tenth epoch.

    >>> draw(4, None, seed=0, epoch=0).tolist() == draw(4, None, seed=0, epoch=0).tolist()
    True
    >>> sorted(draw(2, np.array([2.0, 1.0]), seed=0, epoch=0).tolist())
    [0, 0, 1]
    """
    chance = np.random.default_rng((seed, epoch))
    if weights is None:
        return chance.permutation(count)
    times = np.floor(weights + chance.random(count)).astype(np.int64)
    return chance.permutation(np.repeat(np.arange(count), times))


def batches(lengths: Lengths, order: Ints, tokens: int, seed: int, epoch: int) -> list[Ints]:
    """Cut an epoch into batches of at most `tokens` a side, padding included, and shuffle those.

    lengths (N, M): of each example's M sequences (source and target, say). Examples are sorted by the longest first,
    so that both sides of a batch are of about one length.
    """
    jitter = np.random.default_rng((seed, epoch, 1)).random(len(order))
    mine = lengths[order]
    # Sorted by the second length within bands of the first; the noise shuffles equals.
    by_length = np.lexsort([jitter, *mine.T])
    ranked, longest = order[by_length], mine[by_length].max(axis=1)
    found: list[Ints] = []
    first = 0
    while first < len(ranked):
        # The batch grows while its size times its longest example fits; a running maximum finds the end at once.
        peak = np.maximum.accumulate(longest[first : first + tokens])
        fits = np.flatnonzero(peak * np.arange(1, len(peak) + 1) <= tokens)
        size = int(fits[-1]) + 1 if len(fits) else 1
        found.append(ranked[first : first + size])
        first += size
    shuffled = np.random.default_rng((seed, epoch, 2)).permutation(len(found))
    return [found[i] for i in shuffled]


def an_epoch(lengths: Lengths, tokens: int, examples: int | None = None) -> int:
    """How many batches an epoch has, of at most `tokens` a side or of so many examples each.

    >>> an_epoch(np.full((10, 1), 5), tokens=20), an_epoch(np.full((10, 1), 5), tokens=20, examples=5)
    (3, 2)
    """
    if examples:
        lengths, tokens = ones(len(lengths)), examples
    return sum(len(made) for made in _epoch(lengths, None, tokens, 0, 0))


def ones(count: int) -> Ints:
    """Lengths (N, 1) of examples that all count the same; they take no memory."""
    return np.broadcast_to(np.ones((1, 1), np.int64), (count, 1))


def _epoch(
    lengths: Lengths, weights: NDArray[np.float64] | None, tokens: int, seed: int, epoch: int
) -> Iterator[list[Ints]]:
    """The batches of an epoch, a list for each of its groups."""
    for number, own in enumerate(groups_of(len(lengths), seed, epoch)):
        key = epoch + (number << 32)  # each group is shuffled in a way of its own, the first as if it were the only one
        order = own[draw(len(own), None if weights is None else weights[own], seed, key)]
        yield batches(lengths, order, tokens, seed, key)


def padding(lengths: Ints, groups: Sequence[Ints]) -> float:
    """The share of padding among all tokens of these batches.

    >>> padding(np.array([[1], [3]]), [np.array([0, 1])])
    0.333
    """
    real = sum(int(lengths[g].sum()) for g in groups)
    padded = sum(int((lengths[g].max(axis=0) * len(g)).sum()) for g in groups)
    return 1 - real / padded


def forever(
    lengths: Lengths, weights: NDArray[np.float64] | None, tokens: int, seed: int, skip: int = 0, short_first: int = 0
) -> Iterator[tuple[int, Ints]]:
    """(epoch, indices) without end; `skip` batches are passed over without being made.

    short_first: so many epochs go from short to long (Amodei et al., 2016, "SortaGrad"), all later ones in any order.
    """
    epoch = 0
    while True:
        for made in _epoch(lengths, weights, tokens, seed, epoch):
            if epoch < short_first:
                made.sort(key=lambda indices: int(lengths[indices].max()))
            for indices in made[skip:]:
                yield epoch, indices
            skip = max(0, skip - len(made))
        epoch += 1
