"""The loss of a variational autoencoder: reconstruction error plus Kullback-Leibler divergence."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from lamella.nets.layers import Linear


def exactly(layer: Linear, x: Tensor) -> Tensor:
    """Apply a layer in float32, whatever type the net computes in: (..., n_in) -> (..., n_out)."""
    out = x.float() @ layer.weight.float()
    return out if layer.bias is None else out + layer.bias.float()


def unlikelihood(made: Tensor, wanted: Tensor, known: Tensor | None = None, binary: bool = False) -> Tensor:
    """The reconstruction error: negative log-likelihood in nats a value, up to a constant; (B, ...) twice -> a number.

    made: the decoder's output; for pictures, before the logistic function. binary: each point is 0 or 1, and its loss is
    the binary cross-entropy; else values are normal with the variance that fits best, which is the mean squared error
    itself (Rybkin et al., 2021). known (B, V): for rows, 1 where a value is known and counts.
    """
    if binary:
        return F.binary_cross_entropy_with_logits(made, wanted)
    # With the variance that fits best, the negative log-likelihood of a normal is half the logarithm of the error.
    square = (made - wanted if known is not None else made.sigmoid() - wanted).square()
    if known is not None:
        # Divided by the share of known values, so that the mean below is one over them alone.
        square = square * known / known.mean().clamp(min=1e-3)
    return (square.mean() + 1e-6).log() / 2


def negative_bound(
    made: Tensor, mean: Tensor, log_variance: Tensor,
    wanted: Tensor, known: Tensor | None = None, binary: bool = False, beta: float = 1.0,
) -> Tensor:  # fmt: skip
    """The negative evidence lower bound (ELBO), in nats a value: the objective of Kingma and Welling (2014).

    mean, log_variance (B, Z); the others as for `unlikelihood`. beta: the KL weight (Higgins et al., 2017).
    """
    # Both terms are nats a value, so that beta means the same for a row of 5 numbers and a picture of 784.
    weighted = beta * divergence(mean, log_variance).mean() / wanted[0].numel()
    return unlikelihood(made.float(), wanted.float(), None if known is None else known.float(), binary) + weighted


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence in nats of each distribution from the standard normal one: (B, Z) twice -> (B,).

    >>> import torch
    >>> divergence(torch.zeros(1, 3), torch.zeros(1, 3)).tolist()
    [0.0]
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1)


def discrete_logistic(values: Tensor, log_scale: Tensor, wanted: Tensor) -> Tensor:
    """The log-likelihood of bytes, in nats a point (Salimans et al., 2017, PixelCNN++): (B, ...) twice -> (B, ...).

    Each point is a logistic distribution around `values`, cut into 256 steps; black and white hold all that lies beyond
    them. log_scale (B,): of each picture; wanted: bytes / 255. The same in numpy: `lamella.decode.likelihood`.

    >>> steps = torch.arange(256) / 255
    >>> total = discrete_logistic(torch.full((1, 256), 0.3), torch.tensor([-3.0]), steps[None]).exp().sum()
    >>> round(total.item(), 4)
    1.0
    """
    scale = log_scale.exp().view(-1, *[1] * (values.ndim - 1))
    upper, lower = ((wanted - values + step / 510) / scale for step in (1, -1))
    # log(1 - sigmoid(x)) is -softplus(x), which does not round to log 0.
    inside = torch.sigmoid(upper) - torch.sigmoid(lower)
    middle = (wanted - values) / scale
    # Far out the difference of two numbers near 1 is rounding alone; there the density times the step is as good.
    far = middle - 2 * F.softplus(middle) - scale.log() - math.log(255)
    between = torch.where(inside > 1e-4, inside.clamp(min=1e-6).log(), far)
    ends = torch.where(wanted > 0.999, -F.softplus(lower), between)
    return torch.where(wanted < 0.001, upper - F.softplus(upper), ends)
