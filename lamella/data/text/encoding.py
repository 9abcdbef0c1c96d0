"""Bytes of unknown encoding -> text, and text -> numbered lines.

Files that people have come as UTF-8, as UTF-8 with a byte order mark (spreadsheets), as UTF-16 ("Unicode text" of some
programs) or as CP1252 (older Windows). All of these are read, and the encoding is reported. What is not text at all
(a picture, a spreadsheet renamed to .csv) is refused in one line that says what it is.

    text, encoding = read_text("reviews.csv")
    for number, line in enumerate(split_lines(text), start=1): ...
"""

from __future__ import annotations

import codecs
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import NamedTuple

from lamella.errors import DataError, UsageError

StrPath = str | os.PathLike[str]

MAX_BYTES = 2 << 30
"""A file larger than this is refused: it would be held in memory several times over."""

# (first bytes, offset, what it is, what to do). Zip comes with a longer hint since .xlsx is a zip.
_MAGIC: tuple[tuple[bytes, int, str, str], ...] = (
    (b"\x89PNG", 0, "a PNG picture", "give a text file"),
    (b"\xff\xd8\xff", 0, "a JPEG picture", "give a text file"),
    (b"GIF8", 0, "a GIF picture", "give a text file"),
    (b"PK\x03\x04", 0, "a zip archive", "unpack it first; a spreadsheet (.xlsx, .ods): save it as CSV"),
    (b"\x1f\x8b", 0, "gzip-compressed data", "unpack it first (gunzip)"),
    (b"BZh", 0, "bzip2-compressed data", "unpack it first (bunzip2)"),
    (b"\xfd7zXZ\x00", 0, "xz-compressed data", "unpack it first (unxz)"),
    (b"\x28\xb5\x2f\xfd", 0, "zstd-compressed data", "unpack it first (unzstd)"),
    (b"7z\xbc\xaf\x27\x1c", 0, "a 7z archive", "unpack it first"),
    (b"ustar", 257, "a tar archive", "unpack it first"),
    (b"\x7fELF", 0, "a program (ELF)", "give a text file"),
    (b"%PDF-", 0, "a PDF document", "export its text first"),
    (b"\xd0\xcf\x11\xe0", 0, "an old Office document", "save it as CSV or plain text"),
    (b"SQLite format 3\x00", 0, "an SQLite database", "export the table as CSV"),
    (b"PAR1", 0, "a Parquet table", "export it as CSV or JSONL"),
    (b"\xde\x12\x04\x95", 0, "a compiled gettext catalogue (.mo)", "name it .mo"),
    (b"\x95\x04\x12\xde", 0, "a compiled gettext catalogue (.mo)", "name it .mo"),
    (b"OggS", 0, "an Ogg file (sound)", "give a text file"),
)
# Tab, newline, form feed, carriage return, and escape and Ctrl-Z, which old editors leave, are seen in real text.
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\x0b\x0c\r\x1a\x1b") + b"\x7f"
_ASCII = bytes(range(32, 127)) + b"\t\r\n"
_ODD = frozenset(("utf-7", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"))
_TEXT = "text (UTF-8, UTF-16 with a byte order mark, or CP1252)"


def quote(text: str, limit: int = 60) -> str:
    """The text in double quotes for a one-line message: shortened, and nothing in it can move a terminal's cursor.

    In: any string. Out: printable characters only.

    >>> print(quote('say "hi"\\n\\x1b[2J'))
    "say \\"hi\\"\\n\\x1b[2J"
    >>> print(quote("a" * 100, limit=5))
    "aaaaa…"
    """
    shown = text[:limit] + ("…" if len(text) > limit else "")
    return '"' + "".join(_visible(letter) for letter in shown) + '"'


def quote_all(names: Iterable[object], limit: int = 12) -> str:
    """Names in quotes with commas between, the first few of many, for a one-line message.

    >>> quote_all(["a", "b"]), quote_all("abc", limit=2), quote_all([])
    ('"a", "b"', '"a", "b" and 1 more', 'none')
    """
    listed = list(names)
    more = f" and {len(listed) - limit:,} more" if len(listed) > limit else ""
    return (", ".join(quote(str(name)) for name in listed[:limit]) or "none") + more


def _visible(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")


def show_path(path: StrPath) -> str:
    """The path as it was given, safe to print on one line.

    >>> show_path("data/my\\nfile.tsv")
    'data/my\\\\nfile.tsv'
    """
    return "".join(letter if letter in '"\\' else _visible(letter) for letter in os.fspath(path))


class Span(NamedTuple):
    """A part of a file, in bytes."""

    begin: int
    end: int
    head: bytes = b""  # what is read before it, such as the line with the names of columns


_spans: ContextVar[Mapping[str, Span] | None] = ContextVar("spans", default=None)


@contextmanager
def spanned(spans: Mapping[str, Span]) -> Iterator[None]:
    """A context in which of some files, by their paths, only a part is read.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "letters.txt")
    >>> _ = path.write_text("abcdef")
    >>> with spanned({str(path): Span(2, 4, b"-")}):
    ...     read_text(path)[0]
    '-cd'
    """
    token = _spans.set({os.path.normpath(path): span for path, span in spans.items()})
    try:
        yield
    finally:
        _spans.reset(token)


def goes_on() -> bool:
    """Whether what is read is a later part of a file, which has no first line of its own and was judged by its first part."""
    return any(span.begin for span in (_spans.get() or {}).values())


def read_bytes(path: StrPath) -> bytes:
    """The content of a file, or of the part of it that is to be read (`spanned`).

    In: a path. Out: its bytes. Raises DataError, one line, where it is missing, a folder, unreadable or over MAX_BYTES.
    """
    name = show_path(path)
    try:
        if Path(path).is_dir():
            raise DataError(f"{name}: expected a file, received a folder. Name the file inside it")
        with open(path, "rb", opener=_open) as stream:
            about = os.fstat(stream.fileno())
            kind = about.st_mode
            if span := (_spans.get() or {}).get(os.path.normpath(path)):
                stream.seek(span.begin)
                return span.head + stream.read(span.end - span.begin)
            if stat.S_ISBLK(kind) or (stat.S_ISCHR(kind) and not stream.isatty()):
                raise DataError(f"{name}: expected a file, received a device. Name a file")  # it may never end
            # To read so many bytes is to ask for so much memory first; a pipe has no size that says how many there are.
            small = stat.S_ISREG(kind) and about.st_size <= MAX_BYTES
            raw = stream.read() if small else stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise DataError(f"{name}: expected a file, received nothing of that name. Check the path") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{name}: expected a readable file, received: {reason}. Check its permissions") from error
    if len(raw) > MAX_BYTES:
        raise DataError(f"{name}: expected at most {MAX_BYTES:,} bytes, received more. Split the file")
    return raw


def _open(path: str, flags: int) -> int:
    """Open a file without waiting: a named pipe that nobody writes to is empty, and does not hold its reader for ever."""
    if not hasattr(os, "O_NONBLOCK"):  # Windows, which has no such pipes
        return os.open(path, flags)
    handle = os.open(path, flags | os.O_NONBLOCK)
    os.set_blocking(handle, True)  # what somebody does write to, as `<(command)`, is read to its end
    return handle


_named: ContextVar[str] = ContextVar("encoding", default="")


@contextmanager
def encoded_as(name: str) -> Iterator[None]:
    """A context in which all files are read in the named encoding; "": detect it. UsageError for an unknown name.

    >>> with encoded_as("shift_jis"):
    ...     decode_bytes("表".encode("shift_jis"), "a.txt")
    ('表', 'shift_jis')
    """
    codec = text_codec(name) or (name.lower() if name.lower().replace("-", "").startswith(("utf16", "utf32")) else "")
    if name and not codec:
        raise UsageError(
            f"--encoding {name}: expected one such as utf-8, cp1252, iso-8859-2, shift_jis, gb18030 or utf-16."
        )
    token = _named.set(codec if name else "")
    try:
        yield
    finally:
        _named.reset(token)


def named_encoding() -> str:
    """The encoding that is named by `encoded_as` around this call; "": none, it is detected."""
    return _named.get()


def read_text(path: StrPath) -> tuple[str, str]:
    """The text of a file and its encoding; see `decode_bytes`."""
    return decode_bytes(read_bytes(path), show_path(path))


def decode_bytes(raw: bytes, name: str) -> tuple[str, str]:
    """Bytes to text.

    In: the bytes of a file, and the name to use in errors.
    Out: the text without byte order mark, and the encoding in words for a report.
    Raises DataError, one line, if the bytes are not text or their encoding cannot be detected.

    >>> decode_bytes("déjà".encode(), "a.txt")
    ('déjà', 'UTF-8')
    >>> decode_bytes("déjà".encode("utf-16"), "a.txt")
    ('déjà', 'UTF-16 LE')
    >>> decode_bytes("déjà".encode("cp1252"), "a.txt")
    ('déjà', 'CP1252')
    >>> decode_bytes(b"\\x89PNG\\r\\n\\x1a\\n", "a.txt")
    Traceback (most recent call last):
    lamella.errors.DataError: a.txt: expected text (UTF-8, UTF-16 with a byte order mark, or CP1252), received \
a PNG picture. What to do: give a text file
    """
    refuse_binary(raw, name)
    if named := _named.get():
        return _decode_as(raw, name, named)
    for mark, codec, label in (
        (b"\xef\xbb\xbf", "utf-8-sig", "UTF-8 with byte order mark"),
        (b"\xff\xfe\x00\x00", "utf-32", "UTF-32"),  # before UTF-16 LE, whose mark is the first half of this one
        (b"\x00\x00\xfe\xff", "utf-32", "UTF-32 BE"),
        (b"\xff\xfe", "utf-16", "UTF-16 LE"),
        (b"\xfe\xff", "utf-16", "UTF-16 BE"),
    ):
        if raw.startswith(mark):
            if codec == "utf-8-sig":
                return _decode_utf8(raw[len(mark) :], name, label)
            try:
                return _no_nul(raw.decode(codec), name), label
            except UnicodeDecodeError as error:
                line = 1 + raw[: error.start].decode(codec, "ignore").count("\n")
                raise DataError(
                    f"{name}, line {line}: expected {label} as its first bytes say, received bytes that are not. "
                    "Save the file as UTF-8"
                ) from error
    if b"\x00" in raw:
        return _decode_unmarked_utf16(raw, name)
    controls = len(raw) - len(raw.translate(None, _CONTROLS))
    if controls > max(2, len(raw) // 50):
        raise DataError(
            f"{name}: expected {_TEXT}, received binary data ({100 * controls // len(raw)}% control characters). "
            "Give a text file"
        )
    return _decode_utf8(raw, name, "UTF-8")


def _decode_as(raw: bytes, name: str, codec: str) -> tuple[str, str]:
    try:
        return _no_nul(raw.decode("utf-8-sig" if codec == "utf-8" else codec), name), codec
    except UnicodeDecodeError as error:
        line = 1 + raw.count(b"\n", 0, error.start)
        raise DataError(
            f"{name}, line {line}: expected {codec}, as --encoding says, received bytes that are not. Leave --encoding out to "
            "have it found"
        ) from error


def refuse_binary(raw: bytes, name: str) -> None:
    """Raise DataError where the first bytes are those of a picture, an archive, or another file that is no text."""
    for magic, offset, what, remedy in _MAGIC:
        if raw.startswith(magic, offset):
            raise DataError(f"{name}: expected {_TEXT}, received {what}. What to do: {remedy}")


def _no_nul(text: str, name: str) -> str:
    where = text.find("\0")
    if where >= 0:
        line = text.count("\n", 0, where) + 1
        raise DataError(
            f"{name}, line {line}: expected text, received a NUL character. "
            "The file is damaged or binary: remove the NUL characters or save it again as UTF-8"
        )
    return text


def _decode_unmarked_utf16(raw: bytes, name: str) -> tuple[str, str]:
    """Detect UTF-16 without a byte order mark: of Latin letters and spaces every other byte is NUL."""
    half = max(1, len(raw) // 2)
    even, odd = raw[0::2].count(0) / half, raw[1::2].count(0) / half
    for here, there, codec, label in ((odd, even, "utf-16-le", "UTF-16 LE"), (even, odd, "utf-16-be", "UTF-16 BE")):
        if here > 0.4 and there < 0.01 and len(raw) % 2 == 0:
            try:
                return _no_nul(raw.decode(codec), name), f"{label} without byte order mark"
            except UnicodeDecodeError:
                break
    return _no_nul(raw.decode("latin-1"), name), ""  # always raises: there is a NUL


def _decode_utf8(raw: bytes, name: str, label: str) -> tuple[str, str]:
    try:
        return raw.decode("utf-8"), label
    except UnicodeDecodeError as error:
        first = raw.count(b"\n", 0, error.start) + 1
    # A few damaged bytes in UTF-8 must not turn every é of the file into Ã©. In real CP1252 text the two or three
    # bytes that make a UTF-8 letter next to never stand together, so their number decides.
    replaced = raw.decode("utf-8", "replace")
    damaged = replaced.count("\ufffd") - raw.count(b"\xef\xbf\xbd")
    if sum(1 for _ in re.finditer("[^\x00-\x7f\ufffd]", replaced)) > 2 * damaged:
        plural = "s" if damaged > 1 else ""
        return replaced, f"{label} with {damaged} damaged byte{plural} shown as U+FFFD, the first on line {first}"
    unknown = DataError(
        f"{name}, line {first}: expected {_TEXT}, received bytes in another encoding. Save the file as UTF-8, or name its own: "
        "--encoding gb18030, shift_jis, euc_kr, cp1251, ..."
    )
    try:
        text = raw.decode("cp1252")
    except UnicodeDecodeError as error:  # five bytes mean nothing in CP1252, and are common in Asian encodings
        raise unknown from error
    # Western European text has one accented letter in ten at most. Far more means Cyrillic, Greek or Chinese bytes,
    # and reading those as CP1252 would silently train a model on garbage.
    letters = sum(map(str.isalpha, text))
    foreign = sum(match[0].isalpha() for match in re.finditer("[^\x00-\x7f]", text))
    if foreign > 20 and foreign > 0.3 * letters:
        raise unknown
    # Beside much English the share is small; but letters of two bytes, and words of another alphabet, stand together, as
    # accented letters seldom do.
    runs = re.findall(rb"[\x80-\xff]+", raw)
    if len(runs) > 5 and sum(len(run) > 1 for run in runs) > 0.6 * len(runs):
        raise unknown
    return text, "CP1252"


def text_codec(label: str) -> str:
    """An encoding as Python calls it, or "" where it is not known, or not one in which ASCII is ASCII.

    What a file says of its own encoding may be any of Python's codecs, among them some that are no encodings of text
    (rot13), that take a time quadratic in the text (punycode), or in which a line end is no line end (UTF-16).

    >>> text_codec("ISO-8859-15"), text_codec("UTF8"), text_codec("rot13"), text_codec("utf-16"), text_codec("what")
    ('iso8859-15', 'utf-8', '', '', '')
    """
    try:
        name = codecs.lookup(label).name
        same = name.replace("-", "_") not in _ODD and _ASCII.decode(name) == _ASCII.decode("ascii")
    except (LookupError, ValueError):
        return ""
    return name if same else ""


def split_lines(text: str) -> list[str]:
    """The lines of a text, without their ends: only \\n and \\r\\n end a line (and \\r, where there is no \\n at all).

    `str.splitlines` would also cut at U+2028, U+0085 and form feeds, which stand inside real sentences.
    In: text. Out: lines; a last newline opens no line.

    >>> split_lines("one\\r\\ntwo\\u2028still two\\n\\nfour\\n")
    ['one', 'two\\u2028still two', '', 'four']
    """
    lines = text.replace("\r\n", "\n").split("\n") if "\n" in text else text.split("\r")
    if lines[-1] == "":
        lines.pop()
    return lines
