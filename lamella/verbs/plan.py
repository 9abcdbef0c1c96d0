"""Forecast a training before it begins: time, memory, size, energy and price, here and on other machines.

    lamella plan TASK data.csv --minutes 10

It reads and encodes the data as `train` does, makes a few real steps of each length, looks, saves and exports once, and computes
the rest (`lamella.train.forecast`). With `--probe` it trains three times for a moment, to say what the score will be.
"""

import sys
import time
from collections.abc import Callable, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

import msgspec

from lamella import machine
from lamella.errors import MissingExtra, UsageError
from lamella.train import process
from lamella.train.prepare import prepare
from lamella.train.settings import Settings, split

if TYPE_CHECKING:  # torch is imported when a plan is made
    from lamella.train.forecast import Estimate, Plan


def plan(
    task: str,
    *data: Any,
    out: str | None = None,
    size: str | None = None,
    init: str | None = None,
    keep: Any = (),
    columns: Mapping[str, str] | None = None,
    test: Any = (),
    machines: str | None = None,
    watts: str | float | None = None,
    price: str | float | None = None,
    probe: bool = False,
    tell: Callable[[str], None] | None = None,
    **options: Any,
) -> "Plan":
    """Forecast the training of `task` on files, or on the word "sample", without training it.

    data, size, init, keep, columns, test and options: those of `lamella.train`. out: the model folder that will be trained,
    or a .jsonl file: the forecast is kept there, and `train` compares it with what happens. machines: other machines, such
    as "8,64,accelerator,4x8@10", or "none". watts, price: of this machine, the latter for an hour, to be told energy and
    price; a number, or with those of other machines "65,accelerator=700". probe: train three times for a moment on 10, 20
    and 40% of the data, to foresee the score. tell: takes each line of progress, which otherwise go to standard error.
    Raises UsageError or DataError for wrong arguments or files.
    """
    started = time.perf_counter()
    machine.forget_peak()
    try:
        import onnxscript  # noqa: F401 - as train does: what it takes is part of the forecast
        import torch
    except ImportError as error:
        raise MissingExtra("A plan", "train") from error
    from lamella.train import forecast, plans, trial
    from lamella.train.machines import USUAL, Rates, machines_of
    from lamella.train.probe import foresee
    from lamella.train.suit import suit

    tell = tell or (lambda line: print(line, file=sys.stderr))
    for name in ("resume", "tensorboard"):
        if options.pop(name, None):
            raise UsageError(f"--{name}: fits train alone. A plan is of a training from its first step to its end.")
    settings, own = split(options)
    _refuse(settings)
    if not data:
        raise UsageError(f'no data given. Expected files, or the word "sample": lamella plan {task} sample')
    others = machines_of(USUAL if machines is None else machines)
    costs = {
        option: Rates.parse(value, option, others)
        for option, value in (("--watts", watts), ("--price", price))
        if value is not None
    }
    place = plans.place_of(out) if out is not None else None
    device, threads = machine.find_device(settings.device), settings.threads or machine.cores()
    settings = msgspec.structs.replace(settings, device=device, threads=threads)
    torch.set_num_threads(threads)
    torch.manual_seed(settings.seed)
    with process.interrupt() as stop:
        prepared = prepare(task, data, settings, own, size, init, keep, test, columns, tell)
        for line in prepared.gathered.lines:
            tell(line)
        if size is None:
            suit(prepared, settings, init, tell)
        before = time.perf_counter() - started
        tried = trial.measure(prepared.job, prepared.gathered, settings, prepared.facts, tell, prepared.origin)
        score = foresee(prepared, settings, tried, stop, tell) if probe else None
        stop.check()
    facts = plans.facts_of(prepared.facts, settings)
    result = forecast.plan_of(prepared, settings, tried, before, others, costs, score, facts)
    if place is not None:
        plans.keep(place, result)
        tell(f"kept in {place}")
    return result


def _refuse(settings: Settings) -> None:
    """UsageError for what a plan is not of."""
    if settings.processes > 1:
        raise UsageError(
            f"--processes {settings.processes}: fits train alone; a plan says by itself how many pay, for each of --machines."
        )
    if settings.fsdp:
        raise UsageError("--fsdp: fits train alone, in several processes. A plan is of one that holds the whole net.")
    given = (settings.minutes, settings.steps, settings.epochs)
    if not all(value is None or isfinite(value) for value in given):
        raise UsageError("--minutes and --epochs: expected a finite number; what never ends has no forecast.")


def lines(result: "Plan") -> list[str]:
    """A forecast for people, one screen."""
    p = result
    out = [
        f"{p.task}, {p.size}: {p.parameters / 1e6:.2f} million parameters, {p.precision}, {p.threads} threads, {p.device}; "
        f"{p.examples:,} examples, {p.batches:,} batches an epoch",
        f"time      {_time(p.seconds)}, for {p.length}",
        *(f"            {_time(part)}  {name}" for name, part in p.parts.items() if part.value >= 0.05),
        f"steps     {_range(p.steps, 1, '')}, {_range(p.epochs, 1, '')} epochs, {_range(p.step_seconds, 1e-3, ' ms')} each",
        f"speed     {_range(p.examples_per_second, 1, '')} examples/s, {_range(p.tokens_per_second, 1, '')} tokens/s",
        f"          {_range(p.share_of_peak, 0.01, '%')} of the {p.peak_flops / 1e9:,.0f} GFLOP/s of a product",
        f"memory    {_range(p.memory, 1e6, ' MB')}"
        + (f", {p.device_memory / 1e6:,.0f} MB on {p.device}" if p.device_memory else ""),
        f"model     {p.model_bytes / 1e6:.2f} MB, {p.int8_bytes / 1e6:.2f} MB in int8 (compress: {_time(p.compress_seconds)})",
    ]
    out.append(f"answers   {_range(p.answers_per_second, 1, '')} a second, once it is trained")
    if p.kilowatt_hours:
        out.append(f"energy    {_range(p.kilowatt_hours, 1, ' kWh')}")
    if p.price:
        out.append(f"price     {_range(p.price, 1, '')}")
    if p.score:
        out.append(f"score     {p.score.metric} {_range(p.score.expected, 1, '')}{p.score.note}")
    if p.machines:
        out += ["", "the same work elsewhere:"]
    for other in p.machines:
        cost = [f"{_range(e, 1, unit)}" for e, unit in ((other.kilowatt_hours, " kWh"), (other.price, "")) if e]
        processes = f", {other.processes} processes" if other.processes > 1 else ""
        shown = [_time(other.seconds), f"{_range(other.examples_per_second, 1, '')} examples/s", *cost]
        out.append(f"  {other.machine}{processes}: {', '.join(shown)}")
    return [*out, *p.notes]


def _time(e: "Estimate") -> str:
    """Seconds, minutes or hours with their range."""
    for scale, unit in ((86_400, "days"), (3600, "h"), (60, "min")):
        if e.value >= 2 * scale:
            return _range(e, scale, f" {unit}")
    return _range(e, 1, " s")


def _range(e: "Estimate", scale: float, unit: str) -> str:
    """A figure and its range, three digits of each."""
    low, value, high = (
        f"{side / scale:,.3g}" if side / scale < 1000 else f"{side / scale:,.0f}" for side in (e.low, e.value, e.high)
    )
    return f"{value}{unit}" if low == high else f"{value}{unit} ({low} to {high})"
