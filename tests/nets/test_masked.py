"""A net that fills masks looks at its neighbours from the start, and its graph in int8 keeps how frequent words are."""

import numpy as np
import torch
from torch.nn import functional as F

from lamella.graphs import load_graphs
from lamella.graphs.int8 import quantize
from lamella.nets.layers import attend
from lamella.nets.transformer.masked import MaskedTransformer
from lamella.train.export import export_graphs


def test_two_heads_begin_at_the_neighbours():
    """At masks, which are all alike, the place alone says where to look."""
    torch.manual_seed(0)
    net = MaskedTransformer(vocabulary=50, width=64, depth=1, heads=4, window=40)
    tokens = torch.randint(5, 50, (8, 30))
    tokens[:, ::3] = 4  # the mask
    x = F.embedding(tokens, net.table) * 8 + net.positions[:30]
    block = net.blocks[0]
    query, key, value = block.attention.project(block.norm_attention(x))
    where = attend(query, key, value)[1].argmax(dim=-1)  # (B, H, T)
    places = torch.arange(30)
    for head, offset in ((0, -1), (1, 1)):
        right = (where[:, head, 1:-1] == places[1:-1] + offset).float().mean()
        assert right > 0.6, f"head {head} looks {offset} away: {right:.2f}"
    assert (where[:, 2, 1:-1] == places[1:-1] - 1).float().mean() < 0.5, "the others are free"


def test_what_stands_beside_a_mask_is_learned():
    """A token that follows from the one before it: without the heads above the loss stays at how frequent tokens are."""
    torch.manual_seed(0)
    chance = torch.Generator().manual_seed(0)
    net = MaskedTransformer(vocabulary=100, width=64, depth=2, heads=4, window=16)
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3)
    follows = torch.randperm(90, generator=chance) + 10
    losses = []
    for _ in range(160):
        first = torch.randint(10, 100, (32, 8), generator=chance)
        tokens = torch.stack([first, follows[first - 10]], dim=2).flatten(
            1
        )  # (B, 16): each odd one follows from the even
        masked = tokens.clone()
        places = torch.rand(32, 8, generator=chance) < 0.3
        masked[:, 1::2][places] = 4
        out = net(masked)
        scores = out["hidden"][:, 1::2][places] @ out["table"].t() + out["bias"]
        loss = F.cross_entropy(scores, tokens[:, 1::2][places])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-20:]) < 0.6 * np.log(90), f"{np.mean(losses[-20:]):.2f} of {np.log(90):.2f}"


def test_int8_keeps_the_bias_of_the_output():
    torch.manual_seed(0)
    net = MaskedTransformer(vocabulary=60, width=32, depth=1, heads=2, window=8).eval()
    with torch.no_grad():
        net.output_bias.copy_(torch.linspace(-6, 6, 60))
    pieces = torch.randint(5, 60, (4, 8))
    asked = torch.zeros(4, 8)
    asked[:, 3] = 1
    files = {name: quantize(raw) for name, raw in export_graphs(net).items()}
    found = load_graphs(files, 1)["fill"](pieces=pieces.numpy(), asked=asked.numpy())["log_probability"]
    wanted = net.fill(pieces, asked)["log_probability"].detach().numpy()
    assert np.abs(found - wanted).max() < 0.2
