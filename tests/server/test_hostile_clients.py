"""Clients that want to hurt: odd HTTP, slow HTTP, too much of it, and pages of other origins."""

from __future__ import annotations

import http.client
import json
import socket
import time
from contextlib import ExitStack, closing

import pytest

import lamella
from lamella.server import run
from lamella.server.addresses import LOCAL, Shares, client_of
from lamella.server.common import Common
from lamella.server.holding import Bodies
from lamella.server.limits import Limits
from lamella.server.replies import Refused
from tests.serving import serving

LIMITS = Limits(megabytes=1, upload=1.5, held=3, connections=40, each=10)
ASK = json.dumps({"examples": [{"text": "The cat"}]}).encode()
PREDICT = b"POST /models/tiny/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def server(tiny_model):
    with serving({"tiny": lamella.load(tiny_model)}, LIMITS) as found:
        assert found.post("/models/tiny/predict", {"examples": []}).status == 200
        yield found


@pytest.fixture(autouse=True)
def alive(server, capfd):
    """After each test the server answers, and it has written no traceback."""
    yield
    assert server.post("/models/tiny/predict", ASK).status == 200
    assert "Traceback" not in capfd.readouterr().err


def connect(server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def tell(server, raw: bytes, end: bool = False) -> bytes:
    """Send bytes as they are; everything that comes back until the server closes."""
    with closing(connect(server)) as client:
        try:
            client.sendall(raw)
            if end:
                client.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all of it was sent
        parts = []
        try:
            while part := client.recv(1 << 16):
                parts.append(part)
        except ConnectionResetError:
            pass
        return b"".join(parts)


def statuses(raw: bytes) -> list[int]:
    return [int(part[:3]) for part in raw.split(b"HTTP/1.1 ")[1:]]


# --- odd HTTP

CLOSE = b"Connection: close\r\n"


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20 + b"\r\n\r\n", 400, id="TLS"),
        pytest.param(b"GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n", 505, id="version"),
        pytest.param(b"GET /health HTTP/1.1\r\nHost: localhost\r\nA\r\n\r\n", 400, id="header without a colon"),
        pytest.param(b"GET /health HTTP/1.1\r\nHost: localhost\r\nA: \x00\r\n\r\n", 400, id="NUL in a header"),
        pytest.param(b"GET /health HTTP/1.1\r\n\r\n", 400, id="no host"),
        pytest.param(b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 400, id="two hosts"),
        pytest.param(b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 40_000, 431, id="many headers"),
        pytest.param(b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 431, id="long address"),
        pytest.param(PREDICT + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, id="CL and TE"),
        pytest.param(PREDICT + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, id="another encoding"),
        pytest.param(PREDICT + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n", 501, id="two TE"),
        pytest.param(PREDICT + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400, id="a space before the colon"),
        pytest.param(PREDICT + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}", 400, id="two lengths"),
        pytest.param(PREDICT + b"Content-Length: -1\r\n\r\n", 400, id="length below 0"),
        pytest.param(PREDICT + b"Content-Length: +5\r\n\r\n{}   ", 400, id="length with a sign"),
        pytest.param(PREDICT + b"Content-Length: " + b"9" * 19 + b"\r\n\r\n", 413, id="length of exabytes"),
        pytest.param(PREDICT + b"Content-Length: " + b"9" * 4000 + b"\r\n\r\n", 400, id="length of 4000 digits"),
        pytest.param(PREDICT + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400, id="no chunk"),
        pytest.param(PREDICT + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 400_000, 400, id="tiny chunks"),
        pytest.param(PREDICT + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * 200_000, 431, id="long chunk extension"),
        pytest.param(b"GET http://evil.example/health HTTP/1.1\r\nHost: localhost\r\n" + CLOSE + b"\r\n", 404, id="proxy"),
        pytest.param(b"CONNECT evil.example:80 HTTP/1.1\r\nHost: localhost\r\n" + CLOSE + b"\r\n", 404, id="CONNECT"),
        pytest.param(b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n" + CLOSE + b"\r\n", 404, id="OPTIONS *"),
        pytest.param(b"TRACE /health HTTP/1.1\r\nHost: localhost\r\n" + CLOSE + b"\r\n", 405, id="TRACE"),
    ],
)  # fmt: skip
def test_odd_requests(server, raw, status):
    """One typed reply, in JSON, and the connection is closed: nothing after it is read as another request."""
    reply = tell(server, raw + b"GET /models HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2)
    assert statuses(reply) == [status], reply[:300]
    head, _, body = reply.partition(b"\r\n\r\n")
    assert set(json.loads(body)) == {"error"} and b"nosniff" in head.lower()


def test_a_length_that_lies(server):
    """More is announced than comes, or less: the rest is no second request."""
    begin = time.monotonic()
    assert statuses(tell(server, PREDICT + b"Content-Length: 500\r\n\r\n" + ASK, end=True)) in ([], [400], [408])
    assert time.monotonic() - begin < 10
    smuggled = ASK + b"GARBAGE /models HTTP/1.1\r\n\r\n"
    assert statuses(tell(server, PREDICT + b"Content-Length: %d\r\n\r\n" % len(ASK) + smuggled)) == [200, 400]


def test_pipelining(server):
    """Requests in one piece are answered one after another, each by its own reply."""
    asks = [
        json.dumps({"examples": [{"text": text}], "options": {"beams": 1}}).encode() for text in ("The cat", "The bag")
    ]
    raw = b"".join(PREDICT + b"Content-Length: %d\r\n\r\n" % len(ask) + ask for ask in asks)
    many = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" * 300
    reply = tell(server, raw + many + b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert statuses(reply) == [200] * 303


@pytest.mark.parametrize(
    "path",
    ["/web/%00", "/web/index.html%00.js", "/models/%00", "/models/tiny%00/predict", "/download_file/%00", "/%00",
     "/web/%2e%2e%2f%2e%2e%2fserver%2fapp.py", "/web/..%2fserver%2fapp.py", "/web/%252e%252e%252fx.js", "/web/....//x.js",
     "/download_file/..%2f..%2fetc%2fpasswd", "/download_file/%2fetc%2fpasswd", "/models/..%2f..%2fetc", "/web//etc/passwd",
     "/models/%ff%fe", "/web/%c0%ae%c0%ae/x.js"],
)  # fmt: skip
def test_paths_that_lead_elsewhere(server, path):
    for method in ("GET", "HEAD", "POST"):
        reply = server.ask(method, path, ASK if method == "POST" else None, {"Content-Type": "application/json"})
        assert reply.status in (404, 405), (method, reply)
        assert method == "HEAD" or "/etc" not in reply.error


def test_methods_that_are_not_offered(server):
    for path in ("/models/tiny/predict", "/models/tiny/explain", "/models/tiny/document", "/translate"):
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
            assert server.ask(method, path).status == 405, (method, path)


@pytest.mark.parametrize("text", [b"\x1b[31m", b"\r\nSet-Cookie: a=b", b"<script>alert(1)</script>"])
def test_what_a_client_says_is_no_markup_and_no_header(server, text):
    """In errors it comes back as JSON, which no browser shows as a page."""
    body = json.dumps({"examples": [{text.decode(): "x"}]}).encode()
    reply = server.post("/models/tiny/predict", body)
    assert reply.status == 400 and reply.headers["content-type"] == "application/json"
    assert reply.headers["set-cookie"] is None and reply.headers["x-content-type-options"] == "nosniff"
    name = text.decode("latin-1").replace("\r\n", "_") + ".exe"
    refused = server.send_file("/models/tiny/document", name, b"x")
    assert refused.status in (400, 415) and refused.headers["set-cookie"] is None


# --- slow, and too many


def test_many_slow_clients_shut_nobody_out(server):
    """Four times as many as there may be, all of this machine: some say nothing, some half a head, some half a body."""
    said = (b"", b"GET /health HTTP/1.1\r\nHo", PREDICT + b"Content-Length: 4000\r\n\r\n{")
    with ExitStack() as stack:
        slow = []
        for i in range(4 * LIMITS.connections):
            client = stack.enter_context(closing(connect(server)))
            client.sendall(said[i % 3])
            slow.append(client)
        begin = time.monotonic()
        for _ in range(5):
            assert server.post("/models/tiny/predict", ASK).status == 200
        assert time.monotonic() - begin < 5
        reply = slow[1].recv(1000)
        assert statuses(reply) in ([503], []), "the one that waited longest made room"


def test_slow_bodies_do_not_take_all_memory_for_bodies(tiny_model):
    """Six bodies of almost a megabyte, where three megabytes are held: the oldest are dropped, a new one finds room."""
    size = 900_000
    limits = Limits(megabytes=1, held=3, upload=60)
    with serving({"tiny": lamella.load(tiny_model)}, limits) as server, ExitStack() as stack:
        slow = [stack.enter_context(closing(connect(server))) for _ in range(6)]
        for client in slow:
            client.sendall(PREDICT + b"Content-Length: %d\r\n\r\n" % size + b" " * (size - 100))
        time.sleep(0.3)
        text = b'{"examples": [{"text": "The cat"}]}' + b" " * 700_000
        assert server.post("/models/tiny/predict", text).status == 200
        assert statuses(slow[0].recv(1000)) == [503]


def test_a_drop_at_a_time(server):
    """A head that comes in drops ends with the time for a request, not with the patience of the client."""
    begin = time.monotonic()
    with closing(connect(server)) as client:
        with pytest.raises((BrokenPipeError, ConnectionResetError, AssertionError)):
            for letter in b"GET /health HTTP/1.1\r\nHost: localhost\r\nA: " + b"a" * 500:
                client.sendall(bytes([letter]))
                time.sleep(0.05)
                assert time.monotonic() - begin < LIMITS.upload + 5
        assert time.monotonic() - begin < LIMITS.upload + 4


def test_a_connection_that_asks_nothing_more(tiny_model, monkeypatch):
    """It is closed after a while, and not before."""
    monkeypatch.setattr(run, "IDLE", 1)
    with serving({"tiny": lamella.load(tiny_model)}) as server, closing(connect(server)) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        begin, reply = time.monotonic(), b""
        while part := client.recv(1000):
            reply += part
        assert statuses(reply) == [200] and 0.8 < time.monotonic() - begin < 6


def test_a_client_that_takes_no_reply(server, monkeypatch):
    """It is cut off when it takes nothing for as long as a request may take."""
    import lamella.server.app as app

    connections = server.connections
    monkeypatch.setattr(app.about, "tasks", lambda: ["a" * 1000] * 30_000)
    with closing(socket.socket()) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", server.port))
        client.sendall(b"GET /models HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.5)
        assert connections() == 1
        until = time.monotonic() + LIMITS.upload + 5
        while connections() and time.monotonic() < until:
            time.sleep(0.1)
        assert connections() == 0


def test_clients():
    """One is a machine: what it sends is counted together, whatever port, address of its network, or notation it uses."""
    assert client_of("127.0.0.1") == client_of("127.9.9.9") == client_of("::1") == LOCAL
    assert client_of("2001:db8::1") == client_of("2001:db8::ffff") != client_of("2001:db8:1::1")
    assert client_of("::ffff:10.0.0.1") == client_of("10.0.0.1") != client_of("10.0.0.2")
    assert client_of("") == "" and client_of("fe80::1%eth0") == client_of("fe80::2%eth0")


def test_one_address_does_not_take_every_turn():
    shares = Shares(4, Common().requests)
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(shares.one("10.0.0.1"))
        with pytest.raises(Refused) as error:
            stack.enter_context(shares.one("10.0.0.1"))
        assert error.value.status == 503 and error.value.retry
        stack.enter_context(shares.one("10.0.0.2"))
        for _ in range(4):
            stack.enter_context(shares.one("127.0.0.1"))
    assert not any(map(shares._counts.of, ("10.0.0.1", "10.0.0.2", LOCAL))), "nothing is kept of clients that have gone"


def test_one_address_does_not_take_all_room_for_bodies():
    bodies = Bodies(Limits(held=1), Common().bodies)
    with bodies.one("10.0.0.1") as first, bodies.one("10.0.0.2") as second:
        first.add(400_000)
        with pytest.raises(Refused):
            first.add(200_000)
        second.add(300_000)


# --- pages of other origins


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
     {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"},
     {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
     {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
     {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Referer": "http://evil.example/page"}],
)  # fmt: skip
def test_a_foreign_page_starts_nothing(server, headers):
    """Not by a picture, a script, a frame, a link, nor in a browser that says only where it comes from."""
    for path in ("/models", "/openapi.json", "/models/tiny", "/health", "/frontend/settings", "/download_file/x"):
        for method in ("GET", "HEAD"):
            assert server.ask(method, path, None, headers).status == 403, path
    assert server.ask("GET", "/models/tiny/explain", None, headers).status in (403, 405)


def test_a_link_to_the_page_is_followed(server):
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert server.ask("GET", "/", None, link).status == 200
    assert server.ask("GET", "/", None, {**link, "Sec-Fetch-Dest": "iframe"}).status == 403
    own = {"Sec-Fetch-Site": "same-origin", "Referer": f"{server.url}/"}
    assert server.ask("GET", "/models", None, own).status == 200
    assert server.ask("GET", "/models", None, {"Referer": f"{server.url}/"}).status == 200
    assert server.ask("GET", "/models", None, {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}).status == 200


def test_the_whole_model_is_explained_by_post_alone(server, monkeypatch):
    """A picture with this address on any page would have the model work for minutes."""
    asked = []
    monkeypatch.setattr(server.state.models["tiny"], "at_length", lambda *args: asked.append(args))
    for method in ("GET", "HEAD", "OPTIONS"):
        assert server.ask(method, "/models/tiny/explain").status == 405
    assert server.post("/models/tiny/explain", b"{}", "text/plain").status == 415
    assert server.post("/models/tiny/explain", b"{}", Origin="http://evil.example").status == 403
    assert not asked


def test_a_connection_that_stays_open(server):
    """Nothing of a request that was refused is left for the next one on the same connection."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as connection:
        for body, status in ((b"[" * 1000, 400), (ASK, 200), (b"", 400), (ASK, 200)):
            connection.request("POST", "/models/tiny/predict", body, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            assert (reply.status, bool(reply.read())) == (status, True)
