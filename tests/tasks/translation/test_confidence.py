"""What became of a translation, and how sure it is."""

from __future__ import annotations

import doctest

import pytest

from lamella.model import shipped
from lamella.tasks.translation import Translation, confidence
from lamella.tasks.translation.confidence import PLAIN, Candidate, Curve, Evidence, curve_of
from lamella.tasks.translation.guard import translate_texts
from lamella.tasks.translation.outcomes import Outcome, kept_below


def outcome(text: str, answer: str, mean: float) -> Outcome:
    return translate_texts([text], lambda some: [[Candidate(answer, mean)] for _ in some], source="en", target="fr")[0]


def test_the_examples_in_the_docstrings() -> None:
    assert doctest.testmod(confidence).failed == 0


def test_the_probability_of_the_net_becomes_a_confidence() -> None:
    sure, unsure = outcome("The cat.", "Le chat.", -0.1), outcome("The cat.", "Le chat.", -1.0)
    assert sure.confidence is not None and unsure.confidence is not None
    assert 0 < unsure.confidence < 0.3 < 0.8 < sure.confidence < 1
    assert type(sure.text) is str


def test_what_is_doubtful_or_repaired_is_less_sure() -> None:
    plain = outcome("I like it.", "Je l'aime.", -0.1).confidence
    doubted = outcome("I do not like it.", "Je l'aime.", -0.1)
    repaired = outcome("Open %s now.", "Ouvrez maintenant.", -0.1)
    assert plain is not None and doubted.confidence is not None and doubted.confidence < plain
    assert doubted.details()["doubts"] == ["negation"]
    assert repaired.confidence is not None and repaired.confidence < plain


def test_a_text_without_words_and_a_net_that_says_nothing_have_no_confidence() -> None:
    assert outcome("42", "42", -0.1).confidence is None
    assert translate_texts(["Yes"], lambda some: [["Oui"] for _ in some])[0].confidence is None


def test_what_is_not_sure_enough_is_left() -> None:
    left = outcome("The cat.", "Le chat.", -1.0).left("The cat.")
    assert left.text == "The cat." and left.status == "kept" and left.answer is None and left.confidence


def test_a_curve_changes_what_is_said_and_no_translation() -> None:
    plain = outcome("The cat.", "Le chat.", -0.5)
    other = plain.by(Curve(offset=0.0, slope=1.0))
    assert other.confidence != plain.confidence and (other.text, other.score) == (plain.text, plain.score)
    assert Outcome("Chat", "dictionary", confidence=0.7).by(Curve(0.0)).confidence == 0.7, "the net said nothing of it"


def test_of_a_long_text_the_same_mean_says_more() -> None:
    short, long = (PLAIN.confidence(Evidence(-0.6, length)) for length in (20, 200))
    assert 0 < short < long < 1


def test_an_icu_message_is_as_sure_as_its_weakest_part() -> None:
    text = "{n, plural, one {one cat} other {many dogs}}"
    means = {"one cat": ("un chat", -0.1), "many dogs": ("des chiens", -1.0)}

    def answers(asked: list[str]) -> list[list[str]]:
        return [[Candidate(*means.get(one, (one, -0.1)))] for one in asked]

    found = translate_texts([text], answers, source="en", target="fr")[0]
    assert found.evidence and found.evidence.mean == -1.0 and found.by(PLAIN).confidence == found.confidence


def test_what_is_below_a_confidence_is_left_whoever_said_it() -> None:
    looked_up = Outcome("Sortie", "dictionary", confidence=0.7)
    sure, copied = Outcome("Le chat.", "translated", confidence=0.9), Outcome("42", "copied")
    kept = kept_below(0.8, [looked_up, sure, copied], ["Exit", "The cat.", "42"])
    assert [(one.text, one.status) for one in kept] == [("Exit", "kept"), ("Le chat.", "translated"), ("42", "copied")]


@pytest.mark.parametrize("pair", shipped.pairs())
def test_each_direction_that_ships_has_a_curve_that_rises(pair: str) -> None:
    src, dst = pair.split("-")
    task = shipped.translator(src, dst).task
    assert isinstance(task, Translation) and pair in task.curves_
    curve = curve_of(task.curves_, src, dst)
    said = [curve.confidence(Evidence(mean, 40)) for mean in (-1.5, -0.8, -0.4, -0.1)]
    assert said == sorted(said) and said[0] < 0.2 and said[-1] > 0.7
