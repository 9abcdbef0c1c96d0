"""Measures of forecasts of a series."""

from collections.abc import Callable, Sequence

import numpy as np

from lamella.metrics.resample import Floats
from lamella.task import Scores


def forecasts(
    answers: Sequence[Floats], wanted: Sequence[Floats], units: Sequence[float], levels: Sequence[float]
) -> Scores:
    """Measures of forecasts, each (Q, H): quantiles at `levels`, the median first, then lower and upper ends in pairs.

    mase: mean absolute scaled error of the median, scaled by the seasonal-naive error of the past (Hyndman and Koehler,
    2006); series whose scale is 0 are left out. wql: weighted quantile loss, twice the pinball losses of all quantiles
    divided by the sum of the true values. coverage_80: share of the true values between the 10% and the 90% quantile.
    mae, rmse: mean absolute and root mean squared error of the median, in the unit of the series.
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
