"""Units between two products, and channels between two convolutions: find them in a graph, and remove some.

Where a product, a bias and an elementwise function lead to a second product, the units between the two go together with
their column of the first weight and their row of the second. The channels inside a residual block are the same thing,
filter by filter: a channel that stays makes up for one that goes at the same point of the picture, so that their second
moments are of channels alone and the edge, where both are zero, stays right.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from lamella.graphs.least_squares import Floats, fit

# A product with no other input is a square.
POINTWISE = {"Mul", "Relu", "Gelu", "Tanh", "Sigmoid", "Elu", "LeakyRelu", "Softplus", "Erf"}
NARROWEST = {"units": 32, "channels": 8}  # narrower layers are left as they are
MULTIPLE = {"units": 16, "channels": 8}  # widths are multiples of this, for which products are fast


@dataclass(frozen=True)
class Layer:
    """A pair of products, or of convolutions, with units between them that nothing else reads."""

    kind: str  # "units" or "channels"
    first: str  # name of the weight (D, U), or of the filters (U, C, k, k)
    bias: str | None  # of the units (U,)
    biased: str  # what the node gives that adds the bias
    hidden: str  # the value that holds the units (..., U) or (B, U, H, W), after the function
    second: str  # name of the weight (U, D), or of the filters (O, U, k, k)

    def rows(self, hidden: NDArray[np.generic]) -> Floats:
        """The units' values, one row for each place: (N, U)."""
        last = hidden if self.kind == "units" else np.moveaxis(hidden, 1, -1)
        return last.reshape(-1, last.shape[-1]).astype(np.float64)


def find(graph: onnx.GraphProto) -> list[Layer]:
    """The layers of a graph that can be made narrower, in order."""
    weights = {t.name: t for t in graph.initializer}
    read = readers(graph)
    outputs = {o.name for o in graph.output}
    layers = []
    for node in graph.node:
        kind = {"MatMul": "units", "Conv": "channels"}.get(node.op_type)
        if kind is None or not _alone(node, kind, weights, read):
            continue
        units = weights[node.input[1]].dims[1 if kind == "units" else 0]
        value, bias, biased = node.output[0], None, node.output[0]
        if kind == "channels" and len(node.input) > 2 and node.input[2]:
            bias = node.input[2]
            if not vector(weights.get(bias), units):
                continue
        while value not in outputs:
            after = read.get(value, [])
            if (gated := _swish(after, value, read)) is not None:
                value = gated
                continue
            if len(after) != 1:
                break
            other = [i for i in after[0].input if i != value]
            if (
                after[0].op_type in ("Add", "Sum")
                and bias is None
                and len(other) == 1
                and vector(weights.get(other[0]), units)
            ):
                value, bias, biased = after[0].output[0], other[0], after[0].output[0]
            elif (after[0].op_type in POINTWISE and not other) or (
                after[0].op_type == "Pow" and _scalar(weights, other)
            ):
                value = after[0].output[0]
            else:
                break
        last = read.get(value, [])
        if value in outputs or len(last) != 1 or last[0].op_type != node.op_type or last[0].input[0] != value:
            continue
        if _alone(last[0], kind, weights, read) and units >= NARROWEST[kind]:
            layers.append(Layer(kind, node.input[1], bias, biased, value, last[0].input[1]))
    return layers


def readers(graph: onnx.GraphProto) -> dict[str, list[NodeProto]]:
    """The nodes that read each value."""
    nodes: dict[str, list[NodeProto]] = {}
    for node in graph.node:
        for name in dict.fromkeys(node.input):
            nodes.setdefault(name, []).append(node)
    return nodes


def _alone(node: NodeProto, kind: str, weights: Mapping[str, TensorProto], read: dict[str, list[NodeProto]]) -> bool:
    """Whether a node has a stored weight of its own, and for a convolution one group."""
    weight = weights.get(node.input[1])
    if weight is None or len(read[weight.name]) > 1 or weight.data_type != TensorProto.FLOAT:
        return False
    grouped = any(a.name == "group" and a.i != 1 for a in node.attribute)
    return len(weight.dims) == 2 if kind == "units" else len(weight.dims) > 2 and not grouped


def _swish(after: list[NodeProto], value: str, read: dict[str, list[NodeProto]]) -> str | None:
    """The name of `x * sigmoid(x)`, if that is what is made of x and nothing else is."""
    gates = [n for n in after if n.op_type == "Sigmoid"]
    if len(after) != 2 or len(gates) != 1 or len(read.get(gates[0].output[0], [])) != 1:
        return None
    (product,) = (n for n in after if n is not gates[0])
    return product.output[0] if product.op_type == "Mul" and set(product.input) == {value, gates[0].output[0]} else None


def _scalar(weights: Mapping[str, TensorProto], names: list[str]) -> bool:
    """Whether the node has one other input, a stored scalar."""
    return len(names) == 1 and names[0] in weights and int(np.prod(weights[names[0]].dims)) == 1


def vector(tensor: TensorProto | None, size: int) -> bool:
    """Whether this is a stored vector of that length."""
    return tensor is not None and list(tensor.dims) == [size] and tensor.data_type == TensorProto.FLOAT


def unfold(graph: onnx.GraphProto) -> None:
    """Filters that are stored as a matrix and reshaped on their way are stored as filters, in place."""
    weights = {t.name: t for t in graph.initializer}
    filters = {n.input[1] for n in graph.node if n.op_type == "Conv"}
    for node in list(graph.node):
        if node.op_type == "Reshape" and node.output[0] in filters and set(node.input) <= set(weights):
            shape = numpy_helper.to_array(weights[node.input[1]])
            array = numpy_helper.to_array(weights[node.input[0]]).reshape(shape)
            graph.initializer.append(numpy_helper.from_array(array, node.output[0]))
            graph.node.remove(node)
    tidy(graph)


def narrow(graph: onnx.GraphProto, layer: Layer, moments: Floats, share: float) -> None:
    """Remove about `share` of a layer's units, in place, and fit the others again; moments (U, U) are means."""
    weights = {t.name: t for t in graph.initializer}
    first, second = (numpy_helper.to_array(weights[name]) for name in (layer.first, layer.second))
    axis = 1 if layer.kind == "units" else 0  # of the first weight; of the second it is the other
    units, multiple = first.shape[axis], MULTIPLE[layer.kind]
    keep = max(NARROWEST[layer.kind], round((1 - share) * units / multiple) * multiple)
    if keep >= units:
        return
    rows = np.moveaxis(second, 1 - axis, 0)  # (U, ...)
    kept, fitted = fit(moments, rows.reshape(units, -1).astype(np.float64), keep)
    put(graph, layer.first, first.take(kept, axis))
    put(graph, layer.second, np.moveaxis(fitted.reshape(keep, *rows.shape[1:]), 0, 1 - axis))
    if layer.bias is not None:
        give_bias(graph, layer.bias, layer.biased, numpy_helper.to_array(weights[layer.bias])[kept])
    tidy(graph)


def give_bias(graph: onnx.GraphProto, bias: str, biased: str, array: NDArray[np.float32]) -> None:
    """Replace the bias that the node behind `biased` adds; under a new name if other nodes read the old one."""
    (node,) = (n for n in graph.node if n.output[0] == biased)
    own = f"{biased}_bias" if len(readers(graph)[bias]) > 1 else bias
    graph.initializer.append(numpy_helper.from_array(array, own))
    if own == bias:
        graph.initializer.remove(next(t for t in graph.initializer if t.name == bias))
    node.input[list(node.input).index(bias)] = own


def key(tensor: TensorProto) -> str:
    """The key by which graphs of one net share a weight; a name made up by the exporter may differ between graphs."""
    return f"{tensor.name} {zlib.crc32(numpy_helper.to_array(tensor).tobytes()):08x}"


def put(graph: onnx.GraphProto, name: str, array: NDArray[np.generic]) -> None:
    """Store another array, in float32, under a stored one's name."""
    (tensor,) = (t for t in graph.initializer if t.name == name)
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name))


def tidy(graph: onnx.GraphProto) -> None:
    """Drop stored tensors that no node reads."""
    needed = {name for node in graph.node for name in node.input} | {o.name for o in graph.output}
    kept = [t for t in graph.initializer if t.name in needed]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def reshape_to(graph: onnx.GraphProto, node: NodeProto, changed: set[int], before: int, after: int) -> None:
    """Give a reshape its own shape tensor, with the changed entries scaled from `before` to `after` heads."""
    weights = {t.name: t for t in graph.initializer}
    made = {o: n for n in graph.node for o in n.output}
    stored = node.input[1] in weights
    pieces, at = [node.input[1]] if stored else list(made[node.input[1]].input), 0
    for i, piece in enumerate(pieces):
        if piece not in weights:
            at += 1
            continue
        array = numpy_helper.to_array(weights[piece]).copy()
        own = [e for e in changed if at <= e < at + len(array)]
        for entry in own:
            array[entry - at] = array[entry - at] // before * after
        at += len(array)
        if own:
            pieces[i] = f"{node.output[0]}_shape_{i}"
            graph.initializer.append(numpy_helper.from_array(array, pieces[i]))
    if stored:
        node.input[1] = pieces[0]
        return
    shape = f"{node.output[0]}_shape"
    place = next(i for i, n in enumerate(graph.node) if n is node or n.output == node.output)
    graph.node[place].input[1] = shape
    graph.node.insert(place, helper.make_node("Concat", pieces, [shape], axis=0))
