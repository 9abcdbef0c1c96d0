"""Tables in memory: train, evaluate and predict take frames, arrays, lists of dicts and dicts of columns."""

from __future__ import annotations

import datetime
import json

import numpy as np
import pytest

import lamella
from lamella.data.readers.frames import rows_of, without_places
from lamella.errors import UsageError
from lamella.model.values import several_of
from lamella.registry import find
from tests.verbs.test_used_columns import ROWS

QUIET = {"size": "tiny", "steps": 2, "threads": 1, "tell": lambda line: None}


class Frame:
    """What polars and libraries like it have, and no more."""

    def __init__(self, rows):
        if isinstance(rows, dict):
            rows = [dict(zip(rows, row, strict=True)) for row in zip(*rows.values(), strict=True)]
        self.rows = list(rows)
        self.columns = list(self.rows[0])

    def __len__(self):
        return len(self.rows)

    def to_dicts(self):
        return self.rows

    def hstack(self, other):
        return Frame([{**a, **b} for a, b in zip(self.rows, other.rows, strict=True)])


TABLE = [{"id": n, "mood": label, "review": text} for n, (text, label, _) in enumerate(ROWS)]


@pytest.fixture(scope="module")
def model(once):
    def make(folder):
        lamella.train("text-classification", Frame(TABLE), out=str(folder), columns={"label": "mood"}, **QUIET)

    return lamella.load(once("frames", make))


def test_predict_and_evaluate_a_frame(model):
    frame = Frame([{"review": "a lovely film", "n": 1}, {"review": "a dull film", "n": 2}, {"review": None, "n": 3}])
    answers = lamella.predict(model, frame)
    assert [a and a["label"] for a in answers] == ["good", "bad", None]
    out = lamella.predict(model, frame, as_frame=True)
    assert [row["predicted_label"] for row in out.to_dicts()] == ["good", "bad", None] and out.columns[:2] == [
        "review",
        "n",
    ]
    assert lamella.evaluate(model, Frame(TABLE[:20]))["count"] == 20
    assert lamella.evaluate(model, TABLE[:20])["scores"] == lamella.evaluate(model, Frame(TABLE[:20]))["scores"]
    with pytest.raises(UsageError, match="as_frame: expected a data frame"):
        lamella.predict(model, "a film", as_frame=True)


def test_what_is_kept_of_a_frame(model):
    assert model.task.state.columns["text"]["name"] == "review"
    lines = model.manifest.training["data"]
    assert any("table 1 in memory: JSONL" in line for line in lines) and not any("/tmp" in line for line in lines)
    assert without_places("/x y/lamella-data-q/table-12.jsonl, line 3").endswith("table 12 in memory, line 3")


@pytest.mark.parametrize("kind", ["dicts", "columns", "pandas", "polars"])
def test_a_forecast_of_a_table_in_memory(tmp_path, kind):
    days = [datetime.datetime(2020, 1, 1, 6, 15) + datetime.timedelta(days=n) for n in range(90)]
    values = [float(n % 7 + n / 10) for n in range(90)]
    rows = [{"date": d, "v": v} for d, v in zip(days, values, strict=True)]
    if kind == "pandas":
        frame = pytest.importorskip("pandas").DataFrame({"v": values}, index=days)
    elif kind == "polars":
        frame = pytest.importorskip("polars").DataFrame(rows)
    else:
        frame = rows if kind == "dicts" else {"date": days, "v": values}
    model = lamella.train(
        "time-series-forecasting", frame, out=str(tmp_path / "m"), horizon=3, ensemble_size=1, **QUIET
    )
    if kind in ("dicts", "columns"):
        frame = Frame(rows)
    ahead = lamella.predict(model, frame)
    assert [row["time"] for row in ahead] == ["2020-03-31 06:15:00", "2020-04-01 06:15:00", "2020-04-02 06:15:00"]
    assert len(lamella.predict(model, frame, as_frame=True)) == 3


def test_pandas(model):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"review": ["a lovely film", None, "a dull film"]}, index=[7, 8, 9])
    out = lamella.predict(model, frame, as_frame=True)
    assert out["predicted_label"].tolist()[::2] == ["good", "bad"] and out.index.tolist() == [7, 8, 9]
    assert rows_of(pandas.Series([1.0, None], name="x")) == [{"x": 1.0}, {"x": None}]


@pytest.mark.parametrize(
    ("value", "rows"),
    [
        (np.array([[1.0, np.nan]]), [{"column 1": 1.0, "column 2": None}]),
        (np.array([1, 2]), [{"value": 1}, {"value": 2}]),
        (np.array([(1, "a")], dtype=[("n", int), ("s", "U3")]), [{"n": 1, "s": "a"}]),
        (
            [{"d": datetime.date(2020, 1, 2), "x": np.float32(0.5), "b": True}],
            [{"d": "2020-01-02", "x": 0.5, "b": True}],
        ),
        (
            {"a": np.arange(2), "t": np.array(["2020-01-01", "NaT"], "datetime64[D]")},
            [{"a": 0, "t": "2020-01-01"}, {"a": 1, "t": None}],
        ),
        ([{"v": [1, 2]}], [{"v": [1, 2]}]),
    ],
)
def test_rows_of_what_is_in_memory(value, rows):
    assert rows_of(value) == rows


def test_cells_that_are_pictures_and_sounds():
    """As arrays of any type; whole numbers are kept, since they may be the labels of a mask."""
    pytest.importorskip("PIL")
    from lamella.data.media.images import open_picture
    from lamella.data.media.sounds import read_sound

    grey = np.arange(48).reshape(6, 8)
    cases = [grey, grey.astype(np.uint8), grey.astype(np.int32), grey.astype(np.float32) / 47]
    for cell, most in zip(cases, (47, 47, 47, 255), strict=True):
        [row] = rows_of([{"x": cell}])
        points = np.asarray(open_picture(row["x"]))
        assert points.shape == (6, 8) and points.max() == most
    colours = np.zeros((20, 6, 8, 3), np.uint8)
    assert len(rows_of(colours)) == 20 and rows_of(colours.transpose(0, 3, 1, 2)) == rows_of(colours)
    assert np.asarray(open_picture(rows_of([{"x": grey > 20}])[0]["x"])).max() == 255
    deep = (grey * 1000).astype(np.uint16)
    assert np.asarray(open_picture(rows_of([{"x": deep}])[0]["x"], white=0)).max() == 47000
    from PIL import Image

    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I", "F"):
        [row] = rows_of([{"x": Image.new(mode, (6, 8))}])
        assert open_picture(row["x"]).size == (6, 8), mode
    wide = np.linspace(-3.5, 900, 48, dtype=np.float32).reshape(6, 8)
    assert np.array_equal(np.asarray(open_picture(rows_of([{"x": wide}])[0]["x"], white=0)), wide)
    with pytest.raises(lamella.LamellaError, match="expected an array"):
        rows_of([{"x": np.full((4, 4), np.nan)}])
    samples = np.sin(np.arange(1600) / 9).astype(np.float32) / 2
    for cell in (samples, {"array": samples, "sampling_rate": 8000}):
        sound = read_sound(rows_of([{"audio": cell}])[0]["audio"])
        assert np.abs(sound.samples - samples).max() < 1e-3 and sound.rate in (8000, 16000)
    assert rows_of([{"past": samples[:3]}])[0]["past"] == pytest.approx(samples[:3].tolist())
    boxes = [{"label": "cat", "box": [1, 2, 3, 4]}]
    assert json.loads(rows_of([{"boxes": boxes}])[0]["boxes"]) == boxes


def test_frames_that_are_no_plain_ones(model):
    polars, pandas = pytest.importorskip("polars"), pytest.importorskip("pandas")
    lazy = polars.LazyFrame({"review": ["a lovely film"]})
    assert [row["label"] for row in lamella.predict(model, lazy)] == ["good"]
    assert lamella.predict(model, lazy, as_frame=True)["predicted_label"].to_list() == ["good"]
    several = pandas.DataFrame([["a lovely film"]], columns=pandas.MultiIndex.from_tuples([("x", "review")]))
    assert rows_of(several) == [{"x review": "a lovely film"}]
    with pytest.raises(UsageError, match="several named 'a'"):
        rows_of(pandas.DataFrame([[1, 2]], columns=["a", "a"]))
    series = pandas.Series(["a lovely film"], name="review")
    assert lamella.predict(model, series, as_frame=True)["predicted_label"].tolist() == ["good"]


def test_errors_name_the_table_in_memory(model):
    with pytest.raises(lamella.LamellaError, match="table 1 in memory") as caught:
        lamella.evaluate(model, [{"review": "a film", "mood": "good"}, {"review": "b", "other": 1}] * 6)
    assert "/tmp" not in str(caught.value) and not any("/tmp" in line for line in caught.value.details)
    with pytest.raises(UsageError, match="expected a value to answer, received none"):
        lamella.predict(model)
    with pytest.raises(UsageError, match="Several columns are a dict"):
        lamella.evaluate(model, ["a", "b"])


def test_masks_of_floats_are_labels_or_refused():
    pytest.importorskip("PIL.Image")
    from lamella.data.media.masks import read_mask

    labels = np.array([[0, 1], [2, 7]])
    for kind in (np.uint8, np.int64, np.float32):
        mask = read_mask(rows_of([{"mask": labels.astype(kind)}])[0]["mask"])
        assert mask.labels == ["background", "1", "2", "7"] and mask.things is None
    for odd in (0.5, float("nan")):
        with pytest.raises(lamella.DataError, match=r"expected whole numbers, one a label, received (0.5|nan)"):
            rows_of([{"mask": np.array([[0, odd]])}])


def test_pictures_in_memory(tmp_path):
    pictures = pytest.importorskip("PIL.Image")
    rows = [{"image": pictures.new("L", (12, 12), 20 * (n % 2) + n), "label": "ab"[n % 2]} for n in range(40)]
    model = lamella.train("image-classification", rows, out=str(tmp_path / "m"), **QUIET)
    assert lamella.predict(model, rows[0]["image"])["label"] in "ab"
    assert lamella.evaluate(model, rows)["count"] == 40


@pytest.mark.parametrize(
    "wrong",
    [
        5,
        None,
        [],
        {"a": [1], "b": [1, 2]},
        {"a": 1},
        np.zeros((2, 2, 3)),
        np.zeros((2,) * 5),
        [1, 2],
        {"a": "bc"},
        [{"a": object()}],
        object(),
    ],
)
def test_wrong_data_is_refused_in_one_line(tmp_path, wrong):
    with pytest.raises(lamella.LamellaError) as caught:
        lamella.train("text-classification", wrong, out=str(tmp_path / "m"), **QUIET)
    assert "\n" not in str(caught.value) and "expected" in str(caught.value)
    with pytest.raises(lamella.LamellaError):
        rows_of(wrong)


def test_as_many_steps_as_rows_are_no_new_columns(tmp_path):
    days = [datetime.datetime(2020, 1, 1) + datetime.timedelta(days=n) for n in range(60)]
    frame = Frame([{"day": day, "v": float(n % 7)} for n, day in enumerate(days)])
    trained = lamella.train(
        "time-series-forecasting", frame, out=str(tmp_path / "m"), horizon=4, ensemble_size=1, **QUIET
    )
    with pytest.warns(UserWarning, match=r"^steps 5 to 60 are beyond the 4"):
        out = lamella.predict(trained, frame, as_frame=True, horizon=60)
    assert len(out) == 60 and "day" not in out.columns and out.rows[0]["time"].startswith("2020-03-01")


def test_an_index_is_no_new_column(model):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"review": ["a lovely film", "a dull film"]}, index=["x", "y"])
    for given in (frame, frame.rename_axis("key"), frame.set_index(["review"], append=True, drop=False).droplevel(1)):
        out = lamella.predict(model, given, as_frame=True)
        assert list(out.columns)[:2] == ["review", "predicted_label"] and list(out.index) == ["x", "y"]


def test_a_series_of_texts(model):
    pandas = pytest.importorskip("pandas")
    texts = ["a lovely film", "a dull film"]
    assert lamella.predict(model, pandas.Series(texts)) == lamella.predict(model, *texts)
    assert lamella.translate(pandas.Series(["Yes."])) == lamella.translate(("Yes.",)) == lamella.translate(["Yes."])
    with pytest.raises(UsageError, match="a missing value among them"):
        lamella.translate(pandas.Series(["Yes.", None]))
    with pytest.raises(UsageError, match=r"received DataFrame. Give one of its columns"):
        lamella.translate(pandas.DataFrame({"text": texts}))


@pytest.mark.parametrize("several", [list, tuple, np.array])
def test_several_values_at_once(model, several):
    """A list of texts is several examples, as one after the other is; a list of numbers stays one series."""
    texts = ["a lovely film", "a dull film"]
    answers = lamella.predict(model, *texts)
    assert lamella.predict(model, several(texts)) == model.predict(several(texts)) == answers and len(answers) == 2
    assert lamella.predict(model, [{"review": text} for text in texts]) == answers
    assert lamella.predict(model, []) == [] and lamella.predict(model, texts[:1]) == answers[:1]
    forecaster = find("time-series-forecasting")()
    assert several_of(forecaster, [1.0, 2.0]) is None and several_of(forecaster, np.arange(3.0)) is None
    assert several_of(find("image-classification")(), np.zeros((4, 4), np.uint8)) is None


def test_spans_of_time_are_seconds():
    spans = [datetime.timedelta(hours=1), np.timedelta64(90, "s"), np.timedelta64("NaT")]
    assert [row["t"] for row in rows_of([{"t": span} for span in spans])] == [3600.0, 90.0, None]
