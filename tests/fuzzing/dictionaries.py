"""The words of each format: what mutations and generated inputs are made of."""

from __future__ import annotations


def words(text: str, *more: bytes) -> tuple[bytes, ...]:
    """The words of a text, and those with white space or odd bytes in them."""
    return (*(word.encode() for word in text.split()), *more)


# running text
DOCUMENT = words(
    '%s {name} <b> </b> &amp; https://a.b/c `x` \' " ( ) [ ] { } | - . , : ; ! ? … 。 $x \\n ~ ^ @ _ * # '
    '= +',
    b' ', b'\n', b'\t',
)  # fmt: skip

# Markdown
MARKED = words(
    '# > - 1. * _ ** `` ``` ~~~ $$ | |- [ ]( ] [a]: [^1]: ! <!-- --> <div> </p> <pre> --- === +++ ::: '
    '\\ &amp; <a {#a}',
    b'  \n', b'    ', b'\n\n', b'> > ', b'- - ',
)  # fmt: skip

# web pages
TAGS = words(
    '<p> </p> <b> </b> <i> </i> <a <!-- --> <! <? ?> <script> </script> <pre> <li> <td> <svg> </svg> '
    '<br/> &amp; &#233; &lt; &eacute; = =" =\' " \' > < </ /> <img alt=" translate=no charset=utf-16 '
    'charset=utf-7 charset=punycode <title> <plaintext> <code> </code> <x1 <1> &amp;amp;',
    b' ', b'<a ="', b'<b> <i> ',
)  # fmt: skip

# catalogues
QUOTED = words(
    'msgid "" msgstr "" msgctxt "a" msgid_plural "b" msgstr[0] msgstr[9] "" \\" \\\\ \\n \\x41 \\777 #, '
    'fuzzy #| #~ #: domain "a" " charset=idna charset=rot13 charset=utf-16 charset=unicode_escape',
    b'msgid "a"\nmsgstr "b"\n\n', b'"Plural-Forms: nplurals=2; plural=n/0;\\n"\n',
    b'"Content-Type: text/plain; charset=utf-7\\n"\n', b'Language: de\\n', b'#, c-format\n',
)  # fmt: skip

# subtitles
CUES = words(
    '00:00:01,000 --> 999:99:99,999 <i> </i> <b> {\\an8} - # ♪ . … ! < > { } <font 1 <i>a</i> a</b>',
    b'\n\n', b'\n', b'\r\n', b'00:00:01,000 --> 00:00:02,000\n', b'# ', b'- ', b'<i>a\n',
)  # fmt: skip

# tables
CELLS = words(
    '" "" , ; | "a" 1 1.5 1,5 -1 1e999 nan inf NA text label en fr sep=; \\" \' "," \\" """',
    b'\t', b'\n', b'a,"b\n', b'\r',
)  # fmt: skip

# JSON
OBJECTS = words(
    '{ } [ ] , : "text" "label" : "a" null true 1 1e999 NaN "\\u0000" "\\ud800" \\u {} [] [[ {"a": "\\ '
    '{"a": [{},',
    b'\n', b'{"text": "a", "label": "b"}\n', b' ',
)  # fmt: skip

# series
TIMED = words(
    '2020-01-01 1970 99999-01-01 0000-00-00 2020Q1 01/02/2020 1e999 , ; 1 -1 nan now today NaT id '
    'time value Z +00:00 T 20200101 1000000000 -',
    b'\n', b'\t', b' ',
)  # fmt: skip

# translation memories
ELEMENTS = words(
    '<tu> </tu> <tuv <seg> </seg> </tuv> <bpt> </bpt> <ph/> <sub> </sub> <hi> </hi> <!DOCTYPE '
    '<!ENTITY ]> &a; &lt; &#0; &#x110000; <![CDATA[ ]]> <!-- --> <?x ?> <a> </a> encoding="utf-7"',
    b'<tuv xml:lang="en"><seg>a</seg></tuv>', b'<a b="c"/>', b' x="y"', b'<tu><tuv lang="en"><seg>',
)  # fmt: skip

# pictures
HEADS = words(
    "",
    b'\x89PNG\r\n\x1a\n', b'IHDR', b'IDAT', b'IEND', b'acTL', b'fcTL', b'fdAT', b'iCCP', b'zTXt', b'tRNS',
    b'PLTE', b'GIF89a', b'!\xf9\x04', b',', b';', b'II*\x00', b'MM\x00*', b'RIFF', b'WEBPVP8X', b'ANIM', b'ANMF',
    b'\xff\xd8\xff\xe1', b'Exif\x00\x00', b'\xff\xc0', b'\xff\xda', b'BM', b'P6\n', b'P7\n', b'65535\n',
)  # fmt: skip

# archives
ZIPPED = words(
    "",
    b'PK\x03\x04', b'PK\x01\x02', b'PK\x05\x06', b'PK\x06\x06', b'PK\x06\x07', b'model.json', b'../',
    b'\x0c\x00', b'\x0e\x00', b'\x01\x00', b'\xff\xff\xff\xff',
)  # fmt: skip

# model.json
KEYS = words(
    '"task" "files" "learned" "config" "digest" "format" "size" "labels_" "file" {"file": ".." } '
    '"vocabulary.model" "translation" null [] {} 1e999 true "\\u0000" -1',
)  # fmt: skip

# safetensors
TENSORS = words(
    '"dtype" "F32" "BF16" "I64" "shape" "data_offsets" [0,8] [ ] { } , : "a" -1 1e9 99999999999999999999 "__metadata__"'
)

# ONNX
GRAPHS = words(
    "Relu Loop If Scan Constant location secret com.example float_data x y w", b"\x0a\x01", b"\x3a\x80\x01", b"\xff" * 9
)

# Resources: JSON, YAML, keys and values, XML of texts
RESOURCES = words(
    r"""{ } [ ] , : "a" "message" "@a" \\u0041 \\ud83d \\" null 1 'it''s' | > |- >- # - --- &a *a !t ? key: = ; /* */ // \\n """
    r"""<string name="a"> </string> <item> </item> <plurals> <![CDATA[ ]]> translatable="false" \\' @string/a """
    r"""<trans-unit> </trans-unit> <segment> </segment> <source> </source> <target> </target> <target/> <g id="1"> </g> <x/> """
    r"""<plist> <dict> </dict> <key>one</key> <key>n</key> NSStringLocalizedFormatKey %#@n@ <string> "variations" "plural" "stringUnit" """
    r"""<xliff version="2.0"> trgLang="fr" target-language="de" translate="no" &amp; &#1; &#x110000; <!DOCTYPE <!ENTITY <!-- --> <? ?>""",
    b" \\\n", b"\n  ", b": ", b" #", b"\xff\xfe", b"\xef\xbb\xbf", b"\x85",
)  # fmt: skip

# Captions: WebVTT and SubStation
CAPTIONS = words(
    r"WEBVTT NOTE STYLE REGION 00:01.000 --> 01:00:02.000 line:0 <v Ann> <c.x> </c> <00:01.000> [Events] Format: Text Dialogue: Comment: "
    r"{\\an8} {\\p1} \\N \\n \\h { } , - &amp;",
    b"\n\n", b",,",
)  # fmt: skip

# Office documents
OFFICE = (
    *ZIPPED,
    *words(
        "word/document.xml content.xml ppt/presentation.xml ppt/slides/slide1.xml META-INF/container.xml a.xhtml mimetype <w:p> </w:p> <w:r> "
        "</w:r> <w:t> </w:t> <w:br/> <a:p> </a:p> <text:p> </text:p> <text:span> </text:span> <1> </1> <2/>"
    ),
)
