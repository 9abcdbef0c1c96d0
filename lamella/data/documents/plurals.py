"""How many plural forms a language has in gettext, and which number takes which.

>>> polish = parse_rule(RULES["pl"])
>>> polish.forms, [polish.form(n) for n in (1, 2, 5, 22)]
(3, [0, 1, 2, 1])
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

_NONE = "nplurals=1; plural=0;"
_NOT_ONE = "nplurals=2; plural=(n != 1);"
_OVER_ONE = "nplurals=2; plural=(n > 1);"
_EASTERN = "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2);"
_CZECH = "nplurals=3; plural=(n==1 ? 0 : n>=2 && n<=4 ? 1 : 2);"

# By language code, from the manual of gettext. A code with a country goes before the one without.
RULES = {
    **dict.fromkeys(("id", "ja", "ko", "lo", "ms", "my", "th", "vi", "zh"), _NONE),
    **dict.fromkeys(
        (
            *(
                "af",
                "az",
                "bg",
                "bn",
                "ca",
                "da",
                "de",
                "el",
                "en",
                "eo",
                "es",
                "et",
                "eu",
                "fi",
                "fo",
                "fy",
                "gl",
                "he",
            ),
            *(
                "hi",
                "hu",
                "it",
                "ka",
                "kk",
                "ku",
                "lb",
                "ml",
                "mn",
                "mr",
                "nb",
                "ne",
                "nl",
                "nn",
                "no",
                "pa",
                "ps",
                "pt",
            ),
            *("so", "sq", "sv", "sw", "ta", "te", "tk", "ur"),
        ),
        _NOT_ONE,
    ),
    **dict.fromkeys(
        ("ak", "br", "fa", "fil", "fr", "hy", "ln", "mg", "oc", "pt_BR", "ti", "tr", "uz", "wa"), _OVER_ONE
    ),
    **dict.fromkeys(("be", "bs", "hr", "ru", "sr", "uk"), _EASTERN),
    **dict.fromkeys(("cs", "sk"), _CZECH),
    "ar": "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5);",
    "cy": "nplurals=4; plural=(n==1 ? 0 : n==2 ? 1 : n!=8 && n!=11 ? 2 : 3);",
    "ga": "nplurals=5; plural=(n==1 ? 0 : n==2 ? 1 : n<7 ? 2 : n<11 ? 3 : 4);",
    "is": "nplurals=2; plural=(n%10!=1 || n%100==11);",
    "lt": "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && (n%100<10 || n%100>=20) ? 1 : 2);",
    "lv": "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n!=0 ? 1 : 2);",
    "mk": "nplurals=2; plural=(n%10!=1 || n%100==11);",
    "mt": "nplurals=4; plural=(n==1 ? 0 : n==0 || (n%100>1 && n%100<11) ? 1 : n%100>10 && n%100<20 ? 2 : 3);",
    "pl": "nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2);",
    "ro": "nplurals=3; plural=(n==1 ? 0 : n==0 || (n%100>0 && n%100<20) ? 1 : 2);",
    "sl": "nplurals=4; plural=(n%100==1 ? 0 : n%100==2 ? 1 : n%100==3 || n%100==4 ? 2 : 3);",
}

COUNTED = 1000  # numbers that a rule is tried with
MOST_FORMS = 10  # Arabic has six; each message is written as often as a rule says
_RULE = re.compile(r"nplurals\s*=\s*(\d{1,2})\s*;\s*plural\s*=\s*([^;\n]+)")


class Plural(NamedTuple):
    """A rule: how many forms there are, and the form for a number."""

    forms: int
    form: Callable[[int], int]

    @property
    def singular(self) -> int:
        """The form for one."""
        return self.form(1)

    @property
    def narrow(self) -> bool:
        """Whether the form for one is for hardly any other number, so that it can say "a file" without the number."""
        return _is_narrow(self)


@lru_cache(maxsize=64)  # asked for with every message, and slow where a rule is long
def _is_narrow(plural: Plural) -> bool:
    return sum(plural.form(number) == plural.singular for number in range(COUNTED)) <= 2


def parse_rule(text: str) -> Plural | None:
    """The rule in a Plural-Forms field, or None where there is none that makes sense.

    >>> parse_rule("nplurals=INTEGER; plural=EXPRESSION;") is None
    True
    """
    match = _RULE.search(text)
    if not match:
        return None
    try:
        form = gettext.c2py(match[2].strip())
        plural = Plural(int(match[1]), form)
        sound = plural.forms <= MOST_FORMS and all(0 <= form(number) < plural.forms for number in range(COUNTED))
    except (ValueError, ArithmeticError, SyntaxError, RecursionError, MemoryError):  # SyntaxError: n > !1
        return None
    return plural if sound else None


def rule_of(language: str) -> str | None:
    """The Plural-Forms field of a language, or None for one that is not in the table.

    >>> rule_of("fr_CA"), rule_of("pt-BR") == rule_of("pt")
    ('nplurals=2; plural=(n > 1);', False)
    """
    code = language.replace("-", "_").partition(".")[0].partition("@")[0]
    return RULES.get(code) or RULES.get(code.partition("_")[0].lower())
