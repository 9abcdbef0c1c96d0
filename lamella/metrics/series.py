"""Measures of forecasts of a series."""

from collections.abc import Callable, Sequence

import numpy as np

from lamella.metrics.resample import Floats
from lamella.task import Scores


def forecasts(
    answers: Sequence[Floats], wanted: Sequence[Floats], units: Sequence[float], levels: Sequence[float]
) -> Scores:
    """Of forecasts, each (Q, H) for quantiles at `levels`, the median first, then lower and upper ends in pairs.

    mase: the median's mean error in units of the seasonal-naive error before it (Hyndman and Koehler, 2006), where that is
    not zero. wql: the pinball losses of all quantiles, doubled, by the sum of what was wanted. coverage_80: how much of
    what was wanted lies between the 10% and the 90% quantile. mae, rmse: the median's mean error and the root of its mean
    squared error, in the unit of the series.
    """
    low, high = (levels.index(level) for level in (0.1, 0.9))
    rows = []
    for quantiles, values, unit in zip(answers, wanted, units, strict=True):
        short = values - quantiles  # (Q, H)
        level = np.array(levels)[:, None]
        loss = 2 * np.maximum(level * short, (level - 1) * short).mean(axis=0).sum()
        inside = (quantiles[low] <= values) & (values <= quantiles[high])
        scaled = np.abs(short[0]).mean() / unit if unit > 0 else 0.0
        errors = [np.abs(short[0]).sum(), np.square(short[0]).sum()]
        rows.append([scaled, float(unit > 0), loss, np.abs(values).sum(), inside.sum(), values.size, *errors])

    def ratio(above: int) -> Callable[[Floats], float]:
        return lambda sums: float(sums[above] / max(sums[above + 1], 1e-12))

    measures = {"mase": ratio(0), "wql": ratio(2), "coverage_80": ratio(4)}
    measures["mae"] = lambda sums: float(sums[6] / sums[5])
    measures["rmse"] = lambda sums: float(np.sqrt(sums[7] / sums[5]))
    return Scores.from_sums(np.array(rows), measures)
