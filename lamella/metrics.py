"""Measures, as thin calls to the reference implementations, in the form that `evaluate` can resample.

Every measure here is a function of sums over examples: of counts of matched n-grams, of cells of a confusion matrix.
With the sums kept for each example, a bootstrap interval (Koehn, 2004) costs a matrix product, not a second decoding.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.errors import MissingExtra
from lamella.task import Scores

Floats = NDArray[np.float64]


def translation(answers: Sequence[str], wanted: Sequence[str]) -> Scores:
    """chrF (Popović, 2015) and BLEU (Papineni et al., 2002) by sacrebleu (Post, 2018), both 0 to 100, with signatures."""
    try:
        from sacrebleu.metrics import BLEU, CHRF
    except ImportError as error:
        raise MissingExtra("BLEU and chrF", "evaluate") from error
    parts, measures, notes, first = [], {}, {}, 0
    for name, metric in (("chrF", CHRF()), ("BLEU", BLEU())):
        # The corpus scores of sacrebleu are functions of these per-sentence counts; a test compares them with its own.
        counts = np.array(metric._extract_corpus_statistics(list(answers), [list(wanted)]), dtype=np.float64)
        metric.corpus_score(list(answers), [list(wanted)])  # the signature needs the number of references
        parts.append(counts)
        measures[name] = _from_counts(metric, slice(first, first + counts.shape[1]))
        notes[name] = str(metric.get_signature())
        first += counts.shape[1]
    return Scores(np.concatenate(parts, axis=1), measures, notes)


def _from_counts(metric: Any, columns: slice) -> Callable[[Floats], float]:
    return lambda sums: float(metric._compute_score_from_stats(sums[columns].astype(int).tolist()).score)


def classification(answers: Sequence[str], wanted: Sequence[str], labels: Sequence[str]) -> Scores:
    """Accuracy, and F1 as the mean over the labels (macro) and weighted by how often each is wanted, all 0 to 1."""
    index = {label: i for i, label in enumerate(labels)}
    parts = np.zeros((len(wanted), len(labels) ** 2 + 1))
    for row, answer, right in zip(parts, answers, wanted, strict=True):
        # A label that training never saw is wrong whatever the answer: it stands in the last column.
        row[index[right] * len(labels) + index[answer] if right in index else -1] = 1

    def table(sums: Floats) -> Floats:
        return sums[:-1].reshape(len(labels), len(labels))

    def f1(sums: Floats) -> Floats:
        cells = table(sums)
        found: Floats = 2 * cells.diagonal() / np.maximum(cells.sum(axis=0) + cells.sum(axis=1), 1)
        return found

    def weighted(sums: Floats) -> float:
        return float((f1(sums) * table(sums).sum(axis=1)).sum() / max(1.0, sums.sum()))

    def macro(sums: Floats) -> float:
        seen = table(sums).sum(axis=1) > 0
        return float(f1(sums)[seen].mean()) if seen.any() else 0.0

    def accuracy(sums: Floats) -> float:
        return float(table(sums).trace() / max(1.0, sums.sum()))

    return Scores(parts, {"accuracy": accuracy, "f1_weighted": weighted, "f1_macro": macro})


def intervals(scores: Scores, resamples: int = 1000, seed: int = 0) -> dict[str, dict[str, float]]:
    """Each measure with its 95% bootstrap interval: {"chrF": {"value", "low", "high"}}."""
    chance = np.random.default_rng(seed)
    count = len(scores.parts)
    whole = scores.parts.sum(axis=0)
    sums = np.stack([chance.multinomial(count, np.full(count, 1 / count)) @ scores.parts for _ in range(resamples)])
    found = {}
    for name, measure in scores.measures.items():
        low, high = np.percentile([measure(row) for row in sums], [2.5, 97.5])
        found[name] = {"value": measure(whole), "low": float(low), "high": float(high)}
    return found
