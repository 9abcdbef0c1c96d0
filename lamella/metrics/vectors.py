"""Measures of vectors that were learned without labels: how many directions they use, and what lies next to what."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.metrics.resample import Floats
from lamella.task import Scores


def embeddings(vectors: NDArray[Any], labels: Sequence[str] = ()) -> Scores:
    """The effective rank (RankMe; Garrido et al., 2023): the exponential of the entropy of the singular values, 1 to D.

    It needs no labels, is 1 where all vectors are the same (a collapse), and goes with how useful the vectors are later.
    With labels, `neighbours` is how often the nearest other vector has the same one, among those that have one: "" is none.
    vectors (N, D), labels N.

    >>> scores = embeddings(np.eye(4), ["a", "a", "b", "b"])
    >>> round(scores.values["rank"], 3), sorted(scores.values)
    (4.0, ['neighbours', 'rank'])
    """
    rows = np.asarray(vectors, np.float64)
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -np.inf)
    known = len({*labels} - {""}) > 1
    names = np.array(labels) if known else np.full(len(rows), "")
    labelled = names != ""
    cosines[:, ~labelled] = -np.inf
    alike = names[cosines.argmax(axis=1)] == names

    def measure(weights: Floats) -> dict[str, float]:
        # The singular values of the rows are the roots of the eigenvalues of their products, fewer and faster.
        values = np.sqrt(np.linalg.eigvalsh((rows * weights[:, None]).T @ rows).clip(0))
        shares = values / max(values.sum(), 1e-12)
        shares = shares[shares > 1e-12]
        found = {"rank": float(np.exp(-(shares * np.log(shares)).sum()))}
        return (
            {**found, "neighbours": float((weights * alike)[labelled].sum() / max(weights[labelled].sum(), 1e-12))}
            if known
            else found
        )

    return Scores(len(rows), measure)
