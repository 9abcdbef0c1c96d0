"""Tables as programs write them: columns cut by spaces, objects of columns, words for a missing value."""

from __future__ import annotations

import json

import pytest

from lamella.data.readers.answer_table import open_table
from lamella.data.readers.labels import read_labelled
from lamella.data.readers.measures import learn_columns, read_rows
from lamella.data.readers.records import read_sheet
from lamella.data.readers.used_columns import columns_of, recording
from lamella.errors import DataError


@pytest.mark.parametrize(
    ("text", "width", "header"),
    [
        ("  1.5   0.25  0\n  2.5   0.5   1\n 10.5   0.75  2\n", 3, False),
        ("time temp\n0.0 1.5\n0.5 2.5\n1.0 3.5\n", 2, True),
        ("2020-01-01 1.5\n2020-01-02 1.6\n2020-01-03 1.7\n", 2, False),
        (
            '18.0   8   307.0\t"chevrolet chevelle"\n15.0   8   350.0\t"buick skylark"\n18.0   8   318.0\t"ply"\n',
            4,
            False,
        ),
    ],
)
def test_columns_with_spaces_between(tmp_path, text, width, header):
    (tmp_path / "a.dat").write_text(text)
    sheet = read_sheet(tmp_path / "a.dat")
    assert {len(cells) for _, cells in sheet.rows} == {width}
    rows, _ = read_rows([str(tmp_path / "a.dat")])
    assert len(rows) == 3 and ("temp" in rows[0]) == header


@pytest.mark.parametrize(
    "text", ["value\n12 038\n9 112\n8 001\n", "one two\nthree four\nfive six\n", "a\n7 kg\n8 kg\n9 kg\n"]
)
def test_spaces_that_cut_nothing(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    assert {len(cells) for _, cells in read_sheet(tmp_path / "a.csv").rows} == {1}


def test_json_of_columns(tmp_path):
    columns = {"size": [1.5, 2.5, None], "kind": ["a", "b", "a"]}
    as_frame = {name: {str(n): value for n, value in enumerate(values)} for name, values in columns.items()}
    for number, whole in enumerate((columns, as_frame)):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(whole))
        rows, _ = read_rows([str(path)])
        assert [dict(row) for row in rows] == [
            {"size": "1.5", "kind": "a"},
            {"size": "2.5", "kind": "b"},
            {"size": "", "kind": "a"},
        ]


@pytest.mark.parametrize("word", ["#N/A", "n.a.", "k.A.", "\\N", "#DIV/0!", "<NA>", "(null)", "—"])
def test_words_for_a_missing_value(tmp_path, word):
    (tmp_path / "a.csv").write_text("a,b\n" + "".join(f"{n},{word if n == 3 else n * n}\n" for n in range(8)))
    columns, notes = learn_columns(read_rows([str(tmp_path / "a.csv")])[0])
    assert [c["name"] for c in columns] == ["a", "b"] and "names" not in columns[1]
    assert any('"b" lacks 1 of 8' in note for note in notes)


ROWS = [("t1", "good one", "a"), ("t2", "bad one", "b"), ("t3", "nice one", "a")]


@pytest.mark.parametrize("columns", ["title+body", "Title + BODY", "1+2", "title+2"])
@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_several_columns_in_any_way(tmp_path, columns, suffix):
    path = tmp_path / f"a{suffix}"
    lines = ["title,body,label", *map(",".join, ROWS)] if suffix == ".csv" else [
        json.dumps(dict(zip(("title", "body", "label"), row, strict=True))) for row in ROWS
    ]  # fmt: skip
    path.write_text("\n".join(lines))
    with recording() as used:
        table = read_labelled(path, {"text": columns})
    assert [row["text"] for row in table.rows] == ["t1 good one", "t2 bad one", "t3 nice one"]
    assert used["text"]["name"] == "title+body" or suffix == ".jsonl"
    answers = tmp_path / f"b{suffix}"
    answers.write_text("\n".join(lines))
    again = {"text": columns_of([answers], used, None)["text"]}
    assert open_table(answers, {"text": True}, columns=again).rows[1].fields == {"text": "t2 bad one"}


def test_several_columns_by_number_without_a_header(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("".join(",".join(row) + "!\n" for row in ROWS))
    with recording() as used:
        table = read_labelled(path, {"text": "1+2", "label": "3"})
    assert [row["text"] for row in table.rows] == ["t1 good one", "t2 bad one", "t3 nice one"]
    assert columns_of([path], used, None) == {"text": "1+2", "label": "3"}
    with pytest.raises(DataError, match=r'a column "nobody", a part of --columns text=1\+nobody, received "t1"'):
        read_labelled(path, {"text": "1+nobody", "label": "3"})


def test_a_column_a_label(tmp_path):
    path = tmp_path / "a.csv"
    rows = [f"text {n},{n % 3 == 0:d},{n % 3 == 1:d},{n % 3 == 2:d}" for n in range(9)]
    path.write_text("\n".join(["comment,pos,neg,neutral", *rows]))
    table = read_labelled(path)
    assert [row["label"] for row in table.rows[:3]] == ["pos", "neg", "neutral"]
    path.write_text("\n".join(["comment,pos,neg,neutral", *rows, "text,1,1,0"]))
    with pytest.raises(DataError, match=r'several or none: "pos", "neg", "neutral".*--columns label=pos'):
        read_labelled(path)
    assert {row["label"] for row in read_labelled(path, {"label": "pos"}).rows} == {"0", "1"}


def test_lists_of_one_label(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"text": f"text {n}", "labels": ["ab"[n % 2]]}) + "\n" for n in range(6)))
    assert [row["label"] for row in read_labelled(path).rows] == ["a", "b"] * 3
    path.write_text("".join(json.dumps({"text": f"text {n}", "labels": ["a", "b"]}) + "\n" for n in range(6)))
    with pytest.raises(DataError, match="nested JSON"):
        read_labelled(path)


def test_a_header_above_one_row(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("comment,id\ngood,1\n")
    assert [row.fields for row in open_table(path, {"text": True}, columns={}).rows] == [{"text": "good"}]


@pytest.mark.parametrize(
    "text", ['{ "text": ["a", "b"],\n "n": [1.50, 2] }\n', '{"text": {"5": "a", "7": "b"}, "n": {"5": 1.5, "7": 2}}']
)
def test_an_object_of_columns_gets_its_answers(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    table = open_table(tmp_path / "a.json", {"text": True})
    answers = [{"label": "good", "n": 0.5}, None]
    raw = table.render(answers).decode()
    assert raw.startswith(text.rstrip(" }\n")) and raw == table.render(answers, ".json").decode()
    as_came = json.loads(text)["text"]
    new = json.loads(raw)
    assert type(new["label"]) is type(as_came) and list(new) == ["text", "n", "label", "predicted_n"]
    assert list(new["label"].values() if isinstance(as_came, dict) else new["label"]) == ["good", None]
    assert table.render(answers, ".csv").decode().splitlines()[1:] == ["a,1.5,good,0.5", "b,2,,"]
    assert json.loads(table.render(answers, ".jsonl").splitlines()[0]) == {
        "text": "a", "n": 1.5, "label": "good", "predicted_n": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize("columns", [None, {"text": "1", "label": "2"}])
@pytest.mark.parametrize(
    "header",
    [
        ["How was your stay?", "Would you recommend us?"],
        ["Please describe in your own words what happened during the visit", "Overall"],
        ["Q1. What was it like", "Q2"],
        ["Kommentar (max. 200 Zeichen)", "Bewertung [pos/neg]"],
        ["¿Qué le pareció?", "¿Volvería?"],
        ["0", "1"],
    ],
)
def test_a_header_of_any_words_is_no_row(tmp_path, header, columns):
    """It is told by what stands below it: labels that come back, or numbers."""
    for labels in (("no", "yes"), ("3", "5")):
        rows = [(f"It was {'fine' if n % 3 else 'bad'}, day {n}.", labels[n % 3 > 0]) for n in range(60)]
        path = tmp_path / "a.csv"
        path.write_text("".join(f'"{text}","{label}"\n' for text, label in [header, *rows]))
        assert len(read_labelled(path, columns).rows) == 60
        path.write_text("".join(f'"{text}","{label}"\n' for text, label in rows))
        assert len(read_labelled(path, columns or {"text": "1", "label": "2"}).rows) == 60


def test_a_column_by_number_leaves_names_above_sentences_out(tmp_path):
    rows = [f'guest {n},{["Lyon", "Nice"][n % 2]}{n},"It was fine, on the whole, day {n}."' for n in range(30)]
    path = tmp_path / "a.csv"
    for header in ([], ["name,city,review"]):
        path.write_text("\n".join([*header, *rows]))
        assert len(open_table(path, {"text": True}, columns={"text": "3"}).rows) == 30


def test_dates_and_constants_are_no_texts(tmp_path):
    """As in the tweets of Sentiment140: a date that is longer than the text, a column of one value."""
    path = tmp_path / "a.csv"
    rows = [
        f'"{4 * (n % 2)}","{1000 + n}","Mon Apr {n % 28 + 1:02} 22:19:45 PDT 2009","NO_QUERY_WAS_GIVEN_FOR_ANY_OF_THESE","u{n}","short {n}"'
        for n in range(30)
    ]
    path.write_text("\n".join(rows))
    table = read_labelled(path)
    assert table.rows[1]["text"] == "short 1" and {row["label"] for row in table.rows} == {"0", "4"}


def test_a_short_pair_above_longer_ones_is_a_pair(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("Hello\tBonjour\n" + "".join(f"It is day {n}.\tC'est le jour {n}.\n" for n in range(30)))
    assert len(open_table(path, {"text": True}, columns={"text": "1"}).rows) == 31
