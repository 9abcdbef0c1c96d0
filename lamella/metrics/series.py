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
    divided by the sum of the true values. coverage_80: share of the true values between the 10% and the 90% quantile, and
    so for each pair of levels.
    mae, rmse: mean absolute and root mean squared error of the median, in the unit of the series.
    """
    pairs = range(1, len(levels) - 1, 2)
    rows = []
    for quantiles, values, unit in zip(answers, wanted, units, strict=True):
        short = values - quantiles  # (Q, H)
        level = np.array(levels)[:, None]
        loss = 2 * np.maximum(level * short, (level - 1) * short).mean(axis=0).sum()
        inside = [float(((quantiles[i] <= values) & (values <= quantiles[i + 1])).sum()) for i in pairs]
        scaled = np.abs(short[0]).mean() / unit if unit > 0 else 0.0
        errors = [np.abs(short[0]).sum(), np.square(short[0]).sum()]
        rows.append([scaled, float(unit > 0), loss, np.abs(values).sum(), *errors, values.size, *inside])

    def ratio(above: int) -> Callable[[Floats], float]:
        return lambda sums: float(sums[above] / max(sums[above + 1], 1e-12))

    measures = {"mase": ratio(0), "wql": ratio(2)}

    def share(place: int) -> Callable[[Floats], float]:
        return lambda sums: float(sums[place] / sums[6])

    for place, i in enumerate(pairs, 7):
        name = f"coverage_{levels[i + 1] - levels[i]:.0%}".removesuffix("%")
        measures[name] = share(place)
    measures["mae"] = lambda sums: float(sums[4] / sums[6])
    measures["rmse"] = lambda sums: float(np.sqrt(sums[5] / sums[6]))
    return Scores.from_sums(np.array(rows), measures)
