"""Numbers as people write them: `1,719.71` and `1.719,71`, `$12,038`, `12 038`, `40.1%`, `(5)`, `5-`, `7 kg`, `12.5K`.

    read_numbers(["1.719,71", "12.038", "5"]).values        [1719.71, 12038.0, 5.0]
    read_numbers(["12.038"], separator=";").ambiguous       '12.038'

A mark between digits may end the whole part or group it by thousands. That is decided for a whole column by all its values:
`1.719,71`, `1.5` and `1.000.000` each leave one reading only, `12.038` leaves two. Where no value decides, the separator of
the file may: a file whose cells are cut by commas and quoted where they hold one writes `12,038` for twelve thousand, one
with semicolons is ambiguous, and `--decimal` has to say it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from lamella.data.readers.headers import MISSING
from lamella.data.readers.stamp_clocks import span_number
from lamella.data.text.encoding import quote

CURRENCIES = "$€£¥₹₽₩₺₴₪฿₫"
_CODES = (
    "USD|EUR|GBP|JPY|CNY|CHF|CAD|AUD|NZD|INR|SEK|NOK|DKK|PLN|CZK|HUF|RON|BRL|MXN|ZAR|TRY|RUB|KRW|SGD|HKD|THB|IDR|AED|Rs|kr|zł|"
    "Fr|R\\$|US\\$|A\\$|C\\$|S\\$|HK\\$|NZ\\$|NT\\$|Kč|Ft|Rp|RM|руб|lei|лв|元|円|원"
)
# Units that are written behind a number; a column has one of them, since 7 g is not 7 kg.
_UNITS = (
    "nm|µm|mm|cm|dm|m|km|in|inch|inches|ft|yd|mi|miles|mg|g|kg|t|lb|lbs|oz|ml|cl|dl|l|L|gal|ms|s|sec|min|h|hr|hrs|"
    "days|km/h|kph|mph|m/s|°C|°F|°|W|kW|MW|GW|Wh|kWh|MWh|V|mV|A|mA|Hz|kHz|MHz|GHz|kB|KB|MB|GB|TB|KiB|MiB|GiB|Pa|hPa|"
    "kPa|bar|mbar|psi|m²|km²|m2|km2|sqm|sqft|sq ft|ha|m³|m3|J|kJ|MJ|cal|kcal|dB|ppm|ppb|px|pt|pts|bpm|rpm"
)
# Any other word behind a space, as in "3 pcs", and signs with marks in them, as in "1.5 µg/m³".
_OTHER = r"(?<=\s)(?!(?i:cr|dr|am|pm|[nsew])\b)[^\W\d_][\w./³²·%]{0,11}|(?<=[\d\s])[^\W\d_]{1,3}/[^\W\d_]{1,3}[³²]?"
_SCALES = {"": 0, "k": 3, "K": 3, "M": 6, "mn": 6, "B": 9, "bn": 9}  # powers of ten
_ABOUT = r"(?:(?:[~≈]|c\.|ca\.?|circa|approx\.?|about)\s*)?"
_REMARK = r"(?:\[[a-z0-9]{1,3}\]|[*†‡¹]+)?"  # what points to a note
# Signs of full width, as East Asian programs write them, and the marks of Arabic numbers.
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0xFFE5: "¥", ord("٫"): ".", ord("٬"): "'"}
_SPREADSHEET = re.compile(
    r"""=?"([^"]*)"|'(?=[-+.\d])(.*)"""
)  # ="1.5", "1.5" and '1.5: a text, as spreadsheets keep it
_LIMIT = re.compile(r"[<>≤≥]=?\s*(?=[\d.,])")  # before a value that was too small or large to be measured
_SPACES = " \u00a0\u202f\u2009'’"
_SHAPE = re.compile(
    rf"(?P<open>\()?\s*{_ABOUT}(?P<sign>[-+−–]?)\s*(?P<money>[{CURRENCIES}]|%(?=\d)|(?:{_CODES})\.?(?=[\s\d.(-]))?"
    rf"\s*(?P<open2>\()?(?P<sign2>[-+−–]?)\s*"
    rf"(?P<body>\d[\d.,{_SPACES}]*|[.,]\d+)(?P<power>[eE][-+]?\d{{1,3}}|[dD][-+]\d{{1,3}})?{_REMARK}"
    rf"(?P<none>[.,](?:--?|—|–))?(?P<minus>-)?\s*(?P<scale>(?:[kKMB]|mn|bn)(?![A-Za-z/]))?"
    rf"\s*(?P<unit>[%‰]|[{CURRENCIES}]|(?:{_CODES})\.?|(?:{_UNITS})\.?|{_OTHER})?\s*(?P<close>\))?"
)
_MONEY = re.compile(rf"[{CURRENCIES}]|{_CODES}")
_GROUPED = {
    mark: re.compile(
        rf"\d{{1,3}}(?:{re.escape(mark)}\d\d\d)+|\d{{1,2}}(?:{re.escape(mark)}\d\d)+{re.escape(mark)}\d\d\d"
    )
    for mark in ".,"
}  # the second: 12,34,567, as it is written in India
_SPACED = re.compile(rf"\d{{1,3}}(?:[{_SPACES}]\d\d\d)+")
_FINITE = 1e300
TRUTH = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0, "t": 1.0, "f": 0.0}  # as tables write it, in small letters


class Numbers(msgspec.Struct):
    """A column that was read."""

    values: NDArray[np.float64]
    """NaN where a value is missing or bad."""
    bad: list[int]
    """Places of cells that are neither a number nor missing."""
    decimal: str = ""
    """The mark before decimals that the values decided for, "" where none has one."""
    ambiguous: str = ""
    """A value with two readings, where nothing decides; the values are then not to be used."""
    marks: str = ""
    """What was taken off the numbers, for a report: "thousands", "K, M, B", "%", a currency, a unit, the sign of a limit."""


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no value.

    >>> is_missing(""), is_missing("N/A"), is_missing("0")
    (True, True, False)
    """
    return cell.strip().casefold() in MISSING


def read_number(cell: str, decimal: str = ".") -> float | None:
    """One number, NaN for a missing one, None for what is neither or not finite; `decimal`: the mark before decimals.

    >>> read_number("1.719,71", ","), read_number("$12,038"), read_number("(5)"), read_number("five")
    (1719.71, 12038.0, -5.0, None)
    >>> read_number("7 kg"), read_number("12.5K"), read_number("5-")
    (7.0, 12500.0, -5.0)
    >>> read_number('="1.5"'), read_number("'-7"), read_number("１２．５"), read_number("٣٬٤٥٦٫٥"), read_number("1.5D+03"), read_number("~5 [1]")
    (1.5, -7.0, 12.5, 3456.5, 1500.0, 5.0)
    >>> read_number("R$ 5,00", ","), read_number("$ (5.00)"), read_number("5,-"), read_number("12 pcs"), read_number("12 a b")
    (5.0, -5.0, 5.0, 12.0, None)
    """
    if is_missing(cell):
        return math.nan
    parts = _parts(cell)
    return None if parts is None else _value(parts, decimal)


def read_numbers(cells: Sequence[str], decimal: str = "", separator: str | None = ",", hint: str = "") -> Numbers:
    """A column of cells -> its numbers.

    In: the cells; `decimal`: the mark before decimals where the user said it; `separator`: what separates the cells of
    the file, None for JSON; `hint`: the mark that other columns of the file decided for, used where this one leaves two
    readings. Nothing is raised: bad cells and ambiguous columns are reported in the result.

    >>> read_numbers(["12,038", "5"]).values.tolist(), read_numbers(["12,5", "5"]).values.tolist()
    ([12038.0, 5.0], [12.5, 5.0])
    >>> read_numbers(["12,038", "1"], separator=";").ambiguous, read_numbers(["3", "<0.5"]).values.tolist()
    ('12,038', [3.0, 0.5])
    """
    limits = [at for at, cell in enumerate(cells) if _LIMIT.match(cell)]
    if 0 < 2 * len(limits) <= len(cells):  # "<18" beside ">65" are names of groups
        cells = [_LIMIT.sub("", cell) if _LIMIT.match(cell) else cell for cell in cells]
    else:
        limits = []
    parsed = [None if is_missing(cell) else _parts(cell) for cell in cells]
    if (spans := _spans(cells, parsed)) is not None:
        return spans
    votes = {".": 0, ",": 0}
    open_ones: dict[str, str] = {}
    for cell, parts in zip(cells, parsed, strict=True):
        if parts is None:
            continue
        sure, mark = _evidence(parts.body)
        if sure:
            votes[mark] += 1
        elif mark:
            open_ones.setdefault(mark, cell)
    found = Numbers(np.full(len(cells), np.nan), [])
    found.decimal = decimal or _decided(votes) or (hint if open_ones else "")
    if not found.decimal and open_ones:
        # Three digits behind a point are common in measurements; commas that were quoted group thousands.
        usual = separator != ";" and ("," not in open_ones or separator == ",") and len(open_ones) == 1
        usual = usual and not ("." in open_ones and any(parts is not None and parts.money for parts in parsed))
        if not usual:
            found.ambiguous = next(iter(open_ones.values()))
            found.bad = [at for at, parts in enumerate(parsed) if parts is None and not is_missing(cells[at])]
            return found
        found.decimal = "."
    marks: dict[str, None] = {"the limit itself": None} if limits else {}
    units = Counter(parts.unit for parts in parsed if parts is not None)
    unit = next((name for name, _ in units.most_common() if name), "")
    if unit == "%" and units["%"] < units[""]:
        unit = ""
    for at, parts in enumerate(parsed):
        value = None if parts is None else _value(parts, found.decimal or ".")
        # 40% is not 40, and dollars are no euros; a bare number beside $5 is one of dollars.
        if parts is not None and parts.unit != unit and (parts.unit or unit == "%" and value):
            value = None
        if value is None:
            if not is_missing(cells[at]):
                found.bad.append(at)
            continue
        found.values[at] = value
        if parts is not None and parts.grouped:
            marks["thousands"] = None
        if parts is not None and parts.scale:
            marks["K, M, B"] = None
    found.marks = ", ".join(filter(None, [*marks, unit]))
    return found


def _spans(cells: Sequence[str], parsed: Sequence[_Parts | None]) -> Numbers | None:
    """A column of spans of time, such as 1:30 and 01:30:00, in their smallest part; None for other columns."""
    there = [at for at, cell in enumerate(cells) if not is_missing(cell)]
    if not there or parsed[there[0]] is not None and parsed[there[-1]] is not None:
        return None
    values = {at: span_number(cells[at]) for at in there}
    bad = [at for at, value in values.items() if value is None]
    if len(bad) > 0.1 * len(there):
        return None
    found = Numbers(np.full(len(cells), np.nan), bad, marks="a span of time in its smallest part")
    for at, value in values.items():
        found.values[at] = np.nan if value is None else value
    return found


def number_list(text: str) -> list[float] | None:
    """The numbers in a text, with spaces, semicolons, or commas between them; None where it holds anything else.

    >>> number_list("1 2.5, 3"), number_list("15,5 16,2"), number_list("1,2,3"), number_list("1; 2"), number_list("1 a")
    ([1.0, 2.5, 3.0], [15.5, 16.2], [1.0, 2.0, 3.0], [1.0, 2.0], None)
    """
    words = [word for word in re.split(r"[\s;]+", text.strip()) if word]
    inner = [word.rstrip(",") for word in words if word != ","]
    if len(inner) > 1 and any("," in word for word in inner):
        # Spaces cut the numbers already, so a comma within one belongs to it.
        found = read_numbers(inner, separator=";")
        if not found.bad and not found.ambiguous and not np.isnan(found.values).any():
            return [float(value) for value in found.values]
    values = [read_number(word) for word in re.split(r"[\s,;]+", text.strip()) if word]
    return (
        [value for value in values if value is not None]
        if not any(v is None or math.isnan(v) for v in values)
        else None
    )


def say_decimal(where: str, name: str, cell: str) -> str:
    """What is said where a column of numbers has two readings."""
    low, high = read_number(cell, "."), read_number(cell, ",")
    return (
        f"{where}: expected numbers in {quote(name)} that can be read one way only, received {quote(cell)}, which may be "
        f"{low:.10g} or {high:.10g}. Say which mark stands before decimals: --decimal . or --decimal ,"
    )


class _Parts(msgspec.Struct):
    """A cell that looks like a number: its digits with their marks, and what stood around them."""

    body: str
    negative: bool
    power: str
    unit: str
    """"%", the sign or the code of a currency, a unit of measure, or nothing."""
    money: bool = False
    """Whether the unit is a currency, of which three decimals are rare."""
    scale: int = 0
    """The power of ten that a K, M or B stands for."""
    grouped: bool = False


def _parts(cell: str) -> _Parts | None:
    text = cell.translate(_WIDE).strip()
    if held := _SPREADSHEET.fullmatch(text):
        text = (held[1] or held[2] or "").strip()
    match = _SHAPE.fullmatch(text)
    opened = None if match is None else match["open"] or match["open2"]
    if match is None or bool(opened) != bool(match["close"]) or match["open"] and match["open2"]:
        return None
    body = match["body"].strip()
    if match["minus"] and body[-1] in ".," and body[:-1].isdigit():  # 5,- and 5.- are prices without cents, no debts
        body, minus = body[:-1], False
    else:
        minus = bool(match["minus"])
    if any(space in body for space in _SPACES):
        whole = re.split(r"[.,]", body, maxsplit=1)
        if not _SPACED.fullmatch(whole[0]):
            return None
        body = re.sub(rf"[{_SPACES}]", "", body)
        if re.search(r"[.,].*[.,]", body):
            return None
    sign = match["sign"] or match["sign2"]
    if (match["sign"] and match["sign2"]) or (minus and (sign or opened)):
        return None
    if match["unit"] and match["money"]:
        return None
    unit = (match["unit"] or match["money"] or "").rstrip(".")
    negative = bool(opened) or minus or sign in ("-", "−", "–")
    return _Parts(
        body,
        negative,
        re.sub("[dD]", "e", match["power"] or ""),
        unit,
        _MONEY.fullmatch(unit) is not None,
        _SCALES[match["scale"] or ""],
    )


def _evidence(body: str) -> tuple[bool, str]:
    """(whether this value has one reading only, the mark before decimals); for an open one, the mark that has two.

    >>> _evidence("1.719,71"), _evidence("0.125"), _evidence("12.038"), _evidence("1,000,000"), _evidence("7")
    ((True, ','), (True, '.'), (False, '.'), (True, '.'), (False, ''))
    """
    points, commas = body.count("."), body.count(",")
    if points and commas:
        return True, "." if body.rindex(".") > body.rindex(",") else ","
    mark = "." if points else "," if commas else ""
    if not mark:
        return False, ""
    other = "," if mark == "." else "."
    if points + commas > 1:
        return True, other
    before, _, after = body.partition(mark)
    if len(after) != 3 or len(before) > 3 or before in ("", "0") or before.startswith("0"):
        return True, mark
    return False, mark


def _decided(votes: dict[str, int]) -> str:
    """The mark that at least nine values of ten decide for; the others are then bad."""
    total = sum(votes.values())
    return next((mark for mark, count in votes.items() if total and count >= 0.9 * total), "")


def _value(parts: _Parts, decimal: str) -> float | None:
    other = "," if decimal == "." else "."
    whole, mark, rest = parts.body.partition(decimal)
    if mark and not (rest.isdigit() or rest == ""):
        return None
    if other in whole:
        if not _GROUPED[other].fullmatch(whole):
            return None
        parts.grouped = True
        whole = whole.replace(other, "")
    try:
        value = float(f"{whole or '0'}.{rest or '0'}{parts.power}")
    except ValueError:
        return None
    # Through decimal digits: 1.1 million is 1100000.0, and 1.1 * 1e6 is not.
    value = float(f"{value!r}e{parts.scale}") if parts.scale and "e" not in repr(value) else value * 10**parts.scale
    value = -value if parts.negative else value
    return value if abs(value) < _FINITE else None
