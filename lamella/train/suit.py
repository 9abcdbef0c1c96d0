"""The size that suits the machine: where the usual one would make too few steps in the time given, the tiny one is taken.

    suit(prepared, settings, init, tell)      before anything is fitted; says what it took and why

A net learns little in a few steps, however large it is. So a few steps of the usual size are timed on some of the examples, and
thrown away. Only where time is what is given and nobody named a size, in one process.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import torch

from lamella.errors import LamellaError
from lamella.train import checkpoint, loop
from lamella.train.engine import steps
from lamella.train.prepare import Prepared
from lamella.train.progress import time_of, waiting
from lamella.train.schedule import USUAL_SECONDS, Budget, Schedule
from lamella.train.settings import Settings

SMALLEST = "tiny"
FEWEST = 200  # steps, fewer than which teach a net little
TRIED = 300  # examples on which steps are timed
TIMED = 4  # steps; the first is slower and does not count
SHARE = 0.05  # of the time that timing may take


def suit(
    prepared: Prepared,
    settings: Settings,
    init: str | None,
    tell: Callable[[str], None],
    training: Path | None = None,
) -> None:
    """Choose the size of a prepared training for which nobody named one: tiny where the usual one would make fewer than FEWEST
    steps in its time. A training that is resumed from the checkpoint in `training` keeps the size that was chosen for it."""
    job = prepared.job
    if init is not None or prepared.origin is not None:
        return
    if settings.resume and training is not None:
        saved = checkpoint.peek(training / "checkpoint")
        if saved is not None and saved.state.facts.get("size") == SMALLEST:
            job.size_name = prepared.facts["size"] = SMALLEST
        return
    if settings.steps is not None or settings.epochs is not None:
        return
    seconds = 60.0 * settings.minutes if settings.minutes else USUAL_SECONDS
    with waiting(tell, "timing a few steps"):
        step = seconds_of_step(prepared, settings, seconds)
    torch.manual_seed(settings.seed)  # as if nothing had been drawn
    if step is None or seconds / step >= FEWEST:
        return
    usual, job.size_name = job.size_name, SMALLEST
    prepared.facts["size"] = SMALLEST
    prepared.gathered.lines.append(  # they are told next, and the card has them
        f"size: {usual} would make about {seconds / step:,.0f} steps in {time_of(seconds)}, too few to learn much, so "
        f"{SMALLEST} is taken; --size {usual} keeps it"
    )


def seconds_of_step(prepared: Prepared, settings: Settings, seconds: float) -> float | None:
    """The median seconds of a step on some of the examples; None where they are too few or too odd to tell."""
    job, gathered = copy.copy(prepared.job), prepared.gathered
    some = random.Random(settings.seed).sample(gathered.learn, min(TRIED, len(gathered.learn)))
    part = replace(gathered, learn=some, lines=[], corpus=None)
    plain = msgspec.structs.replace(settings, shards=None, augment=None)
    times = [0.0]
    try:
        run, batches, _, _ = loop.begin(job, part, plain, None, None, _quiet)
        if phases := job.training.phases:
            job.state, run.net.phase = job.state.changed(phase=phases[0].name), phases[0].name  # type: ignore[assignment]
        for step in steps(run, batches, loop.task_loss(job, part), Budget(steps=TIMED), Schedule()):
            times.append(step.seconds)
            if step.seconds > SHARE * seconds:
                break
    except (LamellaError, ArithmeticError, LookupError, ValueError):  # the training itself will say what is wrong
        return None
    each = [after - before for before, after in pairwise(times)]
    return median(each[1:] or each) if each else None


def _quiet(line: Any) -> None:
    pass
