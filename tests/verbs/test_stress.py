"""`evaluate --stress`: the curve of the measure over the strength of noise, and input that is not the model's own."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

import lamella
from lamella.errors import UsageError
from lamella.metrics.confidence import auroc, calibration_error
from lamella.metrics.label import calibration
from lamella.metrics.noise import disturbed, noises_of
from lamella.metrics.stress import STRENGTHS, chosen_noises, stress
from lamella.registry import find, names
from lamella.task import Scores, Task


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
    assert "area under the curves" in shown and "lost words" in shown


def test_the_seed_decides(tiny_model):
    task = lamella.load(tiny_model).task
    examples = task.sample("test")[:5]
    noise = "text", "typos"
    one, other, again = (disturbed(task, examples, noise, 1.0, seed)[0] for seed in (0, 1, 0))
    assert one == again != other and one[0].keys() == examples[0].keys()
    assert disturbed(task, examples[::-1], noise, 1.0)[0] == one[::-1]  # whatever stands beside it
    assert disturbed(task, examples, noise, 0.0) == (examples, examples)


def test_the_seed_of_a_task_is_still_its_own(monkeypatch, trained):
    """Of a task that draws: `--seed` is an option of the task, and the noise has another."""
    folder, seen = trained("text-generation"), []
    usual = lamella.model.Model.with_config
    monkeypatch.setattr(
        lamella.model.Model, "with_config", lambda self, config: seen.append(config.seed) or usual(self, config)
    )
    lamella.evaluate(str(folder), "sample", limit=1, seed=7, noise_seed=3)
    assert set(seen) == {7}


@pytest.mark.parametrize("name", names())
def test_every_task_can_be_stressed(name):
    """Each has a noise; with it an example is another one, and what is wanted is there still."""
    job = find(name)()
    [example] = job.sample("test")[:1]
    noises = chosen_noises(job)
    assert noises
    for noise in noises:
        if noise[0]:
            [noisy], [wanted] = disturbed(job, [example], noise, 1.0)
            assert noisy.keys() == wanted.keys() == example.keys(), noise


def test_boxes_move_with_their_picture():
    job = find("object-detection")()
    [example] = job.sample("test")[:1]
    moved = [noise for _, noise in noises_of(job) if noise in job.fields["image"].moves]
    assert "mirrored" in moved  # since its option `flip` says so
    [noisy], [wanted] = disturbed(job, [example], ("image", "zoomed"), 1.0)
    assert wanted["boxes"] == noisy["boxes"] != example["boxes"]
    [noisy], [wanted] = disturbed(job, [example], ("image", "blur"), 1.0)
    assert wanted is example and noisy["boxes"] == example["boxes"]
    assert "mirrored" not in dict(map(reversed, noises_of(find("image-classification")())))


def test_facts_that_are_missing_are_still_right(trained):
    task = lamella.load(trained("link-prediction")).task
    less = task.training.noises["missing facts"](task, 1.0, 0)
    kept, gone = len(less.graph.knowledge.facts), len(task.graph.knowledge.facts)
    assert 0 < kept < 0.3 * gone
    assert len(less.facts_) + len(less.filter_) == len(task.facts_) + len(task.filter_)
    half = {tuple(fact) for fact in task.training.noises["missing facts"](task, 0.5, 0).graph.knowledge.facts.tolist()}
    assert {tuple(fact) for fact in less.graph.knowledge.facts.tolist()} <= half  # what a weaker noise took is gone too


class Sure(Task):
    """Answers are what the examples say."""

    class Config:
        flip = False

    fields = {"text": lamella.fields.Text()}
    answer = lamella.fields.Label()
    target, metric = "label", "right"

    def score(self, answers, examples):
        right = np.array([[a["label"] == e["label"]] for a, e in zip(answers, examples, strict=True)], float)
        return Scores.from_sums(np.hstack([right, np.ones_like(right)]), {"right": lambda sums: sums[0] / sums[1]})


def test_calibration_along_the_curve_and_noises_that_were_trained_with():
    job = Sure(Sure.Config())
    examples = [{"text": f"word {'a' * (i + 1)}", "label": "yes" if i % 4 else "no"} for i in range(40)]

    def answering(task, rows):
        return [{"label": "yes", "probabilities": {"yes": 0.8, "no": 0.2}} for _ in rows]

    answers = answering(job, examples)
    clean = job.score(answers, examples)
    found = stress(job, examples, (answers, clean), answering, ("typos", "capitals"), known=["typos"])
    for curve in found["curves"]:
        sure = curve["calibration"]
        assert sure["values"][0] == pytest.approx(0.05) == calibration(answers, [e["label"] for e in examples])["error"]
        assert all(low <= v <= high for low, v, high in zip(sure["low"], sure["values"], sure["high"], strict=True))
    assert found["trained"] == ["typos"] and [c["trained"] for c in found["curves"]] == [True, False]
    assert found["area"] == pytest.approx(0.75)  # both, since they are named
    every = [noise for _, noise in noises_of(job)]
    assert stress(job, examples, (answers, clean), answering, known=every)["area"] is None
    assert calibration_error(find("translation")(), ["un"], [{"translation": "un"}]) is None


def test_auroc_counts_ties_half():
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 5, 30).astype(float), rng.integers(0, 5, 20).astype(float)
    pairs = np.sign(one[:, None] - other[None])
    assert auroc(one, other) == pytest.approx(((pairs > 0) + (pairs == 0) / 2).mean())


def test_input_that_is_not_its_own(trained, cli, tmp_path):
    folder = trained("text-classification")
    given = ["evaluate", folder, "sample", "--limit", 20, "--stress", "--noises", "accents"]
    outside = cli(*given, "--json").json["outside"]
    assert outside["source"] == "the sample of fill-mask" and outside["count"] == {"inside": 20, "outside": 20}
    assert 0 <= outside["auroc"]["low"] <= outside["auroc"]["value"] <= outside["auroc"]["high"] <= 1
    lines = tmp_path / "other.txt"
    lines.write_text("qqq zzz\nxxx\n\n")
    outside = cli(*given, "--outside", lines, "--json").json["outside"]
    assert outside["count"] == {"inside": 20, "outside": 2} and outside["source"] == str(lines)
    assert "AUROC" in cli(*given, "--outside", "translation").out
    with pytest.raises(UsageError, match="There is none of this name"):
        lamella.evaluate(str(folder), "sample", limit=2, stress=True, noises=["accents"], outside="nothing.csv")
    with pytest.raises(UsageError, match="--outside time-series-forecasting: that task has"):
        lamella.evaluate(
            str(folder), "sample", limit=2, stress=True, noises=["accents"], outside="time-series-forecasting"
        )
    alone = lamella.evaluate(str(trained("recommendation")), "sample", limit=4, stress=True, noises=["order"])
    assert "no other task has a sample with items" in alone["outside"]["reason"]


def test_recorded_in_the_card_and_for_the_page(trained, cli, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(trained("text-classification"), folder)
    given = ["evaluate", folder, "sample", "--limit", 8, "--stress", "--noises", "typos", "--record"]
    once = cli(*given, "--json").json
    text = (folder / "card.md").read_text()
    assert "## Measured on sample" in text and "| typos | " in text
    cli(*given)
    assert (folder / "card.md").read_text() == text  # the section is replaced, not doubled
    opened = lamella.load(folder)
    assert opened.manifest.scores["sample"]["stress"] == json.loads(json.dumps(once["stress"]))
    assert "area under the curves" in cli("show", folder).out
    packed = lamella.export(opened, str(tmp_path / "packed.zip"))
    with pytest.raises(UsageError, match="expected a model folder"):
        lamella.evaluate(packed, "sample", record=True)


def test_wrong_arguments(tiny_model, cli):
    with pytest.raises(UsageError, match="expected some of typos"):
        lamella.evaluate(tiny_model, "sample", stress=True, noises=["rain"])
    for option, value in (("--noises", "typos"), ("--outside", "fill-mask")):
        done = cli("evaluate", tiny_model, "sample", option, value)
        assert done.code == 2 and "expected --stress" in done.err


def test_a_task_without_noisy_fields():
    from lamella.fields import Label

    class Facts(Task):
        fields = {"head": Label()}
        config = None

    with pytest.raises(UsageError, match="received head"):
        chosen_noises(Facts.__new__(Facts))
