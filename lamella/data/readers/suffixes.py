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


def table_suffix(path: str | os.PathLike[str]) -> str:
    """The suffix of a name in lower case.

    >>> table_suffix("Sales.CSV"), table_suffix("README")
    ('.csv', '')
    """
    return os.path.splitext(os.fspath(path))[1].lower()


def is_table(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a table by its name."""
    return table_suffix(path) in TABLE_SUFFIXES
