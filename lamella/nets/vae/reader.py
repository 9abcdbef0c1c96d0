"""A small net that reads the label of a picture of which a region is hidden: what a completion is to be of.

Tensors in, tensors out: B pictures, C channels, S side, L labels, D width.
"""

import torch
from torch import Tensor, nn

from lamella.nets.cnn.image import Convolution, ResidualBlock
from lamella.nets.layers import Linear

WHOLE = 0.25  # share of the pictures in training of which nothing is hidden


class LabelReader(nn.Module):
    """Pictures (B, C, S, S) with the points that are hidden (B, S, S), 1 or 0 -> log-probabilities of the labels (B, L).

    >>> LabelReader(channels=1, side=16, halvings=2, labels=3, width=16)(torch.rand(2, 1, 16, 16), torch.zeros(2, 16, 16)).shape
    torch.Size([2, 3])
    """

    def __init__(
        self, channels: int, side: int, halvings: int, labels: int, width: int = 96, dropout: float = 0.2
    ) -> None:
        super().__init__()
        near, grid = max(8, width // 2), side // 2**halvings
        # Which points are hidden is one more channel: grey is a colour too.
        self.stem = Convolution(channels + 1, near, stride=2)
        blocks = [ResidualBlock(near, near, 1), ResidualBlock(near, width, 2)]
        blocks += [ResidualBlock(width, width, 2) for _ in range(halvings - 2)]
        self.blocks = nn.Sequential(*blocks, ResidualBlock(width, width, 1))
        self.wide = Convolution(width, 2 * width, side=1)
        # Every channel looks at places of its own: where a stroke is tells more than that there is one.
        self.place_table = nn.Parameter(torch.randn(2 * width, grid, grid) / grid)
        self.inner, self.out, self.drop = Linear(2 * width, width), Linear(width, labels), nn.Dropout(dropout)
        nn.init.zeros_(self.out.weight)  # all labels are as likely at first

    def forward(self, pictures: Tensor, hidden: Tensor) -> Tensor:
        seen = (1 - hidden.to(pictures.dtype))[:, None]  # (B, 1, S, S)
        x = self.stem(torch.cat([pictures * seen, seen], dim=1))
        x = torch.relu(self.wide(torch.relu(self.blocks(x))))  # (B, 2 D, G, G)
        x = (x * self.place_table).sum(dim=(2, 3))
        x = self.out(self.drop(torch.relu(self.inner(self.drop(x)))))
        return torch.log_softmax(x.float(), dim=-1)


def hidden_regions(count: int, side: int, device: torch.device | str = "cpu") -> Tensor:
    """Regions to hide in training (B, S, S) of 0 and 1: what lies beyond a line across the picture, or a box; of some nothing.

    Any share of a picture may be hidden.

    >>> hidden_regions(4, 8).shape
    torch.Size([4, 8, 8])
    """
    at = (torch.arange(side, device=device) + 0.5) / side  # (S,)
    # (B, 2, 1) each: of rows and columns. Pictures come first in every draw, so that several processes draw what one does.
    low, high = torch.rand(count, 2, 2, 1, device=device).sort(dim=1).values.unbind(1)
    kind = torch.rand(count, 2, device=device)
    # Mostly one of its sides is that of the picture: then it is a half, a quarter, a stripe.
    end = torch.rand(count, 2, 1, device=device)
    low, high = torch.where(end < 0.4, 0.0, low), torch.where(end > 0.6, 1.0, high)
    inside = (at > low) & (at < high)  # (B, 2, S)
    across = torch.rand(count, 1, device=device) < 0.5
    rows = inside[:, 0] | ((kind[:, :1] < 0.6) & across)  # all rows: hidden from a column on
    columns = inside[:, 1] | ((kind[:, :1] < 0.6) & ~across)
    box = rows[:, :, None] & columns[:, None]
    return (box & (kind[:, 1] > WHOLE)[:, None, None]).float()
