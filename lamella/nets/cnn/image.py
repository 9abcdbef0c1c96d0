"""A convolutional net over pictures.

`ImageCNN` is a residual net (He et al., 2016): every block adds a correction to its input, so that a deep net starts as
a shallow one and gradients reach the first layer.

Tensors in, tensors out: what the labels mean is the task's business.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.layers import Linear


class Convolution(nn.Module):
    """A 2-D convolution with zero padding: (B, C, H, W) -> (B, K, H / stride, W / stride).

    The same as torch's `conv2d`. The weight is kept as a matrix with one filter a row, since Muon orthogonalises matrices.

    >>> Convolution(3, 8, stride=2)(torch.zeros(2, 3, 6, 6)).shape
    torch.Size([2, 8, 3, 3])
    """

    def __init__(self, n_in: int, n_out: int, side: int = 3, stride: int = 1, zero: bool = False) -> None:
        super().__init__()
        self.shape, self.stride, self.edge = (n_out, n_in, side, side), stride, side // 2
        fan = n_in * side**2
        # He initialisation: it keeps the variance through layers with ReLUs (He et al., 2015).
        self.weight = nn.Parameter(torch.zeros(n_out, fan) if zero else torch.randn(n_out, fan) * (2 / fan) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(n_out))

    def forward(self, x: Tensor) -> Tensor:
        # Channels last is the layout in which CPU kernels are fastest.
        weight = self.weight.view(self.shape).contiguous(memory_format=torch.channels_last)
        return F.conv2d(x, weight, self.bias, self.stride, self.edge)


class ResidualBlock(nn.Module):
    """`shortcut(x) + conv(relu(conv(relu(x))))`, pre-activation (He et al., 2016, "Identity mappings").

    The second convolution starts at zero (Zhang et al., 2019, "Fixup"), so a block is its shortcut at first. That replaces
    batch normalisation, and so a prediction never depends on the other pictures of its batch.
    """

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.first, self.second = Convolution(n_in, n_out, stride=stride), Convolution(n_out, n_out, zero=True)
        self.shortcut = nn.Identity() if n_in == n_out and stride == 1 else Convolution(n_in, n_out, side=1)

    def forward(self, x: Tensor) -> Tensor:
        # Averaged rather than skipped: a strided 1 x 1 convolution would ignore three of four points.
        pooled = F.avg_pool2d(x, self.stride) if self.stride > 1 else x
        return self.shortcut(pooled) + self.second(torch.relu(self.first(torch.relu(x))))


class ImageCNN(nn.Module):
    """Pictures -> the scores of their labels: three stages, each with half the resolution and twice the channels.

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
        first: int = 0,
    ) -> None:
        """first: channels of the first stage; 0: a quarter of the width."""
        super().__init__()
        self.channels, self.side, self.features = channels, side, width
        widths = (first or width // 4, width // 2, width)
        # Large pictures are halved at once: at full resolution most of the time would go into edges and textures.
        self.stem = Convolution(channels, widths[0], stride=2 if side > 40 else 1)
        blocks, now = [], widths[0]
        for stage, wide in enumerate(widths):
            # With a depth of 2 there is no block at full resolution, where blocks cost most.
            for i in range((depth + stage) // 3):
                blocks.append(ResidualBlock(now, wide, stride=2 if stage and not i else 1))
                now = wide
        self.blocks = nn.ModuleList(blocks)
        self.drop, self.out = nn.Dropout(dropout), Linear(width, labels)

    def pooled(self, pictures: Tensor) -> Tensor:
        """pictures (B, C, H, W) -> what is known of each before it is sorted (B, W)."""
        if self.training:
            pictures = pictures.contiguous(memory_format=torch.channels_last)
        x = self.stem(pictures)  # (B, W/4, H, W)
        for block in self.blocks:
            x = block(x)
        return torch.relu(x).mean(dim=(2, 3))

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """pictures (B, C, H, W) -> scores (B, labels)."""
        return {"scores": self.out(self.drop(self.pooled(pictures))).float()}

    def classify(self, pictures: Tensor) -> dict[str, Tensor]:
        """The graph that ships."""
        return self(pictures)

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        return {"classify": ({"pictures": ("float32", "batch", self.channels, self.side, self.side)}, ("scores",))}
