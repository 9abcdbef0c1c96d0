"""Structured pruning of exported graphs: narrower feed-forward layers, so that products become smaller, not sparse.

Where a product, a bias and an elementwise function lead to a second product, the units between the two can be taken
away together with their column of the first weight and their row of the second. Which ones go, and how those that stay
make up for them, is computed from the units' second moments on examples, without a gradient: the second weight is
fitted anew so that the layer's output stays as close as it can in the least-squares sense. That is the step of Optimal
Brain Surgeon (Hassibi and Stork, 1993) applied to whole units at once; a column is chosen as in "ThiNet" (Luo et al.,
2017), by what its loss would do to the next layer.

Works on the ONNX files of a model folder, so it needs neither the net's code nor torch, and knows no task.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from lamella.graph import Arrays, OnnxGraph
from lamella.train import static

Floats = NDArray[np.float64]
# A product with no other input is a square.
POINTWISE = {"Mul", "Relu", "Gelu", "Tanh", "Sigmoid", "Elu", "LeakyRelu", "Softplus", "Erf"}
NARROWEST = 32  # units: below this a layer is left as it is
MULTIPLE = 16  # units are kept in multiples of this, which is what products are fast at
ALIKE = 0.5  # partial correlation: above this two units do not go in one round
RIDGE = 1e-4  # of the mean second moment, added to the diagonal: a unit that never fires has none of its own


@dataclass(frozen=True)
class Layer:
    """A pair of products with units between them that nothing else reads."""

    first: str  # name of the weight (D, U)
    bias: str | None  # of the units (U,)
    hidden: str  # the value that holds the units (..., U), after the function
    second: str  # name of the weight (U, D)


def find_layers(model: onnx.ModelProto) -> list[Layer]:
    """The feed-forward layers of a graph, in order."""
    weights = {t.name: t for t in model.graph.initializer}
    readers: dict[str, list[NodeProto]] = {}
    for node in model.graph.node:
        for name in dict.fromkeys(node.input):
            readers.setdefault(name, []).append(node)
    outputs = {o.name for o in model.graph.output}
    found = []
    for node in model.graph.node:
        if node.op_type != "MatMul" or not _matrix(weights.get(node.input[1])) or len(readers[node.input[1]]) > 1:
            continue
        units = weights[node.input[1]].dims[1]
        value, bias = node.output[0], None
        while value not in outputs and len(readers.get(value, ())) == 1:
            reader = readers[value][0]
            other = [i for i in reader.input if i != value]
            if reader.op_type == "Add" and bias is None and len(other) == 1 and _vector(weights.get(other[0]), units):
                if len(readers[other[0]]) > 1:
                    break
                value, bias = reader.output[0], other[0]
            elif (reader.op_type in POINTWISE and not other) or (reader.op_type == "Pow" and _scalar(weights, other)):
                value = reader.output[0]
            else:
                break
        last = readers.get(value, [])
        if value in outputs or len(last) != 1 or last[0].op_type != "MatMul" or last[0].input[0] != value:
            continue
        second = last[0].input[1]
        if _matrix(weights.get(second)) and len(readers[second]) == 1 and units >= NARROWEST:
            found.append(Layer(node.input[1], bias, value, second))
    return found


def _matrix(tensor: TensorProto | None) -> bool:
    return tensor is not None and len(tensor.dims) == 2 and tensor.data_type == TensorProto.FLOAT


def _scalar(weights: dict[str, TensorProto], names: list[str]) -> bool:
    """Whether there is one other input, and it is one stored number."""
    return len(names) == 1 and names[0] in weights and int(np.prod(weights[names[0]].dims)) == 1


def _vector(tensor: TensorProto | None, size: int) -> bool:
    return tensor is not None and list(tensor.dims) == [size] and tensor.data_type == TensorProto.FLOAT


class Probe:
    """A graph that answers as before and notes on the way what compressing it needs to know.

    That is the second moments of every layer's units, and how far the values around convolutions range.
    """

    def __init__(self, raw: bytes, name: str) -> None:
        model = onnx.load_model_from_string(raw)
        self.layers = find_layers(model)
        self.watched = static.watched(model.graph)
        self.ranges: dict[str, tuple[float, float]] = {}
        outside = {v.name for v in (*model.graph.input, *model.graph.output)}
        self.added = [n for n in dict.fromkeys([*(x.hidden for x in self.layers), *self.watched]) if n not in outside]
        for value in self.added:
            model.graph.output.append(helper.make_tensor_value_info(value, TensorProto.FLOAT, None))
        out = io.BytesIO()
        onnx.save_model(model, out)
        self._graph = OnnxGraph(out.getvalue(), name)
        self.moments: dict[str, Floats] = {}
        self.counts: dict[str, int] = {}

    def __call__(self, **inputs: NDArray[np.generic]) -> Arrays:
        out = self._graph(**inputs)
        for value in self.watched:
            seen = out.get(value, inputs.get(value))
            if seen is None:
                continue
            low, high = self.ranges.get(value, (0.0, 0.0))
            self.ranges[value] = min(low, float(seen.min(initial=0))), max(high, float(seen.max(initial=0)))
        for layer in self.layers:
            hidden = out[layer.hidden]
            rows = hidden.reshape(-1, hidden.shape[-1]).astype(np.float64)
            self.moments[layer.first] = self.moments.get(layer.first, 0.0) + rows.T @ rows
            self.counts[layer.first] = self.counts.get(layer.first, 0) + len(rows)
        return {key: value for key, value in out.items() if key not in self.added}

    def empty(self, **sizes: int) -> Arrays:
        """The state before the first step."""
        return self._graph.empty(**sizes)


def calibrate(graphs: Mapping[str, bytes], run: Callable[[Mapping[str, Probe]], object]) -> dict[str, Probe]:
    """ONNX files by name -> probes by graph name, after `run` has answered examples through them.

    Graphs of one net share weights, by name; what one saw of a layer counts for all, so that it is pruned alike in all.
    """
    probes = {name.removesuffix(".onnx"): Probe(raw, name) for name, raw in graphs.items()}
    run(probes)
    moments: dict[str, Floats] = {}
    counts: dict[str, int] = {}
    for probe in probes.values():
        for name, seen in probe.moments.items():
            moments[name] = moments.get(name, 0.0) + seen
            counts[name] = counts.get(name, 0) + probe.counts[name]
    for probe in probes.values():
        probe.moments, probe.counts = moments, counts
    return probes


def prunable(probes: Mapping[str, Probe]) -> bool:
    """Whether there is anything to take away."""
    return any(probe.layers for probe in probes.values())


def count(raw: bytes) -> int:
    """How many numbers of matrices a file holds.

    A table that two graphs share is counted twice; it is differences that this is for.
    """
    graph = onnx.load_model_from_string(raw).graph
    return sum(int(np.prod(t.dims)) for t in graph.initializer if len(t.dims) >= 2)


def prune(raw: bytes, probe: Probe, share: float) -> bytes:
    """An ONNX file -> the same with about `share` of each layer's units taken away, the others fitted anew."""
    model = onnx.load_model_from_string(raw)
    weights = {t.name: t for t in model.graph.initializer}
    for layer in probe.layers:
        moments = probe.moments.get(layer.first)
        if moments is None:  # no example came this way: what its units do is not known
            continue
        first, second = (numpy_helper.to_array(weights[name]) for name in (layer.first, layer.second))
        units = len(second)
        keep = max(NARROWEST, round((1 - share) * units / MULTIPLE) * MULTIPLE)
        if keep >= units:
            continue
        kept, fitted = fit(moments / max(1, probe.counts[layer.first]), second.astype(np.float64), keep)
        _replace(weights[layer.first], first[:, kept])
        _replace(weights[layer.second], fitted.astype(np.float32))
        if layer.bias is not None:
            _replace(weights[layer.bias], numpy_helper.to_array(weights[layer.bias])[kept])
    del model.graph.value_info[:]
    out = io.BytesIO()
    onnx.save_model(model, out)
    return out.getvalue()


def fit(moments: Floats, weight: Floats, keep: int) -> tuple[NDArray[np.int64], Floats]:
    """Which units to keep, and the weight (keep, D) that then comes nearest to `hidden @ weight` in mean square.

    moments (U, U): mean of hidden^T hidden; weight (U, D). Units go in rounds; in each, those whose removal costs least
    after the best correction: |w_u|^2 / [M^-1]_uu, the saliency of Optimal Brain Surgeon.

    >>> moments = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])  # two units that say the same
    >>> kept, fitted = fit(moments, np.ones((3, 1)), keep=2)
    >>> 2 in kept, fitted.round(2).ravel().tolist()
    (True, [2.0, 1.0])
    """
    units = len(weight)
    damped = moments + np.eye(units) * (RIDGE * max(float(np.trace(moments)) / units, 1e-12))
    target = moments @ weight  # (U, D): hidden^T of the wanted output
    kept = np.arange(units)
    while True:
        inverse = np.linalg.inv(damped[np.ix_(kept, kept)])
        fitted = inverse @ target[kept]
        if len(kept) <= keep:
            return kept, fitted
        cost = (fitted**2).sum(axis=1) / inverse.diagonal()
        # An eighth at a time, since the cost of one depends on which others are gone; and of two that can each stand
        # in for the other (partial correlation), one only.
        most = min(len(kept) - keep, max(1, len(kept) // 8))
        scale = np.sqrt(inverse.diagonal())
        alike = np.abs(inverse) / scale[:, None] / scale > ALIKE
        going: list[int] = []
        for unit in np.argsort(cost, kind="stable"):
            if len(going) < most and not alike[unit, going].any():
                going.append(int(unit))
        kept = np.delete(kept, going)


def _replace(tensor: TensorProto, array: NDArray[np.float32]) -> None:
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(array), tensor.name))
