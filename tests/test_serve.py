"""The server: what it answers, what it refuses and how, what it does under load and when it is told to stop."""

from __future__ import annotations

import http.client
import importlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

import lamella
from lamella import errors, fields
from lamella.server import files, replies
from lamella.server.limits import Limits
from lamella.server.models import named
from lamella.server.replies import Refused
from lamella.task import find
from tests.serving import serving, wait_for

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


def test_options_are_those_of_the_fields_and_name_no_file(server):
    """Of every task: an option that answers is offered with its own bounds, unless it names a file of the server."""
    for name in lamella.tasks():
        for option in fields.options(find(name).Config):
            if option.answering and option.kind == "str":
                assert option.holds or option.name == "stop", f"{name} --{option.flag}: does it name a file?"
    offered = {o["name"] for o in server.get("/models").json["models"][0]["options"]}
    assert offered == {"beams", "alternatives"}
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
    verb = importlib.import_module("lamella.verbs.explain")
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
     {"memory": "/etc/passwd"}, {"glossary": "x.tsv"}, {"from": "de"}, {"pieces": 100}, {"alternatives": 9}],
)  # fmt: skip
def test_options_out_of_bounds(predict, options):
    reply = predict(options=options)
    assert reply.status == 400 and reply.error.startswith(("options", "expected JSON"))


def test_options_that_may_be_set(predict):
    assert predict(options={"beams": "1"}).status == 200
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
        time.sleep(0.3)
        pool.submit(ask, "The cat").result(60)
        assert long.result(60) == model.predict(text)
    assert ended["The cat"] < ended[text]


# --- documents


def test_documents(server):
    done = server.send_file("/models/tiny/document", "läs\nmig.md", b"# The bag\n\n`code`\n")
    assert (
        done.status == 200 and b"`code`" in done.raw and json.loads(done.headers["x-lamella-counts"])["segments"] == 2
    )
    assert (
        done.headers["content-disposition"].startswith("attachment")
        and done.headers["content-type"] == "application/octet-stream"
    )
    rows = (
        server.send_file("/models/tiny/document", "rows.csv", b"n,text\n1,The bag\n2,The cat\n")
        .raw.decode()
        .splitlines()
    )
    assert rows[0] == "n,text,translation" and rows[2].startswith("2,The cat,")
    model = server.state.models["tiny"].model
    assert rows[1] == f"1,The bag,{model.predict('The bag')}"


def test_documents_tell_how_far_they_are(server):
    texts = [e["text"] for e in server.state.models["tiny"].model.task.sample("train")[:70]]
    lines = "\n\n".join(texts).encode()
    told = server.send_file(
        "/models/tiny/document", "a.txt", lines, {"Accept": "application/x-ndjson"}, options='{"beams": 1}'
    )
    *progress, last = told.lines
    assert [p["done"] for p in progress] == sorted({p["done"] for p in progress}) and len(progress) >= 3
    assert progress[0]["total"] == 70 and progress[-1]["done"] == progress[-1]["total"]
    fetched = server.get(last["file"])
    assert fetched.status == 200 and len(fetched.raw.split(b"\n\n")) == len(lines.split(b"\n\n"))
    assert 'filename="a.fr.txt"' in fetched.headers["content-disposition"]


@pytest.mark.parametrize(
    ("name", "raw", "status"),
    [
        ("a.po", b"msgid broken", 422),
        ("a.exe", b"x", 415),
        ("a.md", b"", 422),
        ("../../a.md", b"x", 200),
        ("rows.jsonl", b"{broken", 422),
        ("", b"x", 400),
    ],
)
def test_documents_that_cannot_be_read(server, name, raw, status):
    reply = server.send_file("/models/tiny/document", name, raw)
    assert reply.status == status, reply.raw
    assert status == 200 or "/" not in reply.error.replace("a/b", "") and "lamella-" not in reply.error


def test_many_examples_tell_how_far_they_are(server):
    texts = [{"text": f"The {n} bags."} for n in range(70)]
    told = server.post(
        "/models/tiny/predict", {"examples": texts, "options": {"beams": 1}}, Accept="application/x-ndjson"
    )
    assert told.headers["content-type"] == "application/x-ndjson"
    *progress, last = told.lines
    assert [p["done"] for p in progress] == [32, 64, 70] and {p["total"] for p in progress} == {70}
    plain = server.post("/models/tiny/predict", {"examples": texts, "options": {"beams": 1}}).json
    assert last == plain and len(plain["rendered"]) == 70


# --- errors


def test_errors_say_nothing_of_this_machine(tmp_path):
    line = replies.line_of(
        errors.DataError(f"{tmp_path}/a b.po: expected </b>, 1/2 or text/html\nat C:\\Users\\me\\y.po")
    )
    assert str(tmp_path) not in line and "Users" not in line and "\n" not in line
    assert "</b>, 1/2 or text/html" in line and "b.po" in line
    assert "secret" not in replies.line_of(ValueError("secret"))
    assert replies.encode({"a": "\udce9"}) == b'{"a":"?"}'


def test_a_fault_is_told_as_one_and_kept_from_others(server, monkeypatch, capfd):
    model = server.state.models["tiny"].model
    usual = model.task.answers

    def answers(examples, run):
        if any(e["text"] == "fault" for e in examples):
            raise ValueError("secret")
        return usual(examples, run)

    monkeypatch.setattr(model.task, "answers", answers, raising=False)
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(
                lambda text: server.post("/models/tiny/predict", {"examples": [{"text": text}]}),
                ["The bag", "fault"] * 8,
            )
        )
    assert [r.status for r in found] == [200, 500] * 8
    printed: list[str] = []
    wait_for(lambda: printed.extend(capfd.readouterr().err.splitlines()) or len(printed) >= 8)
    assert "secret" not in found[1].error and len(printed) == 8
    assert all(
        re.fullmatch(r"lamella: ValueError: secret \(test_serve.py:\d+\). --traceback .*", line) for line in printed
    )


# --- time, and company


@pytest.fixture
def slow(server, monkeypatch):
    """A model whose net goes on until it is told to stop; counts its calls."""
    served = server.state.models["tiny"]
    calls = []

    def answers(examples, run):
        while True:
            calls.append(time.monotonic())
            served.worker  # noqa: B018
            run(examples[:1])

    monkeypatch.setattr(served.model.task, "answers", answers, raising=False)
    return calls


def test_an_answer_that_takes_too_long(server, slow, monkeypatch):
    monkeypatch.setattr(server.state.models["tiny"], "limits", Limits(seconds=0.5))
    begin = time.monotonic()
    reply = server.post("/models/tiny/predict", {"examples": [{"text": "The bag"}]})
    assert reply.status == 503 and "0.5 seconds" in reply.error and 0.4 < time.monotonic() - begin < 5


def test_a_client_that_leaves_is_worked_for_no_longer(server, slow):
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request(
        "POST", "/models/tiny/predict", b'{"examples": [{"text": "The bag"}]}', {"Content-Type": "application/json"}
    )
    until = time.monotonic() + 10
    while not slow and time.monotonic() < until:
        time.sleep(0.01)
    connection.sock.close()
    connection.close()
    time.sleep(0.5)
    count = len(slow)
    time.sleep(0.5)
    assert count and len(slow) == count


def test_answers_are_the_same_in_company(server):
    texts = [f"The students buy the {n} blue bags." for n in range(24)]
    model = lamella.load(server.state.models["tiny"].model.where)
    with ThreadPoolExecutor(12) as pool:
        found = list(
            pool.map(
                lambda t: server.post("/models/tiny/predict", {"examples": [{"text": t}]}).json["answers"][0], texts
            )
        )
    assert found == model.predict(texts)


# --- files that wait


def test_the_store_forgets(monkeypatch):
    store = files.Store(Limits(kept=0.001, minutes=1))
    keys = [store.put("a.po", bytes([n]) * 400) for n in range(3)]
    assert len(set(keys)) == 3 and all(len(key) > 30 and key.endswith(".po") for key in keys)
    with pytest.raises(Refused):
        store.get(keys[0])
    assert store.get(keys[2]) == ("a.po", b"\2" * 400)
    with pytest.raises(Refused, match="MB"):
        store.put("b.po", bytes(2000))
    now = time.monotonic()
    monkeypatch.setattr(files.time, "monotonic", lambda: now + 61)
    with pytest.raises(Refused, match="no such file"):
        store.get(keys[2])


# --- the command


def test_names(tiny_model, tmp_path):
    model = lamella.load(tiny_model)
    other = SimpleNamespace(where=str(tmp_path / "a" / tiny_model.name))
    third = SimpleNamespace(where=str(tmp_path / f"{tiny_model.name}.zip"))
    assert list(named([model, other, third])) == [tiny_model.name, f"{tiny_model.name}-2", f"{tiny_model.name}-3"]


def start(*args: object) -> tuple[subprocess.Popen[str], dict]:
    command = [sys.executable, "-m", "lamella.cli", "serve", *map(str, args), "--port", "0", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return process, json.loads(process.stdout.readline())


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_it_finishes_what_it_has_begun(tiny_model, name):
    process, facts = start(tiny_model)
    assert facts["models"] == [tiny_model.name]
    connection = http.client.HTTPConnection("127.0.0.1", int(facts["url"].rpartition(":")[2]), timeout=60)
    texts = [{"text": f"The students buy {n} bags and the teacher reads {n} books."} for n in range(150)]
    connection.request(
        "POST",
        f"/models/{tiny_model.name}/predict",
        json.dumps({"examples": texts}),
        {"Content-Type": "application/json"},
    )
    time.sleep(0.4)
    os.kill(process.pid, getattr(signal, name))
    time.sleep(0.1)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", connection.port), timeout=5).close()
    reply = connection.getresponse()
    assert reply.status == 200 and len(json.loads(reply.read())["answers"]) == 150
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0 and out == ""
    assert err.strip().splitlines() == [f"{tiny_model.name} at {facts['url']} (Ctrl-C stops)"]


def test_limits_are_above_nothing(cli, tiny_model):
    done = cli("serve", tiny_model, "--queue", 0)
    assert done.code == 2 and "--queue" in done.err


def test_a_port_that_is_taken(cli, tiny_model):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = cli("serve", tiny_model, "--port", taken.getsockname()[1])
    assert done.code == 2 and "--port" in done.err and len(done.err.splitlines()) == 1


def test_without_its_packages(cli, tiny_model, monkeypatch):
    for name in [n for n in sys.modules if n.startswith("lamella.server")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    done = cli("serve", tiny_model)
    assert done.code == 1 and "pip install 'lamella[serve]'" in done.err
