"""What stands in a sentence for stretches of it that a net is not to see, and the parts of a sentence between them.

>>> mask = mask_of("<b>Stop</b>", [(0, 3), (7, 11)], "X{}")
>>> mask.sent, mask.lift("X1 Arrêt X2")
('X1 Stop X2', '<b>Arrêt</b>')
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from lamella.data.text import placeholders, sentences
from lamella.data.text.lazy import lazy
from lamella.data.text.sentences import Span
from lamella.tasks.translation.plans import Node, Unit, cut, has_letters, union
from lamella.tasks.translation.proper import word_set

if TYPE_CHECKING:  # most translations have none
    from lamella.tasks.translation.checks import Style
    from lamella.tasks.translation.glossary import Term
    from lamella.tasks.translation.tags import Tagged


_LATIN = "A-Za-z0-9_\u00c0-\u024f"  # beside these a token is a part of a word; Chinese characters may touch it


# Marks that open -> those that close.
_PAIRS = {
    '"': '"',
    "“": "”",
    "„": "“”",
    "«": "»",
    "»": "«",
    "「": "」",
    "『": "』",
    "《": "》",
    "(": ")",
    "（": "）",
    "[": "]",
    "{": "}",
}


class Mask(Struct):
    """A sentence with tokens in the place of stretches of it."""

    sent: str
    table: dict[str, str]  # a token -> what it stands for
    glued: set[tuple[str, int]]  # tokens that got a blank on the left (0) or right (1), which goes again afterwards

    def lift(self, answer: str) -> str:
        """The answer with what its tokens stand for; empty unless each is there exactly once, and each mark that opens before its closing
        one with words between them."""
        if not self.table:
            return answer
        answer = self._mended(answer)
        pattern = re.compile(rf"( ?)(?<![{_LATIN}])({'|'.join(map(re.escape, self.table))})(?![{_LATIN}])( ?)")
        places = {match[2]: match.span(2) for match in pattern.finditer(answer)}
        if sorted(match[2] for match in pattern.finditer(answer)) != sorted(self.table):
            return ""
        for first, last in self._paired():
            if not answer[
                places[first][1] : places[last][0]
            ].strip():  # empty too where the second stands before the first
                return ""

        def original(match: re.Match[str]) -> str:
            before, after = ("" if (match[2], side) in self.glued else match[2 * side + 1] for side in (0, 1))
            return before + self.table[match[2]] + after

        return pattern.sub(original, answer)

    def _paired(self) -> Iterator[tuple[str, str]]:
        """The tokens of a mark that opens and, next in the source but for words, the one that closes."""
        open_one = ""
        for token, stretch in self.table.items():
            mark = stretch.strip()
            if open_one and mark and mark in _PAIRS[self.table[open_one].strip()]:
                if self.sent.partition(open_one)[2].partition(token)[0].strip():
                    yield open_one, token
                open_one = ""
            else:
                open_one = token if mark in _PAIRS else ""

    def _mended(self, answer: str) -> str:
        """The answer with a token in the place of what a net made of it by writing a digit too many: `X11` for `X1`."""
        for token in self.table:
            if not re.search(rf"(?<![{_LATIN}]){re.escape(token)}(?![{_LATIN}])", answer):
                longer = {
                    match[0] for match in re.finditer(rf"(?<![{_LATIN}]){re.escape(token)}[0-9](?![{_LATIN}])", answer)
                }
                if len(longer) == 1 and not longer & {*self.table}:
                    answer = answer.replace(longer.pop(), token)
        return answer


def terms_too(source: str, taken: Sequence[Span], terms: Sequence[Term]) -> Iterator[tuple[str, str]]:
    """The source as `cut` gives it, terms among the stretches and their targets in their place."""
    at = 0
    for literal, chunk in cut(source, union([*taken, *((term.start, term.end) for term in terms)])):
        end = at + len(literal)
        new = literal
        for term in reversed(terms):
            if literal and at <= term.start < end:
                new = new[: term.start - at] + term.target + new[term.end - at :]
        yield new, chunk
        at = end + len(chunk)


def mask_of(source: str, taken: Sequence[Span], token: str, terms: Sequence[Term] = ()) -> Mask:
    """Put a token for each stretch, as a word of its own: `<b>Stop</b>` becomes `X1 Stop X2`."""
    mask = Mask("", {}, set())
    number, parts = 0, [""]
    for index, (literal, chunk) in enumerate(terms_too(source, taken, terms)):
        if index:
            number += 1
            while token.format(number) in source:
                number += 1
            name = token.format(number)
            mask.table[name] = literal
            sides = parts[-1][-1:], chunk[:1]
            mask.glued |= {(name, i) for i in (0, 1) if sides[i].isalnum() and not sentences.is_wide(sides[i])}
            parts.append(" " * sides[0].isalnum() + name + " " * sides[1].isalnum())
        parts.append(chunk)
    mask.sent = "".join(parts)
    return mask


# What a part of a sentence is better without: the end of what came before, the beginning of what comes after.
_PART = lazy(r"(?P<before>[^\w\"'“‘«¿¡]*)(?P<core>.*?)(?P<after>[\s(\[{<\"“‘«/|=+]*)", re.DOTALL)


def divide(unit: Unit, further: Sequence[Span] = (), apart: bool = False) -> list[Node]:
    """A sentence as what stays and the parts between, which are asked for one by one.

    apart: whether the source has no blanks between its words and the target language has.
    """
    taken = union([*placeholders.spans(unit.source, unit.format), *unit.frozen, *further])
    nodes: list[Node] = []
    chunks: Iterable[tuple[str, str]]
    at = 0
    if taken or unit.terms:
        chunks = terms_too(unit.source, taken, unit.terms)
    else:
        pieces = sentences.split(unit.source, max(40, len(unit.source) // 2))
        if len(pieces) < 2:
            return []
        chunks = [pair for piece in pieces for pair in (("", piece.text), (piece.after, ""))]
    for literal, chunk in chunks:
        match = _PART.fullmatch(chunk)
        before, core, after = match.group("before", "core", "after") if match else ("", chunk, "")
        # One letter is no word: it is the rest of something, as in "{name}'s". One character of Chinese is.
        node = (
            Unit(core, unit.format, [])
            if has_letters(core, least=1 if core and sentences.is_wide(core[0]) else 2)
            else core
        )
        if apart and isinstance(node, Unit):
            left, right = literal[-1:] if not before else "", unit.source[at + len(literal) + len(chunk) :][:1]
            before += " " * _meets(left)
            after += " " * (not after and _meets(right))
        nodes += [literal + before, node, after]
        at += len(literal) + len(chunk)
    return nodes


def _meets(char: str) -> bool:
    """Whether a word beside this character would be taken for one with it."""
    return char.isalnum() or char in tuple("#@$€£%\"'")


def bare(name: str) -> str:
    """What a net calls a thing, asked for it alone: without article and full stop.

    >>> bare("Le fichier."), bare("l'eau")
    ('fichier', 'eau')
    """
    return re.sub(r"^(?:(?:the|an?|le|la|les|une?|des|du)\s+|[ld]['’])|[.!?,;:\s]+$", "", name, flags=re.IGNORECASE)


# Words that have a capital only where they begin a sentence; the nets from Chinese and German write English.
_LITTLE = word_set(
    "a an the he she it they we you this that these those there here his her their our my your its who which what when where how why in on at of for from "
    "with by to as into about after before and or but so then if because is are was were be been has have had do does did will would can could may must "
    "should not no all some any each every one more most very only also just now people please get go give take"
)


def fragment(source: str, answer: str, target: str, within: bool = False) -> str:
    """An answer as part of a sentence: without the capital and the full stop that nets give to whatever they see.

    within: whether other parts come before it, and the source's letters do not say how it begins: of Chinese, and of German,
    where nouns have a capital.

    >>> fragment("\u5f00\u59cb", "The beginning.", "en", True), fragment("\u738b", "Wang", "en", True)
    ('the beginning', 'Wang')
    """
    if answer.endswith(".") and not answer.endswith("..") and not source.endswith((".", "\u3002")):
        answer = answer[:-1]
    if answer[1:2].islower() and not target.startswith("de"):
        word = re.match(r"[^\W\d_]+", answer)
        if source[:1].islower() or (within and word and word[0].lower() in _LITTLE):
            answer = answer[:1].lower() + answer[1:]
    return answer


def in_latin(answer: str, latin: Mapping[str, str]) -> str:
    """An answer with names in Latin letters in the place of those in characters, apart from words beside them.

    >>> in_latin("Yesterday王芳met 李明.", {"王芳": "Wang Fang", "李明": "Li Ming"})
    'Yesterday Wang Fang met Li Ming.'
    """
    for text in sorted(latin, key=len, reverse=True):
        answer, *parts = answer.split(text)
        for part in parts:
            left = " " * (answer[-1:].isalnum() and not sentences.is_wide(answer[-1]))
            right = " " * (part[:1].isalnum() and not sentences.is_wide(part[0]))
            answer += left + latin[text] + right + part
    return answer


_MARKED = lazy(r"[<*_~=\[]")


def parts_of(units: Sequence[Unit], style: Style) -> list[Tagged | None]:
    """Sentences without the tags around some of their words; None for those that have none, or whose words are not all known."""
    if not (style.source and style.target) or not any(_MARKED.search(unit.source) for unit in units):
        return [None] * len(units)
    from lamella.tasks.translation.tags import tagged  # only now: most sentences have none

    return [None if unit.frozen or unit.terms else tagged(unit.source, unit.format) for unit in units]


def with_tags(parts: Tagged, answers: Mapping[str, Sequence[str]], style: Style) -> Iterator[str]:
    """See `tags.around`."""
    from lamella.tasks.translation.tags import around

    return around(parts, answers, style)
