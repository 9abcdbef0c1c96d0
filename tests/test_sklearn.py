"""The estimators of scikit-learn: its own checks, and trainings of a second."""

from __future__ import annotations

import copy
import types

import numpy as np
import pytest

import lamella
from lamella import registry
from lamella.errors import UsageError

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

from lamella.sklearn import LamellaClassifier, LamellaForecaster, LamellaRegressor, LamellaTransformer
from tests.verbs.test_used_columns import ROWS

KINDS = (LamellaClassifier, LamellaForecaster, LamellaRegressor, LamellaTransformer)
SHORT = {"steps": 2, "size": "tiny", "options": {"threads": 1}}
TEXTS = [text for text, _, _ in ROWS]
LABELS = [label for _, label, _ in ROWS]

# The checks are for estimators that take numbers (N, columns). Those that take texts, pictures or one series say in their tags
# that they do not; of these the tests below look at parameters and errors.
# The checks of scikit-learn that these estimators fail, and why.
EXPECTED = {
    "check_estimators_pickle": "a trained estimator is saved as a model folder; pickling it is refused",
}


class Projection:
    """A model that was trained in no time: principal components, so that scikit-learn's 50 checks look at the face alone."""

    def __init__(self, rows):
        values = self.array(rows)
        self.middle = values.mean(axis=0)
        _, _, axes = np.linalg.svd(values - self.middle, full_matrices=False)
        self.axes = np.zeros((2, values.shape[1]))
        self.axes[: len(axes[:2])] = axes[:2]
        self.task = types.SimpleNamespace(fields={"example": types.SimpleNamespace(columns=())})

    def array(self, rows):
        return np.array([[np.nan if v is None else v for v in row.values()] for row in rows], np.float64)

    def predict(self, examples):
        away = np.nan_to_num(self.array([e["example"] for e in examples]) - self.middle)
        return [{"point": (self.axes * row).sum(axis=1).tolist()} for row in away]


class Quick(LamellaTransformer):
    def _trained(self, task, table, columns=None, **more):
        self._seed()
        return Projection(table)


@parametrize_with_checks([Quick()], expected_failed_checks=lambda estimator: EXPECTED)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("kind", KINDS)
def test_parameters(kind):
    estimator = clone(kind(minutes=2, options={"threads": 1}).set_params(steps=3, random_state=4))
    assert estimator.get_params() == {
        "minutes": 2,
        "options": {"threads": 1},
        "random_state": 4,
        "size": None,
        "steps": 3,
        "task": None,
        "verbose": False,
    }
    assert estimator._seed() == 4 and kind()._seed() == 0
    assert kind(random_state=np.random.RandomState(1))._seed() == kind(random_state=np.random.RandomState(1))._seed()
    for ask in (lambda: estimator.save("nowhere"), lambda: getattr(estimator, "predict", estimator_transform)(TEXTS)):
        with pytest.raises(NotFittedError):
            ask()


def estimator_transform(x):
    return LamellaTransformer().transform(np.ones((2, 2)))


def test_a_classifier_of_texts(tmp_path):
    labels = np.array(LABELS) == "good"
    classifier = LamellaClassifier(**SHORT).fit(np.array(TEXTS), labels)
    assert classifier.classes_.tolist() == [False, True]
    assert classifier.predict(["a lovely film", "a dull film"]).tolist() == [True, False]
    chances = classifier.predict_proba(["a lovely film", "a dull film"])
    assert chances.shape == (2, 2) and chances.sum(axis=1) == pytest.approx(1) and chances[0, 1] > chances[0, 0]
    assert classifier.score(TEXTS, labels) > 0.9
    for copied in (copy.copy(classifier), copy.deepcopy(classifier)):
        assert copied.predict(["a dull film"]).tolist() == [False]
    with pytest.raises(UsageError, match="not pickled"):
        classifier.__getstate__()
    classifier.save(tmp_path / "m")
    assert lamella.predict(str(tmp_path / "m"), "a dull film")["label"] == "false"
    again = LamellaClassifier.load(tmp_path / "m")
    assert again.classes_.tolist() == ["false", "true"] and again.predict(["a dull film"]).tolist() == ["false"]
    with pytest.raises(UsageError):
        classifier.save(tmp_path / "m")
    with pytest.raises(UsageError, match="for LamellaRegressor, received one of"):
        LamellaRegressor.load(tmp_path / "m")


def test_a_map_of_rows_with_what_is_missing(tmp_path):
    rng = np.random.default_rng(0)
    table = rng.normal(size=(30, 3))
    table[3, 1] = np.nan
    transformer = LamellaTransformer(**SHORT)
    points = transformer.fit_transform(table)
    assert points.shape == (30, 2) and np.isfinite(points).all()
    assert transformer.get_feature_names_out().tolist() == ["lamellatransformer0", "lamellatransformer1"]
    assert transformer.n_features_in_ == 3
    transformer.save(tmp_path / "m")
    again = LamellaTransformer.load(tmp_path / "m")
    assert again.transform(table).tolist() == points.tolist() and len(again.get_feature_names_out()) == 2


def test_a_forecast():
    values = [float(n % 7 + n / 10) for n in range(90)]
    forecaster = LamellaForecaster(**{**SHORT, "options": {"threads": 1, "horizon": 3, "ensemble_size": 1}})
    forecaster.fit({"v": values})
    rows = forecaster.predict_table()
    assert [row["time"] for row in rows] == ["90", "91", "92"]
    assert forecaster.predict_table({"v": values}) == rows


class Trained:
    """What a classifier asks of a model, without a training: every text is of the class whose name is in it."""

    task = types.SimpleNamespace(fields={"text": None})

    def predict(self, examples):
        return [{"label": e["text"].split()[-1], "probabilities": {"1": 0.4, "2": 0.6}} for e in examples]


def test_a_search_in_processes_of_parameters_alone(monkeypatch):
    monkeypatch.setattr(LamellaClassifier, "_trained", lambda self, *given, **more: Trained())
    texts = [f"text {n} {n % 2 + 1}" for n in range(24)]
    labels = [float(n % 2 + 1) for n in range(24)]
    search = GridSearchCV(LamellaClassifier(), {"size": ["tiny", "small"]}, cv=2).fit(texts, labels)
    assert search.best_score_ == 1.0 and search.best_estimator_.classes_.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: LamellaClassifier().fit(np.ones((20, 3)), [1, 2] * 10), UsageError, "expected texts or pictures"),
        (lambda: LamellaClassifier().fit("text", ["a"]), UsageError, "expected a list or an array"),
        (lambda: LamellaClassifier().fit(["a", None], ["x", "y"]), UsageError, "NoneType 'None' as sample 1"),
        (lambda: LamellaClassifier().fit(["a", "b"], ["x", "x"]), ValueError, "received 1 class"),
        (lambda: LamellaClassifier().fit(["a", "b", "c"], ["x", "y"]), ValueError, "3 samples, received 2"),
        (lambda: LamellaClassifier().fit(["a", "b"], [0.5, 1.7]), ValueError, "continuous"),
        (lambda: LamellaClassifier().fit([], []), ValueError, "n_samples=0"),
        (lambda: LamellaClassifier("no-task").fit(["a", "b"], [0, 1]), UsageError, "no-task"),
        (lambda: LamellaClassifier().fit(np.ones((2, 8, 8)), [0, 1]), UsageError, "expected pictures of uint8"),
        (lambda: LamellaRegressor().fit(["a", "b"], [0.0, np.nan]), ValueError, "finite"),
        (lambda: LamellaRegressor().fit(["a", "b"], [0.0, 1.0]), UsageError, "received 1 texts a sample"),
        (lambda: LamellaTransformer().fit(np.array([["a"]])), ValueError, "convert"),
        (lambda: LamellaTransformer(options={"steps": 3}).fit(np.ones((20, 2))), UsageError, "steps is set by"),
        (lambda: LamellaForecaster().fit(5), UsageError, "received int"),
    ],
)
def test_what_is_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_each_class_finds_its_task():
    texts = LamellaClassifier()._task(lambda task: [f.prose for f in task.fields.values()] == [True], "texts")
    assert texts in registry.names()
    assert {kind()._answers(registry.find(texts)) for kind in KINDS[1:]} == {False}


def test_samples_of_every_form():
    """What a data frame's column, a series and arrays hold; what is none is refused before anything is trained."""
    images = pytest.importorskip("PIL.Image")
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    samples = LamellaClassifier()._examples
    texts = ["a", "b"]
    for x in (
        texts, tuple(texts), np.array(texts), pandas.Series(texts, index=[7, 9], dtype="category"),
        pandas.DataFrame({"t": texts}), polars.Series(texts), polars.DataFrame({"t": texts}), polars.LazyFrame({"t": texts}),
    ):  # fmt: skip
        assert samples(x)[0] == [["a"], ["b"]]
    picture = images.new("RGB", (8, 8))
    assert samples(pandas.DataFrame({"image": [picture] * 3}))[2] == samples([picture])[2] == "pictures"
    with pytest.raises(UsageError, match="received text 'a' among them"):
        samples([picture, "a"])
    for missing in (None, float("nan")):
        with pytest.raises(ValueError, match="received None or NaN"):
            LamellaClassifier().fit(["a", "b", "c"], np.array(["x", "y", missing], object))


def test_rows_of_every_form():
    transformer, rows = LamellaTransformer(), [{"a": 1.0, "b": "x"}, {"a": 2.0, "b": "y"}]
    assert transformer._rows(rows, reset=True) == rows and transformer.n_features_in_ == 2
    assert transformer._rows({"a": [1.0, 2.0], "b": ["x", "y"]}, reset=False) == rows
    polars = pytest.importorskip("polars")
    assert transformer._rows(polars.LazyFrame(rows), reset=True) == rows
