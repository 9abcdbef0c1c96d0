"""Numbers from 13 to 99 that are written as words, and half hours: what an answer says instead is noticed, or put right.

>>> sorted(values("Twenty-three men and 17 dogs", "en")), sorted(values("quatre-vingt-douze", "fr")), sorted(values("\u4e09\u5341\u4e94\u5c81", "zh"))
([23], [92], [35])
>>> lost("Twenty-three people", "Dreiundzwanzig Leute", "en", "de"), lost("\u4e09\u5341\u4e94\u5c81", "thirty-one", "zh", "en")
(False, True)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from lamella.data.text.lazy import lazy

_ONES = {
    "en": "one two three four five six seven eight nine", "fr": "un deux trois quatre cinq six sept huit neuf",
    "de": "ein zwei drei vier fünf sechs sieben acht neun", "es": "uno dos tres cuatro cinco seis siete ocho nueve",
    "zh": "一 二 三 四 五 六 七 八 九",
}  # fmt: skip
_TEENS = {
    "en": "thirteen fourteen fifteen sixteen seventeen eighteen nineteen", "fr": "treize quatorze quinze seize dix-sept dix-huit dix-neuf",
    "de": "dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn", "es": "trece catorce quince dieciséis diecisiete dieciocho diecinueve",
}  # fmt: skip
_TENS = {
    "en": "twenty thirty forty fifty sixty seventy eighty ninety", "fr": "vingt trente quarante cinquante soixante",
    "de": "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig", "es": "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
}  # fmt: skip
_MAYBE = lazy(r"teen|ty|[zt]e|vingt|ante|zehn|zig|ßig|trece|quince|dieci|veint|[ei]nt[ea]|十", re.IGNORECASE)
_QUARTERS = lazy(r"quarter|half|halb|viertel|quart|demie?|cuarto|medi[ao]|[刻半]", re.IGNORECASE)
_HALF = lazy(r"\bhalb (?:eins|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf)\b")
_LARGER = lazy(r"hundred|cent|hundert|cien|thousand|mill?e?|tausend|[百千万亿]", re.IGNORECASE)


def _words(language: str) -> Iterator[tuple[str, int]]:
    """The words of the numbers from 13 to 99."""
    ones = _ONES[language].split()
    if language == "zh":
        for tens in range(1, 10):
            for one in range(10):
                if 10 * tens + one > 12:
                    yield f"{ones[tens - 1] * (tens > 1)}十{ones[one - 1] * (one > 0)}", 10 * tens + one
        return
    teens, tens_of = _TEENS[language].split(), _TENS[language].split()
    yield from zip(teens, range(13, 20), strict=True)
    for index, ten in enumerate(tens_of):
        value = 20 + 10 * index
        yield ten, value
        for one, name in enumerate(ones, start=1):
            if language == "de":
                yield f"{name}und{ten}", value + one
            elif language == "es":
                yield (f"veinti{name}" if value == 20 else f"{ten} y {name}"), value + one
                if one == 1:
                    yield ("veintiún" if value == 20 else f"{ten} y un"), value + one
            else:
                yield from ((f"{ten}{joint}{name}", value + one) for joint in ("-", " ", " et ", "-et-"))
    if language == "fr":
        lower = ["dix", "onze", "douze", *teens]
        yield from ((f"soixante{joint}{word}", 70 + i) for i, word in enumerate(lower) for joint in ("-", " et "))
        yield from ((f"quatre-vingt-{word}", 80 + i) for i, word in enumerate([*ones, *lower], start=1))
        yield "quatre-vingts", 80
    if language == "es":
        accents = {"veintidos": 22, "veintidós": 22, "veintitrés": 23, "veintiséis": 26, "veintiuna": 21}
        yield from accents.items()


@cache
def _table(language: str) -> tuple[re.Pattern[str], dict[str, int]]:
    table = dict(_words(language))
    either = "|".join(map(re.escape, sorted(table, key=len, reverse=True)))
    if language == "zh":
        return re.compile(f"(?<![一二三四五六七八九十第百])(?:{either})(?![一二三四五六七八九十百千万亿])"), table
    end = "" if language == "de" else r"(?![\w-])"  # zwanzigmal
    return re.compile(rf"(?<![\w-])(?:{either}){end}", re.IGNORECASE), table


def values(text: str, language: str) -> frozenset[int]:
    """The numbers from 13 to 99 that a text has as words."""
    if language not in _ONES or not _MAYBE.search(text) or _LARGER.search(text):
        return frozenset()
    pattern, table = _table(language)
    return frozenset(table[match[0].lower()] for match in pattern.finditer(text))


def lost(source: str, answer: str, src: str, dst: str) -> bool:
    """Whether an answer lacks a number that its source has as a word: it has it neither as a word nor in digits."""
    if src == "zh" and dst == "en" and _order_lost(source, answer):
        return True
    ours = values(source, src)
    if src == "de" and _HALF.search(source) and not _QUARTERS.search(answer) and not re.search("30|thirty", answer):
        return True
    if not ours or dst not in _ONES:
        return False
    digits = {int(number) for number in re.findall(r"(?<![0-9])[0-9]{2}(?![0-9])", answer)}
    told = {15, 30, 45} if _QUARTERS.search(answer) else set()  # of an hour
    return bool(ours - values(answer, dst) - digits - told)


_NTH = lazy("第([一二三四五六七八九]?十?[一二三四五六七八九]?)(?![零百千万天时]|一眼)")
_ORDER = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
]
_COUNTED = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


def _order_lost(source: str, answer: str) -> bool:
    """Whether an English answer lacks the order of a Chinese source: 第十一 is eleventh.

    >>> _order_lost("\u7b2c\u5341\u4e00", "the first"), _order_lost("\u7b2c\u4e8c\u6b21", "the second time")
    (True, False)
    """
    for match in _NTH.finditer(source):
        tens, ten, ones = match[1].rpartition("十")
        digits = [_ONES["zh"].replace(" ", "").find(part) + 1 if part else 0 for part in (tens, ones)]
        value = 10 * ((digits[0] or 1) if ten else 0) + digits[1]
        words = [word for some in (_ORDER, _COUNTED) for word in some[value - 1 : value]]
        either = "|".join([rf"{value}(?:st|nd|rd|th)?", *words])
        if 0 < value < 13 and not re.search(rf"(?<!\w)(?:{either})s?(?!\w)", answer, re.IGNORECASE):
            return True
    return False


_HOURS = {
    "en": "one two three four five six seven eight nine ten eleven twelve",
    "de": "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
}


def half_hours(source: str, answer: str, src: str, dst: str) -> str:
    """An answer with the half hour of its source: `half past seven` is `halb acht`.

    >>> half_hours("at half past seven", "um halb sieben", "en", "de"), half_hours("um halb acht", "at half past eight", "de", "en")
    ('um halb acht', 'at half past seven')
    """
    if {src, dst} != {"en", "de"}:
        return answer
    patterns = {"en": r"half past ({})(?!\w)", "de": r"halb ({})(?!\w)"}
    hours = {code: _HOURS[code].split() for code in ("en", "de")}
    found = {
        code: list(re.finditer(patterns[code].format("|".join(hours[code])), text, re.IGNORECASE))
        for code, text in ((src, source), (dst, answer))
    }
    if len(found[src]) == len(found[dst]) == 1:
        step = 1 if dst == "de" else -1
        hour = hours[dst][(hours[src].index(found[src][0][1].lower()) + step) % 12]
        place = found[dst][0]
        answer = answer[: place.start(1)] + hour + answer[place.end(1) :]
    return answer
