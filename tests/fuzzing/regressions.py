"""Inputs that once failed, a line each: (reader, what was wrong, the input)."""

from __future__ import annotations

import struct

from tests.fuzzing import seeds
from tests.fuzzing.seeds import chunk, png

K = 1000
CUE = b"1\n00:00:01,000 --> 00:00:02,000\n"
PLURAL = b'msgid ""\nmsgstr "Plural-Forms: nplurals=%d; plural=%s;\\n"\n\n'
MESSAGE = b'msgid "a"\nmsgid_plural "b"\nmsgstr[0] ""\nmsgstr[1] ""\n\n'

MANY = b"".join(MESSAGE.replace(b'"a"', b'"a%d"' % number) for number in range(3 * K))


def charset(name: bytes) -> bytes:
    return b'msgid ""\nmsgstr "Content-Type: text/plain; charset=' + name + b'\\n"\n\nmsgid "a"\nmsgstr ""\n'


def tiff(*nexts: int) -> bytes:
    """A TIFF of one black point, whose directories name these as the next ones: 0 ends, another goes round in a circle."""
    entries = ((256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 1), (279, 1))
    size = 2 + 12 * len(entries) + 4
    body = b""
    for following in nexts:
        body += struct.pack("<H", len(entries)) + b"".join(
            struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries
        )
        body += struct.pack("<I", 0 if following < 0 else 8 + following * size)
    return b"II*\0\x08\0\0\0" + body


def overlapping() -> bytes:
    """A compiled catalogue of 48 kB whose 2,000 strings are each all of it."""
    count = 2000
    at = 28 + 16 * count
    data = bytearray(at + 16 * K)
    struct.pack_into("<7I", data, 0, 0x950412DE, 0, count, 28, 28 + 8 * count, 0, at)
    for entry in range(2 * count):
        struct.pack_into("<2I", data, 28 + 8 * entry, 16 * K - 1, at)
    return bytes(data)


REGRESSIONS: tuple[tuple[str, str, bytes], ...] = (
    # Effort that grew with the square of the input, or faster.
    ("subtitles", "a row of marks of music, cut in every way", CUE + b"a " + b"#" * 40 + b" b\n"),
    ("subtitles", "a row of dots, tried from each", CUE + b"." * 200 * K + b"x\n"),
    ("subtitles", "elements inside each other", CUE + b"".join(b"<x%s>" % _ for _ in (b"a", b"b")) + b"<i>" * 60 * K),
    ("subtitles", "lines that each open an element", CUE + b"<i>a\n" * 40 * K),
    ("subtitles", "blanks and marks of music in turn", CUE + b"a" + b"# " * 100 * K),
    ("web page", "elements that are never closed", b"<i>" * 60 * K + b"</b>" * 50 * K),
    ("web page", "elements around and behind a sentence", b"<i></i>" * 30 * K),
    ("web page", "tags whose quotes hold every bracket", b"<a " * 60 * K + b'=">"'),
    ("web page", "a picture followed by words without an end", b"<svg>" + b"a" * 150 * K),
    ("markdown", "items in one line", b"- " * 100 * K + b"a"),
    ("markdown", "numbers of items in one line", b"1. " * 60 * K + b"a"),
    ("tmx", "units inside each other", b"<tmx>" + b"<tu>a" * 40 * K),
    ("po", "a long rule of plurals, asked for with every message", PLURAL % (2, b"n>1" + b"+0*n" * 8) + MANY),
    ("series", "a row of nothing but commas", b"," * 400 * K),
    ("rows", "a row of nothing but commas", b"," * 400 * K),
    # Untyped errors.
    ("po", "an encoding that is none of text", charset(b"rot13")),
    ("po", "an encoding of names of hosts", charset(b"idna")),
    ("po", "an encoding that raises on purpose", charset(b"undefined")),
    ("po", "a rule that divides by zero for 500 files", PLURAL % (2, b"n==500?n/0:0") + MESSAGE),
    ("po", "a rule that Python cannot read", PLURAL % (2, b"n>!1") + MESSAGE),
    ("web page", "half a letter of UTF-16", b"\xff\xfea"),
    ("web page", "a surrogate by itself in UTF-16", b"\xff\xfe\x00\xd8a\x00"),
    ("stamps", "the last hour of 9999 west of Greenwich", b"9999-12-31T23:59:59-23:59\n"),
    ("stamps", "the first hour of the year 1 east of it", b"0001-01-01T00:00:00+14:00\n"),
    ("stamps", "a number beyond 64 bits", b"9223372036854775808"),
    ("stamps", "the last day of 9999, written in a zone", b"9999-12-31T23:59Z\n1970-01-01T01:00:00+01:00\n2020-06-0100+01:00"),
    ("options", "a name of 200,000 characters", b'{"' + b"}" * 200 * K + b'": 1}'),
    ("features", "bytes that are no text", b"a\tb\xff"),
    ("rows", "no row that can be read", b'""a'),
    ("picture table", "no row that can be read", b'""a'),
    ("json rows", "no row that can be read", b'"a"\n"b"\n'),
    ("series", "numbers of 5000 digits as times", b"t,v\n" + b"".join(b"9" * 5000 + b",%d\n" % i for i in range(5))),
    ("arguments", "an error over several lines", b"a\nb"),
    # Memory.
    ("series", "one day and the first of the year 1, step by step of a second", b"t,v\n0001-01-01 00:00:00,1\n9999-01-01 00:00:00,2\n9999-01-01 00:00:01,3\n"),
    ("long series", "one long name among many short ones", b"id\tvalue\n" + b"x" * 100 * K + b"\t1\n" + b"a\t1\n" * 20 * K),
    ("json series", "a row of many fields, and many of none", b"{" + b",".join(b'"%d":1' % i for i in range(9 * K)) + b"}\n" + b"{}\n" * 40 * K),
    ("json rows", "a row of many fields, and many of none", b"{" + b",".join(b'"%d":1' % i for i in range(9 * K)) + b"}\n" + b"{}\n" * 40 * K),
    ("mo", "strings that are each the whole file", overlapping()),
    ("mo", "strings beyond its end", seeds.compiled(seeds.MESSAGES, shift=10**9)),
    ("picture", "144 million points in 17 kB", png(12000, 12000, 8, 0, b"")),
    ("picture", "two thousand million frames", png(4, 4, 8, 2, b"", chunk(b"acTL", struct.pack(">2I", 2**31 - 1, 0)))),
    ("picture", "directories in a circle", tiff(1, 0)),
    ("picture", "a directory that is its own next one", tiff(0)),
    ("marian settings", "an id of 5,000 digits", b"a: " + b"9" * 5 * K),
    # Sound although odd.
    ("guard", "a paragraph of which nothing is translated is not wrapped anew", b"This paragraph was wrapped at some\nforty columns by its author, who lives\nat https://example.org/a"),
    ("text", "an answer with half a letter", b"Hello."),
)  # fmt: skip
