"""Weights of another net into this one, by name.

What has the same name and shape is taken; the rest stays as it was made. The caller says which of that is a fault: an
imported net must be whole, a training that begins from another model's may have a new head.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from lamella.errors import ModelError


@dataclass(frozen=True)
class Filled:
    """What became of the weights, by name."""

    taken: list[str]
    missing: list[str]  # of the net, which the other did not have: still as they were made
    odd: list[str]  # of another shape: still as they were made
    unused: list[str]  # of the other, which the net does not have

    def lines(self) -> list[str]:
        """For people.

        >>> Filled(["a", "b"], ["c"], [], []).lines()
        ['weights: 2 taken, 1 new (c)']
        """
        new, unused = [*self.missing, *self.odd], f", {len(self.unused)} not used" if self.unused else ""
        made = f", {len(new)} new ({', '.join(new[:3])}{', ...' if len(new) > 3 else ''})" if new else ""
        return [f"weights: {len(self.taken)} taken{made}{unused}"]

    def all_or_error(self, where: str) -> None:
        """ModelError where the two nets are not of the same weights."""
        for what, names in (
            ("does not have", self.missing),
            ("has in another shape", self.odd),
            ("has besides", self.unused),
        ):
            if names:
                raise ModelError(
                    f"{where}: {what} {', '.join(names[:4])}, so it is another net. Use a model of the same sizes."
                )


def fill(net: nn.Module, weights: Mapping[str, NDArray[Any]]) -> Filled:
    """Copy the arrays that have the name and the shape of one of the net's parameters or kept buffers into it.

    >>> net = nn.Linear(2, 1)
    >>> fill(net, {"weight": np.ones((1, 2)), "bias": np.zeros(3)}).odd, net.weight.tolist()
    (['bias'], [[1.0, 1.0]])
    """
    state = net.state_dict()
    odd = [name for name, array in weights.items() if name in state and array.shape != tuple(state[name].shape)]
    taken = [name for name in weights if name in state and name not in odd]
    with torch.no_grad():
        for name in taken:
            state[name].copy_(torch.from_numpy(np.array(weights[name])))  # state_dict shares memory with the net
    return Filled(
        taken, [name for name in state if name not in weights], odd, [name for name in weights if name not in state]
    )
