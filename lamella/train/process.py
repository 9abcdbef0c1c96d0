"""The process that trains: Ctrl-C is granted after a step, and one folder has one trainer."""

import errno
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lamella.errors import TrainingError
from lamella.storage import disk


class Interrupt:
    """Ctrl-C and a polite kill, which mean the same: calling it says whether one came.

    While `patient`, the first is a wish that is granted after the step; any other ends the work where it is.
    """

    def __init__(self) -> None:
        self.asked = self.patient = False
        self.kept = "nothing was trained."  # what is left after it, for the message

    def __call__(self) -> bool:
        return self.asked

    def handle(self, number: int, frame: Any) -> None:
        if self.patient and not self.asked:
            self.asked = True
            return
        self.asked = True
        self.now()

    def now(self) -> None:
        """End the work here."""
        raise KeyboardInterrupt(f"stopped; {self.kept}")

    def check(self) -> None:
        """End the work here if that was asked for: a library may have taken the interruption for something else."""
        if self.asked:
            self.now()


@contextmanager
def interrupt() -> Iterator[Interrupt]:
    """Take Ctrl-C and a polite kill in the main thread; in others the caller stops it."""
    stop, before = Interrupt(), {}
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(ValueError):  # not the main thread
            before[number] = signal.signal(number, stop.handle)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def only_one(training: Path) -> Iterator[None]:
    """Two trainers in one folder would overwrite each other: the second refuses. A killed one holds nothing."""
    import fcntl

    for place in (training, training / "checkpoint", training / "tensorboard"):
        if place.is_symlink():
            raise TrainingError(f"{place}: is a link, and what is written there would go elsewhere. Remove the link.")
    try:
        disk.make_folder(training)
        handle = os.open(training / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        raise TrainingError(
            f"{training}: cannot be written ({error.strerror}). Choose another place with -o."
        ) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):  # else the filesystem has no locks
                raise TrainingError(
                    f"{training.parent}: another training is writing here. Wait for it, or choose another -o."
                ) from error
        yield
    finally:
        os.close(handle)
