"""Tables of series -> values at equal steps of time, with an account of every repair.

    data = read_series(["sales.csv"], known=["holiday"])
    data.tracks[0].values           an array, gaps filled; data.notes says how many
    data.step                       Step(size=86400, unit='s')

Wide tables have a column a series, long ones a row a value: id, time, value. Columns named as `known` hold what is known
of the future too: rows after the last value may give it. What cannot be read as a number is a bad cell; more than a tenth
of them stop the reading, fewer are filled like gaps, and counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lamella.data.readers import clock
from lamella.data.readers.bad_rows import BadRow, refuse_many
from lamella.data.readers.clock import Step
from lamella.data.readers.records import Sheet, common_width, fold, read_sheet, refuse_wide
from lamella.data.readers.tables import list_paths
from lamella.data.text.encoding import StrPath, quote, quote_all
from lamella.errors import DataError, UsageError

TIME_NAMES = ("time", "ds", "date", "datetime", "timestamp", "period", "year", "month", "day", "week", "index", "t")
ID_NAMES = ("id", "unique_id", "series", "series_id", "series_name", "item_id", "item", "store", "name", "key")
VALUE_NAMES = ("value", "y", "target", "sales", "demand", "quantity", "count")
MISSING = {"", "na", "n/a", "nan", "null", "none", "-", "?", "."}
Floats = NDArray[np.float64]


class Track(msgspec.Struct):
    """One series at equal steps."""

    id: str
    first: int | None  # the tick of the first value; None where there are no stamps
    values: Floats  # (n,)
    known: dict[str, Floats]  # (n or more,): covariates, of the future too where the file gives them


class SeriesSet(msgspec.Struct):
    """All series of some files."""

    tracks: list[Track]
    step: Step
    notes: list[str]


class _Raw(msgspec.Struct):
    """A series as it stands in the file: stamps (or None), values and covariates, row by row."""

    id: str
    times: NDArray[np.int64] | None
    values: Floats
    known: dict[str, Floats]


def read_series(
    paths: StrPath | Sequence[StrPath],
    columns: Mapping[str, str] | None = None,
    known: Sequence[str] = (),
    frequency: str = "",
) -> SeriesSet:
    """Read series from CSV, TSV or JSONL, wide or long.

    columns: which column is time, id or value, by name or number, where the names do not tell. known: names of columns
    that are known of the future. frequency: the step, where the stamps do not tell. Raises DataError for what cannot be
    read or repaired, UsageError for unknown names.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "a.csv")
    >>> _ = path.write_text("date,a\\n2020-01-01,1\\n2020-01-02,2\\n2020-01-04,4\\n2020-01-04,4\\n")
    >>> data = read_series(path)
    >>> data.tracks[0].values.tolist(), data.step, len(data.notes)
    ([1.0, 2.0, 3.0, 4.0], Step(size=86400, unit='s'), 4)
    """
    notes: list[str] = []
    raws: list[_Raw] = []
    for path in list_paths(paths):
        raws += _read_file(path, columns or {}, known, notes)
    stamped = [raw.times for raw in raws if raw.times is not None]
    step = clock.parse_step(frequency) if frequency else clock.find_step(stamped) if stamped else Step()
    if stamped and not frequency:
        notes.append(f"step between values: {step or 'unknown'}, found from the time stamps")
    counts: Counter[str] = Counter()
    tracks = [_regular(raw, step, counts) for raw in raws]
    notes += [f"{reason}: {count:,}" for reason, count in counts.items()]
    flat = [t.id for t in tracks if np.ptp(t.values) == 0]
    if flat:
        notes.append(f"series that never change: {len(flat):,} ({', '.join(map(quote, flat[:3]))})")
    return SeriesSet(tracks, step, notes)


# --- one file


def _read_file(path: StrPath, columns: Mapping[str, str], known: Sequence[str], notes: list[str]) -> list[_Raw]:
    if unknown := set(columns) - {"time", "id", "value"}:
        raise UsageError(f"columns: expected time, id or value, received {', '.join(sorted(unknown))}")
    sheet = read_sheet(path, 1, {fold(n) for n in (*TIME_NAMES, *ID_NAMES, *VALUE_NAMES, *known)})
    names, rows, lines = _grid(sheet)
    where = sheet.file
    if not rows:
        raise DataError(f"{where}: expected rows of values, received {'a header only' if names else 'none'}.")

    if not names:  # rows of JSON without any field
        raise DataError(f"{where}, line {lines[0]}: expected columns of values, received rows without any.")

    def column(role: str, aliases: Sequence[str]) -> int | None:
        chosen = columns.get(role)
        if chosen is not None:
            if chosen in names:
                return names.index(chosen)
            if chosen.isdigit() and 1 <= int(chosen) <= len(names):
                return int(chosen) - 1
            raise DataError(
                f"{where}: no column {quote(chosen)}. Expected one of {quote_all(names)}: --columns {role}=NAME"
            )
        return next((i for alias in aliases for i, name in enumerate(names) if fold(name) == fold(alias)), None)

    for name in known:
        if name not in names:
            raise DataError(
                f"{where}: no column {quote(name)}, which --known asks for. Expected one of {quote_all(names)}."
            )
    cells = list(zip(*rows, strict=True))
    time, ident = column("time", TIME_NAMES), column("id", ID_NAMES)
    if time is None and (clock.parse(cells[0][:50]) != clock.NONE).mean() > 0.9 and not _all_numbers(cells[0][:50]):
        time = 0
    if (
        ident is not None
        and "id" not in columns
        and (ident == time or _all_numbers(cells[ident][:50]) and time is None)
    ):
        ident = None
    taken = {i for i in (time, ident) if i is not None} | {names.index(name) for name in known}
    rest = [i for i in range(len(names)) if i not in taken]
    value = column("value", VALUE_NAMES if ident is not None else ())
    if value is None and ident is not None and len(rest) == 1:
        value = rest[0]
    if value is None and ident is not None:
        shown = quote_all(names[i] for i in rest)
        raise DataError(
            f"{where}: expected one column of values beside id and time, received {shown}. Choose: --columns value=NAME"
        )
    series = [value] if value is not None else rest
    if not series:
        raise DataError(f"{where}: expected a column of values, received {quote_all(names)} only.")
    bad: list[str] = []
    numbers = {i: _numbers(cells[i], names[i], lines, sheet, bad) for i in {*series, *(names.index(n) for n in known)}}
    times = None if time is None else _times(cells[time], lines, sheet, bad)
    bad += [str(b) for b in sheet.bad]
    refuse_many(where, max(0, len(rows) - len(bad)), bad, "rows", "Correct or remove them.")
    notes += [f"bad cell, filled like a gap: {line}" for line in bad]
    kind = "long (a row a value)" if ident is not None else "wide (a column a series)"
    notes.insert(0, f"{where}: {kind}, {len(rows):,} rows, time = {quote(names[time]) if time is not None else 'none'}")
    groups: dict[str, Any] = {}
    if ident is not None:
        places: dict[str, list[int]] = {}  # no array of texts, in which each would be as long as the longest
        for i, name in enumerate(cells[ident]):
            places.setdefault(name, []).append(i)
        groups = {name: np.array(places[name]) for name in sorted(places)}
    found = []
    for name, at, picked in (
        [(name, series[0], rows_of) for name, rows_of in groups.items()]
        if groups
        else [(names[i], i, np.arange(len(rows))) for i in series]
    ):
        use = picked if times is None else picked[times[picked] != clock.NONE]
        covariates = {k: numbers[names.index(k)][use] for k in known}
        found.append(_Raw(name, None if times is None else times[use], numbers[at][use], covariates))
    return found


def _grid(sheet: Sheet) -> tuple[list[str], list[list[str]], list[int]]:
    """Column names, rows of strings all as wide as those, and their lines; rows of another width become bad ones."""
    refuse_wide(sheet)
    if sheet.keys is not None:
        rows = [[_text(cells.get(k)) for k in sheet.keys] for _, cells in sheet.rows if isinstance(cells, dict)]
        return sheet.keys, rows, [line for line, _ in sheet.rows]
    width = common_width(sheet.rows)
    body, lines = [], []
    for line, cells in sheet.rows:
        if len(cells) == width:
            body.append([_text(c) for c in cells])
            lines.append(line)
        else:
            sheet.bad.append(BadRow(sheet.file, line, f"{width} columns", str(len(cells))))
    head = body[0] if body else []
    stamps = clock.parse(head) if head else np.zeros(0)
    is_name = [bool(c) and _number(c) is None and t == clock.NONE for c, t in zip(head, stamps, strict=True)]
    below = body[1][0] if len(body) > 1 else ""
    told = bool(is_name) and is_name[0] and (_number(below) is not None or clock.parse([below])[0] != clock.NONE)
    if told or (head and all(named or not c for named, c in zip(is_name, head, strict=True))):
        return [c or f"column {i}" for i, c in enumerate(head, 1)], body[1:], lines[1:]
    return [f"column {i}" for i in range(1, width + 1)], body, lines


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _number(cell: str) -> float | None:
    """A number, NaN for a missing one, None for what is neither; 3,5 is three and a half."""
    if cell.lower() in MISSING:
        return float("nan")
    try:
        value = float(cell)
    except ValueError:
        if not re.fullmatch(r"[-+]?\d+,\d+", cell):
            return None
        value = float(cell.replace(",", "."))
    return value if abs(value) < 1e300 else None  # also NaN's own words, which are in MISSING


def _all_numbers(cells: Sequence[str]) -> bool:
    return all(_number(c) is not None for c in cells)


def _numbers(cells: Sequence[str], name: str, lines: Sequence[int], sheet: Sheet, bad: list[str]) -> Floats:
    found = np.full(len(cells), np.nan)
    for i, cell in enumerate(cells):
        value = _number(cell)
        if value is None:
            bad.append(
                f"{sheet.file}, line {lines[i]}: expected a finite number in {quote(name)}, received {quote(cell)}"
            )
        else:
            found[i] = value
    if np.isnan(found).all():
        raise DataError(
            f"{sheet.file}: expected numbers in {quote(name)}, received {quote(cells[0]) if cells else 'none'} and the like."
        )
    return found


def _times(cells: Sequence[str], lines: Sequence[int], sheet: Sheet, bad: list[str]) -> NDArray[np.int64] | None:
    """Seconds since 1970; None for plain counters 1, 2, 3, which say no more than the order."""
    whole = [c for c in cells if re.fullmatch(r"-?[0-9]{1,18}", c)]
    if len(whole) == len(cells):
        numbers = np.array(whole, dtype=np.int64)
        if not (all(len(c) == 4 for c in whole) and numbers.min() >= 1500 and numbers.max() <= 2200):
            if all(len(c) == 8 for c in whole):
                return clock.parse([f"{c[:4]}-{c[4:6]}-{c[6:]}" for c in cells])
            return None
    if clock.ambiguous(cells):
        raise DataError(
            f"{sheet.file}, line {lines[0]}: {quote(cells[0])} may be day or month first. Write stamps as 2020-12-31."
        )
    found = clock.parse(cells)
    for i in map(int, np.flatnonzero(found == clock.NONE)):
        bad.append(
            f"{sheet.file}, line {lines[i]}: expected a time stamp such as 2020-12-31 10:30, received {quote(cells[i])}"
        )
    return found


# --- equal steps


def _regular(raw: _Raw, step: Step, counts: Counter[str]) -> Track:
    """One value a step: sorted, repeated stamps merged, gaps filled on a straight line, each counted."""
    values, known = raw.values, raw.known
    first: int | None = None
    if raw.times is None:
        ticks = np.arange(len(values))
    else:
        exact = step.ticks(raw.times)
        exact = exact - (exact[0] % 1 if len(exact) else 0)  # the grid goes through the first stamp
        off = np.abs(exact - np.rint(exact)) > 1e-6
        if off.mean() > 0.01:
            at = int(np.flatnonzero(off)[0])
            raise DataError(
                f"series {quote(raw.id)}: expected a stamp every {step or 'step'}, received {off.sum():,} of {len(off):,} between "
                f"those, the first {np.datetime64(int(raw.times[at]), 's')}. Give the step: --frequency 30min, day, month ..."
            )
        if off.any():
            counts["stamps between the steps, left out"] += int(off.sum())
        order = np.argsort(exact[~off], kind="stable")
        if (np.diff(order) < 0).any():
            counts["series whose rows were not in order of time, sorted"] += 1
        ticks = np.rint(exact[~off]).astype(np.int64)[order]
        values, known = values[~off][order], {k: v[~off][order] for k, v in known.items()}
        twice = np.flatnonzero(np.diff(ticks) == 0)
        if len(twice):
            differ = int((values[twice] != values[twice + 1]).sum())
            counts["repeated stamps with the same value, one kept"] += len(twice) - differ
            counts["repeated stamps with different values, their mean kept"] += differ
            counts += Counter()  # without those that are zero
        ticks, groups = np.unique(ticks, return_inverse=True)
        values, known = _merged(values, groups), {k: _merged(v, groups) for k, v in known.items()}
        first = int(ticks[0]) if len(ticks) else None
    real = np.flatnonzero(~np.isnan(values))
    if not len(real):
        raise DataError(f"series {quote(raw.id)}: expected numbers, received none.")
    low, high = int(ticks[real[0]]), int(ticks[real[-1]])
    holes = high - low + 1 - len(real)
    if holes > (high - low + 1) / 2:  # known before an array is made of them: from the year 1 it is 60 billion seconds
        raise DataError(
            f"series {quote(raw.id)}: expected a value a step ({step or 'row'}), received {len(real):,} for {high - low + 1:,} "
            "steps. Give the step that fits: --frequency day, month ..."
        )
    whole = np.arange(low, high + 1)
    if holes:
        counts["missing values, filled on a straight line between their neighbours"] += holes
    filled = {}
    for name, column in known.items():
        there = np.flatnonzero(~np.isnan(column))
        if not len(there):
            raise DataError(f"series {quote(raw.id)}: expected numbers in {quote(name)}, received none.")
        end = max(high, int(ticks[there[-1]]))
        if end - high > 1000 + 2 * len(column):
            raise DataError(
                f"series {quote(raw.id)}: expected {quote(name)} a step ({step or 'row'}), received one {end - high:,} steps after the "
                "last value. Give the step that fits: --frequency day, month ..."
            )
        filled[name] = np.interp(np.arange(low, end + 1), ticks[there], column[there])
        inside = (ticks[there] >= low).sum()
        if inside < end - low + 1:
            counts[f"missing values of {name}, filled likewise"] += end - low + 1 - int(inside)
    start = None if first is None else low
    return Track(raw.id, start, np.interp(whole, ticks[real], values[real]), filled)


def _merged(values: Floats, groups: NDArray[np.int64]) -> Floats:
    """The mean of each group, missing ones aside; NaN where all are missing."""
    there = ~np.isnan(values)
    total = np.bincount(groups, np.where(there, values, 0.0))
    count = np.bincount(groups, there.astype(float))
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))
