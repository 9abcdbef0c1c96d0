"""The Transformer against torch's own, against numbers worked out by hand, and against itself in other orders."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lamella.graphs import torch_graphs
from lamella.nets.layers import (
    MASKED,
    CrossAttention,
    FeedForward,
    SelfAttention,
    attend,
    causal_bias,
    filtered,
    positions,
)
from lamella.nets.losses import ROWS, tied_cross_entropy
from lamella.nets.transformer.blocks import DecoderBlock, EncoderBlock, PostNormDecoderBlock, PostNormEncoderBlock
from lamella.nets.transformer.encoder_decoder import CANDIDATES, EncoderDecoder
from tests.oracles import near, shaken

WIDTH, HEADS, INNER = 12, 3, 20
TORCHS = {"relu": F.relu, "swish": F.silu, "gelu": F.gelu}


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(3)


def small_net(**changes):
    options = {"vocabulary": 40, "width": WIDTH, "depth": 2, "decoder_depth": 2, "heads": HEADS, "inner": INNER}
    return shaken(EncoderDecoder(**{**options, "longest": 64, **changes}))


# --- against torch


@pytest.mark.parametrize("shape", [(2, 3, 5, 7, 4), (1, 1, 1, 1, 2), (4, 2, 9, 3, 8)], ids=str)
def test_attend(shape):
    batch, heads, queries, keys, size = shape
    query = torch.randn(batch, heads, queries, size)
    key, value = torch.randn(2, batch, heads, keys, size)
    hidden = torch.rand(batch, 1, queries, keys) < 0.4
    hidden[..., 0] = False  # a softmax over nothing has no answer
    bias = torch.zeros(hidden.shape).masked_fill(hidden, MASKED)
    for given in (None, bias):
        mixed, weights = attend(query, key, value, given)
        near(mixed, F.scaled_dot_product_attention(query, key, value, attn_mask=given))
        near(weights.sum(-1), torch.ones(batch, heads, queries))
    assert not weights[hidden.expand_as(weights)].any()


def test_causal_bias():
    query, key, value = torch.randn(3, 2, 3, 6, 4)
    mixed, _ = attend(query, key, value, causal_bias(6))
    near(mixed, F.scaled_dot_product_attention(query, key, value, is_causal=True))


def fill(torchs: nn.MultiheadAttention, ours: SelfAttention | CrossAttention) -> nn.MultiheadAttention:
    """Torch's attention with the weights of ours; it stores them (out, in)."""
    if isinstance(ours, SelfAttention):
        weight, bias = ours.query_key_value.weight.t(), ours.query_key_value.bias
    else:
        weight = torch.cat([ours.query.weight.t(), ours.key_value.weight.t()])
        bias = torch.cat([ours.query.bias, ours.key_value.bias])
    with torch.no_grad():
        torchs.in_proj_weight.copy_(weight)
        torchs.in_proj_bias.copy_(bias)
        torchs.out_proj.weight.copy_(ours.out.weight.t())
        torchs.out_proj.bias.copy_(ours.out.bias)
    return torchs


def fill_block(torchs, ours: EncoderBlock | DecoderBlock):
    """A block of torch's with the weights of ours."""
    norms, feed = [ours.norm_attention, ours.norm_feed], ours.feed
    fill(torchs.self_attn, ours.attention)
    if isinstance(ours, DecoderBlock):
        norms.insert(1, ours.norm_cross)
        fill(torchs.multihead_attn, ours.cross)
    for number, norm in enumerate(norms, start=1):
        getattr(torchs, f"norm{number}").load_state_dict(norm.state_dict())
    with torch.no_grad():
        for theirs, mine in ((torchs.linear1, feed.up), (torchs.linear2, feed.down)):
            theirs.weight.copy_(mine.weight.t())
            theirs.bias.copy_(mine.bias)
    return torchs.eval()


def padded(batch=3, length=7):
    """Which positions are padding, and the same as the bias that hides them."""
    lengths = torch.tensor([length, 4, 1])[:batch]
    mask = torch.arange(length)[None] >= lengths[:, None]
    return mask, torch.zeros(mask.shape).masked_fill(mask, MASKED)[:, None, None]


def test_self_attention():
    ours = shaken(SelfAttention(WIDTH, HEADS))
    torchs = fill(nn.MultiheadAttention(WIDTH, HEADS, batch_first=True), ours)
    x, (mask, bias) = torch.randn(3, 7, WIDTH), padded()
    near(ours(x), torchs(x, x, x)[0])
    near(ours(x, bias), torchs(x, x, x, key_padding_mask=mask)[0])


def test_cross_attention():
    ours = shaken(CrossAttention(WIDTH, HEADS))
    torchs = fill(nn.MultiheadAttention(WIDTH, HEADS, batch_first=True), ours)
    x, memory, (mask, bias) = torch.randn(3, 5, WIDTH), torch.randn(3, 7, WIDTH), padded()
    near(ours(x, *ours.remember(memory), bias), torchs(x, memory, memory, key_padding_mask=mask)[0])


def test_feed_forward():
    ours = shaken(FeedForward(WIDTH, INNER))
    x = torch.randn(3, 5, WIDTH)
    inner = F.linear(x, ours.up.weight.t(), ours.up.bias).relu()
    near(ours(x), F.linear(inner, ours.down.weight.t(), ours.down.bias))


# With norms before or after, and each activation.
ORDERS = pytest.mark.parametrize(("first", "activation"), [(True, "relu"), (False, "swish"), (False, "gelu")])


@ORDERS
def test_encoder_block(first, activation):
    ours = shaken((EncoderBlock if first else PostNormEncoderBlock)(WIDTH, HEADS, INNER, 0.1, activation))
    options = {"norm_first": first, "activation": TORCHS[activation], "batch_first": True}
    torchs = fill_block(nn.TransformerEncoderLayer(WIDTH, HEADS, INNER, **options), ours)
    x, (mask, bias) = torch.randn(3, 7, WIDTH), padded()
    near(ours(x, bias)[~mask], torchs(x, src_key_padding_mask=mask)[~mask])


@ORDERS
def test_decoder_block(first, activation):
    ours = shaken((DecoderBlock if first else PostNormDecoderBlock)(WIDTH, HEADS, INNER, 0.1, activation))
    options = {"norm_first": first, "activation": TORCHS[activation], "batch_first": True}
    torchs = fill_block(nn.TransformerDecoderLayer(WIDTH, HEADS, INNER, **options), ours)
    y, memory, (mask, bias) = torch.randn(3, 5, WIDTH), torch.randn(3, 7, WIDTH), padded()
    later = torch.ones(5, 5, dtype=torch.bool).triu(1)
    near(ours(y, memory, bias, causal_bias(5)), torchs(y, memory, tgt_mask=later, memory_key_padding_mask=mask))


def test_dropout_in_training_alone():
    net, tokens = small_net(dropout=0.5), torch.randint(1, 40, (2, 6))
    near(net(tokens, tokens)["hidden"], net(tokens, tokens)["hidden"])
    net.train()
    assert not torch.allclose(net(tokens, tokens)["hidden"], net(tokens, tokens)["hidden"])


# --- by hand


def test_positions_are_the_formula():
    table = positions(50, 10)
    for t in (0, 1, 7, 49):
        for pair in range(5):
            angle = t / 10000 ** (2 * pair / 10)
            assert table[t, 2 * pair].item() == pytest.approx(math.sin(angle), abs=1e-5)
            assert table[t, 2 * pair + 1].item() == pytest.approx(math.cos(angle), abs=1e-5)


def test_other_layouts_of_positions():
    """All sines, then all cosines; of Marian the last angle is exactly one ten-thousandth."""
    near(positions(20, 8, "halves")[:, :4], positions(20, 8)[:, ::2])
    near(positions(20, 8, "halves")[:, 4:], positions(20, 8)[:, 1::2])
    marian = positions(20, 8, "marian")
    near(marian[:, 3], torch.sin(torch.arange(20) / 10000))
    near(marian[:, 5], torch.cos(torch.arange(20) / 10000 ** (1 / 3)))


def hand_set() -> EncoderDecoder:
    """Width 2, one head, one layer each; identities wherever something is not said below, no norm at the two ends."""
    net = EncoderDecoder(
        vocabulary=5, width=2, depth=1, decoder_depth=1, heads=1, inner=2, dropout=0.0, longest=8
    ).eval()
    one = torch.eye(2)
    with torch.no_grad():
        # Multiplied by sqrt(2) on the way in, a row is as it stands here. Ids: padding, unknown, start, end, a word.
        net.table.copy_(torch.tensor([[0, 0], [0.5, -1], [1, 3], [0, 2], [3, 0]]) / math.sqrt(2))
        for block in (net.encoder[0], net.decoder[0]):
            block.attention.query_key_value.weight.copy_(torch.cat([one, one, one], dim=1))
            block.attention.out.weight.copy_(one)
            block.feed.up.weight.copy_(one)
            block.feed.down.weight.copy_(torch.diag(torch.tensor([0.5, 0.25])))
        cross = net.decoder[0].cross
        cross.query.weight.copy_(torch.diag(torch.tensor([0.0, 1.0])))
        cross.key_value.weight.copy_(torch.cat([one, one], dim=1))
        cross.out.weight.copy_(one)
    net.norm_encoder, net.norm_decoder = nn.Identity(), nn.Identity()
    return net


def test_a_net_worked_out_by_hand():
    """Source: the word and the end. Prompt: the start. A norm of width 2 gives (1, -1) or (-1, 1), the larger one 1.

    Embedded, with sin and cos of the position:  x0 = (3, 0) + (0, 1) = (3, 1)   x1 = (0, 2) + (sin 1, cos 1)
    Norms (1, -1) and (-1, 1). The score of each with itself is 2 / sqrt 2 = sqrt 2, with the other -sqrt 2, so that
    attention gives (p - (1 - p)) times its own norm, and p - (1 - p) = tanh(sqrt 2) = m = 0.88839:
                                                 x0 = (3 + m, 1 - m)             x1 = (sin 1 - m, 2 + cos 1 + m)
    Feed-forward: relu of the norms, (1, 0) and (0, 1), times 0.5 and 0.25:
                                                 x0 = (3.5 + m, 1 - m)           x1 = (sin 1 - m, 2.25 + cos 1 + m)
                                                    = (4.38839, 0.11161)            = (-0.04691, 3.67869)
    Decoder: y = (1, 3) + (0, 1) = (1, 4). Norm (-1, 1); attention to itself alone adds it: y = (0, 5).
    The query keeps the second half of the norm, (0, 1): scores 0.11161 / sqrt 2 and 3.67869 / sqrt 2, a difference of
    2.52230, weights 0.07431 and 0.92569. Mixed: (0.28267, 3.41362), y = (0.28267, 8.41362).
    Feed-forward adds 0.25 to the second: (0.28267, 8.66362).
    Scores with the table's rows: (0, -6.0263, 18.5783, 12.2522, 0.5996), of which the softmax is nearly all on the
    third: log(1 + e^-6.3261 + ...) = 0.00179.
    """
    net, source, prompt = hand_set(), torch.tensor([[4, 3]]), torch.tensor([[2]])
    m = math.tanh(math.sqrt(2))
    encoded = net.encode(source)
    wanted = torch.tensor([[3.5 + m, 1 - m], [math.sin(1) - m, 2.25 + math.cos(1) + m]])
    near(wanted, torch.tensor([[4.38839, 0.11161], [-0.04691, 3.67869]]), 1e-4)
    near(encoded["memory_keys_0"][0, 0], wanted, 1e-4)
    near(encoded["memory_values_0"][0, 0], wanted, 1e-4)
    out = net(source, prompt)
    near(out["hidden"][0, 0], torch.tensor([0.28267, 8.66362]), 1e-4)
    near(out["hidden"][0, 0] @ out["table"].t(), torch.tensor([0.0, -6.0263, 18.5783, 12.2522, 0.5996]), 1e-3)
    step = net.step(prompt, **nothing(net, 1), **encoded)
    assert step["tokens"].tolist() == [[[2, 3, 4, 0, 1]]]
    near(step["scores"][0, 0, :2], torch.tensor([-0.00179, -6.32790]), 1e-3)
    near(step["attention"][0, 0], torch.tensor([0.07431, 0.92569]), 1e-4)


def nothing(net, batch, beams=1):
    """The state before the first step."""
    return {k: torch.from_numpy(v) for k, v in torch_graphs(net)["step"].empty(batch=batch, beam=beams).items()}


# --- by perturbation


def test_a_later_token_changes_nothing_before_it():
    net, source, prompt = small_net(), torch.randint(1, 40, (2, 6)), torch.randint(1, 40, (2, 9))
    before = net(source, prompt)["hidden"]
    for t in range(9):
        changed = prompt.clone()
        changed[:, t] = changed[:, t] % 39 + 1
        after = net(source, changed)["hidden"]
        near(after[:, :t], before[:, :t], 1e-6)
        assert (after[:, t:] - before[:, t:]).abs().amax(dim=(0, 2)).min() > 1e-4, "but all from there on"


def test_every_source_token_changes_every_hidden():
    net, source, prompt = small_net(), torch.randint(1, 40, (1, 6)), torch.randint(1, 40, (1, 4))
    before = net(source, prompt)["hidden"]
    for s in range(6):
        changed = source.clone()
        changed[:, s] = changed[:, s] % 39 + 1
        assert (net(changed, prompt)["hidden"] - before).abs().amax(dim=2).min() > 1e-5


@torch.no_grad()
def test_padding_changes_nothing():
    net, source, prompt = small_net(), torch.randint(1, 40, (2, 6)), torch.randint(1, 40, (2, 4))
    before = net(source, prompt)["hidden"]
    for more in (1, 5, 30):
        long = F.pad(source, (0, more))
        near(net(long, prompt)["hidden"], before)
        near(
            net(torch.cat([long, torch.randint(1, 40, (1, 6 + more))]), F.pad(prompt, (0, 0, 0, 1), value=2))["hidden"][
                :2
            ],
            before,
        )
        encoded = net.encode(long)
        step = net.step(prompt[:, :1], **nothing(net, 2), **encoded)
        for key in encoded.keys() - {"memory_bias"}:
            encoded[key][..., 6:, :] = 99.0
        again = net.step(prompt[:, :1], **nothing(net, 2), **encoded)
        near(again["scores"], step["scores"])
        assert not again["attention"][..., 6:].any()
    long, mixed = F.pad(source, (0, 5)), F.pad(prompt, (0, 3))
    before = net(long, mixed)["hidden"]
    net.table[0] += 7.0  # what stands where nothing is
    near(net(long, mixed)["hidden"][:, :4], before[:, :4])


# --- cached


@torch.no_grad()
def test_cached_is_uncached():
    net, source, prompt = small_net(), torch.randint(1, 40, (3, 8)), torch.randint(1, 40, (3, 10))
    source[1, 5:] = 0
    out = net(source, prompt)
    wanted, ids = torch.log_softmax(out["hidden"] @ out["table"].t(), dim=-1).topk(CANDIDATES)
    encoded = net.encode(source)
    state = nothing(net, 3)
    for t in range(10):
        step = net.step(prompt[:, t : t + 1], **state, **encoded)
        near(step["scores"][:, 0], wanted[:, t])
        assert step["tokens"][:, 0].tolist() == ids[:, t].tolist()
        state = {name: step[name] for name in state}
        assert {array.shape for array in state.values()} == {(3, 1, HEADS, t + 1, WIDTH // HEADS)}
        near(step["attention"].sum(-1), torch.ones(3, 1))


@torch.no_grad()
def test_beams_of_a_sentence_are_so_many_sentences():
    net, source = small_net(), torch.randint(1, 40, (2, 8))
    source[1, 5:] = 0
    encoded, beams = net.encode(source), 3
    copied = {name: array.repeat_interleave(beams, dim=0) for name, array in encoded.items()}
    together, alone = nothing(net, 2, beams), nothing(net, 2 * beams)
    for _ in range(4):
        token = torch.randint(1, 40, (2, beams))
        one, many = net.step(token, **together, **encoded), net.step(token.view(-1, 1), **alone, **copied)
        for name in one:
            near(one[name].flatten(0, 1), many[name].flatten(0, 1))
        together, alone = ({name: out[name] for name in together} for out in (one, many))


# --- loss


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("rows", [5, 2 * ROWS + 3])
def test_tied_cross_entropy(rows, smoothing, biased):
    hidden, table = torch.randn(2, rows, 8, requires_grad=True), torch.randn(30, 8, requires_grad=True)
    bias = torch.randn(30, requires_grad=True) if biased else None
    weights = (hidden, table) if bias is None else (hidden, table, bias)
    targets = torch.randint(0, 30, (2, rows))
    targets[0, :2], targets[1, -1] = 0, 0
    found = []
    for plain in (False, True):
        if plain:
            scores = (hidden @ table.t() + (0 if bias is None else bias)).flatten(0, 1)
            loss = F.cross_entropy(scores, targets.flatten(), ignore_index=0, label_smoothing=smoothing)
        else:
            loss = tied_cross_entropy(hidden, table, targets, smoothing, bias)
        # Three times: what comes from above must reach the gradients.
        found.append((loss.detach(), *torch.autograd.grad(3 * loss, weights)))
    for ours, torchs in zip(*found, strict=True):
        near(ours, torchs)
    assert not found[0][1][targets == 0].any()


def test_tied_cross_entropy_of_large_scores_and_of_nothing():
    hidden, table = torch.full((1, 2, 4), 100.0), torch.eye(4)
    table[2] *= 3
    assert tied_cross_entropy(hidden, table, torch.full((1, 2), 2)).item() == 0  # exp(300) alone would overflow
    assert tied_cross_entropy(hidden, table, torch.full((1, 2), 1)).item() == pytest.approx(200)
    assert tied_cross_entropy(hidden, table, torch.zeros(1, 2, dtype=torch.long)).item() == 0


@pytest.mark.parametrize("span", [1, 5, 9])
def test_a_filter_in_each_channel_is_the_same_in_training_and_where_it_is_exported(span):
    x, weight = torch.randn(2, 7, 16), torch.randn(16, 1, span)
    wanted = F.conv1d(x.transpose(1, 2), weight, padding=span // 2, groups=16).transpose(1, 2)
    for training in (True, False):
        near(filtered(x, weight, training), wanted)
