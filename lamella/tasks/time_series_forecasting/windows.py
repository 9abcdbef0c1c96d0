"""Series -> windows of past and future, and the arrays that a forecaster reads.

A window's past is scaled by itself: what a net learns of one series then serves for every other, whatever its unit.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.data.readers import clock
from lamella.data.readers.answer_table import table_like
from lamella.data.readers.numbers import number_list
from lamella.data.readers.records import fold, read_sheet
from lamella.data.readers.series import Floats, SeriesSet, Track
from lamella.data.readers.stamps import NONE, Style, read_stamps
from lamella.data.readers.tables import read_table
from lamella.data.text.encoding import StrPath
from lamella.errors import DataError

LEAST = 4  # values of a past


def windows(data: SeriesSet, horizon: int, back: int, season: int, least: int) -> tuple[list[dict[str, Any]], int]:
    """Series -> examples whose futures follow each other without overlap, the latest at the end of its series; and how
    many series are too short for one. back: values of past an example holds at most; least: at least."""
    found: list[dict[str, Any]] = []
    short = 0
    for track in data.tracks:
        ends = range(len(track.values) - horizon, least - 1, -horizon)
        short += not ends
        for end in reversed(ends):
            example = past_of(data, track, end, back, horizon)
            example["future"] = track.values[end : end + horizon].tolist()
            example["scale"] = naive_error(track.values[:end], season)
            found.append(example)
    return found, short


def too_short(paths: Sequence[StrPath], data: SeriesSet, least: int, horizon: int) -> DataError:
    """What is said where no series is long enough for one window."""
    return DataError(
        f"{', '.join(map(str, paths))}: expected series of {least + horizon} values or more ({least} of past and the "
        f"horizon, {horizon}), received {max(len(t.values) for t in data.tracks)} at most. Give longer ones, or a "
        "shorter --horizon."
    )


def pasts(data: SeriesSet, context: int, horizon: int) -> list[dict[str, Any]]:
    """Of each series what is known at its end: of so many steps of past, and of a horizon."""
    return [past_of(data, track, len(track.values), context, horizon) for track in data.tracks]


def past_of(data: SeriesSet, track: Track, end: int, back: int, horizon: int) -> dict[str, Any]:
    """What is known when `end` values of a series have been seen: an example without its future."""
    start = max(0, end - back)
    example: dict[str, Any] = {"past": track.values[start:end].tolist(), "id": track.id}
    if track.first is not None:
        example |= {"tick": track.first + start, "step": str(data.step)}
    else:
        example["number"] = start
    if track.known:
        example["known"] = {k: v[start : end + horizon].tolist() for k, v in track.known.items()}
    return example


def steps_wanted(example: Mapping[str, Any], horizon: int) -> list[str]:
    """Of which steps of which series an example asks for the values: two examples that share one are not apart.

    >>> steps_wanted({"id": "a", "number": 3, "past": [1.0, 2.0]}, 2)
    ['a at 5', 'a at 6']
    """
    begin = math.floor(example["tick" if "tick" in example else "number"]) + len(example["past"])
    return [f"{example['id']} at {at}" for at in range(begin, begin + horizon)]


def latest(names: Sequence[str], wanted: int, seed: int) -> list[int] | None:
    """Places of windows, given the names of their series: the last one of each series, then those before, by chance.

    None where no series has two.

    >>> latest(["a", "a", "b", "b"], 2, seed=0)
    [1, 3]
    """
    later: dict[str, int] = {}
    ranks = []
    for at in range(len(names) - 1, -1, -1):
        later[names[at]] = later.get(names[at], -1) + 1
        ranks.append((later[names[at]], np.random.default_rng((seed, at)).random(), at))
    # Where there are many series, the last windows of all: those trained on share their years with no interval.
    # Ten say how far intervals must be stretched, where there are so many to spare; two are the least that differ.
    wanted = max(wanted, min(len(later), len(names) // 4), min(10, len(names) // 8), min(2, len(names) // 3))
    return sorted(at for _, _, at in sorted(ranks)[:wanted]) if any(r > 0 for r, _, _ in ranks) else None


def scale_of(example: Mapping[str, Any], season: int) -> float:
    """The unit of MASE for a window: as it was measured on its series, or on what the window holds of the past."""
    return float(example["scale"]) if "scale" in example else naive_error(numbers(example["past"]), season)


def naive_error(values: Floats, season: int) -> float:
    """The mean error of the seasonal-naive forecast one step ahead within these values: the unit of MASE.

    >>> naive_error(np.array([1.0, 2.0, 4.0]), 1), naive_error(np.array([1.0, 2.0]), 12)
    (1.5, 1.0)
    """
    season = season if len(values) > season else 1
    return float(np.abs(values[season:] - values[:-season]).mean()) if len(values) > season else 0.0


def are_windows(path: StrPath, columns: Mapping[str, str] | None) -> bool:
    """Whether a table's rows are windows, with a column named past, and not one value a series."""
    if columns:
        return "past" in columns
    sheet = read_sheet(path, 1, {"past"})
    first = sheet.keys or [str(c) for c in (sheet.rows[0][1] if sheet.rows else ())]
    return "past" in map(fold, first)


def read_windows(paths: Sequence[str], columns: Mapping[str, str] | None) -> tuple[list[dict[str, Any]], list[str]]:
    """Tables whose rows are windows -> examples, and what was understood."""
    table = read_table(list(paths), {"past": ("past",), "future": ("future",)}, columns)
    return [{k: numbers(v).tolist() for k, v in row.items()} for row in table.rows], table.report.lines()


def numbers(value: Any) -> Floats:
    """A list of numbers, or a text with spaces or commas between them, as an array.

    >>> numbers("1 2.5, 3").tolist()
    [1.0, 2.5, 3.0]
    """
    try:
        found = np.array(number_list(value) if isinstance(value, str) else value, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise DataError(f"expected numbers with spaces between them, received {str(value)[:80]!r}.") from error
    if found.ndim != 1 or not np.isfinite(found).all():
        raise DataError(f"expected finite numbers with spaces between them, received {str(value)[:80]!r}.")
    return found


def rescale(past: Floats, season: int) -> tuple[float, float]:
    """The centre and the unit of a window; `lamella.nets.forecast.rescale` is the same in the net.

    >>> rescale(np.array([2.0, 4.0, 8.0]), 1), rescale(np.array([2.0, 4.0, 8.0, 2.0]), 2)
    ((8.0, 3.0), (4.0, 2.4494))
    """
    if season == 1:
        return float(past[-1]), float(np.abs(np.diff(past)).mean()) if len(past) > 1 else 0.0
    return float(past.mean()), float(past.std())


def padded(values: NDArray[Any], length: int, fill: float | None = 0.0) -> NDArray[np.float32]:
    """The last `length` rows, or these with padding in front: a number, or the first value where `fill` is None.

    >>> padded(np.array([1.0, 2.0]), 3).tolist(), padded(np.array([1.0, 2.0]), 3, None).tolist()
    ([0.0, 1.0, 2.0], [1.0, 1.0, 2.0])
    """
    values = values[max(0, len(values) - length) :]
    out = np.empty((length, *values.shape[1:]), np.float32)
    out[: length - len(values)] = values[0] if fill is None else fill
    out[length - len(values) :] = values
    return out


def spread(parts: Iterable[Any]) -> list[float]:
    """Mean and standard deviation of all these numbers; 1 where they are all the same.

    >>> spread([[1.0, 3.0], [2.0, 4.0]]), spread([[5.0]])
    ([2.5, 1.118], [5.0, 1.0])
    """
    every = np.concatenate([np.asarray(part) for part in parts])
    return [float(every.mean()), float(every.std()) or 1.0]


def lags(context: int, horizon: int, seasons: Sequence[int]) -> NDArray[np.int64]:
    """For each step ahead, which steps of the past stand at the same place in a season, (horizon, L), the latest first.

    >>> lags(8, 3, [4]).tolist(), lags(8, 2, [1]).tolist()
    ([[4, 0], [5, 1], [6, 2]], [[7, 6, 5, 4, 3, 2], [7, 6, 5, 4, 3, 2]])
    """
    ahead = np.arange(horizon)
    columns = []
    for season, most in ((seasons[0], 7), *((s, 3) for s in seasons[1:])):
        if season == 1:
            columns += [np.full(horizon, context - k) for k in range(1, min(6, context) + 1)]
            continue
        latest = context + ahead - season * (ahead // season + 1)
        columns += [latest - season * k for k in range(most) if (latest - season * k).min() >= 0]
    columns = columns or [np.full(horizon, context - 1)]
    return np.stack(list({c.tobytes(): c for c in columns}.values()), axis=1).astype(np.int64)


def plain(values: Floats, unit: float) -> list[Any]:
    """Numbers as people read them, in lists as deep as the array: digits below a ten-thousandth of the unit are noise.

    >>> plain(np.array([12.3456789, -0.00000001]), 3.0)
    [12.3457, 0.0]
    """
    digits = 4 - math.floor(math.log10(unit)) if unit > 0 else 12
    numbers: list[Any] = (np.round(values, digits).astype(np.float64) + 0.0).tolist()
    return numbers


def look_back(seasons: Sequence[int], horizon: int, wanted: int = 0) -> int:
    """How many steps of past are read: two of the longest seasons or four horizons, in whole patches.

    >>> look_back([48, 336], horizon=48), look_back([1], horizon=6), look_back([12], horizon=12)
    (672, 24, 48)
    """
    patch = patch_of(seasons)
    return -(-(wanted or max(24, 2 * seasons[-1], min(4 * horizon, 400))) // patch) * patch


def patch_of(seasons: Sequence[int]) -> int:
    """Steps that are read as one: half a season."""
    return seasons[0] // 2 if seasons[0] >= 4 else 2


def features(
    example: Mapping[str, Any],
    length: int,
    step: clock.Step,
    periods: Sequence[str],
    known: Mapping[str, Sequence[float]],
    style: Style | None = None,
) -> NDArray[np.float64]:
    """What is known of `length` steps of past and future: that they are real, the calendar, covariates; (T + H, K).

    known: each covariate's mean and spread; style: how the stamps of training were written.
    """
    columns = [np.ones((length, 1)), clock.calendar(step, _start(example, step, style), length, periods)]
    given = example.get("known")  # of files; else each has a field of its own
    for name, (mean, spread) in known.items():
        values = _covariate(given if isinstance(given, Mapping) else example, name)
        if len(values) < length:
            raise DataError(
                f"expected {name} for {length} steps, past and future, received {len(values)}. Add rows with {name} and no "
                f"value after the last one, or give them in a table: --known-from FILE; it was trained with --known {','.join(known)}."
            )
        columns.append((values[:length, None] - mean) / spread)
    return np.concatenate(columns, axis=1)


def _covariate(given: Mapping[str, Any], name: str) -> Floats:
    """The values of a covariate; `weather=rain` is 1 where `weather` is "rain". A category that training has not seen is
    none of those that it has, as where a file is read."""
    column, _, category = name.partition("=")
    if name in given or not category:
        return numbers(given.get(name, ()))
    return np.array([float(step == category) for step in given.get(column, ())])


def named_steps(column: str, names: Sequence[str], known: Mapping[str, Sequence[float]]) -> list[str]:
    """The categories of a known column, from the ones and zeros of each; "" where it is none of them.

    >>> named_steps("w", ["rain", "sun"], {"w=rain": [1.0, 0.0, 0.0], "w=sun": [0.0, 1.0, 0.0]})
    ['rain', 'sun', '']
    """
    columns = [known[f"{column}={name}"] for name in names]
    return [next((n for n, v in zip(names, step, strict=True) if v), "") for step in zip(*columns, strict=True)]


def _start(example: Mapping[str, Any], step: clock.Step, style: Style | None = None) -> float | None:
    """The tick of the first value, given as such (files are) or as a time, as training accepted it; None where it is not
    said."""
    if "tick" in example:
        return float(example["tick"])
    given = example.get("start", "")
    if given is None or not str(given).strip():
        return None
    text = str(given).strip()
    wanted = isinstance(given, str | int | float) and not isinstance(given, bool) and len(text) < 60
    read = read_stamps([text], "date", known=style) if wanted else None
    if read is not None and read.seconds[0] == NONE and style:  # ISO is understood whatever training had
        read = read_stamps([text], "date")
    clocks, other = ("clock", "elapsed"), False
    if read is not None and style is not None:  # an hour, or a count, among dates
        other = (read.style.kind in clocks) != (style.kind in clocks) or (read.style.kind, style.kind) == (
            "count",
            "date",
        )
    if read is None or other or read.ambiguous or read.seconds[0] == NONE:
        shown = style.sample if style and style.sample else step.stamp(0)
        raise DataError(f"start: expected a time such as {shown}, as in training, received {text[:40]!r}.")
    return float(step.ticks(read.seconds)[0])


def wanted(example: Mapping[str, Any], horizon: int) -> Floats:
    """The values that follow the past; DataError where they are not as many as the horizon has steps."""
    found = numbers(example["future"])
    if len(found) != horizon:
        raise DataError(f"expected {horizon} values in future (--horizon), received {len(found)}.")
    return found


def naive(example: Mapping[str, Any], horizon: int, season: int, intervals: Iterable[str]) -> dict[str, Any]:
    """An answer that repeats the last season, or the last value where the past is shorter than one.

    >>> naive({"past": [1.0, 2.0, 3.0]}, 3, 2, ["80%"])
    {'median': [2.0, 3.0, 2.0], '80%': [[2.0, 2.0], [3.0, 3.0], [2.0, 2.0]]}
    """
    past = numbers(example["past"])
    last = past[-season:] if len(past) >= season else past[-1:]
    steps = [float(x) for x in np.resize(last, horizon)]
    return {"median": steps, **{name: [[x, x] for x in steps] for name in intervals}}


def quantiles(found: Mapping[str, Any], names: Iterable[str]) -> Floats:
    """An answer -> its quantiles (Q, H): the median, then the lower and the upper end of each interval."""
    return np.array([found["median"], *(end for name in names for end in zip(*found[name], strict=True))])


def forecast_table(data: SeriesSet, answers: Sequence[Mapping[str, Any]], path: Path) -> tuple[bytes, dict[str, int]]:
    """Series and their forecasts -> a table with a row for each step ahead, written like the one at `path`, and counts."""
    rows = []
    for track, answer in zip(data.tracks, answers, strict=True):
        for h, middle in enumerate(answer["median"]):
            row = {"id": track.id, "time": data.stamp(track, len(track.values) + h), "median": middle}
            for name in answer:
                if name != "median":
                    row |= {f"{name} low": answer[name][h][0], f"{name} high": answer[name][h][1]}
            rows.append(row)
    counts = {"series": len(data.tracks), "rows": len(rows)}
    return table_like(path, rows, data.decimal), counts


@dataclass(frozen=True)
class Frame:
    """How a model sees a series: so many steps of past and of future, their seasons and calendar, the covariates.

    known: of each covariate its mean and spread; style: how the stamps of training were written.
    """

    context: int
    horizon: int
    seasons: Sequence[int]
    step: clock.Step
    periods: Sequence[str]
    known: Mapping[str, Sequence[float]]
    style: Style | None = None

    @property
    def patch(self) -> int:
        return patch_of(self.seasons)

    @property
    def lags(self) -> NDArray[np.int64]:
        return lags(self.context, self.horizon, self.seasons)

    @property
    def features(self) -> int:
        """How many numbers are known of each step."""
        return 1 + int(clock.calendar(self.step, 0, 1, self.periods).shape[1]) + len(self.known)

    def read(self, example: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """The past (C,), what is known of past and future (C + H, K), and the centre and the unit of the scale (2,)."""
        values, known, centre, unit = self._scaled(example)
        return {
            "past": padded(values, self.context, None),
            "known": padded(known, self.context + self.horizon),
            "unit": np.array([centre, unit]),
        }

    def earlier(self, example: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """A horizon of steps before the past, and the values wanted after it, on the same scale."""
        values, known, centre, unit = self._scaled(example)
        return {
            "earlier": padded(values[: max(0, len(values) - self.context)], self.horizon, float(values[0])),
            "earlier_known": padded(known[: -self.context - self.horizon], self.horizon),
            "wanted": ((numbers(example["future"]) - centre) / (unit or 1.0)).astype(np.float32),
        }

    def patches(self, past: NDArray[Any], known: NDArray[Any]) -> NDArray[Any]:
        """Of a batch the past (B, C), with what is known of it, patch by patch: (B, C / P, P (1 + K))."""
        both = np.concatenate([past[:, :, None], known[:, : self.context]], axis=2)  # (B, C, 1 + K)
        return both.reshape(len(both), self.context // self.patch, -1)

    def _scaled(self, example: Mapping[str, Any]) -> tuple[Floats, Floats, float, float]:
        """All of the past, scaled by what is read of it, what is known of past and future, the centre and the unit."""
        past = numbers(example["past"])
        if len(past) < LEAST:
            raise DataError(f"expected {LEAST} values or more, received {len(past)}. Give a longer past.")
        centre, unit = rescale(past[-self.context :], self.seasons[0])
        known = features(example, len(past) + self.horizon, self.step, self.periods, self.known, self.style)
        return (past - centre) / (unit or 1.0), known, centre, unit
