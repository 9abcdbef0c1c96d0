"""Windows of pictures and their masks for training: where they lie, turned and scaled, drawn at random.

A net learns more from ten windows of 128 points than from one picture of 400: they are ten times as many steps. What is
rare would be in few of them, so some are put where a rare label is (as nnU-Net does; Isensee et al., 2021).
"""

import math

import torch
from torch import Tensor

TURNS = torch.tensor(
    [[[1.0, 0.0], [0.0, 1.0]], [[0.0, -1.0], [1.0, 0.0]], [[-1.0, 0.0], [0.0, -1.0]], [[0.0, 1.0], [-1.0, 0.0]]]
)


def random_centres(labels: Tensor, sizes: Tensor, weights: Tensor, rare: float, rng: torch.Generator) -> Tensor:
    """Middles of windows (B, 2), row and column: anywhere in a picture, or with probability `rare` on a rare label.

    labels (B, H, W) with each picture in the upper left corner; sizes (B, 2): its height and width; weights (L,): how often
    each label is sought, beside the others that the picture has; 0: never.
    """
    draws = torch.rand(len(labels), 4, generator=rng)
    centres = draws[:, :2] * (sizes.float() - 1)
    for i in (draws[:, 2] < rare).nonzero()[:, 0].tolist():
        mask = labels[i]
        counts = torch.bincount(mask.flatten(), minlength=256)[: len(weights)]
        sought = weights * (counts > 0)
        if not float(sought.sum()):
            continue
        label = int(torch.multinomial(sought, 1, generator=rng))
        places = (mask == label).flatten().nonzero()[:, 0]
        place = int(places[int(draws[i, 3] * len(places))])
        centres[i] = torch.tensor([place // mask.shape[1], place % mask.shape[1]], dtype=torch.float32)
    return centres


def random_matrices(
    count: int, rng: torch.Generator, scale: float = 0.0, rotate: float = 0.0, flip: str = "none"
) -> Tensor:
    """Random matrices (count, 2, 2) from a window's rows and columns to a picture's.

    scale: 0.25 means a factor between 1/1.25 and 1.25. rotate: the largest angle in degrees, either way. flip: "none",
    "across" (left and right), "down", "both", or "all": those and quarter turns.
    """
    draw = torch.rand(5, count, generator=rng) * 2 - 1
    factor = torch.exp(draw[0] * math.log1p(scale))
    angle = draw[1] * math.radians(rotate)
    cos, sin = factor * angle.cos(), factor * angle.sin()
    matrices = torch.stack([cos, -sin, sin, cos], dim=1).view(count, 2, 2)
    down = torch.where((draw[2] < 0) & torch.tensor(flip in ("down", "both", "all")), -1.0, 1.0)
    across = torch.where((draw[3] < 0) & torch.tensor(flip in ("across", "both", "all")), -1.0, 1.0)
    matrices = matrices * torch.stack([down, across], dim=1)[:, None, :]
    if flip == "all":
        matrices = matrices @ TURNS[((draw[4] + 1) * 2).long().clamp(max=3)]
    return matrices


def cut_windows(
    pictures: Tensor, labels: Tensor, sizes: Tensor, centres: Tensor, matrices: Tensor, side: int
) -> tuple[Tensor, Tensor]:
    """Cut a square of each picture and of its labels: (B, C, H, W) and (B, H, W) -> (B, C, side, side), (B, side, side).

    A window lies inside its picture where it fits in; what is outside is the picture's reflection. Pictures are
    interpolated between four points, labels taken from the nearest.

    >>> picture, one = torch.arange(16.0).view(1, 1, 4, 4), torch.eye(2)[None]
    >>> cut = cut_windows(picture, picture[:, 0].long(), torch.tensor([[4, 4]]), torch.tensor([[1.0, 1.0]]), one, 2)
    >>> cut[0].flatten().tolist(), cut[1].flatten().tolist()
    ([0.0, 1.0, 4.0, 5.0], [0, 1, 4, 5])
    """
    b, c, _, across = pictures.shape
    limits = sizes.float()[:, None, None, :] - 1  # (B, 1, 1, 2): the last row and column
    steps = torch.arange(side) - (side - 1) / 2
    offsets = torch.stack(torch.meshgrid(steps, steps, indexing="ij"), dim=-1)  # (side, side, 2)
    offsets = torch.einsum("bij,hwj->bhwi", matrices, offsets)  # (B, side, side, 2)
    reach = offsets.abs().amax(dim=(1, 2))[:, None, None, :]
    middles = centres[:, None, None, :]
    inside = torch.minimum(torch.maximum(middles, reach), limits - reach)
    middles = torch.where(2 * reach <= limits, inside, limits / 2)
    half = (side - 1) / 2 % 1  # the middle of an even side lies between two points; so points fall on points
    middles = (middles - half).round() + half
    places = (middles + offsets).to(pictures.device)
    last = limits.to(pictures.device)
    for _ in range(4):  # a small picture is reflected more than once
        places = last - (last - places.abs()).abs()
    places = places.clamp(min=0).minimum(last)
    low = places.floor()
    share = places - low
    low = low.long()
    high = torch.minimum(low + 1, last.long())
    flat = pictures.flatten(2)  # (B, C, H W)

    def taken(rows: Tensor, columns: Tensor) -> Tensor:
        index = (rows * across + columns).view(b, 1, -1).expand(b, c, -1)
        return flat.gather(2, index).view(b, c, side, side)

    down, right = share[..., 0][:, None], share[..., 1][:, None]  # (B, 1, side, side)
    upper = taken(low[..., 0], low[..., 1]) * (1 - right) + taken(low[..., 0], high[..., 1]) * right
    lower = taken(high[..., 0], low[..., 1]) * (1 - right) + taken(high[..., 0], high[..., 1]) * right
    nearest = places.round().long()
    index = (nearest[..., 0] * across + nearest[..., 1]).view(b, -1)
    return upper * (1 - down) + lower * down, labels.flatten(1).gather(1, index).view(b, side, side)
