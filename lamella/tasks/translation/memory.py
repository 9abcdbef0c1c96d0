"""The memory of translations made before: what it has of a text comes before the net, word for word or nearly so.

A near match differs in nothing that needs a translator: in blanks, in the numbers, in the mark at the end, in the capital
at the beginning. Those are set in the translation as the text has them; where that is not certain there is no match.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from lamella.data.text.encoding import StrPath
from lamella.data.text.lazy import lazy
from lamella.task import Example
from lamella.tasks.translation.outcomes import Outcome

Translated = Callable[[Sequence[Example]], list[Outcome]]
BROKEN = "a unit that is no XML"  # as the report of a .tmx calls it
NUMBER = lazy(r"\d+")
ENDS = ".!?:;…。！？：；"
# The same mark as the other script writes it.
FULL_WIDTH = dict(zip(".!?:;", "。！？：；", strict=True))
HALF_WIDTH = {full: half for half, full in FULL_WIDTH.items()}


class Memory:
    """Pairs of texts by what they have in common with texts that differ slightly.

    >>> memory = Memory([("Page 3 of 10.", "Page 3 sur 10."), ("Open the file", "Ouvrir le fichier")])
    >>> memory.find("Page 4 of 12."), memory.find("open the file."), memory.find("Open a file")
    ('Page 4 sur 12.', 'ouvrir le fichier.', None)
    """

    def __init__(self, pairs: Iterable[tuple[str, str]], target: str = "") -> None:
        """pairs: source and translation; of several of one text the first counts. target: the language written."""
        self.exact: dict[str, str] = {}
        self.near: dict[str, tuple[str, str]] = {}
        # A noun keeps its capital in German, wherever it stands.
        self.unread = 0  # entries of its file that are broken
        self.lowers = target.split("-")[0].split("_")[0] != "de"
        for source, translation in pairs:
            source = _blanks(source)
            self.exact.setdefault(source, translation)
            self.near.setdefault(_skeleton(source), (source, translation))

    def __len__(self) -> int:
        return len(self.exact)

    def find(self, text: str) -> str | None:
        """The translation of a text, or None where the memory has none that is certain."""
        text = _blanks(text)
        if text in self.exact:
            return self.exact[text]
        if text and (pair := self.near.get(_skeleton(text))):
            return self._fitted(text, *pair)
        return None

    def _fitted(self, text: str, source: str, translation: str) -> str | None:
        """The translation of `source` with the numbers, the end and the capital of `text`."""
        numbers = _numbers(text, source, translation)
        if numbers is None:
            return None
        translation = _ended(text, source, NUMBER.sub(lambda number: numbers[number[0]], translation))
        if text[:1].isupper() == source[:1].isupper():
            return translation
        if text[:1].isupper():
            return translation[:1].upper() + translation[1:]
        return translation[:1].lower() + translation[1:] if self.lowers else None


@lru_cache(maxsize=4)
def _read(path: str, stamp: tuple[int, int], src: str, dst: str) -> Memory:
    from lamella.data.readers.parallel import read_parallel

    table = read_parallel([path], src, dst, check_language=False)
    memory = Memory(((row["src"], row["dst"]) for row in table.rows), dst)
    memory.unread = table.report.dropped.get(BROKEN, 0)
    return memory


def read_memory(path: StrPath, src: str, dst: str) -> Memory:
    """The memory in a .tmx, .po, .mo or a table of pairs; read again only where the file has changed.

    DataError where the file is none of them, or has nothing in these languages.
    """
    place = Path(path)
    facts = os.stat(place) if place.is_file() else None
    return _read(str(place), (facts.st_mtime_ns, facts.st_size) if facts else (0, 0), src, dst)


def memory_first(path: str, src: str, dst: str, examples: Sequence[Example], translated: Translated) -> list[Outcome]:
    """What the memory has of the texts, and what `translated` makes of the others. path: "" for no memory."""
    memory = read_memory(path, src, dst) if path else Memory([])
    known = [memory.find(e["text"]) for e in examples]
    rest = iter(translated([e for e, found in zip(examples, known, strict=True) if found is None]))
    return [next(rest) if found is None else Outcome(found, "remembered", confidence=1.0) for found in known]


def _blanks(text: str) -> str:
    return " ".join(text.split())


def _skeleton(text: str) -> str:
    """What near matches share: no numbers, no mark at the end, a small letter at the beginning."""
    text = NUMBER.sub("\0", text.rstrip(ENDS + " "))
    # An acronym is not a word with a capital.
    return text[:1].lower() + text[1:] if not text[1:2].isupper() else text


def _numbers(text: str, source: str, translation: str) -> dict[str, str] | None:
    """What each number of the translation becomes; None where the source has others, or one would become two."""
    before, after = NUMBER.findall(source), NUMBER.findall(text)
    if before == after:
        return {number: number for number in NUMBER.findall(translation)}
    if sorted(before) != sorted(NUMBER.findall(translation)):
        return None
    changed: dict[str, str] = {}
    for old, new in zip(before, after, strict=True):
        if changed.setdefault(old, new) != new or _counts_one(old) != _counts_one(new):
            return None
    return changed


def _counts_one(number: str) -> bool:
    """Whether a noun beside the number may have another form than beside others: "1 file", "2 files"; in French "0 file"."""
    return int(number) < 2


def _ended(text: str, source: str, translation: str) -> str:
    """With the mark at the end that the text has, in the script of the translation."""
    end = text[len(text.rstrip(ENDS + " ")) :].strip()
    own = source[len(source.rstrip(ENDS + " ")) :].strip()
    if end == own:
        return translation
    bare = translation.rstrip(ENDS + " \u00a0\u202f")
    wide = bool(re.search(r"[\u3040-\u30ff\u4e00-\u9fff]\W*$", translation))
    return bare + "".join((FULL_WIDTH if wide else HALF_WIDTH).get(mark, mark) for mark in end)
