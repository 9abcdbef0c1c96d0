"""The pointer net: what it writes and copies, step by step and all at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lamella.graphs import torch_graphs
from lamella.nets.transformer.encoder_decoder import EncoderDecoder
from lamella.nets.transformer.pointer import PointerTransformer, pointer_loss
from tests.oracles import shaken

WIDE = 40  # tokens of the vocabulary


def small() -> PointerTransformer:
    torch.manual_seed(3)
    body = EncoderDecoder(WIDE, 16, 2, 2, 2, dropout=0.0, longest=64)
    return shaken(PointerTransformer(body)).eval()


def mixture(out: dict[str, torch.Tensor]) -> torch.Tensor:
    """The probabilities (B, T, V), by the paper's formula and a loop."""
    whole = out["gate"] * torch.softmax(out["scores"], dim=-1)
    for b, ids in enumerate(out["source"].tolist()):
        for place, token in enumerate(ids):
            whole[b, :, token] += (1 - out["gate"][b, :, 0]) * out["copy"][b, :, place]
    return whole


def test_steps_give_the_mixture_of_teacher_forcing():
    net = small()
    source = torch.tensor([[5, 6, 5, 3, 0, 0], [9, 8, 7, 6, 5, 3]])
    prompt = torch.tensor([[2, 5, 11], [2, 30, 6]])
    with torch.no_grad():
        wanted = mixture(net(source, prompt)).numpy()  # (B, T, V)
    assert np.allclose(wanted.sum(axis=-1), 1, atol=1e-5)
    graphs = torch_graphs(net)
    memory = {"source": source.numpy(), **graphs["encode"](source=source.numpy())}
    state = graphs["step"].empty(batch=2, beam=1)
    for at in range(prompt.shape[1]):
        out = graphs["step"](token=prompt[:, at : at + 1].numpy(), **state, **memory)
        state = {name: out[name] for name in state}
        likely = np.take_along_axis(wanted[:, at], out["tokens"][:, 0], axis=1)
        assert np.allclose(np.exp(out["scores"][:, 0]), likely, atol=1e-5)
        assert (np.sort(-likely, axis=1) == -likely).all() and likely.max(axis=1) == pytest.approx(
            wanted[:, at].max(axis=1), abs=1e-5
        )
        assert out["attention"][0, 0, 4:].max() < 1e-6, "padding is never copied"


def test_a_token_of_the_source_knows_its_neighbours_and_padding_is_none():
    net = small()
    one, other = torch.tensor([[5, 6, 7, 8]]), torch.tensor([[5, 6, 7, 8, 0, 0, 0]])
    with torch.no_grad():
        assert torch.allclose(net.read(one)[0], net.read(other)[0][:, :4], atol=1e-5)
        for block in net.body.encoder:
            block.attention.out.weight.zero_()
        changed = net.read(torch.tensor([[9, 6, 7, 8]]))[0] - net.read(one)[0]
    assert (changed.abs().amax(dim=2)[0] > 1e-4).tolist() == [True, True, True, False]


def test_the_loss_is_the_mean_logarithm_of_the_mixture():
    net = small()
    source, prompt = torch.tensor([[5, 6, 5, 3]]), torch.tensor([[2, 5, 11]])
    target = torch.tensor([[5, 11, 0]])
    out = net(source, prompt)
    whole = mixture({name: tensor.clone() for name, tensor in out.items()})
    wanted = -(whole[0, 0, 5].log() + whole[0, 1, 11].log()) / 2
    assert torch.allclose(pointer_loss(**out, target=target), wanted, atol=1e-5)
    even = -torch.log_softmax(out["scores"], dim=-1).mean(dim=-1)[0, :2].mean()
    assert torch.allclose(pointer_loss(**out, target=target, smoothing=0.1), 0.9 * wanted + 0.1 * even, atol=1e-5)


def test_what_follows_the_token_just_written_is_copied_from_the_first_step_on():
    torch.manual_seed(3)
    net = PointerTransformer(EncoderDecoder(WIDE, 16, 2, 2, 2, dropout=0.0, longest=64)).eval()
    source, prompt = torch.tensor([[5, 6, 7, 6, 8, 3, 0]]), torch.tensor([[2, 5, 6, 30]])
    with torch.no_grad():
        copy = net(source, prompt)["copy"][0]
        assert copy[1].argmax() == 1 and copy[1, 1] > 0.5
        assert sorted(copy[2].topk(2).indices.tolist()) == [2, 4], "it stands twice: both that follow"
        assert copy[2, 2] > 1.5 * copy[2, 4], "behind both of the last two"
        assert copy[3].max() < 0.5, "a word that the source has not"
        net.again.fill_(-20.0)
        assert net(source, prompt)["copy"][0, 2, [0, 1, 3]].max() < 1e-4, "what was written already"
        for weight in (net.follows, net.both, net.again):
            weight.zero_()
        assert net(source, prompt)["copy"][0].max() < 0.5


def test_a_token_that_only_the_source_has_is_learned_by_copying():
    """Rare tokens are never twice the same: no table can learn them, a pointer can."""
    torch.manual_seed(1)
    net = PointerTransformer(EncoderDecoder(WIDE, 32, 1, 1, 2, dropout=0.0, longest=16))
    optimizer = torch.optim.Adam(net.parameters(), 5e-3)
    for _ in range(60):
        source = torch.randint(4, WIDE, (64, 3))
        loss = pointer_loss(**net(source, torch.full((64, 1), 2)), target=source[:, 1:2])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.7 * float(np.log(WIDE - 4))
