"""Parse `model.json` from its bytes, with every type checked, so that code which shows a model can rely on it.

The file may come from anywhere, and its checksum is its own: it says that nothing was damaged, not that anything is true.
What is checked here holds for every task; what a task has learned is checked against what the task declares
(`lamella.model.learned.restore`).
"""

import re
from typing import Any

import msgspec

from lamella.errors import ModelError
from lamella.model.archive import MEMBERS, NAME
from lamella.model.manifest import FORMAT, Manifest

MOST = 8 << 20  # bytes
LONG = 200  # characters of a version, a task, a size
SHA256 = re.compile("[0-9a-f]{64}")


class _Interval(msgspec.Struct):
    """A measure with its confidence interval; null where it could not be computed."""

    value: float | None
    low: float | None
    high: float | None


class _Calibration(msgspec.Struct):
    sure: float
    right: float
    error: float


class _Label(msgspec.Struct):
    label: str
    f1: float
    count: int
    taken_for: str | None = msgspec.field(name="taken for")


class _Result(msgspec.Struct):
    """One set of scores."""

    count: int
    scores: dict[str, _Interval]
    notes: dict[str, str] = {}
    calibration: _Calibration | None = None
    labels: list[_Label] = []
    trivial: dict[str, float | None] = {}


class _Trained(msgspec.Struct):
    """How a model was trained; unknown keys are kept."""

    data: list[str] = []
    limits: list[str] = []
    steps: int = 0
    seconds: float = 0.0
    precision: str = ""
    seed: int = 0


def parse(raw: bytes, where: str) -> Manifest:
    """The bytes of `model.json` -> its manifest. ModelError, in one line, if they are not valid."""
    place = f"{where}/model.json"
    if len(raw) > MOST:
        raise ModelError(f"{place}: {len(raw):,} bytes are too many. Expected at most {MOST:,}.")
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
        # Readers differ about duplicate keys. Formatted, each member is one line, so lines are counted to detect them.
        if _lines(raw) != _lines(msgspec.json.encode(msgspec.json.decode(raw))):
            raise ValueError("a key that stands twice")
    except (msgspec.MsgspecError, ValueError, RecursionError, OverflowError, MemoryError) as error:
        reason = str(error) or type(error).__name__
        raise ModelError(f"{place}: damaged ({reason.splitlines()[0]}). Copy the model again.") from error
    if manifest.format != FORMAT:
        raise ModelError(
            f"{where}: format {manifest.format}, and this lamella reads format {FORMAT}. Install a newer lamella."
        )
    for name in ("lamella", "task", "size", "precision", "task_digest"):
        value = getattr(manifest, name)
        if len(value) > LONG or not value.isprintable():
            raise ModelError(f"{place}: expected a short text as {name}, received {value[:LONG]!r}.")
    _check_files(manifest, place)
    _check(manifest.scores, dict[str, _Result], "scores", place)
    _check(manifest.training, _Trained, "training", place)
    if manifest.parameters < 0:
        raise ModelError(f"{place}: expected a number of parameters, received {manifest.parameters}.")
    return manifest


def _lines(raw: bytes) -> int:
    return msgspec.json.format(raw, indent=1).count(b"\n")


def _check_files(manifest: Manifest, place: str) -> None:
    if len(manifest.files) > MEMBERS:
        raise ModelError(f"{place}: {len(manifest.files):,} files are too many for a model.")
    for name, checksum in manifest.files.items():
        if not NAME.fullmatch(name) or name == "model.json":
            raise ModelError(f"{place}: names a file outside its folder ({name[:LONG]!r}). Do not use this model.")
        if not SHA256.fullmatch(checksum):
            raise ModelError(
                f"{place}: expected a sha256 of {name}, received {checksum[:LONG]!r}. Copy the model again."
            )


def _check(value: Any, kind: Any, name: str, place: str) -> None:
    try:
        msgspec.convert(value, kind)
    except (msgspec.ValidationError, OverflowError, RecursionError) as error:
        raise ModelError(f"{place}: {name} is not as lamella writes it ({error}). Copy the model again.") from error
