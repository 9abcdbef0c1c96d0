"""Which labels a picture may have of which a part is seen, so that the rest is drawn under one of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lamella.decode import code_grid
from lamella.task import Array, GraphLike
from lamella.tasks.image_generation.kinds import Kinds, of_labels

MOST = 32  # labels that are tried where the model has no net that reads them


def guessed(
    graphs: Mapping[str, GraphLike], pictures: Array, hidden: Array, codes: Array, kinds: Kinds, count: int, config: Any
) -> Array:
    """A kind for each of the `number` pictures that each picture becomes: (B, N); 0 where there are none.

    pictures (B, C, S, S), their hidden points (B, S, S), and their codes (B, T) as far as they are known; count: of labels.
    In training a kind is seldom left out, so the net completes a picture much better under one than under none. What is drawn
    is shared out among the labels by how likely these are given what is seen, the most likely one first, and what a label
    gets among its kinds.
    """
    number = config.number
    if "read" not in graphs and (kinds.labels or not 1 < count <= MOST):
        return np.zeros((len(codes), number), np.int64)
    if "read" in graphs:
        likely = read(graphs, pictures, hidden)
    else:  # a model of before there was one: how likely does each label make what is seen?

        def predict(given: Array, label: Array) -> Array:
            return graphs["fill"](codes=given, label=label)["scores"]

        likely = code_grid.label_likelihoods(predict, codes, count)
    if not kinds.labels or not count:
        return code_grid.shared_out(likely, number, config.temperature)
    labels = code_grid.shared_out(of_labels(likely, kinds, count), number, config.temperature)
    out = np.zeros_like(labels)
    for row, own in enumerate(labels):
        for label in set(own.tolist()):
            members = np.flatnonzero(np.array(kinds.labels) == label)
            places = np.flatnonzero(own == label)
            shared = code_grid.shared_out(likely[row : row + 1, members], len(places), config.temperature)
            out[row, places] = members[shared[0] - 1] + 1
    return out


def read(graphs: Mapping[str, GraphLike], pictures: Array, hidden: Array | None = None) -> Array:
    """How likely each kind is of pictures (B, C, S, S) of which points (B, S, S) are hidden: log-probabilities (B, K)."""
    gone = np.zeros((len(pictures), *pictures.shape[2:])) if hidden is None else hidden
    return graphs["read"](pictures=pictures.astype(np.float32), hidden=(gone != 0).astype(np.float32))["labels"]
