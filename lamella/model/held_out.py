"""Held-out examples of the user's data, kept beside the model to explain and evaluate it later.

`training/held-out.jsonl` stays behind when a model is shipped, like all in that folder. Pictures and sounds are in it as
`data:` URIs, so that reading it opens no other file.
"""

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from lamella.errors import DataError, LamellaError
from lamella.model import Model, as_example
from lamella.storage import disk
from lamella.task import Example, Task

FILE = "held-out.jsonl"
MOST = 300  # most examples
LARGEST = 100_000  # most bytes of one example
TOTAL = 8_000_000  # most bytes of all examples


def keep(folder: Path, job: Task, held: Sequence[Example]) -> int:
    """Write held-out examples with their answers into the training folder; returns how many fit."""
    lines: list[bytes] = []
    total = 0
    order = sorted(held, key=lambda e: hashlib.sha256(repr(job.keys(e)).encode(errors="surrogatepass")).digest())
    for example in order:
        line = _line(job, example)
        if line and total + len(line) <= TOTAL and len(lines) < MOST:
            lines.append(line)
            total += len(line)
    disk.replace_file(b"\n".join(lines), folder / FILE)
    return len(lines)


def _line(job: Task, example: Example) -> bytes:
    """An example as JSON; empty if it, or a picture in it, is too large."""
    fields = {**job.optional, **job.fields}
    kept: dict[str, Any] = {}
    for name, value in example.items():
        small = fields[name].keep(value, LARGEST) if name in fields and fields[name].media else value
        if small is None and value is not None or isinstance(small, float) and not math.isfinite(small):
            return b""
        kept[name] = small
    try:
        raw = msgspec.json.encode(kept)
    except (TypeError, ValueError, msgspec.EncodeError):
        return b""
    return raw if len(raw) <= LARGEST else b""


def read(trained: Model) -> list[Example]:
    """The held-out examples beside a model; none if the file is missing or damaged."""
    job, examples = trained.task, []
    try:
        raw = disk.read_regular(Path(trained.where) / "training" / FILE, TOTAL + MOST)
        for line in raw.splitlines():
            example = msgspec.json.decode(line, type=dict[str, Any])
            media = [name for name, field in job.fields.items() if field.media]
            if any(not str(example.get(name)).startswith("data:") for name in media):
                return []
            examples.append(as_example(job, example))
    except (OSError, LamellaError, msgspec.DecodeError, RecursionError):
        return []
    return examples


def to_measure(trained: Model, purpose: str) -> tuple[list[Example], str]:
    """What a model is measured on where no files are given, and what that is in words.

    Those of its own held-out examples that were kept beside it; for a model that was trained on its task's sample, the
    other half of that. DataError, which says for what `purpose`, where the model learned from other data and none were kept: the
    sample of the task says nothing of these.
    """
    if "held_out" not in trained.manifest.training:
        return trained.task.sample("test"), "the task's own sample set"
    if kept := read(trained):
        return kept, f"{len(kept):,} examples that were held out of the data it was trained on"
    raise DataError(
        f"{trained.where}: expected examples to {purpose}, received none: those held out of its own data were not kept, or stayed "
        "behind when it was shipped. Give some: --data FILE"
    )
