"""Tables that describe items -> their names, and what is said of each: `u.item`, `movies.csv`, `ml.item`, a shop's catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from lamella.data.readers.event_files import GENRES, ITEM, TITLE, header_of
from lamella.data.readers.records import fold
from lamella.data.readers.report import counted
from lamella.data.readers.tables import read_table
from lamella.data.text.encoding import read_text, split_lines

Described = Mapping[str, Mapping[str, str]]
"""Name of an item -> column -> what stands there."""
MOST = 20  # columns that describe an item
UNTOLD = ("url", "image", "img", "link", "href", "thumbnail")  # words in names of columns that say nothing in words


class Named(msgspec.Struct):
    """Items by the data's ids: what they are called and what is said of them."""

    names: dict[str, str] = {}
    described: dict[str, dict[str, str]] = {}
    ids: dict[str, str] = {}

    def add(self, one: str, title: str, columns: Mapping[str, str]) -> None:
        """An item by its id; one that is called like another has its id behind its name."""
        if one in self.names:
            return
        name = title or one
        if self.ids.get(name, one) != one:
            name = f"{name} [{one}]"
        self.names[one], self.ids[name] = name, one
        self.described[name] = {k: v for k, v in columns.items() if v}

    def name(self, one: str, title: str = "") -> str:
        """What an item is called."""
        if one not in self.names and title:
            self.add(one, title, {})
        return self.names.get(one, one)


def read_items(paths: Sequence[str]) -> tuple[Named, list[str]]:
    """The items of all tables, and the lines that say what was read."""
    named, lines = Named(), []
    for path in paths:
        before = len(named.names)
        name = Path(path).name.lower()
        if name == "u.item" or name.endswith(".dat"):
            _movielens(path, named)
        else:
            header = header_of(path)
            own = {fold(alias) for alias in (*ITEM, *TITLE)}
            more = [c for c in header if c and fold(c) not in own and not any(w in c.casefold() for w in UNTOLD)][:MOST]
            wanted = {"item": ITEM, "title": TITLE, **{column: (column,) for column in more}}
            for row in read_table(path, wanted, optional=("title", *more), nested=more).rows:
                columns = {column.partition(":")[0]: _in_words(row.get(column, "")) for column in more}
                named.add(row["item"], row.get("title", ""), columns)
        lines.append(f"{path}: describes {counted(len(named.names) - before, 'item')}")
    return named, lines


def _in_words(cell: str) -> str:
    """What a cell says, without JSON's marks where it holds lists or objects: categories, features, details.

    >>> _in_words('[["Office", "Pens"], {"Colour": "red"}]'), _in_words("[Remastered]")
    ('Office|Pens|red', '[Remastered]')
    """
    if cell[:1] not in ("[", "{"):
        return cell
    try:
        held = [msgspec.json.decode(cell)]
    except (msgspec.DecodeError, RecursionError):
        return cell
    words: list[str] = []
    while held:
        value = held.pop()
        inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else None
        if inner is not None:
            held += reversed(inner)
        elif value is not None and not isinstance(value, bool):
            words.append(str(value))
    return "|".join(words)


def _movielens(path: str, named: Named) -> None:
    """`u.item`, whose genres are columns of 0 and 1, or `movies.dat`."""
    for line in split_lines(read_text(path)[0]):
        cells = line.split("::" if "::" in line else "|")
        if len(cells) == 3:
            named.add(cells[0].strip(), cells[1].strip(), {"genres": cells[2].strip()})
        elif len(cells) >= 5 + len(GENRES):
            genres = [genre for genre, flag in zip(GENRES, cells[-len(GENRES) :], strict=True) if flag.strip() == "1"]
            named.add(cells[0].strip(), cells[1].strip(), {"genres": "|".join(genres)})
