"""The Transformer (Vaswani et al., 2017) as an encoder-decoder: one text in, another out, token by token.

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
    causal_bias,
    positions,
)
from lamella.nets.transformer.blocks import BLOCKS, PADDING, DecoderBlock

CANDIDATES = 16  # next tokens that one step offers to the search, best first


class EncoderDecoder(nn.Module):
    """A sequence of pieces in, a sequence of pieces out.

    With several `decoders` each has layers of its own over the one encoder and the one table, and the distributions of
    the next piece are averaged: an ensemble whose costly half is shared. `block` is how the sub-layers of a layer stand
    to each other: in sequence, with norms before them, or in parallel, with one norm after their sum.

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
        block: str = "sequence",
        decoders: int = 1,
    ) -> None:
        super().__init__()
        inner = inner or 4 * width
        encoder, decoder = BLOCKS[block]
        self.vocabulary, self.width, self.heads, self.longest = vocabulary, width, heads, longest
        # Standard deviation D^-0.5 and multiplied by D^0.5 on the way in: with N(0, 1) in a tied table the first
        # scores are so large that the softmax saturates, and its denormal gradients slow the processor fourfold.
        self.table = nn.Parameter(torch.randn(vocabulary, width) * width**-0.5)
        self.encoder = nn.ModuleList(encoder(width, heads, inner, dropout) for _ in range(depth))
        # The layers of one decoder after those of the other.
        self.decoder = nn.ModuleList(decoder(width, heads, inner, dropout) for _ in range(decoders * decoder_depth))
        # The last layer of the parallel kind ends with a norm already.
        norms = [nn.LayerNorm(width) if block == "sequence" else nn.Identity() for _ in range(1 + decoders)]
        self.norm_encoder, self.norm_decoder, *others = norms
        self.norm_others = nn.ModuleList(others)  # of the second decoder and those after it
        self.drop = nn.Dropout(dropout)
        self.register_buffer("positions", positions(longest, width), persistent=False)

    def blocks(self) -> list[DecoderBlock]:
        """The layers of all decoders."""
        return cast(list[DecoderBlock], list(self.decoder))

    def parts(self) -> list[tuple[range, nn.Module]]:
        """For each decoder which layers are its own, and the norm at its end."""
        norms = [self.norm_decoder, *self.norm_others]
        depth = len(self.decoder) // len(norms)
        return [(range(i * depth, (i + 1) * depth), norm) for i, norm in enumerate(norms)]

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

        Of N decoders, hidden is (N, B, T, D): each is trained by a loss of its own, of which the mean is taken. That is
        at least the loss of the mean of their distributions, and asks each of them to be right by itself.

        The scores of the next token are `hidden @ table.T`; the loss makes them a piece at a time, since all of
        them at once are the largest array of the whole step.
        """
        bias, causal = self.padding_bias(source), causal_bias(prompt.shape[1]).to(self.table)
        x = self.embed(source)
        for block in self.encoder:
            x = block(x, bias)
        memory, start = self.norm_encoder(x), self.embed(prompt)
        found, blocks = [], self.blocks()
        for layers, norm in self.parts():
            y = start
            for layer in layers:
                y = blocks[layer](y, memory, bias, causal)
            found.append(norm(y))
        return {"hidden": found[0] if len(found) == 1 else torch.stack(found), "table": self.table}

    def encode(self, source: Tensor) -> dict[str, Tensor]:
        """The source once a sentence: (B, S) -> keys and values for the decoders' L layers (B, L, H, S, d), bias."""
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
        last layer's attention to the source (B, K, S). Of several decoders both are means.
        """
        start = F.embedding(token, self.table) * math.sqrt(self.width) + self.positions[keys.shape[4]]  # (B, K, D)
        next_keys, next_values, found, attentions = [], [], [], []
        blocks = self.blocks()
        for layers, norm in self.parts():
            y = start
            for layer in layers:
                past = keys[:, :, layer], values[:, :, layer]
                y, key, value, attention = blocks[layer].step(
                    y, *past, memory_keys[:, layer], memory_values[:, layer], memory_bias
                )
                next_keys.append(key)
                next_values.append(value)
            found.append(norm(y))
            attentions.append(attention)
        if len(found) == 1:
            scores = torch.log_softmax(found[0] @ self.table.t(), dim=-1)
        else:  # the logarithm of the mean of the probabilities
            each = torch.log_softmax(torch.stack(found) @ self.table.t(), dim=-1)  # (N, B, K, V)
            scores = torch.logsumexp(each, dim=0) - math.log(len(found))
            attention = torch.stack(attentions).mean(dim=0)
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
