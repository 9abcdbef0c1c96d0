"""The Transformer (Vaswani et al., 2017): an encoder-decoder for translation and an encoder for whole texts.

What is different from the paper, and why: the norms stand before each sub-layer (pre-norm; Xiong et al., 2020), so
that training needs no long warm-up; the encoder is deep and the decoder shallow (Kasai et al., 2021), since the
decoder runs once a token and the encoder once a sentence; one table of embeddings serves both sides and, transposed,
the output (Press and Wolf, 2017), which is a third of all weights here.

Tensors in, tensors out: what the pieces mean is the task's business. Padding is id 0, at the end.
"""

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.layers import (
    HIDDEN,
    CrossAttention,
    FeedForward,
    SelfAttention,
    attend,
    causal_bias,
    merge_heads,
    positions,
    split_heads,
)

PADDING = 0
CANDIDATES = 16  # next tokens that one step offers to the search, best first


class EncoderBlock(nn.Module):
    """Pre-norm: `x + Attention(norm(x))`, then `x + FeedForward(norm(x))`; (B, S, D) -> (B, S, D)."""

    def __init__(self, width: int, heads: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.norm_attention, self.attention = nn.LayerNorm(width), SelfAttention(width, heads, dropout)
        self.norm_feed, self.feed = nn.LayerNorm(width), FeedForward(width, inner, dropout)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        x = x + self.drop(self.attention(self.norm_attention(x), bias))
        return x + self.drop(self.feed(self.norm_feed(x)))


class DecoderBlock(nn.Module):
    """Pre-norm: masked self-attention, attention to the source, feed-forward; each added to its input."""

    def __init__(self, width: int, heads: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.norm_attention, self.attention = nn.LayerNorm(width), SelfAttention(width, heads, dropout)
        self.norm_cross, self.cross = nn.LayerNorm(width), CrossAttention(width, heads, dropout)
        self.norm_feed, self.feed = nn.LayerNorm(width), FeedForward(width, inner, dropout)
        self.drop = nn.Dropout(dropout)

    def forward(self, y: Tensor, memory: Tensor, bias: Tensor, causal: Tensor) -> Tensor:
        """All positions at once, for training: y (B, T, D), memory (B, S, D), bias (B, 1, 1, S), causal (T, T)."""
        y = y + self.drop(self.attention(self.norm_attention(y), causal))
        y = y + self.drop(self.cross(self.norm_cross(y), *self.cross.remember(memory), bias))
        return y + self.drop(self.feed(self.norm_feed(y)))

    def step(
        self, y: Tensor, keys: Tensor, values: Tensor, cross_key: Tensor, cross_value: Tensor, bias: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """One position of K beams a sentence, with what was computed before.

        y (B, K, D); keys and values of the T tokens so far (B, K, H, T, d); cross_key and cross_value (B, H, S, d).
        Returns y (B, K, D), the longer keys and values (B, K, H, T+1, d) and the attention to the source (B, K, S).
        """
        batch, beams, width = y.shape
        heads = self.attention.heads
        query, key, value = self.attention.project(self.norm_attention(y).view(batch * beams, 1, width))
        keys = torch.cat([keys, key.view(batch, beams, heads, 1, -1)], dim=3)
        values = torch.cat([values, value.view(batch, beams, heads, 1, -1)], dim=3)
        mixed, _ = attend(query, keys.flatten(0, 1), values.flatten(0, 1))
        y = y + self.attention.out(merge_heads(mixed)).view(batch, beams, width)
        # The beams of a sentence are so many queries of one attention: its memory is never copied.
        query = split_heads(self.cross.query(self.norm_cross(y)), heads)  # (B, H, K, d)
        mixed, weights = attend(query, cross_key, cross_value, bias)
        y = y + self.cross.out(merge_heads(mixed))
        return y + self.feed(self.norm_feed(y)), keys, values, weights.mean(dim=1)


class EncoderDecoder(nn.Module):
    """A sequence of pieces in, a sequence of pieces out.

    >>> net = EncoderDecoder(vocabulary=20, width=8, depth=2, decoder_depth=1, heads=2)
    >>> out = net(torch.tensor([[4, 5, 3]]), torch.tensor([[2, 7]]))
    >>> out["hidden"].shape, out["table"].shape
    (torch.Size([1, 2, 8]), torch.Size([20, 8]))
    """

    positions: Tensor

    def __init__(
        self,
        vocabulary: int,
        width: int = 256,
        depth: int = 6,
        decoder_depth: int = 2,
        heads: int = 4,
        inner: int | None = None,
        dropout: float = 0.1,
        longest: int = 512,
    ) -> None:
        super().__init__()
        inner = inner or 4 * width
        self.vocabulary, self.width, self.heads, self.longest = vocabulary, width, heads, longest
        # Standard deviation D^-0.5 and multiplied by D^0.5 on the way in: with N(0, 1) in a tied table the first
        # scores are so large that the softmax saturates, and its denormal gradients slow the processor fourfold.
        self.table = nn.Parameter(torch.randn(vocabulary, width) * width**-0.5)
        self.encoder = nn.ModuleList(EncoderBlock(width, heads, inner, dropout) for _ in range(depth))
        self.decoder = nn.ModuleList(DecoderBlock(width, heads, inner, dropout) for _ in range(decoder_depth))
        self.norm_encoder, self.norm_decoder = nn.LayerNorm(width), nn.LayerNorm(width)
        self.drop = nn.Dropout(dropout)
        self.register_buffer("positions", positions(longest, width), persistent=False)

    def blocks(self) -> list[DecoderBlock]:
        """The decoder's layers."""
        return cast(list[DecoderBlock], list(self.decoder))

    def embed(self, tokens: Tensor) -> Tensor:
        """(B, T) -> (B, T, D), position encoding added."""
        x = F.embedding(tokens, self.table) * math.sqrt(self.width)
        return self.drop(x + self.positions[: tokens.shape[1]])

    def padding_bias(self, source: Tensor) -> Tensor:
        """(B, S) ids -> (B, 1, 1, S): HIDDEN where there is padding."""
        bias = torch.zeros_like(source, dtype=self.table.dtype).masked_fill(source == PADDING, HIDDEN)
        return bias[:, None, None, :]

    def forward(self, source: Tensor, prompt: Tensor) -> dict[str, Tensor]:
        """Teacher forcing: source (B, S) and the shifted target (B, T) -> hidden (B, T, D), table (V, D).

        The scores of the next token are `hidden @ table.T`; the loss makes them a piece at a time, since all of
        them at once are the largest array of the whole step.
        """
        bias, causal = self.padding_bias(source), causal_bias(prompt.shape[1]).to(self.table)
        x = self.embed(source)
        for block in self.encoder:
            x = block(x, bias)
        memory, y = self.norm_encoder(x), self.embed(prompt)
        for block in self.decoder:
            y = block(y, memory, bias, causal)
        return {"hidden": self.norm_decoder(y), "table": self.table}

    def encode(self, source: Tensor) -> dict[str, Tensor]:
        """The source once a sentence: (B, S) -> keys and values for the decoder's L layers (B, L, H, S, d), bias."""
        bias, x = self.padding_bias(source), self.embed(source)
        for block in self.encoder:
            x = block(x, bias)
        memory = self.norm_encoder(x)
        pairs = [block.cross.remember(memory) for block in self.blocks()]
        keys, values = (torch.stack(side, dim=1) for side in zip(*pairs, strict=True))
        return {"memory_keys": keys, "memory_values": values, "memory_bias": bias}

    def step(
        self,
        token: Tensor,
        keys: Tensor,
        values: Tensor,
        memory_keys: Tensor,
        memory_values: Tensor,
        memory_bias: Tensor,
    ) -> dict[str, Tensor]:
        """One token further: token (B, K) of K beams a sentence; keys and values of the past (B, K, L, H, T, d).

        Returns the log-probabilities of the best next tokens and their ids (B, K, 16), the longer state, and the
        last layer's attention to the source (B, K, S).
        """
        y = F.embedding(token, self.table) * math.sqrt(self.width) + self.positions[keys.shape[4]]  # (B, K, D)
        next_keys, next_values = [], []
        for layer, block in enumerate(self.blocks()):
            y, key, value, attention = block.step(
                y, keys[:, :, layer], values[:, :, layer], memory_keys[:, layer], memory_values[:, layer], memory_bias
            )
            next_keys.append(key)
            next_values.append(value)
        scores = torch.log_softmax(self.norm_decoder(y) @ self.table.t(), dim=-1)
        best, ids = torch.topk(scores, min(CANDIDATES, scores.shape[-1]), dim=-1)
        keys, values = torch.stack(next_keys, dim=2), torch.stack(next_values, dim=2)
        return {"scores": best, "tokens": ids, "keys": keys, "values": values, "attention": attention}

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        layers, heads, size = len(self.decoder), self.heads, self.width // self.heads
        past = ("float32", "batch", "beam", layers, heads, "past", size)
        memory = ("float32", "batch", layers, heads, "source", size)
        return {
            "encode": ({"source": ("int64", "batch", "source")}, ("memory_keys", "memory_values", "memory_bias")),
            "step": (
                {
                    "token": ("int64", "batch", "beam"),
                    "keys": past,
                    "values": past,
                    "memory_keys": memory,
                    "memory_values": memory,
                    "memory_bias": ("float32", "batch", 1, 1, "source"),
                },
                ("scores", "tokens", "keys", "values", "attention"),
            ),
        }
