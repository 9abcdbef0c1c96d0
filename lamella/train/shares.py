"""The loss of a batch whose rows several processes share: the same number, and the same gradients, as in one process.

Every process makes the same batch, changed at random in the same way, and gives its net the rows that are its own. Then either

- the task says of how many `terms` its loss is the mean. Each process computes the mean over its own and weighs it; or
- it does not, since its loss compares the rows of a batch with each other, say. Then all outputs are brought together, every process
  computes the whole loss, and each goes back through the rows that are its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from lamella.nets.part import Part
from lamella.task import Task
from lamella.train.team import Team

Batch = dict[str, Tensor]


def counts_of(rows: int, size: int) -> list[int]:
    """How many rows of a batch each process has.

    >>> counts_of(10, 4), counts_of(1, 2)
    ([3, 3, 2, 2], [1, 0])
    """
    return [len(part) for part in np.array_split(np.arange(rows), size)]


def shared_loss(job: Task, given: Sequence[str], team: Team) -> Callable[[nn.Module, Batch], Tensor]:
    """This process's share of the loss of a batch: what all shares add up to, and all gradients, are those of the whole.

    given: the names of the arrays that the net is given.
    """
    by_terms = bool(job.training.terms)

    def loss(net: nn.Module, batch: Batch) -> Tensor:
        count = len(next(iter(batch.values())))
        dtype = next(net.parameters()).dtype
        batch = job.augment(batch, torch.default_generator)  # the whole batch, so that the same is drawn
        batch = {k: v.to(dtype) if v.is_floating_point() else v for k, v in batch.items()}
        counts = counts_of(count, team.size)
        first = min(sum(counts[: team.rank]), count - 1)
        # Where there are fewer rows than processes some compute a row that does not count: all must answer the others.
        rows = torch.arange(first, first + max(1, counts[team.rank]))
        part = Part(rows, count, lambda x: _gather(x, team, counts, len(rows)))
        own = {name: _rows(x, count, rows) for name, x in batch.items()}
        with part.entered():
            outputs = net(**{name: own[name] for name in given})
        if by_terms:
            return _weighed(job, outputs, own, team, counts[team.rank] > 0)
        whole = job.loss(_together(outputs, net, team, counts, len(rows)), batch)
        # Every process has the whole loss; what they report adds up to it, and the gradient stays that of the whole.
        return whole - whole.detach() * (1 - 1 / team.size)

    return loss


def _rows(x: Tensor, count: int, rows: Tensor) -> Tensor:
    """The rows of an array of the whole batch; a task may have several views of each, one batch after the other."""
    if x.ndim == 0 or len(x) % count:
        return x
    if len(x) == count:
        return x[rows]
    return x.reshape(-1, count, *x.shape[1:])[:, rows].flatten(0, 1)


def _gather(x: Tensor, team: Team, counts: Sequence[int], rows: int) -> Tensor:
    """The rows of all processes; where time or place is folded into the first axis, several in a line for each."""
    each = len(x) // rows
    return team.gather(x, [each * n for n in counts])


def _weighed(job: Task, outputs: Batch, own: Batch, team: Team, counts: bool) -> Tensor:
    value = job.loss(outputs, own)
    counted = (outputs | own).get(job.training.terms)
    count = len(next(iter(own.values()))) if counted is None else (counted != 0).sum()
    terms = torch.as_tensor(count, dtype=torch.float32, device=value.device) * float(counts)
    return value * (terms / team.total(terms).clamp(min=1))


def _together(outputs: Batch, net: nn.Module, team: Team, counts: Sequence[int], rows: int) -> Batch:
    """The outputs of all processes: those with a row for each example one after the other.

    Of the others a number is a mean over examples, and so are all processes' together; what is left, such as a table of the
    net's, is the same in all.
    """
    here = [p for p in net.parameters() if not isinstance(p, DTensor)]  # of a divided net, those that are whole now
    weights = {p.untyped_storage().data_ptr() for p in here}
    share = counts[team.rank] / sum(counts)
    found = {}
    for name, x in outputs.items():
        if x.untyped_storage().data_ptr() in weights:
            found[name] = _Same.apply(x, share)  # type: ignore[no-untyped-call]
        elif x.ndim == 0:
            found[name] = _Mean.apply(x, team, share)  # type: ignore[no-untyped-call]
        elif len(x) == rows:
            found[name] = _Together.apply(x, team, counts)  # type: ignore[no-untyped-call]
        else:
            found[name] = _Same.apply(x, share)  # type: ignore[no-untyped-call]
    return found


class _Together(torch.autograd.Function):
    """All rows; the gradient is that of the own ones, as every process computes the same from all."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, team: Team, counts: Sequence[int]) -> Tensor:
        ctx.first, ctx.count, ctx.rows = sum(counts[: team.rank]), counts[team.rank], len(x)
        every = team.gather(x, counts)
        if not x.is_floating_point():
            ctx.mark_non_differentiable(every)
        return every

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        own = grads[0][ctx.first : ctx.first + ctx.count]
        if ctx.count < ctx.rows:  # a row that does not count
            own = grads[0].new_zeros(ctx.rows, *grads[0].shape[1:])
        return own, None, None


class _Mean(torch.autograd.Function):
    """The mean of a number over all examples, of which each process has the mean over its own."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, team: Team, share: float) -> Tensor:
        ctx.share = share
        return team.total(x * share).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return grads[0] * ctx.share, None, None


class _Same(torch.autograd.Function):
    """What all processes have: the gradients of all add up to one."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, share: float) -> Tensor:
        ctx.share = share
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return grads[0] * ctx.share, None


__all__ = ["counts_of", "shared_loss"]
