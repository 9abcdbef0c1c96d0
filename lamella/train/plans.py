"""Forecasts that are kept, and compared with what then happened.

    my-model/training/plan.jsonl          a forecast a line, the newest last, written by `lamella plan ... -o my-model`

`lamella train ... -o my-model` finds a forecast of the same training there, or in the file of `--plan`; both stand in
`model.json` afterwards. Nothing is written where nobody said so.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from lamella import machine
from lamella.errors import DataError, UsageError
from lamella.storage import disk
from lamella.train.settings import Settings

if TYPE_CHECKING:  # torch is imported when a training begins
    from lamella.train.engine import Run

FILE = "plan.jsonl"  # in the folder of a training
SUFFIX = ".jsonl"
MOST_BYTES, MOST_LINES = 1 << 24, 1000
LENGTHS = ("minutes", "steps", "epochs")


class Outcome(msgspec.Struct, frozen=True):
    """What a training took, by the measures of a forecast: seconds of the whole command, bytes."""

    seconds: float
    steps: int
    memory: int
    model_bytes: int
    training_seconds: float  # steps and looks alone


class Kept(msgspec.Struct):
    """A line of the file: a forecast, of which only what is compared is read again."""

    facts: dict[str, Any]
    seconds: dict[str, float]
    steps: dict[str, float]
    memory: dict[str, float]
    model_bytes: float


def facts_of(facts: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """What a forecast is for: the task, its options and data, how long it is to train, and on what."""
    lengths = {name: getattr(settings, name) for name in LENGTHS if getattr(settings, name) is not None}
    return {
        **facts,
        "length": lengths,
        "threads": settings.threads,
        "device": settings.device,
        "processes": settings.processes,
    }


def place_of(out: str) -> Path:
    """The file in which forecasts are kept: named by itself, or by the model folder that will be trained."""
    path = Path(out)
    if path.suffix == SUFFIX:
        if path.is_dir():
            raise UsageError(f"-o {out}: is a folder. Expected a {SUFFIX} file, or the folder of a model.")
        return path
    if path.exists() and not path.is_dir():
        raise UsageError(f"-o {out}: is a file. Expected a file that ends in {SUFFIX}, or the folder of a model.")
    return path / "training" / FILE


def keep(path: Path, plan: msgspec.Struct) -> None:
    """Add a forecast to a file of forecasts, in one step. DataError where it cannot be written."""
    try:
        lines = disk.read_regular(path, MOST_BYTES).splitlines() if path.exists() else []
        if any(not line.startswith(b"{") for line in lines):
            raise DataError(f"{path}: expected a file of forecasts, received another one. Choose another name with -o.")
        disk.make_folder(path.parent)
        disk.replace_file(b"\n".join([*lines[-MOST_LINES:], msgspec.json.encode(plan)]) + b"\n", path)
    except OSError as error:
        raise DataError(f"{path}: the forecast could not be kept ({error.strerror or error}).") from error


def find(path: Path, facts: Mapping[str, Any]) -> Kept | None:
    """The newest forecast of a training with these facts in a file; None where there is none.

    Raises DataError where the file cannot be read, or is no file of forecasts.
    """
    rows = _read(path)
    wanted = msgspec.to_builtins(dict(facts))
    return next((row for row in reversed(rows) if row.facts == wanted), None)


def _read(path: Path) -> list[Kept]:
    try:
        lines = disk.read_regular(path, MOST_BYTES).splitlines()
        return [msgspec.json.decode(line, type=Kept) for line in lines]
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}). Expected a file of forecasts.") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(
            f"{path}: not a file of forecasts ({error}). Make one by: lamella plan TASK DATA -o {path}"
        ) from error


def wanted(word: str | None, model: Path, facts: Mapping[str, Any]) -> Kept | None:
    """The forecast that a training is compared with: of the file of `--plan`, else of its folder, where there is one.

    UsageError where a file is named that has no forecast of this training.
    """
    if word is None:
        path = model / "training" / FILE
        try:
            return find(path, facts) if path.is_file() else None
        except DataError:  # of another version, or half a line: nobody asked for it
            return None
    found = find(Path(word), facts)
    if found is None:
        last = _read(Path(word))[-1:]
        other = [name for row in last for name in facts if row.facts.get(name) != msgspec.to_builtins(facts[name])]
        raise UsageError(
            f"--plan {word}: no forecast of this training; the last one has another {', '.join(other) or 'everything'}. Plan it "
            "with the same options, or train without --plan."
        )
    return found


def compared(forecast: Kept, seconds: float, run: "Run", files: Mapping[str, bytes]) -> dict[str, Any]:
    """A forecast and what happened, as `model.json` holds them under `training`.

    seconds: of the whole command so far. files: those of the model.
    """
    outcome = Outcome(
        seconds=round(seconds, 1),
        steps=run.step,
        memory=machine.peak_memory(),
        model_bytes=sum(map(len, files.values())),
        training_seconds=round(run.seconds - run.looks.apart, 1),
    )
    shown = {name: value for name, value in msgspec.to_builtins(forecast).items() if name != "facts"}
    return {"forecast": shown, "outcome": msgspec.to_builtins(outcome)}
