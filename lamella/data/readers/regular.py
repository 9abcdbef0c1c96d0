"""Series as they stand in a file -> values at equal steps of time, every repair counted."""

from __future__ import annotations

from collections import Counter

import msgspec
import numpy as np
from numpy.typing import NDArray

from lamella.data.readers import clock
from lamella.data.readers.clock import Step, Times
from lamella.data.readers.stamps import DAY
from lamella.data.text.encoding import quote
from lamella.errors import DataError

OFF_GRID = 0.01  # share of stamps that may stand between the steps: they are left out
Floats = NDArray[np.float64]


class Raw(msgspec.Struct):
    """A series as it stands in the file, row by row: stamps (or None), values and covariates."""

    id: str
    times: Times | None
    values: Floats
    known: dict[str, Floats]


class Track(msgspec.Struct):
    """One series at equal steps."""

    id: str
    first: float | None
    """The tick of the first value; None where there are no stamps."""
    values: Floats  # (n,)
    known: dict[str, Floats]  # (n or more,): covariates, of the future too where the file gives them
    origin: int = 0
    """The time of the first value: seconds since 1970, a count, or the number of its row."""
    ends: bool = False
    """Its stamps are on the last days of their months."""


def regular(raw: Raw, step: Step, counts: Counter[str], resample: str = "") -> Track:
    """One value a step: sorted, repeated stamps merged, gaps filled on a straight line, each counted.

    resample: "sum" or "mean" of the values that fall within a step, for stamps at uneven distances.
    Raises DataError where the stamps are not on the grid of the step, or most values are missing.
    """
    values, known, times = raw.values, raw.known, raw.times
    base = 0.0
    if times is None:
        ticks = np.arange(len(values))
    else:
        exact = step.ticks(times)
        base = float(exact.min() % 1) if len(exact) and not resample else 0.0  # the grid goes through the first stamp
        if resample and step.unit == "s" and step.size % clock.WEEK == 0:
            base = 4 * DAY / step.size % 1  # weeks begin on Mondays; 1970 began on a Thursday
        exact = exact - base
        if resample:
            exact = np.floor(exact)
        off = np.abs(exact - np.rint(exact)) > 1e-6
        if off.mean() > OFF_GRID:
            raise _uneven(raw.id, times, off, step)
        if off.any():
            counts["stamps between the steps, left out"] += int(off.sum())
        order = np.argsort(exact[~off], kind="stable")
        if (np.diff(order) < 0).any():
            counts["series whose rows were not in order of time, sorted"] += 1
        ticks = np.rint(exact[~off]).astype(np.int64)[order]
        values, known = values[~off][order], {k: v[~off][order] for k, v in known.items()}
        times = times[~off][order]
        if not resample:
            _count_repeated(ticks, values, counts)
        ticks, groups = np.unique(ticks, return_inverse=True)
        values = _merged(values, groups, total=resample == "sum")
        known = {k: _merged(v, groups) for k, v in known.items()}
        if resample:
            counts[f"rows brought to equal steps by their {resample}"] += len(order)
            rows = np.bincount(groups)
            if resample == "sum" and rows[-1] < 0.5 * np.median(rows):
                counts["series whose last step has less than half as many rows as usual; it may not be whole"] += 1
    real = np.flatnonzero(~np.isnan(values))
    if not len(real):
        raise DataError(f"series {quote(raw.id)}: expected numbers, received none.")
    low, high = int(ticks[real[0]]), int(ticks[real[-1]])
    span = high - low + 1
    if span > 2 * len(real) and not (resample == "sum" and span < 100 * len(real)):
        # Known before an array is made of them: from the year 1 it is 60 billion seconds.
        raise DataError(
            f"series {quote(raw.id)}: expected a value a step ({step or 'row'}), received {len(real):,} for {span:,} "
            "steps. Give the step that fits: --frequency day, month ..., with --resample mean or sum; or --frequency row, which "
            "takes rows one after the other, whatever lies between"
        )
    if holes := span - len(real):
        what = (
            "steps without a row, taken as 0"
            if resample == "sum"
            else "missing values, filled on a straight line between their neighbours"
        )
        counts[what] += holes
    whole = np.arange(low, high + 1)
    if resample == "sum":
        filled = np.zeros(span)
        filled[ticks[real] - low] = values[real]
    else:
        filled = np.interp(whole, ticks[real], values[real])
    covariates = {
        name: _covariate(raw.id, name, column, ticks, low, high, step, counts) for name, column in known.items()
    }
    if times is None:
        return Track(raw.id, None, filled, covariates, low)
    first = low + base
    origin = (
        int(times[np.searchsorted(np.rint(step.ticks(times) - base), low)]) if not resample else step.seconds(first)
    )
    ends = step.unit == "months" and clock.ends_of_months(times.astype("datetime64[s]")) and len(times) > 1
    return Track(raw.id, int(first) if first == int(first) else first, filled, covariates, origin, ends)


def _uneven(name: str, times: Times, off: NDArray[np.bool_], step: Step) -> DataError:
    at = int(np.flatnonzero(off)[0])
    when = str(int(times[at])) if step.unit == "count" else np.datetime64(int(times[at]), "s")
    return DataError(
        f"series {quote(name)}: expected a stamp every {step or 'step'}, received {off.sum():,} of {len(off):,} between "
        f"those, the first {when}. Give the step: --frequency 30min, day, month ..., or bring them to equal steps: "
        "--frequency day --resample mean (or sum); --frequency row takes them one after the other"
    )


def _count_repeated(ticks: NDArray[np.int64], values: Floats, counts: Counter[str]) -> None:
    twice = np.flatnonzero(np.diff(ticks) == 0)
    if not len(twice):
        return
    differ = int((values[twice] != values[twice + 1]).sum())
    if len(twice) > differ:
        counts["repeated stamps with the same value, one kept"] += len(twice) - differ
    if differ:
        counts["repeated stamps with different values, their mean kept"] += differ


def _covariate(
    series: str, name: str, column: Floats, ticks: NDArray[np.int64], low: int, high: int, step: Step, counts: Counter[str]
) -> Floats:  # fmt: skip
    """A covariate at each step from `low` on, of the future too as far as it is known."""
    there = np.flatnonzero(~np.isnan(column))
    if not len(there):
        raise DataError(f"series {quote(series)}: expected numbers in {quote(name)}, received none.")
    end = max(high, int(ticks[there[-1]]))
    if end - high > 1000 + 2 * len(column):
        raise DataError(
            f"series {quote(series)}: expected {quote(name)} a step ({step or 'row'}), received one {end - high:,} steps "
            "after the last value. Give the step that fits: --frequency day, month ..."
        )
    inside = int((ticks[there] >= low).sum())
    if inside < end - low + 1:
        counts[f"missing values of {name}, filled likewise"] += end - low + 1 - inside
    return np.asarray(np.interp(np.arange(low, end + 1), ticks[there], column[there]))


def _merged(values: Floats, groups: NDArray[np.int64], total: bool = False) -> Floats:
    """The mean of each group, or its total, missing values aside; NaN where all are missing."""
    there = ~np.isnan(values)
    sums = np.bincount(groups, np.where(there, values, 0.0))
    count = np.bincount(groups, there.astype(float))
    return np.asarray(np.where(count > 0, sums if total else sums / np.maximum(count, 1), np.nan))
