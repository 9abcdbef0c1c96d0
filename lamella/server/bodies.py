"""What comes in and goes out by pieces: bodies of requests, clients that leave, answers that stream."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from lamella.server.batching import Stopped
from lamella.server.replies import JSON, NDJSON, Refused, encode, line_of, report

FORM = "multipart/form-data"
FORMS = (FORM, "application/x-www-form-urlencoded")
T = TypeVar("T")
Tell = Callable[[int, int], None]  # how many are done, of how many


def kind_of(request: Request) -> str:
    """The media type of its body."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def expect(request: Request, *kinds: str) -> None:
    """Refused with 415 where the body says to be something else: browsers send plain text across origins unasked."""
    if kind_of(request) not in kinds:
        received = kind_of(request)[:60] or "none"
        raise Refused(415, f"expected Content-Type: {' or '.join(kinds)}, received {received}.")


async def json_of(request: Request) -> bytes:
    expect(request, JSON)
    return await request.body()


def form_of(request: Request) -> Any:
    """A form with one file, to be used with `async with`."""
    expect(request, FORM)
    return request.form(max_files=1, max_fields=20)


def check_suffix(name: str, suffixes: Iterable[str]) -> None:
    suffix = Path(name).suffix.lower()
    if suffix not in suffixes:
        raise Refused(
            415, f"expected a file that ends in one of {' '.join(suffixes)}, received {suffix[:20] or 'none'}."
        )


async def _gone(request: Request) -> None:
    """Returns when the client has."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def until_left(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives, unless the client goes before."""
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
    """Lines of JSON: {"done", "total"} while it works, then what came of it, or {"error"}."""

    async def lines() -> AsyncIterator[bytes]:
        queue: asyncio.Queue[tuple[int, int] | None] = asyncio.Queue()
        doing = asyncio.ensure_future(work(lambda done, total: queue.put_nowait((done, total))))
        doing.add_done_callback(lambda _: queue.put_nowait(None))
        try:
            while (seen := await queue.get()) is not None:
                yield encode({"done": seen[0], "total": seen[1]}) + b"\n"
            try:
                yield encode(doing.result()) + b"\n"
            except Exception as error:
                report(error)
                yield encode({"error": line_of(error)}) + b"\n"
        finally:
            doing.cancel()

    return StreamingResponse(lines(), 200, None, NDJSON)
