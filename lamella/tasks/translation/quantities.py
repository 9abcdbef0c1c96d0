"""What belongs to a number: its unit, `million`, the parts of a Chinese date. It stays with the number, or is put back.

>>> with_units("Take 250 g of flour.", "Nimm 250 Mehl.", "en", "de"), with_units("He ran 100 m.", "Er lief 100 Meter.", "en", "de")
('Nimm 250 g Mehl.', 'Er lief 100 Meter.')
>>> [one[2] for one in chinese_amounts("2023年3月14日有250万人", "en")]
['March 14, 2023', '2,500,000']
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from lamella.data.text.lazy import lazy
from lamella.data.text.sentences import Span
from lamella.tasks.translation.amounts import written
from lamella.tasks.translation.times import days, hours
from lamella.tasks.translation.times import with_money as other_money

if TYPE_CHECKING:  # a short answer should not wait for it
    from decimal import Decimal

_BLANK = "[ \u00a0\u202f]"
_AMOUNT = r"[0-9]+(?:[.,\u00a0\u202f ][0-9]+)*"
# Symbol -> how words for it begin in the languages known here, in small letters.
_UNITS = {
    "mg": "mill?igr|毫克", "g": "gram|克", "kg": "kilo(?![mwhbo]|-o)|公斤|千克|斤", "t": "ton|吨", "mm": "mill?i?m|毫米", "cm": "[cz]ent[ií]m|厘米|公分",
    "m": "met|mèt|米|公尺", "km": "kil[oó]m|公里|千米", "ml": "mill?il|毫升", "cl": "[cz]entil", "l": "lit|升|公升", "ms": "mill?is|毫秒",
    "s": "sec|sek|seg|秒", "min": "min|分", "h": "hour|heure|stund|std|hora|uhr|o'clock|小时|时|点", "km/h": "kilo|公里|千米|时速",
    "kW": "kilo|千瓦", "W": "watt|vat|瓦", "kWh": "kilo|千瓦", "V": "volt|伏", "Hz": "hert|赫", "kHz": "kilo|千赫", "MHz": "mega|méga|兆赫",
    "GHz": "giga|吉赫", "kB": "ko|kilo|千字节", "KB": "ko|kilo|千字节", "MB": "mo|mega|méga|兆", "GB": "go|giga|吉|千兆", "TB": "to|tera|téra|太",
    "px": "pixel|píxel|像素", "dB": "de[cz]i|déci|分贝", "ha": "he[ck]t|公顷", "°C": "°(?![^\\W\\d_]{2})|º|deg|degr|grad|celsius|摄氏|度|℃", "°F": "°(?![^\\W\\d_]{2})|º|deg|degr|grad|fahr|华氏|度",
}  # fmt: skip
_SYMBOL = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_MEASURED = lazy(
    rf"(?<![\w.,:/+−-])[+−-]?(?P<number>{_AMOUNT})(?:(?P<blank>{_BLANK})(?P<apart>{_SYMBOL})|(?P<glued>(?:{_SYMBOL})(?<=\w\w)(?<![0-9][stVW])))(?![\w/²³-])"
)
# How powers of ten are called: how such words begin, and the word itself.
_POWERS = {
    "thousand": {"en": ("thousand", "thousand"), "fr": ("mill(?:e|iers)(?!\\w)", "mille"), "de": ("tausend", "tausend"), "es": ("mil(?:es)?(?!\\w)", "mil")},
    "million": {"en": ("million", "million"), "fr": ("million", "millions"), "de": ("million|mio", "Millionen"), "es": ("mill(?:on|ón)", "millones")},
    "billion": {"en": ("billion", "billion"), "fr": ("milliard", "milliards"), "de": ("milliarde|mrd", "Milliarden"), "es": ("mil millones", "mil millones")},
}  # fmt: skip
_ZEROS = {"thousand": 3, "million": 6, "billion": 9}
_TENS = {"百": 2, "千": 3, "万": 4, "十万": 5, "百万": 6, "千万": 7, "亿": 8, "十亿": 9, "百亿": 10}
# Parts of one, as a character each, and words for them.
PARTS = {
    "½": "½|halfs?|half an?|demie?s?|moitié|halbe[nrms]?|Hälfte|halb|medi[oa]s?|mitad|半|一半", "¼": "¼|quarters?|quarts?|Viertel|cuartos?|四分之一",
    "¾": "¾|three[ -]quarters?|trois[ -]quarts|[Dd]reiviertel|drei Viertel|tres cuartos|四分之三",
    "⅓": "⅓|(?:one|a) third|thirds?|un tiers|tiers|Drittel|tercios?|三分之一", "⅔": "⅔|two[ -]thirds|deux tiers|zwei Drittel|dos tercios|三分之二",
}  # fmt: skip
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DATE = lazy(
    r"(?<![0-9])(?:(?P<year>[0-9]{4})年)?(?P<month>1[0-2]|0?[1-9])月(?:(?P<day>3[01]|[12][0-9]|0?[1-9])[日号]|(?![0-9份]))"
)
_COUNTED = lazy(
    rf"(?<![A-Za-z0-9.,])(?P<number>[0-9]+(?:[.,][0-9]+)*) ?(?P<power>{'|'.join(sorted(_TENS, key=len, reverse=True))})"
)


def chinese_amounts(source: str, dst: str) -> Iterator[tuple[int, int, str, str]]:
    """Dates and amounts that Chinese writes in a way of its own: (start, end, as English writes it, pattern of its forms).

    English alone is written from Chinese here; for another language nothing is found.
    """
    if dst != "en":
        return
    for match in _DATE.finditer(source):
        month, day, year = _MONTHS[int(match["month"]) - 1], match["day"], match["year"]
        if day:
            number = str(int(day))
            either = rf"(?:{month} {number}(?:st|nd|rd|th)?|(?:the )?{number}(?:st|nd|rd|th)?(?: of)? {month})(?![0-9])"
        else:
            number, either = "", month
        text = f"{month} {number}".strip() + (f", {year}" if day and year else f" {year}" if year else "")
        yield match.start(), match.end(), text, either + (rf"(?:,?(?: of)? {year})(?![0-9])" if year else "")
    for match in _COUNTED.finditer(source):
        value = _decimal(match["number"].replace(",", "")).scaleb(_TENS[match["power"]])
        text = f"{value:,f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        names = ("thousand", "million", "billion")
        short = [value / 10 ** _ZEROS[name] for name in names]
        forms = [f"{one.normalize():f} {name}" for one, name in zip(short, names, strict=True)]
        yield match.start(), match.end(), text, "|".join(re.escape(form) for form in (text, f"{value:f}", *forms))


def written_anew(source: str, src: str, dst: str) -> list[tuple[int, int, str, str]]:
    """What languages write in ways of their own: hours, days in short, dates and amounts of Chinese: see `chinese_amounts`."""
    found = list(written(source, src, dst)) if re.search("[0-9h]", source) else []
    if src == "zh":
        if dst != "en":
            return found
        from lamella.tasks.translation import chinese_numbers  # only now: other texts have none

        taken = [*chinese_amounts(source, dst), *found]
        others = [
            one for one in chinese_numbers.written(source) if not any(a < one[1] and one[0] < b for a, b, _, _ in taken)
        ]
        return sorted([*taken, *others])
    found += [
        one
        for one in (*hours(source, src, dst), *days(source, src, dst))
        if not any(a < one[1] and one[0] < b for a, b, _, _ in found)
    ]
    return found + ([*powers_in_chinese(source, src), *dates_in_chinese(source, src)] if dst == "zh" else [])


_EITHER = "|".join(_MONTHS)
_ENGLISH_DATE = lazy(
    rf"(?<![\w/.-])(?:(?P<month>{_EITHER}) (?P<day>3[01]|[12][0-9]|0?[1-9])(?:st|nd|rd|th)?"
    rf"|(?P<first>3[01]|[12][0-9]|0?[1-9])(?:st|nd|rd|th)? (?:of )?(?P<last>{_EITHER})|(?P<alone>{_EITHER})(?=,? [12][0-9]{{3}}(?![\w:/-])))(?:,? (?P<year>[12][0-9]{{3}}))?(?![\w:/-])"
)


def dates_in_chinese(source: str, src: str) -> Iterator[tuple[int, int, str, str]]:
    """English dates as Chinese writes them: (start, end, text, pattern of its forms).

    >>> [one[2] for one in dates_in_chinese("From May 5th, 2023 to 3 June", "en")]
    ['2023年5月5日', '6月3日']
    >>> [one[2] for one in dates_in_chinese("since May 2024", "en")]
    ['2024年5月']
    """
    for match in _ENGLISH_DATE.finditer(source) if src == "en" else ():
        month = _MONTHS.index(match["month"] or match["last"] or match["alone"]) + 1
        year = match["year"]
        if match["alone"]:
            yield match.start(), match.end(), f"{year}年{month}月", rf"{year} ?年 ?{month} ?月"
            continue
        day = int(match["day"] or match["first"])
        short = rf"{month} ?月 ?{day} ?[日号]"
        text = f"{month}月{day}日"
        yield (
            match.start(),
            match.end(),
            f"{year}年{text}" if year else text,
            rf"{year} ?年 ?{short}" if year else short,
        )


def unscaled(typed: str, answer: str) -> Span | None:
    """Where an answer in Latin letters has the number of an amount with another power of ten than its 万, or with none.

    >>> unscaled("250万", "Some 250 people."), unscaled("250万", "250 million people"), unscaled("250万", "250 and 250")
    ((5, 8), (0, 11), None)
    """
    number = re.match(rf"[0-9][0-9.,]*(?={'|'.join(_TENS)})", typed)
    if not number:
        return None
    words = "|".join(names[0] for names in (power["en"] for power in _POWERS.values()))
    places = list(re.finditer(rf"(?<![\w.,]){re.escape(number[0])}(?: (?:{words})s?)?(?![\w]|[.,][0-9])", answer))
    return places[0].span() if len(places) == 1 else None


@cache
def _decimal(number: str) -> Decimal:
    from decimal import Decimal

    return Decimal(number)


def powers_in_chinese(source: str, src: str) -> Iterator[tuple[int, int, str, str]]:
    """Amounts with `million` and the like as Chinese writes them: (start, end, text, pattern of its forms).

    >>> [one[2] for one in powers_in_chinese("2.5 million people, 3 billion stars", "en")]
    ['250万', '30亿']
    """
    for name, words in _POWERS.items():
        if src not in words:
            continue
        for match in re.finditer(rf"(?<![\w.,])({_AMOUNT}){_BLANK}({words[src][0]}\w*)\b\.?", source, re.IGNORECASE):
            number = match[1].replace(" ", "").replace("\u00a0", "").replace("\u202f", "")
            number = number.replace(",", "") if src == "en" else number.replace(".", "").replace(",", ".")
            if number.count(".") > 1:
                continue
            value = _decimal(number).scaleb(_ZEROS[name])
            unit, zeros = ("亿", 8) if value >= 10**8 else ("万", 4)
            scaled = value.scaleb(-zeros).normalize()
            text = f"{scaled:f}{unit}" if value >= 10**4 else f"{value:f}"
            plain = f"{value:,f}" if value == value.to_integral() else f"{value:f}"
            yield match.start(), match.end(), text, "|".join(map(re.escape, (text, plain, plain.replace(",", ""))))


# Units that are written out: symbol -> how the word goes on behind a number; of few it is clear that they are no other word.
_SPELLED = ("mg", "ml", "mm", "cm", "km", "kg", "cl")
# Moneys of Chinese, those with a word before 元 first: what they are in English, and how that may be written.
_YUAN = {
    "美元": ("dollars", r"dollars?|usd|\$"), "欧元": ("euros", r"euros?|€"), "英镑": ("pounds", r"pounds?|£"), "日元": ("yen", r"yen|¥"),
    "港元": ("Hong Kong dollars", r"hong kong|hkd"), "元|块钱|人民币": ("yuan", r"yuans?|rmb|cny|renminbi|¥"),
}  # fmt: skip
_PAID = lazy(
    rf"(?<![A-Za-z0-9.,])(?P<number>{_AMOUNT}) ?(?P<power>{'|'.join(sorted(_TENS, key=len, reverse=True))})?(?P<money>{'|'.join(_YUAN)})"
)
_OTHER_MONEY = r"(?:(?:u\.?s\.? )?dollars?|euros?|pounds?|yuans?|yen|currency|rmb)(?!\w)"


def with_money(source: str, answer: str, src: str, dst: str) -> str:
    """An English answer with the money of each amount of a Chinese source.

    >>> with_money("卖120万元", "It sells for 1,200,000 dollars.", "zh", "en"), with_money("共5.50元", "5.50 in all", "zh", "en")
    ('It sells for 1,200,000 yuan.', '5.50 yuan in all')
    """
    for match in _PAID.finditer(source) if (src, dst) == ("zh", "en") else ():
        number = match["number"]
        if match["power"]:
            number = f"{_decimal(number.replace(',', '')).scaleb(_TENS[match['power']]):,f}"
            number = number.rstrip("0").rstrip(".") if "." in number else number
        word, names = next(pair for money, pair in _YUAN.items() if re.fullmatch(money, match["money"]))
        digits = r"[.,]?".join(re.findall("[0-9]+", number))
        signed = re.search(rf"(?:{names}|[$€£¥])\s?{digits}(?![0-9])", answer, re.IGNORECASE)
        if not signed:
            answer = _behind(answer, number, names, f" {word}", "", _OTHER_MONEY)
    return answer


def with_units(source: str, answer: str, src: str, dst: str, taken: Sequence[Span] = ()) -> str:
    """The answer with each unit and each `million` of the source behind its number.

    A word for the unit in the target language is as good as its symbol. taken: spans of placeholders in the source.
    """
    for match in _MEASURED.finditer(source):
        if not any(start < match.end() and match.start() < end for start, end in taken):
            symbol = match["apart"] or match["glued"]
            blank = match["blank"] or ""
            answer = _behind(answer, match["number"], _UNITS[symbol], blank + symbol, symbol)
    for symbol in _SPELLED:
        for match in re.finditer(
            rf"(?<![A-Za-z0-9.,])(?P<number>{_AMOUNT}){_BLANK}?(?:{_UNITS[symbol]})", source, re.IGNORECASE
        ):
            if not any(start < match.end() and match.start() < end for start, end in taken):
                answer = _behind(answer, match["number"], _UNITS[symbol], f" {symbol}", symbol)
    answer = with_money(source, answer, src, dst)
    answer = other_money(source, answer, src, dst)
    for words in _POWERS.values():
        if src in words and dst in words:
            pattern = rf"(?<![\w.,])({_AMOUNT}){_BLANK}(?:{words[src][0]})"
            for match in re.finditer(pattern, source, re.IGNORECASE):
                answer = _behind(answer, match[1], words[dst][0], f" {words[dst][1]}", "")
    return answer


# What a net writes for another unit.
_OTHER = (
    rf"(?:{_SYMBOL})(?!\w)|°[^\W\d_]+|(?:mill?i|[cz]ent[ií]|kil[oó])?(?:met(?:er|re|ro)n?s?|mètres?|gramm?(?:e|o)?s?|lit(?:er|re|ro)n?s?)(?!\w)"
    r"|(?:kilos?|tonn?e?s?|se[ckg]\w*|stunden?|hours?|heures?|horas?|minut\w*|mill[oó]n\w*|million\w*|milliard\w*|billion\w*)(?!\w)"
)


def _behind(answer: str, number: str, names: str, written: str, symbol: str, others: str = "") -> str:
    """The answer with what belongs behind a number, which may be written with other marks."""
    digits = re.findall("[0-9]+", number)
    places = list(re.finditer(r"(?<![0-9.,])" + r"[.,\u00a0\u202f ]?".join(digits) + r"(?![0-9]|[.,][0-9])", answer))
    if len(places) != 1:
        return answer
    end = places[0].end()
    rest = answer[end : end + 40]
    if symbol and re.match(rf"{_BLANK}?{re.escape(symbol)}(?![A-Za-z])", rest):
        return answer
    if re.match(rf"{_BLANK}?(?:[^\W\d]+{_BLANK}|de )?(?:{names})", rest, re.IGNORECASE):
        return answer
    other = re.match(rf"{_BLANK}?(?:{others or _OTHER})", rest, re.IGNORECASE)
    after = answer[end + (other.end() if other else 0) :]
    after = after.lstrip(" ") if after[:2] in (" .", " ,", " 。", " ，") else after
    return answer[:end] + written + (" " if after[:1].isascii() and after[:1].isalnum() else "") + after


# The word before the number of a decade, and what the words before a year become before it.
_YEARS = {
    "fr": ("années", {"le": "les", "la": "les", "du": "des", "au": "aux", "en": "dans les"}),
    "es": ("años", {"el": "los", "la": "los", "las": "los", "del": "de los", "al": "a los", "en": "en los"}),
}


def _in_years(answer: str, year: str, years: str, plural: dict[str, str]) -> str:
    def written(match: re.Match[str]) -> str:
        word = match["word"] or ""
        return f"{plural.get(word, word)} {years} {year}".strip()

    words = "les?|la|du|des|aux?|en|l[ao]s|el|del|al"
    return re.sub(rf"(?<!\w)(?:(?P<word>{words}) )?(?<!{years} ){year}s?(?![\w]|[.,][0-9])", written, answer)


def decades(source: str, answer: str, src: str, dst: str) -> str:
    """An answer that says decades where an English source does, and not a year: `the 1990s`.

    >>> [decades("In the 1990s", text, "en", code) for text, code in (("Dans le 1990", "fr"), ("In den 1990", "de"), ("1990", "zh"))]
    ['Dans les années 1990', 'In den 1990er', '1990年代']
    """
    for match in re.finditer(r"(?<![\w.,])([12][0-9]{2}0)['’]?s(?!\w)", source) if src == "en" else ():
        year = match[1]
        if dst == "de":
            answer = re.sub(rf"(?<![\w.,]){year}(?:er|s)?(?![\w]|[.,][0-9])", f"{year}er", answer)
        elif dst == "zh":
            answer = re.sub(rf"(?<![0-9]){year}s?(?: ?年(?!代))?(?! ?年代|[0-9])", f"{year}年代", answer)
        elif dst in _YEARS:
            answer = _in_years(answer, year, *_YEARS[dst])
    return answer


def without_half_days(source: str, answer: str, src: str, dst: str) -> str:
    """An English answer without `pm` that its source, with hours of 24 or none for the time of day, does not have.

    >>> without_half_days("um 7:05 Uhr", "at 7:05 pm", "de", "en"), without_half_days("um 3 Uhr nachmittags", "at 3 pm", "de", "en")
    ('at 7:05', 'at 3 pm')
    """
    if dst != "en" or src == "en" or _DAYTIME.search(source):
        return answer
    return re.sub(r"(?<=[0-9])\s?[ap]\.?m(?:\.(?=\S| [a-z])|(?!\w))", "", answer)


_DAYTIME = lazy(
    r"nachm|abend|vorm|morgens|früh|nacht|mittag|soir|midi|matin|nuit|tarde|noche|mañana|madrugada|[上下中]午|晚|早|凌晨|傍晚|夜|[ap]\.?\s?m\b",
    re.IGNORECASE,
)


def apart(source: str, answer: str, taken: Sequence[Span] = ()) -> str:
    """The answer with a blank between a number and a word that the net wrote together. taken: spans of the answer that stay.

    >>> apart("他100米跑了", "He 100meters run"), apart("the 1980s and 3rd", "les 1980s et 3rd")
    ('He 100 meters run', 'les 1980s et 3rd')
    """
    own = {match[0].casefold() for match in re.finditer(r"[0-9][A-Za-zÀ-ɏ]+", source)}

    def parted(match: re.Match[str]) -> str:
        inside = any(start < match.end() and match.start() < end for start, end in taken)
        return match[0] if inside or match[0].casefold() in own else f"{match[0][0]} {match[0][1:]}"

    return re.sub(r"(?<![A-Za-zÀ-ɏ_-])(?<=[0-9])[0-9][A-Za-zÀ-ɏ]{4,}|(?<![\w.-])[0-9][A-Za-zÀ-ɏ]{4,}", parted, answer)
