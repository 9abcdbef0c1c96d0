"""Dates and keys on their way, greetings before placeholders, names that a net guesses at, titles and doubled marks."""

from __future__ import annotations

import doctest

import pytest

from lamella.tasks.translation import dates, likeness, soundness, times
from lamella.tasks.translation.checks import Checks, Style
from lamella.tasks.translation.confidence import Candidate
from lamella.tasks.translation.names import Names


@pytest.mark.parametrize("module", [dates, likeness, soundness, times], ids=lambda module: module.__name__)
def test_the_examples_in_the_docstrings(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "answer", "src", "dst", "wanted"),
    [
        ("Launched on 1 July 2023.", "Lancé sur 1 juillet 2023.", "en", "fr", "Lancé le 1er juillet 2023."),
        ("Launched on 1 July 2023.", "Lancé sur 1 July 2023.", "en", "fr", "Lancé le 1er juillet 2023."),
        ("It rained on 03/11/2022.", "Il a plu en 03/11/2022.", "en", "fr", "Il a plu le 03/11/2022."),
        ("On 5 May we left.", "Auf 5. Mai gingen wir.", "en", "de", "Am 5. Mai gingen wir."),
        ("Sent on 2 March 2021.", "Enviado en 2 marzo 2021.", "en", "es", "Enviado el 2 de marzo de 2021."),
        ("Elle a couru en 3 h 28 min.", "She ran in 3 h 28 min.", "fr", "en", "She ran in 3 h 28 min."),
        ("Il part à 6 h 52.", "It leaves at 6 h 52.", "fr", "en", "It leaves at 6:52."),
        ("The USB-C cable is old.", "Le câble USB est vieux.", "en", "fr", "Le câble USB-C est vieux."),
        ('He met Mr. Abernathy.', "Vio a Mr.s. Abernathy.", "en", "es", "Vio al Sr. Abernathy."),
        ("Falta «a.odt».", "No '“a.odt”' here.", "es", "en", "No “a.odt” here."),
        ("Bonjour %s, entrez.", "Play %s, come in.", "fr", "en", "Hello %s, come in."),
        ("Hola {name}, pasa.", "Get {name}, come in.", "es", "en", "Hello {name}, come in."),
        ("Dear %s, come in.", "Cher %s, entrez.", "en", "fr", "Cher %s, entrez."),
    ],
)  # fmt: skip
def test_what_is_put_right(source: str, answer: str, src: str, dst: str, wanted: str) -> None:
    assert Checks(source, "", [], Style(src, dst)).judge(answer, {}).text == wanted


@pytest.mark.parametrize(
    ("source", "answer", "faults"),
    [
        ("The USB-C cable is old.", "Le câble est vieux.", ["names"]),
        ("The USB-C cable is old.", "Le câble USB-C est vieux.", []),
        ("Ctrl+Shift+P opens it.", "Strg+Umschalt+Palette öffnen.", ["marks"]),
        ("Ctrl+Shift+P opens it.", "Strg+Umschalt+P öffnet es.", []),
        ("Press Alt+F4 now.", "Appuyez sur Alt+F4.", []),
    ],
)
def test_codes_with_a_hyphen_and_keys_stay(source: str, answer: str, faults: list[str]) -> None:
    assert Checks(source, "", [], Style("en", "de" if "öffn" in answer else "fr")).judge(answer, {}).faults == faults


@pytest.mark.parametrize(
    ("source", "src", "answer", "name", "guess", "lost"),
    [
        # By itself the net makes a common word of a name that its language has not.
        ("El contrato es de la señora Ibáñez.", "es", "The contract is of Thursday.", "Ibáñez", "Thursday", True),
        ("Solène et Gaëtan dorment.", "fr", "Sun and Gaëtan are asleep.", "Solène", "Sun", True),
        ("Vivo en Ratisbona.", "es", "I live in Regensburg.", "Ratisbona", "Regensburg", False),
        (
            "Das ist Frau Sommer.",
            "de",
            "That is summer.",
            "Sommer",
            "Summer",
            False,
        ),  # in German every noun has a capital
    ],
)
def test_a_common_word_is_no_translation_of_a_name(
    source: str, src: str, answer: str, name: str, guess: str, lost: bool
) -> None:
    facts = Names(source, src, "en", cost=len)
    assert name in [one.text for one in facts.names]
    assert bool(facts.check(answer, known={name: [Candidate(guess, -0.7)]}).missing) == lost


@pytest.mark.parametrize(
    ("source", "answer", "src", "dst", "doubted"),
    [
        ("Neither Kofi nor Amara came.", "Ni Kofi nor Amara sont venus.", "en", "fr", True),
        ("Hoy hubo nieve.", "Today hubo snow.", "es", "en", True),
        ("It is a good hospital.", "Es un buen hospital.", "en", "es", False),
    ],
)
def test_a_frequent_word_that_is_none_of_the_target_language_is_doubted(
    source: str, answer: str, src: str, dst: str, doubted: bool
) -> None:
    assert ("untranslated" in soundness.doubts(source, answer, src, dst)) == doubted


def test_a_name_that_a_likely_answer_misspells_is_put_right() -> None:
    facts = Names("Kennst du Nairobi?", "de", "en", cost=len)
    known = {"Nairobi": [Candidate("Nairobi", -0.9)]}
    assert facts.check("Do you know Narobi?", known=known, sure=-0.1).text == "Do you know Nairobi?"
    assert facts.check("Do you know the town?", known=known, sure=-0.1).text == "Do you know the town?"
