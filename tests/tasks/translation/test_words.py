"""Single words that are looked up before the net is asked."""

from __future__ import annotations

import doctest
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest

import lamella
from lamella.errors import ModelError
from lamella.model import shipped
from lamella.tasks.translation import Config, Translation, words
from lamella.tasks.translation.confidence import Evidence
from lamella.tasks.translation.outcomes import Outcome
from lamella.tasks.translation.words import Words, pack, words_first

LISTS = {
    "en-de": {"dog": "Hund", "Monday": "Montag", "ice cream": "Eis", "street": "Straße", "name": "Name"},
    "de-en": {"Morgen": "morning", "morgen": "tomorrow", "Hund": "dog"},
    "en-zh": {"dog": "狗"},
    "zh-en": {"这里": "here", "狗": "dog"},
    "fr-en": {"chien": "dog", "aujourd'hui": "today"},
}
SHIPPED = Path(lamella.__file__).parent / "models"
PACKED = pack(LISTS)


def test_the_examples_in_the_docstrings() -> None:
    assert doctest.testmod(words).failed == 0


@pytest.mark.parametrize(
    ("text", "src", "dst", "wanted"),
    [
        ("dog", "en", "de", "Hund"),
        ("DOG", "en-GB", "de_AT", "HUND"),
        ("  Dog! \n", "en", "de", "  Hund! \n"),
        ("street", "en", "de", "Straße"),
        ("monday", "en", "de", "Montag"),
        ("Ice cream", "en", "de", "Eis"),
        ("ICE CREAM", "en", "de", "EIS"),
        ("Morgen", "de", "en", "Morning"),
        ("morgen", "de", "en", "tomorrow"),
        ("狗", "zh", "en", "dog"),
        ("這裡", "zh", "en", "here"),
        ("Dog?", "en", "zh", "狗？"),
        ("AUJOURD’HUI", "fr", "en", "TODAY"),
        ("Chien !", "fr", "en", "Dog!"),
        ("dogs", "en", "de", None),
        ("dog and cat", "en", "de", None),
        ("_Dog", "en", "de", None),
        ("%dog%", "en", "de", None),
        ("dog", "en", "es", None),
        ("", "en", "de", None),
        ("12", "en", "de", None),
    ],
)
def test_what_is_found(text: str, src: str, dst: str, wanted: str | None) -> None:
    assert Words(PACKED).find(text, src, dst) == wanted


def asked(
    texts: list[str], alternatives: int = 1, steps: Sequence[tuple[bytes, str, str]] = (), mean: float = -0.8
) -> list[Outcome]:
    return words_first(
        steps or [(PACKED, "en", "de")],
        [{"text": text} for text in texts],
        lambda rows: [
            Outcome(
                "NAME" if row["text"] == "name" else f"der {row['text']}",
                "translated",
                others=[row["text"], "a", "b"],
                evidence=Evidence(mean, 10),
            )
            for row in rows
        ],
        alternatives,
    )


def test_the_net_is_asked_for_the_others() -> None:
    assert [(one.text, one.status) for one in asked(["dog", "dogs", "Monday"])] == [
        ("Hund", "dictionary"),
        ("der dogs", "translated"),
        ("Montag", "dictionary"),
    ]
    assert asked(["dog"], alternatives=3)[0].others == [], "the net knows another word and is unsure of it"
    assert asked(["dog"], alternatives=3, mean=-0.58)[0].others == ["der dog", "a"], "never the word as it was"
    assert asked(["name"], alternatives=3)[0].others == ["a", "b"], "the net says the same"


def test_two_models_on_the_way() -> None:
    steps = [(PACKED, "fr", "en"), (PACKED, "en", "de")]
    assert [one.text for one in asked(["chien", "aujourd'hui"], steps=steps)] == ["Hund", "der aujourd'hui"]
    assert asked(["chien"], steps=[(b"", "fr", "en"), (PACKED, "en", "de")])[0].status == "translated"


def test_a_task_looks_words_up_and_one_that_goes_on_learning_from_few_pairs_does_not() -> None:
    task = Translation(Config(src="en", dst="de"))
    task.words_ = PACKED
    task.config.details = True
    [found] = task.answers([{"text": "Dog"}], lambda rows: pytest.fail("asked the net"))
    assert found == {"translation": "Hund", "status": "dictionary", "confidence": words.SURE, "doubts": []}
    other = Translation(Config(src="en", dst="de"))
    other.transfer.adopt(other, task, {})
    other.transfer.renew(other, [{"text": "Dog", "translation": "Hündchen"}])
    assert other.words_ == b""


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no zlib",
        PACKED[:-5],
        zlib.compress(b"# en-de\nno tab"),
        zlib.compress(b"x" * 3_000_000),
        zlib.compress(b"\xff"),
    ],
)
def test_other_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(ModelError, match=r"words\.model: expected"):
        Words(raw)


def test_labels_of_two_words() -> None:
    words = Words(pack({"en-fr": {"yes": "oui", "no": "non"}}))
    assert [words.find(text, "en", "fr") for text in ("Yes/No", "YES/NO", "yes/maybe")] == [
        "Oui/Non", "OUI/NON", None,
    ]  # fmt: skip


@pytest.mark.skipif("en-es" not in shipped.pairs(), reason="the shipped translators are not installed")
def test_a_name_by_itself_is_no_made_up_word():
    """Once "Rlino" and "Cachorro": a net that has not met a name alone makes something of its pieces."""
    model = shipped.translator("en", "es")
    assert model.predict(["Berlin", "Peter", "Einstein"]) == ["Berlin", "Peter", "Einstein"]
    assert model.predict("Monday") != "Monday"


@pytest.mark.parametrize(
    ("text", "src", "dst", "wanted"),
    [
        ("Guten Tag", "de", "en", "Good afternoon"),
        ("¡Buenos días!", "es", "en", "Good morning!"),
        ("早上好！", "zh", "en", "Good morning!"),
        ("早上好", "zh", "en", "good morning"),
        ("How are you?", "en", "es", "¿Cómo estás?"),
        ("good night", "en", "fr", "bonne nuit"),
        ("Goodbye", "en", "fr", "Au revoir"),
        ("Gesundheit", "de", "en", "Health"),  # a word by itself is what it is elsewhere
        ("ADN", "es", "en", "DNA"),
    ],
)
def test_set_phrases_in_the_lists_that_ship(text: str, src: str, dst: str, wanted: str) -> None:
    name = "en-de+es+fr+zh" if src == "en" else "de+es+fr+zh-en"
    assert Words((SHIPPED / name / "words.model").read_bytes()).find(text, src, dst) == wanted
