"""Time stamps go on from the last one by the step found, written as they came; and which columns are the time."""

from __future__ import annotations

import numpy as np
import pytest

from lamella.data.readers.clock import NONE, Step
from lamella.data.readers.series import Options, read_series
from lamella.data.readers.stamps import read_stamps
from lamella.errors import DataError, UsageError


def series(tmp_path, stamps, header="date", **options):
    rows = "".join(f"{stamp};{i % 7 + 1}\n" for i, stamp in enumerate(stamps))
    (tmp_path / "a.csv").write_text(f"{header};v\n{rows}")
    return read_series(tmp_path / "a.csv", options=Options(**options))


def ahead(data, count=2):
    [track] = data.tracks
    return [data.stamp(track, len(track.values) + k) for k in range(count)]


@pytest.mark.parametrize(
    ("stamps", "step", "wanted"),
    [
        # weeks that begin on a Wednesday; a Sunday
        (["2020-01-01", "2020-01-08", "2020-01-15"], Step(604800, "s"), ["2020-01-22", "2020-01-29"]),
        (["2020-01-05", "2020-01-12", "2020-01-19"], Step(604800, "s"), ["2020-01-26", "2020-02-02"]),
        # ends of months, days of months, quarters from February, years
        (["2019-11-30", "2019-12-31", "2020-01-31"], Step(1, "months"), ["2020-02-29", "2020-03-31"]),
        (["2020-01-15", "2020-02-15", "2020-03-15"], Step(1, "months"), ["2020-04-15", "2020-05-15"]),
        (["2020-02-01", "2020-05-01", "2020-08-01"], Step(3, "months"), ["2020-11-01", "2021-02-01"]),
        (["2019-12-31", "2020-03-31", "2020-06-30"], Step(3, "months"), ["2020-09-30", "2020-12-31"]),
        (["Q3 2019", "Q4 2019", "Q1 2020"], Step(3, "months"), ["Q2 2020", "Q3 2020"]),
        (["Nov 1974", "Dec 1974", "Jan 1975"], Step(1, "months"), ["Feb 1975", "Mar 1975"]),
        (["2018", "2019", "2020"], Step(12, "months"), ["2021", "2022"]),
        # a quarter past six; four minutes past
        (["2020-01-01 06:15", "2020-01-02 06:15", "2020-01-03 06:15"], Step(86400, "s"), ["2020-01-04 06:15", "2020-01-05 06:15"]),
        (["2020-01-01 22:04", "2020-01-01 23:04", "2020-01-02 00:04"], Step(3600, "s"), ["2020-01-02 01:04", "2020-01-02 02:04"]),
        # numbers
        (["9", "3", "6", "12"], Step(3, "count"), ["15", "18"]),
        (["1577836800", "1577840400", "1577844000"], Step(3600, "s"), ["1577847600", "1577851200"]),
        (["1577836800000", "1577840400000", "1577844000000"], Step(3600, "s"), ["1577847600000", "1577851200000"]),
        (["1577836800040", "1577836800080", "1577836800120"], Step(40, "count"), ["1577836800160", "1577836800200"]),
        (["201911", "201912", "202001"], Step(1, "months"), ["202002", "202003"]),
        (["20200228", "20200229", "20200301"], Step(86400, "s"), ["20200302", "20200303"]),
        (["43831", "43832", "43833"], Step(86400, "s"), ["43834", "43835"]),
        (["43831.25", "43831.5", "43831.75"], Step(21600, "s"), ["43832", "43832.25"]),
        # business days: no weekend is invented, a holiday is a gap
        (
            ["2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07", "2020-01-09", "2020-01-10"],
            Step(1, "business days"), ["2020-01-13", "2020-01-14"],
        ),
        # offsets over a change to daylight saving: by the hour, and by days at midnight
        (
            ["2020-03-29T00:00+01:00", "2020-03-29T01:00+01:00", "2020-03-29T03:00+02:00", "2020-03-29T04:00+02:00"],
            Step(3600, "s"), ["2020-03-29T05:00+02:00", "2020-03-29T06:00+02:00"],
        ),
        (
            ["2020-03-27T00:00+01:00", "2020-03-28T00:00+01:00", "2020-03-29T00:00+01:00", "2020-03-30T00:00+02:00", "2020-03-31T00:00+02:00"],
            Step(86400, "s"), ["2020-04-01T00:00+02:00", "2020-04-02T00:00+02:00"],
        ),
        # as people write them
        (["30-12-1981", "31-12-1981", "01-01-1982"], Step(86400, "s"), ["02-01-1982", "03-01-1982"]),
        (["1/30/20", "1/31/20", "2/1/20"], Step(86400, "s"), ["2/2/20", "2/3/20"]),
        (["2020-1-5", "2020-1-6", "2020-1-7"], Step(86400, "s"), ["2020-1-8", "2020-1-9"]),
        (["1/5/2020 11:00 PM", "1/13/2020 11:00 PM", "1/21/2020 11:00 PM"], Step(8 * 86400, "s"), ["1/29/2020 11:00 PM", "2/6/2020 11:00 PM"]),
        (["2020-01-01 00:00 UTC", "2020-01-01 01:00 UTC"], Step(3600, "s"), ["2020-01-01 02:00 UTC", "2020-01-01 03:00 UTC"]),
        (["Fri, 03 Jan 2020", "Sat, 04 Jan 2020", "Sun, 05 Jan 2020"], Step(86400, "s"), ["Mon, 06 Jan 2020", "Tue, 07 Jan 2020"]),
    ],
)  # fmt: skip
def test_stamps_go_on_from_the_last_one(tmp_path, stamps, step, wanted):
    data = series(tmp_path, stamps)
    assert data.step == step and ahead(data) == wanted
    first = min(stamps, key=lambda stamp: (len(stamp), stamp) if stamp.isdigit() else (0, ""))
    assert data.stamp(data.tracks[0], 0) == first or "+01:00" in first, "written like the last one, its offset too"


def test_day_and_month(tmp_path):
    stamps = ["01-04-1982", "02-04-1982", "03-04-1982"]
    with pytest.raises(DataError, match=r'"01-04-1982" may be day or month first.*--day-first'):
        series(tmp_path, stamps)
    assert ahead(series(tmp_path, stamps, day_first=True), 1) == ["04-04-1982"]
    assert series(tmp_path, stamps, day_first=False).step == Step(1, "months")
    assert ahead(series(tmp_path, stamps, date_format="%d-%m-%Y"), 1) == ["04-04-1982"]
    for odd in ("%d-%d-%Y", "%d-%Q-%Y", "%"):  # a part twice, one that there is not, half of one
        with pytest.raises(DataError):
            series(tmp_path, stamps, date_format=odd)


def test_resample(tmp_path):
    stamps = ["2020-01-01 06:11", "2020-01-01 17:02", "2020-01-02 03:30", "2020-01-04 12:00", "2020-01-04 12:01"]
    with pytest.raises(DataError, match="--resample mean"):
        series(tmp_path, [*stamps, "2020-01-05 01:07"])
    with pytest.raises(UsageError, match="--frequency"):
        series(tmp_path, stamps, resample="sum")
    total = series(tmp_path, stamps, frequency="day", resample="sum")
    assert total.tracks[0].values.tolist() == [3, 3, 0, 9] and ahead(total, 1) == ["2020-01-05 00:00"]
    assert series(tmp_path, stamps, frequency="day", resample="mean").tracks[0].values.tolist() == [1.5, 3, 3.75, 4.5]


@pytest.mark.parametrize(
    ("text", "ids", "step", "first"),
    [
        ("Year,Month,v\n2019,11,1\n2019,12,2\n2020,1,3\n", ["v"], Step(1, "months"), "2019-11"),
        ("month,year,v\nNov,2019,1\nDec,2019,2\nJan,2020,3\n", ["v"], Step(1, "months"), "Nov 2019"),
        ("year,month,day,a,b\n2020,2,28,1,2\n2020,2,29,2,3\n2020,3,1,3,4\n", ["a", "b"], Step(86400, "s"), "2020-02-28"),
        ("Year,Quarter,v\n2019,Q3,1\n2019,Q4,2\n2020,Q1,3\n", ["v"], Step(3, "months"), "2019Q3"),
        ("Date,Time,v\n2020-01-01,22:00,1\n2020-01-01,23:00,2\n2020-01-02,00:00,3\n", ["v"], Step(3600, "s"), "2020-01-01 22:00"),
        ("date,hour,v\n2020-01-01,22,1\n2020-01-01,23,2\n2020-01-02,0,3\n", ["v"], Step(3600, "s"), "2020-01-01 22:00"),
        ("date,store,item,sales\n2020-01-01,1,1,5\n2020-01-02,1,1,6\n2020-01-01,1,2,7\n2020-01-02,1,2,8\n", ["1 | 1", "1 | 2"], Step(86400, "s"), "2020-01-01"),
        (",date,v\n" + "".join(f"{i},2020-01-{i + 1:02},{i * i}\n" for i in range(12)), ["v"], Step(86400, "s"), "2020-01-01"),
        ("id,date,v\n" + "".join(f"{i},2020-01-{i + 1:02},{i * i}\n" for i in range(12)), ["v"], Step(86400, "s"), "2020-01-01"),
        ("country,2018,2019,2020\nChad,1,2,3\nMali,4,5,6\n", ["Chad", "Mali"], Step(12, "months"), "2018"),
        ("date,city,v\n2020-01-01,Rome,1\n2020-01-02,Rome,2\n2020-01-03,Oslo,3\n", ["v"], Step(86400, "s"), "2020-01-01"),
    ],
)  # fmt: skip
def test_which_column_is_what(tmp_path, text, ids, step, first):
    (tmp_path / "a.csv").write_text(text)
    data = read_series(tmp_path / "a.csv")
    assert [track.id for track in data.tracks] == ids and data.step == step
    assert data.stamp(data.tracks[0], 0) == first


def test_columns_that_are_said(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("date,name,x,target\n" + "".join(f"2020-01-{i + 1:02},{i % 2},{i},{i * i}\n" for i in range(12)))
    assert [t.id for t in read_series(path).tracks] == ["0", "1"]
    assert [t.id for t in read_series(path, {"id": ""}).tracks] == ["name", "x", "target"]
    left = read_series(path, {"id": ""}, options=Options(leave_out=["name", "target"]))
    assert [t.id for t in left.tracks] == ["x"]
    path.write_text(
        "date,shop,town,v\n" + "".join(f"2020-01-0{d},{s},{t},{d}{s}{t}\n" for d in (1, 2) for s in "12" for t in "34")
    )
    assert len(read_series(path, {"id": "shop+town"}).tracks) == 4
    path.write_text(
        "date,town,v\n" + "".join(f"2020-01-0{d},{t},{d}{len(t)}\n" for d in (1, 2, 3) for t in ("Rome", "Paris"))
    )
    assert [t.id for t in read_series(path).tracks] == ["Paris", "Rome"], (
        "stamps come back: the town tells series apart"
    )
    path.write_text("date,a,v\n" + "".join(f"2020-01-0{d},{n},{d}{n}\n" for d in (1, 2, 3) for n in (7, 8)))
    with pytest.raises(DataError, match=r"--columns id=NAME, or that are the time too: --columns time=date\+NAME"):
        read_series(path, {"value": "v"})


def test_decimals_of_a_series(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("value\n15,5\n16,25\n17,0\n18,1\n")
    assert read_series(path).tracks[0].values.tolist() == [15.5, 16.25, 17.0, 18.1]
    path.write_text("date,value\n2020-01-01,15,5\n2020-01-02,16,2\n2020-01-03,17,0\n")
    with pytest.raises(DataError, match="expected rows of 2 columns, as the header has, received 3"):
        read_series(path)
    path.write_text('date,value\n2020-01-01,"1,215"\n2020-01-02,"$16"\n2020-01-03,(17)\n')
    assert read_series(path).tracks[0].values.tolist() == [1215, 16, -17]
    path.write_text("date;value\n2020-01-01;1.215\n2020-01-02;1.216\n")
    with pytest.raises(DataError, match=r"may be 1\.215 or 1215.*--decimal"):
        read_series(path)
    assert np.allclose(read_series(path, options=Options(decimal=",")).tracks[0].values, [1215, 1216])


def test_covariates_of_truth_values_and_categories(tmp_path):
    path = tmp_path / "a.csv"
    rows = [
        f"2020-01-{d:02},{d if d < 10 else ''},{'TRUE' if d % 2 else 'false'},{('sun', 'rain')[d % 3 == 0]},{d / 2}"
        for d in range(1, 13)
    ]
    path.write_text("date,v,open,sky,warm\n" + "\n".join(rows) + "\n")
    options = Options(known=["open", "sky", "warm"])
    [track] = read_series(path, options=options).tracks
    assert list(track.known) == ["warm", "open", "sky=rain", "sky=sun"] and len(track.values) == 9
    assert track.known["open"].tolist() == [1, 0] * 6 and track.known["sky=rain"].tolist() == [0, 0, 1] * 4
    path.write_text("date,v,open,sky,warm\n2020-01-01,1,yes,sun,1\n2020-01-02,2,no,snow,1\n")
    later = read_series(path, options=Options(known=options.known, covariates=list(track.known)))
    assert list(later.tracks[0].known) == list(track.known) and later.tracks[0].known["sky=rain"].tolist() == [0, 0]
    assert any('"snow", which training has not seen' in note for note in later.notes)


def test_what_is_beyond_all_times():
    found = read_stamps(["9223372036854775808", "9223372036854775809"])  # no integer of 64 bits holds these
    assert (found.seconds == NONE).all()
    # The last minute there is, in a zone that is already in the next year.
    style = read_stamps(["2020-06-01T00:00+01:00", "2020-06-02T00:00+01:00"]).style
    assert style.write(253_402_300_740) == "9999-12-31T23:59:00Z"
    assert style.write(253_402_300_740 - 3600) == "9999-12-31T23:59+01:00"
