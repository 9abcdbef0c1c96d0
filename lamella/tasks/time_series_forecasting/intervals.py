"""How far intervals must be stretched to hold what they claim, from windows kept aside."""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

from lamella.data.readers.series import Floats

LEAST_STRETCH = 0.05  # of an interval: it stays one
ALIKE, TRUST = (
    0.3,
    3,
)  # how alike the errors within a window are, before it is measured, and the windows that this is worth
TWO_OF_THREE = 0.4307  # standard deviations below which two draws of three stay


def stretch(wanted: Floats, middle: Floats, ends: Floats, share: float) -> float:
    """By how much intervals must be stretched around their medians to hold `share` of what was wanted.

    wanted and middle (N, H), ends (N, H, 2). The quantile is one of n + 1, as in split conformal prediction (Romano et al.,
    2019), where n is of how many values apart these N windows are worth (`_apart`). Other windows than these would have
    given another stretch; the share aimed at is higher by what two draws of three stay within, so that the promise is
    more likely kept than not by this model, and not only by models on average (training-conditional validity: Vovk, 2012).

    Of very few values nobody knows how far others lie apart: there the stretch is larger by what Student's t says.

    >>> wanted, ends = np.tile([[1.0, -2.0]], (10, 1)), np.tile([[[-1.0, 1.0], [-1.0, 1.0]]], (10, 1, 1))
    >>> [round(stretch(wanted[:n], np.zeros((n, 2)), ends[:n], 0.8), 2) for n in (10, 2, 1)]
    [2.07, 2.54, 2.94]
    """
    room = np.where(wanted < middle, middle - ends[:, :, 0], ends[:, :, 1] - middle)
    needed = np.abs(wanted - middle) / np.maximum(room, 1e-12)
    count = _apart(needed)
    level = min(1.0, share * (1 + 1 / count) + TWO_OF_THREE * math.sqrt(share * (1 - share) / count))
    return float(max(np.quantile(needed, level) * _student(round(count), share), LEAST_STRETCH))


def _apart(needed: Floats) -> float:
    """Of how many independent values N windows of H steps are worth (N, H), since the steps of a window err together.

    N H / (1 + (H - 1) r), the effective sample size of a cluster sample (Kish, 1965), where r is the intraclass
    correlation of the logarithms; a few windows say little of it, so it is drawn towards `ALIKE`.

    >>> round(_apart(np.ones((2, 12))), 1), round(_apart(np.arange(1.0, 41.0).reshape(40, 1)), 1)
    (6.9, 40.0)
    """
    windows, steps = needed.shape
    sizes = np.log(needed + np.quantile(needed, 0.1) + 1e-12)
    means = sizes.mean(axis=1)
    within = float(np.square(sizes - means[:, None]).sum()) / max(1, windows * (steps - 1))
    between = float(np.square(means - means.mean()).sum()) * steps / max(1, windows - 1)
    alike = max(0.0, (between - within) / max(between + (steps - 1) * within, 1e-12))
    alike = (alike * (windows - 1) + ALIKE * TRUST) / (windows - 1 + TRUST)
    return float(windows * steps / (1 + (steps - 1) * alike))


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
