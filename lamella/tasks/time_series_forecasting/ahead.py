"""Forecasts beyond the steps that a net gives at once: it is run on its own answers, and intervals widen as errors add up.

A path is one way in which the next steps may go: at each step a quantile of the forecast, drawn with errors that are as alike
from step to step as they were on windows kept aside (`persistence`). From the end of each path the net forecasts on, and the
forecasts of all paths together, each with its own intervals, are the answer. The first steps are the net's own answer.

So the width is that of the first steps, and of what these would have led to; how well it holds nobody has measured.
"""

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

from lamella.data.readers.series import Floats
from lamella.errors import UsageError
from lamella.task import Answer, Example, Run
from lamella.tasks.time_series_forecasting import windows

PATHS = 20  # for each series
MOST = 20  # times the steps that the net gives at once
TRUST = 3  # windows that the widest assumption is worth: errors of a window that are all alike
_NORMAL = NormalDist()


def check(horizon: int, once: int) -> None:
    """UsageError where more steps are asked for than can be answered in reasonable time."""
    if horizon > MOST * once:
        raise UsageError(
            f"--horizon {horizon}: expected at most {MOST * once}, {MOST} times the {once} steps that it was trained for. Train "
            "it with a longer one."
        )


def persistence(wanted: Floats, answers: Sequence[Mapping[str, Any]], name: str) -> float:
    """How alike an error is to that of the step before, 0 to 1, on windows kept aside; 1 where there are too few to know.

    wanted (N, H), answers with an interval called `name`, whose width is the unit of the errors.

    >>> flat = {"median": [0.0] * 4, "80%": [[-1.0, 1.0]] * 4}
    >>> persistence(np.tile([1.0, 1.0, 1.0, 1.0], (30, 1)), [flat] * 30, "80%")
    1.0
    >>> persistence(np.tile([1.0, -1.0, 1.0, -1.0], (30, 1)), [flat] * 30, "80%") < 0.1
    True
    """
    middle = np.array([answer["median"] for answer in answers])
    ends = np.array([answer[name] for answer in answers])  # (N, H, 2)
    errors = (wanted - middle) / np.maximum(ends[:, :, 1] - ends[:, :, 0], 1e-12)
    before, after = errors[:, :-1], errors[:, 1:]
    total = float(np.sqrt(np.square(before).sum() * np.square(after).sum()))
    if total <= 0:
        return 1.0
    alike = min(1.0, max(0.0, float((before * after).sum()) / total))
    return (alike * len(errors) + TRUST) / (len(errors) + TRUST)


def extended(
    examples: Sequence[Example], found: Sequence[Answer], run: Run, horizon: int, alike: float, frame: windows.Frame
) -> list[Answer]:
    """The net's answers to the first steps (`found`), with those to all further steps up to the horizon.

    alike: see `persistence`. The same example has the same answer whatever is beside it.
    """
    names = [name for name in found[0] if name != "median"]
    pools = [_Paths(example, names) for example in examples]
    out = [dict(answer) for answer in found]
    answers: list[list[Answer]] = [[answer] for answer in found]
    for block in range(1, -(-horizon // frame.horizon)):
        drawn = quantiles(alike, frame.horizon, block)
        further = [example for pool, own in zip(pools, answers, strict=True) for example in pool.after(own, drawn)]
        every = iter(run(further))
        answers = [[next(every) for _ in range(PATHS)] for _ in examples]
        for answer, pool, own in zip(out, pools, answers, strict=True):
            for name, values in pool.together(own, frame).items():
                answer[name] = [*answer[name], *values]
    return [{name: values[:horizon] for name, values in answer.items()} for answer in out]


def quantiles(alike: float, steps: int, seed: int) -> Floats:
    """For each path the quantiles of its steps (PATHS, steps): an autoregression of first order, symmetric around the median."""
    rng = np.random.default_rng(seed)
    half = PATHS // 2
    first = np.array([_NORMAL.inv_cdf((n + 0.5) / PATHS) for n in range(half)])
    state = rng.permutation(first)
    rows = []
    for step in range(steps):
        if step:
            state = alike * state + (1 - alike**2) ** 0.5 * rng.standard_normal(half)
        rows.append(np.concatenate([state, -state]))
    order = rng.permutation(PATHS)  # which path goes on with which: errors of one block say nothing of the next one's
    return np.array([[_NORMAL.cdf(value) for value in row] for row in np.array(rows).T[order]])


class _Paths:
    """The paths of one series."""

    def __init__(self, example: Example, names: Sequence[str]) -> None:
        """names: of the intervals, the narrowest first."""
        self.example, self.names = example, names
        self.pasts = [windows.numbers(example["past"])] * PATHS
        shares = [float(name[:-1]) / 100 for name in names]
        self.levels = np.array([*(0.5 - s / 2 for s in reversed(shares)), 0.5, *(0.5 + s / 2 for s in shares)])

    def _values(self, answer: Answer) -> Floats:
        """An answer as its quantiles at `levels`, (steps, levels)."""
        ends = [np.array(answer[name]) for name in self.names]
        low, high = [end[:, 0] for end in reversed(ends)], [end[:, 1] for end in ends]
        return np.stack([*low, np.array(answer["median"]), *high], axis=1)

    def after(self, answers: Sequence[Answer], drawn: Floats) -> list[Example]:
        """Examples whose past goes on along each path; answers: one for all paths, or one each."""
        tables = [self._values(answer) for answer in answers] * (PATHS // len(answers))
        for at, (table, row) in enumerate(zip(tables, drawn, strict=True)):
            steps = [np.interp(level, self.levels, values) for level, values in zip(row, table, strict=True)]
            self.pasts[at] = np.concatenate([self.pasts[at], steps])
        return [{**self.example, "past": past.tolist()} for past in self.pasts]

    def together(self, answers: Sequence[Answer], frame: windows.Frame) -> dict[str, list[Any]]:
        """The answers of all paths as one."""
        grid = (np.arange(PATHS) + 0.5) / PATHS
        tables = np.stack([self._values(answer) for answer in answers])  # (P, H, L)
        pool = np.stack([[np.interp(grid, self.levels, row) for row in table] for table in tables], axis=1)  # (H, P, G)
        values = np.quantile(pool.reshape(len(pool), -1), self.levels, axis=1).T  # (H, L)
        past = windows.numbers(self.example["past"])[-frame.context :]
        rounded = np.array([windows.plain(row, windows.rescale(past, frame.seasons[0])[1]) for row in values])
        middle = len(self.names)
        pairs = {name: rounded[:, [middle - 1 - n, middle + 1 + n]].tolist() for n, name in enumerate(self.names)}
        return {"median": rounded[:, middle].tolist(), **pairs}
