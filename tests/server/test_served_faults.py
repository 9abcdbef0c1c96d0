"""Models that are slow to begin, broken, or replaced while they are served; a machine without room for temporary files."""

from __future__ import annotations

import contextlib
import errno
import http.client
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

import lamella
from bench import serve_watched
from lamella.server import files, models, replies, scratch, watch
from lamella.server.replies import Refused
from lamella.storage import temporary
from tests.serving import Panic, Serving, predict, serving, wait_for

# --- the first run


def test_a_model_that_is_slow_to_begin_keeps_no_other(tiny_model, monkeypatch):
    """The server answers, and the other model too; this one's requests wait a while, then are told to come again."""
    slow, well, go_on = lamella.load(tiny_model), lamella.load(tiny_model), threading.Event()
    usual = slow.task.answers

    def answers(examples, run):
        assert go_on.wait(60)
        return usual(examples, run)

    monkeypatch.setattr(slow.task, "answers", answers, raising=False)
    monkeypatch.setattr(models, "START", 0.5)
    with serving({"slow": slow, "tiny": well}) as server:
        assert predict(server).status == 200
        reply = predict(server, "slow")
        assert reply.status == 503 and reply.headers["retry-after"] and "not ready" in reply.error
        assert server.get("/health").json["models"]["slow"] == {"status": "starting"}
        listed = {m["name"]: m["examples"] for m in server.get("/models").json["models"]}
        assert listed["slow"] == [] and listed["tiny"]
        go_on.set()
        wait_for(lambda: predict(server, "slow").status == 200)
        assert server.get("/models").json["models"][0]["examples"]


@pytest.mark.parametrize("error", [ValueError("secret"), Panic("secret")])
def test_a_model_that_cannot_begin_keeps_no_other(tiny_model, monkeypatch, capfd, error):
    bad, well = lamella.load(tiny_model), lamella.load(tiny_model)

    def answers(examples, run):
        raise error

    monkeypatch.setattr(bad.task, "answers", answers, raising=False)
    with serving({"bad": bad, "tiny": well}) as server:
        assert predict(server).status == 200
        reply = predict(server, "bad")
        assert reply.status == 503 and "cannot be used" in reply.error and "secret" not in reply.error
        health = server.get("/health").json
        assert health["status"] == "degraded" and health["models"]["bad"]["status"] == "failed"
        assert server.get("/openapi.json").status == 200
    assert "bad: the model cannot be used" in capfd.readouterr().err


# --- replaced on disk


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(watch, "LOOK", 0.1)
    monkeypatch.setattr("lamella.server.app.LOOK", 0.1)
    monkeypatch.setattr(watch, "RETRY", 0.2)


def reseal(folder: Path, **changed) -> None:
    """The same model with other facts in its manifest, written as `lamella` writes it."""
    model = lamella.load(folder)
    for name, value in changed.items():
        setattr(model.manifest, name, value)
    sealed = lamella.model.seal(model.manifest, model.files)
    for name in sorted(sealed, key=lambda n: n == "model.json"):
        (folder / f".{name}.new").write_bytes(sealed[name])
        os.replace(folder / f".{name}.new", folder / name)


def test_a_model_that_is_replaced_is_read_again(copied, quick, capfd):
    with serving({"tiny": lamella.load(copied)}) as server:
        before = server.get("/models").json["models"][0]["parameters"]
        assert predict(server).status == 200
        reseal(copied, parameters=before + 1)
        wait_for(lambda: server.get("/models").json["models"][0]["parameters"] == before + 1)
        assert predict(server).status == 200 and server.get("/health").json["status"] == "ok"
        assert server.get("/models/tiny").json["parameters"] == before + 1
    assert capfd.readouterr().err.count("replaced on disk and read again") == 1


def test_a_model_that_is_replaced_by_a_broken_one(copied, quick, capfd):
    """The one before answers on; it is said in /health and once on standard error, without the place; then it is mended."""
    graph = next(copied.glob("*.onnx"))
    raw = graph.read_bytes()
    with serving({"tiny": lamella.load(copied)}) as server:
        answer = predict(server).json
        graph.write_bytes(raw[:-100])
        os.utime(copied / "model.json", (1, 1))
        wait_for(lambda: server.get("/health").json["status"] == "degraded")
        told = server.get("/health").json["models"]["tiny"]
        assert told["status"] == "ready" and "cannot be used" in told["note"] and graph.name in told["note"]
        assert str(copied.parent) not in told["note"] and "one's" not in told["note"]
        assert predict(server).json == answer
        time.sleep(0.7)  # it is tried again, and not told again
        graph.write_bytes(raw)
        wait_for(lambda: server.get("/health").json["status"] == "ok")
    assert capfd.readouterr().err.count("cannot be used") == 1


def test_a_model_that_is_removed(copied, quick):
    with serving({"tiny": lamella.load(copied)}) as server:
        answer = predict(server).json
        shutil.rmtree(copied)
        wait_for(lambda: "no longer on disk" in server.get("/health").json["models"]["tiny"].get("note", ""))
        assert predict(server).json == answer


# --- files that the server writes


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    """Where temporary files go."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def send(server, text=b"The cat.\n" * 4):
    return server.send_file("/models/tiny/document", "a.txt", text)


def held(folder: Path) -> list[Path]:
    """The files below a folder, but for the mark that it is in use."""
    return [p for p in folder.rglob("*") if p.is_file() and p.name != temporary.MARKER]


def test_what_is_written_lies_in_one_private_folder(own_folder, tiny_model, monkeypatch):
    seen, usual = [], files.answer_document

    def answer_document(place, *rest):
        seen.append((oct(stat.S_IMODE(place._made().stat().st_mode)), place._made().parent))
        return usual(place, *rest)

    monkeypatch.setattr(files, "answer_document", answer_document)
    with serving({"tiny": lamella.load(tiny_model)}) as server:
        assert predict(server).status == 200 and not list(own_folder.iterdir()), "nothing is made before it is needed"
        assert send(server, b"The cat.\n\n" * 130_000 and b"The cat.\n\n" + b" " * 1_200_000).status == 200
        [folder] = own_folder.iterdir()
        assert seen == [("0o700", own_folder)] and held(folder) == []
        shutil.rmtree(folder)
        assert send(server).status == 200, "somebody has tidied the temporary folder"
    assert not list(own_folder.iterdir()), "nothing is left"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES])
def test_a_full_temporary_folder(own_folder, tiny_model, monkeypatch, code):
    """One line with 507, nothing left behind, and it goes on when there is room again."""
    plain = Path.write_bytes

    def write_bytes(path, raw):
        plain(path, raw[: len(raw) // 2])
        raise OSError(code, os.strerror(code), str(path))

    with serving({"tiny": lamella.load(tiny_model)}) as server:
        with monkeypatch.context() as patch:
            patch.setattr(Path, "write_bytes", write_bytes)
            reply = send(server)
            assert reply.status == 507 and str(own_folder) not in reply.error
            lines = server.send_file("/models/tiny/document", "a.txt", b"x", {"Accept": "application/x-ndjson"})
            assert "temporary folder" in lines.lines[-1]["error"]
        assert held(own_folder) == []
        with monkeypatch.context() as patch:
            patch.setattr(scratch.tempfile, "mkdtemp", lambda **how: (_ for _ in ()).throw(OSError(code, "full")))
            assert send(server).status == 507
        assert send(server).status == 200


def test_temporary_files_are_limited_together(own_folder):
    place = scratch.Scratch(1000)
    with place.file("a.txt", bytes(700)) as first:
        assert first.read_bytes() == bytes(700)
        with pytest.raises(Refused) as error, place.file("b.txt", bytes(400)):
            pass
        assert error.value.status == 507
    with place.file("b.txt", bytes(1000)):
        pass
    place.close()
    assert not list(own_folder.iterdir())


def test_uploads_are_kept_in_memory(own_folder, tiny_model, monkeypatch):
    """A form's file of more than a megabyte is not written to a temporary folder before the server looks at it."""
    monkeypatch.setattr(tempfile, "TemporaryFile", None)
    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", None)
    with serving({"tiny": lamella.load(tiny_model)}) as server:
        assert server.send_file("/models/tiny/document", "a.exe", bytes(3_000_000)).status == 415


def test_nothing_is_left_after_a_signal(tiny_model, tmp_path):
    """While a document is being answered, and the folder is full of it."""
    command = [sys.executable, "-m", "lamella.cli.commands", "serve", tiny_model, "--port", "0", "--json"]
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    server = Serving(int(re.search(r":(\d+)", process.stdout.readline())[1]))
    place = f"/models/{tiny_model.name}/document"

    def send():
        """One document after another: a single one may be answered between two looks at the folder."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            while True:
                server.send_file(place, "a.txt", b"The cat.\n\n" * 30)

    ask = threading.Thread(target=send)
    ask.start()
    wait_for(lambda: list(tmp_path.rglob("a.txt")), 60)
    process.terminate()
    process.communicate(timeout=60)
    ask.join(60)
    assert process.returncode == 0 and not list(tmp_path.iterdir())


# --- what errors say


def test_paths_are_hidden_whatever_is_in_them(copied, capfd, monkeypatch):
    whole = []
    replies.hide(copied)
    for error in (
        lamella.errors.ModelError(f"{copied}/model.json: damaged. Copy {copied}."),
        lamella.errors.DataError(f"{copied / 'a b' / 'x.csv'}: empty, as C:\\Users\\me\\x.csv"),
    ):
        line = replies.line_of(error)
        assert str(copied.parent) not in line and "some one" not in line and "Users" not in line
        assert ".json: damaged" in line or "x.csv: empty" in line
    replies.report(ValueError("a\nb\x1b[31m\r" + "c" * 10_000))
    err = capfd.readouterr().err
    monkeypatch.setattr(replies, "WHOLE", True)  # with --traceback
    monkeypatch.setattr(sys, "excepthook", lambda *what: whole.append(what))
    replies.report(ValueError("a"))
    assert len(whole) == 1
    assert err.count("\n") == 1 and "\x1b" not in err and "\r" not in err and len(err) < 600


# --- the bench that watches


@pytest.mark.parametrize(
    ("line", "allowed"),
    [('12 openat(AT_FDCWD, "/own/lamella-serve-x/a.txt", O_WRONLY|O_CREAT|O_CLOEXEC, 0666) = 9', True),
     ('12 openat(AT_FDCWD, "/etc/hosts", O_RDONLY) = 9', True),
     ('12 openat(AT_FDCWD, "/home/x/.cache/id", O_WRONLY|O_CREAT, 0666) = 9', False),
     ('12 openat(AT_FDCWD, "/home/x/.cache/id", O_RDWR|O_CREAT, 0666) = -1 ENOENT (No such file or directory)', True),
     ('12 mkdir("/home/x/.cache", 0777) = 0', False),
     ('12 rename("/own/a", "/home/x/a") = 0', False),
     ('12 connect(5, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("10.0.0.1")}, 16) = 0', False),
     ('12 connect(5, {sa_family=AF_INET6, sin6_port=htons(53)}, 28) = -1 ENETUNREACH (Network is unreachable)', False),
     ('12 sendto(5, "x", 1, 0, {sa_family=AF_INET, sin_port=htons(53)}, 16) = 1', False),
     ('12 sendto(5, "HTTP/1.1 200", 12, 0, NULL, 0) = 12', True)],
)  # fmt: skip
def test_what_the_watching_bench_finds(tmp_path, line, allowed):
    (tmp_path / "trace").write_text(line + "\n")
    bad, counts = serve_watched.judge(tmp_path / "trace", Path("/own"))
    assert bool(bad) != allowed and counts
