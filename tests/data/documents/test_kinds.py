"""What must not be translated, or written again, in documents of many kinds."""

from __future__ import annotations

import json

import pytest

from lamella.data.documents.formats import open_document
from lamella.data.text import placeholders
from lamella.errors import DataError

FILM = "1\n00:00:01,000 --> 00:00:02,000\n{}\n"


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a.srt", "a.strings", "a.properties", "en.yml"])
@pytest.mark.parametrize("few", [True, False])
def test_two_encodings_in_one_file(name, few):
    texts = [b'key = "caf\xe9";\n', "key: 'thé là où'\n".encode() * (1 if few else 20)]
    raw = FILM.format("Hi.").encode() + b"".join(texts) if name == "a.srt" else b"".join(texts)
    with pytest.raises(DataError, match=r"line \d+: expected one encoding, received UTF-8 with bytes of another"):
        open_document(raw, name)


def test_one_encoding_is_no_mixture():
    for text in ("Le café est à côté.", "«CAFÉ»", "Ça coûte 5 €", "MANHÃ"):
        assert open_document(text.encode("cp1252"), "a.txt").segments == [text]


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("> [!TIP] A title\n> Text.\n", ["A title", "Text."]),
        ('=== "Tab one"\n    Text of it.\n', ["Tab one", "Text of it."]),
        ('!!! note "A title"\n    Text of it.\n', ["A title", "Text of it."]),
        ("*[HTML]: Hyper text\n", ["Hyper text"]),
        ("{% include a.html %}\n{{< figure src=\"a.png\" >}}\nText.\n", ["Text."]),
        ("export const meta = {\n  title: 'Hello there',\n};\n\nText.\n", ["Text."]),
        ("import {\n  Some,\n  Other,\n} from 'x';\n\nText.\n", ["Text."]),
    ],
)  # fmt: skip
def test_markdown_of_other_programs(text, segments):
    page = open_document(text.encode(), "a.md")
    assert page.segments == segments and page.render([None] * len(segments)).decode() == text
    assert page.render([one.upper() for one in segments]).decode().upper() == text.upper()


def test_a_change_of_speakers_begins_a_text():
    assert open_document(FILM.format(">> Good evening\n>> And now the news").encode(), "a.srt").segments == [
        "Good evening",
        "And now the news",
    ]


@pytest.mark.parametrize(
    "text",
    ['{"name": "Mine", "version": "1.0"}', '{"compilerOptions": {"target": "ES2020"}}', '{"nbformat": 4, "cells": []}'],
)
def test_json_that_is_no_locale(text):
    with pytest.raises(DataError, match="received settings or other data"):
        open_document(text.encode(), "a.json")


def test_a_locale_may_name_a_version():
    names = {
        "name": "Name",
        "version": "Version",
        "dependencies": {"title": "Needs"},
        "type": "Type",
        "features": "More",
    }
    texts = ["Name", "Version", "Needs", "Type", "More"]
    assert open_document(json.dumps(names).encode(), "en.json").segments == texts


def test_a_dash_begins_a_text_in_substation_too():
    head = "[Events]\nFormat: Start, End, Text\nDialogue: 0:00:01.00,0:00:02.00,"
    film = open_document(f"{head}{{\\an8}}- Yes,\\Nmy dear.\\N{{\\i1}}- No.{{\\i0}}\\N[door]\n".encode(), "a.ass")
    assert film.segments == ["Yes, my dear.", "No.", "[door]"]
    out = film.render(["Oui, ma chère.", "Non.", None]).decode()
    assert out == f"{head}{{\\an8}}- Oui,\\Nma chère.\\N{{\\i1}}- Non.{{\\i0}}\\N[door]\n"


def test_escaped_letters_of_android_are_letters():
    raw = b'<resources><string name="a">Caf\\u00e9 \\u0026 bar</string></resources>'
    file = open_document(raw, "strings.xml")
    assert file.segments == ["Café \\u0026 bar"] and file.render([None]) == raw
    assert file.render(["Le café \\u0026 bar"]).decode().count("Le café \\u0026 bar") == 1


def substation(*lines: str) -> bytes:
    rows = (f"Dialogue: 0:00:0{i}.00,0:00:0{i}.90,{line}\n" for i, line in enumerate(lines, start=1))
    return ("[Events]\nFormat: Start, End, Style, Name, Text\n" + "".join(rows)).encode()


@pytest.mark.parametrize(
    ("lines", "segments"),
    [
        (["A,,I never said", "A,,{\\i1}that to\\Nhim.{\\i0}"], ["I never said that to him."]),
        (["A,,One,", "A,,two.", "A,,Three."], ["One, two.", "Three."]),
        (["A,Bob,What do you", "A,Ann,think?"], ["What do you", "think?"]),
        (["A,,Go on.", "Sign,,to the door", "A,,now."], ["Go on.", "to the door", "now."]),
        (["A,,{\\pos(1,2)}The old", "A,,{\\pos(3,4)}house."], ["The old", "house."]),
        (["A,,Yes, I", "A,,- no, you."], ["Yes, I", "no, you."]),
    ],
)
def test_a_sentence_over_several_lines_of_dialogue(lines, segments):
    film = open_document(substation(*lines), "a.ass")
    assert film.segments == segments
    assert film.render(list(segments)) == film.render([None] * len(segments)) == substation(*lines)


def test_an_answer_is_cut_over_lines_of_dialogue():
    source = substation("A,,I never said", "A,,{\\i1}that to\\Nhim.{\\i0}")
    film = open_document(source, "a.ass", line_length=12)
    out = film.render(["Je n'ai jamais dit\ncela à lui {x}."]).decode()
    assert "A,,Je n'ai\\Njamais dit\n" in out and "A,,{\\i1}cela à\\Nlui {x}.{\\i0}\n" in out


def _rendered(name: str, data: str, table: dict[str, str]) -> str:
    document = open_document(data.encode(), name, "fr")
    assert document.render(document.segments) == data.encode()  # an identity net changes no byte
    return document.render([table.get(one, one) for one in document.segments]).decode()


ASS = "[Events]\nFormat: Start, End, Text\nDialogue: 0:00:01.00,0:00:02.00,"


def test_words_that_are_sung_one_by_one_are_one_text() -> None:
    """Other words have other times: one time for all of them stays, in .vtt none."""
    sung = _rendered("a.ass", ASS + "{\\k20}The {\\kf30}sun {\\k10}is hot\n", {"The sun is hot": "Le soleil est chaud"})
    assert sung == ASS + "{\\k60}Le soleil est chaud\n"
    cue = "WEBVTT\n\n00:01.000 --> 00:03.000\n"
    spoken = _rendered("a.vtt", cue + "<00:01.000>This <00:02.000>is <c>it</c>\n", {"This is it": "C'est <i>cela</i>"})
    assert spoken == cue + "C'est <i>cela</i>\n"


def test_markdown_beside_its_words() -> None:
    """Links of a wiki stay, and HTML among UTF-8 has letters."""
    page = "See [[Page]] here. [[_TOC_]]\n\n<details><summary>Click</summary></details>\n"
    document = open_document(page.encode(), "a.md", "fr")
    assert placeholders.find(document.segments[0], "markdown") == ["[[Page]]", "[[_TOC_]]"]
    table = "| a | b |\n|---|---|\n| `x|y` | The dog |\n"
    assert open_document(table.encode(), "a.md", "fr").segments[2:] == ["The dog"]
    assert "<summary>Cliqué</summary>" in _rendered("a.md", page, {"Click": "Cliqué"})


def test_an_apostrophe_that_is_doubled_once_is_doubled_in_answers() -> None:
    rendered = _rendered(
        "a.properties", "a=It''s here\nb=It's there\n", {"It's here": "C'est ici", "It's there": "C'est là"}
    )
    assert rendered == "a=C''est ici\nb=C'est l\\u00e0\n"
