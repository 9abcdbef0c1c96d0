"""Catalogues: what is untranslated gets filled, every other byte stays, and msgfmt takes the result."""

from __future__ import annotations

import doctest
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lamella.data.documents import catalogue, plurals, po
from lamella.data.documents.catalogue import Catalogue, Pair, read_pairs
from lamella.data.documents.plurals import RULES, parse_rule, rule_of
from lamella.errors import DataError
from lamella.tasks.translation import guard

HEADER = """\
# A header.
msgid ""
msgstr ""
"Project-Id-Version: test 1.0\\n"
"PO-Revision-Date: 2024-01-01 00:00+0000\\n"
"Last-Translator: A Person <person@example.org>\\n"
"Language-Team: French <fr@example.org>\\n"
"Language: fr\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"
"""

BODY = """
#: a.c:1
msgid "Yes"
msgstr "Oui"

# A note.
#. For translators.
#: a.c:2
#, c-format
#| msgid "Delete %s"
msgid "Delete %s?"
msgstr ""

#: a.c:3
msgctxt "menu"
msgid "_File"
msgstr ""

#, fuzzy
msgid "Old"
msgstr "Vieux"

#, fuzzy
msgid "Not sure"
msgstr ""

msgid ""
"A text of two lines.\\n"
"Its end.\\n"
msgstr ""

#, c-format
msgid "%d file"
msgid_plural "%d files"
msgstr[0] ""
msgstr[1] ""

#~ msgid "Gone"
#~ msgstr ""
"""

FUZZY_LINES = """\
#, fuzzy
msgid ""
"A text of two lines.\\n"
"Its end.\\n"
msgstr ""
"A TEXT OF TWO LINES.\\n"
"ITS END.\\n"
"""

ONE_OR_MANY = """
#, c-format
msgid "One file"
msgid_plural "%d files"
msgstr[0] ""
msgstr[1] ""
"""


def upper(text: str) -> str:
    return text.upper()


def translate(data: bytes, answer: Callable[[str], str] = upper, language: str = "fr", **options: list[Path]) -> bytes:
    """The catalogue as a net would fill it that gives this answer to every sentence."""
    document = Catalogue(data, "test.po", language, options.get("memory", []))
    outcomes = guard.translate_texts(
        document.segments, lambda texts: [[answer(text)] for text in texts], formats=document.formats, target=language
    )
    return document.render([outcome.answer for outcome in outcomes])


def msgfmt(data: bytes) -> None:
    """Fail unless `msgfmt --check` takes a catalogue, what is marked fuzzy included."""
    if not shutil.which("msgfmt"):
        pytest.fail("msgfmt is missing: install gettext (apt install gettext, brew install gettext)")
    command = ["msgfmt", "--check", "--use-fuzzy", "-o", "/dev/null", "-"]
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode() + data.decode("utf-8", "replace")


@pytest.mark.parametrize("module", [catalogue, po, plurals])
def test_the_examples_in_the_docstrings(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def test_only_filled_entries_change() -> None:
    data = (HEADER + BODY).encode()
    expected = HEADER + BODY
    for old, new in [
        (
            '#, c-format\n#| msgid "Delete %s"\nmsgid "Delete %s?"\nmsgstr ""',
            '#, fuzzy, c-format\n#| msgid "Delete %s"\nmsgid "Delete %s?"\nmsgstr "DELETE %s\u00a0?"',
        ),
        ('msgctxt "menu"\nmsgid "_File"\nmsgstr ""', '#, fuzzy\nmsgctxt "menu"\nmsgid "_File"\nmsgstr "_FILE"'),
        (
            'msgid ""\n"A text of two lines.\\n"\n"Its end.\\n"\nmsgstr ""\n',
            FUZZY_LINES,
        ),
        (
            '#, c-format\nmsgid "%d file"\nmsgid_plural "%d files"\nmsgstr[0] ""\nmsgstr[1] ""',
            '#, fuzzy, c-format\nmsgid "%d file"\nmsgid_plural "%d files"\nmsgstr[0] "%d FILE"\nmsgstr[1] "%d FILES"',
        ),
    ]:
        assert old in expected
        expected = expected.replace(old, new)
    assert translate(data).decode() == expected
    msgfmt(expected.encode())
    document = Catalogue(data, "test.po", "fr")
    assert document.formats == ["c-format", "", "", "c-format", "c-format"]
    assert document.render([None] * 5) == data
    assert document.summary(["DELETE %s?", "x", None, "%d x", "%d y"]) == {
        "segments": 5,
        "entries": 7,
        "already": 1,
        "fuzzy": 2,
        "memory": 0,
        "translated": 3,
        "kept": 1,
    }
    with pytest.raises(ValueError, match="5 segments"):
        document.render([])


def test_answers_that_msgfmt_would_reject_are_not_written() -> None:
    data = (HEADER + BODY).encode()
    document = Catalogue(data, "test.po", "fr")
    filled = document.render(["Supprimer %d ?", "Fichier", "Un texte", "%s fichier", "fichiers"])
    assert b"Supprimer" not in filled and b"Un texte" not in filled and b"fichier" not in filled
    assert b'msgstr "Fichier"' in filled
    msgfmt(filled)


def test_line_ends_encodings_and_a_missing_last_line_end_are_kept() -> None:
    crlf = (HEADER + BODY).replace("\n", "\r\n").encode()
    assert translate(crlf) == translate((HEADER + BODY).encode()).replace(b"\n", b"\r\n")
    latin = HEADER.replace("UTF-8", "ISO-8859-1") + '\nmsgid "café"\nmsgstr "x"\n\nmsgid "Heart"\nmsgstr ""'
    filled = translate(latin.encode("latin-1"), lambda _: "Cœur d’été")
    assert (
        filled
        == latin.removesuffix('msgid "Heart"\nmsgstr ""').encode("latin-1")
        + b'#, fuzzy\nmsgid "Heart"\nmsgstr "Coeur d\'\xe9t\xe9"'
    )
    msgfmt(filled)
    assert translate(latin.encode("latin-1"), lambda _: "Сердце") == latin.encode("latin-1")
    marked = b"\xef\xbb\xbf" + HEADER.encode() + b'\nmsgid "a word"\nmsgstr ""\n'
    assert translate(marked).endswith(b'#, fuzzy\nmsgid "a word"\nmsgstr "A WORD"\n')


def test_a_template_becomes_a_catalogue_of_the_language() -> None:
    template = HEADER.replace("Language: fr", "Language: ").replace("UTF-8", "CHARSET")
    template = template.replace("msgid", "#, fuzzy\nmsgid", 1).replace(
        "nplurals=2; plural=(n > 1);", "nplurals=INTEGER; plural=EXPRESSION;"
    )
    for language, forms in {"fr": 2, "ru": 3, "ja": 1, "ar": 6, "pt_BR": 2, "sl": 4}.items():
        msgfmt(translate((template + ONE_OR_MANY).encode(), language=language))
        filled = translate((template + BODY).encode(), language=language)
        msgfmt(filled)
        text = filled.decode()
        assert f'"Language: {language}\\n"' in text and "charset=UTF-8" in text and f"nplurals={forms};" in text
        assert text.count("\nmsgstr[") == forms
        assert text.startswith("# A header.\nmsgid")


def test_plural_forms() -> None:
    french = translate((HEADER + ONE_OR_MANY).encode()).decode()
    assert 'msgstr[0] "ONE FILE"\nmsgstr[1] "%d FILES"\n' in french
    # 21 файл: the form of one is that of 21 too, so that it has to have the number.
    header = HEADER.replace("Language: fr", "Language: ru").replace("nplurals=2; plural=(n > 1);", RULES["ru"])
    russian = translate((header + ONE_OR_MANY).encode(), language="ru").decode()
    assert 'msgstr[0] "%d FILES"\nmsgstr[1] "%d FILES"\nmsgstr[2] "%d FILES"\n' in russian
    msgfmt(french.encode())
    msgfmt(russian.encode())


def test_a_missing_header_or_rule_is_added_and_an_unknown_rule_is_not_guessed() -> None:
    filled = translate(b'msgid "a word"\nmsgstr ""\n').decode()
    assert filled.startswith('msgid ""\nmsgstr ""\n"Language: fr\\n"\n') and filled.endswith('\nmsgstr "A WORD"\n')
    msgfmt(filled.encode())
    without = HEADER.replace('"Plural-Forms: nplurals=2; plural=(n > 1);\\n"\n', "")
    filled = translate((without + BODY).encode()).decode()
    assert '8bit\\n"\n"Plural-Forms: nplurals=2; plural=(n > 1);\\n"\n\n' in filled
    msgfmt(filled.encode())
    unknown = translate((without.replace("fr", "tlh") + BODY).encode(), language="tlh")
    assert b'msgstr[0] ""' in unknown and b'"DELETE %s?"' in unknown
    msgfmt(unknown)


def test_strings_are_wrapped_and_escaped_as_gettext_does() -> None:
    long = "A text that is so long that no line of seventy-nine columns has room for it, whatever is done."
    document = Catalogue((HEADER + f'\nmsgid "{long}"\nmsgstr ""\n').encode(), "test.po", "fr")
    filled = document.render([long.replace("text", '"t\\e')])
    assert filled.decode().endswith(
        'msgstr ""\n"A \\"t\\\\e that is so long that no line of seventy-nine columns has room for "\n'
        '"it, whatever is done."\n'
    )
    msgfmt(filled)


def test_memory_comes_before_the_net(tmp_path: Path) -> None:
    memory = tmp_path / "other.po"
    memory.write_text(
        HEADER + '\nmsgid "Delete %s?"\nmsgstr "Supprimer %s ?"\n\nmsgid "_File"\nmsgstr "_Fichier"\n\n'
        '#, fuzzy\nmsgid "A text of two lines.\\nIts end.\\n"\nmsgstr "Peut-être\\n"\n\n'
        '#, c-format\nmsgid "%d file"\nmsgid_plural "%d files"\nmsgstr[0] "%d fichier"\nmsgstr[1] "%d fichiers"\n',
        encoding="utf-8",
    )
    compiled = tmp_path / "other.mo"
    subprocess.run(["msgfmt", "-o", compiled, memory], check=True)
    for path in (memory, compiled):
        document = Catalogue((HEADER + BODY).encode(), "test.po", "fr", [path])
        assert document.segments == ["A text of two lines.\nIts end.\n"]
        filled = document.render([None]).decode()
        assert '#, c-format\n#| msgid "Delete %s"\nmsgid "Delete %s?"\nmsgstr "Supprimer %s ?"' in filled
        assert '#, fuzzy\nmsgctxt "menu"\nmsgid "_File"\nmsgstr "_Fichier"' in filled  # another context
        assert 'msgstr[0] "%d fichier"\nmsgstr[1] "%d fichiers"' in filled
        assert document.summary([None])["memory"] == 3
        msgfmt(filled.encode())
    # A memory is not believed blindly either.
    memory.write_text('msgid "Delete %s?"\nmsgstr "Supprimer %d ?"\n', encoding="utf-8")
    assert len(Catalogue((HEADER + BODY).encode(), "test.po", "fr", [memory]).segments) == 5
    with pytest.raises(DataError, match=r"expected a \.po or \.mo file"):
        Catalogue((HEADER + BODY).encode(), "test.po", "fr", [tmp_path / "x.txt"])


def test_the_same_message_in_another_context_is_a_memory_too() -> None:
    entries = '\nmsgid "Open"\nmsgstr "Ouvrir"\n\nmsgctxt "state"\nmsgid "Open"\nmsgstr ""\n'
    document = Catalogue((HEADER + entries).encode(), "test.po", "fr")
    assert document.segments == []
    assert document.render([]).decode().endswith('#, fuzzy\nmsgctxt "state"\nmsgid "Open"\nmsgstr "Ouvrir"\n')


def test_credits_are_the_translators_own() -> None:
    data = (HEADER + '\nmsgid "translator-credits"\nmsgstr ""\n').encode()
    assert translate(data) == data


def test_pairs(tmp_path: Path) -> None:
    path = tmp_path / "a.po"
    path.write_bytes(translate((HEADER + BODY).encode()).replace(b"#, fuzzy, c-format", b"#, c-format"))
    assert list(read_pairs(path)) == [
        Pair("Yes", "Oui", 15),
        Pair("Delete %s?", "DELETE %s\u00a0?", 23),
        Pair("%d file", "%d FILE", 49),
        Pair("%d files", "%d FILES", 49),
    ]
    subprocess.run(["msgfmt", "-o", tmp_path / "a.mo", path], check=True)
    assert {pair[:2] for pair in read_pairs(tmp_path / "a.mo")} == {pair[:2] for pair in read_pairs(path)}
    (tmp_path / "b.mo").write_bytes(b"\xde\x12\x04\x95 and no more")
    with pytest.raises(DataError, match=r"b\.mo: expected a compiled catalogue"):
        list(read_pairs(tmp_path / "b.mo"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "received an empty file"),
        (b"\xde\x12\x04\x95\x00\x00", "received binary data"),
        (b"Dear reader,\n", 'line 1: expected a line of a catalogue .* received "Dear reader,"'),
        (b'msgid "a"\nmsgstr "b\n', "line 2: expected a line of a catalogue"),
        (b'msgid "a"\n\nmsgid "b"\n', "line 3: expected .* before msgid"),
        (b'msgid "a"\n', "line 1: expected msgstr after msgid"),
        (b'msgstr "a"\n', "line 1: expected msgid"),
        (b'"a"\n', "line 1: expected msgid before a string"),
        (HEADER.encode() + b'\nmsgid "\xff"\nmsgstr ""\n', "line 14: expected text in utf-8, as the header says"),
        (HEADER.replace("Language: fr", "Language: de").encode(), "expected a catalogue for fr, received one for de"),
    ],
)
def test_what_is_no_catalogue(data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        Catalogue(data, "test.po", "fr")
    assert str(caught.value).startswith("test.po") and "\n" not in str(caught.value)


def test_every_rule_of_the_table_makes_sense() -> None:
    for language, text in RULES.items():
        rule = parse_rule(text)
        assert rule and rule_of(language) == text
        assert {rule.form(number) for number in range(1000)} == set(range(rule.forms)), language


STRINGS = st.lists(
    st.sampled_from(
        [
            *("word ", "Words", "%s", "%d", " 100% ", "{a}", "<b>", "</b>", '"', "\\", "\n", "\t", "é", "🎉"),
            *("_File", "&", ". ", "x", "a long stretch of text that has to be wrapped by whoever writes it "),
            *("语言", ":", "..."),
        ]
    ),
    min_size=1,
    max_size=8,
).map("".join)


@st.composite
def catalogues(draw: st.DrawFn) -> tuple[bytes, set[int]]:
    """A catalogue, and which lines of it are free to change: those of empty msgstr, and those of flags."""
    lines, free = HEADER.splitlines(), set()
    for number, text in enumerate(draw(st.lists(STRINGS, max_size=6))):
        lines += ["", f"#: {number}.c"]
        if draw(st.booleans()):
            lines.append(
                "#, " + draw(st.sampled_from(["c-format", "python-brace-format", "no-wrap", "c-format, no-wrap"]))
            )
            free.add(len(lines) - 1)
        if draw(st.booleans()):
            lines.append(f'msgctxt "{number}"')
        lines += po.quoted("msgid", f"{number}{text}")
        if draw(st.booleans()):
            lines += [f'msgid_plural "{number}s"', 'msgstr[0] ""', 'msgstr[1] ""']
            free |= {len(lines) - 1, len(lines) - 2}
        elif draw(st.booleans()):
            lines.append('msgstr ""')
            free.add(len(lines) - 1)
        else:
            lines += po.quoted("msgstr", f"{number}{text}")
    return "\n".join([*lines, ""]).encode(), free


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(catalogues(), st.sampled_from([str.upper, str.swapcase, lambda text: text[::-1], lambda text: text + " % d"]))
def test_any_catalogue_is_filled_without_touching_the_rest(
    made: tuple[bytes, set[int]], answer: Callable[[str], str]
) -> None:
    data, free = made
    filled = translate(data, answer)
    rest = iter(filled.decode().split("\n"))
    # Every line that may not change is there, in order.
    assert all(
        any(line == other for other in rest)
        for number, line in enumerate(data.decode().split("\n"))
        if number not in free
    )
    before = [(entry.context, entry.msgid, entry.plural) for entry in po.parse(data.splitlines(True), "utf-8", "a")]
    after = [(entry.context, entry.msgid, entry.plural) for entry in po.parse(filled.splitlines(True), "utf-8", "a")]
    assert before == after
    msgfmt(filled)
