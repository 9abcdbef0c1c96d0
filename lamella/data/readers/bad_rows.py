"""The one rule for rows that cannot be read: they are left out and listed, until they are too many.

A tenth is the limit. A wrong file, or a file read with the wrong separator, is nearly all bad rows; a real one of 100 rows
with two broken ones should not be refused. Empty cells are no bad rows: they are counted by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from lamella.errors import DataError

MOST_BAD = 0.1
"""The share of bad rows above which reading stops."""


class BadRow(msgspec.Struct, frozen=True):
    """A row that could not be used: where it is, what was expected there and what came."""

    file: str
    line: int
    expected: str
    received: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: expected {self.expected}, received {self.received}"


def refuse_many(where: str, kept: int, bad: Sequence[BadRow | str], what: str, remedy: str) -> None:
    """Raise DataError where more than `MOST_BAD` of the rows are bad, or all are; `details` then has the first ten.

    In: the file's name for the message, how many rows could be read, those that could not; `what`: what they are called,
    "rows"; `remedy`: what to do, a sentence.

    >>> refuse_many("a.csv", 99, ["line 7: ..."], "rows", "Correct them")
    """
    total = kept + len(bad)
    if bad and (not kept or len(bad) > MOST_BAD * total):
        raise DataError(
            f"{where}: expected at most {MOST_BAD:.0%} bad {what}, received {len(bad):,} of {total:,}, "
            f"the first: {str(bad[0]).rstrip('.')}. {remedy}",
            [str(row) for row in bad[:10]],
        )
