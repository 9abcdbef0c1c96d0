"""Measures of texts: BLEU and chrF against references, and the likelihood of a text."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamella.errors import MissingExtra
from lamella.metrics import ranking
from lamella.metrics.resample import Floats
from lamella.task import Scores


def translation(answers: Sequence[str], wanted: Sequence[str]) -> Scores:
    """chrF (Popović, 2015) and BLEU (Papineni et al., 2002) by sacrebleu (Post, 2018), both 0 to 100, with signatures."""
    return Scores.from_sums(*_overlaps(answers, [list(wanted)]))


def captions(
    answers: Sequence[str],
    wanted: Sequence[Sequence[str]],
    vectors: Sequence[tuple[Sequence[float], Sequence[Sequence[float]]]] = (),
) -> Scores:
    """chrF and BLEU of captions against all references of their pictures, and with vectors the recalls of search.

    vectors: of each picture its own, and those of its captions. recall_at_1, mrr: how often one of the picture's captions is
    the nearest of all captions, and the mean of 1 / its place; text_recall_at_1, text_mrr: the same of the picture that a
    caption finds, the mean over a picture's captions.
    """
    most = max(map(len, wanted))
    streams = [[texts[i] if i < len(texts) else None for texts in wanted] for i in range(most)]
    parts, measures, notes = _overlaps(answers, streams)
    different = len(set(answers))
    notes["captions"] = f"{different} different captions of {len(answers)} pictures"
    if vectors:
        hits = ranking.both_ways([v for v, _ in vectors], [of for _, of in vectors], wanted)
        for name, column in hits.items():
            measures[name] = _mean_of(parts.shape[1])
            parts = np.concatenate([parts, np.asarray(column)[:, None]], axis=1)
        parts = np.concatenate([parts, np.ones((len(parts), 1))], axis=1)
    return Scores.from_sums(parts, measures, notes)


def _mean_of(column: int) -> Callable[[Floats], float]:
    """The mean of a column, the last column being ones."""
    return lambda sums: float(sums[column] / max(1.0, sums[-1]))


def _overlaps(
    answers: Sequence[str], references: Sequence[Sequence[str | None]]
) -> tuple[Floats, dict[str, Callable[[Floats], float]], dict[str, str]]:
    """Counts (N, M) of matched n-grams, chrF and BLEU as functions of their sums, and signatures.

    references: one or several streams of N texts, None where an example has no more of them.
    """
    try:
        from sacrebleu.metrics import BLEU, CHRF
    except ImportError as error:
        raise MissingExtra("BLEU and chrF", "evaluate") from error
    streams: Any = [list(stream) for stream in references]
    parts, first = [], 0
    measures: dict[str, Callable[[Floats], float]] = {}
    notes: dict[str, str] = {}
    for name, metric in (("chrF", CHRF()), ("BLEU", BLEU())):
        # The corpus scores of sacrebleu are functions of these per-sentence counts; a test compares them with its own.
        counts = np.array(metric._extract_corpus_statistics(list(answers), streams), dtype=np.float64)
        metric.corpus_score(list(answers), streams)  # the signature needs the number of references
        parts.append(counts)
        measures[name] = _from_counts(metric, slice(first, first + counts.shape[1]))
        notes[name] = str(metric.get_signature())
        first += counts.shape[1]
    return np.concatenate(parts, axis=1), measures, notes


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
