"""An autoencoder whose middle is a grid of codes: a picture as 7 x 7 words out of a few hundred (van den Oord et al., 2017).

The encoder halves the picture two or three times and gives a few numbers for each place of the grid, which a quantiser
rounds to a code; the decoder makes the picture from the codes. It gives a value and a scale for each picture, read as
logistic distributions of the points, so that its loss is a likelihood in nats and not a distance of someone's choice.

Tensors in, tensors out: B pictures, C channels, S side, G side of the grid, F numbers of a code.
"""

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.cnn.image import Convolution, ResidualBlock
from lamella.nets.layers import Linear
from lamella.nets.vae.quantizers import quantizer_of

NARROWEST, WIDEST = -5.0, 0.5  # of the logarithm of the scale of a point's distribution, white being 1


class Coder(nn.Module):
    """Pictures (B, C, S, S) -> codes (B, G, G) -> pictures.

    halvings: how often the side is halved; width: channels at the grid; depth: residual blocks there, either side.

    >>> net = Coder(channels=1, side=28, halvings=2, width=16, depth=1, kind="fsq", count=240)
    >>> codes = net.codes(torch.rand(3, 1, 28, 28))
    >>> values, scale = net.pictures(codes)
    >>> codes.shape, values.shape, scale.shape
    (torch.Size([3, 7, 7]), torch.Size([3, 1, 28, 28]), torch.Size([3]))
    """

    def __init__(
        self, channels: int, side: int, halvings: int, width: int, depth: int, kind: Literal["fsq", "vq"], count: int
    ) -> None:
        super().__init__()
        self.channels, self.side, self.grid = channels, side, side // 2**halvings
        self.quantizer = quantizer_of(kind, count)
        widths = [max(8, width // 2 ** (halvings - 1 - i)) for i in range(halvings)]  # after each halving
        # Halved at once: at full resolution most of the time would go into edges.
        self.stem = Convolution(channels, widths[0], stride=2)
        down: list[nn.Module] = [ResidualBlock(widths[0], widths[0], 1)]
        down += [ResidualBlock(a, b, 2) for a, b in pairwise(widths)]
        self.down = nn.Sequential(*down, *(ResidualBlock(width, width, 1) for _ in range(depth)))
        self.to_code = Convolution(width, self.quantizer.features, side=1)
        self.from_code = Convolution(self.quantizer.features, width)
        self.deep = nn.Sequential(*(ResidualBlock(width, width, 1) for _ in range(depth)))
        self.up = nn.ModuleList(
            nn.Sequential(Convolution(a, b), ResidualBlock(b, b, 1)) for a, b in pairwise(reversed(widths))
        )
        self.out = Convolution(widths[0], 4 * channels)
        self.scale = Linear(width, 1)

    def before(self, pictures: Tensor) -> Tensor:
        """Pictures from 0 to 1 (B, C, S, S) -> what the quantiser rounds (B, F, G, G)."""
        x: Tensor = self.down(self.stem(pictures))
        return self.to_code(torch.relu(x))

    def codes(self, pictures: Tensor) -> Tensor:
        """Pictures (B, C, S, S) -> codes (B, G, G)."""
        return self.quantizer.codes(self.before(pictures))

    def pictures(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Codes (B, G, G) -> values (B, C, S, S), unbounded, and the logarithm of the scale of each picture (B,)."""
        return self._made(self.quantizer.values(codes))

    def _made(self, quantized: Tensor) -> tuple[Tensor, Tensor]:
        # The values of codes are float32; the net may compute in a narrower type.
        x = self.deep(self.from_code(quantized.to(self.from_code.weight.dtype)))
        scale = self.scale(torch.relu(x).mean(dim=(2, 3)))[:, 0]  # (B,)
        for level in self.up:
            # Nearest points and a convolution: a transposed convolution would leave a checkerboard (Odena et al., 2016).
            x = level(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        # Not bounded: a point that is black lies below 0, where all that the distribution holds there counts as black.
        values = F.pixel_shuffle(self.out(torch.relu(x)), 2) + 0.5
        return values.float(), (scale.float() - 2).clamp(NARROWEST, WIDEST)

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        quantized, _, loss = self.quantizer(self.before(pictures))
        values, scale = self._made(quantized)
        return {"values": values, "log_scale": scale, "commitment": loss}
