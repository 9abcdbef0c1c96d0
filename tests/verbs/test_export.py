"""From torch to ONNX: the same numbers at every shape, the same answers, a quarter of the size, and nothing of the machine."""

from __future__ import annotations

import getpass
import re
import socket
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from lamella.data.text.pieces import END
from lamella.errors import LamellaError, ModelError
from lamella.graphs import NEXT, OnnxGraph, load_graphs, torch_graphs
from lamella.graphs.int8 import quantize
from lamella.graphs.rounding import round_rows
from lamella.nets.transformer.encoder_decoder import EncoderDecoder
from lamella.tasks.translation import Config, Translation
from lamella.train.export import _compare, export_graphs

VOCABULARY, WIDTH = 3000, 128


@pytest.fixture(scope="module")
def net():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    made = EncoderDecoder(VOCABULARY, WIDTH, depth=2, decoder_depth=1, heads=4, longest=64).eval()
    with torch.no_grad():
        for p in made.parameters():
            p.add_(torch.randn_like(p) * 0.02)
        made.table.mul_(5)  # sure of itself, as a trained net is: no two answers are about equally likely
        made.norm_decoder.weight.copy_(torch.randn(WIDTH).sign())  # else its answer is the last token again
        for block in made.decoder:
            block.cross.out.weight.mul_(20)
    return made


@pytest.fixture(scope="module")
def files(net):
    return export_graphs(net)


@pytest.fixture(scope="module")
def small(files):
    return {name: quantize(raw) for name, raw in files.items()}


@pytest.fixture(scope="module")
def engines(net, files, small):
    return {"torch": torch_graphs(net), "onnx": load_graphs(files), "int8": load_graphs(small)}


def sources(*lengths, seed=0):
    """A batch of sentences of these lengths, padded."""
    chance = np.random.default_rng((seed, *lengths))
    batch = np.zeros((len(lengths), max(lengths)), np.int64)
    for row, length in zip(batch, lengths):
        row[:length] = [*chance.integers(4, VOCABULARY, length - 1), END]
    return batch


def state(net, batch, beam, past, seed=0):
    shape = (batch, beam, net.heads, past, WIDTH // net.heads)
    chance = np.random.default_rng((seed, *shape))
    names = [f"{side}_{i}" for side in ("keys", "values") for i in range(len(net.decoder))]
    return {name: chance.standard_normal(shape).astype(np.float32) for name in names}


@pytest.mark.parametrize("lengths", [(1,), (2, 1), (40, 3, 17, 9), (63,) * 9], ids=str)
@pytest.mark.parametrize(("beam", "past"), [(1, 0), (1, 1), (4, 30), (7, 2)])
def test_graphs_equal_torch(net, engines, lengths, beam, past):
    source = sources(*lengths)
    token = np.random.default_rng(1).integers(1, VOCABULARY, (len(lengths), beam))
    found = []
    for name in ("torch", "onnx"):
        memory = engines[name]["encode"](source=source)
        found.append({**memory, **engines[name]["step"](token=token, **state(net, len(lengths), beam, past), **memory)})
    torchs, onnxs = found
    assert set(torchs) == set(onnxs)
    for name, wanted in torchs.items():
        assert onnxs[name].shape == wanted.shape and onnxs[name].dtype == wanted.dtype, name
        if name == "tokens":
            assert (onnxs[name] == wanted).mean() > 0.95 and np.array_equal(onnxs[name][..., 0], wanted[..., 0])
        else:
            np.testing.assert_allclose(onnxs[name], wanted, rtol=1e-3, atol=1e-3 * np.abs(wanted).max(), err_msg=name)
    assert onnxs["keys_0"].shape[3] == past + 1


def test_axes_are_named(net, files):
    for name, (inputs, outputs) in net.graphs().items():
        graph = onnx.load_model_from_string(files[f"{name}.onnx"]).graph
        loaded = OnnxGraph(files[f"{name}.onnx"], name)
        assert {k: (np.dtype(kind).name, *shape) for k, (kind, shape) in loaded.axes.items()} == inputs
        assert [o.name for o in graph.output] == [NEXT + o if o in inputs else o for o in outputs]
        assert loaded.empty(batch=2, beam=3).keys() == torch_graphs(net)[name].empty(batch=2, beam=3).keys()
    empty = OnnxGraph(files["step.onnx"], "step").empty(batch=2, beam=3)
    assert {k: v.shape for k, v in empty.items()} == dict.fromkeys(("keys_0", "values_0"), (2, 3, 4, 0, 32))


class Numbers:
    """In the place of a vocabulary: an answer is its pieces' numbers."""

    def decode(self, ids):
        return [" ".join(map(str, one)) for one in ids]


def task(beams) -> Translation:
    made = Translation(Config(beams=beams))
    made.__dict__["pieces"] = Numbers()
    return made


@pytest.mark.parametrize("beams", [1, 4])
def test_the_same_decode_gives_the_same_answers(engines, beams):
    answers = {}
    for name in ("torch", "onnx"):
        job = task(beams)
        for lengths in [(1,), (12,), (3, 9, 6), (20, 20), (5, 14, 2, 8, 8, 11, 3)]:
            answers.setdefault(name, []).append(job.decode(engines[name], {"source": sources(*lengths)}))
    assert answers["torch"] == answers["onnx"]
    best = [candidates[0] for batch in answers["onnx"] for candidates in batch]
    assert len({tuple(one.split()[:3]) for one in best}) > len(best) / 2, (
        "answers that differ from sentence to sentence"
    )


def test_an_answer_does_not_depend_on_its_batch(engines):
    job, lengths = task(3), (5, 14, 2, 8, 11)
    batch = sources(*lengths)
    alone = [job.decode(engines["onnx"], {"source": row[None, :length]})[0] for row, length in zip(batch, lengths)]
    assert job.decode(engines["onnx"], {"source": batch}) == alone


def test_what_differs_from_its_net_is_refused(net, files):
    other = EncoderDecoder(VOCABULARY, WIDTH, depth=2, decoder_depth=1, heads=4, longest=64).eval()
    other.load_state_dict(net.state_dict())
    _compare(other, "encode", files["encode.onnx"])
    with torch.no_grad():
        other.encoder[0].feed.up.bias[3] += 5
    with pytest.raises(LamellaError, match=r"encode.onnx: memory_\w+ differs from torch by"):
        _compare(other, "encode", files["encode.onnx"])


def test_nothing_of_the_machine_is_inside(files, small):
    told = [str(Path.home()), str(Path.cwd()), str(Path(torch.__file__).parent.parent), socket.gethostname()]
    words = [
        b"Traceback",
        b'File "',
        b"site-packages",
        b"stack_trace",
        b".py",
        *(t.encode() for t in told if len(t) > 3),
    ]
    if len(getpass.getuser()) > 4:
        words.append(getpass.getuser().encode())
    for name, raw in {**files, **{f"int8 {n}": r for n, r in small.items()}}.items():
        weights = b"".join(t.raw_data for t in onnx.load_model_from_string(raw).graph.initializer)
        for word in words:
            assert word not in raw or word in weights, (name, word)
        paths = re.findall(rb"/(?:home|root|usr|tmp|work|Users|opt)/[\w./-]+", raw)
        assert not [p for p in paths if p not in weights], name


def test_weights_are_inside(files, small):
    for raw in (*files.values(), *small.values()):
        model = onnx.load_model_from_string(raw)
        onnx.checker.check_model(model)
        assert all(t.data_location == onnx.TensorProto.DEFAULT and not t.external_data for t in model.graph.initializer)
        assert {node.domain for node in model.graph.node} == {""}, "the standard's operators alone"
        assert not model.functions


# --- int8


def test_int8_is_smaller(files, small):
    assert sum(map(len, files.values())) >= 3.5 * sum(map(len, small.values()))


def test_the_table_is_stored_once(files, small):
    for name, raw in small.items():
        graph = onnx.load_model_from_string(raw).graph
        tables = [t for t in graph.initializer if sorted(t.dims) == sorted((VOCABULARY, WIDTH))]
        assert [t.data_type for t in tables] == [onnx.TensorProto.INT8], name
        large = [
            t.name for t in graph.initializer if t.data_type == onnx.TensorProto.FLOAT and np.prod(t.dims) > 64 * WIDTH
        ]
        assert not large, f"{name}: no other matrix is left in float32"
    uses = [n.op_type for n in onnx.load_model_from_string(small["step.onnx"]).graph.node]
    assert uses.count("MatMulInteger") == 6 + 1, "six of the layer, and the table's"


def test_int8_answers_mostly_agree(net, engines):
    same, count = 0, 0
    for seed in range(5):
        source = sources(*range(4, 24), seed=seed)
        token = np.random.default_rng(seed).integers(1, VOCABULARY, (len(source), 2))
        best, scores = [], []
        for name in ("onnx", "int8"):
            memory = engines[name]["encode"](source=source)
            out = engines[name]["step"](token=token, **engines[name]["step"].empty(batch=len(source), beam=2), **memory)
            best.append(out["tokens"][..., 0])
            scores.append(out["scores"][..., 0])
        same, count = same + int((best[0] == best[1]).sum()), count + best[0].size
        assert np.abs(scores[0] - scores[1]).mean() < 0.3
    assert same / count > 0.85


def test_rounding_to_bytes():
    matrix = np.random.default_rng(0).normal(size=(30, 20)).astype(np.float32) * np.logspace(
        -3, 3, 20, dtype=np.float32
    )
    matrix[:, 4] = 0
    for axis in (0, 1):
        q, scale = round_rows(matrix, axis)
        assert q.dtype == np.int8 and q.min() >= -127 and np.isfinite(scale).all()
        assert (np.abs(q * scale - matrix) <= scale * 0.5001).all(), "half a step at most"
        assert ((np.abs(q).max(axis=axis) == 127) | (np.abs(matrix).max(axis=axis) == 0)).all()


def test_quantised_products_are_right():
    """x @ w by bytes against x @ w, where the rounding is known: the error is small and has no bias."""
    chance = np.random.default_rng(0)
    x, w = chance.normal(size=(50, 80)).astype(np.float32), chance.normal(size=(80, 90)).astype(np.float32)
    node = onnx.helper.make_node("MatMul", ["x", "w"], ["y"])
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [node], "product", [value("x", 1, ["n", 80])], [value("y", 1, ["n", 90])], [numpy_helper.from_array(w, "w")]
    )
    raw = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=10
    ).SerializeToString()
    error = OnnxGraph(quantize(raw), "product")(x=x)["y"] - x @ w
    assert np.abs(error).max() < 0.05 * np.abs(x @ w).max() and abs(error.mean()) < 0.01
    np.testing.assert_allclose(OnnxGraph(raw, "product")(x=x)["y"], x @ w, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("raw", [b"", b"not a graph", b"\x80\x04\x95"], ids=repr)
def test_what_is_no_graph(raw):
    with pytest.raises(ModelError, match=r"odd\.onnx: not a graph that may run: "):
        OnnxGraph(raw, "odd.onnx")
