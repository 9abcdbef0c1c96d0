"""Rows in memory that are no examples by themselves, such as those of series: they are answered as the table that they make up.

answer_rows(model, [{"month": "2024-01", "sales": 5}, ...])     a row for each month ahead, of a forecaster
"""

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from lamella.data.readers.suffixes import is_table, table_suffix
from lamella.errors import UsageError
from lamella.model.notebook import DrawnList, together
from lamella.model.notes import notes_of
from lamella.model.reading import as_files, columns_for
from lamella.task import Answer, Example, Task

TEXTS = ("", ".txt", ".dat", ".data", ".psv", ".asc", ".prn")  # files that may hold a table


class Answering(Protocol):
    """A model, as far as it is needed here."""

    @property
    def task(self) -> Task: ...

    def run(self, examples: Sequence[Example]) -> list[Answer]: ...


def is_whole(job: Task, path: Path) -> bool:
    """Whether a file is opened as a whole, by its suffix or, of a text, by what it holds: where tables are answered so, a `.txt` that
    training reads as one is no list of values."""
    if table_suffix(path) in job.output.suffixes or ".csv" not in job.output.suffixes:
        return table_suffix(path) in job.output.suffixes
    named = any(column.get("name") for column in (job.state.columns or {}).values())
    if is_table(path) or table_suffix(path) not in TEXTS:
        return is_table(path)
    from lamella.data.readers.used_columns import is_grid

    return is_grid(path, named)


def answer_rows(trained: Answering, rows: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> list[Any]:
    """Rows, or columns, of a table that is answered as a whole -> the rows of its answers."""
    with as_files([rows]) as paths:
        found, notes = answer_path(trained, Path(paths[0]))
    for note in notes:
        warnings.warn(note, stacklevel=4)
    return found


def answer_path(trained: Answering, path: Path) -> tuple[list[Any], list[str]]:
    """A file of such rows -> the rows of its answers, and what must be known of them."""
    raw, seen, answered = answer_whole(trained, path, None)
    if raw is None:
        raise UsageError(
            f"{path}: expected rows of a table that is answered as a whole, received rows that are examples."
        )
    found = [json.loads(line) for line in raw.splitlines()]
    return DrawnList(found, lambda: together(trained.task, seen, answered)), notes_on(trained.task, seen)


def answer_whole(
    trained: Answering, path: Path, columns: Mapping[str, str] | None
) -> tuple[bytes | None, list[Example], list[Answer]]:
    """A table answered as a whole, what the net was asked for it and what it said; None where its rows are examples."""
    job = trained.task
    seen: list[Example] = []
    answered: list[Answer] = []

    def run(examples: Sequence[Example]) -> list[Answer]:
        answers = trained.run(examples)
        if not seen:  # a net may be run again on its own answers
            seen.extend(examples)
            answered.extend(answers)
        return answers

    if job.output.document is None or not is_whole(job, path):
        return None, seen, answered
    whole = job.output.document(job, path, run, columns_for(job, [path], columns))
    return whole and whole[0], seen, answered


def notes_on(job: Task, seen: Sequence[Example]) -> list[str]:
    """What must be known of the answers to what a net was asked."""
    return [note.removeprefix("note: ") for note in notes_of(job, [("", example) for example in seen])]
