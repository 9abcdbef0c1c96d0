"""Web pages: what is translated, that it is written as HTML, and that nothing else changes."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lamella
from lamella.data.documents.formats import open_document
from lamella.errors import DataError
from lamella.model import shipped
from lamella.tasks.translation import guard

PAGE = """\
<!DOCTYPE html>
<html lang="en" class=x>
<head><meta charset="utf-8"><title>The A &amp; B page</title>
<meta name="description" content="About &quot;us&quot;"><meta name="keywords" content="stays, so">
<style>p > a { color: red }</style>
<script>if (a < b && c) document.write("<p>stays</p>");</script></head>
<body data-x="1 > 0">
<!-- a comment stays -->
<h1>Hello,   <em>world</em>!</h1>
<p title='It&#39;s here'>Press <kbd>Ctrl</kbd> or run <code>ls <b>-l</b></code> for <b>all
 files</b>.<br>Second line <img src="a.png" alt="A cat"> goes on &mdash; 3 &lt; 4.</p>
<pre>code <b>stays</b></pre>
<p translate="no">Name <b>stays</b></p><p>but <span translate=no>Lamella Inc</span> is kept</p>
<ul><li>one<li><a href="x?a=1&b=2" title=Go>two</a></ul>
<input placeholder="Your name" value="stays"><button aria-label="Close it">x</button>
<p>2024</p><p>caf&eacute; au lait &amp;lt; tea</p>
</body></html>
"""

SEGMENTS = [
    "The A & B page",
    'About "us"',
    "Hello, <1>world</1>!",
    "It's here",
    "Press <1/> or run <2/> for <3>all files</3>.",
    "A cat",
    "Second line <1/> goes on — 3 &lt; 4.",
    "but <1/> is kept",
    "one",
    "Go",
    "two",
    "Your name",
    "Close it",
    "x",
    "café au lait &amp;lt; tea",
]


def upper(data: bytes, name: str = "a.html", language: str = "fr") -> bytes:
    document = open_document(data, name, language)

    def net(sentences: list[str]) -> list[list[str]]:
        return [
            ["".join(p if p[:1] in "<&" else p.upper() for p in re.split(r"(<[^>]*>|&\w+;)", s))] for s in sentences
        ]

    outcomes = guard.translate_texts(document.segments, net, formats=document.formats)
    return document.render([outcome.answer for outcome in outcomes])


class Reader(HTMLParser):
    """What a page holds as a parser reads it: its tags in order, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[object] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(
            (
                tag,
                [
                    (k, "" if k in ("alt", "title", "placeholder", "aria-label", "lang", "content") else v)
                    for k, v in attrs
                ],
            )
        )

    def handle_endtag(self, tag):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


def test_what_is_translated() -> None:
    assert open_document(PAGE.encode(), "page.html", "fr").segments == SEGMENTS


def test_every_other_byte_stays() -> None:
    found = upper(PAGE.encode()).decode()
    wanted = PAGE
    for old, new in [
        ('lang="en"', 'lang="fr"'),
        ("The A &amp; B page", "THE A &amp; B PAGE"),
        ("About &quot;us&quot;", "ABOUT &#34;US&#34;"),
        ("Hello,   <em>world</em>!", "HELLO, <em>WORLD</em>!"),
        ("It&#39;s here", "IT&#39;S HERE"),
        ("Press <kbd>", "PRESS <kbd>"),
        ("</kbd> or run <code>", "</kbd> OR RUN <code>"),
        ("</code> for <b>all\n files</b>.", "</code> FOR <b>ALL FILES</b>."),
        ("Second line <img", "SECOND LINE <img"),
        ("A cat", "A CAT"),
        ("goes on &mdash; 3 &lt; 4", "GOES ON — 3 &lt; 4"),
        (
            "<p>but <span translate=no>Lamella Inc</span> is kept",
            "<p>BUT <span translate=no>Lamella Inc</span> IS KEPT",
        ),
        ("<li>one<li>", "<li>ONE<li>"),
        ("title=Go>two", 'title="GO">TWO'),
        ("Your name", "YOUR NAME"),
        ("Close it", "CLOSE IT"),
        (">x<", ">X<"),
        ("caf&eacute; au lait &amp;lt; tea", "CAFÉ AU LAIT &amp;LT; TEA"),
    ]:
        assert old in wanted, old
        wanted = wanted.replace(old, new)
    assert found == wanted
    before, after = Reader(PAGE), Reader(found)
    assert before.tags == after.tags
    assert " ".join(after.text.upper().split()) == " ".join(before.text.upper().split())


@pytest.mark.parametrize(
    ("source", "answer", "page"),
    [
        (b"<p>yes</p>", "d\xe9j\xe0 \u4f60", b"<p>d&#233;j&#224; &#20320;</p>"),  # ASCII that says nothing stays ASCII
        (b"<meta charset=utf-8><p>yes</p>", "d\xe9j\xe0", "<meta charset=utf-8><p>déjà</p>".encode()),
        (b"<meta charset=iso-8859-1><p>yes \xe9</p>", "\xe9 \u2260", b"<meta charset=iso-8859-1><p>\xe9 &#8800;</p>"),
        ("\ufeff<p>yes</p>".encode("utf-16-le"), "déjà", "\ufeff<p>déjà</p>".encode("utf-16-le")),
        ("\ufeff<p>yes</p>".encode(), "déjà", "\ufeff<p>déjà</p>".encode()),
        (b"<p>yes</p>", "<script>alert(1)</script>", b"<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        (b"<img alt='yes'>", 'l\'"x" <', b"<img alt='l&#39;\"x\" &lt;'>"),
        (b"<img alt=yes>", 'a "b"', b'<img alt="a &#34;b&#34;">'),
        (b"<p>a <b>b</b></p>", "b a", b"<p>a <b>b</b></p>"),  # lost its tags: the source
        (b"<p>a <b>b</b></p>", "<1>B</1> A", b"<p><b>B</b> A</p>"),
        (b"<p>yes\xff\xfe \xe9</p>", None, b"<p>yes\xff\xfe \xe9</p>"),
    ],
)
def test_answers_become_html(source: bytes, answer: str | None, page: bytes) -> None:
    document = open_document(source, "a.htm")
    assert len(document.segments) == 1
    assert document.render([answer]) == page


def test_what_has_no_language_gets_one() -> None:
    assert upper(b"<HTML><p>a b", language="pt_BR") == b'<HTML lang="pt-BR"><p>A B'
    assert upper(b"<html xml:lang='en' lang=en><p>a b") == b'<html xml:lang="fr" lang="fr"><p>A B'
    assert upper(b"<html lang=en><p>42") == b"<html lang=en><p>42", "nothing was translated"


PIECES = st.lists(
    st.sampled_from(
        [
            *(
                "text ",
                "More text. ",
                "<p>",
                "</p>",
                "<b>",
                "</b>",
                "<i class='a>b'>",
                "</i>",
                "<br>",
                "<br/>",
                "<img alt='x y'>",
            ),
            *(
                "<script>a<b</script>",
                "<script>",
                "<pre>",
                "</pre>",
                "<code>c</code>",
                "<!-- c -->",
                "<!--",
                "<![CDATA[x]]>",
                "<",
            ),
            *(
                "&amp;",
                "&",
                "&lt;",
                "&eacute;",
                "&#x41;",
                "é",
                ">",
                "<span translate=no>n",
                "</span>",
                "<div translate='yes'>",
            ),
            *(
                "</div>",
                "<a href=x title='t t'>",
                "</a>",
                "<li>",
                "<td>",
                "\n",
                "\t",
                "\xa0",
                "<title>T t",
                "</title>",
                "<?x?>",
            ),
            *(
                '"',
                "'",
                "=",
                "<svg><text>s</text></svg>",
                "<textarea>t",
                "</textarea>",
                "<p title='un",
                "</x",
                "1",
                "<2>",
                "</3>",
            ),
        ]
    ),
    max_size=20,
)


@settings(max_examples=300, deadline=None)
@given(PIECES, st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]))
def test_without_answers_not_one_byte_changes(pieces: list[str], encoding: str) -> None:
    data = ("".join(pieces) + "x").encode(encoding)
    document = open_document(data, "a.html", "fr")
    assert document.render([None] * len(document.segments)) == data
    assert document.render(document.segments) == data
    assert all(segment.strip() and "\n" not in segment for segment in document.segments)
    # The parser of the standard library knows no <title> without markup, and cuts off what is not closed at the end.
    if encoding == "utf-8" and not {"<title>T t", "<textarea>t", "<script>", "<!--", "<p title='un", "</x", "<"} & {
        *pieces
    }:
        before, after = Reader("".join(pieces) + "x"), Reader(upper(data, language="").decode())
        assert [t for t in before.tags if isinstance(t, str)] == [t for t in after.tags if isinstance(t, str)]


def test_long_nonsense_takes_no_long() -> None:
    start = time.process_time()
    for unit in ("<a ", "<", "</b", "<!--", '<a ="', "<b>", "&", "<p>a", "<i>a</i>", "</p>"):
        data = (unit * 20_000 + "x>").encode()
        document = open_document(data, "a.html")
        assert document.render([None] * len(document.segments)) == data
    assert time.process_time() - start < 20


def test_what_is_no_page() -> None:
    for data, message in ((b"", "empty"), (b"\x89PNG\r\n\x1a\n", "PNG"), (b"<p>a\0b", "NUL")):
        with pytest.raises(DataError, match=message):
            open_document(data, "a.html")


@pytest.mark.skipif("en-fr" not in shipped.pairs(), reason="no model from English to French is installed")
def test_a_page_on_the_command_line(cli, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(PAGE, encoding="utf-8")
    done = cli("translate", tmp_path / "a.html", "--to", "fr", "--beams", "1", "-o", tmp_path / "b.html")
    assert done.code == 0 and "15 segments" in done.err, done.err
    before, after = Reader(PAGE), Reader((tmp_path / "b.html").read_text(encoding="utf-8"))
    assert (
        sorted(map(str, before.tags)) == sorted(map(str, after.tags))
        and 'lang="fr"' in (tmp_path / "b.html").read_text()
    )
    assert "Hello" not in after.text and "code stays" in after.text and "Lamella Inc" in after.text
    assert lamella.translate("Your name", "en", "fr") and "Your name" not in (tmp_path / "b.html").read_text()


@pytest.mark.parametrize(
    ("page", "segments"),
    [
        ('<html lang="en"><p>Say <span lang="de">Guten Tag</span> now.</p>', ["Say <1/> now."]),
        ('<html lang="en"><p lang="fr">Bonjour</p><p lang="en-US">Hello</p>', ["Hello"]),
        ('<p lang="fr">Hello</p>', ["Hello"]),  # the page does not say what it is in
        ('<meta property="og:title" content="My page"><meta property="og:url" content="https://a.org">', ["My page"]),
        ('<input type="submit" value="Send"><input type="text" value="Kept">', ["Send"]),
        ('<track label="English subtitles" src="a.vtt">', ["English subtitles"]),
        ("<p>H<sub>2</sub>O is water.</p>", ["<1/> is water."]), ("<p><a href=x>Home</a></p>", ["Home"]),
    ],
)  # fmt: skip
def test_what_is_shown_and_what_is_foreign(page: str, segments: list[str]) -> None:
    document = open_document(page.encode(), "a.html", "fr")
    assert document.segments == segments
    assert open_document(page.encode(), "a.html").render(segments) == page.encode()


@pytest.mark.parametrize(
    ("page", "segments"),
    [
        ("<p>Add H<sub>2</sub>SO<sub>4</sub> now.</p>", ["Add <1/> now."]), ("<p>Some 50 m<sup>2</sup> of land.</p>", ["Some 50 <1/> of land."]),
        ("<p>Let x<sup>n</sup> be it.</p>", ["Let <1/> be it."]), ("<p>The 1<sup>st</sup> word<sup>1</sup>.</p>", ["The 1<1>st</1> word<2>1</2>."]),
        ('<textarea placeholder="Write here">mine</textarea>', ["Write here"]), ('<textarea translate="no" placeholder="Write here"></textarea>', []),
    ],
)  # fmt: skip
def test_formulas_are_one_piece_and_fields_say_what_they_ask_for(page: str, segments: list[str]) -> None:
    document = open_document(page.encode(), "a.html", "fr")
    assert document.segments == segments
    assert document.render(document.segments) == page.encode() == document.render([None] * len(segments))
    changed = document.render([one.replace("now", "heute") for one in segments])
    assert changed.replace(b"heute", b"now") == page.encode()
