"""What a training will take: time, memory, size, energy and price, here and on other machines, each with a range.

The arithmetic over what `lamella.train.trial` measured. A training of so many steps takes what comes before them, the steps,
the looks at the metric, the saves, and what comes after them; one of so many minutes makes as many steps as fit into these.
docs/scale.md shows the same sums by hand.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from lamella import machine
from lamella.train.looks import AHEAD, BEFORE, EVERY, FIRST, LEAST, SHORT, between
from lamella.train.loop import SAVE_EVERY
from lamella.train.machines import USUAL_PARALLEL, Machine, Rates, Work, batches_a_second
from lamella.train.prepare import Prepared
from lamella.train.schedule import Budget
from lamella.train.settings import Settings
from lamella.train.trial import Bucket, Pace, Trial

SETTINGS = 1, 16  # how many settings `compress` tries, at least and at most
WATT_SECONDS = 3.6e6  # of a kilowatt hour
EXPORTING = 105e6  # bytes that the export holds besides what training held: 92 to 127 million in seven tasks
SIDES = ("low", "value", "high")


class Estimate(msgspec.Struct, frozen=True):
    """A figure, and between which two it lies most likely."""

    low: float
    value: float
    high: float

    @classmethod
    def about(cls, value: float, below: float, above: float) -> "Estimate":
        """A figure with its range as shares of it.

        >>> Estimate.about(10.0, 0.1, 0.5)
        Estimate(low=9.0, value=10.0, high=15.0)
        """
        return cls(value * (1 - below), value, value * (1 + above))

    def times(self, factor: float) -> "Estimate":
        return Estimate(self.low * factor, self.value * factor, self.high * factor)

    def under(self, amount: float) -> "Estimate":
        """How often this goes into an amount: the most where this is least."""
        return Estimate(amount / self.high, amount / self.value, amount / self.low)


def total(estimates: Sequence[Estimate]) -> Estimate:
    """The sum. Errors have causes of their own, so ranges add up as squares do.

    >>> total([Estimate(7.0, 10.0, 13.0), Estimate(16.0, 20.0, 24.0)])
    Estimate(low=25.0, value=30.0, high=35.0)
    """
    value = sum(e.value for e in estimates)
    below, above = (math.hypot(*(side(e) for e in estimates)) for side in (_below, _above))
    return Estimate(max(0.0, value - below), value, value + above)


def _below(e: Estimate) -> float:
    return e.value - e.low


def _above(e: Estimate) -> float:
    return e.high - e.value


class OnMachine(msgspec.Struct, frozen=True):
    """The same training, as many examples in it, on another machine."""

    machine: str
    processes: int
    seconds: Estimate
    examples_per_second: Estimate
    memory: Estimate  # bytes, of all processes on one machine
    kilowatt_hours: Estimate | None
    price: Estimate | None


class Score(msgspec.Struct, frozen=True):
    """What the metric will be, by three tiny trainings."""

    metric: str
    expected: Estimate
    points: list[tuple[int, float]]  # (examples, metric)
    curve: tuple[float, float, float]  # a, b, c of a + b n^-c, n as a share of the examples
    note: str = ""


class Plan(msgspec.Struct, frozen=True):
    """A forecast of a training. Seconds, bytes, kilowatt hours; the price in the unit of `--price`."""

    task: str
    size: str
    parameters: int
    precision: str
    threads: int
    device: str
    examples: int  # to train on
    batches: int  # of an epoch
    length: str  # how long it is to train, in words
    seconds: Estimate  # of the whole command
    parts: dict[str, Estimate]  # of that, by what they are for
    steps: Estimate
    epochs: Estimate
    step_seconds: Estimate
    examples_per_second: Estimate
    tokens_per_second: Estimate
    flops: float  # of a step
    peak_flops: float  # a second, of a product
    share_of_peak: Estimate
    memory: Estimate
    device_memory: int
    model_bytes: int
    int8_bytes: int
    compress_seconds: Estimate
    answers_per_second: Estimate  # of the exported model, on the threads of the training
    kilowatt_hours: Estimate | None
    price: Estimate | None
    machines: list[OnMachine]
    score: Score | None
    facts: dict[str, Any]  # what the forecast is for: a training of the same facts is compared with it
    notes: list[str]


def looks_in(budget: Budget, look: float, seconds_a_step: float) -> tuple[int, float]:
    """How often a training looks before its end, and the seconds of steps that this leaves (see `lamella.train.looks`).

    >>> looks_in(Budget(steps=100), 1.0, 0.5)
    (5, 50.0)
    >>> looks_in(Budget(seconds=100.0), 0.5, 0.1)
    (16, 92.0)
    """
    if budget.seconds is None and budget.steps:
        every = between(budget.steps)
        early = every >= 2 * LEAST and budget.steps >= LEAST
        return budget.steps // every + early, budget.steps * seconds_a_step
    limit = budget.seconds or math.inf
    if budget.steps:
        limit = min(limit, budget.steps * seconds_a_step)
    count, now, due = 0, 0.0, FIRST
    while True:
        now = max(now, due * limit, count * look / SHORT)  # a seventh of the time may go into looking
        if now >= limit:
            return count, max(seconds_a_step, limit - count * look)
        count, now, due = count + 1, now + look, due + EVERY


def step_seconds(paces: Sequence[Pace], by_steps: bool) -> Estimate:
    """Seconds of a step, over all phases and sizes of batches.

    by_steps: phases have shares of the steps, else of the time.
    """
    each = [
        Estimate(*(pace.mean(lambda bucket, of=of: of(bucket.seconds)) for of in (min, statistics.mean, max)))  # type: ignore[misc]
        for pace in paces
    ]
    shares = [pace.share for pace in paces]
    if by_steps:
        return Estimate(*(sum(s * getattr(e, side) for s, e in zip(shares, each, strict=True)) for side in SIDES))
    return Estimate(*(1 / sum(s / getattr(e, side) for s, e in zip(shares, each, strict=True)) for side in SIDES))


def parts_of(trial: Trial, before: float, step: Estimate) -> tuple[dict[str, Estimate], Estimate]:
    """Seconds of each part of a training, and the number of its steps.

    before: seconds from the command to the first line of the loop.
    """
    budget = trial.budget
    if budget.seconds:  # what comes before the first step and after the last one
        begin = min(before + trial.begin, budget.seconds * BEFORE)
        after = trial.export + trial.look + trial.answer + trial.calibrate
        apart = max(begin, min(begin + after, budget.seconds * AHEAD))
        budget = Budget(budget.steps, budget.seconds - apart)
    look = Estimate.about(trial.look, 0.5, 0.25)  # a net that knows nothing answers at length
    count, stepping = looks_in(budget, trial.look, step.value)
    by_steps = budget.seconds is None
    if by_steps:
        steps = Estimate(*[float(budget.steps or 0)] * 3)
        spent = Estimate(*(steps.value * getattr(step, side) for side in SIDES))
    else:
        most = float(budget.steps or math.inf)
        steps = Estimate(
            *(max(1.0, min(most, e)) for e in (stepping / step.high, stepping / step.value, stepping / step.low))
        )
        spent = Estimate.about(stepping, 0.02, 0.02)
    saves = trial.save * (len(trial.paces) + (stepping + count * trial.look) // SAVE_EVERY)
    ends = len(trial.paces) if not by_steps or not count or (budget.steps or 0) % between(budget.steps or 1) else 0
    parts = {
        "reading and encoding": Estimate.about(before + trial.begin, 0.1, 0.1),
        "steps": spent,
        "looks": look.times(count) if by_steps else Estimate.about(trial.look * count, 0.1, 0.1),
        "saves": Estimate.about(saves, 0.3, 0.5),
        "the last look and calibration": total([look.times(ends), Estimate.about(trial.calibrate, 0.5, 0.3)]),
        "export": Estimate.about(trial.export, 0.15, 0.15),
        "measuring": Estimate.about(trial.answer, 0.5, 0.5),
    }
    return parts, steps


def memory_of(trial: Trial) -> Estimate:
    """Bytes that the process will hold at most: as it was tried, from the first line to the last one that is measured.

    For each shape of a batch the engine makes kernels, and keeps them: those that were not tried take as much each. What training
    has held is used again by the export, but for EXPORTING.
    """
    kernels = sum(pace.shapes * pace.held for pace in trial.paces)
    held = max(float(trial.memory), trial.held + kernels + EXPORTING)
    return Estimate.about(held, 0.08 + 0.5 * kernels / held, 0.1 + 0.5 * kernels / held)


def on_machine(
    other: Machine, trial: Trial, parts: Mapping[str, Estimate], threads: int, examples: float, memory: Estimate
) -> tuple[int, Estimate, Estimate, Estimate]:
    """Processes, seconds, examples a second and bytes of memory of the same training on another machine."""
    speeds = [_speeds(other, trial, pace, threads) for pace in trial.paces]
    shares = [pace.share for pace in trial.paces]
    here = sum(pace.share * pace.mean(_usual) for pace in trial.paces)
    # How many times as fast as here, over the phases.
    ratio = Estimate(
        *(here / sum(s / getattr(speed, side) for s, (_, speed) in zip(shares, speeds, strict=True)) for side in SIDES)
    )
    steps = parts["steps"].value
    rest = total([part for name, part in parts.items() if name != "steps"])
    seconds = total([rest, Estimate(steps / ratio.high, steps / ratio.value, steps / ratio.low)])
    processes = speeds[0][0]
    each = max(1, processes // other.hosts)
    return processes, seconds, ratio.times(examples), memory.times(each)


def _speeds(other: Machine, trial: Trial, pace: Pace, threads: int) -> tuple[int, Estimate]:
    """Processes, and batches a second with a range, of one phase on another machine."""
    part = USUAL_PARALLEL if pace.parallel is None else pace.parallel
    wide = 0.25 if pace.parallel is None else 0.1
    seconds = pace.mean(_usual)
    rows = pace.mean(lambda bucket: bucket.examples)
    speeds, processes = [], 1
    for parallel in (max(0.0, part - wide), part, min(0.99, part + wide)):
        work = Work(seconds, threads, parallel, pace.flops, pace.operations, trial.parameters, rows)
        speed, count = batches_a_second(other, work)
        speeds.append(speed)
        processes = count if parallel == part else processes
    unsure = 1.0 if not other.cores else 0.15 + 0.05 * math.log2(other.cores * other.hosts)
    return processes, Estimate(min(speeds) / (1 + unsure), speeds[1], max(speeds) * (1 + unsure))


def _usual(bucket: Bucket) -> float:
    return statistics.mean(bucket.seconds)


def spent(seconds: Estimate, rate: float | None, per: float) -> Estimate | None:
    """A rate over some seconds: watts as kilowatt hours (per 3.6 million), a price an hour (per 3,600)."""
    return None if rate is None else seconds.times(rate / per)


def plan_of(
    prepared: Prepared,
    settings: Settings,
    trial: Trial,
    before: float,
    machines: Sequence[Machine],
    rates: Mapping[str, Rates],
    score: Score | None,
    facts: dict[str, Any],
) -> Plan:
    """The forecast of a prepared training, from what was measured of it.

    before: seconds until its data were read. rates: by their option.
    """
    job, cores = prepared.job, machine.cores()
    step = step_seconds(trial.paces, trial.budget.seconds is None)
    parts, steps = parts_of(trial, before, step)
    seconds = total(list(parts.values()))
    flops = sum(pace.share * pace.flops for pace in trial.paces)
    busy = sum(pace.share * _usual(pace.middle) for pace in trial.paces)  # flops were counted in those
    examples, tokens = (
        sum(pace.share * pace.mean(lambda bucket, name=name: getattr(bucket, name)) for pace in trial.paces)  # type: ignore[misc]
        for name in ("examples", "tokens")
    )
    share = flops / busy / trial.peak
    memory = memory_of(trial)
    batches = max(1, trial.batches // settings.accumulate)
    watts, price = rates.get("--watts"), rates.get("--price")
    others = []
    for other in machines:
        processes, there, speed, held = on_machine(
            other, trial, parts, settings.threads, step.under(examples).value, memory
        )
        power, cost = (rate.of(other, cores) if rate else None for rate in (watts, price))
        others.append(
            OnMachine(
                other.name, processes, there, speed, held, spent(there, power, WATT_SECONDS), spent(there, cost, 3600)
            )
        )
    return Plan(
        task=facts["task"],
        size=job.size_name,
        parameters=trial.parameters,
        precision=trial.precision,
        threads=settings.threads,
        device=settings.device,
        examples=len(prepared.gathered.learn),
        batches=trial.batches,
        length=_length(trial.budget),
        seconds=seconds,
        parts=parts,
        steps=steps,
        epochs=steps.times(1 / batches),
        step_seconds=step,
        examples_per_second=step.under(examples),
        tokens_per_second=step.under(tokens),
        flops=flops,
        peak_flops=trial.peak,
        share_of_peak=Estimate(share * (step.value / step.high), share, share * (step.value / step.low)),
        memory=memory,
        device_memory=trial.device_memory,
        model_bytes=trial.contents.float32 + trial.contents.other,
        int8_bytes=trial.contents.int8 + trial.contents.other,
        compress_seconds=_compressing(trial),
        answers_per_second=parts["measuring"].under(len(prepared.gathered.held)),
        kilowatt_hours=spent(seconds, watts.here if watts else None, WATT_SECONDS),
        price=spent(seconds, price.here if price else None, 3600),
        machines=others,
        score=score,
        facts=facts,
        notes=_notes(settings, trial),
    )


def _length(budget: Budget) -> str:
    """
    >>> _length(Budget(steps=100)), _length(Budget(seconds=300.0))
    ('100 steps', '5 minutes')
    """
    lengths = [f"{budget.steps:,} steps"] if budget.steps else []
    lengths += [f"{budget.seconds / 60:g} minutes"] if budget.seconds else []
    return " or ".join(lengths)


def _compressing(trial: Trial) -> Estimate:
    """Seconds of `compress` on what was held out: from int8 alone to every setting that it may try."""
    few, many = (trial.answer * (1 + settings) + settings for settings in SETTINGS)
    return Estimate(few, math.sqrt(few * many), many)


def _notes(settings: Settings, trial: Trial) -> list[str]:
    """What the forecast cannot know."""
    notes = ["note: times are those of the machine as busy as it is now"]
    if settings.patience:
        notes.append("note: early stopping (--patience) may end it sooner")
    if max(trial.paces, key=lambda pace: pace.share).parallel is None and settings.device == "cpu":
        notes.append("note: on one core it cannot be measured how far cores share the work: 70% is taken")
    return notes
