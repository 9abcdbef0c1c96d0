"""Measures, as thin calls to the reference implementations, in the form that `evaluate` can resample.

Every measure is a function of how often each example counts, so a bootstrap interval (Koehn, 2004) costs no second
decoding. Most are functions of sums over examples: of counts of matched n-grams, of cells of a confusion matrix.

Each measure is imported when it is first used, so that predicting does not wait for scoring libraries.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lamella.metrics.baseline import trivial
    from lamella.metrics.image import bits_per_dim
    from lamella.metrics.label import by_label, calibration, classification, most_frequent
    from lamella.metrics.reports import details
    from lamella.metrics.resample import Floats, intervals
    from lamella.metrics.rouge import summaries
    from lamella.metrics.row import reconstructions
    from lamella.metrics.series import forecasts
    from lamella.metrics.text import captions, likelihood, translation
    from lamella.metrics.vectors import embeddings
    from lamella.metrics.words import fillings

_PLACES = {
    "Floats": "resample",
    "bits_per_dim": "image",
    "by_label": "label",
    "calibration": "label",
    "captions": "text",
    "classification": "label",
    "details": "reports",
    "embeddings": "vectors",
    "fillings": "words",
    "forecasts": "series",
    "intervals": "resample",
    "likelihood": "text",
    "most_frequent": "label",
    "reconstructions": "row",
    "summaries": "rouge",
    "translation": "text",
    "trivial": "baseline",
}
__all__ = [
    "Floats",
    "bits_per_dim",
    "by_label",
    "calibration",
    "captions",
    "classification",
    "details",
    "embeddings",
    "fillings",
    "forecasts",
    "intervals",
    "likelihood",
    "most_frequent",
    "reconstructions",
    "summaries",
    "translation",
    "trivial",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'lamella.metrics' has no attribute {name!r}")
    return getattr(importlib.import_module(f"lamella.metrics.{_PLACES[name]}"), name)
