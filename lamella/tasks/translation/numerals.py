"""Numbers that are written as words, as ordinals and with Roman numerals.

>>> spelled("Il a trois chiens.", 3, "fr"), ordinal(21, "en", ""), is_roman("XXI")
((5, 10), '21st', True)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lamella.data.text.lazy import lazy
from lamella.data.text.sentences import Span

_WORDS = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve",
    "fr": "zéro un|une deux trois quatre cinq six sept huit neuf dix onze douze",
    "de": "null eins|ein|eine|einen|einem|einer zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "es": "cero uno|un|una dos tres cuatro cinco seis siete ocho nueve diez once doce",
    "zh": "零 一 二|两 三 四 五 六 七 八 九 十 十一 十二",
}
_ORDINALS = {
    "en": "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth",
    "fr": "premier|première|premiers|premières deuxième|second|seconde troisième quatrième cinquième sixième septième huitième "
    "neuvième dixième onzième douzième",
    "de": "erste zweite dritte vierte fünfte sechste siebte achte neunte zehnte elfte zwölfte",
    "es": "primero|primer|primera segundo|segunda tercero|tercer|tercera cuarto|cuarta quinto|quinta sexto séptimo octavo noveno "
    "décimo undécimo duodécimo",
}
_ORDINAL = lazy(
    r"(?:\.?(?:st|nd|rd|th)|\.?er|\.[oa]|ers|re|res|ère|e|es|[ \u00a0]?i?ème|èmes|nde?|\.?[ºª]|te[nrs]?|ste[nrs]?)(?!\w)"
)
# How the names of months begin, by language.
_MONTHS = {
    "en": "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec", "fr": "jan|fév|mars|avr|mai|juin|juil|août|sep|oct|nov|déc",
    "de": "jan|jän|feb|mär|apr|mai|jun|jul|aug|sep|okt|nov|dez", "es": "ene|feb|mar|abr|may|jun|jul|ago|sep|oct|nov|dic",
}  # fmt: skip
_CENTURY = lazy(
    r"(?P<chinese>[一二三四五六七八九]?十[一二三四五六七八九]?|[一二三四五六七八九])(?=世纪)|(?<!\w)(?P<roman>[IVX]{1,6})\s?(?:e|er|ème|ième)(?=\s+(?:et\s+[IVX]+e\s+)?siècles?\b)|(?<=siglo )(?P<other>[IVX]{1,6})(?!\w)"
)
_ROMAN = lazy(r"(?=[IVXLC])(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_HAN = "一二三四五六七八九"
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


def is_roman(text: str) -> bool:
    """Whether a word is a Roman numeral below a hundred."""
    return bool(_ROMAN.fullmatch(text))


def roman_value(text: str) -> int:
    """The value of a Roman numeral.

    >>> roman_value("XIX")
    19
    """
    values = [_VALUES[char] for char in text]
    return sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0], strict=True))


def has_century(text: str) -> bool:
    """Whether a century stands in a text with a Roman numeral."""
    return bool(_CENTURY.search(text))


def centuries(text: str) -> Iterator[tuple[int, int, int]]:
    """Centuries with Roman numerals: (start, end, value), `end` after the ending of the ordinal.

    >>> list(centuries("Au XXIe siècle"))
    [(3, 7, 21)]
    """
    for match in _CENTURY.finditer(text):
        if chinese := match["chinese"]:
            tens, ten, ones = chinese.rpartition("十")
            digits = [_HAN.find(part) + 1 for part in (tens, ones)]
            yield match.start(), match.end(), 10 * ((digits[0] or 1) if ten else 0) + (digits[1] if ones else 0)
            continue
        roman = match["roman"] or match["other"]
        if is_roman(roman):
            yield match.start(), match.end(), roman_value(roman)


# The number of a century: digits, a Roman numeral or a word, before the word for it, in Spanish behind it.
_NUMBERED = {
    "en": r"(?<!\w)(?P<n>[0-9]{1,2}(?:st|nd|rd|th)?|[IVX]{1,6}(?:th|e)?|(?:\w+-)?(?:first|second|third|\w{2,7}th))[ -]centur(?:y|ies)(?!\w)",
    "fr": r"(?<!\w)(?P<n>[0-9]{1,2}(?:er?|ème)?|[IVX]{1,6}(?:er?|ème)?|\w+ième|premier) siècles?(?!\w)",
    "de": r"(?<!\w)(?P<n>[0-9]{1,2}\.?|[IVX]{1,6}\.?) ?Jahrhundert",
    "es": r"(?<!\w)siglos? (?P<n>[IVX]{1,6}|[0-9]{1,2})(?!\w)",
    "zh": r"(?P<n>[0-9]{1,2}|[一二三四五六七八九十]{1,3}) ?世纪",
}


def century_place(answer: str, language: str) -> Span | None:
    """Where an answer has the number of its only century.

    >>> century_place("in the twelfth century", "en"), century_place("en el siglo XVI", "es"), century_place("In XVI, century", "en")
    ((7, 14), (12, 15), None)
    """
    places = [match.span("n") for match in re.finditer(_NUMBERED.get(language, "(?!)"), answer)]
    return places[0] if len(places) == 1 else None


def century(value: int, language: str) -> str:
    """The number of a century as a language writes it.

    >>> century(18, "fr"), century(1, "fr"), century(21, "en"), century(19, "es")
    ('XVIIIe', 'Ier', '21st', 'XIX')
    """
    if language not in ("fr", "es"):
        return str(value) if language == "zh" else ordinal(value, language, "")
    tens, ones = divmod(value, 10)
    roman = "X" * tens + ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"][ones]
    return roman if language == "es" else f"{roman}er" if value == 1 else f"{roman}e"


def spanish_century(source: str, answer: str, span: Span, value: int) -> list[tuple[int, int, str]]:
    """The edits that write the number of a century as Spanish does, and take away the full stop of an ordinal behind it.

    >>> spanish_century("In the 19th century it was.", "En el siglo 19. Era.", (12, 14), 19)
    [(12, 15, 'XIX'), (16, 17, 'e')]
    """
    start, end = span
    stop = answer[end : end + 2] == ". " and answer[end + 2 : end + 3].isupper() and not re.search(r"[.!?] \S", source)
    edits = [(start, end + stop, century(value, "es"))]
    return [*edits, (end + 2, end + 3, answer[end + 2].lower())] if stop else edits


def crowned(source: str, answer: str, src: str, dst: str) -> str:
    """An answer without the full stop that German has behind the number of a king.

    >>> crowned("Ludwig XIV. starb.", "Ludwig XIV. died.", "de", "en")
    'Ludwig XIV died.'
    """
    if src != "de" or dst == "de" or not re.search(r"(?<!\w)[IVX]+\. \w", source):
        return answer
    return re.sub(r"(?<=[^\W\d_] )([IVX]{1,6})\.(?= [a-zà-ÿ])", r"\1", answer)


def spelled(answer: str, value: int, language: str) -> Span | None:
    """Where an answer has a number as a word or a Roman numeral; None where it has not, or more than once."""
    for match in re.finditer(r"(?<!\w)([IVX]{1,6})(?=(?:e|er|ème|ième)?(?!\w))", answer):
        if is_roman(match[1]) and roman_value(match[1]) == value and (len(match[1]) > 1 or match.end() < len(answer)):
            return match.span(1)
    words = _WORDS.get(language, "").split()
    if value >= len(words):
        return None
    either = f"(?:{words[value]})"
    digits = "[零一二两三四五六七八九十百千万亿]"  # 三十 is neither three nor ten
    pattern = rf"(?<!{digits}){either}(?!{digits})" if language == "zh" else rf"(?<!\w){either}(?![\w'’])"
    places = [match.span() for match in re.finditer(pattern, answer, re.IGNORECASE)]
    return places[0] if len(places) == 1 else None


def says(source: str, number: str, language: str) -> bool:
    """Whether a source has, as a word or a Roman numeral, what an answer has as digits.

    >>> says("Three of them", "3", "en"), says("none of them", "3", "en")
    (True, False)
    """
    if not number.isdigit() or len(number) > 2 or number != str(int(number)):
        return False
    value = int(number)
    for table, first in ((_WORDS, 0), (_ORDINALS, 1)):
        words = table.get(language, "").split()
        if first <= value < len(words) + first:
            either = f"(?:{words[value - first]})"
            if re.search(either if language == "zh" else rf"(?<!\w){either}(?!\w)", source, re.IGNORECASE):
                return True
    romans = re.findall(r"(?<!\w)[IVXL]{1,6}(?=(?:e|er|ème|ième)?(?!\w))", source)
    return any(is_roman(one) and roman_value(one) == value for one in romans)


def names_month(source: str, value: int, language: str) -> bool:
    """Whether a source names the month of this number.

    >>> names_month("We met in May.", 5, "en"), names_month("We met in May.", 6, "en")
    (True, False)
    """
    months = _MONTHS.get(language, "").split("|")
    return 1 <= value <= len(months) and bool(re.search(rf"(?<!\w){months[value - 1]}", source, re.IGNORECASE))


def is_ordinal(suffix: str) -> bool:
    """Whether letters after a number make an ordinal of it: 21st, 3e."""
    return bool(_ORDINAL.fullmatch(suffix))


def is_ordinal_at(text: str, end: int, language: str) -> bool:
    """Whether a number that ends there is an ordinal: `21st`, and in German `21.` before another word.

    >>> is_ordinal_at("am 17. Tag", 5, "de"), is_ordinal_at("the 2nd one", 5, "en"), is_ordinal_at("Es waren 17. Da", 11, "fr")
    (True, True, False)
    """
    return bool(_ORDINAL.match(text, end)) or (
        language == "de" and bool(re.match(r"\. [^\W\d_]{2}", text[end : end + 4]))
    )


def is_dated(text: str, start: int, end: int, language: str) -> bool:
    """Whether the number there is the day of a month.

    >>> is_dated("on the 3rd of March", 7, 8, "en"), is_dated("on March 3", 9, 10, "en"), is_dated("the 3rd man", 4, 5, "en")
    (True, True, False)
    """
    if language not in _MONTHS:
        return False
    month = rf"(?:{_MONTHS[language]})\w*\.?"
    after = rf"(?:\.?[ºª]|\.|[a-zè]{{1,3}})? (?:of |de |d')?{month}"
    return bool(
        re.match(after, text[end : end + 24], re.I)
        or re.search(rf"(?<!\w){month} (?:the )?$", text[max(0, start - 16) : start], re.I)
    )


def ordinal_end(answer: str, end: int) -> int:
    """Where the ending of an ordinal after a number ends; 0 where there is none."""
    match = _ORDINAL.match(answer, end)
    return match.end() if match else 0


def ordinal(value: int, language: str, now: str) -> str:
    """An ordinal as a language writes it; now: what stands there, whose form is kept where it fits.

    >>> ordinal(2, "en", "2th"), ordinal(1, "fr", "1re fois"), ordinal(3, "de", "3rd")
    ('2nd', '1re', '3.')
    """
    ending = "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    own = {
        "en": ending,
        "fr": "er|re|ère|ers|res" if value == 1 else "e|es|ème|èmes|ième|nde?",
        "es": r"\.?[ºª]|er|r[ao]|d[ao]|t[ao]",
    }
    if match := re.match(rf"{value}(?:{own.get(language, 'te|ste')})(?!\w)", now):
        return match[0]
    if language == "en":
        return f"{value}{ending}"
    if language == "fr":
        return f"{value}er" if value == 1 else f"{value}e"
    return {"de": f"{value}.", "es": f"{value}.º", "zh": f"第{value}"}.get(language, str(value))
