"""The nets that classify texts: against torch's own layers, against padding, and over both engines."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lamella.graphs import load_graphs, torch_graphs
from lamella.nets.cnn.text import TextCNN, Windows
from lamella.nets.layers import Wide, drop_words, max_over_time, mean_over_time
from lamella.nets.rnn.cells import GRU
from lamella.nets.rnn.text import TextRNN
from lamella.nets.transformer.classifiers import EncoderClassifier
from lamella.train.export import export_graphs

torch.set_num_threads(1)
SIZES = {"vocabulary": 40, "features": 50, "labels": 3, "width": 12}
NETS = {
    "cnn": lambda: TextCNN(**SIZES, channels=7),
    "rnn": lambda: TextRNN(**SIZES, hidden=6),
    "transformer": lambda: EncoderClassifier(**SIZES, depth=2, heads=2, longest=64),
}


def made(name: str) -> nn.Module:
    """A net whose every weight is noise: zero biases would hide what padding does."""
    torch.manual_seed(3)
    net = NETS[name]()
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return net.eval()


def arrays(batch: int, time: int, rows: int, seed: int = 0) -> dict[str, np.ndarray]:
    chance = np.random.default_rng(seed)
    found = {"pieces": chance.integers(1, 40, (batch, time)), "features": chance.integers(1, 50, (batch, rows, 16))}
    for i in range(batch):  # every text but the first ends in padding
        found["pieces"][i, max(1, time - i) :] = 0
        found["features"].reshape(batch, -1)[i, max(1, rows * 16 - 5 * i) :] = 0
    return found


def answer(graphs, pieces, features):
    """What a task does with the graphs, in few words: the recurrent net is read by steps."""
    if "read" not in graphs:
        return graphs["classify"](pieces=pieces, features=features)
    turned = np.zeros_like(pieces)
    for row, out in zip(pieces, turned):
        count = (row != 0).sum()
        out[:count] = row[:count][::-1]
    state = graphs["read"].empty(batch=len(pieces))
    for token in np.stack([pieces, turned], axis=2).transpose(1, 0, 2):
        state = graphs["read"](token=token, **state)
    return graphs["classify"](strongest=state["strongest"], features=features)


@pytest.mark.parametrize("span", [1, 2, 4])
def test_windows_are_a_convolution(span):
    torch.manual_seed(0)
    windows, x = Windows(5, 7, span), torch.randn(3, 6, 5)
    nn.init.normal_(windows.filters.bias)
    kernel = windows.filters.weight.view(span, 5, 7).permute(2, 1, 0)  # (C, D, span), as torch has it
    wanted = F.conv1d(x.transpose(1, 2), kernel, windows.filters.bias, padding=span - 1).relu().amax(dim=2)
    assert torch.allclose(windows(x, torch.ones(3, 6)), wanted, atol=1e-5)


def test_gru_is_torchs():
    torch.manual_seed(0)
    unit, oracle = GRU(5, 7), nn.GRU(5, 7, batch_first=True)
    for bias in (unit.enter.bias, unit.keep.bias):
        nn.init.normal_(bias)
    with torch.no_grad():
        oracle.weight_ih_l0.copy_(unit.enter.weight.t())
        oracle.weight_hh_l0.copy_(unit.keep.weight.t())
        oracle.bias_ih_l0.copy_(unit.enter.bias)
        oracle.bias_hh_l0.copy_(unit.keep.bias)
    x = torch.randn(3, 9, 5)
    wanted = oracle(x)[0]
    assert torch.allclose(unit(x), wanted, atol=1e-6)
    state = torch.zeros(3, 7)
    for t in range(9):
        state = unit.step(x[:, t], state)
        assert torch.allclose(state, wanted[:, t], atol=1e-6)


def test_wide_by_hand():
    wide = Wide(features=4, labels=2)
    with torch.no_grad():
        wide.table.copy_(torch.tensor([[9.0, 9.0], [1.0, 0.0], [2.0, 0.0], [0.0, 4.0]]))
        wide.bias.copy_(torch.tensor([0.5, 0.0]))
    out = wide(torch.tensor([[[1, 2], [3, 0]], [[0, 0], [0, 0]]]))
    assert torch.allclose(out, torch.tensor([[3 / 3**0.5 + 0.5, 4 / 3**0.5], [0.5, 0.0]]))


def test_pooling_by_hand():
    x, real = torch.tensor([[[1.0, -5.0], [3.0, -7.0], [99.0, 99.0]]]), torch.tensor([[1.0, 1.0, 0.0]])
    assert max_over_time(x, real).tolist() == [[3.0, 0.0]]
    assert mean_over_time(x, real).tolist() == [[2.0, -6.0]]


def test_words_are_forgotten_but_padding_stays():
    torch.manual_seed(0)
    tokens = torch.tensor([[5] * 2000 + [0] * 50])
    lost = drop_words(tokens, 0.25)
    assert set(lost.unique().tolist()) == {0, 1, 5}
    assert (lost == 0).sum() == 50
    assert 0.2 < (lost == 1).float().mean() < 0.3


@pytest.mark.parametrize("name", NETS)
def test_padding_changes_nothing(name):
    net, given = made(name), arrays(1, 6, 2)
    pieces, features = torch.from_numpy(given["pieces"]), torch.from_numpy(given["features"])
    alone = net(pieces, features)
    longer = torch.cat([pieces, torch.zeros(1, 9, dtype=torch.long)], dim=1)
    other = torch.from_numpy(np.random.default_rng(1).integers(1, 40, (1, 15)))
    rows = torch.cat([features, torch.zeros(1, 3, 16, dtype=torch.long)], dim=1)
    beside = net(torch.cat([longer, other]), torch.cat([rows, rows]))
    for key in ("deep", "wide"):
        assert torch.allclose(alone[key][0], beside[key][0], atol=1e-5), key
    # Whatever stands in the table at id 0 is never read.
    with torch.no_grad():
        net.table[0] = 1e3
        net.wide.table[0] = 1e3
    for key, value in net(longer, rows).items():
        assert torch.allclose(alone[key], value, atol=1e-5), key


@pytest.mark.parametrize("name", NETS)
def test_order_matters(name):
    """The deep part reads: another order is another text."""
    net, given = made(name), arrays(1, 6, 1)
    forth = net(torch.from_numpy(given["pieces"]), torch.from_numpy(given["features"]))["deep"]
    back = net(torch.from_numpy(given["pieces"][:, ::-1].copy()), torch.from_numpy(given["features"]))["deep"]
    assert (forth - back).abs().max() > 1e-3


@pytest.mark.parametrize("name", NETS)
def test_every_weight_learns(name):
    net, given = made(name).train(), arrays(4, 6, 2)
    out = net(torch.from_numpy(given["pieces"]), torch.from_numpy(given["features"]))
    (out["deep"].square().sum() + out["wide"].square().sum()).backward()
    for key, weight in net.named_parameters():
        assert weight.grad is not None and weight.grad.abs().max() > 0, key


@pytest.mark.parametrize("name", NETS)
def test_both_engines_answer_alike(name):
    net = made(name)
    over_torch = torch_graphs(net)
    over_onnx = load_graphs(export_graphs(net))
    for batch, time, rows in ((1, 1, 1), (1, 2, 3), (2, 1, 1), (5, 17, 4), (33, 60, 9)):
        given = arrays(batch, time, rows, seed=time)
        wanted, came = answer(over_torch, **given), answer(over_onnx, **given)
        with torch.no_grad():
            whole = net(**{key: torch.from_numpy(value) for key, value in given.items()})
        for key in ("deep", "wide"):
            assert came[key].shape == (batch, 3)
            assert np.allclose(wanted[key], whole[key].numpy(), atol=1e-4)
            assert np.allclose(wanted[key], came[key], atol=1e-4)
