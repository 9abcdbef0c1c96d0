"""Numbers as people write them, decided for a whole column; refused where two readings are left."""

from __future__ import annotations

import math

import pytest

from lamella.data.readers import measures
from lamella.data.readers.numbers import read_numbers
from lamella.errors import DataError


@pytest.mark.parametrize(
    ("cells", "separator", "values"),
    [
        (["12,038", "5"], ",", [12038, 5]),
        (["1.719,71", "12.038"], ";", [1719.71, 12038]),
        (["$12,038", "-$5", "$ 7.5"], ",", [12038, -5, 7.5]),
        (["12 038", "1\u202f000,5"], ";", [12038, 1000.5]),
        (["40.1%", "3 %", "n/a"], ",", [40.1, 3, math.nan]),
        (["(5)", "5", "(1,234.50)"], ",", [-5, 5, -1234.5]),
        (["1'234.5", "1’000"], ",", [1234.5, 1000]),
        (["€ 1.234,50", "-3,5 €"], ";", [1234.5, -3.5]),
        (["12,34,567.5"], ",", [1234567.5]),
        (["1.000.000", "12.038"], ";", [1000000, 12038]),
        (["12.038", "12.5"], ";", [12.038, 12.5]),
        (["0,125", "12,038"], ";", [0.125, 12.038]),
        (["1e3", "1.5E-3", ".5", "−4"], ",", [1000, 0.0015, 0.5, -4]),
        (["USD 5", "5 USD", "7"], ",", [5, 5, 7]),
        (["7 kg", "8.5kg", "10"], ",", [7, 8.5, 10]),
        (["12 pcs", "3 pcs", "4"], ",", [12, 3, 4]),  # any one word behind a space
        (["1.5 µg/m³", "2 µg/m³"], ",", [1.5, 2]),
        (["5,-", "6,50"], ";", [5, 6.5]),  # a price without cents is no debt
        (["5.-", "6.50"], ",", [5, 6.5]),
        (["5,--", "6,50"], ";", [5, 6.5]),
        (["R$ 12,50", "R$ 1.000,00"], ",", [12.5, 1000]),
        (["US$12", "US$(5)"], ",", [12, -5]),
        (["12 руб.", "1 300 руб."], ";", [12, 1300]),
        (["21 °C", "-3,5 °C"], ";", [21, -3.5]),
        (["100 km/h", "90 km/h"], ",", [100, 90]),
        (["12.5K", "300", "1.2M", "1.1B"], ",", [12500, 300, 1.2e6, 1.1e9]),
        (["$1.2bn", "$300M", "3 k$"], ",", [1.2e9, 3e8, 3000]),
        (["5-", "6", "1,234.50-"], ",", [-5, 6, -1234.5]),
    ],
)
def test_ways_to_write(cells, separator, values):
    found = read_numbers(cells, separator=separator)
    assert not found.bad and not found.ambiguous
    assert found.values.tolist() == pytest.approx(values, nan_ok=True)


@pytest.mark.parametrize(
    ("cells", "separator"),
    [
        (["12.038"], ";"),
        (["12,038", "7"], ";"),
        (["1,234", "5,678"], "\t"),
        (["1,234"], None),
        (["12.038", "1,234"], ","),
    ],
)
def test_two_readings(cells, separator):
    found = read_numbers(cells, separator=separator)
    assert found.ambiguous
    for decimal in ".,":
        assert not read_numbers(cells, decimal, separator).ambiguous


@pytest.mark.parametrize(
    "cells",
    [
        ["5%", "7%", "8"],
        ["$5", "$6", "€7"],
        ["5", "6", "seven"],
        ["1.5", "2.5", "3,5"],
        ["5 kg", "6 kg", "7 g"],
        ["5", "6", "-7-"],
        ["5 km", "6 km", "7 dogs"],
    ],
)
def test_units_are_not_mixed(cells):
    assert read_numbers(cells).bad == [2] or read_numbers(cells).bad == [0, 1, 2]


def test_a_table_of_such_numbers(tmp_path):
    path = tmp_path / "a.csv"
    body = "".join(f"{i};{i}.{i:03},50;{i % 5},5 €;{'rot' if i % 2 else 'blau'}\n" for i in range(1, 21))
    path.write_text("nr;umsatz;preis;farbe\n" + body)
    rows, lines = measures.read_rows([str(path)])
    assert rows[4] == {"nr": "5", "umsatz": 5005.5, "preis": 0.5, "farbe": "rot"}
    assert any('"umsatz": "1.001,50" is read as 1001.5 (thousands, decimal mark ",")' in line for line in lines)
    assert measures.counters(rows) == ["nr"]
    columns, _ = measures.learn_columns(rows)
    assert columns[1]["decimal"] == "," and columns[0].get("decimal") is None
    # As text over HTTP or in Python the column's own way counts; a number is a number.
    given = {"nr": "5", "umsatz": "5.005,50", "preis": 0.5, "farbe": "lila"}
    values, known = measures.encode(columns, given)
    assert values[1] == pytest.approx(measures.encode(columns, rows[4])[0][1]) and known.tolist() == [1, 1, 1, 0, 0]
    # A table whose one value has two readings is read as the model's column is.
    path.write_text("nr;umsatz;preis;farbe\n1;5.005;3,500;rot\n")
    assert measures.read_rows([str(path)], learned=columns)[0][0]["umsatz"] == 5005
    with pytest.raises(DataError, match=r"may be 5\.005 or 5005.*--decimal \. or --decimal ,"):
        measures.read_rows([str(path)])


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (",0,1\n0,5.1,3.5\n1,4.9,3.0\n", ["column 1", "0", "1"]),
        ("country,2019,2020\nChad,1.5,2\nMali,3,4\n", ["country", "2019", "2020"]),
        ("a,a,\n1,2,3\n4,5,6\n", ["a", "a_2", "column 3"]),
        ("1,2\n3,4\n", ["column 1", "column 2"]),
    ],
)
def test_headers_of_numbers(tmp_path, text, names):
    (tmp_path / "a.csv").write_text(text)
    assert list(measures.read_rows([str(tmp_path / "a.csv")])[0][0]) == names


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["٣٬٤٥٦٫٥", "٧", "١٢٫٢٥"], [3456.5, 7, 12.25]),
        (["１，２３４．５０", "９８７．２５"], [1234.5, 987.25]),
        (["￥１，２３４", "￥９８７"], [1234, 987]),
        (['="1234.50"', '="7"'], [1234.5, 7]),
        (["'1.234,50", "'7"], [1234.5, 7]),
        (["~1234.5", "≈7", "ca. 12"], [1234.5, 7, 12]),
        (["1.2345D+03", "9.8725D-02"], [1234.5, 0.098725]),
        (["%40.1", "%5"], [40.1, 5]),
        (["1.2‰", "7‰"], [1.2, 7]),
        (["12.5[1]", "7*", "8†"], [12.5, 7, 8]),
    ],
)
def test_numbers_of_other_programs_and_scripts(cells, values):
    found = read_numbers(cells)
    assert not found.bad and not found.ambiguous and found.values.tolist() == values


@pytest.mark.parametrize("cell", ["7 CR", "0x1F", "1/2", "1:75", '="a"', "'", "[1]", "~", "5D3"])
def test_what_is_no_number_stays_none(cell):
    assert read_numbers([cell]).bad == [0]


def test_limits_and_groups():
    found = read_numbers(["0.2", "<0.05", "0.3", "≤ 0.1", ">= 4", "7"])
    assert found.values.tolist() == [0.2, 0.05, 0.3, 0.1, 4.0, 7.0] and "limit" in found.marks
    assert read_numbers(["<18", ">65", "20"]).bad == [0, 1], "names of groups"
