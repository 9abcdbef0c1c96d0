"""Which file names are tables: the one list that training, prediction, the server and the command line share.

table_suffix("sales.CSV.gz")        ".csv"
is_table("photo.png")               False
"""

from __future__ import annotations

import os

TABLE_SUFFIXES = {
    ".csv": "CSV",
    ".tsv": "TSV",
    ".tab": "TSV",
    ".jsonl": "JSONL",
    ".ndjson": "JSONL",
    ".json": "JSON",
}
TABLES = tuple(TABLE_SUFFIXES)
TEXTS = (".txt", ".dat")
PACKED = (".gz", ".xlsx", ".parquet")
"""Tables that are unpacked before they are read (`lamella.data.readers.packed`); of `.gz` only those of a table."""


def _suffixes(path: str | os.PathLike[str]) -> tuple[str, str]:
    stem, last = os.path.splitext(os.fspath(path).lower())
    return last, os.path.splitext(stem)[1]


def packing(path: str | os.PathLike[str]) -> str:
    """How a table is packed, by its name; "" where it is not.

    >>> packing("a.csv.gz"), packing("a.tar.gz"), packing("a.xlsx"), packing("a.csv")
    ('.gz', '', '.xlsx', '')
    """
    last, before = _suffixes(path)
    return last if last in PACKED and (last != ".gz" or before in TABLE_SUFFIXES) else ""


def table_suffix(path: str | os.PathLike[str]) -> str:
    """The suffix of a name in lower case, that of a table inside of `.gz`.

    >>> table_suffix("Sales.CSV"), table_suffix("a.tsv.gz"), table_suffix("README")
    ('.csv', '.tsv', '')
    """
    last, before = _suffixes(path)
    return before if packing(path) == ".gz" else last


def is_table(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a table by its name."""
    return table_suffix(path) in TABLE_SUFFIXES or packing(path) != ""


def may_be_table(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a table by its name, or a text that may hold one.

    >>> may_be_table("a.csv"), may_be_table("a.TXT"), may_be_table("a.wav")
    (True, True, False)
    """
    return is_table(path) or _suffixes(path)[0] in TEXTS
