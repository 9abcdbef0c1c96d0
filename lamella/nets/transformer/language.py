"""A causal Transformer language model: after each token of a text, the probabilities of the next one.

`CausalTransformer` is the decoder of "Attention Is All You Need" (Vaswani et al., 2017) by itself, as in GPT-2 (Radford
et al., 2019): every position attends to itself and to those before it. Five later changes make it learn faster in the
same minutes: rotary position embeddings (Su et al., 2021), normalised queries and keys (Henry et al., 2020), RMSNorm
(Zhang and Sennrich, 2019), squared ReLU (So et al., 2021), and blocks that start as the identity. The recurrent
language model is in `rnn/language.py`.

Tensors in, tensors out: what the tokens mean is the task's business. Id 0 is padding, at the end; 2 is the start.
"""

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.layers import Linear, attend, causal_bias, merge_heads, split_heads
from lamella.nets.sequences import chosen, crop, shifted

PERIOD = 1000.0  # the slowest pair of columns turns once in about 2 pi times as many positions


def rotary_angles(length: int, size: int, device: torch.device | None = None) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the angle of each pair of columns at each position, (length, size / 2) each."""
    places, pairs = torch.arange(length, device=device), torch.arange(size // 2, device=device)
    angles = places[:, None] * PERIOD ** (-pairs / (size // 2))
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position embedding: rotate each pair of columns by its angle, (..., d) -> (..., d).

    The dot product of a query and a key then depends on the distance between them, not on where they are.

    >>> cos, sin = rotary_angles(9, 4)
    >>> a, b = torch.randn(4), torch.randn(4)
    >>> at = [rotate(a, cos[i], sin[i]) @ rotate(b, cos[j], sin[j]) for i, j in ((5, 3), (8, 6))]
    >>> bool((at[0] - at[1]).abs() < 1e-5)  # two apart, wherever
    True
    """
    one, other = x.chunk(2, dim=-1)
    return torch.cat([one * cos - other * sin, one * sin + other * cos], dim=-1)


class CausalBlock(nn.Module):
    """`x + Attention(norm(x))`, then `x + FeedForward(norm(x))`, the identity at first; (B, T, D) -> (B, T, D)."""

    def __init__(self, width: int, heads: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.size, self.dropout = heads, width // heads, dropout
        self.norm_attention, self.norm_feed = nn.RMSNorm(width, 1e-5), nn.RMSNorm(width, 1e-5)
        self.query_key_value, self.out = Linear(width, 3 * width, bias=False), Linear(width, width, bias=False)
        self.up, self.down = Linear(width, inner, bias=False), Linear(inner, width, bias=False)
        # Zero: a block adds nothing until it has learned something, so that a deep net starts as a shallow one.
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.down.weight)

    def project(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, T, D) -> queries, keys and values (B, H, T, d); queries and keys are normalised and rotated."""
        parts = self.query_key_value(self.norm_attention(x)).chunk(3, dim=-1)
        query, key, value = (split_heads(part, self.heads) for part in parts)
        # Normalised, so that scores stay within bounds whatever the learning rate; afterwards rotated, which keeps lengths.
        query, key = F.rms_norm(query, (self.size,), eps=1e-5), F.rms_norm(key, (self.size,), eps=1e-5)
        return rotate(query, cos, sin), rotate(key, cos, sin), value

    def add(self, x: Tensor, mixed: Tensor) -> Tensor:
        """Add the heads' output (B, H, T, d) to x, then the feed-forward layer's: x (B, T, D) -> (B, T, D)."""
        x = x + F.dropout(self.out(merge_heads(mixed)), self.dropout, self.training)
        # Squared: in language models it learns faster than a plain ReLU (So et al., 2021).
        hidden = torch.relu(self.up(self.norm_feed(x))).square()
        return x + F.dropout(self.down(hidden), self.dropout, self.training)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, bias: Tensor) -> Tensor:
        query, key, value = self.project(x, cos, sin)
        return self.add(x, attend(query, key, value, bias)[0])

    def step(self, x: Tensor, cos: Tensor, sin: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One position x (B, 1, D) after those whose keys and values (B, H, P, d) are given; they grow by one."""
        # No mask: the cache holds nothing but the past.
        query, key, value = self.project(x, cos, sin)
        keys, values = torch.cat([keys, key], dim=2), torch.cat([values, value], dim=2)
        return self.add(x, attend(query, keys, values)[0]), keys, values


class CausalTransformer(nn.Module):
    """The tokens so far -> how likely each next one is.

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
        self.longest = window + 1  # one more than is ever needed: the exporter asks for a limit above it
        self.table = nn.Parameter(torch.randn(vocabulary, width) * width**-0.5)
        # Not tied to the input table: a small vocabulary makes it cheap, and zeros make all tokens equally likely at first.
        self.out_table = nn.Parameter(torch.zeros(vocabulary, width))
        self.blocks = nn.ModuleList(CausalBlock(width, heads, inner or 4 * width, dropout) for _ in range(depth))
        self.norm = nn.RMSNorm(width, 1e-5)
        # Buffers, so that they move to the device with the net; not stored, since they can be computed again.
        cos, sin = rotary_angles(self.longest, width // heads)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def layers(self) -> list[CausalBlock]:
        """The blocks, lowest first."""
        return cast(list[CausalBlock], list(self.blocks))

    def hidden(self, tokens: Tensor) -> Tensor:
        """Tokens (B, T) -> hidden states (B, T, D); position t depends on tokens 0 to t only."""
        length = tokens.shape[1]
        # The table's entries have variance 1 / D: multiplied by the root of D they enter with variance 1.
        x = F.embedding(tokens, self.table) * math.sqrt(self.width)
        x = F.dropout(x, self.dropout, self.training)
        cos, sin, bias = self.cos[:length], self.sin[:length], causal_bias(length, tokens.device).to(self.table.dtype)
        for block in self.blocks:
            x = block(x, cos, sin, bias)
        return cast(Tensor, self.norm(x))

    def forward(self, text: Tensor) -> dict[str, Tensor]:
        """For training: passages (B, S) -> for a window of each, hidden (B, T, D) and the next tokens (B, T); and the table."""
        wanted = crop(text, self.window)
        return {"hidden": self.hidden(shifted(wanted)), "wanted": wanted, "table": self.out_table}

    def score(self, tokens: Tensor, wanted: Tensor) -> dict[str, Tensor]:
        """A whole window at once: tokens and those that follow them (B, T) -> the log-probability of each (B, T)."""
        return {"log_probability": chosen(self.hidden(tokens) @ self.out_table.t(), wanted)}

    def step(self, token: Tensor, keys: Tensor, values: Tensor) -> dict[str, Tensor]:
        """One token further: token (B,), keys and values of the past (B, L, H, P, d) -> log-probabilities (B, V)."""
        x = F.embedding(token, self.table)[:, None] * math.sqrt(self.width)  # (B, 1, D)
        # As many tokens as the cache holds came before: that is the position of this one.
        cos, sin = self.cos[keys.shape[3]], self.sin[keys.shape[3]]
        caches = []
        for layer, block in enumerate(self.layers()):
            x, key, value = block.step(x, cos, sin, keys[:, layer], values[:, layer])
            caches.append((key, value))
        scores = torch.log_softmax((self.norm(x)[:, 0] @ self.out_table.t()).float(), dim=-1)
        # Layers in one array, so that the graph has one input for all keys however deep the net is.
        next_keys, next_values = (torch.stack(side, dim=1) for side in zip(*caches, strict=True))
        return {"scores": scores, "keys": next_keys, "values": next_values}

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        past = ("float32", "batch", len(self.blocks), self.heads, "past", self.width // self.heads)
        window = ("int64", "batch", "time")
        return {
            "score": ({"tokens": window, "wanted": window}, ("log_probability",)),
            "step": ({"token": ("int64", "batch"), "keys": past, "values": past}, ("scores", "keys", "values")),
        }
