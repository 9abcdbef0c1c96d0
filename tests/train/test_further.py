"""A model adapted to new data (`--init`): what it begins with, what it keeps, what is told, and what is refused."""

from __future__ import annotations

import importlib
import json
import re
import shutil
from pathlib import Path

import pytest
import torch

import lamella
from lamella import machine
from lamella.errors import UsageError
from lamella.graphs import torch_graphs
from lamella.model import run_batches
from lamella.options import make_config
from lamella.registry import find
from lamella.task import as_measured
from lamella.train import engine, further, process
from lamella.train.gather import Gathered
from lamella.train.settings import Settings

loop = importlib.import_module("lamella.train.loop")
COLOURS = {"red": "rouge", "blue": "bleu", "green": "vert", "grey": "gris", "black": "noir", "white": "blanc"}
THINGS = {"wall": "mur", "roof": "toit", "bench": "banc", "boat": "bateau", "coat": "manteau", "garden": "jardin"}


def translator(src: str = "en", dst: str = "fr"):
    cls = find("translation")
    return cls(make_config(cls.Config, {"from": src, "to": dst}, "translation"), "tiny")


@pytest.fixture
def adapt(tmp_path, monkeypatch):
    """adapt(word, folder, learn, watched, keep, steps=2): the task, its run and what was told, before it is exported."""
    monkeypatch.setattr(machine, "precision", lambda device: "float32")

    def run(word, folder, learn, watched, keep=("sample",), **options):
        origin, lines = further.open_origin(str(folder), word), []
        cls = find(word)
        job = cls(further.config_of(origin, cls, {}, word), origin.model.manifest.size)
        origin, gathered = further.with_replay(job, origin, Gathered(learn, [], watched, []), keep, None, 0)
        (tmp_path / "training").mkdir()
        settings = Settings(**{"steps": 2, "threads": 1, **options})
        arguments = settings, tmp_path / "training", {}, lines.append, process.Interrupt(), origin
        return job, loop.train_task(job, gathered, *arguments), [*gathered.lines, *lines]

    return run


@pytest.mark.parametrize("word", lamella.tasks())
def test_every_task_goes_on_from_its_own_model(word, trained, adapt):
    """At a learning rate next to nothing the weights, and what the task has learned, are those of before."""
    before = lamella.load(trained(word))
    learn = before.task.sample("train")[:60]
    job, done, lines = adapt(word, trained(word), learn, before.task.sample("test")[:3], rate=1e-12)
    weights = further.weights_of(before)
    named = dict(zip(done.run.optimizer.names, done.run.average, strict=True))
    assert named.keys() <= weights.keys()
    assert all(torch.allclose(named[name], torch.tensor(weights[name]), atol=1e-6) for name in named)
    assert any(re.match(r"weights: \d+ taken", line) for line in lines)
    assert lines[-2].startswith("taken: ") and lines[-1].startswith("trained: 2 steps")
    assert vars(job).keys() >= set(before.manifest.learned)


def test_it_learns_the_new_and_keeps_the_old(tiny_model, adapt):
    pairs = [
        {"text": f"the {what} is {en}.", "translation": f"le {thing} est {fr}."}
        for what, thing in THINGS.items() for en, fr in COLOURS.items()
    ]  # fmt: skip
    watched, learn = pairs[::7], [pair for at, pair in enumerate(pairs) if at % 7]
    job, done, lines = adapt("translation", tiny_model, learn, watched, steps=150, rate=2e-3)
    old, new, kept = map(int, re.findall(r"\d+", next(line for line in lines if line.startswith("replay: "))))
    assert old == new == len(learn) and kept == further.MEASURED
    first = next(line for line in lines if line.startswith("before: "))
    last = [line for line in lines if "of the way to the new" in line][-1]
    (new0, old0), (new1, old1) = ([float(v) for v in re.findall(r"chrF ([\d.]+)", line)] for line in (first, last))
    losses = [loss for _, loss in done.losses]
    assert new1 > new0 + 10 and old1 > 0.95 * old0, (first, last)
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5]), "it learns what is new"
    graphs = torch_graphs(done.run.averaged())
    measured = as_measured(job, quick=True)
    answers = measured.answers(watched, lambda rows: run_batches(measured, graphs, rows))
    assert job.score(answers, watched).values["chrF"] == pytest.approx(new1, abs=0.1), "what was measured is what ships"


def test_what_ships_lies_where_the_old_data_allow(monkeypatch):
    """The share of the way to the new weights falls until little enough of the old is lost; without old data it is all."""
    run = engine.Run.start(torch.nn.Linear(1, 1, bias=False), 0.1)
    before = {"weight": torch.zeros(1, 1)}

    def metric(job, rows):  # the old loses as it goes, the new gains
        return lambda run: 50 + float(run.average[0]) * (4 if rows == ["new"] else -0.8)

    monkeypatch.setattr(further, "metric_of", metric)
    for old, share in ((["old"], "25%"), ([], "100%")):
        run.average = [torch.full((1, 1), 2.0)]
        lines = further.blend(run, translator(), further.Origin(None, old), before, ["new"])
        assert lines[0] == "before: chrF 50 on new data" + (", chrF 50 on old data" if old else "")
        assert lines[-1] == f"taken: {share} of the way" and float(run.average[0]) == (0.5 if old else 2.0)


def test_replay_of_a_translator_follows_its_direction():
    def replay(*pair):
        return translator(*pair).transfer.replay(translator(*pair))

    forth, back = replay(), replay("fr", "en")
    assert len(forth) == 1200 and forth[0] == {"text": back[0]["translation"], "translation": back[0]["text"]}
    for code in ("de", "es", "zh"):
        there, again = replay("en", code), replay(code, "en")
        assert len(there) == 800 and again[0] == {"text": there[0]["translation"], "translation": there[0]["text"]}
    assert replay("en", "it") == replay("de", "fr") == replay("en", "../x") == []
    origin = further.open_origin("en-fr", "translation")
    assert origin.model.trusted, "one that came with the package, by its name"
    new = [{"text": "a", "translation": "b"}] * 30 + forth[:5]
    origin, gathered = further.with_replay(translator(), origin, Gathered(new, [], [], []), (), None, 0)
    assert len(gathered.learn) == 70 and len(origin.old) == further.MEASURED
    keys = {key for e in origin.old for key in translator().keys(e)}
    assert not keys & {key for e in gathered.learn for key in translator().keys(e)}
    _, gathered = further.with_replay(translator("en", "it"), origin, Gathered(new, [], [], []), (), None, 0)
    assert gathered.learn == new and "--keep FILE" in gathered.lines[-1]


def test_an_adapted_model_is_written_and_says_so(trained, tmp_path):
    """From the command's arguments to the model folder; the usual learning rate is a low one."""
    lines, word = [], "text-classification"
    options = {"out": str(tmp_path / "m"), "steps": 2, "threads": 1, "tell": lines.append}
    after = lamella.train(word, "sample", init=str(trained(word)), keep=["sample"], **options)
    before = lamella.load(trained(word))
    assert after.manifest.size == "tiny" and after.manifest.learned.keys() == before.manifest.learned.keys()
    data = "\n".join(after.manifest.training["data"])
    assert "begun from trained-text-classification" in data and "of the way" in data
    [state] = (tmp_path / "m" / "training" / "checkpoint").glob("step-*/run.json")
    facts = json.loads(state.read_bytes())["facts"]
    job = after.task
    assert facts["rate"] == pytest.approx(further.RATE * job.size.rate * job.training.rate) and facts["init"]


def test_what_cannot_be_begun_from_is_refused(tiny_model, trained, tmp_path, cli):
    def begin(word, init, **options):
        options = {"out": str(tmp_path / "m"), "tell": lambda line: None, "steps": 1, "threads": 1, **options}
        return lamella.train(word, "sample", init=init, **options)

    with pytest.raises(UsageError, match="a model of text-classification, and translation is to be trained"):
        begin("translation", str(trained("text-classification")))
    with pytest.raises(UsageError, match=r"--init nothing: no such model\. Expected .* or one of .*en-fr"):
        begin("translation", "nothing")
    with pytest.raises(UsageError, match="its net is another one"):
        begin("translation", str(tiny_model), size="small")
    with pytest.raises(UsageError, match="--keep: expected with --init"):
        begin("translation", None, keep=["sample"])
    shutil.copytree(trained("image-classification"), tmp_path / "bare", ignore=shutil.ignore_patterns("training"))
    with pytest.raises(UsageError, match=r"do not hold .* by that name.*training/weights\.safetensors"):
        begin("image-classification", str(tmp_path / "bare"))
    rows = [f"text number {n} is {'fine' if n % 2 else 'odd'},{'joy' if n % 2 else 'anger'}" for n in range(40)]
    path = tmp_path / "rows.csv"
    path.write_text("text,label\n" + "\n".join(rows) + "\n")
    done = cli(
        "train", "text-classification", path, "-o", tmp_path / "m", "--init", Path(trained("text-classification"))
    )
    assert done.code == 2 and "the model cannot learn this: expected a label among" in done.err
    assert not (tmp_path / "m" / "model.json").exists()
