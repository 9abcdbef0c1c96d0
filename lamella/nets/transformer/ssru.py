"""The simpler simple recurrent unit, SSRU (Kim et al., 2019, "From Research to Production and Back").

It replaces a decoder's self-attention, which keeps the keys and values of every token so far and reads them all at each
step; this unit keeps one vector. Its matrix products do not depend on the state, so in training they are computed for
all positions at once, and only elementwise operations go from step to step.

    f_t = sigmoid(W_f x_t + b_f)      c_t = f_t c_{t-1} + (1 - f_t) W x_t      h_t = relu(c_t)
"""

from typing import Any

import torch
from torch import Tensor, nn

from lamella.nets.layers import Linear


class _Scan(torch.autograd.Function):
    """`c_t = f_t c_{t-1} + v_t`, from zeros; its gradient is the same recurrence, from the end to the start.

    The gradient is written by hand, since autograd would keep several arrays for each step.
    """

    @staticmethod
    def forward(ctx: Any, forget: Tensor, value: Tensor) -> Tensor:
        # unbind gives views: nothing is copied on the way through time.
        cell, cells = torch.zeros_like(value[:, 0]), []
        for f, v in zip(forget.unbind(1), value.unbind(1), strict=True):
            cell = torch.addcmul(v, f, cell)
            cells.append(cell)
        states = torch.stack(cells, dim=1)
        ctx.save_for_backward(forget, states)
        return states

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        forget, cells = ctx.saved_tensors
        slope, slopes = torch.zeros_like(cells[:, 0]), []
        # A cell's gradient is that of its own output plus that of the cell after it, times the forget gate there.
        later = torch.cat([forget[:, 1:], torch.zeros_like(forget[:, :1])], dim=1)
        for f, g in zip(reversed(later.unbind(1)), reversed(grads[0].unbind(1)), strict=True):
            slope = torch.addcmul(g, f, slope)
            slopes.append(slope)
        grad_value = torch.stack(slopes[::-1], dim=1)
        # By c_t = f_t c_{t-1} + v_t, the gradient by f_t is the gradient by v_t times c_{t-1}.
        before = torch.cat([torch.zeros_like(cells[:, :1]), cells[:, :-1]], dim=1)
        return grad_value * before, grad_value


def scan(forget: Tensor, value: Tensor) -> Tensor:
    """`c_t = f_t c_{t-1} + v_t` over the second axis, from zeros: both (B, T, D) -> (B, T, D).

    >>> scan(torch.full((1, 3, 1), 0.5), torch.ones(1, 3, 1)).flatten().tolist()
    [1.0, 1.5, 1.75]
    """
    states: Tensor = _Scan.apply(forget, value)  # type: ignore[no-untyped-call]
    return states


class SSRU(nn.Module):
    """A recurrent layer in place of a decoder's causal self-attention: (B, T, D) -> (B, T, D)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.input, self.forget = Linear(width, width, bias=False), Linear(width, width)

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """All positions at once, for training; `bias`, the causal mask that attention needs, is ignored."""
        forget = torch.sigmoid(self.forget(x)).float()  # sums over time are made in float32, or rounding adds up
        return torch.relu(scan(forget, (1 - forget) * self.input(x).float())).to(x.dtype)

    def step(self, x: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        """One position: x (..., D) and the cell so far (..., D) -> output and new cell, (..., D) each."""
        forget = torch.sigmoid(self.forget(x))
        cell = forget * cell + (1 - forget) * self.input(x)
        return torch.relu(cell), cell
