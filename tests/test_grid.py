"""Every verb on every task: those in the package and one in a file of its own. There is no list of exceptions."""

from __future__ import annotations

import ast
import csv
import importlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

import lamella
from lamella.checks import CHECKS, OPTIONS, Trained, alike, check_compression, check_scores
from lamella.explain.ablation import Question
from lamella.registry import find
from lamella.task import as_measured
from tests.serving import serving

WEATHER = str(Path(__file__).parent / "tasks" / "weather.py")
TASKS = [*lamella.tasks(), WEATHER]


@pytest.fixture(params=TASKS, ids=lambda word: Path(word).stem)
def word(request) -> str:
    return request.param


@pytest.fixture
def folder(word, trained) -> Path:
    return trained(word)


@pytest.fixture
def outside(word) -> dict[str, str]:
    """What says that a task's file is trusted."""
    return {"task": word} if word.endswith(".py") else {}


@pytest.fixture
def trust(outside) -> list[str]:
    return ["--task", outside["task"]] if outside else []


@pytest.fixture
def model(folder, outside) -> lamella.Model:
    return lamella.load(folder, **outside)


def as_text(value) -> str:
    """A field's value as it is typed, or stands in a table."""
    if isinstance(value, list) and value and isinstance(value[0], dict | str):
        return json.dumps(value)
    return (" ".join(map(str, value)) or "[]") if isinstance(value, list) else str(value)


def headline(model, answers, examples) -> float:
    scores = model.task.score(answers, examples)
    return scores.values[model.task.metric]


def flat(scores) -> dict[str, float]:
    return {f"{name} {side}": value for name, sides in scores.items() for side, value in sides.items()}


# --- the contract, as `lamella.check_task` has it

# Two of its checks are made below, on what the command line gave: to compute the same again would tell nothing new.
BELOW = (check_scores, check_compression)


@pytest.mark.parametrize("check", [c for c in CHECKS if c not in BELOW], ids=lambda check: check.__name__)
def test_the_contract(word, model, check):
    check(Trained(word, model))


# --- train


def test_train(word, folder, model):
    assert {"model.json", "card.md", "training"} <= {p.name for p in folder.iterdir()}
    facts = model.manifest
    assert facts.task == word and facts.size == "tiny" and facts.parameters > 1000
    assert facts.training["steps"] == 45 and facts.training["data"][0] == "data: the task's own sample set"
    assert bool(facts.task_digest) == word.endswith(".py")
    steps = [json.loads(line) for line in (folder / "training" / "log.jsonl").read_text().splitlines()]
    assert [s["step"] for s in steps] == list(range(1, 46)) and np.isfinite([s["loss"] for s in steps]).all()
    assert (folder / "training" / "curves.svg").read_text().startswith("<svg")
    card = (folder / "card.md").read_text()
    assert model.task.metric in card and "45 steps" in card and "sample set" in card


# --- plan


def test_plan(word, model, folder, monkeypatch):
    """The forecast of the training that made this model: the same net, a file of about its size. Seconds are not checked."""
    trial = importlib.import_module("lamella.train.trial")
    for name, value in {"BUCKETS": 2, "ROUNDS": (1, 1), "FEW": 4, "LONG": 0.0}.items():
        monkeypatch.setattr(trial, name, value)
    files = {path.name: path.read_bytes() for path in Path(folder).glob("*.onnx")}  # they were exported once
    monkeypatch.setattr(trial, "export_graphs", lambda net: net.cpu().float().eval() and files)
    monkeypatch.setattr("lamella.machine.cores", lambda: 1)
    plan = lamella.plan(word, "sample", size="tiny", steps=45, threads=1, machines="8", tell=lambda line: None)
    assert plan.task == word and plan.parameters == model.manifest.parameters and plan.steps.value == 45
    assert plan.model_bytes == pytest.approx(model.bytes, rel=0.1) and plan.int8_bytes < 0.75 * plan.model_bytes
    assert plan.examples > 100 and plan.batches > 0 and plan.flops > 0 and plan.peak_flops > 0
    for figure in (plan.seconds, plan.memory, plan.examples_per_second, plan.machines[0].seconds):
        assert 0 < figure.low <= figure.value <= figure.high
    shown = "\n".join(importlib.import_module("lamella.verbs.plan").lines(plan))
    assert all(name in shown for name in ("time", "steps", "speed", "memory", "model", "8 cores"))


# --- evaluate


def test_evaluate(word, folder, trust, model, cli, monkeypatch):
    found = cli("evaluate", folder, "sample", "--json", *trust).json
    assert found["task"] == word and found["metric"] == model.task.metric and found["metric"] in found["scores"]
    assert found["count"] == len(model.task.sample("test"))
    for score in found["scores"].values():
        assert score["low"] <= score["value"] <= score["high"]
        assert score["low"] < score["high"] or not score["value"], "only of an error that never happens it is a point"
    # The same set was measured when it was trained; what is measured is what was shipped.
    assert flat(found["scores"]) == pytest.approx(flat(model.manifest.scores["held out"]["scores"]), rel=1e-6)
    monkeypatch.setattr("lamella.checks.evaluate", lambda *_: found)
    check_scores(Trained(word, model))
    few = lamella.evaluate(model, "sample", limit=20)
    assert few["count"] == 20 and few == lamella.evaluate(model, "sample", limit=20)
    lines = cli("evaluate", folder, "sample", "--limit", 20, *trust).out
    assert found["metric"] in lines and "20 examples" in lines and "95% interval" in lines


def test_evaluate_on_a_file(word, model, cli, folder, trust, tmp_path):
    job, path = model.task, tmp_path / "rows.jsonl"
    names = tuple(dict.fromkeys((*job.fields, job.target)))  # a text may be question and answer
    columns = {"translation": ("src", "dst")}.get(word, names)  # as the task's readers know them
    rows = [[as_text(e[name]) for name in names] for e in job.sample("test")[:25]]
    path.write_text("".join(json.dumps(dict(zip(columns, row))) + "\n" for row in rows))
    found = cli("evaluate", folder, path, "--json", *trust).json
    assert found["count"] == 25
    wanted = pytest.approx(flat(lamella.evaluate(model, str(path))["scores"]))
    assert flat(found["scores"]) == wanted
    named = ",".join(f"{c}={n}" for n, c in enumerate(columns, start=1))
    table = tmp_path / "rows.tsv"
    table.write_text("".join("\t".join(row) + "\n" for row in rows))
    assert flat(cli("evaluate", folder, table, "--json", "--columns", named, *trust).json["scores"]) == wanted


# --- predict


def test_predict(folder, outside, model):
    examples = [{name: e[name] for name in model.task.fields} for e in model.task.sample("test")[:9]]
    several = model.predict(examples)
    assert several == lamella.predict(model, *examples)
    assert alike(lamella.predict(str(folder), "sample", **outside), several[0])
    values = [as_text(*e.values()) if len(e) == 1 else tuple(map(as_text, e.values())) for e in examples]
    assert model.predict(values) == several and alike(lamella.predict(model, values[0]), several[0])


def test_predict_on_the_command_line(folder, trust, model, cli, tmp_path):
    examples = model.task.sample("test")[:3]
    rows = [[as_text(e[name]) for name in model.task.fields] for e in examples]  # of several fields all in order
    values = [value for row in rows for value in row]
    answers = model.predict([row[0] if len(row) == 1 else tuple(row) for row in rows])
    lines = [model.task.render(a) for a in answers]
    assert cli("predict", folder, *rows[0], *trust).out == lines[0] + "\n"
    assert cli("predict", folder, "--json", *trust, "--", *values).json == {"answers": answers}
    typed = ["\t".join(row) for row in rows]
    assert cli("predict", folder, "-", *trust, stdin=f"{typed[0]}\n\n{typed[1]}\n").out.splitlines() == [
        lines[0],
        "",
        lines[1],
    ]
    assert cli("predict", folder, "sample", *trust).out == lines[0] + "\n"
    assert cli("predict", folder, *values, "-o", tmp_path / "answers.txt", *trust).code == 0
    assert (tmp_path / "answers.txt").read_text().splitlines() == lines


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
def test_a_table_in_a_table_out(folder, trust, model, cli, tmp_path, suffix):
    examples = model.task.sample("test")[:12]
    rows = [
        {"number": str(n), **{name: as_text(e[name]) for name in model.task.fields}} for n, e in enumerate(examples)
    ]
    path, out = tmp_path / f"rows{suffix}", tmp_path / f"answers{suffix}"
    with path.open("w", newline="") as file:
        if suffix == ".jsonl":
            file.writelines(json.dumps(row) + "\n" for row in rows)
        else:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="\t" if suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
    done = cli("predict", folder, path, "-o", out, *trust)
    assert done.code == 0 and "12 rows" in done.err, done.err
    with out.open(newline="") as file:
        if suffix == ".jsonl":
            found = list(map(json.loads, file))
        else:
            found = list(csv.DictReader(file, delimiter="\t" if suffix == ".tsv" else ","))
    assert len(found) == 12
    answers = model.predict([{name: as_text(e[name]) for name in model.task.fields} for e in examples])
    for row, old, answer in zip(found, rows, answers, strict=True):
        assert {name: row[name] for name in old} == old, "what was there stays"
        new = [value for name, value in row.items() if name not in old]
        answer = model.task.answer.cells(answer)
        wanted = list(answer.values()) if isinstance(answer, dict) else [answer]
        if suffix == ".jsonl":  # as they are
            assert json.dumps(new) == json.dumps(wanted)
        else:
            assert new == [v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for v in wanted]


# --- explain


def test_explain(word, folder, trust, model, cli, tmp_path, monkeypatch):
    for heavy in ("torch", "onnx", "safetensors"):  # the light install has none of them
        monkeypatch.setitem(sys.modules, heavy, None)
    found = cli("explain", folder, "sample", "--json", "-o", tmp_path / "why.html", *trust).json
    example = {name: model.task.sample("test")[0][name] for name in model.task.fields}
    assert found["task"] == word and found["method"] == "ablation" and set(found["fields"]) == set(model.task.fields)
    # The weights of the units add up to what an empty example lacks; a step of a series counts by itself.
    question = Question(model, example)
    assert found["answer"] == question.answer and found["focus"]["value"] == pytest.approx(question.value, rel=1e-4)
    units = [unit for field in found["fields"].values() for unit in field["units"]]
    assert 1 < len(units) == len(question.units) <= 64
    weights = [unit["weight"] for unit in units]
    heaviest = int(np.argmax(np.abs(weights)))
    series = any(parts.kind == "series" for parts in question.parts.values())
    without = question.focus([{heaviest} if series else range(len(units))]).sum()
    most, lost = abs(weights[heaviest]), weights[heaviest] if series else sum(weights)
    assert lost == pytest.approx(question.value - without, abs=1e-2 * most) and most > 0
    # Of one example chance may know better; of a few it does not.
    few = [{name: e[name] for name in model.task.fields} for e in model.task.sample("test")[:4]]
    checks = [found["faithfulness"], *(model.explain(e).data["faithfulness"] for e in few[1:])]
    assert all(c["sentence"] for c in checks)
    if (
        question.amounts
    ):  # most of a series taken away, what lies between its rest may be anything: the few that count most
        moved = [re.search(r"moves the answer by ([^,]+), .* by (\S+) \(", c["sentence"]).groups() for c in checks]
        assert sum(float(most) for most, _ in moved) > sum(float(random) for _, random in moved)
    else:
        assert sum(c["deletion"] for c in checks) < sum(c["random"] for c in checks)
    page = (tmp_path / "why.html").read_text()
    assert page.startswith("<!doctype html>") and not re.search(r"<script|https?:|(src|href)=.(?!data:)", page)
    again = model.explain(example)
    assert again.data == found and found["model"] == Path(model.where).name
    monkeypatch.setattr(importlib.import_module("lamella.verbs.explain"), "explain", lambda *_, **options: again)
    screen = cli("explain", folder, "sample", *trust).out
    assert found["faithfulness"]["sentence"] in screen and "\x1b" not in screen


# --- show


def test_show(word, folder, trust, model, cli):
    facts = cli("show", folder, "--json", *trust).json
    assert facts["task"] == word and facts["bytes"] == model.bytes and facts["precision"] == "float32"
    assert set(facts["files"]) == set(model.files) and facts["graphs"]
    screen = cli("show", folder, *trust).out
    assert all(name in screen for name in (*facts["files"], *facts["graphs"], model.task.metric))
    assert len(screen.splitlines()) < 60, "a screen, with one picture"


def test_tasks(word, cli):
    [facts] = cli("tasks", "--json", word).json["tasks"]
    cls = find(word)
    assert facts["name"] == word and facts["summary"].endswith(".") and set(facts["fields"]) == set(cls.fields)
    assert facts["nets"] and facts["metric"] == cls.metric
    assert 0 < len(facts["options"]) <= 2 * OPTIONS, "the check of the declarations counts them apart"
    for option in facts["options"]:
        assert option["description"].endswith(".") and option["kind"], option
    assert all(f"--{o['flag']}" in cli("tasks", word).out for o in facts["options"])
    assert msgspec.convert({}, cls.Config) == cls.Config()


# --- compress


@pytest.fixture
def untimed(monkeypatch):
    """Answers are timed, but briefly, and on a busy machine that speaks against no setting."""
    verb = importlib.import_module("lamella.verbs.compress")
    for name, value in {"TIMED": 2, "LONG_ENOUGH": 0.0, "slower": lambda *speeds: False}.items():
        monkeypatch.setattr(verb, name, value)
    return verb


def test_compress(word, folder, trust, outside, model, cli, tmp_path, untimed, monkeypatch):
    done = cli("compress", folder, "-o", tmp_path / "small", "--tolerance", "0.05", "--json", *trust)
    assert done.json["model"] == str(tmp_path / "small") and "int8" in done.err
    small = lamella.load(tmp_path / "small", **outside)
    monkeypatch.setattr("lamella.checks.compress", lambda _, out, *data, **options: shutil.copytree(small.where, out))
    check_compression(Trained(word, model))
    assert untimed.graphs_size(small.files) < 0.75 * untimed.graphs_size(model.files)
    assert small.manifest.learned == model.manifest.learned and small.manifest.config == model.manifest.config
    after = [s for name, s in small.manifest.scores.items() if "int8" in name]
    assert len(after) == 1 and "int8" in (tmp_path / "small" / "card.md").read_text()
    examples = [e for i, e in enumerate(model.task.sample("test")) if i % 3]  # the others said what units do
    measured = [m.with_config(as_measured(m.task).config) for m in (model, small)]  # as compress measures
    before, now = (headline(m, m.predict(examples), examples) for m in measured)
    lost = (now - before if model.task.training.less_is_better else before - now) / abs(before)
    assert lost <= 0.05
    assert "training" not in [p.name for p in (tmp_path / "small").iterdir()]
    again = cli("compress", folder, "-o", tmp_path / "small", *trust)
    assert again.code == 2 and "--force" in again.err


def test_compress_refuses_to_lose_too_much(folder, trust, cli, tmp_path, untimed, monkeypatch):
    monkeypatch.setattr(untimed, "MOST", 200)  # examples: what is spoilt is so on most of them
    plain = importlib.import_module("lamella.graphs.rounding").round_rows

    def spoilt(matrix, axis):
        q, scale = plain(matrix, axis)
        return np.abs(q), scale

    for user in ("int8", "int8_convolutions"):
        monkeypatch.setattr(importlib.import_module(f"lamella.graphs.{user}"), "round_rows", spoilt)
    done = cli("compress", folder, "-o", tmp_path / "small", *trust)
    assert done.code == 1 and "int8 is" in done.err and "worse" in done.err and not (tmp_path / "small").exists()


# --- export


def test_export_to_a_zip(folder, trust, outside, model, cli, tmp_path):
    place = tmp_path / "model.zip"
    assert cli("export", folder, "-o", place, "--json", *trust).json == {"out": str(place)}
    packed = lamella.load(place, **outside)
    examples = model.task.sample("test")[:5]
    assert packed.predict(examples) == model.predict(examples)
    assert packed.manifest == model.manifest
    assert cli("predict", place, "sample", *trust).out == cli("predict", folder, "sample", *trust).out
    again = cli("export", folder, "-o", place, *trust)
    assert again.code == 2 and "--force" in again.err


def test_export_to_bare_graphs(folder, trust, model, cli, tmp_path):
    place = tmp_path / "bare"
    assert cli("export", folder, "-o", place, "--to", "onnx", *trust).code == 0
    graphs = {name for name in model.files if name.endswith(".onnx")}
    assert graphs <= {p.name for p in place.iterdir()} and "model.json" not in {p.name for p in place.iterdir()}
    imported = {
        n.names[0].name for n in ast.walk(ast.parse((place / "example.py").read_text())) if isinstance(n, ast.Import)
    }
    assert imported == {"os", "numpy", "onnxruntime"}
    done = subprocess.run([sys.executable, "-I", place / "example.py"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    printed = [line.split()[0] for line in done.stdout.splitlines()]
    assert set(printed) == graphs and len(printed) == sum(len(g._files) for g in model.graphs.values())


# --- serve


def test_serve(word, model, outside):
    """List, card, predict, a table, and explanations over HTTP: the same as without it."""
    with serving({"a model": model}) as server:
        place = "/models/a%20model"
        [facts] = server.get("/models").json["models"]
        assert facts["name"] == "a model" and facts["task"] == Path(word).stem.replace("_", "-")
        assert (
            set(facts["fields"]) == set(model.task.fields)
            and facts["answer"]["kind"]
            and facts["summary"].endswith(".")
        )
        shown = server.get(place).json
        assert model.task.metric in shown["card"] and shown["curves"].startswith("<svg") and shown["scores"]
        examples = [{name: e[name] for name in model.task.fields} for e in model.task.sample("test")[:9]]
        assert facts["examples"] == (model.manifest.examples or examples[:6])
        found = server.post(f"{place}/predict", {"examples": examples}).json
        answers = json.loads(json.dumps(model.predict(examples)))
        assert found == {"answers": answers, "rendered": [model.task.render(a) for a in model.predict(examples)]}
        asked = [o for o in facts["options"] if model.task.state.asked in o.get("asks", [model.task.state.asked])]
        changeable = [o for o in asked if o["kind"] in ("int", "float")]
        options = {o["name"]: o["default"] for o in changeable}
        assert server.post(f"{place}/predict", {"examples": examples, "options": options}).json == found
        given = dict.fromkeys(model.task.fields, True)
        for wrong in ({}, {**examples[0], "more": 1}, given):
            assert server.post(f"{place}/predict", {"examples": [wrong]}).status == 400
        why = server.post(f"{place}/explain", {"example": examples[0]})
        asked = model.predict(model.task.excerpt(examples[0])[0])  # of a long example, a piece is explained
        assert why.status == 200 and why.json["answer"] == json.loads(json.dumps(asked))
        assert set(why.json["fields"]) == set(model.task.fields) and why.json["faithfulness"]
        rows = "".join(json.dumps({name: as_text(e[name]) for name in e}) + "\n" for e in examples).encode()
        table = server.send_file(f"{place}/document", "rows.jsonl", rows)
        pictures = {"image", "audio"} & {field["kind"] for field in facts["fields"].values()}
        assert table.status == (415 if pictures else 200), table.raw
        assert pictures or len(table.raw.splitlines()) == 9
        described = server.get("/openapi.json").json["paths"]["/models/a model/predict"]["post"]
        schema = described["requestBody"]["content"]["application/json"]["schema"]
        assert set(schema["properties"]["options"]["properties"]) == {o["name"] for o in facts["options"]}
