"""Readers of parallel text by format, each on a small file made here."""

import pytest

pytest.importorskip("lxml", reason="the recipes read XML with lxml")

from recipes.translation.repositories import catalogues, documents, markdown, tales, yaml_text


def test_gettext_leaves_out_what_is_not_finished():
    text = """msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\n"

msgid "A cat sleeps."
msgstr "Un chat dort."

#, fuzzy
msgid "A dog barks."
msgstr "Un oiseau chante."

msgctxt "menu"
msgid "One file"
msgid_plural "%d files"
msgstr[0] "Un fichier"
msgstr[1] "%d fichiers"

msgid "Not yet"
msgstr ""

#~ msgid "Long gone"
#~ msgstr "Parti depuis longtemps"
"""
    assert list(catalogues.read_po(text)) == [
        ("A cat sleeps.", "Un chat dort."),
        ("One file", "Un fichier"),
        ("%d files", "%d fichiers"),
    ]


def test_gettext_with_one_plural_form_pairs_the_plural():
    text = 'msgid "One file"\nmsgid_plural "%d files"\nmsgstr[0] "%d 个文件"\n'
    assert list(catalogues.read_po(text)) == [("%d files", "%d 个文件")]


def test_json_by_place():
    text = '{"a": {"b": "text"}, "list": ["x", "y"], "@metadata": {"authors": "n"}, "n": 3}'
    assert catalogues.read_json(text) == {"\0a\0b": "text", "\0list\0000": "x", "\0list\0001": "y"}


def test_properties_with_continued_lines_and_escapes():
    text = "# comment\n! another\nkey.one=A text\\\n   that goes on\nkey.two : caf\\u00e9\\nnew line\nempty=\n"
    assert catalogues.read_properties(text) == {
        "key.one": "A textthat goes on",
        "key.two": "café\nnew line",
        "empty": "",
    }


def test_fluent_brands_selectors_and_attributes():
    text = """# Comment
-brand-name-fox = Fox
hello = Welcome to { -brand-name-fox }, { $user }.
long =
    A text on
    two lines.
attribute = Text
    .title = Left out
count = { $n ->
    [one] One
   *[other] Many
}
"""
    assert catalogues.read_fluent(text) == {
        "hello": "Welcome to Fox, {user}.",
        "long": "A text on two lines.",
        "attribute": "Text",
    }


def test_lang_files_pair_a_line_with_the_next():
    text = "## NOTE: x\n# comment\n;Share your story\nPartagez une anecdote {ok}\n\n\n;Hello [name],\nBonjour [name],\n;Lost\n"
    assert catalogues.read_lang(text) == {
        "Share your story": "Partagez une anecdote",
        "Hello [name],": "Bonjour [name],",
    }


def test_android_strings():
    text = (
        '<resources><string name="a">It\\\'s <b>bold</b></string><string name="b" translatable="false">X</string>'
        '<plurals name="p"><item quantity="one">a day</item></plurals></resources>'
    )
    assert catalogues.read_android(text) == {"a": "It's bold", "p.one": "a day"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: plain text # comment", {"a": "plain text"}),
        ("a:\n  b: 'It''s'\n  c: \"two \\u00e9\\n\"", {"a.b": "It's", "a.c": "two é\n"}),
        ("a: first\n  second line\n\n  third\nb: x", {"a": "first second line\nthird", "b": "x"}),
        ("a: |\n  one\n    two\nb: >-\n  folded\n  text", {"a": "one\n  two", "b": "folded text"}),
        ("a:\n- x\n- y: z\n  w: v\nb: c", {"a.0": "x", "a.1.y": "z", "a.1.w": "v", "b": "c"}),
        ("a:\n  - 'x: y'\n  - z", {"a.0": "x: y", "a.1": "z"}),
        ('"quoted key": value: with colon', {"quoted key": "value: with colon"}),
        ('a: "open\n  and closed"\nb: c', {"a": "open and closed", "b": "c"}),
        ("a: [1, 2]\nb: {x: y}\nc:", {}),
    ],
)
def test_yaml(text, expected):
    assert yaml_text.read_yaml(text) == expected


def test_markdown_blocks_in_order():
    text = """---
title: "A title"
layout: page
---
# Heading {#anchor}

A paragraph with **bold**, _slanted_ and a [link](https://x.y/z_(a)).
It goes on here.

- item `one`
- item two
  continued

```python
print("code")
```

> A quotation.

| head | cell |
| --- | --- |
| a | b |

![picture](x.png)
<Intro>
"""
    found = [(block.kind, block.text) for block in markdown.blocks(text)]
    assert found == [
        ("title", "A title"),
        ("h1", "Heading"),
        ("p", "A paragraph with bold, slanted and a link. It goes on here."),
        ("li", "item one"),
        ("li", "item two continued"),
        ("code", ""),
        ("p", "A quotation."),
        ("td", "head"),
        ("td", "cell"),
        ("td", "a"),
        ("td", "b"),
    ]


def test_blocks_are_aligned_by_section_where_the_files_differ():
    english = markdown.blocks("# One\n\nThe first text.\n\nAnother text.\n\n# Two\n\nThe last text.\n")
    other = markdown.blocks("# Un\n\nLe premier texte seul.\n\n# Deux\n\nLe dernier texte.\n")
    assert list(markdown.align(english, other)) == [("Two", "Deux"), ("The last text.", "Le dernier texte.")]


def test_blocks_that_only_happen_to_be_as_many_are_left_out():
    english = markdown.blocks("Short.\n\nA much longer text that says a good many things about a subject, at length.\n")
    other = markdown.blocks("Un texte beaucoup plus long, qui dit bien des choses d'un sujet, en détail.\n\nBref.\n")
    assert list(markdown.align(english, other)) == []


def test_restructuredtext_without_markup():
    text = "See :func:`print` and :ref:`the tutorial <tut-index>`, or ``x = 1``; `docs <http://a.b>`_ say *more*::"
    assert markdown.rest(text) == "See print and tut-index, or x = 1; docs say more:"


def test_asciidoc_without_markup():
    text = "See man:namei[9], linkgit:git-log[1], link:https://a.b/c[the *page*^] and <<id,this chapter>>; `x`"
    assert markdown.asciidoc(text) == "See namei(9), git-log(1), the page and this chapter; x"


def test_cnxml_by_id():
    module = (
        b'<document xmlns="http://cnx.rice.edu/cnxml" xmlns:m="http://www.w3.org/1998/Math/MathML"><content>'
        b'<para id="p1">Energy is <m:math><m:mi>E</m:mi></m:math> joules (see <link target-id="f1"/>).</para>'
        b'<list id="l1"><item>First thing</item><item>Second thing</item></list>'
        b'<para id="p2">As <link target-id="f2"/> shows.</para><para>No id</para></content></document>'
    )
    found = documents.read_cnxml(module)
    assert found["p1"] == "Energy is X joules."
    assert found["l1/item2"] == "Second thing"
    assert "p2" not in found  # a reference that is filled in elsewhere
    assert "No id" not in found.values()


def test_renpy_lines_and_strings():
    text = """# game/script.rpy:5
translate french start_1:

    # e "Hello {b}there{/b}, \\"you\\"."
    e happy "Bonjour {b}toi{/b}."

translate french strings:
    old "Back"
    new "Retour"

translate french start_2:
    # e "Not translated."
    e ""
"""
    assert list(tales.read_renpy(text)) == [('Hello there, "you".', "Bonjour toi."), ("Back", "Retour")]


def test_story_pages_and_facts():
    pages, facts = tales.read_story(
        "# A dog\n\n##\nThe dog\nruns.\n\nIt barks.\n\n##\nThe end.\n\n##\n* License: [CC-BY]\n* Translation: Ana\n"
    )
    assert pages == ["A dog", "The dog runs.\n\nIt barks.", "The end."]
    assert facts == {"license": "[CC-BY]", "translation": "Ana"}


@pytest.mark.parametrize(
    ("licence", "free"),
    [("[CC-BY]", True), ("CC BY 4.0", True), ("CC BY-SA", True), ("CC0", True), ("[CC-BY-NC]", False),
     ("CC BY-NC-SA", False), ("CC BY-ND", False), ("", False), ("all rights reserved", False)],
)  # fmt: skip
def test_only_free_licences(licence, free):
    assert tales.is_free(licence) is free


def test_sections_of_a_manual_that_differ_are_left_out():
    page = "<refentry><simpara>{}</simpara><refsect1><title>{}</title>{}</refsect1></refentry>"
    english = page.format("It sorts.", "Notes", "<para>One.</para><para>Two.</para>")
    other = page.format("Il trie.", "Notes", "<para>Un.</para>")
    sides = [documents._blocks(text.encode()) for text in (english, other)]
    assert list(documents.align_sections(*sides)) == [("It sorts.", "Il trie.")]
    assert len(list(documents.align_sections(sides[0], sides[0]))) == 4
