"""Who chose what and when -> histories: MovieLens, RecBole's atomic files, logs, reviews, sessions, plain sequences.

    read = read_histories(["ml-100k"])         a folder, or its files: u.data and u.item
    read.examples[0]                           {"history": ["Alien (1979)", ...], "next": "Aliens (1986)", "user": "196"}

Several files may be given: those that say who chose something are events, those that only describe items give their names
and words (`lamella.data.readers.item_tables`). Without times the order is that of the file. Tables of whole histories, with
columns `history` and `next`, are read too.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from lamella.data.readers.bad_rows import BadRow, refuse_many
from lamella.data.readers.event_files import HISTORY, SPACED, Event, read_events, read_sessions, sort_files
from lamella.data.readers.item_tables import Described, Named, read_items
from lamella.data.readers.records import fold, read_sheet
from lamella.data.readers.report import LISTED, Report, counted
from lamella.data.readers.stamps import NONE, read_stamps
from lamella.data.readers.tables import find_columns, pick
from lamella.data.text.encoding import quote
from lamella.data.text.names import split_names
from lamella.errors import DataError

__all__ = ["Described", "Read", "read_histories"]

HELD = 2000  # users at most whose last choices are held out
FEWEST = 4  # choices of a user from which two are held out
LATE = (0.8, 0.9)  # shares of the choices before the two points in time of `split="time"`
SCALES = ((1.0, 1.0), (5.0, 4.0), (10.0, 7.0))  # highest rating of a scale, and the lowest that counts as liked
RARE = 0.1  # share of the ratings that must count as liked, or the scale was not understood
NEXT = ("next", "next_item", "target", "target_item", "item_id:token")
Example = dict[str, Any]


class Read(msgspec.Struct):
    """Histories, what is said of items, and how it was all understood."""

    examples: list[Example]
    lines: list[str]
    described: Described = {}
    ids: dict[str, str] = {}


def read_histories(
    paths: Sequence[str],
    columns: Mapping[str, str] | None = None,
    min_rating: float = -1.0,
    split: str = "last",
    whole: bool = True,
) -> Read:
    """Read choices, and say what was understood.

    columns: which column is `user`, `item`, `time`, `rating`, or `history` and `next`; min_rating: the lowest rating that
    counts as liked, -1: by the scale; split: "last" or "time", see `cut`; whole: whether it is to learn from, so that
    each history is given whole and its latest choices, marked with "held", once more. Raises DataError for what is no table
    of choices, and for `split="time"` without times.
    """
    files = sort_files(paths, columns)
    unused = files.others + (files.events + files.sessions if files.histories else [])
    lines = [f"not used: {', '.join(unused)}"] if unused else []
    named, said = read_items(files.items)
    lines += said
    if files.histories:
        read = _read_tables(files.histories, columns, named)
        return Read(read.examples, lines + read.lines, named.described, named.ids)
    events, said = read_events(files.events, columns, named)
    lines += said
    for path in files.sessions:
        more, said = read_sessions(path, columns, named)
        events, lines = events + more, lines + said
    events, said = _liked(events, min_rating)
    lines += said
    users, said = _in_order(events, split)
    lines += said
    several = {user: chosen for user, chosen in users.items() if len(chosen) > 1}
    if not several:
        raise DataError(
            f"{', '.join(map(str, paths))}: expected users with two choices or more, received {counted(len(users), 'user')} "
            "with one choice each. Choose the columns with --columns user=NAME,item=NAME"
        )
    if fewer := len(users) - len(several):
        lines.append(f"dropped {fewer:,}: users with a single choice, which says nothing about what comes next")
    items = {event.item for chosen in several.values() for event in chosen}
    count = sum(map(len, several.values()))
    lines.append(f"histories: {counted(count, 'choice')} of {len(items):,} items by {counted(len(several), 'user')}")
    if not whole:
        names = {user: [event.item for event in chosen] for user, chosen in several.items()}
        return Read([_example(user, chosen) for user, chosen in names.items()], lines)
    examples, said = cut(several, split)
    return Read(examples, lines + said, named.described, named.ids)


def _read_tables(paths: Sequence[str], columns: Mapping[str, str] | None, named: Named) -> Read:
    """Tables whose rows are histories: the last item is the one to predict where no column has it."""
    wanted = {"history": HISTORY, "next": NEXT}
    examples: list[Example] = []
    report, bad, short = Report(), [], 0
    for path in paths:
        sheet = read_sheet(path, 1, {fold(name) for name in (*HISTORY, *NEXT)})
        keys, source, body = find_columns(sheet, wanted, columns or {}, ["history"], None)
        before, first = len(examples), sheet.rows[0][1] if sheet.rows else []
        spaced = any(fold(str(cell)) in set(map(fold, SPACED)) for cell in first)
        for line, cells in sheet.rows[body:]:
            row, problem = pick(cells, keys, len(cells), ("next",), allow_empty=True, nested=("history",))
            if problem:
                bad.append(BadRow(sheet.file, line, *problem))
                continue
            listed = row["history"]  # JSON may hold a list
            split = str.split if spaced else split_names
            names = split(listed) if isinstance(listed, str) else [str(name) for name in listed]
            following = row.get("next", "") or (names.pop() if len(names) > 1 else "")
            short += not following
            known = {"history": [named.name(name) for name in names], "next": named.name(following)}
            examples += [known] if following else []
        source.rows = len(examples) - before
        report.sources.append(source)
    report.kept = len(examples)
    report.drop("a history without a next item", short)
    report.drop("bad row", len(bad))
    report.bad = bad[:LISTED]
    where = ", ".join(map(str, paths))
    refuse_many(where, len(examples), bad, "rows", "Correct or remove them, or choose columns with --columns")
    if not examples:
        raise DataError(f"{where}: expected histories of two items or more, received none")
    return Read(examples, report.lines())


def _example(user: str, items: Sequence[str], held: int = 0) -> Example:
    example: Example = {"history": list(items[:-1]), "next": items[-1], "user": user}
    return {**example, "held": held} if held else example


def _liked(events: list[Event], least: float) -> tuple[list[Event], list[str]]:
    """The events whose rating says that the item was liked, and how that was decided."""
    rated = [e.rating for e in events if not math.isnan(e.rating)]
    if not rated or least == 0:
        return events, ["ratings: every one counts as a choice, as --min-rating 0 says"] if rated else []
    low, high = min(rated), max(rated)
    if low == high and least < 0:
        return events, [f"ratings: all are {low:g}; every one counts as a choice"]
    chosen = least
    if least < 0:
        chosen = next((bound for top, bound in SCALES if high <= top), -math.inf) if low >= 0 else -math.inf
        if sum(r >= chosen for r in rated) < RARE * len(rated):
            chosen = -math.inf
        if chosen == -math.inf:
            return events, [
                f"ratings: {low:g} to {high:g}, no scale that is known; every one counts as a choice. "
                "--min-rating NUMBER says from which on something is liked"
            ]
    kept = [e for e in events if math.isnan(e.rating) or e.rating >= chosen]
    if not kept:
        raise DataError(
            f"--min-rating {least:g}: expected a rating that some have, received ratings from {low:g} to {high:g}."
        )
    how = "chosen by the scale; --min-rating changes it, 0 takes all" if least < 0 else "as --min-rating says"
    return kept, [
        f"ratings: {low:g} to {high:g}; {chosen:g} or more counts as liked ({how}): {len(kept):,} of {len(events):,} choices"
    ]


def _in_order(events: list[Event], split: str) -> tuple[dict[str, list[Event]], list[str]]:
    """The events of each user, the earliest first; by their place in the file where there are no times."""
    lines = []
    stamps = [e.time for e in events]
    if not any(stamps):
        if split == "time":
            raise DataError("--split time: expected choices with a time, received none. Choose it: --columns time=NAME")
        lines.append("order: that of the file, since no column holds times; choose one with --columns time=NAME")
        seconds = np.arange(len(events), dtype=np.float64)
    else:
        seconds = _seconds(stamps)
        if lost := int(np.isnan(seconds).sum()):
            unread = [event for event, second in zip(events, seconds, strict=True) if math.isnan(second)]
            bad = next((event for event in unread if event.time), unread[0])
            if lost > 0.1 * len(events):
                raise DataError(
                    f"{bad.where}: expected a time, received {quote(bad.time)}; so {lost:,} of {len(events):,} rows. "
                    "Choose another column: --columns time=NAME"
                )
            lines.append(f"dropped {lost:,}: choices without a time that can be read, the first: {bad.where}")
    for event, second in zip(events, seconds, strict=True):
        event.second = float(second)
    users: dict[str, list[Event]] = {}
    for event in events:
        if not math.isnan(event.second):
            users.setdefault(event.user, []).append(event)
    for chosen in users.values():
        chosen.sort(key=lambda event: event.second)  # stable: what has one time stays in the order of the file
    return users, lines


def _seconds(stamps: Sequence[str]) -> np.ndarray[Any, Any]:
    """Times as numbers that grow, NaN where there is none."""
    numbers = np.array([_as_number(stamp) for stamp in stamps])
    if 2 * np.isfinite(numbers).sum() > len(list(filter(None, stamps))):  # a few that are none are named as such
        return numbers
    read = read_stamps(list(stamps)).seconds.astype(np.float64)
    return np.where(read == float(NONE), math.nan, read)


def _as_number(stamp: str) -> float:
    """
    >>> _as_number("12.5"), _as_number("soon"), _as_number("inf")
    (12.5, nan, nan)
    """
    try:
        number = float(stamp or "nan")
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def cut(users: Mapping[str, list[Event]], split: str) -> tuple[list[Example], list[str]]:
    """Histories to learn from, and those whose next item is held out, marked with "held": 1 to watch by, 2 to measure with.

    "last": the last choice of each user measures and the one before watches (leave one out). "time": a tenth of all choices
    lies behind one point in time, a tenth between it and an earlier one; of each user the first choice behind a point is
    the one to predict, and nobody's choices behind the earlier one are learned from. Of many users HELD are drawn by a hash.
    """
    chosen = set(sorted(users, key=_hash)[:HELD])
    examples: list[Example] = []
    if split == "last":
        for user, events in users.items():
            names = [event.item for event in events]
            if user not in chosen or len(names) < FEWEST:
                examples.append(_example(user, names))
                continue
            examples += [_example(user, names[:-2]), _example(user, names[:-1], 1), _example(user, names, 2)]
        return examples, ["split: the last choice of each user is held out, the one before it watches the training"]
    seconds = np.sort([event.second for events in users.values() for event in events])
    early, late = (float(seconds[int(share * len(seconds))]) for share in LATE)
    for user, events in users.items():
        names = [event.item for event in events]
        before = sum(event.second < early for event in events)
        between = sum(event.second < late for event in events)
        if before > 1:
            examples.append(_example(user, names[:before]))
        for held, first, last in ((1, before, between), (2, between, len(events))):
            at = max(1, first)  # of somebody new the first choice is known
            if at < last and user in chosen:
                examples.append(_example(user, names[: at + 1], held))
    if {e.get("held", 0) for e in examples} != {0, 1, 2}:
        raise DataError(
            "--split time: expected choices spread over time, received too few of them behind a point in time. Use --split last"
        )
    return examples, [
        f"split: choices from {_when(late)} on are held out, those from {_when(early)} on watch the training"
    ]


def _hash(user: str) -> bytes:
    return hashlib.blake2b(user.encode("utf-8", "replace"), digest_size=8).digest()


def _when(second: float) -> str:
    """A point in time in words: a date where it looks like seconds since 1970."""
    return str(np.datetime64(int(second), "s")) if 1e8 < second < 1e11 else f"{second:g}"
