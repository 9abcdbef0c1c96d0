"""Locale files as programs write them: YAML of Rails and others, ARB of Flutter, strings of Apple, Android and Java."""

from __future__ import annotations

import pytest

from lamella.data.documents.formats import open_document
from lamella.errors import DataError


def upper(data: bytes, name: str) -> bytes:
    document = open_document(data, name, "fr")
    assert document.render([None] * len(document.segments)) == data
    assert document.render(list(document.segments)) == data
    return document.render([text.upper() for text in document.segments])


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("days: [Sunday, 'Mon, too', \"Tue\"]", "days: [SUNDAY, 'MON, TOO', \"TUE\"]"),
        ("order: [:year, :month, ~, 3]\n  b: x", "order: [:year, :month, ~, 3]\n  b: X"),
        ("a: {one: One day, other: '%{n} days', b: [Two]}", "a: {one: ONE DAY, other: '%{N} DAYS', b: [TWO]}"),
        ("a: [\n    One,  # first\n    Two\n  ]\n  b: x", "a: [\n    ONE,  # first\n    TWO\n  ]\n  b: X"),
        ("a: &x Some text\n  b: *x\n  c: !!str More", "a: &x SOME TEXT\n  b: *x\n  c: !!str MORE"),
        ("a: &x |\n    Some text\n  b: c", "a: &x |\n    SOME TEXT\n  b: C"),
        ("a: [One\n  b: Two", "a: [One\n  b: TWO"),
        ("a: [One\n    two]\n  b: x", "a: [One\n    two]\n  b: X"),
        ("a: !ruby/object Some\n  b: x", "a: !ruby/object Some\n  b: X"),
    ],
)
def test_yaml_in_brackets_and_with_anchors(line, written):
    assert upper(f"en:\n  {line}\n".encode(), "en.yml").decode() == f"en:\n  {written}\n"


def test_an_answer_in_brackets_is_quoted_where_it_must_be():
    document = open_document(b"a: [One, 'Two']\n", "a.yml")
    assert document.render(["Un, deux", "L'un"]) == b"a: [\"Un, deux\", 'L''un']\n"


def test_arb_says_its_new_language():
    data = b'{\n "@@locale": "en",\n "a": "Open",\n "@a": {"description": "A"}\n}\n'
    assert upper(data, "app.arb") == data.replace(b'"en"', b'"fr"').replace(b"Open", b"OPEN")
    document = open_document(data, "app.arb", "pt_BR")
    assert b'"@@locale": "pt_BR"' in document.render(["Abrir"])


def test_a_broken_entry_of_apple_is_named():
    with pytest.raises(DataError, match=r"a.strings, line 2: expected entries .* Is a quotation mark or semicolon"):
        open_document(b'"a" = "One";\n"b" = "Two"\n"c" = "Three";\n', "a.strings")
    data = b'/* "x" */\n"Cancel";\nplain = value;\n"a" = "One"; // b = "c"\n'
    assert upper(data, "a.strings") == data.replace(b"One", b"ONE")


@pytest.mark.parametrize(
    ("text", "segment", "written"),
    [
        (r"\u0020One\n", "One", r"\u0020ONE\n"),
        (r"  One \n\n", "One", r"  ONE \n\n"),
        (r"One\\n", r"One\\n", r"ONE\\N"),
        (r"\n", None, r"\n"),
    ],
)
def test_escaped_blanks_around_a_text_of_android(text, segment, written):
    data = f'<resources><string name="a">{text}</string><item type="string" name="b">Two</item></resources>'.encode()
    document = open_document(data, "strings.xml")
    assert document.segments == [*([segment] if segment else []), "Two"]
    assert document.render([one.upper() for one in document.segments]).decode() == data.decode().replace(
        text, written
    ).replace("Two", "TWO")


def test_java_reads_what_is_not_utf_8_as_latin_1():
    document = open_document("a = caf\u00e9 bar\nb = x\n".encode("latin-1"), "a.properties")
    assert document.render(["th\u00e9 \u0153 \u20ac", None]) == b"a = th\xe9 \\u0153 \\u20ac\nb = x\n"
