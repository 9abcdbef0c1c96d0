"""The weights of a Transformer in int8, read out of its graphs, where it is one that is compiled."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.graphs.apart import GRAPH, PREFIX, STORED, WEIGHTS, array_of
from lamella.storage.protobuf import BYTES, VARINT, Span, message_fields

Array = NDArray[Any]
NODE, INPUT, OUTPUT = 1, 11, 12  # in a graph
INT64, LONGEST = 7, 200  # onnx's number for it; bytes of a stored number with its name, at most
LANES = 16  # numbers of a register: the width of the net and of a head are multiples
LAYER = ("attention.query_key_value", "attention.out", "feed.up", "feed.down")
CROSS = ("cross.query", "cross.out")


@dataclass(frozen=True)
class Weights:
    """A net's sizes, and its arrays by name: bytes (in, out) with the scales of columns, tables (rows, width) with those of rows."""

    width: int
    heads: int
    inner: int
    encoders: int
    decoders: int
    best: int  # how many tokens a step returns
    arrays: dict[str, Array]

    @property
    def table(self) -> Array:
        """The vectors of pieces, on both sides and for scores."""
        return self.arrays["table_int8"]

    @property
    def table_scale(self) -> Array:
        return self.arrays["table_scale"]

    @property
    def places(self) -> Array:
        """The decoder's vectors of positions, in bytes."""
        return self.arrays["positions_int8"]

    @property
    def places_scale(self) -> Array:
        return self.arrays["positions_scale"]

    @property
    def positions(self) -> Array:
        """The encoder's."""
        return self.arrays["positions"]

    @property
    def pieces(self) -> int:
        return len(self.table)

    @property
    def longest(self) -> int:
        return min(len(self.positions), len(self.places))

    @property
    def factor(self) -> float:
        """What a looked up vector is multiplied by (Vaswani et al., 2017)."""
        return math.sqrt(self.width)


def read_weights(encode: bytes, step: bytes) -> Weights | None:
    """The graphs `encode` and `step` of a net with a shortlist -> its weights; None where it is another kind of net."""
    arrays: dict[str, Array] = {}
    sizes: dict[str, list[int]] = {}
    for raw in (encode, step):
        for number, kind, _, span in message_fields(raw, 0, len(raw)):
            if (number, kind) == (GRAPH, BYTES):
                _read(raw, span, arrays, sizes)
    if "columns" not in sizes or "keys_0" not in sizes or "table_int8" not in arrays or "scores" not in sizes:
        return None
    counts = [
        len({name.split(".")[1] for name in arrays if name.startswith(f"{side}.")}) for side in ("encoder", "decoder")
    ]
    pieces, width = arrays["table_int8"].shape
    up = arrays.get("encoder.0.feed.up.weight_int8", np.zeros((0, 0)))
    found = Weights(width, sizes["keys_0"][2], up.shape[1], counts[0], counts[1], sizes["scores"][2], arrays)
    fits = width % LANES == 0 and width % (LANES * found.heads) == 0 and found.inner % LANES == 0
    wanted = _shapes(found, pieces)
    return found if fits and {name: array.shape for name, array in arrays.items()} == wanted else None


@dataclass(frozen=True)
class Encoder:
    """An encoder with a tied table, as `Weights`."""

    width: int
    heads: int
    inner: int
    layers: int
    arrays: dict[str, Array]

    @property
    def longest(self) -> int:
        return len(self.arrays["positions"])


def read_encoder(fill: bytes) -> Encoder | None:
    """The graph `fill` of a net that fills masks -> its weights; None where it is another kind of net."""
    arrays: dict[str, Array] = {}
    heads = 0
    for number, kind, _, span in message_fields(fill, 0, len(fill)):
        if (number, kind) == (GRAPH, BYTES):
            _read(fill, span, arrays, {})
            heads = _heads(fill, span)
    if "table_int8" not in arrays or "positions" not in arrays or not heads:
        return None
    (pieces, width), up = arrays["table_int8"].shape, arrays.get("blocks.0.feed.up.weight_int8")
    layers = len({name.split(".")[1] for name in arrays if name.startswith("blocks.")})
    found = Encoder(width, heads, 0 if up is None else up.shape[1], layers, arrays)
    shapes: dict[str, tuple[int, ...]] = {
        "table_int8": (pieces, width), "table_scale": (pieces,), "output_bias": (pieces,), "positions": (found.longest, width),
        **_block_shapes("blocks", layers, width, found.inner), **_norm_shapes(["norm"], width),
    }  # fmt: skip
    fits = width % (LANES * heads) == 0 and found.inner % LANES == 0
    return found if fits and {name: array.shape for name, array in arrays.items()} == shapes else None


def _heads(raw: bytes, span: Span) -> int:
    """How many heads attention has: where it parts vectors into heads, their shape is (batch, time, heads, size); 0 if nowhere."""
    numbers: dict[str, int] = {}
    parted: list[str] = []
    for number, kind, _, inner in message_fields(raw, *span):
        if (number, kind) == (STORED, BYTES) and inner[1] - inner[0] < LONGEST:
            shape, form, name, (begin, end) = array_of(raw, inner)
            if (shape, form, end - begin) == ([1], INT64, 8):
                numbers[name] = int.from_bytes(raw[begin:end], "little", signed=True)
        elif (number, kind) == (NODE, BYTES) and not parted and raw.find(b"Concat", *inner) >= 0:
            names = [
                raw[a:b].decode() for part, form, _, (a, b) in message_fields(raw, *inner) if (part, form) == (1, BYTES)
            ]
            parted = names if len(names) == 4 else []
    return max(0, numbers.get(parted[2], 0)) if parted else 0


def _shapes(net: Weights, pieces: int) -> dict[str, tuple[int, ...]]:
    """The shape of every array that such a net has."""
    w = net.width
    places = net.arrays.get("positions_int8", np.zeros((0, 0))), net.arrays.get("positions", np.zeros((0, 0)))
    shapes: dict[str, tuple[int, ...]] = {
        "table_int8": (pieces, w), "table_scale": (pieces,), "positions": (len(places[1]), w),
        "positions_int8": (len(places[0]), w), "positions_scale": (len(places[0]),),
    }  # fmt: skip
    for side, count in (("encoder", net.encoders), ("decoder", net.decoders)):
        shapes |= _block_shapes(side, count, w, net.inner, crossed=side == "decoder")
    return shapes | _norm_shapes(["norm_encoder", "norm_decoder"], w)


def _block_shapes(side: str, count: int, width: int, inner: int, crossed: bool = False) -> dict[str, tuple[int, ...]]:
    """The shape of every array of so many blocks."""
    sizes = {
        "query_key_value": (width, 3 * width),
        "key_value": (width, 2 * width),
        "up": (width, inner),
        "down": (inner, width),
    }
    shapes: dict[str, tuple[int, ...]] = {}
    for i in range(count):
        norms = [f"{side}.{i}.{name}" for name in ("norm_attention", "norm_feed", *["norm_cross"] * crossed)]
        shapes |= _norm_shapes(norms, width)
        for name in (*LAYER, *(*CROSS, "cross.key_value") * crossed):
            rows, columns = sizes.get(name.rpartition(".")[2], (width, width))
            path = f"{side}.{i}.{name}"
            shapes |= {
                f"{path}.weight_int8": (rows, columns),
                f"{path}.weight_scale": (columns,),
                f"{path}.bias": (columns,),
            }
    return shapes


def _norm_shapes(names: Sequence[str], width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.{part}": (width,) for name in names for part in ("weight", "bias")}


def _read(raw: bytes, span: Span, arrays: dict[str, Array], sizes: dict[str, list[int]]) -> None:
    """The arrays of a graph by the names of the net, and the sizes of its inputs and outputs, 0 for those that are free."""
    for number, kind, _, inner in message_fields(raw, *span):
        if (number, kind) == (STORED, BYTES):
            shape, form, name, (begin, end) = array_of(raw, inner)
            if (
                name.startswith(PREFIX)
                and form in WEIGHTS
                and (end - begin) == math.prod(shape) * WEIGHTS[form].itemsize
            ):
                data = np.frombuffer(raw, np.uint8, end - begin, begin)
                whole = data.view(np.int8) if form == 3 else np.frombuffer(data.tobytes(), WEIGHTS[form])
                arrays[name.removeprefix(PREFIX)] = whole.reshape(shape)
        elif number in (INPUT, OUTPUT) and kind == BYTES:
            name, shape = _sizes(raw, inner)
            sizes[name] = shape


def _sizes(raw: bytes, span: Span) -> tuple[str, list[int]]:
    """A value's name and its sizes: in onnx.proto3, name 1, type 2, of a tensor 1, its shape 2, of each axis 1, its size 1."""
    name, spans = "", [span]
    for number, kind, _, (a, b) in message_fields(raw, *span):
        if (number, kind) == (1, BYTES):
            name = raw[a:b].decode()
    for step in (2, 1, 2):
        spans = [
            inner
            for one in spans
            for number, kind, _, inner in message_fields(raw, *one)
            if (number, kind) == (step, BYTES)
        ]
    axes = [
        inner for one in spans for number, kind, _, inner in message_fields(raw, *one) if (number, kind) == (1, BYTES)
    ]
    return name, [
        next((a for number, kind, _, (a, _) in message_fields(raw, *axis) if (number, kind) == (1, VARINT)), 0)
        for axis in axes
    ]
