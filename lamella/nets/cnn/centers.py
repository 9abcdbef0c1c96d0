"""A convolutional net that detects objects in pictures.

`CenterNet` (Zhou et al., 2019, "Objects as Points") gives for each label a heat map of object centres, and for each point
of the map the box around it. There are no anchors and no scales to choose, and an object is detected once, so there are
few duplicates to remove. The distances to the four sides are learned at many points of a box and not at its centre
alone (Liu et al., 2019, "TTFNet"): that is why a few hundred pictures and a few minutes are enough.

    picture (B, C, H, W) -> levels at strides 4, 8, 16, 32 -> summed at stride 4 -> centres and sides

Convolutions are full 3 x 3 ones. Depthwise ones have fewer weights, but gain nothing from int8 on a CPU.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.cnn.image import Convolution

STRIDE = 4  # a point of the maps stands for 4 x 4 pixels
# Log-odds of a centre before training, one in ten: otherwise the many empty points outweigh the few centres at first
# (Lin et al., 2017, "Focal loss").
RARE = -2.2
SHORT = 0.5  # norm of a filter's direction before training: the smaller, the faster it turns at one learning rate


class NormedConvolution(nn.Module):
    """A convolution with weight normalisation: a direction and a gain a filter (Salimans and Kingma, 2016).

    (B, C, H, W) -> (B, K, H / stride, W / stride). Like batch normalisation it makes training independent of the scale of
    the weights. Unlike it, a prediction never depends on the other pictures of the batch, and there are no running
    statistics. `eval()` folds it into an ordinary convolution, which is what is exported.

    >>> conv = NormedConvolution(3, 8, stride=2)
    >>> conv(torch.zeros(2, 3, 6, 6)).shape, bool(torch.allclose(conv.kernel().flatten(1).norm(dim=1), conv.gain.abs()))
    (torch.Size([2, 8, 3, 3]), True)
    """

    folded: Tensor

    def __init__(self, n_in: int, n_out: int, side: int = 3, stride: int = 1, gain: float = 1.7) -> None:
        super().__init__()
        self.shape, self.stride, self.edge = (n_out, n_in, side, side), stride, side // 2
        fan = n_in * side**2
        self.weight = nn.Parameter(torch.randn(n_out, fan) * SHORT / fan**0.5)
        # 1.7 keeps the variance after a ReLU (Brock et al., 2021, "Characterizing signal propagation").
        self.gain = nn.Parameter(torch.full((n_out,), gain))
        self.bias = nn.Parameter(torch.zeros(n_out))
        self.register_buffer("folded", torch.zeros(self.shape), persistent=False)

    def kernel(self) -> Tensor:
        """The filters (K, C, side, side), normalised in float32 whatever type the net computes in."""
        direction = self.weight.float()
        length = direction.norm(dim=1, keepdim=True) + 1e-6
        return (direction / length * self.gain.float()[:, None]).to(self.weight.dtype).view(self.shape)

    def train(self, mode: bool = True) -> "NormedConvolution":
        """Set training or evaluation mode; in evaluation the filters are computed once and stay fixed."""
        super().train(mode)
        if not mode:
            self.folded = self.kernel().detach()
        return self

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.kernel() if self.training else self.folded
        kernel = kernel.contiguous(memory_format=torch.channels_last)
        return F.conv2d(x, kernel, self.bias, self.stride, self.edge)


class NormedBlock(nn.Module):
    """`shortcut(x) + conv(relu(conv(relu(x))))` with normalised filters, whose last gain starts at zero.

    A block is its shortcut at first, so that a deep net starts as a shallow one.
    """

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.first = NormedConvolution(n_in, n_out, stride=stride)
        self.second = NormedConvolution(n_out, n_out, gain=0.0)
        same = n_in == n_out and stride == 1
        self.shortcut = nn.Identity() if same else NormedConvolution(n_in, n_out, side=1, gain=1.0)

    def forward(self, x: Tensor) -> Tensor:
        pooled = F.avg_pool2d(x, self.stride) if self.stride > 1 else x
        return self.shortcut(pooled) + self.second(torch.relu(self.first(torch.relu(x))))


class Pyramid(nn.Module):
    """A feature pyramid (Lin et al., 2017): a residual net at strides 4, 8, 16 and 32, its levels summed at stride 4.

    The coarse levels see whole objects, the fine ones their exact edges.

    >>> Pyramid(channels=3, width=96, depth=2)(torch.zeros(1, 3, 48, 80)).shape  # 48 is no multiple of 32
    torch.Size([1, 32, 12, 20])
    """

    def __init__(self, channels: int, width: int, depth: int) -> None:
        super().__init__()
        widths = width // 8, width // 4, 3 * width // 8, width // 2
        self.out = width // 3
        self.stem = NormedConvolution(channels, widths[0], stride=2, gain=1.0)
        levels, now = [], widths[0]
        for i, wide in enumerate(widths):
            # The first level has the most points, where each block costs most.
            count = max(1, (depth + (i > 0)) // 2)
            levels.append(nn.Sequential(*(NormedBlock(wide if j else now, wide, 1 if j else 2) for j in range(count))))
            now = wide
        self.levels = nn.ModuleList(levels)
        self.laterals = nn.ModuleList(NormedConvolution(wide, self.out, side=1) for wide in widths)

    def forward(self, pictures: Tensor) -> Tensor:
        """pictures (B, C, H, W) -> (B, width / 3, H / 4, W / 4)."""
        x = self.stem(pictures)  # (B, W/8, H/2, W/2)
        laterals = []
        for level, lateral in zip(self.levels, self.laterals, strict=True):
            # An odd side is padded by one, or halving it would lose its last row.
            x = level(F.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2)))
            laterals.append(lateral(torch.relu(x)))
        total = laterals[-1]
        for finer in reversed(laterals[:-1]):
            # After an odd side the doubled level is one point too large: the padding is cut off again.
            total = finer + doubled(total)[:, :, : finer.shape[2], : finer.shape[3]]
        return total


def doubled(x: Tensor) -> Tensor:
    """Nearest-neighbour upsampling by two: (B, C, H, W) -> (B, C, 2 H, 2 W).

    >>> doubled(torch.tensor([[[[1, 2]]]])).tolist()
    [[[[1, 1, 2, 2], [1, 1, 2, 2]]]]
    """
    # A broadcast and a reshape: exactly four copies, with a plain sum as the gradient.
    b, c, h, w = x.shape
    return x[:, :, :, None, :, None].expand(b, c, h, 2, w, 2).reshape(b, c, 2 * h, 2 * w)


class CenterNet(nn.Module):
    """Pictures -> a heat map of object centres, and the distances from each point to the sides of its box.

    >>> out = CenterNet(channels=3, height=64, across=96, labels=5, width=96, depth=2)(torch.zeros(2, 3, 64, 96))
    >>> out["centers"].shape, out["sides"].shape
    (torch.Size([2, 5, 16, 24]), torch.Size([2, 4, 16, 24]))
    """

    def __init__(self, channels: int, height: int, across: int, labels: int, width: int = 192, depth: int = 3) -> None:
        super().__init__()
        self.channels, self.height, self.across = channels, height, across
        self.body = Pyramid(channels, width, depth)
        wide = self.body.out
        self.mix = NormedConvolution(wide, wide)
        self.centers = nn.Sequential(
            NormedConvolution(wide, wide), nn.ReLU(), Convolution(wide, labels, side=1, zero=True)
        )
        self.sides = nn.Sequential(NormedConvolution(wide, wide), nn.ReLU(), Convolution(wide, 4, side=1, zero=True))
        nn.init.constant_(self.centers[-1].bias, RARE)  # type: ignore[arg-type]
        # exp(1) points to every side at first: boxes some 20 pixels wide.
        nn.init.constant_(self.sides[-1].bias, 1.0)  # type: ignore[arg-type]

    def forward(self, pictures: Tensor, sizes: Tensor | None = None) -> dict[str, Tensor]:
        """pictures (B, C, H, W) -> centers (B, labels, H/4, W/4) as log-odds, sides (B, 4, H/4, W/4) as logarithms.

        sides: distances to left, top, right and bottom, in points of the map. sizes is ignored here: it is in the batch because
        `decode` gives boxes in the pixels of the original picture.
        """
        x = pictures.contiguous(memory_format=torch.channels_last) if self.training else pictures
        x = torch.relu(self.mix(torch.relu(self.body(x))))  # (B, width/3, H/4, W/4)
        return {"centers": self.centers(x).float(), "sides": self.sides(x).float()}

    def detect(self, pictures: Tensor) -> dict[str, Tensor]:
        """The graph that ships."""
        return self(pictures)

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        pictures = "float32", "batch", self.channels, self.height, self.across
        return {"detect": ({"pictures": pictures}, ("centers", "sides"))}
