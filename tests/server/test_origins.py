"""Which pages of other origins may ask: none, unless they are named."""

from __future__ import annotations

import pytest

import lamella
from lamella.errors import UsageError
from lamella.server.origins import read_origin
from tests.serving import serving

PAGE = "https://pages.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}


@pytest.fixture(scope="module")
def server():
    with serving({}, origins=[PAGE, "http://localhost:3000"]) as found:
        yield found


def test_a_preflight(server):
    found = server.ask("OPTIONS", "/translate", None, {"Origin": PAGE, **PREFLIGHT})
    assert found.status == 204 and found.raw == b""
    assert found.headers["access-control-allow-origin"] == PAGE and found.headers["vary"] == "Origin"
    assert found.headers["access-control-allow-methods"] == "GET, POST"
    assert "Content-Type" in found.headers["access-control-allow-headers"]
    assert found.headers["access-control-allow-credentials"] is None, "there are no cookies"
    assert found.headers["access-control-allow-private-network"] is None
    near = server.ask(
        "OPTIONS", "/translate", None, {"Origin": PAGE, **PREFLIGHT, "Access-Control-Request-Private-Network": "true"}
    )
    assert near.headers["access-control-allow-private-network"] == "true"
    assert server.ask("OPTIONS", "/translate", None, {"Origin": PAGE}).status == 405, "no preflight"


def test_its_requests_and_their_errors(server):
    page = {"Origin": PAGE, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
    for reply, status in (
        (server.ask("GET", "/languages", None, page), 200),
        (server.ask("POST", "/translate", b"{}", {**page, "Content-Type": "application/json"}), 400),
        (server.ask("GET", "/nowhere", None, page), 404),
    ):
        assert reply.status == status
        assert reply.headers["access-control-allow-origin"] == PAGE and reply.headers["vary"] == "Origin"
        assert reply.headers["cross-origin-resource-policy"] == "cross-origin"
    assert server.get("/languages", Origin="HTTP://LOCALHOST:3000").status == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "http://pages.example", "https://pages.example:444", "https://pages.example.evil",
                                    "http://localhost:3001", "null", ""])  # fmt: skip
def test_other_origins(server, origin):
    for reply in (
        server.get("/languages", Origin=origin),
        server.ask("OPTIONS", "/translate", None, {"Origin": origin, **PREFLIGHT}),
    ):
        assert reply.status == 403 and reply.headers["access-control-allow-origin"] is None
        assert reply.headers["vary"] == "Origin", "no cache may give it to another"
        assert "--allow-origin" in reply.error
    assert server.get("/languages", Sec_Fetch_Site="cross-site").status == 403, "no origin"


def test_its_own_page(server):
    reply = server.get("/languages", Origin=server.url)
    assert reply.status == 200 and reply.headers["access-control-allow-origin"] is None


def test_any_origin():
    with serving({}, origins=["*"]) as server:
        for origin in (PAGE, "null", "chrome-extension://abc"):
            assert server.get("/languages", Origin=origin).headers["access-control-allow-origin"] == "*"


def test_off_by_default():
    with serving({}) as server:
        assert server.get("/languages", Origin=PAGE).status == 403
        assert server.ask("OPTIONS", "/translate", None, {"Origin": PAGE, **PREFLIGHT}).status == 403
        own = server.get("/languages")
        assert own.headers["vary"] is None and own.headers["access-control-allow-origin"] is None


@pytest.mark.parametrize(
    ("given", "read"),
    [("https://a.example", "https://a.example"), (" HTTPS://A.Example ", "https://a.example"), ("http://a:80", "http://a"),
     ("https://a:443", "https://a"), ("http://a:443", "http://a:443"), ("http://[::1]:3000", "http://[::1]:3000"),
     ("chrome-extension://abcdef", "chrome-extension://abcdef"), ("http://127.0.0.1:8080", "http://127.0.0.1:8080"), ("*", "*")],
)  # fmt: skip
def test_origins_that_are_read(given, read):
    assert read_origin(given) == read


@pytest.mark.parametrize(
    ("given", "said"),
    [("a.example", "with its scheme"), ("", "with its scheme"), ("https://", "expected an origin"), ("https://a.example/", "without a path"),
     ("https://a.example/page", "without a path"), ("https://a.example?x", "without a path"), ("https://a.example#x", "without a path"),
     ("https://u:p@a.example", "without a path or a user: https://a.example"), ("https://*.example", "Name each host"),
     ("null", "sandbox"), ("https://ä.example", "xn--"), ("https://a.example:x", "expected an origin"), ("https://a:99999", "expected an origin"),
     ("https://a b.example", "expected an origin"), ("https://a.example:", "expected an origin"), ("https://[::1", "expected an origin")],
)  # fmt: skip
def test_origins_that_are_refused(given, said):
    with pytest.raises(UsageError, match="--allow-origin") as error:
        read_origin(given)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_from_the_command_line_and_python(cli):
    done = cli("serve", "--allow-origin", "https://a.example", "--allow-origin", "a.example/page")
    assert done.code == 2 and "'a.example/page'" in done.err and len(done.err.splitlines()) == 1
    with pytest.raises(UsageError, match="with its scheme"):
        lamella.serve(origins=["a.example"])
    assert "--allow-origin" in cli("serve", "--help").out
