"""The Transformer (Vaswani et al., 2017) as an encoder-decoder: one text in, another out, token by token.

What is different from the paper, and why: the norms stand before each sub-layer (pre-norm; Xiong et al., 2020), so
that training needs no long warm-up; the encoder is deep and the decoder shallow (Kasai et al., 2021), since the
decoder runs once a token and the encoder once a sentence; one table of embeddings serves both sides and, transposed,
the output (Press and Wolf, 2017), which is a third of all weights here.

Tensors in, tensors out: what the pieces mean is the task's business. Padding is id 0, at the end.
"""

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.layers import HIDDEN, causal_bias, positions
from lamella.nets.transformer.blocks import BLOCKS, PADDING, DecoderBlock, Past

CANDIDATES = 16  # next tokens that one step offers to the search, best first


@dataclass(frozen=True)
class Options:
    """How an encoder-decoder may differ besides its sizes. Most of it is for nets that other programs have trained."""

    decoder: str = "attention"  # how it looks at its past: "attention", or "ssru", a recurrent unit (`ssru.py`)
    activation: str = "relu"  # of `layers.ACTIVATIONS`
    positions: str = "interleaved"  # layout of the position encoding, see `layers.positions`
    scale: bool = True  # embeddings are multiplied by the square root of the width
    source_vocabulary: int = 0  # pieces of the source, where it has a table of its own; 0: one table for both sides
    tied: bool = True  # the output is the target's table, transposed
    output_bias: bool = False  # a bias for each piece of the target
    shortlist: bool = False  # a step scores only the candidates that it is given, of which each sentence has its own


PLAIN = Options()


class EncoderDecoder(nn.Module):
    """A sequence of pieces in, a sequence of pieces out.

    With several `decoders` each has layers of its own over the one encoder and the one table, and the distributions of
    the next piece are averaged: an ensemble whose costly half is shared. `block` is how the sub-layers of a layer stand
    to each other (`blocks.py`): in sequence, with norms before or after them, or in parallel, with one norm after their sum.

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
        options: Options = PLAIN,
    ) -> None:
        super().__init__()
        inner = inner or 4 * width
        encoder, decoder = BLOCKS[block]
        unit = options.activation, options.decoder
        self.width, self.heads, self.longest, self.options = width, heads, longest, options
        self.vocabulary = min(
            vocabulary, options.source_vocabulary or vocabulary
        )  # ids below this are good on both sides
        # Standard deviation D^-0.5 and multiplied by D^0.5 on the way in: with N(0, 1) in a tied table the first
        # scores are so large that the softmax saturates, and its denormal gradients slow the processor fourfold.
        self.table = nn.Parameter(torch.randn(vocabulary, width) * width**-0.5)
        self.encoder = nn.ModuleList(encoder(width, heads, inner, dropout, unit[0]) for _ in range(depth))
        # The layers of one decoder after those of the other.
        self.decoder = nn.ModuleList(
            decoder(width, heads, inner, dropout, *unit) for _ in range(decoders * decoder_depth)
        )
        # The last layer of the other kinds ends with a norm already.
        norms = [nn.LayerNorm(width) if block == "sequence" else nn.Identity() for _ in range(1 + decoders)]
        self.norm_encoder, self.norm_decoder, *others = norms
        self.norm_others = nn.ModuleList(others)  # of the second decoder and those after it
        self.drop = nn.Dropout(dropout)
        own = options.source_vocabulary
        self.source_table = nn.Parameter(torch.randn(own, width) * width**-0.5) if own else None
        self.output_table = None if options.tied else nn.Parameter(torch.randn(vocabulary, width) * width**-0.5)
        self.output_bias = nn.Parameter(torch.zeros(vocabulary)) if options.output_bias else None
        self.register_buffer("positions", positions(longest, width, options.positions), persistent=False)

    def blocks(self) -> list[DecoderBlock]:
        """The layers of all decoders."""
        return cast(list[DecoderBlock], list(self.decoder))

    def parts(self) -> list[tuple[range, nn.Module]]:
        """For each decoder which layers are its own, and the norm at its end."""
        norms = [self.norm_decoder, *self.norm_others]
        depth = len(self.decoder) // len(norms)
        return [(range(i * depth, (i + 1) * depth), norm) for i, norm in enumerate(norms)]

    def embed(self, tokens: Tensor, source: bool = False) -> Tensor:
        """(B, T) -> (B, T, D), position encoding added; `source`: by the source's table, where it has its own."""
        table = self.source_table if source and self.source_table is not None else self.table
        return self.drop(self._scaled(F.embedding(tokens, table)) + self.positions[: tokens.shape[1]])

    def _scaled(self, x: Tensor) -> Tensor:
        return x * math.sqrt(self.width) if self.options.scale else x

    def output(self) -> Tensor:
        """The table (V, D) that scores the next token."""
        return self.table if self.output_table is None else self.output_table

    def scores(self, hidden: Tensor, candidates: Tensor | None = None) -> Tensor:
        """(..., D) -> log-probabilities of the next token (..., V); of candidates alone: (..., B, K, D), (B, N) -> (..., B, K, N)."""
        bias: Tensor | None = self.output_bias
        if candidates is None:
            scores = hidden @ self.output().t()
        else:
            scores = hidden @ F.embedding(candidates, self.output()).transpose(1, 2)
            bias = None if bias is None else bias[candidates][:, None]  # (B, 1, N)
        return torch.log_softmax(scores if bias is None else scores + bias, dim=-1)

    def padding_bias(self, source: Tensor) -> Tensor:
        """(B, S) ids -> (B, 1, 1, S): HIDDEN where there is padding."""
        bias = torch.zeros_like(source, dtype=self.table.dtype).masked_fill(source == PADDING, HIDDEN)
        return bias[:, None, None, :]

    def forward(self, source: Tensor, prompt: Tensor) -> dict[str, Tensor]:
        """Teacher forcing: source (B, S) and the shifted target (B, T) -> hidden (B, T, D), table (V, D), bias (V,).

        Of N decoders, hidden is (N, B, T, D): each is trained by a loss of its own, of which the mean is taken. That is
        at least the loss of the mean of their distributions, and asks each of them to be right by itself.

        The scores of the next token are `hidden @ table.T`, and the bias where there is one; the loss makes them a piece
        at a time, since all of them at once are the largest array of the whole step.
        """
        bias, causal = self.padding_bias(source), causal_bias(prompt.shape[1], prompt.device).to(self.table.dtype)
        x = self.embed(source, source=True)
        for block in self.encoder:
            x = block(x, bias)
        memory, start = self.norm_encoder(x), self.embed(prompt)
        found, blocks = [], self.blocks()
        for layers, norm in self.parts():
            y = start
            for layer in layers:
                y = blocks[layer](y, memory, bias, causal)
            found.append(norm(y))
        hidden = found[0] if len(found) == 1 else torch.stack(found)
        out = {"hidden": hidden, "table": self.output()}
        return out if self.output_bias is None else {**out, "bias": self.output_bias}

    def encode(self, source: Tensor) -> dict[str, Tensor]:
        """The source once a sentence: (B, S) -> keys and values for the decoders' L layers (B, L, H, S, d), bias."""
        bias, x = self.padding_bias(source), self.embed(source, source=True)
        for block in self.encoder:
            x = block(x, bias)
        memory = self.norm_encoder(x)
        pairs = [block.cross.remember(memory) for block in self.blocks()]
        keys, values = (torch.stack(side, dim=1) for side in zip(*pairs, strict=True))
        return {"memory_keys": keys, "memory_values": values, "memory_bias": bias}

    def step(
        self,
        token: Tensor,
        memory_keys: Tensor,
        memory_values: Tensor,
        memory_bias: Tensor,
        candidates: Tensor | None = None,
        **state: Tensor,
    ) -> dict[str, Tensor]:
        """One token further: token (B, K) of K beams a sentence, and the state as `graphs` names it.

        candidates: with a shortlist, the only tokens that are scored, (B, N), padded with zeros.

        state: keys and values of the past (B, K, L, H, T, d); with a recurrent decoder its cells (B, K, L, D) and how many
        tokens there were, time (B, K). Returns the log-probabilities of the best next tokens and their ids (B, K, 16), the
        new state, and the last layer's attention to the source (B, K, S). Of several decoders both are means.
        """
        recurrent = self.options.decoder == "ssru"
        names = ("cells",) if recurrent else ("keys", "values")
        # A time behind the end of the table is none that a search of ours asks for, and must not read beside it.
        at = state["time"].clamp(0, self.longest - 1) if recurrent else state["keys"].shape[4]
        start = self._scaled(F.embedding(token, self.table)) + self.positions[at]  # (B, K, D)
        pasts: list[Past] = []
        found, attentions = [], []
        blocks = self.blocks()
        for layers, norm in self.parts():
            y = start
            for layer in layers:
                past = tuple(state[name][:, :, layer] for name in names)
                y, past, attention = blocks[layer].step(
                    y, past, memory_keys[:, layer], memory_values[:, layer], memory_bias
                )
                pasts.append(past)
            found.append(norm(y))
            attentions.append(attention)
        if candidates is not None:  # so many at least that there are `CANDIDATES` to choose among
            candidates = torch.cat(
                [candidates, torch.full_like(candidates[:, :1], PADDING).expand(-1, CANDIDATES)], dim=1
            )
        if len(found) == 1:
            scores = self.scores(found[0], candidates)
        else:  # the logarithm of the mean of the probabilities
            scores = torch.logsumexp(self.scores(torch.stack(found), candidates), dim=0) - math.log(
                len(found)
            )  # (N, B, K, V) before
            attention = torch.stack(attentions).mean(dim=0)
        best, ids = torch.topk(scores, min(CANDIDATES, scores.shape[-1]), dim=-1)
        if candidates is not None:
            ids = candidates[:, None].expand(-1, token.shape[1], -1).gather(2, ids)
        after = {name: torch.stack(side, dim=2) for name, side in zip(names, zip(*pasts, strict=True), strict=True)}
        if recurrent:
            after["time"] = state["time"] + 1
        return {"scores": best, "tokens": ids, **after, "attention": attention}

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        layers, heads, size = len(self.decoder), self.heads, self.width // self.heads
        past: tuple[str | int, ...] = ("float32", "batch", "beam", layers, heads, "past", size)
        memory = ("float32", "batch", layers, heads, "source", size)
        state: dict[str, tuple[str | int, ...]] = {"keys": past, "values": past}
        if self.options.decoder == "ssru":
            state = {"cells": ("float32", "batch", "beam", layers, self.width), "time": ("int64", "batch", "beam")}
        return {
            "encode": ({"source": ("int64", "batch", "source")}, ("memory_keys", "memory_values", "memory_bias")),
            "step": (
                {
                    "token": ("int64", "batch", "beam"),
                    **state,
                    "memory_keys": memory,
                    "memory_values": memory,
                    "memory_bias": ("float32", "batch", 1, 1, "source"),
                    **({"candidates": ("int64", "batch", "candidates")} if self.options.shortlist else {}),
                },
                ("scores", "tokens", *state, "attention"),
            ),
        }
