"""A strict reader of ONNX messages: only the fields named here, each of its type, and only once unless repeated.

Protobuf readers are lenient: they skip unknown fields, take the last of two values, merge messages, and let numbers wrap
around. A file that relies on this may mean one thing to us and another to the engine, and our exporter never does. So all
of it is refused, and with it the fields left out below: external data, subgraphs, functions, sparse arrays, training
information, sequences, metadata (onnx.proto3 has the whole list).
"""

from typing import Any

from lamella.storage.protobuf import BYTES, FOUR, VARINT, Span, message_fields, read_varint

LONGEST = 1024  # bytes of a name
FIELDS = 500_000  # of a whole file
TEXT, PART, INT, FLOAT = "text", "part", "int", "float"  # part: a message inside, or bytes: where they lie
Message = dict[str, Any]

# number -> (name, kind, whether it may stand more than once)
MODEL = {
    1: ("ir_version", INT, False),
    2: ("producer_name", TEXT, False),
    3: ("producer_version", TEXT, False),
    4: ("domain", TEXT, False),
    5: ("model_version", INT, False),
    6: ("doc_string", TEXT, False),
    7: ("graph", PART, True),  # twice where `with_outputs` has appended to it
    8: ("opset_import", PART, True),
}
OPSET = {1: ("domain", TEXT, False), 2: ("version", INT, False)}
GRAPH = {
    1: ("node", PART, True),
    2: ("name", TEXT, False),
    5: ("initializer", PART, True),
    10: ("doc_string", TEXT, False),
    11: ("input", PART, True),
    12: ("output", PART, True),
}
NODE = {
    1: ("input", TEXT, True),
    2: ("output", TEXT, True),
    3: ("name", TEXT, False),
    4: ("op_type", TEXT, False),
    5: ("attribute", PART, True),
    6: ("doc_string", TEXT, False),
    7: ("domain", TEXT, False),
}
ATTRIBUTE = {
    1: ("name", TEXT, False),
    2: ("f", FLOAT, False),
    3: ("i", INT, False),
    4: ("s", TEXT, False),
    5: ("t", PART, False),
    7: ("floats", FLOAT, True),
    8: ("ints", INT, True),
    13: ("doc_string", TEXT, False),
    20: ("type", INT, False),
}
TENSOR = {
    1: ("dims", INT, True),
    2: ("data_type", INT, False),
    4: ("float_data", PART, True),
    5: ("int32_data", INT, True),
    7: ("int64_data", INT, True),
    8: ("name", TEXT, False),
    9: ("raw_data", PART, False),
    10: ("double_data", PART, True),
    12: ("doc_string", TEXT, False),
}
VALUE = {1: ("name", TEXT, False), 2: ("type", PART, False), 3: ("doc_string", TEXT, False)}
TYPE = {1: ("tensor_type", PART, False)}
TENSOR_TYPE = {1: ("elem_type", INT, False), 2: ("shape", PART, False)}
SHAPE = {1: ("dim", PART, True)}
DIM = {1: ("dim_value", INT, False), 2: ("dim_param", TEXT, False)}
# What else a file may hold, for messages that say what it is.
REFUSED = {
    id(MODEL): {14: "metadata", 20: "training information", 25: "functions", 26: "devices"},
    id(GRAPH): {13: "inner shapes", 14: "quantization annotations", 15: "sparse arrays", 16: "metadata"},
    id(NODE): {8: "overloads", 9: "metadata", 10: "devices"},
    id(ATTRIBUTE): {
        6: "a subgraph", 11: "subgraphs", 9: "texts", 10: "arrays", 14: "a type", 15: "types",
        21: "a reference to a function's attribute", 22: "a sparse array", 23: "sparse arrays",
    },
    id(TENSOR): {3: "a segment", 6: "texts", 11: "unsigned numbers", 13: "external data", 14: "external data",
                 16: "metadata"},
    id(TYPE): {4: "a sequence", 5: "a map", 6: "a denotation", 8: "a sparse array", 9: "an optional value"},
}  # fmt: skip


class Reader:
    """Read the messages of one file, at most `FIELDS` fields in all, so that the time is bounded."""

    def __init__(self, raw: bytes) -> None:
        self.raw, self._left = raw, FIELDS

    def message(self, span: Span, schema: dict[int, tuple[str, str, bool]]) -> Message:
        """{name: value, or a list of values}; what is not there is left out. ValueError: not as it should be."""
        out: Message = {}
        for number, kind, _, where in message_fields(self.raw, *span):
            self._left -= 1
            if self._left < 0:
                raise ValueError(f"more than {FIELDS:,} fields")
            if number not in schema:
                raise ValueError(f"it holds {REFUSED.get(id(schema), {}).get(number, f'an unknown field ({number})')}")
            name, content, many = schema[number]
            if many:
                out.setdefault(name, []).extend(self._values(kind, content, where, True))
            elif name in out:
                raise ValueError(f"{name} stands twice in one place")
            else:
                (out[name],) = self._values(kind, content, where, False)
        return out

    def _values(self, kind: int, content: str, where: Span, many: bool) -> list[Any]:
        if content == PART and kind == BYTES:
            return [where]
        if content == TEXT and kind == BYTES:
            return [self._text(where)]
        if content == INT and kind == VARINT:
            return [_signed(where[0])]
        if content == FLOAT and kind == FOUR or content == PART and kind in (FOUR, 1):  # one number of a list
            return [where]
        if many and kind == BYTES and content == FLOAT:
            return [where]
        if many and kind == BYTES and content == INT:  # several numbers in one field
            numbers, at = [], where[0]
            self._left -= where[1] - at  # each takes a byte or more
            if self._left < 0:
                raise ValueError(f"more than {FIELDS:,} fields")
            while at < where[1]:
                value, at = read_varint(self.raw, at, where[1])
                numbers.append(_signed(value))
            return numbers
        raise ValueError("a field of another kind than it should have")

    def _text(self, where: Span) -> str:
        begin, end = where
        if end - begin > LONGEST:
            raise ValueError(f"a name of {end - begin:,} bytes")
        text = self.raw[begin:end].decode()
        if not text.isprintable():
            raise ValueError(f"a name with control characters ({text[:20]!r})")
        return text


def _signed(value: int) -> int:
    if value >> 64:
        raise ValueError("a number of more than 64 bits")
    return value - (1 << 64 if value >> 63 else 0)
