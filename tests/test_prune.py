"""Pruning of exported graphs: what is found, what stays, and that those that stay make up for what goes."""

import io

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from lamella.graph import OnnxGraph
from lamella.nets.layers import Linear
from lamella.train import prune
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
    return prune.calibrate({"forward.onnx": raw}, lambda graphs: graphs["forward"](x=rows))["forward"]


def shapes(raw):
    return {t.name.removeprefix("net."): tuple(t.dims) for t in onnx.load(io.BytesIO(raw)).graph.initializer}


def test_layers_are_found_and_only_they():
    torch.manual_seed(0)
    raw = export_graphs(Perceptron())["forward.onnx"]
    (layer,) = prune.find_layers(onnx.load(io.BytesIO(raw)))
    assert (layer.first, layer.bias, layer.second) == ("net.up.weight", "net.up.bias", "net.down.weight")


def test_a_probe_answers_the_same_and_counts(rows):
    torch.manual_seed(0)
    net = Perceptron()
    raw = export_graphs(net)["forward.onnx"]
    probe = prune.Probe(raw, "forward")
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
    small = prune.prune(raw, probed(raw, rows), 0.5)
    assert shapes(small)["up.weight"] == (6, 32) and shapes(small)["up.bias"] == (32,)
    assert shapes(small)["down.weight"] == (32, 4) and prune.count(raw) - prune.count(small) == 32 * 10
    before, after = (OnnxGraph(f, "f")(x=rows)["y"] for f in (raw, small))
    np.testing.assert_allclose(after, before, atol=2e-2 * np.abs(before).max())


def test_the_fit_is_least_squares_and_better_than_cutting():
    chance = np.random.default_rng(1)
    hidden = np.maximum(chance.standard_normal((400, 10)) @ chance.standard_normal((10, 48)), 0)
    weight = chance.standard_normal((48, 5))
    kept, fitted = prune.fit(hidden.T @ hidden / 400, weight, keep=32)
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
    assert shapes(prune.prune(raw, prune.Probe(raw, "forward"), 0.5)) == shapes(raw)
    assert shapes(prune.prune(raw, probed(raw, rows), 0.9))["up.weight"] == (6, prune.NARROWEST)
