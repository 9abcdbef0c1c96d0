"""Locale files as programs write them: YAML of Rails and others, ARB of Flutter, strings of Apple, Android and Java."""

from __future__ import annotations

import json
import plistlib

import pytest

from lamella.data.documents.formats import open_document
from lamella.data.text import placeholders
from lamella.errors import DataError
from tests.data.documents.samples import STRINGSDICT, XCSTRINGS


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


PLURALS = """<resources>
    <plurals name="d">
        <item quantity="one">%d day</item>
        <item quantity="other">%d days</item>
    </plurals>
</resources>
"""


@pytest.mark.parametrize("language", ["fr", "zh", "xx", ""])
def test_plurals_of_apple_and_android_stay_as_they_are_where_no_text_changes(language):
    for text, name in ((STRINGSDICT, "a.stringsdict"), (PLURALS, "strings.xml")):
        document = open_document(text.encode(), name, language)
        assert document.render(document.segments) == document.render([None] * len(document.segments)) == text.encode()


def test_a_stringsdict_has_the_categories_of_its_language():
    french, chinese = (open_document(STRINGSDICT.encode(), "a.stringsdict", code) for code in ("fr", "zh"))
    assert french.segments == ["You have %#@n@", "%d file & more", "%d files"]
    assert placeholders.find(french.segments[0]) == ["%#@n@"]
    read = plistlib.loads(french.render(["Vous avez %#@n@", "%d <a>", "%d b"]))
    assert read["files"]["NSStringLocalizedFormatKey"] == "Vous avez %#@n@"
    assert (read["files"]["n"]["one"], read["files"]["n"]["other"]) == ("%d <a>", "%d b")
    written = chinese.render(["你有 %#@n@", "x", "%d 个文件"]).decode()
    assert "one" not in written and plistlib.loads(written.encode())["files"]["n"]["other"] == "%d 个文件"
    lonely = STRINGSDICT.replace("\t\t\t<key>one</key>\n\t\t\t<string>%d file &amp; more</string>\n", "")
    more = plistlib.loads(open_document(lonely.encode(), "a.stringsdict", "de").render(["Du hast %#@n@", "%d Dateien"]))
    assert more["files"]["n"]["one"] == more["files"]["n"]["other"] == "%d Dateien"


def test_the_plurals_of_android_have_the_categories_of_their_language():
    chinese = open_document(PLURALS.encode(), "strings.xml", "zh").render(["一天", "%d 天"]).decode()
    assert chinese == PLURALS.replace('        <item quantity="one">%d day</item>\n', "").replace("%d days", "%d 天")
    lonely = PLURALS.replace('        <item quantity="one">%d day</item>\n', "")
    english = open_document(lonely.encode(), "strings.xml", "en").render(["it's %d"]).decode()
    assert english.count("it\\'s %d") == 2 and english.index('"one"') < english.index('"other"')


def test_a_string_catalogue_gets_a_localization_for_review():
    raw = json.dumps(XCSTRINGS, indent=2, separators=(",", " : "), ensure_ascii=False)
    raw = raw.replace(": {}", ": {\n\n    }").encode()
    document = open_document(raw, "a.xcstrings", "zh")
    assert document.segments == ["Hello %@", "%lld day", "%lld days"]
    assert document.render([None] * 3) == raw
    written = document.render(["你好 %@", "x", "%lld 天"])
    strings = json.loads(written)["strings"]
    assert strings["Hello %@"]["localizations"]["zh-Hans"]["stringUnit"] == {
        "state": "needs_review",
        "value": "你好 %@",
    }
    assert strings["days"]["localizations"]["zh-Hans"]["variations"]["plural"].keys() == {"other"}
    for key in ("Hello %@", "days"):
        del strings[key]["localizations"]["zh-Hans"]
    assert strings.pop("Hello %@") == {"localizations": {}}
    assert strings == {key: value for key, value in XCSTRINGS["strings"].items() if key != "Hello %@"}
    assert b'    "" : {\n\n    },' in written, "as Xcode writes it"


@pytest.mark.parametrize(
    ("name", "data", "received"),
    [
        ("a.xcstrings", b'{"a": "b"}', "other JSON"), ("a.xcstrings", b'{"sourceLanguage": "en", "strings": {"": {}}}', "no text to translate"),
        ("a.xcstrings", b'{"a"', "JSON"), ("a.xcstrings", b"", "empty file"), ("a.stringsdict", b"<plist><dict/></plist>", "received none"),
        ("a.stringsdict", b"<a><b/></a>", "another root"), ("a.stringsdict", b'<!DOCTYPE plist [<!ENTITY a "b">]><plist/>', "DTD"),
    ],
)  # fmt: skip
def test_what_is_no_file_of_apples_plurals_is_refused(name, data, received):
    with pytest.raises(DataError, match=received):
        open_document(data, name, "fr")
