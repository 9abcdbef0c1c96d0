"""Which group each example belongs to: by a column of its table, by its folder, or by the beginning of its file's name."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lamella.data.readers.records import read_sheet
from lamella.data.readers.row_filter import cell_of, place_of, rows_where
from lamella.data.readers.suffixes import is_table
from lamella.errors import DataError, UsageError
from lamella.model.reading import columns_for
from lamella.task import Example, Task

MOST = 100  # groups
FOLDER, PREFIX = "folder", "prefix"  # in the place of a column, where data are folders of files


def groups_of(
    job: Task, paths: Sequence[str], columns: Mapping[str, str] | None, column: str, examples: Sequence[Example]
) -> dict[str, list[int]]:
    """The places among `examples` of those in each group.

    Tables are read once more for each value of the column, with the rows of that value alone, so that it does not matter what a task
    makes of a row. Examples are the same where their keys are. UsageError for a column that is not there, or that has more than
    MOST values, and for data without columns.
    """
    if list(paths) == ["sample"]:
        raise UsageError(
            f"--group {column}: expected a table or a folder of files, received the sample, which has none."
        )
    if not all(is_table(path) for path in paths):
        return _by_name(job, column, examples)
    places: dict[str, list[int]] = {}
    for i, example in enumerate(examples):
        places.setdefault("\0".join(job.keys(example)), []).append(i)
    chosen, groups = columns_for(job, paths, columns), {}
    for value in _values(paths, column):
        with rows_where(column, value):
            try:
                part = job.read(list(paths), chosen)[0]
            except DataError:  # all of its rows are left out, as they are in the whole
                continue
        found = sorted({i for e in part for i in places.get("\0".join(job.keys(e)), ())})
        if found:
            groups[value] = found
    if not groups:
        raise UsageError(f"--group {column}: expected examples with a value in that column, received none.")
    return groups


def _values(paths: Sequence[str], column: str) -> list[str]:
    """The different values of a column."""
    values: dict[str, None] = {}
    for path in paths:
        sheet = read_sheet(path)
        at = place_of(column, sheet.rows, sheet.keys, sheet.file)
        body = sheet.rows if sheet.keys is not None else sheet.rows[1:]
        values |= dict.fromkeys(cell_of(cells, at) for _, cells in body)
    if len(values) > MOST:
        raise UsageError(
            f"--group {column}: expected a column with at most {MOST} different values, received {len(values):,}. "
            "Add a column that puts them together."
        )
    return list(values)


def _by_name(job: Task, how: str, examples: Sequence[Example]) -> dict[str, list[int]]:
    """Groups by the folder in which an example's file lies, or by its name up to the first -, _, dot or space."""
    media = next((name for name, field in job.fields.items() if field.media), None)
    if how not in (FOLDER, PREFIX) or media is None:
        raise UsageError(
            f"--group {how[:60]}: expected a table with that column"
            + (f", or {FOLDER} or {PREFIX} for folders of files." if media else ", received other files.")
        )
    groups: dict[str, list[int]] = {}
    for i, example in enumerate(examples):
        if name := _name(example.get(media), how):
            groups.setdefault(name, []).append(i)
    if not 0 < len(groups) <= MOST:
        raise UsageError(f"--group {how}: expected files in 1 to {MOST} groups, received {len(groups):,}.")
    return groups


def _name(value: Any, how: str) -> str:
    """
    >>> _name("photos/siteA/cat-01.jpg", FOLDER), _name("photos/siteA/cat-01.jpg", PREFIX)
    ('siteA', 'cat')
    """
    if not isinstance(value, str | Path) or str(value)[:5].lower() == "data:":
        return ""
    path = Path(value)
    return path.parent.name if how == FOLDER else re.split(r"[-_. ]", path.name)[0]
