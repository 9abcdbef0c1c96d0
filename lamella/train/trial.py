"""Measure a training before it begins: what comes before the first step, a few real steps, one look, one save.

    trial = measure(job, gathered, settings, place, facts, tell)

Nothing is modelled that can be tried: the steps are those of `lamella.train.engine`, the looks those of
`lamella.train.watch`, the saves those of `lamella.train.checkpoint`, on the user's own examples. The net that came of it is
thrown away. `lamella.train.forecast` makes a forecast of what is measured here.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry, sdpa_backward_flop_count, sdpa_flop_count

from lamella import machine, model
from lamella.graphs import TorchGraph, torch_graphs
from lamella.model import fingerprint
from lamella.task import Example, Phase, Task
from lamella.train import checkpoint, loop
from lamella.train.batches import Ints, batches, draw
from lamella.train.engine import Batches, Run, Store, steps
from lamella.train.export import EXAMPLES, arrays_of
from lamella.train.further import Origin
from lamella.train.gather import Gathered
from lamella.train.schedule import Budget, Schedule
from lamella.train.settings import Settings
from lamella.train.ship import store_learned

BUCKETS = 5  # of lengths, each with as many batches of an epoch
ROUNDS = 3, 9  # timed steps of each bucket, at least and at most
TIMED = 1.5  # seconds of timed steps, after which no round begins that need not be
FEW = 32  # examples that are answered to see how long an answer takes
LONG = 2.0  # seconds; where all take less, all are answered
CARD = 5000  # bytes of the card and of model.json, besides what is learned
NODE = 90  # bytes of an exported graph for each operation, besides its weights

aten: Any = torch.ops.aten


@dataclass(frozen=True)
class Bucket:
    """Batches of about one size."""

    share: float  # of the batches of an epoch
    examples: float  # of a batch
    tokens: float  # of a batch, padding aside
    seconds: list[float]  # of each timed step


@dataclass(frozen=True)
class Pace:
    """How fast a phase of a training goes."""

    name: str
    share: float  # of the budget
    buckets: list[Bucket]
    flops: float  # floating-point operations of a step in the middle bucket: forward, backward and update
    operations: int  # how many operations of torch that are
    parallel: float | None  # the part of a step's work that cores share; None: it could not be measured

    @property
    def middle(self) -> Bucket:
        return self.buckets[len(self.buckets) // 2]

    def mean(self, value: Callable[[Bucket], float]) -> float:
        """The mean of something over the batches of an epoch."""
        return sum(bucket.share * value(bucket) for bucket in self.buckets)


@dataclass(frozen=True)
class Contents:
    """What the exported graphs will hold, in bytes, and how many operations they have."""

    float32: int
    int8: int
    other: int  # what is learned besides weights: vocabularies, fingerprint, card
    operations: dict[str, int]  # by the name of the graph


@dataclass(frozen=True)
class Trial:
    """What was measured before a training; seconds, bytes."""

    begin: float  # learning vocabularies and the like, building the net, encoding all examples
    budget: Budget
    precision: str
    parameters: int
    paces: list[Pace]
    batches: int  # of an epoch
    look: float  # answering and scoring what is watched
    answer: float  # answering and scoring what is held out, as a shipped model is measured
    calibrate: float
    save: float
    contents: Contents
    peak: float  # floating-point operations a second of a product, on the threads of the training
    overhead: float  # seconds of a small operation of torch that Python watches: exporting is made of those
    memory: int  # the most that the process has held
    held: int  # that it holds at the end
    device_memory: int  # the most on an accelerator; 0: there is none


def measure(
    job: Task,
    gathered: Gathered,
    settings: Settings,
    facts: dict[str, Any],
    tell: Callable[[str], None],
    origin: Origin | None = None,
) -> Trial:
    """Begin a training as `train` does, make a few steps of each kind, look and save once.

    Raises what a training raises before its first step, and TrainingError where no step has a finite loss.
    """
    start = time.perf_counter()
    run, data, course, _ = loop.begin(job, gathered, settings, None, origin, tell)
    begin = time.perf_counter() - start
    tell("timing a few steps of each length")
    loss = loop.task_loss(job, gathered)
    wall, own = time.perf_counter(), time.thread_time()
    paces = [
        _pace(job, run, data, loss, number, settings) for number in range(len(job.training.phases or (Phase(""),)))
    ]
    tell("timing a look, a save and a product")
    run.averaged()
    quick, measured = job.to_measure(quick=True), job.to_measure()
    look = _answering(quick, run, gathered.watched)
    if measured.config == quick.config:
        answer = look * len(gathered.held) / len(gathered.watched)
    else:
        answer = _answering(measured, run, gathered.held)
    calibrate = _calibrate(job, run, gathered.watched)
    # How many times as long everything takes beside the other work of this machine: 1 where there is none.
    busy = max(1.0, (time.perf_counter() - wall) / max(1e-3, time.thread_time() - own))
    save = _save(run, facts)
    memory, on_device = machine.peak_memory(), _device_memory(settings.device)
    [peak] = machine.peaks((course.precision,), device=settings.device)
    parameters = sum(p.numel() for p in run.net.parameters())
    contents = contents_of(job, run.net.cpu().float(), gathered)
    return Trial(
        begin, course.budget, course.precision, parameters, paces, data.in_epoch(), look, answer, calibrate,
        save, contents, peak, busy * _overhead(), memory, machine.held_memory(), on_device,
    )  # fmt: skip


# ---- steps ---------------------------------------------------------------------------------------------------------


def _pace(job: Task, run: Run, data: Batches, loss: Callable[..., Any], number: int, settings: Settings) -> Pace:
    """How fast a phase of the task goes: real steps, the first of each bucket to warm up."""
    phases = job.training.phases or (Phase(""),)
    phase = phases[number]
    if number:
        run.next_phase(phase.trains, job.training.muon)
    job.phase = run.net.phase = phase.name  # type: ignore[assignment]
    try:
        buckets = sized(data)
        flops, operations = _counted(run, data, loss, _at(buckets[len(buckets) // 2], 0.5))
        seconds: list[list[float]] = [[] for _ in buckets]
        for groups in buckets:
            _step(run, data, loss, _at(groups, 0.5))  # to warm up: memory of this size is reserved
        until = time.perf_counter() + TIMED
        for at in range(ROUNDS[1]):
            if at >= ROUNDS[0] and time.perf_counter() > until:
                break
            for groups, timed in zip(buckets, seconds, strict=True):
                timed.append(_step(run, data, loss, _at(groups, (2 * (at % ROUNDS[0]) + 1) / (2 * ROUNDS[0]))))
        middle = len(buckets) // 2
        parallel = _parallel(run, data, loss, _at(buckets[middle], 0.5), seconds[middle], settings)
    finally:
        job.phase = run.net.phase = ""  # type: ignore[assignment]
    lengths, total = _lengths(data), sum(map(len, buckets))
    rows = [
        Bucket(
            len(groups) / total,
            data.accumulate * float(np.mean([len(group) for group in groups])),
            data.accumulate * float(np.mean([lengths[group].max(axis=1).sum() for group in groups])),
            timed,
        )
        for groups, timed in zip(buckets, seconds, strict=True)
    ]
    return Pace(phase.name, phase.share / sum(p.share for p in phases), rows, flops, operations, parallel)


def _at(groups: Sequence[Ints], share: float) -> Ints:
    """The batch at this share of a bucket, from small to large: several make up its mean."""
    return groups[int(share * len(groups))]


def sized(data: Batches) -> list[list[Ints]]:
    """The batches of an epoch in buckets by their size, padding included: as many batches in each, from small to large."""
    lengths = _lengths(data)
    order = draw(len(data.store), data.weights, data.seed, 0)
    groups = batches(lengths, order, data.examples or data.tokens, data.seed, 0)
    real = data.store.lengths()
    sizes = np.array([len(group) * int(real[group].max(axis=0).sum()) for group in groups])
    ranked = [groups[i] for i in np.argsort(sizes, kind="stable")]
    count = min(BUCKETS, len(np.unique(sizes)), len(ranked))
    return [list(ranked[at * len(ranked) // count : (at + 1) * len(ranked) // count]) for at in range(count)]


def _lengths(data: Batches) -> Ints:
    """What batches are cut by: the lengths of examples, or one each where every batch has as many."""
    return np.ones((len(data.store), 1), np.int64) if data.examples else data.store.lengths()


def _step(run: Run, data: Batches, loss: Callable[..., Any], group: Ints) -> float:
    """Make one step of the training on the batch of these examples; its seconds."""
    store = Store.of([data.store[int(i)] for i in group])
    alone = replace(data, store=store, weights=None, short_first=0)
    run.step, before = 0, run.seconds
    next(steps(run, alone, loss, Budget(steps=1_000_000), Schedule()))
    return run.seconds - before


def _attention(query: Any, key: Any, value: Any, *args: Any, out_val: Any = None, **kwargs: Any) -> int:
    return int(sdpa_flop_count(query.shape, key.shape, value.shape))


def _attention_back(out: Any, query: Any, key: Any, value: Any, *args: Any, out_val: Any = None, **kwargs: Any) -> int:
    return int(sdpa_backward_flop_count(out.shape, query.shape, key.shape, value.shape))


FORMULAS = {
    **flop_registry,  # of products, convolutions, and attention on accelerators
    aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_back,
}


class _Operations(TorchDispatchMode):
    """Counts the operations of torch and their floating-point operations, and notes which tensors of a net they are given."""

    def __init__(self, net: nn.Module | None = None) -> None:
        super().__init__()
        self.count, self.flops = 0, 0
        self.used: dict[int, torch.Tensor] = {}
        tensors = (*net.parameters(), *net.buffers()) if net is not None else ()
        self._known = {t.untyped_storage().data_ptr(): t for t in tensors}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        self.count += 1
        if formula := FORMULAS.get(func.overloadpacket):
            self.flops += formula(*args, **kwargs, out_val=result)
        for value in tree_leaves((args, kwargs)) if self._known else ():
            if isinstance(value, torch.Tensor):
                place = value.untyped_storage().data_ptr()
                if place in self._known:
                    self.used[place] = self._known[place]
        return result


def _overhead() -> float:
    """Seconds of one small operation under the eyes of Python, on a processor that does nothing else."""
    one, tries = torch.ones(1), []
    with _Operations():
        for _ in range(10):
            start = time.thread_time()
            for _ in range(200):
                torch.add(one, one)
            tries.append((time.thread_time() - start) / 200)
    return min(tries)


def _counted(run: Run, data: Batches, loss: Callable[..., Any], group: Ints) -> tuple[float, int]:
    """The floating-point operations of a step on a batch, and how many operations of torch they are."""
    with _Operations() as seen:
        _step(run, data, loss, group)
    return float(seen.flops), seen.count


def _parallel(
    run: Run, data: Batches, loss: Callable[..., Any], group: Ints, seconds: Sequence[float], settings: Settings
) -> float | None:
    """The part of a step's work that cores share (Amdahl, 1967), from steps on one thread and on several."""
    other = 1 if settings.threads > 1 else min(2, machine.cores())
    if other == settings.threads or settings.device != "cpu":
        return None
    try:
        torch.set_num_threads(other)
        fastest = {settings.threads: min(seconds), other: min(_step(run, data, loss, group) for _ in range(2))}
    finally:
        torch.set_num_threads(settings.threads)
    return parallel_part(fastest[1], fastest[max(fastest)], max(fastest))


def parallel_part(one: float, several: float, threads: int) -> float:
    """The part of the work that threads share, of seconds on one and on several of them.

    >>> round(parallel_part(1.0, 0.6, 2), 2), parallel_part(1.0, 1.4, 2)
    (0.8, 0.0)
    """
    return min(0.99, max(0.0, (1 - several / one) / (1 - 1 / threads)))


# ---- looks, saves, graphs ------------------------------------------------------------------------------------------


def _answering(job: Task, run: Run, examples: Sequence[Example]) -> float:
    """Seconds to answer and score these examples; where all of them take long, of a part of them."""
    graphs = torch_graphs(run.net)

    def spent(rows: Sequence[Example]) -> float:
        start = time.perf_counter()
        scores = job.score(job.answers(rows, lambda given: model.run_batches(job, graphs, given)), rows)
        scores.values.get(job.metric)
        return time.perf_counter() - start

    spent(examples[:1])  # libraries are loaded, memory is reserved
    few = spent(examples[:FEW])
    whole = few * max(1.0, len(examples) / FEW)
    return spent(examples) if len(examples) > FEW and whole < LONG else whole


def _calibrate(job: Task, run: Run, watched: Sequence[Example]) -> float:
    """Seconds of learning how far answers are to be trusted."""
    if type(job).calibrate is Task.calibrate:
        return 0.0
    start = time.perf_counter()
    graphs = torch_graphs(run.net)
    job.calibrate(watched, lambda rows: model.run_batches(job, graphs, rows))
    return time.perf_counter() - start


def _save(run: Run, facts: dict[str, Any]) -> float:
    """Seconds of writing a checkpoint, to a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="lamella-plan-") as folder:
        start = time.perf_counter()
        checkpoint.save(run, Path(folder), facts)
        return time.perf_counter() - start


def _device_memory(device: str) -> int:
    return int(torch.cuda.max_memory_allocated(device)) if device.startswith("cuda") else 0


def contents_of(job: Task, net: nn.Module, gathered: Gathered) -> Contents:
    """The size of a model in files: each graph holds the weights that it touches, so that a shared table counts twice."""
    float32 = int8 = 0
    operations = {}
    net.eval()
    for name, (inputs, _) in net.graphs().items():  # type: ignore[operator]
        words = list(dict.fromkeys(a for axes in inputs.values() for a in axes[1:] if isinstance(a, str)))
        arrays = arrays_of(net, name, dict(zip(words, EXAMPLES, strict=False)))
        with _Operations(net) as seen:
            TorchGraph(net, name)(**arrays)
        operations[name] = seen.count
        float32 += NODE * seen.count + sum(4 * t.numel() for t in seen.used.values())
        int8 += NODE * seen.count + sum(_rounded(t) for t in seen.used.values())
    values, files = store_learned(job)
    files[fingerprint.FILE] = fingerprint.make(job.keys(e) for e in (*gathered.learn, *gathered.watched))
    other = sum(map(len, files.values())) + len(msgspec.json.encode(values)) + CARD
    return Contents(float32, int8, other, operations)


def _rounded(tensor: torch.Tensor) -> int:
    """Bytes of a tensor once matrices are int8 with a scale for each row."""
    return tensor.numel() + 4 * tensor.shape[0] if tensor.ndim > 1 else 4 * tensor.numel()
