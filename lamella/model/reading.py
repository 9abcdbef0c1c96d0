"""Read a task's files for the verbs: which columns to use, and which files are splits of a data set."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from lamella.data.readers.frames import as_files, is_frame, several, with_columns, without_places
from lamella.data.readers.parts import Parts, column_of_parts, find_parts
from lamella.data.readers.row_filter import rows_where
from lamella.data.readers.suffixes import is_table
from lamella.data.readers.used_columns import columns_of, recording
from lamella.data.text.encoding import encoded_as
from lamella.task import Example, Task

__all__ = [
    "Parts",
    "as_files",
    "column_of_parts",
    "columns_for",
    "encoded_as",
    "find_parts",
    "is_frame",
    "read_to_learn",
    "rows_where",
    "several",
    "with_columns",
    "without_places",
]


def read_to_learn(
    job: Task, paths: Sequence[str], columns: Mapping[str, str] | None
) -> tuple[list[Example], list[str]]:
    """The user's files -> examples and messages for the user; the task remembers the columns."""
    with recording() as used:
        examples, lines = job.read(list(paths), columns)
    if used:
        job.state = job.state.changed(columns=used)
    return examples, lines


def columns_for(job: Task, paths: Sequence[str | Path], given: Mapping[str, str] | None) -> dict[str, str] | None:
    """The columns to read: those given, else those used in training if the tables have them."""
    if not job.state.columns:
        return dict(given) if given else None
    return columns_of(list(paths), job.state.columns, given)


def has_columns(name: str) -> bool:
    """Whether a file is a table by its name, so that its columns can be chosen."""
    return is_table(name)
