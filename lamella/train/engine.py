"""The training loop, as a generator: logging, saving, showing progress and stopping are the caller's loop body.

    run = Run(net, optimizer)
    for step in steps(run, store, loss, budget, schedule, tokens=3072):
        if step.index % 100 == 0:
            print(step.loss)

Numbers: the net computes in the type that was measured to be fastest, weights are kept and moved in float32.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lamella.errors import TrainingError
from lamella.task import Arrays
from lamella.train.batches import forever
from lamella.train.looks import Looks
from lamella.train.optimizer import Optimizer
from lamella.train.schedule import Budget, Schedule

LOST = 20  # so many steps in a row without a finite gradient, and training has diverged


@dataclass
class Store:
    """Encoded examples: each array of all examples end to end, so that 650,000 of them are not millions of objects."""

    flat: dict[str, NDArray[np.generic]]
    starts: dict[str, NDArray[np.int64]]  # (N + 1,)
    ragged: dict[str, bool]

    @classmethod
    def of(cls, rows: Sequence[Arrays]) -> "Store":
        """Examples' arrays -> a store. The first axis may vary in length; a scalar has none."""
        flat, starts, ragged = {}, {}, {}
        for name in rows[0]:
            arrays = [np.atleast_1d(row[name]) for row in rows]
            flat[name] = np.concatenate(arrays)
            starts[name] = np.concatenate([[0], np.cumsum([len(a) for a in arrays])])
            ragged[name] = rows[0][name].ndim > 0
        return cls(flat, starts, ragged)

    def __len__(self) -> int:
        return len(next(iter(self.starts.values()))) - 1

    def __getitem__(self, index: int) -> Arrays:
        return {
            name: flat[self.starts[name][index] : self.starts[name][index + 1]]
            if self.ragged[name]
            else flat[self.starts[name][index]]
            for name, flat in self.flat.items()
        }

    def batch(self, indices: NDArray[np.int64], collate: Callable[[Sequence[Arrays]], Arrays]) -> Arrays:
        """The arrays of these examples in one, padded as the task does it; a corpus of millions may know a faster way."""
        return collate([self[int(i)] for i in indices])

    def lengths(self) -> NDArray[np.int64]:
        """(N, M): how long each example's M arrays are, those that vary."""
        columns = [np.diff(self.starts[name]) for name in self.flat]
        varying = [c for c in columns if len(c) and c.min() != c.max()]
        return np.stack(varying or columns[:1], axis=1)


@dataclass
class Run:
    """All that training changes, and so all that a checkpoint holds."""

    net: nn.Module
    optimizer: Optimizer
    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    smoothing: float = 0.999  # of the moving average of the weights
    average: list[Tensor] = field(default_factory=list)
    lost: int = 0  # steps in a row, of late, without a finite loss and gradient
    looks: Looks = field(default_factory=Looks)
    best: list[Tensor] = field(default_factory=list)  # the average at the look that was best; empty before the first

    def __post_init__(self) -> None:
        if not self.average:
            self.average = [m.clone() for m in self.optimizer.masters]

    def averaged(self) -> nn.Module:
        """Put the moving average into the net (Polyak and Juditsky, 1992), for evaluation and for shipping."""
        with torch.no_grad():
            for weight, mean in zip(self.optimizer.weights, self.average, strict=True):
                weight.copy_(mean)
        return self.net.eval()

    def current(self) -> nn.Module:
        """Put the latest weights back, to go on training."""
        with torch.no_grad():
            for weight, master in zip(self.optimizer.weights, self.optimizer.masters, strict=True):
                weight.copy_(master)
        return self.net.train()


@dataclass(frozen=True)
class Step:
    """What happened in one step."""

    index: int  # steps done, this one included
    epoch: int
    loss: float
    norm: float
    tokens: int  # all so far, padding aside
    seconds: float  # all so far, of training alone
    progress: float  # 0 to 1


def steps(
    run: Run,
    store: Store,
    collate: Callable[[Sequence[Arrays]], Arrays],
    loss: Callable[[nn.Module, dict[str, Tensor]], Tensor],
    budget: Budget,
    schedule: Schedule,
    tokens: int,
    seed: int = 0,
    weights: NDArray[np.float64] | None = None,
    examples: int | None = None,
    accumulate: int = 1,
) -> Iterator[Step]:
    """Train until the budget is used up; going on with a `run` from a checkpoint gives what it would have been.

    tokens: the most of a batch, padding included. weights (N,): how often an example is drawn an epoch. examples: so
    many in every batch instead, for tasks whose examples are all of one size. accumulate: so many batches before each
    update, their gradients averaged: a larger batch in the memory of a small one.
    """
    torch.set_flush_denormal(True)
    device = run.optimizer.weights[0].device
    lengths = store.lengths()
    if examples:
        lengths, tokens = np.ones((len(store), 1), np.int64), examples
    order = forever(lengths, weights, tokens, seed, skip=run.step * accumulate)
    while True:
        progress = budget.progress(run.step, run.seconds)
        if progress >= 1:
            if run.lost > 1:  # one batch may be odd
                raise diverged(run)
            return
        start = time.perf_counter()
        # Each step draws its noise from its own seed, so that a resumed run draws the same.
        torch.manual_seed(seed * 1_000_003 + run.step)
        total, groups = 0.0, list(islice(order, accumulate))
        for _, group in groups:
            batch = {k: torch.from_numpy(v).to(device) for k, v in store.batch(group, collate).items()}
            value = loss(run.net, batch) / accumulate
            value.backward()  # type: ignore[no-untyped-call]
            total += float(value.detach())
            run.tokens += int(lengths[group].max(axis=1).sum())
        if np.isfinite(total):
            norm = run.optimizer.step(schedule.factor(run.step, progress))
        else:
            run.optimizer.gradients()  # thrown away, whatever they are
            norm = math.nan
        if not np.isfinite(norm):
            run.lost += 1
            if run.lost >= LOST:
                raise diverged(run)
        else:
            run.lost = 0
            # Early on the average would be mostly the random start: it looks back over a tenth of the steps at most.
            torch._foreach_lerp_(run.average, run.optimizer.masters, max(1 - run.smoothing, 10 / (run.step + 10)))
        run.step += 1
        run.seconds += time.perf_counter() - start
        yield Step(
            run.step,
            groups[-1][0],
            total,
            norm,
            run.tokens,
            run.seconds,
            budget.progress(run.step, run.seconds),
        )


def diverged(run: Run) -> TrainingError:
    """Training has no finite loss any more; the weights are those from before."""
    return TrainingError(
        f"training diverged: {run.lost} steps in a row without a finite loss and gradient, until step {run.step}. "
        "A checkpoint is kept where one was saved before. Train with a lower learning rate (--rate), or check the data."
    )
