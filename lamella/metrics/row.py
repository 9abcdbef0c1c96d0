"""Measures of reconstructions of rows and images."""

from collections.abc import Callable, Sequence

import numpy as np

from lamella.metrics.resample import Floats
from lamella.task import Scores


def reconstructions(errors: Sequence[tuple[float, float]], bounds: Sequence[float] = ()) -> Scores:
    """The mean squared error of a value; and the mean bound on the log-likelihood in nats, if bounds are given.

    errors: for each example, the sum of its squared errors and the number of its values.
    """
    parts = np.array([(*pair, bound, 1.0) for pair, bound in zip(errors, bounds or [0.0] * len(errors), strict=True)])
    measures: dict[str, Callable[[Floats], float]] = {"error": lambda sums: float(sums[0] / max(1.0, sums[1]))}
    if bounds:
        measures["bound"] = lambda sums: float(sums[2] / max(1.0, sums[3]))
    return Scores.from_sums(parts, measures)
