"""When the metric is looked at while a net trains, and which look was best so far: all of it is in the checkpoint.

A training of so many steps looks by the step alone, so that one that was killed and resumed looks where the whole one
did: once early, which tells how long a look takes, then evenly. A training of so many minutes looks by the share of the time that is used up, and spends a seventh of it at most;
what it has used and spent is in the checkpoint too.
"""

import math

import msgspec

from lamella.train.schedule import Budget, Part

EVERY = 0.06  # of the budget
LEAST = 20  # steps between two looks
FIRST = 0.04  # of the time
SHORT = 0.15  # of the time may go into looking
# Of the time is counted for what comes before the first step at most, which may be a part of the learning, and together with
# what comes after the last one. Otherwise few steps would be left.
BEFORE, AHEAD = 0.75, 0.5


def between(steps: int) -> int:
    """Steps from one look to the next in a training of so many."""
    return max(LEAST, round(EVERY * steps))


class Looks(msgspec.Struct):
    """The looks so far."""

    points: list[tuple[int, float | None]] = []  # (step, metric); None where it was no finite number
    best: float | None = None
    since: int = 0  # looks since the best one
    spent: float = 0.0  # seconds
    apart: float = 0.0  # seconds counted for what comes before the first step and after the last one
    next: float = FIRST  # share of the time at which the next look is due

    def due(self, budget: Budget, step: int, seconds: float) -> bool:
        """Whether to look after this step.

        >>> [step for step in range(101) if Looks().due(Budget(steps=100), step, 0.0)]
        [20, 40, 60, 80, 100]
        >>> [step for step in (100, 200, 250) if Looks().due(Budget(steps=2500), step, 0.0)]
        []
        """
        if self.points and self.points[-1][0] == step:
            return False
        if budget.seconds is None and budget.steps:
            every = between(budget.steps)
            return (step > 0 and step % every == 0) or (step == LEAST and every >= 2 * LEAST)
        used = Part(budget, self.start(budget), 1.0).progress(step, seconds)
        return used >= self.next and self.spent < SHORT * seconds

    def start(self, budget: Budget) -> float:
        """The share of a budget of time at which its steps begin: what is counted apart is used up already.

        >>> Looks(apart=30.0).start(Budget(seconds=120.0)), Looks(apart=30.0).start(Budget(steps=120))
        (0.25, 0.0)
        """
        return min(BEFORE, self.apart / budget.seconds) if budget.seconds else 0.0

    def add(self, step: int, value: float, seconds: float, less_is_better: bool) -> bool:
        """Note a look that took so many seconds; whether it is the best so far."""
        finite = math.isfinite(value)
        self.points.append((step, value if finite else None))
        self.spent += seconds
        self.next += EVERY
        if finite and (self.best is None or (value != self.best and (value < self.best) == less_is_better)):
            self.best, self.since = value, 0
            return True
        self.since += 1
        return False

    @property
    def last(self) -> float:
        """The metric at the last look; NaN where it was no number, or there was no look."""
        value = self.points[-1][1] if self.points else None
        return math.nan if value is None else value
