"""Replies: JSON, and errors of one line that reveal nothing about the machine."""

import re
import sys
import traceback
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from starlette.responses import Response

from lamella.errors import DataError, LamellaError, MissingExtra, UsageError

WHOLE = "--traceback" in sys.orig_argv  # unexpected errors are logged with their traceback

JSON = "application/json"
NDJSON = "application/x-ndjson"
# An absolute path, of which only the last name is kept. A closing tag or a fraction has no second slash.
_PATH = re.compile(r"(?<![\w.:/<])(?:[A-Za-z]:)?[/\\](?:[^\s/\\:;,'\"<>]+[/\\])+(?P<name>[^\s/\\:;,'\"<>]*)")


class Refused(LamellaError):
    """A refused request: its status, and in `retry` the seconds after which to try again."""

    def __init__(self, status: int, message: str, retry: int | None = None) -> None:
        super().__init__(message)
        self.status, self.retry = status, retry


def encode(value: Any) -> bytes:
    """A JSON reply; an unpaired surrogate, which UTF-8 cannot hold, becomes a question mark."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_whole(msgspec.to_builtins(value)))


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {_whole(k): _whole(v) for k, v in value.items()}
    return [_whole(v) for v in value] if isinstance(value, list) else value


def reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A value as JSON."""
    return Response(encode(value), status, headers, JSON)


def status_of(error: Exception) -> int:
    """400: an option or the request itself is wrong; 422: a value that the model cannot take; 5xx: not the client's fault."""
    if isinstance(error, Refused):
        return error.status
    if isinstance(error, MissingExtra):
        return 501
    if isinstance(error, MemoryError):
        return 503
    return 400 if isinstance(error, UsageError) else 422 if isinstance(error, DataError) else 500


def line_of(error: Exception) -> str:
    """The error as one line without paths; for an unexpected error, nothing about it."""
    if isinstance(error, MemoryError):
        return "there is not enough memory for this now. Ask for less at once, or again in a while."
    if not isinstance(error, LamellaError):
        return "something went wrong that should not. The server's own output shows what."
    return without_paths(" ".join(str(error).split()), _places())


def without_paths(line: str, places: Iterable[str] = ()) -> str:
    """A line whose paths have only their last name left; `places` are folders that are removed whatever is in their names.

    >>> without_paths("/home/someone/my models/de/x.po: expected a catalogue at C:\\\\Users\\\\x\\\\y.po, not </b> or 1/2.")
    'my models/de/x.po: expected a catalogue at y.po, not </b> or 1/2.'
    >>> without_paths("/home/some one/x.po: empty.", ["/home/some one"])
    'x.po: empty.'
    """
    for place in sorted(places, key=len, reverse=True):
        line = line.replace(place.rstrip("/\\"), "/_")  # still a path for the expression below, now without spaces
    return _PATH.sub(lambda match: match["name"], line)


_FOLDERS: set[str] = set()  # where models and temporary files lie


def hide(folder: Path) -> None:
    """Never show this folder, nor one that it is in: a regular expression cannot know where a path with spaces ends."""
    for place in (folder.absolute(), folder.resolve()):
        _FOLDERS.update(str(part) for part in (place, *place.parents) if len(part.parts) > 1)


@cache
def _home() -> frozenset[str]:
    try:
        return frozenset({str(Path.home())}) - {"/"}
    except RuntimeError:
        return frozenset()


def _places() -> set[str]:
    return {*_FOLDERS, *_home()}


def note(line: str) -> None:
    """Log a line without control characters, since parts of it may come from clients."""
    line = " ".join(line.split())[:500]
    print(f"lamella: {''.join(c if c.isprintable() else '?' for c in line)}", file=sys.stderr, flush=True)


def report(error: BaseException) -> None:
    """Log an unexpected error: one line, or with --traceback all of it."""
    if isinstance(error, LamellaError):
        return
    if WHOLE:
        sys.excepthook(type(error), error, error.__traceback__)
        return
    last = (traceback.extract_tb(error.__traceback__) or [None])[-1]
    where = f" ({Path(last.filename).name}:{last.lineno})" if last else ""
    note(f"{type(error).__name__}: {str(error)[:300]}{where}. --traceback shows the rest.")


def refusal(error: Exception) -> Response:
    """The reply to a request that failed."""
    retry = error.retry if isinstance(error, Refused) else 10 if isinstance(error, MemoryError) else None
    return reply({"error": line_of(error)}, status_of(error), {"Retry-After": str(retry)} if retry else None)
