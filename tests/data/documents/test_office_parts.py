"""What stands in office documents beside plain paragraphs: links, notes, fields, charts, descriptions, contents of books."""

from __future__ import annotations

import io
import re
import zipfile

import pytest

from lamella.data.documents.formats import open_document
from lamella.errors import DataError
from tests.data.documents.samples import packed

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
ODF = 'xmlns:text="t" xmlns:office="o" xmlns:draw="d" xmlns:svg="g"'


def upper(text: str) -> str:
    """In capitals, but for tags."""
    return "".join(part if i % 2 else part.upper() for i, part in enumerate(re.split(r"(<[^<>]*>)", text)))


def answered(name: str, files: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """The texts of a document, and its files with all of them in capitals."""
    data = packed(files)
    document = open_document(data, name, "fr")
    assert document.render(list(document.segments)) == data
    with zipfile.ZipFile(io.BytesIO(document.render([upper(text) for text in document.segments]))) as archive:
        return document.segments, {one: archive.read(one).decode() for one in archive.namelist()}


def field(instruction: str, result: str) -> str:
    mark = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'
    return (
        f"{mark.format('begin')}<w:r><w:instrText> {instruction} </w:instrText></w:r>{mark.format('separate')}"
        f"<w:r><w:t>{result}</w:t></w:r>{mark.format('end')}"
    )


@pytest.mark.parametrize(
    ("instruction", "segments"),
    [
        ('HYPERLINK "http://a.org"', ["See <1/>the page<2/> now"]),
        ("PAGE", ["See <1/> now"]),
        ("REF _a \\h", ["See <1/> now"]),
    ],
)
def test_fields_of_word(instruction, segments):
    body = f'<w:p><w:r><w:t xml:space="preserve">See </w:t></w:r>{field(instruction, "the page")}<w:r><w:t xml:space="preserve"> now</w:t></w:r></w:p>'
    found, files = answered("a.docx", {"word/document.xml": f"<w:document {W}><w:body>{body}</w:body></w:document>"})
    assert found == segments
    shown = "THE PAGE" if "HYPERLINK" in instruction else "the page"
    assert f">{shown}</w:t>" in files["word/document.xml"] and f" {instruction} <" in files["word/document.xml"]


def test_an_entry_of_a_table_of_contents():
    """The field begins in the first entry and ends in a paragraph of its own."""
    begin = field('TOC \\o "1-3"', "x").partition("<w:r><w:t>x")[0]
    link = field("HYPERLINK \\l a", "First chapter")
    first = f"<w:p>{begin}{link}</w:p>"
    last = '<w:p><w:r><w:t>Second</w:t></w:r></w:p><w:p><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
    found, files = answered("a.docx", {"word/document.xml": f"<w:document {W}>{first}{last}</w:document>"})
    assert found == ["First chapter", "Second"] and ">FIRST CHAPTER<" in files["word/document.xml"]


def test_titles_of_charts():
    chart = '<c:chart xmlns:c="c" xmlns:a="a"><a:p><a:r><a:t>Sales</a:t></a:r></a:p><c:v>x</c:v></c:chart>'
    found, files = answered("a.pptx", {"ppt/presentation.xml": "<p/>", "ppt/charts/chart1.xml": chart})
    assert found == ["Sales"] and files["ppt/charts/chart1.xml"] == chart.replace("Sales", "SALES")


def test_notes_numbers_and_descriptions_of_opendocument():
    content = (
        f"<office:document-content {ODF}><text:p>Some words<text:note><text:note-citation>1</text:note-citation><text:note-body>"
        "<text:p>The note.</text:p></text:note-body></text:note> here, page <text:page-number>3</text:page-number>.</text:p>"
        "<text:p><draw:frame><svg:title>A picture</svg:title><svg:desc>Of a house</svg:desc></draw:frame></text:p>"
        "</office:document-content>"
    )
    found, files = answered("a.odt", {"content.xml": content})
    assert found == ["Some words<1/> here, page <2/>.", "The note.", "A picture", "Of a house"]
    expected = content
    for text in ("Some words", " here, page ", "The note.", "A picture", "Of a house"):
        expected = expected.replace(text, text.upper())
    assert files["content.xml"] == expected


def test_the_contents_and_the_language_of_a_book():
    ncx = '<!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "http://x/ncx.dtd"><ncx><docTitle><text>A book</text></docTitle><navLabel><text>One &amp; two</text></navLabel></ncx>'
    opf = '<package xmlns:dc="d"><dc:title>A book</dc:title><dc:language id="l">en-GB</dc:language></package>'
    book = {"META-INF/container.xml": "<c/>", "a.xhtml": "<p>Text</p>", "toc.ncx": ncx, "content.opf": opf}
    found, files = answered("a.epub", book)
    assert found == ["Text", "A book", "One & two"]
    assert files["toc.ncx"] == ncx.replace("A book", "A BOOK").replace("One &amp; two", "ONE &amp; TWO")
    assert files["content.opf"] == opf.replace("en-GB", "fr")


def test_what_cannot_be_read_is_said() -> None:
    locked = '<manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry>'
    with pytest.raises(DataError, match="with a password"):
        open_document(packed({"content.xml": "\x93\x01", "META-INF/manifest.xml": locked}), "a.odt")
    with pytest.raises(DataError, match="without pages"):
        open_document(packed({"META-INF/container.xml": "<container/>"}), "a.epub")


def test_yaml_with_a_bracket_without_its_end_and_pages_of_components() -> None:
    with pytest.raises(DataError, match="line 2: expected YAML, received a bracket without its end"):
        open_document(b"title: Hello there\na: [unclosed\n b: x\n", "a.yml")
    page = open_document(b"import Box from './box'\n\n# Hello\n\n<Box wide={1}>\n\nSome text.\n\n</Box>\n", "a.mdx")
    assert page.segments == ["Hello", "Some text."]


def test_a_formula_is_one_piece():
    """A digit that is lowered is a part of what stands around it; a note's number and the end of an ordinal are none."""

    def run(text, shift=""):
        look = f'<w:rPr><w:vertAlign w:val="{shift}"/></w:rPr>' if shift else ""
        return f'<w:r>{look}<w:t xml:space="preserve">{text}</w:t></w:r>'

    water = run("H") + run("2", "subscript") + run("O is wet, and 50 m") + run("2", "superscript") + run(" of it")
    ordinal = run("the 1") + run("st", "superscript") + run(" word") + run("1", "superscript") + run(" here")
    xml = f"<w:document {W}><w:body><w:p>{water}</w:p><w:p>{ordinal}</w:p></w:body></w:document>"
    found, files = answered("a.docx", {"word/document.xml": xml})
    assert found == ["<1/> is wet, and 50 <2/> of it", "the 1<1>st</1> word<2>1</2> here"]
    plain = re.sub("<[^<>]*>", "", files["word/document.xml"])
    assert plain == "H2O IS WET, AND 50 m2 OF ITTHE 1ST WORD1 HERE"
