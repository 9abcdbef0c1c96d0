"""Quotation marks, brackets, dots and blanks of an answer: as many as the source has, as the target language writes them.

>>> set_marks('He said "yes": (really)!', 'Il a dit "oui": (vraiment)!', "en", "fr").text
'Il a dit «\\xa0oui\\xa0»\\xa0: (vraiment)\\xa0!'
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from lamella.data.text import placeholders
from lamella.data.text.languages import base_code
from lamella.data.text.lazy import lazy
from lamella.data.text.sentences import Span
from lamella.tasks.translation.spacing import inverted, narrow

_NO_BREAK = "\u00a0"
_QUOTES = '"“”„«»「」『』《》'
_QUOTE = lazy(f"[{_QUOTES}]")
# Opening and closing, the blanks within them included.
_STYLES = {
    "fr": (f"«{_NO_BREAK}", f"{_NO_BREAK}»"), "de": ("„", "“"), "es": ("«", "»"), "zh": ("“", "”"), "en": ("“", "”"),
}  # fmt: skip
# Of a quotation within another.
_INSIDE = {"fr": ("“", "”"), "de": ("‚", "‘"), "es": ("“", "”"), "zh": ("‘", "’"), "en": ("‘", "’")}
_VALUE = lazy(r"""(?<=\w)="[^"\n]{0,200}"?""")  # of an attribute: no quotation
_PAIRS = {"(": ")", "[": "]", "{": "}", "<": ">"}
_BRACKETS = "()[]{}<>"
_WIDE = str.maketrans("（）［］｛｝〈〉【】", "()[]{}<>[]")
_FACE = lazy(r"(?<!\S)[:;=]['-]?[()DPpO3](?!\S)")
_BLANK = r"[ \u00a0\u202f]"
# In French a mark of two parts stands apart from the word before it; in `12:30` and `a::b` it is none.
_HIGH = lazy(
    rf"(?P<face>{_FACE.pattern})|(?<=[^\s:;!?(\[{{«]){_BLANK}?(?P<mark>[!?]+|[:;])(?=$|[\s\"'’»”)\]}}*_…])(?!(?<=\s[:;])[()DPp])"
)
_INNER = lazy(rf"«{_BLANK}?(?=\S)|(?<=\S){_BLANK}?»")
_APART = lazy(r"(?<=[\w)\]”\"%]) (?=(?:[!?]+|[:;])(?:$|[\s\"”)\]*]))")
_TWICE = lazy(r"(?<!\w)'(?=[\"“„«])|(?<=[\"”“»])'(?!\w)")
_APOSTROPHE = lazy(r"(?<=[^\W\d_])'(?=[^\W\d_])")


class Marks(NamedTuple):
    """An answer with its marks put right; places: where the source has those that the answer still lacks."""

    text: str
    places: list[Span]
    sound: bool


def set_marks(source: str, answer: str, src: str, dst: str, format: str = "", curly: bool = False) -> Marks:
    """Give an answer the quotation marks, brackets, dots and blanks that it should have.

    curly: whether apostrophes are to be `’`. A language without a style of its own here keeps what the answer has.
    """
    src, dst = base_code(src), base_code(dst)
    if dst in ("en", "fr", "de", "es"):
        answer = _outside(answer, format, narrow)
    if _TWICE.search(answer) and not _TWICE.search(source):  # quotation marks within themselves
        answer = _TWICE.sub("", answer)
    for face in {match[0] for match in _FACE.finditer(source)}:  # bientôt:-)
        answer = re.sub(rf"(?<=\w){re.escape(face)}(?!\S)", f" {face}", answer)
    answer, whole = _quoted(source, _in_singles(source, answer, format), format)
    answer, closed = _bracketed(source, answer, format)
    taken = placeholders.spans(answer, format) if _QUOTE.search(answer) else []
    if whole and dst in _STYLES:
        answer = _styled(source, answer, dst, taken)
    answer = _outside(answer, format, lambda text: _singles(source, text, dst))
    answer = _outside(answer, format, lambda text: _spaced(source, text, src, dst, curly))
    places = [] if whole and closed else _places(source, format, not whole, not closed)
    return Marks(answer, places, whole and closed)


# --- quotation marks -------------------------------------------------------------------------------------------------


def _quotes(text: str, format: str) -> list[int]:
    """Where the quotation marks of a text are: not those of `name="value"`, nor inches."""
    if not _QUOTE.search(text):
        return []
    plain = _VALUE.sub(lambda match: "\ue000" * len(match[0]), _blanked(text, format))
    return [
        match.start()
        for match in _QUOTE.finditer(plain)
        if match[0] != '"' or not plain[: match.start()][-1:].isdigit() or _closes(plain, match.start())
    ]


def _closes(text: str, place: int) -> bool:
    """Whether a straight mark after a digit ends a quotation that began before, and does not mean inches."""
    return text[:place].count('"') % 2 == 1


def _opens(text: str, place: int, before: int) -> bool:
    """Whether a mark opens: by its shape, else by what is beside it, else by how many came before."""
    char = text[place]
    if char in "„«「『《":
        return True
    if char in "»」』”》":
        return False
    left, right = text[:place][-1:], text[place + 1 :][:1]
    if (not left or left in " \u00a0([{-–—'’") != (not right or right in " \u00a0)]}.,;:!?…"):
        return not left or left in " \u00a0([{-–—'’"
    return before % 2 == 0


def _quoted(source: str, answer: str, format: str) -> tuple[str, bool]:
    """The answer with as many quotation marks as the source, where it is clear which; and whether it has them."""
    ours, theirs = _quotes(source, format), _quotes(answer, format)
    if len(ours) == len(theirs) or (len(ours) % 2 and not _halved(source, ours)):
        return answer, True
    if (again := _verbatim(source, ours, answer)) is not None:
        return again, True
    singles = _SINGLE.findall(answer) if len(theirs) < len(ours) else []
    if singles and 2 * len(singles) + len(theirs) == len(ours) and not _SINGLE.search(source):
        return _SINGLE.sub(lambda match: f'"{match["inner"]}"', answer), True
    if theirs:
        bare = [i for i, _ in enumerate(answer) if i not in set(theirs)]
        stripped = re.sub(r"  +", " ", "".join(answer[i] for i in bare)).strip()
        if not ours:
            return stripped, True
    else:
        stripped = answer
    if len(ours) == 1:
        return (f'"{stripped}' if ours[0] == 0 else f'{stripped}"'), True
    if len(ours) == 2 and ours[0] == 0 and ours[1] >= len(source.rstrip(".!?…,:; ")) - 1:
        end = source[ours[1] + 1 :].strip()
        body = stripped[: len(stripped) - len(end)].rstrip() if end and stripped.endswith(end) else stripped
        return f'"{body}"{end}', True
    wrapped = stripped
    for first, last in zip(ours[::2], ours[1::2], strict=False):
        inner = source[first + 1 : last].strip()
        if wrapped.count(inner) != 1 or not inner:
            return answer, False
        wrapped = wrapped.replace(inner, f'"{inner}"')
    return wrapped, True


def _verbatim(source: str, ours: Sequence[int], answer: str) -> str | None:
    """The answer with its marks around what the source quotes letter by letter, such as code; None where that is not in it once.

    >>> _verbatim("ob »PL«/»MI« geht", [3, 6, 8, 11], "whether PL'/' MI works")
    'whether "PL"/"MI" works'
    """
    if len(ours) % 2:
        return None
    spans: list[Span] = []
    for first, last in zip(ours[::2], ours[1::2], strict=True):
        inner = source[first + 1 : last].strip()
        # With the marks that the answer has beside it, and what it put between it and them.
        around = rf"(?<!\w)[{_QUOTES}'‘’]?{_BLANK}?(?<!\w){re.escape(inner)}(?!\w){_BLANK}?[{_QUOTES}'‘’]?(?!\w)"
        found = [match.span() for match in re.finditer(around, answer)] if inner else []
        if len(found) != 1 or (spans and found[0][0] < spans[-1][1]):
            return None
        spans.append(found[0])
    parts, end = [], 0
    for (first, last), (begin, stop) in zip(zip(ours[::2], ours[1::2], strict=True), spans, strict=True):
        piece = answer[begin:stop]
        parts += [answer[end:begin], " " * piece.startswith((" ", "\u00a0")), f'"{source[first + 1 : last].strip()}"']
        parts.append(" " * piece.endswith((" ", "\u00a0")))
        end = stop
    rest = "".join([*parts, answer[end:]])
    return rest if len(_quotes(rest, "")) == len(ours) else None


def _in_singles(source: str, answer: str, format: str) -> str:
    """An answer with single quotation marks in the place of double ones, where its source has such alone, and as many."""
    ours, theirs = list(_SINGLE.finditer(source)), _quotes(answer, format)
    if not ours or len(theirs) != 2 * len(ours) or _quotes(source, format):
        return answer
    blanks = " \u00a0\u202f"
    for number, place in reversed(list(enumerate(theirs))):
        before, after = answer[:place], answer[place + 1 :]
        answer = f"{before.rstrip(blanks)}'{after}" if number % 2 else f"{before}'{after.lstrip(blanks)}"
    return answer


def _halved(source: str, places: Sequence[int]) -> bool:
    """Whether one mark is the beginning or the end of what other sentences go on with."""
    return len(places) == 1 and (places[0] == 0 or places[0] == len(source) - 1)


def _styled(source: str, answer: str, dst: str, taken: Sequence[Span]) -> str:
    places = [i for i in _quotes(answer, "") if not any(a <= i < b for a, b in taken)]
    if not places:
        return answer
    opening, closing = _STYLES[dst]
    first = _QUOTE.search(source)
    straight = dst == "en" and bool(first and first[0] == '"')
    if straight:
        opening = closing = '"'
    sides = [_opens(answer, place, number) for number, place in enumerate(places)]
    depths = list(accumulate(1 if opens else -1 for opens in sides))
    if len(sides) % 2 == 0 and (min(depths) < 0 or depths[-1]):  # no quotations: each second mark ends one
        sides = [number % 2 == 0 for number in range(len(sides))]
        depths = [int(opens) for opens in sides]
    parts, end = [], 0
    for opens, place, depth in zip(sides, places, depths, strict=True):
        before = answer[end:place]
        if dst == "zh" and answer[place] in "《》":
            parts += [before, answer[place]]
            end = place + 1
            continue
        if opens and dst != "zh" and re.search(r"[\w:,;]$", before):
            before += " "
        inside = depth >= 1 + opens
        marks = (opening, closing) if not inside else ("'", "'") if straight else _INSIDE[dst]
        if inside and any(answer[a : b + 1] in source for a, b in pairwise(places) if place in (a, b)):
            marks = answer[place], answer[place]  # quoted as it is, such as the name in a command
        parts += [before if opens else before.rstrip(" \u00a0\u202f"), marks[not opens]]
        end = place + 1
        while opens and answer[end : end + 1] in (" ", "\u00a0", "\u202f", ","):  # nets write a comma there
            end += 1
        if not opens and dst != "zh" and answer[end : end + 1].isalpha() and not answer[end : end + 2].endswith("'"):
            parts.append(" ")
    return "".join([*parts, answer[end:]])


# Single quotation marks around words, and what a target language writes for them; elsewhere they stay as typed.
_SINGLE = lazy(
    r"(?<![A-Za-z0-9\u00c0-\u024f'’])(?P<open>['‘‚‹])(?=[^\s'’‘])(?P<inner>(?:[^'’‘‚‹›\n]|(?<=\w)['’](?=\w)){1,80}?)(?<=\S)(?P<close>['’‘›])(?![A-Za-z0-9\u00c0-\u024f])"
)
_SINGLES = {"de": ("‚", "‘"), "en": ("‘", "’"), "fr": ("‘", "’"), "es": ("‘", "’"), "zh": ("‘", "’")}


def _singles(source: str, answer: str, dst: str) -> str:
    """The answer with single quotation marks as the target language writes them, around what the source has in such."""
    ours = list(_SINGLE.finditer(source))
    if not ours or dst not in _SINGLES:
        return re.sub("[‚‹›]", "", answer) if not re.search("[‚‹›]", source) else answer
    straight = ours[0]["open"] == "'" and dst not in ("de", "zh")
    opening, closing = ("'", "'") if straight else _SINGLES[dst]
    theirs = list(_SINGLE.finditer(answer))
    if len(theirs) != len(ours):
        answer = re.sub(r"[‚‹›]|(?<![\w])['‘](?=\w)|(?<=\w)[’'](?!\w)", "", answer)
        for match in ours:
            if answer.count(match["inner"]) == 1:
                answer = answer.replace(match["inner"], f"'{match['inner']}'")
    return _SINGLE.sub(lambda match: f"{opening}{match['inner']}{closing}", answer)


def singles_lost(source: str, answer: str) -> bool:
    """Whether an answer has fewer words in single quotation marks than its source, and no more in others.

    >>> singles_lost("Say 'maybe' now.", "Sag jetzt."), singles_lost("Say 'maybe' now.", "Dites « peut-être »."), singles_lost("It's the dogs' food", "a")
    (True, False, False)
    """
    ours = len(_SINGLE.findall(source))
    theirs = len(_SINGLE.findall(answer)) + max(0, len(_QUOTE.findall(answer)) - len(_QUOTE.findall(source))) // 2
    return ours > theirs


# --- brackets --------------------------------------------------------------------------------------------------------


def _count(text: str, format: str) -> Counter[str]:
    if not re.search(r"[()\[\]{}<>（）［］｛｝〈〉【】]", text):
        return Counter()
    return Counter(char for char in _FACE.sub("", _blanked(text, format)).translate(_WIDE) if char in _BRACKETS)


def _bracketed(source: str, answer: str, format: str) -> tuple[str, bool]:
    """The answer with the brackets of the source, where it is clear which; and whether it has them."""
    ours = _count(source, format)
    if ours == _count(answer, format):
        return answer, True
    for opening, closing in _PAIRS.items():
        theirs = _count(answer, format)
        want, have = (ours[opening], ours[closing]), (theirs[opening], theirs[closing])
        if want == have:
            continue
        if want == (0, 0):
            answer = _outside(answer, format, lambda text, pair=(opening, closing): _without(text, pair))
        elif have[0] > want[0] or have[1] > want[1]:
            return answer, False
        else:
            answer = _closed(source, answer, opening, closing, want, have)
    return answer, ours == _count(answer, format)


def _without(text: str, pair: tuple[str, str]) -> str:
    return re.sub(r"(?<=\S)  +", " ", "".join(char for char in text if char.translate(_WIDE) not in pair))


def _closed(source: str, answer: str, opening: str, closing: str, want: tuple[int, int], have: tuple[int, int]) -> str:
    """The answer with a pair, or half of one, where the source has it at its ends or around the same words."""
    end = re.search(r"[.!?…:;,]*$", source)
    stop = end[0] if end else ""
    core = source[: len(source) - len(stop)]
    starts, ends = core.startswith(opening), core.endswith(closing)
    tail = re.search(rf"[\s\u00a0]*[{re.escape(stop)}]+$", answer) if stop else None
    body, rest = (answer[: tail.start()], answer[tail.start() :]) if tail else (answer, "")
    if have[1] < want[1] and ends and (have[0] == want[0] or starts):
        body += closing
    if have[0] < want[0] and starts:
        body = opening + body
    if body + rest != answer:
        return body + rest
    if have == (0, 0):
        for match in re.finditer(rf"{re.escape(opening)}([^(){{}}<>\[\]]+){re.escape(closing)}", source):
            if answer.count(match[1]) == 1:
                answer = answer.replace(match[1], match[0])
    if have == (want[0], want[1] - 1):
        answer = _after_last(source, answer, opening, closing)
    return answer


def _after_last(source: str, answer: str, opening: str, closing: str) -> str:
    """The answer with the end of a bracket behind the last number or placeholder that the source has within it.

    >>> _after_last("is too long (at most %d characters) in line %d", "太长（极大 %d 文件，行 %d", "(", ")")
    '太长（极大 %d）文件，行 %d'
    """
    plain = answer.translate(_WIDE)
    for match in re.finditer(rf"{re.escape(opening)}([^(){{}}<>\[\]]+){re.escape(closing)}", source):
        for begin in (place for place, char in enumerate(plain) if char == opening):
            items = re.findall(r"%[\w$.]+|[0-9][0-9.,]*", match[1])
            at = answer.find(items[-1], begin) if items else -1
            if at > 0 and closing not in plain[begin : at + 1]:
                end = at + len(items[-1])
                if answer[begin] == "（":
                    return f"{answer[:end]}）{answer[end:].lstrip()}"
                return answer[:end] + closing + answer[end:]
    return answer


def _places(source: str, format: str, quotes: bool, brackets: bool) -> list[Span]:
    found = [(place, place + 1) for place in _quotes(source, format)] if quotes else []
    if brackets:
        plain = _blanked(source, format)
        found += [(i, i + 1) for i, char in enumerate(plain) if char.translate(_WIDE) in _BRACKETS]
    return sorted(found)


# --- dots and blanks -------------------------------------------------------------------------------------------------


def _spaced(source: str, text: str, src: str, dst: str, curly: bool) -> str:
    if "…" in source and "..." in text and "..." not in source:
        text = text.replace("...", "…")
    elif "…" in text and "…" not in source and "..." in source:
        text = text.replace("…", "...")
    if dst == "fr":
        text = _HIGH.sub(lambda match: match["face"] or _NO_BREAK + match["mark"], text)
        text = _INNER.sub(lambda match: f"«{_NO_BREAK}" if match[0][0] == "«" else f"{_NO_BREAK}»", text)
    if dst == "es":
        plain = _blanked(source, "")  # %1!s! is no exclamation
        text = inverted(text) if re.search(r"[?!？！¿¡]", plain) else re.sub("[¿¡]", "", text)
    elif src == "es":
        text = text.replace("¿", "").replace("¡", "")
    if dst in ("en", "de", "es") and src == "fr":
        text = _APART.sub("", text.replace("\u202f", _NO_BREAK))
        text = re.sub(rf"(?<=[\w)\]”\"%]){_NO_BREAK}(?=[!?:;])", "", text)
    return _APOSTROPHE.sub("’", text) if curly else text


def curls(texts: Sequence[str]) -> bool:
    """Whether texts write their apostrophes as `’` throughout.

    >>> curls(["It’s late."]), curls(["It's late."]), curls(["Late."])
    (True, False, False)
    """
    return any("’" in text for text in texts) and not any(_APOSTROPHE.search(text) for text in texts)


def _blanked(text: str, format: str) -> str:
    """A text with its placeholders blanked out."""
    for start, end in placeholders.spans(text, format):
        text = text[:start] + "\ue000" * (end - start) + text[end:]
    return text


def _outside(text: str, format: str, change: object) -> str:
    """A text, changed between its placeholders; a mark after one sees a letter before it."""
    assert callable(change)
    spans = placeholders.spans(text, format)
    if not spans:
        return str(change(text))
    held = [text[start:end] for start, end in spans]
    bars = iter(held)
    for start, end in reversed(spans):
        text = text[:start] + "\ue000" + text[end:]
    return re.sub("\ue000", lambda _: next(bars), str(change(text)))
