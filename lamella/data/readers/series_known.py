"""What is known of series beside their values, from a table of its own: a forecast of the weather, a calendar of holidays.

joined(raw, known, step)        the series with its covariates at its own stamps, and rows without a value for those after
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec
import numpy as np

from lamella.data.readers.clock import Step, Times
from lamella.data.readers.regular import Floats, Raw
from lamella.data.text.encoding import quote
from lamella.errors import DataError

FURTHEST = 1000  # steps after the last value that are kept: the longest horizon


class KnownTable(msgspec.Struct):
    """Covariates by their stamps."""

    file: str
    columns: dict[str, Floats]
    """Each (N,), of categories a column of ones and zeros for each."""
    times: Times  # (N,)
    keys: list[str] | None
    """Which series each row is about, as the series are named; None where all rows are about all."""

    def about(self, name: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """The places of the rows about a series, in order of time."""
        places = np.arange(len(self.times)) if self.keys is None else np.flatnonzero(np.array(self.keys) == name)
        return np.asarray(places[np.argsort(self.times[places], kind="stable")])


def joined(raw: Raw, known: KnownTable, step: Step, counts: Counter[str]) -> Raw:
    """A series with the covariates of a table: at its own stamps where it lacks them, and as rows without a value for stamps
    that it has not.

    Rows whose stamps are not on the series' steps are left out and counted, such as the hours of a day where a series has a
    value a day. Raises DataError for a series without stamps, and where no row is about it.
    """
    if raw.times is None:
        raise DataError(
            f"{known.file}: expected series with time stamps to put it beside, received {quote(raw.id)} without any. Choose: "
            "--columns time=NAME"
        )
    places = known.about(raw.id)
    exact = step.ticks(raw.times)
    ticks = step.ticks(known.times[places]) - exact.min() % 1
    on_grid = (np.abs(ticks - np.rint(ticks)) < 1e-6) & (ticks <= exact.max() + FURTHEST) & (ticks >= exact.min() - 1)
    if not on_grid.any():
        raise DataError(
            f"{known.file}: expected rows at the time of series {quote(raw.id)}, or after it, received none. Check its stamps"
        )
    if len(places) > on_grid.sum():
        counts[f"rows of {known.file} that are not at the time of a value, left out"] += int(
            len(places) - on_grid.sum()
        )
    places, ticks = places[on_grid], np.rint(ticks[on_grid]).astype(np.int64)
    own = {int(tick): at for at, tick in enumerate(np.rint(exact - exact.min() % 1).astype(np.int64))}
    new = np.array([tick not in own for tick in ticks])
    columns: dict[str, Floats] = {}
    for name in {**raw.known, **known.columns}:
        given = known.columns.get(name, _zeros(name, known.columns, len(known.times)))[places]
        column = raw.known.get(name, _zeros(name, raw.known, len(raw.values))).copy()
        for tick, value in zip(ticks, given, strict=True):
            at = own.get(int(tick))
            if at is not None and np.isnan(column[at]):
                column[at] = value
        columns[name] = np.concatenate([column, given[new]])
    times = np.concatenate([raw.times, known.times[places][new]])
    return Raw(raw.id, times, np.concatenate([raw.values, np.full(int(new.sum()), np.nan)]), columns)


def _zeros(name: str, others: Mapping[str, Floats], count: int) -> Floats:
    """A covariate that one of the tables has not: of a category that never comes there zeros, else unknown.

    >>> _zeros("w=rain", {"w=sun": np.ones(2)}, 2).tolist(), _zeros("w", {}, 1).tolist()
    ([0.0, 0.0], [nan])
    """
    column, mark, _ = name.partition("=")
    same = mark and any(other.startswith(f"{column}=") for other in others)
    return np.zeros(count) if same else np.full(count, np.nan)
