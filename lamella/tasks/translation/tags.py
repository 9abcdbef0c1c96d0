"""Tags around words of a sentence: the sentence is translated without them, and they are put around the words that they were around.

Small nets translate what stands between tags badly: `a <b>cold</b> night` became `eine <b>gekolone</b> Nacht`. Where it is clear
which words of an answer say what was between two tags, the answer to the plain sentence is taken; else the net's own with the tags.

>>> parts = tagged("It was a <b>cold</b> night.", "")
>>> parts.plain, parts.inner
('It was a cold night.', [Pair(opening='<b>', text='cold', closing='</b>')])
>>> placed(parts, "Es war eine kalte Nacht.", {"cold": ["kalt"]}, None, "en", "de")
'Es war eine <b>kalte</b> Nacht.'
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from lamella.data.text import placeholders
from lamella.data.text.languages import base_code
from lamella.data.text.lazy import lazy
from lamella.data.text.sentences import Span, is_wide
from lamella.tasks.translation.capitals import emphasis
from lamella.tasks.translation.confidence import Candidate
from lamella.tasks.translation.lexical import entry, plain

if TYPE_CHECKING:  # most nets have none
    from lamella.tasks.translation.checks import Style
    from lamella.tasks.translation.dictionary import Dictionary

_WORD = lazy(r"[^\W_]+")
_OPEN = lazy(r"<(?P<name>[A-Za-z0-9][\w:-]*)(?:\s[^<>]*)?(?<!/)>")
_WHOLE = lazy(r"(?P<open><(?P<name>[A-Za-z0-9]+)(?:\s[^<>]*)?(?<!/)>)(?P<inner>.+)(?P<close></(?P=name)>)", re.DOTALL)
_VOID = frozenset(["br", "img", "wbr", "hr", "input", "link", "meta", "source"])
_SAME = frozenset(("*", "**", "***", "_", "__", "___", "~~", "=="))  # that begin and end what they are around
_SIGN = "[$€£¥%°]"
_MOST = 6  # pairs of a sentence; of more it is seldom clear where each belongs
_SHARE = 0.6  # of the words between two tags that an answer has to have together
_LITTLE = 2  # letters of a word that says nothing of where it belongs
_CLOSE = 4  # letters by which two forms of one word differ in length


class Pair(NamedTuple):
    """Two tags and what is between them."""

    opening: str
    text: str
    closing: str


class Tagged(NamedTuple):
    """A sentence without its pairs of tags, and these in order."""

    plain: str
    inner: list[Pair]
    outside: list[str]  # the words that are between none
    around: tuple[str, str] = ("", "")  # tags around all of it


def tagged(source: str, format: str) -> Tagged | None:
    """A sentence with tags around some of its words; None where there are none, or some stand within others."""
    whole = _WHOLE.fullmatch(source)
    if whole and f"<{whole['name']}" not in whole["inner"]:
        found = tagged(whole["inner"], format)
        return found and found._replace(around=(whole["open"] + found.around[0], found.around[1] + whole["close"]))
    spans = placeholders.spans(source, format) if re.search(r"[<*_~=\[]", source) else []
    parts: list[str] = []
    inner: list[Pair] = []
    outside: list[str] = []
    begun: tuple[int, int, str] | None = None  # where a tag opened, and what closes it
    end = 0
    for start, stop in spans:
        token = source[start:stop]
        closing = _closing(token, format)
        if begun and (token == begun[2] or (begun[2] == "]" and token.startswith("]"))):
            text = source[begun[1] : start]
            if not _WORD.search(text):
                return None
            lead = text[: len(text) - len(text.lstrip())]
            tail = text[len(text.rstrip()) :]
            inner.append(Pair(source[begun[0] : begun[1]], text.strip(), token))
            parts += [source[end : begun[0]], lead, text.strip(), tail]
            outside += _WORD.findall(source[end : begun[0]])
            begun, end = None, stop
        elif closing and begun:
            return None
        elif closing:
            begun = start, stop, closing
        elif re.match(r"</|\]", token):
            return None
    if begun or not inner or len(inner) > _MOST:
        return None
    outside += _WORD.findall(source[end:])
    return Tagged("".join([*parts, source[end:]]), inner, outside) if outside else None


def _closing(token: str, format: str) -> str:
    """What closes a tag; "" where it opens nothing."""
    match = _OPEN.fullmatch(token)
    if match:
        return "" if match["name"].lower() in _VOID else f"</{match['name']}>"
    if "markdown" not in format:
        return ""
    return token if token in _SAME else "]" if token == "[" else ""


def around(parts: Tagged, answers: Mapping[str, Sequence[str]], style: Style) -> Iterator[str]:
    """The best answer to a sentence without its tags, with them around the words that they belong to; nothing where that is not clear."""
    languages = base_code(style.source), base_code(style.target)
    for answer in answers[parts.plain][:1]:
        text = placed(parts, answer, answers, style.dictionary, *languages)
        if text is not None:
            yield Candidate(text, answer.mean) if isinstance(answer, Candidate) else text


def emphasised(source: str, answer: str, dictionary: Dictionary | None, src: str, dst: str) -> str:
    """An answer with words in capitals for those that are in capitals for emphasis in the source, where it is clear which.

    >>> from lamella.tasks.translation.dictionary import Dictionary
    >>> emphasised("The cable is BROKEN.", "Le câble est cassé.", Dictionary("broken\\tcassé"), "en", "fr")
    'Le câble est CASSÉ.'
    """
    if dst == "zh" or src == "zh" or not re.search("[A-ZÀ-Þ]{3}", source):
        return answer
    for match in emphasis(source, src):
        outside = _WORD.findall(source[: match.start()] + source[match.end() :])
        span = _among_words(match[0].lower(), outside, answer, [], dictionary, src)
        if span:
            answer = answer[: span[0]] + answer[slice(*span)].upper() + answer[span[1] :]
    return answer


def placed(
    parts: Tagged,
    answer: str,
    alone: Mapping[str, Sequence[str]],
    dictionary: Dictionary | None,
    src: str,
    dst: str,
) -> str | None:
    """The answer to the plain sentence with the tags around the words that say what was between them; None where that is not clear.

    alone: what the net makes of what is between the tags by itself.
    """
    found: list[tuple[Span, Pair]] = []
    for pair in parts.inner:
        others = [word for one in parts.inner if one is not pair for word in _WORD.findall(one.text)]
        known = [one.strip(" .!?。！？,，") for one in alone.get(pair.text, ())]
        if dst == "zh":
            span = _in_chinese(pair.text, answer, known, dictionary, src)
        else:
            span = _among_words(pair.text, [*parts.outside, *others], answer, known, dictionary, src)
        if span is None or any(a < span[1] and span[0] < b for (a, b), _ in found):
            return None
        found.append((span, pair))
    for (start, end), pair in sorted(found, reverse=True):
        if re.search(_SIGN, pair.text):  # an amount has its sign with it
            start -= bool(re.search(_SIGN, answer[:start][-1:]))
            after = re.match(rf"[ \u00a0\u202f]?{_SIGN}", answer[end:])
            end += after.end() if after else 0
        answer = answer[:start] + pair.opening + answer[start:end] + pair.closing + answer[end:]
    return answer.join(parts.around)


def _among_words(
    text: str, outside: Sequence[str], answer: str, known: Sequence[str], dictionary: Dictionary | None, src: str
) -> Span | None:
    words = list(_WORD.finditer(answer))
    said = [plain(match[0]) for match in words]
    for one in known[:2]:  # the same words in a row, once
        wanted = [plain(word) for word in _WORD.findall(one)]
        rows = [i for i in range(len(said) - len(wanted) + 1) if wanted and all(map(_same, wanted, said[i:]))]
        if len(rows) == 1:
            return words[rows[0]].start(), words[rows[0] + len(wanted) - 1].end()
    ours = [_forms(word, dictionary, src) for word in _WORD.findall(text) if _tells(word)]
    theirs = [form for word in outside if _tells(word) for form in _forms(word, dictionary, src)]
    held = [
        i
        for i, word in enumerate(said)
        if any(_same(form, word) for forms in ours for form in forms) and not any(_same(form, word) for form in theirs)
    ]
    if not held:
        return None
    first, last = held[0], held[-1]
    within = said[first : last + 1]
    alien = any(_same(form, word) for word in within if len(word) > _LITTLE for form in theirs)
    reached = sum(any(_same(form, word) for form in forms for word in within) for forms in ours)
    if alien or reached < _SHARE * len(ours) or len(within) > 2 * len(_WORD.findall(text)) + 1:
        return None
    return words[first].start(), words[last].end()


def _tells(word: str) -> bool:
    """Whether a word says where it belongs: one of a letter or two does not."""
    return len(word) > _LITTLE or word.isdigit()


def _forms(word: str, dictionary: Dictionary | None, src: str) -> list[str]:
    """What a word of the source may be in an answer: itself, or a word of a translation."""
    found = entry(dictionary, word, src) if dictionary else []
    return [plain(word), *(plain(part) for one in found for part in _WORD.findall(one) if len(part) > _LITTLE)]


def _same(one: str, other: str) -> bool:
    """Whether two words, without accents and in small letters, are forms of one: kalt and kalte."""
    if min(len(one), len(other)) < 4:
        return one == other
    stem = one[: max(4, len(one) - 2 - (len(one) > 7))]
    return other.startswith(stem) and abs(len(one) - len(other)) <= _CLOSE


def _in_chinese(text: str, answer: str, known: Sequence[str], dictionary: Dictionary | None, src: str) -> Span | None:
    listed = dictionary.find(text) if dictionary else []
    for one in (*known[:3], *listed):
        if one and all(map(is_wide, one)) and answer.count(one) == 1:
            return answer.index(one), answer.index(one) + len(one)
    places: list[Span] = []
    for word in _WORD.findall(text):
        spans = [
            (answer.index(one), answer.index(one) + len(one))
            for one in (entry(dictionary, word, src) if dictionary else [])
            if one and answer.count(one) == 1
        ]
        if not spans:
            return None
        places.append(max(spans, key=lambda span: span[1] - span[0]))
    places.sort()
    if not places or any(b[0] - a[1] > 1 for a, b in pairwise(places)):
        return None
    return places[0][0], places[-1][1]
