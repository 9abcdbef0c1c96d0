"""Forecasts of more steps than in training: the net runs on its own answers, and what it says of them widens."""

from __future__ import annotations

import csv
import doctest
import json

import numpy as np
import pytest

import lamella
from lamella.errors import DataError, UsageError
from lamella.model.answering import opened, predict_file
from lamella.tasks.time_series_forecasting import ahead
from tests.serving import serving


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Two noisy series by day, with a column that is known of twelve more."""
    rng = np.random.default_rng(0)
    days = [str(day) for day in np.arange("2024-01-01", "2024-04-01", dtype="datetime64[D]")]
    rows = [f"{s},{day},{10 + n % 7 + rng.normal():.2f},{n % 7 > 4:d}" for s in "ab" for n, day in enumerate(days)]
    path = tmp_path_factory.mktemp("ahead") / "a.csv"
    path.write_text("\n".join(["shop,day,sales,closed", *rows]) + "\n")
    return path


@pytest.fixture(scope="module")
def model(table):
    return lamella.train(
        "time-series-forecasting", str(table), out=str(table.parent / "m"), horizon=3, ensemble_size=1, size="tiny",
        steps=3, threads=1, leave_out="closed", tell=lambda line: None,
    )  # fmt: skip


def test_the_docstrings():
    assert doctest.testmod(ahead).failed == 0


def width(rows, name):
    return np.array([float(row[f"{name} high"]) - float(row[f"{name} low"]) for row in rows])


def test_a_table(model, table, cli, tmp_path):
    done = cli("predict", model.where, table, "--horizon", 8, "-o", tmp_path / "out.csv")
    assert done.code == 0 and "16 rows, 10 rows beyond the 3 steps that it was measured on" in done.err, done.err
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    assert [row["time"] for row in rows[:8]] == [f"2024-04-0{n}" for n in range(1, 9)]
    assert cli("predict", model.where, table, "-o", tmp_path / "once.csv").code == 0
    once = list(csv.DictReader((tmp_path / "once.csv").read_text().splitlines()))
    assert rows[:3] == once[:3] and rows[8:11] == once[3:], "the first steps are the net's own"
    assert width(rows[3:8], "80%").mean() > width(rows[:3], "80%").mean()
    assert (width(rows, "95%") >= width(rows, "80%")).all() and (width(rows, "80%") >= width(rows, "50%")).all()
    assert cli("predict", model.where, table, "--horizon", 2, "-o", tmp_path / "two.csv").code == 0
    two = list(csv.DictReader((tmp_path / "two.csv").read_text().splitlines()))
    assert two == [*once[:2], *once[3:5]]


@pytest.mark.filterwarnings("ignore:steps 4 to 9")
def test_everywhere_the_same(model, table, cli):
    past = [10.0 + n % 7 for n in range(40)]
    alone = lamella.predict(model, {"past": past, "start": "2024-01-01"}, horizon=9)
    assert len(alone["median"]) == len(alone["80%"]) == 9
    other = {"past": past[::-1], "start": "2024-01-01"}
    beside = lamella.predict(model, other, {"past": past, "start": "2024-01-01"}, horizon=9)[1]
    assert np.allclose(beside["median"], alone["median"], rtol=1e-5)
    with serving({"m": model}) as server:
        ask = {"examples": [{"past": past, "start": "2024-01-01"}], "options": {"horizon": 9}}
        reply = server.post("/models/m/predict", ask)
        assert np.allclose(reply.json["answers"][0]["median"], alone["median"], rtol=1e-5)
        assert "steps 4 to 9 are beyond the 3 that it was measured on" in reply.json["notes"][0]
        file = server.send_file("/models/m/document", "a.csv", table.read_bytes(), options='{"horizon": 9}')
        assert len(file.raw.splitlines()) == 19 and "beyond" in file.headers["x-lamella-counts"]
        facts = {o["name"]: o["default"] for o in server.get("/models/m").json["options"]}
        assert facts["horizon"] == 3, "what this model does, not what others do"
        assert server.post("/models/m/predict", {**ask, "options": {"horizon": 61}}).status == 400
    text = " ".join(map(str, past))
    done = cli("predict", model.where, text, "--horizon", 9, "--json")
    assert len(json.loads(done.out)["answers"][0]["median"]) == 9 and "note: steps 4 to 9" in done.err
    why = cli("explain", model.where, text, "--horizon", 9, "--json")
    assert why.code == 0 and "mean of the first 3 steps" in why.out
    scores = lamella.evaluate(model, str(table), horizon=6)
    assert scores["count"] == 2 * 12 or scores["count"] > 10, "windows of six steps"


def test_too_many_steps_and_what_is_not_known_of_them(model, table, tmp_path):
    with pytest.raises(UsageError, match=r"--horizon 61: expected at most 60, 20 times the 3 steps"):
        lamella.predict(model, {"past": [1.0] * 20}, horizon=61)
    lines = table.read_text().splitlines()
    known = tmp_path / "k.csv"
    more = [f"{s},2024-04-0{n},,0" for s in "ab" for n in range(1, 5)]
    known.write_text("\n".join(lines + more) + "\n")
    own = lamella.train(
        "time-series-forecasting", str(known), out=str(tmp_path / "m"), horizon=2, known="closed", ensemble_size=1,
        size="tiny", steps=1, threads=1, tell=lambda line: None,
    )  # fmt: skip
    assert len(predict_file(opened(own, None, {"horizon": 4}), known)[0].splitlines()) == 9
    with pytest.raises(DataError, match=r"expected closed for \d+ steps, past and future"):
        predict_file(opened(own, None, {"horizon": 6}), known)


def test_paths():
    """As alike as they are said to be, symmetric around the median, and the same every time."""
    for alike in (0.0, 0.5, 1.0):
        drawn = ahead.quantiles(alike, 12, 3)
        assert drawn.shape == (ahead.PATHS, 12) and np.array_equal(drawn, ahead.quantiles(alike, 12, 3))
        assert np.allclose(drawn.mean(axis=0), 0.5)
    assert np.allclose(ahead.quantiles(1.0, 12, 3).std(axis=1), 0)
    assert ahead.quantiles(0.0, 12, 3).std(axis=1).mean() > 0.15


class Run:
    """A net that repeats the last value, one wide on each side."""

    def __call__(self, examples):
        return [
            {"median": [e["past"][-1]] * 2, "80%": [[e["past"][-1] - 1.0, e["past"][-1] + 1.0]] * 2} for e in examples
        ]


def test_a_random_walk_widens_with_the_root_of_time():
    frame = type("Frame", (), {"context": 8, "horizon": 2, "seasons": [1]})
    example = {"past": [1.0, 2.0, 3.0, 4.0, 6.0, 5.0]}
    [answer] = ahead.extended([example], Run()([example]), Run(), 12, 1.0, frame)
    widths = [high - low for low, high in answer["80%"]]
    assert widths[0] == widths[1] == 2.0 and widths == sorted(widths)
    assert 4.0 < widths[-1] < 6.0, "six blocks of their own errors: about the root of six times as wide"
    assert abs(answer["median"][-1] - 5.0) < 0.2
