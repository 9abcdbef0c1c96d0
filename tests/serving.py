"""A server in this process, on a port of its own, and a client that keeps nothing between two requests."""

from __future__ import annotations

import copy
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from lamella.model import Model, shipped
from lamella.server.app import make_app
from lamella.server.limits import Limits
from lamella.server.run import listen, make_server

JSON = "application/json"


def one_pair(name: str) -> Model:
    """A shipped translator as one that knows no other pair, such as "en-fr"."""
    model = copy.copy(shipped.translator(*name.split("-")))
    model.task = copy.copy(model.task)
    model.task.directions_ = [name]
    return model


class Reply(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def error(self) -> str:
        """The one line of a refusal."""
        assert set(self.json) == {"error"} and "\n" not in self.json["error"], self.raw
        return self.json["error"]

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.raw.splitlines()]


class Serving:
    """Where a server is, and requests to it."""

    def __init__(self, port: int, app: Any = None, server: Any = None) -> None:
        self.port, self.app, self.url, self.server = port, app, f"http://127.0.0.1:{port}", server

    def connections(self) -> int:
        """How many are open."""
        return len(self.server.server_state.connections)

    @property
    def state(self) -> Any:
        return self.app.app.state.shared

    def get(self, path: str, **headers: str) -> Reply:
        return self.ask("GET", path, None, {k.replace("_", "-"): v for k, v in headers.items()})

    def post(self, path: str, value: Any, kind: str = JSON, **headers: str) -> Reply:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.ask(
            "POST", path, body, {"Content-Type": kind, **{k.replace("_", "-"): v for k, v in headers.items()}}
        )

    def send_file(
        self, path: str, name: str, raw: bytes, headers: Mapping[str, str] | None = None, **fields: str
    ) -> Reply:
        """A form with a file and fields."""
        parts = [
            f'--edge\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in fields.items()
        ]
        head = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        body = b"".join([*parts, head, raw, b"\r\n--edge--\r\n"])
        return self.ask("POST", path, body, {"Content-Type": "multipart/form-data; boundary=edge", **(headers or {})})

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, dict(headers or {}))
            reply = connection.getresponse()
            return Reply(reply.status, reply.headers, reply.read())
        finally:
            connection.close()


@contextmanager
def serving(models: Mapping[str, Any], limits: Limits | None = None, **how: Any) -> Iterator[Serving]:
    """A server of these models while the block lasts."""
    limits = limits or Limits()
    app = make_app(models, limits, **how)
    place = listen("127.0.0.1", 0)
    begun = threading.Event()
    server = make_server(app, begun.set, limits)
    thread = threading.Thread(target=server.run, args=([place],))
    thread.start()
    try:
        assert begun.wait(60)
        yield Serving(place.getsockname()[1], app, server)
    finally:
        server.should_exit = True
        thread.join(60)
        place.close()
        assert not thread.is_alive()


class Panic(BaseException):
    """As the panics of some native libraries: no `Exception`."""


def wait_for(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    """Until it is true; an error where it is not in time."""
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.05)
    assert condition()


TEXT = {"examples": [{"text": "The cat"}]}


def predict(server, name="tiny"):
    """One short question to a model that is served."""
    return server.post(f"/models/{name}/predict", TEXT)


def children(pid: int) -> list[int]:
    """The processes that a process has started and that have not ended."""
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = place.read_text().rpartition(")")[2].split()[:2]
        except OSError:  # it has just ended
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(place.parent.name))
    return sorted(found)


class Command(Serving):
    """`lamella serve` in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], facts: dict[str, Any], err: Path) -> None:
        super().__init__(int(facts["url"].rpartition(":")[2]))
        self.process, self.facts, self._err = process, facts, err

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def workers(self) -> list[int]:
        return children(self.pid)

    @property
    def folder(self) -> Path:
        """Where its temporary files are."""
        return self._err.parent

    @property
    def err(self) -> str:
        """What it printed on standard error."""
        return self._err.read_text()

    @contextmanager
    def connections(self, count: int) -> Iterator[list[http.client.HTTPConnection]]:  # type: ignore[override]
        """Connections that are open together, so that each is to another worker, where there are as many."""
        opened = []
        try:
            for _ in range(count):
                opened.append(http.client.HTTPConnection("127.0.0.1", self.port, timeout=120))
                assert over(opened[-1], "GET", "/health/live").status == 200
            yield opened
        finally:
            for one in opened:
                one.close()


def over(connection: http.client.HTTPConnection, method: str, path: str, value: Any = None) -> Reply:
    """A request over a connection that stays open."""
    body = None if value is None else json.dumps(value).encode()
    connection.request(method, path, body, {"Content-Type": JSON} if body else {})
    reply = connection.getresponse()
    return Reply(reply.status, reply.headers, reply.read())


@contextmanager
def serve_command(folder: Path, *args: object) -> Iterator[Command]:
    """The command with these arguments while the block lasts, at a free port; its temporary files are in `folder`."""
    folder.mkdir(exist_ok=True)
    words = [sys.executable, "-m", "lamella.cli.commands", "serve", *map(str, args), "--port", "0", "--json"]
    with (folder / "err").open("w") as err:
        environment = {**os.environ, "TMPDIR": str(folder)}
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=err, text=True, env=environment)
    try:
        line = process.stdout.readline() if process.stdout else ""
        assert line, (folder / "err").read_text()
        yield Command(process, json.loads(line), folder / "err")
    finally:
        left = children(process.pid)
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            for pid in [process.pid, *left]:
                with suppress(ProcessLookupError):
                    os.kill(pid, 9)
            process.wait(60)
        if process.stdout:
            process.stdout.close()
