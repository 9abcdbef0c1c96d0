"""How far a model's own confidence is to be trusted: its calibration error, and whether it tells input that is not its own.

Which answers say how sure they are is for their kind of value to say (`Field.confidence`, `Field.right`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lamella.metrics.resample import Floats
from lamella.task import Answer, Example, Scores, Task

BINS = 10
RESAMPLES = 300


def confidences(task: Task, answers: Sequence[Answer]) -> Floats | None:
    """How sure each answer says it is (N,), larger where surer; None where one of them does not say it."""
    values = [task.answer.confidence(answer) for answer in answers]
    return None if not values or None in values else np.array(values, np.float64)


def calibration_error(task: Task, answers: Sequence[Answer], examples: Sequence[Example]) -> Scores | None:
    """The expected calibration error (Guo et al., 2017) of answers that are probabilities and right or wrong, as "error"."""
    sure = confidences(task, answers)
    right = [task.answer.right(a, e.get(task.target)) for a, e in zip(answers, examples, strict=True)]
    if sure is None or None in right:
        return None
    # Per step of confidence: how many answers, how sure they are together, and how many are right.
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    parts = np.zeros((len(sure), 3, BINS))
    parts[np.arange(len(sure)), :, place] = np.stack([np.ones(len(sure)), sure, np.array(right, float)], axis=1)

    def error(sums: Floats) -> float:
        count, surety, hits = sums.reshape(3, BINS)
        return float(np.abs(surety - hits).sum() / max(1.0, count.sum()))

    return Scores.from_sums(parts.reshape(len(sure), -1), {"error": error})


def auroc(inside: Floats, outside: Floats) -> float:
    """How often a value of `inside` (N,) is above one of `outside` (M,), ties half: the area under the ROC curve.

    >>> auroc(np.array([0.9, 0.8]), np.array([0.8, 0.1]))
    0.875
    """
    ranked = np.sort(outside)
    below, up_to = np.searchsorted(ranked, inside, "left"), np.searchsorted(ranked, inside, "right")
    return float((below + up_to).mean() / 2 / len(outside))


def told_apart(inside: Floats, outside: Floats, seed: int = 0) -> dict[str, Any]:
    """The AUROC of a model's confidence on its own kind of examples (N,) against others (M,), with its 95% bootstrap interval.

    Out: {"auroc": {"value", "low", "high"}, "count": {"inside", "outside"}}. .5: its confidence does not tell them apart.
    """
    rng = np.random.default_rng(seed)
    draws = [
        auroc(rng.choice(inside, len(inside)), rng.choice(outside, len(outside))) for _ in range(RESAMPLES)
    ]  # both sides are samples
    low, high = np.percentile(draws, [2.5, 97.5])
    figures = {"value": auroc(inside, outside), "low": float(low), "high": float(high)}
    return {"auroc": figures, "count": {"inside": len(inside), "outside": len(outside)}}
