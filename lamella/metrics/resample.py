"""Bootstrap intervals (Efron, 1979; Koehn, 2004): answers are resampled with replacement and scored again."""

import numpy as np
from numpy.typing import NDArray

from lamella.task import Scores

Floats = NDArray[np.float64]


def intervals(scores: Scores, resamples: int = 1000, seed: int = 0) -> dict[str, dict[str, float]]:
    """Each measure with its 95% bootstrap interval: {"chrF": {"value", "low", "high"}}.

    With a single example there is nothing to resample: both ends are the value.
    """
    rng = np.random.default_rng(seed)
    even = np.full(scores.count, 1 / scores.count)
    draws = [scores.measure(rng.multinomial(scores.count, even)) for _ in range(resamples)]
    intervals = {}
    for name, value in scores.values.items():
        low, high = np.percentile([draw[name] for draw in draws], [2.5, 97.5])
        intervals[name] = {"value": value, "low": float(low), "high": float(high)}
    return intervals
