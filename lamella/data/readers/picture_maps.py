"""JSON that maps pictures to labels: `{"a.jpg": "cat"}`, `{"cat": ["a.jpg", "b.jpg"]}`, `{"labels": [["a.jpg", 3]]}`.

Such a file is one object whose keys are data, so it has no columns. Which of its parts name pictures says how it is to be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from lamella.data.readers.json_records import decode_json, scalar
from lamella.data.readers.records import fold
from lamella.data.text.encoding import quote, quote_all, read_text, show_path
from lamella.errors import DataError

COVER = 0.5  # share of the names that must be of pictures which are there
Pairs = list[tuple[str, str]]


def json_object(path: Path) -> dict[str, Any] | None:
    """The object that a file of JSON is; None for an array, for an object a line, and where it is no JSON."""
    if path.suffix.lower() != ".json":
        return None
    text = read_text(path)[0].strip()
    if not text.startswith("{"):
        return None
    try:
        value, end = decode_json(text)
    except ValueError:
        return None
    return value if end == len(text) and isinstance(value, dict) else None


def labels_by_name(path: Path, found: Callable[[str], object], called: Collection[str]) -> Pairs | None:
    """The pictures that an object of JSON names, each with its label, "" for none; None where it is no such map.

    found: whether there is a picture of this name; called: the names that a label may have where each picture has an object.
    Raises DataError where a picture has several labels.
    """
    whole = json_object(path)
    if not whole:
        return None
    for key, part in [(None, whole), *whole.items()]:
        pairs = _pairs(part, found, called, show_path(path))
        names = [name for name, _ in pairs or ()]
        if pairs and sum(bool(found(name)) for name in names) >= COVER * len(names):
            others = {name: value for name, value in whole.items() if name != key} if key is not None else {}
            return _named(pairs, others)
    return None


def _pairs(part: Any, found: Callable[[str], object], called: Collection[str], file: str) -> Pairs | None:
    """Name and label of each entry of a map, of a map from classes to lists of names, or of a list of both."""
    if isinstance(part, list):
        if part and all(isinstance(row, list) and len(row) == 2 and isinstance(row[0], str) for row in part):
            return [(name, _label(name, value, called, file)) for name, value in part]
        return None
    if not isinstance(part, dict) or not part:
        return None
    lists = [value for value in part.values() if isinstance(value, list)]
    inside = [name for value in lists for name in value if isinstance(name, str)]
    if len(lists) == len(part) and inside and sum(bool(found(name)) for name in inside) >= COVER * len(inside):
        return [(name, label) for label, names in part.items() for name in names if isinstance(name, str)]
    # What is asked of every entry is asked of the names first: another object may have lists that are no labels.
    if sum(bool(found(name)) for name in part) < COVER * len(part):
        return None
    return [(name, _label(name, value, called, file)) for name, value in part.items()]


def _label(name: str, value: Any, called: Collection[str], file: str) -> str:
    """The label of one picture: a value, a list of one, or an object that holds it."""
    if isinstance(value, dict):
        keys = [key for key in value if fold(key) in called] or list(value)[: len(value) == 1]
        if not keys:
            raise DataError(
                f"{file}: expected a label for each picture, received for {quote(name)} an object of {quote_all(value, 6)}. "
                'Call the label "label".'
            )
        value = value[keys[0]]
    if isinstance(value, list):
        if len(value) > 1:
            raise DataError(
                f"{file}: expected one label a picture, received {len(value)} for {quote(name)}: "
                f"{quote_all(map(str, value), 6)}. Keep the one that is meant."
            )
        value = value[0] if value else None
    return "" if value is None else str(scalar(value)).strip()


def _named(pairs: Pairs, others: Mapping[str, Any]) -> Pairs:
    """The labels by their names, where these are numbers and something beside them says what the numbers mean."""
    labels = {label for _, label in pairs if label}
    for other in others.values():
        if isinstance(other, list):
            other = {str(at): name for at, name in enumerate(other)}
        if (
            isinstance(other, dict)
            and all(re.fullmatch(r"\d+", label) and isinstance(other.get(label), str) for label in labels)
            and len({other[label] for label in labels}) == len(labels)
        ):
            return [(name, other[label] if label else "") for name, label in pairs]
    return pairs
