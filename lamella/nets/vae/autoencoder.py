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

from lamella.nets.layers import Linear
from lamella.nets.vae.losses import exactly
from lamella.nets.vae.parts import Block, ConvDecoder, ConvEncoder

WAVES = 4  # of each hidden number: with periods of 8, 4, 2 and 1


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
