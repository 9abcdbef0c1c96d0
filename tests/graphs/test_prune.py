"""Pruning of exported graphs: what is found, what stays, and that what stays makes up for what goes."""

import io

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from lamella.graphs import OnnxGraph, load_graphs, prune, prune_heads, prune_layers
from lamella.graphs.int8 import quantize
from lamella.graphs.least_squares import fit
from lamella.nets.cnn.image import ResidualBlock
from lamella.nets.layers import CrossAttention, Linear, SelfAttention
from lamella.nets.transformer.classifiers import ImageTransformer
from lamella.nets.transformer.encoder_decoder import EncoderDecoder
from lamella.nets.transformer.language import CausalTransformer
from lamella.nets.vae.parts import ConvBlock
from lamella.train.export import export_graphs


class Perceptron(nn.Module):
    """A layer of `units` between two products, and around it things that must be left alone."""

    def __init__(self, units: int = 64) -> None:
        super().__init__()
        self.up, self.down, self.alone = Linear(6, units), Linear(units, 4), Linear(4, 4)

    def forward(self, x):
        y = self.down(torch.relu(self.up(x)))
        return {"y": y + self.alone(y)}

    def graphs(self):
        return {"forward": ({"x": ("float32", "batch", 6)}, ("y",))}


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).standard_normal((500, 6)).astype(np.float32)


def probed(raw, rows):
    return prune.calibrate({"forward.onnx": raw}, lambda graphs: graphs["forward"](x=rows))


def pruned(raw, probes, **shares):
    return prune.prune({"forward.onnx": raw}, probes, shares)["forward.onnx"]


def shapes(raw):
    return {t.name.removeprefix("net."): tuple(t.dims) for t in onnx.load(io.BytesIO(raw)).graph.initializer}


def test_layers_are_found_and_only_they():
    torch.manual_seed(0)
    raw = export_graphs(Perceptron())["forward.onnx"]
    (layer,) = prune_layers.find(onnx.load(io.BytesIO(raw)).graph)
    assert (layer.first, layer.bias, layer.second) == ("net.up.weight", "net.up.bias", "net.down.weight")


def test_a_probe_answers_the_same_and_counts(rows):
    torch.manual_seed(0)
    net = Perceptron()
    raw = export_graphs(net)["forward.onnx"]
    probe = prune.Calibrator(raw, "forward")
    out = [probe(x=part) for part in np.array_split(rows, 3)]
    assert set(out[0]) == {"y"}
    np.testing.assert_allclose(np.concatenate([o["y"] for o in out]), OnnxGraph(raw, "f")(x=rows)["y"], rtol=1e-5)
    hidden = torch.relu(net.up(torch.from_numpy(rows))).detach().numpy().astype(np.float64)
    (moments,) = probe.moments.values()
    np.testing.assert_allclose(moments, hidden.T @ hidden, rtol=1e-4)
    assert list(probe.counts.values()) == [500]


def test_units_that_say_the_same_go_for_nothing(rows):
    """32 units and each of them a second time: half can go and nothing changes."""
    torch.manual_seed(0)
    net = Perceptron(64)
    with torch.no_grad():
        net.up.weight[:, 32:] = net.up.weight[:, :32]
        net.up.bias.copy_(torch.randn(64))
        net.up.bias[32:] = net.up.bias[:32]
    raw = export_graphs(net)["forward.onnx"]
    small = pruned(raw, probed(raw, rows), units=0.5)
    assert shapes(small)["up.weight"] == (6, 32) and shapes(small)["up.bias"] == (32,)
    assert (
        shapes(small)["down.weight"] == (32, 4)
        and prune.count({"f.onnx": raw}) - prune.count({"f.onnx": small}) == 32 * 10
    )
    before, after = (OnnxGraph(f, "f")(x=rows)["y"] for f in (raw, small))
    np.testing.assert_allclose(after, before, atol=2e-2 * np.abs(before).max())


def test_the_fit_is_least_squares_and_better_than_cutting():
    chance = np.random.default_rng(1)
    hidden = np.maximum(chance.standard_normal((400, 10)) @ chance.standard_normal((10, 48)), 0)
    weight = chance.standard_normal((48, 5))
    kept, fitted = fit(hidden.T @ hidden / 400, weight, keep=32)
    wanted, *_ = np.linalg.lstsq(hidden[:, kept], hidden @ weight, rcond=None)
    np.testing.assert_allclose(fitted, wanted, atol=0.02)

    def error(rows, w):
        return float(((hidden[:, rows] @ w - hidden @ weight) ** 2).mean())

    largest = np.sort(np.argsort(-np.linalg.norm(weight, axis=1) * hidden.std(axis=0))[:32])
    by_size, *_ = np.linalg.lstsq(hidden[:, largest], hidden @ weight, rcond=None)
    assert error(kept, fitted) < 0.5 * error(kept, weight[kept])
    assert error(kept, fitted) < error(largest, by_size), "choosing by what can be made up for is better than by size"


def test_what_no_example_reached_stays(rows):
    raw = export_graphs(Perceptron())["forward.onnx"]
    assert shapes(pruned(raw, {"forward": prune.Calibrator(raw, "forward")}, units=0.5)) == shapes(raw)
    assert shapes(pruned(raw, probed(raw, rows), units=0.9))["up.weight"] == (6, prune_layers.NARROWEST["units"])


# --- channels


class Pictures(nn.Module):
    """Residual blocks of both kinds in use: filters stored as a matrix and a rectifier, torch's own and a swish."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = ResidualBlock(4, 16, stride=2), ConvBlock(16)

    def forward(self, x):
        return {"y": self.other(self.one(x))}

    def graphs(self):
        return {"forward": ({"x": ("float32", "batch", 4, 8, 8)}, ("y",))}


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).standard_normal((60, 4, 8, 8)).astype(np.float32)


def picture_net():
    torch.manual_seed(1)
    net = Pictures()
    with torch.no_grad():
        for block in (net.one, net.other):
            block.second.weight.copy_(torch.randn(block.second.weight.shape) * 0.1)
            block.first.bias.copy_(torch.randn(16))
    return net


def test_channels_that_say_nothing_new_go_for_nothing(pictures):
    """In one block eight of sixteen never fire, in the other eight are the first eight again."""
    net = picture_net()
    with torch.no_grad():
        net.one.first.weight[8:], net.one.first.bias[8:] = 0, -1
        net.other.first.weight[8:], net.other.first.bias[8:] = net.other.first.weight[:8], net.other.first.bias[:8]
    raw = export_graphs(net)["forward.onnx"]
    probes = probed(raw, pictures)
    assert prune.kinds(probes) == ["channels"]
    small = pruned(raw, probes, channels=0.5)
    before, after = (OnnxGraph(f, "f")(x=pictures)["y"] for f in (raw, small))
    np.testing.assert_allclose(after, before, atol=3e-3 * np.abs(before).max())
    filters = sorted(shape for shape in shapes(small).values() if len(shape) == 4)
    assert filters == sorted([(8, 4, 3, 3), (16, 8, 3, 3), (16, 4, 1, 1), (8, 16, 3, 3), (16, 8, 3, 3)])


def test_channels_are_made_up_for(pictures):
    """Half of what is needed goes: the others, fitted anew, come nearer than the same ones cut out and no more."""
    net = picture_net()
    raw = export_graphs(net)["forward.onnx"]
    probes = probed(raw, pictures)
    before, after = (OnnxGraph(f, "f")(x=pictures)["y"] for f in (raw, pruned(raw, probes, channels=0.5)))
    layers = probes["forward"].layers
    with torch.no_grad():
        for block, layer in zip((net.one, net.other), layers, strict=True):
            weight = block.second.weight.view(16, 16, 9)
            moments = probes["forward"].moments[prune.key(tensor(raw, layer.second))]
            kept, _ = fit(moments, weight.transpose(0, 1).reshape(16, -1).double().numpy(), 8)
            gone = np.setdiff1d(np.arange(16), kept)
            weight[:, gone] = 0
        cut = net(torch.from_numpy(pictures))["y"].numpy()
    assert np.square(after - before).mean() < 0.8 * np.square(cut - before).mean()


def tensor(raw, name):
    graph = onnx.load(io.BytesIO(raw)).graph
    prune_layers.unfold(graph)
    return next(t for t in graph.initializer if t.name == name)


# --- heads


def encoder():
    """A classifier of pictures with four heads of eight columns in each of two blocks."""
    torch.manual_seed(2)
    return ImageTransformer(channels=1, side=8, patch=2, labels=5, width=32, depth=2, heads=4).eval()


@pytest.fixture(scope="module")
def seen():
    return np.random.default_rng(3).standard_normal((300, 1, 8, 8)).astype(np.float32)


def run(raw, **inputs):
    return OnnxGraph(raw, "f")(**inputs)


def test_heads_that_say_nothing_new_go_for_nothing(seen):
    """In the first block nobody listens to the third head, in the second it is the first one again."""
    net = encoder()
    with torch.no_grad():
        one, other = (block.attention for block in net.blocks)
        one.out.weight[16:24] = 0
        for start in (0, 32, 64):  # queries, keys, values
            weight = other.query_key_value.weight
            weight[:, start + 16 : start + 24] = weight[:, start : start + 8]
    files = export_graphs(net)
    probes = prune.calibrate(files, lambda graphs: graphs["classify"](pictures=seen))
    assert prune.kinds(probes) == ["units", "heads"]
    small = prune.prune(files, probes, {"heads": 0.25})
    before, after = (run(f["classify.onnx"], pictures=seen)["scores"] for f in (files, small))
    np.testing.assert_allclose(after, before, atol=5e-3 * np.abs(before).max())
    now = shapes(small["classify.onnx"])
    for i in (0, 1):
        assert now[f"blocks.{i}.attention.query_key_value.weight"] == (32, 3 * 24)
        assert now[f"blocks.{i}.attention.out.weight"] == (24, 32)
    assert prune.count(files) - prune.count(small) == 2 * 8 * (3 * 32 + 32)


def test_a_head_less_is_that_head_silenced_and_made_up_for(seen):
    """Without the fit it is the torch net with the head silenced, number for number; with the fit it is nearer."""
    net = encoder()
    files = export_graphs(net)
    probes = prune.calibrate(files, lambda graphs: graphs["classify"](pictures=seen))
    graph = onnx.load(io.BytesIO(files["classify.onnx"])).graph
    wanted = run(files["classify.onnx"], pictures=seen)["scores"]
    fitted = run(prune.prune(files, probes, {"heads": 0.5})["classify.onnx"], pictures=seen)["scores"]
    model = onnx.load(io.BytesIO(files["classify.onnx"]))
    for i, group in enumerate(prune_heads.together({"classify": prune_heads.find(graph)})):
        (heads,) = group["classify"]
        ((weight, _),) = heads.outs
        array = onnx.numpy_helper.to_array(tensor(files["classify.onnx"], weight))
        moments = probes["classify"].moments[prune.key(tensor(files["classify.onnx"], weight))]
        kept, _ = fit(moments, array.astype(np.float64), 2, heads.size)
        rows = (kept[:, None] * 8 + np.arange(8)).ravel()
        prune_heads.cut(model.graph, heads, kept, array[rows])
        with torch.no_grad():
            net.blocks[i].attention.out.weight[np.setdiff1d(np.arange(32), rows)] = 0
    cut = run(model.SerializeToString(), pictures=seen)["scores"]
    silenced = net(torch.from_numpy(seen))["scores"].detach().numpy()
    np.testing.assert_allclose(cut, silenced, atol=1e-5)
    assert np.square(fitted - wanted).mean() < 0.8 * np.square(cut - wanted).mean()


@pytest.fixture(scope="module")
def translator():
    """Two decoders of one layer; in every attention the second of four heads is not listened to."""
    torch.manual_seed(4)
    net = EncoderDecoder(40, width=32, depth=1, decoder_depth=1, heads=4, block="parallel", decoders=2)
    with torch.no_grad():
        for attention in [m for m in net.modules() if isinstance(m, SelfAttention | CrossAttention)]:
            attention.out.weight[8:16] = 0
    return export_graphs(net)


def test_heads_of_a_decoder_go_with_its_state(translator):
    """They leave the weights of both graphs, the memory and the cached past."""
    files = translator
    source = np.random.default_rng(5).integers(3, 40, (64, 7))

    def spell(graphs):
        memory = graphs["encode"](source=source)
        state = graphs["step"].empty(batch=64, beam=1)
        found = []
        for t in range(5):
            out = graphs["step"](token=source[:, t : t + 1], **state, **memory)
            state = {name: out[name] for name in state}
            found.append(out)
        return memory, found

    probes = prune.calibrate(files, spell)
    small = prune.prune(files, probes, {"heads": 0.25})
    (memory, before), (less, after) = spell(load_graphs(files)), spell(load_graphs(small))
    assert memory["memory_keys_1"].shape == (64, 4, 7, 8) and less["memory_values_1"].shape == (64, 3, 7, 8)
    assert after[-1]["keys_0"].shape == after[-1]["values_1"].shape == (64, 1, 3, 5, 8)
    for one, other in zip(before, after, strict=True):
        np.testing.assert_allclose(other["scores"], one["scores"], atol=0.02)
        agree = (other["tokens"][:, :, 0] == one["tokens"][:, :, 0]).mean()
        assert agree > 0.9
    quantized = {name: quantize(raw) for name, raw in small.items()}
    assert spell(load_graphs(quantized))[1][-1]["keys_0"].shape == (64, 1, 3, 5, 8)


@pytest.fixture(scope="module")
def language():
    """A language model; the first of its four heads says nothing. Weights that are all zero at first are one array in a graph."""
    torch.manual_seed(6)
    net = CausalTransformer(30, width=32, depth=2, heads=4, window=16)
    with torch.no_grad():
        for layer in net.layers():
            layer.out.weight.normal_(std=0.2)
            layer.out.weight[:8] = 0
            layer.down.weight.normal_(std=0.2)
        net.out_table.normal_()
    return export_graphs(net)


def test_heads_of_a_language_model_go_alike_in_all_graphs(language):
    files = language
    tokens = np.random.default_rng(7).integers(3, 30, (50, 9))

    def one_by_one(graphs):
        state = graphs["step"].empty(batch=50)
        found = []
        for t in range(8):
            state = graphs["step"](token=tokens[:, t], keys=state["keys"], values=state["values"])
            found.append(np.take_along_axis(state["scores"], tokens[:, t + 1, None], 1))
        return np.concatenate(found, axis=1)

    def at_once(graphs):
        return graphs["score"](tokens=tokens[:, :-1], wanted=tokens[:, 1:])["log_probability"]

    probes = prune.calibrate(files, at_once)  # the graphs share their weights: what one saw counts for both
    small = load_graphs(prune.prune(files, probes, {"heads": 0.25}))
    np.testing.assert_allclose(at_once(small), at_once(load_graphs(files)), atol=0.02)
    np.testing.assert_allclose(one_by_one(small), at_once(small), atol=1e-4)


def test_of_a_state_all_or_nothing_goes(language):
    """What one layer does with its heads is not understood: those of the other, in the same state, stay too."""
    found = {name: prune_heads.find(onnx.load(io.BytesIO(raw)).graph) for name, raw in language.items()}
    assert len(prune_heads.together(found)) == 2, "of each layer, in all graphs"
    next(h for h in found["step.onnx"] if "keys" in h.axes).understood = False
    assert prune_heads.together(found) == []


def test_states_of_layers_that_are_apart_go_apart(translator):
    found = {name: prune_heads.find(onnx.load(io.BytesIO(raw)).graph) for name, raw in translator.items()}
    assert len(prune_heads.together(found)) == 5
    next(h for h in found["step.onnx"] if "keys_0" in h.axes).understood = False
    assert len(prune_heads.together(found)) == 4
    next(h for h in found["step.onnx"] if "memory_keys_1" in h.axes).understood = False
    assert len(prune_heads.together(found)) == 3, "in both graphs"
