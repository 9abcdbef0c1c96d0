"""The one table reader over files as programs write them: separators, marks, encodings, headers, labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamella.data.readers.headers import first_is_header
from lamella.data.readers.labels import read_labelled
from lamella.data.readers.parallel import read_parallel
from lamella.errors import DataError
from lamella.model.answering import predict_file
from tests.verbs.test_predict import SHOUT

TEXTS = [("Good, or; not|so", "yes"), ('A "quoted" word', "no"), ("two\nlines", "yes"), ("déjà vu", "no")]


def cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def written(folder: Path, separator: str, name: str, encoding: str, before: str = "", end: str = "\n") -> Path:
    rows = [separator.join(["text", "label"])]
    rows += [separator.join(map(cell, pair)).replace("\n", end) for pair in TEXTS]
    path = folder / name
    path.write_bytes((before + end.join(rows) + end).encode(encoding))
    return path


@pytest.mark.parametrize("separator", [",", ";", "|", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize(("before", "end"), [("", "\n"), ("sep=", "\r\n")])
def test_separators_encodings_and_quoted_line_ends(tmp_path, separator, encoding, before, end):
    before = f"{before}{separator}{end}" if before else ""
    path = written(tmp_path, separator, "a.csv", encoding, before, end)
    rows = read_labelled(path).rows
    assert [(row["text"].replace("\r\n", "\n"), row["label"]) for row in rows] == TEXTS


@pytest.mark.parametrize("name", ["a.tsv", "a.tab", "a.TSV", "a.txt"])
def test_quoted_line_ends_and_tabs_in_tsv(tmp_path, name):
    assert [tuple(row.values()) for row in read_labelled(written(tmp_path, "\t", name, "utf-8")).rows] == TEXTS
    path = tmp_path / name
    path.write_text('text\tlabel\n"a\tb"\tx\n6" disk\ty\nplain\tx\n')
    assert [row["text"] for row in read_labelled(path).rows] == ["a\tb", '6" disk', "plain"]
    path.write_text('text\tlabel\n5" disk\tx\n"so" he said\ty\nplain\tx\n')
    assert [row["text"] for row in read_labelled(path).rows] == ['5" disk', '"so" he said', "plain"]


def test_ndjson(tmp_path):
    path = tmp_path / "a.ndjson"
    path.write_text('{"text": "a", "label": 1.0}\n{"text": "b", "label": 0}\n{"text": "c", "label": 1}\n')
    table = read_labelled(path)
    assert [row["label"] for row in table.rows] == ["1", "0", "1"]
    assert 'label "1.0" is read as "1"' in table.report.notes


@pytest.mark.parametrize(
    "header",
    [
        ("en-US", "fr-FR"), ("en_GB", "fr"), ("EN-us", "FR"), ("English words/sentences", "French words/sentences"),
        ("Text (English)", "Text (French)"), ("source_en", "target_fr"), ("translation.en", "translation.fr"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("separator", [",", ";", "|", "\t"])
def test_headers_with_a_region_or_a_language(tmp_path, header, separator):
    pairs = [("Bonjour mon ami", "Hello my friend"), ("Oui", "Yes"), ("Non", "No")]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(separator.join(row) for row in [header[::-1], *pairs]) + "\n")
    assert read_parallel(path, "en", "fr").rows[0] == {"src": "Hello my friend", "dst": "Bonjour mon ami"}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["v1,v2,,,", "ham,Hello,,,", "spam,Win now,,,", "ham,Bye then,,,"], ("Hello", "ham")),
        ([",0,1", "0,Hello you,ham", "1,Win now,spam", "2,Bye then,ham"], ("Hello you", "ham")),
        (["Unnamed: 0,review,stars", "0,Hello,1.0", "1,Bye,2.0", "2,Well,1.0"], ("Hello", "1")),
        (["a,text,a,label", "1,Hello,2,x", "3,Bye,4,y"], ("Hello", "x")),
        (["2020,text,label", "3,Hello,x", "4,Bye,y"], ("Hello", "x")),
        (["Reviews of 2020,,", "by shop", "", "id,text,label", "3,Hello,x", "4,Bye,y"], ("Hello", "x")),
        (["text,label", "Hello,True", "Bye,false", "Well,TRUE"], ("Hello", "true")),
    ],
)
def test_odd_headers_and_labels(tmp_path, rows, expected):
    path = tmp_path / "a.csv"
    path.write_text("\n".join(rows) + "\n")
    assert tuple(read_labelled(path).rows[0].values()) == expected


@pytest.mark.parametrize(
    ("rows", "header"),
    [
        ("country,2019,2020\nChad,1,2\nMali,3,4", True),
        ("2019,2020,2021\n5,7,8\n5,6,7", True),
        (",0,1,2\n0,5.1,3.5,1\n1,4.9,3.0,2", True),
        ("a,a\n1,2\n3,4", True),
        ("5.1,3.5,x\n4.9,3.0,y", False),
        ("red,0,1\nblue,5,6", False),
        ("red,blue\nred,green", False),
        ("1,2,3\n4,5,6", False),
    ],
)
def test_which_rows_are_headers(rows, header):
    assert first_is_header([row.split(",") for row in rows.splitlines()]) is header


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "title,body,label\nGood,a film,x\nBad,a play,y\n"),
        ("a.csv", 'body;label;title\n"a film";x;Good\n"a play";y;Bad\n'),
        (
            "a.jsonl",
            '{"title": "Good", "body": "a film", "label": "x"}\n{"title": "Bad", "body": "a play", "label": "y"}\n',
        ),
    ],
)
def test_several_columns_for_one_field(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    columns = {"text": "title+body"}
    rows = read_labelled(tmp_path / name, columns | {"label": "label"}).rows
    assert [row["text"] for row in rows] == ["Good a film", "Bad a play"]
    raw, _, _ = predict_file(SHOUT, tmp_path / name, columns)
    assert raw.decode().splitlines()[-1].startswith(text.splitlines()[-1].rstrip("}")), (
        "the table itself stays as it came"
    )
    assert "BAD A PLAY" in raw.decode()
    with pytest.raises(DataError, match='a column "bodi", a part of --columns text=title\\+bodi'):
        read_labelled(tmp_path / name, {"text": "title+bodi", "label": "label"})


def test_labels_of_fasttext(tmp_path):
    lines = [
        "__label__good I liked it",
        "__label__bad __label__long Too long, I say",
        "",
        "__label__bad",
        "__label__good Fine",
    ]
    for name in ("train.txt", "train"):
        (tmp_path / name).write_text("\n".join(lines * 3))
        table = read_labelled(tmp_path / name)
        assert table.rows[:2] == [{"text": "I liked it", "label": "good"}, {"text": "Too long, I say", "label": "bad"}]
        assert table.report.dropped == {"blank line": 3, "an empty text": 3} and table.rows[1].line == 2
        assert any("3 rows have more than one label" in note for note in table.report.notes)
