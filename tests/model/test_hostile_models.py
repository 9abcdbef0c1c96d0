"""Models from elsewhere: graphs, archives, manifests, vocabularies and pickles that are made to do harm are refused.

Every refusal is a ModelError (or the error that says what the person did) of one line; nothing is read, written or run
beside the model's own files, and the process that asked lives on.
"""

from __future__ import annotations

import contextlib
import copy
import io
import os
import pickle
import random
import stat
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path

import msgspec
import numpy as np
import pytest

import lamella
from lamella import registry
from lamella.data.text.pieces import MOST, Pieces, learn
from lamella.errors import LamellaError, ModelError, UsageError
from lamella.graphs import OnnxGraph, limits, load_graphs
from lamella.graphs.check import check
from lamella.graphs.growth import Growth
from lamella.graphs.operators import ALLOWED, WRITTEN
from lamella.model import Manifest, archive, card, load, own_digest, parse, seal, shipped, write, write_zip
from lamella.model.learned import declared, learned, restore
from lamella.storage import checksums
from lamella.storage.protobuf import message_field, varint
from lamella.tasks.text_generation.vocabulary import Characters, Words

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

MODELS = Path(lamella.__file__).parent / "models"
FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def one_line(error: BaseException) -> str:
    text = str(error)
    assert "\n" not in text and text.isprintable(), repr(text)
    return text


# ---- graphs ------------------------------------------------------------------------------------------------------


def tensors(**arrays):
    return [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()]


def model(nodes, stored=(), given=(("x", FLOAT, ["n"]),), gives=(("y", FLOAT),), opset=20, ir=10, **more):
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info(*i) for i in given],
        [helper.make_tensor_value_info(name, kind, None) for name, kind in gives], list(stored),
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir, **more)


def node(op, inputs="x", outputs="y", **attributes):
    return helper.make_node(op, inputs.split(), outputs.split(), **attributes)


PLAIN = model([node("Relu")])


def refused(made, *words: str) -> None:
    raw = made if isinstance(made, bytes) else made.SerializeToString()
    started = time.monotonic()
    with pytest.raises(ModelError) as caught:
        check(raw, "net.onnx")
    text = one_line(caught.value)
    assert text.startswith("net.onnx: ") and all(word in text for word in words), text
    assert time.monotonic() - started < 5
    with pytest.raises(ModelError):  # no session is made of it either
        OnnxGraph(raw, "net.onnx")


def runs(made, **inputs):
    return OnnxGraph(made.SerializeToString(), "net.onnx")(**inputs)


def changed(change, made=PLAIN):
    other = onnx.ModelProto()
    other.CopyFrom(made)
    change(other)
    return other


def outside(tensor, path: Path):
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=str(path))
    return tensor


def test_what_is_plain_runs():
    np.testing.assert_array_equal(runs(PLAIN, x=np.array([-1, 2], np.float32))["y"], [0, 2])


@pytest.mark.parametrize("name", ["secret.bin", "../secret.bin", "/etc/hostname"])
def test_no_external_data(tmp_path, monkeypatch, name):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for place in (tmp_path, tmp_path / "here"):
        (place / "secret.bin").write_bytes(np.arange(4, dtype=np.float32).tobytes())
    dense = outside(TensorProto(name="w", dims=[4], data_type=FLOAT), name)
    refused(model([node("Add", "x w")], [dense]), "external data")
    inside = helper.make_node("Constant", [], ["w"])
    inside.attribute.append(helper.make_attribute("value", dense))
    refused(model([inside, node("Add", "x w")]), "external data")
    sparse = onnx.SparseTensorProto(values=dense, indices=numpy_helper.from_array(np.arange(4), "i"), dims=[9])
    refused(changed(lambda m: m.graph.sparse_initializer.append(sparse)), "sparse")
    hidden = helper.make_node("Constant", [], ["w"])
    hidden.attribute.append(helper.make_attribute("sparse_value", sparse))
    refused(model([hidden, node("Add", "x w")]), "sparse")
    only = changed(lambda m: m.graph.initializer.append(TensorProto(name="w", dims=[0], data_type=FLOAT)))
    only.graph.initializer[0].data_location = TensorProto.EXTERNAL
    refused(only, "external data")


def subgraph(gives="y"):
    return helper.make_graph(
        [node("Relu", "x", gives)], "inner", [], [helper.make_tensor_value_info(gives, FLOAT, None)]
    )


def test_no_operator_that_is_not_listed():
    endless = helper.make_graph(
        [node("Identity", "go", "more"), node("Identity", "kept", "next")], "body",
        [helper.make_tensor_value_info(*i) for i in (("i", INT64, []), ("go", BOOL, []), ("kept", FLOAT, ["n"]))],
        [helper.make_tensor_value_info(*i) for i in (("more", BOOL, []), ("next", FLOAT, ["n"]))],
    )  # fmt: skip
    true, many = tensors(true=np.array(True), many=np.array(2**62))
    refused(model([node("Loop", "many true x", body=endless)], [true, many]), "Loop")
    refused(model([node("If", "true", then_branch=subgraph(), else_branch=subgraph())], [true]), "If")
    refused(model([node("Scan", "x", body=subgraph(), num_scan_inputs=1)]), "Scan")
    for op in (
        "SequenceConstruct",
        "RandomNormalLike",
        "StringNormalizer",
        "Optional",
        "NonMaxSuppression",
        "relu",
        "",
    ):
        refused(model([node(op)]), "operator")
    for domain in ("com.microsoft", "ai.onnx.ml", "ai.onnx.training", "custom", "com.microsoft.nchwc"):
        refused(model([node("Relu", domain=domain)]), "operator")
        refused(changed(lambda m, d=domain: m.opset_import.append(helper.make_opsetid(d, 1))), "operators")
    # An allowed operator with a graph in an attribute of any name.
    refused(model([node("Relu", body=subgraph())]), "a subgraph")
    refused(model([node("Relu", bodies=[subgraph()])]), "subgraphs")


def test_nothing_but_a_graph_in_the_file():
    function = helper.make_function("mine", "F", ["x"], ["y"], [node("Relu")], [helper.make_opsetid("", 20)])
    refused(changed(lambda m: m.functions.append(function)), "functions")
    refused(changed(lambda m: m.training_info.add().algorithm.CopyFrom(m.graph)), "training information")
    refused(changed(lambda m: m.metadata_props.add(key="ort_config", value="{}")), "metadata")
    refused(changed(lambda m: m.graph.quantization_annotation.add()), "quantization")
    refused(changed(lambda m: m.graph.node[0].attribute.add(name="a", ref_attr_name="b", type=2)), "reference")
    refused(changed(lambda m: m.graph.node[0].ClearField("output")), "nowhere made")
    refused(PLAIN.SerializeToString() + message_field(99, b"unknown"), "unknown field")
    refused(PLAIN.SerializeToString() + message_field(7, PLAIN.graph.SerializeToString()), "twice")


@pytest.mark.parametrize("ir", [-1, 0, 7, 14, 2**40])
def test_versions(ir):
    refused(changed(lambda m: setattr(m, "ir_version", ir)), "version")
    refused(changed(lambda m: setattr(m.opset_import[0], "version", ir)), "version")
    refused(changed(lambda m: m.opset_import.append(m.opset_import[0])), "once")
    refused(changed(lambda m: m.ClearField("opset_import")), "operators")


GREEDY = {
    "ConstantOfShape": model([node("ConstantOfShape", "s", "c"), node("Add", "x c")], tensors(s=[750_000_000])),
    "ConstantOfShape of two": model([node("ConstantOfShape", "s", "c"), node("Add", "x c")], tensors(s=[30_000, 30_000])),
    "Expand": model([node("Expand", "x s")], tensors(s=[750_000_000])),
    "Expand of a constant": model([node("Expand", "o s", "c"), node("Add", "x c")], tensors(o=[1.0], s=[10**9])),
    "Tile": model([node("Tile", "x s")], tensors(s=[10**9])),
    "Range": model([node("Range", "a b c", "r"), node("Cast", "r", "f", to=1), node("Add", "x f")],
                   tensors(a=np.array(0), b=np.array(10**9), c=np.array(1))),
    "Pad": model([node("Pad", "x s")], tensors(s=[0, 10**9])),
    "OneHot": model([node("Cast", "x", "i", to=7), node("OneHot", "i d v")],
                    tensors(d=np.array(10**9), v=np.array([0, 1], np.float32))),
    "Resize by scales": model([node("Resize", "x  s".replace("  ", " o "))], tensors(s=np.array([1e9], np.float32), o=np.zeros(0, np.float32))),
    "shape by sums": model([node("Mul", "s s", "t"), node("Mul", "t t", "u"), node("Expand", "x u")], tensors(s=[200])),
    "shape by parts": model([node("Concat", "s s", "t", axis=0), node("ConstantOfShape", "t", "c"), node("Add", "x c")],
                            tensors(s=[40_000])),
    "shape by a cast": model([node("Cast", "s", "t", to=7), node("Expand", "x t")], tensors(s=np.array([3e9], np.float32))),
    "shape by an unfollowed operator": model([node("ReduceProd", "s", "t"), node("Expand", "x t")], tensors(s=[30_000, 30_000])),
    "sum of a row and a column": model([node("Add", "a b", "c"), node("ReduceSum", "c", "d", keepdims=0), node("Add", "x d")],
                                       tensors(a=np.zeros((6000, 1), np.float32), b=np.zeros((1, 6000), np.float32))),
    "ConvTranspose": model([node("ConvTranspose", "x w", strides=[4000, 4000])], tensors(w=np.ones((1, 1, 1, 1), np.float32)),
                           [("x", FLOAT, ["a", 1, "b", "c"])]),
    "Conv pads": model([node("Conv", "x w", pads=[4000] * 4)], tensors(w=np.ones((1, 1, 1, 1), np.float32)),
                       [("x", FLOAT, ["a", 1, "b", "c"])]),
}  # fmt: skip


@pytest.mark.parametrize("name", GREEDY)
def test_a_small_file_asks_for_no_gigabytes(name):
    assert len(GREEDY[name].SerializeToString()) < 100_000
    refused(GREEDY[name])


def test_a_large_table_may_be_turned():
    """An int8 table of 32,000 pieces is scored transposed: the same bytes, however small the rest of the file."""
    growth = Growth(9 << 20)
    growth.store("table", np.zeros((32_000, 256), np.int8))
    growth.node("Transpose", ["table"], ["turned"], {"perm": [1, 0]})
    assert growth.shapes["turned"] == (256, 32_000)
    with pytest.raises(ValueError, match="makes a constant"):
        growth.node("Cast", ["turned"], ["wide"], {"to": 11})


def test_memory_has_a_limit():
    """What depends on the input passes the walk: the engine is given a store that ends."""
    script = """
import resource, numpy as np, sys
from lamella.graphs import OnnxGraph, limits
from lamella.errors import ModelError
limits.MEMORY = 64 << 20
graph = OnnxGraph(sys.stdin.buffer.read(), "net.onnx")
print(graph(x=np.ones((1, 10), np.float32))["y"].shape)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    graph(x=np.ones((1, 12_000), np.float32))
except ModelError as error:
    print("refused", "\\n" not in str(error))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 << 10)
"""
    outer = model([node("Transpose", "x", "t", perm=[1, 0]), node("MatMul", "t x")], given=[("x", FLOAT, [1, "n"])])
    done = subprocess.run([sys.executable, "-c", script], input=outer.SerializeToString(), capture_output=True)
    assert done.stdout.split() == b"(10, 10) refused True True".split(), done


def test_time_has_a_limit(monkeypatch):
    monkeypatch.setattr(limits, "PERIOD", 0.05)
    nodes, value = [], "x"
    for i in range(1500):
        nodes.append(node("MatMul", f"{value} w", f"v{i}"))
        value = f"v{i}"
    slow = model([*nodes, node("Relu", value)], tensors(w=np.eye(400, dtype=np.float32)), [("x", FLOAT, ["n", 400])])
    graph = OnnxGraph(slow.SerializeToString(), "slow.onnx")
    monkeypatch.setattr(limits, "SECONDS", 0.3)
    np.testing.assert_allclose(graph(x=np.ones((1, 400), np.float32))["y"], 1)  # soon enough
    started = time.monotonic()
    with pytest.raises(ModelError, match=r"slow\.onnx: has not ended after 0\.3 s"):
        graph(x=np.ones((6000, 400), np.float32))
    assert time.monotonic() - started < 10
    np.testing.assert_allclose(graph(x=np.ones((1, 400), np.float32))["y"], 1)  # and goes on to answer
    assert not limits._running
    with pytest.raises(ModelError, match=r"cannot load this graph .*cancel"):  # opening it takes longer than that
        monkeypatch.setattr(limits, "SECONDS", 0.01)
        OnnxGraph(slow.SerializeToString(), "slow.onnx")


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", ["float32", "float16", "float64", "bfloat16"])
def test_weights_are_finite(odd, kind):
    number = {"float32": 1, "float16": 10, "float64": 11, "bfloat16": 16}[kind]
    values = np.ones(70, np.float32)
    wrong = values.copy()
    wrong[-1] = odd
    for array, fine in ((values, True), (wrong, False)):
        bits = (array.view(np.uint32) >> 16).astype(np.uint16)
        raw = bits.tobytes() if kind == "bfloat16" else array.astype(kind).tobytes()
        stored = TensorProto(name="w", dims=[70], data_type=number, raw_data=raw)
        typed = TensorProto(name="w", dims=[70], data_type=number)
        if kind == "float32":
            typed.float_data.extend(array)
        elif kind == "float64":
            typed.double_data.extend(array)
        else:
            typed.int32_data.extend(np.frombuffer(raw, np.uint16).tolist())
        for tensor in (stored, typed):
            made = model([node("Relu")], [tensor])
            check(made.SerializeToString(), "net.onnx") if fine else refused(made, "'w' holds NaN or infinity")
    scalar = TensorProto(name="w", data_type=1, raw_data=np.float32(odd).tobytes())
    refused(model([node("Relu")], [scalar]), "NaN or infinity")
    refused(model([node("LeakyRelu", alpha=float(odd))]), "NaN or infinite")
    refused(model([helper.make_node("Constant", [], ["c"], value_floats=[1.0, float(odd)]), node("Add", "x c")]), "NaN")


@pytest.mark.parametrize(
    "tensor",
    [
        TensorProto(name="w", dims=[3], data_type=1, raw_data=bytes(8)),
        TensorProto(name="w", dims=[3], data_type=1, raw_data=bytes(16)),
        TensorProto(name="w", dims=[3], data_type=1, raw_data=bytes(11)),
        TensorProto(name="w", dims=[10**9, 10**9], data_type=1, raw_data=b""),
        TensorProto(name="w", dims=[-1], data_type=1, raw_data=bytes(4)),
        TensorProto(name="w", dims=[2**62], data_type=7),
        TensorProto(name="w", dims=[1] * 40, data_type=1, raw_data=bytes(4)),
        TensorProto(name="w", dims=[2], data_type=1, float_data=[1, 2], raw_data=bytes(8)),
        TensorProto(name="w", dims=[1], data_type=1, int64_data=[1]),
        TensorProto(name="w", dims=[1], data_type=3, int32_data=[300]),
        TensorProto(name="w", dims=[1], data_type=8, string_data=[b"text"]),
        TensorProto(name="w", dims=[1], data_type=14, float_data=[1, 2]),
        TensorProto(name="w", dims=[1], data_type=99, raw_data=bytes(4)),
        TensorProto(name="w", dims=[1], raw_data=bytes(4)),
        TensorProto(name="", dims=[1], data_type=1, raw_data=bytes(4)),
        TensorProto(name="x", dims=[1], data_type=1, raw_data=bytes(4)),
        TensorProto(name="w\x1b[31m", dims=[1], data_type=1, raw_data=bytes(4)),
        TensorProto(name="w" * 5000, dims=[1], data_type=1, raw_data=bytes(4)),
    ],
    ids=lambda t: f"{t.name[:9]!r} {list(t.dims)[:4]} of {t.data_type}",
)
def test_arrays_are_as_they_say(tensor):
    refused(model([node("Relu")], [tensor]))


def test_inputs_and_outputs():
    for kind in (TensorProto.DOUBLE, TensorProto.STRING, TensorProto.FLOAT16, TensorProto.INT32, 77):
        refused(model([node("Shape")], given=[("x", kind, ["n"])], gives=[("y", INT64)]), "input 'x'")
    refused(model([node("Relu")], given=[("x", FLOAT, ["n"]), ("x", FLOAT, ["n"])]), "twice")
    refused(model([node("Relu")], gives=[("y", FLOAT), ("y", FLOAT)]), "twice")
    refused(model([node("Relu")], gives=[("z", FLOAT)]), "nowhere made")
    refused(model([node("Relu")], gives=[]), "no outputs")
    refused(model([node("Relu"), node("Relu")]), "twice")
    refused(model([node("Relu", "later", "y"), node("Relu", "x", "later")]), "nothing before it makes")
    refused(model([node("Relu")], given=[("x", FLOAT, [1] * 30)]), "axes")
    refused(model([node("Relu")], given=[("x", FLOAT, [2**40])]), "axis")
    refused(model([node("Relu")], given=[("x", FLOAT, None)]), "shape")
    sequence = helper.make_tensor_sequence_value_info("s", FLOAT, ["n"])
    refused(changed(lambda m: m.graph.input.append(sequence)), "a sequence")


@pytest.mark.parametrize(
    ("made", "word"),
    [  # each ends the whole process in onnxruntime 1.32
        (model([node("Div", "m k", "q"), node("Cast", "q", "c", to=1), node("Add", "x c")],
               tensors(m=[-(2**63)], k=[-1])), "Div"),
        (model([node("Cast", "x", "i", to=7), node("Mod", "m i", "q"), node("Cast", "q", "y", to=1)],
               tensors(m=[-(2**63)])), "Mod"),
        (model([node("GatherND", "x k", batch_dims=-3)], tensors(k=[[0, 0]]), [("x", FLOAT, ["a", "b", "c", "d"])]),
         "batch_dims"),
        (model([node("Split", "x", "y a b", axis=0, num_outputs=1)]), "Split"),
    ],
    ids=["least number by -1", "by what is given", "GatherND", "Split"],
)  # fmt: skip
def test_what_ends_the_process(made, word):
    refused(made, word)


def test_bytes_that_are_no_graph():
    raw = next(MODELS.glob("*/classify.onnx")).read_bytes()
    for odd in (b"", b"\0", b"x" * 1000, pickle.dumps({"a": 1}), b"\x89PNG\r\n", raw[: len(raw) // 2], raw[1:],
                varint(7 << 3 | 2) + b"\xff" * 9 + b"\x01", varint(7 << 3 | 3) * 1000):  # fmt: skip
        refused(odd)
    deep = b""
    for _ in range(3000):  # subgraph in subgraph
        deep = message_field(
            1, message_field(4, "If") + message_field(5, message_field(1, "b") + message_field(6, deep))
        )
    refused(message_field(7, deep))
    many = message_field(7, message_field(1, message_field(4, "Relu")) * 150_000)
    refused(varint(1 << 3) + varint(10) + message_field(8, varint(2 << 3) + varint(20)) + many)


def test_random_changes_of_a_graph_are_typed():
    raw, rng = PLAIN.SerializeToString(), random.Random(0)
    for _ in range(3000):
        odd = bytearray(raw)
        for _ in range(rng.randint(1, 3)):
            odd[rng.randrange(len(odd))] = rng.choice([0, 1, 127, 128, 255, rng.randrange(256)])
        try:
            check(bytes(odd), "net.onnx")
        except ModelError as error:
            one_line(error)


def test_what_the_engine_fails_at_is_one_typed_line():
    """In a process of its own, since the engine writes to standard error itself."""
    script = """
import numpy as np, sys
from lamella.graphs import OnnxGraph
from lamella.errors import ModelError
raws = sys.stdin.buffer.read().split(b"-----")
for raw in raws[:-1]:
    try:
        OnnxGraph(raw, "net.onnx")
        print("made")
    except ModelError as error:
        print(str(error).count("\\n"))
graph = OnnxGraph(raws[-1], "net.onnx")
for inputs in ({"x": np.ones(3, np.float32)}, {}, {"z": np.ones(3)}, {"x": np.ones(3)}, {"x": np.ones((3, 3), np.float32)}):
    try:
        graph(**inputs)
        print("ran")
    except ModelError as error:
        print(str(error).count("\\n"))
"""
    bad = [model([node("Concat", "x x", axis=5)]), model([node("Relu", strides=[1])]), model([node("Gemm", "x x")]),
           model([node("Relu", "x x")]), model([node("Relu")], gives=[("y", INT64)])]  # fmt: skip
    fails = model([node("Gather", "x k")], tensors(k=[7]))
    raw = b"-----".join(m.SerializeToString() for m in (*bad, fails))
    done = subprocess.run([sys.executable, "-c", script], input=raw, capture_output=True)
    assert done.stdout.split() == [b"0"] * 10, done
    assert not done.stderr, done.stderr


def test_what_a_task_misses_is_typed():
    opened = shipped.translator("en", "fr")
    onnx_files = {name: raw for name, raw in opened.files.items() if name.endswith(".onnx")}
    graphs = dict(load_graphs(onnx_files))  # not as those of the package, which are compiled
    for name, broken in (("step", None), ("encode", None), ("encode", PLAIN), ("step", PLAIN)):
        held = dict(graphs)
        held.pop(name)
        other = copy.copy(opened)
        if broken is not None:
            held[name] = OnnxGraph(broken.SerializeToString(), f"{name}.onnx")
        other._built = [type(opened.graphs)(held)]
        with pytest.raises(ModelError, match=rf"{name}\.onnx: (missing|onnxruntime cannot run)") as caught:
            other.predict("The baker sells the round cake today.")
        one_line(caught.value)


def test_the_list_of_operators_is_what_is_written():
    """Every shipped graph; the grid, the pruner and the rounding to bytes go through the same walk in their own tests."""
    used = set()
    for path in MODELS.glob("*/*.onnx"):
        check(path.read_bytes(), path.name)
        used |= {n.op_type for n in onnx.load(path).graph.node}
    assert used <= WRITTEN <= ALLOWED and not {"If", "Loop", "Scan"} & ALLOWED
    schemas = {s.name for s in onnx.defs.get_all_schemas() if s.domain == ""}
    assert schemas >= ALLOWED - {"RMSNormalization", "Swish"}


def test_checksums_of_what_is_shipped():
    files = [*MODELS.glob("*/*.onnx"), *MODELS.glob("*/vocabulary.model")]
    assert {lamella.model.digest(path.read_bytes()) for path in files} == checksums.SHIPPED, (
        "sha256sum lamella/models/*/*.onnx lamella/models/*/vocabulary.model"
    )
    opened = shipped.translator("en", "fr")
    assert opened.trusted >= {"encode.onnx", "step.onnx"} and not load_changed(opened).trusted


def load_changed(opened):
    """The same model with two bytes more behind each graph: what is shipped is known by its content, not by its name."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        files = {name: raw + (varint(5 << 3) + b"\0") for name, raw in opened.files.items()}
        write(copy.copy(opened.manifest), files, Path(folder) / "m")
        return load(Path(folder) / "m")


# ---- archives ----------------------------------------------------------------------------------------------------

FILES = {"net.onnx": PLAIN.SerializeToString(), "vocabulary.model": b"pieces" * 50, "card.md": b"# a card"}


def manifest(**changes) -> Manifest:
    content = {
        "lamella": "0.1.0", "task": "translation", "config": {"from": "en", "to": "fr"}, "size": "tiny",
        "fields": {"text": {"kind": "text"}}, "learned": {"vocabulary_": {"file": "vocabulary.model"}},
        "scores": {"held out": {"count": 1, "scores": {"chrF": {"value": 1.5, "low": 1.0, "high": 2.0}}}},
        "training": {"data": ["one line"], "steps": 9, "seconds": 3.5, "precision": "float32"},
    }  # fmt: skip
    return Manifest(**{**content, **changes})


def not_loaded(path: Path, *words: str, most: float = 5.0) -> None:
    started, before = time.monotonic(), set(os.listdir(path.parent))
    with pytest.raises(ModelError) as caught:
        load(path)
    text = one_line(caught.value)
    assert path.name in text and all(word in text for word in words), text
    assert time.monotonic() - started < most and set(os.listdir(path.parent)) == before


def packed(path: Path, *more, method=zipfile.ZIP_DEFLATED, **changes) -> Path:
    """The model as a zip, and what else is to be in it: (ZipInfo or name, bytes)."""
    with zipfile.ZipFile(path, "w", method) as made:
        for name, raw in {**seal(manifest(), FILES), **changes}.items():
            made.writestr(name, raw)
        for info, raw in more:
            made.writestr(info, raw)
    return path


def test_a_plain_zip_loads_however_it_was_made(tmp_path):
    write_zip(manifest(), FILES, tmp_path / "ours.zip")
    for path in (
        tmp_path / "ours.zip",
        packed(tmp_path / "a.zip"),
        packed(tmp_path / "b.zip", method=zipfile.ZIP_STORED),
    ):
        assert load(path).files.items() >= FILES.items()


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_only_plain_members(tmp_path, mode):
    path = tmp_path / "m.zip"
    with zipfile.ZipFile(path, "w") as made:
        for name, raw in seal(manifest(), FILES).items():
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, ((mode if name == "card.md" else stat.S_IFREG) | 0o644) << 16
            made.writestr(info, raw)
    not_loaded(path, "card.md is a link, a folder or a device")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_only_two_methods(tmp_path, method):
    not_loaded(packed(tmp_path / "m.zip", method=method), "stored or deflated")


def test_bombs(tmp_path):
    zeros = bytes(80 << 20)
    path = packed(tmp_path / "m.zip", ("big.onnx", zeros))
    assert path.stat().st_size < 300_000
    not_loaded(path, "too many for a model", most=1.0)
    raw = bytearray(packed(tmp_path / "n.zip", ("card2.md", zeros)).read_bytes())
    place = raw.rindex(b"PK\1\2")
    struct.pack_into("<L", raw, place + 24, 10)  # says 10 bytes: never more than 11 are unpacked
    (tmp_path / "n.zip").write_bytes(raw)
    with archive.Archive(tmp_path / "n.zip") as opened, pytest.raises(ModelError, match="does not end where"):
        opened.read("card2.md")


def test_a_million_members(tmp_path, monkeypatch):
    monkeypatch.setattr(zipfile, "ZipInfo", lambda *a, **k: pytest.fail("a list of objects was made"))
    entry = archive.ENTRY.pack(b"PK\1\2", 0, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    many = entry * 1_000_000
    for count, here in ((1_000_000 & 0xFFFF, 1_000_000 & 0xFFFF), (0xFFFF, 0xFFFF), (3, 3)):
        end = archive.END.pack(b"PK\5\6", 0, 0, here, count, len(many), 0, 0)
        (tmp_path / "m.zip").write_bytes(many + end)
        not_loaded(tmp_path / "m.zip", "too many for a model", most=1.0)


def edited(path: Path, change, place: bytes = b"PK\1\2", last: bool = True) -> Path:
    raw = bytearray(path.read_bytes())
    change(raw, raw.rindex(place) if last else raw.index(place))
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize(
    "change",
    {
        "says more": lambda raw, at: struct.pack_into("<L", raw, at + 24, 5000),
        "says less": lambda raw, at: struct.pack_into("<L", raw, at + 24, 3),
        "packed more": lambda raw, at: struct.pack_into("<L", raw, at + 20, 5000),
        "packed less": lambda raw, at: struct.pack_into("<L", raw, at + 20, 3),
        "another sum": lambda raw, at: struct.pack_into("<L", raw, at + 16, 7),
        "encrypted": lambda raw, at: struct.pack_into("<H", raw, at + 8, 1),
        "zip64": lambda raw, at: struct.pack_into("<L", raw, at + 24, 0xFFFFFFFF),
        "over another": lambda raw, at: struct.pack_into("<L", raw, at + 42, 0),
        "beyond": lambda raw, at: struct.pack_into("<L", raw, at + 42, 0x7FFFFFFF),
        "on another disk": lambda raw, at: struct.pack_into("<H", raw, at + 34, 1),
        "another method": lambda raw, at: struct.pack_into("<H", raw, at + 10, 0),
        "long name": lambda raw, at: struct.pack_into("<H", raw, at + 28, 0xFFFF),
        "long comment": lambda raw, at: struct.pack_into("<H", raw, at + 32, 0xFFFF),
    }.items(),
    ids=lambda pair: pair[0],
)
def test_a_list_of_contents_that_lies(tmp_path, change):
    not_loaded(edited(packed(tmp_path / "m.zip"), change[1]))


def test_a_member_inside_another(tmp_path):
    """Each by itself is whole: a few such, nested, unpack to any size."""

    def local(name: bytes, raw: bytes) -> bytes:
        head = (b"PK\3\4", 20, 0, 0, 0, 0, zlib.crc32(raw), len(raw), len(raw), len(name), 0)
        return archive.LOCAL.pack(*head) + name + raw

    def entry(name: bytes, raw: bytes, begin: int) -> bytes:
        sizes = (zlib.crc32(raw), len(raw), len(raw), len(name), 0, 0, 0, 0, 0, begin)
        return archive.ENTRY.pack(b"PK\1\2", 20, 20, 0, 0, 0, 0, *sizes) + name

    inner = local(b"card.md", b"# a card")
    outer = local(b"net.onnx", inner)
    for begin, fine in ((len(outer), True), (len(outer) - len(inner), False)):
        body = outer + inner if fine else outer
        entries = entry(b"net.onnx", inner, 0) + entry(b"card.md", b"# a card", begin)
        end = archive.END.pack(b"PK\5\6", 0, 0, 2, 2, len(entries), len(body), 0)
        (tmp_path / "m.zip").write_bytes(body + entries + end)
        if fine:
            with archive.Archive(tmp_path / "m.zip") as opened:
                assert opened.read("card.md") == b"# a card" and opened.read("net.onnx") == inner
        else:
            with pytest.raises(ModelError, match=r"net\.onnx lies over what comes after it"):
                archive.Archive(tmp_path / "m.zip")


def test_other_ends_of_a_zip(tmp_path):
    whole = packed(tmp_path / "m.zip").read_bytes()
    end = whole.rindex(b"PK\5\6")
    many = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    for raw in (
        whole[:end] + many,
        whole + b"more",
        whole[:end],
        b"PK\3\4" + whole,
        whole * 2,
        whole[: end + 10],
        many,
    ):
        (tmp_path / "m.zip").write_bytes(raw)
        not_loaded(tmp_path / "m.zip")


@pytest.mark.parametrize(
    "name", ["other.onnx", "MODEL.JSON", "a b", ".hidden", "n\u00e9t.onnx", "nul", "-x", "a\nb", "x" * 300]
)
def test_only_what_the_manifest_lists(tmp_path, name):
    not_loaded(packed(tmp_path / "m.zip", (name, b"evil")))


def test_a_manifest_that_is_large(tmp_path, monkeypatch):
    pads = b" " * (parse.MOST + 1)
    not_loaded(packed(tmp_path / "m.zip", **{"model.json": pads}), "model.json of", most=1.0)
    write(manifest(), FILES, tmp_path / "m")
    (tmp_path / "m" / "model.json").write_bytes(pads)
    not_loaded(tmp_path / "m", "model.json", "larger than")


@pytest.mark.skipif(os.name != "posix", reason="links, pipes and devices of a system that has them")
@pytest.mark.parametrize("name", ["model.json", "net.onnx", "card.md"])
def test_only_plain_files_in_a_folder(tmp_path, name):
    write(manifest(), FILES, tmp_path / "m")
    place, aside = tmp_path / "m" / name, tmp_path / "aside"
    place.rename(aside)
    place.symlink_to(aside)
    not_loaded(tmp_path / "m", name, "a link")
    place.unlink()
    os.mkfifo(place)  # without a writer: one that waits for it waits for ever
    not_loaded(tmp_path / "m", name, "not a plain file")
    place.unlink()
    place.mkdir()
    not_loaded(tmp_path / "m", name)
    place.rmdir()
    place.symlink_to("/dev/zero")
    not_loaded(tmp_path / "m", name, "a link")


# ---- manifests ---------------------------------------------------------------------------------------------------

ODD = [
    None, True, 0, -1, 1.5, 1e308, 2**63 - 1, 2**64, 10**30, "", "x" * 100_000, "\x1b[31m", "\u202e", "../../etc/passwd",
    "/etc/passwd", "__class__", [], {}, [[]], [None], {"": 0}, {"file": "../x"}, {"file": 3}, {"file": "card.md"},
    {"file": "model.json"}, [1, "a"], ["a"] * 3, {"a": {"b": {"c": []}}}, "NaN", -0.0,
]  # fmt: skip
NAMES = [
    "decode",
    "decode_",
    "__class__",
    "config",
    "fields_",
    "labels",
    "_x_",
    "size_name",
    "inputs",
    "a" * 1000,
    "x_",
]


@pytest.fixture(scope="module")
def manifests():
    """For each task a manifest that loads, and its files."""
    made = {}
    for name in registry.names():
        job = registry.find(name)(None, "tiny")
        job.fit(job.sample("train")[:300])
        values, files = {}, {"net.onnx": PLAIN.SerializeToString()}
        for key, value in learned(job).items():
            if isinstance(value, bytes):
                files[f"{key.strip('_')}.model"] = value
                value = {"file": f"{key.strip('_')}.model"}
            values[key] = value
        made[name] = manifest(task=name, config=msgspec.to_builtins(job.config), learned=values), files
    return made


def places(tree, path=()):
    yield path
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield from places(value, (*path, key))


def odd(rng):
    """A copy: one that is changed further must not change the list, nor come to hold itself."""
    return copy.deepcopy(rng.choice(ODD))


def mutated(tree, rng):
    tree = copy.deepcopy(tree)
    for _ in range(rng.randint(1, 3)):
        path = rng.choice([p for p in places(tree) if p])
        inner = tree
        for key in path[:-1]:
            inner = inner[key]
        how = rng.randrange(4)
        if how == 0:
            del inner[path[-1]]
        elif how == 1 and isinstance(inner, dict):
            inner[rng.choice(NAMES)] = rng.choice([inner.pop(path[-1]), odd(rng)])
        elif how == 2 and isinstance(inner, dict):
            inner[rng.choice(NAMES)] = odd(rng)
        else:
            inner[path[-1]] = odd(rng)
    return tree


def with_digest(tree) -> bytes:
    """A hostile manifest has the right checksum of itself."""
    try:
        raw = msgspec.json.encode(tree)
        made = msgspec.json.decode(raw, type=Manifest)
        tree = {**tree, "digest": own_digest(made)}
        return msgspec.json.encode(tree)
    except (msgspec.MsgspecError, ValueError, OverflowError):
        import json

        return json.dumps(tree).encode(errors="replace")


@pytest.mark.parametrize("name", registry.names())
def test_odd_manifests(tmp_path, manifests, name):
    """Each loads or is a ModelError; what loads can be shown, and is a task like any other."""
    whole, files = manifests[name]
    sealed = seal(whole, files)
    tree, rng, loaded = msgspec.json.decode(sealed["model.json"]), random.Random(name), 0
    cls = registry.find(name)
    write(copy.copy(whole), files, tmp_path / "m")
    load(tmp_path / "m")
    for _ in range(250):
        (tmp_path / "m" / "model.json").write_bytes(with_digest(mutated(tree, rng)))
        try:
            opened = load(tmp_path / "m")
        except ModelError as error:
            one_line(error)
            continue
        loaded += 1
        set_names = {name for name in vars(opened.task) if not name.startswith("_")} - set(vars(cls()))
        assert type(opened.task) is cls and set_names <= set(whole.learned)
        for key, kind in declared(cls).items():
            msgspec.convert(getattr(opened.task, key), kind)
        assert repr(opened) and card.write(opened.manifest, 1) and card.table(opened.manifest.scores)
    assert 5 < loaded < 200


@pytest.mark.parametrize(
    "name", ["decode", "__class__", "config", "predict_", "__dict__", "pieces", "vocabulary__", ""]
)
def test_no_attribute_is_set_that_is_not_declared(tmp_path, name):
    learnt = {"vocabulary_": {"file": "vocabulary.model"}, name: {"file": "card.md"}}
    write(manifest(learned=learnt), FILES, tmp_path / "m")
    not_loaded(tmp_path / "m", "nothing that this task learns")


def test_what_is_learned_has_its_declared_type(tmp_path):
    for value in (3, "text", None, {"file": 3}, ["a"], "cGllY2Vz"):
        write(manifest(learned={"vocabulary_": value}), FILES, tmp_path / "m")
        not_loaded(tmp_path / "m", "vocabulary_")
    write(manifest(learned={}), FILES, tmp_path / "m")
    not_loaded(tmp_path / "m", "vocabulary_ is missing")


@pytest.mark.parametrize(
    ("name", "value"),
    [("labels_", [1, 2]), ("labels_", "ab"), ("labels_", {"a": 1}), ("side_", 1.5), ("side_", "8"), ("side_", [8]),
     ("mean_", None), ("mean_", "0.5"), ("channels_", b"1"), ("deviation_", {"file": "x"})],
)  # fmt: skip
def test_values_of_another_type_are_not_set(name, value):
    good = {"labels_": ["a", "b"], "side_": 8, "channels_": 1, "mean_": 0.5, "deviation_": 1}
    job = registry.find("image-classification")()
    restore(job, good)
    assert job.labels_ == ["a", "b"] and job.deviation_ == 1.0
    with pytest.raises(ValueError, match=name):
        restore(job, good | {name: value})


def test_a_task_says_what_it_learns():
    job = registry.find("translation")()
    job.vocabulary_, job.other_ = b"", 3
    with pytest.raises(UsageError, match=r"other_.*does not declare. Add a line such as other_: int"):
        learned(job)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"format": 1, "format": 1}', b"[" * 100_000, b'{"a":' * 100_000, b'{"format": NaN}', b'{"format": 1e999}',
        b'{"format": 1' + b"0" * 10_000 + b"}", b'{"lamella": "\\ud800"}', b"\xef\xbb\xbf{}", b"{} {}", b"\x80\x04.", b"",
    ],
    ids=lambda raw: repr(raw[:14]),
)  # fmt: skip
def test_odd_json(tmp_path, raw):
    write(manifest(), FILES, tmp_path / "m")
    (tmp_path / "m" / "model.json").write_bytes(raw)
    not_loaded(tmp_path / "m")
    not_loaded(packed(tmp_path / "z.zip", **{"model.json": raw}))


def test_a_key_that_stands_twice(tmp_path):
    write(manifest(), FILES, tmp_path / "m")
    path = tmp_path / "m" / "model.json"
    raw = path.read_bytes()
    for name in (b"task", b"learned", b"vocabulary_", b"net.onnx"):
        at = raw.index(b'"' + name + b'"')
        path.write_bytes(raw[:at] + b'"' + name + b'": "other", ' + raw[at:])
        not_loaded(tmp_path / "m", "damaged")


# ---- vocabularies ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def vocabulary() -> bytes:
    return learn(["the cat sat on the mat and the dog ran to the house 1 2 3"] * 30, 60, ["<2fr>"])


def test_odd_vocabularies(vocabulary, capfd):
    """In a process of its own, since the library may end it; nothing on standard error."""
    script = """
import random, sys
from lamella.data.text.pieces import Pieces
from lamella.errors import ModelError
raw, rng, loaded = sys.stdin.buffer.read(), random.Random(0), 0
for _ in range(1500):
    odd = bytearray(raw)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(odd))
        how = rng.randrange(3)
        if how == 0:
            odd[at] = rng.choice([0, 1, 127, 128, 255, odd[at] ^ 4])
        elif how == 1:
            del odd[at : at + rng.randrange(1, 30)]
        else:
            odd[at:at] = odd[rng.randrange(len(odd)) :][: rng.randrange(1, 30)]
    try:
        pieces = Pieces(bytes(odd), "odd.model")
        pieces.decode([list(range(len(pieces))), pieces.encode(["the cat, 12 \\u00e9lan"])[0]])
        loaded += 1
    except ModelError as error:
        assert str(error).startswith("odd.model: ") and "\\n" not in str(error)
print(loaded)
"""
    done = subprocess.run([sys.executable, "-c", script], input=vocabulary, capture_output=True)
    assert done.returncode == 0 and not done.stderr and 0 <= int(done.stdout) < 500, done


def test_vocabularies_that_are_none_of_ours(vocabulary, tmp_path):
    sentencepiece = pytest.importorskip("sentencepiece")

    def other(**how):
        out = io.BytesIO()
        texts = ["the cat sat on the mat and the dog ran to the house 1 2 3"] * 30
        usual = {"pad_id": 0, "unk_id": 1, "bos_id": 2, "eos_id": 3, "vocab_size": 60, "minloglevel": 2}
        usual |= {"hard_vocab_limit": False, "normalization_rule_name": "identity", "model_writer": out}
        sentencepiece.SentencePieceTrainer.Train(sentence_iterator=iter(texts), **usual | how)
        return out.getvalue()

    assert len(Pieces(other())) > 4
    bad = {
        "other ids": other(pad_id=3, unk_id=0, bos_id=1, eos_id=2), "no padding": other(pad_id=-1, unk_id=0, bos_id=1, eos_id=2),
        "a table of letters": other(normalization_rule_name="nmt_nfkc"), "another kind": other(model_type="char"),
        "byte pairs": other(model_type="bpe", vocab_size=40), "empty": b"", "half": vocabulary[: len(vocabulary) // 2],
        "cut": vocabulary[:-1], "none": b"hello", "pickle": pickle.dumps([1]), "huge": bytes(40 << 20),
        "twice": vocabulary * 2, "a long piece": message_field(1, message_field(1, "x" * 5000) + b"\x15\0\0\0\0") + vocabulary,
        "no number": vocabulary.replace(b"\x15\0\0\0\0", b"\x15\0\0\xc0\x7f"),
    }  # fmt: skip
    for name, raw in bad.items():
        with pytest.raises(ModelError, match=r"^v\.model: ") as caught:
            Pieces(raw, "v.model")
        assert one_line(caught.value), name
    with pytest.raises(ModelError):
        Pieces(vocabulary).decode([[10**6]])


def test_a_long_text_is_limited_before_it_is_cut_into_pieces(vocabulary):
    pieces = Pieces(vocabulary)
    started = time.monotonic()
    with pytest.raises(UsageError, match="at most 1,000,000 characters, received 4,000,000"):
        pieces.encode(["x" * 4_000_000])
    assert time.monotonic() - started < 0.5
    for units in (Characters(["x"]), Words(vocabulary)):
        with pytest.raises(UsageError, match="at most 1,000,000 characters"):
            units.encode("x" * 4_000_000)
    assert len(pieces.encode(["t" * MOST])[0]) >= MOST  # all of it, in parts
    text = "the cat sat on the mat and " * 1000
    assert pieces.encode([text.strip()])[0] == pieces.processor.EncodeAsIds(text.strip())


# ---- pickles -----------------------------------------------------------------------------------------------------


class Bomb:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("name", ["vocabulary.model", "net.onnx", "fingerprint.bin", "card.md", "model.json"])
def test_no_pickle_is_opened_as_part_of_a_model(tmp_path, name):
    marker, raw = tmp_path / "exploded", pickle.dumps(Bomb(tmp_path / "exploded"))
    (tmp_path / "in").mkdir()
    if name == "model.json":
        write(manifest(), FILES, tmp_path / "in" / "m")
        (tmp_path / "in" / "m" / name).write_bytes(raw)
    else:
        write(manifest(), {**FILES, name: raw}, tmp_path / "in" / "m")
    for use in (lambda m: m.graphs, lambda m: m.predict("text"), lambda m: lamella.evaluate(m, "sample", limit=2)):
        with contextlib.suppress(LamellaError):  # fingerprint.bin and card.md are in no answer's way
            use(load(tmp_path / "in" / "m"))
    assert not marker.exists()


@pytest.mark.parametrize(
    "suffix", [".pt", ".pkl", ".npy", ".npz", ".csv", ".jsonl", ".txt", ".png", ".wav", ".tsv", ""]
)
@pytest.mark.parametrize("name", ["text-classification", "image-classification", "time-series-forecasting"])
def test_no_reader_opens_a_pickle(tmp_path, name, suffix):
    marker = tmp_path / "exploded"
    np.save(array := io.BytesIO(), np.array([Bomb(marker)], dtype=object), allow_pickle=True)
    for i, raw in enumerate((pickle.dumps(Bomb(marker)), pickle.dumps(Bomb(marker), 0), array.getvalue())):
        path = tmp_path / f"data{i}{suffix}"
        path.write_bytes(raw)
        with pytest.raises(LamellaError):
            examples, _ = registry.find(name)().read([str(path)])
            registry.find(name)().fit(examples)
    assert not marker.exists()
