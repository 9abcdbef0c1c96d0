"""Small files of every format, with what is to be translated in them."""

from __future__ import annotations

import io
import zipfile

WORD = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<w:document xmlns:w="urn:w" xmlns:r="urn:r"><w:body>'
    '<w:p w:rsidR="1"><w:pPr><w:jc w:val="left"/></w:pPr><w:r w:rsidR="00A"><w:t>Hel</w:t></w:r><w:proofErr w:type="x"/>'
    '<w:r w:rsidR="00B"><w:rPr><w:lang w:val="en"/></w:rPr><w:t xml:space="preserve">lo the </w:t></w:r>'
    "<w:r><w:rPr><w:b/></w:rPr><w:t>big</w:t></w:r>"
    '<w:r><w:t xml:space="preserve"> &amp; wide world</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r><w:r><w:t xml:space="preserve"> see </w:t></w:r>'
    '<w:hyperlink r:id="4"><w:r><w:rPr><w:u/></w:rPr><w:t>this page</w:t></w:r></w:hyperlink><w:r><w:t>.</w:t></w:r>'
    "<w:r><w:br/><w:t>Second line</w:t></w:r></w:p>"
    '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:t>7</w:t></w:r>'
    '<w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
    "<w:p><w:r><w:pict><w:txbxContent><w:p><w:r><w:t>In a box</w:t></w:r></w:p></w:txbxContent></w:pict></w:r></w:p>"
    "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>A cell</w:t></w:r></w:p></w:tc></w:tr></w:tbl><w:p/></w:body></w:document>"
)
OPEN = (
    '<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:text="urn:t" xmlns:office="urn:o"><office:body>'
    '<text:h>A title</text:h><text:p text:style-name="P1">Hello <text:span text:style-name="T1">big</text:span> world'
    '<text:note><text:note-body><text:p>A note.</text:p></text:note-body></text:note> and<text:s/>more.<text:tab/>Beside</text:p>'
    "</office:body></office:document-content>"
)  # fmt: skip
SLIDE = (
    '<?xml version="1.0"?><p:sld xmlns:a="urn:a" xmlns:p="urn:p"><p:txBody><a:p><a:r><a:rPr lang="en" dirty="0"/><a:t>Our </a:t></a:r>'
    '<a:r><a:rPr lang="en"/><a:t>plan</a:t></a:r><a:br/><a:r><a:t>For you</a:t></a:r><a:endParaRPr/></a:p></p:txBody></p:sld>'
)
PAGE = '<html xmlns="http://www.w3.org/1999/xhtml"><body><h1>Chapter one</h1><p>It was <i>late</i>.</p></body></html>'
XLIFF = """<?xml version="1.0" encoding="UTF-8"?>
<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">
  <file source-language="en" datatype="plaintext" original="x"><body>
      <trans-unit id="1">
        <source>Hello <g id="1">big</g> &amp; world</source>
      </trans-unit>
      <trans-unit id="2"><source>Bye</source><target>Au revoir</target></trans-unit>
      <trans-unit id="3"><source>Yes</source><target/></trans-unit>
      <trans-unit id="4" translate="no"><source>No</source></trans-unit>
  </body></file></xliff>
"""
XLIFF2 = (
    '<xliff version="2.0" xmlns="urn:oasis:names:tc:xliff:document:2.0" srcLang="en"><file id="f"><unit id="u"><segment><source>Open <pc id="1">the'
    " file</pc></source></segment></unit></file></xliff>"
)
ANDROID = r"""<?xml version="1.0" encoding="utf-8"?>
<resources xmlns:xliff="urn:x">
    <!-- shown first -->
    <string name="hello">It\'s <b>%1$s</b> &amp; me</string>
    <string name="app" translatable="false">Lamella</string>
    <string name="quoted">"It's \"here\""</string>
    <string name="html"><![CDATA[<p>Come in</p>]]></string>
    <plurals name="files"><item quantity="one">%d file</item><item quantity="other">%d files</item></plurals>
    <string name="link">@string/hello</string>
</resources>
"""
STRINGS = '/* A "menu" = "x"; */\n"open" = "Open \\"%@\\" now";\nkey.two = "Two\\nlines"; // end\n'
PROPERTIES = "# A remark = x\nhello = It''s {0}\nlong = one \\\n    two\nname: Caf\\u00e9 bar\nempty=\nport=8080\n"
JSON = '{\n  "title": "My page",\n  "menu": {"open": "Open {name}", "n": 3, "list": ["First one", true]},\n  "@title": {"description": "Where"}\n}\n'
EXTENSION = '{"hi": {"message": "Good morning", "description": "A greeting"}}'
YAML = (
    'en:\n  a: Hello world # said\n  b: "Say \\"hi\\""\n  c: 12\n  d: true\n  e: |\n    First line.\n    Second line.\n  f: >\n    A folded\n    text.\n'
    "  g:\n    - one thing\n    - 'two ''things'''\n  h: goes on\n    here\n  i: [a, b]\n  j: &x anchored\n"
)
VTT = (
    "WEBVTT - A film\n\nNOTE not\nfor you\n\nSTYLE\n::cue { color: red }\n\nfirst\n00:01.000 --> 00:02.500 line:0\n<v Ann>Hello there.\n\n"
    "01:00:03.000 --> 01:00:04.000\n- Who is\nit?\n"
)
ASS = (
    "[Script Info]\nTitle: Film\n\n[V4+ Styles]\nFormat: Name, Fontname\nStyle: Default,Arial\n\n[Events]\nFormat: Layer, Start, End, Style, Name, "
    "MarginL, MarginR, MarginV, Effect, Text\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\an8}Who is,\\Nplease?{\\i0}\n"
    "Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,{\\p1}m 0 0 l 1 1{\\p0}\nComment: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,No\n"
)


def packed(files: dict[str, str | bytes]) -> bytes:
    """A ZIP of files, the first stored, the others deflated."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number, (name, content) in enumerate(files.items()):
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED if number else zipfile.ZIP_STORED)
    return out.getvalue()


def docx(body: str = WORD) -> bytes:
    return packed(
        {"[Content_Types].xml": "<Types/>", "word/document.xml": body, "word/media/image1.png": b"\x89PNG\r\n\x1a\n"}
    )


def odt() -> bytes:
    return packed(
        {"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": OPEN, "Pictures/a.png": b"\x89PNG"}
    )


def pptx() -> bytes:
    return packed({"[Content_Types].xml": "<Types/>", "ppt/presentation.xml": "<p/>", "ppt/slides/slide1.xml": SLIDE})


def epub() -> bytes:
    return packed({"mimetype": "application/epub+zip", "META-INF/container.xml": "<c/>", "OEBPS/one.xhtml": PAGE})


STRINGSDICT = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
\t<key>files</key>
\t<dict>
\t\t<key>NSStringLocalizedFormatKey</key>
\t\t<string>You have %#@n@</string>
\t\t<key>n</key>
\t\t<dict>
\t\t\t<key>NSStringFormatSpecTypeKey</key>
\t\t\t<string>NSStringPluralRuleType</string>
\t\t\t<key>one</key>
\t\t\t<string>%d file &amp; more</string>
\t\t\t<key>other</key>
\t\t\t<string>%d files</string>
\t\t</dict>
\t</dict>
</dict>
</plist>
"""
XCSTRINGS = {
    "sourceLanguage": "en",
    "strings": {
        "": {},
        "Brand": {"shouldTranslate": False},
        "Done": {"localizations": {"zh-Hans": {"stringUnit": {"state": "translated", "value": "完成"}}}},
        "Hello %@": {},
        "days": {
            "localizations": {
                "en": {"variations": {"plural": {
                    "one": {"stringUnit": {"state": "translated", "value": "%lld day"}},
                    "other": {"stringUnit": {"state": "translated", "value": "%lld days"}},
                }}},
            }
        },
    },
    "version": "1.0",
}  # fmt: skip


FILES: dict[str, tuple[bytes, list[str]]] = {
    "a.docx": (
        docx(),
        ["Hello the <1>big</1> & wide world<2/> see <3>this page</3>.", "Second line", "In a box", "A cell"],
    ),
    "a.odt": (odt(), ["A title", "Hello <1>big</1> world<2/> and more.", "Beside", "A note."]),
    "a.pptx": (pptx(), ["Our plan", "For you"]),
    "a.epub": (epub(), ["Chapter one", "It was <1>late</1>."]),
    "a.xlf": (XLIFF.encode(), ['Hello <g id="1">big</g> & world', "Yes"]),
    "b.xliff": (XLIFF2.encode(), ['Open <pc id="1">the file</pc>']),
    "a.xml": (ANDROID.encode(), ["It's <b>%1$s</b> & me", 'It\'s "here"', "<p>Come in</p>", "%d file", "%d files"]),
    "a.strings": (STRINGS.encode(), ['Open "%@" now', "Two\nlines"]),
    "b.strings": (STRINGS.encode("utf-16"), ['Open "%@" now', "Two\nlines"]),
    "a.properties": (PROPERTIES.encode(), ["It's {0}", "one two", "Café bar"]),
    "a.json": (JSON.encode(), ["My page", "Open {name}", "First one"]),
    "b.json": (EXTENSION.encode(), ["Good morning"]),
    "a.arb": (JSON.replace("\n", "\r\n").encode(), ["My page", "Open {name}", "First one"]),
    "a.yml": (
        YAML.encode(),
        [
            "Hello world",
            'Say "hi"',
            "First line.",
            "Second line.",
            "A folded text.",
            "one thing",
            "two 'things'",
            "goes on here",
            "a",
            "b",
            "anchored",
        ],
    ),
    "a.vtt": (VTT.encode(), ["Hello there.", "Who is it?"]),
    "a.ass": (ASS.encode(), ["Who is, please?"]),
}
