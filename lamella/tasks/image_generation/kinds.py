"""Kinds of pictures within each label, found by k-means: what a drawing is begun with.

A label says little about a picture: a seven may lean, have a bar, be thick. A net that fills in many codes at once has to
agree with itself on all of that, and after a short training it does not. So each label is divided into kinds of pictures
that look alike, the net is told the kind in the place of the label (as Bao et al., 2022, do with clusters for pictures that
have no labels), and a drawing first chooses one, as often as it was seen. Pictures without labels are divided alike.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamella.data.media.images import read_image

Array = NDArray[Any]
SIDE = 10  # points along a side of the small pictures that are compared
EACH = 40  # pictures of a kind, at least in the mean
MOST, TOTAL = 24, 256  # kinds of a label, and of all of them
ROUNDS = 30
USED = 20_000  # pictures that are divided; the others belong to the nearest kind


class Kinds(NamedTuple):
    """K kinds: the label of each (1 to L; 0 where there are no labels), how often it was seen, its mean as bytes (K, C, SIDE, SIDE)."""

    labels: list[int]
    counts: list[int]
    means: bytes


def small(picture: Any, channels: int, white: Any) -> Array:
    """A picture as it is compared, (C * SIDE * SIDE,)."""
    return read_image(picture, SIDE, channels, white).reshape(-1).astype(np.float32)


def find(rows: Array, labels: Array, count: int) -> Kinds:
    """Divide small pictures (N, D) whose labels (N,) are 1 to `count`, or all 0 where there are none.

    Those of label 0 beside others belong to no kind. The same pictures give the same kinds.

    >>> rows = np.repeat(np.array([[0.0], [100.0]]), 80, axis=0)
    >>> find(rows, np.zeros(160, int), 0)[:2]
    ([0, 0, 0, 0], [80, 80, 0, 0])
    """
    owners = range(1, count + 1) if count else (0,)
    most = max(1, min(MOST, TOTAL // len(owners))) if count else TOTAL // 4
    labels_, counts, means = [], [], []
    for owner in owners:
        own = rows[labels == owner]
        own = own[:: -(-len(own) // USED)] if len(own) else np.zeros((1, rows.shape[1]), np.float32)
        centres, sizes = k_means(own, max(1, min(most, len(own) // EACH)))
        labels_ += [owner] * len(centres)
        counts += sizes
        means.append(centres)
    return Kinds(labels_, counts, np.rint(np.concatenate(means)).clip(0, 255).astype(np.uint8).tobytes())


def k_means(rows: Array, count: int) -> tuple[Array, list[int]]:
    """Lloyd's algorithm from a start by k-means++ (Arthur and Vassilvitskii, 2007): means (K, D), and how many rows each has."""
    rng = np.random.default_rng(0)
    centres = rows[rng.integers(len(rows), size=1)]
    while len(centres) < count:
        far = distances(rows, centres).min(axis=1)
        chances = far / far.sum() if far.sum() > 0 else np.full(len(rows), 1 / len(rows))
        centres = np.concatenate([centres, rows[rng.choice(len(rows), size=1, p=chances)]])
    for _ in range(ROUNDS):
        nearest = distances(rows, centres).argmin(axis=1)
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, rows)
        sizes = np.bincount(nearest, minlength=len(centres))
        moved = np.where(sizes[:, None] > 0, sums / np.maximum(1, sizes)[:, None], centres)
        if np.array_equal(moved, centres):
            break
        centres = moved
    return centres, np.bincount(distances(rows, centres).argmin(axis=1), minlength=len(centres)).tolist()


def distances(rows: Array, centres: Array) -> Array:
    """Squared, (N, K)."""
    far = (rows**2).sum(axis=1)[:, None] - 2 * (rows @ centres.T) + (centres**2).sum(axis=1)
    return np.asarray(np.maximum(0, far))


def nearest(row: Array, label: int, kinds: Kinds) -> int:
    """The id, 1 to K, of the kind of a small picture among those of its label; 0 where its label has none."""
    own = np.flatnonzero(np.array(kinds.labels) == label)
    if not len(own):
        return 0
    means = np.frombuffer(kinds.means, np.uint8).reshape(len(kinds.labels), -1)[own].astype(np.float32)
    return int(own[distances(row[None], means).argmin()]) + 1


def chosen(label: int, seed: Sequence[int], kinds: Kinds, temperature: float) -> int:
    """The kind (1 to K) that a drawing of a label is begun with, 0 for any; by chance, as often as each was seen.

    A low temperature prefers the frequent ones, at 0 it is the most frequent. Without kinds: the label.
    """
    if not kinds.labels:
        return label
    own = np.array(kinds.labels) == label if label else np.ones(len(kinds.labels), bool)
    shares = np.where(own, np.array(kinds.counts, float), 0)
    if not shares.any():
        return label and int(own.argmax()) + 1
    if temperature == 0:
        return int(shares.argmax()) + 1
    shares = (shares / shares.max()) ** (1 / temperature)
    return int(np.random.default_rng([*seed, 1]).choice(len(shares), p=shares / shares.sum())) + 1


def of_labels(likely: Array, kinds: Kinds, count: int) -> Array:
    """Log-probabilities of kinds (B, K) -> those of labels (B, count). Without kinds they are those of labels already."""
    if not kinds.labels or not count:
        return likely
    member = np.array(kinds.labels)[:, None] == np.arange(1, count + 1)  # (K, L)
    return np.asarray(np.log(np.maximum(1e-30, np.exp(likely) @ member)))
