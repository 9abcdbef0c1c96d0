"""What is told while it trains: a line that the next one overwrites, how fast it goes and how long it will take."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lamella.train.schedule import Budget


@dataclass
class Progress:
    """What is told while it trains."""

    tell: Callable[[str], None]
    last: float = 0.0
    width: int = 0

    def line(self, text: str, now: bool = False) -> None:
        """Show a line that the next one overwrites, at most once a second; on a pipe, once in ten."""
        live = sys.stderr.isatty()
        if not now and time.time() - self.last < (1.0 if live else 10.0):
            return
        self.last = time.time()
        if live:
            sys.stderr.write("\r" + text.ljust(self.width))
            sys.stderr.flush()
            self.width = len(text)
        else:
            self.tell(text)

    def done(self) -> None:
        if sys.stderr.isatty() and self.width:
            sys.stderr.write("\n")


def speed(speeds: Sequence[tuple[float, int, int]], budget: Budget, watched: float = 0.0) -> tuple[float, float]:
    """Tokens a second of late, and the seconds left; speeds are (seconds, tokens, steps) so far, a point a step.

    watched: seconds that went into something else than steps; a budget of time holds them, a speed does not.

    >>> speed([(1.0, 0, 10), (2.0, 500, 20)], Budget(steps=50))
    (500.0, 3.0)
    >>> speed([(1.0, 0, 10), (2.0, 500, 20)], Budget(seconds=9.0), watched=3.0)
    (500.0, 4.0)
    """
    (s0, t0, i0), (s1, t1, i1) = speeds[0], speeds[-1]
    rate = (t1 - t0) / (s1 - s0) if s1 > s0 else 0.0
    ends = []
    if budget.seconds:
        ends.append(max(0.0, budget.seconds - s1 - watched))
    if budget.steps:
        ends.append((budget.steps - i1) * ((s1 - s0) / (i1 - i0) if i1 > i0 else 1.0))
    return rate, min(ends)


def time_of(seconds: float) -> str:
    return f"{seconds / 60:.1f} min" if seconds >= 90 else f"{seconds:.0f} s"
