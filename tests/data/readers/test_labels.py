"""Texts with labels: which column is which, and what is odd about the labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamella.data.readers.labels import read_labelled
from lamella.errors import DataError


def labelled(folder: Path, content: str, **options):
    path = folder / "a.csv"
    path.write_text(content, encoding="utf-8")
    return read_labelled(path, **options)


def test_label_column_is_found_by_content(tmp_path):
    lines = "".join(f"{n},{'neg' if n % 3 else 'pos'},2020,a long text number {n}\n" for n in range(30))
    want = {"text": "a long text number 1", "label": "neg"}
    assert labelled(tmp_path, lines).rows[1] == want
    assert labelled(tmp_path, "key,verdict,year,remark\n" + lines).rows[1] == want
    assert len(labelled(tmp_path, "key,verdict,year,remark\n" + lines)) == 30
    assert labelled(tmp_path, lines, columns={"text": 4, "label": 2}).rows[1] == want


def test_labels_that_cannot_be_learned(tmp_path):
    with pytest.raises(DataError, match='received one, "yes", on all 3 rows'):
        labelled(tmp_path, "text,label\na,yes\nb,yes\nc,yes\n")
    with pytest.raises(DataError, match="40 different ones on 40 rows"):
        labelled(tmp_path, "text,label\n" + "".join(f"text {n},label {n}\n" for n in range(40)))
    with pytest.raises(DataError, match="empty"):
        labelled(tmp_path, "")


def test_notes_on_labels(tmp_path):
    lines = ["text,label", *(f"text {n},{'positive' if n % 2 else 'negative'}" for n in range(800))]
    lines += ["odd 1,positve", "odd 2,positve", "odd 3,positve", "odd 4,Negative", "odd 5,mixed"]
    lines += ["text 1,positive", "text 3,negative", "class a,type 1", "class b,type 2", "class c,type 2"]
    notes = "\n".join(labelled(tmp_path, "\n".join(lines)).report.notes)
    assert 'label "positve" (3 rows) may be a misspelling of "positive" (401 rows)' in notes
    assert '"Negative" (1 row) may be a misspelling of "negative"' in notes
    assert 'label "mixed" has a single example (a.csv, line 806)' in notes
    assert '"type 1" (1 row) may' not in notes and '"negative" (' not in notes.replace('of "negative" (', "")
    assert "1 row repeat" in notes and "1 text has more than one label" in notes and "line 808" in notes
    few = labelled(tmp_path, "text,label\n" + "".join(f"t{n},{'x' if n else 'y'}\n" for n in range(99)))
    assert "99.0% of rows" in few.report.notes[0]
