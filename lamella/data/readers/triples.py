"""Facts in forms of their own: N-Triples, and the numbered lists of OpenKE.

read_ntriples(Path("facts.nt"), report, labels)    IRIs by their last part, literals counted and left out
read_numbered(Path("train2id.txt"), report)        beside entity2id.txt and relation2id.txt; the tail stands second
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from lamella.data.readers.bad_rows import BadRow, refuse_many
from lamella.data.readers.report import Report, Source, counted
from lamella.data.text.encoding import quote, read_text, show_path, split_lines
from lamella.errors import DataError

Fact = tuple[str, str, str]
SUFFIXES = (".nt", ".ntriples", ".nq", ".nquads")
CALLED = {"label", "preflabel", "name", "title"}  # predicates whose literals are labels
LOOKED_AT = 20  # lines by which a file of another name is known

_TERM = r"(<[^<>\s]*>|_:\S+?)"
_LITERAL = r'("(?:[^"\\]|\\.)*"(?:@[\w-]+|\^\^<[^<>\s]*>)?)'
_GRAPH = r"(?:(?:<[^<>\s]*>|_:\S+?)\s*)?"
_TRIPLE = re.compile(rf"\s*{_TERM}\s*(<[^<>\s]*>)\s*(?:{_TERM}|{_LITERAL})\s*{_GRAPH}\.\s*(?:#.*)?")


def clean(name: str) -> str:
    """A name on one line, without white space around it.

    >>> clean(" New\\n York ")
    'New York'
    """
    return " ".join(name.replace("\0", " ").encode("utf-8", "replace").decode().split())


def note_read(source: Source, facts: list[Fact], bad: Sequence[BadRow], report: Report, remedy: str) -> list[Fact]:
    """Note in the report what was read of a file, and refuse it where too many rows are bad."""
    source.rows = len(facts)
    report.sources.append(source)
    report.bad += bad[: max(0, 10 - len(report.bad))]
    report.drop("bad row", len(bad))
    refuse_many(source.file, len(facts), bad, "rows", remedy)
    return facts


# ---- N-Triples -----------------------------------------------------------------------------------------------------


def is_ntriples(path: Path) -> bool:
    """Whether a file is N-Triples, by its name or by its first lines."""
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            head = file.read(1 << 14).decode("utf-8", "replace").lstrip("\ufeff")
    except (OSError, ValueError):
        return False
    lines = [line for line in head.splitlines(keepends=True)[:LOOKED_AT] if line.endswith("\n")]  # the last may be cut
    said = [line.rstrip() for line in lines or [head] if line.strip() and not line.lstrip().startswith("#")]
    return bool(said) and all(map(_TRIPLE.fullmatch, said))


def read_ntriples(path: Path, report: Report, labels: dict[str, str]) -> list[Fact]:
    """IRIs by their local names, which are the whole IRI where two have one; literals are labels, or counted."""
    text, encoding = read_text(str(path))
    file = show_path(str(path))
    facts, bad, own, literals = [], [], _Names(), 0
    for number, line in enumerate(split_lines(text), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _TRIPLE.fullmatch(line)
        if not match:
            bad.append(BadRow(file, number, "<head> <relation> <tail> .", quote(line)))
            continue
        head, relation, tail, literal = match.groups()
        if tail:
            facts.append((own.of(head), own.of(relation), own.of(tail)))
            continue
        literals += 1
        if own.of(relation).casefold() in CALLED:
            report.drop("a further label of what has one", int(own.of(head) in labels))
            labels.setdefault(own.of(head), clean(_unescape(literal[1 : literal.rindex('"')])))
        else:
            report.drop("a literal, which is no entity")
    source = Source(file, "N-Triples", encoding)
    remedy = "Write a fact a line, <head> <relation> <tail> . with IRIs whole and without prefixes; riot of Apache Jena does that."
    facts = note_read(source, facts, bad, report, remedy)
    if not facts and not literals:
        raise DataError(f"{file}: expected facts, received none.")
    return facts


class _Names:
    """Local names of IRIs: the part behind the last # or /."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.taken: dict[str, str] = {}

    def of(self, term: str) -> str:
        r"""
        >>> _Names().of("<http://example.org/New%20York>")
        'New York'
        >>> _Names().of(r"<http://example.org/M\u00fcller>")
        'Müller'
        """
        if term not in self.names:
            iri = _unescape(term.strip("<>"))
            local = clean(unquote(re.split(r"[#/]", iri.rstrip("#/"))[-1])) or iri or "(empty)"
            self.names[term] = local if self.taken.setdefault(local, term) == term else iri
        return self.names[term]


def _unescape(text: str) -> str:
    r"""The characters that a literal stands for.

    >>> _unescape(r"caf\u00e9 \"x\"")
    'café "x"'
    """
    plain = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f"}

    def one(match: re.Match[str]) -> str:
        code = match[1]
        if len(code) > 1:
            number = int(code[1:], 16)
            return chr(number) if number < 0x110000 else "\ufffd"
        return plain.get(code, code)

    return re.sub(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", one, text)


# ---- OpenKE --------------------------------------------------------------------------------------------------------


def read_numbered(path: Path, report: Report) -> list[Fact]:
    """`train2id.txt`: a count, then head, tail and relation as numbers, which entity2id.txt and relation2id.txt name."""
    if path.stem.lower() in ("entity2id", "relation2id"):
        raise DataError(
            f"{show_path(str(path))}: expected facts, received the list of names beside them. Give train2id.txt."
        )
    names = [_numbers(path.with_name(f"{what}2id.txt"), path, report) for what in ("entity", "relation")]
    file, facts, bad = show_path(str(path)), list[Fact](), list[BadRow]()
    rows, encoding = _counted_rows(path, 3, report)
    for number, cells in rows:
        if len(cells) == 3 and cells[0] in names[0] and cells[1] in names[0] and cells[2] in names[1]:
            facts.append((names[0][cells[0]], names[1][cells[2]], names[0][cells[1]]))
        else:
            bad.append(BadRow(file, number, "head, tail and relation as numbers of the lists", quote(" ".join(cells))))
    remedy = "Head, tail and relation stand in this order, each with a number of entity2id.txt or relation2id.txt."
    facts = note_read(Source(file, "OpenKE", encoding), facts, bad, report, remedy)
    if not facts:
        raise DataError(f"{file}: expected facts, received a count only.")
    return facts


def _numbers(path: Path, facts: Path, report: Report) -> dict[str, str]:
    """A list of names with their numbers: number -> name. DataError where it is not there, or one number has two names."""
    if not path.is_file():
        raise DataError(f"{facts}: expected {path.name} beside it, as OpenKE writes it, received none.")
    names: dict[str, str] = {}
    for number, cells in _counted_rows(path, 2, report)[0]:
        if len(cells) != 2 or not cells[1].isdigit():
            continue
        if names.setdefault(cells[1], clean(cells[0])) != clean(cells[0]):
            raise DataError(
                f"{show_path(str(path))}, line {number}: expected a number of its own for {quote(clean(cells[0]))}, received "
                f"{cells[1]}, which is that of {quote(names[cells[1]])}."
            )
    return names


def _counted_rows(path: Path, width: int, report: Report) -> tuple[list[tuple[int, list[str]]], str]:
    """The rows of a file whose first line says how many there are, with the numbers of their lines, and its encoding.

    The count is a claim: a file without one is read from its first line on, and another number of rows is noted.
    """
    text, encoding = read_text(str(path))
    split = None if width == 3 else 1
    lines = [(n, line) for n, line in enumerate(split_lines(text), 1) if line.strip()]
    rows = [(n, line.split() if split is None else line.rsplit(None, split)) for n, line in lines]
    if rows and len(rows[0][1]) == 1 and rows[0][1][0].isdigit():
        claimed, rows = int(rows[0][1][0]), rows[1:]
        if claimed != len(rows):
            report.notes.append(
                f"{show_path(str(path))}: its first line says {claimed:,} rows, and {counted(len(rows), 'row')} are there"
            )
    return rows, encoding
