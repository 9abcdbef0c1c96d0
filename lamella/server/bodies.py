"""Request bodies, clients that disconnect, and streamed replies."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from lamella.server.replies import JSON, NDJSON, Refused, encode, line_of, report
from lamella.server.work import Stopped

logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # it would log a line for each malformed form
FORM = "multipart/form-data"
FIELDS = 1000  # most fields of a form
FORMS = (FORM, "application/x-www-form-urlencoded")
T = TypeVar("T")
Tell = Callable[[int, int], None]  # progress: how many are done, of how many
Put = Callable[[dict[str, Any]], None]  # sends a JSON line to the client


def kind_of(request: Request) -> str:
    """The media type of a request's body."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def expect(request: Request, *kinds: str) -> None:
    """Refused with 415 for another media type: browsers send plain text to other origins without permission."""
    if kind_of(request) not in kinds:
        raise Refused(415, _expected(request, *kinds))


def _expected(request: Request, *kinds: str) -> str:
    return f"expected Content-Type: {' or '.join(kinds)}, received {kind_of(request)[:60] or 'none'}."


async def json_of(request: Request) -> bytes:
    expect(request, JSON)
    return await request.body()


async def fields_of(request: Request) -> dict[str, Any]:
    """The fields of a request as LibreTranslate reads them: those of a JSON object, else of the address and of a form.

    Of a field that comes twice the first counts, but every `q`; the lines of a form end with a line feed alone.
    """
    kind = kind_of(request)
    if kind == JSON or (kind.startswith("application/") and kind.endswith("+json")):
        try:
            given = msgspec.json.decode((await request.body()).removeprefix(b"\xef\xbb\xbf"))  # as some clients begin
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Refused(400, f"Invalid JSON format: {str(error)[:200]}") from error
        if not isinstance(given, dict):
            raise Refused(400, 'Invalid JSON format: expected an object such as {"q": "Hello"}')
        return given
    pairs = request.query_params.multi_items()
    if kind in FORMS:
        try:
            async with request.form(max_files=0, max_fields=FIELDS) as form:
                pairs += [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
        except UnicodeError as error:
            raise Refused(400, "expected a form in UTF-8, received other bytes.") from error
    elif not pairs and await request.body():
        raise Refused(400, f"Invalid request: missing q parameter. {_expected(request, JSON, *FORMS)}")
    fields: dict[str, Any] = {}
    for name, value in pairs:
        fields.setdefault(name, _line_feeds(value))
    every = [_line_feeds(value) for name, value in pairs if name == "q"]
    return {**fields, "q": every} if len(every) > 1 else fields


def _line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


class _InMemory(MultiPartParser):
    """A form parsed in memory, so that nothing is written to a temporary folder."""

    spool_max_size = sys.maxsize


@contextlib.asynccontextmanager
async def form_of(request: Request) -> AsyncIterator[FormData]:
    """A form with one file."""
    expect(request, FORM)
    try:
        form = await _InMemory(request.headers, request.stream(), max_files=1, max_fields=20).parse()
    except (MultiPartException, UnicodeError) as error:
        raise Refused(400, f"expected a form with one file: {str(error)[:200]}") from error
    try:
        yield form
    finally:
        await form.close()


def check_suffix(name: str, suffixes: Iterable[str]) -> None:
    suffix = Path(name).suffix.lower()
    if suffix not in suffixes:
        raise Refused(
            415, f"expected a file that ends in one of {' '.join(suffixes)}, received {suffix[:20] or 'none'}."
        )


async def _gone(request: Request) -> None:
    """Return when the client has disconnected."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def until_left(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`; cancelled if the client disconnects."""
    doing, going = asyncio.ensure_future(work), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({doing, going}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise Stopped("the client has gone.")
        return doing.result()
    finally:
        going.cancel()
        doing.cancel()


def wants_progress(request: Request) -> bool:
    return NDJSON in request.headers.get("accept", "")


def streamed(work: Callable[[Tell], Awaitable[dict[str, Any]]]) -> Response:
    """A reply of JSON lines: {"done", "total"} as progress, then the result or {"error"}."""
    return in_lines(lambda put: work(lambda done, total: put({"done": done, "total": total})))


def in_lines(work: Callable[[Put], Awaitable[dict[str, Any]]]) -> Response:
    """A reply of JSON lines: what `work` puts meanwhile, then its result or {"error"}.

    Each line replaces the one before it, so a slow reader gets fewer lines.
    """

    async def lines() -> AsyncIterator[bytes]:
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        doing = asyncio.ensure_future(work(queue.put_nowait))
        doing.add_done_callback(lambda _: queue.put_nowait(None))
        try:
            while (seen := await queue.get()) is not None:
                while not queue.empty() and (later := queue.get_nowait()) is not None:
                    seen = later
                yield encode(seen) + b"\n"
                if doing.done():
                    break
            try:
                yield encode(doing.result()) + b"\n"
            except Exception as error:
                report(error)
                yield encode({"error": line_of(error)}) + b"\n"
        finally:
            doing.cancel()

    return StreamingResponse(lines(), 200, None, NDJSON)
