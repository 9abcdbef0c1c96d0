"""`evaluate --stress`: the curve of the measure over the strength of noise."""

from __future__ import annotations

import pytest

import lamella
from lamella.errors import UsageError
from lamella.metrics.stress import STRENGTHS, disturbed
from lamella.task import Task


def test_a_curve_begins_at_the_clean_score(tiny_model, cli):
    clean = cli("evaluate", tiny_model, "sample", "--limit", 12, "--json").json["scores"]["chrF"]["value"]
    given = ["evaluate", tiny_model, "sample", "--limit", 12, "--stress", "--noises", "typos, lost words"]
    found = cli(*given, "--json").json
    stress = found["stress"]
    assert stress["metric"] == "chrF" and stress["count"] == 12 and stress["strengths"] == [0.0, *STRENGTHS]
    assert [c["noise"] for c in stress["curves"]] == ["typos", "lost words"]
    for curve in stress["curves"]:
        assert curve["values"][0] == clean == found["scores"]["chrF"]["value"]  # bit for bit
        assert curve["values"][-1] < clean
        assert all(low <= value <= high for low, value, high in zip(curve["low"], curve["values"], curve["high"]))
        assert min(curve["values"]) <= curve["area"] <= max(curve["values"])
    assert cli(*given, "--json").json == found
    shown = cli(*given).out
    assert "area under all curves" in shown and "lost words" in shown


def test_the_seed_decides(tiny_model):
    task = lamella.load(tiny_model).task
    examples = task.sample("test")[:5]
    one, other, again = (disturbed(task, examples, "text", "typos", 1.0, seed) for seed in (0, 1, 0))
    assert one == again != other and one[0].keys() == examples[0].keys()
    assert disturbed(task, examples[::-1], "text", "typos", 1.0) == one[::-1]  # whatever stands beside it
    assert disturbed(task, examples, "text", "typos", 0.0) == examples


def test_the_seed_of_a_task_is_still_its_own(monkeypatch, trained):
    """Of a task that draws: `--seed` is an option of the task, and the noise has another."""
    folder, seen = trained("text-generation"), []
    usual = lamella.model.Model.with_config
    monkeypatch.setattr(
        lamella.model.Model, "with_config", lambda self, config: seen.append(config.seed) or usual(self, config)
    )
    lamella.evaluate(str(folder), "sample", limit=1, seed=7, noise_seed=3)
    assert set(seen) == {7}


def test_wrong_arguments(tiny_model, cli):
    with pytest.raises(UsageError, match="expected some of typos"):
        lamella.evaluate(tiny_model, "sample", stress=True, noises=["rain"])
    done = cli("evaluate", tiny_model, "sample", "--noises", "typos")
    assert done.code == 2 and "expected --stress" in done.err


def test_a_task_without_noisy_fields():
    from lamella.fields import Label
    from lamella.metrics.stress import noises_of

    class Facts(Task):
        fields = {"head": Label()}

    with pytest.raises(UsageError, match="received head"):
        noises_of(Facts.__new__(Facts))
