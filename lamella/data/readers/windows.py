"""Large files of lines in parts that are read one by one, so that no more than a part of them is in memory.

    for part in cut(["pairs.tsv"]):
        with part.only():
            table = read_table(part.paths, ...)         these lines alone, under the names of their columns

A part is a range of bytes that ends with a line. What reads files sees only that range (`lamella.data.text.encoding`); the first
line of a table, with the names of its columns, stands before each of its parts.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec

from lamella.data.readers.suffixes import packing, table_suffix
from lamella.data.text.encoding import Span, show_path, spanned
from lamella.errors import DataError

SIZE = 8 << 20  # bytes of a part
HEAD = 256 << 10  # bytes from which is told how a file is to be read
_CHUNK = 1 << 20
_WIDE = (b"\xff\xfe", b"\xfe\xff")  # the first bytes of UTF-16 and UTF-32, in which a line end is several bytes


class Part(msgspec.Struct):
    """Lines of one file, or the same lines of two."""

    paths: list[str]
    spans: list[Span]  # of each path
    before: list[int]  # lines of each file that stand before the part
    distinct: bool = False  # its reader leaves out what comes again, and so must be done over all parts

    @contextmanager
    def only(self) -> Iterator[None]:
        """A context in which nothing else of these files is seen; errors in it name the lines of the whole file."""
        with spanned(dict(zip(self.paths, self.spans, strict=True))):
            try:
                yield
            except DataError as error:
                raise DataError(self.placed(str(error)), [self.placed(line) for line in error.details]) from error

    def placed(self, line: str) -> str:
        """What is said of a line of the part, said of the same line of the file.

        >>> Part(["a.tsv"], [Span(100, 200, b"en\\tfr\\n")], [50]).placed("a.tsv, line 3: expected 2 columns")
        'a.tsv, line 52: expected 2 columns'
        """
        for path, span, before in zip(self.paths, self.spans, self.before, strict=True):
            # The names of the columns are lines that the part has and its place has not.
            number = rf"({re.escape(show_path(path))}, line )([0-9]+)"
            line = re.sub(number, partial(_moved, before - span.head.count(b"\n")), line)
        return line


def _moved(by: int, match: re.Match[str]) -> str:
    return f"{match[1]}{int(match[2]) + by}"


def cut(paths: Sequence[str], aligned: bool = False, size: int = 0) -> list[Part]:
    """Files of lines in parts of about `size` bytes; aligned: line n of all of them stands in one part.

    [] where one of them is no file of lines: a folder, a packed table, a JSON array, a translation memory, UTF-16.
    """
    size = size or SIZE
    if not paths or not all(map(by_line, paths)):
        return []
    if aligned:
        return _aligned(list(map(str, paths)), size)
    parts = []
    for path in map(str, paths):
        ends = list(_ends(path, size))
        for (begin, before), (end, _) in zip([(0, 0), *ends], ends, strict=False):
            parts.append(Part([path], [Span(begin, end)], [before]))
    return parts


def by_line(path: str) -> bool:
    """Whether a file is made of lines that can be read by themselves, by its name and first bytes."""
    place = Path(path)
    if not place.is_file() or packing(path) or table_suffix(path) == ".json" or place.suffix.lower() == ".tmx":
        return False
    with place.open("rb") as file:
        first = file.read(HEAD)
    return not first.startswith(_WIDE) and b"\0" not in first and first.lstrip()[:1] != b"["


def head(path: str) -> Part:
    """The first lines of a file, from which is told what its columns are."""
    with Path(path).open("rb") as file:
        first = file.read(HEAD)
        last = first.rfind(b"\n") + 1 if file.read(1) else len(first)
    return Part([path], [Span(0, last or len(first))], [0])


def first_line(path: str) -> bytes:
    """The line with the names of a table's columns, with the one before it where that says what separates them."""
    with Path(path).open("rb") as file:
        line = file.readline(HEAD)
        return line + file.readline(HEAD) if line.strip(b'" ').startswith(b"sep=") else line


def _ends(path: str, size: int) -> Iterator[tuple[int, int]]:
    """Where parts end, in bytes, and how many lines end before: behind a line, and of a CSV not within quotation marks."""
    marks_count = table_suffix(path) == ".csv"
    at = lines = marks = 0
    wanted, length = size, Path(path).stat().st_size
    with Path(path).open("rb") as file:
        while chunk := file.read(min(size, 1 << 16)):
            chunk += file.readline()
            at, lines = at + len(chunk), lines + chunk.count(b"\n")
            marks += chunk.count(b'"') if marks_count else 0
            if at >= wanted and marks % 2 == 0 and length - at > size // 2:  # a short rest belongs to the last part
                yield at, lines
                wanted = at + size
    if length:
        yield length, lines


def _aligned(paths: list[str], size: int) -> list[Part]:
    """Parts that end after the same number of lines in every file; each is of at most about `size` bytes in the first."""
    counts = [lines for _, lines in _ends(paths[0], size)][:-1]
    begins = [[0, *_behind(path, counts)] for path in paths]
    ends = [[*own[1:], Path(path).stat().st_size] for own, path in zip(begins, paths, strict=True)]
    before = [0, *counts]
    return [
        Part(paths, [Span(b[i], e[i]) for b, e in zip(begins, ends, strict=True)], [before[i]] * len(paths))
        for i in range(len(before))
    ]


def _behind(path: str, counts: Sequence[int]) -> list[int]:
    """Where in a file so many lines have ended, for each of these growing counts; its end, where it has not as many."""
    found: list[int] = []
    lines = at = 0
    with Path(path).open("rb") as file:
        while len(found) < len(counts) and (chunk := file.read(_CHUNK)):
            inside = chunk.count(b"\n")
            while len(found) < len(counts) and lines + inside >= counts[len(found)]:
                found.append(at + _nth(chunk, counts[len(found)] - lines) + 1)
            lines, at = lines + inside, at + len(chunk)
    return found + [at] * (len(counts) - len(found))


def _nth(chunk: bytes, count: int) -> int:
    """The place of the nth line end, counted from 1."""
    place = -1
    for _ in range(count):
        place = chunk.index(b"\n", place + 1)
    return place
