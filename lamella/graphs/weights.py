"""The weights of a model's graphs under the names of its net: the start of fine-tuning and of gradients.

The exporter keeps a parameter's name, `net.encoder.0.feed.up.weight`; int8 stores it as bytes with a scale for each row or
column beside them. An array that the exporter folded into another one has lost its name and is missing here.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.graphs import wire
from lamella.graphs.apart import PREFIX, WEIGHTS

Array = NDArray[Any]


def named_weights(files: Mapping[str, bytes]) -> dict[str, Array]:
    """Files of a model -> its weights by name in float32, those of int8 multiplied out."""
    weights: dict[str, Array] = {}
    for file, raw in sorted(files.items()):
        if not file.endswith(".onnx"):
            continue
        arrays = {
            name: np.frombuffer(raw[slice(*kept.data)], WEIGHTS[kept.kind]).reshape(kept.shape)
            for name, kept in wire.read(raw).stored.items()
            if kept.kind in WEIGHTS and kept.data is not None
        }
        for name, array in arrays.items():
            if not name.startswith(PREFIX) or name.endswith(("_scale", "_zero")):
                continue
            plain = name.removeprefix(PREFIX)
            scale = arrays.get(f"{name.removesuffix('_int8')}_scale")
            if array.dtype == np.int8 and name.endswith("_int8") and scale is not None and array.ndim == 2:
                # A scale a row in tables, a column in products.
                by_row = len(scale) == array.shape[0] and (
                    array.shape[0] != array.shape[1] or plain.endswith("table_int8")
                )
                weights[plain.removesuffix("_int8")] = array * (scale[:, None] if by_row else scale[None, :])
            elif array.dtype == np.float32:
                weights[plain] = array
    return weights
