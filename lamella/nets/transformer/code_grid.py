"""A Transformer over a grid of codes that fills in what is missing, in any order (MaskGIT; Chang et al., 2022).

Every code attends to every other; a missing one is a token of its own. Trained on pictures of which a random share is
missing, it draws a whole picture, completes any region of one, and says how likely a picture is: three uses of one graph.
A label is one more token in front; in training it is left out now and then, so that the net can be asked with and
without it (classifier-free guidance; Ho and Salimans, 2022).

Tensors in, tensors out: B pictures, T codes of a picture in reading order, K codes there are, D width.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.layers import Linear
from lamella.nets.transformer.blocks import EncoderBlock

UNLABELLED = 0.1  # share of the labels that are left out in training
ANY, MISSING = 0, -1  # the ids of no label and of no code


class GridTransformer(nn.Module):
    """Codes, some of them missing, and a label -> how likely each code is at each place.

    A missing code is -1; label 0 is any.

    >>> net = GridTransformer(count=20, grid=3, labels=2, width=8, depth=1, heads=2)
    >>> net(torch.full((2, 9), -1), torch.tensor([0, 1])).shape
    torch.Size([2, 9, 20])
    """

    def __init__(
        self, count: int, grid: int, labels: int, width: int = 192, depth: int = 4, heads: int = 4, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.count, self.width = count, width
        self.code_table = nn.Parameter(torch.randn(count + 1, width) * width**-0.5)
        self.label_table = nn.Parameter(torch.randn(labels + 1, width) * width**-0.5)
        # A place is its row and its column, so that what is learned in one row helps in the others.
        self.row_table = nn.Parameter(torch.randn(grid, 1, width) * width**-0.5)
        self.column_table = nn.Parameter(torch.randn(1, grid, width) * width**-0.5)
        self.blocks = nn.ModuleList(EncoderBlock(width, heads, 4 * width, dropout, "gelu") for _ in range(depth))
        self.norm, self.drop = nn.LayerNorm(width), nn.Dropout(dropout)
        self.out = Linear(width, count)
        # Zero: all codes are equally likely at first.
        nn.init.zeros_(self.out.weight)

    def forward(self, codes: Tensor, label: Tensor) -> Tensor:
        """codes (B, T) with -1 where one is missing, label (B,) -> log-probabilities (B, T, K)."""
        places = (self.row_table + self.column_table).flatten(0, 1)  # (T, D)
        # The last row of the table stands for what is missing.
        x = F.embedding(torch.where(codes < 0, self.count, codes), self.code_table) + places
        x = torch.cat([F.embedding(label, self.label_table)[:, None], x], dim=1)  # (B, 1 + T, D)
        # The tables' entries have variance 1 / D: multiplied by the root of D they enter with variance 1.
        x = self.drop(x * math.sqrt(self.width))
        for block in self.blocks:
            x = block(x)
        return torch.log_softmax(self.out(self.norm(x[:, 1:])).float(), dim=-1)

    def learn(self, codes: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        """A training step: whole codes (B, T), label (B,) -> the log-probability of each (B, T) and which were missing.

        The share that is missing is the cosine of a uniform number, as while drawing: mostly more than half.
        """
        share = torch.cos(torch.rand(len(codes), 1, device=codes.device) * math.pi / 2)
        order = torch.rand(codes.shape, device=codes.device)
        missing = (order < share) | (order == order.amin(dim=1, keepdim=True))  # at least one
        unknown = torch.rand(len(label), device=label.device) < UNLABELLED
        likely = self(torch.where(missing, MISSING, codes), torch.where(unknown, ANY, label))
        return likely.gather(2, codes[:, :, None])[:, :, 0], missing
