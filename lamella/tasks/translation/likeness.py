"""How alike two words are, accents, case and endings aside: whether an answer has a name, a copy that is bent, or a translation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from lamella.data.text.lazy import lazy

WORDS = lazy(r"[^\W\d_]+(?:['’.-][^\W\d_]+)*")
NEAR = 0.72
SHORT = 4


def plain(text: str) -> str:
    """A word as it is compared: in small letters without accents and hyphens."""
    text = re.sub(r"^[ldnqscjmt]['’](?=\w)", "", text.casefold())
    return "".join(c for c in unicodedata.normalize("NFD", text) if c.isalnum())


def like(one: str, two: str) -> bool:
    return likeness(one, two) >= NEAR


def likeness(one: str, two: str) -> float:
    from difflib import SequenceMatcher  # late: most sentences have no names

    return SequenceMatcher(None, one, two, False).ratio()


def half(candidate: str, name: str) -> bool:
    """Whether what a net makes of initials has one of them alone, maybe with an article."""
    letters = re.sub(r"[^a-z]", "", candidate)
    return len(letters) < 3 and letters != re.sub(r"[^a-z]", "", name) and letters[-1:] in name


def clipped(one: str, name: str) -> bool:
    """Whether what a net makes of a name it hardly knows begins as the name does and is another word then.

    >>> clipped("marse", "marseille"), clipped("buddhismus", "buddhism"), clipped("polen", "poland")
    (True, False, True)
    """
    shared = next((i for i, (a, b) in enumerate(zip(one, name, strict=False)) if a != b), min(len(one), len(name)))
    return 3 <= shared < 0.7 * len(name)


def contains(answer: Sequence[str], candidate: str) -> bool:
    """Whether an answer's words hold those of a candidate, whatever their endings; little words do not count."""
    wanted = [plain(word) for word in WORDS.findall(candidate)]
    wanted = [word for word in wanted if len(word) > 2 or not word.isascii()] or wanted
    whole = "".join(answer)

    def held(word: str) -> bool:
        if not word.isascii():
            return word in whole
        stem = word[: max(SHORT, len(word) - 2)]
        return any(other.startswith(stem) and len(other) <= len(word) + 3 for other in answer)

    return bool(wanted) and all(map(held, wanted))
