"""Tables of series -> values at equal steps of time, with an account of every repair.

    data = read_series(["sales.csv"], known=["holiday"])
    data.tracks[0].values           an array, gaps filled; data.notes says how many
    data.step                       Step(size=86400, unit='s')
    data.stamp(data.tracks[0], n)   the stamp of the value after the last one, written like those of the file

Wide tables have a column a series, long ones a row a value: id, time, value; tables with times as the names of their columns
have a row a series. Columns named as `known` hold what is known of the future too: rows after the last value may give it.
What cannot be read as a number is a bad cell (`lamella.data.readers.bad_rows`), filled like a gap and counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from lamella.data.readers import clock
from lamella.data.readers.bad_rows import refuse_many
from lamella.data.readers.clock import Step, Times
from lamella.data.readers.headers import is_number, is_numbered
from lamella.data.readers.numbers import TRUTH, Numbers, is_missing, read_numbers, say_decimal
from lamella.data.readers.odd_rows import stand_in
from lamella.data.readers.records import fold, read_sheet
from lamella.data.readers.regular import Floats, Raw, Track, regular
from lamella.data.readers.series_columns import NAMES, Roles, choose_roles, fail_duplicates
from lamella.data.readers.series_grid import grid, months_across
from lamella.data.readers.series_known import KnownTable, joined
from lamella.data.readers.stamp_clocks import YEAR, clock_parts, hint, names_no_year, unwrapped
from lamella.data.readers.stamps import DAY, NONE, Stamps, Style, read_stamps
from lamella.data.readers.tables import list_paths
from lamella.data.readers.time_columns import find_time, first_stamp, join_time
from lamella.data.text.encoding import StrPath, quote, quote_all
from lamella.errors import DataError, UsageError

__all__ = ["Floats", "Options", "SeriesSet", "Track", "read_series"]

MOST_CATEGORIES = 20  # values of a covariate that holds texts
TEXT = 0.5  # of a column's values are no numbers, and it is left out


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a table of series is to be read, where it does not say itself."""

    known: Sequence[str] = ()
    """Columns that are known of the future too."""
    known_from: str = ""
    """A table of its own that holds these columns, or goes on with them."""
    frequency: str = ""
    decimal: str = ""
    """The mark before decimals."""
    day_first: bool | None = None
    date_format: str = ""
    """As `datetime.strptime` has it."""
    resample: str = ""
    """"sum" or "mean" of what falls within a step of `frequency`."""
    leave_out: Sequence[str] = ()
    """Columns that are not series; "none": not even those that number the rows."""
    style: Style | None = None
    """How the stamps of training were written."""
    covariates: Sequence[str] = ()
    """The names under which training knew the columns of `known`: those of categories are `column=value`."""


class SeriesSet(msgspec.Struct):
    """All series of some files."""

    tracks: list[Track]
    step: Step
    notes: list[str]
    style: Style = Style("count")
    decimal: str = "."

    def stamp(self, track: Track, steps: int) -> str:
        """The stamp so many steps after that of a series' first value, written like those of the file."""
        return self.style.write(clock.advance(self.step, track.origin, steps, track.ends))


def read_series(
    paths: StrPath | Sequence[StrPath],
    columns: Mapping[str, str] | None = None,
    known: Sequence[str] = (),
    frequency: str = "",
    options: Options | None = None,
) -> SeriesSet:
    """Read series from CSV, TSV or JSONL, wide or long.

    columns: which column is time, id or value, by name or number, where the names do not tell; "" for none, and several
    with "+" between them. known, frequency: short for those of `options`. Raises DataError for what cannot be read or
    repaired, UsageError for unknown names.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "a.csv")
    >>> _ = path.write_text("date,a\\n2020-01-01,1\\n2020-01-02,2\\n2020-01-04,4\\n2020-01-04,4\\n")
    >>> data = read_series(path)
    >>> data.tracks[0].values.tolist(), data.step, data.stamp(data.tracks[0], 4), len(data.notes)
    ([1.0, 2.0, 3.0, 4.0], Step(size=86400, unit='s'), '2020-01-05', 4)
    """
    options = options or Options()
    options = msgspec.structs.replace(options, known=known or options.known, frequency=frequency or options.frequency)
    if options.resample and not options.frequency:
        raise UsageError(
            f"--resample {options.resample}: expected the step to bring rows to. Add --frequency day, h ..."
        )
    notes: list[str] = []
    raws: list[Raw] = []
    style, decimal = Style("count"), "."
    for path in list_paths(paths):
        file = _File(path, columns or {}, options, notes)
        found, style = file.read()
        raws += found
        decimal = file.decimal
    stamped = [raw.times for raw in raws if raw.times is not None]
    beside = _File(options.known_from, {}, options, notes).read_known(file.keys, style) if options.known_from else None
    if options.frequency:
        step = clock.parse_step(options.frequency)
        if not step.unit:  # row by row, whatever lies between the stamps
            raws, style = [_in_order(raw) for raw in raws], Style("count")
    else:
        step = clock.find_step(stamped, style.kind == "count" or style.parts > 1) if stamped else Step()
        if stamped:
            shown = f"{step.size / style.parts:g}" if style.parts > 1 else str(step or "unknown")
            notes.append(f"step between values: {shown}, found from the time stamps")
    counts: Counter[str] = Counter()
    if beside is not None:
        raws = [joined(raw, beside, step, counts) for raw in raws]
    tracks = _all_regular(raws, step, counts, notes, options.resample)
    notes += [f"{reason}: {count:,}" for reason, count in counts.items()]
    flat = [t.id for t in tracks if np.ptp(t.values) == 0]
    if flat:
        notes.append(f"series that never change: {len(flat):,} ({', '.join(map(quote, flat[:3]))})")
    return SeriesSet(tracks, step, notes, style, decimal)


def _in_order(raw: Raw) -> Raw:
    """A series whose rows are in the order of their stamps, without these."""
    if raw.times is None:
        return raw
    order = np.argsort(raw.times, kind="stable")
    return Raw(raw.id, None, raw.values[order], {name: column[order] for name, column in raw.known.items()})


def _all_regular(raws: Sequence[Raw], step: Step, counts: Counter[str], notes: list[str], resample: str) -> list[Track]:
    """All series at equal steps; of several, one that cannot be brought to them leaves only itself out."""
    tracks, failed = [], list[DataError]()
    for raw in raws:
        try:
            tracks.append(regular(raw, step, counts, resample))
        except DataError as error:
            failed.append(error)
    if failed and not tracks:
        raise failed[0]
    notes += [f"left out: {error}" for error in failed[:10]]
    if len(failed) > 10:
        notes.append(f"left out: {len(failed) - 10:,} more series")
    return tracks


class _File:
    """One file that is being read."""

    def __init__(self, path: StrPath, columns: Mapping[str, str], options: Options, notes: list[str]) -> None:
        if unknown := set(columns) - {"time", "id", "value"}:
            raise UsageError(f"columns: expected time, id or value, received {', '.join(sorted(unknown))}")
        self.columns, self.options, self.notes = columns, options, notes
        self.sheet = read_sheet(path, 1, {fold(name) for name in (*NAMES, *options.known)})
        self.where = self.sheet.file
        self.bad: list[str] = []
        self.decimal = "."
        self.keys: list[str] = []  # the columns that name series
        self.covariates: dict[str, Floats] = {}
        self.names, self.rows, self.lines = grid(self.sheet)
        self.header = self.sheet.keys is not None or len(self.lines) < len(self.sheet.rows)
        if not self.rows:
            what = "a header only" if self.names else "none"
            raise DataError(f"{self.where}: expected rows of values, received {what}.")
        if not self.names:  # rows of JSON without any field
            raise DataError(
                f"{self.where}, line {self.lines[0]}: expected columns of values, received rows without any."
            )
        self._turn()

    def _turn(self) -> None:
        """A table whose columns are times, a row a series, becomes one whose rows are times."""
        if not self.columns and (across := months_across(self.names, self.rows)):
            self.lines = [line for line in self.lines for _ in range(12)][: len(across[1])]
            self.names, self.rows = across[:2]
            self.notes.append(f"{self.where}: {across[2]}")
            return
        first = first_stamp(self.names)
        if first == 0 or self.columns:
            return
        ids = [" ".join(filter(None, row[:first])) for row in self.rows]
        if len(set(ids)) < len(ids):
            return
        self.notes.append(
            f"{self.where}: a row a series, times from {self.names[first]} to {self.names[-1]} as columns"
        )
        counted = not self.names[first].isdigit() and is_numbered(self.names[first:])
        times = [re.sub(r"\D", "", name) if counted else name for name in self.names[first:]]
        self.rows = [[time, *(row[at] for row in self.rows)] for at, time in enumerate(times, first)]
        self.lines = [self.lines[0] - 1] * len(self.rows)
        self.names = ["time", *ids]

    def read(self) -> tuple[list[Raw], Style]:
        """The series as they stand in the file, and how it writes its stamps."""
        cells = list(zip(*self.rows, strict=True))
        if self.options.known_from:  # that table has those that are not here
            here = [name for name in self.options.known if name in self.names]
            self.options = msgspec.structs.replace(self.options, known=here)
        roles = choose_roles(
            self.where, self.names, cells, self.columns, self.options.known, self.options.leave_out, self.header
        )
        self.keys = [self.names[at] for at in roles.ids]
        times, style = self._times(roles)
        numbers = self._numbers(cells, roles)
        self.bad += [str(b) for b in self.sheet.bad]
        refuse_many(self.where, max(0, len(self.rows) - len(self.bad)), self.bad, "rows", "Correct or remove them.")
        self.notes += [f"bad cell, filled like a gap: {line}" for line in self.bad]
        kind = "long (a row a value)" if roles.ids else "wide (a column a series)"
        self.notes.append(f"{self.where}: {kind}, {len(self.rows):,} rows, time = {roles.label or 'none'}")
        plain = [note.removeprefix(f"{self.where}: ") for note in self.sheet.notes]
        self.notes += [f"{self.where}: {note}" for note in (*plain, *roles.notes)]
        return self._split(cells, roles, times, numbers), style

    def read_known(self, keys: Sequence[str], style: Style) -> KnownTable:
        """The columns of `known`, by stamps that are written as in the table of the series, or otherwise, and by its `keys`
        where it has these."""
        cells = list(zip(*self.rows, strict=True))
        wanted = list(self.options.known)
        lacking = [name for name in wanted if name not in self.names]
        if not wanted or lacking:
            raise DataError(
                f"{self.where}: expected the columns of --known, {quote_all(lacking) if wanted else 'none is named'}, received "
                f"{quote_all(self.names)}. Change --known"
            )
        used = find_time(self.names, cells, {self.names.index(name) for name in wanted})
        label = " + ".join(quote(self.names[at]) for at in used)
        if not used:
            raise DataError(f"{self.where}: expected a column of time stamps, received {quote_all(self.names)}.")
        times, _ = self._times(Roles(join_time(self.names, cells, used), label, [], [], True), style)
        assert times is not None
        columns: dict[str, Floats] = {}
        for name in wanted:
            column = cells[self.names.index(name)]
            found = self._categories(name, column)
            columns |= found or {name: read_numbers(column, self.options.decimal, self.sheet.delimiter).values}
        by_key = [cells[self.names.index(key)] for key in keys if key in self.names]
        names = [" | ".join(key) for key in zip(*by_key, strict=True)] if keys and len(by_key) == len(keys) else None
        there = times != NONE
        self.notes.append(f"{self.where}: {quote_all(wanted)} by {label}, {int(there.sum()):,} rows")
        return KnownTable(
            self.where,
            {name: column[there] for name, column in columns.items()},
            times[there],
            None if names is None else [name for name, use in zip(names, there, strict=True) if use],
        )

    def _times(self, roles: Roles, style: Style | None = None) -> tuple[Times | None, Style]:
        if roles.times is None:
            return None, Style("count")
        o = self.options
        # Steps of a second or more, as a frequency or the stamps of training say, need no fractions.
        whole = bool(o.frequency)
        found: Stamps = read_stamps(roles.times, roles.label, o.day_first, o.date_format, style or o.style, whole)
        if found.hint:
            raise DataError(
                f"{self.where}, line {self.lines[0]}: {quote(found.ambiguous)} may be a day without a year, or a month of a year, "
                f"and no stamp decides it. Say it: {found.hint}"
            )
        if found.ambiguous:
            raise DataError(
                f"{self.where}, line {self.lines[0]}: {quote(found.ambiguous)} may be day or month first, and no stamp decides "
                "it. Say it: --day-first true or --day-first false; --date-format %y-%m-%d where the year is first"
            )
        for at in map(int, np.flatnonzero(found.seconds == NONE)):
            self.bad.append(
                f"{self.where}, line {self.lines[at]}: expected a time stamp such as 2020-12-31 10:30, received "
                f"{quote(roles.times[at])} ({hint(roles.times[at])})"
            )
        return self._going_on(found, roles.ids), found.style

    def _going_on(self, found: Stamps, ids: Sequence[int]) -> Times:
        """Times that begin again each day, or each year that they do not name, as times that go on."""
        yearless = bool(found.style.format) and names_no_year(found.style.format)
        if found.style.kind != "clock" and not yearless:
            return found.seconds
        keys = [tuple(row[at] for at in ids) for row in self.rows]
        times = found.seconds.copy()
        for key in dict.fromkeys(keys):
            own = np.array([at for at, other in enumerate(keys) if other == key]) if ids else np.arange(len(keys))
            times[own] = unwrapped(times[own], YEAR if yearless else DAY, NONE)
        return times

    def _numbers(self, cells: Sequence[Sequence[str]], roles: Roles) -> dict[int, Floats]:
        """The values of each column that is wanted; texts are left out where there are others."""
        known_ones = [self.names.index(name) for name in self.options.known]
        self.covariates = {}
        for at in known_ones:
            self.covariates |= self._categories(self.names[at], cells[at])
        wanted = [*roles.values, *(at for at in known_ones if not self._of_categories(self.names[at]))]
        separator = self.sheet.delimiter
        parsed = {at: read_numbers(cells[at], self.options.decimal, separator) for at in wanted}
        hint = next((found.decimal for found in parsed.values() if found.decimal == ","), "")
        out: dict[int, Floats] = {}
        for at, found in parsed.items():
            if found.ambiguous and hint:
                found = read_numbers(cells[at], hint)
            known = sum(not is_missing(cell) for cell in cells[at])
            if at in roles.values and roles.guessed and len(roles.values) > 1 and len(found.bad) > TEXT * known:
                self.notes.append(
                    f"{self.where}: column {quote(self.names[at])} holds texts, no numbers, and is left out"
                )
                continue
            clock = found.marks.startswith("a span") and clock_parts(cells[at]) is not None
            if at in roles.values and roles.guessed and len(roles.values) > 1 and clock:
                self.notes.append(
                    f"{self.where}: column {quote(self.names[at])} holds hours, and is left out; --columns value= takes it"
                )
                continue
            if not known and at in roles.values and len(roles.values) > 1:
                self.notes.append(f"{self.where}: column {quote(self.names[at])} is empty and is left out")
                continue
            if found.ambiguous:
                raise DataError(say_decimal(self.where, self.names[at], found.ambiguous))
            out[at] = self._checked(at, found, cells[at])
        roles.values = [at for at in roles.values if at in out]
        if not roles.values:
            raise DataError(f"{self.where}: expected a column of numbers, received {quote_all(self.names)} only.")
        return out

    def _of_categories(self, name: str) -> bool:
        return any(key == name or key.startswith(f"{name}=") for key in self.covariates)

    def _categories(self, name: str, cells: Sequence[str]) -> dict[str, Floats]:
        """A known column that holds truth values or categories: ones and zeros, a covariate for each category.

        Nothing for one of numbers. Those of training are given whether the file has them or not.
        """
        folded = [cell.casefold() for cell in cells]
        filled = {cell for cell in folded if not is_missing(cell)}
        if filled and filled <= TRUTH.keys():
            return {name: np.array([TRUTH.get(cell, np.nan) for cell in folded])}
        learned = [key.partition("=")[2] for key in self.options.covariates if key.startswith(f"{name}=")]
        values = {cell for cell in cells if not is_missing(cell)}
        if not learned and (len(values) > MOST_CATEGORIES or not values or any(map(is_number, values))):
            return {}
        new = sorted(values - set(learned)) if learned else []
        if new:
            self.notes.append(f"{self.where}: {quote(name)} holds {quote_all(new, 5)}, which training has not seen")
        return {f"{name}={v}": np.array([float(cell == v) for cell in cells]) for v in learned or sorted(values)}

    def _checked(self, at: int, found: Numbers, cells: Sequence[str]) -> Floats:
        name = quote(self.names[at])
        if np.isnan(found.values).all():
            raise DataError(f"{self.where}: expected numbers in {name}, received {quote(cells[0])} and the like.")
        self.bad += [
            f"{self.where}, line {self.lines[i]}: expected a finite number in {name}, received {quote(cells[i])}"
            for i in found.bad
        ]
        if found.decimal == ",":
            self.decimal = ","
        if found.marks or found.decimal == ",":
            i = next(i for i, value in enumerate(found.values) if not np.isnan(value) and not cells[i].isdigit())
            self.notes.append(f"{self.where}: {name}: {quote(cells[i])} is read as {found.values[i]:.10g}")
        if (gone := stand_in(found.values)) is not None:
            self.notes.append(f"{self.where}: {name}: {gone:g} stands for a missing value")
            found.values[found.values == gone] = np.nan
        return found.values

    def _split(
        self, cells: Sequence[Sequence[str]], roles: Roles, times: Times | None, numbers: Mapping[int, Floats]
    ) -> list[Raw]:
        places: dict[str, list[int]] = {}  # no array of texts, in which each would be as long as the longest
        if roles.ids:
            for i, key in enumerate(zip(*(cells[at] for at in roles.ids), strict=True)):
                places.setdefault(" | ".join(key), []).append(i)
        parts = (
            [(name, roles.values[0], np.array(places[name])) for name in sorted(places)]
            if roles.ids
            else [(self.names[at], at, np.arange(len(self.rows))) for at in roles.values]
        )
        found = []
        for name, at, picked in parts:
            use = picked if times is None else picked[times[picked] != NONE]
            plain = [k for k in self.options.known if not self._of_categories(k)]
            covariates = {k: numbers[self.names.index(k)][use] for k in plain}
            covariates |= {k: column[use] for k, column in self.covariates.items()}
            found.append(Raw(name, None if times is None else times[use], numbers[at][use], covariates))
        if times is not None and not self.options.resample:
            fail_duplicates(self.where, self.names, cells, roles, found)
        return found
