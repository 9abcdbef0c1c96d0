"""How long to train, and how fast to learn while it lasts.

The learning rate rises in a straight line, stays, and falls in a straight line to zero: a trapezium (Hägele et al.,
2024). It reaches what a cosine reaches, and what was trained before the fall can be trained on with another length.
"""

import msgspec


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


class Schedule(msgspec.Struct, frozen=True):
    """The factor on the peak learning rate.

    >>> schedule = Schedule(warmup=100, cooldown=0.5)
    >>> [schedule.factor(step, progress) for step, progress in ((49, 0.1), (200, 0.4), (300, 0.75), (400, 1.0))]
    [0.5, 1.0, 0.5, 0.0]
    """

    warmup: int = 100  # steps
    cooldown: float = 0.4  # the last part of the budget

    def factor(self, step: int, progress: float) -> float:
        rise = min(1.0, (step + 1) / self.warmup)
        fall = min(1.0, max(0.0, 1 - progress) / self.cooldown) if self.cooldown else 1.0
        return min(rise, fall)
