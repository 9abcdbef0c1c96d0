"""What is decided by options: whether a line of plain text is a text, and how long lines of subtitles are."""

from __future__ import annotations

import pytest

from lamella.data.documents.formats import open_document
from lamella.data.text.sentences import balance

POEM = b"The dog\nruns home.\nA long way\nto walk\n"
FILM = (
    "1\n00:00:01,000 --> 00:00:04,000\n<i>I never thought so.</i>\n\n2\n00:00:05,000 --> 00:00:06,000\n- Yes.\n- No.\n"
)
LONG = "Je n'ai jamais pensé que nous devions partir avant l'hiver."


def test_lines_or_paragraphs_of_plain_text():
    assert open_document(POEM, "a.txt", by_line=True).segments == ["The dog", "runs home.", "A long way", "to walk"]
    assert open_document(POEM, "a.txt").segments == open_document(POEM, "a.txt", by_line=False).segments
    ended = b"One sentence is here.\nAnother one is here.\n"
    assert open_document(ended, "a.txt").summary([None, None])["lines"] == 2
    assert "paragraphs" in open_document(ended, "a.txt", by_line=False).summary([])


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_of_subtitles(end):
    film = open_document(FILM.replace("\n", end).encode(), "a.srt", line_length=30)
    out = film.render([LONG, None, "Non."]).decode()
    first, second = out.split(end * 2)
    assert first.split(end)[2:] == ["<i>Je n'ai jamais pensé que nous", "devions partir avant l'hiver.</i>"]
    assert second.split(end)[2:] == ["- Yes.", "- Non.", ""]


def test_fewer_lines_where_the_text_is_short():
    film = FILM.replace("never ", "never</i>\n<i>")
    assert (
        "\n<i>Jamais pensé.</i>\n\n"
        in open_document(film.encode(), "a.srt", line_length=30).render(["Jamais pensé.", None, None]).decode()
    )


def test_lines_of_the_other_subtitles():
    film = b"[Events]\nFormat: Start, End, Text\nDialogue: 0:00:01.00,0:00:02.00,{\\i1}Not so{\\i0}\n"
    out = open_document(film, "a.ass", line_length=20).render(["Das habe ich niemals so gesagt."]).decode()
    assert out.endswith("{\\i1}Das habe ich\\Nniemals so gesagt.{\\i0}\n")
    web = b"WEBVTT\n\n00:01.000 --> 00:02.500 line:0\n<v Ann>Hello there.\n"
    out = open_document(web, "a.vtt", line_length=6).render(["今天天气很好，我们走。"]).decode()
    assert out.endswith("<v Ann>今天天气很\n好，我们走。\n")


def test_lines_that_are_not_too_long_stay():
    film = open_document(FILM.encode(), "a.srt", line_length=99)
    assert film.render([None] * 3) == FILM.encode() == film.render(list(film.segments))


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three four", 99, ["one two three four"]),
        ("one two three four", 13, ["one two", "three four"]),
        ("Donaudampfschifffahrt ist lang", 8, ["Donaudampfschifffahrt", "ist lang"]),
        ("", 5, [""]),
        ("一二三四五", 3, ["一二三", "四五"]),
    ],
)
def test_balanced_lines(text, width, lines):
    assert balance(text, width) == lines
