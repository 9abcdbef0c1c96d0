"""An ONNX file in protobuf's wire format, read and edited without the `onnx` package.

    graph = read(raw)                      its nodes in order, the stored arrays by name, inputs and outputs
    raw = with_outputs(raw, ["relu_1"])    the same file, giving an inner value too
    raw = zeroed(raw, spans)               the same file with some bytes of stored arrays set to zero
    raw = replaced(raw, {span: fresh})     the same file with another node in the place of one

Two messages of one field, one behind the other, merge when they are read: that is why outputs can be appended. Numbers
of fields are those of onnx.proto3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lamella.errors import ModelError
from lamella.storage.protobuf import BYTES, VARINT, Span, message_field, message_fields, read_varint, varint

GRAPH, NODE, STORED, INPUT, OUTPUT = 7, 1, 5, 11, 12  # the graph in a model, and what is in a graph


@dataclass(frozen=True)
class Node:
    """One operation: what it is, what it reads and gives, its attributes that are whole numbers."""

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    ints: Mapping[str, int]
    span: Span  # of the whole field in the file, number and length included


@dataclass(frozen=True)
class Stored:
    """An array in the file. kind: as in onnx (1 float32, 3 int8); data: where its bytes lie, None where they are not raw."""

    name: str
    shape: tuple[int, ...]
    kind: int
    data: Span | None


@dataclass(frozen=True)
class Graph:
    """The contents of an ONNX file, in its order."""

    nodes: list[Node]
    stored: dict[str, Stored]
    inputs: list[str]  # without stored arrays
    outputs: list[str]


def read(raw: bytes) -> Graph:
    """An ONNX file -> its graph. ModelError if it is not an ONNX file."""
    try:
        graph, count = Graph([], {}, [], []), 0
        for number, kind, _, span in message_fields(raw, 0, len(raw)):
            if number == GRAPH and kind == BYTES:
                count += 1
                _read_graph(raw, span, graph)
    except (IndexError, UnicodeDecodeError, ValueError) as error:
        raise ModelError(f"expected an ONNX file, received {len(raw):,} bytes that are none ({error}).") from error
    if not count:
        raise ModelError(f"expected an ONNX file, received {len(raw):,} bytes without a graph.")
    graph.inputs[:] = [name for name in graph.inputs if name not in graph.stored]
    return graph


def _read_graph(raw: bytes, span: Span, graph: Graph) -> None:
    for number, kind, begin, inner in message_fields(raw, *span):
        if kind != BYTES:
            continue
        if number == NODE:
            graph.nodes.append(_read_node(raw, inner, (begin, inner[1])))
        elif number == STORED:
            stored = _read_stored(raw, inner)
            graph.stored[stored.name] = stored
        elif number in (INPUT, OUTPUT):
            (graph.inputs if number == INPUT else graph.outputs).append(_texts(raw, inner, 1)[0])


def _read_node(raw: bytes, span: Span, whole: Span) -> Node:
    ints: dict[str, int] = {}
    for number, kind, _, inner in message_fields(raw, *span):
        if number == 5 and kind == BYTES:
            values = [i[0] for n, k, _, i in message_fields(raw, *inner) if (n, k) == (3, VARINT)]
            if values:
                ints[_texts(raw, inner, 1)[0]] = values[0] - (1 << 64 if values[0] >> 63 else 0)
    name, op = (_texts(raw, span, n) or [""] for n in (3, 4))
    return Node(op[0], name[0], tuple(_texts(raw, span, 1)), tuple(_texts(raw, span, 2)), ints, whole)


def _read_stored(raw: bytes, span: Span) -> Stored:
    shape: list[int] = []
    kind_, data = 0, None
    for number, kind, _, inner in message_fields(raw, *span):
        if number == 1 and kind == VARINT:
            shape.append(inner[0])
        elif number == 1 and kind == BYTES:  # several in one field
            at = inner[0]
            while at < inner[1]:
                size, at = read_varint(raw, at, inner[1])
                shape.append(size)
        elif number == 2 and kind == VARINT:
            kind_ = inner[0]
        elif number == 9 and kind == BYTES:
            data = inner
    return Stored((_texts(raw, span, 8) or [""])[0], tuple(shape), kind_, data)


def _texts(raw: bytes, span: Span, wanted: int) -> list[str]:
    return [
        raw[a:b].decode()
        for number, kind, _, (a, b) in message_fields(raw, *span)
        if number == wanted and kind == BYTES
    ]  # fmt: skip


# ---- writing ---------------------------------------------------------------------------------------------------


def node(op: str, inputs: Sequence[str], outputs: Sequence[str]) -> bytes:
    """A node without attributes, as a field of the graph."""
    names = [message_field(1, name) for name in inputs] + [message_field(2, name) for name in outputs]
    return message_field(NODE, b"".join(names) + message_field(4, op))


def with_outputs(raw: bytes, names: Sequence[str]) -> bytes:
    """The same file with inner values among its outputs: a second graph message that holds their names alone."""
    fresh = b"".join(message_field(OUTPUT, message_field(1, name)) for name in names)
    return raw + message_field(GRAPH, fresh) if fresh else raw


def zeroed(raw: bytes, spans: Sequence[Span]) -> bytes:
    """The same file with these bytes set to zero, which is 0 in every type of number."""
    out = bytearray(raw)
    for a, b in spans:
        out[a:b] = bytes(b - a)
    return bytes(out)


def replaced(raw: bytes, fresh: Mapping[Span, bytes]) -> bytes:
    """The same file with other bytes (fields of the graph, made by `node`) in the places of nodes, by their spans."""
    begin, end = next(
        span for number, kind, _, span in message_fields(raw, 0, len(raw)) if (number, kind) == (GRAPH, BYTES)
    )
    parts, at = [], begin
    for a, b in sorted(fresh):
        parts += [raw[at:a], fresh[a, b]]
        at = b
    content = b"".join([*parts, raw[at:end]])
    head = begin - len(varint(end - begin)) - len(varint(GRAPH << 3 | BYTES))
    return raw[:head] + message_field(GRAPH, content) + raw[end:]
