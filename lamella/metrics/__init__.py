"""Measures, as thin calls to the reference implementations, in the form that `evaluate` can resample.

Every measure here is a function of sums over examples: of counts of matched n-grams, of cells of a confusion matrix.
With the sums kept for each example, a bootstrap interval (Koehn, 2004) costs a matrix product, not a second decoding.
"""

from lamella.metrics.details import details
from lamella.metrics.label import by_label, calibration, classification
from lamella.metrics.resample import Floats, intervals
from lamella.metrics.row import reconstructions
from lamella.metrics.series import forecasts
from lamella.metrics.text import likelihood, translation

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
]
