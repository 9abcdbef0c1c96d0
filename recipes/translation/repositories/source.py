"""What the recipe knows of a source of parallel text: where it is, how it is read, whom to thank, what to watch for."""

from __future__ import annotations

from dataclasses import dataclass, field

from recipes.translation.repositories.clone import Reader

LANGUAGES = ("fr", "de", "es", "zh")


@dataclass(frozen=True)
class Source:
    """One source, which may be several repositories that belong together."""

    name: str  # owner+name of the repository that the pairs are named after
    kind: str  # what it counts as when a corpus is mixed: prose, games, documentation, interface, names
    readers: tuple[Reader, ...]
    licence: str
    credit: str  # who wrote and translated it, as far as the repository says
    codes: dict[str, str]  # the repository's own name of each language that it has
    expected: tuple[int, int, int, int]  # pairs of fr, de, es, zh in an earlier count, by rules of its own
    caveat: str = ""
    whole: bool = False  # keep whole sentences without placeholders alone
    also: tuple[str, ...] = field(default=())  # further repositories that it needs

    def expects(self, lang: str) -> int:
        """How many pairs the earlier count had."""
        return self.expected[LANGUAGES.index(lang)]


def codes(languages: str = "fr de es zh", **names: str) -> dict[str, str]:
    """The languages of a source with the names they have there; those not named have their usual code."""
    return {lang: names.get(lang, lang) for lang in languages.split()}
