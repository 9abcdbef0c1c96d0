"""Small files of every format, made by code: what the mutations of `tests.fuzzing` start from."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Sequence
from functools import cache
from typing import Any

PO = r"""# Head.
msgid ""
msgstr ""
"Language: fr\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\n"

#: a.c:1
#, c-format
msgctxt "menu"
msgid "%d file"
msgid_plural "%d files"
msgstr[0] "%d fichier"
msgstr[1] "%d fichiers"

#, fuzzy
#| msgid "Old"
msgid "Save _as"
msgstr ""

msgid ""
"Two\n"
"lines \x41 \101"
msgstr ""

#~ msgid "Gone"
#~ msgstr "Parti"
"""

SRT = (
    "1\n00:00:01,000 --> 00:00:02,500\n<i>I never said</i>\n\n2\n00:00:02,600 --> 00:00:04,000 X1:1\n<i>that.</i>\n"
    "{\\an8}- Who?\n♪ La la ♪\n\n3\n00:01:00.5 --> 00:01:01\nHow many words, and how\nmany more lines?\n"
)

MARKDOWN = """---
title: x
---
# Notes {#n}

- see [the *guide*](guide.html) and [ref]
  1. more `code` **bold**

> quoted text
> goes on\\
> here

| a | b \\| c |
|---|:--:|
| one | two |

```py
code
```

<div>
html
</div>

[ref]: http://a.b "t"
[^1]: A note.

$$x$$
***
Line one
===
"""

HTML = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>A page</title><script>x("</b>")</script>'
    '<meta name="description" content="What it is"></head><body><p class=x>A <b>bold</b>\n caf&eacute; &amp; <i>more</i>'
    '<!-- c --><br/> text<ul><li>one<li>two</ul><img alt="A cat" src=a.png><pre>x = 1</pre>'
    '<p translate="no">No</p><svg><path d=""/></svg><a href="x?a=1&b=2" title=\'Say "hi"\'>Go</a></body></html>\n'
)

TEXT = (
    "Dear Mr. Smith,\n\nThis paragraph was wrapped at some\nforty columns by its author, who lives\nat https://example.org/a?b=c.\n\n"
    "  - a list: %s and {name}\n  - «Ça va ? » Oui... 你好。再见。\n\tA\tB    C\n\n"
    "Copy `ls -l` to $HOME/bin, 50% of it. 🎉 שלום\n"
)

TMX = """<?xml version="1.0" encoding="UTF-8"?>
<tmx version="1.4"><header srclang="en"/><body>
<tu><prop type="x">p</prop><tuv xml:lang="en-US"><seg>Open <bpt i="1">&lt;b&gt;</bpt>it<ept i="1">&lt;/b&gt;</ept></seg></tuv>
<tuv xml:lang="fr"><seg>Ouvrez <bpt i="1">&lt;b&gt;</bpt>ceci<ept i="1">&lt;/b&gt;</ept></seg></tuv></tu>
<tu><tuv lang="EN"><seg>The window <ph>%s<sub>x</sub></ph> is <hi>red</hi></seg></tuv><tuv lang="fr_FR"><seg>La fenêtre est rouge</seg></tuv></tu>
</body></tmx>
"""

BOMB = '<?xml version="1.0"?><!DOCTYPE t [<!ENTITY a "aaaaaaaaaa">{}]><tmx><body><tu><tuv xml:lang="en"><seg>&z;</seg></tuv></tu></body></tmx>'
ENTITIES = "".join(
    f'<!ENTITY {b} "{10 * f"&{a};"}">' for a, b in zip("abcdefghijklmnopqrstuvwxy", "bcdefghijklmnopqrstuvwxyz")
)
EXTERNAL = '<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/hostname">]><tmx><body><tu><tuv xml:lang="en"><seg>&x;</seg></tuv></tu></body></tmx>'

GLOSSARY = "source\ttarget\n# note\nfile\tfichier\npull request\tdemande de tirage\nit's\tc’est\n"

LABELLED = 'text,label\n"Good, cheap",pos\nBad,neg\n"two\nlines",pos\nFine,pos\n"He said ""no""",neg\n'
PAIRS = "en\tfr\nYes\tOui\nNo\tNon\nThe cat is here\tLe chat est ici\n"
JSONL = '{"text": "Good", "label": "pos", "n": 1.50}\n{"text": "Bad", "label": "neg", "n": null}\n{"label": true, "text": "x", "t": {"en": "a", "fr": [1]}}\n'
ARRAY = '[{"text": "Good", "label": "pos"},\n {"text": "Bad", "label": "neg"}]\n'
SERIES = "date,a,b\n" + "".join(f"2020-01-{day:02d},{day},{day * day % 7}\n" for day in range(1, 21))
LONG = "id\ttime\tvalue\n" + "".join(
    f"{name}\t{day:02d}/01/2020 0{day % 3}:00\t{day},5\n" for name in "ab" for day in range(11, 20)
)
MONTHS = "month;sold\n" + "".join(f"2020-{month:02d};{month}\n" for month in range(1, 13)) + "2021Q1;3\n"
WINDOWS = "past,future\n1 2 3 4 5,6 7\n2 3 4 5 6,7 8\n"
ROWS = "height,colour,age\n1.5,red,3\n1.7,blue,4\n,red,5\n1.6,blue,?\n"
PICTURES = 'example,label\npicture.png,a\n"data:image/png;base64,iVBORw0KGgo=",b\n'
PLURALS = (
    "nplurals=2; plural=(n > 1);",
    "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 ? 1 : 2);",
    "nplurals=2; plural=n/0;",
    "nplurals=2; plural=(n==500 ? n/0 : 0);",
    "nplurals=99; plural=" + "(" * 400 + "n" + ")" * 400,
    "nplurals=2; plural=n*n*n*n*n*n*999999999",
    "nplurals=2; plural=" + "!" * 900 + "n",
)
STAMPS = (
    "2014-01-01 00:30\n1970\n2020-02\n2020Q3\n13/02/1970\n01.02.1970 10:30\n1970-01-01T01:00:00+01:00\n2020-06-01Z\n"
)
STRANGE_STAMPS = "0000-01-01\n99999-01-01\nnow\ntoday\nNaT\n-5\n9999-12-31T23:59:59-23:59\n0001-01-01T00:00:00+14:00\n"
OPTIONS = (
    '{"from": "en", "to": "fr", "vocabulary_size": "100"}',
    '{"horizon": 3, "known": "warm", "ensemble_size": "1"}',
    '{"latent_size": 1e999}',
)
COLUMNS = ("text=review,label=stars", "src=1,dst=2", "=,=")
SUMMARIES = '{"text": "The zoo stays closed on Sunday.", "summary": "Zoo closed"}\n{"text": ["A tree.", "It is new."], "summary": ["New", "A tree"]}\n'
STORY = "(CNN) The zoo stays closed on Sunday.\n\n@highlight\n\nZoo closed\n\n@highlight\n\nOn Sunday\n"
FACTS = "ann\tparent of\tben\nben\tlives in\twick\nann\tlives in\twick\n"
EVENTS = "user,item,rating,timestamp\nann,dune,4,881250949\nann,alien,5,881250950\nben,dune,3.5,881250951\nben,alien,5,881250952\n"
COLONS = "1::2::5::881250949\n1::3::4::881250950\n"
NTRIPLES = """<http://a.org/ann> <http://a.org/p#parentOf> <http://a.org/ben> .
_:b <http://a.org/p#parentOf> <http://a.org/ann> . # a comment
<http://a.org/ann> <http://www.w3.org/2000/01/rdf-schema#label> "Ann \\u00e9"@en .
"""


def pairs(*texts: str) -> list[bytes]:
    """The texts in the encodings that files come in."""
    return [
        *(text.encode() for text in texts),
        texts[0].encode("utf-8-sig"),
        texts[0].encode("utf-16"),
        texts[0].encode("utf-16-be"),
        texts[0].encode("utf-32"),
        texts[0].encode("cp1252", "replace"),
        texts[0].replace("\n", "\r\n").encode(),
        b"",
    ]


# ---- compiled catalogues ---------------------------------------------------------------------------------------------


def documents(suffix: str) -> list[bytes]:
    """The sample files of a format of documents, and for archives their damaged halves."""
    from tests.data.documents.samples import FILES, STRINGSDICT, XCSTRINGS

    plurals = {".stringsdict": STRINGSDICT.encode(), ".xcstrings": json.dumps(XCSTRINGS, indent=2).encode()}
    found = [plurals[suffix]] if suffix in plurals else []
    found += [
        data
        for name, (data, _) in FILES.items()
        if name.endswith(suffix) or (suffix == ".xlf" and name.endswith(".xliff"))
    ]
    return [*found, found[0][: len(found[0]) // 2]]


def compiled(messages: Sequence[tuple[str, str]], order: str = "<", shift: int = 0) -> bytes:
    """A .mo file. shift: how far its strings are said to stand from where they do."""
    parts = sorted((one.encode(), two.encode()) for one, two in messages)
    count = len(parts)
    at = 28 + 16 * count
    tables: list[list[int]] = [[], []]
    body = b""
    for side in (0, 1):
        for pair in parts:
            tables[side] += [len(pair[side]), at + len(body) + shift]
            body += pair[side] + b"\0"
    head = struct.pack(order + "7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, 28 + 16 * count)
    return head + struct.pack(f"{order}{4 * count}I", *tables[0], *tables[1]) + body


HEADER = ("", "Content-Type: text/plain; charset=UTF-8\nLanguage: fr\nPlural-Forms: nplurals=2; plural=(n > 1);\n")
MESSAGES = (HEADER, ("Yes", "Oui"), ("menu\4Open", "Ouvrir"), ("%d file\0%d files", "%d fichier\0%d fichiers"))


def catalogues() -> list[bytes]:
    overlapping = bytearray(compiled([HEADER, *((f"{i}", "x") for i in range(20))]))
    for entry in range(21):  # each string is said to be the whole file
        struct.pack_into("<2I", overlapping, 28 + 8 * entry, len(overlapping) - 40, 40)
    return [
        compiled(MESSAGES),
        compiled(MESSAGES, ">"),
        compiled(MESSAGES, shift=1000),
        compiled([]),
        compiled([("", "Content-Type: text/plain; charset=rot13\n"), ("a", "b")]),
        bytes(overlapping),
        struct.pack("<7I", 0x950412DE, 0, 0xFFFFFFFF, 28, 28, 0, 28),
    ]


# ---- pictures --------------------------------------------------------------------------------------------------------


def chunk(name: bytes, body: bytes) -> bytes:
    """A part of a PNG with its length and checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, depth: int, kind: int, body: bytes, *more: bytes) -> bytes:
    """A PNG from its parts: what its header says need not be true."""
    head = struct.pack(">2I5B", width, height, depth, kind, 0, 0, 0)
    parts = (chunk(b"IHDR", head), *more, chunk(b"IDAT", body), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def repaired(data: bytes) -> bytes:
    """A PNG whose checksums are right, whatever else is wrong with it."""
    if not data.startswith(b"\x89PNG"):
        return data
    at, out = 8, [data[:8]]
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if at + 12 + length > len(data):
            break
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        out.append(chunk(name, body))
        at += 12 + length
    return b"".join([*out, data[at:]])


@cache
def captions(suffix: str) -> list[bytes]:
    """Captions of `picture.png` as a table, as a list of lines, or as COCO's annotations."""
    images = '[{"id": 7, "file_name": "picture.png"}]'
    return {
        ".csv": [b'image,caption\npicture.png,"A dog, a cat."\npicture.png,"[""a"", ""b""]"\n'],
        ".txt": [b"picture.png#0\tA dog.\npicture.png#1\tA cat.\n", b"image,caption\npicture.png,a dog, a cat\n"],
        ".json": [f'{{"images": {images}, "annotations": [{{"image_id": 7, "caption": "A dog."}}]}}'.encode()],
    }[suffix]


@cache
def pictures() -> list[bytes]:
    """Pictures of many formats and modes, small ones; and some that claim to be large or to have many frames."""
    from PIL import Image

    def saved(image: Any, form: str, **options: Any) -> bytes:
        out = io.BytesIO()
        image.save(out, form, **options)
        return out.getvalue()

    colour = Image.linear_gradient("L").resize((24, 16)).convert("RGB")
    clear = colour.convert("RGBA")
    clear.putalpha(100)
    palette = colour.convert("P", palette=Image.Palette.ADAPTIVE)
    frames = [colour.rotate(10 * i) for i in range(3)]
    turned = Image.Exif()
    turned[0x0112] = 6
    large = zlib.compress(b"\0" * (12001 * 40), 9)
    return [
        saved(colour, "PNG"),
        saved(clear, "PNG"),
        saved(palette, "PNG", transparency=0),
        saved(colour.convert("LA"), "PNG"),
        saved(colour.convert("1"), "PNG"),
        saved(Image.new("I;16", (9, 7), 40000), "PNG"),
        saved(frames[0], "PNG", save_all=True, append_images=frames[1:]),
        saved(colour, "JPEG", exif=turned),
        saved(colour.convert("CMYK"), "JPEG"),
        saved(colour, "JPEG", progressive=True),
        saved(frames[0], "GIF", save_all=True, append_images=frames[1:], transparency=0),
        saved(colour, "TIFF", compression="tiff_lzw"),
        saved(colour.convert("F"), "TIFF"),
        saved(frames[0], "TIFF", save_all=True, append_images=frames[1:]),
        saved(clear, "WEBP", lossless=True),
        saved(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
        saved(colour, "BMP"),
        saved(palette, "BMP"),
        saved(colour, "PPM"),
        saved(colour.convert("1"), "PPM"),
        b"P2\n3 2\n255\n0 1 2 3 4 5\n",
        b"PF\n2 1\n-1.0\n" + struct.pack("<6f", 0, 1, 2, 3e38, float("nan"), -1),
        png(12000, 12000, 8, 0, large),
        png(7000, 7000, 8, 6, zlib.compress(b"\0" * 28_001 * 100, 9)),
        png(6000, 8000, 16, 0, zlib.compress(b"\0" * 12_001 * 100, 9)),
        png(0, 1, 8, 0, b""),
        png(2**31 - 1, 1, 1, 3, large),
        png(4, 4, 8, 2, b"", chunk(b"acTL", struct.pack(">2I", 2**31 - 1, 0))),
        png(4, 4, 8, 2, b"", chunk(b"zTXt", b"a\0\0" + zlib.compress(b"a" * 70_000_000, 9))),
        png(4, 4, 8, 2, b"", chunk(b"iCCP", b"a\0\0" + zlib.compress(b"a" * 10_000_000, 9))),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ]


def uris() -> list[bytes]:
    import base64

    few = [b"data:image/png;base64," + base64.b64encode(raw) for raw in pictures()[:4]]
    return [
        *few,
        b"data:;base64,",
        b"data:image/png,abc",
        b"data:image/png;base64,====",
        b"DATA:image/svg+xml;utf8,<svg/>",
        b"[[0, 255], [1, 2]]",
    ]
