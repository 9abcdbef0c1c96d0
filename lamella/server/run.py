"""The server process: uvicorn on one socket, graceful shutdown, and limits on idle connections."""

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from lamella.errors import LamellaError, UsageError
from lamella.server.access import HEADERS, Guard
from lamella.server.addresses import LOCAL, client_of
from lamella.server.common import Common
from lamella.server.limits import Limits
from lamella.server.replies import JSON, encode, note

HEAD = 1 << 16  # bytes of the head of a request
LOOPBACK = ("127.0.0.1", "::1")
IDLE = 20  # seconds that an idle connection stays open
LINGER = 2.0  # seconds in which a worker that is replaced answers what is on its way on open connections
ABORT = 5.0  # seconds for a client to read the last reply before its connection is aborted
OVERHEAD = 1 << 18  # bytes of a request besides its body: chunks of one byte take five more each
BACKLOG = 2048  # connections that wait to be accepted
FILES = 100  # open files kept for things other than connections
REASONS = {400: "Bad Request", 408: "Request Timeout", 413: "Content Too Large", 431: "Request Header Fields Too Large"}
REASONS |= {501: "Not Implemented", 503: "Service Unavailable"}


class _OneLine(logging.Handler):
    """Log uvicorn's messages on one line."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info and record.exc_info[1]
        if isinstance(error, LamellaError):  # a client that has gone in the middle of its reply
            return
        line = " ".join(record.getMessage().split())
        note(f"{line} {type(error).__name__}: {error}" if error else line)


class Connections:
    """All connections, by client. Over the limit, the one that has been idle for longest is closed.

    Refusing new connections would let idle clients shut out all others, so idle ones make room instead.
    """

    def __init__(self, limits: Limits, common: Common) -> None:
        """common: connections of each client, also to the server's other processes."""
        self._most, self._each, self._common = _at_most(limits.connections), limits.each, common
        self._of: dict[str, dict[Protocol, None]] = {}
        self._count = 0

    def add(self, one: "Protocol") -> bool:
        """Add a connection, closing an idle one if needed; False if there is no room."""
        own = self._of.setdefault(one.address, {})
        own[one] = None
        self._changed(one, 1)
        if self._common.connections.of(one.address) > self._each * (2 if one.address == LOCAL else 1):
            return self._evict(own, one)
        if self._count > self._most:
            return self._evict(max(self._of.values(), key=len), one)
        return True

    def remove(self, one: "Protocol") -> None:
        own = self._of.get(one.address, {})
        if one in own:
            del own[one]
            self._changed(one, -1)
            if not own:
                del self._of[one.address]

    def _changed(self, one: "Protocol", by: int) -> None:
        self._count += by
        self._common.connections.add(one.address, by)
        self._common.has_open(self._count)

    def _evict(self, connections: "dict[Protocol, None]", new: "Protocol") -> bool:
        waiting = [other for other in connections if other is not new and other.asks_nothing]
        if not waiting:
            return False
        oldest = min(waiting, key=lambda other: other.since)
        self.remove(oldest)
        oldest.refuse(503, "too many connections are open, and this one has not asked for anything yet.")
        return True


def _at_most(connections: int) -> int:
    """The limit on connections, at most the number of files that the process may open."""
    try:
        import resource
    except ImportError:  # Windows
        return connections
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return connections if files == resource.RLIM_INFINITY else max(8, min(connections, files - FILES))


class Protocol(H11Protocol):
    """HTTP/1.1 with time limits: for the head of a request, and for clients that do not read replies."""

    limits = Limits()
    common = Common()
    everyone = Connections(limits, common)
    proxies: frozenset[str] = frozenset()
    _late: asyncio.TimerHandle | None = None
    address = ""
    since = 0.0  # when it was opened, or last sent a request
    _overhead = 0  # bytes since the last reply that were not part of a body
    _takes_nothing: asyncio.TimerHandle | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = LOG

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        client = (self.client or ("", 0))[0]
        # Connections of a proxy are those of many clients, whose requests are counted for each.
        self.address, self.since = LOCAL if client in self.proxies else client_of(client), time.monotonic()
        if not self.everyone.add(self):
            self.refuse(503, "too many requests of this address are being answered. Ask again in a moment.")
            return
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.everyone.remove(self)
        for timer in (self._late, self._takes_nothing):
            if timer:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        cycle = self.cycle
        before = len(cycle.body) if cycle else 0
        super().data_received(data)
        body = len(self.cycle.body) - (before if self.cycle is cycle else 0) if self.cycle else 0
        self._overhead += len(data) - max(0, body)
        if self._overhead > OVERHEAD and not self.transport.is_closing():
            self.refuse(400, "expected a body in larger chunks.")
            return
        self._watch()

    def on_response_complete(self) -> None:
        self._overhead, self.since = 0, time.monotonic()
        if self.transport.is_closing():
            self._abort_later(self.limits.upload)
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._takes_nothing = self.loop.call_later(self.limits.upload, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._takes_nothing:
            self._takes_nothing.cancel()

    @property
    def asks_nothing(self) -> bool:
        """Whether no whole request has come since the last reply, or the connection is being closed."""
        waits = self.conn.their_state in (h11.IDLE, h11.SEND_BODY)
        return self.transport.is_closing() or (waits and self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE))

    def _watch(self) -> None:
        waiting = self.conn.their_state is h11.IDLE and not self.transport.is_closing()
        if waiting and not self._late:
            self._late = self.loop.call_later(self.limits.upload, self._close)
        elif not waiting and self._late:
            self._late.cancel()
            self._late = None

    def _close(self) -> None:
        self._late = None
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            return
        if self.conn.trailing_data[0]:  # half a request: its sender should get an error
            self.refuse(408, f"expected the whole request within {self.limits.upload:g} seconds.")
        else:
            self._end()

    def send_400_response(self, msg: str) -> None:
        """Answer invalid HTTP, after h11 has raised an error with a hint."""
        status = getattr(sys.exc_info()[1], "error_status_hint", 400)
        lines = {431: "expected a head of at most 64 kB.", 501: "expected no transfer encoding but chunked."}
        self.refuse(status, lines.get(status, "expected a request of HTTP/1.1, received something else."))

    def refuse(self, status: int, line: str) -> None:
        """Answer without the app, unless a reply has started, and close the connection."""
        if self.transport.is_closing():
            self.transport.abort()
            return
        if self.common.metrics:
            self.common.metrics.refused()
        begun = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if (
            self.cycle is not None and not self.cycle.response_complete
        ):  # readers of its body learn that the client has disconnected
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if not begun:
            body = encode({"error": line})
            head = {**HEADERS, "Content-Type": JSON, "Content-Length": str(len(body)), "Connection": "close"}
            if status == 503:
                head["Retry-After"] = "1"
            text = "".join(f"{name}: {value}\r\n" for name, value in head.items())
            self.transport.write(f"HTTP/1.1 {status} {REASONS.get(status, 'Error')}\r\n{text}\r\n".encode() + body)
        self._end()

    def shutdown(self) -> None:
        """The server stops. Where others go on, a request that is on its way on an idle connection is still answered."""
        if self.common.lingers and self.asks_nothing and not self.transport.is_closing():
            # Nothing was asked on it yet: it was opened just now.
            self.loop.call_later(LINGER if self.cycle else self.limits.upload, self._leave)
        else:
            super().shutdown()

    def _leave(self) -> None:
        if not self.transport.is_closing():
            super().shutdown()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._abort_later()

    def _end(self) -> None:
        self.transport.close()
        self._abort_later()

    def _abort_later(self, seconds: float = ABORT) -> None:
        """Close a connection whose client does not read: otherwise it and its buffer would stay for ever."""
        self.loop.call_later(seconds, self.transport.abort)


LOG = logging.Logger("lamella.server")  # not uvicorn's, which a program that embeds this server may configure
LOG.setLevel(logging.ERROR)
LOG.addHandler(_OneLine())


class Server(uvicorn.Server):
    """A server that reports when it has started, and whose process exits with 0 after a signal."""

    def __init__(self, config: uvicorn.Config, common: Common, begun: Callable[[], None]) -> None:
        super().__init__(config)
        self._common, self._begun = common, begun

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._common.accepts(True)
        self._begun()

    def _hang_up(self, had_terminal: bool) -> None:
        if had_terminal and not has_terminal():
            self.should_exit = True
        else:
            self._common.reload = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._common.leaving = True
        self._common.accepts(False)
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():  # signals can only be caught there
            yield
            return
        handlers: dict[int, Any] = dict.fromkeys((signal.SIGINT, signal.SIGTERM), self.handle_exit)
        if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
            had = has_terminal()
            handlers[signal.SIGHUP] = lambda number, frame: self._hang_up(had)
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)


def has_terminal() -> bool:
    """Whether this process has a terminal. SIGHUP means that it was closed, or, without one, that models are to be read again."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 chooses a free one. UsageError if that fails."""
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = addresses[0]
        place = socket.socket(family, kind, protocol)
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind(address)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot listen at {host}:{port} ({reason}). Choose another --port or --host.") from error
    return place


def make_server(
    app: Guard, begun: Callable[[], None], limits: Limits, proxies: Sequence[str] = (), backlog: int = BACKLOG
) -> Server:
    """A server that runs until SIGINT or SIGTERM, or until `should_exit` is set, and finishes running requests.

    proxies: addresses whose X-Forwarded-For and X-Forwarded-Proto are believed, besides those of this machine.
    backlog: connections that may wait; also how many asyncio accepts before it does anything else.
    """
    # A class of its own for each server: uvicorn makes the connections, and these share limits and know each other.
    common = app.common
    own = {"limits": limits, "common": common, "everyone": Connections(limits, common), "proxies": frozenset(proxies)}
    protocol = type("Protocol", (Protocol,), own)
    config = uvicorn.Config(
        app, http=protocol, ws="none", lifespan="on", loop="asyncio", log_config=None, log_level="error",
        access_log=False, server_header=False, timeout_keep_alive=IDLE, h11_max_incomplete_event_size=HEAD,
        timeout_graceful_shutdown=int(limits.seconds) + 1, backlog=backlog,
        forwarded_allow_ips=[*LOOPBACK, *proxies],
    )  # fmt: skip
    return Server(config, common, begun)
