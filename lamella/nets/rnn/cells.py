"""Recurrent cells: the gated recurrent unit (Cho et al., 2014) and long short-term memory (Hochreiter and Schmidhuber, 1997)."""

import torch
from torch import Tensor, nn

from lamella.nets.layers import Linear


class GRU(nn.Module):
    """A gated recurrent unit, one step at a time or over a whole sequence, with torch's equations and order of gates.

    r = sigmoid(reset), z = sigmoid(update), n = tanh(new, the old state let through by r), h' = (1 - z) n + z h.

    >>> unit = GRU(4, 6)
    >>> unit.step(torch.zeros(2, 4), torch.zeros(2, 6)).shape, unit(torch.zeros(2, 5, 4)).shape
    (torch.Size([2, 6]), torch.Size([2, 5, 6]))
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        # The three gates share one product each for input and state: one large product is faster than three small ones.
        self.enter, self.keep = Linear(width, 3 * hidden), Linear(hidden, 3 * hidden)

    def step(self, x: Tensor, state: Tensor) -> Tensor:
        """x (B, D), state (B, H) -> the next state (B, H)."""
        reset, update, new = self.enter(x).chunk(3, dim=1)
        old_reset, old_update, old_new = self.keep(state).chunk(3, dim=1)
        keep = torch.sigmoid(update + old_update)  # 1: keep the old state; 0: replace it
        candidate = torch.tanh(new + torch.sigmoid(reset + old_reset) * old_new)
        return candidate + keep * (state - candidate)  # (1 - z) n + z h with one product less

    def forward(self, x: Tensor) -> Tensor:
        """The whole sequence (B, T, D) -> the states of all steps (B, T, H), from a state of zeros."""
        # One call for the whole loop over time, where `step` would need one from Python at each.
        start = x.new_zeros(1, x.shape[0], self.hidden)
        biases = [b for b in (self.enter.bias, self.keep.bias) if b is not None]
        weights = [*turned(self.enter.weight, self.keep.weight), *biases]
        # In this order: has_biases, layers, dropout, train, bidirectional, batch_first.
        states, _ = torch.gru(x, start, weights, True, 1, 0.0, self.training, False, True)
        return states


class LSTM(nn.Module):
    """A long short-term memory, one step at a time or over a whole sequence, with torch's equations and order of gates.

    c' = sigmoid(forget) c + sigmoid(enter) tanh(new), h' = sigmoid(show) tanh(c').

    >>> unit = LSTM(4, 6)
    >>> h, c = unit.step(torch.zeros(2, 4), torch.zeros(2, 6), torch.zeros(2, 6))
    >>> h.shape, c.shape, unit(torch.zeros(2, 5, 4)).shape
    (torch.Size([2, 6]), torch.Size([2, 6]), torch.Size([2, 5, 6]))
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.enter, self.keep = Linear(width, 4 * hidden), Linear(hidden, 4 * hidden, bias=False)
        assert self.enter.bias is not None
        # A forget gate that starts open lets gradients pass through many steps (Jozefowicz et al., 2015).
        with torch.no_grad():
            self.enter.bias[hidden : 2 * hidden] = 1.0

    def step(self, x: Tensor, state: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, D), state and cell (B, H) -> the next two (B, H)."""
        enter, forget, new, show = (self.enter(x) + self.keep(state)).chunk(4, dim=1)
        cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(new)
        return torch.sigmoid(show) * torch.tanh(cell), cell

    def forward(self, x: Tensor) -> Tensor:
        """The whole sequence (B, T, D) -> the states of all steps (B, T, H), from a state of zeros."""
        start = x.new_zeros(1, x.shape[0], self.hidden)
        bias = self.enter.bias
        assert bias is not None
        # torch has two biases that are only ever added up: the second one is always zero here.
        weights = [*turned(self.enter.weight, self.keep.weight), bias, torch.zeros_like(bias)]
        # In this order: has_biases, layers, dropout, train, bidirectional, batch_first.
        states, _, _ = torch.lstm(x, (start, start), weights, True, 1, 0.0, self.training, False, True)
        return states


def turned(*weights: Tensor) -> list[Tensor]:
    """Weights (D, N) as torch's loops over time take them, (N, D).

    The kernels of accelerators lay all of them end to end, for which views of other strides do not do.
    """
    return [w.t() if w.device.type == "cpu" else w.t().contiguous() for w in weights]
