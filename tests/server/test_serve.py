"""The server: what it answers, what it refuses and how, what it does under load and when it is told to stop."""

from __future__ import annotations

import importlib
import json
import socket
import struct
import sys
import threading
import time
import zlib
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

import lamella
from lamella.options import all_options
from lamella.registry import find
from lamella.server import files
from lamella.server.limits import Limits
from tests.serving import serving

SMALL = Limits(megabytes=1, upload=0.7, characters=20_000)


@pytest.fixture(scope="module")
def server(trained):
    models = {"tiny": lamella.load(trained("translation")), "pictures": lamella.load(trained("image-classification"))}
    with serving(models, SMALL) as found:
        yield found


@pytest.fixture
def predict(server):
    """predict("text"): the reply; afterwards the server is alive."""

    def ask(text="The students buy the blue bag.", options=None, **headers):
        return server.post("/models/tiny/predict", {"examples": [{"text": text}], "options": options or {}}, **headers)

    yield ask
    assert ask().status == 200


# --- what there is


def test_models(server):
    found = server.get("/models").json
    tiny, pictures = found["models"]
    assert tiny["name"] == "tiny" and tiny["task"] == "translation" and tiny["languages"] == ["en", "fr"]
    assert pictures["fields"]["image"]["kind"] == "image" and pictures["languages"] is None
    assert pictures["examples"][0]["image"].startswith("data:image/png;base64,")
    assert ".po" in tiny["suffixes"] and ".csv" in tiny["suffixes"] and pictures["suffixes"] == []
    assert [t["name"] for t in found["tasks"]] == lamella.tasks()
    assert {"train", "predict", "explain", "serve"} <= {*found["tasks"][0]["verbs"], "explain"}
    shown = server.get("/models/tiny").json
    assert shown["card"].startswith("# translation") and shown["curves"].startswith("<svg") and shown["scores"]
    assert server.get("/health").json == {
        "status": "ok",
        "models": {"tiny": {"status": "ready"}, "pictures": {"status": "ready"}},
    }
    assert server.get("/models/none").status == 404 and "tiny" in server.get("/models/none").error


# Words that a task compares or reads, never opens.
NO_FILES = {"stop", "date_format", "from", "to", "choices", "facts", "words", "front_matter", "colour_by"}


def test_options_are_those_of_the_fields_and_name_no_file(server):
    """Of every task: an option that answers is offered with its own bounds, unless it names a file of the server."""
    for name in lamella.tasks():
        for option in all_options(find(name).Config):
            if option.answering and option.kind == "str":
                assert option.holds or option.name in NO_FILES, f"{name} --{option.flag}: does it name a file?"
    offered = {o["name"] for o in server.get("/models").json["models"][0]["options"]}
    assert offered == {
        "beams",
        "alternatives",
        "details",
        "front_matter",
        "keep_below",
        "neighbours",
        "line_length",
        "lines",
        "paragraphs",
        "from",
        "to",
    }
    described = server.get("/openapi.json").json
    ask = described["paths"]["/models/tiny/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert ask["properties"]["options"]["properties"]["beams"]["maximum"] == 8
    assert ask["properties"]["examples"]["items"]["required"] == ["text"]
    for path, methods in described["paths"].items():
        for method in methods if "explain" not in path else ():
            reply = server.ask(method.upper(), path.replace("{key}", "x"), b"{}", {"Content-Type": "application/json"})
            assert reply.status not in (405, 500), (path, method, reply)


def test_page(server, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "WEB", tmp_path / "web")
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "index.html").write_text("<p>hello")
    (tmp_path / "web" / "page.js").write_text("1")
    (tmp_path / "secret.js").write_text("secret")
    page = server.get("/")
    assert page.raw == b"<p>hello" and page.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert (
        policy["default-src"] == "'none'" and policy["script-src"] == "'self'" and policy["frame-ancestors"] == "'none'"
    )
    assert "unsafe" not in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff" and page.headers["referrer-policy"] == "no-referrer"
    assert server.get("/", if_none_match=page.headers["etag"]).status == 304
    (tmp_path / "web" / "index.html").write_text("<p>other")
    assert server.get("/", if_none_match=page.headers["etag"]).raw == b"<p>other"
    assert server.get("/web/page.js").headers["content-type"] == "text/javascript; charset=utf-8"
    for path in (
        "/web/../secret.js",
        "/web/%2e%2e%2fsecret.js",
        "/web/..%5csecret.js",
        "/web/",
        "/web/.js",
        "/web/no.js",
    ):
        assert server.get(path).status == 404, path


def test_the_whole_model_is_explained_once(server, monkeypatch):
    """Who asks meanwhile waits for the same explanation; who waits too long is told to come again."""
    verb = importlib.import_module("lamella.explain.explain")
    asked, go_on = [], threading.Event()

    def explain(model, example=None, **how):
        asked.append(example)
        assert go_on.wait(30)
        return SimpleNamespace(to_json=lambda: '{"sections": []}')

    monkeypatch.setattr(verb, "explain", explain)
    monkeypatch.setattr(server.state, "limits", Limits(seconds=0.3))
    late = server.post("/models/tiny/explain", {})
    assert late.status == 503 and late.headers["retry-after"]
    with ThreadPoolExecutor(4) as pool:
        found = [pool.submit(server.post, "/models/tiny/explain", {}) for _ in range(4)]
        go_on.set()
        assert {f.result(30).raw for f in found} == {b'{"sections": []}'} and asked == [None]
    assert server.post("/models/tiny/explain", {}).status == 200 and asked == [None]


# --- who may ask


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", "", "localhost@evil.example", "["]
)
def test_a_foreign_host_is_refused(server, predict, host):
    assert predict(Host=host).status == server.get("/models", Host=host).status == 400


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:80", "LOCALHOST:1"])
def test_own_hosts(predict, host):
    assert predict(Host=host).status == 200


def test_hosts_of_a_server_that_listens_everywhere(tiny_model):
    with serving({"tiny": lamella.load(tiny_model)}, names=["models.lan"], everywhere=True) as server:
        assert server.get("/health", Host="models.lan").status == server.get("/health", Host="10.0.0.1").status == 200
        assert server.get("/health", Host="evil.example").status == 400


def test_other_origins_may_not_ask(server, predict):
    text = json.dumps({"examples": [{"text": "x"}]}).encode()
    evil = {"Origin": "http://evil.example"}
    assert server.ask("POST", "/models/tiny/predict", text, {"Content-Type": "text/plain", **evil}).status == 403
    assert server.ask("POST", "/models/tiny/predict", text, {"Content-Type": "text/plain"}).status == 415
    assert server.ask("POST", "/models/tiny/predict", text).status == 415
    assert predict(Origin="null").status == predict(Origin="http://evil.example").status == 403
    assert predict(Origin="http://127.0.0.1:1").status == 403, "another port is another origin"
    assert (
        predict(**{"Sec-Fetch-Site": "cross-site"}).status == predict(**{"Sec-Fetch-Site": "same-site"}).status == 403
    )
    assert predict(Origin=server.url).status == predict(**{"Sec-Fetch-Site": "same-origin"}).status == 200
    form = server.post(
        "/translate", b"q=x&source=en&target=fr", "application/x-www-form-urlencoded", Origin="http://evil.example"
    )
    assert form.status == 403
    assert not [h for h in predict(Origin=server.url).headers if h.lower().startswith("access-control")]


# --- how much they may ask


def test_bodies_that_are_too_large(server, predict):
    text = b'{"examples": [{"text": "' + b"a" * 1_200_000 + b'"}]}'
    assert server.post("/models/tiny/predict", text).status == 413
    chunks = server.ask(
        "POST",
        "/models/tiny/predict",
        (text[i : i + 50_000] for i in range(0, len(text), 50_000)),
        {"Content-Type": "application/json"},
    )
    assert chunks.status == 413 and "MB" in chunks.error


def test_a_long_text_is_refused_before_it_is_read(predict):
    begin = time.monotonic()
    for text in ("a" * 400_000, "data:image/png;base64," + "a" * 400_000):
        reply = predict(text)
        assert reply.status == 413 and "20,000 characters" in reply.error and time.monotonic() - begin < 4


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"POST /models/tiny/predict HTTP/1.1\r\nHost: localh",
        b"POST /models/tiny/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n{",
    ],
)
def test_a_slow_client(server, predict, sent):
    """It says half of what it wants and waits; the server does not."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(sent)
        found = client.recv(10_000)
        assert found.startswith(b"HTTP/1.1 408 ") if sent else found == b""


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 100_000, 400),
        (b'{"examples": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
        (b'{"examples": [{"text": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}]}", 400),
        (b"", 400),
        (b"\xff\xfe", 400),
        (b'{"examples": [{"text": "\\udce9"}]}', None),
        (b'{"examples": [{"text": 1}]}', 400),
        (b'{"examples": [{"text": "a", "to": "xx"}]}', 400),
        (b'{"examples": [{}]}', 400),
        (b'{"examples": [{"text": "a"}], "other": 1}', 400),
        (b'{"examples": [' + b'{"text": "a"},' * 1000 + b'{"text": "a"}]}', 413),
        (b'{"examples": []}', 200),
    ],
)  # fmt: skip
def test_odd_bodies(server, predict, body, status):
    reply = server.post("/models/tiny/predict", body)
    assert reply.status == status if status else reply.status in (200, 400)
    assert reply.status == 200 or reply.error


@pytest.mark.parametrize(
    "options",
    [{"beams": 10_000}, {"beams": 0}, {"beams": "many"}, {"beams": 1e99}, {"beams": None}, {"beams": 10**400}, {"wings": 2},
     {"memory": "/etc/passwd"}, {"glossary": "x.tsv"}, {"from": "de"}, {"vocabulary_size": 100}, {"alternatives": 9}],
)  # fmt: skip
def test_options_out_of_bounds(predict, options):
    reply = predict(options=options)
    assert reply.status == 400
    assert reply.error.startswith(("options", "expected JSON", "this model does not translate de to fr"))


def test_options_that_may_be_set(predict):
    assert predict(options={"beams": "1"}).status == 200
    assert predict(options={"details": True, "keep_below": 0.5, "from": "en", "to": "fr"}).status == 200
    assert predict(options={"to": "../en"}).status == 400
    assert len(predict(options={"alternatives": 3}).json["answers"][0]) <= 3


def png(width: int, height: int) -> str:
    """A picture that is all header: a few kB that unfold to width x height points."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(bytes((1 + width) * height), 9)
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    raw = b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", rows) + part(b"IEND", b"")
    return "data:image/png;base64," + b64encode(raw).decode()


def test_pictures(server):
    def ask(value):
        return server.post("/models/pictures/predict", {"examples": [{"image": value}]})

    assert ask(png(20, 20)).status == 200
    bomb = png(12_000, 12_000)
    assert len(bomb) < 300_000
    begin = time.monotonic()
    assert ask(bomb).status == 422 and "million points" in ask(bomb).error and time.monotonic() - begin < 2
    for value in ("data:image/png;base64,AAAA", "data:,", "data:image/png;base64,%%", {"a": 1}, 3):
        assert ask(value).status in (400, 422), value


OPENED: list[str] = []
LISTENING = threading.Event()


def listen_to_files(event: str, args: tuple) -> None:
    if event == "open" and LISTENING.is_set():
        OPENED.append(str(args[0]))


def test_nothing_is_loaded_by_path_or_address(server, tmp_path):
    """No file is opened, whatever a value names; asked of Python itself."""
    place = tmp_path / "private.png"
    place.write_bytes(b"secret")
    sys.addaudithook(listen_to_files)
    for value in (
        str(place),
        f"file://{place}",
        "http://127.0.0.1:1/x.png",
        "../x.png",
        "README.md",
        "~/x",
        "",
        None,
        [str(place)],
        {"x": str(place)},
    ):
        LISTENING.set()
        reply = server.post("/models/pictures/predict", {"examples": [{"image": value}]})
        LISTENING.clear()
        assert reply.status in (400, 422) and str(tmp_path) not in reply.error
        assert reply.status == 400 or isinstance(value, dict)
    table = f"image\n{place}\n".encode()
    LISTENING.set()
    reply = server.send_file("/models/pictures/document", "rows.csv", table)
    LISTENING.clear()
    assert reply.status == 415
    assert not [name for name in OPENED if "private" in name or "README" in name]


def test_a_long_text_lets_others_pass(server):
    """It is answered sentence by sentence, the same as at once, and a short question does not wait for its end."""
    model = server.state.models["tiny"].model
    text = " ".join(e["text"] for e in model.task.sample("train")[:200])
    assert 5000 < len(text) < SMALL.characters
    ended = {}

    def ask(text):
        reply = server.post("/models/tiny/predict", {"examples": [{"text": text}]})
        ended[text] = time.monotonic()
        return reply.json["answers"][0]

    with ThreadPoolExecutor(2) as pool:
        long = pool.submit(ask, text)
        time.sleep(0.05)  # a quick machine answers the long one in a quarter of a second
        pool.submit(ask, "The cat").result(60)
        assert long.result(60) == model.predict(text)
    assert ended["The cat"] < ended[text]
