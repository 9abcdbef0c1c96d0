"""Lists of single words, from a few pairs."""

from __future__ import annotations

import doctest
from collections import Counter

from recipes.translation import lexicon
from recipes.translation.common import Pair

PAIRS = [
    Pair("words-clean", "cldr-dates-full", "Monday", "Montag"),
    Pair("words", "cldr-annotations-full", "dog", "Hund"),
    Pair("words", "dict", "to eat", "essen"),
    Pair("words", "dict", "arm", "Arm"),
    Pair("words", "dict", "poor", "arm"),
    Pair("words", "dict", "dog", "Köter"),
    Pair("tatoeba", "everyday", "Good morning!", "Guten Morgen!"),
    *[Pair("tatoeba", "everyday", "The dog will eat on Monday.", "Der Hund wird am Montag essen.")] * 3,
    *[Pair("tatoeba", "everyday", "The poor dog has an arm.", "Der arme Hund ist arm und hat einen Arm.")] * 3,
]


def lists() -> tuple[dict[str, str], dict[str, str]]:
    sentences = lexicon.Sentences([p for p in PAIRS if p.kind == "tatoeba"], "de")
    votes, letters = lexicon.candidates(PAIRS, None, "de", sentences)
    certain = lexicon.named(PAIRS, "de")
    english = Counter({"dog": 5, "eat": 5, "arm": 3, "poor": 3, "monday": 3})
    into = lexicon.best(votes, letters, sentences, english, certain, into=True)
    return into, lexicon.best(votes, letters, sentences, english, certain, into=False)


def test_the_commonest_translation_comes_first() -> None:
    into, back = lists()
    assert into["dog"] == "Hund" and into["Monday"] == "Montag" and into["to eat"] == into["eat"] == "essen"
    assert back["Arm"] == "arm" and back["arm"] == "poor" and back["essen"] == "eat" and back["Montag"] == "Monday"


def test_the_examples_in_the_docstrings() -> None:
    assert doctest.testmod(lexicon).failed == 0
