"""AdamW, Muon for the matrices, AdaGrad for tables that ask for it; all keep float32 weights while the net computes in whatever type is fastest.

Muon (Jordan et al., 2024) replaces the momentum of a matrix by the nearest orthogonal one, so that every direction
moves equally far. Here the iteration runs over all matrices of one shape at a time, in the net's own type: at bfloat16
it costs a tenth of a step, where it pays for itself. Embeddings, norms and biases take AdamW (Loshchilov and Hutter,
2019). A net that is nothing but tables of vectors, each of which few examples speak of, names those that take AdaGrad (Duchi
et al., 2011) in its attribute `adagrad`: AdamW moves every number equally far at each step, however little is said of it.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

# Quintic steps that push all singular values towards 1, from the largest slope at zero to the flattest at one
# (the coefficients that Muon's authors publish).
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
ROUNDS = 5


def orthogonalize(update: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """The nearest matrices with orthonormal rows or columns, approximately: (N, R, C) -> (N, R, C) in float32.

    >>> turned = orthogonalize(torch.diag(torch.tensor([3.0, 0.5]))[None])
    >>> bool((turned[0].diagonal() - 1).abs().max() < 0.35)
    True
    """
    x = update / (update.norm(dim=(1, 2), keepdim=True) + 1e-7)
    tall = x.shape[1] > x.shape[2]
    x = (x.transpose(1, 2) if tall else x).to(dtype)
    a, b, c = NEWTON_SCHULZ
    for _ in range(ROUNDS):
        square = x @ x.transpose(1, 2)
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return (x.transpose(1, 2) if tall else x).float()


class Parts:
    """What this process has of each weight: all of it, unless a net is divided (`lamella.train.divided`)."""

    def local(self, weight: Tensor) -> Tensor:
        """The part of a weight, or of its gradient, that is here."""
        return weight

    def apart(self, weights: Sequence[Tensor]) -> list[Tensor]:
        """The weights whose gradients are still to be added up among the processes."""
        return list(weights)

    def norm(self, weights: Sequence[Tensor], grads: Sequence[Tensor]) -> float:
        """The norm of all gradients, of which `grads` are the parts that are here."""
        return float(torch.linalg.vector_norm(torch.stack(torch._foreach_norm(list(grads)))))

    def whole(self, weight: Tensor, part: Tensor) -> Tensor:
        """All rows of what belongs to a weight, of which `part` are those that are here."""
        return part

    def own(self, weight: Tensor, whole: Tensor) -> Tensor:
        """The rows of that which belong here."""
        return whole


WHOLE = Parts()


class Optimizer:
    """All of them, over a net's parameters, with float32 masters where the net's own weights are narrower.

    `muon` says whether two-dimensional weights other than tables take Muon. `rate` is the peak learning rate of all:
    Muon's update is scaled to a root mean square of one rate a weight, about what AdamW moves one at first.
    `factors`: on the rate, by the name of a weight; 1 where it names none. `parts`: what of each weight is moved here.
    """

    def __init__(
        self,
        net: nn.Module,
        rate: float,
        decay: float = 0.01,
        muon: bool = True,
        factors: Mapping[str, float] | None = None,
        parts: Parts = WHOLE,
    ) -> None:
        named = [(name, p) for name, p in net.named_parameters() if p.requires_grad]
        self.weights = [p for _, p in named]
        self.parts = parts
        self.masters = [parts.local(p.detach()).float().clone() for p in self.weights]
        self.names = [name for name, _ in named]
        asked = getattr(net, "adagrad", ())
        self.summed = [i for i, name in enumerate(self.names) if name in asked]
        tables = ("table", "embedding.weight", *asked)
        self.muon = [muon and p.ndim == 2 and not name.endswith(tables) for name, p in named]
        self.rate, self.decay, self.factors = rate, decay, dict(factors or {})
        self.each = [self.factors.get(name, 1.0) for name in self.names]
        self.first = [torch.zeros_like(m) for m in self.masters]
        pairs = zip(self.masters, self.muon, strict=True)
        self.second = [m.new_zeros(0) if is_muon else torch.zeros_like(m) for m, is_muon in pairs]
        self.count = 0
        self.shapes: dict[torch.Size, list[int]] = {}
        for i, is_muon in enumerate(self.muon):
            if is_muon:
                self.shapes.setdefault(self.weights[i].shape, []).append(i)

    def gradients(self) -> list[Tensor]:
        """The gradients in float32, taken off the net."""
        pairs = zip(self.weights, self.masters, strict=True)
        found = [torch.zeros_like(m) if p.grad is None else self.parts.local(p.grad).float() for p, m in pairs]
        for p in self.weights:
            p.grad = None
        return found

    @torch.no_grad()
    def step(self, factor: float, clip: float = 1.0) -> float:
        """One update at `factor` times the peak rate; the global norm of the gradient before clipping is returned."""
        grads = self.gradients()
        norm = self.parts.norm(self.weights, grads)
        if not norm < float("inf"):  # also true of NaN
            return norm
        if norm > clip:
            torch._foreach_mul_(grads, clip / norm)
        self.count += 1
        rate = self.rate * factor
        self._adamw(grads, rate)
        self._muon(grads, rate)
        self._adagrad(grads)
        for weight, master in zip(self.weights, self.masters, strict=True):
            self.parts.local(weight).copy_(master)
        return norm

    def _adamw(self, grads: Sequence[Tensor], rate: float) -> None:
        plain = [i for i, is_muon in enumerate(self.muon) if not is_muon and i not in self.summed]
        if not plain:
            return
        masters, gs = [self.masters[i] for i in plain], [grads[i] for i in plain]
        first, second = [self.first[i] for i in plain], [self.second[i] for i in plain]
        torch._foreach_lerp_(first, gs, 1 - 0.9)
        torch._foreach_mul_(second, 0.98)
        torch._foreach_addcmul_(second, gs, gs, 1 - 0.98)
        scale = torch._foreach_sqrt(second)
        torch._foreach_div_(scale, (1 - 0.98**self.count) ** 0.5)
        torch._foreach_add_(scale, 1e-9)
        own = [rate * self.each[i] for i in plain]
        torch._foreach_mul_(masters, [1 - r * self.decay for r in own])
        torch._foreach_addcdiv_(masters, first, scale, [-r / (1 - 0.9**self.count) for r in own])

    def _muon(self, grads: Sequence[Tensor], rate: float) -> None:
        for shape, members in self.shapes.items():
            for i in members:
                self.first[i].lerp_(grads[i], 1 - 0.95)
            parts = [grads[i].lerp(self.first[i], 0.95) for i in members]
            nesterov = torch.stack([self.parts.whole(self.weights[i], p) for i, p in zip(members, parts, strict=True)])
            turned = orthogonalize(nesterov, self.weights[members[0]].dtype)
            # An orthogonal matrix has entries of root mean square 1 / sqrt(longer side): one rate a weight after this.
            # A fifth of it, which large models take (Liu et al., 2025), was too timid here (docs/LOG.md).
            step = rate * max(shape) ** 0.5
            for i, update in zip(members, turned, strict=True):
                factor = self.each[i]
                rows = self.parts.own(self.weights[i], update)
                self.masters[i].mul_(1 - factor * rate * self.decay).add_(rows, alpha=-factor * step)

    def _adagrad(self, grads: Sequence[Tensor]) -> None:
        """At the peak rate throughout: what it divides by grows, and a rate that falls besides was worse (docs/LOG.md)."""
        for i in self.summed:
            own = self.rate * self.each[i]
            self.second[i].addcmul_(grads[i], grads[i])
            self.masters[i].mul_(1 - own * self.decay)
            self.masters[i].addcdiv_(grads[i], self.second[i].sqrt().add_(1e-10), value=-own)
