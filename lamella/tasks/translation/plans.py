r"""Cut a text into what is copied and what is translated.

`guard` does the translating. Here a text becomes a list of nodes: strings that stay as they are (white space, markers
of a list, columns, emoji, whatever holds no words), sentences, and paragraphs of several lines. `render` puts them
together again, and as long as no sentence has an answer, that gives the text that was cut.

    >>> plan = Plan("_Name:\n- the first of 3 🎉\n", "", common)
    >>> [unit.source for unit in plan.units], plan.mark, render(plan.nodes)
    (['_Name:', 'the first of 3'], '', '_Name:\n- the first of 3 🎉')
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

from lamella.data.text import placeholders, sentences
from lamella.data.text.lazy import lazy
from lamella.data.text.sentences import Span

if TYPE_CHECKING:  # most translations have none
    from lamella.tasks.translation.checks import Checks, Verdict
    from lamella.tasks.translation.chinese_names import Person
    from lamella.tasks.translation.glossary import Term

Status = Literal["translated", "repaired", "kept", "empty", "copied", "remembered", "dictionary"]


class Unit(Struct):
    """A sentence on its way through the net. `frozen` are the stretches that the net never gets to see."""

    source: str
    format: str
    frozen: list[Span]
    answer: str = ""
    status: Status = "kept"
    copied: bool = False  # the net's answer was the source itself
    whole: bool = False  # all the words of its line, which has others beside it
    latin: dict[str, str] = field(default_factory=dict)  # of Chinese that the net never sees: what stands for it
    known: list[Person] = field(default_factory=list)  # of these what the answer must have
    terms: list[Term] = field(default_factory=list)  # places whose translation a glossary decides
    spare: list[str] = field(default_factory=list)  # sound answers that lack some of them
    others: list[str] = field(default_factory=list)  # further sound answers, best first
    flawed: list[Verdict] = field(default_factory=list)  # sound answers that lack a number, a name or a mark
    waiting: Verdict | None = None  # an answer that lacks nothing, after one that may lack nothing either
    doubts: list[str] = field(default_factory=list)  # what is uncertain about the answer
    sure: float | None = None  # the mean log-probability of the answer's pieces
    checks: Checks | None = None

    def best(self) -> Verdict | None:
        """Of the answers that lack something the one that lacks least."""
        return min(self.flawed, key=lambda one: len(one.faults), default=None)

    def settle(self, verdict: Verdict, status: Status) -> None:
        """Take an answer."""
        self.answer, self.doubts = verdict.text, [*verdict.faults, *verdict.doubts]
        self.status, self.sure = "repaired" if verdict.mended else status, verdict.sure


class Wrapped(Struct):
    """Lines that are one paragraph: translated as one line, then broken into as many as there were."""

    source: str
    parts: list[Node]
    breaks: list[str]
    format: str


Node = str | Unit | Wrapped

# What is no language and ends what comes before it: control characters, columns of a table, very long "words".
FOREIGN = "\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
_HARD = lazy(rf"[{FOREIGN}]++|(?<=\S) {{3,}}+|(?<![!-~¡-ɏ])[!-~¡-ɏ]{{201,}}+")
_LONG = 120
_SINGLES = "‚‹›"  # a net is asked with a straight mark for each
_FINISHED = lazy(r"[.!?:;…。！？：；][\"'”’»)\]]*\s*$")
_FACE = lazy(r"(?<!\S)[:;=]['-]?[()DPpO3](?=\s+[A-ZÀ-Þ¿¡]|\s*$)")
_JOINERS = "\u200d\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff"


def common(character: str) -> bool:
    """Whether a character is one that text consists of: no emoji, nothing unassigned.

    >>> common("é"), common("🎉")
    (True, False)
    """
    return character <= "ÿ" or unicodedata.category(character) not in ("So", "Co", "Cn", "Cs")


def is_sign(character: str) -> bool:
    """Whether a character says what a number beside it is an amount of: money, or degrees.

    >>> is_sign("€"), is_sign("°"), is_sign("☺")
    (True, True, False)
    """
    return character == "°" or unicodedata.category(character) == "Sc"


class Plan:
    """A text as what is copied and what is translated.

    In: the text, its format (see `placeholders`), whether the net can read a character, and the most characters of a
    sentence. What is there afterwards: `before` and `after`, the white space around it; `core`, the rest without the
    accelerator `mark`; `nodes`, the core in order; and `units`, those of the nodes that hold words.
    """

    def __init__(self, text: str, format: str, known: Callable[[str], bool], limit: int = sentences.LIMIT) -> None:
        self.text, self.format, self.limit = text, format, limit
        self.before, core, self.after = placeholders.edges(text)
        self.core, self.mark = placeholders.split_accelerator(core, format)
        self.units: list[Unit] = []
        strange = {char for char in set(core) if not char.isspace() and char not in _SINGLES and not known(char)}
        # A letter the net cannot read takes its word along, and stays in the sentence; a symbol divides it.
        both = [char for char in strange if unicodedata.category(char)[0] in "LMN"]
        # Between the characters of a Chinese text are no blanks: one that the net cannot read stands for itself.
        chinese = 2 * sum(map(sentences.is_wide, core)) > sum(map(str.isalpha, core))
        letters = "".join(re.escape(char) for char in both if not (chinese and sentences.is_wide(char)))
        wide = "".join(re.escape(char) for char in both if chinese and sentences.is_wide(char))
        money = "".join(re.escape(char) for char in strange if is_sign(char))
        symbols = "".join(
            re.escape(char) for char in strange if unicodedata.category(char)[0] not in "LMN" and char not in money
        )
        words = [rf"(?<!\w)\w*[{letters}]\w*(?:\s+\w*[{letters}]\w*)*"] * bool(letters)
        words += [f"[{wide}]+"] * bool(wide)
        # An amount takes its sign along.
        words += [
            rf"[{money}](?:\s?[0-9][0-9.,]*(?<=[0-9]))?|[0-9](?:[0-9.,]|[ \u00a0\u202f](?=[0-9]))*\s?[{money}](?:(?<=°)[CFK](?!\w))?"
        ] * bool(money)
        self.words = re.compile("|".join(words)) if words else None
        self.symbols = re.compile(rf"(?:[{symbols}][{_JOINERS}]*+)++") if symbols else None
        self.nodes: list[Node] = []
        taken = self._spans(self.core)
        for literal, chunk in cut(self.core, _hard(self.core, taken)):
            self.nodes += [literal, *self._lines(chunk)]

    def _spans(self, text: str) -> list[Span]:
        return placeholders.spans(text, self.format)

    def _lines(self, text: str) -> Iterator[Node]:
        lines = text.split("\n")
        width = max(map(len, lines))
        index = 0
        while index < len(lines):
            # A sentence that runs over lines is one; lines that each end a sentence stay apart.
            end = index + 1
            while end < len(lines) and not _FINISHED.search(lines[end - 1][-20:]):
                if not sentences.runs_on(lines[end - 1], lines[end], width):
                    break
                end += 1
            if index:
                yield "\n"
            if end == index + 1:
                nodes = list(self._line(lines[index]))
                sentences_of = [node for node in nodes if isinstance(node, Unit)]
                if len(sentences_of) == 1 < len(lines):
                    sentences_of[0].whole = True
                yield from nodes
            else:
                rows = [placeholders.edges(line) for line in lines[index:end]]
                breaks = [f"{one[2]}\n{two[0]}" for one, two in pairwise(rows)]
                source = "".join(part for row, gap in zip(rows, [*breaks, ""], strict=True) for part in (row[1], gap))
                joined = list(self._line(" ".join(row[1] for row in rows)))
                yield from (rows[0][0], Wrapped(source, joined, breaks, self.format), rows[-1][2])
            index = end

    def _line(self, line: str) -> Iterator[Node]:
        before, core, after = placeholders.edges(line)
        item = sentences.ITEM.match(core)
        marker = item[0] if item else ""
        yield before + marker
        core = core[len(marker) :]
        for piece in sentences.split(core, self.limit, self._spans(core)):
            yield from self._sentence(piece.text)
            yield piece.after
        yield after

    def _sentence(self, text: str) -> Iterator[Node]:
        taken = self._spans(text)
        signs = [match.span() for match in self.symbols.finditer(text)] if self.symbols else []
        if any(sign in text for sign in ":;="):  # a face ends what is before it, as an emoji does
            signs = union([*signs, *(match.span() for match in _FACE.finditer(text))])
        for literal, chunk in cut(text, [sign for sign in signs if not touches(taken, sign)]):
            before, core, after = placeholders.edges(chunk)
            inner = self._spans(core)
            words = [match.span() for match in self.words.finditer(core)] if self.words else []
            strange = [span for span in inner if touches(words, span) or self._has_sign(core, span)]
            unit = Unit(core, self.format, union([*strange, *(word for word in words if not touches(inner, word))]))
            yield literal + before
            if has_letters(core, union([*inner, *unit.frozen])):
                self.units.append(unit)
                yield unit
            else:
                yield core
            yield after

    def _has_sign(self, text: str, span: Span) -> bool:
        return bool(self.symbols and self.symbols.search(text, *span))


def render(nodes: Iterable[Node]) -> str:
    """Nodes as a text: of each unit its answer, or its source while it has none."""
    parts: list[str] = []
    for node in nodes:
        if isinstance(node, str):
            text = node
        elif isinstance(node, Unit):
            text = node.answer if node.status != "kept" else node.source
            if parts and sentences.needs_blank(parts[-1], text):
                parts.append(" ")
        else:
            text = _wrapped(node)
        if text:
            parts.append(text)
    return "".join(parts)


def _wrapped(node: Wrapped) -> str:
    if all(part.status == "kept" for part in node.parts if isinstance(part, Unit)):
        return node.source
    text = render(node.parts)
    lines = sentences.spread(text, len(node.breaks) + 1, placeholders.spans(text, node.format))
    if lines:
        return "".join(part for line, gap in zip(lines, [*node.breaks, ""], strict=True) for part in (line, gap))
    for part in node.parts:
        if isinstance(part, Unit):
            part.status = "kept"
    return node.source


def _hard(text: str, taken: list[Span]) -> list[Span]:
    """The stretches that are copied and end what is before them, with every placeholder they touch."""
    found = [match.span() for match in _HARD.finditer(text)]
    wide = [(a, b) for a, b in taken if b - a > _LONG or "\n" in text[a:b] or touches(found, (a, b))]
    return union([*found, *wide])


def union(stretches: Iterable[Span]) -> list[Span]:
    """Stretches in order, those that overlap or meet as one.

    >>> union([(5, 7), (0, 2), (2, 4)])
    [(0, 4), (5, 7)]
    """
    merged: list[Span] = []
    for start, end in sorted(stretches):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def touches(stretches: Sequence[Span], span: Span) -> bool:
    """Whether one of the stretches, which are in order, overlaps the span.

    >>> touches([(0, 4), (5, 7)], (4, 5))
    False
    """
    index = bisect_left(stretches, (span[1],)) - 1
    return index >= 0 and stretches[index][1] > span[0]


def cut(text: str, stretches: Iterable[Span]) -> Iterator[tuple[str, str]]:
    """The text as (stretch, what follows it), the first stretch being empty.

    >>> list(cut("a%sb", [(1, 3)]))
    [('', 'a'), ('%s', 'b')]
    """
    literal, end = "", 0
    for start, stop in stretches:
        yield literal, text[end:start]
        literal, end = text[start:stop], stop
    yield literal, text[end:]


def has_letters(text: str, taken: Iterable[Span] = (), least: int = 1) -> bool:
    """Whether there are letters in a text outside the stretches, at least so many.

    >>> has_letters("%s: 5", [(0, 2)])
    False
    """
    return sum(char.isalpha() for _, chunk in cut(text, taken) for char in chunk) >= least
