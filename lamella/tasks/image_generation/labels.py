"""Which labels a picture may have of which a part is seen, so that the rest is drawn under one of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lamella.decode import code_grid
from lamella.task import Array, GraphLike

MOST = 32  # labels that are tried


def guessed(graphs: Mapping[str, GraphLike], codes: Array, count: int, config: Any) -> Array:
    """A label for each of the `number` pictures that each row of codes (B, T) becomes: (B, N); 0 where there are none, or too many.

    In training a label is seldom left out, so the net completes a picture much better under a label than under none. Labels
    are drawn by how likely they make what is seen; then a completion has the probability that it has given that.
    """
    if not 1 < count <= MOST:
        return np.zeros((len(codes), config.number), np.int64)

    def predict(given: Array, label: Array) -> Array:
        return graphs["fill"](codes=given, label=label)["scores"]

    rngs = [np.random.default_rng([config.seed, count, 1]) for _ in codes]
    return code_grid.drawn_labels(predict, codes, count, rngs, config.number, config.temperature)
