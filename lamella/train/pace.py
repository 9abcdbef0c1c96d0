"""Whether several processes pay: the time of a step beside that of the same step in one process, measured in the run itself."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch

from lamella import machine
from lamella.train.engine import Batches, Feed, Run
from lamella.train.team import Team

TRIED = 3  # batches in one process; the first is slower and does not count
SEEN = 20  # steps of all after which they are compared
PAYS = 1.1  # times as fast as one process


class Pace:
    """Compares once, and says what it found."""

    def __init__(self, team: Team, tell: Callable[[str], None]) -> None:
        self._team, self._tell = team, tell
        self._one: float | None = None
        self._said = team.size == 1 or team.local < team.size  # elsewhere one process has another machine

    def alone(self, run: Run, batches: Batches, loss: Callable[[Any, dict[str, Any]], Any]) -> None:
        """Time the first batches in this process alone, on the number of threads that is faster, while the others wait.

        The net stays as it was, and what a step draws hangs on its number alone.
        """
        if self._said or self._one is not None:
            return
        buffers = [buffer.clone() for buffer in run.net.buffers()]
        own, best = torch.get_num_threads(), math.inf
        for threads in {machine.cores(), own}:  # on a busy machine fewer may be faster
            torch.set_num_threads(threads)
            feed, seconds = Feed(batches, run.device, skip=0), []
            for _ in range(TRIED):
                start = time.perf_counter()
                loss(run.net, feed.take()[0]).backward()
                run.optimizer.gradients()  # thrown away
                if run.device.type != "cpu":
                    torch.accelerator.synchronize()
                seconds.append(time.perf_counter() - start)
            best = min(best, median(seconds[1:]))
        torch.set_num_threads(own)
        for buffer, before in zip(run.net.buffers(), buffers, strict=True):
            buffer.copy_(before)
        self._one = best * batches.accumulate

    def step(self) -> None:
        """After a step: say how much faster all are than one, as soon as that is known."""
        if self._said or self._one is None or len(self._team.times) < SEEN:
            return
        self._said = True
        several = median(self._team.times)
        for line in verdict(self._team.size, self._one, several):
            self._tell(line)


def verdict(size: int, one: float, several: float) -> list[str]:
    """What to say of so many processes, of the seconds of a step.

    >>> verdict(2, 0.1, 0.0625)
    ['2 processes: 1.6 times as fast as one (a step 62 ms, in one process 100 ms)']
    >>> verdict(2, 0.1, 0.12)[1]
    'note: 2 processes do not pay here. Train without --processes.'
    """
    lines = [
        f"{size} processes: {one / several:.1f} times as fast as one "
        f"(a step {1000 * several:.0f} ms, in one process {1000 * one:.0f} ms)"
    ]
    if one < PAYS * several:
        lines.append(f"note: {size} processes do not pay here. Train without --processes.")
    return lines
