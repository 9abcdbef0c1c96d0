"""The one folder in which the server writes: private, limited, and removed at the end.

It is made when it is first needed, so that a server begins where nothing can be written; a request that needs it then
gets a 507 that says so.
"""

import contextlib
import errno
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

from lamella.server.replies import Refused
from lamella.storage import temporary

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT, errno.EMFILE}


def full() -> Refused:
    return Refused(507, "the server's temporary folder takes no more. Free some space there.", 60)


_held: dict[tuple[int, Path], int | None] = {}  # by process, since a forked one does not keep what its parent lets go


def private(folder: Path) -> None:
    """Make a folder within one of the server's, both readable by this user alone; the outer one is kept until this process ends."""
    outer = os.getpid(), folder.parent
    if outer not in _held or not folder.parent.is_dir():
        _held[outer] = temporary.hold(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


class Scratch:
    """A folder for files that exist during one request."""

    def __init__(self, most: int, within: Path | None = None) -> None:
        """most: bytes of all files together; within: the folder to make it in, by default that of the system."""
        self._most, self._within, self._used = most, within, 0
        self._folder: Path | None = None
        self._handle: int | None = None  # keeps the folder while it is open
        self._lock = threading.Lock()
        self._remove: weakref.finalize[..., Scratch] | None = None

    @contextlib.contextmanager
    def file(self, name: str, raw: bytes) -> Iterator[Path]:
        """A file with these bytes during the block; Refused with 507 if it cannot be written."""
        with self._lock:
            if self._used + len(raw) > self._most:
                raise Refused(507, "the server's temporary folder is full. Ask again in a while.", 10)
            self._used += len(raw)
        place: Path | None = None
        try:
            try:
                place = Path(tempfile.mkdtemp(dir=self._made()))
                (place / name).write_bytes(raw)
            except OSError as error:
                if error.errno not in FULL:
                    raise
                raise full() from error
            yield place / name
        finally:
            if place:
                shutil.rmtree(place, ignore_errors=True)
            with self._lock:
                self._used -= len(raw)

    def _made(self) -> Path:
        """The folder, readable by this user alone."""
        with self._lock:
            if self._folder is None or not self._folder.is_dir():  # a cleaner of /tmp may have removed it
                temporary.sweep()
                if self._within:
                    private(self._within)
                    self._folder = Path(tempfile.mkdtemp(dir=self._within))
                else:
                    self._folder = temporary.named("serve")
                    self._handle = temporary.hold(self._folder)
                self._remove = weakref.finalize(self, shutil.rmtree, self._folder, True)
            return self._folder

    def close(self) -> None:
        """Remove the folder; otherwise it goes with the process."""
        with self._lock:
            if self._remove:
                self._remove()
            if self._handle is not None:
                os.close(self._handle)
            self._folder = self._remove = self._handle = None
