"""How long a training lasts, what it says of its data, and what it stops for."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

import lamella
from lamella.registry import find
from lamella.train import checks
from lamella.train.batches import an_epoch
from lamella.train.engine import Run, Store

verb = importlib.import_module("lamella.verbs.train")
loop = importlib.import_module("lamella.train.loop")
WEATHER = str(Path(__file__).parents[1] / "tasks" / "weather.py")


def learn(out, **options):
    told: list[str] = []
    defaults = {"size": "tiny", "threads": 1, "tell": told.append}
    model = lamella.train(WEATHER, "sample", out=str(out), **{**defaults, **options})
    return model, told


def test_epochs_are_counted_in_batches(tmp_path):
    model, _ = learn(tmp_path / "m", epochs=0.5)
    job = model.task
    count = 1500 - 75  # one in twenty is watched
    store = Store.of([{**job.inputs(e), **job.targets(e)} for e in job.sample("train")[:count]])
    steps = round(0.5 * an_epoch(store.lengths(), job.size.tokens))
    assert model.manifest.training["steps"] == steps > 1


def test_patience_stops_and_keeps_the_best(tmp_path, monkeypatch):
    """The metric is made to be best at the second look, so that the third and fourth end it."""
    values = iter([3.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0])
    seen = []

    def look(run):
        seen.append((run.step, [a.clone() for a in run.average]))
        return next(values)

    monkeypatch.setattr(loop, "metric_of", lambda job, watched: look)
    averages = []
    monkeypatch.setattr(Run, "averaged", lambda run: averages.append(run.average) or run.net.eval())
    model, told = learn(tmp_path / "m", steps=200, patience=2)
    assert any("stopped early" in line for line in told)
    assert model.manifest.training["steps"] == 80 and [step for step, _ in seen] == [20, 40, 60, 80]
    assert all((a == b).all() for a, b in zip(averages[-1], seen[1][1])), "the average of the second look ships"


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"accumulate": 0}, {"patience": 0}], ids=lambda w: next(iter(w)))
def test_wrong_lengths_are_refused(tmp_path, wrong):
    with pytest.raises(lamella.UsageError, match=f"--{next(iter(wrong))}"):
        learn(tmp_path / "m", **wrong)
    assert not (tmp_path / "m").exists()


def test_tensorboard_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(verb, "find_spec", lambda name: None)
    with pytest.raises(lamella.MissingExtra, match="tensorboard"):
        learn(tmp_path / "m", steps=1, tensorboard=True)


def test_what_is_odd_is_said():
    job = find("text-classification")(find("text-classification").Config())
    rows = [{"text": f"text {n}", "label": "ham"} for n in range(60)]
    assert any("100%" in line for line in checks.check(job, rows))
    rows += [{"text": "spam", "label": "spam"}] * 3 + [rows[0]]
    found = checks.check(job, rows)
    assert any("3 of 64 examples repeat" in line for line in found), found
    assert any('fewer than 5 examples of "spam" (3)' in line for line in found)
    same = [{"text": "always", "label": str(n % 2)} for n in range(10)]
    assert any("text is the same in every example" in line for line in checks.check(job, same))
