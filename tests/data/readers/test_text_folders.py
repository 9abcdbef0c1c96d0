"""Texts in one folder a class: parts, files of other kinds, classes without texts, several folders."""

from __future__ import annotations

import json

import pytest

from lamella import registry
from lamella.data.readers.labels import read_labelled
from lamella.errors import DataError
from lamella.train.gather import gather


def texts(place, label, count=6, suffix=".txt", start=0):
    (place / label).mkdir(parents=True, exist_ok=True)
    for n in range(start, start + count):
        (place / label / f"{n}{suffix}").write_text(f"{label} text number {n}\nwith two lines\n", encoding="utf-8")


def found(path):
    rows, lines = registry.find("text-classification")().read([str(path)])
    return sorted({row["label"] for row in rows}), len(rows), "\n".join(lines)


@pytest.mark.parametrize("suffix", [".txt", "", ".text", ".0001"])
@pytest.mark.parametrize("around", ["", "archive/data"])
def test_a_folder_is_a_class(tmp_path, suffix, around):
    for label in ("sport", "trade"):
        texts(tmp_path / around, label, suffix=suffix)
    (tmp_path / around / "README.md").write_text("about")
    labels, count, said = found(tmp_path)
    assert (labels, count) == (["sport", "trade"], 12) and '"sport" 6, "trade" 6' in said and "README.md" in said


def test_parts_and_texts_without_labels(tmp_path):
    for part, count in (("train", 20), ("test", 6)):
        for label in ("neg", "pos"):
            texts(tmp_path / part, label, count, start=100 * (part == "test"))
        (tmp_path / part / "labeledBow.feat").write_text("9 0:1")
    texts(tmp_path / "train", "unsup", 30)
    (tmp_path / "imdb.vocab").write_text("the\n")
    gathered = gather(registry.find("text-classification")(), [str(tmp_path)], [], None, 0)
    assert len(gathered.held) == 12 and len(gathered.learn) + len(gathered.watched) == 40
    said = "\n".join(gathered.lines)
    assert "unsup holds texts without a label" in said and "labeledBow.feat" in said


def test_class_folders_by_themselves_and_inside(tmp_path):
    texts(tmp_path, "a")
    texts(tmp_path / "b", "inner")
    (tmp_path / "empty").mkdir()
    table = read_labelled([tmp_path / "a", tmp_path / "b" / "inner"])
    assert {row["label"] for row in table.rows} == {"a", "inner"}
    labels, count, said = found(tmp_path)
    assert (labels, count) == (["a", "b"], 12) and "empty: a class without a text" in said


def test_what_cannot_be_read_is_named(tmp_path):
    texts(tmp_path, "a", 30)
    texts(tmp_path, "b", 30)
    (tmp_path / "a" / "bad.txt").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\xff\xfe")
    (tmp_path / "b" / "empty.txt").write_text(" \n")
    _, count, said = found(tmp_path)
    assert count == 60 and "unreadable: " in said and "bad.txt" in said and "an empty text" in said
    for n in range(9):
        (tmp_path / "a" / f"bad{n}.txt").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\xff\xfe")
    with pytest.raises(DataError, match="at most 10% bad texts"):
        found(tmp_path)


@pytest.mark.parametrize("name", ["reviews.csv", "cat/a.png", ""])
def test_folders_without_texts_are_refused(tmp_path, name):
    if name:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text,label\n")
    with pytest.raises(DataError, match=r"texts \(\.txt\) in one folder a class.*Name the file inside it"):
        found(tmp_path)


def test_columns_of_a_folder_are_refused(tmp_path):
    texts(tmp_path, "a")
    texts(tmp_path, "b")
    with pytest.raises(DataError, match="a folder has no columns"):
        read_labelled(tmp_path, {"text": "1"})


def test_rejected_annotations_are_left_out(tmp_path):
    rows = [
        {"text": f"text {n}", "label": "ab"[n % 2], "answer": ["accept", "accept", "reject"][n % 3]} for n in range(30)
    ]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    labels, count, said = found(path)
    assert (labels, count) == (["a", "b"], 20) and 'dropped 10: an "answer" other than "accept"' in said
    path.write_text(
        "".join(json.dumps(row | {"answer": "accept" if n % 2 else "no"}) + "\n" for n, row in enumerate(rows))
    )
    assert found(path)[1] == 30, "answers of another kind"
