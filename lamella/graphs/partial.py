"""A graph cut down to what some of its outputs need: the engine computes all that stands in a file, whatever is asked of it."""

from collections.abc import Collection

from lamella.graphs.apart import GRAPH, NAME, STORED
from lamella.storage.protobuf import BYTES, Span, message_field, message_fields

NODE, INPUT, OUTPUT = 1, 11, 12  # in a graph of onnx.proto3
READS, GIVES, ATTRIBUTE = 1, 2, 5  # in a node
INSIDE = (6, 11)  # in an attribute: graphs, which read values without saying so


def partial(raw: bytes, outputs: Collection[str]) -> bytes:
    """An ONNX file -> one that gives these outputs alone, with the inputs, weights and nodes that they need.

    ValueError where it is no such file; the file itself where nodes hold graphs of their own.
    """
    parts, at = [], 0
    for number, kind, begin, span in message_fields(raw, 0, len(raw)):
        if (number, kind) == (GRAPH, BYTES):
            parts += [raw[at:begin], message_field(GRAPH, _cut(raw, span, outputs))]
            at = span[1]
    return b"".join([*parts, raw[at:]])


def _cut(raw: bytes, span: Span, outputs: Collection[str]) -> bytes:
    """A graph's fields that these outputs need."""
    fields = [(number, begin, inner) for number, kind, begin, inner in message_fields(raw, *span) if kind == BYTES]
    nodes = {begin: _names(raw, inner) for number, begin, inner in fields if number == NODE}
    if any(names is None for names in nodes.values()):
        return raw[slice(*span)]
    needed = set(outputs)
    for names in reversed(nodes.values()):  # a node stands behind those whose values it reads
        if names and needed.intersection(names[1]):
            needed.update(names[0])
    kept = []
    for number, begin, (a, b) in fields:
        names = nodes.get(begin)
        if number == NODE:
            keep = bool(names and needed.intersection(names[1]))
        elif number in (INPUT, OUTPUT, STORED):
            key = NAME if number == STORED else 1
            name = next((raw[c:d].decode() for n, _, _, (c, d) in message_fields(raw, a, b) if n == key), "")
            keep = name in (outputs if number == OUTPUT else needed)
        else:
            keep = True
        kept += [raw[begin:b]] if keep else []
    return b"".join(kept)


def _names(raw: bytes, span: Span) -> tuple[list[str], list[str]] | None:
    """What a node reads and what it gives; None where it holds a graph."""
    reads, gives = list[str](), list[str]()
    for number, kind, _, (a, b) in message_fields(raw, *span):
        if number in (READS, GIVES) and kind == BYTES:
            (reads if number == READS else gives).append(raw[a:b].decode())
        elif number == ATTRIBUTE and any(n in INSIDE for n, _, _, _ in message_fields(raw, a, b)):
            return None
    return reads, gives
