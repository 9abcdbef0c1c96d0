"""What is kept between two requests: files that wait for download, and explanations of whole models.

A process alone keeps them in memory. Several processes keep them in their folder, since the one that is asked for a file
may not be the one that made it.
"""

import contextlib
import hashlib
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from lamella.model import Model
from lamella.model.manifest import digest, own_digest
from lamella.server.limits import Limits
from lamella.server.replies import Refused
from lamella.server.scratch import FULL, full, private

KEPT, WHOLE = "kept", "whole"  # folders in that of the processes


class Store(Protocol):
    """Files kept for a limited time, under unguessable names."""

    def put(self, name: str, raw: bytes) -> str:
        """Store a file and return its key; the oldest files make room."""

    def get(self, key: str) -> tuple[str, bytes]:
        """A file's name and bytes; Refused with 404 if it is gone."""


def store(limits: Limits, folder: Path | None) -> Store:
    """In memory, or, where several processes share a folder, there."""
    return FolderStore(limits, folder / KEPT) if folder else MemoryStore(limits)


class MemoryStore:
    """Files in the memory of this process."""

    def __init__(self, limits: Limits) -> None:
        self._most, self._seconds = int(limits.kept * 1e6), 60 * limits.minutes
        self._files: dict[str, tuple[float, str, bytes]] = {}  # in the order in which they came

    def put(self, name: str, raw: bytes) -> str:
        self._forget()
        _check_size(raw, self._most)
        while self._files and self._size + len(raw) > self._most:
            del self._files[next(iter(self._files))]
        key = _key(name)
        self._files[key] = (time.monotonic() + self._seconds, name, raw)
        return key

    def get(self, key: str) -> tuple[str, bytes]:
        self._forget()
        if key not in self._files:
            raise _gone()
        return self._files[key][1:]

    @property
    def _size(self) -> int:
        return sum(len(raw) for _, _, raw in self._files.values())

    def _forget(self) -> None:
        now = time.monotonic()
        self._files = {key: kept for key, kept in self._files.items() if kept[0] > now}


class FolderStore:
    """Files in a folder that several processes see; each holds a name in JSON, a line feed, and the bytes."""

    def __init__(self, limits: Limits, folder: Path) -> None:
        self._most, self._seconds, self._folder = int(limits.kept * 1e6), 60 * limits.minutes, folder

    def put(self, name: str, raw: bytes) -> str:
        _check_size(raw, self._most)
        key = _key(name)
        waiting = self._waiting()
        total = sum(size for _, size, _ in waiting)
        for _, size, place in waiting:
            if total + len(raw) <= self._most:
                break
            total -= size
            place.unlink(missing_ok=True)
        _write(self._place(key), msgspec.json.encode(name) + b"\n" + raw)
        return key

    def get(self, key: str) -> tuple[str, bytes]:
        self._waiting()
        try:
            name, _, raw = self._place(key).read_bytes().partition(b"\n")
        except OSError as error:
            raise _gone() from error
        return msgspec.json.decode(name, type=str), raw

    def _place(self, key: str) -> Path:
        """A client gives the key, so it is no part of the name; and who reads the folder does not learn it."""
        return self._folder / hashlib.sha256(key.encode(errors="replace")).hexdigest()

    def _waiting(self) -> list[tuple[float, int, Path]]:
        """When each file came, its bytes and its place, oldest first; those that are too old are removed."""
        files: list[tuple[float, int, Path]] = []
        with contextlib.suppress(FileNotFoundError):  # the folder is made with the first file
            for one in os.scandir(self._folder):
                with contextlib.suppress(FileNotFoundError):  # another process has just removed it
                    about = one.stat()
                    if about.st_mtime < time.time() - self._seconds:
                        os.unlink(one.path)
                    else:
                        files.append((about.st_mtime, about.st_size, Path(one.path)))
        return sorted(files)


class Shelf:
    """Explanations of whole models, made once for all processes; without a folder, once for each caller."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder / WHOLE if folder else None

    def once(self, name: str, model: Model, make: Callable[[Model], bytes]) -> bytes:
        """What `make(model)` gave in any of the processes, made if none has yet. name: that it is served by.

        Two that are asked at the same moment both make it; a lock would hold one up for as long.
        """
        if self._folder is None:
            return make(model)
        place = self._folder / digest(f"{name} {own_digest(model.manifest)}".encode())
        with contextlib.suppress(OSError):
            return place.read_bytes()
        raw = make(model)
        with contextlib.suppress(Refused):  # without room it is made again
            _write(place, raw)
        return raw


def _key(name: str) -> str:
    return secrets.token_urlsafe(24) + Path(name).suffix


def _check_size(raw: bytes, most: int) -> None:
    if len(raw) > most:
        raise Refused(413, f"the answer has {len(raw) / 1e6:.0f} MB, and {most / 1e6:.0f} can be kept.")


def _gone() -> Refused:
    return Refused(404, "no such file. It may have been kept too long: send the document again.")


def _write(place: Path, raw: bytes) -> None:
    """Write a file in one step, so that no other process reads half of it; Refused with 507 without room."""
    half = place.with_name(f"{place.name}.{secrets.token_hex(4)}")
    try:
        private(place.parent)
        half.write_bytes(raw)
        os.replace(half, place)
    except OSError as error:
        with contextlib.suppress(OSError):
            half.unlink(missing_ok=True)
        if error.errno not in FULL:
            raise
        raise full() from error
