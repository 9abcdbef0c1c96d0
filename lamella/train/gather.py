"""Examples for a training: read, split, checked, and made into batches of arrays."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lamella.data.readers.used_columns import recording
from lamella.errors import DataError
from lamella.task import Example, Task
from lamella.train import split
from lamella.train.checks import check
from lamella.train.engine import Batches, Store

HELD_OUT = 0.1  # of a user's one file
MOST_HELD_OUT = 2000
WATCHED = 200  # examples of the training set, kept aside, that the metric is looked at on


@dataclass(frozen=True)
class Gathered:
    """What a training needs of its data."""

    learn: list[Example]  # to train on
    held: list[Example]  # never trained on, to measure with
    watched: list[Example]  # kept aside from the former, to watch the training by
    lines: list[str]  # what was understood


def gather(
    job: Task, data: Sequence[str], test: Sequence[str], columns: Mapping[str, str] | None, seed: int
) -> Gathered:
    """Read the user's files, or the task's sample; where there are no files to measure with, hold out a tenth by seed."""
    if list(data) == ["sample"]:
        learn, held, lines = job.sample("train"), job.sample("test"), ["data: the task's own sample set"]
    else:
        with recording() as used:
            learn, lines = job.read(list(data), columns)
        if used:
            job.used_columns_ = used
        if test:
            held, _ = job.read(list(test), columns)
            seen = {key for e in learn for key in job.keys(e)}
            fresh = [e for e in held if not seen.intersection(job.keys(e))]
            if len(fresh) < len(held):
                lines.append(
                    f"note: {len(held) - len(fresh)} test examples are in the training data too and are left out"
                )
            held = fresh
        else:
            learn, held = hold_out(job, learn, HELD_OUT, MOST_HELD_OUT, seed)
            lines.append(f"held out: {len(held)} examples, by seed {seed}, never trained on")
    if not held and len(learn) >= 12:
        raise DataError(
            f"{', '.join(data)}: expected examples of which some can be held out, received {len(learn)} that all hang "
            "together, since each shares something with another. Give a file to measure with: --test FILE"
        )
    if len(learn) < 10 or not held:
        raise DataError(
            f"{', '.join(data)}: expected at least 12 examples, received {len(learn) + len(held)}. Add more."
        )
    lines += check(job, learn)
    learn, watched = hold_out(job, learn, min(0.05, WATCHED / len(learn)), WATCHED, seed + 1)
    watched = watched or learn[:WATCHED]  # where all hang together
    lines.append(f"examples: {len(learn)} to train on, {len(watched)} to watch it by, {len(held)} to measure it with")
    for example in random.Random(seed).sample(learn, 3):
        lines.append("sample: " + " | ".join(map(_shown, example.values())))
    return Gathered(learn, held, watched, lines)


def encode(job: Task, learn: Sequence[Example], seed: int = 0, accumulate: int = 1) -> Batches:
    """Examples -> batches of their arrays, as the task has them. The task must have been fitted."""
    store = Store.of([{**job.inputs(e), **job.prompt(e), **job.targets(e)} for e in learn])
    return Batches(store, job.collate, job.size.tokens, job.training.batch, job.weights(learn), seed, accumulate)


def hold_out(
    job: Task, examples: list[Example], share: float, most: int, seed: int
) -> tuple[list[Example], list[Example]]:
    """Split by seed, so that what is alike stands on one side; the order is kept."""
    wanted = max(1, min(most, round(share * len(examples))))
    chosen = job.hold_out(examples, wanted, seed)
    held = set(split.hold_out([job.keys(e) for e in examples], wanted, seed) if chosen is None else chosen)
    return [e for i, e in enumerate(examples) if i not in held], [examples[i] for i in sorted(held)]


def _shown(value: Any) -> str:
    """A value on one line, not too long; of a picture in a text only what kind it is."""
    text = str(value)
    return text.partition(",")[0] if text.startswith("data:") else " ".join(text[:100].split())
