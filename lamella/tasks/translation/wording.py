"""A sentence in the words a net knows: `500 euros` for `€500`, whose sign small nets have hardly met.

What a net is asked is changed, not the source: the answer is still compared with what was typed, and gets its sign back.

    >>> worded("It costs €1,299.99 and £5.", "en"), worded("Serial no. C02XL0", "en"), worded("I said: 'Don't go'", "en")
    ('It costs 1,299.99 euros and 5 pounds.', 'Serial number C02XL0', 'I said: "Don\\'t go"')
"""

from __future__ import annotations

import re

from lamella.data.text.languages import base_code
from lamella.data.text.lazy import lazy
from lamella.tasks.translation.amounts import spoken

# What the signs of money are called behind a number, where that is clear: a dollar's sign is known, and ¥ is two moneys.
_MONEY = {
    "en": {"€": "euros", "£": "pounds", "₹": "rupees", "₽": "roubles"}, "fr": {"€": "euros", "₹": "roupies", "₽": "roubles"},
    "de": {"€": "Euro", "£": "Pfund", "₹": "Rupien", "₽": "Rubel"}, "es": {"€": "euros", "£": "libras", "₹": "rupias", "₽": "rublos"},
    "zh": {"€": "欧元", "£": "英镑", "₹": "卢比", "₽": "卢布"},
}  # fmt: skip
_POWER = (
    r"(?: (?:(?:mio|mrd)\.|(?:million|billion|thousand|milliard|mill[eoó]n?|mil|mio|mrd|tausend)(?:e?[ns]|es)?(?!\w)))"
)
_NUMBER = r"[0-9]+(?:[.,\u00a0\u202f ][0-9]{3})*(?:[.,][0-9]+)?"
_SIGN = r"[€£₹₽]"
_AMOUNT = lazy(
    rf"(?<![A-Za-zÀ-ɏ0-9_.,$€£])(?:(?P<before>{_SIGN})[ \u00a0\u202f]?(?P<one>{_NUMBER}{_POWER}?)(?![A-Za-zÀ-ɏ0-9_$€£]|[.,][0-9])"
    rf"|(?P<two>{_NUMBER}{_POWER}?)[ \u00a0\u202f]?(?P<after>{_SIGN})(?![A-Za-zÀ-ɏ0-9_$€£]))",
    re.IGNORECASE,
)
_NUMERO = {
    "en": (lazy(r"(?<!\w)(?:[Nn]o\.|[Nn]r\.) ?(?=[A-Z]{0,4}[0-9])"), "number "),
    "fr": (lazy(r"(?<!\w)[Nn][°º] ?(?=[A-Z]{0,4}[0-9])"), "numéro "),
    "de": (lazy(r"(?<!\w)Nr\. ?(?=[A-Z]{0,4}[0-9])"), "Nummer "),
    "es": (lazy(r"(?<!\w)(?:[Nn]\.?[º°o]|[Nn]úm\.) ?(?=[A-Z]{0,4}[0-9])"), "número "),
}
# Single marks of German and French, which nets have hardly met.
_SINGLES = str.maketrans("‚‹›", "'''")
# A quotation in single marks with an apostrophe inside: nets take the first of these for its end.
_QUOTED = lazy(r"(?<!\w)['‘](?=\w)([^'’‘\n]*(?:(?<=\w)['’](?=\w)[^'’‘\n]*)+)(?<=\S)['’](?!\w)")


def worded(text: str, language: str) -> str:
    """A text with words for signs and abbreviations that nets take for something else."""
    code = base_code(language)
    text = text.translate(_SINGLES)
    if code == "zh":
        text = _chinese(text)
    elif any(char.isdigit() or char == "h" for char in text):
        text = spoken(text, code)
    if any(sign in text for sign in "€£₹₽"):
        names = _MONEY.get(code, {})

        def named(match: re.Match[str]) -> str:
            name = names.get(match["before"] or match["after"])
            number = match["one"] or match["two"]
            return match[0] if name is None else f"{number}{'' if code == 'zh' else ' '}{name}"

        text = _AMOUNT.sub(named, text)
    if code in _NUMERO and re.search("[nN]", text) and re.search("[0-9]", text):
        pattern, word = _NUMERO[code]
        text = pattern.sub(word, text)
    return _QUOTED.sub(r'"\1"', text) if "'" in text or "’" in text else text


def _chinese(text: str) -> str:
    from lamella.tasks.translation import chinese_numbers  # only now: other texts have none

    return chinese_numbers.spoken(re.sub(r"零下(?=[0-9])", "-", text))
