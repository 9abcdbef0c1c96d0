"""Rows and pictures as arrays, passages of text, windows of series: what is read, what is left out, and what is said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lamella.data.media import gallery
from lamella.data.media.images import encode_png
from lamella.data.readers import clock, measures, typed_rows
from lamella.data.readers.passages import read_passages
from lamella.data.readers.series import read_series
from lamella.errors import DataError, UsageError
from lamella.tasks.dimensionality_reduction import examples
from lamella.tasks.time_series_forecasting import windows
from tests.fuzzing import seeds


def write(path: Path, content: str | bytes) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


# ---- rows of numbers and categories ----------------------------------------------------------------------------------


def test_rows_of_several_tables(tmp_path: Path) -> None:
    one = write(tmp_path / "one.csv", "size;colour\n1,5;red\n2;blue\n")
    two = write(tmp_path / "two.jsonl", '{"colour": "red", "size": 3}\n{"size": null, "colour": true}\n')
    rows, lines = measures.read_rows([one, two])
    assert [dict(row) for row in rows] == [
        {"size": 1.5, "colour": "red"},  # written 1,5
        {"size": "2", "colour": "blue"},
        {"colour": "red", "size": "3"},
        {"size": "", "colour": "true"},
    ]
    assert lines[1].endswith("two.jsonl: JSONL, UTF-8; 2 columns; 2 rows")
    three = write(tmp_path / "three.csv", "size,weight\n1,2\n")
    with pytest.raises(DataError, match=r'three.csv: expected the columns "size", "colour", received "size", "weight"'):
        measures.read_rows([one, three])


def test_rows_that_are_not_like_the_others(tmp_path: Path) -> None:
    good = "".join(f"{i},{'red' if i % 2 else 'blue'}\n" for i in range(200))
    rows, lines = measures.read_rows([write(tmp_path / "a.csv", f"n,colour\n{good}7\n")])
    assert len(rows) == 200 and lines[-1].endswith("a.csv, line 202: expected 2 plain values, received 1: \"['7']\"")
    nested = write(tmp_path / "b.jsonl", '{"n": 1}\n{"n": [1, 2]}\n')
    with pytest.raises(DataError, match="at most 10% bad rows, received 1 of 2"):
        measures.read_rows([nested])
    columns, _ = measures.learn_columns(rows)
    more, _ = measures.read_rows([write(tmp_path / "c.csv", f"n,colour\n{good}x,red\n8,green\n")])
    kept, lines = measures.check(columns, more, [])
    assert (
        len(kept) == 201
        and lines[0] == 'note: 1 values of "colour" that training has not seen, read as missing: "green"'
    )
    assert [line.partition("expected ")[2] for line in lines[1:]] == ['a number in "n", received "x"']
    with pytest.raises(DataError, match=r'c.csv, line 2: expected a finite number in "n", received "1e999"'):
        measures.check(columns, measures.read_rows([write(tmp_path / "c.csv", "n,colour\n1e999,red\n")])[0], [])
    with pytest.raises(DataError, match='expected a value for "colour", received "n"'):
        measures.encode(columns, {"n": "1"})


def test_what_columns_hold() -> None:
    rows = [
        {
            "n": str(i),
            "empty": "",
            "one": "1.0" if i % 2 else "1",
            "free": f"text {i}",
            "gap": "" if i == 3 else f"{i * i}",
        }
        for i in range(300)
    ]
    columns, notes = measures.learn_columns(rows)
    assert [column["name"] for column in columns] == ["n", "gap"]
    assert notes == [
        'column "empty" is empty and is left out',
        'column "one" is always 1 and is left out',
        'column "free" has 300 different texts, no categories, and is left out',
        'column "gap" lacks 1 of 300 values: filled with the mean',
    ]
    values, known = measures.encode(columns, rows[3])
    assert known.tolist() == [1, 0] and values[1] == 0
    with pytest.raises(DataError, match='a row: expected a finite number in "n", received "inf"'):
        measures.learn_columns([{"n": "1"}, {"n": "inf"}])
    with pytest.raises(DataError, match="expected columns of numbers or categories, received none"):
        measures.learn_columns([{"a": ""}, {"a": ""}])


def test_a_row_as_a_person_types_it() -> None:
    columns = [{"name": "a", "mean": 0.0, "spread": 1.0}, {"name": "b", "names": ["x", "y"], "shares": [0.5, 0.5]}]
    for text in ("2 x", "2, x", '{"a": 2, "b": "x"}'):
        row = typed_rows.as_row(columns, text)
        assert [values.tolist() for values in measures.encode(columns, row)] == [[2, 1, 0], [1, 1, 1]]
    for text, message in (("1 2 3", 'expected 2 values ("a", "b"), received 3'), ('{"a"', "expected a row as JSON")):
        with pytest.raises(DataError) as caught:
            typed_rows.as_row(columns, text)
        assert message in str(caught.value)
    assert measures.decode(columns, [0.5, 0.2, 0.9]) == {"a": 0.5, "b": "y"}


# ---- pictures or rows ------------------------------------------------------------------------------------------------


def test_tables_of_pictures(tmp_path: Path) -> None:
    write(tmp_path / "pics" / "1.png", seeds.pictures()[0])
    uri = encode_png(np.full((4, 4), 9, np.uint8))
    table = write(tmp_path / "pics" / "a.csv", f'n,image\n1,1.png\n2,"{uri}"\n')
    values, lines = examples.read([table])
    assert values == [str(tmp_path / "pics" / "1.png"), uri] and "image" in lines[0]
    assert examples.read([str(tmp_path / "pics")])[0] == values[:1]
    other = write(tmp_path / "pics" / "b.csv", "n,which\n1,1.png\n")
    assert examples.read([other], {"example": "which"})[0] == values[:1]
    rows, lines = examples.read([write(tmp_path / "c.csv", "n,name\n1,ada\n2,bob\n3,ada\n")])
    assert dict(rows[0]) == {"n": "1", "name": "ada"} and not any("note" in line for line in lines)
    with pytest.raises(DataError, match="1 of 2"):
        examples.read([write(tmp_path / "d.jsonl", json.dumps({"image": uri}) + '\n{"image": "none.png"}\n')])


def test_pictures_as_arrays() -> None:
    grey = np.array([[0, 200], [100, 255]], np.uint8)
    kind = examples.Pictures([1, 2, 2], binary=True)
    array, known = kind.array(grey)
    assert array.tolist() == [[[0, 255], [0, 255]]] and known.size == 0
    total, count = kind.errors(grey, np.zeros((2, 2), np.uint8))
    assert (total, count) == (2.0, 4.0)
    assert examples.learn([grey] * 3, side=8) == ([1, 8, 8], [])
    assert examples.key(grey) == examples.key(encode_png(grey)) != examples.key(grey.T)
    assert examples.mean(kind, [grey, grey]).tolist() == [[[0, 1], [0, 1]]]
    assert len(examples.seen(kind, [grey])) == 1 and kind.example(np.ones((1, 2, 2))).startswith("data:image/png")


def test_rows_as_arrays() -> None:
    rows = [{"a": "1", "b": "x"}, {"a": "3", "b": "y"}, {"a": "", "b": "x"}]
    shape, columns = examples.learn(rows)
    kind = examples.Rows(columns)
    assert shape == [3]
    assert kind.errors(rows[0], rows[1]) == (2**2 + 2, 3.0)
    assert kind.errors(rows[2], rows[1]) == (2.0, 2.0), "what is not known in the first is not counted"
    assert kind.example(np.array([1.0, 0, 1])) == {"a": 3.0, "b": "y"}
    assert examples.key(rows[0]) == '{"a":"1","b":"x"}' and examples.seen(kind, rows) == []
    assert examples.mean(kind, rows) == pytest.approx([0, 0.67, 0.33], abs=0.01)


def test_seeds_and_places_between() -> None:
    assert examples.seed("7") == 7
    for wrong in ("-1", "1.5", "٣", "9" * 20, None):
        with pytest.raises(DataError, match="expected a seed"):
            examples.seed(wrong)
    assert [draws.shape for draws in examples.normal(["1", "2"], 3, count=5)] == [(5, 3), (5, 3)]
    assert examples.shades(np.array([255], np.uint8)).tolist() == [1.0] and examples.shades(
        np.array([2.0])
    ).tolist() == [2.0]
    svg = gallery.scatter([[0.0], [1.0]], ["data:,a", "data:,b"])
    assert svg.count("<image") == 2 and 'href="data:,b"' in svg


# ---- passages --------------------------------------------------------------------------------------------------------


def test_every_letter_of_a_folder_is_in_a_passage(tmp_path: Path) -> None:
    texts = {
        "a.txt": "Hello there.\r\n" * 50,
        "sub/b.txt": "Rien de très neuf.\n" * 50,
        ".hidden/c.txt": "no",
        "d.txt": " \n",
    }
    for name, text in texts.items():
        write(tmp_path / "texts" / name, text.encode("cp1252" if "b.txt" in name else "utf-8"))
    passages, lines = read_passages([str(tmp_path / "texts")], window=8, whole_words=True)
    assert "".join(passages) == texts["a.txt"].replace("\r\n", "\n") + texts["sub/b.txt"]
    assert all(passage[-1].isspace() for passage in passages)
    assert "2 text files (1 in UTF-8, 1 in CP1252)" in lines[0] and lines[1].startswith("left out: 1 empty files: ")
    write(tmp_path / "texts" / "e.txt", b"\x89PNG")
    with pytest.raises(DataError, match=r"at most 10% bad files, received 1 of 4, the first: .*e.txt"):
        read_passages([str(tmp_path / "texts")], 8)
    for number in range(200):
        write(tmp_path / "texts" / f"more{number}.txt", "word " * 10)
    passages, lines = read_passages([str(tmp_path / "texts")], 8)
    assert len(passages) > 200 and any("e.txt: expected text" in line for line in lines if line.startswith("left out"))


def test_passages_of_tables_and_of_nothing(tmp_path: Path) -> None:
    table = write(tmp_path / "a.jsonl", '{"text": "One\\r\\nline"}\n{"text": "Two"}\n')
    passages, lines = read_passages([table], 128)
    assert "".join(passages) == "One\nline\nTwo\n"
    assert lines[-1].startswith("note: all text together is shorter than a window")
    for name, content, message in (
        ("b.txt", " \n", "received an empty file"),
        ("c/d.txt", " ", "received empty files"),
    ):
        place = write(tmp_path / name, content)
        with pytest.raises(DataError, match=message):
            read_passages([place if "/" not in name else str(tmp_path / "c")], 8)
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="received one without files"):
        read_passages([str(tmp_path / "none")], 8)


# ---- series and their windows ----------------------------------------------------------------------------------------


def table(tmp_path: Path, text: str) -> str:
    return write(tmp_path / "series.csv", text)


DAYS = [f"2020-01-{day:02d}" for day in range(1, 31)]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("date,a\n2020-01-01,1\n", {"columns": {"value": "b"}}, 'no column "b". Expected one of "date", "a"'),
        ("date,a\n2020-01-01,1\n", {"columns": {"value": "7"}}, 'no column "7"'),
        ("date,a\n2020-01-01,1\n", {"known": ["w"]}, 'no column "w", which --known asks for'),
        ("id,date,a,b\nx,2020-01-01,1,2\ny,2020-01-01,3,4\n", {}, 'one column of values beside id and time, received "a", "b"'),
        ("date\n2020-01-01\n2020-01-02\n", {}, 'expected a column of values, received "date" only'),
        ("date,a\n", {}, "received a header only"),
        ("date,a\n01/02/2020,1\n02/03/2020,2\n", {}, "may be day or month first"),
        ("date,a,w\n2020-01-01,1,\n2020-01-02,2,\n", {"known": ["w"]}, 'expected numbers in "w"'),
        ('{"a": 1}', {"columns": {"id": "a", "x": "a"}}, "expected time, id or value, received x"),
    ],
)  # fmt: skip
def test_series_that_cannot_be_read(tmp_path: Path, text: str, options: dict, message: str) -> None:
    with pytest.raises((DataError, UsageError)) as caught:
        read_series(table(tmp_path, text), **options)
    assert message in str(caught.value)


def test_one_bad_series_leaves_only_itself_out(tmp_path: Path) -> None:
    text = "id,date,a,w\nx,2020-01-01,1,1\nx,2020-01-02,2,1\ny,2020-01-01,1,\nz,2020-01-01,,1\n"
    data = read_series(table(tmp_path, text), {"value": "a"}, known=["w"])
    assert [track.id for track in data.tracks] == ["x"]
    left = [note for note in data.notes if note.startswith("left out")]
    assert 'series "y": expected numbers in "w"' in left[0] and 'series "z": expected numbers, received none' in left[1]


def test_repairs_are_counted(tmp_path: Path) -> None:
    rows = [f"{day},{i},{i}" for i, day in enumerate(DAYS)]
    rows[3], rows[4] = rows[4], rows[3]
    rows += ["2020-01-30,99,29", "2020-01-29,28,28", "2020-01-31,,5", "2020-02-02,,7"]
    data = read_series(table(tmp_path, "date,a,w\n" + "\n".join(rows) + "\n"), known=["w"])
    track = data.tracks[0]
    assert track.values.tolist() == [*map(float, range(29)), 64.0]
    assert track.known["w"].tolist() == [*map(float, range(30)), 5.0, 6.0, 7.0], "of the future too, gaps filled"
    notes = "\n".join(data.notes)
    for note in (
        "rows were not in order of time, sorted: 1",
        "with the same value, one kept: 1",
        "their mean kept: 1",
        "missing values of w, filled likewise: 1",
    ):
        assert note in notes


def test_counters_and_compact_dates(tmp_path: Path) -> None:
    counted = read_series(table(tmp_path, "t,a\n" + "".join(f"{i},{i * i}\n" for i in range(10))))
    assert counted.tracks[0].first == 0 and counted.step == clock.Step(1, "count")
    dates = read_series(
        table(tmp_path, "t,a\n" + "".join(f"{day.replace('-', '')},{i}\n" for i, day in enumerate(DAYS)))
    )
    assert dates.step == clock.Step(86400, "s")
    quarters = read_series(table(tmp_path, "t,a\n2020Q1,1\n2020 Q2,2\n2020-q3,4\n"))
    assert quarters.step == clock.Step(3, "months")


def test_windows_of_series(tmp_path: Path) -> None:
    data = read_series(table(tmp_path, "date,a,b\n" + "".join(f"{day},{i},{i % 3}\n" for i, day in enumerate(DAYS))))
    found, short = windows.windows(data, horizon=10, back=12, season=1, least=4)
    assert [len(e["past"]) for e in found] == [10, 12] * 2 and short == 0
    assert found[1]["future"] == [*map(float, range(20, 30))] and found[1]["step"] == "86400 s"
    assert windows.latest([e["id"] for e in found], 2, seed=0) == [1, 3] and windows.latest(["a", "b"], 1, 0) is None
    none, short = windows.windows(data, horizon=28, back=12, season=1, least=4)
    assert (none, short) == ([], 2)
    assert "series of 32 values or more" in str(windows.too_short(["a.csv"], data, 4, 28))
    frame = windows.Frame(12, 2, [1], data.step, ["week"], {})
    [first, _] = windows.pasts(data, frame.context, frame.horizon)
    assert first["past"] == [*map(float, range(18, 30))] and "future" not in first
    answers = [{"median": [1.0, 2.0], "80%": [[0.0, 2.0], [1.0, 3.0]]}] * 2
    for suffix, line in (
        (".csv", "a,2020-01-31,1.0,0.0,2.0"),
        (".tsv", "a\t2020-02-01\t2.0\t1.0\t3.0"),
    ):
        path = tmp_path / f"like{suffix}"
        path.write_text("date\ta\n2020-01-01\t1\n" if suffix == ".tsv" else "date,a\n2020-01-01,1\n")
        raw, counts = windows.forecast_table(data, answers, path)
        assert counts == {"series": 2, "rows": 4} and line in raw.decode().splitlines()
    (tmp_path / "like.jsonl").write_text('{"date": "2020-01-01", "a": 1}\n')
    lines = windows.forecast_table(data, answers, tmp_path / "like.jsonl")[0].splitlines()
    assert json.loads(lines[0])["80% high"] == 2.0
    (tmp_path / "like.csv").write_bytes('\ufeff"date";"ä"\r\n"2019-12-31";1,5\r\n"2020-01-01";1,5\r\n'.encode())
    like = read_series(tmp_path / "like.csv")
    raw = windows.forecast_table(like, answers[:1], tmp_path / "like.csv")[0].decode()
    assert raw.splitlines()[1] == '"ä";"2020-01-02";1,0;0,0;2,0' and raw.startswith("\ufeff") and "\r\n" in raw


def test_windows_that_are_none(tmp_path: Path) -> None:
    place = table(tmp_path, "past,future\n1 2 3 4,5\n")
    assert windows.are_windows(place, None) and not windows.are_windows(place, {"time": "past"})
    assert windows.read_windows([place], None)[0] == [{"past": [1, 2, 3, 4], "future": [5]}]
    for wrong in ("1 two", "1 inf", [[1], [2]], None, "9e999"):
        with pytest.raises(DataError, match="numbers with spaces between them"):
            windows.numbers(wrong)
    frame = windows.Frame(4, 2, [1], clock.Step(), [], {"w": [0.0, 2.0]})
    with pytest.raises(DataError, match="expected w for 6 steps, past and future, received 4"):
        frame.read({"past": [1, 2, 3, 4], "w": [1, 2, 3, 4]})
    assert frame.read({"past": "1 2 3 4", "w": "2 2 2 2 4 4"})["known"][:, -1].tolist() == [1, 1, 1, 1, 2, 2]
    with pytest.raises(DataError, match="expected 4 values or more, received 2"):
        frame.read({"past": [1, 2], "w": [1] * 4})
    with pytest.raises(DataError, match="expected 2 values in future"):
        windows.wanted({"future": [1]}, 2)
    weekly = windows.Frame(4, 2, [1], clock.Step(604800, "s"), ["year"], {})
    thursday, saturday = (weekly.read({"past": [1, 2, 3, 4], "start": f"1970-01-0{d}"})["known"] for d in (1, 3))
    assert np.abs(thursday - saturday).max() > 0.01, "weeks begin on any day"


def test_columns_that_number_the_rows_are_left_out(tmp_path: Path) -> None:
    rows = "".join(f"{n};{n * n % 7},{n % 10};{'red' if n % 2 else 'blue'};{n % 3}\n" for n in range(20))
    path = write(tmp_path / "a.csv", f"id;x;colour;target\n{rows}")
    values, lines = examples.read([path])
    assert values[1] == {"x": 1.1, "colour": "red", "target": "1"} and any(
        '"id" numbers the rows' in line for line in lines
    )
    assert list(examples.read([path], leave_out=["none"])[0][0]) == ["id", "x", "colour", "target"]
    assert list(examples.read([path], leave_out=["id", "target"])[0][0]) == ["x", "colour"]
    with pytest.raises(UsageError, match="--leave-out y: expected one of"):
        examples.read([path], leave_out=["y"])
    with pytest.raises(DataError, match=r"bad rows|numbers"):
        examples.read([write(tmp_path / "b.csv", "a;b\n1.234;x\n2.345;y\n3.456;x\n")])
    assert examples.read([str(tmp_path / "b.csv")], decimal=",")[0][0]["a"] == 1234.0
