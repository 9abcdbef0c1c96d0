"""The items that can be recommended: their names, other names by which they are known, and the words that describe them."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from lamella.errors import ModelError

VOCABULARY = 8000  # words at most, the most frequent
WORDS = 24  # of an item
COMMON = 0.5  # a word that more than this share of the items have says nothing
_WORD = re.compile(r"[^\W_]+")
_YEAR = re.compile(r"\s*[(\[]\s*(\d{4})[^)\]]*[)\]]\s*$")
_ARTICLE = re.compile(r"^(.*), (the|a|an|le|la|les|l'|der|die|das|el|il)$")
Described = Mapping[str, Mapping[str, str]]
"""Name of an item -> column of a table of items -> what stands there."""


class _Stored(msgspec.Struct):
    names: list[str]
    ids: list[str]
    chosen: Annotated[int, Meta(ge=0)]
    vocabulary: list[str]
    words: list[list[Annotated[int, Meta(ge=0)]]]


class Catalogue:
    """Items numbered from 0, the most often chosen first; those that nobody chose stand at the end.

    names, ids: of each item, the id being how the data call it; chosen: how many somebody chose; words: of each item, numbers
    into `vocabulary`, from 1.

    >>> films = Catalogue.learn(["Alien (1979)", "Matrix, The (1999)"], {"Alien (1979)": {"genre": "horror|space"}}, {})
    >>> films.find("alien"), films.find("the matrix"), films.find("Dune")
    (0, 1, None)
    """

    def __init__(
        self, names: Sequence[str], ids: Sequence[str], chosen: int, vocabulary: Sequence[str], words: list[list[int]]
    ) -> None:
        self.names, self.ids, self.chosen, self.words = list(names), list(ids), chosen, words
        self.vocabulary = list(vocabulary)
        self._numbers = {word: number for number, word in enumerate(vocabulary, start=1)}
        self._exact: dict[str, int] = {}
        self._folded: dict[str, int] = {}
        for at, name in enumerate(self.names):
            self._exact.setdefault(name, at)
        for at, one in enumerate(self.ids):
            self._exact.setdefault(one, at)
        for at, name in enumerate(self.names):  # of several that are called so, the one chosen most
            for form in (fold(name), fold(_YEAR.sub("", name))):
                self._folded.setdefault(form, at)

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"Catalogue({len(self)} items, {self.chosen} of them chosen)"

    @classmethod
    def learn(cls, chosen: Iterable[str], described: Described, ids: Mapping[str, str]) -> "Catalogue":
        """From the names of all choices, with repeats, from what is said of items, and from their ids where these differ."""
        counts = Counter(chosen)
        names = sorted(counts, key=lambda name: (-counts[name], name))
        names += [name for name in described if name not in counts]
        spoken = [words_of(name, described.get(name, {})) for name in names]
        often = Counter(word for words in spoken for word in words)
        most = max(2, COMMON * len(names))
        kept = [(word, count) for word, count in often.items() if 2 <= count <= most]
        vocabulary = [word for word, _ in sorted(kept, key=lambda pair: (-pair[1], pair[0]))[:VOCABULARY]]
        numbers = {word: number for number, word in enumerate(vocabulary, start=1)}
        words = [[numbers[word] for word in words if word in numbers][:WORDS] for words in spoken]
        return cls(names, [ids.get(name, name) for name in names], len(counts), vocabulary, words)

    def dump(self) -> bytes:
        """As JSON."""
        stored = _Stored(self.names, self.ids, self.chosen, self.vocabulary, self.words)
        return msgspec.json.encode(stored)

    @classmethod
    def load(cls, raw: bytes) -> "Catalogue":
        """From `dump`. ModelError for anything else."""
        try:
            stored = msgspec.json.decode(raw, type=_Stored)
        except (ValueError, RecursionError) as error:  # msgspec's own errors are ValueErrors
            raise ModelError(f"the catalogue of items is damaged ({error}). Copy the model again.") from error
        most = max((max(words, default=0) for words in stored.words), default=0)
        same = len(stored.names) == len(stored.ids) == len(stored.words) >= stored.chosen
        if not same or not stored.names or most > len(stored.vocabulary):
            raise ModelError("the catalogue of items does not fit together. Do not use this model.")
        return cls(stored.names, stored.ids, stored.chosen, stored.vocabulary, stored.words)

    def find(self, text: str) -> int | None:
        """The item of a name or an id, whatever its case and accents, with or without its year; None where there is none."""
        if text in self._exact:
            return self._exact[text]
        return self._folded.get(fold(text))

    def places(self, names: Sequence[str]) -> list[int | None]:
        """As `find`, of several."""
        exact = self._exact
        return [exact[name] if name in exact else self.find(name) for name in names]

    def missing(self, names: Sequence[str]) -> list[str]:
        """Those that are no item's name."""
        return [name for name, at in zip(names, self.places(names), strict=True) if at is None]

    def spoken(self, text: str) -> list[int]:
        """The words of a name that is in no catalogue, among those that are known."""
        return [self._numbers[word] for word in words_of(text, {}) if word in self._numbers][:WORDS]


def fold(name: str) -> str:
    """A name without what people type in several ways: case, accents, marks, an article behind a comma.

    >>> fold("Matrix, The"), fold("Amélie!")
    ('the matrix', 'amelie')
    """
    plain = unicodedata.normalize("NFKD", name.replace("\ud800", "?")).casefold()
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    year = _YEAR.search(plain)
    plain = _YEAR.sub("", plain)
    if article := _ARTICLE.match(plain.strip()):
        plain = f"{article[2]} {article[1]}"
    words = _WORD.findall(plain)
    return " ".join([*words, *([year[1]] if year else [])]) or name.casefold()


def words_of(name: str, columns: Mapping[str, str]) -> list[str]:
    """What describes an item: the words of its name, its decade, the values of its columns and the words of long ones.

    >>> words_of("Alien (1979)", {"genre": "Horror|Space"})
    ['genre=horror', 'genre=space', 'decade=197', 'alien']
    """
    found: list[str] = []
    for column, cell in columns.items():
        values = [value.strip().casefold() for value in re.split(r"[|;,]", cell) if value.strip()]
        if any(len(value.split()) > 4 for value in values):  # a text
            found += _WORD.findall(cell.casefold())
        else:
            found += [f"{column}={value}" for value in values]
    if year := _YEAR.search(name):
        found.append(f"decade={year[1][:3]}")
    found += _WORD.findall(fold(_YEAR.sub("", name)))
    return list(dict.fromkeys(found))
