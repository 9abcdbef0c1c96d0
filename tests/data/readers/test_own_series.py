"""Series as people have them: stamps of many shapes, columns with any name, keys that nobody named, tables turned round."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from lamella.data.readers.clock import Step, parse_step
from lamella.data.readers.series import Options, read_series
from lamella.data.readers.stamps import Style, read_stamps
from lamella.errors import DataError


def read(tmp_path, text, columns=None, **options):
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    return read_series(tmp_path / "a.csv", columns, options=Options(**options))


def table(stamps, header="date"):
    return f"{header};v\n" + "".join(f"{stamp};{i % 7 + 1}\n" for i, stamp in enumerate(stamps))


def ahead(data):
    return data.stamp(data.tracks[0], len(data.tracks[0].values))


MONTH, QUARTER, DAY = Step(1, "months"), Step(3, "months"), Step(86400, "s")
SHAPES = [
    (["01/2020", "02/2020", "03/2020"], MONTH, "04/2020"),
    (["11-2020", "12-2020", "01-2021"], MONTH, "02-2021"),
    (["10.2020", "11.2020", "12.2020"], MONTH, "01.2021"),
    (["1949M11", "1949M12", "1950M1"], MONTH, "1950M2"),
    (["2020年11月", "2020年12月", "2021年1月"], MONTH, "2021年2月"),
    (["1949.0000", "1949.0833", "1949.1667"], MONTH, "1949.2500"),
    (["1749.042", "1749.125", "1749.208"], MONTH, "1749.292"),
    (["1990.0", "1990.25", "1990.5", "1990.75"], QUARTER, "1991.00"),
    (["Q3/19", "Q4/19", "Q1/20"], QUARTER, "Q2/20"),
    (["3Q19", "4Q19", "1Q20"], QUARTER, "2Q20"),
    (["2020364", "2020365", "2020366"], DAY, "2021001"),
    (["2021-364", "2021-365", "2022-001"], DAY, "2022-002"),
    (["T3 2019", "T4 2019", "T1 2020"], QUARTER, "T2 2020"),
    (["2019H1", "2019H2", "2020H1"], Step(6, "months"), "2020H2"),
    (["KW 51/2019", "KW 52/2019", "KW 01/2020"], Step(604800, "s"), "KW 02/2020"),
    (["2020-01-06/2020-01-12", "2020-01-13/2020-01-19"], Step(604800, "s"), "2020-01-20"),
    (["2019-364", "2019-365", "2020-001"], DAY, "2020-002"),
    (["2020年1月30日", "2020年1月31日", "2020年2月1日"], DAY, "2020年2月2日"),
    (["2020. 1. 30", "2020. 1. 31", "2020. 2. 1"], DAY, "2020. 2. 2"),
    (["Di 07.01.20", "Mi 08.01.20", "Do 09.01.20"], DAY, "Fr 10.01.20"),
    (["06.01.2020 22:00 Uhr", "06.01.2020 23:00 Uhr"], Step(3600, "s"), "07.01.2020 00:00 Uhr"),
    (["01.01.2020 22:00 - 01.01.2020 23:00", "01.01.2020 23:00 - 02.01.2020 00:00"], Step(3600, "s"), "02.01.2020 00:00"),
    (["06/Jan/2020:10:00:00 +0000", "06/Jan/2020:11:00:00 +0000"], Step(3600, "s"), "06/Jan/2020:12:00:00 +0000"),
    (["Mon Jan  6 10:00:00 2020", "Mon Jan  6 11:00:00 2020"], Step(3600, "s"), "Mon Jan  6 12:00:00 2020"),
    (["Mon Jan 06 2020 10:00:00 GMT+0100 (CET)", "Mon Jan 06 2020 11:00:00 GMT+0100 (CET)"], Step(3600, "s"),
     "Mon Jan 06 2020 12:00:00 GMT+0100 (CET)"),
    (["2020013122", "2020013123", "2020020100"], Step(3600, "s"), "2020020101"),
    (["202001312345", "202002010000", "202002010015"], Step(900, "s"), "202002010030"),
    (["2020-01-01T00:00:00.900Z", "2020-01-01T00:00:01.000Z", "2020-01-01T00:00:01.100Z", "2020-01-01T00:00:01.200Z"],
     Step(1, "count"), "2020-01-01T00:00:01.300Z"),
    (["1577836800.0", "1577836800.5", "1577836801.0", "1577836801.5"], Step(5, "count"), "1577836802.0"),
    (["0.0", "0.25", "0.5"], Step(25, "count"), "0.75"),
]  # fmt: skip


@pytest.mark.parametrize(("stamps", "step", "wanted"), SHAPES)
def test_shapes_of_stamps(tmp_path, stamps, step, wanted):
    data = read(tmp_path, table(stamps))
    assert (data.step, len(data.tracks), ahead(data)) == (step, 1, wanted)
    # one stamp by itself is read as those of training
    alone = read_stamps([stamps[-1]], known=data.style).seconds.tolist()
    assert alone == [read_stamps(stamps, "date").seconds[-1]]


def test_fractions_say_nothing_where_stamps_are_seconds_apart(tmp_path):
    stamps = [f"2020-01-01 00:00:{s:02}.{s % 3}17" for s in range(12)]
    assert read(tmp_path, table(stamps)).step == Step(1, "s")
    stamps = [f"2020-01-01 00:00:{s // 10:02}.{s % 10}" for s in range(40)]
    data = read(tmp_path, table(stamps), frequency="1s", resample="mean")
    assert data.step == Step(1, "s") and len(data.tracks[0].values) == 4
    assert Style("count", parts=10).write(-5) == "-0.5"


@pytest.mark.parametrize(
    ("header", "stamps"),
    [
        ("Datum", ["06.01.2020", "07.01.2020", "08.01.2020"]),  # three dates are no numbers
        ("Дата", ["06.01.2020", "07.01.2020", "08.01.2020"]),
        ("MESS_DATUM", ["20200106", "20200107", "20200108"]),
        ("d", ["20200106", "20200107", "20200108"]),
        ("ts", ["1577836800000", "1577923200000", "1578009600000"]),
        ("MTU (CET/CEST)", ["06.01.2020 - 07.01.2020", "07.01.2020 - 08.01.2020"]),
        ("日付", ["2020/01/06", "2020/01/07", "2020/01/08"]),
        ("createdAt", ["1577836800", "1577923200", "1578009600"]),
    ],
)
def test_a_time_with_any_name_is_the_time(tmp_path, header, stamps):
    data = read(tmp_path, table(stamps, header))
    assert [t.id for t in data.tracks] == ["v"] and data.step == DAY


def test_texts_that_may_be_times_are_no_texts_to_leave_out(tmp_path):
    with pytest.raises(
        DataError, match=r'time stamps in "when", received "week 3 of 8".*--date-format.*--columns time='
    ):
        read(tmp_path, table([f"week {n} of 8" for n in range(3, 9)], "when"))
    data = read(tmp_path, table([f"week {n} of 8" for n in range(3, 9)], "when"), {"time": ""})
    assert [t.id for t in data.tracks] == ["v"] and not data.step.unit


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("Jahr;Monat;Umsatz\n2019;11;1,5\n2019;12;2,5\n2020;1;3,5\n", MONTH),
        ("yr,mo,dy,v\n2020,1,30,1\n2020,1,31,2\n2020,2,1,3\n", DAY),
        ("année;trimestre;v\n2019;T3;1\n2019;T4;2\n2020;T1;3\n", QUARTER),
        ("Jahr;KW;v\n2019;51;1\n2019;52;2\n2020;1;3\n", Step(604800, "s")),
        ("Datum;Uhrzeit;v\n06.01.2020;22:00;1\n06.01.2020;23:00;2\n07.01.2020;00:00;3\n", Step(3600, "s")),
        ("dteday,hr,v\n2011-01-01,22,1\n2011-01-01,23,2\n2011-01-02,0,3\n", Step(3600, "s")),
        ("fecha,hora,v\n06/01/2020,22.0,1\n06/01/2020,23.0,2\n13/01/2020,0,3\n", None),
    ],
)
def test_parts_of_a_time_in_other_languages(tmp_path, text, step):
    if step is None:  # joined as well; a week lies between
        with pytest.raises(DataError, match="--frequency row"):
            read(tmp_path, text)
        return
    data = read(tmp_path, text)
    assert (data.step, len(data.tracks), len(data.tracks[0].values)) == (step, 1, 3)


def test_keys_that_nobody_named(tmp_path):
    days = [f"2020-01-{d:02}" for d in range(1, 8)]
    rows = "".join(f"{d},{s},{i}\n" for s in ("A1", "B2") for i, d in enumerate(days))
    data = read(tmp_path, "timestamp,sensor,v\n" + rows)
    assert [t.id for t in data.tracks] == ["A1", "B2"] and any('told apart by "sensor"' in n for n in data.notes)
    rows = "".join(f"{d},{s},{i}\n" for s in (17, 18) for i, d in enumerate(days))
    assert len(read(tmp_path, "date,meter_id,kwh\n" + rows).tracks) == 2, "numbers, but called so"
    rows = "".join(f"{d},{r},{c},{i}\n" for r in "NS" for c in ("web", "shop") for i, d in enumerate(days))
    assert len(read(tmp_path, "date,region,channel,v\n" + rows).tracks) == 4, "only together"
    rows = "".join(f"{d},{s},{i}\n" for s in (17, 18) for i, d in enumerate(days))
    with pytest.raises(DataError, match="--columns"):  # nobody says what 17 and 18 are
        read(tmp_path, "date,x,v\n" + rows.replace(",18,", ",18,9"), {"value": "v"})


def test_series_as_rows(tmp_path):
    data = read(tmp_path, "city,Jan 2020,Feb 2020,Mar 2020\nRome,1,2,3\nOslo,4,5,6\n")
    assert [t.id for t in data.tracks] == ["Rome", "Oslo"] and ahead(data) == "Apr 2020"
    data = read(tmp_path, "item,store,d_1,d_2,d_3,d_4\na,1,1,2,3,4\na,2,4,5,6,7\n")
    assert [t.id for t in data.tracks] == ["a 1", "a 2"] and ahead(data) == "5"
    above = '"Source","WDI",\n\n"Country","Code","2018","2019","2020",\n"Aruba","ABW","1","2","3",\n"Chad","TCD","4","","6",\n'
    assert [t.values.tolist() for t in read(tmp_path, above).tracks] == [[1, 2, 3], [4, 5, 6]], (
        "a column without a name or value"
    )


def test_columns_that_number_the_rows_or_are_empty(tmp_path):
    days = [str(date(2020, 1, 1) + timedelta(n)) for n in range(12)]
    for header in ("", "id", "instant", "Unnamed: 0", "rownames"):
        data = read(tmp_path, f"{header},date,v,w\n" + "".join(f"{n},{d},{n * n},\n" for n, d in enumerate(days)))
        assert [t.id for t in data.tracks] == ["v"] and any('"w" is empty' in note for note in data.notes)
    data = read(tmp_path, ",v,w\n" + "".join(f"{n},{n * n},{n % 5}\n" for n in range(12)))
    assert [t.id for t in data.tracks] == ["v", "w"] and ahead(data) == "12", "without dates the numbers are the time"


@pytest.mark.parametrize(("closed", "days"), [({6}, "Mon Tue Wed Thu Fri Sat"), ({4, 5}, "Mon Tue Wed Thu Sun")])
def test_other_days_off(tmp_path, closed, days):
    stamps = [d for n in range(60) if (d := date(2020, 1, 1) + timedelta(n)).weekday() not in closed]
    data = read(tmp_path, table(map(str, stamps)))
    assert str(data.step) == f"1 days {days}" and parse_step(str(data.step)) == data.step
    assert len(data.tracks[0].values) == len(stamps), "no day off is invented"
    later = date.fromisoformat(ahead(data))
    assert later.weekday() not in closed and 1 <= (later - stamps[-1]).days <= 3
    assert data.step.seasons() == [7 - len(closed)]
    assert data.step.ticks(read_stamps([str(stamps[-1])]).seconds)[0] % 1 == 0


def test_row_by_row(tmp_path):
    hours = [f"2020-01-{d:02} {h:02}:00" for d in (6, 7, 8) for h in range(9, 17)]
    with pytest.raises(DataError, match="--frequency row"):
        read(tmp_path, table(hours))
    data = read(tmp_path, table(reversed(hours)), frequency="row")
    assert len(data.tracks[0].values) == 24 and data.tracks[0].values[-1] == 1 and ahead(data) == "24"


def test_weeks_begin_on_mondays(tmp_path):
    days = [str(date(2020, 1, 1) + timedelta(n)) for n in range(20)]
    data = read(tmp_path, "date;v\n" + "".join(f"{d};1\n" for d in days), frequency="week", resample="sum")
    assert data.tracks[0].values.tolist() == [5, 7, 7, 1] and data.stamp(data.tracks[0], 0) == "2019-12-30"
    assert any("may not be whole" in note for note in data.notes)


DAYS = [f"2020-01-{n:02}" for n in range(1, 11)]


def beside(tmp_path, table, series, known="temp"):
    (tmp_path / "weather.csv").write_text(table)
    return read(tmp_path, series, known=known.split(","), known_from=str(tmp_path / "weather.csv"))


def test_covariates_in_a_table_of_their_own(tmp_path):
    sales = "date,v\n" + "".join(f"{d},{n}\n" for n, d in enumerate(DAYS[:6]))
    weather = "day;temp;sky\n" + "".join(
        f"{d[8:]}.{d[5:7]}.{d[:4]};{n},5;{'sun' if n % 2 else 'rain'}\n" for n, d in enumerate(DAYS)
    )
    data = beside(tmp_path, weather, sales, "temp,sky")
    [track] = data.tracks
    assert track.values.tolist() == [0, 1, 2, 3, 4, 5] and ahead(data) == "2020-01-07"
    assert track.known["temp"].tolist() == [n + 0.5 for n in range(10)], "of the future too"
    assert track.known["sky=sun"].tolist() == [0, 1] * 5 and len(track.known) == 3
    # the past in the table of the series, what follows in the other
    both = "date,v,temp\n" + "".join(f"{d},{n},{n}\n" for n, d in enumerate(DAYS[:6]))
    [track] = beside(tmp_path, "date,temp\n" + "".join(f"{d},{n}\n" for n, d in enumerate(DAYS) if n > 5), both).tracks
    assert track.known["temp"].tolist() == list(range(10))
    # by the hour beside values by the day: what stands at the time of a value counts
    hours = "time,temp\n" + "".join(f"{d}T{h:02}:00,{h}\n" for d in DAYS for h in (0, 12))
    data = beside(tmp_path, hours, sales)
    assert data.tracks[0].known["temp"].tolist() == [0] * 10 and any(
        "not at the time of a value, left out: 10" in n for n in data.notes
    )


def test_covariates_of_each_series(tmp_path):
    sales = "date,store,v\n" + "".join(f"{d},{s},{n}\n" for s in "ab" for n, d in enumerate(DAYS[:6]))
    weather = "date,store,temp\n" + "".join(
        f"{d},{s},{n + (s == 'b') * 100}\n" for s in "ab" for n, d in enumerate(DAYS)
    )
    assert [t.known["temp"][-1] for t in beside(tmp_path, weather, sales).tracks] == [9, 109]
    weather = "date,temp\n" + "".join(f"{d},{n}\n" for n, d in enumerate(DAYS))
    assert [t.known["temp"][-1] for t in beside(tmp_path, weather, sales).tracks] == [9, 9], "one for all"


@pytest.mark.parametrize(
    ("table", "known", "message"),
    [
        ("date,wind\n2020-01-01,1\n2020-01-02,2\n", "temp", 'the columns of --known, "temp", received "date", "wind"'),
        ("name,temp\na,1\nb,2\n", "temp", "a column of time stamps"),
        ("date,temp\n2010-01-01,1\n2010-01-02,2\n", "temp", "rows at the time of series"),
    ],
)
def test_tables_of_covariates_that_do_not_fit(tmp_path, table, known, message):
    with pytest.raises(DataError, match=message):
        beside(tmp_path, table, "date,v\n" + "".join(f"{d},{n}\n" for n, d in enumerate(DAYS[:6])), known)


def test_one_station_with_several_measures_is_wide(tmp_path):
    """A name that is the same in every row tells no series apart: each column is one."""
    path = tmp_path / "a.csv"
    days = [f"2020-01-{day:02}" for day in range(1, 29)]
    rows = [f"USW1,Central Park,{day},{n % 7},{n % 5},x" for n, day in enumerate(days)]
    path.write_text("\n".join(["STATION,NAME,DATE,TMAX,TMIN,FLAG", *rows]))
    data = read_series([path])
    assert [track.id for track in data.tracks] == ["TMAX", "TMIN"]
    assert any('"STATION", "NAME" is the same in every row' in note for note in data.notes)
    more = rows + [row.replace("USW1,Central", "USW2,Other") for row in rows]
    path.write_text("\n".join(["STATION,NAME,DATE,TMAX,TMIN,FLAG", *more]))
    with pytest.raises(DataError, match="--columns value=NAME"):
        read_series([path])


def test_hours_with_points(tmp_path):
    path = tmp_path / "a.csv"
    rows = [f"{20 + n // 24}/03/2004;{n % 24:02}.00.00;{n % 7},5" for n in range(72)]
    path.write_text("\n".join(["Date;Time;CO(GT)", *rows]))
    data = read_series([path])
    assert str(data.step) == "3600 s" and len(data.tracks[0].values) == 72


@pytest.mark.parametrize("header", ["YEAR;DOY;v", "year;day_of_year;v", "Yr;jday;v"])
def test_a_day_of_the_year_in_a_column_of_its_own(tmp_path, header):
    days = [date(2020, 12, 1) + timedelta(days=n) for n in range(60)]
    rows = "".join(f"{day.year};{day.timetuple().tm_yday};{n % 7 + 1}\n" for n, day in enumerate(days))
    data = read(tmp_path, f"{header}\n{rows}")
    assert (data.step, len(data.tracks), ahead(data)) == (DAY, 1, "2021-030")


def test_hours_of_a_day_of_the_year(tmp_path):
    rows = "".join(f"2021;{32 + n // 24};{n % 24};{n % 7 + 1}\n" for n in range(60))
    data = read(tmp_path, f"year;doy;hour;v\n{rows}")
    assert data.step == Step(3600, "s") and data.tracks[0].first == (date(2021, 2, 1) - date(1970, 1, 1)).days * 24


def test_counts_of_seven_digits_are_no_days(tmp_path):
    rows = "".join(f"{2000001 + n};{n % 7 + 1}\n" for n in range(60))
    assert read(tmp_path, f"sample;v\n{rows}").step.unit == "count"


def test_the_key_of_the_one_station_is_no_series(tmp_path):
    rows = "".join(f"USGS;01646500;{date(2020, 1, 1) + timedelta(days=n)};{n % 7};5\n" for n in range(60))
    data = read(tmp_path, f"agency_cd;site_no;datetime;flow;load\n{rows}")
    assert [track.id for track in data.tracks] == ["flow", "load"]
    assert any('"site_no" is the same in every row and is left out' in note for note in data.notes)
    assert len(read(tmp_path, f"agency_cd;site_no;datetime;flow;load\n{rows}", leave_out=["none"]).tracks) == 3


def test_limits_are_read_as_themselves_and_said(tmp_path):
    rows = "".join(f"{date(2020, 1, 5) + timedelta(days=7 * n)};{'<1' if n % 9 == 0 else n}\n" for n in range(40))
    data = read(tmp_path, f"Week;tea: (Worldwide)\n{rows}")
    assert data.tracks[0].values[:2].tolist() == [1.0, 1.0] and data.tracks[0].values[9] == 1.0
    assert any('"<1" is read as 1' in note for note in data.notes)
