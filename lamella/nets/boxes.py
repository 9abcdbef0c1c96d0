"""The loss of detection of objects by centres and sides: a focal loss of the heat map, and the overlap with the true boxes.

Every object is a Gaussian on the heat map of its label, as wide as the object is large (Zhou et al., 2019), and the
points under it learn the object's sides (Liu et al., 2019). All boxes of a batch are drawn at once, on the device of the
outputs.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

SPREAD = 0.12  # standard deviation of the Gaussian, as a share of the box's side
NARROWEST = 0.8  # smallest standard deviation in points, so that a tiny object still has neighbours to learn from
NEAR = 0.3  # height of the Gaussian from which on a point learns the box
UNSURE = 0.01  # height of the Gaussian of an object that may be one or not, from which on the heat map is not judged
SIDES = 5.0  # weight of the loss of the boxes against that of the heat map
FARTHEST = 7.0  # logarithm of the largest distance: e^7 points are more than any picture has


def box_loss(outputs: dict[str, Tensor], boxes: Tensor, labels: Tensor) -> Tensor:
    """The loss of a batch of pictures: a number.

    outputs: "centers" (B, L, H, W) as log-odds and "sides" (B, 4, H, W) as logarithms of distances. boxes (B, N, 4): left,
    top, right, bottom in points of the map. labels (B, N): from 1; 0 is padding; -k is an object of label k of which nobody
    knows whether it would be marked, as one that augmentation cuts: it teaches its sides, and the heat map is not judged
    there. A picture without boxes is all background.
    """
    centers, sides = outputs["centers"], outputs["sides"]
    height, across = centers.shape[2:]
    boxes = boxes.float()
    real = labels != 0  # (B, N)
    hills = gaussians(boxes, real, height, across)  # (B, N, H W)
    loss = focal(centers, hills, labels)
    if boxes.shape[1] == 0:
        return loss  # a maximum over no boxes is an error
    # Where boxes overlap, a point learns the smaller one: the larger one has other points.
    area = ((boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])).clamp(min=1e-3)
    rank, owner = torch.where(hills > NEAR, 1 / area[..., None], 0.0).max(dim=1)  # (B, H W)
    height_there = hills.gather(1, owner[:, None])[:, 0] * (rank > 0)
    # A box has the weight of the logarithm of its area, divided among its points; otherwise large boxes would dominate.
    total = torch.zeros_like(area).scatter_add(1, owner, height_there).clamp(min=1e-6)
    weight = height_there * (torch.log(area + 1) / total).gather(1, owner)
    wanted = boxes.gather(1, owner[..., None].expand(-1, -1, 4))  # (B, H W, 4)
    predicted = boxes_of(sides).flatten(2).transpose(1, 2)
    overlap = ((1 - giou(predicted, wanted)) * weight).sum() / weight.sum().clamp(min=1e-6)
    return loss + SIDES * overlap


def gaussians(boxes: Tensor, real: Tensor, height: int, across: int) -> Tensor:
    """A Gaussian for each box, 1 at the point that holds its centre: (B, N, 4) -> (B, N, H W); 0 for padding.

    >>> hill = gaussians(torch.tensor([[[0.0, 0.0, 4.0, 4.0]]]), torch.ones(1, 1, dtype=torch.bool), 4, 4).view(4, 4)
    >>> hill.argmax().item(), hill.max().item()
    (10, 1.0)
    """
    low, high = boxes[..., :2], boxes[..., 2:]
    limits = torch.tensor([across - 1, height - 1], device=boxes.device)
    middle = torch.minimum(((low + high) / 2).floor().clamp(min=0), limits)
    spread = (SPREAD * (high - low)).clamp(min=NARROWEST)
    columns, rows = (torch.arange(n, device=boxes.device, dtype=torch.float32) for n in (across, height))
    wide = torch.exp(-(((columns - middle[..., :1]) / spread[..., :1]) ** 2) / 2)  # (B, N, W)
    tall = torch.exp(-(((rows - middle[..., 1:]) / spread[..., 1:]) ** 2) / 2)  # (B, N, H)
    return (tall[..., :, None] * wide[..., None, :] * real[..., None, None]).flatten(2)


def focal(centers: Tensor, hills: Tensor, labels: Tensor) -> Tensor:
    """The penalty-reduced focal loss an object (Law and Deng, 2018, "CornerNet"), with alpha 2 and beta 4.

    Points that are already right count little, and high scores near a centre are penalised less than those far from one.
    """
    flat = centers.flatten(2)  # (B, L, H W)
    place = (labels.abs() - 1).clamp(min=0)[..., None].expand(-1, -1, flat.shape[2])
    sure = (labels > 0)[..., None]
    wanted = torch.zeros_like(flat).scatter_reduce(1, place, hills * sure, "amax")
    unsure = torch.zeros_like(flat).scatter_reduce(1, place, hills * ~sure, "amax") > UNSURE
    likely = flat.sigmoid()
    hits = -F.logsigmoid(flat) * (1 - likely) ** 2 * (wanted == 1)
    misses = -F.logsigmoid(-flat) * likely**2 * (1 - wanted) ** 4 * ~unsure  # 0 at the centres themselves
    return (hits.sum() + misses.sum()) / (labels > 0).sum().clamp(min=1)


def boxes_of(sides: Tensor) -> Tensor:
    """Logarithms of distances at each point -> its box (B, 4, H, W): left, top, right, bottom in points of the map.

    >>> boxes_of(torch.zeros(1, 4, 1, 2))[0, :, 0].T.tolist()
    [[-0.5, -0.5, 1.5, 1.5], [0.5, -0.5, 2.5, 1.5]]
    """
    height, across = sides.shape[2:]
    far = torch.exp(sides.clamp(max=FARTHEST))
    x = torch.arange(across, device=sides.device) + 0.5
    y = torch.arange(height, device=sides.device)[:, None] + 0.5
    return torch.stack([x - far[:, 0], y - far[:, 1], x + far[:, 2], y + far[:, 3]], dim=1)


def giou(a: Tensor, b: Tensor) -> Tensor:
    """Generalised intersection over union, GIoU (Rezatofighi et al., 2019), -1 to 1: (..., 4) twice -> (...).

    Unlike the plain one it has a gradient where boxes do not touch: it falls with the distance between them.

    >>> giou(torch.tensor([0.0, 0.0, 2.0, 2.0]), torch.tensor([1.0, 0.0, 3.0, 2.0])).item()
    0.333...
    """
    both = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    areas = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1)
    union = (areas - both).clamp(min=1e-6)
    hull = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).prod(-1).clamp(min=1e-6)
    return both / union - (hull - union) / hull
