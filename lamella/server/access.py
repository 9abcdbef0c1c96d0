"""ASGI middleware: who may send requests, how large and slow they may be, and what browsers may do with replies.

In this order: security headers on every reply; the Host header (against DNS rebinding); the origin (another site's page
can send forms and plain text, and load any address as an image, without permission); then the body, which is read whole
before the app starts, so that a slow or endless one costs little memory and no thread. A reply is sent in chunks, each of
which must be accepted in time.
"""

import asyncio
import ipaddress
import time
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lamella.server.addresses import Shares
from lamella.server.common import Common
from lamella.server.holding import Bodies, Body
from lamella.server.limits import Limits
from lamella.server.origins import Origins
from lamella.server.replies import Refused, refusal, report

SAFE = {"GET", "HEAD", "OPTIONS"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src data: blob:; connect-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
PIECE = 1 << 17  # bytes of a reply sent at a time
DRAINED = 4  # a refused body is read up to this many times the limit
DRAIN = 5.0  # seconds for reading the rest of a refused body: many clients read no reply before they have sent it


class Gone(Refused):
    """The client has disconnected, or does not respond."""

    def __init__(self, why: str) -> None:
        super().__init__(400, why)


class Guard:
    """The middleware around the app."""

    def __init__(
        self,
        app: ASGIApp,
        limits: Limits,
        common: Common,
        names: Iterable[str] = (),
        everywhere: bool = False,
        origins: Iterable[str] = (),
    ) -> None:
        """names: allowed hosts. everywhere: the server listens beyond this machine, so IP addresses, which DNS rebinding
        cannot fake, are allowed too. common: what this process shares with the server's others. origins: see `Origins`."""
        self.origins = Origins(origins)
        self.app, self.limits, self.common, self.everywhere = app, limits, common, everywhere
        self.names = {"localhost", *(name.lower() for name in names)}
        self._bodies = Bodies(limits, common.bodies)
        self._under_way = Shares(limits.queue, common.requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = ended = False
        status, since = 0, time.monotonic()

        async def send_with_headers(message: Message) -> None:
            nonlocal begun, ended, status
            ended = message["type"] == "http.response.body" and not message.get("more_body")
            if message["type"] == "http.response.start":
                begun, status = True, message["status"]
                headers = MutableHeaders(scope=message)
                if self.common.leaving:
                    headers["Connection"] = "close"
                for name, value in HEADERS.items():
                    headers[name] = value
                self.origins.mark(Headers(scope=scope), headers)
                headers.setdefault("Cache-Control", "no-store")
            body = message.get("body", b"")
            for first in range(0, max(1, len(body)), PIECE):
                last = first + PIECE >= len(body)
                piece = {"body": body[first : first + PIECE], "more_body": message.get("more_body", False) or not last}
                await send({**message, **piece} if message["type"] == "http.response.body" else message)

        read = False
        client = (scope.get("client") or ("", 0))[0]
        try:
            self._check(scope)
            if preflight := self.origins.preflight(scope["method"], Headers(scope=scope)):
                await preflight(scope, receive, send_with_headers)
                return
            with self._under_way.one(client), self._bodies.one(client) as body:
                raw = await self._body(Headers(scope=scope), receive, body)
                read = True
                await self.app(scope, _replay(raw, receive), send_with_headers)
        except Exception as error:
            report(error)
            if ended:
                return
            if begun:
                raise  # a reply that has started cannot be changed: the connection is closed
            reply = refusal(error)
            if not read:
                reply.headers["Connection"] = "close"
            await reply(scope, receive, send_with_headers)
        finally:
            if self.common.metrics:
                self.common.metrics.count(scope["path"], status, time.monotonic() - since)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        if scope["http_version"] not in ("1.0", "1.1"):
            raise Refused(505, "expected HTTP/1.1, received another version.")
        if "transfer-encoding" in headers and "content-length" in headers:
            # With both headers, two servers in a row may disagree about where a request ends (request smuggling).
            raise Refused(400, "expected Content-Length or Transfer-Encoding, received both.")
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._known(hosts[0]):
            raise Refused(400, "the Host header names no host of this server. If it should, serve with --name HOST.")
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
        foreign = site not in ("same-origin", "none") or (origin is not None and _host(origin) != hosts[0].lower())
        if "referer" in headers and "sec-fetch-site" not in headers:  # older browsers, which send only this header
            foreign = foreign or _host(headers["referer"]).partition("/")[0] != hosts[0].lower()
        if foreign and not self.origins.may(headers) and not (scope["method"] in SAFE and _is_link(scope, headers)):
            raise Refused(403, "a page of another origin may not ask here, unless it is served with --allow-origin.")

    def _known(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self.names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return self.everywhere or address.is_loopback

    async def _body(self, headers: Headers, receive: Receive, body: Body) -> bytes:
        """The whole body, within the limits of size and time."""
        length = headers.get("content-length", "0")
        size = int(length) if length.isascii() and length.isdigit() and len(length) < 20 else self.limits.body + 1
        try:
            if size > self.limits.body:
                raise self._large()
            async with asyncio.timeout(self.limits.upload) as clock:
                body.coming(lambda: clock.reschedule(0))
                return await self._read(receive, body)
        except TimeoutError as error:
            if body.evicted:
                raise Refused(503, "too much is being sent at once. Ask again in a moment.", 1) from error
            raise Refused(408, f"expected the whole request within {self.limits.upload:g} seconds.") from error
        except Refused as error:
            if error.status == 413 and size < DRAINED * self.limits.body:
                await _drain(receive, DRAINED * self.limits.body)
            raise
        finally:
            body.complete()

    async def _read(self, receive: Receive, body: Body) -> bytes:
        parts: list[bytes] = []
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Gone("the client has gone.")
            part = message.get("body", b"")
            body.add(len(part))
            parts.append(part)
            if body.size > self.limits.body:
                raise self._large()
            if not message.get("more_body"):
                body.complete()
                return b"".join(parts)

    def _large(self) -> Refused:
        return Refused(413, f"expected a body of at most {self.limits.megabytes:g} MB, received a larger one.")


def _host(origin: str) -> str:
    return origin.partition("://")[2].lower()


def _is_link(scope: Scope, headers: Headers) -> bool:
    """Whether a user followed a link from another site to the page itself, which is harmless."""
    document = headers.get("sec-fetch-dest", "document") == "document"
    return scope["path"] == "/" and headers.get("sec-fetch-mode", "navigate") == "navigate" and document


async def _drain(receive: Receive, most: int) -> None:
    try:
        async with asyncio.timeout(DRAIN):
            while most > 0:
                message = await receive()
                most -= len(message.get("body", b""))
                if not message.get("more_body"):
                    return
    except TimeoutError:
        return


def _replay(body: bytes, receive: Receive) -> Receive:
    """An ASGI `receive` that gives the whole body, then the client's further messages."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
