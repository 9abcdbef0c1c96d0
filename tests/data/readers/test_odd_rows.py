"""Rows that are no data, numbers that stand for none, and years of two digits in front: as exports, loggers and spreadsheets have them."""

from __future__ import annotations

import numpy as np
import pytest

from lamella.data.readers.measures import encode, learn_columns, read_rows
from lamella.data.readers.series import Options, read_series
from lamella.data.readers.stamps import read_stamps
from lamella.data.readers.tables import read_table
from lamella.errors import DataError

FIELDS = {"text": ("text",), "label": ("label",)}


def put(tmp_path, text):
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    return str(tmp_path / "a.csv")


@pytest.mark.parametrize(
    "second",
    ["s;°C;hPa", ";Temperature;Pressure", "Seconds;Degrees;", "[s];[C];[hPa]", "Time;Temp;Pres\n s;°C;hPa"],
)
def test_a_second_line_of_header(tmp_path, second):
    body = "".join(f"{i};{20 + i % 7 / 2};{1000 + i % 11}\n" for i in range(40))
    path = put(tmp_path, f"Time;Temp;Druck\n{second}\n{body}")
    rows, lines = read_rows([path])
    assert len(rows) == 40 and any("second line of header" in line for line in lines)
    data = read_series(path)
    assert [len(track.values) for track in data.tracks] == [40, 40]
    assert sum("second line of header" in note for note in data.notes) == 1 + second.count("\n")


def test_the_questions_of_a_survey(tmp_path):
    body = "".join(f"{i},It was {'good' if i % 2 else 'bad'} {i},{'yes' if i % 2 else 'no'}\n" for i in range(1, 20))
    path = put(tmp_path, f"Respondent,Q1,Q2\n,How was it?,Come again?\n{body}")
    table = read_table(path, FIELDS, {"text": "Q1", "label": "Q2"})
    assert len(table.rows) == 19 and {row["label"] for row in table.rows} == {"yes", "no"}


@pytest.mark.parametrize(
    "text",
    [
        "text,label\nfine,good\nawful,bad\n" * 5,  # no numbers
        "age,text\n,what a day\n" + "".join(f"{30 + i},so it is {i}\n" for i in range(9)),  # an age that is missing
        "a,b\n1,2\n" + "".join(f"{i},{i}\n" for i in range(9)),
        "id,name\nx7,Ann\n" + "".join(f"{i},Bob {i}\n" for i in range(3)),  # too few to say
    ],
)
def test_a_first_row_of_data_stays(tmp_path, text):
    from lamella.data.readers.records import read_sheet

    assert len(read_sheet(put(tmp_path, text)).rows) == text.count("\n")


@pytest.mark.parametrize(
    ("last", "gone"),
    [
        ("Summe;{sum:.2f};", True),
        ("Total;;{sum:.0f} €", False),
        (";TOTAL:;{sum:.2f}", True),
        ("Grand total;{sum:.2f};{n}", True),
        ("Mittelwert;{mean:.2f};", True),
        ("Total;7;3", False),  # a name of a product: no sum of the others
        ("North;{sum:.2f};", False),
    ],
)
def test_a_line_of_totals(tmp_path, last, gone):
    values = [10.5 * i % 97 + 1 for i in range(30)]
    columns = ("Region;Umsatz;Rest", 1) if ";TOTAL" not in last else ("Region;Rest;Umsatz", 2)
    body = "".join(f"R{i % 3};{v};1\n" if columns[1] == 1 else f"R{i % 3};1;{v}\n" for i, v in enumerate(values))
    text = last.format(sum=sum(values), mean=sum(values) / 30, n=30)
    rows, lines = read_rows([put(tmp_path, f"{columns[0]}\n{body}{text}\n")])
    assert (len(rows) == 30) is gone and any("of the others" in line for line in lines) is gone


@pytest.mark.parametrize("mark", ["-999", "-9999", "-999.9", "-99.99", "-999.0", "99999"])
def test_a_number_that_stands_for_none(tmp_path, mark):
    cells = [mark if i in (5, 6, 17, 30) else f"{20 + np.sin(i):.2f}" for i in range(60)]
    path = put(
        tmp_path, "date,temp\n" + "".join(f"2020-{1 + i // 28:02}-{1 + i % 28:02},{c}\n" for i, c in enumerate(cells))
    )
    data = read_series(path, options=Options(frequency="row"))
    assert np.abs(data.tracks[0].values - 20).max() <= 1 and any("stands for a missing" in note for note in data.notes)
    rows, _ = read_rows([path])
    columns, notes = learn_columns(rows)
    [column] = [c for c in columns if c["name"] == "temp"]
    assert abs(column["mean"] - 20) < 0.5 and any("stands for a missing" in note for note in notes)
    values, known = encode([column], {"temp": float(mark)})
    assert (values.tolist(), known.tolist()) == ([0], [0]), "later rows too"


@pytest.mark.parametrize(
    "values", [[*range(-1000, 1000, 50), -999], [*range(0, 2000, 50), 999], [5, 6, 7, 8, 9, 10, 11]]
)
def test_nines_among_others_are_numbers(tmp_path, values):
    rows, _ = read_rows([put(tmp_path, "a,b\n" + "".join(f"{v},{i % 3}\n" for i, v in enumerate(values)))])
    columns, _ = learn_columns(rows)
    assert columns[0]["mean"] == pytest.approx(np.mean(values))


def test_codes_with_zeros_in_front_are_categories(tmp_path):
    body = "".join(f"{('01067', '10115', '80331')[i % 3]},{i:06},{i * 7 % 50}\n" for i in range(60))
    columns, notes = learn_columns(read_rows([put(tmp_path, "PLZ,nr,v\n" + body)])[0])
    assert columns[0]["names"] == ["01067", "10115", "80331"] and "codes" in notes[0]
    assert "mean" in columns[1], "too many to be categories"


DAYS = range(1, 29)


@pytest.mark.parametrize(
    ("stamps", "first", "following"),
    [
        ([f"{y:02}-{m:02}-01" for y in (19, 20, 21) for m in range(1, 13)], "2019-01-01", "2019-02-01"),
        ([f"21-01-{d:02}" for d in DAYS], "2021-01-01", "2021-01-02"),
        ([f"21/03/{d:02}" for d in DAYS], "2021-03-01", "2021-03-02"),
        ([f"21.03.{d:02}" for d in DAYS], "2021-03-01", "2021-03-02"),
        ([f"98-{m}-15" for m in range(1, 13)], "1998-01-15", "1998-02-15"),
        ([f"21-01-{d:02} 10:30" for d in DAYS], "2021-01-01T10:30", "2021-01-02T10:30"),
        ([f"{d:02}-01-21" for d in DAYS], "2021-01-01", "2021-01-02"),
        ([f"01-{d:02}-21" for d in DAYS], "2021-01-01", "2021-01-02"),
        ([f"{d:02}.03.21" for d in DAYS], "2021-03-01", "2021-03-02"),
        ([f"21-01-{d:02}" for d in reversed(DAYS)], "2021-01-28", "2021-01-27"),
        ([f"2103{d:02}" for d in DAYS], "2021-03-01", "2021-03-02"),
    ],
)
def test_years_of_two_digits(stamps, first, following):
    read = read_stamps(stamps, "date")
    assert not read.ambiguous
    assert [np.datetime64(int(s), "s") for s in read.seconds[:2]] == [np.datetime64(first), np.datetime64(following)]
    assert [read.style.write(int(s)) for s in read.seconds] == stamps
    alone = read_stamps([stamps[1]], known=read.style)
    assert (alone.ambiguous, alone.seconds[0]) == ("", read.seconds[1]), "one by itself as those of training"


def test_years_that_nothing_decides(tmp_path):
    path = put(tmp_path, "date,v\n" + "".join(f"0{d}-0{d}-0{d},{d}\n" for d in range(1, 8)))
    with pytest.raises(DataError, match=r'"01-01-01" may be day or month first.*--date-format %y-%m-%d'):
        read_series(path)
    assert read_series(path, options=Options(date_format="%y-%m-%d", frequency="row")).tracks[0].values[0] == 1


def test_dates_with_points_are_names_of_columns(tmp_path):
    days = ";".join(f"{d:02}.01.2023" for d in range(1, 20))
    rows = [";".join(f"1.{(k * 100 + d * 7) % 900 + 100},5" for d in range(19)) for k in range(3)]
    body = "".join(f"P{k};{row}\n" for k, row in enumerate(rows))
    total = "Summe;" + ";".join(
        f"{sum(1000 + (k * 100 + d * 7) % 900 + 100.5 for k in range(3)):.1f}".replace(".", ",") for d in range(19)
    )
    data = read_series(put(tmp_path, f"Produkt;{days}\n{body}{total}\n"))
    assert [track.id for track in data.tracks] == ["P0", "P1", "P2"], "the sum is no product"
    assert data.tracks[0].values[:2].tolist() == [1100.5, 1107.5] and data.stamp(data.tracks[0], 19) == "20.01.2023"
