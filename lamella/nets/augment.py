"""Data augmentation for training: random affine transforms of pictures and of their boxes, brightness and contrast.

A matrix (2, 3) maps a position in the new picture to the position in the old one whose colour it takes. Positions run
from -1 to 1 in both directions, as torch's `affine_grid` expects.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def random_affine(
    count: int,
    generator: torch.Generator,
    translate: float = 0.0,
    scale: float = 0.0,
    flip_across: bool = False,
    flip_down: bool = False,
    rotate: float = 0.0,
) -> Tensor:
    """Random affine matrices (count, 2, 3), drawn on the CPU so that every device gets the same ones.

    translate: largest shift, as a share of the side. scale: 0.25 means a factor between 1/1.25 and 1.25. Each flip is
    applied to half of the pictures. rotate: largest angle in degrees, either way; for square pictures.
    """
    draw = torch.rand(5, count, generator=generator) * 2 - 1
    # The logarithm of the factor is uniform, so that enlarging is as likely as shrinking.
    size = torch.exp(draw[0] * math.log1p(scale))
    across = torch.where(draw[3] < 0, -1.0, 1.0) if flip_across else torch.ones(count)
    down = torch.where(draw[4] < 0, -1.0, 1.0) if flip_down else torch.ones(count)
    # Drawn after the others and only if asked for, so that models trained without rotation keep their random numbers.
    angle = (torch.rand(count, generator=generator) * 2 - 1) * math.radians(rotate) if rotate else torch.zeros(count)
    cos, sin = size * angle.cos(), size * angle.sin()
    rows = [cos * across, -sin * down, 2 * translate * draw[1], sin * across, cos * down, 2 * translate * draw[2]]
    return torch.stack(rows, dim=1).view(count, 2, 3)


def move_pictures(pictures: Tensor, matrices: Tensor, edge: str = "zeros") -> Tensor:
    """Apply the matrices: (B, C, H, W) -> (B, C, H, W). Outside of the old picture are zeros, or with "border" its edge.

    >>> mirror = torch.tensor([[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> move_pictures(torch.tensor([[[[1.0, 2.0]]]]), mirror).tolist()
    [[[[2.0, 1.0]]]]
    """
    grid = F.affine_grid(matrices.to(pictures.device), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, padding_mode=edge, align_corners=False)


def move_boxes(boxes: Tensor, matrices: Tensor, height: float, across: float) -> tuple[Tensor, Tensor]:
    """Boxes (B, N, 4) in pictures of this height and width -> the boxes after the transform, and which share of each is still
    inside of the picture (B, N).

    Boxes are clipped at the edge. The matrices must not rotate or shear, since a rotated box is no longer parallel to the axes.

    >>> mirror = torch.tensor([[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> move_boxes(torch.tensor([[[0.0, 0.0, 2.0, 3.0]]]), mirror, height=10, across=10)[0].tolist()
    [[[8.0, 0.0, 10.0, 3.0]]]
    """
    sides = torch.tensor([across, height], device=boxes.device)
    matrices = matrices.to(boxes.device)
    # The matrix leads from new to old; boxes go from old to new, so it is undone: subtract the offset, then divide.
    factor = matrices[:, None, :, :2].diagonal(dim1=2, dim2=3)  # (B, 1, 2)
    offset = matrices[:, None, :, 2]  # (B, 1, 2)
    corners = torch.stack([(2 * boxes[..., i : i + 2] / sides - 1 - offset) / factor for i in (0, 2)])  # (2, B, N, 2)
    # After a flip the left side is the right one: the corners are sorted again.
    low, high = corners.amin(0), corners.amax(0)
    whole = (high - low).prod(-1)
    low, high = low.clamp(-1, 1), high.clamp(-1, 1)
    moved = torch.cat([(low + 1) / 2 * sides, (high + 1) / 2 * sides], dim=-1)
    return moved, (high - low).prod(-1) / whole.clamp(min=1e-9)


def random_light(pictures: Tensor, generator: torch.Generator, amount: float) -> Tensor:
    """Change brightness and contrast by at most this share, each picture by its own: (B, C, H, W), standardised."""
    draw = (torch.rand(2, len(pictures), 1, 1, 1, generator=generator) * 2 - 1).to(pictures.device)
    return pictures * torch.exp(draw[0] * math.log1p(amount)) + draw[1] * amount
