"""The blocks of the Transformer (Vaswani et al., 2017), encoder's and decoder's, their sub-layers in sequence or in parallel.

The norms stand before each sub-layer (pre-norm; Xiong et al., 2020), so that training needs no long warm-up.
"""

import torch
from torch import Tensor, nn

from lamella.nets.layers import (
    CrossAttention,
    FeedForward,
    SelfAttention,
    attend,
    merge_heads,
    split_heads,
)

PADDING = 0


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
        mixed, keys, values = _remembering(self.attention, self.norm_attention(y), keys, values)
        y = y + mixed
        crossed, weights = _looking(self.cross, self.norm_cross(y), cross_key, cross_value, bias)
        y = y + crossed
        return y + self.feed(self.norm_feed(y)), keys, values, weights


class ParallelEncoderBlock(nn.Module):
    """`LayerNorm(x + Attention(x) + FeedForward(x))`; (B, S, D) -> (B, S, D).

    Different from `EncoderBlock`: both sub-layers read the same x, so that neither waits for the other and int8 rounds
    it once for both; and there is one norm, after the sum (post-norm, as in the paper), so that what leaves a block is
    always of one scale, but no path from the last layer to the first goes around the norms.
    """

    def __init__(self, width: int, heads: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.attention, self.feed = SelfAttention(width, heads, dropout), FeedForward(width, inner, dropout)
        self.norm, self.drop = nn.LayerNorm(width), nn.Dropout(dropout)

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        return self.norm(x + self.drop(self.attention(x, bias)) + self.drop(self.feed(x)))


class ParallelDecoderBlock(nn.Module):
    """`LayerNorm(y + SelfAttention(y) + FeedForward(y) + CrossAttention(y, h))`, h being the encoder's output.

    Different from `DecoderBlock` as the encoder's is; besides, the attention to the source does not yet know what the
    self-attention of its own layer found: that reaches it one layer later.
    """

    def __init__(self, width: int, heads: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.attention, self.cross = SelfAttention(width, heads, dropout), CrossAttention(width, heads, dropout)
        self.feed = FeedForward(width, inner, dropout)
        self.norm, self.drop = nn.LayerNorm(width), nn.Dropout(dropout)

    def forward(self, y: Tensor, memory: Tensor, bias: Tensor, causal: Tensor) -> Tensor:
        """As `DecoderBlock.forward`."""
        crossed = self.cross(y, *self.cross.remember(memory), bias)
        return self.norm(y + self.drop(self.attention(y, causal)) + self.drop(self.feed(y)) + self.drop(crossed))

    def step(
        self, y: Tensor, keys: Tensor, values: Tensor, cross_key: Tensor, cross_value: Tensor, bias: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """As `DecoderBlock.step`."""
        mixed, keys, values = _remembering(self.attention, y, keys, values)
        crossed, weights = _looking(self.cross, y, cross_key, cross_value, bias)
        return self.norm(y + mixed + self.feed(y) + crossed), keys, values, weights


def _remembering(attention: SelfAttention, y: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Self-attention of one position (B, K, D) to the T before it and itself; keys and values grow by one."""
    batch, beams, width = y.shape
    query, key, value = attention.project(y.view(batch * beams, 1, width))
    keys = torch.cat([keys, key.view(batch, beams, attention.heads, 1, -1)], dim=3)
    values = torch.cat([values, value.view(batch, beams, attention.heads, 1, -1)], dim=3)
    mixed, _ = attend(query, keys.flatten(0, 1), values.flatten(0, 1))
    return attention.out(merge_heads(mixed)).view(batch, beams, width), keys, values


def _looking(cross: CrossAttention, y: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Attention of one position (B, K, D) to the source, with its mean over heads (B, K, S).

    The beams of a sentence are so many queries of one attention: its memory is never copied.
    """
    query = split_heads(cross.query(y), cross.heads)  # (B, H, K, d)
    mixed, weights = attend(query, key, value, bias)
    return cross.out(merge_heads(mixed)), weights.mean(dim=1)


BLOCKS = {"sequence": (EncoderBlock, DecoderBlock), "parallel": (ParallelEncoderBlock, ParallelDecoderBlock)}
