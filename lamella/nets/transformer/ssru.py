"""The simpler simple recurrent unit (Kim et al., 2019, "From Research to Production and Back"): a decoder without a past.

Self-attention keeps the keys and values of every token so far and reads all of them at each step; this unit keeps one
vector. Its products do not depend on the state, so that in training they are made for all positions at once, and only
sums and products number by number go from step to step.

    f_t = sigmoid(W_f x_t + b_f)      c_t = f_t c_{t-1} + (1 - f_t) W x_t      h_t = relu(c_t)
"""

from typing import Any

import torch
from torch import Tensor, nn

from lamella.nets.layers import Linear


class _Scan(torch.autograd.Function):
    """`c_t = f_t c_{t-1} + v_t`, from zeros; its gradient is the same recurrence, from the end to the start.

    Written out, since autograd would keep several arrays for each step and go through them one by one.
    """

    @staticmethod
    def forward(ctx: Any, forget: Tensor, value: Tensor) -> Tensor:
        cell, cells = torch.zeros_like(value[:, 0]), []
        for f, v in zip(forget.unbind(1), value.unbind(1), strict=True):
            cell = torch.addcmul(v, f, cell)
            cells.append(cell)
        found = torch.stack(cells, dim=1)
        ctx.save_for_backward(forget, found)
        return found

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        forget, cells = ctx.saved_tensors
        slope, slopes = torch.zeros_like(cells[:, 0]), []
        # Of each cell: what comes from its own output, and what comes from the cell after it.
        later = torch.cat([forget[:, 1:], torch.zeros_like(forget[:, :1])], dim=1)
        for f, g in zip(reversed(later.unbind(1)), reversed(grads[0].unbind(1)), strict=True):
            slope = torch.addcmul(g, f, slope)
            slopes.append(slope)
        found = torch.stack(slopes[::-1], dim=1)
        before = torch.cat([torch.zeros_like(cells[:, :1]), cells[:, :-1]], dim=1)
        return found * before, found


def scan(forget: Tensor, value: Tensor) -> Tensor:
    """`c_t = f_t c_{t-1} + v_t` over the second axis, from zeros: both (B, T, D) -> (B, T, D).

    >>> scan(torch.full((1, 3, 1), 0.5), torch.ones(1, 3, 1)).flatten().tolist()
    [1.0, 1.5, 1.75]
    """
    found: Tensor = _Scan.apply(forget, value)  # type: ignore[no-untyped-call]
    return found


class SSRU(nn.Module):
    """In the place of a decoder's masked self-attention: (B, T, D) -> (B, T, D), no position sees those after it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.input, self.forget = Linear(width, width, bias=False), Linear(width, width)

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """All positions at once, for training; `bias`, which hides later positions from attention, is not needed."""
        forget = torch.sigmoid(self.forget(x)).float()  # sums over time in float32, whatever the net computes in
        return torch.relu(scan(forget, (1 - forget) * self.input(x).float())).to(x.dtype)

    def step(self, x: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        """One position: x (..., D) and the cell so far (..., D) -> output and new cell, (..., D) each."""
        forget = torch.sigmoid(self.forget(x))
        cell = forget * cell + (1 - forget) * self.input(x)
        return torch.relu(cell), cell
