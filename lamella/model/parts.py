"""Files that a task reads in parts: by which columns each part is read, and what was said of all of them together."""

from collections.abc import Mapping, Sequence

import msgspec

from lamella.data.readers import windows
from lamella.data.readers.report import merged
from lamella.data.readers.used_columns import recording
from lamella.data.readers.windows import Part
from lamella.data.text.encoding import named_encoding
from lamella.task import Task

__all__ = ["Part", "merged", "named_encoding", "with_columns"]


def with_columns(
    job: Task, parts: Sequence[Part], columns: Mapping[str, str] | None
) -> list[tuple[Part, dict[str, str] | None]]:
    """Each part with the columns to read it by: those that the first lines of its file show. The task remembers them.

    Before a later part of a table stands the line with the names of its columns, which only the first part has. Raises what the
    task's `read` raises for the first lines.
    """
    found: dict[str, tuple[bytes, dict[str, str] | None]] = {}
    made = []
    for part in parts:
        [path, *others] = part.paths
        if not others and path not in found:
            with windows.head(path).only(), recording() as used:
                job.read([path], columns)
            job.state = job.state.changed(columns=job.state.columns or used)
            first = windows.first_line(path) if any(column["name"] for column in used.values()) else b""
            given = dict(columns or {})
            names = b"" if first.lstrip()[:1] == b"{" else first  # in JSONL each line names its fields
            for field, column in used.items():
                if (
                    "+" not in given.get(field, "") or column["name"]
                ):  # several columns in one are named as they were given
                    given[field] = str(column["name"] or column["number"])
            found[path] = names, given or None
        names, chosen_ones = found.get(path, (b"", dict(columns) if columns else None))
        if part.before[0]:
            part = msgspec.structs.replace(part, spans=[span._replace(head=names) for span in part.spans])
        made.append((part, chosen_ones))
    return made
