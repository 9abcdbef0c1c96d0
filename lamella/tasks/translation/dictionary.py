"""Dictionaries of a shipped translator, for words that its net does not know: each with what it may be translated to.

They come after the lists of `words`, which answer at once: here a net was asked, and is not sure. The entries were made
from free dictionaries by `recipes/translation/dictionary.py`.

    >>> found = Dictionaries(pack({"en-de": {"soap": "Seife|Soap", "emergency exit": "Notausgang"}}))
    >>> found.of("en", "de").find("Soap"), found.of("en", "de").find("soaps"), found.of("de", "en")
    (['Seife', 'Soap'], [], None)
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from functools import lru_cache

from lamella.data.text.languages import base_code
from lamella.errors import ModelError
from lamella.tasks.translation.outcomes import Outcome

SEVERAL = "|"  # between the translations of an entry
SURE = "!"  # before the translations of a word that is practically always translated to one of them
LARGEST = 2_000_000  # bytes of one dictionary, unpacked
_KIND = "dictionary.model: expected packed dictionaries"


class Dictionary:
    """The entries from one language to another: searched and not parsed, since a sentence has a few words, this 14,000."""

    def __init__(self, lines: str | bytes) -> None:
        raw = lines.encode() if isinstance(lines, str) else lines
        self._lines = b"\n" + raw + b"\n"
        self._small = ""

    def find(self, word: str) -> list[str]:
        """What a word or a phrase may be translated to, the commonest first; whatever its case."""
        return self.look(word)[0]

    def sure(self, word: str) -> bool:
        """Whether a translation of the word practically always has one of those that are here."""
        return self.look(word)[1]

    def look(self, word: str) -> tuple[list[str], bool]:
        """What `find` and `sure` say of a word."""
        if "\n" in word or "\t" in word:
            return [], False
        # Half a letter of UTF-16 is in no dictionary, and no error either.
        key = f"\n{word.casefold().replace('’', chr(39))}\t".encode(errors="surrogatepass")
        at = self._lines.find(key)
        if at < 0:
            return [], False
        found = self._lines[at + len(key) : self._lines.index(b"\n", at + 1)].decode("utf-8", "replace")
        return found.removeprefix(SURE).split(SEVERAL), found.startswith(SURE)

    def gives(self, word: str) -> bool:
        """Whether a word, or one that begins as it does, is among the translations."""
        stem = word[: max(4, round(0.65 * len(word)))].casefold()
        self._small = self._small or self._lines.decode("utf-8", "replace").casefold()
        return any(f"{before}{stem}" in self._small for before in ("\t", SEVERAL, SURE, " "))

    def __len__(self) -> int:
        return self._lines.count(b"\t")


class Dictionaries:
    """Dictionaries of some directions, as `pack` wrote them, each unpacked when first asked for. ModelError for other bytes."""

    def __init__(self, packed: bytes) -> None:
        head, _, body = packed.partition(b"\n")
        self._parts: dict[str, bytes] = {}
        try:
            sizes = [(name, int(size)) for name, _, size in (part.partition(" ") for part in head.decode().split(","))]
        except ValueError as error:
            raise ModelError(f"{_KIND}, received other bytes ({error}).") from None
        for name, size in sizes:
            self._parts[name], body = body[:size], body[max(size, 0) :]
        self._open: dict[str, Dictionary] = {}

    def of(self, src: str, dst: str) -> Dictionary | None:
        """The dictionary of a direction, if there is one."""
        name = f"{base_code(src)}-{base_code(dst)}"
        if name not in self._open and name in self._parts:
            unpack = zlib.decompressobj()
            try:
                lines = unpack.decompress(self._parts[name], LARGEST)
            except zlib.error as error:
                raise ModelError(f"{_KIND}, received other bytes for {name} ({error}).") from None
            if not unpack.eof or lines.count(b"\t") != lines.count(b"\n") + 1:
                raise ModelError(
                    f"{_KIND} of at most {LARGEST:,} bytes with a word, a tab and translations in each line, received others for {name}."
                )
            self._open[name] = Dictionary(lines)
        return self._open.get(name)


def pack(tables: Mapping[str, Mapping[str, str]]) -> bytes:
    """Dictionaries by direction, such as "en-de", as bytes of a model; words in small letters, translations joined by |."""
    parts = {
        name: zlib.compress("\n".join(f"{word}\t{found}" for word, found in sorted(table.items())).encode(), 9)
        for name, table in tables.items()
    }
    return ",".join(f"{name} {len(part)}" for name, part in parts.items()).encode() + b"\n" + b"".join(parts.values())


CERTAIN, PHRASE = 0.6, 0.4  # the score from which a net's own word, or phrase, counts though no dictionary has it
LIKELY = 0.3  # below it a net does not know a word
FAIR, PARTS = 0.7, 0.4  # the share of answers of a dictionary that are right, and of compounds put together from it
_LINKS = ("", "s", "es", "n", "en", "er", "e")  # between the parts of a German compound


def instead(text: str, outcome: Outcome, dictionary: Dictionary, src: str, dst: str, alternatives: int = 1) -> Outcome:
    """What a dictionary has of a word or a short phrase, where the net's answer is not among it and the net not sure."""
    from lamella.tasks.translation.words import shaped

    found: list[str] = []
    sure = outcome.score

    def lookup(word: str, loud: bool) -> tuple[str | None, bool]:
        nonlocal found
        found = dictionary.find(word)
        if not found and base_code(src) == "de" and sure < LIKELY:
            found = compound(word, dictionary)
        return (found[0] if found else None), False

    answer = shaped(text, lookup, src, dst)
    if answer is None or outcome.status in ("remembered", "dictionary"):
        return outcome
    own = _plain(outcome.text)
    certain = PHRASE if " " in _plain(text) else CERTAIN
    if any(own == _plain(one) for one in found) or (sure >= certain and own != _plain(text)):
        return outcome
    listed = bool(dictionary.find(_plain(text)))
    others = [] if not listed else [one for one in found[1:] if one.casefold() != text.casefold()]
    return outcome_from(answer, FAIR if listed else PARTS, others[: max(0, alternatives - 1)])


def outcome_from(answer: str, confidence: float, others: list[str]) -> Outcome:
    return Outcome(answer, "dictionary", others=others, confidence=confidence)


_ARTICLE = re.compile(r"^(?:(?:the|an?|to|les?|la|une?|der|die|das|eine?|el|los|las|una?) |l')", re.IGNORECASE)


def _plain(text: str) -> str:
    return _ARTICLE.sub("", text.strip(" .!?。！？…:：¡¿").casefold().replace("’", "'"))


def compound(word: str, dictionary: Dictionary) -> list[str]:
    """What the parts of a German compound mean, one after another; nothing where one of them is unknown.

    >>> compound("Seifenwasser", Dictionary("seife\\tsoap\\nwasser\\twater"))
    ['soap water']
    """
    small = word.lower()
    for cut in range(len(small) - 4, 3, -1):  # the longest first part
        head = next((h for link in _LINKS if (h := _entry(small[:cut], link, dictionary))), [])
        tail = (dictionary.find(small[cut:]) or compound(small[cut:], dictionary)) if head else []
        if head and tail:
            return [f"{head[0].removeprefix('to ')} {tail[0].removeprefix('to ')}"]
    return []


def _entry(part: str, link: str, dictionary: Dictionary) -> list[str]:
    stem = part.removesuffix(link) if link and part.endswith(link) else part if not link else ""
    return (dictionary.find(stem) or (dictionary.find(stem + "e") if link == "n" else [])) if len(stem) > 2 else []


@lru_cache(maxsize=4)
def opened(packed: bytes) -> Dictionaries:
    """The dictionaries of a model."""
    return Dictionaries(packed)
