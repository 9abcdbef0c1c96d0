"""Which language a text is in, by a model's word and by what is known besides."""

from __future__ import annotations

import pytest

from lamella.data.text.told import LETTERS, SCRIPTS, weigh

FEW, MANY = ["en", "fr"], ["en", "fr", "de", "es", "zh"]
UNSURE = dict.fromkeys(("it", "pt", "nl", *MANY), 0.1)  # a model that knows nothing


@pytest.mark.parametrize(
    ("text", "code"),
    [("Hello", "en"), ("Merci", "fr"), ("lundi", "fr"), ("Danke", "de"), ("gracias", "es"), ("GRACIAS!", "es"), ("你好", "zh"),
     ("Straße", "de"), ("niño", "es"), ("the dog", "en"), ("le chien", "fr"), ("Oui, merci.", "fr"), ("Où ?", "fr")],
)  # fmt: skip
def test_short_texts_are_decided_by_words_and_letters(text, code):
    assert weigh(text, UNSURE, MANY)[0][0] == code
    assert weigh(text, {"it": 0.9, **dict.fromkeys(MANY, 0.02)}, MANY)[0][0] == code, (
        "whatever language is not in question"
    )


def test_long_texts_are_decided_by_the_model():
    italian = {"it": 0.99, "fr": 0.005, "en": 0.002}
    assert weigh("Dove si trova la stazione più vicina?", italian, FEW)[0][0] == "it"
    assert weigh("Dove", italian, FEW)[0][0] in FEW, "a short one among the languages in question"
    assert weigh("The cat sat on the mat and the dog looked on", {"en": 0.2, "fr": 0.8}, FEW)[0][0] == "fr"


def test_a_script_that_no_language_in_question_has():
    for text, code in (("Привет", "ru"), ("こんにちは", "ja"), ("你好", "zh"), ("שלום", "he")):
        assert weigh(text, {code: 0.4, "en": 0.6}, FEW)[0][0] == code


def test_the_language_that_is_asked_for_is_less_likely():
    alike = {"en": 0.5, "fr": 0.5}
    assert weigh("xyzzy", alike, FEW, "fr")[0][0] == "en" and weigh("xyzzy", alike, FEW, "en")[0][0] == "fr"
    assert weigh("Bonjour", {"en": 0.1, "fr": 0.9}, FEW, "fr")[0][0] == "fr", "but not by much"


def test_shares():
    found = weigh("Hello", {"it": 0.7, "es": 0.26}, MANY)
    assert sum(share for _, share in found) == pytest.approx(1) and {code for code, _ in found} == {"it", *MANY}
    assert [share for _, share in found] == sorted((share for _, share in found), reverse=True)
    assert weigh("12:30 …", {"en": 1.0}, FEW) == weigh("", {}, FEW) == []
    assert weigh("Hello", {}, ["en-GB"])[0][0] == "en-GB", "a region is that of its language"


def test_no_language_has_two_scripts():
    assert not set(LETTERS) & set(SCRIPTS)
