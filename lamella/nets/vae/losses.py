"""The loss of a variational autoencoder: how unlike the example what is made is, and how far the clouds are from normal."""

from torch import Tensor
from torch.nn import functional as F

from lamella.nets.layers import Linear


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
