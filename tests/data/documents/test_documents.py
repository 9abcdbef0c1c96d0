"""Documents: what is translated in a text or a Markdown page, and that nothing else of the file changes."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamella.data.documents import formats as documents
from lamella.data.documents import markdown, prose
from lamella.data.documents.formats import open_document
from lamella.errors import DataError
from lamella.tasks.translation import guard


def upper(data: bytes, name: str) -> bytes:
    """The document with every segment in capitals, as the guard lets it through."""
    document = open_document(data, name)
    outcomes = guard.translate_texts(
        document.segments, lambda texts: [[text.upper()] for text in texts], formats=document.formats
    )
    return document.render([outcome.answer for outcome in outcomes])


@pytest.mark.parametrize("module", [documents, markdown, prose])
def test_the_examples_in_the_docstrings(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


LETTER = """\
Dear reader,

this paragraph was wrapped by its author so that no line
of it has more than sixty characters, which is what most
editors do. It ends here.

  - one item that is also wrapped since it is too long
    for one line
  - another

name      value
size      12

    Roses are red,
    violets are blue.\
"""


def test_text_is_unwrapped_where_it_was_wrapped() -> None:
    document = open_document(LETTER.encode(), "letter.txt")
    assert document.segments == [
        "Dear reader,",
        " ".join(LETTER.split("\n")[2:5]),
        "- one item that is also wrapped since it is too long for one line",
        "- another",
        "name      value",
        "size      12",
        "Roses are red,",
        "violets are blue.",
    ]
    answers: list[str | None] = [None] * 8
    answers[1] = "word " * 29 + "word"
    answers[2] = "- " + "item " * 15 + "item"
    lines = document.render(answers).decode().split("\n")
    assert lines[:3] == ["Dear reader,", "", " ".join(["word"] * 11)]
    assert "  - " + " ".join(["item"] * 10) in lines and "    " + " ".join(["item"] * 6) in lines
    assert max(map(len, lines)) <= 56
    assert upper(LETTER.encode(), "letter.txt") == LETTER.upper().encode()


@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_encoding_and_line_ends_are_kept(encoding: str, eol: str) -> None:
    text = f"Un café{eol}{eol}{eol}  Deux thés  {eol}Trois{eol}"
    assert upper(text.encode(encoding), "a.txt") == text.upper().encode(encoding)
    assert upper(f"# café{eol}{eol}- thé".encode(encoding), "a.md") == f"# CAFÉ{eol}{eol}- THÉ".encode(encoding)


def test_letters_that_an_encoding_lacks_make_the_file_utf_8() -> None:
    document = open_document("Größe".encode("cp1252"), "a.txt")
    assert document.render(["Größe ist rozmiar, łącznie"]) == "Größe ist rozmiar, łącznie".encode()


PAGE = """\
---
title: stays
---

# Heading with `code` ## {#id}

Underlined
----------

A paragraph **wrapped** with a
[link](http://a.org/b "t") and ![alt](x.png), [label], [other][ref].
A break{blanks}
and another\\
end &amp; <b>tag</b>.

- item
  goes on
  - nested *item*

    paragraph in it

        code in it
- [ ] task
1. number
2) other

> quoted
> lines
>
> - item

    indented code

```python
print("code")
```

| Name | What `it` does |
|------|:------:|
| one \\| two | three |

<div>
raw html
</div>

<!-- a comment

still -->
[label]: http://a.org
[ref]: http://b.org "title"

Note[^1] this.

[^1]: The note.

***
$$
x = y
$$
~~~
more code
~~~
End of https://a.org/x_y and *all*.
""".replace("{blanks}", "  ")


def test_markdown_keeps_its_structure() -> None:
    document = open_document(PAGE.encode(), "page.md")
    assert document.segments == [
        "Heading with `code`",
        "Underlined",
        " ".join(PAGE.split("\n")[9:12]).replace("[label]", "[label][label]").rstrip(),
        "and another",
        "end &amp; <b>tag</b>.",
        "item goes on",
        "nested *item*",
        "paragraph in it",
        "task",
        "number",
        "other",
        "quoted lines",
        "item",
        "Name",
        "What `it` does",
        "one \\| two",
        "three",
        "raw html",
        "Note[^1] this.",
        "The note.",
        "End of https://a.org/x_y and *all*.",
    ]
    expected = PAGE
    for old, new in [
        ("# Heading with", "# HEADING WITH"),
        ("Underlined", "UNDERLINED"),
        ("A paragraph **wrapped** with a\n[link](", "A PARAGRAPH **WRAPPED** WITH A [LINK]("),
        (
            " and ![alt](x.png), [label], [other][ref].\nA break",
            " AND\n![ALT](x.png), [LABEL][label], [OTHER][ref]. A BREAK",
        ),
        ("and another\\\nend", "AND ANOTHER\\\nEND"),
        ("<b>tag", "<b>TAG"),
        ("- item\n  goes on\n  - nested *item*", "- ITEM\n  GOES ON\n  - NESTED *ITEM*"),
        ("paragraph in it", "PARAGRAPH IN IT"),
        ("[ ] task\n1. number\n2) other", "[ ] TASK\n1. NUMBER\n2) OTHER"),
        ("> quoted\n> lines\n>\n> - item", "> QUOTED\n> LINES\n>\n> - ITEM"),
        ("| Name | What `it` does", "| NAME | WHAT `it` DOES"),
        ("| one \\| two | three", "| ONE \\| TWO | THREE"),
        ("<div>\nraw html", "<div>\nRAW HTML"),
        ("Note[^1] this", "NOTE[^1] THIS"),
        ("The note.", "THE NOTE."),
        ("End of https://a.org/x_y and *all*", "END OF https://a.org/x_y AND *ALL*"),
    ]:
        assert old in expected, old
        expected = expected.replace(old, new)
    assert upper(PAGE.encode(), "page.md").decode() == expected


@pytest.mark.parametrize(
    ("source", "answer", "expected"),
    [
        ("Hello\n", "- Hello", "\\- Hello\n"),
        ("Hello\n", "# Hello", "\\# Hello\n"),
        ("Hello\n", "1. Hello", "1\\. Hello\n"),
        ("> Hello\n", "> Hello", "> \\> Hello\n"),
        ("| a | b |\n|---|---|\n", "x | y", "| x \\| y | b |\n|---|---|\n"),
        ("one two three\nfour five six\n", "un deux trois quatre cinq", "un deux trois\nquatre cinq\n"),
        ("one two three\nfour five six\n", "un deux trois - quatre", "un deux trois - quatre\n"),
        ("aaaa bbbb cccc dddd ee\nffff\n", "aaaa bbbb cccc dddd ee - f", "aaaa bbbb cccc dddd ee - f\n"),
    ],
)
def test_an_answer_makes_no_markdown_of_its_own(source: str, answer: str, expected: str) -> None:
    document = open_document(source.encode(), "a.md")
    answers = [answer, *([None] * (len(document.segments) - 1))]
    assert document.render(answers).decode() == expected


LINES = st.lists(
    st.sampled_from(
        [
            *("", "text", "some longer text that goes on, and on, until it is long", "- item", "  - nested"),
            *("1. one", "> quote", "> - q", "    code", "```", "~~~", "# head", "---", "===", "| a | b |"),
            *("|---|---|", "<div>", "</div>", "<!--", "-->", "[x]: y", "[x]", "[^1]: note", "**b** `c`", "a  "),
            *("b\\", "\t\ttabs", "$$", "+++", "***", "#", "-", ">", "|", "\\", " x"),
        ]
    ),
    max_size=15,
)


@settings(max_examples=150, deadline=None)
@given(LINES, st.sampled_from(["\n", "\r\n"]), st.sampled_from(["a.txt", "a.md"]))
def test_without_answers_not_one_byte_changes(lines: list[str], eol: str, name: str) -> None:
    data = (eol.join(lines) + "x").encode()
    document = open_document(data, name)
    assert document.render([None] * len(document.segments)) == data
    assert document.render(document.segments) == data
    assert all(segment == segment.strip() and "\n" not in segment for segment in document.segments)
    assert upper(data, name).count(b"```") == data.count(b"```")


def test_figures_and_mistakes() -> None:
    document = open_document(b"One\n\nTwo\n", "a.txt")
    assert document.summary(["Un", None]) == {"segments": 2, "kept": 1, "paragraphs": 2}
    with pytest.raises(ValueError):
        document.render(["Un"])


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (b"", "a.txt", "a.txt: expected text, received an empty file"),
        (b"", "a.md", "a.md: expected text, received an empty file"),
        (b"a\x00b", "a.txt", "a.txt, line 1: expected text, received a NUL"),
        (b"\x89PNG\r\n\x1a\n", "a.md", "a.md: expected text .* received a PNG picture"),
        (b"text", "a.doc", r"a.doc: expected one of .* received .doc\. Save it"),
        (b"text", "README", "README: expected one of .* received a name without a suffix"),
        (b"text", None, "the text: expected one of"),
    ],
)
def test_what_is_no_document(data: bytes, name: str | None, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        open_document(data, name)
    assert "\n" not in str(caught.value)


def test_files_are_opened_by_path(tmp_path: Path) -> None:
    path = tmp_path / "Read Me.MD"
    path.write_bytes(b"# Title\n")
    assert open_document(path).segments == open_document(str(path)).segments == ["Title"]
    with pytest.raises(DataError, match="Check the path"):
        open_document(tmp_path / "none.txt")


def test_lines_that_end_as_sentences_do_are_texts_by_themselves() -> None:
    text = b"The first line ends here, as it should.\nThe second one does so as well, at its end.\nand the third!\n"
    document = open_document(text, "a.txt")
    assert document.segments == [line for line in text.decode().split("\n") if line]
    assert document.summary([None] * 3)["lines"] == 3
    wrapped = (
        b"This paragraph was wrapped by an editor at about\nforty columns, and so it is one text. It\nends here.\n"
    )
    assert open_document(wrapped, "b.txt").summary([None]) == {"segments": 1, "kept": 1, "paragraphs": 1}


@pytest.mark.parametrize(
    ("page", "segments"),
    [
        ("> [!NOTE]\n> This is a note.\n", ["This is a note."]),
        (
            "Term\n: The meaning of it,\n  in two lines.\n: Another.\n",
            ["Term", "The meaning of it, in two lines.", "Another."],
        ),
        ("Some text.\n{: .note }\n", ["Some text."]),
        ("[[_TOC_]]\n\n[TOC]\n\nText\n", ["Text"]),
        ("import Tabs from '@theme/Tabs';\nexport const x = 1;\n\n<Tabs value=\"a\">\nInside.\n</Tabs>\n", ["Inside."]),
        ("This is ==important== here.\n", ["This is ==important== here."]),
        ("- item\n\n  > quoted in it\n", ["item", "quoted in it"]),
        (
            "We import goods from 'Spain' and export const goods.\n",
            ["We import goods from 'Spain' and export const goods."],
        ),
    ],
)
def test_markdown_of_several_programs(page: str, segments: list[str]) -> None:
    document = open_document(page.encode(), "a.md")
    assert document.segments == segments
    assert document.render(segments) == page.encode()


@pytest.mark.parametrize(
    ("page", "written"),
    [
        ("<details>\n<summary>Click</summary>\n\nText.\n", "<details>\n<summary>CLICK</summary>\n\nTEXT.\n"),
        ('<p align="center">\n  <img src="a.png" alt="Logo">\n</p>\n', '<p align="center">\n  <img src="a.png" alt="LOGO">\n</p>\n'),
        ('<pre>code here</pre>\n<script>\nlet a;\n</script>\n# A\n', "<pre>code here</pre>\n<script>\nlet a;\n</script>\n# A\n"),
        ("> <h2>Title</h2>\n\n- <p>Item</p>\n", "> <h2>TITLE</h2>\n\n- <p>ITEM</p>\n"),
        ("> <p>\n> Not this\n> </p>\n\nText\n", "> <p>\n> Not this\n> </p>\n\nTEXT\n"),
        ('<h1 align="center">One <b>two</b></h1>\n', '<h1 align="center">ONE <b>TWO</b></h1>\n'),
        (":::tip My tip\nText.\n:::\n", ":::tip MY TIP\nTEXT.\n:::\n"),
        (":::note[My note]{#a}\nText.\n:::\n", ":::note[MY NOTE]{#a}\nTEXT.\n:::\n"),
        ("::: details Click me\nText.\n:::\n", "::: details CLICK ME\nTEXT.\n:::\n"),
        ('::: {.callout-tip title="My tip"}\nText.\n:::\n', '::: {.callout-tip title="MY TIP"}\nTEXT.\n:::\n'),
        (':::image source="a.png" alt-text="x":::\n\nText\n', ':::image source="a.png" alt-text="x":::\n\nTEXT\n'),
    ],
)  # fmt: skip
def test_html_and_titles_of_containers_in_markdown(page: str, written: str) -> None:
    assert upper(page.encode(), "page.md").decode() == written
    document = open_document(page.encode(), "page.md")
    assert document.render(list(document.segments)).decode() == page
