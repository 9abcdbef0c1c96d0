"""Write a model folder, a zip or a single file: whole or not at all."""

import io
import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from lamella.errors import DataError, ModelError, UsageError
from lamella.model.manifest import Manifest, digest, own_digest


def write(manifest: Manifest, files: Mapping[str, bytes], out: Path, force: bool = False) -> None:
    """Write a model folder beside its place, flush it to disk, and move it there in one step.

    A folder `training/` that is in the place already stays. Anything else there is an error without `force`.
    """
    sealed = seal(manifest, files)
    beside, aside = out.with_name(f".{out.name}.{os.getpid()}"), out.with_name(f".{out.name}.old.{os.getpid()}")
    try:
        beside.mkdir(parents=True)
        for name, raw in sealed.items():
            with (beside / name).open("wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
        if (out / "training").exists():
            os.rename(out / "training", beside / "training")
        if out.exists():
            os.rename(out, aside)
            os.rename(beside, out)
            aside.unlink() if aside.is_file() else shutil.rmtree(aside, ignore_errors=True)
        else:
            os.rename(beside, out)
    except OSError as error:
        if aside.exists() and not out.exists():
            os.rename(aside, out)
        if (beside / "training").exists() and not (out / "training").exists():
            out.mkdir(exist_ok=True)
            os.rename(beside / "training", out / "training")
        shutil.rmtree(beside, ignore_errors=True)
        raise ModelError(
            f"{out}: the model could not be written ({error.strerror or error}). What was there before is intact."
        ) from error


def seal(manifest: Manifest, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """All files of a model folder, `model.json` with their checksums among them."""
    files = {name: raw for name, raw in files.items() if name != "model.json"}
    manifest.files = {name: digest(raw) for name, raw in sorted(files.items())}
    manifest.digest = own_digest(manifest)
    pretty = msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=1)
    return {"model.json": pretty, **files}


def write_zip(manifest: Manifest, files: Mapping[str, bytes], out: Path) -> None:
    """Write a model as one zip file, in one step; the same model gives the same bytes."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in seal(manifest, files).items():
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, raw)
    write_file(whole.getvalue(), out)


def write_file(raw: bytes, out: Path) -> None:
    """Write a file in one step: whole or not at all. Raises DataError where that cannot be done."""
    beside = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        beside.write_bytes(raw)
        os.replace(beside, out)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise DataError(f"{out}: could not be written ({error.strerror or error}).") from error


def free(out: Path, force: bool, whole: bool = False) -> None:
    """Nothing is overwritten without --force; by a `whole` folder nothing is replaced that is not a model."""
    full = out.is_dir() and any(p.name != "training" for p in out.iterdir())
    if whole and Path.cwd().is_relative_to(out.resolve()):
        raise UsageError(f"{out}: is the folder you are in, or holds it. Choose a name for the model's own folder.")
    if whole and full and not (out / "model.json").is_file():
        raise UsageError(
            f"{out}: is a folder with other things in it, which a model would replace. Choose another name."
        )
    if not force and (full or out.is_file()):
        raise UsageError(f"{out}: exists already. Choose another name, or overwrite it with --force.")
