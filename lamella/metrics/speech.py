"""Measures of texts written down from speech: the shares of words and of letters that are wrong."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamella.metrics.resample import Floats
from lamella.task import Scores


def recognition(answers: Sequence[str], wanted: Sequence[str]) -> Scores:
    """WER and CER: edits (substitutions, insertions, deletions) per word and per letter wanted; and whole texts that are right.

    Both texts are split at white space; letters are counted with one space between words. Less is better; more than 1 is
    possible.

    >>> {k: round(v, 3) for k, v in recognition(["the cat sat"], ["a cat sat down"]).values.items()}
    {'WER': 0.5, 'CER': 0.571, 'right': 0.0}
    """
    rows = []
    for answer, text in zip(answers, wanted, strict=True):
        said, meant = answer.split(), text.split()
        edits = distance(said, meant)
        rows.append([edits, len(meant), distance(" ".join(said), " ".join(meant)), len(" ".join(meant)), edits == 0, 1])

    def share(errors: int, total: int) -> Callable[[Floats], float]:
        return lambda sums: float(sums[errors] / max(1.0, sums[total]))

    measures = {"WER": share(0, 1), "CER": share(2, 3), "right": share(4, 5)}
    return Scores.from_sums(np.array(rows, np.float64).reshape(-1, 6), measures)


def distance(one: Sequence[Any], other: Sequence[Any]) -> int:
    """The fewest edits that make one sequence of the other (Levenshtein, 1966).

    >>> distance("kitten", "sitting"), distance("", "ab")
    (3, 2)
    """
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]
