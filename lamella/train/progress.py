"""What is told while it trains: a line that the next one overwrites, how fast it goes and how long it will take."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from lamella.task import Training
from lamella.train.engine import Step
from lamella.train.looks import LEAST, Looks, between
from lamella.train.schedule import Budget

WARM = 4  # steps, slower than all others


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
    """Tokens or examples a second of late, and the seconds left; speeds are (seconds, of these, steps) so far, a point a step.

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


def figure(rate: float) -> str:
    """How many a second; below ten with a digit more.

    >>> figure(6543.2), figure(3.14)
    ('6,543', '3.1')
    """
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"


def time_of(seconds: float) -> str:
    return f"{seconds / 60:.1f} min" if seconds >= 90 else f"{seconds:.0f} s"


@contextmanager
def waiting(tell: Callable[[str], None], what: str, every: float = 10.0) -> Iterator[None]:
    """While something works that says nothing: a line every so many seconds, with how long it has taken."""
    over, start = threading.Event(), time.perf_counter()

    def say() -> None:
        while not over.wait(every):
            tell(f"{what}: {time_of(time.perf_counter() - start)} so far")

    speaker = threading.Thread(target=say, name="waiting", daemon=True)
    speaker.start()
    try:
        yield
    finally:
        over.set()
        speaker.join()


def unit_of(training: Training) -> str:
    """What the speed of a training is counted in: its examples by their name, or tokens where they are of any length.

    >>> unit_of(Training(noun="windows", batch=64)), unit_of(Training(noun="recordings")), unit_of(Training())
    ('windows', 'recordings', 'tokens')
    """
    return "tokens" if training.batch is None and training.noun == Training().noun else training.noun


class Shown:
    """A line of progress, and once an estimate of how long all of it will take."""

    def __init__(
        self, tell: Callable[[str], None], budget: Budget, looks: Looks, metric: str, unit: str = "tokens"
    ) -> None:
        self._progress, self._tell, self._budget, self._looks, self._metric = (
            Progress(tell),
            tell,
            budget,
            looks,
            metric,
        )
        self._unit, self._examples = unit, 0
        self._speeds: tuple[tuple[float, int, int], ...] = ()
        self._estimated = False

    def step(self, losses: Sequence[tuple[int, float]], step: Step) -> None:
        """After a step: the loss of late, the speed and the time left. losses: (step, loss), all so far."""
        spent, index = self._looks.spent, step.index
        self._examples += step.examples
        done = step.tokens if self._unit == "tokens" else self._examples
        self._speeds = (*self._speeds[-50:], (step.seconds - spent, done, index))
        pace, left = speed(self._speeds, self._budget, spent)
        if not self._estimated:
            self._estimate(index, pace, spent)
        recent = sum(v for _, v in losses[-20:]) / len(losses[-20:])
        seen = f", {self._metric} {self._looks.last:.4g}" if self._looks.points else ""
        self._progress.line(
            f"step {index}, loss {recent:.3f}, {figure(pace)} {self._unit}/s, {time_of(left)} left{seen}"
        )

    def _estimate(self, index: int, pace: float, spent: float) -> None:
        """Say how long it will take, as soon as that can be known."""
        steps, looks = self._budget.steps if self._budget.seconds is None else None, len(self._looks.points)
        # The first steps are slower than all others, and how long a look takes is known after the first one.
        if len(self._speeds) < WARM + 8 or not (looks or not steps or steps <= LEAST):
            return
        left = speed(self._speeds[WARM:], self._budget, spent)[1]
        if steps and looks:
            left += (steps - index) / between(steps) * spent / looks
        self._tell(
            f"estimate: {time_of(left)} of training, {figure(pace)} {self._unit}/s; then exporting and measuring"
        )
        self._estimated = True

    def done(self) -> None:
        """End the line."""
        self._progress.done()


@dataclass
class Recent:
    """The mean loss and the speed since they were last asked for, at most every so many seconds."""

    every: float
    losses: list[float] = field(default_factory=list)
    since: float = field(default_factory=time.time)
    before: tuple[int, float] | None = None  # tokens and seconds of training at that time

    def step(self, step: Step) -> tuple[float, float] | None:
        """(loss, tokens a second) where it is time to say so again."""
        self.losses.append(step.loss)
        self.before = self.before or (step.tokens, step.seconds)
        if time.time() - self.since < self.every:
            return None
        tokens, seconds = step.tokens - self.before[0], step.seconds - self.before[1]
        loss = sum(self.losses) / len(self.losses)
        self.losses, self.since, self.before = [], time.time(), (step.tokens, step.seconds)
        return loss, tokens / seconds if seconds else 0.0
