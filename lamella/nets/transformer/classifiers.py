"""The Transformer's encoder as a classifier: every token attends to every other, and the result is pooled.

`EncoderClassifier` reads the tokens of a text, `ImageTransformer` the patches of a picture.

The blocks are those of `blocks.py`. There is no extra [CLS] token as in BERT (Devlin et al., 2019): trained from scratch
on a few thousand texts, the mean and the maximum over time learn sooner. A linear part over the text's features is
added.

Tensors in, tensors out: what the tokens mean is the task's business. Padding is id 0, at the end.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.layers import (
    MASKED,
    Linear,
    Wide,
    drop_words,
    grid_positions,
    max_over_time,
    mean_over_time,
    positions,
)
from lamella.nets.transformer.blocks import EncoderBlock


class EncoderClassifier(nn.Module):
    """Tokens and features of a text -> the scores of its labels.

    >>> net = EncoderClassifier(vocabulary=20, features=30, labels=3, width=8, depth=1, heads=2)
    >>> out = net(torch.tensor([[4, 5, 3, 0]]), torch.zeros(1, 1, 16, dtype=torch.long))
    >>> out["deep"].shape, out["wide"].shape
    (torch.Size([1, 3]), torch.Size([1, 3]))
    """

    positions: Tensor

    def __init__(
        self,
        vocabulary: int,
        features: int,
        labels: int,
        width: int = 192,
        depth: int = 2,
        heads: int = 4,
        dropout: float = 0.5,
        word_dropout: float = 0.1,
        longest: int = 512,
        inner: int = 0,
    ) -> None:
        super().__init__()
        self.vocabulary, self.width, self.word_dropout, self.longest = (
            min(vocabulary, features),
            width,
            word_dropout,
            longest,
        )
        self.table = nn.Parameter(torch.randn(vocabulary, width) * width**-0.5)
        self.blocks = nn.ModuleList(EncoderBlock(width, heads, inner or 2 * width, dropout / 2) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.drop_in, self.drop = nn.Dropout(dropout / 2), nn.Dropout(dropout)
        self.out = Linear(2 * width, labels)
        self.wide = Wide(features, labels, dropout)
        # A buffer moves to the device with the net; it is not stored, since it can be computed again.
        self.register_buffer("positions", positions(longest, width), persistent=False)

    def forward(self, pieces: Tensor, features: Tensor) -> dict[str, Tensor]:
        """pieces (B, T), features (B, R, K) -> deep and wide scores (B, labels)."""
        if self.training:
            pieces = drop_words(pieces, self.word_dropout)
        return {"deep": self.out(self.drop(self.pooled(pieces))).float(), "wide": self.wide(features)}

    def pooled(self, pieces: Tensor) -> Tensor:
        """pieces (B, T) -> what is known of each text as a whole, (B, 2 D)."""
        mask = (pieces != 0).to(self.table.dtype)  # (B, T)
        bias = ((1 - mask) * MASKED)[:, None, None, :]  # (B, 1, 1, T): no position attends to padding
        # The table's entries have variance 1 / D: multiplied by the root of D they are as large as the positions.
        x = F.embedding(pieces, self.table) * math.sqrt(self.width)
        x = self.drop_in(x + self.positions[: pieces.shape[1]])
        for block in self.blocks:
            x = block(x, bias)
        # Pre-norm blocks leave the sum of all layers unscaled: one norm at the end.
        x = self.norm(x)
        # The maximum notices a single decisive word, the mean the tone of the whole.
        return torch.cat([max_over_time(x, mask), mean_over_time(x, mask)], dim=1)

    def classify(self, pieces: Tensor, features: Tensor) -> dict[str, Tensor]:
        """The graph that ships."""
        return self(pieces, features)

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        inputs = {"pieces": ("int64", "batch", "time"), "features": ("int64", "batch", "rows", 16)}
        return {"classify": (inputs, ("deep", "wide"))}


class ImageTransformer(nn.Module):
    """Pictures -> the scores of their labels: a picture is cut into square patches, which are read like tokens.

    The vision Transformer (Dosovitskiy et al., 2021) with learned positions and mean pooling. Nothing in it says that
    neighbours belong together, so from few pictures it learns less than convolutions do.

    >>> net = ImageTransformer(channels=3, side=16, patch=4, labels=5, width=8, depth=1, heads=2)
    >>> net(torch.zeros(2, 3, 16, 16))["scores"].shape
    torch.Size([2, 5])
    """

    def __init__(
        self,
        channels: int,
        side: int,
        patch: int,
        labels: int,
        width: int = 192,
        depth: int = 3,
        heads: int = 4,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.channels, self.side, self.patch = channels, side, patch
        self.enter = Linear(channels * patch**2, width)
        self.place = nn.Parameter(grid_positions(side // patch, width)[None])
        self.blocks = nn.ModuleList(EncoderBlock(width, heads, 2 * width, dropout / 2) for _ in range(depth))
        self.norm, self.drop, self.out = nn.LayerNorm(width), nn.Dropout(dropout), Linear(width, labels)

    def patches(self, pictures: Tensor) -> Tensor:
        """Cut pictures into patches, row by row: (B, C, H, W) -> (B, T, C P P)."""
        count, size = self.side // self.patch, self.patch
        # A reshape and a permutation equal a convolution whose stride is its size, and export as plain nodes.
        x = pictures.reshape(-1, self.channels, count, size, count, size)
        return x.permute(0, 2, 4, 1, 3, 5).reshape(-1, count**2, self.channels * size**2)

    def read(self, patches: Tensor) -> Tensor:
        """Patches as vectors (B, T, D) -> what is known of each after all have seen each other (B, T, D)."""
        x = patches + self.place
        for block in self.blocks:
            x = block(x)
        normed: Tensor = self.norm(x)
        return normed

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """pictures (B, C, H, W) -> scores (B, labels)."""
        # Scores in float32, since the loss takes their exponentials.
        return {"scores": self.out(self.drop(self.read(self.enter(self.patches(pictures))).mean(dim=1))).float()}

    def classify(self, pictures: Tensor) -> dict[str, Tensor]:
        """The graph that ships."""
        return self(pictures)

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        return {"classify": ({"pictures": ("float32", "batch", self.channels, self.side, self.side)}, ("scores",))}
