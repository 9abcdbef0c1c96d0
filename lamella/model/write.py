"""Write a model folder, a zip or a single file: whole or not at all.

In a model folder files are put in place one by one, `model.json` last, so that what else a person keeps there stays
(`lamella.model.undo` says how the old model remains loadable meanwhile).
"""

import io
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from lamella.errors import ModelError, UsageError
from lamella.model import undo
from lamella.model.manifest import Manifest, digest, own_digest
from lamella.storage import disk
from lamella.storage.disk import write_file

__all__ = ["free", "seal", "write", "write_file", "write_zip"]


def write(manifest: Manifest, files: Mapping[str, bytes], out: Path) -> None:
    """Write a model's files into a folder, created if needed; a model in it is replaced, other files are kept.

    At every moment the old model or the new one can be loaded, also after a crash. Raises ModelError, the old model
    intact, where that fails, or where a file would be overwritten that the model there does not list.
    """
    sealed = seal(manifest, files)
    try:
        made = disk.make_folder(out)
        try:
            with disk.locked(out):
                undo.recover(out)
                _put(sealed, out)
        except BaseException:
            disk.remove_empty(made)
            raise
    except OSError as error:
        raise ModelError(
            f"{out}: the model could not be written ({error.strerror or error}). What was there before is intact."
        ) from error


def _put(sealed: dict[str, bytes], out: Path) -> None:
    """Move a model's files into place, one by one. On OSError and ModelError the old model is restored first."""
    listed, new = undo.listed(out), {name: digest(raw) for name, raw in sealed.items()}
    _no_strangers(out, listed, new)
    places: dict[str, Path] = {}
    try:
        for name, raw in sealed.items():
            places[name] = disk.write_beside(raw, out / name)
        journal = undo.begin(out, listed, new)
        try:
            for name in sorted(sealed, key=lambda name: (name == "model.json", name)):
                if name == "model.json":
                    disk.sync_folder(out)  # otherwise a crash might keep model.json and lose the other files
                os.replace(places[name], out / name)
            disk.sync_folder(out)
        except BaseException:
            with suppress(OSError):  # where even this fails, .lamella-undo still holds the old model
                undo.roll_back(out, journal)
            raise
    except BaseException:
        for place in places.values():
            disk.remove(place)
        raise
    with suppress(OSError):  # the new model is complete; the next write removes what is left of the old one
        undo.finish(out, journal)


def _no_strangers(out: Path, listed: Mapping[str, str], new: Mapping[str, str]) -> None:
    """A person's own file that has the name of one of the model's is not overwritten."""
    for name in new:
        place = out / name
        own = (name in listed or name == "model.json" or undo.holds(place, new[name])) and not disk.is_folder(place)
        if os.path.lexists(place) and not own:
            raise ModelError(
                f"{place}: is there already, and no model.json lists it as the model's own. Move it, and run this again."
            )


def seal(manifest: Manifest, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """All files of a model folder, `model.json` with their checksums among them."""
    files = {name: raw for name, raw in files.items() if name != "model.json"}
    manifest.files = {name: digest(raw) for name, raw in sorted(files.items())}
    manifest.digest = own_digest(manifest)
    pretty = msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=1)
    return {"model.json": pretty, **files}


def write_zip(manifest: Manifest, files: Mapping[str, bytes], out: Path) -> None:
    """Write a model as one zip file, in one step; the same model gives the same bytes."""
    import zipfile  # late: each command that answers imports this file

    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in seal(manifest, files).items():
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, raw)
    write_file(whole.getvalue(), out)


def free(out: Path, force: bool, whole: bool = False) -> None:
    """Nothing is overwritten without --force; a `whole` folder is only written where there is a model or nothing else."""
    if whole and Path.cwd().is_relative_to(out.resolve()):
        raise UsageError(f"{out}: is the folder you are in, or holds it. Choose a name for the model's own folder.")
    if whole and out.is_file():
        raise UsageError(f"{out}: is a file, and a model is a folder. Choose another name, or remove it.")
    if whole and out.is_dir():
        try:
            with disk.locked(out):
                undo.recover(out)
        except OSError as error:
            raise ModelError(f"{out}: cannot be written ({error.strerror or error}). Choose another place.") from error
    full = out.is_dir() and any(p.name != "training" for p in out.iterdir())
    if whole and full and not (out / "model.json").is_file():
        raise UsageError(
            f"{out}: is a folder with other things in it, and no model. Choose another name for the model's own folder."
        )
    if not force and (full or out.is_file()):
        raise UsageError(f"{out}: exists already. Choose another name, or overwrite it with --force.")
    if whole and full and not undo.listed(out):
        raise UsageError(
            f"{out / 'model.json'}: damaged, so it is not known which files are the model's. Move the folder, or choose another name."
        )
