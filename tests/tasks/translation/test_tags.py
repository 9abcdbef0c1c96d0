"""Tags around words of a sentence: put around the words of the answer to the plain one, where it is clear which."""

from __future__ import annotations

import doctest

import pytest

from lamella.tasks.translation import case, tags
from lamella.tasks.translation.capitals import emphasis
from lamella.tasks.translation.dictionary import Dictionary
from lamella.tasks.translation.guard import Lists, translate_texts
from lamella.tasks.translation.tags import placed, tagged

WORDS = Dictionary(
    "red\trouge\ncar\tvoiture\nblue\tbleu\nfast\trapide\nprice\tprix|tarif\nnew\tnouveau|neuf\nvery\ttrès"
)
CHINESE = Dictionary("red\t红色\ncar\t汽车\nlove\t爱")


def test_the_examples_in_the_docstrings() -> None:
    assert doctest.testmod(tags).failed == 0


@pytest.mark.parametrize(
    ("source", "format", "plain"),
    [
        ("A <b>red</b> car.", "", "A red car."), ("A <1>red </1><2>car</2>.", "", "A red car."), ("A **red** [car](a.html).", "markdown", "A red car."),
        ("A <b>red <i>car</i></b>.", "", None), ("A <br> car.", "", None), ("A <b>red car.", "", None), ("A red</b> car.", "", None),
        ("<b>Red car</b>", "", None), ("Two * three * four", "", None), ("A <b></b> car.", "", None), ("A <2/> <b>car</b>.", "", "A <2/> car."),
    ],
)  # fmt: skip
def test_the_plain_sentence(source: str, format: str, plain: str | None) -> None:
    found = tagged(source, format)
    assert (found and found.plain) == plain


@pytest.mark.parametrize(
    ("source", "answer", "wanted"),
    [
        ("The <b>red car</b> is fast.", "La voiture rouge est rapide.", "La <b>voiture rouge</b> est rapide."),
        ("The <b>red</b> and the <i>blue</i> car.", "La voiture bleue et la rouge.", "La voiture <i>bleue</i> et la <b>rouge</b>."),
        ("The <b>red</b> red car.", "La voiture rouge.", None),  # two of them
        ("The <b>green</b> car.", "La voiture verte.", None),  # no list has it
        ("A price of <b>$5</b>.", "Un prix de 5 $.", "Un prix de <b>5 $</b>."),
        ("Ask <b>Johnson</b> first.", "Demandez d'abord à Johnson.", "Demandez d'abord à <b>Johnson</b>."),
        ("<p>The <b>car</b> is new.</p>", "La voiture est neuve.", "<p>La <b>voiture</b> est neuve.</p>"),
        ("See the <a>very new</a> prices.", "Voir les très grands et nouveaux prix.", "Voir les <a>très grands et nouveaux</a> prix."),
    ],
)  # fmt: skip
def test_tags_are_put_around_the_words_they_belong_to(source: str, answer: str, wanted: str | None) -> None:
    parts = tagged(source, "")
    assert parts and placed(parts, answer, {}, WORDS, "en", "fr") == wanted


@pytest.mark.parametrize(
    ("text", "loud"),
    [
        ("The USB cable is BROKEN.", ["BROKEN"]), ("Do NOT feed the dogs.", ["NOT"]), ("DO NOT FEED THEM", []), ("The PDF and the HTML are here.", []),
        ("Ask NASA or the WHO for it.", []), ("Add to CART", []),
    ],
)  # fmt: skip
def test_capitals_for_emphasis(text: str, loud: list[str]) -> None:
    assert [match[0] for match in emphasis(text, "en")] == loud


def test_a_word_in_capitals_for_emphasis_is_asked_in_small_letters() -> None:
    assert case.ask("The cable is BROKEN.", language="en").text == "The cable is broken."
    assert case.ask("NEVER open the door.", language="en").text == "Never open the door."
    lists = Lists(None, Dictionary("broken\tcassé"))
    found = translate_texts(
        ["The cable is BROKEN."],
        lambda some: [["Le câble est cassé."] for _ in some],
        source="en",
        target="fr",
        lists=lists,
    )
    assert found[0].text == "Le câble est CASSÉ."


def test_tags_in_chinese() -> None:
    parts = tagged("The <b>red car</b> is fast.", "")
    assert parts and placed(parts, "红色汽车很快。", {}, CHINESE, "en", "zh") == "<b>红色汽车</b>很快。"
    assert placed(parts, "很快。", {}, CHINESE, "en", "zh") is None
    assert placed(parts, "那辆红车很快。", {"red car": ["红车。"]}, None, "en", "zh") == "那辆<b>红车</b>很快。"


def test_the_plain_answer_goes_before_that_with_tags() -> None:
    table = {
        "A <b>cold</b> night.": "Eine <b>gekolone</b> Nacht.", "A cold night.": "Eine kalte Nacht.", "cold": "kalt",
        "A <b>green</b> night.": "Eine <b>grüne</b> Nacht.", "A green night.": "Eine Nacht.", "green": "Grün?",
    }  # fmt: skip
    texts = ["A <b>cold</b> night.", "A <b>green</b> night."]
    found = translate_texts(texts, lambda some: [[table.get(one, one)] for one in some], source="en", target="de")
    assert [one.text for one in found] == ["Eine <b>kalte</b> Nacht.", "Eine <b>grüne</b> Nacht."]
