"""Forecasts: what they are scored by, what the net may see, and what must not change them."""

from __future__ import annotations

import csv
import json

import msgspec
import numpy as np
import pytest

import lamella
from lamella import metrics
from lamella.errors import DataError, UsageError
from lamella.model import card
from lamella.registry import find
from lamella.tasks.time_series_forecasting.intervals import evened, fitted, stretch
from lamella.tasks.time_series_forecasting.windows import naive_error, rescale
from tests.serving import serving

LEVELS = [0.5, 0.25, 0.75, 0.1, 0.9, 0.025, 0.975]


@pytest.fixture(scope="module")
def model(trained):
    return lamella.load(trained("time-series-forecasting"))


def job_of(**options):
    cls = find("time-series-forecasting")
    return cls(cls.Config(**options), "tiny")


def daily(tmp_path, count=200, known=False, ahead=0, name="daily.csv", change=None):
    """A file of days with a week in them, and a covariate that moves them."""
    rng = np.random.default_rng(3)
    warm = rng.normal(size=count + ahead)
    values = 50 + 10 * np.sin(2 * np.pi * np.arange(count) / 7) + rng.normal(size=count) + 5 * warm[:count]
    if change is not None:
        values[change:] += 1000
    start = np.datetime64("2021-03-01")
    with (tmp_path / name).open("w") as file:
        file.write("date,v,warm\n" if known else "date,v\n")
        for i in range(count + ahead):
            cells = [str(start + i), f"{values[i]:.6f}" if i < count else "", f"{warm[i]:.6f}"]
            file.write(",".join(cells[: 3 if known else 2]) + "\n")
    return str(tmp_path / name)


# --- scores


def test_mase_and_coverage_by_hand():
    past, future = np.array([1.0, 3.0, 2.0, 6.0]), np.array([5.0, 9.0])  # steps of 2, 1, 4
    assert naive_error(past, 1) == pytest.approx(7 / 3) and naive_error(past, 2) == pytest.approx(2.0)
    quantiles = np.array([[6.0, 6.0], [5, 5], [7, 7], [4, 4], [8, 8], [3, 3], [10, 10]])
    scores = metrics.forecasts([quantiles], [future], [naive_error(past, 1)], LEVELS)
    found = scores.values
    assert found["mase"] == pytest.approx((1 + 3) / 2 / (7 / 3)) and found["coverage_80"] == 0.5


def test_the_pinball_loss_is_that_of_scikit_learn():
    sklearn = pytest.importorskip("sklearn.metrics")
    torch = pytest.importorskip("torch")
    from lamella.nets.forecast import pinball

    rng = np.random.default_rng(0)
    answers, wanted = rng.normal(size=(7, 40)), rng.normal(size=40)
    scores = metrics.forecasts([answers], [wanted], [1.0], LEVELS)
    losses = [sklearn.mean_pinball_loss(wanted, a, alpha=level) for a, level in zip(answers, LEVELS)]
    wql = 2 * np.mean(losses) * 40 / np.abs(wanted).sum()
    assert scores.values["wql"] == pytest.approx(wql)
    mine = pinball(torch.from_numpy(answers.T), torch.from_numpy(wanted), torch.tensor(LEVELS))
    assert mine.mean(dim=0).tolist() == pytest.approx(losses, rel=1e-5)


def test_a_constant_past_has_no_unit_and_does_not_count():
    scores = metrics.forecasts([np.ones((7, 2))] * 2, [np.zeros(2)] * 2, [0.0, 2.0], LEVELS)
    assert scores.values["mase"] == 0.5


def test_stretching_gives_the_share_that_was_asked_for():
    rng = np.random.default_rng(1)
    wanted, middle = rng.normal(size=(400, 5)), np.zeros((400, 5))
    ends = np.tile([-0.5, 0.5], (400, 5, 1))
    width = stretch(wanted, middle, ends, 0.8)
    assert (np.abs(wanted) <= 0.5 * width).mean() == pytest.approx(0.8, abs=0.002)
    fresh = rng.normal(size=(50, 200, 5))
    held = [
        (np.abs(rng.normal(size=(20_000,))) <= 0.5 * stretch(one, np.zeros_like(one), ends[:200], 0.8)).mean()
        for one in fresh
    ]
    assert np.mean(held) == pytest.approx(0.8, abs=0.01), "not more than was promised either"


@pytest.mark.parametrize(("windows", "steps", "within"), [(3, 24, 0.08), (5, 7, 0.07), (10, 12, 0.05), (40, 6, 0.03)])
@pytest.mark.parametrize("alike", [0.0, 0.5, 0.9])
def test_few_windows_give_no_intervals_that_hold_everything(windows, steps, within, alike):
    rng = np.random.default_rng(2)

    def errors(count):
        return np.sqrt(alike) * rng.normal(size=(count, 1)) + np.sqrt(1 - alike) * rng.normal(size=(count, steps))

    ends, held = np.tile([-0.01, 0.01], (windows, steps, 1)), []
    for _ in range(60):
        width = stretch(errors(windows), np.zeros((windows, steps)), ends, 0.8)
        held.append((np.abs(errors(100)) <= 0.01 * width).mean())
    assert np.mean(held) == pytest.approx(0.8, abs=within), "as many as were promised, in the mean of 60 trainings"
    assert np.mean([0.7 <= share <= 0.88 for share in held]) >= (0.3 if windows < 10 else 0.45)


def test_widths_that_are_noise_are_made_even_and_others_are_kept():
    rng = np.random.default_rng(3)
    wanted, units = rng.normal(size=(10, 24)), [1.0] * 10
    noise = np.exp(3 * rng.normal(size=(10, 24, 1))) * [-0.01, 0.01]
    answers = [{"median": [0.0] * 24, "80%": room.tolist()} for room in noise]
    widths, even = fitted(wanted, answers, ["80%"], units)
    assert even["80%"] == 1.0
    fresh = np.exp(3 * rng.normal(size=(200, 24, 1))) * [-0.01, 0.01]
    low, high = (widths["80%"] * end for end in evened(np.zeros((200, 24)), fresh, even["80%"]))
    values = rng.normal(size=(200, 24))
    assert 0.6 < ((low <= values) & (values <= high)).mean() < 0.95
    # Nights without sun: there is nothing at night, and the net knows.
    sun = np.maximum(0, np.sin(np.arange(24) / 24 * 2 * np.pi))[:, None] * [-1.0, 1.0]
    values = rng.normal(size=(10, 24)) * sun[:, 1]
    widths, even = fitted(values, [{"median": [0.0] * 24, "80%": sun.tolist()}] * 10, ["80%"], units)
    assert even["80%"] == 0.0


def test_each_interval_is_measured():
    quantiles = np.array([[0.0], [-1.0], [1.0], [-2.0], [2.0], [-3.0], [3.0]])
    values = metrics.forecasts([quantiles] * 4, [np.array([x]) for x in (0.5, 1.5, 2.5, 9.0)], [1.0] * 4, LEVELS).values
    assert [values[f"coverage_{n}"] for n in (50, 80, 95)] == [0.25, 0.5, 0.75]
    scores = {name: {"value": value} for name, value in values.items()}
    said = card.remarks({"count": 4, "scores": scores}, "mase", True)
    assert [line.split(" of the")[0] for line in said] == [
        "warning: intervals that say 50% hold 25%", "warning: intervals that say 80% hold 50%",
        "warning: intervals that say 95% hold 75%",
    ]  # fmt: skip


# --- answers


def test_quantiles_do_not_cross(model):
    for answer in model.predict(model.task.sample("test")):
        inner, middle, outer = (np.array(answer[n]) for n in ("50%", "80%", "95%"))
        order = [outer[:, 0], middle[:, 0], inner[:, 0], answer["median"], inner[:, 1], middle[:, 1], outer[:, 1]]
        assert len(answer["median"]) == 12 and (np.diff(order, axis=0) >= 0).all()


@pytest.mark.parametrize(("times", "plus"), [(1000.0, 0.0), (0.01, 5.0), (3.0, -70000.0)])
def test_the_unit_does_not_matter(model, times, plus):
    past = np.array(model.task.sample("test")[5]["past"])
    one, other = model.predict([{"past": past.tolist()}, {"past": (past * times + plus).tolist()}])
    for name in one:
        wanted = np.array(one[name]) * times + plus
        assert np.allclose(other[name], wanted, atol=2e-3 * times * past.std()), name


def test_a_constant_series_stays_as_it_is(model):
    answer = model.predict({"past": [7.5] * 50})
    assert answer["median"] == [7.5] * 12 and answer["95%"] == [[7.5, 7.5]] * 12


def test_short_and_long_pasts(model):
    values = model.task.sample("test")[0]["past"]
    assert np.isfinite(model.predict({"past": values[:5]})["median"]).all()
    assert model.predict({"past": [1e6, *values[-48:]]}) == model.predict({"past": values[-48:]}), "48 steps are read"
    for wrong, message in (([1.0, 2.0], "4 values or more"), ([1, 2, float("inf"), 4], "finite"), ("1 2 x", "numbers")):
        with pytest.raises((DataError, UsageError), match=message):
            model.predict({"past": wrong})


# --- what the net may see


@pytest.mark.parametrize("net", ["rnn", "transformer"])
def test_torch_is_onnx_and_no_value_of_the_future_is_an_input(net, tmp_path):
    torch = pytest.importorskip("torch")
    from lamella.graphs import load_graphs, torch_graphs
    from lamella.train.export import export_graphs

    torch.manual_seed(0)
    job = job_of(net=net, horizon=5, ensemble_size=2, known="warm")
    examples, _ = job.read([daily(tmp_path, known=True)])
    job.fit(examples)
    assert job.seasons_ == [7] and job.periods_ == ["week"] and list(job.known_) == ["warm"]
    built = job.build().eval()
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    example = examples[-1]
    batch = job.collate([job.inputs(e) for e in examples[-3:]])
    over_torch = job.decode(torch_graphs(built), batch)
    over_onnx = job.decode(load_graphs(export_graphs(built)), batch)
    for one, other in zip(over_torch, over_onnx):
        for name in one:
            assert np.allclose(one[name], other[name], rtol=1e-3, atol=2e-3), name
    # The same answer whatever the future holds; another one where what is known of it changes.
    changed = {**example, "future": [v + 1e6 for v in example["future"]], "scale": 9.0}
    assert all(np.array_equal(a, job.inputs(changed)[k]) for k, a in job.inputs(example).items())
    warmer = {**example, "known": {"warm": [*example["known"]["warm"][:-5], *[9.0] * 5]}}
    assert not np.array_equal(job.inputs(warmer)["known"], job.inputs(example)["known"])
    # In training too, what is wanted of a window moves no quantile of it.
    rows = [{**job.inputs(e), **job.prompt(e)} for e in (example, changed)]
    quantiles = []
    for row in rows:
        given = {k: torch.from_numpy(np.asarray(v, np.float32))[None] for k, v in row.items()}
        quantiles.append(built(**given)["quantiles"])
    assert torch.equal(*quantiles)
    with pytest.raises(DataError, match="expected warm for"):
        job.inputs({k: v for k, v in example.items() if k != "known"})


def test_windows_cut_in_training_are_scaled_as_in_answering(tmp_path):
    torch = pytest.importorskip("torch")
    from lamella.nets.forecast import rescale as torch_rescale

    values = np.random.default_rng(0).normal(size=(3, 30)) * 5 + 2
    for season in (1, 7):
        centre, unit = torch_rescale(torch.from_numpy(values), torch.ones(3, 30), season)
        for row, c, u in zip(values, centre, unit):
            assert (float(c), float(u)) == pytest.approx(rescale(row, season))
    # Every cut of a ramp has the same step, and so the same quantiles and the same wanted values.
    job = job_of(horizon=4, season=1)
    ramp = {"past": [float(v) for v in range(40)], "future": [40.0, 41, 42, 43]}
    job.fit([ramp])
    net = job.build().train()
    given = {**job.inputs(ramp), **job.prompt(ramp)}
    for seed in range(5):
        torch.manual_seed(seed)
        out = net(**{k: torch.from_numpy(np.asarray(v, np.float32))[None] for k, v in given.items()})
        assert out["wanted"][0].tolist() == pytest.approx([1, 2, 3, 4], abs=1e-4) and out["count"].all()


def test_later_values_are_held_out_and_none_is_on_both_sides(tmp_path):
    job = job_of(horizon=5)
    examples, lines = job.read([daily(tmp_path)])
    held = job.training.hold_out(job, examples, 6, seed=0)
    assert held == list(range(len(examples) - 6, len(examples)))
    keys = [set(job.keys(e)) for e in examples]
    assert sum(map(len, keys)) == len(set.union(*keys)) and any("seasons of 7" in line for line in lines)
    # What comes after a window changes nothing in the windows before it.
    other, _ = job.read([daily(tmp_path, change=190, name="b.csv")])
    same = [e for e in other if max(e["future"]) < 500]
    assert len(same) == len(examples) - 2 and same == examples[: len(same)]


def test_too_short_for_the_horizon(tmp_path):
    with pytest.raises(DataError, match=r"expected series of 114 values or more .*received 30 at most"):
        job_of(horizon=100).read([daily(tmp_path, count=30)])


# --- from file to file


def test_a_table_of_series_gets_its_next_values(tmp_path, cli):
    path = daily(tmp_path, known=True)
    options = {"steps": 60, "size": "tiny", "threads": 1, "tell": lambda line: None}
    trained = lamella.train(
        "time-series-forecasting", path, out=str(tmp_path / "m"), horizon=5, known="warm", ensemble_size=1, **options
    )
    assert trained.manifest.scores["held out"]["scores"]["mase"]["value"] < 0.9
    assert set(trained.task.widths_) == {"50%", "80%", "95%"} and any(w != 1 for w in trained.task.widths_.values())
    ahead, out = daily(tmp_path, known=True, ahead=5, name="ahead.csv"), tmp_path / "next.csv"
    done = cli("predict", tmp_path / "m", ahead, "-o", out)
    assert done.code == 0 and "1 series, 5 rows" in done.err, done.err
    rows = list(csv.DictReader(out.open()))
    assert [r["time"][:10] for r in rows] == [str(np.datetime64("2021-03-01") + 200 + h) for h in range(5)]
    assert all(float(r["95% low"]) <= float(r["median"]) <= float(r["95% high"]) for r in rows)
    short = cli("predict", tmp_path / "m", path)
    assert short.code == 2 and "expected warm for" in short.err
    hourly = tmp_path / "hourly.csv"
    hourly.write_text("time,v,warm\n" + "".join(f"2020-01-01 {h:02}:00,{h},1\n" for h in range(24)))
    with pytest.raises(UsageError, match="expected steps of 86400 s"):
        trained.task.output.document(trained.task, hourly, trained.run, None)


def test_what_is_known_of_the_future_comes_over_http_and_is_a_reason_too(tmp_path, cli):
    trained = lamella.train(
        *("time-series-forecasting", daily(tmp_path, known=True)), out=str(tmp_path / "m"), horizon=5, known="warm",
        ensemble_size=1, steps=200, size="tiny", threads=1, tell=lambda line: None,
    )  # fmt: skip
    ahead = daily(tmp_path, known=True, ahead=5, name="ahead.csv")
    with open(ahead, newline="") as file:
        rows = list(csv.DictReader(file))
    past, warm = ([float(r[k]) for r in rows if r[k]] for k in ("v", "warm"))
    example = {"past": past, "start": rows[0]["date"], "warm": warm}
    wanted = trained.predict(example)
    medians = [line.split(",")[2] for line in cli("predict", tmp_path / "m", ahead).out.splitlines()[1:]]
    assert [float(m) for m in medians] == wanted["median"], "the same as from a table"
    assert trained.predict({**example, "start": "2021-03-02"}) != wanted, "the weekday counts"
    with serving({"demand": trained}) as server:
        facts = server.get("/models/demand").json
        assert list(facts["fields"]) == ["past"] and list(facts["optional"]) == ["start", "warm"]

        def ask(**change):
            given = {k: v for k, v in {**example, **change}.items() if v is not None}
            return server.post("/models/demand/predict", {"examples": [given]})

        assert ask().json["answers"] == [wanted]
        assert ask(warm=None).status == 422 and "expected warm for 205 steps" in ask(warm=None).error
        assert "start: expected a time such as 2021-" in ask(start="soon").error
        assert ask(start="2021-03-01 07:30").status == ask(start="").status == 200, "days may begin at any hour"
        assert "and maybe start, warm (or rows" in ask(cold=[1]).error
        schema = json.dumps(server.get("/openapi.json").json)
        assert '"warm"' in schema and '"start"' in schema
        why = server.post("/models/demand/explain", {"example": example}).json
    reasons = {name: max(abs(u["weight"]) for u in field["units"]) for name, field in why["fields"].items()}
    assert set(reasons) == {"past", "warm"} and reasons["warm"] > 0
    lines = tmp_path / "rows.jsonl"
    lines.write_text(json.dumps(example) + "\n")
    done = cli("predict", tmp_path / "m", lines)
    assert json.loads(done.out)["predicted_median"] == wanted["median"], done


def test_answers_are_plain_json(model):
    example = model.task.sample("test")[0]
    answer = model.predict({"past": example["past"]})
    assert msgspec.json.decode(msgspec.json.encode(answer)) == json.loads(json.dumps(answer)) == answer
    assert model.predict({"past": " ".join(map(str, example["past"]))}) == answer


def test_an_example_of_a_file_can_be_given_by_itself(tmp_path):
    """When its series began and its covariates are said as a person says them, and mean the same."""
    days = np.datetime64("2021-03-01") + np.arange(150)
    rows = [f"{day},{50 + i % 7 + 5 * (i * i % 3)},{i * i % 3}" for i, day in enumerate(days)]
    (tmp_path / "sales.csv").write_text("date,sold,warm\n" + "\n".join(rows) + "\n")
    cls = find("time-series-forecasting")
    job = cls(cls.Config(horizon=3, known="warm"), "tiny")
    examples, _ = job.read([str(tmp_path / "sales.csv")])
    job.fit(examples)
    given = job.given(examples[-1])
    assert set(given) == {"past", "start", "warm"} and isinstance(given["start"], str)
    for name, array in job.inputs(examples[-1]).items():
        np.testing.assert_allclose(job.inputs(given)[name], array, err_msg=name)


def test_few_months_are_enough_and_short_trainings_have_honest_intervals(tmp_path):
    rng = np.random.default_rng(3)
    months = [f"{1990 + m // 12}-{m % 12 + 1:02}" for m in range(120)]
    values = 100 + np.arange(120) + 20 * np.sin(np.arange(120) * np.pi / 6) + rng.normal(0, 5, 120)
    (tmp_path / "a.csv").write_text(
        "month,v\n" + "".join(f"{m},{v:.1f}\n" for m, v in zip(months, values, strict=True))
    )
    trained = lamella.train(
        "time-series-forecasting", str(tmp_path / "a.csv"), out=str(tmp_path / "m"), size="tiny", steps=15, threads=1,
        ensemble_size=1, tell=lambda line: None,
    )  # fmt: skip
    scores = trained.manifest.scores["held out"]
    assert scores["count"] == 2 and scores["scores"]["coverage_80"]["value"] >= 0.7, "before: a stretch of 3 at most"
    assert trained.task.widths_["80%"] > 3
    shown = "\n".join(card.remarks({**scores, "scores": {"coverage_80": {"value": 0.5}}}, "mase", True))
    assert shown == "warning: intervals that say 80% hold 50% of the values they were measured on"
    (tmp_path / "b.csv").write_text(
        "month,v\n" + "".join(f"{m},{v:.1f}\n" for m, v in zip(months[:40], values, strict=False))
    )
    with pytest.raises(lamella.DataError, match="expected at least 5 windows, received"):
        lamella.train(
            "time-series-forecasting", str(tmp_path / "b.csv"), out=str(tmp_path / "n"), tell=lambda line: None
        )
