"""Keep a model loadable while its files are replaced one by one.

Files of the old model and of the new one have the same names, so between the first replaced file and the last the folder
holds a mixture. Before the first is touched, the old model is kept beside it under second names (hard links, which
cost no space):

    my-model/
      model.json, net.onnx, ...              replaced one by one, model.json last
      .lamella-undo/journal.json             names and checksums of the new files and of the old ones
      .lamella-undo/model/                   the old model, whole

At every moment either the folder itself or `.lamella-undo/model` passes its checksums, and `read_whole` takes the one
that does. What a killed process left is settled by the next write (`recover`): where `model.json` is the new one, all of
the new model is there and the old one goes; else the old files are put back. A file is only ever removed or replaced here
if its checksum is that of the file that lamella put there; all others in the folder are the person's own.
"""

import os
from contextlib import suppress
from pathlib import Path

import msgspec

from lamella.errors import ModelError, UsageError
from lamella.model.manifest import Manifest, digest
from lamella.model.read import read_folder, verify
from lamella.storage import disk

UNDO = ".lamella-undo"
MOST_JOURNAL = 4 << 20  # bytes
MOST_FILE = 2 << 30
TRIES = 10  # attempts of a reader that writers keep interrupting


class Journal(msgspec.Struct, frozen=True):
    """The journal of a write: name -> sha256 of each new file and of each old one."""

    new: dict[str, str]
    old: dict[str, str]
    gone: dict[str, str]  # of the old ones, those that the new model has no more, as the old model.json lists them


def read_whole(folder: Path) -> tuple[dict[str, bytes], Manifest]:
    """A model folder's files, verified; while it is being replaced, or was when a process was killed, the old model's.

    Raises ModelError and UsageError, of the folder itself.
    """
    for _ in range(TRIES):
        before = _state(folder)
        try:
            return _verified(folder)
        except ModelError as error:
            failed = error
        kept = folder / UNDO / "model"
        if disk.is_folder(folder / UNDO) and disk.is_folder(kept):
            with suppress(ModelError, UsageError):  # UsageError: the writer has ended, and it is gone since
                return _verified(kept)
        # In this order: a writer that ends between the two checks has changed the state.
        if not disk.is_folder(folder / UNDO) and _state(folder) == before:
            break  # nobody is writing, so the folder is really damaged
    raise failed


def _state(folder: Path) -> tuple[int, int] | None:
    """A signature that changes when model.json is replaced."""
    with suppress(OSError, ValueError):  # ValueError: a NUL in the name
        about = (folder / "model.json").stat()
        return about.st_ino, about.st_mtime_ns
    return None


def _verified(folder: Path) -> tuple[dict[str, bytes], Manifest]:
    files = read_folder(folder)
    return files, verify(files, folder)


def listed(folder: Path) -> dict[str, str]:
    """name -> sha256 of the files that `model.json` lists; none where it is missing or damaged."""
    try:
        raw = disk.read_regular(folder / "model.json", MOST_FILE)
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return {**{k: v for k, v in manifest.files.items() if is_plain(k)}, "model.json": digest(raw)}


def is_plain(name: str) -> bool:
    """Whether this names a file of the folder itself.

    >>> [is_plain(name) for name in ("net.onnx", "../net.onnx", "a/b", "..", "", "a\\0b")]
    [True, False, False, False, False, False]
    """
    return name not in ("", ".", "..") and not set("/\\\0") & set(name)


def begin(folder: Path, listed: dict[str, str], new: dict[str, str]) -> Journal:
    """Keep the old model under second names, so that `roll_back` and `recover` can restore it. Raises OSError."""
    old = {name: sha for name in listed if (sha := _sha(folder / name)) is not None}
    journal = Journal(new, old, {name: sha for name, sha in listed.items() if name not in new})
    staged = disk.unfinished(folder / UNDO)
    try:
        os.mkdir(staged)
        os.mkdir(staged / "model")
        for name in old:
            disk.link(folder / name, staged / "model" / name)
        disk.sync_folder(staged / "model")
        disk.replace_file(msgspec.json.encode(journal), staged / "journal.json")
        os.rename(staged, folder / UNDO)
        try:
            disk.sync_folder(folder)
        except BaseException:
            with suppress(OSError):
                _retire(folder)
            raise
    except BaseException:
        disk.remove(staged)
        raise
    return journal


def recover(folder: Path) -> None:
    """Repair the folder after a killed process: finish the write if all files are new, else restore the old ones.

    The caller holds the folder's lock. Raises OSError where that cannot be done; the old model still stands in
    `.lamella-undo`.
    """
    journal = _journal(folder)
    if journal is not None:
        if _sha(folder / "model.json") == journal.new.get("model.json"):
            finish(folder, journal)
        else:
            roll_back(folder, journal)
    disk.clean(folder, own=True)


def roll_back(folder: Path, journal: Journal) -> None:
    """Restore the old model's files and remove the new ones; model.json first, so that this can be resumed."""
    for name in sorted(journal.new.keys() | journal.old.keys(), key=lambda name: (name != "model.json", name)):
        kept, place = folder / UNDO / "model" / name, folder / name
        now = _sha(place)
        if is_plain(name) and now != journal.old.get(name, "") and now in (None, journal.new.get(name)):
            if name in journal.old and _sha(kept) == journal.old[name]:
                second = disk.unfinished(place)
                disk.link(kept, second)
                os.replace(second, place)
            elif now is not None:
                os.unlink(place)
    disk.sync_folder(folder)
    _retire(folder)


def finish(folder: Path, journal: Journal) -> None:
    """Finish a complete write: remove files that only the old model listed, then the backup."""
    for name, sha in journal.gone.items():
        if is_plain(name) and name not in journal.new and _sha(folder / name) == sha:
            os.unlink(folder / name)
    disk.sync_folder(folder)
    _retire(folder)


def _retire(folder: Path) -> None:
    """Remove the backup; from its first step on no reader uses it."""
    gone = disk.unfinished(folder / UNDO)
    os.rename(folder / UNDO, gone)
    disk.sync_folder(folder)
    disk.remove(gone)


def _journal(folder: Path) -> Journal | None:
    undo = folder / UNDO
    if not disk.is_folder(undo):
        return None
    try:
        return msgspec.json.decode(disk.read_regular(undo / "journal.json", MOST_JOURNAL), type=Journal)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def holds(path: Path, sha: str) -> bool:
    """Whether this is a plain file with that checksum."""
    return _sha(path) == sha


def _sha(path: Path) -> str | None:
    """sha256 of a plain file; None where there is none."""
    try:
        return digest(disk.read_regular(path, MOST_FILE))
    except OSError:
        return None
