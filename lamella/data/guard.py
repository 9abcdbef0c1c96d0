"""Translate texts so that nothing is lost: placeholders, tags, lines, numbers, emoji, and the text itself.

A net translates one sentence at a time and promises nothing. `translate_texts` cuts texts into sentences, hands all of
them to the net at once, and lets an answer through only if it holds what its sentence held. Where no answer does, it
tries again, each time for all sentences that failed together:

1. the net's candidates in order; words in a script it does not know stand in the sentence as `X1`, `X2`;
2. every placeholder as such a word, put back afterwards;
3. the words between the placeholders by themselves, in the order of the source: no placeholder can be lost;
4. the sentence as it was.

    >>> def upper(sentences):
    ...     return [[sentence.upper()] for sentence in sentences]
    >>> translate_texts(["  Hello {name}!\\n", "42"], upper)
    [Outcome(text='  HELLO {name}!\\n', status='repaired', kept=0), Outcome(text='42', status='copied', kept=0)]

The net is a callback, so nothing here knows of nets.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from lamella.data import placeholders, sentences
from lamella.data.sentences import Span

NBest = Callable[[list[str]], list[list[str]]]
Status = Literal["translated", "repaired", "kept", "empty", "copied"]
TOKENS = ("X{}",)


class Outcome(msgspec.Struct, frozen=True):
    """What became of a text.

    `status` is `translated`: every sentence is a candidate of the net as it came; `repaired`: some needed a fallback,
    and `kept` of them are still those of the source; `kept`: all of them are; `copied`: there was nothing to translate;
    `empty`: there was nothing but white space.
    """

    text: str
    status: Status
    kept: int = 0

    @property
    def answer(self) -> str | None:
        """The text for a document, or None where it is the source for want of a translation."""
        return None if self.status == "kept" else self.text


def translate_texts(
    texts: Sequence[str],
    nbest: NBest,
    on_count: Callable[[int], None] | None = None,
    *,
    formats: Sequence[str] | None = None,
    target: str = "",
    known: Callable[[str], bool] | None = None,
    tokens: Sequence[str] = TOKENS,
) -> list[Outcome]:
    """Translate every text, whatever is in it, however long it is.

    In: the texts; `nbest`, which gets different sentences without outer white space and gives for each its candidates,
    best first (it is called at most three times, and cuts into batches itself); `on_count`, told before each call how
    many sentences it is about; the format of each text (see `placeholders`); the target language, for punctuation that
    was dropped; whether the net can read a character; and what stands for a placeholder in a sentence, `{}` being its
    number: with several such words all are tried.

    Out: an outcome for each text, in order. Its placeholders, white space around it and number of lines are those of
    the text. Raises ValueError if `nbest` does not answer every sentence; what `nbest` raises passes through.

        >>> def forgetful(sentences):
        ...     return [[sentence.replace("%s", "").lower()] for sentence in sentences]
        >>> translate_texts(["Copy %s to 🎉 B"], forgetful)[0].text
        'copy %s to 🎉 b'
    """
    flags = formats if formats is not None else [""] * len(texts)
    plans = [_Plan(text, flag, known or _common) for text, flag in zip(texts, flags, strict=True)]
    net = _Net(nbest, on_count, target)
    failed = net.first([unit for plan in plans for unit in plan.units], tokens[0])
    failed = net.protected(failed, tokens)
    net.divided(failed)
    return [plan.outcome() for plan in plans]


# --- from a text to sentences ----------------------------------------------------------------------------------------


@dataclass
class _Unit:
    """A sentence on its way through the net. `frozen` are the stretches that the net never gets to see."""

    source: str
    format: str
    frozen: list[Span]
    answer: str = ""
    status: Status = "kept"


@dataclass
class _Wrapped:
    """Lines that are one paragraph: translated as one line, then broken into as many as there were."""

    source: str
    parts: list[_Node]
    breaks: list[str]
    format: str


_Node = str | _Unit | _Wrapped

# What is no language and ends what comes before it: control characters, columns of a table, very long "words".
_FOREIGN = "\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
_HARD = re.compile(rf"\s*+(?<=[{_FOREIGN}])|[{_FOREIGN}]++\s*+|(?<=\S) {{3,}}+|(?<![!-~¡-ɏ])[!-~¡-ɏ]{{201,}}+")
_LONG = 120
_FINISHED = re.compile(r"[.!?:;…。！？：；][\"'”’»)\]]*\s*$")
_JOINERS = "\u200d\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff"


def _common(character: str) -> bool:
    """Whether a character is one that text consists of: no emoji, nothing unassigned."""
    return character <= "ÿ" or unicodedata.category(character) not in ("So", "Co", "Cn", "Cs")


class _Plan:
    """A text as what is copied and what is translated: strings, units, and wrapped paragraphs of both."""

    def __init__(self, text: str, format: str, known: Callable[[str], bool]) -> None:
        self.text, self.format = text, format
        self.before, core, self.after = placeholders.edges(text)
        self.core, self.mark = placeholders.split_accelerator(core, format)
        self.units: list[_Unit] = []
        strange = {char for char in set(core) if not char.isspace() and not known(char)}
        letters = "".join(re.escape(char) for char in strange if unicodedata.category(char)[0] in "LMN")
        symbols = "".join(re.escape(char) for char in strange if unicodedata.category(char)[0] not in "LMN")
        self.words = re.compile(rf"(?<!\w)\w*[{letters}]\w*(?:\s+\w*[{letters}]\w*)*") if letters else None
        self.symbols = re.compile(rf"(?:[{symbols}][{_JOINERS}]*+)++") if symbols else None
        self.nodes: list[_Node] = []
        taken = self._spans(self.core)
        for literal, chunk in _cut(self.core, _hard(self.core, taken)):
            self.nodes += [literal, *self._lines(chunk)]

    def _spans(self, text: str) -> list[Span]:
        return placeholders.spans(text, self.format)

    def _lines(self, text: str) -> Iterator[_Node]:
        lines = text.split("\n")
        width = max(map(len, lines))
        index = 0
        while index < len(lines):
            end = index + 1
            while end < len(lines) and not _FINISHED.search(lines[end - 1][-20:]):
                if not sentences.runs_on(lines[end - 1], lines[end], width):
                    break
                end += 1
            if index:
                yield "\n"
            if end == index + 1:
                yield from self._line(lines[index])
            else:
                rows = [placeholders.edges(line) for line in lines[index:end]]
                breaks = [f"{one[2]}\n{two[0]}" for one, two in zip(rows, rows[1:], strict=False)]
                source = "".join(part for row, gap in zip(rows, [*breaks, ""], strict=True) for part in (row[1], gap))
                joined = list(self._line(" ".join(row[1] for row in rows)))
                yield from (rows[0][0], _Wrapped(source, joined, breaks, self.format), rows[-1][2])
            index = end

    def _line(self, line: str) -> Iterator[_Node]:
        before, core, after = placeholders.edges(line)
        item = sentences.ITEM.match(core)
        marker = item[0] if item else ""
        yield before + marker
        core = core[len(marker) :]
        for piece in sentences.split(core, keep=self._spans(core)):
            yield from self._sentence(piece.text)
            yield piece.after
        yield after

    def _sentence(self, text: str) -> Iterator[_Node]:
        taken = self._spans(text)
        signs = [match.span() for match in self.symbols.finditer(text)] if self.symbols else []
        for literal, chunk in _cut(text, [sign for sign in signs if not _touches(taken, sign)]):
            before, core, after = placeholders.edges(chunk)
            inner = self._spans(core)
            words = [match.span() for match in self.words.finditer(core)] if self.words else []
            strange = [span for span in inner if _touches(words, span) or self._has_sign(core, span)]
            unit = _Unit(core, self.format, _union([*strange, *(word for word in words if not _touches(inner, word))]))
            yield literal + before
            if _has_letters(core, _union([*inner, *unit.frozen])):
                self.units.append(unit)
                yield unit
            else:
                yield core
            yield after

    def _has_sign(self, text: str, span: Span) -> bool:
        return bool(self.symbols and self.symbols.search(text, *span))

    def outcome(self) -> Outcome:
        """The text put together again from what its units have become."""
        if not self.units:
            return Outcome(self.text, "copied" if self.core else "empty")
        text = _render(self.nodes)
        sure = (
            text.count("\n") == self.core.count("\n")
            and text == text.strip()
            and placeholders.agree(self.core, text, self.format)
        )
        kept = sum(unit.status == "kept" for unit in self.units) if sure else len(self.units)
        if kept == len(self.units):
            return Outcome(self.text, "kept", kept)
        text = placeholders.restore_accelerator(text, self.mark, self.format)
        clean = all(unit.status == "translated" for unit in self.units)
        return Outcome(self.before + text + self.after, "translated" if clean else "repaired", kept)


def _render(nodes: Iterable[_Node]) -> str:
    parts: list[str] = []
    for node in nodes:
        if isinstance(node, str):
            text = node
        elif isinstance(node, _Unit):
            text = node.answer if node.status != "kept" else node.source
            if parts and sentences.needs_blank(parts[-1], text):
                parts.append(" ")
        else:
            text = _wrapped(node)
        if text:
            parts.append(text)
    return "".join(parts)


def _wrapped(node: _Wrapped) -> str:
    text = _render(node.parts)
    lines = sentences.spread(text, len(node.breaks) + 1, placeholders.spans(text, node.format))
    if lines:
        return "".join(part for line, gap in zip(lines, [*node.breaks, ""], strict=True) for part in (line, gap))
    for part in node.parts:
        if isinstance(part, _Unit):
            part.status = "kept"
    return node.source


def _hard(text: str, taken: list[Span]) -> list[Span]:
    """The stretches that are copied and end what is before them, with every placeholder they touch."""
    found = [match.span() for match in _HARD.finditer(text)]
    wide = [(a, b) for a, b in taken if b - a > _LONG or "\n" in text[a:b] or _touches(found, (a, b))]
    return _union([*found, *wide])


def _union(stretches: Iterable[Span]) -> list[Span]:
    """Stretches in order, those that overlap or meet as one."""
    merged: list[Span] = []
    for start, end in sorted(stretches):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _touches(stretches: Sequence[Span], span: Span) -> bool:
    """Whether one of the stretches, which are in order, overlaps the span."""
    index = bisect_left(stretches, (span[1],)) - 1
    return index >= 0 and stretches[index][1] > span[0]


def _cut(text: str, stretches: Iterable[Span]) -> Iterator[tuple[str, str]]:
    """The text as (stretch, what follows it), the first stretch being empty."""
    literal, end = "", 0
    for start, stop in stretches:
        yield literal, text[end:start]
        literal, end = text[start:stop], stop
    yield literal, text[end:]


def _has_letters(text: str, taken: Iterable[Span], least: int = 1) -> bool:
    return sum(char.isalpha() for _, chunk in _cut(text, taken) for char in chunk) >= least


# --- from sentences to answers ---------------------------------------------------------------------------------------
