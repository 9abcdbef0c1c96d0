"""A sentence encoder: a text -> one vector of length 1, close to the vectors of texts that mean the same.

The vector has two halves. One is a weighted sum over the text's tokens, after a number of Transformer blocks: with none
it is a bag of words, and short texts need little more (Wieting et al., 2016; Arora et al., 2017). The other is a sum
over hashed n-grams; it starts as a random projection of TF-IDF, so it is never much worse than TF-IDF. How much of the
vector's length each half has is learned.

Tensors in, tensors out: what the tokens mean is the task's business. Padding is id 0, at the end.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.layers import MASKED, positions
from lamella.nets.part import stacked
from lamella.nets.transformer.blocks import EncoderBlock

TINY = 1e-6  # added to squared lengths before the root: an empty text has the zero vector, which has no direction
START = 0.9  # initial angle in radians: the halves have the lengths cos(0.9) and sin(0.9)
DAMPED = 0.5  # a token's initial weight is its inverse frequency to this power


class SentenceEncoder(nn.Module):
    """Tokens and hashed n-grams of a text -> its vector (B, width + hashed_width).

    importance (vocabulary,), hashed_importance (buckets,): the initial weight of each, such as its inverse frequency.

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
        inner: int = 0,
    ) -> None:
        super().__init__()
        vocabulary, buckets = len(importance), len(hashed_importance)
        self.vocabulary, self.width, self.longest, self.dropout = min(vocabulary, buckets), width, longest, dropout
        self.table = nn.Parameter(torch.randn(vocabulary, width) * 0.1)
        # Kept as logarithms, so that a weight stays positive and learns by factors.
        self.importance = nn.Parameter(DAMPED * importance.clamp(min=0.1).log())
        self.hashed_table = nn.Parameter(torch.randn(buckets, hashed_width) * 0.1)
        self.hashed_importance = nn.Parameter(hashed_importance.clamp(min=0.1).log())
        self.blocks = nn.ModuleList(EncoderBlock(width, heads, inner or 2 * width, dropout) for _ in range(depth))
        # With an encoder that it began from comes the norm at its end: sums over blocks without one are of any size.
        self.norm = nn.LayerNorm(width) if inner and depth else nn.Identity()
        # One angle rather than two weights: whatever is learned, the vector has length 1.
        self.angle = nn.Parameter(torch.tensor(START))
        self.register_buffer("positions", positions(longest, width), persistent=False)

    def forward(
        self, pieces: Tensor, features: Tensor, other_pieces: Tensor, other_features: Tensor
    ) -> dict[str, Tensor]:
        """For training: two texts, each as tokens (B, T) and features (B, R, K) -> the vectors of both (B, D)."""
        # Both in one batch: the gradient of a table, which is as large as the table, is then computed once.
        with stacked(2):
            one, other = self.vector(stack(pieces, other_pieces), stack(features, other_features)).chunk(2)
        return {"one": one, "other": other}

    def vector(self, pieces: Tensor, features: Tensor) -> Tensor:
        """pieces (B, T), features (B, R, K), where 0 means none -> unit vectors (B, width + hashed_width)."""
        read, hashed = self._read(pieces), self._hashed(features)
        return torch.cat([unit(read) * self.angle.cos(), unit(hashed) * self.angle.sin()], dim=1)

    def _read(self, pieces: Tensor) -> Tensor:
        """(B, T) -> the weighted sum over the tokens (B, D)."""
        kept = self._kept(pieces)  # (B, T)
        weights = kept * self.importance.exp()[pieces]
        if not len(self.blocks):
            return self._sum(pieces, self.table, weights)
        # A token that is left out must not be attended to either, or it would enter through its neighbours.
        bias = ((1 - (kept != 0).to(weights.dtype)) * MASKED)[:, None, None, :]
        x = F.embedding(pieces, self.table) * math.sqrt(self.width) + self.positions[: pieces.shape[1]]
        for block in self.blocks:
            x = block(x, bias)
        return (weights[:, None] @ self.norm(x))[:, 0]

    def _hashed(self, features: Tensor) -> Tensor:
        """(B, R, K) -> the weighted sum over the n-grams (B, D)."""
        ids = features.flatten(1)  # (B, R K)
        return self._sum(ids, self.hashed_table, self._kept(ids) * self.hashed_importance.exp()[ids])

    def _sum(self, ids: Tensor, table: Tensor, weights: Tensor) -> Tensor:
        """The weighted sum of the rows of a table: ids, weights (B, N) -> (B, D).

        In training one operation does it without holding all the rows, three times as fast; ONNX has no such operator.
        """
        if self.training:
            return F.embedding_bag(ids, table, per_sample_weights=weights, mode="sum")
        return (weights[:, None] @ F.embedding(ids, table))[:, 0]

    def _kept(self, ids: Tensor) -> Tensor:
        """1 for ids to keep; 0 for padding and, in training, for a random share of the ids (word dropout).

        It makes two views of one text differ (as in SimCSE; Gao et al., 2021), and no vector depend on a single word.
        """
        kept = (ids != 0).to(self.table.dtype)
        if self.training and self.dropout:
            kept = kept * (torch.rand(ids.shape, device=ids.device) >= self.dropout)
        return kept

    def embed(self, pieces: Tensor, features: Tensor) -> dict[str, Tensor]:
        """The graph that ships."""
        return {"vector": self.vector(pieces, features).float()}

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        inputs = {"pieces": ("int64", "batch", "time"), "features": ("int64", "batch", "rows", 16)}
        return {"embed": (inputs, ("vector",))}


def unit(x: Tensor) -> Tensor:
    """Scale vectors (B, D) to length 1, in float32; a zero vector stays zero."""
    return x / (x.float().square().sum(dim=1, keepdim=True) + TINY).sqrt().to(x.dtype)


def stack(one: Tensor, other: Tensor) -> Tensor:
    """Join two batches of ids (B, T, ...) into one of twice the size, padding the shorter texts with 0.

    >>> stack(torch.ones(1, 1), torch.ones(1, 2)).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    longest = max(one.shape[1], other.shape[1])
    after = [0, 0] * (one.ndim - 2)  # F.pad counts axes from the last: those behind T are not padded
    return torch.cat([F.pad(x, [*after, 0, longest - x.shape[1]]) for x in (one, other)])
