"""How sure a translation is: the net's own probability of its pieces, calibrated on held-out text.

Two things are kept apart. The `score` of an answer is a scale of its own, by which the rules around the net go: whether a
dictionary is asked, whether an unknown name stays. Its confidence is what people and programs are told: the share of
answers like this one that were good, which is a chrF of 50 or more against a reference. It follows a curve that is fitted
to each direction of a net, so a new curve changes no translation. `recipes.translation.confidence` fits the curves that
ship, and `bench.translation_confidence` compares what is said with what is so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from lamella.data.text.languages import base_code

OFFSET, SLOPE = 2.4, 4.8  # of the score, to which the thresholds of the rules were set
DOUBTED, REPAIRED = (
    0.6,
    0.85,
)  # what remains of it for each thing that is doubtful, and where a sentence needed a fallback
LEAST = -20.0  # mean log-probability
FAR = 30.0  # log-odds, beyond which nothing changes
TYPICAL = 40  # characters of a text to which the offset of a curve belongs


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


class Evidence(NamedTuple):
    """What is known of how good a translation is.

    mean: the log-probability of a piece, the mean over its sentences. length: of these together, in characters. doubts: how
    many things may be wrong. repaired: the share of sentences that needed a fallback.
    """

    mean: float
    length: int
    doubts: int = 0
    repaired: float = 0.0

    @property
    def score(self) -> float:
        """From 0 to 1, for the rules around the net; no probability.

        >>> round(Evidence(-0.4, 10).score, 2), round(Evidence(-0.4, 10, doubts=1).score, 2)
        (0.62, 0.37)
        """
        sure = 1 / (1 + math.exp(-(OFFSET + SLOPE * max(self.mean, LEAST))))
        return sure * DOUBTED**self.doubts * (1 - self.repaired + self.repaired * REPAIRED)


def evidence_of(sentences: Sequence[tuple[float, int]], doubts: int, repaired: float) -> Evidence | None:
    """What is known of a text from the means and lengths of its sentences; None where nothing is.

    >>> evidence_of([(-0.25, 10), (-0.75, 30)], 1, 0.5)
    Evidence(mean=-0.625, length=40, doubts=1, repaired=0.5)
    """
    size = sum(length for _, length in sentences)
    if not size:
        return None
    return Evidence(sum(mean * length for mean, length in sentences) / size, size, doubts, repaired)


class Curve(NamedTuple):
    """The logistic curve of one direction of a net; what is not fitted to any other net is an average of those that ship.

    Of two answers with the same mean the longer one is the likelier to be good: what is wrong in it is the smaller part.
    """

    offset: float = 3.0
    slope: float = 5.6
    length: float = 0.5  # for each time that a text is e times as long
    doubt: float = -0.45  # for each thing that may be wrong
    repaired: float = -0.15

    def confidence(self, evidence: Evidence) -> float:
        """The share of answers like this one that are good.

        >>> curve = Curve()
        >>> [round(curve.confidence(Evidence(mean, length)), 2) for mean, length in ((-0.1, 40), (-0.8, 40), (-0.8, 160))]
        [0.92, 0.19, 0.31]
        """
        long = math.log(max(evidence.length, 1.0) / TYPICAL)
        logit = self.offset + self.slope * max(evidence.mean, LEAST) + self.length * long
        logit += self.doubt * evidence.doubts + self.repaired * evidence.repaired
        return 1 / (1 + math.exp(-min(max(logit, -FAR), FAR)))


PLAIN = Curve()


def curve_of(curves: Mapping[str, Sequence[float]], src: str, dst: str) -> Curve:
    """The curve of a direction: of a net that has none of its own the plain one.

    >>> curve_of({"en-fr": [2.0, 5.0]}, "en_GB", "fr").offset, curve_of({}, "en", "fr") == PLAIN
    (2.0, True)
    """
    return Curve(*curves.get(f"{base_code(src)}-{base_code(dst)}", ())[: len(PLAIN)])
