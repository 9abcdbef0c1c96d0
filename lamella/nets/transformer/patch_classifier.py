"""A classifier of pictures with the encoder of the net that writes captions, for that one to begin from it.

Tensors in, tensors out: what the labels mean is the task's business.
"""

import torch
from torch import Tensor, nn

from lamella.nets.layers import Linear
from lamella.nets.transformer.captions import PictureEncoder


class PatchClassifier(nn.Module):
    """Pictures -> the scores of their labels, by the mean over the patches of a `PictureEncoder`.

    >>> net = PatchClassifier(channels=1, side=32, labels=10, width=96, depth=2, heads=2)
    >>> net(torch.zeros(2, 1, 32, 32))["scores"].shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        channels: int,
        side: int,
        labels: int,
        width: int = 192,
        depth: int = 3,
        heads: int = 4,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.channels, self.side, self.features = channels, side, width
        self.encoder = PictureEncoder(channels, side, width, depth, heads, dropout)
        self.drop, self.out = nn.Dropout(dropout), Linear(width, labels)

    def pooled(self, pictures: Tensor) -> Tensor:
        """pictures (B, C, S, S) -> what is known of each before it is sorted (B, D)."""
        return torch.mean(self.encoder(pictures), dim=1)

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """pictures (B, C, S, S) -> scores (B, labels)."""
        return {"scores": self.out(self.drop(self.pooled(pictures))).float()}

    def classify(self, pictures: Tensor) -> dict[str, Tensor]:
        """The graph that ships."""
        return self(pictures)

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        return {"classify": ({"pictures": ("float32", "batch", self.channels, self.side, self.side)}, ("scores",))}
