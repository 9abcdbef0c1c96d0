"""Whether a net draws new pictures or copies: how near to a training picture they are, beside pictures it never saw.

    nearest(drawn, learned)          the distance of each to the nearest training picture
    line(drawn, seen, count)         both, as a sentence for the card

A net that has learned what pictures are like draws some that are as near to a training picture as held-out ones are. One
that has learned the training pictures by heart draws nearer ones. Held-out pictures are compared as their codes hold them,
since what is drawn went through the decoder too, which makes pictures smoother and so nearer to each other.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
DRAWN = 64  # pictures that are drawn, and held-out ones that are compared
COMPARED = 20_000  # training pictures, at most: the nearest of a part of more
NEAR = 0.05  # share of the held-out pictures that counts as very near


def nearest(pictures: Array, learned: Array) -> Array:
    """The root mean squared difference of each picture (N, ...) from the nearest of the learned ones (M, ...): (N,).

    >>> nearest(np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 0.0], [3.0, 0.0]])).round(3).tolist()
    [0.0, 0.707]
    """
    one = pictures.reshape(len(pictures), -1).astype(np.float32)
    other = learned.reshape(len(learned), -1).astype(np.float32)
    # |a - b|^2 as |a|^2 - 2ab + |b|^2: one product instead of all differences.
    squares = np.square(one).sum(axis=1)[:, None] - 2 * one @ other.T + np.square(other).sum(axis=1)
    return np.asarray(np.sqrt(squares.min(axis=1).clip(0) / one.shape[1]))


def line(drawn: Array, seen: Array, count: int) -> str:
    """Distances of drawn and of held-out pictures to the nearest training picture -> a sentence.

    >>> print(line(np.array([0.1, 0.2, 0.3]), np.array([0.1, 0.2, 0.4]), 900))
    Memorisation: the nearest of 900 training pictures differs by 0.200 from a drawn picture and by 0.200 from a held-out one (medians, white being 1); 33% of 3 drawn pictures are nearer than 95% of 3 held-out ones.
    """
    near = float((drawn < np.quantile(seen, NEAR)).mean())
    return (
        f"Memorisation: the nearest of {count:,} training pictures differs by {np.median(drawn):.3f} from a drawn picture and by "
        f"{np.median(seen):.3f} from a held-out one (medians, white being 1); {near:.0%} of {len(drawn)} drawn pictures are "
        f"nearer than {1 - NEAR:.0%} of {len(seen)} held-out ones."
    )
