"""`lamella plan`: a forecast before a training, kept and compared with what then happened. No figure of the clock is checked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import lamella
from lamella.errors import DataError, UsageError
from lamella.train import trial
from lamella.train.export import export_graphs
from lamella.train.forecast import Estimate, Plan

WEATHER = str(Path(__file__).parents[1] / "tasks" / "weather.py")


EXPORTED: dict[str, dict[str, bytes]] = {}  # by how its net is printed


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A few steps and answers are enough where nobody looks at seconds, and one export of a net."""
    for name, value in {"BUCKETS": 2, "ROUNDS": (1, 1), "FEW": 4, "LONG": 0.0}.items():
        monkeypatch.setattr(trial, name, value)

    def export(net):
        net.cpu().float().eval()
        if str(net) not in EXPORTED:
            EXPORTED[str(net)] = export_graphs(net)
        return EXPORTED[str(net)]

    monkeypatch.setattr(trial, "export_graphs", export)


def silent(line):
    pass


def estimates(value) -> list[Estimate]:
    """All figures of a forecast that have a range."""
    if isinstance(value, Estimate):
        return [value]
    if isinstance(value, dict):
        return [e for one in value.values() for e in estimates(one)]
    if isinstance(value, list | tuple):
        return [e for one in value for e in estimates(one)]
    if hasattr(value, "__struct_fields__"):
        return [e for name in value.__struct_fields__ for e in estimates(getattr(value, name))]
    return []


def test_a_forecast_in_python():
    plan = lamella.plan(
        WEATHER, "sample", size="tiny", steps=40, threads=1, machines="8,accelerator=80,2x4@1", watts="50,accelerator=80=300",
        price=0.5, tell=silent,
    )  # fmt: skip
    assert isinstance(plan, Plan) and plan.task == WEATHER and plan.size == "tiny"
    assert all(0 <= e.low <= e.value <= e.high for e in estimates(plan)) and len(estimates(plan)) > 20
    assert plan.steps == Estimate(40, 40, 40) and plan.parameters > 1000 and plan.flops > 0
    assert plan.seconds.value == pytest.approx(sum(part.value for part in plan.parts.values()))
    assert plan.kilowatt_hours.value == pytest.approx(plan.seconds.value * 50 / 3.6e6)
    assert plan.price.value == pytest.approx(plan.seconds.value / 3600 * 0.5)
    eight, accelerator, network = plan.machines
    assert eight.machine == "8 cores" and network.machine == "2 machines of 4 cores on 1 Gbit/s"
    assert accelerator.kilowatt_hours.value == pytest.approx(accelerator.seconds.value * 300 / 3.6e6)
    assert accelerator.price is None and eight.price is not None  # nobody said what an accelerator costs
    assert plan.int8_bytes < plan.model_bytes and plan.score is None


def test_of_minutes_more_steps_fit_into_more():
    one, four = (
        lamella.plan(WEATHER, "sample", size="tiny", minutes=minutes, machines="none", tell=silent)
        for minutes in (1, 4)
    )
    most = 240 * 1.01  # what comes before the first step and after the last one counts, up to half of the time
    assert 120 * 0.99 < four.parts["steps"].value + four.parts["looks"].value < most
    assert 25 < one.parts["steps"].value <= 60 and one.machines == [] and one.kilowatt_hours is None
    usual = lamella.plan(WEATHER, "sample", size="tiny", machines="none", tell=silent)
    assert usual.length == "5 minutes"  # as train does where nobody says how long


def test_kept_and_compared(cli, tmp_path):
    """With -o the forecast waits in the folder of the model, and `train` finds it: model.json and `show` have both."""
    place = tmp_path / "forecaster"
    given = [WEATHER, "sample", "--size", "tiny", "--steps", 5, "--threads", 1, "-o", place]
    done = cli("plan", *given, "--watts", 65)
    assert done.code == 0 and "kept in" in done.err, done.err
    for word in ("time ", "steps ", "memory ", "model ", "energy ", "64 cores", "accelerator"):
        assert word in done.out
    again = cli("plan", *given, "--json").json
    kept = (place / "training" / "plan.jsonl").read_text().splitlines()
    assert len(kept) == 2 and json.loads(kept[1]) == again
    assert cli("train", *given).code == 0
    found = lamella.load(place, task=WEATHER).manifest.training
    assert found["forecast"]["steps"]["value"] == found["outcome"]["steps"] == 5
    assert found["outcome"]["model_bytes"] > 1000 and found["outcome"]["memory"] > 1e7
    assert found["forecast"]["seconds"] == again["seconds"]
    shown = cli("show", place, "--task", WEATHER).out
    assert "forecast: time " in shown and "forecast: steps 5; it was 5, 1.00 times as much" in shown
    # Another length is another training: nothing to compare with, and named it is an error.
    other = [*given[:4], "--steps", 6, "--threads", 1]
    assert cli("train", *other, "-o", tmp_path / "other").code == 0
    assert "forecast" not in lamella.load(tmp_path / "other", task=WEATHER).manifest.training
    named = cli("train", *other, "-o", tmp_path / "third", "--plan", place / "training" / "plan.jsonl")
    assert named.code == 2 and "another length" in named.err and not (tmp_path / "third").exists()


def test_nothing_is_written_unasked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    lamella.plan(WEATHER, "sample", size="tiny", steps=2, threads=1, machines="none", tell=silent)
    assert not list(tmp_path.iterdir())


def test_the_score_is_foreseen():
    plan = lamella.plan(WEATHER, "sample", size="tiny", steps=40, threads=1, machines="none", probe=True, tell=silent)
    assert plan.score.metric == "error" and [count for count, _ in plan.score.points] == [142, 285, 570]
    assert plan.score.expected.low <= plan.score.expected.value <= plan.score.expected.high


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["missing.jsonl"], "missing.jsonl"),
        (["sample", "--minutes", "0"], "expected a number above 0"),
        (["sample", "--minutes", "inf"], "expected a finite number"),
        (["sample", "--minutes", "soon"], "soon"),
        (["sample", "--machines", "fast"], "unknown machine"),
        (["sample", "--machines", "4x8"], "unknown machine"),
        (["sample", "--machines", "0"], "unknown machine"),
        (["sample", "--watts", "many"], "--watts many: expected a number"),
        (["sample", "--price", "-1"], "expected a number"),
        (["sample", "--price", "1,64x1@9=3"], "expected a machine that --machines names"),
        (["sample", "--resume"], "--resume: fits train alone"),
        (["sample", "--tensorboard"], "--tensorboard: fits train alone"),
        (["sample", "--processes", "2"], "--processes 2: fits train alone"),
        (["sample", "--like", "a-model"], "unknown option --like"),
        (["sample", "--beams", "3"], "unknown option --beams"),
        (["sample", "--days", "none"], "wrong value"),
        (["sample", "--size", "huge"], "unknown size"),
        (["sample", "--device", "cuda:9"], "expected one of"),
        (["sample", "-o", "table.csv"], "is a file"),
        (["table.csv"], "table.csv"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_wrong_arguments(cli, tmp_path, monkeypatch, args, message):
    monkeypatch.chdir(tmp_path)
    Path("table.csv").write_bytes(b"\0\1\2 no table")
    done = cli("plan", WEATHER, *args)
    assert done.code == 2 and message in done.err and len(done.err.splitlines()) < 4, done.err


def test_wrong_arguments_in_python(tmp_path):
    with pytest.raises(UsageError, match="no data given"):
        lamella.plan(WEATHER)
    with pytest.raises(DataError, match="expected at least 40 examples"):
        rows = [{"past": " ".join(str((n * day) % 17) for day in range(14)), "tomorrow": n} for n in range(24)]
        lamella.plan(WEATHER, rows, size="tiny", steps=2, probe=True, machines="none", tell=silent)
    with pytest.raises(UsageError, match="does not fit --resume"):
        lamella.train(WEATHER, "sample", out=str(tmp_path / "model"), resume=True, plan="plan.jsonl")


@pytest.mark.parametrize("content", [b"", b"{", b"[]\n", b'{"facts": 1}\n', b"\xff\xfe\n"])
def test_files_that_hold_no_forecast(cli, tmp_path, content):
    path = tmp_path / "plan.jsonl"
    path.write_bytes(content)
    given = [WEATHER, "sample", "--size", "tiny", "--steps", 2, "--threads", 1]
    done = cli("train", *given, "-o", tmp_path / "model", "--plan", path)
    assert done.code == 2 and "plan.jsonl" in done.err and not (tmp_path / "model").exists()
    if content and not content.startswith(b"{"):
        kept = cli("plan", *given, "--machines", "none", "-o", path)
        assert kept.code == 2 and "expected a file of forecasts" in kept.err and path.read_bytes() == content
