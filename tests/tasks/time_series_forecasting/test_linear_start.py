"""The linear part of a forecaster begins as a ridge regression of what its seasons leave."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lamella.data.readers import clock  # noqa: E402
from lamella.data.readers.stamps import Style  # noqa: E402
from lamella.errors import DataError  # noqa: E402
from lamella.nets.forecast import Forecaster, Window, ridge  # noqa: E402
from lamella.tasks.time_series_forecasting import Config, TimeSeriesForecasting, windows  # noqa: E402
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
    assert job.solved_ and net.members[0].drop_past.p < 0.1
    job.pairs, job.solved_ = None, False
    assert started < 0.6 * errors(job, job.build(), new), "the seasonal naive forecast"
    assert torch.equal(net.members[0].window_table, net.members[1].window_table)


def test_noise_is_forecast_no_worse_than_by_its_seasons():
    values = np.random.default_rng(2).normal(size=600)
    job, net = trained_on(values[:480])
    new = [e for e in examples(values) if len(e["past"]) >= 480]
    started = errors(job, net, new)
    job.pairs, job.solved_ = None, False
    assert started < 1.02 * errors(job, job.build(), new)


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
