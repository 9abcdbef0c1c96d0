"""Quotations that stay as they are: in another language than the sentence, or of a word that is spoken of.

>>> [text[a:b] for text in ['"Tout va bien" means that all is well.'] for a, b in mentions(text, "en")]
['Tout va bien']
>>> [text[a:b] for text in ['The word "house" is short.', 'He said "come in" twice.'] for a, b in mentions(text, "en")]
['house']
"""

from __future__ import annotations

from collections.abc import Iterator

from lamella.data.text.common_words import steps
from lamella.data.text.languages import base_code
from lamella.data.text.lazy import lazy
from lamella.data.text.sentences import Span

_QUOTED = lazy(r"[\"“„«][ \u00a0\u202f]?(?P<inner>[^\"“”„«»\n]{2,60}?)[ \u00a0\u202f]?[\"“”»]")
_BEFORE = lazy(
    r"(?:\b(?:words?|terms?|spelled|spelt|mots?|terme|palabras?|término|Wort|Wörter|Begriff|Ausdruck)|[词字]|单词)\s?$"
)
_WORD = lazy(r"[^\W\d_]+")
_MORE, _LEAST = 2, 10  # steps: how much more common, in all, the words of a quotation are in another language


def mentions(text: str, language: str) -> Iterator[Span]:
    """The spans of such quotations, without their marks."""
    for match in _QUOTED.finditer(text):
        inner = match["inner"]
        words = [word.lower() for word in _WORD.findall(inner)]
        spoken_of = len(words) == 1 and bool(_BEFORE.search(text, max(0, match.start() - 14), match.start()))
        if words and inner.isprintable() and (spoken_of or _is_foreign(words, base_code(language))):
            yield match.span("inner")


def _is_foreign(words: list[str], language: str) -> bool:
    """Whether two words or more are rather those of another language, or of none that is known here."""
    counts = [steps(word) for word in words]
    if len(words) < 2 or language == "zh":
        return False
    own = sum(count.get(language, 0) for count in counts)
    others = {code for count in counts for code in count} - {language}
    best = max((sum(count.get(code, 0) for count in counts) for code in others), default=0)
    return best >= _MORE * own + _LEAST or not any(counts)
