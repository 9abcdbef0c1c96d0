"""Packed tables: .csv.gz, spreadsheets and Parquet are read like plain ones; a .gz is written back as it came."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from pathlib import Path

import pytest

from lamella.data.readers import packed
from lamella.data.readers.labels import read_labelled
from lamella.data.readers.measures import read_rows
from lamella.data.readers.series import read_series
from lamella.data.readers.suffixes import is_table
from lamella.errors import DataError, UsageError
from lamella.model.answering import predict_file
from tests.verbs.test_predict import SHOUT

ROWS = [["text", "label"], ["Good, or so", "yes"], ['A "quoted" word', "no"], ["Fine", "yes"]]
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def sheet(path: Path, rows: list[list[object]], more: str = "") -> Path:
    """A spreadsheet as programs write it: texts in a list of their own, numbers in place."""
    texts = sorted({cell for row in rows for cell in row if isinstance(cell, str)})
    body = ""
    for r, row in enumerate(rows, 1):
        cells = ""
        for c, cell in enumerate(row):
            place = f"{'ABCDEFG'[c]}{r}"
            if isinstance(cell, str):
                cells += f'<c r="{place}" t="s"><v>{texts.index(cell)}</v></c>' if cell else ""
            else:
                cells += f'<c r="{place}"><v>{cell}</v></c>'
        body += f'<row r="{r}">{cells}</row>'
    items = "".join(f"<si><t>{t.replace('&', '&amp;')}</t></si>" for t in texts)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", f"{more}<sst {MAIN}>{items}</sst>")
        archive.writestr("xl/worksheets/sheet1.xml", f"<worksheet {MAIN}><sheetData/></worksheet>")
        archive.writestr("xl/worksheets/sheet2.xml", f"<worksheet {MAIN}><sheetData>{body}</sheetData></worksheet>")
    return path


def as_csv(rows: list[list[str]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def test_gzip(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(as_csv(ROWS).encode("utf-16")))
    assert [list(row.values()) for row in read_labelled(path).rows] == ROWS[1:]
    raw, suffix, _ = predict_file(SHOUT, path)
    assert suffix == ".gz" and gzip.decompress(raw).decode("utf-16").splitlines()[3] == "Fine,yes,FINE"
    assert is_table(path) and not is_table("a.tar.gz") and not is_table("a.gz")
    path.write_bytes(gzip.compress(as_csv(ROWS).encode())[:-9])
    with pytest.raises(DataError, match=r"damaged one.*Copy it again"):
        read_labelled(path)


def test_a_small_file_that_holds_very_much(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "MOST", 1000)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"a,b\n" * 1000))
    with pytest.raises(DataError, match="at most 1,000 bytes when unpacked"):
        read_labelled(tmp_path / "a.csv.gz")
    with pytest.raises(DataError, match="at most 1,000 bytes when unpacked"):
        read_labelled(sheet(tmp_path / "a.xlsx", [["text", "label"], *[[f"text {n}", "x"] for n in range(99)]]))


def test_a_spreadsheet(tmp_path):
    path = sheet(tmp_path / "a.xlsx", ROWS)
    assert [list(row.values()) for row in read_labelled(path).rows] == ROWS[1:]
    raw, suffix, _ = predict_file(SHOUT, path)
    assert suffix == ".csv" and raw.decode().splitlines()[3] == "Fine,yes,FINE"
    with pytest.raises(UsageError, match="is read, not written"):
        predict_file(SHOUT, path, suffix=".parquet")
    series = read_series(sheet(tmp_path / "b.xlsx", [["date", "v"], [43831, 1.5], [43832, 2], [43833, 3.25]]))
    assert series.tracks[0].values.tolist() == [1.5, 2, 3.25] and series.step.size == 86400
    rows, _ = read_rows([str(sheet(tmp_path / "c.xlsx", [["a", "b", "c"], [1, "", "x"], [2, 4, "y"]]))])
    assert rows == [{"a": "1", "b": "", "c": "x"}, {"a": "2", "b": "4", "c": "y"}]


def test_what_is_no_spreadsheet(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04 and so on")
    with pytest.raises(DataError, match="damaged one"):
        read_labelled(tmp_path / "a.xlsx")
    bomb = '<!DOCTYPE a [<!ENTITY b "ccc">]>'
    with pytest.raises(DataError, match=r"damaged one.*Save it as CSV"):
        read_labelled(sheet(tmp_path / "b.xlsx", ROWS, more=bomb))


def test_parquet(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    columns = list(zip(*ROWS[1:], strict=True))
    parquet.write_table(pyarrow.table({"text": columns[0], "label": columns[1]}), tmp_path / "a.parquet")
    assert [list(row.values()) for row in read_labelled(tmp_path / "a.parquet").rows] == ROWS[1:]
    assert predict_file(SHOUT, tmp_path / "a.parquet")[1] == ".jsonl"


def test_parquet_without_its_package(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="pip install pyarrow"):
        read_labelled(tmp_path / "a.parquet")
