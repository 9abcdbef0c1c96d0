"""The server itself: uvicorn on one socket, stopped gently."""

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from lamella.errors import UsageError
from lamella.server.guard import Guard
from lamella.server.limits import Limits

CONNECTIONS = 500
IDLE = 20  # seconds that a connection stays open with nothing asked


class Protocol(H11Protocol):
    """HTTP that does not wait for ever for the head of a request: nothing else looks at it before it is complete."""

    seconds = Limits().upload
    _late: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._late:
            self._late.cancel()

    def _watch(self) -> None:
        waiting = self.conn.their_state is h11.IDLE and not self.transport.is_closing()
        if waiting and not self._late:
            self._late = self.loop.call_later(self.seconds, self._close)
        elif not waiting and self._late:
            self._late.cancel()
            self._late = None

    def _close(self) -> None:
        self._late = None
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            if self.conn.trailing_data[0]:  # half a request: who sends it should know
                self.transport.write(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            self.transport.close()


class Server(uvicorn.Server):
    """A server that says when it has begun, and whose process ends with 0 after a signal."""

    def __init__(self, config: uvicorn.Config, begun: Callable[[], None]) -> None:
        super().__init__(config)
        self._begun = begun

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._begun()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():  # only there can signals be caught
            yield
            return
        before = {s: signal.signal(s, self.handle_exit) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 is any that is free. UsageError where there is none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        place = socket.socket(family, kind, protocol)
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind(address)
    except (OSError, OverflowError, UnicodeError) as error:
        said = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot listen at {host}:{port} ({said}). Choose another --port or --host.") from error
    return place


def make_server(app: Guard, begun: Callable[[], None], limits: Limits) -> Server:
    """A server that runs until SIGINT or SIGTERM, or until its `should_exit` is set; what has begun is finished."""
    config = uvicorn.Config(
        app, http=Protocol, ws="none", lifespan="on", loop="asyncio", log_config=None, log_level="warning",
        access_log=False, server_header=False, limit_concurrency=CONNECTIONS, timeout_keep_alive=IDLE,
        timeout_graceful_shutdown=int(limits.seconds) + 1,
    )  # fmt: skip
    return Server(config, begun)
