"""One input for one reader: what it raised, how long it took, how much memory it needed."""

from __future__ import annotations

import gc
import os
import re
import resource
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

import lamella
from lamella.errors import LamellaError
from tests.fuzzing.readers import Reader

WAITING = 10.0  # seconds without any work after which a reader is stopped
MEMORY = 500  # megabytes
MESSAGE = 4000  # characters of an error
ROOT = str(Path(lamella.__file__).parent) + os.sep
Arc = tuple[CodeType, int, int]  # from a line to a line of a function


class Trial(NamedTuple):
    """What came of an input."""

    problem: str  # "" where all is well
    seconds: float  # of the processor
    megabytes: float  # the highest use of memory, above what was used before
    error: str = ""  # the message of a typed error
    where: str = ""  # the traceback of an untyped one


class Hang(BaseException):
    """The time is up. Not an Exception: a reader that catches those must not catch this."""


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """Raise Hang after so many seconds of processor time; or of the clock, where the reader waits for something."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Hang

    timers = (
        (signal.SIGPROF, signal.ITIMER_PROF, seconds),
        (signal.SIGALRM, signal.ITIMER_REAL, WAITING + 10 * seconds),
    )
    before = [signal.signal(number, stop) for number, _, _ in timers]
    for _, timer, length in timers:
        signal.setitimer(timer, length)
    try:
        yield
    finally:
        for (number, timer, _), handler in zip(timers, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)


def _memory(what: str) -> float:
    """VmRSS, or VmHWM, its highest value, in megabytes; the second is all that systems without /proc know."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 10 if sys.platform != "darwin" else 1 << 20)
    match = re.search(rf"{what}:\s+(\d+)", status)
    return int(match[1]) / 1024 if match else 0.0


def _forget_peak() -> None:
    """The highest use of memory is counted anew from here on, where the system can."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def attempt(reader: Reader, data: bytes, path: Path, arcs: set[Arc] | None = None, watched: bool = True) -> Trial:
    """Read an input, written to `path`.

    In: a set that the arcs of lamella's code which are run are added to, or None: nothing slows it down then; whether
    memory is measured, which takes a tenth of a millisecond. Out: what came of it. Raises nothing.
    """
    path.write_bytes(data)
    before = 0.0
    if watched:
        _forget_peak()
        before = _memory("VmRSS")
    problem = error = where = ""
    allowed = reader.seconds + reader.per_kilobyte * len(data) / 1000
    start = time.process_time()
    try:
        with warnings.catch_warnings(), _deadline(2 * allowed if arcs is None else 60 + 60 * allowed):
            warnings.simplefilter("ignore")
            _traced(lambda: reader.read(path), arcs) if arcs is not None else reader.read(path)
    except LamellaError as failure:
        error = str(failure)
        if not error.strip() or "\n" in error or len(error) > MESSAGE:
            problem = f"an error that is not one line of at most {MESSAGE} characters: {error[:200]!r}"
        failure.__traceback__ = None
    except Hang:
        problem = f"stopped after {2 * allowed:.1f} s, allowed {allowed:.2f} s for {len(data) / 1000:.1f} kB"
        where = _short(traceback.format_exc())
    except BaseException as failure:
        if isinstance(failure, KeyboardInterrupt):
            raise
        problem = f"{type(failure).__name__}: {str(failure)[:200]}"
        where = _short(traceback.format_exc())
    seconds = time.process_time() - start
    peak = max(0.0, _memory("VmHWM") - before) if watched else 0.0
    if not problem and arcs is None and seconds > allowed:
        problem = f"{seconds:.2f} s for {len(data) / 1000:.1f} kB, allowed {allowed:.2f} s"
    if not problem and peak > MEMORY:
        problem = f"{peak:.0f} MB of memory, allowed {MEMORY} MB"
    if peak > MEMORY / 2:
        gc.collect()
    return Trial(problem, seconds, peak, error, where)


def _short(text: str) -> str:
    """A traceback without the lines of the harness, at most its last twelve."""
    lines = [line for line in text.splitlines() if "tests/fuzzing" not in line]
    return "\n".join(lines[-12:])


def _traced(action: Callable[[], Any], arcs: set[Arc]) -> None:
    def enter(frame: FrameType, event: str, value: Any) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith(ROOT):
            return None
        last = 0

        def step(frame: FrameType, event: str, value: Any) -> Any:
            nonlocal last
            if event == "line":
                arcs.add((code, last, frame.f_lineno))
                last = frame.f_lineno
            return step

        return step

    sys.settrace(enter)
    try:
        action()
    finally:
        sys.settrace(None)
