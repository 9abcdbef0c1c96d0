"""Several processes train as one does: every task's losses, Ctrl-C, a killed process, and others that do not come or fit."""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import subprocess
from contextlib import suppress

import pytest
import torch
import torch.distributed as dist
from torch.nn import functional as F

import lamella
from bench import processes as bench
from lamella import machine
from lamella.errors import TrainingError, UsageError
from lamella.nets.part import Part, stacked, whole
from lamella.registry import find
from lamella.train import launch, settings
from lamella.train.gather import Gathered
from lamella.train.loop import begin
from lamella.train.shares import counts_of
from lamella.train.team import Team

teams = importlib.import_module("lamella.train.team")
shipping = importlib.import_module("lamella.train.ship")
VARIANTS = ("image-generation quantizer=vq", "image-classification labels=none")


def test_two_processes_have_the_losses_of_one():
    """Every task: net, noise, counts and whole-batch losses; accumulated, of batches that do not divide evenly."""
    plan = bench.Plan([*lamella.tasks(), *VARIANTS], steps=2, examples=15, batch=3, accumulate=2)
    with bench.several(2, plan) as team:
        for words in plan.tasks:
            found, weights = bench.trained(words, plan, team)
            alone, wanted = bench.trained(words, plan)
            assert bench.apart(found, alone) <= 1e-5, words
            assert len(found) == 2 * plan.steps or len(found) == plan.steps
            assert max(float((a - b).abs().max()) for a, b in zip(weights, wanted, strict=True)) < 0.1, words


@pytest.mark.parametrize("rows", [[0, 1], [2, 3, 4], [4]])
def test_what_a_part_draws_is_its_rows_of_what_the_whole_draws(rows):
    def draws(x):
        views = torch.cat([x, x])
        with stacked(2):
            two = torch.stack(F.dropout(views, 0.3).chunk(2), dim=1)
        with whole(x) as every:
            shared = torch.randint(99, (10,)) + 0 * every[:10, 0, 0].sum().long()
        folded = F.dropout(x.flatten(0, 1), 0.2).view_as(x)
        shaped = torch.rand(len(x), 2) + torch.randn((len(x), 2)) + torch.randint(3, 9, (len(x), 2))
        time_first = torch.empty(x.shape[1], len(x), x.shape[2]).copy_(x.transpose(0, 1)).transpose(0, 1)
        moved = F.dropout(time_first, 0.3).permute(0, 2, 1)
        moved = moved + F.dropout(x.permute(0, 2, 1), 0.3) + torch.randn_like(x).permute(0, 2, 1)
        return (two, folded, shaped, moved, torch.empty_like(x).uniform_()), shared

    x, own = torch.randn(5, 4, 3), torch.tensor(rows)
    torch.manual_seed(3)
    every, shared = draws(x)
    torch.manual_seed(3)
    with Part(own, 5, lambda part: x).entered():
        part, also = draws(x[own])
    for one, other in zip(every, part, strict=True):
        torch.testing.assert_close(one[own], other, rtol=0, atol=0)
    assert shared.tolist() == also.tolist()


def test_every_row_is_computed_once():
    for rows in range(1, 12):
        for size in range(1, 6):
            counts = counts_of(rows, size)
            assert sum(counts) == rows and max(counts) - min(counts) <= 1


class Started(subprocess.Popen):
    """Processes that were started, to be killed."""

    every: list[subprocess.Popen] = []

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.every.append(self)


@pytest.fixture
def train(tmp_path, monkeypatch):
    """A training that saves its losses and makes no model; `at` says what to do when a line begins so."""

    class Ended(Exception):
        pass

    def ship(job, name, gathered, trained, *rest):
        raise Ended

    monkeypatch.setattr(shipping, "ship", ship)
    monkeypatch.setattr(machine, "precision", lambda device="cpu": "float32")
    monkeypatch.setattr(subprocess, "Popen", Started)
    monkeypatch.setattr(Started, "every", [])

    def run(name, at="", do=None, **options):
        lines = []

        def tell(line):
            lines.append(line)
            if do and line.startswith(at):
                do()

        with suppress(Ended):
            lamella.train(
                "text-classification", table(), out=str(tmp_path / name), size="tiny", steps=24, threads=1, init="none",
                tell=tell, **options,
            )  # fmt: skip
        log = (tmp_path / name / "training" / "log.jsonl").read_text().splitlines()
        return [json.loads(line)["loss"] for line in log], lines

    yield run
    assert all(child.poll() is not None for child in Started.every), "no process is left over"


def table():
    """A table in memory, which other processes cannot see."""
    cls = find("text-classification")
    return [dict(row) for row in cls(cls.Config(), "tiny").sample("train")[:300]]


def test_stopped_killed_and_resumed_in_other_numbers(train, tmp_path):
    """Ctrl-C in two processes, one of two killed, the rest in one: the losses of a training that nobody touched."""
    with pytest.raises(KeyboardInterrupt, match=r"stopped at step 1; saved.*--resume"):
        train("cut", "step 1,", lambda: os.kill(os.getpid(), signal.SIGINT), processes=2)
    with pytest.raises(
        TrainingError, match=r"process 1 of 2 was killed \(SIGKILL\); the checkpoint of step 21 is kept"
    ):
        train("cut", "2 processes: ", lambda: Started.every[-1].kill(), processes=2, resume=True)
    losses, lines = train("cut", resume=True)
    wanted, _ = train("whole")
    assert "resumed at step 21" in lines and len(losses) == len(wanted) == 24
    assert bench.apart(losses, wanted) <= 2e-5, "rounded to five digits in the log"


def test_a_process_that_ends_by_itself(monkeypatch):
    monkeypatch.setattr(launch, "MODULE", "lamella.no_such_module")
    with (
        pytest.raises(TrainingError, match=r"process 1 of 2 ended by itself: .*No module named lamella.no_such_module"),
        launch.team_of(settings.Settings(processes=2), dict) as team,
    ):
        team.meet({}, "cpu", 5)


def test_divided_nets_have_the_losses_of_whole_ones():
    """Blocks, tied tables, single numbers (image-to-text), blocks that are never called as such (forecasts), Muon."""
    tasks = ["image-to-text", "time-series-forecasting", "translation"]
    plan = bench.Plan(tasks, steps=2, examples=15, batch=3, accumulate=2, fsdp=True)
    with bench.several(2, plan) as team:
        for words in plan.tasks:
            found, weights = bench.trained(words, plan, team)
            alone, wanted = bench.trained(words, plan)
            assert bench.apart(found, alone) <= 1e-5, words
            assert max(float((a - b).abs().max()) for a, b in zip(weights, wanted, strict=True)) < 0.1, words


def test_a_divided_net_is_looked_at_saved_and_gone_on_with_undivided(train):
    with pytest.raises(KeyboardInterrupt, match=r"stopped at step 21; saved.*--resume"):
        train("cut", "estimate:", lambda: os.kill(os.getpid(), signal.SIGINT), processes=2, fsdp=True)
    losses, lines = train("cut", resume=True)
    wanted, _ = train("whole")
    assert "resumed at step 21" in lines and len(losses) == len(wanted) == 24
    assert bench.apart(losses, wanted) <= 2e-5, "rounded to five digits in the log"


def test_a_process_with_a_part_of_the_net_is_killed(train):
    with pytest.raises(TrainingError, match=r"process 1 of 2 was killed \(SIGKILL\); nothing was trained"):
        train("cut", "step 1,", lambda: Started.every[-1].kill(), processes=2, fsdp=True)


def test_what_is_not_divided(tmp_path):
    with pytest.raises(UsageError, match=r"--fsdp: expected several processes.*--processes N"):
        lamella.train("text-classification", table(), out=str(tmp_path / "model"), steps=1, fsdp=True)
    job = bench.job_of("image-generation quantizer=vq")
    gathered = Gathered(job.sample("train")[:8], [], [], [])
    with pytest.raises(UsageError, match="--fsdp: does not fit a training in phases"):
        begin(job, gathered, settings.Settings(fsdp=True, steps=1), None, None, print)
    with pytest.raises(UsageError, match="--fsdp: fits train alone"):
        lamella.plan("text-classification", "sample", steps=1, fsdp=True)


# ---- others that do not come or fit ---------------------------------------------------------------------------------


def test_a_process_that_never_comes():
    with pytest.raises(TrainingError, match="process 1 of 2 did not come in time"):
        Team(0, 2, dist.HashStore()).meet({}, "cpu", 10, coming=0.0)


@pytest.mark.parametrize(
    ("hello", "facts", "message"),
    [
        ({"torch": "1.0"}, {}, r"process 1 of 2 on .* has another torch than process 0: 1\.0, not 2"),
        ({"lamella": "0"}, {}, "another lamella"),
        ({"Python": "2.7"}, {}, "another Python than process 0: 2.7, not 3.*Install the same"),
        ({}, {"data": "b"}, "process 1 of 2 has another data than process 0: b, not a.*the same data"),
        ({}, {"seed": 1}, "another seed"),
    ],
)
def test_a_process_that_does_not_fit(monkeypatch, hello, facts, message):
    store = dist.HashStore()
    versions = teams._versions
    monkeypatch.setattr(teams, "_versions", lambda: {**versions(), **hello})
    Team(1, 2, store)._put("1 facts", {"data": "a", "seed": 0, **facts})
    monkeypatch.undo()
    with pytest.raises(UsageError, match=message):
        Team(0, 2, store).meet({"data": "a", "seed": 0}, "cpu", 10)


def test_more_processes_than_examples():
    with pytest.raises(UsageError, match="--processes 12: expected at most one an example, of which there are 5"):
        Team(0, 12, dist.HashStore()).meet({}, "cpu", 5)


def test_more_processes_than_fit_into_memory(monkeypatch):
    """Refused before any is started."""
    monkeypatch.setattr(machine, "memory", lambda: 1 << 30)
    monkeypatch.setattr(launch, "_Started", None)
    with (
        pytest.raises(UsageError, match=r"--processes 8: expected at most 4, since each holds 250 MB"),
        launch.team_of(settings.Settings(processes=8), dict),
    ):
        pass


@pytest.mark.parametrize("count", [0, -1, 5000])
def test_numbers_of_processes_that_are_none(count):
    with pytest.raises(UsageError, match=f"--processes {count}: expected a whole number from 1 to 1024"):
        settings.split({"processes": count})


@pytest.fixture
def torchrun(monkeypatch):
    def given(**environ):
        usual = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29511"}
        for name, value in {**usual, **environ}.items():
            monkeypatch.setenv(name, value)

    return given


@pytest.mark.parametrize(
    ("environ", "processes", "message"),
    [
        ({"RANK": "2"}, 1, "RANK: expected a whole number from 0 to 1, received '2'"),
        ({"WORLD_SIZE": "many"}, 1, "WORLD_SIZE: expected a whole number"),
        ({"MASTER_PORT": "0"}, 1, "MASTER_PORT: expected a whole number from 1 to 65535"),
        ({}, 3, r"--processes 3: 2 have been started already \(WORLD_SIZE\)"),
    ],
)
def test_an_environment_that_does_not_fit(torchrun, environ, processes, message):
    torchrun(**environ)
    with pytest.raises(UsageError, match=message), launch.team_of(settings.split({"processes": processes})[0], dict):
        pass


def test_a_port_in_use(torchrun):
    with socket.create_server(("127.0.0.1", 0)) as server:
        torchrun(MASTER_PORT=str(server.getsockname()[1]))
        with (
            pytest.raises(TrainingError, match=r"MASTER_PORT [0-9]+: is in use"),
            launch.team_of(settings.Settings(), dict),
        ):
            pass


def test_a_first_process_that_is_not_there(torchrun, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    torchrun(RANK="1", MASTER_PORT=str(port))
    monkeypatch.setattr(launch, "COMING", 1.0)
    monkeypatch.setattr(dist, "TCPStore", lambda *a, **k: pytest.fail("torch asks a name server while it waits"))
    message = f"process 1 of 2 cannot reach process 0 at 127.0.0.1, port {port}"
    with pytest.raises(TrainingError, match=message), launch.team_of(settings.Settings(), dict):
        pass


def test_devices_and_threads_of_a_process():
    two = Team(0, 2, dist.HashStore(), 2)
    assert launch.settings_of(settings.Settings(threads=3), two).threads == 3
    assert launch.settings_of(settings.Settings(), two).threads == max(1, machine.cores() // 2)
    with pytest.raises(UsageError, match="--device mps: expected cpu or cuda with several processes"):
        launch._device("mps", two)
    many = Team(0, 64, dist.HashStore(), 64)
    assert f"note: 64 processes on {machine.cores()} cores" in launch.remarks(many, 1)[1]
