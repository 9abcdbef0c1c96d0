"""Placeholders: what must survive is found, what only looks like it is not, and order counts where it has to."""

from __future__ import annotations

import doctest
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamella.data.text import placeholders
from lamella.data.text.placeholders import accelerator, agree, edges, find, restore_accelerator, same, split_accelerator

PARTS = [
    *"ab A1.:-_/\\%[]{}$`*~=@<>&#()'\"!?|^+,; \né", "com", "www.", "mailto:", "{0}", "--x", "C:\\", "%s", "写",
]  # fmt: skip


def test_what_has_no_sign_has_no_placeholder() -> None:
    """The patterns are not asked then, and none of them would have found anything."""
    rng, without = random.Random(1), 0
    for _ in range(20_000):
        text = placeholders._apart("".join(rng.choices(PARTS, k=rng.randint(1, 9))))
        if not placeholders._SIGN.search(text):
            without += 1
            assert not [kind for kind in placeholders._PARTS if placeholders._pattern(kind).search(text)], text
    assert without > 1000


def test_the_examples_in_the_docstrings() -> None:
    assert doctest.testmod(placeholders).failed == 0


@pytest.mark.parametrize(
    "text",
    [
        "%s %d %5.2f %-10s %1$s %2$5d %(name)s %(n)03d %% %<PRIu64> %zu %.*f %*d",
        "%1 %L1 %n %12",
        "%Y %H %M %-d",
        "{name} {0} {0:>5} {} {x!r} {a.b[c]} {n:,} {date:%d %B} {{ }}",
        "{count, plural} {{name}} {% if x %} {# note #}",
        "${var} $var $(cmd) @VERSION@",
        '<b> </b> <br/> <a href="x y"> <0> </0> <file> <!-- a note --> <?php ?>',
        "&amp; &#160; &#xA0; &lt;",
        "https://example.org/a?b=c#d http://{host}/{path} ftp://%s/x www.example.org mailto:me@example.org",
        "me@example.org first.last+tag@mail.example.org",
        "/usr/share/x ~/x ./y ../z C:\\Users\\x src/main.c README.md config.yaml",
        r"\n \t \" \x41 \u00e9",
        "--output --with-dash= -v -O2",
        "`code` ``two`` `it's code`",
    ],
)
def test_what_is_a_placeholder(text: str) -> None:
    # Everything but the blanks between is one, so that what is left is blank.
    left = text
    for one in find(text):
        left = left.replace(one, "", 1)
    assert not left.strip()


@pytest.mark.parametrize(
    "text",
    [
        "100% sure, 50 % de plus, 20%-30% off, 10%discount",
        "3 < 4 and 5 > 2, R&D, AT&T & Co",
        "costs $5 or US$ 7, me @ home, user@",
        "and/or, km/h, 1/2, TCP/IP",
        "a set {of things} {note: like this}",
        "well-known, a--b, l'un -- l'autre, 2 - 1",
        "old `quotes' and `more of them' here",
        "file_name, snake_case_word",
        "e.g. this, i.e. that, etc.",
        "",
    ],
)
def test_what_is_none(text: str) -> None:
    assert find(text) == []


def test_formats_are_read_as_msgfmt_reads_them() -> None:
    assert find("100% sure", "c-format") == ["% s"]
    assert find("100% sure", "no-c-format") == find("100% sure", "") == []
    assert not agree("100%% of %s", "100 % de %s", "c-format")  # "% d"
    assert not agree("%s files", "%s fichiers 50 %", "c-format")  # ends within a directive
    assert agree("%s files", "%s fichiers", "c-format, range: 0..9")
    assert not agree("{a} b", "{a} {b", "python-brace-format")
    assert not agree("the file {0}", "l'archive {0}", "java-format")
    assert agree("the file {0}", "l''archive {0}", "java-format")


def test_addresses_end_before_punctuation() -> None:
    assert find("(see https://example.org/a, or <https://example.org>.)") == [
        "https://example.org/a",
        "https://example.org",
    ]
    assert find("[https://a.org](https://a.org)", "markdown") == ["[", "https://a.org", "](https://a.org)"]


def test_markdown() -> None:
    text = "See [the *guide*](a(b).html 'x'), ![pic](p.png), [x][ref] and **bold _it_** ~~no~~"
    text += " `co de` $x^2$ [^1] 2 * 3 a_b_c"
    assert find(text, "markdown") == [
        *("[", "*", "*", "](a(b).html 'x')", "![", "](p.png)", "[", "][ref]", "**", "_", "_", "**", "~~", "~~"),
        *("`co de`", "$x^2$", "[^1]"),
    ]
    assert not agree("[a](b)", "](b)a[", "markdown")
    assert not agree("[a](b) c", "[](b) a c", "markdown")


@pytest.mark.parametrize(
    ("source", "answer", "expected"),
    [
        ("%s of %d", "%d of %s", False),
        ("%s of %s", "%s de %s", True),
        ("%1$s of %2$d", "%2$d de %1$s", True),
        ("%(a)s of %(b)d", "%(b)d de %(a)s", True),
        ("{a} of {b}", "{b} de {a}", True),
        ("100%% of %s", "%s : 100%%", True),
        ("<b>a</b> c", "c <b>a</b>", True),
        ("<b>a</b> c", "</b>a<b> c", False),
        ("<b>a</b> <i>c</i>", "<b>a <i>c</b></i>", False),
        ("<b>a</b> <i>c</i>", "<i>c</i> <b>a</b>", True),
        ("<b>a</b> c", "<b></b> a c", False),
        ("a</b> <b>c", "a</b> <b>c", True),
        ("a</b> <b>c", "<b>c a</b>", False),
        ("<br>a <file>", "<file> a<br>", True),
    ],
)
def test_order(source: str, answer: str, expected: bool) -> None:
    assert agree(source, answer) is expected


@pytest.mark.parametrize(
    ("text", "mark", "clean"),
    [
        ("_File", "_F", "File"),
        ("Save _As…", "_A", "Save As…"),
        ("E_xit", "_x", "Exit"),
        ("Save a_s", "_s", "Save as"),
        ("&Open %s", "&O", "Open %s"),
        ("E&xit", "&x", "Exit"),
        ("_Open {file_name}", "_O", "Open {file_name}"),
    ],
)
def test_accelerators(text: str, mark: str, clean: str) -> None:
    assert split_accelerator(text) == (clean, mark)
    again, letter = split_accelerator(restore_accelerator(clean, mark))
    assert (again, letter.lower()) == (clean, mark.lower())


@pytest.mark.parametrize(
    "text",
    [
        *("max_width", "snake_case_name", "MAX_SIZE", "AT&T", "R&D", "a & b", "Find && Replace", "&amp; more"),
        *("_a _b", "x" * 90 + " _y", "https://a.org/_x", "{_name}", "<a href='?a&b'>x</a>", "two\n_lines", ""),
    ],
)
def test_no_accelerators(text: str) -> None:
    assert accelerator(text) == ""
    assert split_accelerator(text) == (text, "")


def test_an_accelerator_finds_its_place() -> None:
    assert restore_accelerator("Quitter", "_x") == "_Quitter"
    assert restore_accelerator("{a} Quitter", "_a") == "{a} _Quitter"
    assert restore_accelerator("文件", "_F") == "文件(_F)"
    assert restore_accelerator("...", "_F") == "..."


@given(st.text(max_size=40))
def test_edges_are_white_space_and_nothing_is_lost(text: str) -> None:
    before, core, after = edges(text)
    assert before + core + after == text
    assert core == text.strip() and not before.strip() and not after.strip()


@given(st.text(alphabet="%s1$d(){}<>/b& ;`'_*[]a-.@:\\", max_size=60), st.sampled_from(["", "c-format", "markdown"]))
def test_placeholders_are_apart_and_in_order(text: str, kind: str) -> None:
    ends = [place for span in placeholders.spans(text, kind) for place in span]
    assert ends == sorted(ends)
    assert agree(text, text, kind) or "java" in kind
    assert same(text, text, kind)


@pytest.mark.parametrize(
    "unit", ["a", "%", "<a ", "<!--", "`a'", "{", "{a:", "/a", "-a", "a.", "a@", "[a", "](", "*a", "aa://,"]
)
def test_time_grows_with_the_text_and_no_faster(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        start = time.process_time()
        for kind in ("", "c-format", "markdown"):
            find(text, kind)
        return time.process_time() - start

    assert seconds(100_000) < 8 * seconds(25_000) + 0.5
