"""Ranks among all candidates of a question that several answers are right to, and the measures that are made of them."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from lamella.metrics.resample import Floats
from lamella.task import Array, Scores

DEPTHS = (1, 3, 10)


def filtered_ranks(scores: Array, wanted: Array, others: Sequence[Array]) -> Floats:
    """The rank, from 1, of the wanted candidate of each row among those that are not right as well.

    scores (N, C); wanted (N,): the columns; others: for each row the columns that are right too and do not count against it
    (the filtered setting; Bordes et al., 2013). Equal scores share a rank, the mean of the best and the worst that they could
    have ("realistic"; Berrendorf et al., 2020).

    >>> few = np.array([[3.0, 2.0, 1.0], [1.0, 1.0, 1.0]])
    >>> filtered_ranks(few, np.array([1, 0]), [np.array([0]), np.array([], int)]).tolist()
    [1.0, 2.0]
    """
    ranks: Floats = np.empty(len(scores))
    for n, (row, right) in enumerate(zip(scores, wanted, strict=True)):
        counted = np.ones(len(row), bool)
        counted[others[n]] = False
        counted[right] = False
        rest = row[counted]
        ranks[n] = 1 + (rest > row[right]).sum() + (rest == row[right]).sum() / 2
    return ranks


def reciprocal(ranks: Sequence[Sequence[float]], notes: Mapping[str, str] | None = None) -> Scores:
    """The mean reciprocal rank, and hits at 1, 3 and 10: how often the right candidate is among the first.

    ranks: of each example one or several, from 1; each counts once.

    >>> {name: round(value, 3) for name, value in reciprocal([[1.0], [4.0, 2.0]]).values.items()}
    {'mrr': 0.583, 'hits_at_1': 0.333, 'hits_at_3': 0.667, 'hits_at_10': 1.0}
    """
    parts = np.array(
        [[len(row), sum(1 / r for r in row), *(sum(r <= k for r in row) for k in DEPTHS)] for row in ranks]
    )

    def mean(column: int) -> Callable[[Array], float]:
        return lambda sums: float(sums[column] / max(1e-12, sums[0]))

    names = ("mrr", *(f"hits_at_{k}" for k in DEPTHS))
    return Scores.from_sums(parts.astype(float), {name: mean(at) for at, name in enumerate(names, 1)}, notes)
