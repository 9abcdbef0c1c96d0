"""Measures of pictures: how likely they are."""

from collections.abc import Sequence

import numpy as np

from lamella.task import Scores


def bits_per_dim(totals: Sequence[float], values: int) -> Scores:
    """Bits for each value of a picture, the usual measure of generative nets; less is better.

    totals: log-likelihoods of pictures in nats; values: of one picture, channels x height x width.

    >>> bits_per_dim([-8 * np.log(2)], 4).values
    {'bits_per_dim': 2.0}
    """
    parts = np.array([[-total, values] for total in totals], np.float64)
    return Scores.from_sums(parts, {"bits_per_dim": lambda sums: float(sums[0] / np.log(2) / max(1.0, sums[1]))})
