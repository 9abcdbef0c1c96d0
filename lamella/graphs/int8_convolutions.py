"""Static int8 quantisation of convolutions: inputs and outputs are rounded with scales from a calibration set.

A matrix product can measure the range of its input at each run (`int8.py`); for a convolution that costs more than it
saves. So ranges are measured once on a calibration set (Jacob et al., 2018), and each convolution is written in the form
that onnxruntime fuses into an integer one: rounded input, int8 weights with a scale a filter, rounded output. A ReLU
after it is then free, since values below zero are clipped by the rounding.

Without ranges only the weights become int8, and floats again when the file is loaded: as small, but no faster.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from lamella.graphs.rounding import SMALLEST, round_rows

Ranges = Mapping[str, tuple[float, float]]  # value -> its smallest and largest number on the calibration set


@dataclass(frozen=True)
class Filters:
    """A convolution with a stored weight, and the ReLU after it if nothing else reads the value between."""

    node: NodeProto
    weight: NDArray[np.float32]  # (out, in, ...)
    bias: NDArray[np.float32] | None
    rectifier: NodeProto | None

    @property
    def out(self) -> str:
        """The output value: that of the ReLU if there is one."""
        return str((self.rectifier or self.node).output[0])


def find_filters(graph: onnx.GraphProto) -> list[Filters]:
    """The convolutions that are large enough to gain from int8, in order."""
    stored = {t.name: t for t in graph.initializer}
    made = {n.output[0]: n for n in graph.node}
    readers: dict[str, list[NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    outputs = {o.name for o in graph.output}
    filters = []
    for node in graph.node:
        weight = _stored(node.input[1], stored, made) if node.op_type == "Conv" else None
        if weight is None or weight.size < SMALLEST or _groups(node) > 1:
            continue  # one filter a channel is few weights, and whole numbers gain no time there
        bias = _stored(node.input[2], stored, made) if len(node.input) > 2 and node.input[2] else None
        if len(node.input) > 2 and node.input[2] and bias is None:
            continue
        after = readers.get(node.output[0], [])
        alone = len(after) == 1 and after[0].op_type == "Relu" and node.output[0] not in outputs
        filters.append(Filters(node, weight, bias, after[0] if alone else None))
    return filters


def _groups(node: NodeProto) -> int:
    return next((int(a.i) for a in node.attribute if a.name == "group"), 1)


def _stored(name: str, stored: Mapping[str, TensorProto], made: Mapping[str, NodeProto]) -> NDArray[np.float32] | None:
    """A stored array, possibly reshaped before use."""
    if name in stored:
        return numpy_helper.to_array(stored[name]) if stored[name].data_type == TensorProto.FLOAT else None
    node = made.get(name)
    if node is None or node.op_type != "Reshape" or not {node.input[0], node.input[1]} <= set(stored):
        return None
    return numpy_helper.to_array(stored[node.input[0]]).reshape(numpy_helper.to_array(stored[node.input[1]]))


def watched(graph: onnx.GraphProto) -> list[str]:
    """The values whose ranges `convert` needs."""
    return list(dict.fromkeys(name for f in find_filters(graph) for name in (f.node.input[0], f.out)))


def convert(graph: onnx.GraphProto, ranges: Ranges | None) -> None:
    """Rewrite a graph's convolutions in place, as integer ones if their ranges are known."""
    filters = {f.node.output[0]: f for f in find_filters(graph)}
    dropped = {f.rectifier.output[0] for f in filters.values() if f.rectifier and _known(f, ranges)}
    fresh: list[NodeProto] = []
    arrays: dict[str, NDArray[np.generic]] = {}
    steps: dict[str, str] = {}  # a value -> the same, rounded
    for node in graph.node:
        f = filters.get(node.output[0]) if node.op_type == "Conv" else None
        if f is None:
            fresh += [node] if node.output[0] not in dropped else []
        elif ranges is not None and _known(f, ranges):
            fresh += _whole(f, ranges, arrays, steps)
        else:
            fresh += _bytes_alone(f, arrays)
    needed = {name for node in fresh for name in node.input} | {o.name for o in graph.output}
    # What only reshaped a weight has no reader any more.
    kept_nodes = [n for n in fresh if n.op_type != "Reshape" or n.output[0] in needed]
    needed = {name for node in kept_nodes for name in node.input}
    kept = [t for t in graph.initializer if t.name in needed]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(kept_nodes)
    graph.initializer.extend([*kept, *(numpy_helper.from_array(a, name) for name, a in arrays.items())])


def _known(f: Filters, ranges: Ranges | None) -> bool:
    return ranges is not None and f.node.input[0] in ranges and f.out in ranges


def _weight(f: Filters) -> tuple[str, NDArray[np.int8], NDArray[np.float32]]:
    """The weight's name, its int8 values in its own shape, and a scale a filter."""
    rows = f.weight.reshape(len(f.weight), -1)
    q, scale = round_rows(rows, 1)
    return f"{f.node.output[0]}_weight", q.reshape(f.weight.shape), scale.ravel()


def _bytes_alone(f: Filters, arrays: dict[str, NDArray[np.generic]]) -> list[NodeProto]:
    name, q, scale = _weight(f)
    arrays[f"{name}_int8"], arrays[f"{name}_scale"] = q, scale.reshape(-1, *[1] * (q.ndim - 1))
    node = NodeProto()
    node.CopyFrom(f.node)
    node.input[1] = name
    return [
        helper.make_node("Cast", [f"{name}_int8"], [f"{name}_float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}_float", f"{name}_scale"], [name]),
        node,
    ]


def _whole(
    f: Filters, ranges: Ranges, arrays: dict[str, NDArray[np.generic]], steps: dict[str, str]
) -> list[NodeProto]:
    fresh: list[NodeProto] = []
    x, out = f.node.input[0], f.out
    if x not in steps:
        steps[x] = f"{x}_rounded"
        fresh += _round(x, x, steps[x], ranges[x], arrays)
    name, q, scale = _weight(f)
    arrays[f"{name}_int8"], arrays[f"{name}_scale"] = q, scale
    arrays[f"{name}_zero"] = np.zeros(len(scale), np.int8)
    fresh.append(_float_again(f"{name}_int8", f"{name}_scale", f"{name}_zero", name))
    node = NodeProto()
    node.CopyFrom(f.node)
    node.input[0], node.input[1], node.output[0] = steps[x], name, f"{out}_sum"
    if f.bias is not None:
        both = scale * _step(ranges[x])[0]
        bias = np.rint(f.bias / both).clip(-(2**31) + 128, 2**31 - 128)
        arrays[f"{name}_bias"], arrays[f"{name}_both"] = bias.astype(np.int32), both
        arrays[f"{name}_none"] = np.zeros(len(both), np.int32)
        fresh.append(_float_again(f"{name}_bias", f"{name}_both", f"{name}_none", f"{name}_start"))
        node.input[2] = f"{name}_start"
    fresh += [node, *_round(out, f"{out}_sum", out, ranges[out], arrays)]
    steps[out] = out
    return fresh


def _step(seen: tuple[float, float]) -> tuple[np.float32, np.uint8]:
    """The scale and the zero point of a quantised range.

    >>> step, zero = _step((-1.0, 4.1))
    >>> round(float(step), 4), int(zero)
    (0.02, 50)
    """
    low, high = min(seen[0], 0.0), max(seen[1], 0.0)
    step = max(high - low, 1e-6) / 255
    return np.float32(step), np.uint8(round(-low / step))


def _round(
    value: str, source: str, out: str, seen: tuple[float, float], arrays: dict[str, NDArray[np.generic]]
) -> list[NodeProto]:
    """Two nodes: quantise to bytes, and dequantise."""
    step, zero = _step(seen)
    arrays[f"{value}_step"], arrays[f"{value}_zero"] = np.array(step), np.array(zero)
    names = f"{value}_step", f"{value}_zero"
    return [
        helper.make_node("QuantizeLinear", [source, *names], [f"{value}_bytes"]),
        _float_again(f"{value}_bytes", *names, out),
    ]


def _float_again(q: str, scale: str, zero: str, out: str) -> NodeProto:
    return helper.make_node("DequantizeLinear", [q, scale, zero], [out], axis=0)
