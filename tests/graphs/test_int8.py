"""Int8 products: each row is rounded by itself, so that no answer depends on what else is in the batch."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from lamella.graphs import OnnxGraph
from lamella.graphs.int8 import quantize


def net(weights: np.ndarray, opset: int) -> bytes:
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", "time", weights.shape[0]])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", "time", weights.shape[1]])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("opset", [17, 18])
def test_a_row_is_the_same_alone_and_in_any_company(opset: int) -> None:
    import onnxruntime

    rng = np.random.default_rng(0)
    weights = rng.normal(size=(96, 64)).astype(np.float32)
    raw = quantize(net(weights, opset))
    onnx.checker.check_model(onnx.load_model_from_string(raw))
    session = onnxruntime.InferenceSession(raw, providers=["CPUExecutionProvider"])
    x = rng.normal(size=(40, 3, 96)).astype(np.float32) * rng.uniform(0.01, 100, size=(40, 1, 1)).astype(np.float32)
    x[7] = 0
    whole = session.run(None, {"x": x})[0]
    order = rng.permutation(40)
    for size in (1, 7, 40):
        parts = np.concatenate([session.run(None, {"x": x[order[i : i + size]]})[0] for i in range(0, 40, size)])
        assert np.array_equal(parts, whole[order])
    exact = x @ weights
    rows = np.abs(exact).max(axis=-1, keepdims=True) + 1e-9
    assert (np.abs(whole - exact) / rows).max() < 0.05, "each row as exact as its own size allows"
    assert not whole[7].any()


@pytest.mark.parametrize("names", [("a", "z"), ("z", "a")])
def test_one_of_several_tables_is_also_a_product(names: tuple[str, str]) -> None:
    """A table of positions beside that of tokens, whose transpose the exporter has folded into a copy: stored once."""
    rng, (tokens, places) = np.random.default_rng(0), names
    tables = {
        tokens: rng.normal(size=(64, 96)).astype(np.float32),
        places: rng.normal(size=(64, 96)).astype(np.float32),
    }
    stored = [numpy_helper.from_array(t, name) for name, t in tables.items()]
    graph = helper.make_graph(
        [
            helper.make_node("Gather", [tokens, "ids"], ["one"]),
            helper.make_node("Gather", [places, "ids"], ["other"]),
            helper.make_node("Add", ["one", "other"], ["x"]),
            helper.make_node("MatMul", ["x", "copy"], ["y"]),
        ],
        "net",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["time"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["time", 64])],
        [*stored, numpy_helper.from_array(np.ascontiguousarray(tables[tokens].T), "copy")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    small = onnx.load_model_from_string(quantize(bytes(model.SerializeToString())))
    kept = {t.name for t in small.graph.initializer if t.data_type == TensorProto.INT8}
    assert kept == {f"{tokens}_int8", f"{places}_int8"}


def _biased(width: int, out: int) -> tuple[bytes, np.ndarray, np.ndarray]:
    """A product with a bias as the exporter writes it, its weights (in, out) and its bias."""
    rng = np.random.default_rng(0)
    weights, bias = rng.normal(size=(width, out)).astype(np.float32), rng.normal(size=out).astype(np.float32)
    nodes = [helper.make_node("MatMul", ["x", "net.w"], ["y"]), helper.make_node("Add", ["y", "net.b"], ["z"])]
    axes = {"x": ["rows", width], "z": ["rows", out]}
    values = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in axes.items()}
    stored = [numpy_helper.from_array(array, name) for name, array in (("net.w", weights), ("net.b", bias))]
    graph = helper.make_graph(nodes, "biased", [values["x"]], [values["z"]], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    return model.SerializeToString(), weights, bias


@pytest.mark.parametrize("rows", [1, 7])
@pytest.mark.parametrize("before", [False, True], ids=["as now", "of an earlier release"])
def test_a_bias_is_added_as_it_is(rows, before):
    """onnxruntime's fused product with a scale a row multiplies the bias by that scale: here nothing would be left of it."""
    raw, weights, bias = _biased(64, 96)
    small = quantize(raw)
    assert b"Sum" in small
    if before:
        model = onnx.load_from_string(small)
        for node in model.graph.node:
            node.op_type = "Add" if node.op_type == "Sum" else node.op_type
        small = model.SerializeToString()
    x = 1e-3 * np.random.default_rng(1).normal(size=(rows, 64)).astype(np.float32)
    out = OnnxGraph(small, "biased.onnx")(x=x)["z"]
    np.testing.assert_allclose(out, x @ weights + bias, atol=1e-3)
