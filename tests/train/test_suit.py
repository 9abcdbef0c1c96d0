"""The size that suits the machine, and what is said while a training works: its speed in its own unit, and that silent parts go on."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import pytest

import lamella
from lamella.model import card
from lamella.train import suit as suiting
from lamella.train.engine import Step
from lamella.train.gather import shown
from lamella.train.looks import Looks
from lamella.train.optimizer import Optimizer
from lamella.train.prepare import prepare
from lamella.train.progress import Shown, waiting
from lamella.train.schedule import Budget
from lamella.train.settings import split

WEATHER = str(Path(__file__).parents[1] / "tasks" / "weather.py")


class Enough(Exception):
    """What comes after the first lines is not waited for."""


def begun(out: Path, **options) -> list[str]:
    """The lines of a training up to the one about its net."""
    lines: list[str] = []

    def tell(line: str) -> None:
        lines.append(line)
        if line.startswith("net:"):
            raise Enough

    with pytest.raises(Enough):
        lamella.train(WEATHER, "sample", out=str(out), threads=1, tell=tell, **options)
    return lines


def suited(**options) -> tuple[str, list[str]]:
    """The size of a training with these options, and what is said of it."""
    settings, own = split({"threads": 1, **options})
    prepared = prepare(WEATHER, ["sample"], settings, own)
    suiting.suit(prepared, settings, None, lambda line: None)
    assert prepared.facts["size"] == prepared.job.size_name
    return prepared.job.size_name, [line for line in prepared.gathered.lines if line.startswith("size:")]


def test_where_time_is_short_the_tiny_size_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(suiting, "seconds_of_step", lambda *given: 1.0)
    line = "size: small would make about 120 steps in 2.0 min, too few to learn much, so tiny is taken; --size small keeps it"
    assert suited(minutes=2) == ("tiny", [line])
    assert suited(minutes=4) == suited(steps=50) == suited() == ("small", [])
    assert begun(tmp_path / "m", minutes=2).count(line) == 1
    assert not any(said.startswith("size:") for said in begun(tmp_path / "n", minutes=2, size="small"))


def test_what_is_resumed_keeps_the_size_that_was_chosen(tmp_path, monkeypatch):
    monkeypatch.setattr(suiting, "seconds_of_step", lambda *given: 1.0)

    done, took = 0, Optimizer.step

    def step(self, factor):
        nonlocal done
        done += 1
        if done == 3:
            signal.raise_signal(signal.SIGINT)  # Ctrl-C, granted after this step
        return took(self, factor)

    monkeypatch.setattr(Optimizer, "step", step)
    with pytest.raises(KeyboardInterrupt, match="saved"):
        lamella.train(WEATHER, "sample", out=str(tmp_path / "m"), threads=1, minutes=2, tell=lambda line: None)
    said = begun(tmp_path / "m", resume=True)
    assert "resumed at step 3" in said and not any(line.startswith("size:") for line in said)


def test_the_time_of_a_step_is_measured(tmp_path):
    settings, own = split({"minutes": 2, "threads": 1})
    prepared = prepare(WEATHER, ["sample"], settings, own)
    seconds = suiting.seconds_of_step(prepared, settings, 120.0)
    assert seconds and not [name for name in vars(prepared.job) if name.endswith("_")], "the task learns nothing by it"


def test_speed_has_the_unit_of_the_task():
    said: list[str] = []
    shown = Shown(said.append, Budget(steps=100), Looks(points=[(1, 0.5)]), "mase", "windows")
    for n in range(1, 30):
        shown.step([(n, 1.0)], Step(n, 0, 1.0, 1.0, 1000 * n, n / 10, n / 100, 64))
    assert any(line.startswith("estimate:") and "640 windows/s" in line for line in said), said


def test_silent_parts_say_that_they_go_on():
    heard, said = threading.Event(), []
    with waiting(lambda line: (said.append(line), heard.set()), "exporting", every=0.001):
        assert heard.wait(120)
    assert said[0].startswith("exporting: 0 s so far")
    count = len(said)
    with pytest.raises(ValueError, match="wrong"), waiting(said.append, "exporting", every=120):
        raise ValueError("wrong")
    assert len(said) == count and not [t for t in threading.enumerate() if t.name == "waiting"]


def test_one_example_has_no_interval():
    scores = {"mase": {"value": 1.2, "low": 1.2, "high": 1.2}}
    assert card.table({"held out": {"count": 1, "scores": scores}})[2].endswith("| 1.2 | none, of one example |")
    assert card.table({"held out": {"count": 2, "scores": scores}})[2].endswith("| 1.2 to 1.2 |")


def test_samples_are_lines_of_blocks():
    assert shown([float(n) for n in range(16)]) == "▁▁▂▂▃▃▄▄▅▅▆▆▇▇██ 16 values, 0 to 15"
    assert shown([1, 2]) == "[1, 2]" and shown(["a"] * 20).startswith("['a', ")
