"""What the score will be: three tiny trainings on 10, 20 and 40% of the examples, and the curve through them.

The error of a net falls with its data as a power of their number (Hestness et al., 2017, "Deep learning scaling is
predictable, empirically"): the metric is a + b n^-c, n as a share of the examples. Each part is trained for the same number
of epochs as the whole will be, but for at most half a minute: then more time would give a better score, which is said.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np

from lamella import metrics, model
from lamella.errors import DataError
from lamella.graphs import torch_graphs
from lamella.storage import temporary
from lamella.task import Task, as_measured
from lamella.train import forecast
from lamella.train.forecast import Estimate, Score
from lamella.train.gather import Gathered
from lamella.train.loop import Trained, train_task
from lamella.train.prepare import Prepared
from lamella.train.process import Interrupt
from lamella.train.settings import Settings
from lamella.train.trial import Trial

SHARES = (0.1, 0.2, 0.4)  # of the examples to learn from
LONGEST = 30.0  # seconds of each training
FEWEST = 40  # examples to learn from: a tenth of fewer says nothing
MOST = 100_000  # examples of which these are shares: half a minute does not see more
EXPONENTS = np.linspace(0.1, 1.5, 29)  # of the curve, tried one after another


def foresee(
    prepared: Prepared, settings: Settings, trial: Trial, stop: Interrupt, tell: Callable[[str], None]
) -> Score:
    """The metric that the training will reach on what it is watched by, with a range.

    Raises DataError where there are too few examples, and what a training raises.
    """
    learn = prepared.gathered.learn
    if len(learn) < FEWEST:
        raise DataError(f"--probe: expected at least {FEWEST} examples to learn from, received {len(learn)}.")
    order = random.Random(settings.seed).sample(range(len(learn)), min(MOST, len(learn)))
    points: list[tuple[int, float]] = []
    half = 0.0
    for share in SHARES:
        part = replace(prepared.gathered, learn=[learn[i] for i in sorted(order[: round(share * len(order))])])
        job = type(prepared.job)(prepared.job.config, prepared.job.size_name)
        job.state = job.state.changed(columns=prepared.job.state.columns)
        tell(f"probe: training on {len(part.learn):,} of {len(learn):,} examples")
        with temporary.folder("plan") as folder:
            trained = train_task(
                job, part, _shorter(settings, trial, share), folder, {}, lambda line: None, stop, prepared.origin
            )
            interval = _measured(job, trained, part)
        points.append((len(part.learn), interval["value"]))
        half = max(half, (interval["high"] - interval["low"]) / 2)
        tell(f"probe: {job.metric} {interval['value']:.4g} ({interval['low']:.4g} to {interval['high']:.4g})")
    shares, values = [count / len(learn) for count, _ in points], [value for _, value in points]
    expected, curve = extrapolate(shares, values, half)
    step = forecast.step_seconds(trial.paces, True).value
    whole = trial.budget.seconds or (trial.budget.steps or 0) * step
    note = (
        f"; each probe ended after {LONGEST:.0f} s, and longer ones reach more" if SHARES[-1] * whole > LONGEST else ""
    )
    return Score(prepared.job.metric, expected, points, curve, note)


def _shorter(settings: Settings, trial: Trial, share: float) -> Settings:
    """How to train on a part of the data: as many epochs as on the whole, for half a minute at most."""
    budget = trial.budget
    seconds = min(LONGEST, share * budget.seconds) if budget.seconds else LONGEST
    steps = max(2, round(share * budget.steps)) if budget.steps else None
    return msgspec.structs.replace(settings, minutes=seconds / 60, steps=steps, epochs=None, shards=None, patience=None)


def _measured(job: Task, trained: Trained, part: Gathered) -> dict[str, float]:
    """The metric on what is watched, with its interval: {"value", "low", "high"}."""
    quick, graphs = as_measured(job, quick=True), torch_graphs(trained.run.averaged())
    answers = quick.answers(part.watched, lambda rows: model.run_batches(quick, graphs, rows))
    interval: dict[str, Any] = metrics.intervals(quick.score(answers, part.watched))[job.metric]
    return interval


def extrapolate(
    shares: Sequence[float], values: Sequence[float], half: float
) -> tuple[Estimate, tuple[float, float, float]]:
    """The curve a + b n^-c through measured points, and where it is at n = 1; half: of the interval of one point.

    For each c the best a and b are those of least squares. The range holds the ends of all curves that pass the points about
    as well as the best one does, half an interval wide besides.

    >>> at, (a, b, c) = extrapolate([0.1, 0.2, 0.4], [0.9 - 0.1 * n**-0.5 for n in (0.1, 0.2, 0.4)], 0.01)
    >>> round(at.value, 3), round(c, 2), at.low < 0.8 < at.high
    (0.8, 0.5, True)
    """
    y, fits = np.array(values), []
    for c in EXPONENTS:
        columns = np.stack([np.ones(len(y)), np.array(shares) ** -c], axis=1)
        (a, b), *_ = np.linalg.lstsq(columns, y, rcond=None)
        fits.append((float(np.sum((columns @ (a, b) - y) ** 2)), float(a), float(b), float(c)))
    least, a, b, c = min(fits)
    ends = [other_a + other_b for error, other_a, other_b, _ in fits if error <= least + half**2]
    return Estimate(min(ends) - half, a + b, max(ends) + half), (a, b, c)
