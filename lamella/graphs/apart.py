"""A graph without its large arrays of bytes, and those as views of the file: the engine reads them where they lie.

    small, arrays = apart(raw)

The engine copies what it finds in a file twice before it runs. Weights in int8, which are nearly all of a shipped model, are
handed to it beside the file instead: a sixth of the time of opening, and a tenth of the memory.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.storage.protobuf import BYTES, VARINT, Span, message_field, message_fields, read_varint, varint

GRAPH, STORED = 7, 5  # the graph in a model, an array in a graph; these and those below are of onnx.proto3
SHAPE, KIND, NAME, RAW, OUTSIDE, PLACE = 1, 2, 8, 9, 13, 14  # in an array
KINDS: dict[int, Any] = {2: np.uint8, 3: np.int8}  # bytes lie well anywhere in a file, which larger numbers do not
WEIGHTS: dict[int, Any] = {
    1: np.dtype("<f4"),
    3: np.dtype(np.int8),
}  # what weights are stored as: onnx's numbers for float32, int8
PREFIX = "net."  # of their names
LEAST = 1 << 15  # bytes of an array that is worth the while


def apart(raw: bytes) -> tuple[bytes, dict[str, NDArray[Any]]]:
    """An ONNX file -> one that names its large arrays, and these by name. Only for files that came with the package.

    ValueError where it is no such file.
    """
    arrays: dict[str, NDArray[Any]] = {}
    parts, at = [], 0
    for number, kind, begin, span in message_fields(raw, 0, len(raw)):
        if (number, kind) == (GRAPH, BYTES):
            parts += [raw[at:begin], message_field(GRAPH, _named(raw, span, arrays))]
            at = span[1]
    return b"".join([*parts, raw[at:]]), arrays


def _named(raw: bytes, span: Span, arrays: dict[str, NDArray[Any]]) -> bytes:
    """A graph, its large arrays put into `arrays`."""
    parts, at = [], span[0]
    for number, kind, begin, inner in message_fields(raw, *span):
        if (number, kind) != (STORED, BYTES) or inner[1] - inner[0] < LEAST:
            continue
        shape, form, name, data = array_of(raw, inner)
        if form in KINDS and name and data[1] - data[0] == math.prod(shape):
            array = np.frombuffer(raw, KINDS[form], math.prod(shape), data[0])
            arrays[name] = array.reshape(shape)
            parts += [raw[at:begin], message_field(STORED, _outside(shape, form, name, data))]
            at = inner[1]
    return b"".join([*parts, raw[at : span[1]]])


def array_of(raw: bytes, span: Span) -> tuple[list[int], int, str, Span]:
    """The shape of an array, its type of number, its name, and where its bytes lie."""
    shape: list[int] = []
    form, name, data = 0, "", (0, 0)
    for number, kind, _, (a, b) in message_fields(raw, *span):
        if (number, kind) == (SHAPE, VARINT):
            shape.append(a)
        elif (number, kind) == (SHAPE, BYTES):  # several in one field
            while a < b:
                size, a = read_varint(raw, a, b)
                shape.append(size)
        elif (number, kind) == (KIND, VARINT):
            form = a
        elif (number, kind) == (NAME, BYTES):
            name = raw[a:b].decode()
        elif (number, kind) == (RAW, BYTES):
            data = a, b
    return shape, form, name, data


def _outside(shape: list[int], form: int, name: str, data: Span) -> bytes:
    """An array whose bytes are elsewhere; the place is never looked up, since the bytes are handed over by name."""
    facts = {"location": "beside", "offset": str(data[0]), "length": str(data[1] - data[0])}
    entries = [message_field(OUTSIDE, message_field(1, key) + message_field(2, value)) for key, value in facts.items()]
    sizes = b"".join(varint(SHAPE << 3 | VARINT) + varint(size) for size in shape)
    number, place = (varint(field << 3 | VARINT) + varint(value) for field, value in ((KIND, form), (PLACE, 1)))
    return b"".join([sizes, number, message_field(NAME, name), *entries, place])
