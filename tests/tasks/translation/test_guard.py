"""The guard: whatever a net answers, a text keeps its placeholders, lines, numbers of lines, emoji and white space."""

from __future__ import annotations

import doctest
import re
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamella.data.text import placeholders
from lamella.tasks.translation import guard, plans, soundness
from lamella.tasks.translation.guard import NBest, Outcome, finish, is_sound, translate_texts
from lamella.tasks.translation.masks import mask_of


def net(*answers: Callable[[str], str]) -> NBest:
    """A net that gives these candidates for every sentence."""
    return lambda sentences: [[answer(sentence) for answer in answers] for sentence in sentences]


def upper(sentences: list[str]) -> list[list[str]]:
    return [[sentence.upper()] for sentence in sentences]


def backwards(text: str) -> str:
    return " ".join(text.split(" ")[::-1])


def without_symbols(text: str) -> str:
    return re.sub(r"[%{}<>$&@`_]", "", text)


NASTY: dict[str, NBest] = {
    "upper case": net(str.upper),
    "drops": net(without_symbols),
    "adds": net(lambda text: f"{text} %s {{x}}", lambda text: f"<b>{text}"),
    "shuffles": net(backwards),
    "mirrors": net(lambda text: text[::-1]),
    "loops": net(lambda text: "la " * 50),
    "says nothing": net(lambda text: ""),
    "gives nothing": lambda sentences: [[] for _ in sentences],
    "breaks": net(lambda text: f"{text}\n\x00", lambda text: "\u2047" + text, lambda text: "\ud800"),
    "forgets digits": net(lambda text: re.sub(r"\d", "", text), lambda text: text.lower()),
    "chatters": net(lambda text: text + " and" * 100),
    "lists": net(lambda text: "- " + text, lambda text: "# " + text),
    "numbers the tokens anew": net(lambda text: re.sub(r"X(\d)", lambda match: f"X{int(match[1]) + 1}", text)),
    "repeats the tokens": net(lambda text: re.sub(r"(X\d)", r"\1 \1", text)),
}

TEXTS = st.lists(
    st.sampled_from(
        [
            *("%s", "%d", "%1$s", "{name}", "{}", "<b>", "</b>", "<br/>", "&amp;", "https://a.org/b", "me@a.org"),
            *("/usr/bin", "$x", "--all", "`co de`", "\\n", "🎉", "👍🏽", "мир", "东京", "X1", "\t", "\n", "\n\n"),
            *("  ", "   ", "- ", "1. ", ". ", "! ", " a ", " Words ", "and ", "so", " on", "12", "3.5", "_File"),
            *("&x", ":", "...", "%", "{", "<", "(", ")", "\r\n", "'s"),
        ]
    ),
    max_size=25,
).map("".join)


def test_the_examples_in_the_docstrings() -> None:
    assert doctest.testmod(guard).failed == doctest.testmod(plans).failed == doctest.testmod(soundness).failed == 0


@pytest.mark.parametrize("name", NASTY)
@settings(max_examples=25, deadline=None)
@given(texts=st.lists(TEXTS, max_size=4), kind=st.sampled_from(["", "c-format", "markdown"]))
def test_nothing_is_lost(name: str, texts: list[str], kind: str) -> None:
    calls: list[int] = []

    def counted(sentences: list[str]) -> list[list[str]]:
        calls.append(len(sentences))
        assert len(set(sentences)) == len(sentences)
        assert all(sentence == sentence.strip() != "" for sentence in sentences)
        return NASTY[name](sentences)

    announced: list[int] = []
    outcomes = translate_texts(texts, counted, announced.append, formats=[kind] * len(texts), target="fr")
    assert len(outcomes) == len(texts) and announced == calls and len(calls) <= 4
    for text, outcome in zip(texts, outcomes, strict=True):
        core, mark = placeholders.split_accelerator(text.strip(), kind)
        translated = placeholders.edges(outcome.text)
        assert (translated[0], translated[2]) == placeholders.edges(text)[::2] or not text.strip()
        # The marker of an accelerator may stand anywhere, and an entity begins like one.
        places = [i for i, char in enumerate(translated[1]) if mark and char == mark[0]]
        cleaned = [translated[1][:i] + translated[1][i + 1 :] for i in places] or [translated[1]]
        assert any(Counter(placeholders.find(one, kind)) == Counter(placeholders.find(core, kind)) for one in cleaned)
        assert outcome.text.count("\n") == text.count("\n")
        assert [char for char in outcome.text if char in "🎉👍🏽"] == [char for char in text if char in "🎉👍🏽"]
        assert not set("\x00\u2047\ud800") & set(outcome.text)
        assert (
            (outcome.text == text)
            if outcome.status in ("kept", "copied", "empty")
            else outcome.status
            in (
                "translated",
                "repaired",
            )
        )
        assert (outcome.answer is None) == (outcome.status == "kept")


def test_statuses() -> None:
    texts = ["Hello", "Hello %s", "", " \n", "42 %s - {name}", "Hello Hello Hello Hello Hello"]
    outcomes = translate_texts(texts, net(lambda sentence: without_symbols(sentence).upper()))
    assert [outcome.status for outcome in outcomes] == [
        "translated",
        "repaired",
        "empty",
        "empty",
        "copied",
        "translated",
    ]
    assert translate_texts(["Two words"], NASTY["says nothing"]) == [Outcome("Two words", "kept", 1)]


def test_a_copy_waits_until_everything_else_was_tried() -> None:
    def shy(sentences: list[str]) -> list[list[str]]:
        return [[one if "%" in one or "X1" in one else {"stones": "pierres"}.get(one, one)] for one in sentences]

    assert translate_texts(["%s stones"], shy) == [Outcome("%s pierres", "repaired")]
    assert translate_texts(["%s Firefox"], shy) == [Outcome("%s Firefox", "translated")], "a name stays"


def test_a_text_half_of_which_fails_says_so() -> None:
    def picky(sentences: list[str]) -> list[list[str]]:
        return [[sentence.upper()] * ("good" in sentence) for sentence in sentences]

    assert translate_texts(["This is good. That is bad."], picky) == [
        Outcome("THIS IS GOOD. That is bad.", "repaired", 1)
    ]


def test_all_texts_go_to_the_net_together_and_each_sentence_once() -> None:
    calls: list[list[str]] = []

    def spy(sentences: list[str]) -> list[list[str]]:
        calls.append(sentences)
        return [[without_symbols(sentence).upper()] for sentence in sentences]

    translate_texts(["One. Two {a}.", "Two {a}. Three.", "One."], spy)
    assert calls == [["One.", "Two {a}.", "Three."], ["Two X1."]]


def test_other_candidates_come_first_and_numbers_decide() -> None:
    assert translate_texts(["%s of 3"], net(lambda _: "rien", lambda _: "%s sur 4", lambda _: "%s sur 3"))[
        0
    ] == Outcome("%s sur 3", "translated")
    assert translate_texts(["%s of 3"], net(lambda _: "%s sur trois"))[0].text == "%s sur trois"


def test_unnumbered_directives_keep_their_order() -> None:
    turned = net(lambda text: "%d de %s" if "%" in text else text.upper())
    assert translate_texts(["%s of %d"], turned, formats=["c-format"])[0].text == "%s OF %d"


def test_tags_stay_nested() -> None:
    crossed = net(lambda text: "</b>gras<b>" if "<" in text else text.upper())
    assert translate_texts(["<b>bold</b>"], crossed)[0].text == "<b>BOLD</b>"


def test_tokens_are_words_of_their_own_and_can_be_chosen() -> None:
    seen: list[str] = []

    def spy(sentences: list[str]) -> list[list[str]]:
        seen.extend(sentences)
        return [[sentence.replace("<", "").replace("Stop", "Arrêt")] for sentence in sentences]

    assert translate_texts(["<b>Stop</b> X1 Stop"], spy)[0].text == "<b>Arrêt</b> X1 Arrêt"
    assert seen == ["<b>Stop</b> X1 Stop", "X2 Stop X3 X4 Stop"]
    seen.clear()
    translate_texts(["<b>Stop</b>"], spy, tokens=["Zed{}", "Q{}"])
    assert seen == ["<b>Stop</b>", "Zed1 Stop Zed2", "Q1 Stop Q2"]


def test_lines_lists_and_columns_stay_where_they_are() -> None:
    text = "Usage: x [OPTION]\n  -a, --all             show all\n\t-b\tshow b\n\n- one\n2) two\n"
    expected = "USAGE: X [OPTION]\n  -a, --all             SHOW ALL\n\t-b\tSHOW B\n\n- ONE\n2) TWO\n"
    assert translate_texts([text], upper)[0].text == expected


def test_wrapped_lines_are_one_sentence_and_as_many_lines_again() -> None:
    seen: list[str] = []

    def double(sentences: list[str]) -> list[list[str]]:
        seen.extend(sentences)
        return [[f"{sentence} {sentence}"] for sentence in sentences]

    text = "This message was wrapped by the person that\nwrote it, since it is rather long.\nEnd."
    outcome = translate_texts([text], double)[0]
    assert seen == ["This message was wrapped by the person that wrote it, since it is rather long.", "End."]
    assert outcome.text.count("\n") == 2 and outcome.text.endswith("\nEnd. End.")
    assert outcome.text.replace("\n", " ") == " ".join(f"{sentence} {sentence}" for sentence in seen)


def test_wrapped_lines_become_chinese() -> None:
    text = "This message was wrapped by the person that\nwrote it, since it is rather long."
    answer = "这条消息是由写它的人换行的，因为它相当长。"
    assert translate_texts([text], net(lambda _: answer))[0].text == "这条消息是由写它的人\n换行的，因为它相当长。"


def test_what_the_net_cannot_read_is_copied() -> None:
    def latin(char: str) -> bool:
        return char < "\u0250"

    seen: list[str] = []

    def spy(sentences: list[str]) -> list[list[str]]:
        seen.extend(sentences)
        return upper(sentences)

    texts = ["🎉 Well done 👍🏽! Next 👨‍👩‍👧 word", "The Санкт Петербург office", "привет мир", "see http://а.рф/x now"]
    outcomes = translate_texts(texts, spy, known=latin)
    assert [outcome.text for outcome in outcomes] == [
        "🎉 WELL DONE 👍🏽! NEXT 👨‍👩‍👧 WORD",
        "THE Санкт Петербург OFFICE",
        "привет мир",
        "SEE http://а.рф/x NOW",
    ]
    assert seen == ["Well done", "Next", "word", "The X1 office", "see X1 now"]
    assert outcomes[2].status == "copied"


def test_an_accelerator_is_taken_out_and_put_back() -> None:
    answers = {"Save As...": "Enregistrer sous...", "Quit": "Quitter", "Help": "Aide"}
    outcomes = translate_texts(["Save _As...", " &Quit\n", "_Help"], net(lambda text: answers.get(text, text)))
    assert [outcome.text for outcome in outcomes] == ["_Enregistrer sous...", " &Quitter\n", "_Aide"]


@pytest.mark.parametrize(
    ("source", "answer", "expected"),
    [
        ("one day", "un jour", True),
        ("one day", "", False),
        ("one day", "un jour" * 10, False),
        ("one day, and more of it to come", "un un un un jour", False),
        ("no no no no", "non non non non", True),
        ("what is on the second page", "la page la page la page la page", False),
        ("what is on the second page", "lalalalalala", False),
        ("a very long sentence with many, many words in it, truly", "un", False),
        ("1000000000 of them", "1000000000 unités", True),
        ("10 %", "10 %", True),
        ("a", "a\nb", False),
        ("语言模型", "language models are what it says here", True),
    ],
)
def test_what_is_sound(source: str, answer: str, expected: bool) -> None:
    assert is_sound(source, answer) is expected


@pytest.mark.parametrize(
    ("source", "answer", "target", "expected"),
    [
        ("Name:", "Nom", "fr", "Nom\u00a0:"),
        ("Name:", "Nom :", "fr", "Nom :"),
        ("Name:", "Name", "de", "Name:"),
        ("Name:", "名称", "zh_CN", "名称："),
        ("Open…", "Ouvrir", "fr", "Ouvrir…"),
        ("Open...", "Ouvrir.", "fr", "Ouvrir..."),
        ("Really?", "Vraiment", "fr-CA", "Vraiment\u00a0?"),
        ("Really?", "Vraiment !", "fr", "Vraiment !"),
        ("Done.", "Fait", "fr", "Fait."),
        ("Done", "Fait", "fr", "Fait"),
        ("Done.", "", "fr", ""),
    ],
)
def test_the_last_mark_is_put_back(source: str, answer: str, target: str, expected: str) -> None:
    assert finish(source, answer, target) == expected


def test_long_texts_are_bounded() -> None:
    sizes: list[int] = []

    def spy(sentences: list[str]) -> list[list[str]]:
        sizes.extend(map(len, sentences))
        return upper(sentences)

    texts = ["x" * 50_000, "word " * 10_000, "语" * 20_000, "<b>" * 5_000, "a\tb" * 5_000]
    outcomes = translate_texts(texts, spy)
    assert [len(outcome.text) for outcome in outcomes] == [len(text) for text in texts]
    assert max(sizes) <= 400
    assert [outcome.status for outcome in outcomes][:2] == ["copied", "translated"]


def test_a_net_that_answers_too_little_is_an_error() -> None:
    with pytest.raises(ValueError, match="Expected a list of candidates for each of 2 sentences"):
        translate_texts(["One. Two."], lambda sentences: [["x"]])


@pytest.mark.parametrize(
    ("source", "spans", "answer", "lifted"),
    [
        ('"Attention" name', [(0, 1), (10, 11)], "nom X2 X1 attention", ""),
        ('"Attention" name', [(0, 1), (10, 11)], "nom X1 X2 attention", ""),
        ('"Attention" name', [(0, 1), (10, 11)], "nom X1 attention X2", 'nom "attention"'),
        ("Save (again) now", [(5, 6), (11, 12)], "X2 encore X1 enregistrer", ""),
        ("Save (again) now", [(5, 6), (11, 12)], "Enregistrer X1 encore X2", "Enregistrer (encore)"),
        ("<b>Stop</b>", [(0, 3), (7, 11)], "X2 X1 Stop", "</b> <b>Stop"),  # tags are put in place elsewhere
        ("( ) of it", [(0, 1), (2, 3)], "X1 X2 en", "( ) en"),
    ],
)
def test_marks_that_open_and_close_stay_around_words(
    source: str, spans: list[tuple[int, int]], answer: str, lifted: str
) -> None:
    assert mask_of(source, spans, "X{}").lift(answer) == lifted
