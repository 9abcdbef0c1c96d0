"""The server at work: documents, faults of a model, time, company, files that wait, and how the command begins and ends."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

import lamella
from lamella import errors
from lamella.server import kept, replies
from lamella.server.limits import Limits
from lamella.server.models import named
from lamella.server.replies import Refused
from tests.serving import serving, wait_for

SMALL = Limits(megabytes=1, upload=0.7, characters=20_000)


@pytest.fixture(scope="module")
def server(tiny_model):
    with serving({"tiny": lamella.load(tiny_model)}, SMALL) as found:
        yield found


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
        re.fullmatch(r"lamella: ValueError: secret \(test_serve_work.py:\d+\). --traceback .*", line)
        for line in printed
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
    store = kept.MemoryStore(Limits(kept=0.001, minutes=1))
    keys = [store.put("a.po", bytes([n]) * 400) for n in range(3)]
    assert len(set(keys)) == 3 and all(len(key) > 30 and key.endswith(".po") for key in keys)
    with pytest.raises(Refused):
        store.get(keys[0])
    assert store.get(keys[2]) == ("a.po", b"\2" * 400)
    with pytest.raises(Refused, match="MB"):
        store.put("b.po", bytes(2000))
    now = time.monotonic()
    monkeypatch.setattr(kept.time, "monotonic", lambda: now + 61)
    with pytest.raises(Refused, match="no such file"):
        store.get(keys[2])


# --- the command


def test_names(tiny_model, tmp_path):
    model = lamella.load(tiny_model)
    other = SimpleNamespace(where=str(tmp_path / "a" / tiny_model.name))
    third = SimpleNamespace(where=str(tmp_path / f"{tiny_model.name}.zip"))
    assert list(named([model, other, third])) == [tiny_model.name, f"{tiny_model.name}-2", f"{tiny_model.name}-3"]


def start(*args: object) -> tuple[subprocess.Popen[str], dict]:
    command = [sys.executable, "-m", "lamella.cli.commands", "serve", *map(str, args), "--port", "0", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return process, json.loads(process.stdout.readline())


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return True
    return False


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
    wait_for(lambda: refuses(connection.port))
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
