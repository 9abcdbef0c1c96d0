"""How the parts that a model keeps beside its graphs are tried: what a training counted, packed by its own functions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

PIECES = (40, 50)  # of a source and of a target
WORDS = ["the", "cat", "drinks", "milk", "and", "the", "dog", "eats", "a", "red", "apple"]


# ---- translation -----------------------------------------------------------------------------------------------------


def read_word_lists(path: Path) -> None:
    from lamella.tasks.translation.words import Words

    words = Words(path.read_bytes())
    words.lists()
    for text in ("dog", "Monday", "Yes/No", "DOG!"):
        words.find(text, "en", "de")


def word_lists() -> list[bytes]:
    from lamella.tasks.translation.words import pack

    return [pack({"en-de": {"dog": "Hund", "Monday": "Montag"}, "de-en": {"Hund": "dog"}}), pack({}), b""]


def read_dictionary(path: Path) -> None:
    from lamella.tasks.translation.dictionary import Dictionaries

    found = Dictionaries(path.read_bytes()).of("en", "de")
    if found:
        len(found)
        for word in ("soap", "emergency exit", "a\tb"):
            found.look(word)
            found.gives(word)


def dictionaries() -> list[bytes]:
    from lamella.tasks.translation.dictionary import pack

    return [pack({"en-de": {"soap": "Seife|Soap", "emergency exit": "Notausgang"}}), pack({"en-de": {}}), b""]


def read_shortlist(path: Path) -> None:
    """Whose ValueError `load` turns to a typed one."""
    from lamella.errors import ModelError
    from lamella.tasks.translation.shortlist import Shortlist

    try:
        found = Shortlist(path.read_bytes(), PIECES, shared=True)
    except ValueError as error:
        raise ModelError(str(error)) from error
    ids, allowed = found.candidates(np.array([[5, 6, 3], [7, 0, 0]]))
    assert allowed.shape == (2, len(ids)) and ids.max() < PIECES[1]


def shortlists() -> list[bytes]:
    from lamella.tasks.translation.shortlist import Lists, pack

    starts = np.minimum(np.arange(PIECES[0] + 1), 20)
    lists = [Lists(mark, 0, np.array([4, 5]), starts, np.arange(20) + 10) for mark in (0, 7)]
    return [pack(lists, PIECES), pack(lists[:1], PIECES), b""]


# ---- other texts -----------------------------------------------------------------------------------------------------


def read_features(path: Path) -> None:
    from lamella.tasks.text_classification.features import FeatureSet

    found = FeatureSet.load(path.read_bytes())
    assert len(found.parts) == len(found) + 1
    assert found.encode("the cat").max() <= len(found)


def features() -> list[bytes]:
    from lamella.tasks.text_classification.features import FeatureSet

    return [FeatureSet.learn([" ".join(WORDS), "the cat", "a dog"], 200).dump(), b""]


def read_word_counts(path: Path) -> None:
    from lamella.tasks.fill_mask.counts import BETWEEN, LEFT, RIGHT, Counts

    found = Counts.load(path.read_bytes(), 100)
    for places in (LEFT, RIGHT, BETWEEN):
        likely, _ = found.side(places, ["", "the", "cat"], ["drinks", "milk", ""])
        assert len(likely) == len(found.words)
    assert found.ids is not None and 0 <= found.new <= 1


def word_counts() -> list[bytes]:
    from lamella.tasks.fill_mask.counts import Counts

    def spell(words: object) -> list[tuple[list[int], list[int]]]:
        return [([5, 6], [7]) for _ in words]  # type: ignore[attr-defined]

    return [Counts.learn([" ".join(WORDS)] * 3, spell, 100_000).dump(), b"{}\n", b""]


def read_language(path: Path) -> None:
    from lamella.tasks.speech_recognition.language import Fused, from_bytes

    letters = [" ", *"abcdefghijklmnopqrstuvwxyz"]
    scorer = Fused(from_bytes(path.read_bytes(), len(letters)), letters, 0.5, 1.0)
    state = scorer.start()
    for letter in "cat drinks":
        state = scorer.after(state, letters.index(letter) + 1)
    assert np.isfinite(scorer.finish(state))


def languages() -> list[bytes]:
    from lamella.tasks.speech_recognition.language import Language, to_bytes

    letters = [" ", *"abcdefghijklmnopqrstuvwxyz"]
    learned = [Language.learn([" ".join(WORDS), "the cat"], letters), Language.learn(["a cat"], letters)]
    return [to_bytes(learned[:1]), to_bytes(learned), b""]


# ---- items and facts -------------------------------------------------------------------------------------------------


def read_item_counts(path: Path) -> None:
    from lamella.tasks.recommendation.counts import Counts

    found = Counts.load(path.read_bytes())
    count = len(found.often)
    follow, near, popular, before = found.logs(np.array([[1, min(2, count)], [1, 0]]))
    assert follow.shape == near.shape == before.shape == (2, count) and popular.shape == (count,)


def item_counts() -> list[bytes]:
    from lamella.tasks.recommendation.counts import Counts

    return [Counts.learn([[0, 1, 2], [1, 2, 3, 0], [3, 3]], 5).dump(), b"{}\n"]


def read_catalogue(path: Path) -> None:
    from lamella.tasks.recommendation.catalogue import Catalogue

    found = Catalogue.load(path.read_bytes())
    found.find("alien")
    found.spoken("Alien space")
    repr(found)


def catalogues() -> list[bytes]:
    from lamella.tasks.recommendation.catalogue import Catalogue

    described = {"Alien (1979)": {"genre": "Horror|Space"}, "Matrix, The": {"genre": "Space"}}
    return [Catalogue.learn(["Alien (1979)", "Matrix, The"], described, {"Matrix, The": "m1"}).dump()]


def read_rules(path: Path) -> None:
    from lamella.tasks.link_prediction.rules import unpack

    for rule in unpack(path.read_bytes(), 3):
        assert 0 <= rule.support <= rule.predicted


def rules() -> list[bytes]:
    from lamella.tasks.link_prediction.rules import Rule, pack

    return [pack([Rule(0, (1,), 3, 4), Rule(2, (1, 5, 0), 7, 7)]), b""]


def read_known_facts(path: Path) -> None:
    from lamella.tasks.link_prediction.disjoint import read
    from lamella.tasks.link_prediction.knowledge import unpack_facts

    raw = path.read_bytes()
    facts = unpack_facts(raw[:-6], 4, 3)
    assert facts.shape[1] == 3
    assert read(raw[-6:], 3).shape == (6, 7)


def known_facts() -> list[bytes]:
    from lamella.tasks.link_prediction.knowledge import pack_facts

    return [pack_facts(np.array([[0, 1, 2], [3, 2, 0]])) + bytes(6), bytes(12)]


ALL: tuple[tuple[str, Callable[[Path], None], Callable[[], list[bytes]]], ...] = (
    ("word lists", read_word_lists, word_lists),
    ("dictionary", read_dictionary, dictionaries),
    ("shortlist", read_shortlist, shortlists),
    ("features", read_features, features),
    ("word counts", read_word_counts, word_counts),
    ("language", read_language, languages),
    ("item counts", read_item_counts, item_counts),
    ("catalogue", read_catalogue, catalogues),
    ("rules", read_rules, rules),
    ("known facts", read_known_facts, known_facts),
)
