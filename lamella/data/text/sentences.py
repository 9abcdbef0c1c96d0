"""Split a text of any length into sentences, and join it again without losing a character.

A translator takes one sentence at a time, so `split` has two duties. It must be right where a full stop ends nothing
(`Mr. Smith`, `3.14`, `e.g.`, `www.example.org`), and it must be exact: the pieces and the white space between them are
always the whole text. Where it is in doubt it does not cut: two sentences in one piece read on, half a one does not.

    >>> split("It costs 3.5 pounds, e.g. in Rome.  Dr. Watson agreed.")
    [Piece(text='It costs 3.5 pounds, e.g. in Rome.', after='  '), Piece(text='Dr. Watson agreed.', after='')]

Everything here takes time in proportion to the length of the text, also where that is one letter, four million times.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from lamella.data.text.lazy import lazy

LIMIT = 400

Span = tuple[int, int]
CutSpan = Callable[[int], Span | None]


class Piece(NamedTuple):
    """A sentence without outer white space, and the white space (often one blank, maybe nothing) that follows it."""

    text: str
    after: str


# Each alternative can begin only where the character before it cannot belong to it, and gives nothing back once it has
# matched (`++`): without both, a row of a million dots would be tried a million times.
_BOUNDARY = lazy(
    r"(?P<stop>(?<![.!?…؟।۔])[.!?…؟।۔]++)(?:[\"'”’»)\]}›*_`]|[ \u00a0\u202f]»)*+(?P<space>\s++)"
    r"|(?P<wide>(?<![。！？｡])[。！？｡]++[」』”’）】》\"')]*+\s*+)"
    r"|(?P<blank>\n[^\S\n]*+\n\s*+)"
)
_WEAK = lazy(r"(?P<strong>[;:]\s++|[；：])|(?P<comma>,\s++|[，、])|(?P<space>\s++)")
_SPACE = lazy(r"\s*+")
_OPENERS = lazy(r"[\"'“‘«‹„(\[{¿¡*_`]{0,8}+[ \u00a0\u202f]?")
_LAST_WORD = lazy(r"[^\s(\[{\"'“‘«‹„]+$")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Never the end of a sentence: something always follows.
_BEFORE_NAMES = _words(
    "mr mrs ms dr prof st mme mlle mm me gen col lt sgt capt rev hon gov sen rep pres messrs sr sres sra sras srta ud uds hr dipl mio mrd mia tsd"
    " ing ex ej cf vs viz approx incl resp ca bzw ggf evtl inkl vgl env av"
)
# Not the end of a sentence where a number follows.
_BEFORE_NUMBERS = _words(
    "no nos nr nº ext p pp fig figs vol vols ch chap sec art arts eq ed cap kap abs bd abb tab núm pág ref ver v"
)
_NUMBERED = lazy(r"[A-Z]{0,4}-?[0-9]")  # no. 5, no. C02X
# `U.S`, `z.B`, `J.-C`, `c.-à-d`: letters, one or two at a time, with stops between.
_INITIALS = lazy(r"(?:[^\W\d_]{1,2}(?:\.-?|-))+[^\W\d_]{1,2}")
_BEFORE_ORDINAL = lazy(
    r"(?<!\w)(?:[Dd]e[rmns]|[Dd]ie|[Dd]as|[IiVv]m|[Vv]om|[Zz]u[mr]|[Bb]eim|[Ss]eit|[Ee]ine?[mnrs]?|[Kk]eine?[mnrs]?|[Jj]ede[mnrs]?|[Dd]iese[mnrs]?)\s$"
)
_AFTER_ORDINAL = lazy(
    r"(?:Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember|Jahrhundert|Jahrtausend|Weltkrieg|Geburtstag|Stock|Etage"
    r"|Platz|Klasse|Kapitel|Tag|Mal|Auflage)(?:s|es)?(?!\w)"
)
_HOURS = frozenset({"a.m", "p.m"})


def split(text: str, limit: int = LIMIT, keep: Sequence[Span] = ()) -> list[Piece]:
    """Cut a text into sentences.

    In: the text; the most characters a piece may have: a longer sentence is divided after `;`, `:` or `,`, else at
    white space, else anywhere; and spans (start, end), sorted, that are never cut (a tag, an address), which alone can
    make a piece longer than the limit. Out: the pieces in order. White space before the first sentence is a piece
    with an empty text. Raises nothing: every text can be split.

        >>> [piece.text for piece in split("« Ça va ? » Oui... M. Dupont (né en 1950) est là ! 你好。再见。")]
        ['« Ça va ? »', 'Oui...', 'M. Dupont (né en 1950) est là !', '你好。', '再见。']
        >>> split("  one\\n\\ntwo ")
        [Piece(text='', after='  '), Piece(text='one', after='\\n\\n'), Piece(text='two', after=' ')]
        >>> [piece.text for piece in split("first this, then that, then nothing", limit=16)]
        ['first this,', 'then that,', 'then nothing']
    """
    starts = [begin for begin, _ in keep]

    def cut_span(position: int) -> Span | None:
        """The protected span that contains this position."""
        index = bisect_right(starts, position) - 1
        return keep[index] if index >= 0 and keep[index][0] < position < keep[index][1] else None

    pieces: list[Piece] = []
    start = _space_end(text, 0)
    if start:
        pieces.append(Piece("", text[:start]))
    for match in _BOUNDARY.finditer(text, start):
        end = match.end()
        if end < len(text) and not cut_span(end) and _ends(text, start, match):
            pieces += _divide(text, start, end, limit, cut_span)
            start = end
    if start < len(text):
        pieces += _divide(text, start, len(text), limit, cut_span)
    return pieces


def join(pieces: Sequence[Piece], answers: Sequence[str] | None = None) -> str:
    """Join pieces again, or their translations.

    In: the pieces of `split`, and one text for each of them, or nothing for their own. Out: the text; without answers
    exactly what was split. Raises ValueError where there are not as many answers as pieces. Sentences that need no
    blank between them in Chinese get one in a language that does.

        >>> join(split("你好。再见！"), ["Hello.", "Goodbye!"])
        'Hello. Goodbye!'
    """
    texts = [piece.text for piece in pieces] if answers is None else answers
    parts: list[str] = []
    for piece, text in zip(pieces, texts, strict=True):
        if answers is not None and parts and needs_blank(parts[-1], text):
            parts.append(" ")
        parts += [text, piece.after] if piece.after else [text]
    return "".join(parts)


def needs_blank(before: str, after: str) -> bool:
    """Whether two sentences that meet without white space need a blank.

    >>> needs_blank("Hello.", "Goodbye!"), needs_blank("你好。", "再见！")
    (True, False)
    """
    return before[-1:] in tuple('.!?…"”»') and after[:1].isalnum() and not is_wide(after[0])


WIDE = "\u1100"  # the first character that is


def is_wide(character: str) -> bool:
    """Whether a character belongs to a script that is written without blanks, as Chinese and Japanese are.

    >>> is_wide("语"), is_wide("e")
    (True, False)
    """
    return character >= WIDE and unicodedata.east_asian_width(character) in "WF"  # most letters are far below


def _space_end(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _ends(text: str, start: int, match: re.Match[str]) -> bool:
    """Whether the stop that matched ends the sentence begun at `start`."""
    if match["stop"] is None:
        return True
    if (
        match.start() > start and text[match.start() - 1] in "«„“‘‹([{\"'"
    ):  # a stop that is quoted itself: «??? (%d)», the "?" key
        return False
    openers = _OPENERS.match(text, match.end())
    head = text[openers.end() : openers.end() + 1] if openers else ""
    if head.islower():
        return False
    if match["stop"] != ".":
        return True
    # Twenty characters hold every abbreviation, and keep a very long word from being read again and again.
    word = _LAST_WORD.search(text[max(start, match.start() - 20) : match.start()])
    if not word:
        return True
    last = word[0].lower()
    numbered = last in _BEFORE_NUMBERS and _NUMBERED.match(text, openers.end() if openers else match.end())
    if last in _BEFORE_NAMES or numbered:
        return False
    if len(last) == 1 and last.isalpha():
        return False  # an initial: J. R. R. Tolkien, M. Dupont, z. B.
    if "." in last and last not in _HOURS and _INITIALS.fullmatch(last):
        return False
    if last.isdigit() and len(last) < 3 and head.isupper():  # an ordinal of German: der 2. Weltkrieg, am 3. Oktober
        before = text[max(start, match.start() - len(last) - 12) : match.start() - len(last)]
        if _BEFORE_ORDINAL.search(before) or _AFTER_ORDINAL.match(text, openers.end() if openers else match.end()):
            return False
    # The number of an item: "1. Open the file."
    return not (last.isdigit() and match.start() - start == len(last))


def _divide(text: str, start: int, end: int, limit: int, cut_span: CutSpan) -> Iterator[Piece]:
    """The stretch from start to end as pieces of at most `limit` characters."""
    stop = start + len(text[start:end].rstrip())
    while stop - start > limit:
        cut = _space_end(text, _cut(text, start, limit, cut_span))
        if cut >= stop:
            break
        yield _piece(text[start:cut])
        start = cut
    yield _piece(text[start:end])


def _cut(text: str, start: int, limit: int, cut_span: CutSpan) -> int:
    """The best place to divide a sentence of more than `limit` characters: late, and after strong punctuation."""
    last: dict[str, int] = {}
    for match in _WEAK.finditer(text, start + 1, start + limit + 1):
        kind = str(match.lastgroup)
        length = match.start() - start + (kind != "space")
        if length <= limit and not cut_span(match.end()):
            last[kind] = match.end()
    for kind in ("strong", "comma", "space"):
        if kind in last and last[kind] - start >= limit // 3:
            return last[kind]
    if last:
        return max(last.values())
    cut = start + limit
    while cut > max(start + 1, start + limit - 16) and unicodedata.combining(text[cut]):
        cut -= 1  # an accent stays on its letter
    span = cut_span(cut)
    if span:
        return span[0] if span[0] > start else span[1]
    return cut


def _piece(chunk: str) -> Piece:
    text = chunk.rstrip()
    return Piece(text, chunk[len(text) :])


# --- lines -----------------------------------------------------------------------------------------------------------

ITEM = lazy(
    r"\s*+(?:[-*+•·‣–—>|#]+|\d{1,3}[.)]|[A-Za-z]\)|\((?:\d{1,3}|[A-Za-z]|[ivx]{1,4})\)|--?[A-Za-z][\w-]*+)(?:\s++|$)"
)
_FIRST_WORD = lazy(r"\s*+\S{0,80}+")
_NARROW, _WIDE = 40, 140  # of lines longer than this each is a paragraph of its own


def runs_on(line: str, following: str, width: int) -> bool:
    """Whether a line was broken only because the next word did not fit, so that the two belong together.

    In: two lines that follow each other, and the length of the longest line around them. Out: False for blank lines,
    items of a list, columns, and wherever the next word would have had room: somebody wanted that line to end.

        >>> runs_on("This paragraph was wrapped by an editor at", "sixty columns.", 48)
        True
        >>> runs_on("Roses are red,", "Violets are blue.", 48), runs_on("- one of the items of this list", "- b", 48)
        (False, False)
    """
    word = _FIRST_WORD.match(following)
    if not word or not line.strip() or not word[0].strip() or width > _WIDE or ITEM.match(following):
        return False
    if len(following) - len(following.lstrip()) > len(line) - len(line.lstrip()) + 1 and not ITEM.match(line):
        return False
    if not (_is_wordy(line) and _is_wordy(following)):
        return False
    length = len(line.rstrip())
    if width >= _NARROW and length + 1 + len(word[0].strip()) >= 0.85 * width:
        return True
    return word[0].strip()[0].islower() and length >= max(_NARROW // 2, 0.6 * width)


def _is_wordy(line: str) -> bool:
    """Whether a line is words rather than figures."""
    return 4 * sum(char.isalpha() or char.isspace() for char in line) >= 3 * len(line)


def wrap(text: str, width: int, keep: Sequence[Span] = (), first: int | None = None) -> list[str]:
    """Break a text into lines of at most `width` characters, at blanks or between Chinese ones, not inside `keep`.

    In: also how long the first line may be, where that is different. A word that is longer has a line to itself.

        >>> wrap("a code span `a b` stays whole", 12, keep=[(12, 17)])
        ['a code span', '`a b` stays', 'whole']
    """
    lines: list[str] = []
    room = width if first is None else first
    start, last = 0, (0, 0)
    for place in [*breaks(text, keep), (len(text), len(text))]:
        if place[0] - start > room and last[0] > start:
            lines.append(text[start : last[0]])
            start, room = last[1], width
        last = place
    return [*lines, text[start:]]


def balance(text: str, width: int, keep: Sequence[Span] = (), hidden: Sequence[Span] = ()) -> list[str]:
    """Break a text into as few lines of at most `width` characters as there can be, their lengths as equal as they can be.

    In: `keep`: what is not broken; `hidden`: what takes no room, such as tags. A word that is longer has a line to itself.

        >>> balance("I have never said that.", 20), balance("I said <i>no</i>.", 10, hidden=[(7, 10), (12, 16)])
        (['I have never', 'said that.'], ['I said <i>no</i>.'])
    """
    taken = [0] * (len(text) + 1)  # how much room what is before each place takes
    spans = iter([*hidden, (len(text), len(text))])
    begin, end = next(spans)
    for at in range(len(text)):
        while at >= end and end < len(text):
            begin, end = next(spans)
        taken[at + 1] = taken[at] + (not begin <= at < end)
    places = [*breaks(text, keep), (len(text), len(text))]

    def within(room: int) -> list[str]:
        lines, start, last = [], 0, (0, 0)
        for place in places:
            if taken[place[0]] - taken[start] > room and last[0] > start:
                lines.append(text[start : last[0]])
                start = last[1]
            last = place
        return [*lines, text[start:]]

    fewest = len(within(width))
    low, high = taken[-1] // fewest, width  # the narrowest that needs no more lines
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if len(within(middle)) <= fewest else (middle + 1, high)
    return within(high)


def spread(text: str, count: int, keep: Sequence[Span] = ()) -> list[str] | None:
    """Break a text into exactly `count` lines of about one length; None where it cannot be broken so often.

    >>> spread("one two three four", 2), spread("一二三四", 2), spread("one", 2)
    (['one two', 'three four'], ['一二', '三四'], None)
    """
    places = breaks(text, keep)
    if len(places) < count - 1:
        return None
    ends = [end for end, _ in places]
    lines: list[str] = []
    start = first = 0
    for index in range(1, count):
        ideal = len(text) * index // count
        after = bisect_right(ends, ideal)
        sides = ends[max(after - 1, 0) : after + 1]
        nearest = max(after - 1, 0) + sides.index(min(sides, key=lambda at: abs(at - ideal)))
        # Enough of them are left over for the lines that follow.
        chosen = min(max(nearest, first), len(places) - (count - index))
        lines.append(text[start : ends[chosen]])
        start, first = places[chosen][1], chosen + 1
    return [*lines, text[start:]]


_BREAK = lazy(r"(?<=\S) (?=\S)|(?<=[\u3001-\u9fff\uff00-\uff60])(?=[\u3041-\u30ff\u3400-\u9fff])")


def breaks(text: str, keep: Sequence[Span]) -> list[Span]:
    """Where a line can end, and where the next one then begins."""
    starts = [begin for begin, _ in keep]
    places = []
    for match in _BREAK.finditer(text):
        index = bisect_right(starts, match.start()) - 1
        if index < 0 or match.start() >= keep[index][1] or match.start() == keep[index][0]:
            places.append(match.span())
    return places
