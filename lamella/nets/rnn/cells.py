"""Recurrent cells: the gated recurrent unit (Cho et al., 2014) and long short-term memory (Hochreiter and Schmidhuber, 1997)."""

import torch
from torch import Tensor, nn

from lamella.nets.layers import Linear


class GRU(nn.Module):
    """A gated recurrent unit, by steps or over a whole text; torch's equations and order of gates.

    r = sigmoid(reset), z = sigmoid(update), n = tanh(new, the old state let through by r), h' = (1 - z) n + z h.

    >>> unit = GRU(4, 6)
    >>> unit.step(torch.zeros(2, 4), torch.zeros(2, 6)).shape, unit(torch.zeros(2, 5, 4)).shape
    (torch.Size([2, 6]), torch.Size([2, 5, 6]))
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.enter, self.keep = Linear(width, 3 * hidden), Linear(hidden, 3 * hidden)

    def step(self, x: Tensor, state: Tensor) -> Tensor:
        """x (B, D), state (B, H) -> the next state (B, H)."""
        reset, update, new = self.enter(x).chunk(3, dim=1)
        old_reset, old_update, old_new = self.keep(state).chunk(3, dim=1)
        let = torch.sigmoid(update + old_update)
        fresh = torch.tanh(new + torch.sigmoid(reset + old_reset) * old_new)
        return fresh + let * (state - fresh)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) -> all states (B, T, H), from an empty one."""
        start = x.new_zeros(1, x.shape[0], self.hidden)
        biases = [b for b in (self.enter.bias, self.keep.bias) if b is not None]
        weights = [self.enter.weight.t(), self.keep.weight.t(), *biases]
        # has_biases, layers, dropout, train, both ways, batch first
        states, _ = torch.gru(x, start, weights, True, 1, 0.0, self.training, False, True)
        return states


class LSTM(nn.Module):
    """A long short-term memory, by steps or over a whole text; torch's equations and order of gates.

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
        with torch.no_grad():  # it begins by remembering (Jozefowicz et al., 2015)
            self.enter.bias[hidden : 2 * hidden] = 1.0

    def step(self, x: Tensor, state: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, D), state and cell (B, H) -> the next two (B, H)."""
        enter, forget, new, show = (self.enter(x) + self.keep(state)).chunk(4, dim=1)
        cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(new)
        return torch.sigmoid(show) * torch.tanh(cell), cell

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) -> all states (B, T, H), from an empty one."""
        start = x.new_zeros(1, x.shape[0], self.hidden)
        bias = self.enter.bias
        assert bias is not None
        weights = [self.enter.weight.t(), self.keep.weight.t(), bias, torch.zeros_like(bias)]
        # has_biases, layers, dropout, train, both ways, batch first
        states, _, _ = torch.lstm(x, (start, start), weights, True, 1, 0.0, self.training, False, True)
        return states
