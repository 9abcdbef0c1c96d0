"""Things that touch, parted at their necks: where a thing is much thinner than on both sides, it is two.

seeds = at_necks(labels, neck=0.25)      (H, W) of labels, 0 for none -> numbers of things, to be grown back over the labels

A thing is eroded ring by ring, and where it falls into pieces that both go on for long enough, each piece is a thing: the
dynamics of its ultimate erosions (Vincent and Soille, 1991, "Watersheds in digital spaces"; Grimaud, 1992). All numpy.
"""

import numpy as np
from numpy.typing import NDArray

from lamella.decode.regions import Array, Ints, connected

DEEPEST = 48  # rings; what is thicker is looked at no further
LEVELS = (2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 22, 27, 33)  # rings that are taken away, one look after each
FURTHER = 1  # ring that a piece must go on for, besides its share: edges are uneven


def depths(labels: Array) -> NDArray[np.int16]:
    """How many rings of points lie around each point inside of its label, itself counted: (H, W), 0 where there is none.

    Rings are octagons: sides alone count in one, corners too in the next. The picture's edge is none of a thing.

    >>> depths(np.array([[1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 1, 0]])).tolist()
    [[3, 2, 1, 0], [3, 2, 1, 0], [3, 2, 1, 0]]
    """
    left = np.asarray(labels)
    out = np.zeros(left.shape, np.int16)
    for ring in range(DEEPEST):
        inside = left != 0
        if not inside.any():
            break
        out += inside
        wide = np.pad(left, 1, mode="edge")
        stays = inside.copy()
        for y, x in ((0, 1), (2, 1), (1, 0), (1, 2), *(((0, 0), (0, 2), (2, 0), (2, 2)) if ring % 2 else ())):
            stays &= wide[y : y + left.shape[0], x : x + left.shape[1]] == left
        left = np.where(stays, left, 0)
    return out


def at_necks(labels: Array, neck: float) -> Ints:
    """Number the connected things of a mask, those that touch by a neck apart; at a neck some points have no number.

    neck: by which share thicker than the neck both sides must be.

    >>> bar = np.pad(np.ones((9, 9), int), ((1, 1), (1, 11)))
    >>> two = bar + bar[:, ::-1]
    >>> two[5, 10] = 1  # two squares, joined by a line
    >>> int(at_necks(two, 0.25).max()), int(at_necks(bar, 0.25).max())
    (2, 1)
    """
    depth = depths(labels)
    things = connected(labels)[0].astype(np.int64)
    for level in LEVELS:
        if level > depth.max(initial=0):
            break
        pieces, count = connected(np.where(depth >= level, labels, 0))
        deepest = np.zeros(count + 1, np.int64)
        np.maximum.at(deepest, pieces.ravel(), depth.ravel())
        whole = np.zeros(count + 1, np.int64)  # the thing that each piece is of, 0: one that has been parted
        whole[pieces.ravel()] = things.ravel()
        lasting = (whole > 0) & (deepest >= np.ceil(level * (1 + neck) + FURTHER))
        lasting[0] = False
        parted = np.bincount(whole[lasting], minlength=int(things.max()) + 1) > 1
        if parted.any():
            numbers = np.where(lasting & parted[whole], np.arange(count + 1) + things.max() + 1, 0)
            things = np.where(parted[things], numbers[pieces], things)
    _, numbered = np.unique(np.append(things.ravel(), 0), return_inverse=True)  # 0 stays 0
    return np.asarray(numbered[:-1].reshape(things.shape), np.int32)
