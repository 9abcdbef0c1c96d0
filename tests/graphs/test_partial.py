"""A graph cut down to some of its outputs: the same values from fewer nodes, and nothing else kept."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from lamella.errors import ModelError
from lamella.graphs import OnnxGraph
from lamella.graphs.partial import partial


def two_outputs() -> bytes:
    """one = (x + w) * w, other = y * v, both from inputs and weights of their own; `both` from the two."""
    arrays = [numpy_helper.from_array(np.full(2, n, np.float32), name) for name, n in (("w", 2.0), ("v", 3.0))]
    nodes = [
        helper.make_node("Add", ["x", "w"], ["sum"]),
        helper.make_node("Mul", ["y", "v"], ["other"]),
        helper.make_node("Mul", ["sum", "w"], ["one"]),
        helper.make_node("Add", ["one", "other"], ["both"]),
    ]
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [2]) for n in ("x", "y", "one", "other", "both")]
    graph = helper.make_graph(nodes, "two", values[:2], values[2:], arrays)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    return model.SerializeToString()


@pytest.mark.parametrize(
    "outputs, inputs, weights, nodes",
    [
        (["one"], {"x"}, {"w"}, 2),
        (["other"], {"y"}, {"v"}, 1),
        (["one", "other"], {"x", "y"}, {"w", "v"}, 3),
        (["both"], {"x", "y"}, {"w", "v"}, 4),
    ],
)
def test_what_stays(outputs, inputs, weights, nodes):
    left = onnx.load_from_string(partial(two_outputs(), outputs))
    onnx.checker.check_model(left)
    assert {value.name for value in left.graph.input} == inputs
    assert {array.name for array in left.graph.initializer} == weights
    assert [value.name for value in left.graph.output] == outputs and len(left.graph.node) == nodes


@pytest.mark.parametrize("trusted", [False, True])
def test_values_are_the_same(trusted):
    graph = OnnxGraph(two_outputs(), "two.onnx", trusted=trusted)
    x, y = np.array([1, 2], np.float32), np.array([3, 4], np.float32)
    whole = graph(x=x, y=y)
    assert graph.only("one")(x=x)["one"].tolist() == whole["one"].tolist()
    assert graph.only("one") is graph.only("one")
    with pytest.raises(ModelError):
        graph.only("none")


def test_a_graph_within_a_node_is_left_as_it_is():
    inner = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["z"])], "inner", [], [helper.make_tensor_value_info("z", 1, [2])]
    )
    node = helper.make_node("If", ["c"], ["one"], then_branch=inner, else_branch=inner)
    values = [helper.make_tensor_value_info("c", TensorProto.BOOL, []), helper.make_tensor_value_info("x", 1, [2])]
    graph = helper.make_graph([node], "outer", values, [helper.make_tensor_value_info("one", 1, [2])])
    raw = helper.make_model(graph).SerializeToString()
    assert partial(raw, ["one"]) == raw
