"""Language models: nets that read a text unit by unit and say, at each, how likely every next unit is.

`CausalTransformer` is the decoder of "Attention Is All You Need" (Vaswani et al., 2017) by itself, as GPT-2 has it
(Radford et al., 2019): every position looks at itself and at those before it. What has changed since, and is kept here
because it learns faster for the same minutes: positions enter by turning queries and keys (rotary; Su et al., 2021),
both are brought to one length before they meet (Henry et al., 2020), norms have no mean to subtract (Zhang and
Sennrich, 2019), the rectifier is squared (So et al., 2021), and each block begins as doing nothing. Recurrent nets that
do the same are in `rnn/language.py`.

Tensors in, tensors out: what the units mean is the task's business. Id 0 is padding, at the end; 2 is the start.
"""

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.layers import Linear, attend, causal_bias, merge_heads, split_heads
from lamella.nets.sequences import chosen, crop, shifted

PERIOD = 1000.0  # the slowest pair of columns turns once in about 2 pi times so many positions


def turns(length: int, size: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the angle of each pair of columns at each position, (length, size / 2) each."""
    angles = torch.arange(length)[:, None] * PERIOD ** (-torch.arange(size // 2) / (size // 2))
    return angles.cos(), angles.sin()


def turn(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions: each pair of columns turned by its angle, so that products tell distances; (..., d) -> (..., d).

    >>> cos, sin = turns(9, 4)
    >>> a, b = torch.randn(4), torch.randn(4)
    >>> at = [turn(a, cos[i], sin[i]) @ turn(b, cos[j], sin[j]) for i, j in ((5, 3), (8, 6))]
    >>> bool((at[0] - at[1]).abs() < 1e-5)  # two apart, wherever
    True
    """
    one, other = x.chunk(2, dim=-1)
    return torch.cat([one * cos - other * sin, one * sin + other * cos], dim=-1)


class CausalBlock(nn.Module):
    """`x + Attention(norm(x))`, then `x + FeedForward(norm(x))`, both silent at first; (B, T, D) -> (B, T, D)."""

    def __init__(self, width: int, heads: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.size, self.dropout = heads, width // heads, dropout
        self.norm_attention, self.norm_feed = nn.RMSNorm(width, 1e-5), nn.RMSNorm(width, 1e-5)
        self.query_key_value, self.out = Linear(width, 3 * width, bias=False), Linear(width, width, bias=False)
        self.up, self.down = Linear(width, inner, bias=False), Linear(inner, width, bias=False)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.down.weight)

    def project(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, T, D) -> queries, keys and values (B, H, T, d), the first two of one length and turned."""
        parts = self.query_key_value(self.norm_attention(x)).chunk(3, dim=-1)
        query, key, value = (split_heads(part, self.heads) for part in parts)
        query, key = F.rms_norm(query, (self.size,), eps=1e-5), F.rms_norm(key, (self.size,), eps=1e-5)
        return turn(query, cos, sin), turn(key, cos, sin), value

    def add(self, x: Tensor, mixed: Tensor) -> Tensor:
        """What the heads gathered (B, H, T, d), added to x and read by the feed-forward part."""
        x = x + F.dropout(self.out(merge_heads(mixed)), self.dropout, self.training)
        hidden = torch.relu(self.up(self.norm_feed(x))).square()
        return x + F.dropout(self.down(hidden), self.dropout, self.training)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, bias: Tensor) -> Tensor:
        query, key, value = self.project(x, cos, sin)
        return self.add(x, attend(query, key, value, bias)[0])

    def step(self, x: Tensor, cos: Tensor, sin: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One position x (B, 1, D) after those whose keys and values (B, H, P, d) are given; they grow by one."""
        query, key, value = self.project(x, cos, sin)
        keys, values = torch.cat([keys, key], dim=2), torch.cat([values, value], dim=2)
        return self.add(x, attend(query, keys, values)[0]), keys, values


class CausalTransformer(nn.Module):
    """Units so far -> how likely each next one is.

    >>> net = CausalTransformer(vocabulary=20, width=8, depth=2, heads=2, window=16)
    >>> out = net(torch.tensor([[4, 5, 3]]))
    >>> out["hidden"].shape, out["wanted"].tolist()
    (torch.Size([1, 3, 8]), [[4, 5, 3]])
    """

    cos: Tensor
    sin: Tensor

    def __init__(
        self,
        vocabulary: int,
        width: int = 192,
        depth: int = 3,
        heads: int = 4,
        window: int = 128,
        dropout: float = 0.0,
        inner: int | None = None,
    ) -> None:
        super().__init__()
        self.vocabulary, self.width, self.heads, self.window, self.dropout = vocabulary, width, heads, window, dropout
        self.longest = window + 1  # one more than is ever asked for, as the exporter wants it
        self.table = nn.Parameter(torch.randn(vocabulary, width) * width**-0.5)
        # Of its own, not the first one transposed: with few units it costs little and begins as "all alike".
        self.out_table = nn.Parameter(torch.zeros(vocabulary, width))
        self.blocks = nn.ModuleList(CausalBlock(width, heads, inner or 4 * width, dropout) for _ in range(depth))
        self.norm = nn.RMSNorm(width, 1e-5)
        cos, sin = turns(self.longest, width // heads)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def layers(self) -> list[CausalBlock]:
        """The blocks, lowest first."""
        return cast(list[CausalBlock], list(self.blocks))

    def hidden(self, tokens: Tensor) -> Tensor:
        """(B, T) -> (B, T, D); position t knows of tokens 0 to t alone."""
        length = tokens.shape[1]
        x = F.embedding(tokens, self.table) * math.sqrt(self.width)
        x = F.dropout(x, self.dropout, self.training)
        cos, sin, bias = self.cos[:length], self.sin[:length], causal_bias(length, tokens.device).to(self.table.dtype)
        for block in self.blocks:
            x = block(x, cos, sin, bias)
        return cast(Tensor, self.norm(x))

    def forward(self, text: Tensor) -> dict[str, Tensor]:
        """For training: passages (B, S) -> hidden (B, T, D) of a window of each, what should come there (B, T), table."""
        wanted = crop(text, self.window)
        return {"hidden": self.hidden(shifted(wanted)), "wanted": wanted, "table": self.out_table}

    def score(self, tokens: Tensor, wanted: Tensor) -> dict[str, Tensor]:
        """A window at once: tokens and what came after each (B, T) -> its log-probability (B, T)."""
        return {"log_probability": chosen(self.hidden(tokens) @ self.out_table.t(), wanted)}

    def step(self, token: Tensor, keys: Tensor, values: Tensor) -> dict[str, Tensor]:
        """One unit further: token (B,), keys and values of the past (B, L, H, P, d) -> log-probabilities (B, V)."""
        x = F.embedding(token, self.table)[:, None] * math.sqrt(self.width)  # (B, 1, D)
        cos, sin = self.cos[keys.shape[3]], self.sin[keys.shape[3]]
        grown = []
        for layer, block in enumerate(self.layers()):
            x, key, value = block.step(x, cos, sin, keys[:, layer], values[:, layer])
            grown.append((key, value))
        scores = torch.log_softmax((self.norm(x)[:, 0] @ self.out_table.t()).float(), dim=-1)
        next_keys, next_values = (torch.stack(side, dim=1) for side in zip(*grown, strict=True))
        return {"scores": scores, "keys": next_keys, "values": next_values}

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        past = ("float32", "batch", len(self.blocks), self.heads, "past", self.width // self.heads)
        window = ("int64", "batch", "time")
        return {
            "score": ({"tokens": window, "wanted": window}, ("log_probability",)),
            "step": ({"token": ("int64", "batch"), "keys": past, "values": past}, ("scores", "keys", "values")),
        }
