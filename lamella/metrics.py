"""Measures, as thin calls to the reference implementations, in the form that `evaluate` can resample.

Every measure here is a function of sums over examples: of counts of matched n-grams, of cells of a confusion matrix.
With the sums kept for each example, a bootstrap interval (Koehn, 2004) costs a matrix product, not a second decoding.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.errors import MissingExtra
from lamella.task import Example, Label, Scores, Task

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


def calibration(answers: Sequence[Any], wanted: Sequence[str], bins: int = 10) -> dict[str, Any]:
    """How sure the answers are beside how often they are right: {"sure", "right", "error", "bins"}.

    answers: dicts with "label" and "probabilities". The error is the expected calibration error (Guo et al., 2017): the
    gap between the two, bin by bin of ten equal steps of sureness, weighted by how many answers each holds.

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
    """F1 of each label that was wanted, the worst first: {"label", "f1", "count", "taken for"}.

    >>> by_label(["a", "b", "b"], ["a", "b", "a"])[0]["f1"]
    0.666...
    """
    found = []
    for label in sorted(set(wanted)):
        mine = [a for a, w in zip(answers, wanted, strict=True) if w == label]
        hits, said = mine.count(label), list(answers).count(label)
        wrong = [a for a in mine if a != label]
        most = max(sorted(set(wrong)), key=wrong.count) if wrong else ""
        found.append({"label": label, "f1": 2 * hits / (len(mine) + said), "count": len(mine), "taken for": most})
    return sorted(found, key=lambda row: (row["f1"], row["label"]))


def details(task: Task, answers: Sequence[Any], examples: Sequence[Example]) -> dict[str, Any]:
    """What stands beside the scores where answers are labels: calibration, and the labels that are answered worst."""
    if not (isinstance(task.answer, Label) and answers and all(isinstance(a, dict) and "label" in a for a in answers)):
        return {}
    wanted = [str(e[task.target]) for e in examples]
    found: dict[str, Any] = {"labels": by_label([a["label"] for a in answers], wanted)[:10]}
    if "probabilities" in answers[0]:
        found["calibration"] = calibration(answers, wanted)
    return found


def forecasts(
    answers: Sequence[Floats], wanted: Sequence[Floats], units: Sequence[float], levels: Sequence[float]
) -> Scores:
    """Of forecasts, each (Q, H) for quantiles at `levels`, the median first, then lower and upper ends in pairs.

    mase: the median's mean error in units of the seasonal-naive error before it (Hyndman and Koehler, 2006), where that is
    not zero. wql: the pinball losses of all quantiles, doubled, by the sum of what was wanted. coverage_80: how much of
    what was wanted lies between the 10% and the 90% quantile.
    """
    low, high = (levels.index(level) for level in (0.1, 0.9))
    rows = []
    for quantiles, values, unit in zip(answers, wanted, units, strict=True):
        short = values - quantiles  # (Q, H)
        level = np.array(levels)[:, None]
        loss = 2 * np.maximum(level * short, (level - 1) * short).mean(axis=0).sum()
        inside = (quantiles[low] <= values) & (values <= quantiles[high])
        scaled = np.abs(short[0]).mean() / unit if unit > 0 else 0.0
        rows.append([scaled, float(unit > 0), loss, np.abs(values).sum(), inside.sum(), values.size])

    def ratio(above: int) -> Callable[[Floats], float]:
        return lambda sums: float(sums[above] / max(sums[above + 1], 1e-12))

    return Scores(np.array(rows), {"mase": ratio(0), "wql": ratio(2), "coverage_80": ratio(4)})


def likelihood(
    totals: Sequence[float], units: Sequence[int], characters: Sequence[int], notes: dict[str, str]
) -> Scores:
    """How likely texts were found: the loss in nats a unit, bits a character, and perplexity; less is better.

    totals are the texts' log-probabilities in nats, units and characters their lengths.
    """

    def loss(sums: Floats) -> float:
        return float(sums[0] / max(1.0, sums[1]))

    measures: dict[str, Callable[[Floats], float]] = {
        "loss": loss,
        "bits_per_character": lambda sums: float(sums[0] / np.log(2) / max(1.0, sums[2])),
        "perplexity": lambda sums: float(np.exp(min(700.0, loss(sums)))),
    }
    return Scores(np.array([[-t for t in totals], units, characters], dtype=np.float64).T, measures, notes)


def reconstructions(errors: Sequence[tuple[float, float]], bounds: Sequence[float] = ()) -> Scores:
    """Of things made again: the mean squared error of a value, and, where there are such, the mean bound in nats.

    errors: of each thing the sum of its squared errors, and of how many values.
    """
    parts = np.array([(*pair, bound, 1.0) for pair, bound in zip(errors, bounds or [0.0] * len(errors), strict=True)])
    measures: dict[str, Callable[[Floats], float]] = {"error": lambda sums: float(sums[0] / max(1.0, sums[1]))}
    if bounds:
        measures["bound"] = lambda sums: float(sums[2] / max(1.0, sums[3]))
    return Scores(parts, measures)


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
