"""Examples for a training: read, split, checked, and made into batches of arrays."""

import random
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lamella.errors import DataError
from lamella.fields.series import sketched
from lamella.metrics.noise import Noise
from lamella.model.reading import examples_by_part, find_parts, part_column, read_to_learn, rows_where
from lamella.task import Example, Task
from lamella.train import split
from lamella.train.augment import Noisy
from lamella.train.checks import check
from lamella.train.engine import Batches, Encoded, Store

if TYPE_CHECKING:
    from lamella.model.reading import Parts
    from lamella.train.corpus import Corpus

HELD_OUT = 0.1  # of a user's one file
MOST_HELD_OUT = 2000
FEW = 8  # numbers that are shown as numbers
WATCHED = 200  # examples of the training set, kept aside, that the metric is looked at on


@dataclass(frozen=True)
class Gathered:
    """What a training needs of its data."""

    learn: list[Example]  # to train on
    held: list[Example]  # never trained on, to measure with
    watched: list[Example]  # kept aside from the former, to watch the training by
    lines: list[str]  # what was understood
    corpus: "Corpus | None" = None  # where all are that there are to train on, if `learn` is a sample of them


def gather(
    job: Task, data: Sequence[str], test: Sequence[str], columns: Mapping[str, str] | None, seed: int
) -> Gathered:
    """Read the user's files, or the task's sample; where there are no files to measure with, hold out a tenth by seed."""
    watch: list[Example] = []
    parts = column = within = None
    if list(data) == ["sample"]:
        learn, held, lines = job.sample("train"), job.sample("test"), ["data: the task's own sample set"]
    else:
        parts = find_parts(data[0]) if len(data) == 1 else None
        column = part_column(data[0]) if len(data) == 1 and not parts else None
        with _only(column, "learn") as tables:
            learn, lines, parts = _to_learn(job, data, parts, columns)
        if column and not tables:
            lines.append(f"note: the column {column[0]!r} is not used: these data are read from files, and no table")
            column = None
        if column:
            lines.append(_said_of(column, bool(test)))
            with _only(column, "watch"):
                watch = _apart(
                    job, data if "watch" in column[1] else [], columns, learn, lines, "watch the training by"
                )
        within = None if parts or column else examples_by_part(data, learn)
        if within:
            lines.append(_said_within(within, bool(test)))
            learn = within["learn"]
            watch = _unseen(job, within["watch"], learn, lines, "watch the training by")
        if parts:
            lines.append(_said(parts, bool(test)))
            watch = _apart(job, parts.watch, columns, learn, lines, "watch the training by")
            test = test or (parts.test if _apart(job, parts.test, columns, learn, [], "") else [])
            if parts.test and not test:
                lines.append(f"note: {', '.join(parts.test)}: no labelled examples to measure with")
        if test:
            held = _apart(job, test, columns, learn, lines, "test")
        elif column and "test" in column[1]:
            with _only(column, "test"):
                held = _apart(job, data, columns, learn, lines, "test")
        elif within and within["test"]:
            held = _unseen(job, within["test"], learn, lines, "test")
        else:
            learn, held = hold_out(job, learn, HELD_OUT, MOST_HELD_OUT, seed)
            lines.append(f"held out: {len(held)} examples, by seed {seed}, never trained on")
    if not held and len(learn) >= job.training.fewest:
        raise DataError(
            f"{', '.join(data)}: expected examples of which some can be held out, received {len(learn)} {job.training.noun} that all hang "
            "together, since each shares something with another. Give a file to measure with: --test FILE"
        )
    if len(learn) < job.training.fewest - 2 or not held:
        raise DataError(
            f"{', '.join(data)}: expected at least {job.training.fewest} {job.training.noun}, received {len(learn) + len(held)}"
            f"{f', of which {len(learn)} are to learn from' if parts or column or within else ''}. Add more."
        )
    lines += check(job, learn)
    if watch:
        watched = random.Random(seed).sample(watch, min(WATCHED, len(watch)))
    else:
        learn, watched = hold_out(job, learn, min(0.05, WATCHED / len(learn)), WATCHED, seed + 1)
    watched = watched or learn[:WATCHED]  # where all hang together
    lines.append(f"examples: {len(learn)} to train on, {len(watched)} to watch it by, {len(held)} to measure it with")
    for example in random.Random(seed).sample(learn, 3):
        lines.append("sample: " + " | ".join(map(shown, example.values())))
    return Gathered(learn, held, watched, lines)


def _to_learn(
    job: Task, data: Sequence[str], parts: "Parts | None", columns: Mapping[str, str] | None
) -> tuple[list[Example], list[str], "Parts | None"]:
    """The examples to learn from, what was understood, and the parts of the data if these can be read one by one.

    They cannot where what is said of the pictures stands beside the parts: `train/`, `val/`, `annotations/`.
    """
    if not parts:
        return *read_to_learn(job, data, columns), None
    try:
        return *read_to_learn(job, parts.learn, columns), parts
    except DataError:
        if not parts.others:
            raise
        try:
            learn, lines = read_to_learn(job, data, columns)
        except DataError:
            learn = []
        if not examples_by_part(data, learn):
            raise
        return learn, lines, None


def _said_within(parts: Mapping[str, Sequence[Example]], tested: bool) -> str:
    """The parts that folders or lists inside the data name, in words."""
    uses = {"learn": "to learn from", "watch": "to watch by", "test": "to measure with"}
    named = [
        f"{len(parts[part]):,} {how}" for part, how in uses.items() if parts[part] and not (part == "test" and tested)
    ]
    return f"parts of the data, by the folders or lists in them: {', '.join(named)}"


def _said(parts: "Parts", tested: bool) -> str:
    """The parts of a data set in words."""
    named = [f"to learn from {', '.join(parts.learn)}"]
    named += [f"to watch by {', '.join(parts.watch)}"] if parts.watch else []
    named += [f"to measure with {', '.join(parts.test)}"] if parts.test and not tested else []
    others = f"; not used: {', '.join(parts.others[:10])}" if parts.others else ""
    return f"parts of the data: {', '.join(named)}{others}"


def _only(column: tuple[str, dict[str, str]] | None, part: str) -> AbstractContextManager[list[str] | None]:
    """A context in which only the rows of a part are read, where a column says which these are."""
    return rows_where(column[0], column[1][part]) if column and part in column[1] else nullcontext()


def _said_of(column: tuple[str, dict[str, str]], tested: bool) -> str:
    """The parts of a table in words."""
    name, values = column
    uses = {"learn": "to learn from", "watch": "to watch by", "test": "to measure with"}
    named = [
        f"{how} {values[part]!r}" for part, how in uses.items() if part in values and not (part == "test" and tested)
    ]
    return f"parts of the data, by the column {name!r}: {', '.join(named)}"


def _apart(
    job: Task, paths: Sequence[str], columns: Mapping[str, str] | None, learn: Sequence[Example], lines: list[str], what: str
) -> list[Example]:  # fmt: skip
    """The examples of files that are not to learn from, without those that are among these too.

    None for a part whose answers are not there, as tests of a contest come: a folder of pictures without classes.
    """
    if not paths:
        return []
    fresh = _unseen(job, job.read(list(paths), columns)[0], learn, lines, what)
    answers = {e.get(job.target) for e in learn if isinstance(e.get(job.target), str)}
    if (
        what != "test"
        and answers
        and len(answers) < len(learn) / 2
        and not any(e.get(job.target) in answers for e in fresh)
    ):
        return []
    return fresh


def _unseen(job: Task, read: Sequence[Example], learn: Sequence[Example], lines: list[str], what: str) -> list[Example]:
    """Those of them that are not among the training examples."""
    seen = {key for e in learn for key in job.keys(e)}
    fresh = [e for e in read if not seen.intersection(job.keys(e))]
    if len(fresh) < len(read):
        lines.append(f"note: {len(read) - len(fresh)} {what} examples are in the training data too and are left out")
    return fresh


def encode(
    job: Task,
    learn: Sequence[Example],
    seed: int = 0,
    accumulate: int = 1,
    store: Encoded | None = None,
    noises: Sequence[Noise] = (),
) -> Batches:
    """Examples -> batches of their arrays, as the task has them. The task must have been fitted.

    store: where their arrays are already. noises: what half of them have in each epoch.
    """
    noisy = None
    if store is None:
        store = kept = Store.of([{**job.inputs(e), **job.prompt(e), **job.targets(e)} for e in learn])
        noisy = Noisy(job, learn, noises, seed, kept) if noises else None
    return Batches(
        store,
        job.collate,
        job.size.tokens,
        job.training.batch,
        job.training.weights(job, learn) if job.training.weights else None,
        seed,
        accumulate,
        job.training.short_first,
        noisy,
    )


def hold_out(
    job: Task, examples: list[Example], share: float, most: int, seed: int
) -> tuple[list[Example], list[Example]]:
    """Split by seed, so that what is alike stands on one side; the order is kept."""
    wanted = max(1, min(most, round(share * len(examples))))
    own = job.training.hold_out
    chosen = own(job, examples, wanted, seed) if own else None
    held = set(split.hold_out([job.keys(e) for e in examples], wanted, seed) if chosen is None else chosen)
    return [e for i, e in enumerate(examples) if i not in held], [examples[i] for i in sorted(held)]


def shown(value: Any) -> str:
    """A value on one line, not too long; of a picture in a text only what kind it is; many numbers as a line of blocks.

    >>> shown([1, 5, 3, 2, 1, 8, 9, 9, 9])
    '▁▅▃▂▁▇███ 9 values, 1 to 9'
    """
    if isinstance(value, list) and len(value) > FEW and all(isinstance(v, int | float) for v in value):
        return sketched(value)
    text = str(value)
    return text.partition(",")[0] if text.startswith("data:") else " ".join(text[:100].split())
