"""Encoders and decoders of variational autoencoders, residual both: convolutional for pictures, dense for rows."""

from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.layers import Linear


class Block(nn.Module):
    """A residual block of two layers between vectors; the second begins at zero, so that at first it changes nothing.

    >>> x = torch.ones(2, 8)
    >>> bool((Block(8)(x) == x).all())
    True
    """

    def __init__(self, width: int, inner: int | None = None) -> None:
        super().__init__()
        self.first, self.second = Linear(width, inner or width), Linear(inner or width, width)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.silu(self.first(F.silu(x))))  # (B, D)


class ConvBlock(nn.Module):
    """The same between pictures of C channels: two 3 x 3 convolutions (He et al., 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.silu(self.first(F.silu(x))))  # (B, C, S, S)


class ConvEncoder(nn.Module):
    """Pictures -> vectors: the side is halved and the channels are doubled, twice or more, until few points are left."""

    def __init__(self, channels: int, side: int, first: int, width: int, depth: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        n_in, n_out = channels, first
        for _ in range(halvings(side)):
            layers += [nn.Conv2d(n_in, n_out, 4, stride=2, padding=1), *(ConvBlock(n_out) for _ in range(depth))]
            n_in, n_out, side = n_out, min(2 * n_out, 4 * first), side // 2
        self.layers = nn.Sequential(*layers)
        self.out = Linear(n_in * side * side, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(F.silu(self.layers(x)).flatten(1))  # (B, C, S, S) -> (B, D)


class ConvDecoder(nn.Module):
    """Vectors -> pictures: the same steps backwards, each point becoming four (sub-pixel convolution, Shi et al., 2016)."""

    def __init__(self, channels: int, side: int, first: int, width: int, depth: int) -> None:
        super().__init__()
        steps = halvings(side)
        counts = [channels, *(min(first * 2**i, 4 * first) for i in range(steps))]
        self.side, self.channels = side // 2**steps, counts[-1]
        self.start = Linear(width, self.channels * self.side**2)
        layers: list[nn.Module] = []
        for n_out, n_in in zip(counts[-2::-1], counts[:0:-1], strict=True):
            layers += [*(ConvBlock(n_in) for _ in range(depth)), nn.SiLU()]
            layers += [nn.Conv2d(n_in, 4 * n_out, 3, padding=1), nn.PixelShuffle(2)]
        self.layers = nn.Sequential(*layers)

    def forward(self, h: Tensor) -> Tensor:
        x = self.start(F.silu(h)).unflatten(1, (self.channels, self.side, self.side))  # (B, C, S/4, S/4)
        out: Tensor = self.layers(x)
        return out  # (B, C, S, S)


def halvings(side: int) -> int:
    """How often a side is halved: to 8 points or fewer, and while it is even.

    >>> [halvings(side) for side in (16, 28, 32, 64)]
    [2, 2, 2, 3]
    """
    count = 0
    while side % 2 == 0 and (side > 8 or count < 2):
        side, count = side // 2, count + 1
    return count
