"""Pictures changed a little at random in training, and boxes moved with them by the same matrices.

A matrix (2, 3) leads from a place in the new picture to the place in the old one that is seen there, both from -1 to 1
across and down, as torch's `affine_grid` takes it.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

LEFT = 0.3  # of a box must still be in the picture, or it is no object any more


def random_affine(
    count: int,
    generator: torch.Generator,
    translate: float = 0.0,
    scale: float = 0.0,
    flip_across: bool = False,
    flip_down: bool = False,
    rotate: float = 0.0,
) -> Tensor:
    """Matrices (count, 2, 3), drawn on the CPU so that every device draws the same.

    translate: the most that a picture moves, as a share of its side; scale: of 0.25, between 1/1.25 and 1.25 times as
    large; flips are made with half of the pictures each; rotate: the most in degrees, either way, of square pictures.
    """
    draw = torch.rand(5, count, generator=generator) * 2 - 1
    size = torch.exp(draw[0] * math.log1p(scale))
    across = torch.where(draw[3] < 0, -1.0, 1.0) if flip_across else torch.ones(count)
    down = torch.where(draw[4] < 0, -1.0, 1.0) if flip_down else torch.ones(count)
    angle = (torch.rand(count, generator=generator) * 2 - 1) * math.radians(rotate) if rotate else torch.zeros(count)
    cos, sin = size * angle.cos(), size * angle.sin()
    rows = [cos * across, -sin * down, 2 * translate * draw[1], sin * across, cos * down, 2 * translate * draw[2]]
    return torch.stack(rows, dim=1).view(count, 2, 3)


def move_pictures(pictures: Tensor, matrices: Tensor, edge: str = "zeros") -> Tensor:
    """(B, C, H, W) -> (B, C, H, W); where nothing was there are zeros, or with "border" the nearest point of the edge.

    >>> mirror = torch.tensor([[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> move_pictures(torch.tensor([[[[1.0, 2.0]]]]), mirror).tolist()
    [[[[2.0, 1.0]]]]
    """
    grid = F.affine_grid(matrices.to(pictures.device), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, padding_mode=edge, align_corners=False)


def move_boxes(boxes: Tensor, matrices: Tensor, height: float, across: float) -> tuple[Tensor, Tensor]:
    """Boxes (B, N, 4) of pictures of this height and width -> the boxes after the move, and which of them stay (B, N).

    Boxes are cut at the edge; one of which less than LEFT is still to be seen does not stay. Matrices neither turn nor
    shear, since a box that is turned is no box any more.

    >>> mirror = torch.tensor([[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> move_boxes(torch.tensor([[[0.0, 0.0, 2.0, 3.0]]]), mirror, height=10, across=10)[0].tolist()
    [[[8.0, 0.0, 10.0, 3.0]]]
    """
    sides = torch.tensor([across, height], device=boxes.device)
    matrices = matrices.to(boxes.device)
    factor = matrices[:, None, :, :2].diagonal(dim1=2, dim2=3)  # (B, 1, 2)
    offset = matrices[:, None, :, 2]  # (B, 1, 2)
    corners = torch.stack([(2 * boxes[..., i : i + 2] / sides - 1 - offset) / factor for i in (0, 2)])  # (2, B, N, 2)
    low, high = corners.amin(0), corners.amax(0)
    whole = (high - low).prod(-1)
    low, high = low.clamp(-1, 1), high.clamp(-1, 1)
    moved = torch.cat([(low + 1) / 2 * sides, (high + 1) / 2 * sides], dim=-1)
    return moved, (high - low).prod(-1) > LEFT * whole


def random_light(pictures: Tensor, generator: torch.Generator, amount: float) -> Tensor:
    """Brightness and contrast changed by up to this share, each picture by its own: (B, C, H, W), mean 0, deviation 1."""
    draw = (torch.rand(2, len(pictures), 1, 1, 1, generator=generator) * 2 - 1).to(pictures.device)
    return pictures * torch.exp(draw[0] * math.log1p(amount)) + draw[1] * amount
