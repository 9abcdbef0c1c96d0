"""`train --like`: a training repeated, and what is said where its bytes are others."""

from __future__ import annotations

import copy

import pytest

import lamella
from lamella.errors import UsageError
from lamella.train import further
from lamella.train.repeat import Repeat


@pytest.fixture
def repeat(trained):
    return Repeat.of(str(trained("text-classification")), "text-classification")


def changed(repeat, **facts):
    """Another model like that of `repeat`: some of its facts are others, and so is a file."""
    manifest = copy.deepcopy(repeat.manifest)
    for name, value in facts.items():
        manifest.training["run"][name] = (
            {**manifest.training["run"][name], **value} if isinstance(value, dict) else value
        )
    manifest.files["classify.onnx"] = "0" * 64
    return manifest


def test_the_same_bytes_again(trained, tmp_path, cli):
    first = trained("text-classification")
    done = cli("train", "text-classification", "sample", "--like", first, "-o", tmp_path / "again")
    assert done.code == 0, done.err
    assert f"like {first}: the same bytes in classify.onnx" in done.err and "differs" not in done.err
    one, other = (lamella.load(path).manifest for path in (first, tmp_path / "again"))
    assert one.files["classify.onnx"] == other.files["classify.onnx"]
    assert one.training["run"] == other.training["run"] and set(one.training["run"]["versions"]) >= {"lamella", "torch"}
    assert one.training["run"]["settings"]["threads"] == 1 and one.training["run"]["settings"]["seed"] == 0


def test_what_differs_is_named(repeat):
    said = repeat.compared(changed(repeat, settings={"rate": 0.1, "seed": 3}, versions={"torch": "9.9"}, data="other"))
    assert said[0].endswith("other bytes in classify.onnx")
    assert [line.partition(" was")[0] for line in said[1:-1]] == [
        "differs: --rate",
        "differs: --seed",
        "differs: torch",
    ]
    assert said[-1] == "differs: the data: other examples, or another order"
    assert repeat.compared(changed(repeat))[-1] == "differs: nothing that model.json holds; it may be the processor"


def test_options_are_those_of_the_model_but_for_those_given(repeat):
    found = repeat.options({"rate": 0.1, "seed": None, "steps": None})
    assert (
        found["steps"] == 45
        and found["rate"] == 0.1
        and found["seed"] == 0
        and found["net"] == repeat.manifest.config["net"]
    )
    longer = repeat.options({"epochs": 2})
    assert longer["epochs"] == 2 and "steps" not in longer


def test_by_the_clock(repeat):
    run = repeat.manifest.training["run"]
    timed = Repeat("m", changed(repeat, settings={}))
    timed.manifest.training["run"]["settings"] = {
        **{k: v for k, v in run["settings"].items() if k != "steps"},
        "minutes": 5,
    }
    assert timed.by_the_clock and not repeat.by_the_clock
    assert timed.options({})["steps"] == 45 and "minutes" not in timed.options({})
    assert any("given in minutes" in line for line in timed.compared(repeat.manifest))


def test_wrong_models(trained, repeat):
    with pytest.raises(UsageError, match="expected a model of translation"):
        Repeat.of(str(trained("text-classification")), "translation")
    begun = Repeat("m", changed(repeat, init="0" * 64))
    with pytest.raises(UsageError, match="--init"):
        begun.init(None)
    assert begun.init("other") == "other" and Repeat("m", repeat.manifest).init(None) is None
    origin = further.open_origin("encoder", "text-classification")
    begun = Repeat("m", changed(repeat, init=origin.digest), "encoder")
    assert begun.init(None) == "encoder", "it began by itself from what ships, and does again"
    with pytest.raises(UsageError, match="--init"):
        begun.init("none")
    with pytest.raises(UsageError, match="does not say how"):
        lamella.train("text-classification", "sample", out="never", like="lamella/models/languages", tell=print)
