"""Read a model folder or its zip, every byte of it verified before anything is used."""

import lzma
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from lamella.errors import ModelError, UsageError
from lamella.model.manifest import FORMAT, Manifest, digest, own_digest

LARGEST = 2 << 30  # bytes of all files in a zip together: more is refused unread
MEMBERS = 1000
# What Python's zipfile raises for archives that are damaged, encrypted, or something else.
DAMAGED = (
    zipfile.BadZipFile,
    OSError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
)


def read_folder(folder: Path) -> dict[str, bytes]:
    if not folder.exists():
        raise UsageError(f"{folder}: no such model. Expected a model folder or its .zip.")
    try:
        manifest = msgspec.json.decode((folder / "model.json").read_bytes())
        names = ["model.json", *manifest["files"]]
        paths = [folder / name for name in names]
    except FileNotFoundError as error:
        raise ModelError(f"{folder}: not a model folder: it has no model.json.") from error
    except OSError as error:
        raise ModelError(
            f"{folder / 'model.json'}: cannot be read ({error.strerror}). Copy the model again."
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(f"{folder / 'model.json'}: damaged ({error}). Copy the model again.") from error
    found: dict[str, bytes] = {}
    for name, path in zip(names, paths, strict=True):
        if Path(name).name != name:
            raise ModelError(
                f"{folder / 'model.json'}: names a file outside its folder ({name!r}). Do not use this model."
            )
        try:
            found[name] = path.read_bytes()
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise ModelError(
                f"{path}: cannot be read ({getattr(error, 'strerror', error)}). Copy the model again."
            ) from error
    return found


def read_zip(path: Path) -> dict[str, bytes]:
    """Members are read into memory and never unpacked to disk, so no name in the archive can write anywhere."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            if len(infos) > MEMBERS or sum(i.file_size for i in infos) > LARGEST:
                raise ModelError(
                    f"{path}: {len(infos)} members of {sum(i.file_size for i in infos):,} bytes are too many for a model."
                )
            if any("/" in i.filename or "\\" in i.filename for i in infos):
                raise ModelError(f"{path}: a model's zip has no folders. Was it made by lamella export?")
            return {i.filename: archive.read(i) for i in infos}
    except DAMAGED as error:
        raise ModelError(f"{path}: expected a model folder or a .zip made by lamella export ({error}).") from error


def verify(files: Mapping[str, bytes], where: Path) -> Manifest:
    try:
        raw = files["model.json"]
        manifest = msgspec.json.decode(raw, type=Manifest)
    except KeyError as error:
        raise ModelError(f"{where}: not a model: it has no model.json.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ModelError(f"{where}/model.json: damaged ({error}). Copy the model again.") from error
    if manifest.format != FORMAT:
        raise ModelError(
            f"{where}: format {manifest.format}, and this lamella reads format {FORMAT}. Install a newer lamella."
        )
    if own_digest(manifest) != manifest.digest:
        raise ModelError(f"{where}/model.json: its content does not match its own checksum. Copy the model again.")
    for name in files:
        if name != "model.json" and name not in manifest.files:
            raise ModelError(f"{where}/{name}: not one of the files that model.json lists. Do not use this model.")
    for name, expected in manifest.files.items():
        if name not in files:
            raise ModelError(f"{where}/{name}: missing. Copy the model again.")
        if digest(files[name]) != expected:
            raise ModelError(
                f"{where}/{name}: its checksum is not the one in model.json: the file was changed or damaged. Copy the model again."
            )
    return manifest
