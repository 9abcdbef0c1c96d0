"""Rows that are no data: a second line of header, a line of totals; and numbers that stand for a missing one, such as -999.

    without_odd_rows([(1, ["id", "q"]), (2, ["", "How old?"]), ...])        line 2 is left out, and said
    stand_in(np.array([20.5, 21.0, -999.0, ...]))                           -999.0

Exports of surveys repeat the question below its number, loggers give units below names, spreadsheets end in a sum. Each is left
out only where the other rows prove it.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.data.readers.numbers import is_missing, read_number, read_numbers
from lamella.data.text.encoding import quote

FEWEST = 6  # rows that prove something
LOOKED_AT = 60  # rows
HEADERS = 2  # most further lines of header
SUMS = frozenset(
    [
        "total",
        "totals",
        "sum",
        "sums",
        "summe",
        "summen",
        "gesamt",
        "gesamtsumme",
        "insgesamt",
        "grandtotal",
        "totalgeneral",
        "totalgénéral",
        "somme",
        "suma",
        "totale",
        "totaal",
        "итого",
        "всего",
        "合计",
        "总计",
        "小计",
        "合計",
    ]
)
MEANS = frozenset(
    [
        "average",
        "averages",
        "mean",
        "mittelwert",
        "durchschnitt",
        "mittel",
        "moyenne",
        "promedio",
        "media",
        "среднее",
        "平均",
    ]
)
_NINES = re.compile(r"-?9{3,}(\.9+)?|-99(\.9+)?")
_APART = 3  # times the range of the other values
Rows = list[tuple[int, Any]]


def without_odd_rows(rows: Rows, delimiter: str | None) -> tuple[Rows, list[str]]:
    """Rows of a table, the header first, without further lines of header and a last line of totals; and notes on these.

    Rows are (line, cells); where cells are no lists, nothing is left out.
    """
    notes: list[str] = []
    for _ in range(HEADERS):
        if _is_header(rows):
            line, cells = rows[1]
            notes.append(
                f"line {line} is a second line of header and is left out: {quote(' | '.join(map(str, cells)))}"
            )
            rows = [rows[0], *rows[2:]]
    if _is_total(rows, delimiter):
        line, cells = rows[-1]
        notes.append(f"line {line} holds {quote(str(_first(cells)))} of the others and is left out")
        rows = rows[:-1]
    return rows, notes


def _is_header(rows: Rows) -> bool:
    """Whether the second row has no number, though there are columns of nothing else below it."""
    sample = [cells for _, cells in rows[: LOOKED_AT + 2]]
    if len(sample) < FEWEST + 2 or not all(
        isinstance(cells, list) and len(cells) == len(sample[0]) for cells in sample
    ):
        return False
    first, second, *others = sample[:2] + sample[1 + HEADERS :]
    if any(map(_is_number, (*first, *second))):
        return False
    columns = list(zip(*others, strict=True))
    numeric = [i for i, c in enumerate(columns) if all(map(_is_number, c))]
    texts = [i for i in numeric if not is_missing(str(second[i]))]
    counts = 0 in numeric and [cells[0] for cells in sample[2:5]] in (["0", "1", "2"], ["1", "2", "3"])
    return bool(texts) and len(texts) >= len(numeric) / 2 or counts and any(str(cell).strip() for cell in second)


def _is_number(cell: Any) -> bool:
    text = str(cell)
    return not is_missing(text) and any(read_number(text, mark) is not None for mark in ".,")


def _is_total(rows: Rows, delimiter: str | None) -> bool:
    """Whether the last row says that it is a sum or a mean, and one of its numbers is that of the rows above."""
    if len(rows) < 4 or not isinstance(rows[-1][1], list):
        return False
    last = rows[-1][1]
    word = re.sub(r"[\W_]", "", str(_first(last)).casefold())
    if word not in SUMS | MEANS:
        return False
    above = [cells for _, cells in rows[1:-1] if isinstance(cells, list) and len(cells) == len(last)]
    for at in range(len(last)):
        values = read_numbers([str(cells[at]) for cells in (*above, last)], "", delimiter).values
        known = values[:-1][~np.isnan(values[:-1])]
        if len(known) < 2 or np.isnan(values[-1]) or not np.any(known):
            continue
        wanted = float(known.sum() if word in SUMS else known.mean())
        if abs(values[-1] - wanted) <= 0.005 * abs(wanted) + 1e-9:
            return True
    return False


def _first(cells: Sequence[Any]) -> Any:
    return next((cell for cell in cells if str(cell or "").strip()), "")


def stand_in(values: NDArray[np.float64]) -> float | None:
    """The number that stands for a missing one among these: all nines, far from all others; None where there is none.

    >>> stand_in(np.array([20.0, 21, 22, 21, 20, 19, -999])), stand_in(np.array([500.0, 1500, 900, 0, 40, 20, 999]))
    (-999.0, None)
    """
    known = values[np.isfinite(values)]
    if len(known) <= FEWEST:
        return None
    for value in (float(known.min()), float(known.max())):
        others = known[known != value]
        if len(others) < FEWEST or not _NINES.fullmatch(f"{value:.10g}"):
            continue
        gap, width = float(np.abs(others - value).min()), float(np.ptp(others))
        times = len(known) - len(others)
        far = gap > _APART * width and (value < 0 or times > 1)
        if far or value < 0 <= float(others.min()) and times > 2:
            return value
    return None
