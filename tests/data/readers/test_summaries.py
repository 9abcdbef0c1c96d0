"""Texts with their summaries: each kind of file, and what is said of those that hold no such pairs."""

from __future__ import annotations

import json

import pytest

from lamella.data.readers.summaries import read_summaries
from lamella.errors import DataError, UsageError
from lamella.registry import find

TEXT = "The library in Mill Street will stay closed on Friday because of a stock count."
SHORT = "Library closed on Friday."


@pytest.mark.parametrize(
    "names", [("article", "highlights"), ("Dialogue", "Summary"), ("document", "tldr"), ("source", "target")]
)
def test_a_table_with_the_usual_names(tmp_path, names):
    path = tmp_path / "rows.csv"
    path.write_text(f'id,{names[1]},{names[0]}\n1,"{SHORT}","{TEXT}"\n')
    examples, lines = read_summaries([str(path)])
    assert examples == [{"text": TEXT, "summary": SHORT}]
    assert f'text = column 3 "{names[0]}"' in lines[0] and "kept 1 row" in lines


def test_a_table_without_names_and_one_with_others(tmp_path):
    path = tmp_path / "rows.tsv"
    path.write_text(f"{SHORT}\t{TEXT}\n" * 3)
    assert read_summaries([str(path)])[0][0] == {"text": TEXT, "summary": SHORT}, "the longer column is the text"
    path.write_text(f"long\tshort\n{TEXT}\t{SHORT}\n")
    assert read_summaries([str(path)], {"text": "long", "summary": "short"})[0] == [{"text": TEXT, "summary": SHORT}]
    with pytest.raises(UsageError, match="columns: expected text, summary, received label"):
        read_summaries([str(path)], {"label": "long"})


def test_lists_are_sentences_of_a_text_and_several_summaries(tmp_path):
    """As SciTLDR has them."""
    path = tmp_path / "rows.jsonl"
    rows = [
        {"source": [TEXT, "It opens on Monday."], "target": [SHORT, "No library on Friday."]},
        {"source": TEXT, "target": SHORT},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    first, second = read_summaries([str(path)])[0]
    assert first == {
        "text": f"{TEXT} It opens on Monday.",
        "summary": SHORT,
        "references": [SHORT, "No library on Friday."],
    }
    assert second == {"text": TEXT, "summary": SHORT}


def test_stories(tmp_path):
    (tmp_path / "a.story").write_text(
        f"(CNN) {TEXT}\n\nMore of it.\n\n@highlight\n\nLibrary closed\n\n@highlight\n\nStock count on Friday\n"
    )
    (tmp_path / "b.story").write_text(TEXT)
    examples, lines = read_summaries([str(tmp_path)])
    assert examples == [{"text": f"(CNN) {TEXT} More of it.", "summary": "Library closed. Stock count on Friday."}]
    assert "dropped 1: a story without @highlight" in lines
    assert read_summaries([str(tmp_path / "a.story")])[0] == examples


def test_folders_of_texts_and_of_summaries(tmp_path):
    for folder, name, text in (
        ("News Articles", "1.txt", TEXT),
        ("Summaries", "1.sum", SHORT),
        ("Summaries", "2.sum", SHORT),
    ):
        (tmp_path / "bbc" / folder / "business").mkdir(parents=True, exist_ok=True)
        (tmp_path / "bbc" / folder / "business" / name).write_text(text)
    both = [str(tmp_path / "bbc" / folder) for folder in ("News Articles", "Summaries")]
    for paths in ([str(tmp_path / "bbc")], both):
        examples, lines = read_summaries(paths)
        assert examples == [{"text": TEXT, "summary": SHORT}] and "dropped 1: a summary without a text" in lines
    with pytest.raises(DataError, match="expected files of the same name in both, received 2 and 0"):
        (tmp_path / "empty").mkdir()
        read_summaries([both[1], str(tmp_path / "empty")])
    with pytest.raises(
        DataError, match=r"expected \.story files, or a folder texts and a folder summaries in it, received bbc"
    ):
        read_summaries([str(tmp_path)])


def test_bad_rows_are_counted_until_they_are_too_many(tmp_path):
    path = tmp_path / "rows.csv"
    good, empty, longer = (
        f'"{TEXT}","{SHORT}"\n',
        f'"{TEXT}",\n',
        '"A short text.","A summary that is longer than its text."\n',
    )
    path.write_text("text,summary\n" + good * 10 + empty + longer)
    examples, lines = read_summaries([str(path)])
    assert len(examples) == 10
    assert {"dropped 1: an empty cell in summary", "dropped 1: a summary longer than its text"} <= set(lines)
    path.write_text("text,summary\n" + longer * 3 + good)
    with pytest.raises(
        DataError,
        match=r"shorter than their texts, received 3 of 4 that are longer, such as one of 8 words for a text of 3.*--columns",
    ):
        read_summaries([str(path)])
    path.write_text("text,summary\n" + empty * 3)
    with pytest.raises(DataError, match=r"received none \(3 with an empty cell in summary\)"):
        read_summaries([str(path)])


def test_what_holds_no_pairs(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"text": {"a": 1}, "summary": SHORT}) + "\n")
    with pytest.raises(DataError):
        read_summaries([str(path)])
    path.write_text(json.dumps({"text": [["a"]], "summary": SHORT}) + "\n")
    with pytest.raises(DataError, match="a text or a list of texts in text"):
        read_summaries([str(path)])
    path.write_text(json.dumps({"body": TEXT}) + "\n")
    with pytest.raises(DataError, match="expected 2 columns for text, summary"):
        read_summaries([str(path)])
    with pytest.raises(DataError, match=r"missing\.csv"):
        read_summaries([str(tmp_path / "missing.csv")])


@pytest.mark.parametrize("names", ["summary_1,summary_2", "summary,summary2", "summary,summary_2"])
def test_several_summaries_in_numbered_columns(tmp_path, names):
    rows = "".join(f'"{TEXT}",closed {n},{"shut" if n else ""}\n' for n in range(12))
    (tmp_path / "a.csv").write_text(f"text,{names}\n" + rows)
    examples, lines = read_summaries([str(tmp_path / "a.csv")])
    assert examples[0] == {"text": TEXT, "summary": "closed 0"}
    assert examples[1]["references"] == ["closed 1", "shut"] and "further summaries" in lines[0]


def test_markup_in_folders_is_taken_off_as_it_is_when_it_answers(tmp_path):
    for place, name, text in (
        ("texts", "a.md", f"# News\n\n{TEXT}\n"),
        ("texts", "b.html", f"<h1>News</h1><p>{TEXT}</p>"),
    ):
        (tmp_path / place).mkdir(exist_ok=True)
        (tmp_path / "summaries").mkdir(exist_ok=True)
        (tmp_path / place / name).write_text(text)
        (tmp_path / "summaries" / name).with_suffix(".txt").write_text("closed")
    examples, _ = find("summarization")().read([str(tmp_path)])
    assert [example["text"] for example in examples] == [f"News {TEXT}"] * 2
