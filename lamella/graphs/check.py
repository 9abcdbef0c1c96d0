"""Check that a graph is safe before an engine loads it: from its bytes, in bounded time, without the `onnx` package.

    check(raw, "net.onnx")     returns nothing if it may run; ModelError with the reason if not

A graph from elsewhere is a program: it may read files, ask for any amount of memory, and loop. One that passes this check
uses only the operators of `operators.py`, reads only its own bytes and its inputs, holds finite numbers, as many as its
shapes say, and makes no constant that is far larger than the file. Run time and memory are limited in `run.py`.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.errors import ModelError
from lamella.graphs import strict
from lamella.graphs.growth import Growth
from lamella.graphs.kinds import Kinds
from lamella.graphs.operators import ALLOWED
from lamella.storage.protobuf import Span

FORMATS = range(8, 13)  # versions of the format ("IR")
OPSETS = range(17, 25)  # versions of the standard's operators
STANDARD = ("", "ai.onnx")
NODES, EDGES, RANK, AXIS = 20_000, 4096, 8, 1 << 31
WINDOW = 4096  # a stride, a pad or a side of a kernel, in elements
# Number types by onnx's codes; numpy has no bfloat16, which is checked as raw bits.
KINDS: dict[int, Any] = {
    1: np.float32, 2: np.uint8, 3: np.int8, 4: np.uint16, 5: np.int16, 6: np.int32, 7: np.int64, 9: np.bool_,
    10: np.float16, 11: np.float64, 12: np.uint32, 13: np.uint64, 16: np.uint16,
}  # fmt: skip
BFLOAT16 = 16
FED = {1: np.float32, 3: np.int8, 7: np.int64, 9: np.bool_}  # input types: those that tasks produce
ATTRIBUTES = {1: "f", 2: "i", 3: "s", 4: "t", 6: "floats", 7: "ints"}  # kinds of attribute and where each has its value
# Ranges of integer attributes. The engine trusts some of them, and reads out of bounds if they are wrong.
RANGES = {
    **dict.fromkeys(("strides", "dilations", "kernel_shape", "output_shape", "blocksize", "group"), (1, WINDOW)),
    **dict.fromkeys(("num_groups", "num_outputs"), (1, WINDOW)),
    **dict.fromkeys(("pads", "output_padding"), (0, WINDOW)),
    **dict.fromkeys(("axis", "axes"), (-RANK, RANK)),
    **dict.fromkeys(("batch_dims", "perm"), (0, RANK)),
}
WHOLE = (-(1 << 31), (1 << 63) - 1)  # all others


def check(raw: bytes, name: str) -> None:
    """Raise ModelError, with the reason in one line, if a graph must not run."""
    try:
        _Check(raw).model()
    except Exception as error:  # a graph that cannot be followed is not one of ours
        reason = str(error).splitlines() or [type(error).__name__]
        raise ModelError(f"{name}: not a graph that may run: {reason[0]}. Do not use this model.") from error


class _Check:
    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.reader = strict.Reader(raw)
        self.growth, self.kinds = Growth(len(raw)), Kinds()
        self.defined: set[str] = set()

    def model(self) -> None:
        model = self.reader.message((0, len(self.raw)), strict.MODEL)
        if "graph" not in model:
            raise ValueError(f"expected an ONNX file, received {len(self.raw):,} bytes without a graph")
        if model.get("ir_version") not in FORMATS:
            raise ValueError(
                f"expected version {FORMATS[0]} to {FORMATS[-1]} of ONNX, received {model.get('ir_version')}"
            )
        opsets = [self.reader.message(span, strict.OPSET) for span in model.get("opset_import", [])]
        if [o.get("domain", "") in STANDARD for o in opsets] != [True]:
            raise ValueError("expected the operators of the ONNX standard, once, and no others")
        if opsets[0].get("version") not in OPSETS:
            raise ValueError(
                f"expected version {OPSETS[0]} to {OPSETS[-1]} of the operators, received {opsets[0].get('version')}"
            )
        if len(model["graph"]) > 2:
            raise ValueError(f"{len(model['graph'])} graphs in one file")
        graphs = [self.reader.message(span, strict.GRAPH) for span in model["graph"]]
        parts: dict[str, list[Span]] = {
            name: [span for graph in graphs for span in graph.get(name, [])]
            for name in ("initializer", "input", "node", "output")
        }
        self.graph(parts)

    def graph(self, parts: dict[str, list[Span]]) -> None:
        if len(parts["node"]) > NODES:
            raise ValueError(f"{len(parts['node']):,} nodes")
        for span in parts["initializer"]:
            name, kind, array = self.tensor(span)
            self.define(name)
            self.kinds.of[name] = kind
            self.growth.store(name, array)
        for span in parts["input"]:
            self.define(self.value(span, fed=True))
        for span in parts["node"]:
            self.node(span)
        outputs = [self.value(span, fed=False) for span in parts["output"]]
        if not outputs or len(set(outputs)) < len(outputs):
            raise ValueError("no outputs, or one twice")
        if missing := [name for name in outputs if name not in self.defined]:
            raise ValueError(f"output {missing[0]!r} is nowhere made")

    def define(self, name: str) -> None:
        if not name or name in self.defined:
            raise ValueError(f"a value without a name, or the name {name!r} twice")
        self.defined.add(name)

    def value(self, span: Span, fed: bool) -> str:
        """An input or output: its name. Inputs say what they take."""
        value = self.reader.message(span, strict.VALUE)
        name = str(value.get("name", ""))
        if "type" not in value:
            if fed:
                raise ValueError(f"input {name!r} has no type")
            return name
        kind = self.reader.message(value["type"], strict.TYPE)
        tensor = self.reader.message(kind["tensor_type"], strict.TENSOR_TYPE) if "tensor_type" in kind else {}
        if fed and (tensor.get("elem_type") not in FED or "shape" not in tensor):
            raise ValueError(f"input {name!r} takes no array of float32, int64, int8 or bool with a shape")
        if not fed and tensor.get("elem_type") not in KINDS:
            raise ValueError(f"output {name!r} gives no array of numbers")
        if fed:
            self.kinds.of[name] = tensor["elem_type"]
        dims = self.reader.message(tensor["shape"], strict.SHAPE).get("dim", []) if "shape" in tensor else []
        if len(dims) > RANK:
            raise ValueError(f"{name!r} has {len(dims)} axes")
        for dim in (self.reader.message(d, strict.DIM) for d in dims):
            if not 0 <= dim.get("dim_value", 0) < AXIS or len(dim) > 1:
                raise ValueError(f"{name!r} has an axis of {dim.get('dim_value')}")
        return name

    def node(self, span: Span) -> None:
        node = self.reader.message(span, strict.NODE)
        op, inputs, outputs = node.get("op_type", ""), node.get("input", []), node.get("output", [])
        if node.get("domain", "") not in STANDARD or op not in ALLOWED:
            full = ".".join(filter(None, [node.get("domain", ""), op]))
            raise ValueError(f"operator {full or 'without a name'} is none of those that lamella's nets use")
        if max(len(inputs), len(outputs)) > EDGES:
            raise ValueError(f"{op} with {max(len(inputs), len(outputs)):,} inputs or outputs")
        for name in inputs:
            if name and name not in self.defined:  # "": an optional input that is left out
                raise ValueError(f"{op} reads {name!r}, which nothing before it makes")
        attributes = self.attributes(op, node.get("attribute", []))
        if attributes.get("num_outputs", len(outputs)) != len(outputs):  # the engine relies on it
            raise ValueError(f"{op} of {attributes['num_outputs']} parts gives {len(outputs)}")
        self.growth.node(op, inputs, outputs, attributes)
        self.kinds.node(op, inputs, outputs, attributes, self.growth.values)
        for name in outputs:
            if name:
                self.define(name)

    def attributes(self, op: str, spans: list[Span]) -> dict[str, Any]:
        attributes: dict[str, Any] = {}
        for attribute in (self.reader.message(span, strict.ATTRIBUTE) for span in spans):
            name, kind = attribute.get("name", ""), attribute.get("type")
            if kind not in ATTRIBUTES or name in attributes:
                raise ValueError(f"{op}: attribute {name!r} stands twice, or holds what none of its kind may")
            if set(attribute) - {"name", "type", "doc_string"} - {ATTRIBUTES[kind]}:
                raise ValueError(f"{op}: attribute {name!r} holds two values")
            value = self.attribute(op, name, kind, attribute)
            if kind == 4:  # what it holds, and the kind of its numbers
                attributes["kind"], value = value
            attributes[name] = value
        return attributes

    def attribute(self, op: str, name: str, kind: int, attribute: strict.Message) -> Any:
        if kind == 4:
            if (op, name) not in (("Constant", "value"), ("ConstantOfShape", "value")):
                raise ValueError(f"{op}: attribute {name!r} holds an array")
            _, held, array = self.tensor(attribute["t"])
            return held, array
        value: Any = attribute.get(ATTRIBUTES[kind], {1: 0.0, 2: 0, 3: "", 6: [], 7: []}[kind])
        if kind in (1, 6):
            spans: list[Span] = value if kind == 6 else [value] if value else []
            floats = [x for a, b in spans for x in np.frombuffer(self.raw, "<f4", (b - a) // 4, a).tolist()]
            if not all(map(math.isfinite, floats)):
                raise ValueError(f"{op}: attribute {name!r} is NaN or infinite")
            return floats if kind == 6 else (floats or [0.0])[0]
        numbers = value if kind == 7 else [value] if kind == 2 else []
        least, most = RANGES.get(name, WHOLE)
        outside = [n for n in numbers if not least <= n <= most]
        if outside:
            raise ValueError(f"{op}: {name} of {outside[0]:,}")
        if (op, name) == ("Cast", "to") and value not in KINDS:
            raise ValueError(f"Cast to an unknown kind of number ({value})")
        return value

    def tensor(self, span: Span) -> tuple[str, int, NDArray[Any]]:
        """A stored array: its name, its kind and its numbers, where they lie. They are as many as its shape says."""
        tensor = self.reader.message(span, strict.TENSOR)
        name, dims, kind = tensor.get("name", ""), tensor.get("dims", []), tensor.get("data_type")
        if kind not in KINDS:
            raise ValueError(f"array {name!r} holds numbers of an unknown kind ({kind})")
        if len(dims) > RANK or any(not 0 <= d < AXIS for d in dims):
            raise ValueError(f"array {name!r} has the shape {dims[: RANK + 1]}")
        stored = [key for key in ("raw_data", "float_data", "int32_data", "int64_data", "double_data") if key in tensor]
        if len(stored) > 1:
            raise ValueError(f"array {name!r} holds its numbers twice")
        numbers = self.numbers(name, kind, stored[0], tensor[stored[0]]) if stored else np.zeros(0, KINDS[kind])
        if numbers.size != math.prod(dims):
            raise ValueError(f"array {name!r} has {numbers.size:,} numbers, and its shape is {dims}")
        _finite(name, kind, numbers)
        return name, kind, numbers.reshape(dims)

    def numbers(self, name: str, kind: int, place: str, value: Any) -> NDArray[Any]:
        dtype: np.dtype[Any] = np.dtype(KINDS[kind])
        if place == "raw_data":
            begin, end = value
            if (end - begin) % dtype.itemsize:
                raise ValueError(f"array {name!r} ends within a number")
            return np.frombuffer(self.raw, dtype, (end - begin) // dtype.itemsize, begin)
        if place in ("float_data", "double_data"):
            if kind != {"float_data": 1, "double_data": 11}[place] or any((b - a) % dtype.itemsize for a, b in value):
                raise ValueError(f"array {name!r} holds its numbers as another kind")
            parts = [np.frombuffer(self.raw, dtype, (b - a) // dtype.itemsize, a) for a, b in value]
            return parts[0] if len(parts) == 1 else np.concatenate(parts)
        if (place == "int64_data") != (kind == 7) or kind in (1, 11, 12, 13):
            raise ValueError(f"array {name!r} holds its numbers as another kind")
        bits = np.dtype(np.uint16) if kind == 10 else dtype
        if value and (min(value) < (0 if bits.kind == "b" else np.iinfo(bits).min)):
            raise ValueError(f"array {name!r} holds numbers that its kind does not have")
        if value and max(value) > (1 if bits.kind == "b" else np.iinfo(bits).max):
            raise ValueError(f"array {name!r} holds numbers that its kind does not have")
        return np.array(value, bits).view(dtype)


def _finite(name: str, kind: int, numbers: NDArray[Any]) -> None:
    if not numbers.size:
        return
    if kind == BFLOAT16:
        whole = not ((numbers & 0x7F80) == 0x7F80).any()
    elif numbers.dtype.kind == "f":
        # The least and the most are not finite where any number is not: two passes, and no array is made.
        whole = bool(np.isfinite(numbers.min()) and np.isfinite(numbers.max()))
    else:
        return
    if not whole:
        raise ValueError(f"array {name!r} holds NaN or infinity")
