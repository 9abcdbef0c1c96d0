"""Stamps without a whole date: hours alone, Day 7, 19-Dec; and spans of time as numbers."""

from __future__ import annotations

import numpy as np
import pytest

from lamella.data.readers.clock import Step
from lamella.data.readers.numbers import read_numbers
from lamella.data.readers.series import Options, read_series
from lamella.data.readers.stamps import read_stamps
from lamella.errors import DataError


def series(tmp_path, stamps, header="time;v", **options):
    rows = "".join(f"{stamp};{i % 7 + 1}\n" for i, stamp in enumerate(stamps))
    (tmp_path / "a.csv").write_text(f"{header}\n{rows}")
    return read_series(tmp_path / "a.csv", options=Options(**options))


def ahead(data, count=2):
    [track] = data.tracks
    return [data.stamp(track, len(track.values) + k) for k in range(count)]


@pytest.mark.parametrize(
    ("stamps", "step", "wanted"),
    [
        (["22:30", "23:00", "23:30", "00:00", "00:30"], Step(1800, "s"), ["01:00", "01:30"]),
        (["23:00", "23:20", "23:40"], Step(1200, "s"), ["00:00", "00:20"]),
        (["01:30:00", "01:30:05", "01:30:10"], Step(5, "s"), ["01:30:15", "01:30:20"]),
        (["11:30 AM", "11:45 AM", "12:00 PM"], Step(900, "s"), ["12:15 PM", "12:30 PM"]),
        (["9:50", "9:55", "10:00"], Step(300, "s"), ["10:05", "10:10"]),
        (["23:59:00", "24:00:00", "24:01:00"], Step(60, "s"), ["24:02:00", "24:03:00"]),
        (["0 days 23:00:00", "1 days 00:00:00", "1 days 01:00:00"], Step(3600, "s"), ["1 days 02:00:00", "1 days 03:00:00"]),
        (["Day 8", "Day 9", "Day 10"], Step(1, "count"), ["Day 11", "Day 12"]),
        (["t_008", "t_010", "t_012"], Step(2, "count"), ["t_014", "t_016"]),
        (["19-Dec", "20-Jan", "20-Feb"], Step(1, "months"), ["20-Mar", "20-Apr"]),
        (["Dec-19", "Jan-20", "Feb-20"], Step(1, "months"), ["Mar-20", "Apr-20"]),
        (["Dec-97", "Dec-98", "Dec-99"], Step(12, "months"), ["Dec-00", "Dec-01"]),
    ],
)  # fmt: skip
def test_stamps_without_a_date_go_on_from_the_last_one(tmp_path, stamps, step, wanted):
    data = series(tmp_path, stamps)
    assert data.step == step and ahead(data) == wanted
    # One stamp by itself is read as those of training, as a request gives the start.
    alone = read_stamps([stamps[-1]], known=data.style).seconds[0]
    assert alone % 86_400 == read_stamps(stamps, known=data.style).seconds[-1] % 86_400


@pytest.mark.parametrize("stamps", [["19-Dec", "20-Dec", "21-Dec"], ["Dec-29", "Dec-30", "Dec-31", "Jan-1"]])
def test_days_without_a_year_are_asked_about(tmp_path, stamps):
    with pytest.raises(DataError, match="may be a day without a year") as error:
        series(tmp_path, stamps)
    assert ("%d-%b" if stamps[0][0].isdigit() else "%b-%d") in str(error.value)


def test_days_without_a_year_by_a_format_go_on_over_new_year(tmp_path):
    data = series(tmp_path, ["30-Dec", "31-Dec", "01-Jan"], date_format="%d-%b")
    assert data.step == Step(86_400, "s") and ahead(data) == ["02-Jan", "03-Jan"]
    data = series(tmp_path, ["November", "December", "January"], date_format="%B")
    assert data.step == Step(1, "months") and ahead(data) == ["February", "March"]


def test_hours_of_several_series_begin_again_by_themselves(tmp_path):
    rows = [f"{name};{hour}:00;{hour}" for name in "ab" for hour in (22, 23, 0, 1)]
    (tmp_path / "a.csv").write_text("\n".join(["id;time;v", *rows]))
    data = read_series(tmp_path / "a.csv")
    assert [len(track.values) for track in data.tracks] == [4, 4] and data.step == Step(3600, "s")


def test_an_unnamed_first_column_of_hours_is_the_time(tmp_path):
    data = series(tmp_path, ["9:50", "9:55", "10:00", "10:05"], "uhr;v")
    assert len(data.tracks) == 1 and ahead(data) == ["10:10", "10:15"]


def test_a_column_of_hours_beside_values_is_no_series(tmp_path):
    rows = "".join(f"2020-01-{n:02};{n % 9}:30;{n}\n" for n in range(1, 20))
    (tmp_path / "a.csv").write_text("date;opens;sold\n" + rows)
    data = read_series(tmp_path / "a.csv")
    assert [track.id for track in data.tracks] == ["sold"] and any("holds hours" in note for note in data.notes)


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        (["1:30", "2:05", ""], [90, 125, np.nan]),
        (["59:30", "1:00:05"], [3570, 3605]),
        (["0:12.5", "-0:30"], [12.5, -30]),
        (["1h 30m", "2h 5m"], [5400, 7500]),
        (["PT1H30M", "PT45S"], [5400, 45]),
        (["0 days 01:00:00", "2 days 00:00:01"], [3600, 172_801]),
    ],
)
def test_spans_of_time_are_numbers(cells, wanted):
    found = read_numbers(cells)
    assert not found.bad and found.marks and np.array_equal(found.values, wanted, equal_nan=True)


def test_other_columns_are_no_spans():
    assert read_numbers(["5", "7", "1:30"]).bad == [2]
    assert read_numbers(["a", "1:30", "b"]).bad == [0, 1, 2]
    assert read_numbers(["2 s", "3 s"]).values.tolist() == [2, 3]


def test_hours_are_no_stamps_of_a_column_of_dates():
    dates = read_stamps(["2021-01-01", "2021-01-02"]).style
    assert (read_stamps(["10:30"], known=dates).seconds < 0).all()


def test_stamps_with_offsets_follow_a_training_without_them():
    plain = read_stamps(["2021-03-27 00:00", "2021-03-28 00:00"]).style
    cells = ["2021-03-27 00:00+01:00", "2021-03-28 00:00+01:00", "2021-03-29 00:00+02:00", "2021-03-30 00:00+02:00"]
    assert np.diff(read_stamps(cells, known=plain).seconds).tolist() == [86_400] * 3
    apart = read_stamps(["2021-01-01T00:00+00:00", "2021-01-01T01:00+00:00"]).style
    hours = ["2021-03-28T01:00+01:00", "2021-03-28T03:00+02:00", "2021-03-28T04:00+02:00"]
    assert np.diff(read_stamps(hours, known=apart).seconds).tolist() == [3600] * 2
