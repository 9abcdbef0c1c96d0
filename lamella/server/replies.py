"""What is sent back: JSON, and errors of one line that tell nothing about the machine."""

import re
import sys
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from lamella.errors import DataError, LamellaError, MissingExtra, UsageError

JSON = "application/json"
NDJSON = "application/x-ndjson"
# An absolute path, of which the last name is left. A closing tag or a fraction is none: it has no second slash.
_PATH = re.compile(r"(?<![\w.:/<])(?:[A-Za-z]:)?[/\\](?:[^\s/\\:;,'\"<>]+[/\\])+(?P<name>[^\s/\\:;,'\"<>]*)")


class Refused(LamellaError):
    """A request that is not answered: the status says whose fault it is, `retry` in how many seconds it may go better."""

    def __init__(self, status: int, message: str, retry: int | None = None) -> None:
        super().__init__(message)
        self.status, self.retry = status, retry


def encode(value: Any) -> bytes:
    """JSON; half a surrogate pair, which no encoding of the web has, is a question mark."""
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
    return 400 if isinstance(error, UsageError) else 422 if isinstance(error, DataError) else 500


def line_of(error: Exception) -> str:
    """The error as one line without paths; of what was not foreseen, no word."""
    if not isinstance(error, LamellaError):
        return "something went wrong that should not. The server's own output shows what."
    return without_paths(" ".join(str(error).split()))


def without_paths(line: str) -> str:
    """
    >>> without_paths("/home/someone/my models/de/x.po: expected a catalogue at C:\\\\Users\\\\x\\\\y.po, not </b> or 1/2.")
    'my models/de/x.po: expected a catalogue at y.po, not </b> or 1/2.'
    """
    return _PATH.sub(lambda found: found["name"], line)


def report(error: Exception) -> None:
    """Tell the server's own output of what was not foreseen."""
    if not isinstance(error, LamellaError):
        sys.excepthook(type(error), error, error.__traceback__)


def refusal(error: Exception) -> Response:
    """The reply to a request that failed."""
    retry = error.retry if isinstance(error, Refused) else None
    return reply({"error": line_of(error)}, status_of(error), {"Retry-After": str(retry)} if retry else None)
