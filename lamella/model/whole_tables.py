"""Tables in memory that are answered as a whole: data frames, and rows that are no examples by themselves.

answer_rows(model, [{"month": "2024-01", "sales": 5}, ...])   a row for each month ahead, of a forecaster
answer_frame(model, frame)                                  an answer for each row, or the rows ahead
"""

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lamella.errors import UsageError
from lamella.model import Model
from lamella.model.answering import predict_file, predict_rows
from lamella.model.notebook import DrawnList, DrawnText, together
from lamella.model.notes import notes_of
from lamella.model.reading import as_files, columns_for, with_columns
from lamella.task import Answer, Example, Task


def answer_rows(trained: Model, rows: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> list[Any]:
    """Rows, or columns, of a table that is answered as a whole -> the rows of its answers."""
    with as_files([rows]) as paths:
        found, notes = answer_path(trained, Path(paths[0]))
    for note in notes:
        warnings.warn(note, stacklevel=4)
    return found


def answer_path(trained: Model, path: Path) -> tuple[list[Any], list[str]]:
    """A file of such rows -> the rows of its answers, and what must be known of them."""
    raw, seen, answered = _whole(trained, path, None)
    if raw is None:
        raise UsageError(
            f"{path}: expected rows of a table that is answered as a whole, received rows that are examples."
        )
    found = [json.loads(line) for line in raw.splitlines()]
    return DrawnList(found, lambda: together(trained.task, seen, answered)), _notes(trained.task, seen)


def answer_frame(
    trained: Model, frame: Any, columns: Mapping[str, str] | None = None, as_frame: bool = False, level: int = 3
) -> Any:
    """A data frame -> a list with an answer for each row, or the rows of its answers; as_frame: as a frame.

    level: of the caller whom a warning concerns.
    """
    job = trained.task
    with as_files([frame]) as paths:
        path = Path(paths[0])
        raw, seen, answered = _whole(trained, path, columns)
        if raw is not None and raw.startswith(b"<svg"):
            if as_frame:
                raise UsageError(
                    "as_frame: expected answers for the rows of a frame, received a drawing of all of them."
                )
            return DrawnText(raw.decode())
        if raw is None and not as_frame:
            return predict_rows(trained, path, columns)
        raw = predict_file(trained, path, columns, lambda line: None)[0] if raw is None else raw
    for note in _notes(job, seen):
        warnings.warn(note, stacklevel=level)
    rows = [json.loads(line) for line in raw.splitlines()]
    return with_columns(frame, rows) if as_frame else DrawnList(rows, lambda: together(job, seen, answered))


def _whole(
    trained: Model, path: Path, columns: Mapping[str, str] | None
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

    if path.suffix not in job.output.suffixes or job.output.document is None:
        return None, seen, answered
    whole = job.output.document(job, path, run, columns_for(job, [path], columns))
    return whole and whole[0], seen, answered


def _notes(job: Task, seen: Sequence[Example]) -> list[str]:
    return [note.removeprefix("note: ") for note in notes_of(job, [("", example) for example in seen])]
