"""Files on disk: read where they are plain files of a bounded size, written whole or not at all.

    write_file(raw, path)      a hidden file beside it, flushed to the disk, moved to its place; the folder flushed too
    read_regular(path, most)   the bytes of a plain file; links, devices, pipes and what is too large are refused unread

A hidden file or folder that is not finished yet is called `.NAME.lamella-HOST-PID-RANDOM`. The name says who makes it,
so what a killed process left is known for certain, and `clean` removes it: only names of this form, only where that
process is gone. The random part is there so that a hostile folder cannot have put a link in that place beforehand.
"""

import errno
import hashlib
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lamella.errors import DataError

UNFINISHED = re.compile(r"\..+\.lamella-([0-9a-f]{4})-([0-9]{1,10})-[0-9a-f]{8}")
ANOTHER_HOST = 86_400.0  # seconds after which unfinished files of another machine count as abandoned


def unfinished(path: Path) -> Path:
    """A hidden temporary name beside `path`, to be moved there when complete."""
    import secrets  # slow to import, and not needed for reading

    return path.with_name(f".{path.name}.lamella-{_host()}-{os.getpid()}-{secrets.token_hex(4)}")


def write_beside(raw: bytes, path: Path) -> Path:
    """Write a hidden file beside `path` and flush it to the disk; returns its place. Raises OSError, nothing left."""
    place = unfinished(path)
    try:
        with place.open("wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        _unlink(place)
        raise
    return place


def replace_file(raw: bytes, path: Path) -> None:
    """Move a file into place atomically. On OSError the old file is intact.

    A link in that place is replaced, not followed.
    """
    place = write_beside(raw, path)
    try:
        os.replace(place, path)
    except BaseException:
        _unlink(place)
        raise
    sync_folder(path.parent)
    clean(path.parent, path.name)


def write_file(raw: bytes, out: Path) -> None:
    """Write a file atomically: whole or not at all. Raises DataError if that fails.

    What is neither a file nor a link, such as a pipe or /dev/null, is written to and stays what it is.
    """
    try:
        if out.exists() and not out.is_file() and not out.is_dir():
            with out.open("wb") as stream:
                stream.write(raw)
        else:
            replace_file(raw, out)
    except OSError as error:
        raise DataError(f"{out}: could not be written ({error.strerror or error}).") from error


def make_folder(folder: Path) -> list[Path]:
    """Make a folder and those above it; returns those that were made, the innermost first. Raises OSError."""
    made: list[Path] = []
    missing = [folder, *folder.parents]
    missing = missing[: next((i for i, place in enumerate(missing) if place.is_dir()), len(missing))]
    try:
        for place in reversed(missing):
            try:
                os.mkdir(place)
            except FileExistsError:
                if not place.is_dir():
                    raise
                continue
            made.insert(0, place)
            sync_folder(place.parent)
    except BaseException:
        remove_empty(made)
        raise
    return made


def remove_empty(folders: list[Path]) -> None:
    """Remove folders, innermost first, as long as they are empty."""
    with suppress(OSError):
        for folder in folders:
            os.rmdir(folder)


def sync_folder(folder: Path) -> None:
    """Flush a folder's names to the disk: without it a crash may undo a rename. Raises OSError."""
    if os.name != "posix":  # elsewhere folders cannot be opened
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a filesystem that cannot flush a folder
            raise
    finally:
        os.close(handle)


def link(source: Path, place: Path) -> None:
    """The same file under a second name, `place` being new; a copy where the filesystem has no such links."""
    try:
        os.link(source, place, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EXDEV, errno.EMLINK, errno.ENOSYS, errno.EACCES):
            raise
        shutil.copyfile(source, place, follow_symlinks=False)
        if not place.is_symlink():
            with place.open("rb") as file:
                os.fsync(file.fileno())


def read_regular(path: Path, most: int) -> bytes:
    """The bytes of a plain file of at most `most` bytes. Raises OSError for what is missing, larger or something else."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags)  # not blocking: a pipe without a writer would be waited for
    except ValueError as error:  # a NUL in the name
        raise OSError(errno.EINVAL, str(error), str(path)) from error
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise OSError(errno.EINVAL, "not a plain file", str(path))
        raw = file.read() if about.st_size <= most else b""  # read(most) would ask for so much memory first
        if about.st_size > most or len(raw) > most:
            raise OSError(errno.EFBIG, f"larger than {most:,} bytes", str(path))
        return raw


def is_folder(path: Path) -> bool:
    """Whether there is a folder itself, not a link to one."""
    return path.is_dir() and not path.is_symlink()


def clean(folder: Path, name: str = "", own: bool = False) -> None:
    """Remove unfinished files of killed processes from a folder; with a `name`, only those that were to become it.

    own: this process's too, which is right for who holds the folder's lock and has nothing unfinished there.
    """
    prefix = f".{name}.lamella-" if name else "."
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            if entry.name.startswith(prefix) and abandoned(Path(entry.path), own):
                remove(Path(entry.path))


def abandoned(path: Path, own: bool = False) -> bool:
    """Whether this is unfinished, and the process that was making it is gone, or is this one and `own` is set."""
    match = UNFINISHED.fullmatch(path.name)
    if match is None:
        return False
    if match[1] != _host():
        with suppress(OSError):
            return time.time() - path.lstat().st_mtime > ANOTHER_HOST
        return False
    return own if int(match[2]) == os.getpid() else not lives(int(match[2]))


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with what is in it; links are not followed. What cannot be removed stays."""
    if is_folder(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        _unlink(path)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a folder against other writers; without effect on filesystems that have no locks."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def lives(process: int) -> bool:
    """Whether a process of this number is running on this machine."""
    if os.name != "posix":  # where asking would end the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _host() -> str:
    import socket

    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:4]


def _unlink(path: Path) -> None:
    with suppress(OSError):
        os.unlink(path)
