"""Bootstrap intervals (Koehn, 2004): from sums that are kept for each example, a matrix product and no second decoding."""

import numpy as np
from numpy.typing import NDArray

from lamella.task import Scores

Floats = NDArray[np.float64]


def intervals(scores: Scores, resamples: int = 1000, seed: int = 0) -> dict[str, dict[str, float]]:
    """Each measure with its 95% bootstrap interval: {"chrF": {"value", "low", "high"}}."""
    chance = np.random.default_rng(seed)
    count = len(scores.parts)
    whole = scores.parts.sum(axis=0)
    sums = np.stack([chance.multinomial(count, np.full(count, 1 / count)) @ scores.parts for _ in range(resamples)])
    found = {}
    for name, measure in scores.measures.items():
        low, high = np.percentile([measure(row) for row in sums], [2.5, 97.5])
        found[name] = {"value": measure(whole), "low": float(low), "high": float(high)}
    return found
