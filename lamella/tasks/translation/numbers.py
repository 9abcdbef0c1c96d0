"""Numbers and codes of a sentence: whatever a net answers, the digits stay those of the source.

A *code* (a phone number, a version, a date, an identifier) stands in the answer as it is written. A *number* keeps its
digits and is written as the target language writes numbers; nothing is ever calculated.

    >>> facts = Numbers("Invoice BE0768880101: €1,299.99 in 3 parts.", "en", "fr")
    >>> facts.check("Facture BE076880101 : €1,299.9 en trois parties.").text
    'Facture BE0768880101 : 1\\u202f299,99\\xa0€ en 3 parties.'
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct, field

from lamella.data.text.languages import base_code
from lamella.data.text.lazy import lazy
from lamella.data.text.sentences import Span
from lamella.tasks.translation import numerals
from lamella.tasks.translation.proper import word_set
from lamella.tasks.translation.quantities import PARTS, unscaled, written_anew

if TYPE_CHECKING:
    from difflib import SequenceMatcher

_NARROW, _NO_BREAK = "\u202f", "\u00a0"
# How a language separates thousands and decimals, and whether the currency stands behind the number.
STYLES = {
    "en": (",", ".", False), "zh": (",", ".", False), "fr": (_NARROW, ",", True), "de": (".", ",", True), "es": (".", ",", True),
}  # fmt: skip
_CURRENCY = r"(?:US|CA|AU|NZ|HK)?[$€£¥￥₹₽]"
# What is written behind a number for a sign; a net that does not know the sign may write another money's.
_MONEYS = {
    "€": "euros?|欧元?", "$": "(?:u\\.?s\\.? )?dollars?|dólar(?:es)?|美元|元", "£": "pounds?(?: sterling)?|livres?(?: sterling)?|pfund(?:e?s|e)?|libras?|英镑|镑|磅",
    "¥": "yens?|yuans?|日元|元|円", "₹": "rupees?|roupies?|rupias?|rupien?|卢比", "₽": "rou?bles?|rublos?|rubel|卢布",
}  # fmt: skip
_MONEY_WORD = lazy(
    rf"[ \u00a0\u202f]?(?P<word>currency|francs?|pesos?|欧洲|{'|'.join(_MONEYS.values())})(?![A-Za-zÀ-ɏ])",
    re.IGNORECASE,
)
_PERCENT_WORD = lazy(r"per ?cent|pour ?cent|prozent|por ciento|百分", re.IGNORECASE)
_MAGNITUDE = lazy(
    r"\s*(?:(?:k|m|bn|mio|mrd|md)\b|million|milliard|billion|thousand|mill[eo]|mil\b|tausend|万|亿)", re.IGNORECASE
)
_MAGNIFIED = lazy(
    r"[0-9]\s?(?:k|m|bn|mio|mrd|md|mil)\b|hundred|\bcents?\b|hundert|cien|million|milliard|[bt]rillion|thousand|mill[eoó]|\bmil\b|tausend|[百千万萬亿億]",
    re.IGNORECASE,
)
_WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
_LATIN = "A-Za-z0-9\u00c0-\u024f"  # a code may touch Chinese characters, and no other letters
_BARRIER = "\ue000"  # stands for a placeholder: nothing reaches over it
_RUN = lazy(rf"[^\s{_BARRIER}{_WIDE}]*[0-9][^\s{_BARRIER}{_WIDE}]*")
# Groups of digits with blanks or hyphens between: a telephone number, an account, a card.
_GROUPS = lazy(
    r"(?<![A-Za-zÀ-ɏ0-9_+(.,$€£¥])(?:(?:\+?\(?[0-9]{1,4}\)?|[A-Z]{2}[0-9]{2,4})(?:[ \u00a0\u202f.-]{1,2}\(?[A-Z]{0,4}[0-9]{2,6}\)?){2,9}(?:,? (?:ext|x|poste|Durchwahl)\.? ?[0-9]{1,5})?"
    r"|(?:\+[1-9][0-9]{0,2}|\(?0[0-9]{1,5}\)?)(?:[ \u00a0\u202f./-]{1,2}\(?[0-9]{2,12}\)?){1,9})(?![A-Za-zÀ-ɏ0-9_-]|[.,][0-9])"
)
_AFFIXES = lazy(r"""^[\s"'“”‘’«»‹›„(\[{¿¡*_<=~≈§/|]+|[\s"'“”‘’«»‹›)\]}.,;:!?…*_>=|/-]+$""")
_ELISION = lazy(r"^(?:[A-Za-z]{1,2}['’]|[Nn](?:[°ºo]\.?|\.º)|№)(?=[0-9])")
_BLANKED = r"[0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3})+"
_UNIT = r"(?:[kcmµnd]?m|km/h|[kmµ]?g|[cmd]?l|[kMGT]i?[BbHo]z?|Hz|[kMG]?W|[km]?Wh|m?Ah|[km]?V|°?[CF]?|dB|px|pt|s|ms|min|h|[ap]m|x|k|bn|M)"
_SUFFIXED = lazy(rf"([0-9]+(?:[.,][0-9]+)*)({_UNIT}|[a-zà-ÿ°]{{1,12}}|\.?[ºª]|\.(?:er|[oa]s?)|[’']?s)$")
_ANSWERED = lazy(rf"{_BLANKED}(?:[.,][0-9]+)?(?![0-9])|[0-9]+(?:[.,][0-9]+)*")
_CLOCK = lazy(r"\s?[ap]\.?\s?m\b\.?", re.IGNORECASE)
_VERSIONED = lazy(r"(?:^|[\s(])(?:[vV]\.?|[Vv]ersion|[Rr]elease|[Ss]ection|[Cc]hapter|[a-z]?[A-Z][\w+#.-]*)\s$")
# A capital that only begins the sentence makes no name of a program.
_OPENING = word_set(
    "a an the about over under only nearly almost with from in at on by for of to some around roughly approximately exactly up than more "
    "less it is was that this these those we they he she you i and or but if when after before every each just another between"
)
_PART = lazy(r"(?<![0-9])[½¼¾⅓⅔](?![0-9])")
_NEAR = 0.6  # how alike a code and what the net made of it are, from 0 to 1
_MOST = 40  # codes and numbers of a sentence that are mended; of more, those that are whole count and no others


class Check(NamedTuple):
    """An answer with its numbers put right, the spans of the source that are still missing, and digits of no source."""

    text: str
    missing: list[Span]
    alien: list[str]


class Constant(Struct):
    """A stretch of the source whose digits stay: `span` is what stands in its place when it is protected."""

    span: Span
    text: str  # as the answer is to have it
    digits: str
    code: bool  # whether all of it stays, letter by letter
    currency: str = ""
    percent: bool = False
    sign: str = ""
    value: int | None = None  # of a small whole number, which a net may spell
    forms: str = ""  # a pattern of the ways in which the answer may have it, where there are several
    century: bool = False  # a Roman numeral of a century
    ordinal: bool = False  # the third of several, and no day of a month
    dated: bool = False  # a day of a month


class Numbers(Struct):
    """The numbers and codes of a source.

    taken: spans of placeholders, which others take care of. An unknown language leaves numbers as they are written.
    """

    source: str
    src: str = ""
    dst: str = ""
    taken: Sequence[Span] = ()
    constants: list[Constant] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.src, self.dst = base_code(self.src), base_code(self.dst)
        if re.search("[0-9½¼¾⅓⅔十百千万亿之点]|nderthalb|inhalb", self.source) or numerals.has_century(self.source):
            self._find(_barred(self.source, self.taken))

    # ---- the source ------------------------------------------------------------------------------------------------

    def _find(self, text: str) -> None:
        for start, end, value in numerals.centuries(text):
            self.constants.append(Constant((start, end), text[start:end], str(value), False, value=value, century=True))
            text = _bar(text, start, end)
        for start, end, written, forms in written_anew(text, self.src, self.dst):
            self.constants.append(Constant((start, end), written, re.sub("[^0-9]", "", written), True, forms=forms))
            text = _bar(text, start, end)
        for match in _GROUPS.finditer(text):
            if not self._is_number(match[0]) and sum(map(str.isdigit, match[0])) >= 6:
                self.constants.append(_code(match.start(), match[0]))
                text = _bar(text, *match.span())
        for match in re.finditer(rf"(?<![\w.,]){_BLANKED}(?:[.,][0-9]+)?(?![\w])", text):
            if self._is_number(match[0]):
                self._number(text, *match.span())
                text = _bar(text, *match.span())
        for match in _RUN.finditer(text):
            self._run(text, *match.span())
        for match in _PART.finditer(text):
            self.constants.append(Constant(match.span(), match[0], "", True, forms=PARTS[match[0]]))
        self.constants.sort(key=lambda one: one.span)

    def _run(self, text: str, start: int, end: int) -> None:
        """A word with digits, as a code, or as the numbers in it."""
        while affix := _AFFIXES.search(text[start:end]):
            start, end = (start + affix.end(), end) if affix.start() == 0 else (start, start + affix.start())
        if elided := _ELISION.match(text[start:end]):
            start += elided.end()
        run = text[start:end]
        if not re.search("[0-9]", run):
            return
        clock = _CLOCK.match(text, end) if re.fullmatch(r"[0-9]{1,2}(?::[0-9]{2}){0,2}", run) else None
        if clock:
            self.constants.append(_code(start, text[start : clock.end()].rstrip(".") + "." * ("." in clock[0][:-1])))
            return
        if bare := re.fullmatch(rf"([+−-]?)({_CURRENCY})?([0-9][0-9.,]*)(%|‰|{_CURRENCY})?", run):
            if self._is_number(bare[3]) and not (self._is_version(text, start, bare[3]) and not (bare[2] or bare[4])):
                self._number(text, start + bare.start(3), start + bare.end(3))
                return
        elif suffixed := _SUFFIXED.fullmatch(run):
            if self._is_number(suffixed[1]) or numerals.is_ordinal(suffixed[2]):
                self._number(text, start, start + suffixed.end(1))
                return
        elif (
            "-" in run[1:]
            and not re.search(r"(?=[a-f-]*[0-9])(?=[0-9]+[a-f])[0-9a-f]{6}", run)
            and any(re.fullmatch(r"[a-zà-ÿ]{2,}|[A-ZÀ-Þ][a-zà-ÿ]{3,}", part) for part in run.split("-"))
        ):
            for part in re.finditer(r"[^-]+", run):
                if re.search("[0-9]", part[0]):
                    self._run(text, start + part.start(), start + part.end())
            return
        self.constants.append(_code(start, run))

    def _is_number(self, text: str) -> bool:
        """Whether digits with marks between them are one number, as the language of the source writes it."""
        if text.isdigit():
            return True
        thousands, decimal, _ = STYLES.get(self.src, (",", ".", False))
        blank = "[ \u00a0\u202f]" if self.src not in ("en", "zh") else "[\u00a0\u202f]"
        group = blank if thousands == _NARROW else f"(?:{re.escape(thousands)}|{blank})"
        whole = rf"(?:[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}})+|[0-9]+)"
        return bool(re.fullmatch(rf"{whole}(?:{re.escape(decimal)}[0-9]+)?", text))

    def _is_version(self, text: str, start: int, number: str) -> bool:
        """Whether a decimal is one of a release or a section: after a name, and not before what is counted."""
        match = _VERSIONED.search(text[:start]) if "." in number and self.src in ("en", "zh", "") else None
        word = match[0].strip(" (") if match else ""
        return bool(word) and not (text[:start].strip() == word and word.lower() in _OPENING)

    def _number(self, text: str, start: int, end: int) -> None:
        number = text[start:end]
        before = re.search(rf"([+−-]?)\s?({_CURRENCY})?\s?$", text[max(0, start - 6) : start])
        after = re.match(rf"\s?(%|‰|{_CURRENCY})", text[end : end + 5])
        below = text[:start].endswith("零下") and self.src == "zh"
        sign = (
            "-"
            if below
            else before[1]
            if before and re.fullmatch(rf"|[\s(\[{_WIDE}]", text[: start - len(before[0])][-1:])
            else ""
        )
        currency = (before[2] if before else "") or (after[1] if after and after[1] not in "%‰" else "") or ""
        percent = bool(after and after[1] == "%")
        low = start - 2 if below else start - (len(before[0].lstrip()) if before and (sign or before[2]) else 0)
        high = end + (len(after[0]) if after and (percent or (currency and not (before and before[2]))) else 0)
        value = int(number) if number.isdigit() and len(number) < 3 else None
        digits = re.sub("[^0-9]", "", number)
        one = Constant((low, high), self._localised(number), digits, False, currency, percent, sign, value)
        if value is not None:
            one.dated = numerals.is_dated(text, start, end, self.src)
            one.ordinal = not one.dated and numerals.is_ordinal_at(text, end, self.src)
        self.constants.append(one)

    def _localised(self, number: str) -> str:
        """A number as the target language sets it."""
        if number.isdigit() or self.src not in STYLES or self.dst not in STYLES:
            return number
        thousands, decimal, _ = STYLES[self.dst]
        whole, mark, rest = number.partition(STYLES[self.src][1])
        return thousands.join(re.findall("[0-9]+", whole)) + (decimal if mark else "") + rest

    # ---- answers ---------------------------------------------------------------------------------------------------

    def check(self, answer: str, taken: Sequence[Span] = (), force: bool = False) -> Check:
        """Compare the digits of an answer with those of the source, and put right what can be.

        taken: spans of placeholders in the answer. force: put a number that is missing in the place of one that does not
        belong there, however different the two are.
        """
        if not self.constants and not re.search("[0-9]", answer):
            return Check(answer, [], [])
        edits: list[tuple[int, int, str]] = []
        missing: list[Constant] = []
        left = _barred(answer, taken)
        for one in sorted((c for c in self.constants if c.code), key=lambda c: -len(c.text)):
            place = re.search(rf"(?<![{_LATIN}])(?:{one.forms or re.escape(one.text)})(?![{_LATIN}])", left)
            typed = self.source[slice(*one.span)]
            if place:
                edits.append((place.start(), place.end(), place[0]))
                left = _bar(left, *place.span())
            elif one.forms and (at := left.find(typed)) >= 0:
                edits.append((at, at + len(typed), one.text))
                left = _bar(left, at, at + len(typed))
            elif one.forms and (span := unscaled(typed, left)):  # 250 people of 250万
                edits.append((*span, one.text))
                left = _bar(left, *span)
            else:
                missing.append(one)
        for one in list(missing) if len(self.constants) <= _MOST else ():
            if not one.forms and (span := _nearest(one.text, left)):
                edits.append((*span, one.text))
                left = _bar(left, *span)
                missing.remove(one)
        tokens = [match.span() for match in _ANSWERED.finditer(left)]
        lacking: list[Constant] = []
        centuries = [one for one in self.constants if one.century]
        spot = numerals.century_place(left, self.dst) if len(centuries) == 1 else None
        for one in (c for c in self.constants if not c.code):
            if one.century and spot and one.value:
                edits.append((*spot, numerals.century(one.value, self.dst)))
                tokens = [t for t in tokens if t[1] <= spot[0] or spot[1] <= t[0]]
                left = _bar(left, *spot)
                continue
            same = next((t for t in tokens if re.sub("[^0-9]", "", left[slice(*t)]) == one.digits), None)
            if same:
                tokens.remove(same)
                if _MAGNITUDE.match(left, same[1]) and not _MAGNIFIED.search(self.source):  # a $20 bill, un 20 milliard
                    lacking.append(one)
                else:
                    edits += self._set(left, same, one)
            elif (
                span := numerals.spelled(left, one.value, self.dst)
                if one.value is not None and not one.century
                else None
            ):
                edits.append((*span, left[slice(*span)] if numerals.is_roman(left[slice(*span)]) else one.text))
                left = _bar(left, *span)
            else:
                lacking.append(one)
        tokens = [t for t in tokens if not self._says(left, t)]
        for one in list(lacking):
            joined = [(a[0], b[1]) for a, b in pairwise(tokens) if re.fullmatch(r"[\s.,]", left[a[1] : b[0]])]
            near = [t for t in (*tokens, *joined) if force or _alike(one.digits, re.sub("[^0-9]", "", left[slice(*t)]))]
            if near:
                best = max(near, key=lambda t: _matcher(one.digits, left[slice(*t)]).ratio())
                tokens = [t for t in tokens if not best[0] <= t[0] < best[1]]
                edits += self._set(left, best, one)
                lacking.remove(one)
        for start, end, new in sorted(edits, reverse=True):
            end += new.endswith(".") and answer[end : end + 1] == "." != answer[end + 1 : end + 2]  # 9 p.m.
            if self.src == "zh" and new[-1:].isdigit() and answer[end : end + 1].isdigit():  # 10月3日9:05
                new += " "
            answer = answer[:start] + new + answer[end:]
        spans = sorted(one.span for one in (*missing, *lacking))
        return Check(answer, spans, [left[slice(*t)] for t in tokens])

    def _says(self, answer: str, span: Span) -> bool:
        """Whether the source says a number of the answer without digits: as a word, or 5月 as May."""
        number = answer[slice(*span)]
        month = self.dst == "zh" and len(number) < 3 and answer[span[1] : span[1] + 2].strip()[:1] == "月"
        named = month and number.isdigit() and numerals.names_month(self.source, int(number), self.src)
        return named or numerals.says(self.source, number, self.src)

    def _set(self, answer: str, span: Span, one: Constant) -> list[tuple[int, int, str]]:
        """The edit that writes a number in the place of one of the answer, with its currency or percent sign."""
        start, end = span
        number = one.text if not one.text.isdigit() else re.sub(r"\s", _NARROW, answer[start:end])
        if re.sub("[^0-9]", "", number) != one.digits:
            number = one.digits
        ending = numerals.ordinal_end(answer, end)
        if one.value is not None and (ending or one.ordinal) and number == one.digits:
            plain = one.dated and self.dst in ("fr", "es") and (one.value > 1 or self.dst == "es")
            if self.dst != "de" and re.match(r"\.[,\s]\s?[^\W\d_A-Z]", answer[ending or end :]):  # `1., 2.` of German
                ending = (ending or end) + 1
            if self.dst == "es" and re.search(r"\bsiglos? $", answer[:start]):
                return numerals.spanish_century(self.source, answer, (start, ending or end), one.value)
            return [(start, ending or end, number if plain else numerals.ordinal(one.value, self.dst, answer[start:]))]
        behind = self.dst in STYLES and STYLES[self.dst][2]
        if one.sign and not re.search(r"[+−–-]\s?\D?$", answer[:start][-3:]):
            number = one.sign + number
        if one.percent:
            mark = re.match(r"[\s\u00a0\u202f]?%", answer[end:])
            if mark or not _PERCENT_WORD.search(answer):
                end += mark.end() if mark else 0
                number += (_NO_BREAK if behind else "") + "%"
        elif one.currency and not _MAGNITUDE.match(answer, end):
            before = re.search(rf"(?:{_CURRENCY})[\s\u00a0\u202f]?$", answer[:start])
            after = re.match(rf"[\s\u00a0\u202f]?(?:{_CURRENCY})", answer[end:])
            worded = _MONEY_WORD.match(answer[end:])
            money = _MONEYS.get(one.currency[-1].replace("￥", "¥"), "")
            if worded and self.dst == "zh" and re.fullmatch(money, worded["word"], re.IGNORECASE):
                return [(start, end, number)] if answer[start:end] != number else []
            after = after or worded
            of_it = [c for c in self.constants if c.currency and c.currency[-1] == one.currency[-1]]
            if before or after or len(re.findall(money, answer, re.IGNORECASE)) < len(of_it):
                start, end = (before.start() if before else start), end + (after.end() if after and not before else 0)
                currency = one.currency if self.dst == "zh" else one.currency.replace("￥", "¥")
                number = f"{number}{_NO_BREAK}{currency}" if behind else f"{currency}{number}"
        return [(start, end, number)] if answer[start:end] != number else []


def _code(start: int, text: str) -> Constant:
    return Constant((start, start + len(text)), text, re.sub("[^0-9]", "", text), True)


def _barred(text: str, spans: Sequence[Span]) -> str:
    for start, end in spans:
        text = _bar(text, start, end)
    return text


def _bar(text: str, start: int, end: int) -> str:
    return text[:start] + _BARRIER * (end - start) + text[end:]


def _alike(ours: str, theirs: str) -> bool:
    """Whether the net's digits are a slip for ours: one too many, one too few, or two that changed places."""
    if sorted(ours) == sorted(theirs) or abs(len(ours) - len(theirs)) > max(1, len(ours) // 3) or len(ours) < 2:
        return sorted(ours) == sorted(theirs)
    return _matcher(ours, theirs).ratio() >= _NEAR


def _nearest(code: str, answer: str) -> Span | None:
    """Where an answer has what a net made of a code: some words with digits, or that are nearly the code."""
    count = len(code.split())
    runs = [match.span() for match in re.finditer(rf"[^\s{_BARRIER}{_WIDE}]+", answer)][:200]
    key = re.sub(r"\W", "", code).casefold()
    best, score = None, _NEAR
    for size in range(max(1, count - 1), count + 3):
        for first, last in zip(runs, runs[size - 1 :], strict=False):
            span = _trimmed(answer, first[0], last[1])
            words = answer[slice(*span)]
            if _BARRIER in words or not re.search("[0-9]", words):
                continue
            matcher = _matcher(key, re.sub(r"\W", "", words).casefold())
            if matcher.quick_ratio() >= score and (ratio := matcher.ratio()) > score:
                best, score = span, ratio
    return best


def _trimmed(text: str, start: int, end: int) -> Span:
    """A stretch without brackets, quotation marks and stops around it."""
    while affix := _AFFIXES.search(text[start:end]):
        if not affix[0]:
            break
        start, end = (start + affix.end(), end) if affix.start() == 0 else (start, start + affix.start())
    return start, end


def _matcher(one: str, two: str) -> SequenceMatcher[str]:
    from difflib import SequenceMatcher  # late: most sentences have no numbers

    return SequenceMatcher(None, one, two, False)
