"""Measures of words that were filled in: how often the right one is first or among five, and how likely it was."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lamella.metrics.resample import Floats
from lamella.task import Scores

FEW = 5
LEAST = 1e-6  # of the probability is left for words that were not named


def fillings(answers: Sequence[Mapping[str, Any]], wanted: Sequence[Sequence[str]], vocabulary: int) -> Scores:
    """Top-1 and top-5 accuracy, loss in nats a word and pseudo-perplexity; less loss is better.

    answers: each with "fillings", best first, each of these with "words" and "probability". wanted: the right words of each.
    vocabulary: how many words there are, which share evenly what the words that were named leave of the probability: so
    the loss is an upper bound of what the net itself gives.
    """
    parts = [
        _counts(answer["fillings"], list(words), vocabulary) for answer, words in zip(answers, wanted, strict=True)
    ]

    def loss(sums: Floats) -> float:
        return float(sums[2] / max(1.0, sums[3]))

    measures: dict[str, Callable[[Floats], float]] = {
        "loss": loss,
        "pseudo_perplexity": lambda sums: float(np.exp(min(700.0, loss(sums)))),
        "top_1": lambda sums: float(sums[0] / max(1.0, sums[4])),
        "top_5": lambda sums: float(sums[1] / max(1.0, sums[4])),
    }
    note = {"loss": f"nats a word, an upper bound: what is not named is shared by {vocabulary:,} words"}
    return Scores.from_sums(np.array(parts, np.float64).reshape(-1, 5), measures, note)


def _counts(found: Sequence[Mapping[str, Any]], words: list[str], vocabulary: int) -> list[float]:
    """(is first, is among five, minus the log-probability, words, 1) of one answer.

    >>> _counts([{"words": ["a"], "probability": 0.5}, {"words": ["b"], "probability": 0.25}], ["b"], 100)[:2]
    [0.0, 1.0]
    """
    place = next((i for i, one in enumerate(found) if list(one["words"]) == words), None)
    if place is not None:
        probability = float(found[place]["probability"])
    else:
        left = max(LEAST, 1.0 - sum(float(one["probability"]) for one in found))
        probability = left / max(1, vocabulary) ** max(1, len(words))
    first, few = place == 0, place is not None and place < FEW
    return [float(first), float(few), -float(np.log(max(probability, 1e-30))), float(max(1, len(words))), 1.0]
