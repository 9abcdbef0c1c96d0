"""What is typed as values of a task: the words of a command line, and lines of standard input."""

from collections.abc import Sequence
from typing import Any

import msgspec

from lamella.errors import UsageError
from lamella.task import Task


def grouped(job: Task, words: Sequence[str]) -> list[Any]:
    """Command line words as values: one for each example, or one for each of its fields in turn.

    A word that is a JSON object, or the word "sample", is an example by itself. UsageError where some are left over.
    """
    count = len(job.fields)
    if count == 1 or all(word == "sample" for word in words):
        return list(words)
    if all(word.lstrip().startswith("{") for word in words):
        try:
            return [msgspec.json.decode(word, type=dict[str, Any]) for word in words]
        except msgspec.DecodeError as error:
            raise UsageError(
                f"expected JSON objects with {', '.join(job.fields)}, received {words[0][:80]!r}."
            ) from error
    if len(words) % count:
        raise UsageError(f"expected {' and '.join(job.fields)} for each answer, received {len(words)}.")
    return [tuple(words[first : first + count]) for first in range(0, len(words), count)]


def of_line(job: Task, line: str) -> Any:
    """A line of standard input as a value; several fields have a tab between them."""
    if len(job.fields) == 1:
        return line
    cells = tuple(line.split("\t"))
    if len(cells) != len(job.fields):
        raise UsageError(f"expected {' and '.join(job.fields)} with a tab between them, received {len(cells)} columns.")
    return cells
