"""The encoder and decoder blocks of the Transformer (Vaswani et al., 2017), in three forms.

"sequence": a norm before each sub-layer (pre-norm; Xiong et al., 2020), so that training needs no long warm-up.
"post-norm": a norm after each sum, as in the paper and in Marian. "parallel": parallel sub-layers and one norm after them.

A decoder block reads the tokens so far by self-attention, or by a recurrent unit (`ssru.py`); `_past` makes either.
"""

from typing import cast

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
from lamella.nets.transformer.ssru import SSRU

PADDING = 0
Past = tuple[Tensor, ...]  # a layer's state after the tokens so far: (keys, values), or (cell,)


class EncoderBlock(nn.Module):
    """Pre-norm: `x + Attention(norm(x))`, then `x + FeedForward(norm(x))`; (B, S, D) -> (B, S, D)."""

    def __init__(self, width: int, heads: int, inner: int, dropout: float, activation: str = "relu") -> None:
        super().__init__()
        self.norm_attention, self.attention = nn.LayerNorm(width), SelfAttention(width, heads, dropout)
        self.norm_feed, self.feed = nn.LayerNorm(width), FeedForward(width, inner, dropout, activation)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        # The sum itself is never normalised: gradients have a path from the last layer to the first.
        x = x + self.drop(self.attention(self.norm_attention(x), bias))
        return x + self.drop(self.feed(self.norm_feed(x)))


class DecoderBlock(nn.Module):
    """Pre-norm: self-attention (or a recurrent unit), cross-attention, feed-forward; each is added to its input."""

    def __init__(
        self, width: int, heads: int, inner: int, dropout: float, activation: str = "relu", past: str = "attention"
    ) -> None:
        super().__init__()
        # Each sub-layer has a norm of its own: their inputs differ by what the sub-layers before them added.
        self.norm_attention, self.attention = nn.LayerNorm(width), _past(past, width, heads, dropout)
        self.norm_cross, self.cross = nn.LayerNorm(width), CrossAttention(width, heads, dropout)
        self.norm_feed, self.feed = nn.LayerNorm(width), FeedForward(width, inner, dropout, activation)
        self.drop = nn.Dropout(dropout)

    def forward(self, y: Tensor, memory: Tensor, bias: Tensor | None, causal: Tensor) -> Tensor:
        """All positions at once, for training: y (B, T, D), memory (B, S, D), bias (B, 1, 1, S), causal (T, T).

        bias: None where no position of the memory is padding.
        """
        y = y + self.drop(self.attention(self.norm_attention(y), causal))
        # Keys and values of the source are made again in each batch: in training nothing is asked of them twice.
        y = y + self.drop(self.cross(self.norm_cross(y), *self.cross.remember(memory), bias))
        return y + self.drop(self.feed(self.norm_feed(y)))

    def step(
        self, y: Tensor, past: Past, cross_key: Tensor, cross_value: Tensor, bias: Tensor | None
    ) -> tuple[Tensor, Past, Tensor]:
        """One position of K beams a sentence, given the state after the positions before it.

        y (B, K, D); past: keys and values of the T tokens so far (B, K, H, T, d), or the recurrent unit's cell (B, K, D);
        cross_key and cross_value (B, H, S, d). Returns y (B, K, D), the new past and the attention to the source (B, K, S).
        """
        # No dropout: this is only used after training.
        mixed, past = _step_past(self.attention, self.norm_attention(y), past)
        y = y + mixed
        crossed, weights = _step_cross(self.cross, self.norm_cross(y), cross_key, cross_value, bias)
        y = y + crossed
        return y + self.feed(self.norm_feed(y)), past, weights


class PostNormEncoderBlock(EncoderBlock):
    """As in the paper: `norm(x + Attention(x))`, then `norm(x + FeedForward(x))`; (B, S, D) -> (B, S, D)."""

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        # The norm after the sum bounds the scale of every layer, but gradients pass through all of them.
        x = self.norm_attention(x + self.drop(self.attention(x, bias)))
        return self.norm_feed(x + self.drop(self.feed(x)))


class PostNormDecoderBlock(DecoderBlock):
    """As in the paper: each sub-layer's output is added to its input and the sum is normalised; (B, T, D) -> (B, T, D)."""

    def forward(self, y: Tensor, memory: Tensor, bias: Tensor | None, causal: Tensor) -> Tensor:
        """As `DecoderBlock.forward`."""
        y = self.norm_attention(y + self.drop(self.attention(y, causal)))
        y = self.norm_cross(y + self.drop(self.cross(y, *self.cross.remember(memory), bias)))
        return self.norm_feed(y + self.drop(self.feed(y)))

    def step(
        self, y: Tensor, past: Past, cross_key: Tensor, cross_value: Tensor, bias: Tensor | None
    ) -> tuple[Tensor, Past, Tensor]:
        """As `DecoderBlock.step`."""
        mixed, past = _step_past(self.attention, y, past)
        y = self.norm_attention(y + mixed)
        crossed, weights = _step_cross(self.cross, y, cross_key, cross_value, bias)
        y = self.norm_cross(y + crossed)
        return self.norm_feed(y + self.feed(y)), past, weights


class ParallelEncoderBlock(nn.Module):
    """`LayerNorm(x + Attention(x) + FeedForward(x))`; (B, S, D) -> (B, S, D).

    Unlike `EncoderBlock`, both sub-layers read the same x, so neither waits for the other and int8 rounds it once for both.
    There is one norm, after the sum (post-norm, as in the paper): the output always has the same scale, but every path
    from the last layer to the first passes through the norms.
    """

    def __init__(self, width: int, heads: int, inner: int, dropout: float, activation: str = "relu") -> None:
        super().__init__()
        self.attention, self.feed = SelfAttention(width, heads, dropout), FeedForward(width, inner, dropout, activation)
        self.norm, self.drop = nn.LayerNorm(width), nn.Dropout(dropout)

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        # One sum and one norm where the other forms have two of each: fewer passes over memory.
        return self.norm(x + self.drop(self.attention(x, bias)) + self.drop(self.feed(x)))


class ParallelDecoderBlock(nn.Module):
    """`LayerNorm(y + Past(y) + FeedForward(y) + CrossAttention(y, h))`, h being the encoder's output.

    It differs from `DecoderBlock` as `ParallelEncoderBlock` does from `EncoderBlock`. Besides, cross-attention does not see
    the self-attention of its own layer, which reaches it one layer later.
    """

    def __init__(
        self, width: int, heads: int, inner: int, dropout: float, activation: str = "relu", past: str = "attention"
    ) -> None:
        super().__init__()
        self.attention, self.cross = _past(past, width, heads, dropout), CrossAttention(width, heads, dropout)
        self.feed = FeedForward(width, inner, dropout, activation)
        self.norm, self.drop = nn.LayerNorm(width), nn.Dropout(dropout)

    def forward(self, y: Tensor, memory: Tensor, bias: Tensor | None, causal: Tensor) -> Tensor:
        """As `DecoderBlock.forward`."""
        crossed = self.cross(y, *self.cross.remember(memory), bias)
        return self.norm(y + self.drop(self.attention(y, causal)) + self.drop(self.feed(y)) + self.drop(crossed))

    def step(
        self, y: Tensor, past: Past, cross_key: Tensor, cross_value: Tensor, bias: Tensor | None
    ) -> tuple[Tensor, Past, Tensor]:
        """As `DecoderBlock.step`."""
        # All three read the same y, which is what makes the block parallel.
        mixed, past = _step_past(self.attention, y, past)
        crossed, weights = _step_cross(self.cross, y, cross_key, cross_value, bias)
        return self.norm(y + mixed + self.feed(y) + crossed), past, weights


def _past(kind: str, width: int, heads: int, dropout: float) -> nn.Module:
    """The sub-layer that reads the tokens so far."""
    return SSRU(width) if kind == "ssru" else SelfAttention(width, heads, dropout)


def _step_past(unit: nn.Module, y: Tensor, past: Past) -> tuple[Tensor, Past]:
    """One position (B, K, D) reads those before it -> output (B, K, D), and the state with this position added."""
    if isinstance(unit, SSRU):
        mixed, cell = unit.step(y, *past)
        return mixed, (cell,)
    attention, (keys, values) = cast(SelfAttention, unit), past
    # Every beam has a past of its own, so that there are two axes of sentences, and one position has no axis of time to move:
    # written so, the exported step has a fifth fewer nodes than with `attention.project`.
    (batch, beams, width), heads = y.shape, attention.heads
    parts = attention.query_key_value(y).chunk(3, dim=-1)
    query, key, value = (p.view(batch, beams, heads, width // heads).unsqueeze(3) for p in parts)  # (B, K, H, 1, d)
    # The caches grow by one position: the tokens before are never computed again.
    keys, values = torch.cat([keys, key], dim=3), torch.cat([values, value], dim=3)
    # No mask: the cache holds nothing but the past.
    mixed, _ = attend(query, keys, values)
    return attention.out(mixed.squeeze(3).view(batch, beams, width)), (keys, values)


def _step_cross(
    cross: CrossAttention, y: Tensor, key: Tensor, value: Tensor, bias: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Cross-attention of one position (B, K, D) -> output (B, K, D), and attention weights, mean over heads (B, K, S).

    The beams of a sentence are queries of one attention, so its keys and values are never copied.
    """
    # Beams take the place of time: a step has one position, and attention treats K queries alike.
    query = split_heads(cross.query(y), cross.heads)  # (B, H, K, d)
    mixed, weights = attend(query, key, value, bias)
    # The mean over heads is what shows which word of the source a token comes from.
    return cross.out(merge_heads(mixed)), weights.mean(dim=1)


BLOCKS: dict[str, tuple[type[nn.Module], type[nn.Module]]] = {
    "sequence": (EncoderBlock, DecoderBlock),
    "post-norm": (PostNormEncoderBlock, PostNormDecoderBlock),
    "parallel": (ParallelEncoderBlock, ParallelDecoderBlock),
}
