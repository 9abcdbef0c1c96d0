"""The set-up of several machines that docs/serving.md shows, with nginx and HAProxy on loopback."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.serving import TEXT, Serving, serve_command, wait_for

PAGE = Path(__file__).parents[2] / "docs" / "serving.md"
CLIENTS, EACH = 8, 24
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


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as place:
        return int(place.getsockname()[1])


@contextmanager
def proxy(kind: str, folder: Path, ports: list[int]) -> Iterator[Serving]:
    """The proxy before servers at these two ports."""
    program = shutil.which("nginx" if kind == "nginx" else "haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip(f"{kind} is not installed")
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
        process = subprocess.Popen([program, *words, str(place)], stdout=err, stderr=err)
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


@pytest.mark.parametrize("kind", ["nginx", "haproxy"])
def test_no_request_is_lost(kind, tiny_model, tmp_path):
    """One of three workers of a machine is killed, then the other machine is stopped, while clients ask."""
    words = (tiny_model, "--name", "models.example.org", "--proxy", "127.0.0.1")
    if shutil.which(kind, path=f"{os.environ['PATH']}:/usr/sbin") is None:
        pytest.skip(f"{kind} is not installed")
    with (
        serve_command(tmp_path / "one", *words, "--workers", 3, "--metrics") as one,
        serve_command(tmp_path / "two", *words) as two,
        proxy(kind, tmp_path, [one.port, two.port]) as server,
    ):
        statuses: list[int] = []

        def ask(client: int) -> None:
            for number in range(EACH):
                if client == 0 and number == EACH // 3:
                    os.kill(one.workers[0], signal.SIGKILL)
                if client == 0 and number == 2 * EACH // 3:
                    two.process.terminate()
                reply = server.post(f"/models/{tiny_model.name}/predict", TEXT, host="models.example.org")
                statuses.append(reply.status)

        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(ask, range(CLIENTS)))
        assert statuses == [200] * CLIENTS * EACH
        assert server.get("/metrics", host="models.example.org").status == 403
        assert one.get("/metrics").status == 200 and "SIGKILL" in one.err
