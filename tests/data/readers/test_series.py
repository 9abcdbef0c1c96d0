"""Tables of series: wide and long, gaps, repeats, and what is wrong with them; time stamps; windows."""

from __future__ import annotations

import numpy as np
import pytest

from lamella.data.readers.clock import NONE, Step, calendar, find_step, parse_step, periods
from lamella.data.readers.series import read_series
from lamella.data.readers.stamps import read_stamps
from lamella.errors import DataError, UsageError
from lamella.tasks.time_series_forecasting.windows import are_windows, lags, past_of, windows


@pytest.fixture
def table(tmp_path):
    """table("a.csv", text) -> the path of a file with this text."""

    def write(text: str, name: str = "a.csv"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


def days(count: int, first: int = 1) -> list[str]:
    return [f"2020-01-{day:02}" for day in range(first, first + count)]


# --- formats


def test_wide(table):
    data = read_series(table("date,a,b\n" + "".join(f"{d},{i},{10 * i}\n" for i, d in enumerate(days(9)))))
    assert [t.id for t in data.tracks] == ["a", "b"] and data.step == Step(86400, "s")
    assert data.tracks[1].values.tolist() == [10.0 * i for i in range(9)]
    assert data.step.stamp(data.tracks[0].first) == "2020-01-01T00:00:00"


def test_long_is_the_same_as_wide_in_any_order(table):
    rows = [f"{name},{d},{i * k}\n" for name, k in (("a", 1), ("b", 10)) for i, d in enumerate(days(9))]
    long = read_series(table("unique_id,ds,y\n" + "".join(rows[::-1])))
    wide = read_series(table("date,a,b\n" + "".join(f"{d},{i},{10 * i}\n" for i, d in enumerate(days(9))), "b.csv"))
    assert [(t.id, t.first, t.values.tolist()) for t in long.tracks] == [
        (t.id, t.first, t.values.tolist()) for t in wide.tracks
    ]
    assert any("not in order" in note for note in long.notes)


def test_semicolons_decimal_commas_and_jsonl(table):
    assert read_series(table("datum;wert\n2020-01-01;1,5\n2020-01-02;2,5\n")).tracks[0].values.tolist() == [1.5, 2.5]
    rows = "".join(f'{{"time": "{d}", "v": {i}}}\n' for i, d in enumerate(days(4)))
    assert read_series(table(rows, "a.jsonl")).tracks[0].values.tolist() == [0, 1, 2, 3]


def test_without_stamps_or_header(table):
    data = read_series(table("1\n2\n4\n"))
    assert data.tracks[0].first is None and data.step == Step() and data.tracks[0].values.tolist() == [1, 2, 4]
    counted = read_series(table("index,v\n1,5\n2,6\n3,7\n", "b.csv"))
    assert [t.id for t in counted.tracks] == ["v"] and counted.step == Step(1, "count")


def test_chosen_columns_and_covariates_with_a_future(table):
    text = "when,load,warm,note\n" + "".join(f"{d},{i if i < 6 else ''},{i / 2},x\n" for i, d in enumerate(days(9)))
    data = read_series(table(text), {"time": "when", "value": "load"}, known=["warm"])
    (track,) = data.tracks
    assert track.values.tolist() == [0, 1, 2, 3, 4, 5] and track.known["warm"].tolist() == [i / 2 for i in range(9)]
    with pytest.raises(DataError, match=r'no column "cold".*--known'):
        read_series(table(text), known=["cold"])
    with pytest.raises(DataError, match="no column"):
        read_series(table(text), {"value": "lode"})
    with pytest.raises(UsageError, match="time, id or value"):
        read_series(table(text), {"label": "load"})


# --- repairs, each counted


def test_gaps_repeats_and_holes(table):
    stamps = [*days(3), *days(20, 5)]  # the fourth day is missing
    rows = [f"{d},{int(d[-2:])}\n" for d in stamps]
    rows[10] = rows[10].split(",")[0] + ",\n"  # an empty cell
    rows += [rows[2], "2020-01-20,22\n"]  # one row twice, one day with another value
    data = read_series(table("date,v\n" + "".join(rows)))
    wanted = [float(d) for d in range(1, 25)]
    wanted[19] = 21.0
    assert data.tracks[0].values.tolist() == wanted
    notes = " | ".join(data.notes)
    assert "missing values, filled on a straight line between their neighbours: 2" in notes
    assert "repeated stamps with the same value, one kept: 1" in notes
    assert "repeated stamps with different values, their mean kept: 1" in notes


def test_few_bad_cells_are_counted_and_many_are_an_error(table):
    rows = [f"{np.datetime64('2020-01-01') + i},{i}\n" for i in range(300)]
    rows[7], rows[9] = rows[7].split(",")[0] + ",seven\n", rows[9].split(",")[0] + ",inf\n"
    data = read_series(table("date,v\n" + "".join(rows)))
    assert data.tracks[0].values.tolist() == [float(i) for i in range(300)]
    assert [n for n in data.notes if "line 9" in n and '"seven"' in n] and [n for n in data.notes if '"inf"' in n]
    with pytest.raises(DataError, match="at most 10% bad rows, received 2 of 15") as caught:
        read_series(table("date,v\n" + "".join(rows[:15])))
    assert len(caught.value.details) == 2


def test_constant_and_short_series_are_said(table):
    data = read_series(table("date,a,b\n" + "".join(f"{d},5,{i}\n" for i, d in enumerate(days(9)))))
    assert any("never change: 1" in note and '"a"' in note for note in data.notes)
    found, short = windows(data, horizon=6, back=20, season=1, least=4)
    assert (found, short) == ([], 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty file"),
        ("date,v\n", "header only"),
        ("date,v\n2020-01-01,one\n2020-01-02,two\n", 'expected numbers in "v"'),
        ("date,v\n2020-01-01,\n2020-01-02,\n", 'expected numbers in "v"'),
        ("date\n2020-01-01\n2020-01-02\n", "column of values"),
        ("date,v\n03/04/2020,1\n04/05/2020,2\n", "day or month first"),
        (
            "date,v\n2020-01-01,1\n2020-01-02,2\n2020-01-02 07:13,3\n2020-01-03,4\n2020-01-04,1\n",
            "a stamp every 86400 s",
        ),
        ("id,time,a,b\nx,2020-01-01,1,2\ny,2020-01-01,1,2\n", "one column of values beside id and time"),
    ],
)
def test_what_cannot_be_read(table, text, message):
    with pytest.raises(DataError, match=message) as caught:
        read_series(table(text))
    assert "\n" not in str(caught.value)


def test_a_wrong_frequency(table):
    path = table("date,v\n" + "".join(f"{d},{i}\n" for i, d in enumerate(days(9))))
    with pytest.raises(UsageError, match="30min"):
        read_series(path, frequency="often")
    with pytest.raises(DataError, match="a value a step"):
        read_series(path, frequency="h")
    with pytest.raises(DataError, match="a stamp every 172800 s"):
        read_series(path, frequency="2d")
    assert read_series(path, frequency="day").step == Step(86400, "s")


# --- the clock


@pytest.mark.parametrize(
    ("cells", "step"),
    [
        (["2020-01-31", "2020-02-29", "2020-03-31", "2020-04-30"], Step(1, "months")),
        (["2020Q1", "2020Q2", "2020Q3"], Step(3, "months")),
        (["1999", "2000", "2001", "2002"], Step(12, "months")),
        (["2020-01-01 00:00", "2020-01-01 00:30", "2020-01-01 01:00"], Step(1800, "s")),
        (["2020-01-06", "2020-01-13", "2020-01-20"], Step(7 * 86400, "s")),
        (["31.12.2020", "01.01.2021", "02.01.2021"], Step(86400, "s")),
    ],
)
def test_steps_are_found(cells, step):
    assert find_step([read_stamps(cells).seconds]) == step
    assert parse_step(str(step)) == step


def test_stamps_agree_with_numpy():
    cells = ["2014-01-01T00:30:00Z", "2014-01-01 01:30+01:00", "2014/01/01 00:30", "nonsense"]
    assert read_stamps(cells).seconds.tolist() == [int(np.datetime64("2014-01-01T00:30", "s").astype(int))] * 3 + [NONE]


def test_calendar():
    week = calendar(Step(86400, "s"), 4, 14, ["week"])  # 1970-01-05 was a Monday
    assert np.allclose(week[:7], week[7:]) and week[0, 0] == pytest.approx(0, abs=1e-12) and week[0, 1] == 1
    assert periods(Step(3600, "s"), 24 * 20) == ["day", "week"] and periods(Step(1, "months"), 60) == ["year"]
    assert not calendar(Step(86400, "s"), None, 3, ["week"]).any()


# --- windows


def test_windows_do_not_overlap_and_end_with_the_series(table):
    data = read_series(table("date,v\n" + "".join(f"{d},{i * i}\n" for i, d in enumerate(days(25)))))
    found, _ = windows(data, horizon=4, back=10, season=1, least=4)
    values = [i * i for i in range(25)]
    assert [e["future"] for e in found] == [values[end : end + 4] for end in range(5, 22, 4)]
    assert found[-1]["past"] == values[11:21] and found[0]["past"] == values[:5]
    assert found[0]["scale"] == np.abs(np.diff(values[:5])).mean()
    ahead = past_of(data, data.tracks[0], 25, 10, 4)
    assert ahead["past"] == values[15:] and "future" not in ahead


def test_lags_stand_at_the_same_place_in_the_season():
    found = lags(30, 9, [6])
    for h in range(9):
        assert all((30 + h - at) % 6 == 0 and 0 <= at < 30 for at in found[h])


def test_tables_of_windows_are_told_from_tables_of_series(table):
    assert are_windows(table("past,future\n1 2 3,4\n"), None) and not are_windows(
        table("date,v\n2020,1\n", "b.csv"), None
    )
    assert are_windows(table("1 2 3\t4\n", "c.tsv"), {"past": "1", "future": "2"})
