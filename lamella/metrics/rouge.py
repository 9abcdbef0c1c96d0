"""Measures of summaries: ROUGE and chrF against one or several references, and the share with facts from elsewhere."""

import re
from collections.abc import Callable, Sequence
from importlib.metadata import version

import numpy as np

from lamella.errors import MissingExtra
from lamella.metrics.resample import Floats
from lamella.task import Scores

ROUGE = ("rouge1", "rouge2", "rougeL")
OTHER_LETTERS = 0.01  # share of letters that are none of English, from which on words are those of Unicode


class _Words:
    """A tokenizer for rouge-score that keeps letters of every script; its own keeps a to z alone."""

    def tokenize(self, text: str) -> list[str]:
        return re.findall(r"\w+", text.lower())


def summaries(answers: Sequence[str], wanted: Sequence[Sequence[str]], unsupported: Sequence[bool]) -> Scores:
    """ROUGE-1, ROUGE-2 and ROUGE-L (Lin, 2004) by rouge-score, F-measures from 0 to 1; chrF by sacrebleu, 0 to 100.

    wanted: the references of each answer; the best one counts, as is usual. unsupported: whether an answer has a number or a
    name that its text has not; their share is a measure too. English is stemmed (Porter); other languages are compared word
    by word, since rouge-score drops their letters. The notes say which it was.
    """
    try:
        from rouge_score.rouge_scorer import RougeScorer
        from sacrebleu.metrics import CHRF
    except ImportError as error:
        raise MissingExtra("ROUGE and chrF", "evaluate") from error
    letters = "".join(filter(str.isalpha, (c for references in wanted for text in references for c in text)))
    english = sum(not c.isascii() for c in letters) <= OTHER_LETTERS * len(letters)
    scorer = RougeScorer(ROUGE, use_stemmer=True) if english else RougeScorer(ROUGE, tokenizer=_Words())
    rows = []
    for answer, references in zip(answers, wanted, strict=True):
        each = [scorer.score(reference, answer) for reference in references]
        rows.append([max(found[name].fmeasure for found in each) for name in ROUGE])
    chrf = CHRF()
    most = max(map(len, wanted))
    columns = [[references[min(i, len(references) - 1)] for references in wanted] for i in range(most)]
    counts = np.array(chrf._extract_corpus_statistics(list(answers), columns), dtype=np.float64)
    chrf.corpus_score(list(answers), columns)  # the signature needs the number of references
    parts = np.concatenate([np.ones((len(rows), 1)), rows, np.array(unsupported, float)[:, None], counts], axis=1)

    def mean(place: int) -> Callable[[Floats], float]:
        return lambda sums: float(sums[place] / sums[0])

    measures: dict[str, Callable[[Floats], float]] = {name: mean(1 + i) for i, name in enumerate(ROUGE)}
    measures["chrF"] = lambda sums: float(chrf._compute_score_from_stats(sums[5:].astype(int).tolist()).score)
    measures["unsupported"] = mean(4)
    how = "Porter stemmer" if english else "words of Unicode, no stemmer"
    note = f"rouge-score {version('rouge-score')}, F-measure, {how}, the best of {most} references"
    return Scores.from_sums(parts, measures, {**dict.fromkeys(ROUGE, note), "chrF": str(chrf.get_signature())})
