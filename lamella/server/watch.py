"""Whether a model's folder still holds the model that was read from it."""

import stat
import time
from pathlib import Path

from lamella.model import Model

Signature = tuple[int, int, int, int]  # device, inode, nanoseconds of the last change, bytes
UNKNOWN: Signature = (0, 0, 0, 0)
LOOK = 1.0  # seconds between two looks at a folder
MISSING = 5  # looks in a row that do not find it
RETRY = 300.0  # longest time, in seconds, until a model that could not be read is tried again
GONE = "the model is no longer on disk. What was read before still answers."


class Watch:
    """Looks at a model's folder, and at the index that it searches, now and then."""

    def __init__(self, model: Model) -> None:
        index = getattr(model.task.state.index, "where", "")
        self._where, self._index = Path(model.where), Path(index) if index else None
        self._signature: tuple[Signature | None, ...] = (signature_of(model), self._seen_index())
        self._looked = self._again = 0.0  # when it was looked at, and when a failed reading is tried again
        self._failures = self._missing = 0

    def changed(self) -> bool:
        """Whether the folder holds a model that should be read now; at most one look in LOOK seconds."""
        now = time.monotonic()
        if now < self._looked + LOOK:
            return False
        self._looked = now
        seen = signature(self._where), self._seen_index()
        self._missing = 0 if seen[0] else self._missing + 1
        if seen[0] is None or (seen == self._signature and not (self._failures and now > self._again)):
            return False
        self._signature = seen
        return True

    def _seen_index(self) -> Signature | None:
        return signature(self._index) if self._index else None

    def forget(self) -> None:
        """Take the folder as changed, whatever it holds."""
        self._signature = (UNKNOWN, None)

    @property
    def gone(self) -> bool:
        """Whether the model is not found any more. A folder may be missing for a moment while it is replaced."""
        return self._missing >= MISSING

    def failed(self) -> None:
        """It could not be read. Files may be copied one by one, `model.json` first: it is tried again, later each time."""
        self._failures += 1
        self._again = time.monotonic() + min(RETRY, 2.0**self._failures)

    def succeeded(self) -> None:
        self._failures = 0


def signature(where: Path) -> Signature | None:
    """A signature that changes whenever a model is written; None if there is no model at the moment."""
    try:
        about = (where / "model.json").stat() if where.is_dir() else where.stat()
    except (OSError, ValueError):
        return None
    return (about.st_dev, about.st_ino, about.st_mtime_ns, about.st_size) if stat.S_ISREG(about.st_mode) else None


def signature_of(model: Model) -> Signature | None:
    """The signature of what was read; UNKNOWN where the folder holds another model already, so that it is read again."""
    where = Path(model.where)
    current = signature(where)
    try:
        if current and where.is_dir() and (where / "model.json").read_bytes() != model.files.get("model.json"):
            return UNKNOWN
    except OSError:
        return UNKNOWN
    return current
