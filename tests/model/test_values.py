"""Values of every kind from Python: an answer, or one typed line; for every task in the package."""

from __future__ import annotations

import collections
import decimal
import types

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lamella
from lamella.errors import LamellaError, UsageError
from lamella.fields import Image, Number, Series, Text
from lamella.model.values import check_example
from lamella.task import Task


class Sick:
    """An object whose every use fails."""

    def __repr__(self):
        raise RuntimeError("no")

    def __array__(self, *args, **kwargs):
        raise RuntimeError("no")


class Frame:
    """As a column of a data frame."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype)


class Job(Task):
    fields = {"text": Text(), "past": Series(), "n": Number(), "image": Image()}


JOB = Job(object())
GOOD = {"text": "a", "past": [1, 2], "n": 1.5, "image": "a.png"}
WRONG = [None, 3, 2.5, float("nan"), b"abc", bytearray(b"a"), ["a", ["b"]], ("a",), {"a"}, object(), Sick(), np.array([["a"]]),
         (x for x in "ab"), np.float32(1), True, 10**400, 1j, decimal.Decimal("NaN"), type, len, float("inf")]  # fmt: skip


@pytest.mark.parametrize("value", WRONG, ids=lambda v: type(v).__name__)
def test_what_is_no_text(value):
    with pytest.raises(UsageError, match=r"^text: expected a text, received ") as error:
        check_example(JOB, GOOD | {"text": value})
    assert len(str(error.value)) < 200 and "\n" not in str(error.value)


@pytest.mark.parametrize("value", [None, 3, b"1 2", {"a": 1}, [1, None], [1, float("nan")], [[1, 2]], [10**400], ["x"], {1, 2}, Sick(),
                                   (x for x in [1]), np.array(3.0), np.array([np.inf]), [object()], Frame([[1]])], ids=lambda v: type(v).__name__)  # fmt: skip
def test_what_is_no_series(value):
    with pytest.raises(UsageError, match=r"^past: expected finite numbers"):
        check_example(JOB, GOOD | {"past": value})


@pytest.mark.parametrize("value", [None, "x", b"1", True, [1], float("nan"), np.inf, 10**400, Sick()], ids=lambda v: type(v).__name__)  # fmt: skip
def test_what_is_no_number(value):
    with pytest.raises(UsageError, match=r"^n: expected a finite number"):
        check_example(JOB, GOOD | {"n": value})


@pytest.mark.parametrize(
    "value", [None, 2.5, True, object(), Sick(), {1: 2}, {1}, (x for x in "a")], ids=lambda v: type(v).__name__
)
def test_what_is_no_picture(value):
    with pytest.raises(UsageError, match=r"^image: expected "):
        check_example(JOB, GOOD | {"image": value})


def test_what_other_libraries_hold_becomes_plain():
    given = {"text": np.str_("a"), "past": Frame([1.0, 2.0]), "n": np.float32(1.5), "image": Frame([[1, 2]]), "more": 7}
    found = check_example(JOB, types.MappingProxyType(given))
    assert type(found["text"]) is str and found["past"] == [1.0, 2.0] and found["n"] == 1.5 and found["more"] == 7
    assert isinstance(found["image"], np.ndarray)
    assert check_example(JOB, GOOD) is GOOD
    assert check_example(JOB, GOOD | {"past": (1, 2)})["past"] == [1.0, 2.0]
    assert check_example(JOB, GOOD | {"past": range(3)})["past"] == [0.0, 1.0, 2.0]


def test_missing_and_wrong_keys():
    for example in ({}, {"txet": "a"}, {1: 2}, {"text": "a", "past": [1]}, collections.OrderedDict()):
        with pytest.raises(UsageError, match=r"expected an example with text, past, n, image, received one with "):
            check_example(JOB, example)


# --- every task


@pytest.mark.parametrize("task", lamella.tasks())
def test_no_value_brings_a_task_down(trained, task):
    """An answer or a typed error, alone and in a list, for predict and explain."""
    model = lamella.load(trained(task))
    field = next(iter(model.task.fields))
    odd = [*WRONG, "", " ", "\ud800", "\0", "{name} %s <b>", "🎉" * 50, "شكرا", [], {}, {field: None}, {field: []}, {field: {1: 2}},
           {field: {}}, [[1, 2], [3]], [None], np.zeros((2, 2)), np.zeros(0), np.array(["a"]), Frame([1]), {"x": 1}]  # fmt: skip
    for value in odd:
        for ask in (model.predict, lambda v: model.predict([v]), lambda v: lamella.predict(model, v)):
            try:
                ask(value)
            except LamellaError as error:
                assert "\n" not in str(error) and len(str(error)) < 1000
    for value in (3, b"abc", {}, {field: None}, [], Sick(), "\ud800 \0"):
        try:
            lamella.explain(model, value)
        except LamellaError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize("place", [None, 3, b"abc", [], {}, object(), float("nan"), "", "\0", "x" * 5000, "/dev/zero"], ids=lambda p: repr(p)[:12])  # fmt: skip
def test_what_is_no_model(place):
    for verb in (lamella.load, lamella.show, lambda p: lamella.predict(p, "a"), lambda p: lamella.explain(p, "a"),
                 lambda p: lamella.evaluate(p, "sample")):  # fmt: skip
        with pytest.raises(LamellaError) as error:
            verb(place)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", WRONG, ids=lambda v: type(v).__name__)
def test_what_cannot_be_translated(text):
    with pytest.raises(UsageError):
        lamella.translate(text if not isinstance(text, (list, tuple)) else [3])
    with pytest.raises(UsageError):
        lamella.translate([text])
    with pytest.raises(UsageError):
        lamella.detect(text)


def test_wrong_languages():
    for pair in (
        (None, "fr"),
        ("en", 3),
        (["en"], "fr"),
        ("en", "en"),
        ("../models/en", "fr"),
        ("", ""),
        ("\ud800", "fr"),
        ("en", b"fr"),
    ):
        with pytest.raises(UsageError):
            lamella.translate("Hello", *pair)


@pytest.mark.parametrize("options", [{"beams": None}, {"beams": "x"}, {"beams": float("nan")}, {"beams": 2j}, {"beams": 10**30},
                                     {"beams": [1]}, {"what": 1}, {"beams": "\n"}, {"memory": 3}], ids=repr)  # fmt: skip
def test_wrong_options(options):
    from lamella.model.shipped import translator

    with pytest.raises(UsageError) as error:
        lamella.predict(translator("en", "fr"), "Hello", **options)
    assert "\n" not in str(error.value)


MARKS = ["{name}", "%s", "%(count)d", "<b>bold</b>", "&amp;", "{{ user }}", "$HOME", "https://example.org/a?b=c"]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from([*MARKS, "Hello", "the file", "🎉", "שלום", "مرحبا", "\u200f", "\ud83d", "\x07", "\0", "\n", "Guten Tag"]), max_size=6))  # fmt: skip
def test_placeholders_and_markup_stay(words):
    """Whatever stands between them, in whatever language."""
    text = " ".join(words)
    answer = lamella.translate(text, "en", "fr")
    for mark in MARKS:
        for part in ("<b>", "</b>") if mark.startswith("<") else (mark,):
            assert answer.count(part) == text.count(part), (text, answer)
    assert answer.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    ("name", "value", "one"),
    [
        ("time-series-forecasting", [1.0, 2, 3], True),
        ("time-series-forecasting", [[1.0, 2], [3.0, 4]], False),
        ("time-series-forecasting", [], False),
        ("time-series-forecasting", [{"past": [1, 2]}], False),
        ("text-classification", [1, 2], False),
        ("image-classification", [1, 2], False),
        ("tests/tasks/weather.py", [1.0, 2.0], True),
    ],
)
def test_a_list_of_numbers_is_one_series(name, value, one):
    from lamella import registry
    from lamella.model.values import is_value

    assert is_value(registry.find(name)(), value) is one


@pytest.mark.parametrize("value", [3, 2.5, [3]])
def test_a_number_alone_is_no_answer_to_another_question(trained, value):
    """A list of one number may be one value; a number alone is none, and neither is its answer taken apart."""
    model = lamella.load(trained("recommendation"))
    try:
        assert isinstance(model.predict(value), dict)
    except LamellaError as error:
        assert "\n" not in str(error)
