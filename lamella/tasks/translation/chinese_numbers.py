"""Numbers, shares, hours and durations of Chinese, as English writes them: digits for what nets take word by word.

>>> [one[2] for one in written("两千五百元，三分之二，下午6点05分")], value("三百万"), words(2_500)
(['two thirds', '2,500', '6:05 p.m.'], 3000000, 'two thousand five hundred')
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lamella.data.text.lazy import lazy
from lamella.tasks.translation.numerals import ordinal

Written = tuple[int, int, str, str]  # start, end, as English writes it, a pattern of its forms

_DIGITS = {**{one: i for i, one in enumerate("零一二三四五六七八九")}, "两": 2, "〇": 0}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
# From a hundred on; `千万` and `百姓` begin with no digit and are words.
_NUMBER = lazy(
    r"(?<![一二三四五六七八九十百千万亿零两第几数多])(?:[一二三四五六七八九两]|[一二三四五六七八九]?十[一二三四五六七八九]?)[百千万亿][一二三四五六七八九十百千万亿零两]*(?!分之|[几多余来年岁]|载)"
)
# Below a hundred, before a word for what is counted.
_COUNTED = lazy(
    r"(?<![一二三四五六七八九十百千万亿零第几数初星期])(?:[二三四五六七八九]十[一二三四五六七八九]?|十[一二三四五六七八九])(?=岁|个|名|位|本|次|天|页|公里|米|元|块钱|分钟|小时|只|条|张|辆|台|公斤|人(?!民))"
)
_SHARE = lazy(r"(?P<under>[二三四五六七八九十])分之(?P<over>[一二两三四五六七八九])(?![十百点])")
_PERCENT = lazy(
    r"百分之(?P<number>[一二三四五六七八九]?十[一二三四五六七八九]?|[一二两三四五六七八九]|[0-9]+(?:\.[0-9]+)?)(?![百点])"
)
_SHARES = {
    2: "half",
    3: "third",
    4: "quarter",
    5: "fifth",
    6: "sixth",
    7: "seventh",
    8: "eighth",
    9: "ninth",
    10: "tenth",
}
_PARTS = {
    "凌晨": "a",
    "清晨": "a",
    "早上": "a",
    "早晨": "a",
    "上午": "a",
    "中午": "p",
    "下午": "p",
    "傍晚": "p",
    "晚上": "p",
    "今晚": "p",
}
_HOUR = lazy(
    rf"(?P<part>{'|'.join(_PARTS)})?(?P<hour>[01]?[0-9]|2[0-4]|十[一二]?|[一二两三四五六七八九])[点點]"
    r"(?:(?P<minute>[0-5]?[0-9]|[二三四五]?十[一二三四五六七八九]?)分(?![之钟])|(?P<half>半)|(?P<quarter>[一三]刻)|(?P<sharp>钟|整))?(?![0-9])"
)
_LASTS = lazy(r"(?<![0-9:.])(?:(?P<h>[0-9]+)(?:个)?小时)?(?:(?P<m>[0-9]+)分钟?)?(?:(?P<s>[0-9]+(?:\.[0-9]+)?)秒)?")


def value(number: str) -> int:
    """The value of a number in Chinese characters."""
    total = section = digit = 0
    for char in number:
        if char in _DIGITS:
            digit = _DIGITS[char]
        elif char in _UNITS:
            section += (digit or 1) * _UNITS[char]
            digit = 0
        else:
            total = (total + section + digit) * (10_000 if char == "万" else 100_000_000)
            section = digit = 0
    return total + section + digit


def words(number: int) -> str:
    """A number in English words."""
    for size, name in ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = number % size
            return f"{words(number // size)} {name}" + (f" {words(rest)}" if rest else "")
    if number < 20:
        return _ONES[number]
    return _TENS[number // 10 - 2] + (f"-{_ONES[number % 10]}" if number % 10 else "")


def _spelled(number: int) -> str:
    """A pattern of the words for a number, with `and`, hyphens and `a hundred` where these may be."""
    pattern = (
        words(number)
        .replace("-", "[- ]")
        .replace("hundred ", "hundred (?:and )?")
        .replace("thousand ", "thousand (?:and )?")
    )
    return re.sub(r"^one (?=hundred|thousand|million|billion)", "(?:one|an?) ", pattern)


def written(source: str) -> Iterator[Written]:
    """Where a Chinese text has a number from a hundred on in characters, a share, an hour or a duration."""
    for match in _PERCENT.finditer(source):
        number = match["number"] if match["number"][0].isascii() else str(value(match["number"]))
        either = rf"{re.escape(number)} ?%|{re.escape(number)} per ?cent"
        either += rf"|{_spelled(int(number))} per ?cent" if number.isdigit() else ""
        yield *match.span(), f"{number}%", f"(?i:{either})"
    for match in _SHARE.finditer(source):
        under, over = value(match["under"]), value(match["over"])
        name = _SHARES[under]
        text = f"{_ONES[over]} {name}{'s' * (over > 1)}" if name != "half" else "half"
        either = rf"{over}/{under}|{_ONES[over]}[- ]{name}s?" + (rf"|an? {name}|one {name}" if over == 1 else "")
        yield *match.span(), text, f"(?i:{either}{'|half' * (name == 'half')})"
    for match in (*_NUMBER.finditer(source), *_COUNTED.finditer(source)):
        number = value(match[0])
        digits = f"{number:,}".replace(",", ",?")
        yield *match.span(), f"{number:,}", rf"(?i:{digits}(?![0-9,])|{_spelled(number)})"
    for match in re.finditer("([0-9]{1,2})世纪", source):
        number = ordinal(int(match[1]), "en", "")
        yield *match.span(), f"{number} century", f"(?i:{number}[- ]centur(?:y|ies))"
    for match in re.finditer("(?<![0-9])((?:1[0-9]|20)?[0-9]0)年代", source):
        yield *match.span(), f"{match[1]}s", rf"(?:1[0-9]|20)?{match[1][-2:]}['’]?s|(?:nine|eigh|seven|six|fif)ties"
    yield from _hours(source)
    yield from _durations(source)


def with_degrees(source: str, answer: str) -> str:
    """An English answer with the degrees of a temperature below zero.

    >>> with_degrees("零下18度", "It is -18."), with_degrees("零下18度", "It is -18 °C.")
    ('It is -18 degrees.', 'It is -18 °C.')
    """
    for match in re.finditer(r"零下([0-9]+(?:\.[0-9]+)?)度", source):
        answer = re.sub(rf"(-{re.escape(match[1])})(?![0-9]|\.[0-9]|\s?(?:°|deg))", r"\1 degrees", answer)
    return answer


def _small(text: str) -> int:
    return int(text) if text.isdigit() else value(text)


def _hours(source: str) -> Iterator[Written]:
    for match in _HOUR.finditer(source):
        tail = match["minute"] or match["half"] or match["quarter"] or match["sharp"]
        if not match["part"] and not tail:
            continue  # 9点 alone may be a point
        hour = _small(match["hour"])
        minute = _small(match["minute"]) if match["minute"] else 30 if match["half"] else 0
        if match["quarter"]:
            minute = 15 if match["quarter"][0] == "一" else 45
        half = _PARTS.get(match["part"] or "", "")
        half = "" if hour > 12 or hour == 0 else half
        text = f"{hour}:{minute:02d}" + (f" {half}.m." if half else "")
        other = hour + 12 if half == "p" and hour < 12 else hour
        clock = rf"(?:0?{hour}|{other}):{minute:02d}(?: ?[ap]\.?m\.?)?"
        name = _ONES[hour] if hour < 20 else str(hour)
        if not minute:
            clock += rf"|(?:0?{hour}|{name}) ?(?:[ap]\.?m\.?|o['’]clock)" + ("|noon" if hour == 12 else "")
        elif minute == 30:
            clock += rf"|half past {name}"
        yield *match.span(), text, f"(?i:{clock})"


def _durations(source: str) -> Iterator[Written]:
    for match in _LASTS.finditer(source):
        parts = [
            (match[key], name) for key, name in zip("hms", ("hour", "minute", "second"), strict=True) if match[key]
        ]
        if len(parts) < 2:
            continue
        text = " ".join(f"{number} {name}{'s' * (number != '1')}" for number, name in parts)
        either = r",? (?:and )?".join(rf"{number} {name}s?" for number, name in parts)
        yield *match.span(), text, f"(?i:{either})"


def spoken(text: str) -> str:
    """A Chinese text with digits for its large numbers, as a net is asked.

    >>> spoken("两千五百元太贵了。")
    '2500元太贵了。'
    """
    return _COUNTED.sub(lambda match: str(value(match[0])), _NUMBER.sub(lambda match: str(value(match[0])), text))
