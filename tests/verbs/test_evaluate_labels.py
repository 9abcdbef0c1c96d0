"""Labels of the examples that a model is measured on, as it knows them."""

from __future__ import annotations

from typing import Any

import pytest

from lamella import registry
from lamella.model.reading import as_known_labels


@pytest.fixture
def job() -> Any:
    cls = registry.find("text-classification")
    return cls(cls.Config())


def told(job, known, wanted):
    answers = [{"label": known[0], "probabilities": dict.fromkeys(known, 1 / len(known))}] * len(wanted)
    examples, lines = as_known_labels(job, answers, [{"text": "a", "label": label} for label in wanted])
    return [e["label"] for e in examples], lines


@pytest.mark.parametrize(
    ("known", "wanted", "read"),
    [
        (["neg", "pos"], ["POS", "neg"], ["pos", "neg"]),
        (["1", "2"], ["1.0", "2"], ["1", "2"]),
        (["false", "true"], ["TRUE", "no"], ["true", "false"]),
        (["01067", "10115"], ["1067", "10115"], ["01067", "10115"]),
    ],
)
def test_labels_that_are_written_otherwise_are_those_of_training(job, known, wanted, read):
    labels, lines = told(job, known, wanted)
    assert labels == read and all(line.startswith("note: label") for line in lines) and lines


def test_labels_that_no_answer_can_be_are_said(job):
    labels, lines = told(job, ["neg", "pos"], ["neutral", "pos", "neutral"])
    assert labels == ["neutral", "pos", "neutral"]
    assert lines == [
        'warning: 2 of 3 examples have a label that the model does not know, and count as wrong: "neutral"; it knows "neg", "pos"'
    ]


def test_labels_of_training_are_left_alone(job):
    assert told(job, ["Neg", "neg"], ["neg", "Neg"]) == (["neg", "Neg"], [])
