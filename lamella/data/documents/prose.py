"""Plain text, and what every document made of running text shares: its encoding, its line ends, its wrapped lines.

A document is a list of parts. A string is copied; a `Block` is a stretch of the file that is translated: as one line,
however many lines it had, and wrapped to their width again.

    >>> text = Text(b"Notes\\n\\nThis paragraph was wrapped at some\\nforty columns by its author.\\n", "notes.txt")
    >>> text.segments
    ['Notes', 'This paragraph was wrapped at some forty columns by its author.']
    >>> text.render([segment.upper() for segment in text.segments]).decode()
    'NOTES\\n\\nTHIS PARAGRAPH WAS WRAPPED AT SOME\\nFORTY COLUMNS BY ITS AUTHOR.\\n'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from lamella.data.text import placeholders, sentences
from lamella.data.text.encoding import StrPath, decode_bytes
from lamella.errors import DataError


@dataclass
class Block:
    """A stretch of a document that is translated."""

    source: str  # as it stands in the file, from the first letter to the last
    text: str  # as it is translated: on one line
    offset: int = 0  # how many characters are before it in its first line
    indent: str = ""  # what its second and later lines begin with
    width: int = 0  # how long its longest line is; 0 where it is to stay on one line
    eol: str = "\n"
    cell: bool = False  # in a table, where a bar ends the cell
    # How an answer is written there, where it is not as it is.
    encode: Callable[[str], str] | None = field(default=None, repr=False)


class Inset(Protocol):
    """A stretch of a document in another format, with texts of its own: a page of HTML in Markdown."""

    segments: list[str]
    formats: list[str]

    def rendered(self, answers: Sequence[str | None]) -> str:
        """The stretch with an answer for each of its segments; None leaves what was there."""


class Prose:
    """A document of running text: the base of every format that `parse` cuts into parts.

    In: the bytes of a file and its name, for errors; what else every format is given (the target language, and files
    with translations made before) is of no use here. Raises DataError where the bytes are none or no text.
    """

    format = ""

    def __init__(self, data: bytes, name: str, target_language: str = "", memory: Sequence[StrPath] = ()) -> None:
        if not data:
            raise DataError(f"{name}: expected text, received an empty file. Write something into it first")
        text, self.encoding = decode_document(data, name)
        self.parts = self.parse(_lines(text))
        self.segments: list[str] = []
        self.formats: list[str] = []
        for part in self.parts:
            if isinstance(part, Block):
                self.segments.append(part.text)
                self.formats.append(self.format)
            elif not isinstance(part, str):
                self.segments += part.segments
                self.formats += part.formats

    def parse(self, lines: list[tuple[str, str]]) -> list[str | Block | Inset]:
        """Lines, each with its line end, as parts; whatever is not in a block is copied."""
        raise NotImplementedError

    def lines_of(self, block: Block, answer: str) -> list[str]:
        """The answer to a block as the lines that stand for it."""
        if block.encode:
            return [block.encode(answer)]
        if not block.width:
            return [answer]
        taken = placeholders.spans(answer, self.format)
        return sentences.wrap(answer, block.width - len(block.indent), taken, block.width - block.offset)

    def render(self, answers: Sequence[str | None]) -> bytes:
        """The document with an answer for each segment; None, or the segment itself, leaves the source as it was.

        Raises ValueError where there are not as many answers as segments. The encoding is that of the source, or UTF-8
        where that has no room for a letter of the answers.
        """
        if len(answers) != len(self.segments):
            raise ValueError(f"Expected an answer for each of {len(self.segments)} segments. Received: {len(answers)}")
        rest = iter(answers)
        return encode_as("".join(self._rendered(part, rest) for part in self.parts), self.encoding)

    def _rendered(self, part: str | Block | Inset, answers: Iterator[str | None]) -> str:
        if isinstance(part, str):
            return part
        if not isinstance(part, Block):
            return part.rendered([next(answers) for _ in part.segments])
        answer = next(answers)
        if answer is None or answer == part.text:
            return part.source
        return (part.eol + part.indent).join(self.lines_of(part, answer))

    def summary(self, answers: Sequence[str | None]) -> dict[str, int]:
        """How many segments there are, and how many have no translation."""
        return {"segments": len(self.segments), "kept": sum(answer is None for answer in answers)}


class Text(Prose):
    """Plain text: paragraphs of wrapped lines are put together, lists, tables and verses stay line by line.

    Where nearly every line ends as a sentence does, each is a text by itself, unless `by_line` decides. `summary` says
    which was chosen: so many `lines`, or `paragraphs`.
    """

    options = ("by_line",)

    def __init__(
        self,
        data: bytes,
        name: str,
        target_language: str = "",
        memory: Sequence[StrPath] = (),
        by_line: bool | None = None,
    ) -> None:
        """by_line: whether each line is a text by itself; None: as the file looks."""
        self.decided = by_line
        super().__init__(data, name, target_language, memory)

    def parse(self, lines: list[tuple[str, str]]) -> list[str | Block | Inset]:
        parts: list[str | Block | Inset] = []
        full = [line for line, _ in lines if line.strip()]
        ended = sum(bool(_SENTENCE.search(line[-40:])) for line in full)
        self.by_line = ended >= _MOSTLY * len(full) if self.decided is None else self.decided
        index = 0
        while index < len(lines):
            end = index
            while end < len(lines) and lines[end][0].strip():
                end += 1
            width = max((len(line) for line, _ in lines[index:end]), default=0)
            while index < end:
                index = _paragraph(lines, index, index + 1 if self.by_line else end, width, parts)
            if index < len(lines):
                parts.append("".join(lines[index]))
                index += 1
        return parts

    def summary(self, answers: Sequence[str | None]) -> dict[str, int]:
        return {**super().summary(answers), "lines" if self.by_line else "paragraphs": len(self.segments)}


_SENTENCE = re.compile(r"[.!?…:;。！？][\"'”’»)\]]*\s*$")
_MOSTLY = 0.8  # of the lines
_COLUMNS = re.compile(r"\S(?: {3,}|\t)\S")
_HYPHEN = re.compile(r"\w-$")


def _paragraph(lines: list[tuple[str, str]], start: int, end: int, width: int, parts: list[str | Block | Inset]) -> int:
    """Add the paragraph that begins at `start` and ends at `end` or before; where it ends."""
    rows = [placeholders.edges(lines[start][0])]
    at = start + 1
    while at < end:
        line, following = lines[at - 1][0], lines[at][0]
        row = placeholders.edges(following)
        if _COLUMNS.search(line) or _COLUMNS.search(following) or not sentences.runs_on(line, following, width):
            break
        if len(rows) > 1 and row[0] != rows[-1][0]:
            break
        rows.append(row)
        at += 1
    parts += [rows[0][0], block_of(rows, lines[start:at], width), rows[-1][2] + lines[at - 1][1]]
    return at


def block_of(rows: Sequence[tuple[str, str, str]], lines: Sequence[tuple[str, str]], width: int) -> Block:
    """Rows (what is before, the text, what is after) of lines (text, line end) as one block.

    >>> block_of([("", "one", ""), ("  ", "two", "")], [("one", "\\n"), ("  two", "\\n")], 5)
    Block(source='one\\n  two', text='one two', offset=0, indent='  ', width=5, eol='\\n', cell=False)
    """
    source, text = [rows[0][1]], [rows[0][1]]
    for number, (before, core, _) in enumerate(rows[1:], start=1):
        source += [rows[number - 1][2], lines[number - 1][1], before, core]
        # Only a word is divided over two lines without a blank.
        blank = "" if _HYPHEN.search(text[-1][-2:]) and core[:1].islower() else " "
        text += [blank, core] if core else []
    if len(rows) == 1:
        return Block(source[0], text[0])
    offset = len(lines[0][0]) - len(rows[0][1] + rows[0][2])
    return Block("".join(source), "".join(text), offset, rows[1][0], width, lines[0][1])


def _lines(text: str) -> list[tuple[str, str]]:
    """The lines of a text, each with the characters that end it (none for the last)."""
    pieces = re.split(r"(\r\n|\r|\n)", text)
    return list(zip(pieces[::2], [*pieces[1::2], ""], strict=True))


_CODECS = {
    "UTF-8 with byte order mark": ("utf-8-sig", b""),
    "UTF-16 LE without byte order mark": ("utf-16-le", b""),
    "UTF-16 BE without byte order mark": ("utf-16-be", b""),
    "UTF-16 LE": ("utf-16-le", b"\xff\xfe"),
    "UTF-16 BE": ("utf-16-be", b"\xfe\xff"),
    "UTF-32 BE": ("utf-32-be", b"\x00\x00\xfe\xff"),
    "UTF-32": ("utf-32-le", b"\xff\xfe\x00\x00"),
    "CP1252": ("cp1252", b""),
}


# Letters in UTF-8 that are none in CP1252: an accented small letter, a dash or quotation mark, two Cyrillic or Chinese ones.
_UTF8 = re.compile(
    rb"\xc3[\x9f-\xba\xbc-\xbf]|\xe2\x80[\x90-\xbf]|(?:[\xd0\xd1][\x80-\xbf]){2}|(?:[\xe3-\xe9][\x80-\xbf]{2}){2}"
)


def decode_document(data: bytes, name: str) -> tuple[str, str]:
    """The text of a file that is written again, and its encoding; DataError also where it holds several encodings.

    A table may lose a damaged letter, which is counted; a document would keep the loss.

    >>> decode_document("café\\n".encode() + "thé".encode("cp1252"), "a.txt")
    Traceback (most recent call last):
    lamella.errors.DataError: a.txt, line 2: expected one encoding, received UTF-8 with bytes of another. Save all of it as UTF-8
    """
    text, encoding = decode_bytes(data, name)
    if "damaged" in encoding or (encoding == "CP1252" and is_mixed(data)):
        refuse_mixed(data, name)
    return text, encoding


def is_mixed(data: bytes) -> bool:
    """Whether bytes that are not UTF-8 hold letters in UTF-8."""
    return bool(_UTF8.search(data))


def refuse_mixed(data: bytes, name: str) -> None:
    """DataError at the first line that is not UTF-8."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = 1 + data.count(b"\n", 0, error.start)
        raise DataError(
            f"{name}, line {line}: expected one encoding, received UTF-8 with bytes of another. Save all of it as UTF-8"
        ) from error


def encode_as(text: str, encoding: str) -> bytes:
    """A text in an encoding as `decode_bytes` names it, or in UTF-8 where that has no room for one of its letters.

    Half of a letter (a surrogate by itself), which no encoding holds, becomes U+FFFD.
    """
    codec, mark = next((value for label, value in _CODECS.items() if encoding.startswith(label)), ("utf-8", b""))
    try:
        return mark + text.encode(codec)
    except UnicodeEncodeError:
        return re.sub("[\ud800-\udfff]", "\ufffd", text).encode("utf-8")
