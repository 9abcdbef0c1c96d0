"""Arrays in files that say their own checksum: `STEM-0123456789abcdef.safetensors`, 16 digits of the sha256 of what is in it.

    path = write({"ids": np.arange(3)}, folder, "shard-00000")
    check(path)                          DataError where a byte has changed
    arrays, mapped = open_mapped(path)   nothing is read before it is looked at

A file is complete where it has its name, so a set of them that was left half made is gone on with, and each can be checked
by itself.
"""

import hashlib
import mmap
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from lamella.errors import DataError
from lamella.storage import disk
from lamella.storage.tensors import read_tensors, write_tensors

NAME = re.compile(r"(.+)-([0-9a-f]{16})\.safetensors")
CHUNK = 1 << 20  # bytes that are read at a time


def write(arrays: Mapping[str, NDArray[Any]], folder: Path, stem: str) -> Path:
    """Write a file, complete or not at all; returns its place. Raises OSError, nothing left."""
    raw = write_tensors(dict(arrays))
    path = folder / f"{stem}-{hashlib.sha256(raw).hexdigest()[:16]}.safetensors"
    disk.replace_file(raw, path)
    return path


def listed(folder: Path) -> dict[str, Path]:
    """The files of a folder by their stems; of a stem that is there twice, the later name."""
    if not folder.is_dir():
        return {}
    names = sorted(entry.name for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False))
    return {match[1]: folder / name for name in names if (match := NAME.fullmatch(name))}


def check(path: Path) -> None:
    """Raise DataError where a file cannot be read, or its content is not what its name says."""
    match, sha = NAME.fullmatch(path.name), hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                sha.update(chunk)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}).") from error
    if match is None or match[2] != sha.hexdigest()[:16]:
        raise DataError(
            f"{path}: its content is not what the checksum in its name says: it was changed or is damaged. Remove this "
            "file and run the same command again: it alone is made anew."
        )


def open_mapped(path: Path) -> tuple[dict[str, NDArray[Any]], mmap.mmap]:
    """The arrays of a file in a memory map, read-only. Raises DataError where it cannot be opened."""
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be opened ({getattr(error, 'strerror', None) or error}).") from error
    return read_tensors(mapped, str(path)), mapped  # type: ignore[arg-type]  # a map is read like bytes


def forget_pages(mapped: mmap.mmap) -> None:
    """Let the system count what was read of a map as free again; it is read anew when it is looked at."""
    if hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)
