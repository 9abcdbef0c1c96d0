"""Checkpoints: safetensors and JSON, written so that a crash at any moment leaves the last complete one.

    checkpoint/step-00001200/run.safetensors + run.json

Each save is a new folder, made under another name and moved to its own in one step when everything in it has reached
the disk; then older ones go. `run.json` holds the sha256 of the tensors and of itself. The newest whose checksums are
right, and whose tensors are those of this net and finite, is loaded. Tensors are saved from the processor's memory, so
that a run may go on on another device than it began on.
"""

import hashlib
import os
import re
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import torch
from msgspec import Meta
from numpy.typing import NDArray

from lamella.errors import ModelError, TrainingError
from lamella.storage import disk
from lamella.storage.tensors import read_tensors
from lamella.train.engine import Run
from lamella.train.looks import Looks

NAME = re.compile(r"step-([0-9]{8,12})(\+*)")
HALF = re.compile(r"\.step-[0-9]{8,12}\+*\.([0-9]{1,10})")  # what an earlier version left when it was killed
MOST_TENSORS, MOST_STATE = 8 << 30, 16 << 20  # bytes of the two files
Count = Annotated[int, Meta(ge=0, le=10**15)]
Seconds = Annotated[float, Meta(ge=0, le=1e10)]


class State(msgspec.Struct, kw_only=True):
    """What `run.json` says."""

    step: Count
    seconds: Seconds
    tokens: Count
    updates: Count
    lost: Count = 0
    looks: Looks = msgspec.field(default_factory=Looks)  # an earlier version kept none
    sha256: str
    facts: dict[str, Any]
    digest: str = ""


class Saved(msgspec.Struct):
    """A complete checkpoint as it was read."""

    path: Path
    state: State
    raw: bytes  # of run.safetensors


def save(run: Run, folder: Path, facts: dict[str, Any], keep: int = 1) -> Path:
    """Write a checkpoint and drop all but the newest `keep`; `facts` is what must be the same to go on with it.

    Raises TrainingError, the last one intact, where it cannot be written or holds what is no finite number.
    """
    from safetensors.torch import save as to_bytes

    tensors = _tensors(run)
    target = folder / f"step-{run.step:08d}"
    if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
        raise TrainingError(
            f"{target}: not written: the weights are no finite numbers any more. A checkpoint saved before is kept. "
            "Train with a lower learning rate (--rate), or check the data."
        )
    raw = to_bytes({name: tensor.cpu() for name, tensor in tensors.items()})
    state = {
        "step": run.step,
        "seconds": run.seconds,
        "tokens": run.tokens,
        "updates": run.optimizer.count,
        "lost": run.lost,
        "looks": msgspec.to_builtins(run.looks),
        "sha256": hashlib.sha256(raw).hexdigest(),
        "facts": facts,
    }
    state["digest"] = _digest(state)
    while target.exists():  # saved twice at one step: the second stands beside the first until it is complete
        target = target.with_name(target.name + "+")
    beside = disk.unfinished(target)
    try:
        try:
            disk.make_folder(beside)
            _write(beside / "run.safetensors", raw)
            _write(beside / "run.json", msgspec.json.encode(state))
            disk.sync_folder(beside)
            os.rename(beside, target)
        except BaseException:
            disk.remove(beside)
            raise
        disk.sync_folder(folder)
    except OSError as error:
        raise TrainingError(
            f"{target}: the checkpoint could not be written ({error.strerror or error}). The one before is intact. "
            "Free some disk space and run the same command with --resume."
        ) from error
    places = _places(folder)
    # Newer ones are of a run that went on from an older checkpoint: damaged, or they would have been taken.
    for old in {*places} - {*places[places.index(target) :][:keep]}:
        _drop(old)
    disk.clean(folder)
    for half in folder.glob(".step-*"):
        match = HALF.fullmatch(half.name)
        if match and not disk.lives(int(match[1])):
            _drop(half)
    return target


def forget(folder: Path) -> None:
    """Remove the checkpoints of a training that is begun anew; what else is in the folder stays."""
    for place in _places(folder):
        _drop(place)


def peek(folder: Path) -> Saved | None:
    """The newest complete checkpoint, or None where there is none at all; ModelError where all are damaged."""
    problems: list[str] = []
    for place in _places(folder):
        try:
            return _read(place)
        except ModelError as error:
            problems.append(str(error))
    if problems:
        raise _none_complete(folder, problems)
    return None


def load(run: Run, folder: Path, facts: dict[str, Any]) -> bool:
    """Put the newest complete checkpoint into `run`; False where there is none at all.

    A damaged one is passed over for the one before. One made with other data or settings is a ModelError, and so is a
    folder in which all are damaged.
    """
    problems: list[str] = []
    for place in _places(folder):
        try:
            saved = _read(place)
            differs = [k for k in facts if saved.state.facts.get(k) != facts[k]]
            tensors = None if differs else _checked(saved, run)
        except ModelError as error:
            problems.append(str(error))
            continue
        if differs:
            raise ModelError(
                f"{place}: made with other settings or data: {differs[0]} was {saved.state.facts.get(differs[0])!r} "
                f"and is {facts[differs[0]]!r}. Use the same, or train anew into another folder."
            )
        assert tensors is not None
        _put(tensors, saved.state, run)
        return True
    if problems:
        raise _none_complete(folder, problems)
    return False


def _tensors(run: Run) -> dict[str, torch.Tensor]:
    """All tensors of a run by name."""
    tensors: dict[str, torch.Tensor] = {}
    for i, name in enumerate(run.optimizer.names):
        tensors[f"weight.{name}"] = run.optimizer.masters[i]
        tensors[f"first.{name}"] = run.optimizer.first[i]
        tensors[f"second.{name}"] = run.optimizer.second[i]
        tensors[f"average.{name}"] = run.average[i]
        if run.best:
            tensors[f"best.{name}"] = run.best[i]
    tensors |= {f"buffer.{name}": tensor.float() for name, tensor in _buffers(run).items()}
    return tensors | {f"fixed.{name}": tensor for name, tensor in run.fixed.items()}


def _buffers(run: Run) -> dict[str, torch.Tensor]:
    """What a net keeps besides its weights and moves itself, such as the table of a quantiser."""
    kept = run.net.state_dict()
    return {name: buffer for name, buffer in run.net.named_buffers() if name in kept}


def _put(tensors: dict[str, NDArray[Any]], state: State, run: Run) -> None:
    def tensor(name: str) -> torch.Tensor:
        return torch.from_numpy(np.array(tensors[name])).to(run.device)

    for i, name in enumerate(run.optimizer.names):
        run.optimizer.masters[i].copy_(tensor(f"weight.{name}"))
        run.optimizer.first[i].copy_(tensor(f"first.{name}"))
        run.optimizer.second[i] = tensor(f"second.{name}")
        run.average[i].copy_(tensor(f"average.{name}"))
    run.best = [tensor(f"best.{name}") for name in run.optimizer.names if f"best.{name}" in tensors]
    run.fixed = {name: tensor(f"fixed.{name}") for name in run.fixed}
    for name, buffer in _buffers(run).items():
        buffer.copy_(tensor(f"buffer.{name}"))
    run.step, run.seconds, run.tokens, run.lost = state.step, state.seconds, state.tokens, state.lost
    run.looks, run.optimizer.count = state.looks, state.updates
    run.current()


def _checked(saved: Saved, run: Run) -> dict[str, NDArray[Any]]:
    """The tensors, which are exactly those of this run in name, type and shape, and finite. Raises ModelError."""
    where = str(saved.path / "run.safetensors")
    tensors = read_tensors(saved.raw, where)
    wanted = {name: tuple(tensor.shape) for name, tensor in _tensors(run).items() if not name.startswith("best.")}
    if any(name.startswith("best.") for name in tensors):
        wanted |= {name.replace("average.", "best.", 1): s for name, s in wanted.items() if name.startswith("average.")}
    if tensors.keys() != wanted.keys():
        raise ModelError(f"{where}: holds other tensors than this net has: {sorted(tensors.keys() ^ wanted.keys())[0]}")
    for name, array in tensors.items():
        if array.dtype != np.float32 or array.shape != wanted[name]:
            raise ModelError(f"{where}: {name} is {array.dtype} {array.shape} and should be float32 {wanted[name]}")
        if not np.isfinite(array).all():
            raise ModelError(f"{where}: {name} holds what is no finite number")
    return tensors


def _read(place: Path) -> Saved:
    """A checkpoint whose checksums are right. Raises ModelError for any other."""
    try:
        content = msgspec.json.decode(disk.read_regular(place / "run.json", MOST_STATE))
        state = msgspec.convert(content, State)
        raw = disk.read_regular(place / "run.safetensors", MOST_TENSORS)
    except OSError as error:
        raise ModelError(f"{error.filename or place}: cannot be read ({error.strerror})") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise ModelError(f"{place / 'run.json'}: damaged ({error})") from error
    # Before runs kept their looks, `run.json` had no checksum of its own at first.
    if (state.digest or "looks" in content) and state.digest != _digest(content):
        raise ModelError(f"{place / 'run.json'}: its content does not match its own checksum")
    if state.sha256 != hashlib.sha256(raw).hexdigest():
        raise ModelError(f"{place / 'run.safetensors'}: its checksum is not the one in run.json")
    return Saved(place, state, raw)


def _none_complete(folder: Path, problems: list[str]) -> ModelError:
    return ModelError(
        f"{folder}: holds no complete checkpoint: {problems[0]}. Begin anew with --force, or train into another folder.",
        problems[1:],
    )


def _places(folder: Path) -> list[Path]:
    """The folders of checkpoints, the newest first."""
    found = [(int(m[1]), len(m[2]), p) for p in folder.glob("step-*") if (m := NAME.fullmatch(p.name))]
    return [place for _, _, place in sorted(found, reverse=True) if disk.is_folder(place)]


def _drop(place: Path) -> None:
    """Remove a checkpoint, what makes it one first; its folder stays where a person has put something else there."""
    for name in ("run.json", "run.safetensors"):
        disk.remove(place / name)
    disk.clean(place)
    disk.remove_empty([place])


def _digest(state: dict[str, Any]) -> str:
    """sha256 of what `run.json` says, its own digest aside."""
    content = {name: value for name, value in state.items() if name != "digest"}
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


def _write(path: Path, raw: bytes) -> None:
    with path.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
