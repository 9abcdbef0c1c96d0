"""Tables that are packed: `.csv.gz`, spreadsheets (`.xlsx`), Parquet -> the text of a plain table.

    text, encoding, format = unpack("sales.xlsx")       the first sheet as CSV

A spreadsheet holds dates as days since 1900; `lamella.data.readers.stamps` knows them in a column that is called date.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from lamella.data.readers.suffixes import packing
from lamella.data.text.encoding import StrPath, decode_bytes, quote, read_bytes, show_path
from lamella.errors import DataError

MOST = 1 << 29  # bytes of a table when it is unpacked: a small file may hold far more than fits in memory
MOST_CELLS = 20_000_000
SMALL, RATIO = 20_000_000, 200  # bytes that any file may hold, and by how much tables shrink at most: more is no table
LOCKED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # begins a file of an older format, or one with a password
_SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def unpack(path: StrPath) -> tuple[str, str, str] | None:
    """The text of a packed table, its encoding in words, and its format ("" for that of its name); None for a plain one.

    Raises DataError where it is damaged, too large, or its reader is not installed.
    """
    kind = packing(path)
    if kind == ".gz":
        text, encoding = decode_bytes(_gunzip(path), show_path(path))
        return text, f"{encoding}, gzip", ""
    if kind == ".xlsx":
        rows = [values for _, values in first_sheet(path)[1]]
        width = max(map(len, rows))
        return _as_csv([row + [""] * (width - len(row)) for row in rows]), "spreadsheet", "CSV"
    if kind == ".parquet":
        return _parquet(path), "Parquet", "JSONL"
    return None


def _gunzip(path: StrPath) -> bytes:
    name = show_path(path)
    packed = read_bytes(path)
    most = _most(packed)
    try:
        with gzip.open(io.BytesIO(packed)) as stream:
            raw = stream.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{name}: expected a whole .gz file, received a damaged one ({error}). Copy it again"
        ) from error
    if len(raw) > most:
        raise DataError(
            f"{name}: expected at most {most:,} bytes when unpacked, received more. Split or unpack the table"
        )
    return raw


def _most(packed: bytes) -> int:
    """How many bytes a packed table may hold: a small file that holds gigabytes is made to harm."""
    return min(MOST, SMALL + RATIO * len(packed))


def _as_csv(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


# ---- spreadsheets


def first_sheet(path: StrPath) -> tuple[str, list[tuple[int, list[str]]]]:
    """The first sheet that has cells: its name in the archive, and of each row that is not empty its place and its cells."""
    name = show_path(path)
    try:
        packed = read_bytes(path)
        if packed.startswith(LOCKED):
            raise DataError(
                f"{name}: expected a spreadsheet (.xlsx), received one with a password or of an older format. "
                "Save it as .xlsx without a password"
            )
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            if sum(part.file_size for part in archive.infolist()) > (most := _most(packed)):
                raise DataError(f"{name}: expected at most {most:,} bytes when unpacked, received more. Save it as CSV")
            members = set(archive.namelist())
            shared = _shared(archive.read("xl/sharedStrings.xml")) if "xl/sharedStrings.xml" in members else []
            sheets = sorted(
                (m for m in members if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", m)),
                key=lambda m: int(re.sub(r"\D", "", m.rpartition("/")[2])),
            )
            for sheet in sheets:
                rows = list(_rows(archive.read(sheet), shared, name))
                if rows:
                    return sheet, rows
    except (zipfile.BadZipFile, KeyError, RuntimeError, ValueError, SyntaxError, zlib.error, EOFError) as error:
        raise DataError(
            f"{name}: expected a spreadsheet (.xlsx), received a damaged one ({error}). Save it as CSV"
        ) from error
    raise DataError(f"{name}: expected a sheet with rows, received none. Save the sheet as CSV")


def _parsed(raw: bytes) -> Any:
    from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped,unused-ignore]

    return fromstring(raw, forbid_dtd=True)


def _shared(raw: bytes) -> list[str]:
    """The texts that cells refer to by number."""
    return ["".join(t.text or "" for t in item.iter(f"{_SPACE}t")) for item in _parsed(raw).iter(f"{_SPACE}si")]


def _rows(raw: bytes, shared: Sequence[str], name: str) -> Iterator[tuple[int, list[str]]]:
    cells = 0
    for place, row in enumerate(_parsed(raw).iter(f"{_SPACE}row")):
        values: list[str] = []
        for cell in row.iter(f"{_SPACE}c"):
            column = column_number(cell.get("r", ""))
            if column > 16_384 or (cells := cells + 1) > MOST_CELLS:
                raise DataError(f"{name}: expected at most {MOST_CELLS:,} cells, received more. Save it as CSV")
            values += [""] * (column - 1 - len(values))
            values.append(_value(cell, shared))
        if any(values):
            yield place, values


def column_number(place: str) -> int:
    """The number of a column from a cell's place, 0 where none is named.

    >>> column_number("A1"), column_number("AB12"), column_number("")
    (1, 28, 0)
    """
    number = 0
    for letter in place:
        if not letter.isalpha():
            break
        number = 26 * number + ord(letter.upper()) - 64
    return number


def _value(cell: Any, shared: Sequence[str]) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return "".join(t.text or "" for t in cell.iter(f"{_SPACE}t"))
    found = cell.find(f"{_SPACE}v")
    text = (found.text or "") if found is not None else ""
    if kind == "s":
        return shared[int(text)] if text.isdigit() and int(text) < len(shared) else ""
    if kind == "b":
        return "true" if text == "1" else "false"
    return "" if kind == "e" else re.sub(r"^(-?\d+)\.0$", r"\1", text)


# ---- Parquet


def _parquet(path: StrPath) -> str:
    """The rows as JSON, a line each."""
    name = show_path(path)
    try:
        from pyarrow import ArrowException, parquet  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise DataError(
            f"{name}: expected a package that reads Parquet, received none. Install it: pip install pyarrow, or save the "
            "table as CSV"
        ) from error
    try:
        table = parquet.read_table(io.BytesIO(read_bytes(path)))
    except (ArrowException, OSError, ValueError) as error:
        raise DataError(f"{name}: expected a Parquet file, received {quote(str(error))}. Save it again") from error
    return "".join(json.dumps(row, default=str) + "\n" for row in table.to_pylist())
