"""Checkpoints: safetensors and JSON, written so that a crash at any moment leaves the last complete one.

    checkpoint/step-00001200/run.safetensors + run.json

Each save is a new folder, made under another name and moved to its own in one step when everything in it has reached
the disk; then older ones go. `run.json` holds the sha256 of the tensors and of itself. The newest whose checksums are
right is loaded.
"""

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
import torch

from lamella.errors import ModelError, TrainingError
from lamella.train.engine import Run


def save(run: Run, folder: Path, facts: dict[str, Any], keep: int = 1) -> Path:
    """Write a checkpoint and drop all but the newest `keep`; `facts` is what must be the same to go on with it."""
    from safetensors.torch import save as to_bytes

    tensors: dict[str, torch.Tensor] = {}
    for i, name in enumerate(run.optimizer.names):
        tensors[f"weight.{name}"] = run.optimizer.masters[i]
        tensors[f"first.{name}"] = run.optimizer.first[i]
        tensors[f"second.{name}"] = run.optimizer.second[i]
        tensors[f"average.{name}"] = run.average[i]
    raw = to_bytes(tensors)
    state = {
        "step": run.step,
        "seconds": run.seconds,
        "tokens": run.tokens,
        "updates": run.optimizer.count,
        "sha256": hashlib.sha256(raw).hexdigest(),
        "facts": facts,
    }
    state["digest"] = _digest(state)
    target = folder / f"step-{run.step:08d}"
    while target.exists():  # saved twice at one step: the second stands beside the first until it is complete
        target = target.with_name(target.name + "+")
    beside = folder / f".{target.name}.{os.getpid()}"
    try:
        beside.mkdir(parents=True, exist_ok=True)
        _write(beside / "run.safetensors", raw)
        _write(beside / "run.json", msgspec.json.encode(state))
        beside.rename(target)
        _sync_folder(folder)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise TrainingError(
            f"{target}: the checkpoint could not be written ({error.strerror or error}). The one before is intact. "
            "Free some disk space and run the same command with --resume."
        ) from error
    for old in (*sorted(folder.glob("step-*"))[:-keep], *folder.glob(".step-*")):  # and what a killed run left half
        shutil.rmtree(old, ignore_errors=True)
    return target


def peek(folder: Path) -> dict[str, Any] | None:
    """What the newest complete checkpoint says of itself, or None where there is none."""
    for place in sorted(folder.glob("step-*"), reverse=True):
        try:
            state: dict[str, Any] = msgspec.json.decode((place / "run.json").read_bytes())
            raw = (place / "run.safetensors").read_bytes()
            whole = (
                state.get("digest", _digest(state)) == _digest(state)
                and state["sha256"] == hashlib.sha256(raw).hexdigest()
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
        if whole:
            return {**state, "path": place, "raw": raw}
    return None


def _digest(state: dict[str, Any]) -> str:
    """sha256 of what `run.json` says, its own digest aside."""
    content = {name: value for name, value in state.items() if name != "digest"}
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


def load(run: Run, folder: Path, facts: dict[str, Any]) -> bool:
    """Put the newest complete checkpoint into `run`; False where there is none.

    A damaged one is passed over for the one before. One made with other data or settings is an error.
    """
    from safetensors.torch import load as from_bytes

    state = peek(folder)
    if state is None:
        return False
    differs = [k for k in facts if state["facts"].get(k) != facts[k]]
    if differs:
        raise ModelError(
            f"{state['path']}: made with other settings or data: {differs[0]} was {state['facts'].get(differs[0])!r} "
            f"and is {facts[differs[0]]!r}. Use the same, or train anew into another folder."
        )
    tensors = from_bytes(state["raw"])
    for i, name in enumerate(run.optimizer.names):
        run.optimizer.masters[i].copy_(tensors[f"weight.{name}"])
        run.optimizer.first[i].copy_(tensors[f"first.{name}"])
        run.optimizer.second[i] = tensors[f"second.{name}"]
        run.average[i].copy_(tensors[f"average.{name}"])
    run.step, run.seconds, run.tokens = state["step"], state["seconds"], state["tokens"]
    run.optimizer.count = state["updates"]
    run.current()
    return True


def _write(path: Path, raw: bytes) -> None:
    with path.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
