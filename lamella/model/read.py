"""Read a model folder or its zip, every byte of it verified before anything is used.

Files are opened in one order: `model.json` first, and only as large as it may be; then what it lists, and nothing else.
In a folder only plain files are opened, not links, pipes or devices; a zip is read by `archive.py`.
"""

from collections.abc import Mapping
from pathlib import Path

from lamella.errors import ModelError, UsageError
from lamella.model.archive import LARGEST, MEMBERS, Archive
from lamella.model.manifest import Manifest, digest, own_digest
from lamella.model.parse import MOST as MANIFEST
from lamella.model.parse import parse
from lamella.storage.disk import read_regular

__all__ = ["LARGEST", "MEMBERS", "read_folder", "read_zip", "verify"]


def read_folder(folder: Path) -> dict[str, bytes]:
    """The files of a model folder that its `model.json` lists, and that file."""
    try:
        there = folder.exists()
    except (OSError, ValueError):  # a NUL, or a name that is too long
        there = False
    if not there:
        raise UsageError(f"{folder}: no such model. Expected a model folder or its .zip.")
    try:
        raw = read_regular(folder / "model.json", MANIFEST)
    except FileNotFoundError as error:
        raise ModelError(f"{folder}: not a model folder: it has no model.json.") from error
    except OSError as error:
        raise _unreadable(folder / "model.json", error) from error
    manifest = parse(raw, str(folder))
    files, left = {"model.json": raw}, LARGEST
    for name in manifest.files:
        try:
            files[name] = read_regular(folder / name, left)
        except OSError as error:
            raise _unreadable(folder / name, error) from error
        left -= len(files[name])
    return files


def _unreadable(path: Path, error: OSError) -> ModelError:
    reason = "a link, which a model folder has none of" if path.is_symlink() else error.strerror or str(error)
    return ModelError(f"{path}: cannot be read ({reason}). Copy the model again.")


def read_zip(path: Path) -> dict[str, bytes]:
    """Members are read into memory and never unpacked to disk, so no name in the archive can write anywhere."""
    with Archive(path) as archive:
        if "model.json" not in archive.names:
            raise ModelError(f"{path}: not a model: it has no model.json.")
        files = {"model.json": archive.read("model.json", MANIFEST)}
        manifest = parse(files["model.json"], str(path))
        for name in archive.names:
            if name != "model.json":
                _listed(name, manifest, path)
                files[name] = archive.read(name)
    return files


def _listed(name: str, manifest: Manifest, where: Path) -> None:
    if name not in manifest.files:
        raise ModelError(f"{where}/{name}: not one of the files that model.json lists. Do not use this model.")


def verify(files: Mapping[str, bytes], where: Path) -> Manifest:
    """The manifest of a model's files, once its own checksum and that of each file are right."""
    if "model.json" not in files:
        raise ModelError(f"{where}: not a model: it has no model.json.")
    manifest = parse(files["model.json"], str(where))
    if own_digest(manifest) != manifest.digest:
        raise ModelError(f"{where}/model.json: its content does not match its own checksum. Copy the model again.")
    for name in files:
        if name != "model.json":
            _listed(name, manifest, where)
    for name, expected in manifest.files.items():
        if name not in files:
            raise ModelError(f"{where}/{name}: missing. Copy the model again.")
        if digest(files[name]) != expected:
            raise ModelError(
                f"{where}/{name}: its checksum is not the one in model.json: the file was changed or damaged. Copy the model again."
            )
    return manifest
