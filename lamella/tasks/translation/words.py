"""Single words that a shipped translator looks up before it asks its net: days, food, family, colours, common verbs.

Nets learn words from sentences, and are least sure of a word that stands alone. The list was made from names of the CLDR,
free dictionaries and short labels by `recipes/translation/lexicon.py`; what it answers has the status `dictionary`.

    >>> words = Words(pack({"en-de": {"dog": "Hund", "Monday": "Montag"}}))
    >>> [words.find(text, "en", "de") for text in ("dog", "DOG", "Monday!", "dogs", "The dog")]
    ['Hund', 'HUND', 'Montag!', None, None]
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from lamella.data.text.languages import base_code
from lamella.data.text.lazy import lazy
from lamella.errors import ModelError
from lamella.task import Example
from lamella.tasks.translation.outcomes import Outcome
from lamella.tasks.translation.proper import word_set
from lamella.tasks.translation.soundness import finish

if TYPE_CHECKING:  # most translations have none
    from lamella.tasks.translation.glossary import Glossary

ACRONYM = 4  # letters at most
LIKELY = 0.3  # the score from which a net's own answer counts beside that of a list
SURE = 0.95  # the share of entries that are right, rounded down (`bench.words`)
LARGEST = 2_000_000  # bytes of all lists, unpacked
LONGEST = 40  # characters of a text that is looked up
_TEXT = lazy(r"(\s*)[¡¿]?([^\W\d_](?:[^\n\t]*[^\W\d_])?)(\s?(?:[.!?:,。！？：，]|\.{3}|…)?)(\s*)")

_HALF = str.maketrans("。！？：，", ".!?:,")
# A phrase that is said to somebody: Happy birthday, Anna!
_ADDRESSED = lazy(
    r"(?P<phrase>(?:[^\W\d_]|['’ -])+?)(?P<joint>,? |，)(?P<name>[A-ZÀ-Þ][^\W\d_]+(?:-[A-ZÀ-Þ][^\W\d_]+)*)(?P<mark>[ \u00a0]?[.!?。！？]*)"
)
_HELLO = word_set("hello hi hey goodbye thanks bonjour bonsoir salut merci hallo danke tschüss hola adiós gracias")


class Words:
    """Lists of words of some directions, as `pack` wrote them. ModelError for other bytes."""

    def __init__(self, packed: bytes) -> None:
        unpack = zlib.decompressobj()
        try:
            text = unpack.decompress(packed, LARGEST).decode("utf-8")
        except (zlib.error, UnicodeDecodeError) as error:
            raise ModelError(f"words.model: expected packed lists of words, received other bytes ({error}).") from None
        if unpack.unconsumed_tail or not unpack.eof:
            raise ModelError(
                f"words.model: expected at most {LARGEST:,} bytes of lists, received more, or half a file."
            )
        if text.count("\t") != text.count("\n") + 1 - text.count("# "):
            raise self._no_list()
        self._parts = dict(part.split("\n", 1) for part in text.split("# ")[1:] if "\n" in part)
        self._lists: dict[str, tuple[dict[str, str], dict[str, str]]] = {}

    @staticmethod
    def _no_list() -> ModelError:
        return ModelError("words.model: expected a word, a tab and its translation in each line.")

    def _list(self, name: str) -> tuple[dict[str, str], dict[str, str]]:
        """The entries of a direction, and those in small letters; read when first asked for. ModelError where it is no list."""
        if name not in self._lists:
            rows = [line.split("\t") for line in self._parts[name].splitlines()]
            if any(len(row) != 2 or not all(row) for row in rows):
                raise self._no_list()
            self._lists[name] = dict(rows), {source.casefold(): target for source, target in reversed(rows)}
        return self._lists[name]

    def lists(self) -> dict[str, dict[str, str]]:
        """All lists by direction, as `pack` takes them."""
        return {name: dict(self._list(name)[0]) for name in self._parts}

    def find(self, text: str, src: str, dst: str) -> str | None:
        """What a text is translated to that is one entry of the list, maybe with a mark at its end; None for others.

        Capitals are those of the text: `dog`, `Dog` and `DOG` are `chien`, `Chien` and `CHIEN`. Of `Yes/No` both parts are looked up.
        """
        if 0 < text.count("/") < 4 and len(text) <= LONGEST:  # Yes/No
            parts = [self.find(part, src, dst) for part in text.split("/")]
            return "/".join(part for part in parts if part is not None) if None not in parts else None
        name = f"{base_code(src)}-{base_code(dst)}"
        if name not in self._parts:
            return None
        entries, small = self._list(name)

        def listed(word: str, loud: bool) -> tuple[str | None, bool]:
            if base_code(src) == "zh":
                from lamella.tasks.translation.chinese import simplify

                word = word if word in entries else simplify(word)
            plain = [form for form in (word.lower(), word.capitalize()) if form in entries] if loud else []
            # OK, TV: no word in capitals
            own = loud and not plain and word in entries and len(word) <= ACRONYM
            return entries.get(plain[0] if plain else word) or small.get(word.casefold()), own

        return shaped(text, listed, src, dst)


def shaped(text: str, lookup: Callable[[str, bool], tuple[str | None, bool]], src: str, dst: str) -> str | None:
    """What a word or phrase is translated to by a look-up, in the capitals and with the mark of the text; None where it has none.

    lookup: gets the word, and whether it is in capitals; says its translation, and whether an acronym stands for it.
    """
    match = _TEXT.fullmatch(text) if len(text) <= LONGEST else None
    if not match:
        return None
    before, word, end, after = match.groups()
    word = word.replace("’", "'")
    loud = len(word) > 1 and word == word.upper() != word.lower()
    target, acronym = lookup(word, loud)
    if not target:
        return None
    if acronym:
        target = target if target != target.lower() else target[0].upper() + target[1:]
    elif loud:
        target = target.upper()
    mark = end.strip().translate(_HALF)
    # `Guten Tag` is a phrase at the beginning of a sentence, and so is what ends as one where there are no capitals.
    begins = word[0].isupper() and (word[1:] == word[1:].lower() or " " in word)
    if not loud and (begins or (mark and base_code(src) == "zh")):
        target = target[0].upper() + target[1:]
    if mark == ",":
        target += "，" if base_code(dst) == "zh" else ","
    elif mark:
        target = finish(word + mark, target, dst)
    if mark in ("?", "!") and base_code(dst) == "es":
        from lamella.tasks.translation.spacing import inverted

        target = inverted(target)
    return before + target + after


def addressed(text: str, line: Callable[[str], str | None], dst: str) -> str | None:
    """What a list has of a phrase that is said to somebody, with the name as it is; None for other texts.

    >>> known = {"Good morning": "Bonjour", "New": "Nouveau"}.get
    >>> addressed("Good morning, Zo\u00e9!", known, "fr"), addressed("New York", known, "fr")
    ('Bonjour, Zo\u00e9\xa0!', None)
    """
    match = _ADDRESSED.fullmatch(text.lstrip("¡¿")) if len(text) <= 2 * LONGEST else None
    if not match or (match["joint"] == " " and line(match["name"]) is not None):
        return None
    phrase = match["phrase"]
    if match["joint"] == " " and " " not in phrase and phrase.lower() not in _HELLO:
        return None
    found = line(phrase)
    if found is None:
        return None
    joint = "，" if base_code(dst) == "zh" else match["joint"].replace("，", ", ")
    answer = finish(text, f"{found}{joint}{match['name']}", dst)
    if base_code(dst) == "es" and match["mark"].strip():
        from lamella.tasks.translation.spacing import inverted

        answer = inverted(answer)
    return answer


def pack(lists: Mapping[str, Mapping[str, str]]) -> bytes:
    """Lists of words by direction, such as "en-de", as bytes of a model."""
    lines = []
    for name, words in lists.items():
        lines += [f"# {name}", *(f"{source}\t{target}" for source, target in sorted(words.items()))]
    return zlib.compress("\n".join(lines).encode("utf-8"), 9)


@lru_cache(maxsize=8)
def _read(packed: bytes) -> Words:
    return Words(packed)


def words_first(
    steps: Sequence[tuple[bytes, str, str]],
    examples: Sequence[Example],
    translated: Callable[[Sequence[Example]], list[Outcome]],
    alternatives: int,
    glossary: Glossary | None = None,
) -> list[Outcome]:
    """What the lists have of the texts, and what `translated` makes of the others.

    steps: the lists of each model on the way, from a language to another. alternatives: where more than one is wanted, the
    net is asked too, and counts where it agrees or is not very unsure. glossary: what it has a say in goes to the net.
    """
    if not all(packed for packed, _, _ in steps):
        return translated(examples)
    texts = [e["text"] for e in examples]
    known = [None if glossary and glossary.find(text) else through(steps, text) for text in texts]
    asked = [e for e, found in zip(examples, known, strict=True) if found is None or alternatives > 1]
    rest = iter(translated(asked) if asked else [])
    outcomes = []
    for text, found in zip(texts, known, strict=True):
        if found is None:
            outcomes.append(next(rest))
            continue
        others: list[str] = []
        if alternatives > 1:
            net = next(rest)
            # A net that does not know the word has no alternatives to offer: Samedi for Thursday.
            knows = net.text.casefold() == found.casefold() or net.score >= LIKELY
            offered = dict.fromkeys((net.text, *net.others)) if knows else {}
            # Nor is a word that was left as it is another translation of it.
            others = [one for one in offered if one.casefold() not in (found.casefold(), text.casefold())]
        outcomes.append(Outcome(found, "dictionary", others=others[: alternatives - 1], confidence=SURE))
    return outcomes


def through(steps: Sequence[tuple[bytes, str, str]], text: str) -> str | None:
    found: str | None = text
    for packed, src, dst in steps:
        found = None if found is None else _read(packed).find(found, src, dst)
    return found
