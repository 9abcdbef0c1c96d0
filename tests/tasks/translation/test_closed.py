"""Money, centuries, days, titles, tokens: what a small net takes for something else, and how it is put right."""

from __future__ import annotations

import doctest

import pytest

from lamella.tasks.translation import case, masks, numerals, quantities, wording
from lamella.tasks.translation.checks import Checks, Style
from lamella.tasks.translation.guard import translate_texts
from lamella.tasks.translation.masks import mask_of
from lamella.tasks.translation.wording import worded


@pytest.mark.parametrize("module", [case, masks, numerals, quantities, wording], ids=lambda module: module.__name__)
def test_docstrings(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def judged(source: str, answer: str, src: str, dst: str) -> tuple[str, list[str]]:
    verdict = Checks(source, "", [], Style(src, dst)).judge(answer, {})
    return verdict.text, verdict.faults


@pytest.mark.parametrize(
    ("text", "language", "asked"),
    [
        ("You sold it for €500?", "en", "You sold it for 500 euros?"),
        ("Il coûte 1 299,99 € ici.", "fr", "Il coûte 1 299,99 euros ici."),
        ("Es kostet 5 £, nicht 3 Mio. €.", "de", "Es kostet 5 Pfund, nicht 3 Mio. Euro."),
        ("They paid €2 million.", "en", "They paid 2 million euros."),
        ("卖了€500。", "zh", "卖了500欧元。"),
        ("It is $5 or ¥7.", "en", "It is $5 or ¥7."),
        ("Version €5.1.2", "en", "Version €5.1.2"),
        ("See no. 12 and Nr. A7.", "en", "See number 12 and number A7."),
        ("I said no. 12 came.", "de", "I said no. 12 came."),
        ("'Don't', he said, 'it's Tom's'", "en", '"Don\'t", he said, "it\'s Tom\'s"'),
        ("the dogs' and Tom's", "en", "the dogs' and Tom's"),
    ],
)
def test_a_net_is_asked_in_words_that_it_knows(text: str, language: str, asked: str) -> None:
    assert worded(text, language) == asked


@pytest.mark.parametrize(
    ("source", "answer", "src", "dst", "wanted"),
    [
        ("It was €500.", "C'était 500 dollars.", "en", "fr", "C'était 500\u00a0€."),
        ("It was €500.", "C'était 500 euros.", "en", "fr", "C'était 500\u00a0€."),
        ("Cela fait 12,50 €.", "That makes 12,50 currency.", "fr", "en", "That makes €12.50."),
        ("It costs £3 or ¥500.", "Il coûte 3 livres ou 500.", "en", "fr", "Il coûte 3\u00a0£ ou 500\u00a0¥."),
        ("It was €500.", "它是500欧元。", "en", "zh", "它是500欧元。"),
        ("It was €500.", "它是500欧洲。", "en", "zh", "它是€500。"),
        ("Call +49 170 1234567 or 030 901820.", "Rufen Sie +49,170 1234567 oder 030,901820.", "en", "de", "Rufen Sie +49 170 1234567 oder 030 901820."),
        ("Au XVIIIe siècle.", "In the 12th century.", "fr", "en", "In the 18th century."),
        ("in the 12th century", "en el siglo 12", "en", "es", "en el siglo 12"),
        ("en el siglo XVI", "au 18e siècle", "es", "fr", "au XVIe siècle"),
        ("他在十九世纪出生。", "He was born in the 90th century.", "zh", "en", "He was born in the 19th century."),
        ("有250万人。", "There are 250 people.", "zh", "en", "There are 2,500,000 people."),
        ("1990年10月3日9:05开始。", "It began 1990年10月3日9:05.", "zh", "en", "It began October 3, 1990 9:05."),
    ],
)  # fmt: skip
def test_amounts_and_centuries_are_put_right(source: str, answer: str, src: str, dst: str, wanted: str) -> None:
    assert judged(source, answer, src, dst) == (wanted, [])


def test_a_number_that_becomes_millions_is_refused() -> None:
    assert judged("a $20 bill", "un 20 milliard", "en", "fr")[1] == ["digits"]
    assert judged("20 million people", "20 millions de personnes", "en", "fr")[1] == []
    assert judged("2万人", "20 thousand people", "zh", "en")[1] == []


def test_a_token_with_a_digit_too_many_is_the_token() -> None:
    mask = mask_of("Ask %s and %d.", [(4, 6), (11, 13)], "X{}")
    assert mask.lift("Demandez à X11 et X2.") == "Demandez à %s et %d."
    assert mask.lift("Demandez à X12.") == mask.lift("Demandez à X11 et X11 ou X13, X2.") == ""


def test_parts_of_chinese_become_words_of_one_sentence() -> None:
    """Each part is asked by itself; blanks, small letters and the full stop make a sentence of them."""
    parts = {"开始": "The beginning.", "人住在这里。": "People live here.", "或": "or"}

    def nbest(sentences: list[str]) -> list[list[str]]:
        return [[parts.get(sentence, "?")] for sentence in sentences]

    def translate(text: str) -> str:
        return translate_texts([text], nbest, source="zh", target="en")[0].text

    assert translate("开始AB-12345人住在这里。") == "The beginning AB-12345 people live here."
    assert "或" not in translate("开始AB-12345或CD-67890人住在这里。")


@pytest.mark.parametrize(
    ("word", "language", "name"),
    [
        ("紧急出口", "zh", False),
        ("不再显示", "zh", False),
        ("Ausverkauft", "de", False),
        ("Adebayo", "de", True),
        ("Berlin", "en", True),
    ],
)
def test_a_chinese_or_german_label_is_no_name(word: str, language: str, name: bool) -> None:
    assert case.is_name(word, language) == name
