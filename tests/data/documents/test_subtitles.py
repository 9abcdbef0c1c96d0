"""Subtitles: numbers and times stay, sentences are whole for the net and cut again for the cues."""

from __future__ import annotations

import doctest
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamella.data.documents import subtitles
from lamella.data.documents.formats import open_document
from lamella.errors import DataError
from lamella.model import shipped
from lamella.tasks.translation import guard

FILM = r"""1
00:00:01,000 --> 00:00:02,500  X1:63 X2:223
{\an8}When I was a child we had

2
00:00:02,600 --> 00:00:04,000
a garden with <b>old</b> trees,
and a dog.

3
00:00:04,100 --> 00:00:05,000
- Who is it?
- <i>It is me, your brother,
who came back.</i>

4
00:00:09,000 --> 00:00:10,000
<i>♪ Sing a song ♪</i>
<font color="red">Loud!</font>

5
00:01:00,000 --> 00:01:01,000

6
01:00:00,000 --> 01:00:01,000
The end"""


def upper(data: bytes) -> bytes:
    document = open_document(data, "film.srt", "fr")

    def net(sentences: list[str]) -> list[list[str]]:
        return [
            ["".join(p if p[:1] in "<{" else p.upper() for p in re.split(r"(<[^>]*>|\{[^}]*\})", s))] for s in sentences
        ]

    outcomes = guard.translate_texts(document.segments, net, formats=document.formats)
    return document.render([outcome.answer for outcome in outcomes])


def test_the_examples_in_the_docstrings() -> None:
    assert doctest.testmod(subtitles).failed == 0


@pytest.mark.parametrize("eol", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_sentences_are_whole_and_all_else_stays(encoding: str, eol: str) -> None:
    film = FILM.replace("\n", eol).replace("The end", "The café")
    film = film.replace("♪", "#") if encoding == "cp1252" else film
    document = open_document(film.encode(encoding), "film.srt")
    assert document.segments == [
        "When I was a child we had a garden with <b>old</b> trees, and a dog.",
        "Who is it?",
        "It is me, your brother, who came back.",
        "Sing a song",
        "Loud!",
        "The café",
    ]
    assert document.summary([None] * 6) == {"segments": 6, "cues": 6, "kept": 6}
    wanted = film
    for old in ("When I was a child we had", "a garden with ", ">old<", " trees,", "and a dog.", "Who is it?", "who came back.",
                "It is me, your brother,", "Sing a song", "Loud!", "The café"):  # fmt: skip
        wanted = wanted.replace(old, old.upper())
    assert upper(film.encode(encoding)) == wanted.encode(encoding)


def test_answers_are_cut_in_proportion() -> None:
    film = b"1\n00:00:01,000 --> 00:00:02,000\nA very long first cue of many words that goes on\n\n2\n00:00:02,000 --> 00:00:03,000\nand ends.\n"
    document = open_document(film, "film.srt")
    found = document.render(["un deux trois quatre cinq six sept huit neuf dix onze douze"]).decode().split("\n")
    first, second = found[2].split(), found[6].split()
    assert " ".join([*first, *second]) == "un deux trois quatre cinq six sept huit neuf dix onze douze"
    assert 8 <= len(first) <= 10, found


@pytest.mark.parametrize(
    ("cue", "answer", "wanted"),
    [
        ("one two\nthree", "un", "un"),  # fewer words than lines: a line less, since an empty one ends the cue
        ("<i>one two\nthree</i>", "un", "<i>un</i>"),
        ("one two\nthree", "un deux", "un\ndeux"),
        ("one, two\nthree <i>four five</i>", "un, deux <i>trois quatre</i> cinq", "un, deux\n<i>trois quatre</i> cinq"),
    ],
)
def test_lines_of_a_cue(cue: str, answer: str, wanted: str) -> None:
    head = "1\n00:00:01,000 --> 00:00:02,000\n"
    document = open_document(f"{head}{cue}\n\n".encode(), "film.srt")
    assert len(document.segments) == 1
    assert document.render([answer]).decode() == f"{head}{wanted}\n\n"


def test_a_cue_is_never_empty() -> None:
    film = b"1\n00:00:01,000 --> 00:00:02,000\nOf\n\n2\n00:00:02,000 --> 00:00:03,000\ncourse.\n"
    document = open_document(film, "film.srt")
    assert document.segments == ["Of course."]
    assert document.render(["Oui."]) == film.replace(b"Of", b"Oui.").replace(b"course.", b"Oui.")


LINES = st.lists(
    st.sampled_from(
        [
            *(
                "1",
                "2",
                "00:00:01,000 --> 00:00:02,000",
                "0:0:1.5 --> 0:0:2.5",
                "",
                "",
                " ",
                "Text here",
                "and more.",
                "- Yes",
            ),
            *(
                "<i>so",
                "it is</i>",
                "<i>both</i>",
                r"{\an8}up",
                "♪ la",
                "42",
                "00:00:01,000 -->",
                "-",
                "<b></b>",
                "...",
            ),
        ]
    ),
    max_size=20,
)


@settings(max_examples=200, deadline=None)
@given(LINES, st.sampled_from(["\n", "\r\n"]))
def test_without_answers_not_one_byte_changes(lines: list[str], eol: str) -> None:
    data = eol.join(["1", "00:00:01,000 --> 00:00:02,000", *lines]).encode()
    document = open_document(data, "film.srt")
    assert document.render([None] * len(document.segments)) == data
    assert document.render(document.segments) == data
    assert all("\n" not in segment for segment in document.segments)
    was, now = (
        [(a, b) for a, b in pairwise(raw.split(eol.encode())) if b":01,000 -->" in b] for raw in (data, upper(data))
    )
    assert [b for _, b in now] == [b for _, b in was]
    # A cue without a number and a blank line follows the text before it, whose lines may end elsewhere.
    assert all(one == other for (one, _), (other, _) in zip(was, now, strict=True) if one.isdigit())


def test_what_is_none() -> None:
    for data, message in ((b"", "empty"), (b"Just text.\n", "received none"), (b"GIF89a", "GIF")):
        with pytest.raises(DataError, match=message) as caught:
            open_document(data, "film.srt")
        assert "\n" not in str(caught.value)


@pytest.mark.skipif("en-fr" not in shipped.pairs(), reason="no model from English to French is installed")
def test_a_film_on_the_command_line(cli, tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_bytes(FILM.encode())
    done = cli("translate", tmp_path / "a.srt", "--to", "fr", "--beams", "1", "-o", tmp_path / "b.srt")
    assert done.code == 0 and "6 cues" in done.err, done.err
    found = (tmp_path / "b.srt").read_text(encoding="utf-8")
    fixed = re.compile(r"^(?:\d+|\d\d:.*)$", re.MULTILINE)
    assert fixed.findall(found) == fixed.findall(FILM)
    assert found.count("\n\n") == FILM.count("\n\n") and r"{\an8}" in found and "<b>" in found and "child" not in found


@pytest.mark.parametrize(
    ("cue", "segments"),
    [
        ("[door slams]\nWho is there?", ["[door slams]", "Who is there?"]), ("Ann: Come in\nBob: No", ["Ann: Come in", "Bob: No"]),
        ("<i>Far away</i>\nnear here", ["Far away", "near here"]), ("<i>Far away</i>\n<i>and near</i>", ["Far away and near"]),
        ("It is late.\nGo home.", ["It is late.", "Go home."]), ("It is late...\nand cold.", ["It is late... and cold."]),
        ("- Yes\n- No", ["Yes", "No"]), ("of the two\nbest ones", ["of the two best ones"]), ("MAN (on phone):\nHello", ["MAN (on phone):", "Hello"]),
    ],
)  # fmt: skip
def test_what_begins_a_new_text(cue: str, segments: list[str]) -> None:
    film = f"1\n00:00:01,000 --> 00:00:02,000\n{cue}\n\n".encode()
    assert open_document(film, "film.srt").segments == segments


@pytest.mark.parametrize("codec", ["utf-32-le", "utf-32-be"])
def test_the_order_of_bytes_stays(codec: str) -> None:
    film = "\ufeff1\n00:00:01,000 --> 00:00:02,000\nYes\n".encode(codec)
    assert open_document(film, "film.srt").render(["Oui"]) == film.decode(codec).replace("Yes", "Oui").encode(codec)
