"""Lists of names as people type them: "Alien; Blade Runner"."""

import csv
import io
from collections.abc import Sequence

import msgspec


def split_names(text: str) -> list[str]:
    """Names with semicolons between them, or on a line each; one with a semicolon in it stands in double quotes. Or a JSON list.

    >>> split_names("Alien;  Blade Runner;"), split_names(""), split_names('["Alien", 7]')
    (['Alien', 'Blade Runner'], [], ['Alien', '7'])
    """
    if text.lstrip().startswith("["):
        try:
            return list(map(str, msgspec.json.decode(text.encode("utf-8", "replace"), type=list[str | int])))
        except (ValueError, RecursionError):  # a name may begin with a bracket: [REC]
            pass
    if '"' not in text:
        parts = text.replace("\n", ";").replace("\r", ";").split(";")
    else:
        reader = csv.reader(io.StringIO(text.replace("\0", "")), delimiter=";", skipinitialspace=True)
        try:
            parts = [cell for row in reader for cell in row]
        except csv.Error:  # a cell beyond what csv takes
            parts = text.split(";")
    return [part.strip() for part in parts if part.strip()]


def join_names(names: Sequence[str]) -> str:
    """The text of which `split_names` makes these names.

    >>> join_names(["Alien", "One; Two"])
    'Alien; "One; Two"'
    """
    return "; ".join('"' + n.replace('"', '""') + '"' if ";" in n or n.startswith('"') else n for n in names)
