"""A row that was typed, or came as JSON: its values by the columns that a model knows.

as_row(columns, "3.5, red")                 {"height": "3.5", "colour": "red"}
split_row('"1,299.50", red')                ["1,299.50", "red"]
"""

import csv
import json
from collections.abc import Mapping, Sequence
from typing import Any

from lamella.data.text.encoding import quote, quote_all
from lamella.errors import DataError


def as_row(columns: Sequence[Mapping[str, Any]], value: Any) -> Mapping[str, Any]:
    """A row as it is; a text as a JSON object, or as values in the order of the columns, with commas or spaces between.

    >>> as_row([{"name": "a", "mean": 0, "spread": 1}, {"name": "b", "names": ["x"], "shares": [1]}], "3.5, x")
    {'a': '3.5', 'b': 'x'}
    """
    if isinstance(value, dict):
        return value
    if isinstance(value, list | tuple):
        cells = list(value)
        _check_width(columns, cells, str(value))
        return {c["name"]: cell for c, cell in zip(columns, cells, strict=True)}
    text = str(value)
    if text.lstrip().startswith("{"):
        try:
            return dict(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise DataError(f"expected a row as JSON, received {quote(text)} ({error}).") from error
    cells = split_row(text, len(columns))
    _check_width(columns, cells, text)
    return {c["name"]: cell for c, cell in zip(columns, cells, strict=True)}


def split_row(text: str, count: int = 0) -> list[str]:
    """A row that was typed: values with commas, semicolons, tabs or spaces between; one in quotes may hold a comma.

    count: how many there should be, which decides between commas and semicolons.

    >>> split_row('"1,299.50", red'), split_row("1.299,50; red", 2), split_row("3.5 red")
    (['1,299.50', 'red'], ['1.299,50', 'red'], ['3.5', 'red'])
    """
    ways = [_cut(text, mark) for mark in ";\t," if mark in text] or [text.split()]
    return next((cells for cells in ways if len(cells) == count), ways[-1])


def _cut(text: str, mark: str) -> list[str]:
    return [
        cell.strip() for cell in next(csv.reader([" ".join(text.splitlines())], delimiter=mark, skipinitialspace=True))
    ]


def _check_width(columns: Sequence[Mapping[str, Any]], cells: Sequence[Any], given: str) -> None:
    if len(cells) != len(columns):
        names = quote_all(c["name"] for c in columns)
        raise DataError(f"expected {len(columns)} values ({names}), received {len(cells)}: {quote(given)}.")
