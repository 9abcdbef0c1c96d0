"""The process that trains: Ctrl-C is granted after a step, and one folder has one trainer."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lamella.errors import TrainingError


@contextmanager
def interrupt() -> Iterator[Callable[[], bool]]:
    """The first Ctrl-C or polite kill is a wish, granted after the step; the second one interrupts at once."""
    asked: list[int] = []

    def ask(number: int, _: Any) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    before = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(ValueError):  # not the main thread: then the caller stops it
            before[number] = signal.signal(number, ask)
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def only_one(training: Path) -> Iterator[None]:
    """Two trainers in one folder would overwrite each other: the second refuses."""
    import fcntl

    try:
        training.mkdir(parents=True, exist_ok=True)
        lock = (training / ".lock").open("w")
    except OSError as error:
        raise TrainingError(
            f"{training}: cannot be written ({error.strerror}). Choose another place with -o."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise TrainingError(
                f"{training.parent}: another training is writing here. Wait for it, or choose another -o."
            ) from error
        yield
