"""A worker: one of the processes that answer, forked from a parent that has read the models (`lamella.server.workers`).

It shares the parent's socket, and with it the queue of connections that wait: what a worker that dies has not accepted yet,
another one takes. Over a pair of sockets the parent hears when it is ready, and tells it to leave; when that pair ends, the
parent has gone, and the worker goes too.
"""

import asyncio
import shutil
import socket
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from lamella.server.app import make_app
from lamella.server.common import Common
from lamella.server.limits import Limits
from lamella.server.models import Tried
from lamella.server.replies import note
from lamella.server.run import Server, make_server
from lamella.server.watch import LOOK

YIELD = 0.02  # seconds in which a connection is left to a worker with fewer of them
PAUSE = 0.0005


class Setup(msgspec.Struct, frozen=True):
    """How a server answers, whichever of its processes."""

    limits: Limits
    names: tuple[str, ...] = ()  # hosts under which it is asked
    everywhere: bool = False  # whether it listens beyond this machine
    task: str | None = None  # the file of a task from outside lamella
    proxies: tuple[str, ...] = ()  # addresses that speak for other clients
    origins: tuple[str, ...] = ()  # other origins whose pages may ask
    metered: bool = False  # whether requests are counted for /metrics


class Message(msgspec.Struct, omit_defaults=True):
    """A line between a worker and its parent."""

    ready: bool = False  # from the worker: it accepts connections
    failed: dict[str, str] = {}  # from a trial: which models cannot be used, and why
    leave: bool = False  # to the worker: finish what has begun, others have taken over
    notes: dict[str, str] | None = None  # to the worker: what is wrong with models, for /health


def send(place: socket.socket, message: Message) -> None:
    place.sendall(msgspec.json.encode(message) + b"\n")


def messages(raw: bytes) -> list[Message]:
    return [msgspec.json.decode(line, type=Message) for line in raw.splitlines()]


class Listening(socket.socket):
    """The parent's socket, which listens already. A worker accepts one connection at a time, and leaves it to one with fewer.

    Whoever wakes first would take all otherwise, and clients keep their connections for many requests.
    """

    common: Common
    _since = _last = 0.0

    def listen(self, backlog: int = 0, /) -> None:
        """Nothing: asyncio asks for it, with the number of connections that it accepts at a time."""

    def accept(self) -> tuple[socket.socket, Any]:
        if self.common.busier:
            now = time.monotonic()
            if now - self._last > YIELD:
                self._since = now
            self._last = now
            if now - self._since < YIELD:
                time.sleep(PAUSE)  # the event loop would ask again at once, and turn until the other one has woken
                raise BlockingIOError
        accepted = super().accept()
        self.common.accepted()
        return accepted


def work(
    place: socket.socket, models: Mapping[str, Tried], setup: Setup, common: Common, parent: socket.socket
) -> None:
    """Answer until the parent says that it is enough, or has gone."""
    app = make_app(models, setup.limits, setup.names, setup.everywhere, setup.task, common, setup.origins)
    state = app.app.state.shared  # type: ignore[attr-defined]
    tasks, orphaned = [], []

    def begun() -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(parent, hear)
        tasks.append(loop.create_task(beat(server)))
        send(parent, Message(ready=True))

    def hear() -> None:
        raw = parent.recv(1 << 16)
        if not raw:
            asyncio.get_running_loop().remove_reader(parent)
            note("the parent of this worker has gone, so that it stops.")
            orphaned.append(True)
            server.should_exit = True
        for message in messages(raw):
            for name, line in (message.notes or {}).items():
                state.note(name, line)
            if message.leave:
                common.lingers = True
                server.config.timeout_graceful_shutdown = int(setup.limits.patience) + 1
                server.should_exit = True

    async def beat(server: Server) -> None:
        """Show that the event loop turns; end where a model has no thread any more that answers, to be replaced."""
        while True:
            common.beat()
            if any(served.worker.trouble for served in state.every):
                server.should_exit = True
            await asyncio.sleep(LOOK)

    server = make_server(app, begun, setup.limits, setup.proxies, backlog=1)
    listening = Listening(fileno=place.detach())
    listening.common = common
    server.run(sockets=[listening])
    if orphaned and common.folder and not common.workers:
        shutil.rmtree(common.folder, ignore_errors=True)  # the parent would have done it
