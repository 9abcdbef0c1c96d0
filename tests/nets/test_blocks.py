"""The Transformer's layers in parallel, and several decoders on one encoder: formulas, caches, export, int8, a training."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import lamella
from lamella.graphs import NEXT, load_graphs, torch_graphs
from lamella.graphs.int8 import quantize
from lamella.nets.layers import CrossAttention, SelfAttention, causal_bias
from lamella.nets.losses import tied_cross_entropy
from lamella.nets.transformer.blocks import ParallelDecoderBlock, ParallelEncoderBlock
from lamella.nets.transformer.encoder_decoder import CANDIDATES, EncoderDecoder, Options
from lamella.nets.transformer.ssru import SSRU, scan
from lamella.options import make_config
from lamella.registry import find
from lamella.train.export import export_graphs
from tests.oracles import near, shaken

WIDTH, HEADS, INNER = 12, 3, 20
KINDS = [
    ("parallel", 1, "attention"),
    ("sequence", 2, "attention"),
    ("parallel", 3, "ssru"),
    ("post-norm", 1, "ssru"),
]  # how sub-layers stand, decoders, how they look back


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(5)


def small_net(block="sequence", decoders=1, **changes):
    options = {"vocabulary": 40, "width": WIDTH, "depth": 2, "decoder_depth": 2, "heads": HEADS, "inner": INNER}
    return shaken(EncoderDecoder(**{**options, "longest": 64, **changes}, block=block, decoders=decoders))


def attention(ours: SelfAttention | CrossAttention) -> nn.MultiheadAttention:
    """Torch's attention with the weights of ours; it stores them (out, in)."""
    theirs = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
    if isinstance(ours, SelfAttention):
        weight, bias = ours.query_key_value.weight.t(), ours.query_key_value.bias
    else:
        weight = torch.cat([ours.query.weight.t(), ours.key_value.weight.t()])
        bias = torch.cat([ours.query.bias, ours.key_value.bias])
    with torch.no_grad():
        theirs.in_proj_weight.copy_(weight)
        theirs.in_proj_bias.copy_(bias)
        theirs.out_proj.weight.copy_(ours.out.weight.t())
        theirs.out_proj.bias.copy_(ours.out.bias)
    return theirs


def fed(feed, x):
    return F.linear(F.linear(x, feed.up.weight.t(), feed.up.bias).relu(), feed.down.weight.t(), feed.down.bias)


# --- the formulas


def test_encoder_block():
    """`LayerNorm(x + Attention(x) + FeedForward(x))`."""
    ours, x = shaken(ParallelEncoderBlock(WIDTH, HEADS, INNER, 0.1)), torch.randn(3, 7, WIDTH)
    wanted = x + attention(ours.attention)(x, x, x)[0] + fed(ours.feed, x)
    near(ours(x), F.layer_norm(wanted, (WIDTH,), ours.norm.weight, ours.norm.bias))


def test_decoder_block():
    """`LayerNorm(y + SelfAttention(y) + FeedForward(y) + CrossAttention(y, h))`."""
    ours = shaken(ParallelDecoderBlock(WIDTH, HEADS, INNER, 0.1))
    y, h = torch.randn(3, 5, WIDTH), torch.randn(3, 7, WIDTH)
    later = torch.ones(5, 5, dtype=torch.bool).triu(1)
    own, crossed = attention(ours.attention)(y, y, y, attn_mask=later)[0], attention(ours.cross)(y, h, h)[0]
    wanted = F.layer_norm(y + own + fed(ours.feed, y) + crossed, (WIDTH,), ours.norm.weight, ours.norm.bias)
    near(ours(y, h, torch.zeros(3, 1, 1, 7), causal_bias(5)), wanted)


@torch.no_grad()
def test_ssru():
    """The formulas, number by number; and the step form is the other."""
    ours, x = shaken(SSRU(WIDTH)), torch.randn(3, 5, WIDTH)
    out, cell, state = ours(x), torch.zeros(3, WIDTH), torch.zeros(3, WIDTH)
    for t in range(5):
        forget = torch.sigmoid(x[:, t] @ ours.forget.weight + ours.forget.bias)
        cell = forget * cell + (1 - forget) * (x[:, t] @ ours.input.weight)
        step, state = ours.step(x[:, t], state)
        near(out[:, t], cell.relu())
        near(step, cell.relu())


def test_gradients_of_the_scan():
    forget, value = torch.rand(2, 5, 3, dtype=torch.double), torch.randn(2, 5, 3, dtype=torch.double)
    assert torch.autograd.gradcheck(scan, (forget.requires_grad_(), value.requires_grad_()))


def test_the_net_is_its_blocks():
    net = small_net("parallel")
    source, prompt = torch.randint(1, 40, (2, 6)), torch.randint(1, 40, (2, 4))
    x = net.embed(source)
    for block in net.encoder:
        x = block(x)
    y = net.embed(prompt)
    for block in net.decoder:
        y = block(y, x, torch.zeros(2, 1, 1, 6), causal_bias(4))
    near(net(source, prompt)["hidden"], y)


# --- several decoders


def twins(block: str, decoders: int) -> tuple[EncoderDecoder, EncoderDecoder]:
    """A net of one decoder, and one of several that are all the same as that one."""
    one, several = small_net(block), small_net(block, decoders)
    state = one.state_dict()
    for name in several.state_dict():
        part, number, *rest = [*name.split("."), ""]
        if part == "decoder":
            state[name] = state[".".join(["decoder", str(int(number) % 2), *rest[:-1]])]
        elif part == "norm_others":
            state[name] = state[f"norm_decoder.{rest[0]}"]
    several.load_state_dict(state)
    return one, several


@torch.no_grad()
@pytest.mark.parametrize("block", ["sequence", "parallel"])
def test_several_that_are_the_same_are_one(block):
    one, several = twins(block, 3)
    source, prompt = torch.randint(1, 40, (2, 6)), torch.randint(1, 40, (2, 4))
    wanted, found = one(source, prompt), several(source, prompt)
    assert found["hidden"].shape == (3, *wanted["hidden"].shape)
    for hidden in found["hidden"]:
        near(hidden, wanted["hidden"])
    before, after = one.encode(source), several.encode(source)
    assert len(before) == 2 * 2 + 1 and len(after) == 3 * 2 * 2 + 1, "keys and values of each layer, and the bias"
    states = [
        {k: torch.from_numpy(v) for k, v in torch_graphs(net)["step"].empty(batch=2, beam=1).items()}
        for net in (one, several)
    ]
    for t in range(4):
        token = prompt[:, t : t + 1]
        first, second = one.step(token, **states[0], **before), several.step(token, **states[1], **after)
        assert first["tokens"].tolist() == second["tokens"].tolist()
        near(first["scores"], second["scores"])
        near(first["attention"], second["attention"])
        states = [{k: out[k] for k in state} for state, out in zip(states, (first, second), strict=True)]


@torch.no_grad()
@pytest.mark.parametrize(("block", "decoders", "past"), KINDS)
def test_cached_is_uncached_and_probabilities_are_averaged(block, decoders, past):
    net = small_net(block, decoders, options=Options(decoder=past))
    source, prompt = torch.randint(1, 40, (3, 8)), torch.randint(1, 40, (3, 7))
    source[1, 5:] = 0
    out = net(source, prompt)
    hidden = out["hidden"] if decoders > 1 else out["hidden"][None]
    mean = torch.softmax(hidden @ out["table"].t(), dim=-1).mean(dim=0)  # (B, T, V)
    wanted, ids = mean.log().topk(CANDIDATES)
    encoded = net.encode(source)
    state = {k: torch.from_numpy(v) for k, v in torch_graphs(net)["step"].empty(batch=3, beam=1).items()}
    for t in range(7):
        step = net.step(prompt[:, t : t + 1], **state, **encoded)
        near(step["scores"][:, 0], wanted[:, t], 1e-4)
        assert step["tokens"][:, 0].tolist() == ids[:, t].tolist()
        near(step["attention"].sum(-1), torch.ones(3, 1))
        state = {name: step[name] for name in state}
    for t in range(7):
        changed = prompt.clone()
        changed[:, t] = changed[:, t] % 39 + 1
        near(net(source, changed)["hidden"][..., :t, :], out["hidden"][..., :t, :])


def test_the_loss_is_the_mean_of_the_decoders():
    net, source = small_net("sequence", 2), torch.randint(1, 40, (2, 6))
    prompt, target = torch.randint(1, 40, (2, 4)), torch.randint(1, 40, (2, 4))
    target[1, 2:] = 0
    from lamella.tasks.translation import Translation

    out = net(source, prompt)
    each = [tied_cross_entropy(hidden, out["table"], target, 0.1) for hidden in out["hidden"]]
    near(Translation.loss(Translation, out, {"target": target}), sum(each) / 2)
    assert abs(float(each[0] - each[1])) > 1e-3
    near(Translation.loss(Translation, {**out, "hidden": out["hidden"][0]}, {"target": target}), each[0])


# --- exported


@pytest.mark.parametrize(("block", "decoders", "past"), [k for k in KINDS if k[1] < 3])
def test_export_and_int8(block, decoders, past):
    net = small_net(
        block, decoders, vocabulary=300, width=64, heads=4, inner=128, options=Options(decoder=past)
    ).float()
    files = export_graphs(net)  # which compares them with the net, at several sizes
    small = {name: quantize(raw) for name, raw in files.items()}
    sizes = [sum(map(len, graphs.values())) for graphs in (files, small)]
    assert sizes[1] < 0.45 * sizes[0], "every product is found"
    source = np.array([[5, 6, 7, 3], [8, 9, 3, 0]])
    answers = []
    for graphs in (torch_graphs(net), load_graphs(files), load_graphs(small)):
        memory, state = graphs["encode"](source=source), graphs["step"].empty(batch=2, beam=1)
        assert len(state) == (2 * 2 * decoders if past == "attention" else 2 * decoders + 1)
        for token in (2, 17, 30):
            out = graphs["step"](token=np.full((2, 1), token), **state, **memory)
            state = {name: out[name] for name in state}
        answers.append(out)
    assert answers[0]["tokens"].tolist() == answers[1]["tokens"].tolist()
    np.testing.assert_allclose(answers[0]["scores"], answers[1]["scores"], atol=1e-3)
    np.testing.assert_allclose(answers[0]["scores"], answers[2]["scores"], atol=0.6)
    assert not any(name.startswith(NEXT) for name in answers[1])


@pytest.mark.parametrize(("block", "decoders", "past"), KINDS)
def test_the_task_builds_trains_and_decodes_with_them(block, decoders, past):
    cls = find("translation")
    job = cls(
        cls.Config(block=block, decoders=decoders, decoder=past, vocabulary_size=300, dropout=0.0, beams=2), "tiny"
    )
    examples = job.sample("train")[:60]
    job.fit(examples)
    net = job.build().train()
    assert len(net.decoder) == decoders * job.config.decoder_depth
    rows = [{**job.inputs(e), **job.prompt(e), **job.targets(e)} for e in examples[:8]]
    batch = {k: torch.from_numpy(v) for k, v in job.collate(rows).items()}
    optimizer, losses = torch.optim.Adam(net.parameters(), 3e-3), []
    for _ in range(12):
        loss = job.loss(net(batch["source"], batch["prompt"]), batch)
        optimizer.zero_grad()
        loss.backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters()), "nothing stands idle"
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.75 * losses[0], losses
    answers = job.decode(torch_graphs(net.eval()), job.collate([job.inputs(e) for e in examples[:2]]))
    assert len(answers) == 2 and all(len(best) == 2 and isinstance(best[0], str) for best in answers)


def test_what_is_no_block():
    with pytest.raises(lamella.UsageError, match="block"):
        make_config(find("translation").Config, {"block": "sideways"}, "translation")
