"""Measures, as thin calls to the reference implementations, in the form that `evaluate` can resample.

Every measure is a function of how often each example counts, so a bootstrap interval (Koehn, 2004) costs no second
decoding. Most are functions of sums over examples: of counts of matched n-grams, of cells of a confusion matrix.
"""

from lamella.metrics.details import details
from lamella.metrics.label import by_label, calibration, classification
from lamella.metrics.resample import Floats, intervals
from lamella.metrics.row import reconstructions
from lamella.metrics.series import forecasts
from lamella.metrics.text import likelihood, translation
from lamella.metrics.trivial import trivial

__all__ = [
    "Floats",
    "by_label",
    "calibration",
    "classification",
    "details",
    "forecasts",
    "intervals",
    "likelihood",
    "reconstructions",
    "translation",
    "trivial",
]
