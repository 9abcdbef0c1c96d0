"""A training ends when it was said to, and says beforehand when that will be: with a clock of the tests' own, then a real one."""

from __future__ import annotations

import re
import signal
import time
from importlib import import_module
from pathlib import Path

import pytest

import lamella
from lamella import model
from lamella.train import ending, engine, loop, progress, ship, watch
from lamella.train.optimizer import Optimizer
from lamella.train.schedule import Schedule

WEATHER = str(Path(__file__).parents[1] / "tasks" / "weather.py")


class Clock:
    """A clock that stands still but for what is known to cost time."""

    def __init__(self) -> None:
        self.now = 1000.0

    def time(self) -> float:
        return self.now

    perf_counter = process_time = time


@pytest.fixture
def clock(monkeypatch):
    """A step takes 40 to 80 ms, by turns; the first ones up to half a second more, and a look at the metric a second.

    Exporting takes two seconds.
    """
    clock, took, answer, exported = Clock(), Optimizer.step, model.run_batches, ship.export_graphs

    def export(net):
        clock.now += 2.0
        return exported(net)

    def step(self, factor):
        done = self.count
        clock.now += 0.04 + 0.02 * (done % 3) + (0.5 / (done + 1) if done < progress.WARM else 0)
        return took(self, factor)

    def look(*given):
        clock.now += 1.0
        return answer(*given)

    monkeypatch.setattr(Optimizer, "step", step)
    monkeypatch.setattr(model, "run_batches", look)
    monkeypatch.setattr(ship, "export_graphs", export)
    monkeypatch.setattr(ending, "cost", lambda operations: 2.0)
    monkeypatch.setattr(ending, "overhead", lambda: 1.0)
    for module in (engine, loop, watch, ending, import_module("lamella.verbs.train")):
        monkeypatch.setattr(module, "time", clock)
    return clock


def timed(out, clock, **options):
    """When the command began, what was estimated and when, when training ended and when the command did; in seconds."""
    times: dict[str, float] = {}
    estimate = 0.0

    def tell(line: str) -> None:
        nonlocal estimate
        word = line.split(":")[0]
        times.setdefault(word, clock())
        if word == "estimate":
            value, unit = re.match(r"estimate: ([\d.]+) (s|min)", line).groups()
            estimate = float(value) * (60 if unit == "min" else 1)

    begun = clock()
    lamella.train(WEATHER, "sample", out=str(out), size="tiny", threads=1, examples=False, tell=tell, **options)
    return begun, estimate, times["estimate"], times["trained"], clock()


@pytest.mark.parametrize("minutes", [0.3, 0.6])
def test_minutes_are_kept(tmp_path, clock, minutes):
    begun, estimate, said, ended, over = timed(tmp_path / "m", clock.time, minutes=minutes)
    assert over - begun == pytest.approx(60 * minutes, rel=0.1), "watching, exporting and measuring are part of it"
    assert over - ended >= 2.9  # exporting, measuring
    assert estimate == pytest.approx(ended - said, rel=0.25)


@pytest.mark.parametrize("length", [{"steps": 500}, {"epochs": 12}], ids=["steps", "epochs"])
def test_the_estimate_comes_true(tmp_path, clock, length):
    _, estimate, said, ended, _ = timed(tmp_path / "m", clock.time, **length)
    assert ended - said > 10 and estimate == pytest.approx(ended - said, rel=0.25)


def test_on_a_real_clock(tmp_path):
    """The bounds are generous: the machine may be busy with other things for half of so short a time."""
    begun, estimate, said, ended, _ = timed(tmp_path / "m", time.time, minutes=0.1)
    assert 0.45 * 6 < ended - begun < 2 * 6  # what comes before the first step and after the last counts, up to half
    assert 0.4 < estimate / (ended - said) < 2.5


# --- how the rate falls


@pytest.mark.parametrize("shape", ["linear", "cosine"])
def test_the_rate_rises_and_falls_to_zero(shape):
    schedule = Schedule(warmup=10, shape=shape)
    factors = [schedule.factor(step, step / 200) for step in range(201)]
    assert factors[0] == pytest.approx(0.1) and 0.9 < max(factors) <= 1 and factors[200] == 0
    top = factors.index(max(factors))
    assert factors[:top] == sorted(factors[:top]) and factors[top:] == sorted(factors[top:], reverse=True)
    assert factors[100] == pytest.approx(1.0 if shape == "linear" else 0.5)


def test_the_schedule_is_chosen_and_resumed(tmp_path, monkeypatch):
    """What the optimizer is told at each step is the cosine; a run taken up again goes on along it unless told otherwise."""
    seen: list[float] = []
    took = Optimizer.step

    def step(self, factor):
        seen.append(factor)
        if len(seen) == 30:
            signal.raise_signal(signal.SIGINT)  # Ctrl-C, granted after this step
        return took(self, factor)

    monkeypatch.setattr(Optimizer, "step", step)
    options = {"out": str(tmp_path / "m"), "size": "tiny", "threads": 1, "tell": lambda line: None}
    with pytest.raises(KeyboardInterrupt):
        lamella.train(WEATHER, "sample", steps=60, schedule="cosine", **options)
    lamella.train(WEATHER, "sample", resume=True, **options)
    wanted = Schedule(warmup=10, shape="cosine")
    assert seen == pytest.approx([wanted.factor(n, n / 60) for n in range(60)])
    with pytest.raises(lamella.UsageError, match="linear or cosine"):
        lamella.train(WEATHER, "sample", schedule="steps", **{**options, "out": str(tmp_path / "n")})
