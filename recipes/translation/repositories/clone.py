"""Read the files of a clone, a plain folder or a tar archive, at a given revision, without touching a work tree."""

from __future__ import annotations

import re
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from recipes.translation.common import is_reserved


class Unavailable(Exception):
    """A source that cannot be read here; the message says what is missing and how to get it."""


def _git(folder: Path, *words: str, given: bytes | None = None) -> bytes:
    """What a git command prints; its own message as an error."""
    command = ["git", f"--git-dir={folder}", *words]
    done = subprocess.run(command, input=given, capture_output=True, check=False)
    if done.returncode:
        raise Unavailable(f"{folder}: git {words[0]}: {done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout


class Clone:
    """The files of a git repository at one revision.

    A revision is a branch or commit, or `BRANCH before DATE`: the last commit of that branch before the date (UTC).
    Without one, what HEAD names.
    """

    def __init__(self, folder: Path, revision: str = "") -> None:
        self.folder = folder / ".git" if (folder / ".git").exists() else folder
        branch, _, date = revision.partition(" before ")
        names = [f"refs/heads/{branch}", f"refs/remotes/origin/{branch}", branch] if branch else ["HEAD"]
        commit = next(filter(None, map(self._commit, names)), "")
        if not commit:
            raise Unavailable(
                f"{folder}: expected the revision {branch!r}; fetch it with `git fetch --unshallow origin`"
            )
        if date:
            command = ["rev-list", "-1", f"--before={date}T00:00:00Z", commit, "--"]
            commit = _git(self.folder, *command).decode().strip()
            if not commit:
                raise Unavailable(f"{folder}: no commit before {date}; `git fetch --unshallow` brings the history")
        self.commit = commit
        self.objects: dict[str, str] = {}
        for entry in _git(self.folder, "ls-tree", "-r", "-z", "--full-tree", commit).decode("utf-8").split("\0"):
            kind, _, path = entry.partition("\t")
            if kind and kind.split()[1] == "blob" and not kind.startswith("120000"):  # no links
                self.objects[path] = kind.split()[2]

    def _commit(self, name: str) -> str:
        """The commit a name stands for, or nothing."""
        command = ["git", f"--git-dir={self.folder}", "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    def paths(self) -> list[str]:
        """Every file's path, in order."""
        return sorted(self.objects)

    def read(self, paths: list[str]) -> dict[str, bytes]:
        """The contents of some files, by path; those that the clone lacks are left out."""
        asked = [path for path in paths if path in self.objects]
        names = "".join(f"{self.objects[path]}\n" for path in asked).encode()
        answer = _git(self.folder, "cat-file", "--batch", given=names) if asked else b""
        found, position = {}, 0
        for path in asked:  # each is "ID blob SIZE\n", the bytes, "\n"; or "ID missing\n" in a partial clone
            end = answer.index(b"\n", position)
            head = answer[position:end].split()
            position = end + 1
            if head[1] == b"blob":
                found[path] = answer[position : position + int(head[2])]
                position += int(head[2]) + 1
        return found


class Folder:
    """The files of a folder that is no clone, such as an unpacked archive."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def paths(self) -> list[str]:
        found = (path for path in self.folder.rglob("*") if path.is_file() and not path.is_symlink())
        return sorted(path.relative_to(self.folder).as_posix() for path in found)

    def read(self, paths: list[str]) -> dict[str, bytes]:
        return {p: (self.folder / p).read_bytes() for p in paths if (self.folder / p).is_file()}


class Archive:
    """The files of a tar archive of sources; paths are without the archive's outer folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def _members(self) -> Iterator[tuple[str, tarfile.TarInfo, tarfile.TarFile]]:
        with tarfile.open(self.path) as archive:
            for member in archive:
                if member.isfile():
                    yield member.name.partition("/")[2], member, archive

    def paths(self) -> list[str]:
        return sorted(name for name, _, _ in self._members())

    def read(self, paths: list[str]) -> dict[str, bytes]:
        wanted, found = set(paths), {}
        for name, member, archive in self._members():
            stream = archive.extractfile(member) if name in wanted else None
            if stream is not None:
                found[name] = stream.read()
                if len(found) == len(wanted):  # unpacking the rest would take a minute
                    break
        return found


Files = Clone | Folder | Archive


class Library:
    """A person's folder of clones, and of source packages."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise Unavailable(f"{folder}: expected a folder of clones named owner+name; make it and clone into it")
        self.folder = folder
        self._open = cache(self._opened)  # each clone is listed once

    def has(self, repository: str) -> bool:
        """Whether there is a clone or a source package of that name."""
        return (self.folder / repository).exists() or bool(self._archives(repository))

    def matching(self, pattern: str) -> list[str]:
        """The names of the clones that match a shell pattern."""
        return sorted(path.name for path in self.folder.glob(pattern))

    def _archives(self, name: str) -> list[Path]:
        """Source archives of a Debian package `debian:NAME-VERSION`, as `apt-get source --download-only` leaves them."""
        package, _, version = name.removeprefix("debian:").rpartition("-")
        if not name.startswith("debian:") or is_reserved(package):
            return []
        return sorted(self.folder.rglob(f"{package}_{version}.orig.tar.*"))

    def _opened(self, repository: str, revision: str) -> Files:
        folder = self.folder / repository
        if (folder / ".git").exists() or ((folder / "HEAD").is_file() and (folder / "objects").is_dir()):
            return Clone(folder, revision)
        if folder.is_dir():
            if revision:
                raise Unavailable(f"{folder}: expected a git clone, to read it at {revision!r}")
            return Folder(folder)
        for path in self._archives(repository):
            return Archive(path)
        raise Unavailable(f"{folder}: not there; clone the repository into it")

    def open(self, repository: str, revision: str = "") -> Files:
        """The files of a clone at a revision."""
        return self._open(repository, revision)


Row = tuple[str, str, str]  # document, English, other
Reader = Callable[[Library, str], Iterator[Row]]  # the clones, and the name of the language in that repository


def decode(data: bytes) -> str:
    """Text as UTF-8, without its byte order mark, every end of line as one newline; Latin-1 where UTF-8 fails."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def matched(
    english: Files, pattern: str, template: str, other: Files | None = None
) -> Iterator[tuple[str, bytes, bytes]]:
    """Files and their translations: path, English, other.

    `pattern` is a regular expression for whole English paths; `template`, with its groups filled in, the path of the
    translation, in `other` or in the same clone.
    """
    other = other or english
    places = {path: match.expand(template) for path in english.paths() if (match := re.fullmatch(pattern, path))}
    there = set(other.paths())
    pairs = [
        (path, place) for path, place in places.items() if place in there and (other is not english or place != path)
    ]
    for start in range(0, len(pairs), 500):  # not all of a large repository in memory at once
        some = pairs[start : start + 500]
        left, right = english.read([a for a, _ in some]), other.read([b for _, b in some])
        yield from ((a, left[a], right[b]) for a, b in some if a in left and b in right)
