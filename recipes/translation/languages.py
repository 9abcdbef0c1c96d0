"""A small judge of which language a sentence is in, by its function words and its letters.

Used by `clean.py` to drop translations that are not in their language; it says nothing about fewer than four words.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]+")

# Words that are frequent in one of the languages and are not words of the others in this table.
_FUNCTION_WORDS = {
    "en": "the of and to is that it for with as was be by this are from at which have has not you your can will all"
    " when there been if would their his he they were what its or an my who them than into only some then could"
    " should must may these those does do did how where why also any each more other such about between",
    "fr": "le la les des du de un une et est dans pour que qui sur au aux ce cette ces avec par pas ne se il elle vous"
    " votre vos nous sont sera être ou mais plus tous tout toute son sa ses leur leurs je tu mon dont lorsque si"
    " été cela ainsi aussi peut fait sans sous entre même autre aucun aucune chaque où très comme ils elles",
    "de": "der die das und ist nicht ein eine einen zu mit für auf den dem des von im sich auch werden wird wurde nach"
    " bei oder wenn kann sie er wir ihr als aus noch nur über zum zur sind haben hat keine kein dieser diese dieses",
    "es": "el la los las de del un una y es en que no se por con para su al lo como más pero sus este esta estos ser"
    " ha si o está son también fue cuando muy sin sobre desde todo todos puede hay nos usted",
}
_WORDS = {lang: frozenset(words.split()) for lang, words in _FUNCTION_WORDS.items()}
_LETTERS = {"fr": frozenset("éèêëàâçîïôûùœ"), "de": frozenset("äöüß"), "es": frozenset("áéíóúñ¿¡")}
MINIMUM_WORDS = 4


def score(text: str, lang: str) -> float:
    """How much a text looks like a language: its function words, and half for a word with one of its letters."""
    words = _WORD.findall(text.lower())
    letters = _LETTERS.get(lang, frozenset())
    return sum((word in _WORDS[lang]) + 0.5 * bool(letters & set(word)) for word in words)


def looks_like(text: str, lang: str, rather_than: str) -> bool:
    """Whether a text of four words or more is clearly in one language and not in the other; never for unknown ones."""
    if lang not in _WORDS or rather_than not in _WORDS or len(_WORD.findall(text)) < MINIMUM_WORDS:
        return False
    ours, theirs = score(text, lang), score(text, rather_than)
    return ours >= 2 and ours >= 2 * theirs
