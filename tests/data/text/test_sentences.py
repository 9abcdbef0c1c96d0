"""Sentences: cut where a person would, nothing lost, in time that grows with the text and no faster."""

from __future__ import annotations

import doctest
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamella.data.text import sentences
from lamella.data.text.sentences import join, runs_on, split, spread, wrap

# A text of these is made of nothing but the cases that go wrong.
TEXTS = st.lists(
    st.sampled_from(
        [
            *(".", "!", "?", "…", "...", "。", " ", "  ", "\n", "\n\n", "\t", "\u00a0", '"', "»", "(", ")", "Mr"),
            *("e.g", "a", "The", "3", "J", "语", ",", ";", ":", "\u0301", "\r\n", "<a b. c>", "word", "Ünï"),
        ]
    ),
    max_size=60,
).map("".join)


def texts(text: str, limit: int = sentences.LIMIT) -> list[str]:
    return [piece.text for piece in split(text, limit)]


def test_the_examples_in_the_docstrings() -> None:
    assert doctest.testmod(sentences).failed == 0


@pytest.mark.parametrize(
    "text",
    [
        "Mr. Smith and Dr. Jones met Prof. Li on St. Mary's Street.",
        "Some fruit, e.g. apples, i.e. Boskoop, is cheap.",
        "J. R. R. Tolkien wrote it with C. S. Lewis.",
        "The U.S. Army and the U.K. Parliament agree.",
        "See p. 12, Fig. 3 and No. 7 of vol. 2.",
        "It costs 3.14 or 1,000.50 euros.",
        "Open https://www.example.org/a.b?c=d. please",
        "Edit config.ini, README.md and setup.cfg now.",
        "Wait... what is this?",
        '"Really?" she asked.',
        "Use it (see above.) with care.",
        "M. Dupont et Mme. Durand, p. ex. Paris, av. J.-C. et c.-à-d. Rome.",
        "Er kommt z. B. aus Berlin, d. h. Mitte, bzw. Wedding.",
        "1. Open the file",
        "lower. case. everywhere",
    ],
)
def test_stops_that_end_nothing(text: str) -> None:
    assert texts(text) == [text]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ('He said "Yes." She left.', ['He said "Yes."', "She left."]),
        ("(It works.) Next", ["(It works.)", "Next"]),
        ("« Ça va ? » Oui.", ["« Ça va ? »", "Oui."]),
        ("Wait... What?", ["Wait...", "What?"]),
        ("Apples, pears, etc. Then more.", ["Apples, pears, etc.", "Then more."]),
        ("At 5 p.m. The end.", ["At 5 p.m.", "The end."]),
        ("In 2019. 5 people came.", ["In 2019.", "5 people came."]),
        ("**Note.** Then this.", ["**Note.**", "Then this."]),
        ("¿Qué? ¡Hola! Sí.", ["¿Qué?", "¡Hola!", "Sí."]),
        ("你好。再见！「好。」走？", ["你好。", "再见！", "「好。」", "走？"]),
        ("no stop\n\nnext paragraph", ["no stop", "next paragraph"]),
        ("one line\nstill the same sentence.", ["one line\nstill the same sentence."]),
        ("ok 🎉! Next", ["ok 🎉!", "Next"]),
        ("", []),
        (" \n ", [""]),
    ],
)
def test_where_sentences_end(text: str, expected: list[str]) -> None:
    assert texts(text) == expected
    assert join(split(text)) == text


def test_long_sentences_are_divided_at_the_best_place() -> None:
    text = "first part of it; second part, which goes on and on without end"
    assert texts(text, 30) == ["first part of it;", "second part,", "which goes on and on without", "end"]
    assert texts("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.integers(1, 40))
def test_nothing_is_lost(text: str, limit: int) -> None:
    pieces = split(text, limit)
    assert join(pieces) == text == "".join(part for piece in pieces for part in piece)
    assert all(piece.text == piece.text.strip() for piece in pieces)
    assert all(piece.after == "" or piece.after.isspace() for piece in pieces)
    assert all(len(piece.text) <= limit for piece in pieces)


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.integers(1, 30))
def test_spans_to_keep_are_never_cut(text: str, limit: int) -> None:
    keep = [(index, index + 8) for index in range(len(text)) if text.startswith("<a b. c>", index)]
    pieces = split(text, limit, keep)
    assert join(pieces) == text
    assert sum(piece.text.count("<a b. c>") for piece in pieces) == len(keep)


def test_answers_are_joined_with_the_white_space_of_the_source() -> None:
    assert join(split(" One.  Two.\n\nThree"), ["", "Un.", "Deux.", "Trois"]) == " Un.  Deux.\n\nTrois"
    assert join(split("好。走。"), ["Good.", "Go."]) == "Good. Go."
    with pytest.raises(ValueError):
        join(split("One. Two."), ["Un."])


@pytest.mark.parametrize("unit", ["a", ".", " ", "\n", '."', "Mr. ", "语", "。", "\u0301", ". »", "a, ", "(", "\n "])
def test_time_grows_with_the_text_and_no_faster(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        start = time.process_time()
        pieces = split(text)
        spent = time.process_time() - start
        assert join(pieces) == text
        return spent

    # What is linear takes four times as long here, what is not sixteen times; half a second is the noise of a machine.
    assert seconds(200_000) < 8 * seconds(50_000) + 0.5


def test_lines_that_were_wrapped() -> None:
    wrapped = ["This paragraph was wrapped by somebody so", "that no line has more than a number of", "letters."]
    width = max(map(len, wrapped))
    assert all(runs_on(one, two, width) for one, two in pairwise(wrapped))
    for one, two in [
        ("Apples", "Pears"),
        ("", "text"),
        ("1.0 2.5 3.14 6.28 and so on 0.00 1.00", "acos 0.0 0.0 1.0 2.0 3.0"),
        ("a line of text that is long enough for it", "  -a, --all  show everything"),
        ("Do you want to do this to all the files?", "* Yes"),
        ("x" * 200, "another paragraph on one line"),
    ]:
        assert not runs_on(one, two, max(len(one), len(two)))


@given(st.lists(st.sampled_from(["a", "bb", "ccc", "dddddddddddd", "语"]), min_size=1, max_size=30), st.integers(1, 20))
def test_wrapping_changes_nothing_but_blanks(words: list[str], width: int) -> None:
    text = " ".join(words)
    assert " ".join(wrap(text, width)) == text
    assert all(len(line) <= width or " " not in line for line in wrap(text, width))
    lines = spread(text, width)
    assert lines is None if width > len(words) else lines is not None and len(lines) == width
    assert lines is None or " ".join(lines) == text


def test_a_stop_that_is_quoted_ends_no_sentence():
    for text in ("Tipo no válido «??? (%d)».", 'Press the "?" Key to get help.', "Is it (!) True?"):
        assert [piece.text for piece in split(text)] == [text]
    assert len(split('He said "Stop!" We stopped.')) == 2
