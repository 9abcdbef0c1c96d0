"""Hours of 24 and ranges of days in short, as the target language writes them: `17 h 30`, `18 Uhr`, `Mo-Fr`.

>>> [one[2] for one in hours("de 9 h à 17 h 30", "fr", "en")], [one[2] for one in hours("ab 18 Uhr", "de", "en")]
(['9:00', '17:30'], ['18:00'])
>>> [one[2] for one in days("Open Mon-Fri", "en", "fr")], [one[2] for one in days("Mo-Fr", "de", "en")], list(days("So-so", "de", "en"))
(['lun.-ven.'], ['Mon-Fri'], [])
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lamella.data.text.lazy import lazy

Written = tuple[int, int, str, str]  # start, end, as the target language writes it, a pattern of its forms

_FRENCH = lazy(
    r"(?<![\w.,:-])(?P<hour>[01]?[0-9]|2[0-4])[ \u00a0\u202f]?h(?:[ \u00a0\u202f]?(?P<minute>[0-5][0-9])(?!\w|[ \u00a0\u202f]?(?:min|mn)\b)|(?![\w/]))"
)
_MOMENT = lazy(r"(?:^|[\s(])(?:à|de|dès|et|vers|avant|après|jusqu['’]à|entre|ou|-|–)[ \u00a0\u202f]$", re.IGNORECASE)
_GERMAN = lazy(r"(?<![\w.,:–-])(?P<hour>[01]?[0-9]|2[0-4])(?:[.:](?P<minute>[0-5][0-9]))?[ \u00a0\u202f]Uhr(?!\w)")


def hours(source: str, src: str, dst: str) -> Iterator[Written]:
    """The hours of a French or German text in English, which has no `h` and no `Uhr`."""
    pattern = {"fr": _FRENCH, "de": _GERMAN}.get(src) if dst == "en" else None
    for match in pattern.finditer(source) if pattern and re.search("[hU]", source) else ():
        hour, minute = match["hour"], match["minute"]
        if src == "fr" and not minute and not _MOMENT.search(source[: match.start()]):
            continue  # 24 h may be a day
        text = f"{int(hour)}:{minute or '00'}"
        either = rf"0?{re.escape(text)}"
        if not minute:
            either += rf"|{int(hour)} o['’]clock|0?{int(hour)} ?[ap]\.?m\b\.?"
        else:
            either += rf"|0?{int(hour)}[.]{minute}"
        yield match.start(), match.end(), text, either


_SHORT = {
    "en": "Mon Tue Wed Thu Fri Sat Sun", "de": "Mo Di Mi Do Fr Sa So", "fr": "lun. mar. mer. jeu. ven. sam. dim.",
    "es": "lun. mar. mié. jue. vie. sáb. dom.", "zh": "周一 周二 周三 周四 周五 周六 周日",
}  # fmt: skip


def days(source: str, src: str, dst: str) -> Iterator[Written]:
    """Ranges of days in short."""
    if src not in _SHORT or dst not in _SHORT or src == "zh":
        return
    ours, theirs = ([one.rstrip(".") for one in _SHORT[code].split()] for code in (src, dst))
    either = "|".join(ours)
    flags = re.IGNORECASE if src in ("fr", "es") else 0
    for match in re.finditer(rf"(?<![\w-])({either})\.? ?[-–] ?({either})(?![\w-])\.?", source, flags):
        small = [one.lower() for one in ours]
        first, last = (small.index(match[i].lower()) for i in (1, 2))
        stop = "." * (dst in ("fr", "es"))
        joint = "至" if dst == "zh" else "-"
        text = f"{theirs[first]}{stop}{joint}{theirs[last]}{stop}"
        yield (
            match.start(),
            match.end(),
            text,
            rf"{re.escape(theirs[first])}\w*\.? ?[-–至到] ?{re.escape(theirs[last])}\w*\.?",
        )


# Moneys by their signs: words in each language, as a pattern and as they are written.
_MONEYS = {
    "€": {"en": ("euros?", "euros"), "fr": ("euros?", "euros"), "de": ("euros?", "Euro"), "es": ("euros?", "euros"), "zh": ("欧元", "欧元")},
    "$": {"en": ("dollars?", "dollars"), "fr": ("dollars?", "dollars"), "de": ("dollars?", "Dollar"), "es": ("dólar(?:es)?", "dólares"), "zh": ("美元", "美元")},
    "¥": {"en": ("yen", "yen"), "fr": ("yens?", "yens"), "de": ("yen", "Yen"), "es": ("yen(?:es)?", "yenes"), "zh": ("日元", "日元")},
    "元": {"en": ("yuan|rmb|renminbi", "yuan"), "fr": ("yuans?", "yuans"), "de": ("yuan", "Yuan"), "es": ("yuan(?:es)?", "yuanes"), "zh": ("人民币|(?<![美欧日港单状公多])元", "元")},
    "₽": {"en": ("rou?bles?", "roubles"), "fr": ("roubles?", "roubles"), "de": ("rubel", "Rubel"), "es": ("rublos?", "rublos"), "zh": ("卢布", "卢布")},
    "₹": {"en": ("rupees?", "rupees"), "fr": ("roupies?", "roupies"), "de": ("rupien?", "Rupien"), "es": ("rupias?", "rupias"), "zh": ("卢比", "卢比")},
}  # fmt: skip
_SOME = lazy(
    r"[€$¥￥₽₹元£]|euro|dollar|dólar|yen|yuan|rmb|r(?:o?u)bl|rubel|r(?:o?u)pi|rupee|日元|卢|欧元|美元", re.IGNORECASE
)


def with_money(source: str, answer: str, src: str, dst: str) -> str:
    """An answer that names the money of its source, where it names another one alone.

    >>> with_money("de 2 à 3 millions d'euros", "from 2 to 3 million yen", "fr", "en"), with_money("$5", "5 dollars", "en", "fr")
    ('from 2 to 3 million euros', '5 dollars')
    """
    if not _SOME.search(source) or not _SOME.search(answer):
        return answer
    ours, theirs = _named(source, src), _named(answer, dst)
    if len(ours) != 1 or len(theirs) != 1 or ours == theirs or "£" in source + answer or dst not in _MONEYS["€"]:
        return answer
    (right,), (wrong,) = ours, theirs
    word = _MONEYS[right][dst][1]
    return re.sub(_pattern(wrong, dst), word, answer, flags=re.IGNORECASE)


def _pattern(money: str, language: str) -> str:
    words = _MONEYS[money][language][0]
    return words if language == "zh" else rf"(?<![\w-])(?:{words})(?![\w-])"


def _named(text: str, language: str) -> set[str]:
    """The moneys of a text, by word or sign."""
    if language not in _MONEYS["€"]:
        return set()
    found = {sign for sign in _MONEYS if re.search(_pattern(sign, language), text, re.IGNORECASE)}
    return found | {sign for sign in "€$¥₽₹" if sign in text.replace("￥", "¥")}
