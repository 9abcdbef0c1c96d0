"""One picture encoder and two text heads: a captioner, and vectors of pictures and texts that lie near each other.

As in CoCa (Yu et al., 2022) both heads teach the one encoder. A convolutional trunk turns the picture into a grid of
patches, and Transformer blocks mix them. The captioner writes a text token by token and looks at the patches by
cross-attention. For retrieval the patches are pooled into one vector, and a text encoder gives one of the same size.

Tensors in, tensors out: what the tokens mean is the task's business. Padding is id 0, at the end.
"""

import math
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.cnn.centers import NormedBlock, NormedConvolution
from lamella.nets.layers import MASKED, CrossAttention, Linear, causal_bias, grid_positions, mean_over_time, positions
from lamella.nets.sequences import shifted
from lamella.nets.transformer.blocks import DecoderBlock, EncoderBlock, Past

CANDIDATES = 16  # next tokens that a step returns to the search, best first
FINEST = 80  # pictures of a longer side are halved four times instead of three, so that there are few patches
SHORTEST = 64  # positions at least: an export is compared with the net at up to 40 tokens
TINY = 1e-6  # added to squared lengths before the root
SCALE, BIAS = math.log(10.0), -10.0  # of the sigmoid loss, at the start (Zhai et al., 2023)


class PictureEncoder(nn.Module):
    """A square picture -> its patches (B, P, D), in rows from the upper left.

    >>> PictureEncoder(channels=3, side=48, width=96, depth=2, heads=2)(torch.zeros(2, 3, 48, 48)).shape
    torch.Size([2, 36, 96])
    """

    def __init__(self, channels: int, side: int, width: int, depth: int, heads: int, dropout: float = 0.1) -> None:
        super().__init__()
        halvings = 3 if side <= FINEST else 4
        self.patches = (side >> halvings) ** 2
        widths = [max(width >> (halvings - 1 - i), width // 4) for i in range(halvings)]
        self.stem = NormedConvolution(channels, widths[0], stride=2, gain=1.0)
        blocks: list[nn.Module] = []
        for before, wide in pairwise(widths):
            blocks.append(NormedBlock(before, wide, 2))
            blocks += [NormedBlock(wide, wide, 1) for _ in range((depth - 1) // 2)]
        self.trunk = nn.Sequential(*blocks)
        # A convolution does not know where it is; "above" and "left of" need that.
        self.places = nn.Parameter(grid_positions(side >> halvings, width))
        self.blocks = nn.ModuleList(EncoderBlock(width, heads, 2 * width, dropout) for _ in range(max(1, depth // 2)))
        self.norm = nn.LayerNorm(width)

    def forward(self, pictures: Tensor) -> Tensor:
        if self.training:
            pictures = pictures.contiguous(memory_format=torch.channels_last)
        x = torch.relu(self.trunk(self.stem(pictures)))  # (B, D, h, w)
        x = x.flatten(2).transpose(1, 2) + self.places  # (B, P, D)
        for block in self.blocks:
            x = block(x)
        return cast(Tensor, self.norm(x))


class TextEncoder(nn.Module):
    """Tokens of a text (B, T), embedded (B, T, D) -> their mean after Transformer blocks (B, D)."""

    def __init__(self, width: int, depth: int, heads: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(EncoderBlock(width, heads, 2 * width, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor, x: Tensor) -> Tensor:
        mask = (tokens != 0).to(x.dtype)  # (B, T)
        bias = torch.zeros_like(mask).masked_fill(tokens == 0, MASKED)[:, None, None, :]
        for block in self.blocks:
            x = block(x, bias)
        return mean_over_time(self.norm(x), mask)


class PictureCaptioner(nn.Module):
    """Pictures -> captions, and pictures and texts -> vectors of length 1.

    >>> net = PictureCaptioner(channels=3, side=48, vocabulary=20, longest=8, width=16, depth=2, heads=2)
    >>> out = net(torch.zeros(2, 3, 48, 48), torch.tensor([[5, 6, 3], [7, 3, 0]]), torch.tensor([[5, 6], [7, 0]]))
    >>> out["hidden"].shape, out["picture"].shape, out["text"].shape
    (torch.Size([2, 3, 16]), torch.Size([2, 16]), torch.Size([2, 16]))
    """

    positions: Tensor

    def __init__(
        self,
        channels: int,
        side: int,
        vocabulary: int,
        longest: int,
        width: int = 192,
        depth: int = 3,
        heads: int = 4,
        decoder_depth: int = 2,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.channels, self.side, self.vocabulary, self.width, self.heads = channels, side, vocabulary, width, heads
        self.longest = max(
            longest + 2, SHORTEST
        )  # with the start token, and below the limit that the exporter asks for
        self.encoder = PictureEncoder(channels, side, width, depth, heads, dropout)
        self.table = nn.Parameter(torch.randn(vocabulary, width) * width**-0.5)
        self.decoder = nn.ModuleList(DecoderBlock(width, heads, 2 * width, dropout) for _ in range(decoder_depth))
        self.norm, self.drop = nn.LayerNorm(width), nn.Dropout(dropout)
        # A learned query looks for what a vector should hold; a plain mean would drown a small thing in its ground.
        self.query = nn.Parameter(torch.randn(1, 1, width) * width**-0.5)
        self.pool = CrossAttention(width, heads)
        self.reader = TextEncoder(width, max(1, depth // 2), heads, dropout)
        self.out_picture, self.out_text = Linear(width, width), Linear(width, width)
        self.scale, self.bias = nn.Parameter(torch.tensor(SCALE)), nn.Parameter(torch.tensor(BIAS))
        self.register_buffer("positions", positions(self.longest, width), persistent=False)

    def layers(self) -> list[DecoderBlock]:
        return cast(list[DecoderBlock], list(self.decoder))

    def embed(self, tokens: Tensor) -> Tensor:
        """Tokens (B, T) -> (B, T, D) with position encoding."""
        x = F.embedding(tokens, self.table) * math.sqrt(self.width)
        return cast(Tensor, self.drop(x + self.positions[: tokens.shape[1]]))

    def pooled(self, memory: Tensor) -> Tensor:
        """Patches (B, P, D) -> the picture's vector (B, D), of length 1."""
        query = self.query.expand(memory.shape[0], -1, -1)
        x = self.pool(query, *self.pool.remember(memory))[:, 0]  # (B, D)
        return unit(self.out_picture(x))

    def forward(self, pictures: Tensor, captions: Tensor, texts: Tensor) -> dict[str, Tensor]:
        """Teacher forcing: pictures (B, C, S, S), their captions (B, T), each with an end token, and texts (B, U).

        Returns hidden (B, T, D), table (V, D), wanted (B, T), the vectors picture and text (B, D), scale and bias.
        """
        memory = self.encoder(pictures)
        y, causal = self.embed(shifted(captions)), causal_bias(captions.shape[1], captions.device).to(memory.dtype)
        for block in self.layers():
            y = block(y, memory, None, causal)
        return {
            "hidden": self.norm(y),
            "table": self.table,
            "wanted": captions,
            "picture": self.pooled(memory),
            "text": self.read(texts)["vector"],
            "scale": self.scale,
            "bias": self.bias,
        }

    def see(self, pictures: Tensor) -> dict[str, Tensor]:
        """A picture once: its vector, and keys and values of all L decoder layers (B, L, H, P, d)."""
        memory = self.encoder(pictures)
        pairs = [block.cross.remember(memory) for block in self.layers()]
        keys, values = (torch.stack(side, dim=1) for side in zip(*pairs, strict=True))
        return {"memory_keys": keys, "memory_values": values, "vector": self.pooled(memory)}

    def read(self, texts: Tensor) -> dict[str, Tensor]:
        """Texts (B, T) -> their vectors (B, D), of length 1."""
        return {"vector": unit(self.out_text(self.reader(texts, self.embed(texts))))}

    def step(
        self, token: Tensor, keys: Tensor, values: Tensor, memory_keys: Tensor, memory_values: Tensor
    ) -> dict[str, Tensor]:
        """One token further: token (B, K) of K beams a picture, keys and values of the past (B, K, L, H, T, d).

        Returns log-probabilities and ids of the best next tokens (B, K, 16), the new past, and attention (B, K, P).
        """
        y = F.embedding(token, self.table) * math.sqrt(self.width) + self.positions[keys.shape[4]]  # (B, K, D)
        pasts = []
        for layer, block in enumerate(self.layers()):
            past: Past = keys[:, :, layer], values[:, :, layer]
            y, past, attention = block.step(y, past, memory_keys[:, layer], memory_values[:, layer], None)
            pasts.append(past)
        scores = torch.log_softmax(self.norm(y) @ self.table.t(), dim=-1)
        best, ids = torch.topk(scores, min(CANDIDATES, scores.shape[-1]), dim=-1)
        next_keys, next_values = (torch.stack(side, dim=2) for side in zip(*pasts, strict=True))
        return {"scores": best, "tokens": ids, "keys": next_keys, "values": next_values, "attention": attention}

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        layers, heads, size = len(self.decoder), self.heads, self.width // self.heads
        past = ("float32", "batch", "beam", layers, heads, "past", size)
        memory = ("float32", "batch", layers, heads, self.encoder.patches, size)
        pictures = ("float32", "batch", self.channels, self.side, self.side)
        return {
            "see": ({"pictures": pictures}, ("memory_keys", "memory_values", "vector")),
            "read": ({"texts": ("int64", "batch", "time")}, ("vector",)),
            "step": (
                {
                    "token": ("int64", "batch", "beam"),
                    "keys": past,
                    "values": past,
                    "memory_keys": memory,
                    "memory_values": memory,
                },
                ("scores", "tokens", "keys", "values", "attention"),
            ),
        }


def unit(x: Tensor) -> Tensor:
    """Vectors (B, D), scaled to length 1 in float32."""
    x = x.float()
    return x / (x.square().sum(dim=-1, keepdim=True) + TINY).sqrt()
