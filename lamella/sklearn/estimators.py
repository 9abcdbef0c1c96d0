"""The four estimators: what each takes and answers."""

from __future__ import annotations

import json
import numbers
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, ClassNamePrefixFeaturesOutMixin, RegressorMixin, TransformerMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from lamella import registry
from lamella.data.readers.frames import as_files, is_frame, is_lazy, rows_of
from lamella.errors import UsageError
from lamella.model.answering import predict_file
from lamella.sklearn.base import Estimator
from lamella.task import Task
from lamella.verbs.evaluate import evaluate

Array = NDArray[Any]


class _OfExamples(Estimator):
    """Estimators whose samples are examples of a task, each with an answer of its own."""

    def _examples(self, x: Any) -> tuple[list[list[Any]], Callable[[type[Task]], bool], str]:
        """X -> for each example the values of its fields in order, which tasks they fit, and what they are in words.

        Texts (N,) or (N, fields), a frame with texts in its columns, pictures (N, H, W[, 3]) of uint8, or a list of pictures.
        """
        x = x.collect() if is_lazy(x) else x
        if hasattr(x, "to_numpy"):
            x = x.to_numpy()
        if not hasattr(x, "__array__") and not isinstance(x, Sequence) or isinstance(x, str | bytes):
            raise UsageError(f"X: expected a list or an array of samples, received {type(x).__name__}.")
        if not len(x):
            raise ValueError("X: expected samples, received n_samples=0.")
        if getattr(x, "ndim", 0) == 2 and x.shape[1] == 1 and hasattr(x[0][0], "mode"):  # a frame of pictures
            x = x[:, 0]
        first = x[0]
        if getattr(x, "ndim", 0) >= 3 or hasattr(first, "mode") or getattr(first, "ndim", 0) in (2, 3):
            return [[_picture(one)] for one in x], _takes_pictures, "pictures"
        rows = [list(one) if isinstance(one, list | tuple | np.ndarray) else [one] for one in x]
        width = len(rows[0])
        for number, row in enumerate(rows):
            if len(row) != width or not all(isinstance(cell, str) for cell in row):
                raise UsageError(
                    f"X: expected texts or pictures, received {_short(x[number])} as sample {number}. "
                    "Numbers are for LamellaTransformer and LamellaForecaster."
                )
        return rows, _takes_texts(width), f"{width} texts a sample"

    def _fit_examples(self, x: Any, targets: Sequence[Any]) -> None:
        """Train on examples of X with a target each."""
        examples, fits, what = self._examples(x)
        if len(examples) != len(targets):
            raise ValueError(f"y: expected a value for each of {len(examples)} samples, received {len(targets)}.")
        name = self._task(fits, what)
        task = registry.find(name)
        fields = list(task.fields)
        if len(fields) != len(examples[0]):
            raise UsageError(f"X: expected {' and '.join(fields)} for each sample, received {what}.")
        rows = [
            dict(zip(fields, example, strict=True)) | {task.target: y}
            for example, y in zip(examples, targets, strict=True)
        ]
        columns = {field: field for field in (*fields, task.target)}
        self.model_ = self._trained(name, self._enough(rows, name), columns)

    def _answered(self, x: Any) -> list[Any]:
        """The model's answer to each sample."""
        check_is_fitted(self)
        examples, _, what = self._examples(x)
        fields = list(self.model_.task.fields)
        if len(fields) != len(examples[0]):
            raise UsageError(f"X: expected {' and '.join(fields)} for each sample, received {what}.")
        answers: list[Any] = self.model_.predict([dict(zip(fields, e, strict=True)) for e in examples])
        return answers

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.string = False, True
        tags.target_tags.required = True
        return tags


class LamellaClassifier(ClassifierMixin, _OfExamples):  # type: ignore[misc]
    __doc__ = f"""Labels of texts or of pictures.

    {Estimator.__doc__}
    After `fit`: `classes_` (the labels as in y, sorted) and `model_`.
    """

    @classmethod
    def _answers(cls, task: type[Task]) -> bool:
        return task.answer.classes

    def fit(self, X: Any, y: Any) -> LamellaClassifier:
        """X: texts (N,) or pictures (N, H, W[, 3]); y: labels (N,) of any type that can be sorted. ValueError for one class."""
        self._examples(X)  # what is no sample is said first
        labels = column_or_1d(y, warn=True)
        if any(one is None or one != one for one in labels.tolist()):
            raise ValueError("y: expected a label for each sample, received None or NaN.")
        check_classification_targets(labels)
        self.classes_, places = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y: expected two labels or more, received {len(self.classes_)} class.")
        self._names = [_name(one) for one in self.classes_]
        if len(set(self._names)) < len(self._names) or not all(self._names):
            raise ValueError("y: expected labels whose texts differ and are not empty.")
        self._fit_examples(X, [self._names[i] for i in places])
        return self

    def predict_proba(self, X: Any) -> Array:
        """The probability of each label (N, classes), in the order of `classes_`."""
        answers = self._answered(X)
        table = np.array([[a["probabilities"].get(name, 0.0) for name in self._names] for a in answers], np.float64)
        shares: Array = table / table.sum(axis=1, keepdims=True)  # answers are rounded
        return shares

    def predict(self, X: Any) -> Array:
        """The likeliest label of each sample (N,), of the type of y."""
        answers = self._answered(X)
        places = {name: i for i, name in enumerate(self._names)}
        return np.asarray(self.classes_[[places[a["label"]] for a in answers]])

    def _opened(self) -> None:
        answer = self.model_.predict([self.model_.task.given(self.model_.task.sample("test")[0])])[0]
        self._names = sorted(answer["probabilities"])
        self.classes_ = np.array(self._names)


class LamellaRegressor(RegressorMixin, _OfExamples):  # type: ignore[misc]
    __doc__ = f"""Numbers for texts, such as how alike two texts are.

    {Estimator.__doc__}
    """

    @classmethod
    def _answers(cls, task: type[Task]) -> bool:
        return task.answer.kind == "number" and task.target not in task.fields

    def fit(self, X: Any, y: Any) -> LamellaRegressor:
        """X: texts (N, fields), as an array, a frame, or a list of tuples; y: finite numbers (N,)."""
        targets = np.asarray(column_or_1d(y, warn=True), np.float64)
        if not np.isfinite(targets).all():
            raise ValueError("y: expected finite numbers, received NaN or infinity.")
        self._fit_examples(X, targets.tolist())
        return self

    def predict(self, X: Any) -> Array:
        """A number for each sample (N,)."""
        key = self.model_.task.target if hasattr(self, "model_") else ""
        return np.array([a[key] if isinstance(a, dict) else a for a in self._answered(X)], np.float64)


class LamellaTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Estimator):  # type: ignore[misc]
    __doc__ = f"""A few numbers for each row of a table: a map that a net has learned.

    {Estimator.__doc__}
    All columns are used, whatever they look like. Missing numbers are NaN or None.
    """

    @classmethod
    def _answers(cls, task: type[Task]) -> bool:
        return task.answer.kind == "vector"

    def fit(self, X: Any, y: Any = None) -> LamellaTransformer:
        """X: numbers (N, columns), or a frame, dicts or a dict of columns with numbers and categories."""
        rows = self._rows(X, reset=True)
        if len(rows) < 2:
            raise ValueError("X: expected two samples or more, received n_samples=1.")
        name = self._task(lambda task: True, "rows")
        more = {"leave_out": "none"} if "leave_out" in registry.find(name).Config.__struct_fields__ else {}
        self.model_ = self._trained(name, self._enough(rows, name), None, **more)
        self._n_features_out = len(self._points(rows[:1])[0])
        return self

    def transform(self, X: Any) -> Array:
        """The point of each sample (N, numbers)."""
        check_is_fitted(self)
        return np.array(self._points(self._rows(X, reset=False)), np.float64)

    def _rows(self, x: Any, reset: bool) -> list[dict[str, Any]]:
        """X as rows of a table; numbers are checked as scikit-learn does, frames keep their categories."""
        x = x.collect() if is_lazy(x) else x
        if (
            type(x) is dict or isinstance(x, list) and x and all(isinstance(row, Mapping) for row in x)
        ):  # a sparse matrix is a dict too
            rows = rows_of(x)
            if reset:
                self.n_features_in_ = len(rows[0])
            return rows
        if is_frame(x):
            validate_data(self, x, reset=reset, dtype=None, ensure_all_finite="allow-nan")
            return rows_of(x)
        return rows_of(validate_data(self, x, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan"))

    def _points(self, rows: Sequence[dict[str, Any]]) -> list[list[float]]:
        """The points of rows; those of an array have no names, so that their order counts."""
        [(name, field)] = self.model_.task.fields.items()
        values: list[Any] = list(rows)
        if rows and "column 1" in rows[0] and len(rows[0]) == len(getattr(field, "columns", ())):
            values = [list(row.values()) for row in rows]
        answers = self.model_.predict([{name: value} for value in values])
        return [next(v for v in a.values() if isinstance(v, list)) if isinstance(a, dict) else a for a in answers]

    def _opened(self) -> None:
        [field] = self.model_.task.fields.values()
        missing = {column["name"]: None for column in getattr(field, "columns", ())}
        if not missing:
            raise UsageError("expected a model that was trained on a table, received one of pictures.")
        self._n_features_out = len(self._points([missing])[0])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class LamellaForecaster(Estimator):
    __doc__ = f"""The values of a series that come next. It is no regressor of scikit-learn's: one X has one forecast.

    {Estimator.__doc__}
    Which columns are times, values, keys and covariates is found as in `lamella.train`, or said by `columns`.
    """

    @classmethod
    def _answers(cls, task: type[Task]) -> bool:
        return task.answer.kind == "series"

    def fit(self, X: Any, y: Any = None, columns: Mapping[str, str] | None = None) -> LamellaForecaster:
        """X: a table in order of time: a frame, lists of dicts, a dict of columns, or values (T,). columns: as in `lamella.train`."""
        self.model_ = self._trained(self._task(lambda task: True, "a series"), X, columns)
        self._table = X
        return self

    def predict_table(self, X: Any = None) -> list[dict[str, Any]]:
        """The forecast of each step ahead with its time, quantiles and keys, as `lamella predict` writes them.

        X: the values so far; None: those of `fit`.
        """
        check_is_fitted(self)
        table = X if X is not None else getattr(self, "_table", None)
        if table is None:
            raise UsageError("X: expected the values so far, received none. A loaded model has no data of its own.")
        with as_files([table]) as paths:
            raw, _, _ = predict_file(self.model_, Path(paths[0]), None, lambda line: None)
        return [json.loads(line) for line in raw.splitlines()]

    def score(self, X: Any, y: Any = None) -> float:
        """Minus the error on windows of X, by the task's own measure (MASE): more is better."""
        check_is_fitted(self)
        result = evaluate(self.model_, X)
        value = float(result["scores"][result["metric"]]["value"])
        return -value if self.model_.task.training.less_is_better else value

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.one_d_array = False, True
        return tags


def _takes_pictures(task: type[Task]) -> bool:
    return [field.media for field in task.fields.values()] == ["image"]


def _takes_texts(width: int) -> Callable[[type[Task]], bool]:
    return lambda task: len(task.fields) == width and all(field.prose for field in task.fields.values())


def _picture(one: Any) -> Any:
    """A picture as tasks take it. Numbers of another type than uint8 have no known white, and are refused."""
    if isinstance(one, str):
        raise UsageError(f"X: expected pictures, received text {one[:40]!r} among them.")
    array = np.asarray(one) if isinstance(one, list | np.ndarray) else None
    if array is not None and (array.dtype != np.uint8 or array.ndim not in (2, 3)):
        raise UsageError(
            f"X: expected pictures of uint8, (H, W) or (H, W, 3), received {array.dtype} {array.shape}. Scale them to 0-255 "
            "and use .astype('uint8')."
        )
    return one if array is None else array


def _name(label: Any) -> str:
    """A label as readers of tables write it: 1.0 is 1, True is true."""
    if isinstance(label, bool | np.bool_):
        return str(bool(label)).lower()
    if isinstance(label, numbers.Real) and float(label).is_integer():
        return str(int(float(label)))
    return str(label).strip()


def _short(value: Any) -> str:
    return f"{type(value).__name__} {str(value)[:40]!r}"
