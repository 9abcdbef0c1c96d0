"""A text -> one vector of length 1, which lies near those of texts that mean the same.

Two halves stand side by side. One is a sum over the text's pieces, each weighted by how much it tells, after as many
Transformer blocks as are wanted: with none it is a bag of words, which short texts need little more than (Wieting et
al., 2016; Arora et al., 2017). The other is a sum over hashed n-grams, which starts as a random projection of TF-IDF,
so that it is never far below that. How much of the vector's length each half has is learned.

Tensors in, tensors out: what the pieces mean is the task's business. Padding is id 0, at the end.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.layers import HIDDEN, positions
from lamella.nets.transformer.blocks import EncoderBlock

TINY = 1e-6  # added to squared lengths before the root: a text without anything in it has no direction
START = 0.9  # angle, in radians, at first: the halves have cos(0.9) and sin(0.9) of the length
DAMPED = 0.5  # the power of the inverse frequency that weighs a piece at first


class SentenceEncoder(nn.Module):
    """Pieces and hashed n-grams of a text -> its vector (B, width + hashed_width).

    importance (vocabulary,) and hashed_importance (buckets,): what each weighs at first, such as its inverse frequency.

    >>> net = SentenceEncoder(torch.ones(20), torch.ones(30), width=8, hashed_width=4, depth=1, heads=2)
    >>> vector = net.vector(torch.tensor([[4, 5, 3, 0]]), torch.ones(1, 1, 16, dtype=torch.long))
    >>> vector.shape, round(vector.square().sum().item(), 4)
    (torch.Size([1, 12]), 1.0)
    """

    positions: Tensor

    def __init__(
        self,
        importance: Tensor,
        hashed_importance: Tensor,
        width: int = 192,
        hashed_width: int = 64,
        depth: int = 0,
        heads: int = 4,
        dropout: float = 0.1,
        longest: int = 256,
    ) -> None:
        super().__init__()
        vocabulary, buckets = len(importance), len(hashed_importance)
        self.vocabulary, self.width, self.longest, self.dropout = min(vocabulary, buckets), width, longest, dropout
        self.table = nn.Parameter(torch.randn(vocabulary, width) * 0.1)
        self.importance = nn.Parameter(DAMPED * importance.clamp(min=0.1).log())
        self.hashed_table = nn.Parameter(torch.randn(buckets, hashed_width) * 0.1)
        self.hashed_importance = nn.Parameter(hashed_importance.clamp(min=0.1).log())
        self.blocks = nn.ModuleList(EncoderBlock(width, heads, 2 * width, dropout) for _ in range(depth))
        self.angle = nn.Parameter(torch.tensor(START))
        self.register_buffer("positions", positions(longest, width), persistent=False)

    def forward(
        self, pieces: Tensor, features: Tensor, other_pieces: Tensor, other_features: Tensor
    ) -> dict[str, Tensor]:
        """Two texts (B, T), (B, R, K) -> the vectors of both, for training."""
        # Both in one batch: a table's gradient, as large as the table, is then made once.
        one, other = self.vector(stack(pieces, other_pieces), stack(features, other_features)).chunk(2)
        return {"one": one, "other": other}

    def vector(self, pieces: Tensor, features: Tensor) -> Tensor:
        """pieces (B, T), features (B, R, K), 0 being none -> (B, width + hashed_width)."""
        read, hashed = self._read(pieces), self._hashed(features)
        return torch.cat([unit(read) * self.angle.cos(), unit(hashed) * self.angle.sin()], dim=1)

    def _read(self, pieces: Tensor) -> Tensor:
        """(B, T) -> the weighted sum over the pieces (B, D)."""
        there = self._kept(pieces)  # (B, T)
        weights = there * self.importance.exp()[pieces]
        if not len(self.blocks):
            return self._sum(pieces, self.table, weights)
        bias = ((1 - (there != 0).to(weights.dtype)) * HIDDEN)[:, None, None, :]
        x = F.embedding(pieces, self.table) * math.sqrt(self.width) + self.positions[: pieces.shape[1]]
        for block in self.blocks:
            x = block(x, bias)
        return (weights[:, None] @ x)[:, 0]

    def _hashed(self, features: Tensor) -> Tensor:
        """(B, R, K) -> the weighted sum over the n-grams (B, D)."""
        ids = features.flatten(1)  # (B, R K)
        return self._sum(ids, self.hashed_table, self._kept(ids) * self.hashed_importance.exp()[ids])

    def _sum(self, ids: Tensor, table: Tensor, weights: Tensor) -> Tensor:
        """The weighted sum of the rows of a table: ids, weights (B, N) -> (B, D).

        In training by one operation that never holds all the rows, three times as fast; no ONNX operator does that.
        """
        if self.training:
            return F.embedding_bag(ids, table, per_sample_weights=weights, mode="sum")
        return (weights[:, None] @ F.embedding(ids, table))[:, 0]

    def _kept(self, ids: Tensor) -> Tensor:
        """1 where there is something, 0 for padding and, in training, for a share that is left out at random.

        It is what makes two views of one text different (as in SimCSE; Gao et al., 2021), and no text hang on one word.
        """
        there = (ids != 0).to(self.table.dtype)
        if self.training and self.dropout:
            there = there * (torch.rand(ids.shape, device=ids.device) >= self.dropout)
        return there

    def embed(self, pieces: Tensor, features: Tensor) -> dict[str, Tensor]:
        """The graph that ships."""
        return {"vector": self.vector(pieces, features).float()}

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        inputs = {"pieces": ("int64", "batch", "time"), "features": ("int64", "batch", "rows", 16)}
        return {"embed": (inputs, ("vector",))}


def unit(x: Tensor) -> Tensor:
    """Vectors (B, D) scaled to length 1; the root is of float32 numbers that are never 0."""
    return x / (x.float().square().sum(dim=1, keepdim=True) + TINY).sqrt().to(x.dtype)


def stack(one: Tensor, other: Tensor) -> Tensor:
    """Two batches of ids (B, T, ...) in one of twice the size, the shorter padded.

    >>> stack(torch.ones(1, 1), torch.ones(1, 2)).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    longest = max(one.shape[1], other.shape[1])
    after = [0, 0] * (one.ndim - 2)
    return torch.cat([F.pad(x, [*after, 0, longest - x.shape[1]]) for x in (one, other)])
