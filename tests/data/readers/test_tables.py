"""Tables from files as people have them: what is read, and that every bad one is refused in one clear line."""

from __future__ import annotations

import csv
import io
import json
import pickle
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lamella.data.readers.labels import read_labelled
from lamella.data.readers.records import MAX_FIELD
from lamella.data.readers.tables import Row, read_table
from lamella.errors import DataError, LamellaError, UsageError

WANTED = {"text": ("text", "review"), "label": ("label", "stars")}


def write(folder: Path, content: str | bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(path: Path | list[Path], *expected: str, **options) -> DataError:
    """Reading fails, in one line, which holds what is expected."""
    with pytest.raises(DataError) as caught:
        read_table(path, WANTED, **options)
    message = str(caught.value)
    assert "\n" not in message and message.isprintable()
    for part in ("expected", "received", *expected):
        assert part in message, message
    return caught.value


def rows_of(count: int) -> list[str]:
    return [f"text number {n},{'yes' if n % 3 else 'no'}" for n in range(count)]


def test_missing_folder_and_empty(tmp_path):
    with pytest.raises(DataError, match=r"none\.csv: expected a file, received nothing"):
        read_table(tmp_path / "none.csv", WANTED)
    refused(tmp_path, "a folder")
    refused(write(tmp_path, ""), "empty")
    refused(write(tmp_path, "\n \r\n"), "empty")
    refused(write(tmp_path, "text,label\n"), "a header only")
    with pytest.raises(UsageError):
        read_table([], WANTED)


# --- formats


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(tmp_path, delimiter):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    rows = [["1", 'Cheap; good, "really" | ok\tyes\nand more', "4"], ["2", "Bad, very; bad", "1"], ["3", "Fine", "3"]]
    writer.writerows([["id", "review", "stars"], *rows])
    table = read_table(write(tmp_path, out.getvalue()), WANTED)
    assert [list(row.values()) for row in table.rows] == [row[1:] for row in rows]
    assert table.report.sources[0].delimiter == delimiter
    assert [row.line for row in table.rows] == [2, 4, 5]
    assert table.rows[1].where.endswith("a.csv, line 4")


def test_delimiter_without_header(tmp_path):
    table = read_table(write(tmp_path, "Good, cheap, nice;1,5\nBad;2,0\nSo, so;1,0\n"), WANTED)
    assert table.rows[0] == {"text": "Good, cheap, nice", "label": "1,5"}
    table = read_table(write(tmp_path, "sep=;\nreview;stars\na,b;1\n"), WANTED)
    assert table.rows == [{"text": "a,b", "label": "1"}]


def test_format_by_content(tmp_path):
    for content, kind in (
        ('{"text": "a", "label": 1}\n', "JSONL"),
        ('[{"text": "a", "label": 1}]', "JSON array"),
        ('[\n  {\n    "text": "a",\n    "label": 1\n  }\n]\n', "JSON array"),
        ("text\tlabel\na\t1\n", "TSV"),
        ("text;label\na;1\n", "CSV"),
    ):
        table = read_table(write(tmp_path, content, "data.txt"), WANTED)
        assert (table.rows, table.report.sources[0].format) == ([{"text": "a", "label": "1"}], kind)


def test_unknown_format(tmp_path):
    prose = "It was a dark night, and cold.\nNobody spoke.\nThen, suddenly, a noise, a light, and silence.\n"
    refused(write(tmp_path, prose, "a.txt"), "line 1", "TSV, CSV or JSONL", "text without columns")
    refused(write(tmp_path, "<html>\n<p>Hello</p></html>\n", "a.html"), "markup")
    refused(write(tmp_path, "{not json\n", "a.dat"))


def test_one_column(tmp_path):
    refused(write(tmp_path, "text\nHello\nWorld\n"), "line 1", "2 columns", "received one")
    refused(write(tmp_path, "a,b\nc,d\n", "a.tsv"), "2 columns", "received 1", ".csv")
    assert read_table(write(tmp_path, "text\nHello, you\n", "b.tsv"), {"text": ("text",)}).rows == [
        {"text": "Hello, you"}
    ]


def test_only_line_feeds_end_rows(tmp_path):
    odd = "one\u2028two\x85three\x0cfour"
    for name, content in (
        ("a.tsv", f"text\tlabel\n{odd}\tx\ny\tz\n"),
        ("a.jsonl", f'{{"text": "{odd}", "label": "x"}}\n{{"text": "y", "label": "z"}}\n'),
        ("a.csv", f'text,label\n"{odd}",x\ny,z\n'),
    ):
        assert read_table(write(tmp_path, content, name), WANTED).rows[0]["text"] == odd
    assert len(read_table(write(tmp_path, "text,label\ra,b\rc,d\r"), WANTED)) == 2


def test_quotes_in_tsv(tmp_path):
    people = 'text\tlabel\n"Stop!" he said\tx\n"Well"\ty\n'
    assert read_table(write(tmp_path, people, "a.tsv"), WANTED).rows[1]["text"] == '"Well"'
    spreadsheet = 'text\tlabel\n"He said ""stop"""\tx\nWell\ty\n'
    table = read_table(write(tmp_path, spreadsheet, "a.tsv"), WANTED)
    assert table.rows[0]["text"] == 'He said "stop"' and "quoted" in table.report.notes[0]


def test_backslash_quotes(tmp_path):
    table = read_table(write(tmp_path, 'text,label\n"say \\"hi\\", you",x\n'), WANTED)
    assert table.rows[0]["text"] == 'say "hi", you'


def test_stray_quotation_mark_costs_one_row(tmp_path):
    lines = ["text,label", *rows_of(300)]
    lines[50] = '"never closed,yes'
    lines[250] = 'closed here",no'
    table = read_table(write(tmp_path, "\n".join(lines)), WANTED)
    assert len(table) == 299
    assert [bad.line for bad in table.report.bad] == [51]
    lines[250] = rows_of(1)[0]
    assert len(read_table(write(tmp_path, "\n".join(lines)), WANTED)) == 299


def test_long_fields(tmp_path):
    long = "word, " * 100_000
    table = read_table(write(tmp_path, f'text,label\n"{long}",x\n'), WANTED)
    assert table.rows[0]["text"] == long.strip() and csv.field_size_limit() == 131072
    huge = "x" * (MAX_FIELD + 1)
    refused(write(tmp_path, f"text,label\n{huge},x\n"), "line 2", f"{MAX_FIELD:,}")
    refused(write(tmp_path, f'text,label\n"{huge}",x\n'), "line 2")
    refused(write(tmp_path, json.dumps({"text": huge, "label": "x"}), "a.jsonl"), f"{MAX_FIELD:,}")


def test_json(tmp_path):
    rows = [
        '{"translation": {"text": "a\\u00e9"}, "label": true, "x": [1]}',
        '{"translation.text": "b", "label": 1.50}',
    ]
    table = read_table(write(tmp_path, "\n".join(rows), "a.jsonl"), WANTED)
    assert table.rows == [{"text": "aé", "label": "true"}, {"text": "b", "label": "1.50"}]
    assert table.report.sources[0].columns["text"] == 'field "translation.text"'
    lists = read_table(write(tmp_path, '["good", "pos"]\n["bad", "neg"]\n', "a.jsonl"), WANTED)
    assert lists.rows[1] == {"text": "bad", "label": "neg"}


@pytest.mark.parametrize(
    ("line", "received"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"text": ' * 100_000, "nested too deeply"),
        ('{"text": "a", "label": ', "at character"),
        ('{"text": "a", "label": "x"} {}', "more text after it"),
        ('"just a string"', '"just a string"'.replace('"', '\\"')),
        ('{"text": "a"}', 'only "text"'),
        ('{"text": ["a"], "label": "x"}', "nested JSON"),
        ('{"text": "a\\ud800", "label": "x"}', "not text"),
        ('{"text": "a\\u0000", "label": "x"}', "not text"),
    ],
)
def test_bad_json_lines(tmp_path, line, received):
    good = ['{"text": "a", "label": "x"}'] * 199
    table = read_table(write(tmp_path, "\n".join([*good[:50], line, *good[50:]]), "a.jsonl"), WANTED)
    assert len(table) == 199 and table.report.bad[0].line == 51 and received in table.report.bad[0].received
    json.dumps(table.report.as_dict())
    refused(write(tmp_path, "\n".join([*good[:8], line]), "a.jsonl"), "line 9", "1 of 9")


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("a.jsonl", ['{"text": "a", "label": "x"}', '{"text": "a", "label": null}', '{"text": "a", "label": NaN}']),
        ("a.json", ['[{"text": "a", "label": "x"}', ',{"text": "b", "label": ""}, {"text": "c", "label": " "}]']),
        ("a.csv", ["text,label", "a,x", "b,", "c,   "]),
        ("a.csv", ["text;label", "a;x", '"b";""', "c;"]),
        ("a.tab", ["text\tlabel", "a\tx", "b\t", "c\t "]),
        ("a.txt", ["text|label", "a|x", "b|", "c|"]),
    ],
)
def test_rows_with_an_empty_cell_are_dropped_and_counted(tmp_path, name, rows):
    table = read_table(write(tmp_path, "\n".join(rows), name), WANTED)
    assert table.rows == [{"text": "a", "label": "x"}] and table.report.bad == []
    assert table.report.dropped == {"an empty cell in label": 2}
    if rows[0].startswith("text"):
        refused(write(tmp_path, "\n".join([rows[0], *rows[2:]]), f"b{name}"), "an empty cell in label")


def test_bad_json_files(tmp_path):
    refused(write(tmp_path, '[{"text": "a", "label": "x"},\n{"text": }]', "a.json"), "line 2")
    refused(write(tmp_path, '[{"text": "a", "label": "x"}', "a.json"), "line 1")
    refused(write(tmp_path, "[" * 100_000, "a.json"), "nested too deeply")
    refused(write(tmp_path, '{\n"text": "a",\n"label": "x"\n}', "a.json"), "one JSON object a line")
    refused(write(tmp_path, '{"a": 1}', "a.json"), '"a"', "--columns")
    refused(write(tmp_path, "[]", "a.json"))
    refused(write(tmp_path, "{}", "a.jsonl"), "columns named nothing")
    refused(write(tmp_path, "[]\n[]\n", "a.jsonl"))


# --- headers and columns


def test_columns_chosen(tmp_path):
    path = write(tmp_path, "id,when,what,verdict\n1,2020,Fine,pos\n2,2021,Bad,neg\n")
    want = [{"text": "Fine", "label": "pos"}, {"text": "Bad", "label": "neg"}]
    assert read_table(path, WANTED, {"text": "what", "label": "Verdict"}).rows == want
    assert read_table(path, WANTED, {"text": "3", "label": 4}).rows == want
    refused(path, "line 1", '"when"', "--columns text=NAME,label=NAME")
    refused(path, '"wat"', columns={"text": "wat", "label": "verdict"})
    refused(path, "1 to 4", "received 9", columns={"text": 3, "label": 9})
    with pytest.raises(UsageError, match="txet"):
        read_table(path, WANTED, {"txet": 1})


def test_headers(tmp_path):
    none = read_table(write(tmp_path, "Great,pos\nAwful,neg\nFine,pos\n"), WANTED)
    assert len(none) == 3 and none.report.sources[0].header is None
    frame = read_table(write(tmp_path, ",Review,Stars\n0,Fine,4\n1,Bad,1\n"), WANTED)
    assert frame.rows[0] == {"text": "Fine", "label": "4"}
    label_first = read_table(write(tmp_path, "content,neg\nHello,pos\nThere,neg\n"), {**WANTED, "text": ("content",)})
    assert len(label_first) == 3
    refused(write(tmp_path, "text,text,label\na,b,c\n"), "one column named", "--columns text=1")
    wide = read_table(write(tmp_path, "a b c,d e f,g h i\nj k l,m n o,p q r\n"), WANTED)
    assert wide.rows[0]["label"] == "d e f" and "3 columns without names" in wide.report.notes[0]


def test_absurd_tables(tmp_path):
    refused(write(tmp_path, "," * 200_000), "at most 10,000 columns")
    refused(write(tmp_path, "text\n\1,\n,"), "received columns named")
    with pytest.raises(DataError, match="columns"):
        read_labelled(write(tmp_path, "text\na,x\nb,y\nc,x\n"))


def test_several_files(tmp_path):
    one = write(tmp_path, "text,label\na,x\n")
    two = write(tmp_path, '{"label": "y", "text": "b"}\n', "b.jsonl")
    table = read_table([one, two], WANTED)
    assert table.rows == [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}]
    assert table.rows[1].file.endswith("b.jsonl") and len(table.report.sources) == 2


def test_optional_and_empty(tmp_path):
    path = write(tmp_path, "text,label\na,\nb,y\n")
    assert read_table(path, WANTED, allow_empty=True).rows[0] == {"text": "a", "label": ""}
    assert len(read_table(path, WANTED, optional=["label"])) == 2
    assert read_table(write(tmp_path, "text\na\n"), WANTED, optional=["label"]).rows == [{"text": "a"}]


# --- bad rows


@pytest.mark.parametrize("bad", ["no label", "a,b,c,d"])
def test_bad_rows_below_a_tenth_and_above(tmp_path, bad):
    lines = ["text,label", *rows_of(199)]
    table = read_table(write(tmp_path, "\n".join([*lines[:100], bad, *lines[100:]])), WANTED)
    assert len(table) == table.report.kept == 199 and table.report.dropped == {"bad row": 1}
    assert table.report.bad[0].line == 101 and "line 101" in "\n".join(table.report.lines())
    error = refused(write(tmp_path, "\n".join([*lines, *[bad] * 23])), "23 of 222", "line 201", "10%")
    assert len(error.details) == 10 and "line 210" in error.details[-1]


def test_one_bad_row_of_nine_stops_and_one_of_ten_does_not(tmp_path):
    refused(write(tmp_path, "\n".join(["text,label", *rows_of(8), "x"])), "1 of 9")
    assert len(read_table(write(tmp_path, "\n".join(["text,label", *rows_of(9), "x"])), WANTED)) == 9


def test_harmless_oddities(tmp_path):
    table = read_table(write(tmp_path, "text,label\n\na , x ,,\n\n b,y\n"), WANTED)
    assert table.rows == [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}]
    assert table.report.dropped == {"blank line": 2}


def test_row_remembers_where_it_is_from():
    row = Row({"text": "a"}, "f.csv", 3)
    again = pickle.loads(pickle.dumps(row))
    assert (again, again.where, json.dumps(again)) == (row, "f.csv, line 3", '{"text": "a"}')


# --- anything at all

words = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff"), min_size=1, max_size=20
).filter(lambda text: text == text.strip() and text)
few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@few
@given(st.lists(st.tuples(words, words), min_size=1, max_size=20), st.sampled_from([",", ";", "\t", "|"]))
def test_csv_round_trip(tmp_path, pairs, delimiter):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("text", "label"), *pairs])
    table = read_table(write(tmp_path, out.getvalue()), WANTED, {"text": "text", "label": "label"})
    assert [tuple(row.values()) for row in table.rows] == pairs


@few
@given(st.lists(st.tuples(words, words), min_size=1, max_size=20), st.booleans(), st.booleans())
def test_json_round_trip(tmp_path, pairs, ascii_only, array):
    rows = [{"label": label, "text": text} for text, label in pairs]
    if array:
        path = write(tmp_path, json.dumps(rows, ensure_ascii=ascii_only, indent=ascii_only or None), "a.json")
    else:
        path = write(tmp_path, "\n".join(json.dumps(row, ensure_ascii=ascii_only) for row in rows), "a.jsonl")
    assert [(row["text"], row["label"]) for row in read_table(path, WANTED).rows] == pairs


pieces = st.sampled_from(
    [b'"', b",", b"\n", b"\t", b"{", b"}", b"[", b"]", b":", b"text", b"label", b"a", b"\xe9", b"\\", b"1"]
)


@few
@given(
    st.one_of(st.binary(max_size=200), st.lists(pieces, max_size=60).map(b"".join)),
    st.sampled_from(["csv", "tsv", "jsonl", "json", "txt"]),
)
def test_anything_is_read_or_refused(tmp_path, raw, suffix):
    for read in (lambda path: read_table(path, WANTED), read_labelled):
        try:
            table = read(write(tmp_path, raw, f"a.{suffix}"))
        except LamellaError as error:
            assert "\n" not in str(error)
        else:
            assert table.rows and all(table.rows[0].values())
            json.dumps(table.report.as_dict())
            assert all(line.isprintable() for line in table.report.lines())
