"""The training loop, as a generator: logging, saving, showing progress and stopping are the caller's loop body.

    run = Run(net, optimizer)
    for step in steps(run, Batches(store, collate, tokens=3072), loss, budget, schedule):
        if step.index % 100 == 0:
            print(step.loss)

Numbers: the net computes in the type that was measured to be fastest, weights are kept and moved in float32. Everything
happens on the device that the net is on; batches are made on the processor and sent there.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lamella.errors import TrainingError
from lamella.task import Arrays
from lamella.train.batches import Lengths, an_epoch, forever, ones
from lamella.train.looks import AHEAD, Looks
from lamella.train.optimizer import Optimizer
from lamella.train.schedule import Budget, Part, Schedule
from lamella.train.team import ALONE, Lost, Team

LOST = 20  # so many steps in a row without a finite gradient, and training has diverged


class Encoded(Protocol):
    """Encoded examples, wherever they are kept: in memory (`Store`), or beyond it (`lamella.train.shards`)."""

    def __len__(self) -> int: ...

    def batch(self, indices: NDArray[np.int64], collate: Callable[[Sequence[Arrays]], Arrays]) -> Arrays: ...

    def lengths(self) -> Lengths: ...


@dataclass
class Store:
    """Encoded examples in memory: each array of all examples end to end, so that 650,000 of them are not millions of objects."""

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


@dataclass(frozen=True)
class Batches:
    """Which examples make up each batch, in an order that is a pure function of the seed.

    tokens: the most of a batch, padding included. examples: so many in every batch instead, for tasks whose examples are
    all of one size. weights (N,): how often an example is drawn an epoch. accumulate: so many batches before each update,
    their gradients averaged: a larger batch in the memory of a small one. short_first: see `Training`. noisy: the arrays of
    the example of a place as it is in an epoch, where that is not as it is in the store.
    """

    store: Encoded
    collate: Callable[[Sequence[Arrays]], Arrays]
    tokens: int
    examples: int | None = None
    weights: NDArray[np.float64] | None = None
    seed: int = 0
    accumulate: int = 1
    short_first: int = 0  # epochs in which short examples come first
    noisy: Callable[[int, int], Arrays] | None = None

    def in_epoch(self) -> int:
        """How many batches an epoch has."""
        return an_epoch(self.store.lengths(), self.tokens, self.examples)

    def arrays(self, group: NDArray[np.int64], epoch: int) -> Arrays:
        """The batch of these examples in this epoch."""
        if self.noisy is None:
            return self.store.batch(group, self.collate)
        return self.collate([self.noisy(int(i), epoch) for i in group])


class Feed:
    """Batches on their way to a device, from the one after the first `skip` on.

    For an accelerator the next batch is made and sent while it still computes; a processor has nobody else to do that.
    """

    def __init__(self, batches: Batches, device: torch.device, skip: int) -> None:
        self._batches, self._device = batches, device
        self._lengths, tokens = batches.store.lengths(), batches.tokens
        if batches.examples:
            self._lengths, tokens = ones(len(batches.store)), batches.examples
        self._order = forever(self._lengths, batches.weights, tokens, batches.seed, skip, batches.short_first)
        self._ready: tuple[dict[str, Tensor], int, tuple[int, int]] | None = None

    def take(self) -> tuple[dict[str, Tensor], int, tuple[int, int]]:
        """The next batch, its epoch, and how many examples and tokens it has, padding aside."""
        found, self._ready = self._ready or self._make(), None
        return found

    def prepare(self) -> None:
        """Make the next batch already, where an accelerator is busy with the last one."""
        if self._device.type != "cpu" and self._ready is None:
            self._ready = self._make()

    def _make(self) -> tuple[dict[str, Tensor], int, tuple[int, int]]:
        epoch, group = next(self._order)
        arrays = self._batches.arrays(group, epoch)
        tokens = int(self._lengths[group].max(axis=1).sum())
        return {name: send(array, self._device) for name, array in arrays.items()}, epoch, (len(group), tokens)


def send(array: NDArray[np.generic], device: torch.device) -> Tensor:
    """An array as a tensor on a device; to a GPU from pinned memory, so that nobody waits for the copy."""
    tensor = torch.from_numpy(array)
    if device.type == "cpu":
        return tensor
    if tensor.dtype == torch.float64:  # not every accelerator has it, and no net computes in it
        tensor = tensor.float()
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)


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
    begun: int = 0  # the step at which this phase began
    fixed: dict[str, Tensor] = field(default_factory=dict)  # the weights that only other phases move, in float32

    def __post_init__(self) -> None:
        if not self.average:
            self.average = [m.clone() for m in self.optimizer.masters]

    @classmethod
    def start(
        cls, net: nn.Module, rate: float, precision: str = "float32", device: str = "cpu",
        decay: float = 0.01, muon: bool = True, trains: tuple[str, ...] = (), factors: Mapping[str, float] | None = None,
    ) -> "Run":  # fmt: skip
        """A net put on its device and into the number type that it computes in, with an optimizer of its own.

        trains: how the names of the weights begin that move in the first phase; (): all of them. factors: on the learning
        rate, by the name of a weight.
        """
        net = net.to(device, getattr(torch, precision))
        fixed = _fix(net, trains)
        return cls(net, Optimizer(net, rate, decay=decay, muon=muon, factors=factors), fixed=fixed)

    def count_apart(self, budget: Budget, seconds: float, most: float = AHEAD) -> None:
        """Count time before the first step or after the last one, in a training of so many minutes; of all such time at most
        this share of them is counted, so that the rest stays for the steps.

        >>> run = Run.start(nn.Linear(2, 2), 1e-3)
        >>> run.count_apart(Budget(seconds=120.0), 30.0)
        >>> run.count_apart(Budget(seconds=120.0), 400.0)
        >>> run.seconds
        60.0
        """
        if budget.seconds:
            seconds = max(0.0, min(seconds, budget.seconds * most - self.looks.apart))
            self.looks.apart += seconds
            self.seconds += seconds

    def next_phase(self, trains: tuple[str, ...], muon: bool = True) -> None:
        """Keep the averaged weights, or the best ones where those were put in their place, and go on with those that
        `trains` names: with fresh moments, a fresh average, and no look that counts as the best."""
        weights = self.fixed | dict(zip(self.optimizer.names, self.average, strict=True))
        with torch.no_grad():
            for name, weight in self.net.named_parameters():
                if name in weights:
                    weight.copy_(weights[name])
                    weight.requires_grad_(True)
        self.fixed = {name: weights[name] for name in _fix(self.net, trains)}
        last = self.optimizer
        self.optimizer = Optimizer(self.net, last.rate, decay=last.decay, muon=muon, factors=last.factors)
        for name, master in zip(self.optimizer.names, self.optimizer.masters, strict=True):
            master.copy_(weights[name])  # the net's own may be narrower
        self.average = [master.clone() for master in self.optimizer.masters]
        self.best, self.begun, self.lost = [], self.step, 0
        self.looks.best, self.looks.since = None, 0
        self.net.train()

    def spread(self, team: Team) -> None:
        """In all processes but the first: be at the step that the first one is at, with its weights, moments and averages."""
        if team.size == 1:
            return
        now = {"step": self.step, "seconds": self.seconds, "tokens": self.tokens, "lost": self.lost}
        now["apart"] = self.looks.apart
        now = team.from_first("run", lambda: {**now, "updates": self.optimizer.count}, dict)
        self.step, self.seconds, self.tokens, self.lost = now["step"], now["seconds"], now["tokens"], now["lost"]
        self.optimizer.count, self.looks.apart = now["updates"], now["apart"]
        optimizer = self.optimizer
        team.spread([*optimizer.masters, *optimizer.first, *optimizer.second, *self.average, *self.fixed.values()])
        team.spread(list(self.net.buffers()))
        self.current()

    @property
    def device(self) -> torch.device:
        """Where the net is."""
        return self.optimizer.masters[0].device

    def averaged(self) -> nn.Module:
        """Put the moving average into the net (Polyak and Juditsky, 1992), for evaluation and for shipping."""
        with torch.no_grad():
            for weight, mean in zip(self.optimizer.weights, self.average, strict=True):
                weight.copy_(mean)
            self._put_fixed()
        return self.net.eval()

    def current(self) -> nn.Module:
        """Put the latest weights back, to go on training."""
        with torch.no_grad():
            for weight, master in zip(self.optimizer.weights, self.optimizer.masters, strict=True):
                weight.copy_(master)
            self._put_fixed()
        return self.net.train()

    def _put_fixed(self) -> None:
        """The weights of other phases, as exact as they were kept: the net may have been in a narrower type."""
        for name, weight in self.net.named_parameters() if self.fixed else ():
            if name in self.fixed:
                weight.copy_(self.fixed[name])


def _fix(net: nn.Module, trains: tuple[str, ...]) -> dict[str, Tensor]:
    """Let only the weights move whose names begin with one of `trains`; the others that would, in float32."""
    fixed = {}
    for name, weight in net.named_parameters() if trains else ():
        if weight.requires_grad and not name.startswith(trains):
            weight.requires_grad_(False)
            fixed[name] = weight.detach().float().clone()
    return fixed


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
    examples: int  # of this step


def steps(
    run: Run,
    batches: Batches,
    loss: Callable[[nn.Module, dict[str, Tensor]], Tensor],
    budget: Budget | Part,
    schedule: Schedule,
    team: Team = ALONE,
) -> Iterator[Step]:
    """Train until the budget is used up; going on with a `run` from a checkpoint gives what it would have been.

    team: the processes that train together; each gives a loss whose value and gradients add up to those of the batch.
    """
    torch.set_flush_denormal(True)
    accumulate, seed = batches.accumulate, batches.seed
    feed = Feed(batches, run.device, skip=run.step * accumulate)
    while True:
        progress = budget.progress(run.step, run.seconds)
        if progress >= 1:
            if run.lost > 1:  # one batch may be odd
                raise diverged(run)
            return
        start = time.perf_counter()
        # Each step draws its noise from its own seed, so that a resumed run draws the same.
        torch.manual_seed(seed * 1_000_003 + run.step)
        total, epoch, count, examples = 0.0, 0, 0, 0
        buffers = [buffer.clone() for buffer in run.net.buffers()] if team.size > 1 else []
        try:
            for _ in range(accumulate):
                batch, epoch, (rows, tokens) = feed.take()
                with team.heard():  # torch talks to the others by itself where a net is divided
                    value = loss(run.net, batch) / accumulate
                    value.backward()  # type: ignore[no-untyped-call]
                feed.prepare()  # before the loss is asked for, which waits for the device
                total += float(value.detach())
                count, examples = count + tokens, examples + rows
            total = team.add_up(run.optimizer.parts.apart(run.optimizer.weights), total)
        except Lost:  # the run stays as it was before this step, to be saved
            for buffer, before in zip(run.net.buffers(), buffers, strict=True):
                buffer.copy_(before)
            raise
        run.tokens += count
        team.times.append(time.perf_counter() - start)
        norm = _update(run, schedule.factor(run.step, progress), math.isfinite(total))
        run.step += 1
        run.seconds += time.perf_counter() - start
        progress = budget.progress(run.step, run.seconds)
        yield Step(run.step, epoch, total, norm, run.tokens, run.seconds, progress, examples)


def _update(run: Run, factor: float, finite: bool) -> float:
    """Move the weights at `factor` times the peak rate; the gradient's norm, NaN where the loss was no finite number."""
    if finite:
        norm = run.optimizer.step(factor)
    else:
        run.optimizer.gradients()  # thrown away, whatever they are
        norm = math.nan
    if not math.isfinite(norm):
        run.lost += 1
        if run.lost >= LOST:
            raise diverged(run)
        return norm
    run.lost = 0
    # Early on the average would be mostly the random start: it looks back over a tenth of the steps at most.
    steps_done = run.step - run.begun
    torch._foreach_lerp_(run.average, run.optimizer.masters, max(1 - run.smoothing, 10 / (steps_done + 10)))
    return norm


def diverged(run: Run) -> TrainingError:
    """Training has no finite loss any more; the weights are those from before."""
    return TrainingError(
        f"training diverged: {run.lost} steps in a row without a finite loss and gradient, until step {run.step}. "
        "A checkpoint is kept where one was saved before. Train with a lower learning rate (--rate), or check the data."
    )
