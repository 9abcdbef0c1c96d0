"""The set-up of several machines that docs/serving.md shows, with nginx and HAProxy on loopback."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.serving import TEXT, Serving, serve_command, wait_for

PAGE = Path(__file__).parents[2] / "docs" / "serving.md"
PROXIES = ("nginx", "haproxy")
CLIENTS, EACH = 8, 12
NGINX = """daemon off; master_process off; pid {folder}/pid; error_log stderr;
events {{}}
http {{
    access_log off;
    {paths}
    {lines}
}}
"""


def shown(language: str) -> str:
    """The configuration that the page shows."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


def program(kind: str) -> str | None:
    return shutil.which(kind, path=f"{os.environ['PATH']}:/usr/sbin")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as place:
        return int(place.getsockname()[1])


@contextmanager
def proxy(kind: str, folder: Path, ports: list[int]) -> Iterator[Serving]:
    """The proxy before servers at these two ports."""
    port = free_port()
    lines = shown(kind)
    for address, own in zip(("10.0.0.11:8000", "10.0.0.12:8000"), ports, strict=True):
        assert address in lines
        lines = lines.replace(address, f"127.0.0.1:{own}")
    if kind == "nginx":
        names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = " ".join(f"{name}_temp_path {folder}/{name};" for name in names)
        lines = NGINX.format(folder=folder, paths=paths, lines=lines.replace("listen 80;", f"listen 127.0.0.1:{port};"))
        words = ["-p", str(folder), "-e", "stderr", "-c"]
    else:
        lines = lines.replace("bind :80", f"bind 127.0.0.1:{port}")
        words = ["-db", "-f"]
    place = folder / f"{kind}.conf"
    place.write_text(lines)
    with (folder / f"{kind}.err").open("w") as err:
        process = subprocess.Popen([str(program(kind)), *words, str(place)], stdout=err, stderr=err)
    try:
        server = Serving(port)
        wait_for(lambda: process.poll() is not None or ready(server), 120)
        assert process.poll() is None, (folder / f"{kind}.err").read_text()
        yield server
    finally:
        process.kill()
        process.wait(60)


def ready(server: Serving) -> bool:
    try:
        return server.get("/health/ready", host="models.example.org").status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def machines(tiny_model, tmp_path_factory):
    """Two servers, as on two machines: one of three workers and one of one process."""
    if not any(map(program, PROXIES)):
        pytest.skip("neither nginx nor HAProxy is installed")
    folder = tmp_path_factory.mktemp("machines")
    words = (tiny_model, "--name", "models.example.org", "--proxy", "127.0.0.1")
    with (
        serve_command(folder / "one", *words, "--workers", 3, "--metrics") as one,
        serve_command(folder / "two", *words) as two,
    ):
        yield one, two


def lost(server: Serving, name: str, fault: Callable[[], None]) -> list[int]:
    """The statuses of replies that are none, of clients that ask again and again while a fault happens."""
    statuses: list[int] = []

    def ask(client: int) -> None:
        for number in range(EACH):
            if client == 0 and number == EACH // 3:
                fault()
            statuses.append(server.post(f"/models/{name}/predict", TEXT, host="models.example.org").status)

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(ask, range(CLIENTS)))
    assert len(statuses) == CLIENTS * EACH
    return [status for status in statuses if status != 200]


@pytest.mark.parametrize("kind", PROXIES)
def test_no_request_is_lost_when_a_worker_is_killed(kind, machines, tiny_model, tmp_path):
    if not program(kind):
        pytest.skip(f"{kind} is not installed")
    one, two = machines
    with proxy(kind, tmp_path, [one.port, two.port]) as server:
        wait_for(lambda: len(one.workers) == 3, 120)
        before = one.err.count("SIGKILL")
        assert not lost(server, tiny_model.name, lambda: os.kill(one.workers[0], signal.SIGKILL))
        wait_for(lambda: one.err.count("SIGKILL") == before + 1, 120)
        assert server.get("/metrics", host="models.example.org").status == 403 and one.get("/metrics").status == 200


def test_no_request_is_lost_when_a_machine_stops(machines, tiny_model, tmp_path):
    """Last, since the machine stays away."""
    one, two = machines
    with ExitStack() as stack:
        kinds = [kind for kind in PROXIES if program(kind)]
        folders = [tmp_path / kind for kind in kinds]
        for folder in folders:
            folder.mkdir()
        ports = [one.port, two.port]
        servers = [stack.enter_context(proxy(kind, f, ports)) for kind, f in zip(kinds, folders, strict=True)]
        stopped = threading.Event()

        def stop() -> None:
            if not stopped.is_set():
                stopped.set()
                two.process.terminate()

        with ThreadPoolExecutor(len(servers)) as pool:
            found = list(pool.map(lambda server: lost(server, tiny_model.name, stop), servers))
        assert not any(found), found
        assert two.process.wait(120) == 0
