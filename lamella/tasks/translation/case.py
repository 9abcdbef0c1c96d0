"""Texts in capitals: the net is given them as an ordinary sentence, and its answer is put in capitals again.

Nets learn few texts in capitals, and to their vocabulary `CART` has nothing to do with `cart`. Placeholders, which a
caller names as `spans`, keep their own letters: `%s` is not `%S`.
"""

import re
from collections.abc import Callable, Iterable

Span = tuple[int, int]
_WORD = re.compile(r"[^\W\d_]+")
ACRONYM = 4  # letters of a word that may well be an acronym: NATO, HTML, USB


def is_all_capitals(text: str, spans: Iterable[Span] = ()) -> bool:
    """Whether all letters are capitals, in words of which one at least is too long for an acronym, or in three or more.

    >>> is_all_capitals("ADD TO CART"), is_all_capitals("CANCEL"), is_all_capitals("DELETE %s", [(7, 9)])
    (True, True, True)
    >>> is_all_capitals("USB"), is_all_capitals("Add to CART"), is_all_capitals("HTML 5"), is_all_capitals("\u65e5\u672c")
    (False, False, False, False)
    """
    plain = _outside(text, spans, str, lambda taken: " " * len(taken))
    words = _WORD.findall(plain)
    if plain != plain.upper() or plain == plain.lower():
        return False
    return any(len(word) > ACRONYM for word in words) or len(words) > 2


def to_sentence(text: str, spans: Iterable[Span] = ()) -> str:
    """A text in capitals as a sentence: only its first letter stays one.

    >>> to_sentence("ADD %S TO CART", [(4, 6)])
    'Add %S to cart'
    """
    lower = _outside(text, spans, str.lower)
    first = next((i for i, c in enumerate(lower) if c.isalpha() and not any(a <= i < b for a, b in spans)), None)
    return lower if first is None else lower[:first] + lower[first].upper() + lower[first + 1 :]


def to_capitals(text: str, spans: Iterable[Span] = ()) -> str:
    """A text in capitals, placeholders aside.

    >>> to_capitals("Supprimer %s", [(10, 12)])
    'SUPPRIMER %s'
    """
    return _outside(text, spans, str.upper)


def _outside(text: str, spans: Iterable[Span], change: Callable[[str], str], inside: Callable[[str], str] = str) -> str:
    """The text with `change` made between the spans, which are in order, and `inside` made in them."""
    parts, end = [], 0
    for start, stop in spans:
        parts += [change(text[end:start]), inside(text[start:stop])]
        end = stop
    return "".join([*parts, change(text[end:])])
