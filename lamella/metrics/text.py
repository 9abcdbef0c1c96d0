"""Measures of texts: BLEU and chrF against a reference, and the likelihood of a text."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamella.errors import MissingExtra
from lamella.metrics.resample import Floats
from lamella.task import Scores


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
    return Scores.from_sums(np.concatenate(parts, axis=1), measures, notes)


def _from_counts(metric: Any, columns: slice) -> Callable[[Floats], float]:
    return lambda sums: float(metric._compute_score_from_stats(sums[columns].astype(int).tolist()).score)


def likelihood(
    totals: Sequence[float], units: Sequence[int], characters: Sequence[int], notes: dict[str, str]
) -> Scores:
    """Loss in nats a token, bits a character, and perplexity; less is better.

    totals: the texts' log-probabilities in nats; units, characters: their lengths in tokens and in characters.
    """

    def loss(sums: Floats) -> float:
        return float(sums[0] / max(1.0, sums[1]))

    measures: dict[str, Callable[[Floats], float]] = {
        "loss": loss,
        "bits_per_character": lambda sums: float(sums[0] / np.log(2) / max(1.0, sums[2])),
        "perplexity": lambda sums: float(np.exp(min(700.0, loss(sums)))),
    }
    return Scores.from_sums(np.array([[-t for t in totals], units, characters], dtype=np.float64).T, measures, notes)
