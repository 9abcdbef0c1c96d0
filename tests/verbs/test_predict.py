"""Answers of files: each row gets its own, what cannot be read is named and left without one, and nothing else changes."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lamella.errors import DataError, LamellaError, UsageError
from lamella.fields import Image, Label, Series, Text
from lamella.model import as_example
from lamella.model.answering import all_media, answer_all, predict_file, predict_lines, predict_media
from lamella.task import Output, Task


class Config(msgspec.Struct):
    pass


class Shout(Task):
    """The answer to a text is the text in capitals; to one with "refuse" in it there is none."""

    Config = Config
    fields = {"text": Text()}
    answer = Label()
    target = "label"


class Stand:
    """A model whose answers are a function of the example."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def predict(self, examples: list) -> list:
        return [self.answer(as_example(self.task, e)) for e in examples]

    def run(self, examples: Sequence) -> list:
        return self.predict(list(examples))

    def answer(self, example: dict) -> object:
        if "refuse" in example["text"]:
            raise DataError("expected another text, received this one.")
        return example["text"].upper()


SHOUT = Stand(Shout())


def ask(path: Path, content: str | bytes, suffix: str = "", model: Stand = SHOUT, columns=None):
    """(bytes of the output, counts, lines about what has no answer)"""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    said: list[str] = []
    raw, _, counts = predict_file(model, path, columns, said.append, suffix)
    return raw, counts, said


# --- any table


PLAIN = st.text(st.sampled_from("abé ß,;|\t'\"\n\r\\5.-"), max_size=12)
DIALECTS = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from(",;|\t"),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
        "lineterminator": st.sampled_from(["\n", "\r\n", "\r"]),
        "escape": st.booleans(),
    }
)
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])
BAD = st.sampled_from(["short", "long", "quote", ""])


BASE = [("one", "two", "")] * 8  # rows that show what the table is


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(st.tuples(PLAIN, PLAIN, BAD), min_size=1, max_size=6),
    dialect=DIALECTS,
    encoding=ENCODINGS,
    header=st.booleans(),
    last=st.booleans(),
)
def test_each_row_gets_its_own_answer(rows, dialect, encoding, header, last):
    escape, end = dialect.pop("escape"), dialect["lineterminator"]
    style = {**dialect, "doublequote": not escape, "escapechar": "\\" if escape else None}
    out = io.StringIO(newline="")
    writer = csv.writer(out, **style)
    if dialect["quoting"] != csv.QUOTE_ALL:  # csv.writer does not quote the line ends of others
        other = {"\n": "\r", "\r": "\n"}.get(end, "\0")
        rows = [(text.replace(other, ""), more.replace(other, ""), bad) for text, more, bad in rows]
    if escape:  # marks inside can be read in two ways: "\\" may end a field
        rows = [(text.replace('"', ""), more.replace('"', ""), bad) for text, more, bad in rows]
    rows = [*BASE, *rows]
    if header:
        writer.writerow(["number", "text", "more"])
    for n, (text, more, bad) in enumerate(rows):
        if bad == "quote":  # what csv calls an error
            out.write(style["delimiter"].join([str(n), '"x" y', "z"]) + end)
        else:
            writer.writerow({"": [n, text, more], "short": [n, text], "long": [n, text, more, "e"]}[bad])
    content = out.getvalue() if last else out.getvalue().removesuffix(end)
    with tempfile.TemporaryDirectory() as folder:
        columns = None if header else {"text": "2"}
        raw, counts, said = ask(Path(folder, "rows.csv"), content.encode(encoding), columns=columns)
    assert encoding != "utf-8-sig" or raw.startswith(b"\xef\xbb\xbf")
    written = raw.decode(encoding)
    assert written.endswith(end) == content.endswith(end)
    found = list(csv.reader(io.StringIO(written, newline=""), **{**style, "quoting": csv.QUOTE_MINIMAL}))
    if header:
        assert found.pop(0) == ["number", "text", "more", "label"]
    assert len(found) == len(rows) == counts["rows"]
    unread = 0
    for n, ((text, more, bad), row) in enumerate(zip(rows, found, strict=True)):
        wanted = (text.replace("\r\n", "\n").replace("\r", "\n") if end == "\r" else text).strip().upper()
        if escape and {'"', "\\"} & set(
            text + more
        ):  # such a backslash is read in two ways: as it stands, or as an escape
            assert row[0] == str(n)
        elif bad:
            kept = {
                "short": [str(n), text, "", ""],
                "long": [str(n), text, more, "e", ""],
                "quote": [str(n), '"x" y', "z", ""],
            }
            assert row == kept[bad] or escape and bad == "quote"
        else:
            assert row[:3] == [str(n), text, more] and row[3].replace("\r\n", "\n") == wanted.replace("\r\n", "\n")
        unread += bad != ""
    assert escape or counts.get("not read", 0) == unread == sum(line.startswith("line ") for line in said)


def test_one_unreadable_row_of_a_table_without_a_header(tmp_path):
    """As it was when 70 of 149 rows got a neighbour's answer."""
    lines = [f"text {n},{n}" for n in range(149)]
    lines[69] = "half a row"
    raw, counts, said = ask(tmp_path / "rows.csv", "\n".join(lines) + "\n")
    written = raw.decode().splitlines()
    assert written == [f"{line},TEXT {n}" if n != 69 else "half a row,," for n, line in enumerate(lines)]
    assert counts == {"rows": 149, "answered": 148, "not read": 1}
    assert said[-2:-1] == ["note: no header; taken so: text = column 1. Choose with --columns"] or len(said) == 2
    assert [line for line in said if "note" not in line] == ['line 70: expected 2 columns, received 1: "half a row"']


# --- tables of every kind


TWO = "n{0}text{1}1{0}a é{1}2{0}b{1}"


@pytest.mark.parametrize("cut", [",", ";", "|", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252"])
def test_a_table_is_written_back_as_it_came(tmp_path, cut, end, encoding):
    content = TWO.format(cut, end)
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    raw, counts, said = ask(tmp_path / ("rows.tab" if cut == "\t" else "rows.csv"), (mark + content).encode(encoding))
    assert raw == (mark + f"n{cut}text{cut}label{end}1{cut}a é{cut}A É{end}2{cut}b{cut}B{end}").encode(encoding)
    assert counts == {"rows": 2, "answered": 2} and said == []


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ('"n","text"\n"1","a"\n', '"n","text","label"\n"1","a","A"\n'),
        ('"n","text"\n1,"a"\n', '"n","text","label"\n1,"a","A"\n'),
        ('n,text\n1,"a, ""b"""\n', 'n,text,label\n1,"a, ""b""","A, ""B"""\n'),
        ('n,text\n1,"a \\"b\\", c"\n', 'n,text,label\n1,"a \\"b\\", c","A \\"B\\", C"\n'),
        ('text,n\n"a\r\nb",1\r\n', 'text,n,label\n"a\r\nb",1,"A\nB"\r\n'),
        ("sep=;\ntext;n\na,b;1\n", "sep=;\ntext;n;label\na,b;1;A,B\n"),
        ("text , n\n  a ,1\n\n b,2", "text , n,label\n  a ,1,A\n\n b,2,B"),
        ("text,n\na,1,,\nb,2\n", "text,n,label\na,1,A\nb,2,B\n"),
        ("text,n\n,1\nb,2\n", "text,n,label\n,1,\nb,2,B\n"),
        ('text\na\n""\n', 'text,label\na,A\n"",\n'),
        ("text,n\n,\nb,2\n", "text,n,label\n,,\nb,2,B\n"),
        ("text,label\na,mine\n", "text,label,predicted_label\na,mine,A\n"),
        ("text,label,predicted_label\na,x,y\n", "text,label,predicted_label,predicted_label_2\na,x,y,A\n"),
        ("text,n,n\na,1,2\n", "text,n,n,label\na,1,2,A\n"),
        ("text\none\ntwo\n", "text,label\none,ONE\ntwo,TWO\n"),
        ("Well done,1\nBad,2\n", "Well done,1,WELL DONE\nBad,2,BAD\n"),
        ('text,n\n"x" y,1\nb,2\n', 'text,n,label\n"""x"" y",1,\nb,2,B\n'),
        ('text,n\n"x,1\nb,2\n', 'text,n,label\n"""x",1,\nb,2,B\n'),
        ("text,n\na\nb,2,3\nc,4\n", "text,n,label\na,,\nb,2,3,\nc,4,C\n"),
        ("text,n\nplease refuse,1\nc,4\n", "text,n,label\nplease refuse,1,\nc,4,C\n"),
    ],
)
def test_odd_tables(tmp_path, content, wanted):
    assert ask(tmp_path / "rows.csv", content)[0].decode() == wanted.replace('"A\nB"\r\n', '"A\nB"\r\n')


def test_what_has_no_answer_is_counted_and_named(tmp_path):
    raw, counts, said = ask(tmp_path / "rows.csv", 'text,n\na,1\n,2\nb\n"x" y,3\nrefuse,4\n')
    assert counts == {"rows": 5, "answered": 1, "empty": 1, "not read": 3}
    assert said[0] == 'line 4: expected 2 columns, received 1: "b"'
    assert said[1].startswith("line 5: expected fields quoted as in CSV, received ")
    assert said[2:] == ["line 6: expected another text, received this one."]
    assert [row[-1] for row in csv.reader(io.StringIO(raw.decode()))] == ["label", "A", "", "", "", ""]


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("text,n\n,1\n,2\n", "all of them empty"),
        ("text,n\nrefuse,1\nrefuse,2\n", "the first: line 2: expected another text"),
        ("text,n\n", "expected rows that can be answered, received 0"),
        ('"x" y\n', "received 1 rows that cannot be read"),
        ("text,text\na,b\n", "expected one column named"),
        ("what,more\na,e\nb,f\nc,g\n", "--columns text="),
        ("2,3\n4,5\n", "no header but"),
    ],
)
def test_a_table_without_any_answer_is_an_error(tmp_path, content, part):
    with pytest.raises(DataError, match=r"rows\.csv") as error:
        ask(tmp_path / "rows.csv", content)
    assert part in str(error.value) and "\n" not in str(error.value)


def test_a_code_page_that_cannot_hold_an_answer(tmp_path):
    class Party(Stand):
        def answer(self, example):
            return example["text"] + " 🎉"

    content = "text;n\né;1\n".encode("cp1252")
    raw, _, said = ask(tmp_path / "rows.csv", content, model=Party(Shout()))
    assert raw.decode("utf-8-sig") == "text;n;label\né;1;é 🎉\n" and "written as UTF-8" in said[0]
    raw, _, said = ask(tmp_path / "rows.jsonl", '{"text": "é"}\n'.encode("cp1252"), model=Party(Shout()))
    assert json.loads(raw.decode("cp1252")) == {"text": "é", "label": "é 🎉"} and not said


# --- JSON


def test_json_lines(tmp_path):
    lines = [
        '{"text": "a", "n": 1.50, "big": 123456789012345678901234567890, "rest": {"x": [1]}}',
        '{"text": ',
        '{"other": "b"}',
        '{"text": null}',
        "",
        '{"text": 7}  ',
        '["a"]',
        '{"text": ["a"]}',
        '{"text": "c", "label": "mine"}',
        '{"text": "\\ud83d"}',
    ]
    raw, counts, said = ask(tmp_path / "rows.ndjson", "\n".join(lines))
    found = raw.decode().split("\n")
    none = ', "predicted_label": null}'
    assert found == [
        lines[0][:-1] + ', "predicted_label": "A"}',
        lines[1],
        lines[2][:-1] + none,
        lines[3][:-1] + none,
        "",
        '{"text": 7, "predicted_label": "7"}  ',
        '["a", null]',
        '{"text": ["a"]' + none,
        '{"text": "c", "label": "mine", "predicted_label": "C"}',
        '{"text": "\\ud83d"' + none,
    ]
    assert counts == {"rows": 9, "answered": 3, "empty": 1, "not read": 5}
    assert [line.partition(":")[0] for line in said] == [f"line {n}" for n in (2, 3, 7, 8, 10)]
    with pytest.raises(DataError, match=r"line 1"):
        ask(tmp_path / "rows.jsonl", '{"text": "refuse"}\n{"text": \n')


def test_a_json_array_stays_one(tmp_path):
    raw, counts, _ = ask(tmp_path / "rows.json", '[\n  {\n    "text": "a"\n  },\n 5, {"other": 1}\n]\n')
    assert raw.decode() == '[\n  {\n    "text": "a", "label": "A"\n  },\n 5, {"other": 1, "label": null}\n]\n'
    assert counts == {"rows": 3, "answered": 1, "not read": 2}


@pytest.mark.parametrize("before", ["", '"version": [1, {"a": "]"}], "note": "x[{", '])
def test_rows_inside_an_object_stay_there(tmp_path, before):
    content = f'{{{before}"data": [{{"text": "a"}}, {{"text": "b"}}], "next": null}}\n'
    raw, counts, _ = ask(tmp_path / "rows.json", content)
    assert raw.decode() == content.replace('"a"}, {', '"a", "label": "A"}, {').replace('"b"}', '"b", "label": "B"}')
    assert counts == {"rows": 2, "answered": 2}
    both = '{"rows": [{"text": "a"}], "data": [{"text": "b"}]}'
    with pytest.raises(DataError, match=r'several: "rows", "data"'):
        ask(tmp_path / "rows.json", both)


# --- another suffix for the answers


def test_another_suffix_is_another_format(tmp_path):
    content = 'n,text,n\n1,"a, b",x\n2\n3,c,y\n'
    lines = ask(tmp_path / "rows.csv", content, ".jsonl")[0].decode().splitlines()
    assert list(map(json.loads, lines)) == [
        {"n": "1", "text": "a, b", "n_2": "x", "label": "A, B"},
        {"n": "2", "label": None},
        {"n": "3", "text": "c", "n_2": "y", "label": "C"},
    ]
    assert json.loads(ask(tmp_path / "rows.csv", content, ".json")[0]) == list(map(json.loads, lines))
    assert (
        ask(tmp_path / "rows.csv", content, ".tsv")[0].decode()
        == "n\ttext\tn\tlabel\n1\ta, b\tx\tA, B\n2\t\t\t\n3\tc\ty\tC\n"
    )
    content = '{"text": "a, b", "n": [1, 2]}\n{"what\n{"text": "c", "m": null}\n'
    assert ask(tmp_path / "rows.jsonl", content, ".csv")[0].decode() == (
        'text,n,m,label\n"a, b","[1, 2]",,"A, B"\n"{""what",,,\nc,,,C\n'
    )
    assert json.loads(ask(tmp_path / "rows.jsonl", content, ".json")[0])[1] == '{"what'
    array = json.dumps([{"text": "a"}, {"text": "b"}], indent=2)
    assert list(map(json.loads, ask(tmp_path / "rows.json", array, ".jsonl")[0].splitlines())) == [
        {"text": "a", "label": "A"},
        {"text": "b", "label": "B"},
    ]
    with pytest.raises(UsageError, match="is read, not written"):
        ask(tmp_path / "rows.csv", "text\na\n", ".xlsx")
    raw, _, said = ask(tmp_path / "rows.csv", "text\na\n", ".dat")
    assert raw == b"text,label\na,A\n" and "form of the input" in said[0]


# --- lines, several fields, pictures


def test_lines(tmp_path):
    said: list[str] = []
    assert list(predict_lines(SHOUT, iter(["a\n", "\n", "refuse\n", "b"]), said.append)) == ["A", "", "", "B"]
    assert said == ["line 3: expected another text, received this one."]
    with pytest.raises(DataError, match="received none, the first: line 1"):
        list(predict_lines(SHOUT, iter(["refuse\n"]), said.append))
    with pytest.raises(DataError):
        list(predict_lines(SHOUT, iter(["a\n", "refuse\n"])))


def test_one_bad_example_spoils_no_other():
    asked: list[int] = []

    class Counting(Stand):
        def predict(self, examples):
            asked.append(len(examples))
            return super().predict(examples)

    texts = [{"text": "refuse" if n in (3, 90) else str(n)} for n in range(100)]
    found = answer_all(Counting(Shout()), texts)
    assert [n for n, answer in enumerate(found) if isinstance(answer, LamellaError)] == [3, 90]
    assert [answer for n, answer in enumerate(found) if n not in (3, 90)] == [
        str(n) for n in range(100) if n not in (3, 90)
    ]
    assert len(asked) < 35 and answer_all(Counting(Shout()), []) == []


class Both(Shout):
    Config = Config
    fields = {"past": Series(), "text": Text()}
    answer = Label()
    target = ""

    @property
    def optional(self):
        return {"start": Text()}


class Sums(Stand):
    def answer(self, example):
        past = example["past"]
        past = [float(x) for x in past.split()] if isinstance(past, str) else past
        return {"sum": sum(past), "when": example.get("start", "never")}


def test_several_fields_and_those_that_may_be_there(tmp_path):
    model = Sums(Both())
    raw, _, said = ask(tmp_path / "a.csv", "start,past,text\nMay,1 2,a\n,3,b\n", model=model)
    assert (
        raw.decode() == "start,past,text,predicted_sum,predicted_when\nMay,1 2,a,3.0,May\n,3,b,3.0,never\n" and not said
    )
    raw, _, _ = ask(tmp_path / "a.jsonl", '{"past": [1, 2.5], "text": "a", "start": "May"}\n', model=model)
    assert json.loads(raw)["predicted_sum"] == 3.5 and json.loads(raw)["predicted_when"] == "May"
    with pytest.raises(UsageError, match="expected past, text, start, received txet"):
        ask(tmp_path / "a.csv", "past,text\n1,a\n", model=model, columns={"txet": "text"})


class Look(Shout):
    Config = Config
    fields = {"image": Image()}


class Bytes(Stand):
    def answer(self, example):
        path = Path(example["image"])
        if not path.is_file() or path.read_bytes() == b"broken":
            raise DataError(f"{path.name}: expected a picture.")
        return path.read_text()


def test_pictures_of_a_table_and_of_a_folder(tmp_path):
    model = Bytes(Look())
    for name, content in {
        "a.png": "one",
        "b.png": "broken",
        ".hidden.png": "x",
        "c.txt": "x",
        "sub/d.png": "two",
    }.items():
        (tmp_path / "all" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "all" / name).write_text(content)
    table = "image,n\na.png,1\nb.png,2\nnone.png,3\n,4\nsub/d.png,5\n"
    raw, counts, said = ask(tmp_path / "all" / "rows.csv", table, model=model)
    assert raw.decode() == "image,n,label\na.png,1,one\nb.png,2,\nnone.png,3,\n,4,\nsub/d.png,5,two\n"
    assert counts == {"rows": 5, "answered": 2, "not read": 3} and said[1] == "line 4: none.png: expected a picture."
    said.clear()
    raw, suffix, counts = predict_file(model, tmp_path / "all", None, said.append)
    assert (raw.decode(), suffix) == ("image,label\na.png,one\nb.png,\nsub/d.png,two\n", ".csv")
    assert counts == {"files": 3, "answered": 2, "not read": 1} and said == [
        "note: left out, of other kinds: 1 .csv, 1 .txt",
        "b.png: expected a picture.",
    ]
    assert len(predict_file(model, tmp_path / "all", None, said.append, ".jsonl")[0].splitlines()) == 3


def test_what_must_be_known_of_answers_to_pictures_is_said(tmp_path):
    class Noting(Look):
        output = Output(note=lambda _, example: "is an animation." if "gif" in example["image"] else "")

    for name in ("a.png", "b.gif", "c.gif"):
        (tmp_path / name).write_text("one")
    said: list[str] = []
    predict_media(Bytes(Noting()), [tmp_path], said.append, "")
    assert said == ["note: b.gif: is an animation. 1 more are like it."]


def test_several_pictures_give_one_table(tmp_path):
    model = Bytes(Look())
    for name, content in {"a.png": "one", "b.jpg": "two", "more/c.png": "three"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    paths = [tmp_path / "a.png", tmp_path / "b.jpg", tmp_path / "more"]
    assert all_media(model.task, paths) and not all_media(model.task, [*paths, tmp_path / "rows.csv"])
    raw, suffix, counts = predict_media(model, paths, print, "")
    rows = [line.rpartition(",") for line in raw.decode().splitlines()]
    assert [(Path(place).name, label) for place, _, label in rows[1:]] == [
        ("a.png", "one"), ("b.jpg", "two"), ("c.png", "three"),
    ]  # fmt: skip
    assert suffix == ".csv" and counts == {"files": 3, "answered": 3}


def test_several_pictures_on_the_command_line(tmp_path, cli, trained):
    from PIL import Image as pictures

    paths = [tmp_path / f"{n}.png" for n in range(3)]
    for n, path in enumerate(paths):
        pictures.new("L", (16, 16), 80 * n).save(path)
    model = trained("image-classification")
    assert cli("predict", model, *paths).out.splitlines()[0].startswith("image,predicted_label")
    assert cli("predict", model, *paths, "-o", tmp_path / "out").code == 0
    assert len((tmp_path / "out" / "answers.csv").read_text().splitlines()) == 4
    assert cli("predict", model, *paths, "-o", tmp_path / "out.jsonl").code == 0
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 3
    assert cli("predict", model, *paths, "-o", tmp_path / "out.jsonl").code == 2, "nothing is overwritten"
    pages = [pictures.new("L", (16, 16), 90 * n) for n in range(3)]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:])
    assert "note: has 3 frames or pages, of which the first is read" in cli("predict", model, tmp_path / "scan.tif").err
