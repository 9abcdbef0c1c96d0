"""What was read from the user's files, what was kept, and what was not and why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from lamella.data.readers.bad_rows import BadRow
from lamella.data.text.encoding import quote

# What is counted in a line: at its beginning, or rows and characters at its end.
_COUNTS = re.compile(
    r"(^(?:kept |dropped |left out: |)|; (?=[0-9,]+ (?:rows?|characters)$)|characters, (?=[0-9,]+ in all$))([0-9][0-9,]*)(?=[ :])"
)
LISTED = 100
"""Bad rows that a report lists one by one; all are counted."""


class Source(msgspec.Struct):
    """One file that was read, and how."""

    file: str
    format: str
    encoding: str = ""
    delimiter: str | None = None
    header: list[str] | None = None
    """The names of all columns, or None where there is no header."""
    columns: dict[str, str] = {}
    """Field -> the column it was taken from, in words."""
    rows: int = 0
    """Rows that could be read."""


class Report(msgspec.Struct):
    """What was read, what was kept, and what was not and why: for people (`lines`) and for JSON (`as_dict`)."""

    sources: list[Source] = []
    kept: int = 0
    dropped: dict[str, int] = {}
    """Reason -> number of rows, bad ones included."""
    bad: list[BadRow] = []
    """The first bad rows, `LISTED` at most."""
    notes: list[str] = []

    def drop(self, reason: str, count: int = 1) -> None:
        """Count rows that are not used. In: why, and how many; nothing is written for none."""
        if count:
            self.dropped[reason] = self.dropped.get(reason, 0) + count

    def as_dict(self) -> dict[str, Any]:
        """The same as plain dicts, lists, strings and numbers: `json.dumps` takes it."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain

    def lines(self) -> list[str]:
        """The report for people.

        >>> report = Report([Source("a.tsv", "TSV", "UTF-8", "\\t", None, {"src": "column 1", "dst": "column 2"}, 3)], 2)
        >>> report.drop("blank line")
        >>> print(*report.lines(), sep="\\n")
        a.tsv: TSV, UTF-8, separated by tabs, no header; src = column 1, dst = column 2; 3 rows
        kept 2 rows
        dropped 1: blank line
        """
        found = []
        for source in self.sources if len(self.sources) <= 12 else self.sources[:3]:
            parts = [source.format, source.encoding]
            if source.delimiter:
                parts.append("separated by " + ("tabs" if source.delimiter == "\t" else quote(source.delimiter)))
                parts.append("a header" if source.header else "no header")
            columns = ", ".join(f"{field} = {column}" for field, column in source.columns.items())
            how = ", ".join(filter(None, parts))
            found.append(f"{source.file}: " + "; ".join(filter(None, (how, columns, counted(source.rows, "row")))))
        if more := self.sources[len(found) :]:
            found.append(
                f"and {counted(len(more), 'more file')}; {counted(sum(source.rows for source in more), 'row')}"
            )
        found.append(f"kept {counted(self.kept, 'row')}")
        found += [f"dropped {count:,}: {reason}" for reason, count in sorted(self.dropped.items(), key=lambda d: -d[1])]
        found += [f"bad row: {bad}" for bad in self.bad]
        return found + [f"note: {note}" for note in self.notes]


def merged(each: Sequence[Sequence[str]]) -> list[str]:
    """The lines on several parts of the same files -> lines on the files: counts are added up, what is the same is said once.

    >>> merged([["a.tsv: TSV; 1 row", "kept 1 row"], ["a.tsv: TSV; 3 rows", "kept 2 rows", "dropped 1: empty side"]])
    ['a.tsv: TSV; 4 rows', 'kept 3 rows', 'dropped 1: empty side']
    """
    totals: dict[str, list[int]] = {}
    for line in (line for lines in each for line in lines):
        numbers = [int(m[2].replace(",", "")) for m in _COUNTS.finditer(line)]
        form = _COUNTS.sub(r"\1\0", re.sub(r"(?<=[0-9] row)$", "s", line))
        totals[form] = [a + b for a, b in zip(totals.get(form, [0] * len(numbers)), numbers, strict=True)]
    said = []
    for form, numbers in totals.items():
        first, *others = form.split("\0")
        said.append(first + "".join(f"{number:,}{part}" for number, part in zip(numbers, others, strict=True)))
    bad = [line for line in said if line.startswith("bad row: ")]
    return [line for line in said if line not in bad[LISTED:]]


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
