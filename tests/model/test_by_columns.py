"""Rows that name the columns of training, in Python and, by the same function, over HTTP."""

from __future__ import annotations

import copy

import pytest

from lamella.model.values import by_columns
from lamella.registry import find
from lamella.task import State

CLASSIFIER = find("text-classification")()
CLASSIFIER.state = State(
    columns={
        "text": {"name": "Review Text", "number": 2, "of": 4},
        "label": {"name": "Stars (1-5)", "number": 3, "of": 4},
    }
)


@pytest.mark.parametrize(
    "row",
    [
        {"text": "Fine."},
        {"Review Text": "Fine."},
        {"review_text": "Fine.", "Id": 7},
        {"Id": 7, "REVIEW TEXT ": "Fine.", "Stars (1-5)": 5},
    ],
)
def test_a_row_as_training_had_it(row):
    assert by_columns(CLASSIFIER, row)["text"] == "Fine."


def test_other_rows_are_left_as_they_are():
    for row in ({}, {"texts": "Fine."}, {"text": "Fine.", "Review Text": "Bad."}, {"Stars (1-5)": 5}):
        assert by_columns(CLASSIFIER, row) == row


def test_several_columns_are_joined_as_in_a_table():
    task = copy.copy(CLASSIFIER)
    task.state = State(columns={"text": {"name": "Title+Body", "number": "1+2", "of": 3}})
    assert by_columns(task, {"title": " New ", "body": "It works."}) == {"text": "New It works."}
    assert by_columns(task, {"title": "New", "body": None}) == {"text": "New"}
    accents = copy.copy(CLASSIFIER)
    accents.state = State(columns={"text": {"name": "Beschw\u00e4rde", "number": 1, "of": 1}})
    assert by_columns(accents, {"Beschwa\u0308rde": "Ja."}) == {"text": "Ja."}, "accents in two characters"
