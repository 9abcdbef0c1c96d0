"""How far intervals must be stretched to hold what they claim, from windows kept aside."""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

from lamella.data.readers.series import Floats

LEAST_STRETCH = 0.05  # of an interval: it stays one
FEW = 5  # windows that say little of how far others lie apart
THREE_OF_FOUR = 0.6745  # standard deviations below which three draws of four stay


def stretch(wanted: Floats, middle: Floats, ends: Floats, share: float) -> float:
    """By how much intervals must be stretched around their medians to hold `share` of what was wanted.

    wanted and middle (N, H), ends (N, H, 2). The steps of a window err together, so that N windows are N trials: the
    quantile is one of N + 1, as in split conformal prediction (Romano et al., 2019). Other windows than these N would
    have given another stretch; the share aimed at is higher by what three draws of four stay within, so that the promise is
    likely kept by this model, and not only by models on average (training-conditional validity: Vovk, 2012).

    Of very few windows nobody knows how far others lie apart: there the stretch is larger by what Student's t says.

    >>> wanted, ends = np.tile([[1.0, -2.0]], (10, 1)), np.tile([[[-1.0, 1.0], [-1.0, 1.0]]], (10, 1, 1))
    >>> stretch(wanted, np.zeros((10, 2)), ends, 1.0), round(stretch(wanted[:2], np.zeros((2, 2)), ends[:2], 0.8), 2)
    (2.0, 2.94)
    """
    room = np.where(wanted < middle, middle - ends[:, :, 0], ends[:, :, 1] - middle)
    needed, count = np.abs(wanted - middle) / np.maximum(room, 1e-12), len(wanted)
    level = min(1.0, share * (1 + 1 / count))
    held = (needed <= np.quantile(needed, level)).mean(axis=1)  # of each window, (N,)
    level = min(1.0, level + THREE_OF_FOUR * float(held.std()) / math.sqrt(count))
    return float(max(np.quantile(needed, level) * (_student(count, share) if count < FEW else 1.0), LEAST_STRETCH))


def _student(count: int, share: float) -> float:
    """By how much wider an interval of Student's t is than one of the normal distribution, for so many degrees of freedom.

    >>> [round(_student(n, 0.8), 2) for n in (1, 2, 3, 9)]
    [2.4, 1.47, 1.27, 1.08]
    """
    p = min(share, 0.99) / 2 + 0.5
    z = NormalDist().inv_cdf(p)
    if count == 1:
        return math.tan(math.pi * (p - 0.5)) / z
    if count == 2:
        return (2 * p - 1) / math.sqrt(2 * p * (1 - p)) / z
    return 1 + (z**2 + 1) / (4 * count) + (5 * z**4 + 16 * z**2 + 3) / (96 * count**2)  # Fisher's expansion


def stretches(wanted: Floats, answers: Sequence[Mapping[str, Any]], names: Iterable[str]) -> dict[str, float]:
    """`stretch` for each interval of answers: "80%" is to hold 80% of what was wanted (N, H)."""
    middle = np.array([a["median"] for a in answers])
    return {n: stretch(wanted, middle, np.array([a[n] for a in answers]), float(n[:-1]) / 100) for n in names}
