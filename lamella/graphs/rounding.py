"""Float32 weights -> int8 with a scale for each row: shared by both kinds of int8."""

import numpy as np
from numpy.typing import NDArray

SMALLEST = 4096  # weights: smaller matrices gain nothing from int8


def round_rows(matrix: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """A matrix -> bytes of -127 to 127 and the scale of each slice, the largest of a slice becoming 127.

    >>> q, scale = round_rows(np.array([[1.0, -2.0]], np.float32), axis=1)
    >>> q.tolist(), round(float(scale[0, 0]), 4)
    ([[64, -127]], 0.0157)
    """
    scale = np.maximum(np.abs(matrix).max(axis=axis, keepdims=True), 1e-12).astype(np.float32) / 127
    return np.clip(np.rint(matrix / scale), -127, 127).astype(np.int8), scale
