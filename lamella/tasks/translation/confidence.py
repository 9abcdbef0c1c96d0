"""How sure a translation is: the net's own probability of its pieces, calibrated on held-out sentences.

The mean log-probability of the pieces of an answer tells good answers from bad ones only roughly; a logistic curve makes
of it the share of answers that were good (chrF of 50 or more against a reference) among those with that mean.
`bench.translation_confidence` fits the curve and prints how well it holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

OFFSET, SLOPE = 2.4, 4.8
DOUBTED, REPAIRED = 0.6, 0.85  # what remains for each thing that is doubtful, and where a sentence needed a fallback


class Candidate(str):
    """An answer of a net with the mean log-probability of its pieces."""

    __slots__ = ("mean",)

    def __new__(cls, text: str, mean: float) -> Candidate:
        made = super().__new__(cls, text)
        made.mean = mean
        return made

    mean: float


def changed(text: str, change: Callable[[str], str]) -> str:
    """An answer with a change made to its text, as probable as it was."""
    return Candidate(change(text), text.mean) if isinstance(text, Candidate) else change(text)


def calibrated(means: Sequence[tuple[float, int]]) -> float | None:
    """The confidence of sentences with these means and lengths; None where nothing is known.

    >>> round(calibrated([(-0.1, 10), (-0.7, 10)]), 2), calibrated([])
    (0.62, None)
    """
    size = sum(length for _, length in means)
    if not size:
        return None
    mean = sum(mean * length for mean, length in means) / size
    return 1 / (1 + math.exp(-(OFFSET + SLOPE * max(mean, -20.0))))
