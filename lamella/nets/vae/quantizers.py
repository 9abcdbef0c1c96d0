"""Quantisers: vectors of real numbers -> one of a few codes each, with gradients that pass straight through.

`FSQ` (finite scalar quantisation; Mentzer et al., 2023) bounds each of a few numbers and rounds it to one of a few levels;
the codes are all combinations of levels. Nothing is learned, so no code can die. `VQ` (van den Oord et al., 2017) keeps a
table of vectors, each the moving average of what was nearest to it, and gives those that nobody is near to a new start.

    quantizer = FSQ((8, 6, 5))
    values, codes, loss = quantizer(z)       z (B, F, H, W) -> the same rounded, codes (B, H, W), what to add to the loss
    quantizer.values(codes)                  what the decoder reads for these codes
"""

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.part import whole

LEVELS = {64: (8, 8), 240: (8, 6, 5), 1000: (8, 5, 5, 5)}  # number of codes -> levels of each number (their table 1)
DECAY = 0.95  # of the moving averages of a VQ; a training of minutes has no time for .99
ALIVE = 0.03  # of the mean use: a code that is used less begins anew
TIE = 1e-5  # of the mean squared length of a vector: distances that differ by less are equal
COMMITMENT = 0.25  # weight of the encoder's distance from its code (van den Oord et al., 2017)


class FSQ(nn.Module):
    """Round each of F numbers to one of its levels; the codes are numbered like the digits of a number.

    >>> quantizer = FSQ((8, 5))
    >>> values, codes, _ = quantizer(torch.randn(2, 2, 3, 3))
    >>> codes.shape, bool((quantizer.values(codes) == values).all()), quantizer.count
    (torch.Size([2, 3, 3]), True, 40)
    """

    def __init__(self, levels: tuple[int, ...]) -> None:
        super().__init__()
        self.levels, self.features, self.count = levels, len(levels), math.prod(levels)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """z (B, F, H, W) -> values from -1 to 1 (B, F, H, W), codes (B, H, W), and no loss."""
        parts = []
        for number, levels in zip(z.float().unbind(1), self.levels, strict=True):
            bounded = _bounded(number, levels)
            # The straight-through estimator: rounded on the way there, as if it were not on the way back.
            parts.append((bounded + (bounded.round() - bounded).detach()) / (levels // 2))
        return torch.stack(parts, dim=1), self.codes(z), z.new_zeros(())

    def codes(self, z: Tensor) -> Tensor:
        """z (B, F, H, W) -> codes (B, H, W), whole numbers from 0 to count - 1."""
        total, base = torch.zeros_like(z[:, 0]).float(), 1
        for number, levels in zip(z.float().unbind(1), self.levels, strict=True):
            total = total + (_bounded(number, levels).round() + levels // 2) * base
            base *= levels
        return total.long()

    def values(self, codes: Tensor) -> Tensor:
        """codes (B, H, W) -> values (B, F, H, W)."""
        parts, base = [], 1
        for levels in self.levels:
            digit = torch.div(codes, base, rounding_mode="floor") % levels
            parts.append((digit.float() - levels // 2) / (levels // 2))
            base *= levels
        return torch.stack(parts, dim=1)


def _bounded(x: Tensor, levels: int) -> Tensor:
    """Any number -> one that rounds to one of so many whole numbers around 0: -4 to 3 for 8 levels, -2 to 2 for 5."""
    half = (levels - 1) * (1 - 1e-3) / 2
    offset = 0.0 if levels % 2 else 0.5
    # Shifted, so that a net that gives zeros stands in the middle of a level and not on the edge of two.
    return torch.tanh(x + math.atanh(offset / half)) * half - offset


class VQ(nn.Module):
    """The nearest vector of a table that follows the encoder: moving averages, a start at data, restarts of unused codes.

    >>> quantizer = VQ(16, features=4)
    >>> values, codes, loss = quantizer(torch.randn(2, 4, 3, 3))
    >>> codes.shape, bool(torch.isclose(quantizer.values(codes), values).all()), loss.shape
    (torch.Size([2, 3, 3]), True, torch.Size([]))
    """

    codebook: Tensor
    used: Tensor

    def __init__(self, count: int, features: int = 8) -> None:
        super().__init__()
        self.count, self.features = count, features
        # Buffers: they are moved by averages, not by gradients.
        self.register_buffer("codebook", torch.randn(count, features))
        self.register_buffer("used", torch.zeros(count))  # vectors a batch, a moving average; zeros: not begun

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "VQ":
        """Go to a device or a number type, but for the table: in a narrow type a moving average would stand still."""
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self.codebook, self.used = self.codebook.float(), self.used.float()
        return self

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """z (B, F, H, W) -> vectors of the table (B, F, H, W), codes (B, H, W), and the loss that binds z to them."""
        if self.training:
            with whole(z) as every:
                self._follow(every.detach())
        codes = self.codes(z)
        values = self.values(codes)
        loss = COMMITMENT * F.mse_loss(z, values)
        return z + (values - z).detach(), codes, loss

    def codes(self, z: Tensor) -> Tensor:
        """z (B, F, H, W) -> the number of the nearest vector (B, H, W)."""
        rows = z.permute(0, 2, 3, 1).float()  # (B, H, W, F)
        # |z - c|^2 without |z|^2, which is the same for all.
        lengths = self.codebook.square().sum(dim=1)
        distance = lengths - 2 * rows @ self.codebook.t()  # (B, H, W, K)
        # Equal patches start several vectors at one place. Of such the first one is meant, or rounding would choose.
        near = distance <= distance.amin(dim=-1, keepdim=True) + TIE * lengths.mean()
        return near.int().argmax(dim=-1)

    def values(self, codes: Tensor) -> Tensor:
        """codes (B, H, W) -> vectors (B, F, H, W)."""
        return F.embedding(codes, self.codebook).permute(0, 3, 1, 2)

    @torch.no_grad()
    def _follow(self, z: Tensor) -> None:
        """Move each vector to the mean of what is nearest to it, and unused ones onto vectors of this batch."""
        rows = z.permute(0, 2, 3, 1).flatten(0, 2).float()  # (N, F)
        begun = bool(self.used.any())
        if not begun:
            self.codebook.copy_(rows[torch.randint(len(rows), (self.count,), device=rows.device)])
        nearest = F.one_hot(self.codes(z).flatten(), self.count).float()  # (N, K)
        counts, sums = nearest.sum(dim=0), nearest.t() @ rows
        here = counts > 0
        # A vector moves by the share that this batch has in its average.
        total = DECAY * self.used + (1 - DECAY) * counts if begun else counts
        share = torch.where(here, (counts * (1 - DECAY if begun else 1.0)) / total.clamp(min=1e-6), 0.0)
        self.codebook.lerp_(sums / counts.clamp(min=1)[:, None], share[:, None])
        self.used.copy_(total)
        dead = self.used < ALIVE * len(rows) / self.count
        self.codebook[dead] = rows[torch.randint(len(rows), (int(dead.sum()),), device=rows.device)]
        self.used[dead] = len(rows) / self.count


def quantizer_of(kind: Literal["fsq", "vq"], count: int) -> FSQ | VQ:
    """A quantiser of about so many codes: of FSQ the largest combination of levels that is no larger.

    >>> quantizer_of("fsq", 256).count, quantizer_of("vq", 256).count
    (240, 256)
    """
    if kind == "vq":
        return VQ(count)
    return FSQ(LEVELS[max(k for k in LEVELS if k <= count)])
