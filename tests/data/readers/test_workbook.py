"""Spreadsheets that come back as spreadsheets: new cells in one sheet, all else as it was."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from lamella.data.readers.packed import first_sheet
from lamella.errors import DataError, UsageError
from lamella.model.answering import predict_file
from tests.verbs.test_predict import SHOUT

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
SHEET = f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<worksheet {MAIN}><dimension ref="A1:C5"/><cols><col min="1" max="1" width="40"/></cols><sheetData>
<row r="1" spans="1:3"><c r="A1" s="2" t="s"><v>0</v></c><c r="B1" s="2" t="s"><v>1</v></c><c r="C1" t="s" s="2"><v>2</v></c></row>
<row r="2"><c r="A2" t="inlineStr"><is><t>An apple &amp; a pear</t></is></c><c r="B2"><v>2</v></c><c r="C2" s="1"><f>B2*2</f><v>4</v></c></row>
<row r="3"/>
<row r="4"><c r="A4" t="s"><v>3</v></c><c r="B4"><v>3</v></c></row>
<row r="5"><c r="B5"><v>9</v></c></row>
</sheetData><mergeCells count="1"><mergeCell ref="A9:D9"/></mergeCells></worksheet>"""
OTHERS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/worksheets/sheet2.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet2.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Goods" sheetId="1" r:id="rId1"/><sheet name="Other" sheetId="2" r:id="rId2"/></sheets></workbook>',
    "xl/sharedStrings.xml": f"<sst {MAIN}><si><t>text</t></si><si><t>n</t></si><si><t>twice</t></si><si><r><t>Two </t></r><r><t>runs</t></r></si></sst>",
    "xl/worksheets/sheet2.xml": f'<worksheet {MAIN}><sheetData><row r="1"><c r="A1"><f>Goods!C2</f><v>4</v></c></row></sheetData></worksheet>',
}  # fmt: skip


def book(path: Path, sheet: str = SHEET) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {**OTHERS, "xl/worksheets/sheet1.xml": sheet}.items():
            archive.writestr(name, text)
    return path


def test_a_workbook_comes_back(tmp_path):
    path = book(tmp_path / "a.xlsx")
    raw, suffix, counts = predict_file(SHOUT, path, {"text": "text"}, suffix=".xlsx")
    assert suffix == ".xlsx" and counts["rows"] == 3
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        assert {name: archive.read(name).decode() for name in OTHERS} == OTHERS
        text = archive.read("xl/worksheets/sheet1.xml").decode()
    # The new column stands behind the merged cells; formulas and styles stay, and a new cell looks like the one before it.
    assert re.sub(r'<c r="E\d".*?</c>', "", text).replace("A1:E5", "A1:C5") == SHEET.replace(' spans="1:3"', "")
    assert '<c r="E1" s="2" t="inlineStr"><is><t xml:space="preserve">label</t></is></c></row>' in text
    assert '<c r="E2" s="1" t="inlineStr"><is><t xml:space="preserve">AN APPLE &amp; A PEAR</t></is></c></row>' in text
    (tmp_path / "b.xlsx").write_bytes(raw)
    rows = [values for _, values in first_sheet(tmp_path / "b.xlsx")[1]]
    assert rows[2] == ["Two runs", "3", "", "", "TWO RUNS"] and rows[3] == ["", "9"]


def test_rows_without_places_and_names_with_a_prefix(tmp_path):
    sheet = f'<x:worksheet {MAIN.replace("xmlns", "xmlns:x")}><x:sheetData><x:row><x:c t="str"><x:v>One</x:v></x:c></x:row></x:sheetData></x:worksheet>'
    raw, _, _ = predict_file(SHOUT, book(tmp_path / "a.xlsx", sheet), suffix=".xlsx")
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        text = archive.read("xl/worksheets/sheet1.xml").decode()
    assert '</x:c><x:c r="B1" t="inlineStr"><x:is><x:t xml:space="preserve">ONE</x:t></x:is></x:c></x:row>' in text


def test_what_is_no_workbook(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    with pytest.raises(
        DataError, match=r"a.xlsx: expected a spreadsheet .*with a password or of an older format. Save"
    ):
        predict_file(SHOUT, tmp_path / "a.xlsx", suffix=".xlsx")
    (tmp_path / "b.csv").write_text("text\nOne\n")
    with pytest.raises(UsageError, match="is read, not written"):
        predict_file(SHOUT, tmp_path / "b.csv", suffix=".xlsx")


@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed")
def test_libreoffice_reads_it(tmp_path):
    raw, _, _ = predict_file(SHOUT, book(tmp_path / "a.xlsx"), {"text": "text"}, suffix=".xlsx")
    (tmp_path / "b.xlsx").write_bytes(raw)
    home = f"-env:UserInstallation=file://{tmp_path}/home"
    command = [
        "soffice",
        home,
        "--headless",
        "--convert-to",
        "csv",
        "--outdir",
        str(tmp_path),
        str(tmp_path / "b.xlsx"),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert (tmp_path / "b.csv").read_text("utf-8").splitlines()[1] == "An apple & a pear,2,4,,AN APPLE & A PEAR"
