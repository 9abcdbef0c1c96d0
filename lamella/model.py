"""The model folder: read, verify, write, call.

    my-model/
      model.json         what it is, what fit learned, scores, sha256 of every other file and of its own content
      *.onnx             what predict runs
      vocabulary.model   what fit learned as bytes
      card.md            for people
      training/          log, curves, checkpoints; left out when shipped, and not part of what is verified

The same thing may be one `.zip`. Nothing in it is code, and nothing is unpickled. Every file's checksum is verified
before it is used: with single-bit flips most files load silently wrong.
"""

import copy
import hashlib
import io
import lzma
import os
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from lamella import task as contract
from lamella.errors import DataError, ModelError, UsageError
from lamella.graph import OnnxGraph, load_graphs
from lamella.machine import cores
from lamella.task import Answer, Example, Task

FORMAT = 1
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
BATCH_TOKENS = 2048  # of a batch when answering, padding included


class Manifest(msgspec.Struct, kw_only=True):
    """What `model.json` says."""

    format: int = FORMAT
    lamella: str  # version that wrote it
    task: str
    task_digest: str = ""  # of a task's file outside the package: its code is never run unasked
    config: dict[str, Any]
    size: str
    fields: dict[str, Any]
    learned: dict[str, Any]  # what fit learned; {"file": name} where it is bytes
    precision: str = "float32"  # or "int8"
    parameters: int = 0
    scores: dict[str, Any] = {}
    training: dict[str, Any] = {}
    files: dict[str, str] = {}  # name -> sha256
    digest: str = ""  # of this file's own content, digest left empty


class Model:
    """A trained task: `predict` gives answers.

    Opened with `lamella.load`; what it needs is read and verified at once, graphs are built when first used.
    """

    def __init__(self, manifest: Manifest, files: Mapping[str, bytes], task: Task, where: str) -> None:
        self.manifest, self.files, self.task, self.where = manifest, dict(files), task, where
        for name, value in manifest.learned.items():
            is_file = isinstance(value, dict) and set(value) == {"file"}
            if is_file and value["file"] not in self.files:
                raise ModelError(
                    f"{where}/model.json: {name} is in a file that the model has not: {value['file']}. Do not use this model."
                )
            setattr(task, name, self.files[value["file"]] if is_file else value)

    def __repr__(self) -> str:
        m = self.manifest
        return f"<Model {m.task}, {m.parameters / 1e6:.1f} M parameters, {m.precision}, {self.where}>"

    @cached_property
    def graphs(self) -> dict[str, OnnxGraph]:
        """The graphs, over onnxruntime."""
        return load_graphs({k: v for k, v in self.files.items() if k.endswith(".onnx")}, threads=cores())

    def run(self, examples: Sequence[Example]) -> list[Answer]:
        """Answers of the net alone, in batches of about one length."""
        return run_batches(self.task, self.graphs, examples)

    def predict(self, examples: Any) -> Any:
        """An example, or its one field's value, -> its answer; a list of them -> a list of answers."""
        if not isinstance(examples, list):
            return self.predict([examples])[0]
        return self.task.answers([as_example(self.task, e) for e in examples], self.run)

    def explain(self, example: Any = None, method: str = "ablation", pairs: bool = False) -> Any:
        """Why an example gets its answer, or, without one, what the whole model has learned: `lamella.explain`."""
        import lamella

        return lamella.explain(self, example, method=method, pairs=pairs)

    def with_config(self, config: Any) -> "Model":
        """The same model with another configuration; this one stays as it is."""
        if config is self.task.config:
            return self
        other = copy.copy(self)
        other.task = copy.copy(self.task)
        other.task.config = config
        return other

    @property
    def bytes(self) -> int:
        """The size of all files that ship."""
        return sum(len(raw) for raw in self.files.values())


def as_example(task: Task, value: Any) -> Example:
    """A dict as it is; another value as the task's one field."""
    if isinstance(value, dict):
        return value
    names = list(task.fields)
    if len(names) != 1:
        raise UsageError(f"expected a dict with {', '.join(names)}, received {type(value).__name__}.")
    return {names[0]: value}


def run_batches(task: Task, graphs: Mapping[str, contract.GraphLike], examples: Sequence[Example]) -> list[Answer]:
    """Examples -> answers in their order, batched by length so that little is padding."""
    rows = [task.inputs({k: whole(v) for k, v in e.items()}) for e in examples]
    longest = [max([len(a) for a in row.values() if a.ndim] or [1]) for row in rows]
    order = sorted(range(len(rows)), key=lambda i: longest[i])
    answers: list[Answer] = [None] * len(rows)
    first = 0
    while first < len(order):
        last = first + 1
        while last < len(order) and (
            last - first < task.batch if task.batch else (last + 1 - first) * longest[order[last]] <= BATCH_TOKENS
        ):
            last += 1
        mine = order[first:last]
        for i, answer in zip(mine, task.decode(graphs, task.collate([rows[i] for i in mine])), strict=True):
            answers[i] = answer
        first = last
    return answers


def whole(value: Any) -> Any:
    """A text with U+FFFD for each half of a letter (a surrogate by itself), which no tokenizer takes."""
    return re.sub("[\ud800-\udfff]", "\ufffd", value) if isinstance(value, str) else value


# ---- reading ---------------------------------------------------------------------------------------------------


def load(path: str | os.PathLike[str], task: str | None = None) -> Model:
    """Open a model folder or `.zip`, every byte of it verified.

    A model of a task from outside the package needs `task`, the path of its file: code is never run unasked.
    """
    where = Path(path)
    files = _read_zip(where) if where.is_file() else _read_folder(where)
    manifest = _verify(files, where)
    if manifest.task.endswith(".py"):
        if task is None:
            raise UsageError(
                f"{where}: its task is {manifest.task}, from outside lamella. Run it with --task FILE.py if you trust it."
            )
        if not Path(task).is_file():
            raise UsageError(f"{task}: no such file. Expected the file of the task that this model was trained with.")
        if digest(Path(task).read_bytes()) != manifest.task_digest:
            raise ModelError(
                f"{task}: not the file this model was trained with (sha256 {manifest.task_digest[:12]}...)."
            )
    cls = contract.find(task or manifest.task)
    try:
        config = msgspec.convert(manifest.config, cls.Config)
    except msgspec.ValidationError as error:
        raise ModelError(
            f"{where / 'model.json'}: its configuration is not one of {manifest.task} ({error})."
        ) from error
    return Model(manifest, files, cls(config, manifest.size), str(where))


def _read_folder(folder: Path) -> dict[str, bytes]:
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


def _read_zip(path: Path) -> dict[str, bytes]:
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


def _verify(files: Mapping[str, bytes], where: Path) -> Manifest:
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


def digest(raw: bytes) -> str:
    """sha256 in hexadecimal."""
    return hashlib.sha256(raw).hexdigest()


def own_digest(manifest: Manifest) -> str:
    """The digest of a manifest's canonical content, its digest left empty."""
    blank = msgspec.structs.replace(manifest, digest="")
    return digest(msgspec.json.encode(blank, order="sorted"))


# ---- writing ---------------------------------------------------------------------------------------------------


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
