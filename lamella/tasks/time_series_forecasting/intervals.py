"""What windows kept aside say of forecasts: how far intervals must be stretched to hold what they claim, how even they should
be, and how much of what a net makes of a linear forecast is to be trusted."""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

from lamella.data.readers.series import Floats
from lamella.tasks.time_series_forecasting.windows import plain

LEAST_STRETCH = 0.05  # of an interval: it stays one
ALIKE, TRUST = 0.3, 3  # how alike errors within a window are, before it is measured, and the windows that this is worth
EVEN = (0.0, 0.25, 0.5, 1.0)  # how even the widths within a horizon may be made
GAIN = 0.02  # by which intervals must be better to be made so


def stretch(wanted: Floats, middle: Floats, ends: Floats, share: float) -> float:
    """By how much intervals must be stretched around their medians to hold `share` of what was wanted.

    wanted and middle (N, H), ends (N, H, 2). To aim higher, at the quantile of n + 1 (Romano et al., 2019) or so that the promise
    is kept by most models and not only on average, makes most intervals too wide: of ten windows they held 83 to 87% where
    80% was said, of three 90%.

    Of few values nobody knows how far others lie apart: there the stretch is larger by what Student's t says, of as many values
    as these N windows are worth (`_apart`).

    >>> wanted, ends = np.tile([[1.0, -2.0]], (10, 1)), np.tile([[[-1.0, 1.0], [-1.0, 1.0]]], (10, 1, 1))
    >>> [round(stretch(wanted[:n], np.zeros((n, 2)), ends[:n], 0.8), 2) for n in (10, 2, 1)]
    [2.07, 2.54, 2.65]
    """
    room = np.where(wanted < middle, middle - ends[:, :, 0], ends[:, :, 1] - middle)
    needed = np.abs(wanted - middle) / np.maximum(room, 1e-12)
    count = _apart(needed)
    return float(max(np.quantile(needed, share) * _student(round(count), share), LEAST_STRETCH))


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


def trust(
    wanted: Floats, answers: Sequence[Mapping[str, Any]], plain: Sequence[Mapping[str, Any]], units: Sequence[float]
) -> float:
    """How much of what a net makes of a linear forecast counts, 0 to 1, by answers with it and without it to windows kept aside (wanted, N, H).

    As much as it is likely, by Student's t of these windows' mean errors, that the net is the better one: a half where they say nothing, next to all of it
    where it wins in most of them. The mean of two forecasts that are equally good is better than either (Bates and Granger, 1969).

    >>> wanted = np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    >>> near, far, other = ([{"median": [x, x]} for x in row] for row in ([1.0, 1.0, 1.1], [3.0, 3.2, 3.1], [1.0, 1.1, 1.1]))
    >>> [round(trust(wanted, a, b, [1.0, 1.0, 1.0]), 2) for a, b in ((near, far), (far, near), (other, near), (near, near))]
    [1.0, 0.0, 0.21, 0.5]
    """
    scale = np.array([unit or 1.0 for unit in units])
    errors = [
        np.abs(np.array([a["median"] for a in every]) - wanted).mean(axis=1) / scale for every in (answers, plain)
    ]
    worse, count = errors[0] - errors[1], len(wanted)
    if count < 2:
        return 1.0
    mean, spread = float(worse.mean()), float(worse.std(ddof=1))
    if spread == 0:
        return 0.5 if mean == 0 else float(mean < 0)
    t, degrees = mean / spread * math.sqrt(count), count - 1
    # The normal deviate that is as rare as this t (Wallace, 1959).
    z = math.sqrt(degrees * math.log1p(t * t / degrees)) * (8 * degrees + 1) / (8 * degrees + 3)
    return NormalDist().cdf(math.copysign(z, -t))


def fitted(
    wanted: Floats, answers: Sequence[Mapping[str, Any]], names: Iterable[str], units: Sequence[float]
) -> tuple[dict[str, float], dict[str, float]]:
    """For each interval how far it is to be stretched and how even it is to be, by answers to windows kept aside.

    wanted (N, H); "80%" is to hold 80% of it; units: of each window, so that all count alike. The widths of a net that has hardly
    learned are noise, some of them next to nothing, so that all would have to be stretched a hundred times for their sake:
    such are made more even, where the interval score (Winkler, 1972; Gneiting and Raftery, 2007) is clearly better for it.
    """
    middle = np.array([a["median"] for a in answers])
    scale = np.array([unit or 1.0 for unit in units])[:, None]
    widths, even = dict[str, float](), dict[str, float]()
    for name in names:
        share, best = float(name[:-1]) / 100, math.inf
        ends = np.array([a[name] for a in answers])
        for part in EVEN:
            low, high = evened(middle, ends, part)
            by = stretch(wanted, middle, np.stack([low, high], axis=2), share)
            low, high = middle + by * (low - middle), middle + by * (high - middle)
            beyond = np.maximum(low - wanted, 0) + np.maximum(wanted - high, 0)
            score = float(((high - low + 2 / (1 - share) * beyond) / scale).mean())
            if score < best * (1 - GAIN) or math.isinf(best):
                best, widths[name], even[name] = score, by, part
    return widths, even


def evened(middle: Floats, ends: Floats, part: float) -> tuple[Floats, Floats]:
    """Both ends of intervals (..., H, 2) around their medians (..., H), a part of each width being the mean of the horizon's.

    >>> low, high = evened(np.zeros(2), np.array([[-1.0, 1.0], [-3.0, 3.0]]), 0.5)
    >>> low.tolist(), high.tolist()
    ([-1.5, -2.5], [1.5, 2.5])
    """
    rooms = np.stack([middle - ends[..., 0], ends[..., 1] - middle], axis=-1)  # (..., H, 2)
    rooms = (1 - part) * rooms + part * rooms.mean(axis=(-2, -1), keepdims=True)
    return middle - rooms[..., 0], middle + rooms[..., 1]


def answer(
    scaled: Floats,
    centre: float,
    unit: float,
    intervals: Mapping[str, tuple[int, int]],
    widths: Mapping[str, float],
    even: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Sorted quantiles (H, Q) of a scaled window -> the median and the intervals, made even and stretched, wider ones around
    narrower.

    >>> answer(np.array([[-1.0, 0.0, 2.0]]), 10.0, 2.0, {"50%": (0, 2)}, {"50%": 1.5})
    {'median': [10.0], '50%': [[7.0, 16.0]]}
    """
    middle = scaled[:, scaled.shape[1] // 2, None]  # (H, 1)
    found: dict[str, Any] = {"median": plain(centre + unit * middle[:, 0], unit)}
    low = high = middle[:, 0]
    for name, ends in intervals.items():
        pair = np.stack(evened(middle[:, 0], scaled[:, list(ends)], (even or {}).get(name, 0.0)), axis=1)
        edges = middle + (pair - middle) * widths[name]
        low, high = np.minimum(low, edges[:, 0]), np.maximum(high, edges[:, 1])
        found[name] = plain(centre + unit * np.stack([low, high], axis=1), unit)
    return found
