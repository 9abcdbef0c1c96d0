"""Whether the first row of a table holds the names of its columns, and names for all of them.

first_is_header([["v1", "v2", ""], ["ham", "Hello", ""]])      True
column_names(["a", "", "a"])                                   ["a", "column 2", "a_2"]

Tables come with empty names (spreadsheets leave columns behind the last), with numbers as names (years; the row and column
numbers of data frames), and with the same name twice.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

MISSING = {
    "", "na", "n/a", "nan", "null", "none", "-", "--", "?", ".", "missing", "n.a.", "n. a.", "k.a.", "k. a.", "n.d.", "-nan", "<na>",
    "\\n", "(null)", "#n/a", "#na", "#value!", "#div/0!", "#ref!", "#num!", "#null!", "#name?", "nil", "—", "–", "...", "…", "n/v", "s/d",
}  # fmt: skip
"""Words for a missing value, in lower case."""

# The name of a column: one to four words that begin with a letter. 2020-01-01 and "Great!" are not.
_NAME = re.compile(r"[^\W\d][\w-]*([ ./:#]?[\w()-]+){0,3}")
_NUMBER = re.compile(r"[^\w\s]?\s?[-+(]?\s?\d[\d., \u00a0\u202f']*([eE][-+]?\d+)?\s?[-%)]?(\s?[^\w\s])?")
_DATE = re.compile(r"\d{1,2}\.\s?\d{1,2}\.\s?(\d{4}|\d\d)")  # looks like a number with two points
_YEAR = re.compile(r"(1[5-9]|20|21)\d\d")
_LOOKED_AT = 300  # rows
_FEWEST = 10  # rows that tell a column which numbers them, or a first one that is of another kind
_MANY = 40  # rows whose values come back so that one which does not is none
_MOST_ABOVE = 20  # lines above a header


def is_name(cell: str) -> bool:
    """Whether a cell looks like the name of a column.

    >>> is_name("Review Text"), is_name("2020-01-01"), is_name("Great!")
    (True, False, False)
    """
    return len(cell) <= 40 and _NAME.fullmatch(cell) is not None


def is_number(cell: str) -> bool:
    """Whether a cell looks like a number in whatever way people write it.

    >>> is_number("-1.5e3"), is_number("1.719,71"), is_number("$12,038"), is_number("(5)"), is_number("3 apples")
    (True, True, True, True, False)
    """
    return _NUMBER.fullmatch(cell) is not None


def is_numbered(names: Sequence[str]) -> bool:
    """Whether these are placeholders of one stem that count up, which no cells are.

    >>> is_numbered(["v1", "v2"]), is_numbered(["Unnamed: 0", "Unnamed: 1"]), is_numbered(["good", "bad"])
    (True, True, False)
    """
    found = [re.fullmatch(r"([^\W\d][^\d]{0,20}?)(\d{1,4})", name) for name in names]
    if len(names) < 2 or not all(found):
        return False
    parts = [match for match in found if match]
    counts = [int(match[2]) for match in parts]
    return len({match[1] for match in parts}) == 1 and counts == list(range(counts[0], counts[0] + len(counts)))


def _is_counter(names: Sequence[str]) -> bool:
    """Whether these are 0, 1, 2, ..., as data frames number columns, or years that follow each other."""
    if len(names) < 2 or not all(re.fullmatch(r"\d{1,5}", name) for name in names):
        return False
    numbers = [int(name) for name in names]
    follow = numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    return follow and (numbers[0] == 0 or all(map(_YEAR.fullmatch, names)))


def first_is_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first of these rows holds names.

    It does where one of its cells is a text and those below are numbers; where all are texts that look like names and do
    not come back below; or where they are a counter (0, 1, 2 or 2019, 2020, 2021) above cells that are none.

    >>> first_is_header([["country", "2019", "2020"], ["Chad", "1.5", "1.7"], ["Mali", "2.5", "2.25"]])
    True
    >>> first_is_header([["", "0", "1"], ["0", "5.1", "3.5"], ["1", "4.9", "3.0"]])
    True
    >>> first_is_header([["5.1", "3.5"], ["4.9", "3.0"]]), first_is_header([["red", "1"], ["blue", "2"]])
    (False, False)
    """
    if len(rows) < 2:
        return bool(rows) and all(map(is_name, filter(None, rows[0]))) and any(rows[0])
    first, body = [cell.strip() for cell in rows[0]], rows[1 : _LOOKED_AT + 1]
    named = [(at, cell) for at, cell in enumerate(first) if cell]
    if not named:
        return False
    below = {at: [row[at].strip() for row in body if len(row) > at and row[at].strip()] for at, _ in named}
    texts = [(at, cell) for at, cell in named if not is_number(cell) and cell.lower() not in MISSING]
    if names_above_numbers(rows):
        return True
    numbers = [cell for at, cell in named if (at, cell) not in texts]
    if numbers:  # few of them may be values: three that count up are hardly by chance
        fewest = 2 if not first[0] or all(map(_YEAR.fullmatch, numbers)) else 3
        unlike = any(cell not in below[at] for at, cell in named if cell in numbers)
        return len(numbers) >= fewest and _is_counter(numbers) and unlike
    return all(is_name(cell) and cell not in below[at] for at, cell in texts)


def names_above_numbers(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row has a text above a column of numbers: the surest sign of a header.

    >>> names_above_numbers([["name", "age"], ["Ann", "30"]]), names_above_numbers([["Ann", "30"], ["Bob", "31"]])
    (True, False)
    >>> names_above_numbers([["shop", "1.2.2023"], ["A", "1.107,5"]]), names_above_numbers([["1.2.2023"], ["2.2.2023"]])
    (True, False)
    """
    for at, cell in enumerate(rows[0] if rows else ()):
        below = [row[at].strip() for row in rows[1 : _LOOKED_AT + 1] if len(row) > at]
        known = [other for other in below if other.lower() not in MISSING]
        named = cell.strip() and cell.strip().lower() not in MISSING and not _is_amount(cell.strip())
        if named and known and sum(map(_is_amount, known)) > 0.9 * len(known):
            return True
    return False


def _is_amount(cell: str) -> bool:
    return is_number(cell) and _DATE.fullmatch(cell) is None


def stands_apart(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first of these rows, whatever its words, is of another kind than all that follow, as only a header is.

    It is where nothing of it comes back below, and a cell of it is a text above numbers, or not among a few values that come back
    again and again, or where a counter from 0 stands above texts, or short names above a column of sentences.

    >>> answers = [[f"It was fine, number {n}.", "yes"] for n in range(40)]
    >>> stands_apart([["How was it?", "Would you come again?"], *answers]), stands_apart(answers)
    (True, False)
    """
    body = rows[1 : _LOOKED_AT + 1]
    if len(body) < _FEWEST:
        return False
    first = [cell.strip() for cell in rows[0]]
    below = [[row[at].strip() for row in body if len(row) > at and row[at].strip()] for at in range(len(first))]
    named = [(cell, column) for cell, column in zip(first, below, strict=True) if cell and column]
    if any(cell.casefold() in map(str.casefold, column) for cell, column in named):
        return False
    for cell, column in named:
        texts = not any(map(str.isdigit, cell)) and sum(map(str.isalpha, cell)) > 1 and cell.lower() not in MISSING
        if texts and sum(map(_is_amount, column)) > 0.9 * len(column) and len(column) >= _FEWEST:
            return True
        counts = Counter(column)
        often = len(column) >= _MANY and len(counts) <= len(column) // 10 and min(counts.values()) > 2
        if often and not (is_number(cell) and all(map(is_number, counts))):
            return True
    if _is_counter([cell for cell, _ in named]) and not all(any(map(is_number, column)) for _, column in named):
        return True
    sentences = (len(column) >= _FEWEST and sum(map(is_name, column)) < 0.1 * len(column) for _, column in named)
    # A short pair may stand above longer ones: of two columns it says nothing.
    return len(named) > 2 and all(is_name(cell) for cell, _ in named) and any(sentences)


def lines_above(rows: Sequence[Sequence[str]], width: int) -> int:
    """How many of the first rows stand above a header: titles, dates, notes, all of fewer cells than the table has.

    width: the commonest number of cells of a row.

    >>> lines_above([["Sales of 2020"], ["Source:", "us"], ["shop", "city", "sum"], ["a", "b", "1"], ["c", "d", "2"]], 3)
    2
    """
    above = 0
    for row in rows[:_MOST_ABOVE]:
        filled = max((at for at, cell in enumerate(row, 1) if cell), default=0)
        if len(row) == width and filled > 1 or filled >= width:
            break
        above += 1
    above = max(above, _below_titles(rows, width))
    body = rows[above:]
    alike = sum(len(row) == width for row in body)
    return above if body and width > 1 and alike >= 0.9 * len(body) and first_is_header(body[:_LOOKED_AT]) else 0


def _below_titles(rows: Sequence[Sequence[str]], width: int) -> int:
    """Where a row of names stands below rows with empty cells, of which one has a title alone; 0 for nowhere.

    >>> _below_titles([["Survey", "", ""], ["from", "2024", ""], ["text", "label", "id"], ["a b c d.", "x", "1"]], 3)
    2
    """
    full = next((at for at, row in enumerate(rows[:_MOST_ABOVE]) if len(row) == width and all(row)), 0)
    titles = any(sum(map(bool, row)) == 1 for row in rows[:full])
    return full if titles and all(map(is_name, rows[full])) and len(set(rows[full])) == width > 2 else 0


def is_rule(cells: Sequence[object]) -> bool:
    """Whether a row is the line below the header of a Markdown table: `|---|:---:|`.

    >>> is_rule(["", "---", ":-:", ""]), is_rule(["-", "1"]), is_rule(["", ""])
    (True, False, False)
    """
    filled = [str(cell).strip() for cell in cells if str(cell).strip()]
    return bool(filled) and all(re.fullmatch(r":?-{2,}:?|:-+:?|-+:", cell) for cell in filled)


def numbers_rows(name: str, cells: Sequence[str], by_name: bool = False) -> bool:
    """Whether a column only numbers the rows: 0, 1, 2, ... in order, or an id that is different on every row.

    by_name: only where its name says so too, as where other columns may well count up.

    >>> numbers_rows("x", list("0123456789")), numbers_rows("user_id", [str(90 - n) for n in range(12)])
    (True, True)
    """
    if len(cells) < _FEWEST or not all(re.fullmatch(r"\d{1,15}(\.0)?", cell) for cell in cells):
        return False
    numbers = [int(float(cell)) for cell in cells]
    if not by_name and numbers[0] in (0, 1) and numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        return True
    named = re.fullmatch(
        r"(.*[ _])?(id|index|idx|nr\.?|no\.?|key|row|rows|rownum|rowid|rownames|seq|instant|record|recno|#)|column 1|unnamed.*",
        name.casefold(),
    )
    return named is not None and len(set(numbers)) == len(numbers)


def column_names(first: Sequence[str]) -> list[str]:
    """A name for each column, all of them different: empty ones get their number, repeated ones a suffix.

    >>> column_names(["v1", "v2", "", "v1"])
    ['v1', 'v2', 'column 3', 'v1_2']
    """
    names: list[str] = []
    for at, cell in enumerate(first, 1):
        name = cell.strip() or f"column {at}"
        number, free = 2, name
        while free in names:
            free, number = f"{name}_{number}", number + 1
        names.append(free)
    return names
