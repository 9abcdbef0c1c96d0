"""Temporary folders that do not outlive the process that needs them, even one that is killed.

A process that is killed removes nothing. So each folder holds a marker that is locked as long as somebody needs the folder, and whoever
makes the next one removes those whose marker nobody holds. The engine frees the locks of a process however it ended.
"""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lamella.storage import disk

PREFIX = "lamella-"
MARKER = ".lamella-temporary"  # without it a folder is somebody else's, whatever its name


def named(kind: str) -> Path:
    """A name in the system's folder for temporary files that nothing has yet."""
    return Path(tempfile.gettempdir()) / f"{PREFIX}{kind}-{secrets.token_hex(8)}"


@contextmanager
def folder(kind: str) -> Iterator[Path]:
    """A new folder, readable by this user alone, that goes with the block or soon after its process.

    OSError where it cannot be made.
    """
    sweep()
    place = named(kind)
    try:
        with held(place):
            yield place
    finally:
        disk.remove(place)


@contextmanager
def held(place: Path) -> Iterator[None]:
    """Keep a folder during the block; several processes may hold one. It is made where it is missing, and not removed at the end."""
    handle = hold(place)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


def hold(place: Path) -> int | None:
    """The handle that keeps a folder while it is open, until the process ends; None where folders cannot be held."""
    try:
        import fcntl
    except ImportError:
        place.mkdir(mode=0o700, exist_ok=True)
        return None
    while True:
        place.mkdir(mode=0o700, exist_ok=True)
        with suppress(FileNotFoundError):  # swept between two lines of this loop
            handle = os.open(place / MARKER, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            with suppress(OSError):  # on filesystems without locks; there nobody can sweep either
                fcntl.flock(handle, fcntl.LOCK_SH)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle), os.stat(place / MARKER, follow_symlinks=False)):
                    return handle
            os.close(handle)


def sweep() -> None:
    """Remove this user's temporary folders that nobody holds any more."""
    if not hasattr(os, "getuid"):
        return
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX) and entry.is_dir(follow_symlinks=False):
                with suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_uid == os.getuid():
                        _remove_unheld(Path(entry.path))


def _remove_unheld(place: Path) -> None:
    """Remove a folder with a marker; OSError where it has none, or where somebody holds it."""
    import fcntl

    handle = os.open(place / MARKER, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        disk.remove(place)  # under the lock: who waits for it sees afterwards that the marker is gone
    finally:
        os.close(handle)
