"""Files of events -> who chose what, when, and how it was rated; and which of several files are such."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from lamella.data.readers.bad_rows import BadRow, refuse_many
from lamella.data.readers.parts import visible
from lamella.data.readers.records import fold, read_sheet
from lamella.data.readers.report import LISTED, counted
from lamella.data.readers.suffixes import is_table, table_suffix
from lamella.data.readers.tables import read_table
from lamella.data.text.encoding import quote, read_text, split_lines
from lamella.data.text.names import split_names
from lamella.errors import DataError

if TYPE_CHECKING:
    from lamella.data.readers.item_tables import Named

USER = (
    "user", "user_id", "userId", "user_id:token", "session_id", "session", "sessionId", "session_id:token", "reviewerID",
    "reviewer_id", "visitor_id", "visitorid", "customer_id", "CustomerID", "Customer ID", "customer", "client_id", "uid",
    "member_id", "account_id", "profile_id", "person", "reader", "listener", "username", "user_name", "device_id",
)  # fmt: skip
ITEM = (
    "item", "item_id", "itemId", "item_id:token", "movieId", "movie_id", "parent_asin", "asin", "product_id", "productId",
    "product", "sku", "StockCode", "track_id", "song_id", "artist_id", "article_id", "business_id", "book_id", "isbn",
    "page_id", "page", "game_id", "app_id", "content_id", "video_id", "aid", "iid", "entity_id", "movie", "film", "book",
    "song", "track", "title",
)  # fmt: skip
TIME = (
    "time", "timestamp", "timestamp:float", "unixReviewTime", "event_time", "datetime", "date", "created_at", "ts",
    "event_timestamp", "eventdate", "InvoiceDate", "reviewTime", "visit_time", "timeframe", "when", "day",
)  # fmt: skip
RATING = ("rating", "rating:float", "overall", "stars", "score", "liked", "vote")
TITLE = (
    "title", "name", "movie_title:token_seq", "title:token_seq", "name:token_seq", "item_name", "product_name", "Description",
    "movie_title", "title:token", "track_name", "book_title", "game_title:token_seq",
)  # fmt: skip
SPACED = ("item_id_list:token_seq", "item_id_list")  # RecBole's files for sequences: items with spaces between them
HISTORY = ("history", "items", "sequence", "item_sequence", *SPACED)
SESSION = ("session_id", "sessionId", "session", "user_session")
WANTED = {"user": USER, "item": ITEM, "time": TIME, "rating": RATING, "title": TITLE, "session": SESSION}
GENRES = (
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
ATOMIC = {".user", ".kg", ".link", ".net"}  # further files of RecBole's, without choices
NOBODY = {
    "na",
    "nan",
    "null",
    "none",
    "0",
    "-1",
    "unknown",
    "anonymous",
}  # users of logs in which only sessions are known
_ASIN, _REVIEWER = re.compile(r"(?:B[0-9A-Z]{9}|[0-9]{9}[0-9X])"), re.compile(r"A[0-9A-Z]{9,20}")  # Amazon's ids
_FLOAT = re.compile(r"(\d+)\.0")  # what a table with gaps makes of a whole number
FIRST = 200  # rows that decide what the columns of a table without a header are


class Event(msgspec.Struct):
    """Somebody chose something."""

    user: str
    item: str
    time: str = ""
    rating: float = math.nan
    where: str = ""
    second: float = 0.0


class Files(msgspec.Struct):
    """Files by what they hold, and those of a folder that hold nothing of it."""

    events: list[str] = []
    items: list[str] = []
    histories: list[str] = []
    sessions: list[str] = []
    others: list[str] = []


def sort_files(paths: Sequence[str], columns: Mapping[str, str] | None) -> Files:
    """Which files hold events, which describe items, which hold whole histories. DataError where none holds choices."""
    files = Files()
    for given in paths:
        usable, rest = _inside(given)
        files.others += rest
        for path in usable:
            getattr(files, _kind(path, columns)).append(path)
    if not files.events and not files.histories and not files.sessions:
        what = f"only {', '.join(files.items[:3])}, which describes items" if files.items else "none"
        raise DataError(
            f"{', '.join(map(str, paths))}: expected files that say who chose what, received {what}. "
            "Give a table with columns for user, item and time"
        )
    return files


def _inside(path: str) -> tuple[list[str], list[str]]:
    """The files of a folder that may be data, and the others; or the file itself."""
    if not os.path.isdir(path):
        return [path], []
    found = [p for p in visible(Path(path)) if p.is_file()]
    usable = [
        str(p)
        for p in found
        if p.name.lower() in ("u.data", "u.item", "ratings.dat", "movies.dat")
        or p.suffix.lower() in (".inter", ".item")
        or is_table(p) and p.name.lower() not in ("links.csv", "tags.csv")
    ]  # fmt: skip
    if not usable:
        raise DataError(
            f"{path}: expected a folder with tables of choices, received {counted(len(found), 'other file')}"
        )
    return usable, [str(p) for p in found if str(p) not in usable]


def _kind(path: str, columns: Mapping[str, str] | None) -> str:
    """ "events", "items", "histories", "sessions" or "others", by the name of a file and its header."""
    name, suffix = Path(path).name.lower(), Path(path).suffix.lower()
    if suffix in ATOMIC:
        return "others"
    if name == "u.item" or name == "movies.dat" or suffix == ".item":
        return "items"
    if name == "users.dat" or name in ("u.user", "u.genre", "u.info", "u.occupation"):
        return "others"
    if suffix == ".inter" and set(map(fold, header_of(path))) & set(map(fold, SPACED)):
        return "histories"
    if name == "u.data" or suffix in (".inter", ".dat") or _is_plain(path):
        return "events"
    if columns and "history" in columns:
        return "histories"
    if columns and {"user", "item"} & set(columns):
        return "events"
    known = set(map(fold, header_of(path)))
    if known & set(map(fold, HISTORY)) and not known & set(map(fold, ITEM)):
        return "histories"
    if known & set(map(fold, ITEM)) and not known & set(map(fold, USER)):
        return "items"
    if table_suffix(path) in (".json", ".jsonl", ".ndjson") and not known & set(map(fold, ITEM)):
        return "sessions"
    return "events"


def header_of(path: str) -> list[str]:
    """The cells of the first row, or the keys of JSON rows; [] for a file without rows."""
    sheet = read_sheet(path, 1, set(map(fold, (*USER, *ITEM, *HISTORY))))
    if sheet.keys:
        return sheet.keys
    return [str(cell) for cell in sheet.rows[0][1]] if sheet.rows else []


def _is_plain(path: str) -> bool:
    """Whether a file is lines of ids with spaces between them, and no table."""
    if is_table(path):
        return False
    lines = [line for line in split_lines(read_text(path)[0])[:FIRST] if line.strip()]
    return bool(lines) and not any(mark in line for line in lines for mark in ("\t", ",", "|", "{"))


def _has_colons(path: str) -> bool:
    """Whether a file is MovieLens' `ratings.dat`, and none of those that have another separator and its suffix."""
    if not path.lower().endswith(".dat"):
        return False
    lines = [line for line in split_lines(read_text(path)[0])[:FIRST] if line.strip()]
    return not lines or any("::" in line for line in lines)


def read_events(paths: Sequence[str], columns: Mapping[str, str] | None, named: Named) -> tuple[list[Event], list[str]]:
    """The events of all files in their order, and the lines that say what was understood."""
    events: list[Event] = []
    lines: list[str] = []
    for path in paths:
        read, said = _by_colons(path) if _has_colons(path) else _plain(path) if _is_plain(path) else (None, [])
        if read is None:
            read, said = _table(path, columns, named)
        events += read
        lines += said
    for event in events:
        event.item = named.name(event.item)
    return events, lines


def _table(path: str, columns: Mapping[str, str] | None, named: Named) -> tuple[list[Event], list[str]]:
    table = read_table(path, WANTED, columns, optional=("time", "rating", "title", "session"), choose=_choose)
    nobody = sum(row["user"].casefold() in NOBODY for row in table.rows) > len(table.rows) / 2
    titled = _titled(table.rows)
    whole = {name: _whole([row[name] for row in table.rows]) for name in ("user", "item")}
    events, bad = [], []
    for row in table.rows:
        rating = _number(row.get("rating", ""))
        if rating is None:
            bad.append(BadRow(row.file, row.line, "a number as rating", quote(row["rating"])))
            continue
        if titled and (title := row.get("title", "")):
            named.name(whole["item"](row["item"]), title)
        user = row.get("session", "") if nobody else row["user"]
        user, item = whole["user"](user or row["user"]), whole["item"](row["item"])
        events.append(Event(user, item, row.get("time", ""), rating, row.where))
    if bad:
        refuse_many(path, len(events), bad, "ratings", "Choose the column: --columns rating=NAME")
        table.report.kept -= len(bad)
        table.report.drop("bad row", len(bad))
        table.report.bad += bad[: LISTED - len(table.report.bad)]
    if not titled and "title" in table.report.sources[0].columns:
        del table.report.sources[0].columns["title"]
        table.report.notes.append(f"{path}: items have several titles each, as reviews do; they are not used")
    return events, table.report.lines()


def _whole(ids: Sequence[str]) -> Callable[[str], str]:
    """What makes of ids what they were: 7 of 7.0, where a whole column is so.

    >>> _whole(["7.0", "12.0"])("7.0"), _whole(["7.0", "1.5"])("7.0")
    ('7', '7.0')
    """
    cut = bool(ids) and all(map(_FLOAT.fullmatch, ids))
    return (lambda one: one.removesuffix(".0")) if cut else str


def read_sessions(path: str, columns: Mapping[str, str] | None, named: Named) -> tuple[list[Event], list[str]]:
    """JSON rows that hold the events of one user or session each, as a list of objects: {"session": 7, "events": [{"aid": 3, "ts": 9}]}."""
    names = {
        what: set(map(fold, known)) for what, known in (("user", (*USER, *SESSION)), ("item", ITEM), ("time", TIME))
    }
    events: list[Event] = []
    sheet = read_sheet(path, 1, set())
    used: dict[str, str] = {}
    for line, cells in sheet.rows:
        row = cells if isinstance(cells, dict) else {}
        user = next((str(value) for key, value in row.items() if fold(key) in names["user"]), f"line {line}")
        for key, value in row.items():
            for one in value if isinstance(value, list) else ():
                found = {
                    what: next((k for k in one if fold(k) in names[what]), "") for what in ("item", "time")
                } if isinstance(one, dict) else {}  # fmt: skip
                if found.get("item") and one[found["item"]] is not None:
                    used |= {"events": key, **{what: k for what, k in found.items() if k}}
                    item, time = (str(one[k]) if k else "" for k in (found["item"], found["time"]))
                    events.append(Event(user, named.name(item), time, where=f"{sheet.file}, line {line}"))
    if not events:
        return _table(path, columns, named)  # which says what is missing
    how = ", ".join(f'{what} = "{key}"' for what, key in used.items())
    return events, [f"{sheet.file}: {sheet.format}, {counted(len(sheet.rows), 'row')} of several events each; {how}"]


def _titled(rows: Sequence[Mapping[str, str]]) -> bool:
    """Whether titles are those of the items: most items have one, whoever chose them. Those of reviews differ."""
    titles: dict[str, set[str]] = {}
    for row in rows:
        if title := row.get("title", ""):
            titles.setdefault(row["item"], set()).add(title)
    return 2 * sum(len(own) > 1 for own in titles.values()) <= len(titles)


def _number(cell: str) -> float | None:
    """A rating; NaN where there is none, None where it is no number."""
    if not cell:
        return math.nan
    try:
        value = float(cell.replace(",", "."))
    except ValueError:
        words = {"true": 1.0, "yes": 1.0, "like": 1.0, "false": 0.0, "no": 0.0, "dislike": 0.0}
        return words.get(cell.casefold())
    return value if math.isfinite(value) else None


def _choose(rows: list[list[str]]) -> dict[str, int] | None:
    """Without a header: user, item and time, or user, item, rating and time, in the order in which such files have them.

    Two orders are common: user, item, rating, time (MovieLens, Amazon), and session, time, item (Yoochoose).

    >>> _choose([["196", "242", "3", "881250949"], ["186", "302", "3", "891717742"]])
    {'user': 0, 'item': 1, 'rating': 2, 'time': 3}
    >>> _choose([["1", "2014-04-07T10:51:09.277Z", "214536502", "0"]])
    {'user': 0, 'time': 1, 'item': 2}
    """
    few = rows[:FIRST]
    if not few or len(few[0]) < 2:
        return None
    columns = list(zip(*few, strict=True))
    stamped = [_is_time(column) for column in columns]
    found = {"user": 0}
    if all(map(_ASIN.fullmatch, columns[0])) and all(map(_REVIEWER.fullmatch, columns[1])):
        return {"item": 0, "user": 1, "rating": 2, "time": 3} if len(columns) == 4 else {"item": 0, "user": 1}
    if stamped[1] and len(stamped) > 2:
        return {**found, "time": 1, "item": 2}
    found["item"] = 1
    for at, column in list(enumerate(columns))[2:]:
        if stamped[at] and "time" not in found:
            found["time"] = at
        elif "rating" not in found and all(_number(c) is not None and abs(_number(c) or 0) <= 10 for c in column):
            found["rating"] = at
    return found


def _is_time(column: Sequence[str]) -> bool:
    """Seconds or milliseconds since 1970, or dates."""
    numbers = [_number(cell) for cell in column if cell]
    if numbers and all(n is not None and 1e8 < n < 1e14 and n == int(n) for n in numbers):
        return True
    return bool(numbers) and all(n is None and c[:4].isdigit() and c[4:5] in ("-", "/") for n, c in zip(numbers, filter(None, column), strict=True))  # fmt: skip


def _by_colons(path: str) -> tuple[list[Event], list[str]]:
    """MovieLens' `ratings.dat`: user::item::rating::time."""
    events, bad = [], []
    for number, line in enumerate(split_lines(read_text(path)[0]), start=1):
        cells = [cell.strip() for cell in line.split("::")]
        rating = _number(cells[2]) if len(cells) in (3, 4) else None
        if not line.strip():
            continue
        if rating is None or not cells[0] or not cells[1]:
            bad.append(BadRow(path, number, "user::item::rating::time", quote(line)))
            continue
        events.append(Event(cells[0], cells[1], cells[3] if len(cells) == 4 else "", rating, f"{path}, line {number}"))
    if not events and not bad:
        raise DataError(f"{path}: expected rows, received an empty file. Give a file with at least one row")
    refuse_many(path, len(events), bad, "rows", "Correct or remove them")
    said = [f"{path}: {counted(len(events), 'row')} of user::item::rating::time"]
    return events, said + [f"bad row: {row}" for row in bad[:10]]


def _plain(path: str) -> tuple[list[Event], list[str]]:
    """Lines of ids: a user and an item, or the items of one user in order, or those with the user's number before them."""
    lines = [line for line in split_lines(read_text(path)[0]) if line.strip()]
    rows = [split_names(line) if ";" in line else line.split() for line in lines]
    if all(len(row) == 2 for row in rows) and len({row[0] for row in rows}) < len(rows):
        events = [Event(user, item, where=f"{path}, line {n}") for n, (user, item) in enumerate(rows, start=1)]
        return events, [f"{path}: {counted(len(rows), 'line')} of a user and an item"]
    firsts = [row[0] for row in rows if row]
    numbered = len(rows) > 1 and firsts in ([str(n + start) for n in range(len(rows))] for start in (0, 1))
    events = [
        Event(f"line {n}", item, where=f"{path}, line {n}")
        for n, row in enumerate(rows, start=1)
        for item in row[1 if numbered else 0 :]
    ]
    how = ", a number of the user before them" if numbered else ""
    return events, [f"{path}: {counted(len(rows), 'line')}, each the items of one user in order{how}"]
