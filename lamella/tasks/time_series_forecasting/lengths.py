"""Which seasons a training can know, by how long its series are."""

from collections.abc import Sequence

from lamella.data.readers.series import SeriesSet
from lamella.tasks.time_series_forecasting.windows import LEAST


def least_past(seasons: Sequence[int]) -> int:
    """How many values of past a window has at least: two seasons."""
    return max(LEAST, 2 * seasons[0] if seasons[0] > 1 else 0)


def fitting(data: SeriesSet, seasons: list[int], horizon: int, fewest: int) -> tuple[list[int], list[str]]:
    """The seasons that a training can know: none where series are too short for `fewest` windows with two seasons before them,
    and long enough for windows without; and a line that says so."""

    def count(least: int) -> int:
        return sum(max(0, (len(track.values) - least) // horizon) for track in data.tracks)

    if seasons[0] == 1 or count(least_past(seasons)) >= fewest or count(LEAST) < fewest:
        return seasons, []
    shown = (
        f"note: seasons of {seasons[0]} steps are not learned, since these series are hardly longer than two of them"
    )
    return [1], [f"{shown}; --season {seasons[0]} asks for them"]
