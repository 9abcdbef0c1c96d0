"""Read a task's files for the verbs: which columns to use, and which files are splits of a data set.

Readers are imported where something is read: a command that answers one text or one picture needs none of them, and together they
would take it as long as the engine.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lamella.data.readers.frames import as_files, is_frame, several, with_columns, without_places
from lamella.data.readers.row_filter import rows_where
from lamella.data.readers.suffixes import is_table, may_be_table
from lamella.data.text.encoding import encoded_as, quote, quote_all
from lamella.errors import DataError
from lamella.task import Answer, Example, Task

if TYPE_CHECKING:
    from lamella.data.readers.parts import Parts as Parts

__all__ = [
    "as_files",
    "as_known_labels",
    "columns_for",
    "encoded_as",
    "examples_by_part",
    "find_parts",
    "is_frame",
    "read_to_learn",
    "read_to_measure",
    "rows_where",
    "several",
    "with_columns",
    "without_places",
]


def read_to_learn(
    job: Task, paths: Sequence[str], columns: Mapping[str, str] | None
) -> tuple[list[Example], list[str]]:
    """The user's files -> examples and messages for the user; the task remembers the columns."""
    from lamella.data.readers.used_columns import recording

    with recording() as used:
        examples, lines = job.read(list(paths), columns)
    if used:
        job.state = job.state.changed(columns=used)
    return examples, lines


def find_parts(path: str) -> "Parts | None":
    """The parts of a folder, or those that a data.yaml names; None where there is none to learn from."""
    from lamella.data.readers.parts import find_parts as parts_of_folder
    from lamella.data.readers.yolo import parts_described

    return parts_described(Path(path)) or parts_of_folder(path)


def part_column(path: str) -> tuple[str, dict[str, str]] | None:
    """The column of a table that says to which part a row belongs, and its word for each part; None where there is none."""
    from lamella.data.readers.parts import column_of_parts

    return column_of_parts(path)


def examples_by_part(places: Sequence[str], examples: Sequence[Example]) -> dict[str, list[Example]] | None:
    """The examples of each part, "learn", "watch" and "test", where each is a file and the folders of these are named so.

    None where that is not so: see `parts_of_files`.
    """
    from lamella.data.readers.parts import parts_of_files

    folders = [os.path.abspath(place) for place in places if os.path.isdir(place)]
    if not folders or not examples:
        return None
    files = []
    for example in examples:
        texts = (v for v in example.values() if isinstance(v, str) and len(v) < 4096 and not v.startswith("data:"))
        inside = (v for v in texts if os.path.abspath(v).startswith(tuple(f + os.sep for f in folders)))
        file = next(filter(os.path.isfile, inside), None)
        if file is None:
            return None
        files.append(file)
    names = parts_of_files(folders, files)
    if names is None:
        return None
    return {
        part: [e for e, name in zip(examples, names, strict=True) if name == part]
        for part in ("learn", "watch", "test")
    }


def read_to_measure(
    job: Task, paths: Sequence[str], columns: Mapping[str, str] | None
) -> tuple[list[Example], list[str]]:
    """The examples to measure a model on, of a data set in parts those of its test, else of its validation; and lines on that."""
    one = paths[0] if len(paths) == 1 else ""
    parts = find_parts(one) if one else None
    column = part_column(one) if one and not parts else None
    for name, apart, part in (
        ("test", parts.test if parts else [], "test"),
        ("validation", parts.watch if parts else [], "watch"),
    ):
        if apart:
            with suppress(DataError):  # the test of a contest has no answers
                examples = job.read(apart, columns_for(job, apart, columns))[0]
                return examples, [f"measured on the {name} part of the data: {', '.join(apart)}"]
        if column and part in column[1]:
            with rows_where(column[0], column[1][part]) as tables:
                examples = job.read([one], columns_for(job, [one], columns))[0]
            if tables:
                return examples, [
                    f"measured on the rows whose {column[0]!r} is {column[1][part]!r}: {len(examples):,} examples"
                ]
    examples = job.read(list(paths), columns_for(job, paths, columns))[0]
    within = examples_by_part(paths, examples) or {}
    for name, part in (("test", "test"), ("validation", "watch")):
        if within.get(part):
            count = f"{len(within[part]):,} of {len(examples):,} examples"
            return within[part], [f"measured on the {name} part of the data, by its folders or lists: {count}"]
    return examples, []


def as_known_labels(
    job: Task, answers: Sequence[Answer], examples: Sequence[Example]
) -> tuple[list[Example], list[str]]:
    """The examples with their labels as the model knows them: POS as pos, 1.0 as 1; and lines on those and on labels that it does
    not know, which no answer can be."""
    from lamella.data.readers.measures import category

    if not job.answer.classes or not all(isinstance(a, dict) and "probabilities" in a for a in answers):
        return list(examples), []
    known = list(dict.fromkeys(name for answer in answers[:1] for name in answer["probabilities"]))
    read = {
        label: category(known, label) for label in {e[job.target] for e in examples if e.get(job.target)} - {*known}
    }
    other = sorted(label for label, name in read.items() if name is None)
    lines = [f"note: label {quote(label)} is read as {quote(name)}" for label, name in sorted(read.items()) if name]
    if other:
        count = sum(e.get(job.target) in other for e in examples)
        lines.append(
            f"warning: {count:,} of {len(examples):,} examples have a label that the model does not know, and count as wrong: "
            f"{quote_all(other, 5)}; it knows {quote_all(known, 5)}"
        )
    changed = [{**e, job.target: read[e[job.target]]} if read.get(e.get(job.target)) else e for e in examples]
    return changed, lines


def columns_for(job: Task, paths: Sequence[str | Path], given: Mapping[str, str] | None) -> dict[str, str] | None:
    """The columns to read: those given, else those used in training if the tables have them."""
    if not job.state.columns or not all(map(may_be_table, paths)):
        return dict(given) if given else None
    from lamella.data.readers.used_columns import columns_of

    return columns_of(list(paths), job.state.columns, given)


def has_columns(name: str) -> bool:
    """Whether a file is a table by its name, so that its columns can be chosen."""
    return is_table(name)
