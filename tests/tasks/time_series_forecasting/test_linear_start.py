"""The linear part of a forecaster begins as a ridge regression of what its seasons leave."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lamella.data.readers import clock  # noqa: E402
from lamella.data.readers.stamps import Style  # noqa: E402
from lamella.errors import DataError  # noqa: E402
from lamella.nets.forecast import Forecaster, Window, ridge  # noqa: E402
from lamella.tasks.time_series_forecasting import (  # noqa: E402
    INTERVALS,
    LEVELS,
    Config,
    TimeSeriesForecasting,
    intervals,
    windows,
)
from lamella.tasks.time_series_forecasting.pairs import pairs_of  # noqa: E402


def test_the_regression_is_that_of_scikit_learn():
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    past, known, wanted = rng.normal(size=(200, 12)), rng.normal(size=(200, 3, 2)), rng.normal(size=(200, 3))
    wanted += past[:, :3] + 2 * known[:, :, 0]
    [(weights, calendar)] = ridge(*map(torch.from_numpy, (past, known, wanted)), [0.1])
    unit = np.square(past).sum(axis=0).mean()
    for h in range(3):
        both = np.concatenate([past / np.sqrt(0.1 * unit), known[:, h] / np.sqrt(0.2)], axis=1)  # one penalty for all
        found = linear_model.Ridge(alpha=1.0, fit_intercept=False).fit(both, wanted[:, h]).coef_
        assert weights[:, h].numpy() == pytest.approx(found[:12] / np.sqrt(0.1 * unit), abs=1e-6)
        assert calendar[h].numpy() == pytest.approx(found[12:] / np.sqrt(0.2), abs=1e-6)


def examples(values, horizon=6):
    ends = range(30, len(values) - horizon + 1, horizon)
    return [
        {
            "past": values[:e].tolist(),
            "future": values[e : e + horizon].tolist(),
            "number": 0,
            "id": "a",
            "scale": 1.0,
        }
        for e in ends
    ]


def trained_on(values):
    job = TimeSeriesForecasting(Config(horizon=6, season=12, ensemble_size=2), "tiny")
    job.fit(examples(values))
    return job, job.build()


def errors(job, net, rows):
    with torch.no_grad():
        arrays = [job.frame.read(e) for e in rows]
        past, known = (torch.from_numpy(np.stack([a[k] for a in arrays])) for k in ("past", "known"))
        base = net.members[0].linear(past, known).numpy()
    units = np.stack([a["unit"] for a in arrays])
    wanted = np.array([e["future"] for e in rows])
    return np.abs(base * units[:, 1:] + units[:, :1] - wanted).mean()


def test_an_untrained_net_forecasts_what_is_linear_in_the_past():
    rng = np.random.default_rng(1)
    values = np.zeros(600)
    for t in range(2, 600):  # a damped oscillation that noise keeps going, whose season is no multiple of a step
        values[t] = 1.8 * values[t - 1] - 0.95 * values[t - 2] + rng.normal()
    job, net = trained_on(values[:480])
    new = [e for e in examples(values) if len(e["past"]) >= 480]
    started = errors(job, net, new)
    assert job.solved_ and job.solution_ == "beside" and net.members[0].drop_past.p < 0.1
    job.pairs, job.solved_, job.solution_ = None, False, ""
    assert started < 0.6 * errors(job, job.build(), new), "the seasonal naive forecast"
    assert torch.equal(net.members[0].window_table, net.members[1].window_table)
    assert torch.equal(net.members[0].solved_past, net.members[1].solved_past)
    arrays = [job.frame.read(e) for e in new[:3]]
    past, known = (torch.from_numpy(np.stack([a[k] for a in arrays])) for k in ("past", "known"))
    with torch.no_grad():
        begun = net.members[0].solved(past, known)
        assert torch.allclose(begun, net.eval().members[0].linear(past, known), atol=1e-5)
        net.members[0].window_table.zero_()
        assert torch.equal(begun, net.members[0].solved(past, known)), "what is kept does not learn"


def test_noise_is_forecast_no_worse_than_by_its_seasons():
    values = np.random.default_rng(2).normal(size=600)
    job, net = trained_on(values[:480])
    new = [e for e in examples(values) if len(e["past"]) >= 480]
    started = errors(job, net, new)
    assert job.solution_ == "alone" and "members.0.window_table" not in net.state_dict()
    job.build().load_state_dict(net.state_dict())  # it begins anew
    job.pairs = None  # as where a model goes on learning
    assert [n for n, _ in job.build().named_parameters()] == [n for n, _ in net.named_parameters()]
    job.solved_, job.solution_ = False, ""
    assert started < 1.02 * errors(job, job.build(), new)
    # There is no season in noise: the mean of the past is the better forecast, and it is what a penalty draws the weights to.
    mean = np.mean([np.abs(np.mean(e["past"][-job.frame.context :]) - np.array(e["future"])).mean() for e in new])
    assert started < 1.05 * mean


def test_seasons_that_come_again_are_kept():
    times = np.arange(600)
    values = np.sin(2 * np.pi * times / 12) + 0.3 * np.random.default_rng(4).normal(size=600)
    job, net = trained_on(values[:480])
    new = [e for e in examples(values) if len(e["past"]) >= 480]
    assert errors(job, net, new) < 0.3


def test_without_a_season_the_linear_part_goes_on_learning():
    job = TimeSeriesForecasting(Config(horizon=6, season=1), "tiny")
    job.fit(examples(np.random.default_rng(5).normal(size=600).cumsum()))
    assert job.solved_ and not job.solution_
    names = dict(job.build().named_parameters())
    assert "members.0.window_table" in names and job.build().graphs()["forecast"][1] == ("quantiles",)


def answer(value):
    return {"median": [value, value]}


@pytest.mark.parametrize(
    ("deep", "linear", "low", "high"),
    [
        ([1.0, 1.2, 0.9], [1.1, 1.3, 1.1], 0.9, 1.0),  # better in each window
        ([1.0, 5.0, 0.9], [2.0, 3.9, 1.1], 0.5, 0.6),  # better in the mean, which may well be chance
        ([1.0, 1.1], [1.0, 1.1], 0.5, 0.5),  # the same
        ([1.1, 0.9, 1.0], [1.0, 1.0, 0.95], 0.25, 0.45),  # a little worse: hardly known
        ([2.0, 2.1, 1.9], [1.0, 1.0, 1.0], 0.0, 0.01),  # surely worse
        ([2.0], [1.0], 1.0, 1.0),  # a single window says nothing
    ],
)
def test_what_is_worse_than_the_linear_part_counts_less(deep, linear, low, high):
    wanted = np.zeros((len(deep), 2))
    found = intervals.trust(wanted, list(map(answer, deep)), list(map(answer, linear)), [1.0] * len(deep))
    assert low <= found <= high


def test_answers_move_towards_the_linear_forecast_with_their_intervals():
    job, _ = trained_on(np.random.default_rng(6).normal(size=300))
    job.widths_, job.even_ = dict.fromkeys(INTERVALS, 1.0), {}
    quantiles = np.linspace(-2, 2, len(LEVELS))[None, None] + np.full((1, 6, 1), 1.0)
    graph = {"forecast": lambda **_: {"quantiles": quantiles.astype(np.float32), "linear": np.full((1, 6), -1.0)}}
    given = {"past": np.zeros((1, 4)), "known": np.zeros((1, 10, 1)), "unit": np.array([[10.0, 2.0]])}
    for share, median in ((1.0, 12.0), (0.5, 10.0), (0.0, 8.0)):
        job.trust_ = share
        [found] = job.decode(graph, given)
        assert found["median"] == [median] * 6
        assert found["80%"] == [[median - 2.0, median + 2.0]] * 6


def test_calibration_measures_both_and_older_models_have_one():
    rng = np.random.default_rng(7)
    job, _ = trained_on(rng.normal(size=300))
    kept = [{"past": [0.0, 1.0] * 12, "future": [0.0] * 6, "scale": 1.0} for _ in range(6)]

    def run(rows):
        off = [float(rng.normal(3 * job.trust_, 0.1)) for _ in rows]
        return [{"median": [x] * 6, **{name: [[x - 1, x + 1]] * 6 for name in INTERVALS}} for x in off]

    job.calibrate(kept, run)
    assert job.trust_ < 0.01
    job.solution_ = ""
    job.calibrate(kept, run)
    assert job.trust_ == 1.0


def test_few_windows_or_a_very_long_past_have_no_regression():
    values = np.arange(60.0)
    job, _ = trained_on(values)
    assert pairs_of(job.frame, examples(values)[:1]) is None
    long = TimeSeriesForecasting(Config(horizon=6, context=2000), "tiny")
    long.fit(examples(np.random.default_rng(3).normal(size=300)))
    assert long.pairs is None and not long.solved_


def test_a_net_of_an_older_model_has_no_weights_for_the_calendar():
    window = Window(8, 2, 1, 2, 1, 0, torch.tensor([[7, 6], [7, 6]]))
    assert "members.0.known_table" not in Forecaster("rnn", window, 3, 8, members=1).state_dict()
    assert "members.0.known_table" in Forecaster("rnn", window, 3, 8, members=1, solved=True).state_dict()


@pytest.mark.parametrize(
    ("start", "right"), [("2021-02-03", True), ("1. Feb 2021", True), ("10:30", False), (5, False)]
)
def test_a_start_is_a_date_where_training_had_dates(start, right):
    step, style = clock.parse_step("day"), Style("date", sample="2021-01-31")
    values = {"start": start, "past": [1.0] * 8}
    if right:
        assert windows.features(values, 9, step, ["week"], {}, style).shape == (9, 7)
    else:
        with pytest.raises(DataError, match="expected a time such as 2021-01-31"):
            windows.features(values, 9, step, ["week"], {}, style)
