"""How long to train, and how fast to learn while it lasts.

The learning rate rises in a straight line, stays, and falls in a straight line to zero: a trapezium (Hägele et al.,
2024). It reaches what a cosine reaches, and what was trained before the fall can be trained on with another length. The
cosine (Loshchilov and Hutter, 2017), which falls from the beginning on, is there to compare it with.
"""

import math
import sys
from collections.abc import Callable
from typing import Literal

import msgspec

USUAL_SECONDS = 300.0  # of a training, where nobody says how long
FEWEST_STEPS = 300  # before a number of passes ends a training


class Budget(msgspec.Struct, frozen=True):
    """Steps or seconds, whichever is given; where both are, whichever ends first.

    >>> Budget(steps=200).progress(50, 0.0)
    0.25
    """

    steps: int | None = None
    seconds: float | None = None

    def progress(self, step: int, seconds: float) -> float:
        """How much of it is used up: 0 at the start, 1 at the end."""
        by_steps = step / self.steps if self.steps else 0.0
        by_time = seconds / self.seconds if self.seconds else 0.0
        return max(by_steps, by_time)


class Part(msgspec.Struct, frozen=True):
    """The part of a budget that one phase of a training has.

    >>> Part(Budget(steps=200), 0.5, 1.0).progress(150, 0.0)
    0.5
    """

    whole: Budget
    begin: float  # shares of the whole
    end: float

    def progress(self, step: int, seconds: float) -> float:
        """How much of this part is used up: 0 at its start, 1 at its end."""
        return max(0.0, self.whole.progress(step, seconds) - self.begin) / (self.end - self.begin)


def budget_of(
    minutes: float | None,
    steps: int | None,
    epochs: float | None,
    batches: Callable[[], int],
    before: Budget | None,
    passes: int | None = None,
) -> Budget:
    """What was asked for; where nothing was, what it was `before`, or five minutes. batches: how many make an epoch. passes: the most that
    a budget of time may make over the examples, at its first training.

    >>> budget_of(None, None, 2.5, lambda: 40, None), budget_of(2, None, None, lambda: 40, None, passes=128)
    (Budget(steps=100, seconds=None), Budget(steps=5120, seconds=120.0))
    """
    if steps is None and epochs is None and before is None and passes:
        steps = max(FEWEST_STEPS, passes * batches())
        minutes = USUAL_SECONDS / 60 if minutes is None else minutes
    if minutes is None and steps is None and epochs is None:
        return before or Budget(seconds=USUAL_SECONDS)
    if epochs is not None:
        steps = min(steps or sys.maxsize, max(1, round(epochs * batches())))
    return Budget(steps, None if minutes is None else 60.0 * minutes)


class Schedule(msgspec.Struct, frozen=True):
    """The factor on the peak learning rate.

    >>> schedule = Schedule(warmup=100, cooldown=0.5)
    >>> [schedule.factor(step, progress) for step, progress in ((49, 0.1), (200, 0.4), (300, 0.75), (400, 1.0))]
    [0.5, 1.0, 0.5, 0.0]
    >>> [round(Schedule(shape="cosine").factor(400, progress), 3) for progress in (0.0, 0.25, 0.5, 1.0)]
    [1.0, 0.854, 0.5, 0.0]
    """

    warmup: int = 100  # steps
    cooldown: float = 0.4  # the last part of the budget, in which the linear kind falls
    shape: Literal["linear", "cosine"] = "linear"
    begun: int = 0  # the step at which it began, of a later phase

    def factor(self, step: int, progress: float) -> float:
        rise, left = min(1.0, (step - self.begun + 1) / self.warmup), max(0.0, 1 - progress)
        if self.shape == "cosine":
            return min(rise, 0.5 - 0.5 * math.cos(math.pi * left))
        return min(rise, left / self.cooldown if self.cooldown else 1.0)
