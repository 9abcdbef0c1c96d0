"""Which labels a picture may have of which a part is seen, so that the rest is drawn under one of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lamella.decode import code_grid
from lamella.task import Array, GraphLike

MOST = 32  # labels that are tried where the model has no net that reads them


def guessed(
    graphs: Mapping[str, GraphLike], pictures: Array, hidden: Array, codes: Array, count: int, config: Any
) -> Array:
    """A label for each of the `number` pictures that each picture becomes: (B, N); 0 where there are none.

    pictures (B, C, S, S), their hidden points (B, S, S), and their codes (B, T) as far as they are known. In training a label
    is seldom left out, so the net completes a picture much better under a label than under none. What is drawn is shared out
    among the labels by how likely these are given what is seen, the most likely one first.
    """
    number = config.number
    if count < 2 or ("read" not in graphs and count > MOST):
        return np.zeros((len(codes), number), np.int64)
    if "read" in graphs:
        likely = read(graphs, pictures, hidden)
    else:  # a model of before there was one: how likely does each label make what is seen?

        def predict(given: Array, label: Array) -> Array:
            return graphs["fill"](codes=given, label=label)["scores"]

        likely = code_grid.label_likelihoods(predict, codes, count)
    return code_grid.shared_out(likely, number, config.temperature)


def read(graphs: Mapping[str, GraphLike], pictures: Array, hidden: Array | None = None) -> Array:
    """How likely each label is of pictures (B, C, S, S) of which points (B, S, S) are hidden: log-probabilities (B, L)."""
    gone = np.zeros((len(pictures), *pictures.shape[2:])) if hidden is None else hidden
    return graphs["read"](pictures=pictures.astype(np.float32), hidden=(gone != 0).astype(np.float32))["labels"]
