"""What became of a translation, and how sure it is."""

from __future__ import annotations

import doctest

from lamella.tasks.translation import confidence
from lamella.tasks.translation.confidence import Candidate
from lamella.tasks.translation.guard import translate_texts
from lamella.tasks.translation.outcomes import Outcome


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
