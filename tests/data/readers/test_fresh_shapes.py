"""Shapes of tables that other programs write: titles above a header, Markdown, rows under keys, a column a month."""

from __future__ import annotations

import json

import pytest

from lamella.data.readers.labels import read_labelled
from lamella.data.readers.series import read_series

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
ROWS = [(f"tea number {n}", ("pos", "neg")[n % 2]) for n in range(24)]


def labelled(tmp_path, content, name="t.csv"):
    (tmp_path / name).write_text(content)
    return [(row["text"], row["label"]) for row in read_labelled([tmp_path / name]).rows]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "t.csv",
            "Survey 2024;;\nexported;12.03.2024;\n\ntext;label;id\n"
            + "".join(f"{t};{kind};{n}\n" for n, (t, kind) in enumerate(ROWS)),
        ),
        ("t.csv", "| text | label |\n|---|:---:|\n" + "".join(f"| {t} | {kind} |\n" for t, kind in ROWS)),
        ("t.json", json.dumps({"texts": [t for t, _ in ROWS], "labels": [kind for _, kind in ROWS]})),
        ("t.json", json.dumps({str(n): {"text": t, "label": kind} for n, (t, kind) in enumerate(ROWS)})),
    ],
)
def test_rows_are_found_whatever_stands_around_them(tmp_path, name, content):
    assert labelled(tmp_path, content, name) == ROWS


def table(tmp_path, head, rows, sep=","):
    (tmp_path / "m.csv").write_text("\n".join(sep.join(row) for row in (head, *rows)) + "\n")
    return read_series(tmp_path / "m.csv")


def test_a_row_a_year_and_a_column_a_month_is_one_series(tmp_path):
    rows = [(str(2010 + y), *(str(12 * y + m) for m in range(12)), "5.5") for y in range(8)]
    data = table(tmp_path, ("Year", *MONTHS, "Annual"), rows)
    [track] = data.tracks
    assert track.values.tolist() == list(range(96)) and data.stamp(track, 96) == "2018-01"
    assert any("not used" in note and "Annual" in note for note in data.notes)


def test_months_by_number_with_the_last_ones_to_come(tmp_path):
    rows = [(str(2010 + y), *(f"{m},5" if y < 7 or m < 3 else "" for m in range(12))) for y in range(8)]
    data = table(tmp_path, ("Jahr", *map(str, range(1, 13))), rows, ";")
    [track] = data.tracks
    assert len(track.values) == 7 * 12 + 3 and data.stamp(track, len(track.values)) == "2017-04"


def test_months_of_several_stations(tmp_path):
    rows = [(s, str(2010 + y), *(str(m) for m in range(12))) for s in ("Oslo", "Rome") for y in range(6)]
    data = table(tmp_path, ("station", "year", *MONTHS), rows)
    assert [(track.id, len(track.values)) for track in data.tracks] == [("Oslo", 72), ("Rome", 72)]


def test_twelve_columns_that_are_no_months_stay_series(tmp_path):
    rows = [(str(2010 + y), *(str(m + y) for m in range(12))) for y in range(8)]
    data = table(tmp_path, ("Year", *(f"shop {n}" for n in range(12))), rows)
    assert len(data.tracks) == 12


@pytest.mark.parametrize(
    ("stamps", "wanted"),
    [
        (["20210305_0000", "20210305_0100", "20210305_0200"], "20210305_0300"),
        (["20210305 00", "20210305 01", "20210305 02"], "20210305 03"),
        (["22:00 05.03.2021", "23:00 05.03.2021", "00:00 06.03.2021"], "01:00 06.03.2021"),
        (["22:00 2021-03-05", "23:00 2021-03-05", "00:00 2021-03-06"], "01:00 2021-03-06"),
        (["2021-03-05 Fri", "2021-03-06 Sat", "2021-03-07 Sun"], "2021-03-08 Mon"),
    ],
)
def test_stamps_of_other_programs(tmp_path, stamps, wanted):
    data = table(tmp_path, ("date", "v"), [(stamp, str(n)) for n, stamp in enumerate(stamps)])
    assert data.stamp(data.tracks[0], 3) == wanted
