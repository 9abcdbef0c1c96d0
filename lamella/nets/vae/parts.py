"""The residual blocks, encoders and decoders that variational autoencoders are made of."""

from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.layers import Linear


class Block(nn.Module):
    """A residual block of two linear layers: (B, D) -> (B, D). At first it changes nothing.

    >>> import torch
    >>> x = torch.ones(2, 8)
    >>> bool((Block(8)(x) == x).all())
    True
    """

    def __init__(self, width: int, inner: int | None = None) -> None:
        super().__init__()
        self.first, self.second = Linear(width, inner or width), Linear(inner or width, width)
        # Zero: the block starts as the identity, so that a deep net starts as a shallow one and trains without norms.
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.silu(self.first(F.silu(x))))  # (B, D)


class ConvBlock(nn.Module):
    """A residual block of two 3 x 3 convolutions (He et al., 2016): (B, C, S, S) -> (B, C, S, S)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.silu(self.first(F.silu(x))))  # (B, C, S, S)


class ConvEncoder(nn.Module):
    """Pictures (B, C, S, S) -> vectors (B, D): each level halves the side and doubles the channels, up to 4 times."""

    def __init__(self, channels: int, side: int, first: int, width: int, depth: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        n_in, n_out = channels, first
        for _ in range(halvings(side)):
            # A kernel of 4 with a stride of 2: every pixel is read by the same number of filters, which leaves no pattern.
            layers += [nn.Conv2d(n_in, n_out, 4, stride=2, padding=1), *(ConvBlock(n_out) for _ in range(depth))]
            n_in, n_out, side = n_out, min(2 * n_out, 4 * first), side // 2
        self.layers = nn.Sequential(*layers)
        self.out = Linear(n_in * side * side, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(F.silu(self.layers(x)).flatten(1))  # (B, C, S, S) -> (B, D)


class ConvDecoder(nn.Module):
    """Vectors (B, D) -> pictures (B, C, S, S): the encoder's levels in reverse, by sub-pixel convolution (Shi et al., 2016)."""

    def __init__(self, channels: int, side: int, first: int, width: int, depth: int) -> None:
        super().__init__()
        steps = halvings(side)
        counts = [channels, *(min(first * 2**i, 4 * first) for i in range(steps))]
        self.side, self.channels = side // 2**steps, counts[-1]
        self.start = Linear(width, self.channels * self.side**2)
        layers: list[nn.Module] = []
        for n_out, n_in in zip(counts[-2::-1], counts[:0:-1], strict=True):
            layers += [*(ConvBlock(n_in) for _ in range(depth)), nn.SiLU()]
            # Four channels are laid out as 2 x 2 points: a transposed convolution would leave a checkerboard.
            layers += [nn.Conv2d(n_in, 4 * n_out, 3, padding=1), nn.PixelShuffle(2)]
        self.layers = nn.Sequential(*layers)

    def forward(self, h: Tensor) -> Tensor:
        x = self.start(F.silu(h)).unflatten(1, (self.channels, self.side, self.side))  # (B, C, S/4, S/4)
        out: Tensor = self.layers(x)
        return out  # (B, C, S, S)


def halvings(side: int) -> int:
    """How many times a side is halved: until it is 8 or less or odd, but twice if possible.

    >>> [halvings(side) for side in (16, 28, 32, 64)]
    [2, 2, 2, 3]
    """
    count = 0
    while side % 2 == 0 and (side > 8 or count < 2):
        side, count = side // 2, count + 1
    return count
