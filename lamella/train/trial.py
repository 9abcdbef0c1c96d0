"""Measure a training before it begins: what comes before the first step, a few real steps, one look, one save, one export.

    trial = measure(job, gathered, settings, place, facts, tell)

Nothing is modelled that can be tried: the steps are those of `lamella.train.engine`, the looks those of
`lamella.train.watch`, the saves those of `lamella.train.checkpoint`, on the user's own examples. The net that came of it is
thrown away. `lamella.train.forecast` makes a forecast of what is measured here.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import torch

from lamella import machine, model
from lamella.graphs import torch_graphs
from lamella.storage import temporary
from lamella.task import Arrays, Example, Phase, Task, as_measured
from lamella.train import checkpoint, loop
from lamella.train.batches import Ints, Lengths, batches, draw, forever, groups_of, ones
from lamella.train.engine import Batches, Encoded, Run, steps
from lamella.train.export import export_graphs
from lamella.train.further import Origin
from lamella.train.gather import Gathered
from lamella.train.operations import Contents, Operations, contents_of
from lamella.train.schedule import Budget, Schedule
from lamella.train.settings import Settings
from lamella.train.ship import measure as measured_on
from lamella.train.ship import onnx_graphs

BUCKETS = 5  # of lengths, each with as many batches of an epoch
ROUNDS = 2, 5  # batches of each bucket that are timed, twice each, at least and at most
PLACES = 0.5, 0.2, 0.8, 0.35, 0.65  # where in its bucket the batch of each round is, from small to large
TIMED = 1.5  # seconds of timed steps, after which no round begins that need not be
SHAPES = 1000  # batches of a training that are looked at for how often a shape is new
FEW = 32  # examples that are answered to see how long an answer takes
LONG = 2.0  # seconds; where all take less, all are answered


@dataclass(frozen=True)
class Bucket:
    """Batches of about one size."""

    share: float  # of the batches of an epoch
    examples: float  # of a batch
    tokens: float  # of a batch, padding aside
    seconds: list[float]  # of a step on each batch that was timed


@dataclass(frozen=True)
class Pace:
    """How fast a phase of a training goes."""

    name: str
    share: float  # of the budget
    buckets: list[Bucket]
    flops: float  # floating-point operations of a step in the middle bucket: forward, backward and update
    operations: int  # how many operations of torch that are
    parallel: float | None  # the part of a step's work that cores share; None: it could not be measured
    shapes: int = 0  # that the batches of the training have and those that were timed had not
    held: float = 0.0  # bytes that the process holds more for each of them

    @property
    def middle(self) -> Bucket:
        return self.buckets[len(self.buckets) // 2]

    def mean(self, value: Callable[[Bucket], float]) -> float:
        """The mean of something over the batches of an epoch."""
        return sum(bucket.share * value(bucket) for bucket in self.buckets)


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
    calibrate: float
    save: float
    export: float
    answer: float  # answering and scoring what is held out with the exported graphs
    contents: Contents
    peak: float  # floating-point operations a second of a product, on the threads of the training
    memory: int  # the most that the process has held
    held: int  # that it held after the steps
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
    paces = [
        _pace(job, run, data, loss, number, course.budget, settings)
        for number in range(len(job.training.phases or (Phase(""),)))
    ]
    held = machine.held_memory()
    tell("timing a look, a save, an export and a product")
    run.net.eval()  # with the latest weights: their average is still what they began with
    look = _answering(as_measured(job, quick=True), run, gathered.watched)
    calibrate = _calibrate(job, run, gathered.watched)
    save = _save(run, facts)
    on_device = _device_memory(settings.device)
    parameters = sum(p.numel() for p in run.net.parameters())
    # Exporting takes seconds; how many, and how much memory, cannot be told from what it exports.
    start = time.perf_counter()
    files = export_graphs(run.net)
    export = time.perf_counter() - start
    answer = _measuring(job, files, gathered, settings.threads)
    memory = machine.peak_memory()
    [peak] = machine.peaks((course.precision,), device=settings.device)
    contents = contents_of(job, run.net, gathered, files)
    return Trial(
        begin, course.budget, course.precision, parameters, paces, data.in_epoch(), look, calibrate, save, export, answer,
        contents, peak, memory, held, on_device,
    )  # fmt: skip


# ---- steps ---------------------------------------------------------------------------------------------------------


def _pace(
    job: Task, run: Run, data: Batches, loss: Callable[..., Any], number: int, budget: Budget, settings: Settings
) -> Pace:
    """How fast a phase of the task goes: real steps, two on each batch.

    The first on a batch of a new shape takes longer, since torch makes kernels for it: each counts as often as such batches come.
    """
    phases = job.training.phases or (Phase(""),)
    phase = phases[number]
    if number:
        run.next_phase(phase.trains, job.training.muon)
    job.state, run.net.phase = job.state.changed(phase=phase.name), phase.name  # type: ignore[assignment]
    try:
        buckets = sized(data)
        middle = len(buckets) // 2
        _step(run, data, loss, _at(buckets[middle], PLACES[-1]))  # to warm up
        flops, operations = _counted(run, data, loss, _at(buckets[middle], PLACES[-1]))
        pairs: list[list[tuple[float, float]]] = [[] for _ in buckets]
        until, held, tried = time.perf_counter() + TIMED, [], set()
        for at in range(ROUNDS[1]):
            if at >= ROUNDS[0] and time.perf_counter() > until:
                break
            for groups, timed in zip(buckets, pairs, strict=True):
                group = _at(groups, PLACES[at])
                timed.append((_step(run, data, loss, group), _step(run, data, loss, group)))
                tried.add(_shape(data, group))
            held.append((len(tried), machine.held_memory()))
        parallel = _parallel(run, data, loss, _at(buckets[middle], PLACES[0]), pairs[middle][0], settings)
    finally:
        job.state, run.net.phase = job.state.changed(phase=""), ""  # type: ignore[assignment]
    lengths, total = _lengths(data), sum(map(len, buckets))
    usual = float(np.mean([again for timed in pairs for _, again in timed]))
    count = data.accumulate * max(1, budget.steps or round((budget.seconds or 0.0) / usual))
    shapes = shapes_of(data, count)
    new = len(shapes) / count
    rows = [
        Bucket(
            len(groups) / total,
            data.accumulate * float(np.mean([len(group) for group in groups])),
            data.accumulate * float(np.mean([lengths[group].max(axis=1).sum() for group in groups])),
            [new * first + (1 - new) * again for first, again in timed],
        )
        for groups, timed in zip(buckets, pairs, strict=True)
    ]
    return Pace(
        phase.name, phase.share / sum(p.share for p in phases), rows, flops, operations, parallel, len(shapes - tried), _a_shape(held)
    )  # fmt: skip


def shapes_of(data: Batches, count: int) -> set[tuple[int, ...]]:
    """The shapes of the first `count` batches of a training."""
    order = forever(_lengths(data), data.weights, data.examples or data.tokens, data.seed, short_first=data.short_first)
    return {_shape(data, group) for _, group in islice(order, min(count, SHAPES))}


def _shape(data: Batches, group: Ints) -> tuple[int, ...]:
    """How many examples a batch has, and the most of each of their lengths."""
    return len(group), *data.store.lengths()[group].max(axis=0).tolist()


def _a_shape(held: Sequence[tuple[int, int]]) -> float:
    """Bytes that a new shape takes, of (shapes tried, bytes held) after each round; the first one makes room for all.

    Of fewer than three new ones it cannot be told.

    >>> _a_shape([(5, 1_000), (10, 1_200), (12, 1_280)]), _a_shape([(5, 1_000), (6, 2_000)])
    (40.0, 0.0)
    """
    (few, before), (more, after) = held[0], held[-1]
    return max(0.0, (after - before) / (more - few)) if more >= few + 3 else 0.0


def _at(groups: Sequence[Ints], share: float) -> Ints:
    """The batch at this share of a bucket, from small to large: several make up its mean."""
    return groups[int(share * len(groups))]


def sized(data: Batches) -> list[list[Ints]]:
    """The batches of an epoch in buckets by their size, padding included: as many batches in each, from small to large.

    Of more examples than are shuffled together, those of the first group.
    """
    lengths, real = _lengths(data), data.store.lengths()
    own = next(groups_of(len(data.store), data.seed, 0))
    weights = None if data.weights is None else data.weights[own]
    order = own[draw(len(own), weights, data.seed, 0)]
    groups = batches(lengths, order, data.examples or data.tokens, data.seed, 0)
    sizes = np.array([len(group) * int(real[group].max(axis=0).sum()) for group in groups])
    ranked = [groups[i] for i in np.argsort(sizes, kind="stable")]
    count = min(BUCKETS, len(np.unique(sizes)), len(ranked))
    return [list(ranked[at * len(ranked) // count : (at + 1) * len(ranked) // count]) for at in range(count)]


def _lengths(data: Batches) -> Lengths:
    """What batches are cut by: the lengths of examples, or one each where every batch has as many."""
    return ones(len(data.store)) if data.examples else data.store.lengths()


@dataclass(frozen=True)
class _One:
    """The examples of one batch as a store of their own, wherever they are kept."""

    store: Encoded
    group: Ints

    def __len__(self) -> int:
        return len(self.group)

    def batch(self, indices: Ints, collate: Callable[[Sequence[Arrays]], Arrays]) -> Arrays:
        return self.store.batch(self.group[indices], collate)

    def lengths(self) -> Lengths:
        return np.asarray(self.store.lengths()[self.group])


def _step(run: Run, data: Batches, loss: Callable[..., Any], group: Ints) -> float:
    """Make one step of the training on the batch of these examples; its seconds.

    At the full rate: what the net learns here tells how long its answers are.
    """
    noisy = data.noisy
    moved = None if noisy is None else (lambda place, epoch: noisy(int(group[place]), epoch))
    alone = replace(data, store=_One(data.store, group), weights=None, short_first=0, noisy=moved)
    run.step, before = 0, run.seconds
    next(steps(run, alone, loss, Budget(steps=1_000_000), Schedule(warmup=1)))
    return run.seconds - before


def _counted(run: Run, data: Batches, loss: Callable[..., Any], group: Ints) -> tuple[float, int]:
    """The floating-point operations of a step on a batch, and how many operations of torch they are."""
    with Operations() as seen:
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
    """Seconds to answer and score these examples."""
    graphs = torch_graphs(run.net)

    def answer(rows: Sequence[Example]) -> None:
        scores = job.score(job.answers(rows, lambda given: model.run_batches(job, graphs, given)), rows)
        scores.values.get(job.metric)

    return _seconds(answer, examples)


def _measuring(job: Task, files: Mapping[str, bytes], gathered: Gathered, threads: int) -> float:
    """Seconds to measure the exported graphs on what is held out, as it is done before a model is written."""
    graphs, findings = onnx_graphs(files, threads), job.training.findings

    def measure(rows: Sequence[Example]) -> None:
        measured_on(job, graphs, rows, gathered.learn)
        if findings:
            findings(job, graphs, gathered.learn, rows)

    return _seconds(measure, gathered.held)


def _seconds(work: Callable[[Sequence[Example]], None], examples: Sequence[Example]) -> float:
    """Seconds of some work on these examples; where it takes long on all of them, of a part, in proportion."""

    def spent(rows: Sequence[Example]) -> float:
        start = time.perf_counter()
        work(rows)
        return time.perf_counter() - start

    spent(examples[:2])  # libraries are loaded, memory is reserved
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
    with temporary.folder("plan") as folder:
        start = time.perf_counter()
        checkpoint.save(run, folder, facts)
        return time.perf_counter() - start


def _device_memory(device: str) -> int:
    return int(torch.cuda.max_memory_allocated(device)) if device.startswith("cuda") else 0
