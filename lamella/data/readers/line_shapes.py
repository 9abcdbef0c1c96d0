"""The lines of a table's text, and what can be told of their columns before these are cut.

split("a b\r\n1 2\r\n")[0]              ["a b", "1 2"]
is_spaced(["1 2.5", "2 3.5", "3 4.5"])     True
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate

from lamella.data.readers.headers import is_number
from lamella.data.readers.numbers import read_number

SAMPLE = 300  # lines that decide on delimiter and header
SPACED = re.compile(r'"[^"]*"|\S+')


def split(text: str) -> tuple[list[str], list[int], str]:
    """The lines of a text without their ends, where each begins, and what ends them: `\\n` (or `\\r\\n`), or `\\r` alone.

    Old programs end lines with `\\r`, and fields in quotation marks may hold `\\n` there: the ends outside of quotation
    marks decide.
    """
    newline = "\n"
    if "\r" in text and re.search(r"\r(?!\n)", text):
        bare = re.sub(r'"[^"]*"', "", text)
        if "\n" not in text or len(re.findall(r"\r(?!\n)", bare)) > bare.count("\n"):
            newline = "\r"
    lines = text.split(newline)
    starts = [0, *accumulate(len(line) + 1 for line in lines[:-1])]
    if "\r\n" in text and newline == "\n":
        lines[:-1] = [line.removesuffix("\r") for line in lines[:-1]]
    if lines[-1] == "":
        lines.pop()
        starts.pop()
    return lines, starts, newline


def is_decimal_column(lines: Sequence[str]) -> bool:
    """Whether below one name stand numbers such as 15,5: they are no two columns."""
    filled = [line.strip() for line in lines[:SAMPLE] if line.strip()]
    named = len(filled) > 1 and "," not in filled[0] and re.match(r"[^\W\d]", filled[0])
    return bool(named) and all(re.fullmatch(r"[-+]?\d+(,\d+)?", line) for line in filled[1:])


def is_spaced(lines: Sequence[str]) -> bool:
    """Whether white space cuts the lines into the same number of cells, most of them numbers, as programs that measure write
    tables. `12 038` is one number.

    >>> is_spaced(["1949.5  112", "1950.0  118", "1950.5  132"]), is_spaced(["12 038", "9 112"]), is_spaced(["a b", "c d"])
    (True, False, False)
    """
    rows = [SPACED.findall(line) for line in lines[:SAMPLE] if line.strip()]
    width = len(rows[-1]) if rows else 0
    if width < 2 or len(rows) < 3 or sum(len(row) == width for row in rows) < 0.95 * len(rows):
        return False
    body = rows[1:]
    digits = sum(is_number(cell) or cell[0].isdigit() for row in body for cell in row)
    whole = sum(read_number(line) is not None for line in lines[1:SAMPLE] if line.strip())
    return digits > 0.6 * width * len(body) and whole < 0.5 * len(body)
