"""Dynamic int8 quantisation: stored matrices become int8 with a scale a column; activations are rounded at run time.

Weights are symmetric, 8 bits, one scale an output (per channel); activations are rounded with one scale a row, computed
at each run (Jacob et al., 2018, without their training). With one scale a tensor, which onnxruntime would fuse,
the answer to one example would depend on the others of its batch. A table that embeds on one side and scores on the
other, transposed, is stored once.
"""

import io
from collections.abc import Mapping

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from lamella.graphs import int8_columns, int8_convolutions
from lamella.graphs.rounding import SMALLEST, round_rows

_UNIT, _ZERO, _HIGHEST, _LEAST, _AXES = (f"rounding_{name}" for name in ("unit", "zero", "highest", "least", "axes"))


def quantize(raw: bytes, ranges: Mapping[str, tuple[float, float]] | None = None) -> bytes:
    """An ONNX file of float32 products and convolutions -> the same with int8 weights.

    ranges: of what flows in and out of convolutions, which then are of whole numbers throughout (`int8_convolutions.py`).
    """
    model = onnx.load_model_from_string(raw)
    int8_convolutions.convert(model.graph, ranges)
    _transpose_weights(model.graph)
    opset = next((one.version for one in model.opset_import if not one.domain), 18)
    weights = {t.name: t for t in model.graph.initializer}
    used: dict[str, list[NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            used.setdefault(name, []).append(node)
    fresh: list[NodeProto] = []
    stored: dict[str, TensorProto] = {}
    rounded: dict[str, tuple[str, str, str]] = {}  # an activation is rounded once for all products it enters
    int8_columns.give_out(
        model.graph, {name for name, t in weights.items() if _large(t)}, lambda name: _store(weights[name], 1, stored)
    )
    given = int8_columns.take_in(model.graph)
    for node in model.graph.node:
        if node.op_type == "MatMul" and node.input[1] in given:
            scale = f"{node.input[1]}{int8_columns.SCALE}"
            fresh += _whole_product(node, node.input[1], scale, stored, rounded, opset)
        elif node.op_type == "Gather" and node.input[0] in given:
            fresh += int8_columns.lookup(node, stored)
        elif node.op_type == "MatMul" and _large(weights.get(node.input[1])):
            fresh += _product(node, weights[node.input[1]], stored, rounded, transposed=False, opset=opset)
        elif node.op_type == "Gather" and _large(weights.get(node.input[0])):
            fresh += _lookup(node, weights[node.input[0]], stored)
        elif node.op_type == "Transpose" and _large(weights.get(node.input[0])):
            continue  # its product below takes the table as it lies
        elif node.op_type == "MatMul" and (table := _transposed(model, node.input[1], weights)) is not None:
            fresh += _product(node, table, stored, rounded, transposed=True, opset=opset)
        else:
            fresh.append(node)
    _keep_biases(fresh, weights)
    del model.graph.node[:]
    model.graph.node.extend(fresh)
    needed = {name for node in fresh for name in node.input}
    kept = [t for t in model.graph.initializer if t.name in needed]
    del model.graph.initializer[:]
    model.graph.initializer.extend([*kept, *stored.values()])
    out = io.BytesIO()
    onnx.save_model(model, out)
    return out.getvalue()


def _keep_biases(nodes: list[NodeProto], weights: dict[str, TensorProto]) -> None:
    """Add biases to products by `Sum`, not `Add`.

    onnxruntime fuses what follows a product of bytes into one operator, which with a scale a row gives (sum x column + bias) x row in
    the place of sum x column x row + bias: all but nothing of the bias is left (1.20 to 1.32). It does not fuse a `Sum`.
    """
    products = {node.output[0].removesuffix("_sum") for node in nodes if node.op_type == "MatMulInteger"}
    for node in nodes:
        if node.op_type == "Add" and products.intersection(node.input) and any(name in weights for name in node.input):
            node.op_type = "Sum"


def _large(tensor: TensorProto | None) -> bool:
    return tensor is not None and len(tensor.dims) == 2 and int(np.prod(tensor.dims)) >= SMALLEST


def _transposed(model: onnx.ModelProto, name: str, weights: dict[str, TensorProto]) -> TensorProto | None:
    """The stored table behind a Transpose, if this input comes from one."""
    for node in model.graph.node:
        if node.op_type == "Transpose" and node.output[0] == name and _large(weights.get(node.input[0])):
            return weights[node.input[0]]
    return None


def _transpose_weights(graph: onnx.GraphProto) -> None:
    """Where the exporter folded the transposed table into a copy of its own, use the table itself again."""
    tables = {t.name: numpy_helper.to_array(t) for t in graph.initializer if _large(t)}
    looked_up = {n.input[0] for n in graph.node if n.op_type == "Gather" and n.input[0] in tables}
    for node in list(graph.node):
        if node.op_type != "MatMul" or node.input[1] not in tables:
            continue
        copy = tables[node.input[1]]
        for table in sorted(looked_up):  # a set's order differs from run to run
            if copy.shape == tables[table].shape[::-1] and np.array_equal(copy, tables[table].T):
                name = f"{table}_transposed"
                place = list(graph.node).index(node)
                graph.node.insert(place, helper.make_node("Transpose", [table], [name], perm=[1, 0]))
                node.input[1] = name
                break


def _store(weight: TensorProto, axis: int, stored: dict[str, TensorProto]) -> tuple[str, str]:
    """Store a weight as int8 and its scales, once; returns the two names."""
    name = weight.name
    if f"{name}_int8" not in stored:
        q, scale = round_rows(numpy_helper.to_array(weight), axis)
        stored[f"{name}_int8"] = numpy_helper.from_array(q, f"{name}_int8")
        stored[f"{name}_scale"] = numpy_helper.from_array(scale.squeeze(axis), f"{name}_scale")
    return f"{name}_int8", f"{name}_scale"


def _product(
    node: NodeProto,
    weight: TensorProto,
    stored: dict[str, TensorProto],
    rounded: dict[str, tuple[str, str, str]],
    transposed: bool,
    opset: int,
) -> list[NodeProto]:
    """x @ w with w (in, out), or with a table (out, in) lying transposed."""
    q, scale = _store(weight, 1 if transposed else 0, stored)
    if not transposed:
        return _whole_product(node, q, scale, stored, rounded, opset)
    table = f"{node.output[0]}_table"
    turned = helper.make_node("Transpose", [q], [table], perm=[1, 0])
    return [turned, *_whole_product(node, table, scale, stored, rounded, opset)]


def _whole_product(
    node: NodeProto,
    q: str,
    scale: str,
    stored: dict[str, TensorProto],
    rounded: dict[str, tuple[str, str, str]],
    opset: int,
) -> list[NodeProto]:
    """x @ q with q (in, out) in bytes, each column times its scale."""
    x, out = node.input[0], node.output[0]
    made: list[NodeProto] = []
    if x not in rounded:
        rounded[x] = (f"{x}_rounded", f"{x}_scale", _ZERO)
        made += _rounded(x, *rounded[x][:2], stored, opset)
    x_q, x_scale, x_zero = rounded[x]
    return [
        *made,
        helper.make_node("MatMulInteger", [x_q, q, x_zero], [f"{out}_sum"]),
        helper.make_node("Cast", [f"{out}_sum"], [f"{out}_float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [x_scale, scale], [f"{out}_both"]),
        helper.make_node("Mul", [f"{out}_float", f"{out}_both"], [out]),
    ]


def _rounded(x: str, q: str, scale: str, stored: dict[str, TensorProto], opset: int) -> list[NodeProto]:
    """Rows -> bytes around 128 and the scale of each row, the largest of a row becoming 127 away from it."""
    constants = {
        _UNIT: np.float32(1), _ZERO: np.uint8(128), _HIGHEST: np.float32(127), _LEAST: np.float32(1e-12),
        _AXES: np.array([-1], np.int64),
    }  # fmt: skip
    stored |= {name: numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()}
    largest = helper.make_node("ReduceMax", [f"{x}_size", _AXES], [f"{x}_largest"], keepdims=1)
    if opset < 18:  # the axes were an attribute then
        largest = helper.make_node("ReduceMax", [f"{x}_size"], [f"{x}_largest"], keepdims=1, axes=[-1])
        del stored[_AXES]
    return [
        helper.make_node("Abs", [x], [f"{x}_size"]),
        largest,
        helper.make_node("Max", [f"{x}_largest", _LEAST], [f"{x}_bound"]),
        helper.make_node("Div", [f"{x}_bound", _HIGHEST], [scale]),
        helper.make_node("Div", [x, scale], [f"{x}_unit"]),
        helper.make_node("QuantizeLinear", [f"{x}_unit", _UNIT, _ZERO], [q]),
    ]


def _lookup(node: NodeProto, weight: TensorProto, stored: dict[str, TensorProto]) -> list[NodeProto]:
    """Rows of a table by id: the row's bytes times the row's scale."""
    q, scale = _store(weight, 1, stored)
    out, ids = node.output[0], node.input[1]
    last = numpy_helper.from_array(np.array([-1], np.int64), f"{out}_axis")
    stored[last.name] = last
    return [
        helper.make_node("Gather", [q, ids], [f"{out}_bytes"]),
        helper.make_node("Cast", [f"{out}_bytes"], [f"{out}_float"], to=TensorProto.FLOAT),
        helper.make_node("Gather", [scale, ids], [f"{out}_row"]),
        helper.make_node("Unsqueeze", [f"{out}_row", last.name], [f"{out}_rows"]),
        helper.make_node("Mul", [f"{out}_float", f"{out}_rows"], [out]),
    ]
