"""A classifier of pictures with the body of the nets that find objects and regions, for those to begin from it.

Tensors in, tensors out: what the labels mean is the task's business.
"""

import torch
from torch import Tensor, nn

from lamella.nets.cnn.centers import Pyramid
from lamella.nets.layers import Linear


class PyramidCNN(nn.Module):
    """Pictures -> the scores of their labels, by the mean over a feature pyramid.

    >>> PyramidCNN(channels=1, side=28, labels=10, width=96, depth=2)(torch.zeros(2, 1, 28, 28))["scores"].shape
    torch.Size([2, 10])
    """

    def __init__(
        self, channels: int, side: int, labels: int, width: int = 192, depth: int = 3, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.channels, self.side = channels, side
        self.body = Pyramid(channels, width, depth)
        self.features = self.body.out
        self.drop, self.out = nn.Dropout(dropout), Linear(self.features, labels)

    def pooled(self, pictures: Tensor) -> Tensor:
        """pictures (B, C, H, W) -> what is known of each before it is sorted (B, width / 3)."""
        if self.training:
            pictures = pictures.contiguous(memory_format=torch.channels_last)
        return torch.relu(self.body(pictures)).mean(dim=(2, 3))

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """pictures (B, C, H, W) -> scores (B, labels)."""
        return {"scores": self.out(self.drop(self.pooled(pictures))).float()}

    def classify(self, pictures: Tensor) -> dict[str, Tensor]:
        """The graph that ships."""
        return self(pictures)

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        return {"classify": ({"pictures": ("float32", "batch", self.channels, self.side, self.side)}, ("scores",))}
