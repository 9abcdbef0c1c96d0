"""`serve --workers N`: what the processes share, what is lost when one is killed, models that are replaced, and the end of all."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import sys
import threading
from contextlib import closing, suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest

import lamella
from lamella.errors import UsageError
from lamella.server import kept, metrics, run
from lamella.server.common import Common
from lamella.server.limits import Limits
from lamella.server.replies import Refused
from lamella.verbs import serve as verb
from tests.serving import TEXT, children, over, serve_command, serving, wait_for

forks = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux shows them")
NAME = "tiny"
PREDICT = f"/models/{NAME}/predict"
TIME = 120.0  # seconds for what takes less than one on a quiet machine


@pytest.fixture(autouse=True, scope="module")
def hangups_are_heard():
    """Under `nohup` the signal is ignored, by what is started from here too."""
    before = signal.getsignal(signal.SIGHUP) if hasattr(signal, "SIGHUP") else None
    if before != signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture(scope="module")
def folder(tiny_model, tmp_path_factory) -> Path:
    """A copy of the model, which tests replace."""
    place = tmp_path_factory.mktemp("workers") / NAME
    shutil.copytree(tiny_model, place)
    return place


@pytest.fixture(scope="module")
def server(folder):
    with serve_command(folder.parent / "tmp", folder, "--workers", 3, "--metrics") as found:
        assert found.facts["workers"] == 3 and len(found.workers) == 3
        yield found
        workers = found.workers
        found.process.terminate()
        assert found.process.wait(TIME) == 0
        assert not any(map(alive, workers)) and [p.name for p in found.folder.iterdir()] == ["err"]


def in_turn(server, method: str, path: str, value=None, count: int = 3):
    """The same request to each worker; once more where one that is replaced has closed its idle connection."""
    for _ in range(5):
        with server.connections(count) as connections, suppress(ConnectionError):
            return [over(one, method, path, value) for one in connections]
    raise AssertionError("connections are closed again and again")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# --- what they share


@forks
def test_they_share_the_memory_of_the_models(server):
    in_turn(server, "POST", PREDICT, TEXT)
    for pid in server.workers:
        rows = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
        sizes = {row[0][:-1]: int(row[1]) for row in rows}
        assert sizes["Private_Dirty"] < 0.4 * (sizes["Private_Dirty"] + sizes["Shared_Dirty"]), sizes


@forks
def test_each_answers_as_the_model_does(server, folder):
    expected = lamella.load(folder).predict("The cat")
    assert [reply.json["answers"] for reply in in_turn(server, "POST", PREDICT, TEXT)] == [[expected]] * 3


@forks
def test_a_file_is_fetched_from_another_worker(server):
    form = server.send_file("/translate_file", "a.txt", b"The cat.\n", source="en", target="fr").json
    path = form["translatedFileUrl"].partition(str(server.port))[2]
    raws = [reply.raw for reply in in_turn(server, "GET", path)]
    assert raws[0] and len(set(raws)) == 1
    assert {reply.status for reply in in_turn(server, "GET", "/download_file/..%2f..%2fx")} == {404}
    private = next(p for p in server.folder.iterdir() if p.is_dir())
    assert private.stat().st_mode & 0o077 == 0


def test_files_in_a_folder(tmp_path):
    limits = Limits(kept=0.001, minutes=1)
    one, other = (kept.store(limits, tmp_path / "own") for _ in range(2))
    keys = [one.put("ä.po", bytes([n]) * 400) for n in range(3)]
    with pytest.raises(Refused, match="no such file"):
        other.get(keys[0])
    assert other.get(keys[2]) == ("ä.po", b"\2" * 400)
    with pytest.raises(Refused, match="MB"):
        one.put("b.po", bytes(2000))
    for place in (tmp_path / "own" / kept.KEPT).iterdir():
        os.utime(place, (1, 1))
    with pytest.raises(Refused, match="no such file"):
        other.get(keys[2])


def test_a_whole_model_is_explained_once(tiny_model, tmp_path):
    model, made = lamella.load(tiny_model), []

    def make(model):
        made.append(model)
        return b"{}"

    for _ in range(2):
        assert kept.Shelf(tmp_path / "own").once("tiny", model, make) == b"{}"
    assert len(made) == 1
    kept.Shelf(tmp_path / "own").once("other", model, make)
    kept.Shelf(None).once("tiny", model, make)
    assert len(made) == 3


def test_limits_of_an_address_hold_over_all_processes():
    common = Common(3)
    common.connections.add("10.0.0.1", 2)
    common.join(1)
    common.connections.add("10.0.0.1", 3)
    assert common.connections.of("10.0.0.1") == 5 and common.connections.of("10.0.0.2") == 0
    common.clear(0)
    assert common.connections.of("10.0.0.1") == 3


# --- health and counters


def parsed(text: str) -> dict[str, float]:
    """The samples of a page in Prometheus' text format, each line of it checked as its specification wants it."""
    samples: dict[str, float] = {}
    kinds: dict[str, str] = {}
    described = ""
    assert text.endswith("\n")
    for line in text.splitlines():
        if help_ := re.fullmatch(r"# HELP ([a-z_]+) .+", line):
            described = help_[1]
            continue
        if kind := re.fullmatch(r"# TYPE ([a-z_]+) (counter|gauge|histogram)", line):
            assert kind[1] == described and kind[1] not in kinds
            kinds[kind[1]] = kind[2]
            continue
        sample = re.fullmatch(
            r'([a-z_]+)(\{[a-z]+="(?:[^"\\]|\\.)*"(?:,[a-z]+="(?:[^"\\]|\\.)*")*\})? ([\d.e+-]+)', line
        )
        assert sample, line
        name = sample[1]
        if kinds[described] == "histogram":
            assert name in (f"{described}_bucket", f"{described}_sum", f"{described}_count")
        else:
            assert name == described and (kinds[name] != "counter" or name.endswith("_total"))
        assert sample[1] + (sample[2] or "") not in samples
        samples[sample[1] + (sample[2] or "")] = float(sample[3])
    return samples


@forks
def test_counters_are_those_of_all_workers(server):
    key = f'lamella_requests_total{{route="/models/{{name}}/predict",model="{NAME}",status="%d"}}'
    before = parsed(server.get("/metrics").raw.decode())
    in_turn(server, "POST", PREDICT, TEXT)
    in_turn(server, "POST", PREDICT, {"examples": [{}]}, count=2)

    def more(status: int) -> float:
        """What is counted since; a worker counts a request after its reply, and one may have been sent again."""
        return parsed(server.get("/metrics").raw.decode()).get(key % status, 0) - before.get(key % status, 0)

    wait_for(lambda: more(200) >= 3 and more(400) >= 2)
    page = server.get("/metrics")
    assert page.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    after = parsed(page.raw.decode())
    assert after["lamella_workers"] == 3
    labels = f'route="/models/{{name}}/predict",model="{NAME}"'
    buckets = [v for k, v in after.items() if k.startswith(f"lamella_request_seconds_bucket{{{labels}")]
    count = after[f"lamella_request_seconds_count{{{labels}}}"]
    assert buckets == sorted(buckets) and buckets[-1] == count >= 5
    assert f'lamella_request_seconds_bucket{{{labels},le="+Inf"}}' in after
    server.get("/no/such/" + "x" * 100)
    assert 'lamella_requests_total{route="other",status="404"}' in parsed(server.get("/metrics").raw.decode())


def test_routes_are_those_that_are_served(tiny_model):
    from lamella.server.app import make_app

    app = make_app({NAME: lamella.load(tiny_model)}, common=Common(metered=[NAME])).app
    assert {"/" + route.path.lstrip("/") for route in app.routes} == {*metrics.PLAIN, *metrics.OF_MODELS}


@forks
def test_health(server):
    assert {reply.status for reply in in_turn(server, "GET", "/health/live")} == {200}
    assert [reply.json for reply in in_turn(server, "GET", "/health/ready")] == [{"status": "ready"}] * 3


# --- one that dies, models that are replaced


@forks
def test_a_killed_worker_is_replaced_and_others_answer(server):
    before = server.workers
    with server.connections(3) as connections:
        os.kill(before[0], signal.SIGKILL)
        wait_for(lambda: before[0] not in server.workers, TIME)
        served = 0
        for one in connections:
            try:
                served += over(one, "POST", PREDICT, TEXT).status == 200
            except OSError:  # the connection of the one that was killed
                continue
        assert served == 2
    wait_for(lambda: len(server.workers) == 3, TIME)
    assert server.post(PREDICT, TEXT).status == 200
    assert f"worker {before[0]} was ended by SIGKILL: another takes its place." in server.err
    counted = parsed(server.get("/metrics").raw.decode())
    assert counted["lamella_workers_replaced_total"] == 1


def asking(server, stop: threading.Event, statuses: list[int]) -> threading.Thread:
    """A client that asks again and again, over a new connection each time."""

    def ask():
        while not stop.is_set():
            statuses.append(server.post(PREDICT, TEXT).status)

    thread = threading.Thread(target=ask)
    thread.start()
    return thread


@forks
def test_sighup_reads_the_models_again_and_loses_nothing(server):
    before, statuses, stop = set(server.workers), [], threading.Event()
    thread = asking(server, stop, statuses)
    try:
        os.kill(server.pid, signal.SIGHUP)
        wait_for(lambda: "read again" in server.err, TIME)
        wait_for(lambda: len(server.workers) == 3 and not before & set(server.workers), TIME)
    finally:
        stop.set()
        thread.join()
    assert statuses and set(statuses) == {200}


def test_a_worker_that_is_replaced_answers_once_more_on_open_connections(tiny_model, monkeypatch):
    """A request may be on its way while it is told to leave."""
    monkeypatch.setattr(run, "LINGER", 600.0)
    with serving({NAME: lamella.load(tiny_model)}) as server, closing(HTTPConnection("127.0.0.1", server.port)) as one:
        wait_for(lambda: over(one, "GET", "/health/ready").status == 200, TIME)
        server.state.common.lingers = True
        server.server.should_exit = True
        wait_for(lambda: server.state.common.leaving, TIME)
        reply = over(one, "GET", "/health/ready")
        assert reply.status == 503 and reply.headers["connection"] == "close"


@forks
def test_a_model_that_is_replaced_is_seen_by_all(server, folder):
    from tests.server.test_served_faults import reseal

    def parameters():
        return [reply.json["models"][0]["parameters"] for reply in in_turn(server, "GET", "/models")]

    before = parameters()[0]
    reseal(folder, parameters=before + 1)
    wait_for(lambda: parameters() == [before + 1] * 3, TIME)

    workers, graph = server.workers, next(folder.glob("*.onnx"))
    raw, said = graph.read_bytes(), server.err.count("cannot be used")
    graph.write_bytes(raw[:-100])
    os.utime(folder / "model.json", (1, 1))
    wait_for(lambda: [r.json["status"] for r in in_turn(server, "GET", "/health")] == ["degraded"] * 3, TIME)
    notes = {reply.json["models"][NAME]["note"] for reply in in_turn(server, "GET", "/health")}
    assert len(notes) == 1 and "cannot be used" in notes.pop()
    assert server.post(PREDICT, TEXT).status == 200 and set(workers) == set(server.workers)
    graph.write_bytes(raw)
    wait_for(lambda: [r.json["status"] for r in in_turn(server, "GET", "/health")] == ["ok"] * 3, TIME)
    assert server.err.count("cannot be used") == said + 1, server.err[-2000:]


# --- the end


@forks
def test_all_end_together_and_leave_nothing(tiny_model, tmp_path):
    with serve_command(tmp_path / "tmp", tiny_model, "--workers", 2) as server:
        workers = server.workers
        assert server.send_file(f"/models/{tiny_model.name}/document", "a.txt", b"The cat.\n").status == 200
        os.kill(server.pid, signal.SIGINT)  # SIGTERM: see the fixture
        assert server.process.wait(TIME) == 0
        assert not any(map(alive, workers))
        assert [place.name for place in (tmp_path / "tmp").iterdir()] == ["err"]
        assert server.err.strip().splitlines()[-1] == f"{tiny_model.name} at {server.facts['url']} (Ctrl-C stops)"


@forks
def test_workers_whose_parent_is_killed_end_too(tiny_model, tmp_path):
    with serve_command(tmp_path / "tmp", tiny_model, "--workers", 2) as server:
        workers = server.workers
        os.kill(server.pid, signal.SIGKILL)
        wait_for(lambda: not any(map(alive, workers)), TIME)
        assert not children(server.pid) and "the parent of this worker has gone" in server.err


def test_one_process_reads_its_models_again_on_sighup(tiny_model, capfd, monkeypatch):
    with serving({NAME: lamella.load(tiny_model)}) as server:
        assert server.get("/metrics").status == 404
        assert server.post(PREDICT, TEXT).status == 200
        server.server._hang_up(had_terminal=False)
        printed: list[str] = []
        wait_for(lambda: printed.append(capfd.readouterr().err) or "read again" in "".join(printed), TIME)
        assert server.post(PREDICT, TEXT).status == 200
        monkeypatch.setattr(run, "has_terminal", lambda: False)
        server.server._hang_up(had_terminal=True)  # the terminal was closed
        assert server.server.should_exit


# --- wrong arguments


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--workers", 0), "--workers 0: expected a whole number from 1"),
        (("--workers", -2), "--workers -2: expected"),
        (("--workers", 1000), "--workers 1000: expected"),
        (("--workers", "two"), "'two' is not a valid integer"),
        (("--workers", 2.5), "'2.5' is not a valid integer"),
        (("--proxy", "proxy.example.org"), "--proxy proxy.example.org: expected the address"),
    ],
)
def test_wrong_arguments(cli, tiny_model, words, line):
    done = cli("serve", tiny_model, *words)
    assert done.code == 2 and line in done.err and len(done.err.splitlines()) == 1


def test_a_port_in_use_is_told_before_anything_is_forked(cli, tiny_model):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = cli("serve", tiny_model, "--workers", 2, "--port", taken.getsockname()[1])
    assert done.code == 2 and "--port" in done.err.splitlines()[-1]


def test_more_workers_than_cores_are_told(monkeypatch, capsys):
    monkeypatch.setattr(verb, "cores", lambda: 2)
    verb._check_workers(2)
    assert capsys.readouterr().err == ""
    verb._check_workers(3)
    assert "3 workers share 2 cores" in capsys.readouterr().err


def test_a_process_with_threads_is_not_forked(tiny_model):
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        with pytest.raises(UsageError, match="expected a process with one thread"):
            lamella.serve(lamella.load(tiny_model), port=0, workers=2)
    finally:
        stop.set()
        thread.join()
