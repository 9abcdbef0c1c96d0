"""Nets that do not fit on one device: weights, gradients, moments and averages are divided among the processes (FSDP2).

    divided = Divided(whole, team, "cuda")
    for step in steps(divided.run, batches, loss, budget, schedule, team):
        ...
    divided.fetch()        the first process: `whole` is now where `divided.run` is

Each process holds some rows of every weight. Torch's `fully_shard` brings the weights of a block together just before it computes
with them, and adds up gradients so that each process gets those of its rows (Zhao et al., 2023). Single numbers stay whole.

Looking, saving and exporting need the whole net: the first process keeps it in the processor's memory. After each step it may ask
for the others' parts; they answer until it has asked enough (`settle`).
"""

from __future__ import annotations

import copy
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor

from lamella.train.engine import Run
from lamella.train.optimizer import Optimizer, Parts
from lamella.train.team import Team


class Rows(Parts):
    """Which rows of each weight a process has: equal shares in the order of the ranks, the last ones smaller or none."""

    def __init__(self, team: Team) -> None:
        self._team = team

    def local(self, weight: Tensor) -> Tensor:
        return weight.to_local() if isinstance(weight, DTensor) else weight

    def apart(self, weights: Sequence[Tensor]) -> list[Tensor]:
        return [weight for weight in weights if not isinstance(weight, DTensor)]

    def norm(self, weights: Sequence[Tensor], grads: Sequence[Tensor]) -> float:
        each = torch.stack(torch._foreach_norm(list(grads))).square()
        alone = torch.tensor([not isinstance(weight, DTensor) for weight in weights], device=each.device)
        each = torch.where(alone, each / self._team.size, each)  # these are the same in all processes
        return float(self._team.total(each.sum()).sqrt())

    def whole(self, weight: Tensor, part: Tensor) -> Tensor:
        if not isinstance(weight, DTensor):
            return part
        most = self._most(weight)
        padded = part.new_zeros(most, *part.shape[1:])
        padded[: len(part)] = part
        return self._team.gather(padded, [most] * self._team.size)[: weight.shape[0]]

    def own(self, weight: Tensor, whole: Tensor) -> Tensor:
        if not isinstance(weight, DTensor):
            return whole
        first = self._team.rank * self._most(weight)
        return whole[first : first + self._most(weight)]

    def _most(self, weight: Tensor) -> int:
        """Rows of the processes that have most, as torch divides them."""
        return -(-weight.shape[0] // self._team.size)


class Divided:
    """A run in parts, one in each process.

    whole: the run to begin with, the same in all processes; afterwards the first one's alone is of use, as it was last fetched.
    device: where the parts are.
    """

    def __init__(self, whole: Run, team: Team, device: str) -> None:
        self._team, self._whole, self._rows = team, whole, Rows(team)
        net = copy.deepcopy(whole.net) if team.leads else whole.net
        _shard(net, team, device)
        last = whole.optimizer
        optimizer = Optimizer(net, last.rate, last.decay, any(last.muon), last.factors, self._rows)
        optimizer.count = last.count
        self.run = Run(net, optimizer, whole.step, whole.seconds, whole.tokens, whole.smoothing, lost=whole.lost)
        self.run.begun = whole.begun
        for weight, part, value in self._pairs():
            part.copy_(self._rows.own(weight, value))
        self._at = whole.step  # the step at which the whole run is
        if not team.leads:
            whole.optimizer, whole.average = optimizer, self.run.average  # nobody needs the others

    def fetch(self) -> None:
        """In the first process: be at the step that the parts are at, with their weights, moments and averages."""
        if self._at == self.run.step:
            return
        self._asked(True)
        self._bring()
        run, whole = self.run, self._whole
        for mine, theirs in zip(whole.net.buffers(), run.net.buffers(), strict=True):
            mine.copy_(theirs)
        whole.step, whole.seconds, whole.tokens, whole.lost = run.step, run.seconds, run.tokens, run.lost
        whole.optimizer.count = run.optimizer.count
        whole.current()
        self._at = run.step

    def settle(self) -> None:
        """After a step, in all processes: answer what the first one asks, until it goes on."""
        if self._team.leads:
            if self._at == self.run.step:
                self.run.seconds = self._whole.seconds  # looking takes time
            self._asked(False)
        else:
            while self._asked(False):
                self._bring()

    def _asked(self, ask: bool) -> bool:
        return bool(self._team.total(torch.tensor(float(ask), device=self.run.device)) > 0)

    def _bring(self) -> None:
        """Bring all parts together; they are kept by the first process alone, and one at a time."""
        for weight, part, value in self._pairs():
            every = self._rows.whole(weight, part)
            if self._team.leads:
                value.copy_(every)

    def _pairs(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """(weight, the part of it or of its moments, the same of the whole run)."""
        own, whole = self.run.optimizer, self._whole.optimizer
        for i, weight in enumerate(own.weights):
            yield weight, own.masters[i], whole.masters[i]
            yield weight, own.first[i], whole.first[i]
            if not own.muon[i]:
                yield weight, own.second[i], whole.second[i]
            yield weight, self.run.average[i], self._whole.average[i]


def _shard(net: nn.Module, team: Team, device: str) -> None:
    """Divide a net's weights, block by block, so that a device holds one whole block at a time."""
    numbers = {weight for weight in net.parameters() if weight.ndim == 0}  # torch divides none of them
    options: dict[str, Any] = {
        "mesh": init_device_mesh(torch.device(device).type, (team.size,)),
        "mp_policy": MixedPrecisionPolicy(reduce_dtype=torch.float32),
        "ignored_params": numbers,
    }
    for block in _blocks(net):
        fully_shard(block, **options)
    net.register_forward_hook(_views)
    # Nobody writes into what a net gives out.
    warnings.filterwarnings("ignore", message="FSDP2-wrapped module .* returned a view tensor")
    fully_shard(net, reshard_after_forward=False, **options)
    for module in net.modules():
        if isinstance(module, FSDPModule):
            module.set_gradient_divide_factor(1.0)  # what each process gives is its share of the loss: they add up
            module.set_force_sum_reduction_for_comms(True)


def _blocks(net: nn.Module) -> list[nn.Module]:
    """The layers of a stack that are called as a whole, and whose weights nothing else uses."""
    used = Counter(id(weight) for _, weight in net.named_parameters(remove_duplicate=False))
    stacks = [module for module in net.modules() if isinstance(module, nn.ModuleList) and len(module) > 1]
    return [
        block for stack in stacks for block in stack
        if type(block).forward is not nn.Module.forward and all(used[id(weight)] == 1 for weight in block.parameters())
    ]  # fmt: skip


def _views(net: nn.Module, given: Any, outputs: Any) -> Any:
    """A weight that a net gives out, such as a table for its loss, as a view: torch adds a hook to each output at each step."""
    return {name: x.view_as(x) if isinstance(x, nn.Parameter) else x for name, x in outputs.items()}


__all__ = ["Divided", "Rows"]
