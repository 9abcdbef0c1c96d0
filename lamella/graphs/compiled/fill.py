"""An encoder that fills masks, compiled: the log-probability of each piece at one place of each text."""

import ctypes
from ctypes import byref, c_void_p

import numpy as np

from lamella.graphs.compiled.packed import Array, Layer, Matrix, Net, Norm, Packed, address_of
from lamella.graphs.compiled.weights import Encoder

FILL = "fill.onnx"


class CompiledFill(Packed):
    """As the graph `fill`. Of the last layer only what is asked for is computed."""

    files = (FILL,)  # whose work it does

    def __init__(self, functions: ctypes.CDLL, weights: Encoder, threads: int) -> None:
        super().__init__(functions, weights.arrays, threads)
        w, arrays = weights, weights.arrays
        self.weights = weights
        self._layers = (Layer * w.layers)(*(self.layer(f"blocks.{i}") for i in range(w.layers)))
        pieces = len(arrays["table_int8"])
        packed, zero = self.packed(arrays["table_int8"], np.arange(pieces))
        self._table = Matrix(
            w.width,
            pieces,
            *(self.at(one) for one in (packed, arrays["table_scale"], arrays["output_bias"], zero)),
        )
        self.net = Net(
            w.width, w.heads, w.inner, pieces, w.longest, w.layers, 0,
            self.at(arrays["table_int8"]), None, self.at(arrays["table_scale"]), None, self.at(arrays["positions"]),
            w.width**0.5, self._layers, None, self.norm("norm"), Norm(),
        )  # fmt: skip

    def answer(self, inputs: dict[str, Array]) -> dict[str, Array] | None:
        """pieces (B, T), asked (B, T) -> log_probability (B, V); None for what the graph takes and this does not.

        That is a text with padding inside, without a piece, or with several places or none asked for.
        """
        pieces, asked = np.ascontiguousarray(inputs["pieces"], np.int64), inputs["asked"]
        there = pieces != 0
        lengths, places = there.sum(axis=1), asked.argmax(axis=1)
        whole = there == (np.arange(pieces.shape[1]) < lengths[:, None])
        one = (asked.sum(axis=1) == 1) & (asked.max(axis=1) == 1)
        if not (len(pieces) and whole.all() and one.all() and (places < lengths).all()):
            return None
        out = np.empty((len(pieces), self._table.columns), np.float32)
        each = pieces, lengths, places, out
        at = [(address_of(array), array.strides[0]) for array in each]

        def fill(first: int, last: int) -> int:
            pieces_at, lengths_at, places_at, out_at = (c_void_p(place + first * stride) for place, stride in at)
            failed: int = self.functions.fill(
                byref(self.net),
                byref(self._table),
                pieces_at,
                pieces.shape[1],
                lengths_at,
                places_at,
                last - first,
                out_at,
            )
            return failed

        self.spread(fill, self.parts(len(pieces)))
        return {"log_probability": out}
