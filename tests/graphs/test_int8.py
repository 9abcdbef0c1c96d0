"""Int8 products: each row is rounded by itself, so that no answer depends on what else is in the batch."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

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
