"""The kind of value `Row`: all columns of a table's row, explained column by column."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from lamella.errors import UsageError
from lamella.fields.base import Field, Limits, Part, Parts, json_kind, wrong

if TYPE_CHECKING:
    import numpy as np

FORM = ("name", "names", "mean")  # what a form needs to know of a column
Column = Mapping[str, Any]
"""A column as learned: its "name", and the "mean" and "spread" of numbers or the "names" of categories."""


class Row(Field, frozen=True, tag="row"):
    """A row of a table: column -> value, or the values in the order of the columns; what is missing is None or empty."""

    columns: tuple[Column, ...] = ()  # as learned; () before training

    control: ClassVar[str] = "row"
    noises: ClassVar[tuple[str, ...]] = ("inexact", "missing")

    def parse(self, name: str, text: str) -> Any:
        """A JSON object, or values with commas or spaces between them."""
        if text.lstrip().startswith("{"):
            return json_object(name, text)
        return text

    def check(self, name: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            if not all(isinstance(key, str) for key in value):
                raise wrong(name, "a row whose columns have names", value)
            return value if isinstance(value, dict) else dict(value)
        if isinstance(value, str):
            return self.parse(name, value)
        if hasattr(value, "tolist"):  # an array of another library
            value = value.tolist()
        if isinstance(value, list | tuple) and not any(isinstance(v, list | tuple | dict) for v in value):
            if len(value) == len(self.columns):
                return {column["name"]: v for column, v in zip(self.columns, value, strict=True)}
            return ",".join(_cell(v) for v in value)
        raise wrong(name, "a row: a dict of its columns, or its values with commas between them", value)

    def receive(self, name: str, value: Any, limits: Limits) -> Any:
        if isinstance(value, dict | list):
            return self.check(name, value)
        if not isinstance(value, str) or value[:5].lower() == "data:":
            raise UsageError(f"{name}: expected an object with a value for each column, received {json_kind(value)}.")
        return self.parse(name, value)

    def schema(self, limits: Limits) -> dict[str, Any]:
        """An object with the columns as learned, its values in their order, or the same as text, with commas between."""
        shape: dict[str, Any] = {"type": "object"}
        if self.columns:
            shape["properties"] = {c["name"]: _column_schema(c) for c in self.columns}
            shape["required"] = [c["name"] for c in self.columns]
        cell = {"type": ["number", "string", "boolean", "null"]}
        values = {"type": "array", "items": cell, "maxItems": limits.values}
        return {"anyOf": [shape, values, {"type": "string", "maxLength": limits.characters}]}

    def facts(self) -> dict[str, Any]:
        columns = [{k: column[k] for k in FORM if k in column} for column in self.columns]
        return {**super().facts(), **({"columns": columns} if columns else {})}

    def disturb(self, value: Any, noise: str, strength: float, rng: "np.random.Generator") -> Any:
        from lamella.data.noise.numbers import row

        return row(value, self.columns, noise, strength, rng)

    def split(self, value: Any, usual: Any = None) -> Parts:
        return RowParts(value, len(self.columns))


def rows_of(fields: Mapping[str, Field], path: Path) -> list[dict[str, Any]] | None:
    """The rows of a table as examples, where a whole row is the one field of an example; else None.

    Raises DataError for a table that cannot be read.
    """
    name, field = next(iter(fields.items()))
    if len(fields) != 1 or not isinstance(field, Row):
        return None
    from lamella.data.readers.measures import read_rows  # only where a table is read

    return [{name: row} for row in read_rows([str(path)], learned=field.columns)[0]]


def _column_schema(column: Column) -> dict[str, Any]:
    """A number, also as people write it, or one of the names; null where it is missing."""
    if "names" not in column:
        mark = column.get("decimal", ".")
        return {
            "type": ["number", "string", "null"],
            "description": f'A number; in a text "{mark}" is before decimals.',
        }
    return {
        "anyOf": [{"enum": list(column["names"])}, {"type": ["string", "number", "boolean", "null"]}],
        "description": "One of these; any other counts as missing.",
    }


def _cell(value: Any) -> str:
    """A value as it stands in a row that is text."""
    if value is None:
        return ""
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


def json_object(name: str, text: str) -> dict[str, Any]:
    """The object in a JSON text; UsageError where it is none."""
    try:
        value = msgspec.json.decode(text)
    except (ValueError, RecursionError) as error:  # msgspec's own errors are ValueErrors
        raise UsageError(f"{name}: expected a row as a JSON object, received {text[:60]!r} ({error}).") from error
    if not isinstance(value, dict):
        raise UsageError(f"{name}: expected a row as a JSON object, received {json_kind(value)}.")
    return value


class RowParts:
    """The columns of a row; one that is taken away is missing, as in a table with holes.

    >>> RowParts("3.5, x").without({0}), RowParts({"a": 1, "b": 2}).without({1})
    (',x', {'a': 1, 'b': None})
    """

    kind = "row"
    how = ("left empty, as where a table has no value", "left empty, as where a table has no value")

    def __init__(self, value: Any, count: int = 0) -> None:
        self.named, self.row = cells(value, count)
        self.units: list[Part] = [{"label": name} for name in self.row]

    def without(self, gone: Collection[int], other: bool = False) -> Any:
        row = {name: None if i in gone else value for i, (name, value) in enumerate(self.row.items())}
        return row if self.named else ",".join(_cell(v) for v in row.values())

    def shown(self) -> Any:
        return self.row

    def facts(self) -> dict[str, Any]:
        return {}


def cells(value: Any, count: int = 0) -> tuple[bool, dict[str, Any]]:
    """Whether a row names its columns, and column -> value; columns without names are numbered. count: of the model.

    >>> cells("3.5, x"), cells({"a": 1})
    ((False, {'column 1': '3.5', 'column 2': 'x'}), (True, {'a': 1}))
    """
    if isinstance(value, Mapping):
        return True, dict(value)
    if isinstance(value, str) and value.lstrip().startswith("{"):
        return True, json_object("row", value)
    if isinstance(value, str):
        from lamella.data.readers.typed_rows import split_row  # only where a row was typed

        value = split_row(value, count)
    return False, {f"column {i}": v for i, v in enumerate(value, start=1)}
