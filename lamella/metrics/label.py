"""Measures of labels: accuracy, F1, calibration, and the labels with the lowest F1."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamella.metrics.resample import Floats
from lamella.task import Scores


def most_frequent(learn: Sequence[str], count: int) -> list[dict[str, Any]]:
    """The trivial answers to `count` examples: the most frequent label, with the labels' frequencies as probabilities.

    >>> most_frequent(["yes", "no", "yes", "yes"], 1)
    [{'label': 'yes', 'probabilities': {'yes': 0.75, 'no': 0.25}}]
    """
    counts = Counter(learn)
    label = max(sorted(counts), key=lambda name: counts[name])
    return [{"label": label, "probabilities": {k: n / len(learn) for k, n in counts.items()}}] * count


def classification(answers: Sequence[str], wanted: Sequence[str], labels: Sequence[str]) -> Scores:
    """Accuracy and F1, both 0 to 1; F1 as the mean over labels (macro) and weighted by how often each label occurs."""
    index = {label: i for i, label in enumerate(labels)}
    parts = np.zeros((len(wanted), len(labels) ** 2 + 1))
    for row, answer, right in zip(parts, answers, wanted, strict=True):
        # A label that training never saw cannot be answered: it is counted in the last column, which no measure calls right.
        row[index[right] * len(labels) + index[answer] if right in index else -1] = 1

    def table(sums: Floats) -> Floats:
        return sums[:-1].reshape(len(labels), len(labels))

    def f1(sums: Floats) -> Floats:
        cells = table(sums)
        values: Floats = 2 * cells.diagonal() / np.maximum(cells.sum(axis=0) + cells.sum(axis=1), 1)
        return values

    def weighted(sums: Floats) -> float:
        return float((f1(sums) * table(sums).sum(axis=1)).sum() / max(1.0, sums.sum()))

    def macro(sums: Floats) -> float:
        seen = table(sums).sum(axis=1) > 0
        return float(f1(sums)[seen].mean()) if seen.any() else 0.0

    def accuracy(sums: Floats) -> float:
        return float(table(sums).trace() / max(1.0, sums.sum()))

    return Scores.from_sums(parts, {"accuracy": accuracy, "f1_weighted": weighted, "f1_macro": macro})


def calibration(answers: Sequence[Any], wanted: Sequence[str], bins: int = 10) -> dict[str, Any]:
    """Calibration: mean confidence against accuracy, {"sure", "right", "error", "bins"}.

    answers: dicts with "label" and "probabilities". "error" is the expected calibration error (Guo et al., 2017): the gap
    between confidence and accuracy in each of `bins` equal steps of confidence, weighted by the number of answers in it.

    >>> sure = {"label": "a", "probabilities": {"a": 0.8, "b": 0.2}}
    >>> calibration([sure] * 4, ["a", "a", "a", "b"])["error"]
    0.05
    """
    surety = np.array([a["probabilities"][a["label"]] for a in answers], dtype=np.float64)
    right = np.array([a["label"] == w for a, w in zip(answers, wanted, strict=True)], dtype=np.float64)
    place = np.minimum((surety * bins).astype(int), bins - 1)
    rows = [
        {
            "sure": float(surety[place == b].mean()),
            "right": float(right[place == b].mean()),
            "count": int((place == b).sum()),
        }
        for b in range(bins)
        if (place == b).any()
    ]
    error = sum(r["count"] * abs(r["sure"] - r["right"]) for r in rows) / max(1, len(right))
    return {"sure": float(surety.mean()), "right": float(right.mean()), "error": error, "bins": rows}


def by_label(answers: Sequence[str], wanted: Sequence[str]) -> list[dict[str, Any]]:
    """F1 of each label that occurs, worst first: {"label", "f1", "count", "taken for"}.

    >>> by_label(["a", "b", "b"], ["a", "b", "a"])[0]["f1"]
    0.666...
    """
    rows = []
    for label in sorted(set(wanted)):
        given = [a for a, w in zip(answers, wanted, strict=True) if w == label]
        hits, answered = given.count(label), list(answers).count(label)
        wrong = [a for a in given if a != label]
        most = max(sorted(set(wrong)), key=wrong.count) if wrong else ""
        rows.append({"label": label, "f1": 2 * hits / (len(given) + answered), "count": len(given), "taken for": most})
    return sorted(rows, key=lambda row: (row["f1"], row["label"]))
