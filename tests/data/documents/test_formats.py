"""Every format of documents: what is translated, and that the rest comes back as it was."""

from __future__ import annotations

import doctest
import io
import json
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lamella.data.documents import (
    ass,
    formats,
    json_locale,
    key_values,
    office,
    resources,
    runs,
    slots,
    xml_text,
    yaml_locale,
    zips,
)
from lamella.data.documents.formats import FORMATS, open_document
from lamella.errors import DataError
from lamella.tasks.translation import Translation
from lamella.tasks.translation.guard import translate_texts
from tests.data.documents.samples import ANDROID, FILES, WORD, XLIFF, docx, epub, packed

MODULES = (ass, formats, json_locale, key_values, office, resources, runs, slots, xml_text, yaml_locale, zips)


def test_the_examples_in_the_docstrings() -> None:
    for module in MODULES:
        assert doctest.testmod(module).failed == 0, module


def test_the_task_names_the_formats() -> None:
    assert list(Translation.output.suffixes) == list(FORMATS)


@pytest.mark.parametrize("name", FILES)
def test_the_texts_of_a_file(name: str) -> None:
    data, texts = FILES[name]
    assert open_document(data, name, "fr").segments == texts


@pytest.mark.parametrize("name", FILES)
def test_a_file_without_answers_is_the_same_bytes(name: str) -> None:
    data, texts = FILES[name]
    document = open_document(data, name, "fr")
    assert document.render([None] * len(texts)) == data
    if not name.endswith((".xlf", ".xliff")):  # where a translation may well be the source
        assert document.render(list(texts)) == data
    with pytest.raises(ValueError):
        document.render([*texts, "more"])


def upper(text: str) -> str:
    """A text in capitals, but for its tags and placeholders."""
    return "".join(p if i % 2 else p.upper() for i, p in enumerate(re.split(r"(<[^<>]*>|%\S+|\{\w+\}|\\n)", text)))


@pytest.mark.parametrize("name", FILES)
def test_answers_come_back_when_the_file_is_read_again(name: str) -> None:
    data, texts = FILES[name]
    document = open_document(data, name, "fr")
    answers = [upper(text) for text in texts]
    again = document.render(answers)
    if name.endswith((".xlf", ".xliff")):
        root = ElementTree.fromstring(again)
        space = root.tag.partition("}")[0] + "}"
        targets = ["".join(one.itertext()) for one in root.iter(f"{space}target")]
        assert [re.sub(r"<[^<>]*>", "", one) for one in answers] == [one for one in targets if one.isupper()]
        return
    assert open_document(again, name, "fr").segments == answers
    # Between the texts nothing changes.
    back = open_document(again, name, "fr").render(list(texts))
    if not name.endswith((".docx", ".odt", ".pptx", ".epub", ".properties", ".ass")):
        assert [line.strip() for line in back.splitlines()] == [
            line.strip() for line in data.splitlines()
        ] or open_document(back, name, "fr").segments == texts


@pytest.mark.parametrize("name", ["a.docx", "a.odt", "a.pptx", "a.epub"])
def test_an_archive_keeps_what_holds_no_text(name: str) -> None:
    data, texts = FILES[name]
    again = open_document(data, name, "fr").render([upper(text) for text in texts])
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(io.BytesIO(again)) as new:
        assert new.testzip() is None and new.namelist() == old.namelist()
        assert [one.compress_type for one in new.infolist()] == [one.compress_type for one in old.infolist()]
        changed = [one for one in old.namelist() if old.read(one) != new.read(one)]
        assert len(changed) == 1
        tags = [[node.tag for node in ElementTree.fromstring(one.read(changed[0])).iter()] for one in (old, new)]
        assert set(tags[1]) <= set(tags[0])


@pytest.mark.parametrize(
    "answer",
    [
        "No tags at all",
        "<3>x</3><1>y</1>",
        "<1>a<2/></1> <3>",
        "<1><3>a</3></1><2/> b </1>",
        "<9>a</9>",
        "]]> & <b>\x00\ud800",
    ],
)
def test_an_answer_that_lost_its_tags_leaves_the_paragraph(answer: str) -> None:
    document = open_document(docx(), "a.docx")
    with zipfile.ZipFile(io.BytesIO(document.render([answer, None, "Dans", None]))) as archive:
        body = archive.read("word/document.xml").decode()
    ElementTree.fromstring(body)
    assert "Hel</w:t>" not in body or "wide world" in body
    assert "Dans" in body and body.count("<w:p>") == WORD.count("<w:p>")


def test_tags_may_change_places() -> None:
    document = open_document(docx(), "a.docx")
    raw = document.render(["<3>Cette page</3><2/> dit <1>grand</1>.", None, None, None])
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        root = ElementTree.fromstring(archive.read("word/document.xml"))
    first = next(root.iter("{urn:w}p"))
    assert "".join(first.itertext()).startswith("Cette page dit grand.")
    assert [node.tag.partition("}")[2] for node in first][1:4] == ["hyperlink", "r", "r"]


def test_through_the_guard_a_document_keeps_its_tags() -> None:
    document = open_document(docx(), "a.docx")
    outcomes = translate_texts(document.segments, lambda some: [[re.sub(r"<[^<>]*>", "", one).upper()] for one in some])
    assert outcomes[0].text == "HELLO THE <1>BIG</1> & WIDE WORLD<2/> SEE <3>THIS PAGE</3>."


def test_android_strings_are_escaped_again() -> None:
    document = open_document(ANDROID.encode(), "strings.xml", "fr")
    text = document.render(["C'est <b>%1$s</b> < moi", 'L\'un "ici"', "<p>L'entrée</p>", "@x", None]).decode()
    assert r"C\'est <b>%1$s</b> &lt; moi" in text and r'"L' in text and "<![CDATA[<p>L" in text and r'one">\@x<' in text
    ElementTree.fromstring(text)


def test_xliff_is_filled_and_says_its_language() -> None:
    text = open_document(XLIFF.encode(), "a.xlf", "fr").render(['Le <g id="1">grand</g> & monde', "Oui"]).decode()
    assert (
        'original="x" target-language="fr"' in text and '<target state="needs-review-translation">Oui</target>' in text
    )
    assert (
        '</source>\n        <target state="needs-review-translation">Le <g id="1">grand</g> &amp; monde</target>'
        in text
    )
    with pytest.raises(DataError, match=r"expected XLIFF .*received a file for de"):
        open_document(XLIFF.replace("original", 'target-language="de" original').encode(), "a.xlf", "fr")


def test_properties_are_written_as_java_reads_them() -> None:
    document = open_document(b"a = It''s {0}\nb = x y\n", "a.properties")
    assert (
        document.render(["C'est {0} été 🎉", "l'été\tœ"])
        == b"a = C''est {0} \\u00e9t\\u00e9 \\ud83c\\udf89\nb = l'\\u00e9t\\u00e9\\t\\u0153\n"
    )
    assert open_document("a = é x\n".encode(), "a.properties").render(["œ"]) == "a = œ\n".encode()


def test_json_escapes_as_it_did() -> None:
    assert open_document(b'{"a": "caf\\u00e9 x"}', "a.json").render(["thé"]) == b'{"a": "th\\u00e9"}'
    assert open_document('{"a": "café"}'.encode(), "a.json").render(["thé"]) == '{"a": "thé"}'.encode()
    assert json.loads(open_document(b'{"a": "x"}', "a.json").render(['"\n\\'])) == {"a": '"\n\\'}


def test_yaml_quotes_what_would_be_read_as_something_else() -> None:
    answers = ["yes", "a: b", "# no", "- x", "été"]
    text = open_document("".join(f"k{i}: word\n" for i in range(5)).encode(), "a.yml").render(answers).decode()
    assert text == 'k0: "yes"\nk1: "a: b"\nk2: "# no"\nk3: "- x"\nk4: été\n'


def test_captions_keep_their_notes_and_times() -> None:
    data, _ = FILES["a.vtt"]
    text = open_document(data, "a.vtt").render(["Bonjour.", "Qui est-ce ?"]).decode()
    assert text.startswith(
        "WEBVTT - A film\n\nNOTE not\nfor you\n\nSTYLE\n::cue { color: red }\n\nfirst\n00:01.000 --> 00:02.500 line:0\n<v Ann>Bonjour.\n"
    )


BOMB = '<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><w:document xmlns:w="w"><w:p><w:r><w:t>&b;</w:t></w:r></w:p></w:document>'


def encrypted() -> bytes:
    raw = bytearray(docx())
    for sign, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = raw.find(sign)
        while at >= 0:
            raw[at + place] |= 1
            at = raw.find(sign, at + 4)
    return bytes(raw)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "a password"), ("a.docx", encrypted(), "a password"),
        ("a.docx", docx()[:200], "damaged"), ("a.docx", b"", "empty"), ("a.docx", b"PK\x03\x04", "damaged"), ("a.docx", epub(), "without word/document.xml"),
        ("a.docx", docx(BOMB), "entities"), ("a.docx", docx("<w:p>" * 300), "expected XML"), ("a.docx", docx("<a" * 10), "expected XML"),
        ("a.odt", docx(), "without content.xml"), ("a.epub", packed({"mimetype": "x"}), "without META-INF/container.xml"),
        ("a.json", b"[1, 2]", "a list"), ("a.json", b'{"a": 1}', "no text"), ("a.json", b'{"a": "x",}', "line 1, column"), ("a.json", b"[" * 100_000, "too deep"),
        ("a.json", b'{"a":' * 5000, "expected JSON"), ("a.yml", b"a: 1\n", "no text"), ("a.strings", b"hello", "received none"), ("a.properties", b"# x\n", "no text"),
        ("a.xml", b"<rss><title>News</title></rss>", "received none"), ("a.xml", BOMB.encode(), "entities"), ("a.xlf", b"<html/>", "another root"),
        ("a.vtt", b"WEBVTT\n\nHello\n", "with times"), ("a.ass", b"[Events]\n", "lines of Dialogue"), ("a.doc", b"x", r"expected one of \.arb"),
    ],
)  # fmt: skip
def test_what_is_no_such_file_is_one_line_of_error(name: str, data: bytes, says: str) -> None:
    with pytest.raises(DataError, match=says) as caught:
        open_document(data, name, "fr")
    assert "\n" not in str(caught.value) and str(caught.value).startswith(name)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "MOST", 1000)
    with pytest.raises(DataError, match="unpacks to too much"):
        open_document(packed({"word/document.xml": "<w>" + " " * 2000 + "</w>"}), "a.docx")
    monkeypatch.setattr(zips, "MOST", 10**6)
    monkeypatch.setattr(zips, "MOST_TEXT", 1000)
    with pytest.raises(DataError, match="is larger than"):
        open_document(packed({"word/document.xml": "<w>" + " " * 2000 + "</w>"}), "a.docx")


def test_a_list_of_records_is_still_a_table(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"text": "Yes"}]')
    (tmp_path / "b.json").write_text('{"text": "Yes"}')
    assert not json_locale.is_locale(tmp_path / "a.json") and json_locale.is_locale(tmp_path / "b.json")


FRONT = (
    b"---\ntitle: My page  # shown\ndescription: 'It''s good'\ntags: [a, b]\ndate: 2020-01-01\nslug: my-page\n"
    b"long:\n  more here\n---\n\n# Hi\n"
)


def test_front_matter_on_request():
    keys = ["title", "description", "tags", "date", "long"]
    page = open_document(FRONT, "a.md", keys=keys)
    assert page.segments == ["My page", "It's good", "Hi"]
    made = page.render(["Ma page", "C'est bon", None])
    assert made == FRONT.replace(b"My page", b"Ma page").replace(b"It''s good", b"C''est bon")
    assert page.render([None] * 3) == FRONT and open_document(FRONT, "a.md").segments == ["Hi"]
    quoted = open_document(FRONT, "a.md", keys=["title"]).render(["Page: one", None])
    assert b'title: "Page: one"  # shown' in quoted  # plain, it would be a key with a value


def test_front_matter_in_toml_and_none_at_all():
    page = open_document(b'+++\ntitle = "A page"\ndraft = true\n+++\nHi.\n', "a.md", keys=["title", "draft"])
    assert page.render(["Une page", "Salut."]) == b'+++\ntitle = "Une page"\ndraft = true\n+++\nSalut.\n'
    for source in (b"---\n---\n\nHi.\n", b"---\ntitle: x\n", b"---\n", b"Hi.\n"):
        page = open_document(source, "a.md", keys=["title"])
        assert page.render([None] * len(page.segments)) == source


def test_yaml_texts_of_several_lines():
    source = (
        b'en:\n  plain: It goes\n    on here.\n  double: "It \\"ends\\"\n    there."  # note\n  single: \'one\n    two\'\n'
        b'  list:\n    - An item\n      that goes on\n  gap: "a word\n\n    and more"\n  noted: A word # note\n    and more\n'
        b'  open: "no end\n  last: Well\n'
    )
    file = open_document(source, "a.yml")
    assert file.segments == ["It goes on here.", 'It "ends" there.', "one two", "An item that goes on", "Well"]
    made = file.render(["A", 'B "b"', "C", "D", None])
    assert made.startswith(
        b'en:\n  plain: A\n  double: "B \\"b\\""  # note\n  single: \'C\'\n  list:\n    - D\n  gap: "a word\n\n'
    )
    assert file.render([None] * 5) == source and made.endswith(source[source.index(b"  gap") :])
    windows = source.replace(b"\n", b"\r\n")
    assert open_document(windows, "a.yml").render([None] * 5) == windows
