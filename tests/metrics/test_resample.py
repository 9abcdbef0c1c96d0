"""Scores and their bootstrap intervals, of measures that are sums over examples and of those that are none."""

import numpy as np
import pytest

from lamella import metrics
from lamella.task import Scores


def weighted_median(values):
    order = np.argsort(values)

    def measure(weights):
        below = np.cumsum(weights[order])
        return {"median": float(values[order][np.searchsorted(below, below[-1] / 2)])}

    return Scores(len(values), measure)


def test_a_measure_that_is_no_sum_has_an_interval():
    values = np.random.default_rng(0).normal(size=400)
    found = metrics.intervals(weighted_median(values))["median"]
    assert found["value"] == np.sort(values)[199]
    # A median's standard error is 1.2533 of the mean's: 1.96 of them on each side.
    assert found["high"] - found["low"] == pytest.approx(2 * 1.96 * 1.2533 / 20, rel=0.3)


def test_sums_give_what_the_resampled_rows_give():
    parts = np.random.default_rng(1).random((30, 2))
    scores = Scores.from_sums(parts, {"ratio": lambda sums: float(sums[0] / sums[1])}, {"ratio": "by hand"})
    draw = np.random.default_rng(2).integers(30, size=30)
    wanted = parts[draw, 0].sum() / parts[draw, 1].sum()
    assert scores.measure(np.bincount(draw, minlength=30))["ratio"] == pytest.approx(wanted)
    assert scores.values["ratio"] == pytest.approx(parts[:, 0].sum() / parts[:, 1].sum())
    assert scores.notes == {"ratio": "by hand"}
