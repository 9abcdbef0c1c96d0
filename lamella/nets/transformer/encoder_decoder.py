"""The Transformer (Vaswani et al., 2017) as an encoder-decoder: one text in, another out, token by token.

What differs from the paper, and why: the norms come before each sub-layer (pre-norm; Xiong et al., 2020), so that
training needs no long warm-up; the encoder is deep and the decoder shallow (Kasai et al., 2021), since the encoder runs
once a sentence and the decoder once a token; one embedding table serves both sides and, transposed, the output (Press
and Wolf, 2017), since that table is a third of all weights here.

Tensors in, tensors out: what the tokens mean is the task's business. Padding is id 0, at the end.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.layers import MASKED, causal_bias, positions
from lamella.nets.transformer.blocks import BLOCKS, PADDING, DecoderBlock, Past

Axes = tuple[str | int, ...]

PAST = ("keys", "values")  # of attention: what a layer keeps of each position
CANDIDATES = 16  # next tokens that a step returns to the search, best first


@dataclass(frozen=True)
class Options:
    """Variants of the encoder-decoder besides its sizes; most are for importing nets trained by other programs."""

    decoder: str = "attention"  # how it reads the tokens so far: "attention", or "ssru", a recurrent unit (`ssru.py`)
    activation: str = "relu"  # of `layers.ACTIVATIONS`
    positions: str = "interleaved"  # layout of the position encoding, see `layers.positions`
    scale: bool = True  # embeddings are multiplied by the square root of the width
    source_vocabulary: int = 0  # size of the source's own table; 0: one table for both sides
    tied: bool = True  # the output layer is the target's embedding table, transposed
    output_bias: bool = False  # a bias for each token of the target
    shortlist: bool = False  # of the target's tokens a batch has only those that it needs, see `encode`
    hidden: bool = False  # a step returns the hidden states that it scores too, to look up where they were met before


PLAIN = Options()


class EncoderDecoder(nn.Module):
    """A sequence of tokens in, a sequence of tokens out.

    decoders: with more than one, each has its own layers over the shared encoder and table, and their distributions of the
    next token are averaged: an ensemble that shares its costly half. block: how the sub-layers of a layer are arranged
    (`blocks.py`): in sequence, with norms before or after them, or in parallel, with one norm after their sum.

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
        # Ids below this exist on both sides.
        self.vocabulary = min(vocabulary, options.source_vocabulary or vocabulary)
        # Standard deviation D^-0.5, multiplied by D^0.5 at the input: with N(0, 1) in a tied table the first scores are
        # so large that the softmax saturates, and its denormal gradients make the processor four times slower.
        self.table = nn.Parameter(torch.randn(vocabulary, width) * width**-0.5)
        self.encoder = nn.ModuleList(encoder(width, heads, inner, dropout, unit[0]) for _ in range(depth))
        # The layers of all decoders in one list, decoder by decoder.
        self.decoder = nn.ModuleList(
            decoder(width, heads, inner, dropout, *unit) for _ in range(decoders * decoder_depth)
        )
        # The other kinds of blocks end with a norm already.
        norms = [nn.LayerNorm(width) if block == "sequence" else nn.Identity() for _ in range(1 + decoders)]
        self.norm_encoder, self.norm_decoder, *others = norms
        self.norm_others = nn.ModuleList(others)  # of the second decoder and later ones
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
        """For each decoder, the indices of its layers and the norm at its end."""
        norms = [self.norm_decoder, *self.norm_others]
        depth = len(self.decoder) // len(norms)
        return [(range(i * depth, (i + 1) * depth), norm) for i, norm in enumerate(norms)]

    def embed(self, tokens: Tensor, source: bool = False) -> Tensor:
        """Tokens (B, T) -> (B, T, D) with position encoding; source: use the source's own table if there is one."""
        table = self.source_table if source and self.source_table is not None else self.table
        return self.drop(self._scaled(F.embedding(tokens, table)) + self.positions[: tokens.shape[1]])

    def _scaled(self, x: Tensor) -> Tensor:
        return x * math.sqrt(self.width) if self.options.scale else x

    def output(self) -> Tensor:
        """The weights (V, D) of the output layer, which scores the next token."""
        return self.table if self.output_table is None else self.output_table

    def scores(self, hidden: Tensor, columns: Mapping[str, Tensor] | None = None) -> Tensor:
        """Hidden states (..., D) -> log-probabilities of the next token (..., V).

        With columns, what `encode` and the caller give of N candidates, of those alone: (..., B, K, D) -> (..., B, K, N).
        """
        if columns is None:
            scores, bias = hidden @ self.output().t(), self.output_bias
            return torch.log_softmax(scores if bias is None else scores + bias, dim=-1)
        scores = hidden @ columns["columns"] + columns["candidate_bias"][:, None]
        return torch.log_softmax(scores + columns["column_bias"] if "column_bias" in columns else scores, dim=-1)

    def padding_bias(self, source: Tensor) -> Tensor:
        """The padding mask to add to scores: ids (B, S) -> (B, 1, 1, S), 0 at tokens and MASKED at padding."""
        bias = torch.zeros_like(source, dtype=self.table.dtype).masked_fill(source == PADDING, MASKED)
        return bias[:, None, None, :]

    def read(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """What the encoder makes of the source (B, S): its output (B, S, D), and the padding mask (B, 1, 1, S)."""
        bias, x = self.padding_bias(source), self.embed(source, source=True)
        for block in self.encoder:
            x = block(x, bias)
        return self.norm_encoder(x), bias

    def remember(self, memory: Tensor) -> dict[str, Tensor]:
        """Keys and values of each decoder layer, (B, H, S, d), from the encoder's output (B, S, D): memory_keys_0 and so on."""
        # Made once and not in `step`: they are the same for every token and every beam. Those of the layers are not put into
        # one array, or each step would copy them out of it, which took a seventh of its time.
        pairs = [block.cross.remember(memory) for block in self.blocks()]
        return {f"memory_{side}_{i}": pair[j] for j, side in enumerate(PAST) for i, pair in enumerate(pairs)}

    def write(self, prompt: Tensor, memory: Tensor, bias: Tensor) -> Tensor:
        """The hidden states (B, T, D) of the shifted target (B, T), given what `read` returns; of N decoders (N, B, T, D)."""
        causal, start = causal_bias(prompt.shape[1], prompt.device).to(self.table.dtype), self.embed(prompt)
        outputs, blocks = [], self.blocks()
        for layers, norm in self.parts():
            y = start
            for layer in layers:
                y = blocks[layer](y, memory, bias, causal)
            outputs.append(norm(y))
        return outputs[0] if len(outputs) == 1 else torch.stack(outputs)

    def forward(self, source: Tensor, prompt: Tensor) -> dict[str, Tensor]:
        """Teacher forcing: source (B, S) and the shifted target (B, T) -> hidden (B, T, D), table (V, D), bias (V,).

        With N decoders, hidden is (N, B, T, D), and the loss is the mean of theirs. That is an upper bound of the loss of
        their averaged distribution, and trains each of them to be right by itself.

        The scores of the next token are `hidden @ table.T`, plus the bias if there is one; the loss computes them in
        blocks, since all of them at once are the largest array of the whole step (`losses.tied_cross_entropy`).
        """
        out = {"hidden": self.write(prompt, *self.read(source)), "table": self.output()}
        return out if self.output_bias is None else {**out, "bias": self.output_bias}

    def encode(self, source: Tensor, candidates: Tensor | None = None) -> dict[str, Tensor]:
        """Encode the source, once a sentence: (B, S) -> keys and values of each decoder layer (B, H, S, d), and the bias.

        With a shortlist, candidates (N,) are the target's tokens that a batch may be answered with. Their rows of the table come
        too, (N, D), and their columns of the output layer, (D, N), with column_bias (N,) if there is one. A step
        then needs no table: it is not stored there, and is read once a batch.
        """
        memory, bias = self.read(source)
        out = {**self.remember(memory), "memory_bias": bias}
        if candidates is not None:
            out["rows"] = F.embedding(candidates, self.table)
            out["columns"] = F.embedding(candidates, self.output()).t()
            if self.output_bias is not None:
                out["column_bias"] = self.output_bias[candidates]
        return out

    def advance(
        self, token: Tensor, memory_bias: Tensor, arrays: Mapping[str, Tensor]
    ) -> tuple[list[Tensor], list[Tensor], dict[str, Tensor]]:
        """One token further, up to the hidden state: arguments as of `step`.

        Returns for each decoder its hidden state (B, K, D) and its last layer's cross-attention (B, K, S), and the new state.
        """
        recurrent = self.options.decoder == "ssru"
        names = ("cells",) if recurrent else PAST
        table = arrays.get(
            "rows", self.table
        )  # with a shortlist those of its candidates, among which tokens are places
        # Clamped: a caller of the graph may pass any time, and it must not read outside of the table.
        at = arrays["time"].clamp(0, self.longest - 1) if recurrent else arrays["keys_0"].shape[3]
        start = self._scaled(F.embedding(token, table)) + self.positions[at]  # (B, K, D)
        after: dict[str, Tensor] = {}
        outputs, attentions = [], []
        blocks = self.blocks()
        for layers, norm in self.parts():
            y = start
            for layer in layers:
                past: Past = tuple(arrays[f"{name}_{layer}"] for name in names)
                key, value = (arrays[f"memory_{side}_{layer}"] for side in PAST)
                y, past, attention = blocks[layer].step(y, past, key, value, memory_bias)
                after |= {f"{name}_{layer}": array for name, array in zip(names, past, strict=True)}
            outputs.append(norm(y))
            attentions.append(attention)
        if recurrent:
            after["time"] = arrays["time"] + 1
        return outputs, attentions, after

    def step(self, token: Tensor, memory_bias: Tensor, **arrays: Tensor) -> dict[str, Tensor]:
        """One token further: token (B, K) of K beams a sentence, what `encode` gives, and the state, named as in `graphs`.

        state: keys and values of the past, keys_0 and so on for each layer (B, K, H, T, d); with a recurrent decoder its cells
        (B, K, D) and the number of tokens so far, time (B, K). Returns the log-probabilities and ids of the best next tokens (B, K, 16), the
        new state, and the last layer's cross-attention (B, K, S). With several decoders both are means over them.

        With a shortlist tokens are places among its N candidates, of which there are at least 16, and candidate_bias (B, N) is
        0 where a sentence may be answered with one.

        With the option `hidden` the hidden states come too, hidden (B, K, D), those of the first decoder.
        """
        outputs, attentions, after = self.advance(token, memory_bias, arrays)
        attention = attentions[0]
        columns = arrays if self.options.shortlist else None
        if len(outputs) == 1:
            scores = self.scores(outputs[0], columns)
        else:  # the logarithm of the mean of the N decoders' probabilities
            each = self.scores(torch.stack(outputs), columns)  # (N, B, K, V)
            scores = torch.logsumexp(each, dim=0) - math.log(len(outputs))  # (B, K, V)
            attention = torch.stack(attentions).mean(dim=0)
        most = CANDIDATES if self.options.shortlist else min(CANDIDATES, scores.shape[-1])
        best, ids = torch.topk(scores, most, dim=-1)
        states = {"hidden": outputs[0]} if self.options.hidden else {}
        return {"scores": best, "tokens": ids, **after, "attention": attention, **states}

    @property
    def fewest(self) -> dict[str, int]:
        """The least size of a free axis, where it is more than 1."""
        return {"candidates": CANDIDATES} if self.options.shortlist else {}

    def graphs(self) -> dict[str, tuple[dict[str, Axes], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        layers, heads, size = range(len(self.decoder)), self.heads, self.width // self.heads
        past: Axes = ("float32", "batch", "beam", heads, "past", size)
        memory: Axes = ("float32", "batch", heads, "source", size)
        state: dict[str, Axes] = {f"{side}_{i}": past for side in PAST for i in layers}
        if self.options.decoder == "ssru":
            cell: Axes = ("float32", "batch", "beam", self.width)
            state = {**{f"cells_{i}": cell for i in layers}, "time": ("int64", "batch", "beam")}
        memories = [f"memory_{side}_{i}" for side in PAST for i in layers]
        given: dict[str, Axes] = {"source": ("int64", "batch", "source")}
        columns: dict[str, Axes] = {}
        if self.options.shortlist:
            given["candidates"] = ("int64", "candidates")
            columns["rows"] = ("float32", "candidates", self.width)
            columns["columns"] = ("float32", self.width, "candidates")
            if self.options.output_bias:
                columns["column_bias"] = ("float32", "candidates")
        allowed: dict[str, Axes] = {"candidate_bias": ("float32", "batch", "candidates")} if columns else {}
        return {
            "encode": (given, (*memories, "memory_bias", *columns)),
            "step": (
                {
                    "token": ("int64", "batch", "beam"),
                    **state,
                    **dict.fromkeys(memories, memory),
                    "memory_bias": ("float32", "batch", 1, 1, "source"),
                    **columns,
                    **allowed,
                },
                ("scores", "tokens", *state, "attention", *(["hidden"] if self.options.hidden else [])),
            ),
        }
