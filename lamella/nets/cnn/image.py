"""A convolutional net over pictures.

`ImageCNN` is a residual net over pictures (He et al., 2016): every block adds a correction to what came in, so that a
deep net begins as a shallow one.

Tensors in, tensors out: what the labels mean is the task's business.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.layers import Linear


class Convolution(nn.Module):
    """Filters over squares of neighbours, zeros around the edge: (B, C, H, W) -> (B, K, H / stride, W / stride).

    It is torch's `conv2d`. The weight is kept as a matrix, a row a filter: the optimizer then turns it as one.

    >>> Convolution(3, 8, stride=2)(torch.zeros(2, 3, 6, 6)).shape
    torch.Size([2, 8, 3, 3])
    """

    def __init__(self, n_in: int, n_out: int, side: int = 3, stride: int = 1, zero: bool = False) -> None:
        super().__init__()
        self.shape, self.stride, self.edge = (n_out, n_in, side, side), stride, side // 2
        fan = n_in * side**2
        self.weight = nn.Parameter(torch.zeros(n_out, fan) if zero else torch.randn(n_out, fan) * (2 / fan) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(n_out))

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight.view(self.shape).contiguous(memory_format=torch.channels_last)
        return F.conv2d(x, weight, self.bias, self.stride, self.edge)


class ResidualBlock(nn.Module):
    """`shortcut(x) + conv(relu(conv(relu(x))))`, the rectifiers first (He et al., 2016, "Identity mappings").

    The second convolution begins as zero (Zhang et al., 2019, "Fixup"): a block is its shortcut until it has learned
    something. That takes the place of batch normalisation, so an answer never hangs on which pictures are beside it.
    """

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.first, self.second = Convolution(n_in, n_out, stride=stride), Convolution(n_out, n_out, zero=True)
        self.shortcut = nn.Identity() if n_in == n_out and stride == 1 else Convolution(n_in, n_out, side=1)

    def forward(self, x: Tensor) -> Tensor:
        beside = F.avg_pool2d(x, self.stride) if self.stride > 1 else x
        return self.shortcut(beside) + self.second(torch.relu(self.first(torch.relu(x))))


class ImageCNN(nn.Module):
    """Pictures -> the scores of their labels: three resolutions, each half of the one before and twice as wide.

    >>> ImageCNN(channels=1, side=28, labels=10, width=32, depth=2)(torch.zeros(2, 1, 28, 28))["scores"].shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        channels: int,
        side: int,
        labels: int,
        width: int = 192,
        depth: int = 3,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.channels, self.side = channels, side
        widths = (width // 4, width // 2, width)
        self.stem = Convolution(channels, widths[0], stride=2 if side > 40 else 1)
        blocks, now = [], widths[0]
        for stage, wide in enumerate(widths):
            # Of two blocks none is at full resolution, where they cost most.
            for i in range((depth + stage) // 3):
                blocks.append(ResidualBlock(now, wide, stride=2 if stage and not i else 1))
                now = wide
        self.blocks = nn.ModuleList(blocks)
        self.drop, self.out = nn.Dropout(dropout), Linear(width, labels)

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """pictures (B, C, H, W) -> scores (B, labels)."""
        if self.training:
            pictures = pictures.contiguous(memory_format=torch.channels_last)  # as the convolutions like it
        x = self.stem(pictures)  # (B, W/4, H, W)
        for block in self.blocks:
            x = block(x)
        seen = torch.relu(x).mean(dim=(2, 3))  # (B, W)
        return {"scores": self.out(self.drop(seen)).float()}

    def classify(self, pictures: Tensor) -> dict[str, Tensor]:
        """The graph that ships."""
        return self(pictures)

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        return {"classify": ({"pictures": ("float32", "batch", self.channels, self.side, self.side)}, ("scores",))}
