"""Variational autoencoders (Kingma and Welling, 2014; Rezende et al., 2014): examples as points of a small space.

The encoder gives for each example not a point but a normal distribution, a mean and a variance for each of a few latent
variables; the decoder reconstructs the example from a sample of it. The loss has two terms: the reconstruction error,
and the Kullback-Leibler divergence from a standard normal distribution, which keeps the latent space without holes, so
that a point between two examples decodes to something between them. The sample is drawn as mean + deviation * noise, so
that gradients pass through it (the reparametrisation trick).

Encoder and decoder are residual: convolutional for pictures, dense for rows of numbers.
Tensors in, tensors out: B examples, C channels, S side, V values of an example, D width, Z latent variables.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from lamella.nets.layers import Linear
from lamella.nets.vae.losses import exactly
from lamella.nets.vae.parts import Block, ConvDecoder, ConvEncoder

FAR = 4.0  # standard deviations: a value of a row that is further from the mean counts as this
WAVES = 4  # sines and cosines of each latent variable, with periods of 8, 4, 2 and 1


class VAE(nn.Module):
    """An encoder to the means and variances of `dims` latent variables, and a decoder from samples of them.

    shape: of an example, (C, S, S) or (V,). dense: treat pictures as rows of points. bounded: values lie between 0 and 1,
    so the output goes through the logistic function; else they are standardised, and what is beyond `FAR` counts as that: else few
    rows with huge values, such as counts have them, take all of the space to themselves.

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
        self.cloud = Linear(width, 2 * dims)  # mean and log-variance of each latent variable
        self.start = Linear(dims * (1 + 2 * waves), width)
        self.decoder = nn.Sequential(*(Block(width) for _ in range(depth)), outside)
        # Added to every output, so that the decoder only has to learn how examples differ from the mean one.
        self.middle = nn.Parameter(torch.zeros(shape))

    def encode(self, x: Tensor) -> dict[str, Tensor]:
        """Examples (B, *shape) -> mean and log_variance (B, Z) of their latent distributions."""
        h = self.encoder(x if self.bounded else x.clamp(-FAR, FAR))
        # Computed in float32: if an example has only two latent variables, their third digit matters.
        mean, log_variance = exactly(self.cloud, h).chunk(2, dim=1)
        # Clamped, or the exponential of an early, wild log-variance overflows.
        return {"mean": mean, "log_variance": log_variance.clamp(-12, 8)}

    def decode(self, z: Tensor) -> dict[str, Tensor]:
        """Latent variables (B, Z) -> values (B, *shape)."""
        values = self.raw(z)
        return {"values": torch.sigmoid(values) if self.bounded else values}

    def raw(self, z: Tensor) -> Tensor:
        """Latent variables (B, Z) -> values before the logistic function (B, *shape).

        Each variable is joined by its sines and cosines at doubling frequencies (Fourier features): without them a net
        learns slow changes easily and the fine ones of a crowded plane hardly at all (Tancik et al., 2020).
        """
        z = z.float()
        frequencies = [math.pi / 4 * 2**i for i in range(self.waves)]
        features = torch.cat(
            [z, *(f(z * p) for p in frequencies for f in (torch.sin, torch.cos))], dim=1
        )  # (B, Z (1 + 2 W))
        out: Tensor = self.decoder(exactly(self.start, features).to(self.start.weight.dtype)) + self.middle
        return out

    def begin_at(self, mean: Any) -> "VAE":
        """Start as a net that decodes every point to the mean example, an array (*shape): training is then faster."""
        with torch.no_grad():
            # Not quite 0 and 1, whose logits are infinite.
            middle = torch.as_tensor(mean)
            self.middle.copy_(torch.logit(middle.clamp(0.01, 0.99)) if self.bounded else middle)
        return self

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        cloud = self.encode(x)
        mean, log_variance = cloud["mean"], cloud["log_variance"]
        # Outside of training the mean stands for the distribution, so that the same example always gives the same answer.
        z = mean + torch.exp(log_variance / 2) * torch.randn_like(mean) if self.training else mean
        return {"values": self.raw(z), **cloud}

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        return {
            "encode": ({"x": ("float32", "batch", *self.shape)}, ("mean", "log_variance")),
            "decode": ({"z": ("float32", "batch", self.dims)}, ("values",)),
        }
