"""Which labels a picture may have of which a part is seen, so that the rest is drawn under one of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lamella.decode import code_grid
from lamella.task import Array, GraphLike

MOST = 32  # labels that are tried


def guessed(graphs: Mapping[str, GraphLike], codes: Array, count: int, config: Any) -> Array:
    """A label for each of the `number` pictures that each row of codes (B, T) becomes: (B, N); 0 where there are none.

    In training a label is seldom left out, so the net completes a picture much better under a label than under none. The
    pictures are shared out among the labels by how likely these are given what is seen, the most likely one first.
    """
    number = config.number
    if count < 2:
        return np.zeros((len(codes), number), np.int64)
    out = graphs["fill"](codes=codes, label=np.zeros(len(codes), np.int64))
    if "labels" in out:
        return code_grid.shared_out(out["labels"], number, config.temperature)
    # A model of before nets said so: how likely does each label make what is seen?
    if count > MOST:
        return np.zeros((len(codes), number), np.int64)

    def predict(given: Array, label: Array) -> Array:
        return graphs["fill"](codes=given, label=label)["scores"]

    return code_grid.shared_out(code_grid.label_likelihoods(predict, codes, count), number, config.temperature)
