"""Variational autoencoders (Kingma and Welling, 2014; Rezende et al., 2014): a few numbers that say what an example is.

The encoder gives for each example not a point but a cloud, a mean and a variance for each of a few hidden numbers; the
decoder makes the example again from a point of that cloud. Two wishes are weighed against each other: that what is made
looks like the example, and that all clouds together look like one standard normal cloud (the Kullback-Leibler term), so
that between two examples lies something and not a hole. Because the point is drawn as mean + deviation * noise, the
gradient goes through it.

Two families of encoder and decoder stand here, residual both: convolutional for pictures, dense for rows of numbers.
Tensors in, tensors out: B examples, C channels, S side, V values of an example, D width, Z hidden numbers.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.layers import Linear

WAVES = 4  # of each hidden number: with periods of 8, 4, 2 and 1


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


class VAE(nn.Module):
    """An encoder to `dims` normal clouds, and a decoder from points of them.

    shape: of an example, (C, S, S) or (V,); `dense` takes pictures as rows of points. `bounded`: values are 0 to 1, and the
    last thing that is done to them is the logistic function.

    >>> net = VAE(shape=(5,), dims=2, width=16, depth=1)
    >>> out = net(torch.zeros(3, 5))
    >>> out["values"].shape, out["mean"].shape, net.decode(out["mean"])["values"].shape
    (torch.Size([3, 5]), torch.Size([3, 2]), torch.Size([3, 5]))
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dims: int,
        width: int = 192,
        depth: int = 2,
        channels: int = 32,
        blocks: int = 1,
        bounded: bool = False,
        dense: bool = False,
        waves: int = WAVES,
    ) -> None:
        super().__init__()
        self.shape, self.dims, self.bounded, self.waves = shape, dims, bounded, waves
        inside: nn.Module
        outside: nn.Module
        if dense or len(shape) == 1:
            count = math.prod(shape)
            inside = nn.Sequential(nn.Flatten(), Linear(count, width))
            outside = nn.Sequential(nn.SiLU(), Linear(width, count), nn.Unflatten(1, shape))
        else:
            inside = ConvEncoder(shape[0], shape[1], channels, width, blocks)
            outside = ConvDecoder(shape[0], shape[1], channels, width, blocks)
        self.encoder = nn.Sequential(inside, *(Block(width) for _ in range(depth)), nn.SiLU())
        self.cloud = Linear(width, 2 * dims)
        self.start = Linear(dims * (1 + 2 * waves), width)
        self.decoder = nn.Sequential(*(Block(width) for _ in range(depth)), outside)
        self.middle = nn.Parameter(torch.zeros(shape))

    def encode(self, x: Tensor) -> dict[str, Tensor]:
        """(B, *shape) -> mean and log_variance (B, Z) of the clouds."""
        h = self.encoder(x)
        # The point is kept in float32: with two numbers for an example the third digit matters.
        mean, log_variance = exactly(self.cloud, h).chunk(2, dim=1)
        return {"mean": mean, "log_variance": log_variance.clamp(-12, 8)}

    def decode(self, z: Tensor) -> dict[str, Tensor]:
        """(B, Z) -> values (B, *shape)."""
        values = self.raw(z)
        return {"values": torch.sigmoid(values) if self.bounded else values}

    def raw(self, z: Tensor) -> Tensor:
        """(B, Z) -> values before the logistic function (B, *shape).

        Beside each number come its sine and cosine at growing pace: layers see far along a line easily, but the small
        differences on which a crowded plane depends only so (Tancik et al., 2020).
        """
        z = z.float()
        paces = [math.pi / 4 * 2**i for i in range(self.waves)]
        seen = torch.cat([z, *(f(z * p) for p in paces for f in (torch.sin, torch.cos))], dim=1)  # (B, Z (1 + 2 W))
        out: Tensor = self.decoder(exactly(self.start, seen).to(self.start.weight.dtype)) + self.middle
        return out

    def begin_at(self, mean: Any) -> "VAE":
        """Begin as the net that makes the mean example, an array (*shape), of every point: the rest is learnt sooner."""
        with torch.no_grad():
            middle = torch.as_tensor(mean)
            self.middle.copy_(torch.logit(middle.clamp(0.01, 0.99)) if self.bounded else middle)
        return self

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        cloud = self.encode(x)
        mean, log_variance = cloud["mean"], cloud["log_variance"]
        z = mean + torch.exp(log_variance / 2) * torch.randn_like(mean) if self.training else mean
        return {"values": self.raw(z), **cloud}

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        return {
            "encode": ({"x": ("float32", "batch", *self.shape)}, ("mean", "log_variance")),
            "decode": ({"z": ("float32", "batch", self.dims)}, ("values",)),
        }


def exactly(layer: Linear, x: Tensor) -> Tensor:
    """A layer in float32, whatever the net computes in."""
    out = x.float() @ layer.weight.float()
    return out if layer.bias is None else out + layer.bias.float()


def unlikelihood(made: Tensor, wanted: Tensor, known: Tensor | None = None, binary: bool = False) -> Tensor:
    """The negative log-likelihood of examples, in nats a value and up to a constant: (B, ...) twice -> a number.

    Pictures are made before the logistic function. Where they are zeros and ones (`binary`), each point is a coin; else
    values are normal with the variance that fits best, which is the mean square itself (Rybkin et al., 2021). `known`
    (B, V) is given for rows: 1 where a value counts.
    """
    if binary:
        return F.binary_cross_entropy_with_logits(made, wanted)
    square = (made - wanted if known is not None else made.sigmoid() - wanted).square()
    if known is not None:
        square = square * known / known.mean().clamp(min=1e-3)
    return (square.mean() + 1e-6).log() / 2


def negative_bound(
    made: Tensor, mean: Tensor, log_variance: Tensor,
    wanted: Tensor, known: Tensor | None = None, binary: bool = False, beta: float = 1.0,
) -> Tensor:  # fmt: skip
    """The negative of the bound on the log-likelihood, in nats a value: the objective of Kingma and Welling (2014).

    mean, log_variance (B, Z); the others as for `unlikelihood`. beta weighs the divergence (Higgins et al., 2017).
    """
    pressed = beta * divergence(mean, log_variance).mean() / wanted[0].numel()
    return unlikelihood(made.float(), wanted.float(), None if known is None else known.float(), binary) + pressed


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence in nats of each cloud from the standard normal one: (B, Z) twice -> (B,).

    >>> divergence(torch.zeros(1, 3), torch.zeros(1, 3)).tolist()
    [0.0]
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1)
