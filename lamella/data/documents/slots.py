"""Files with texts at known places: what stands between them is copied, byte for byte.

>>> class Marked(Slots):
...     def slots(self):
...         return [Slot(m.start(), m.end(), m[0]) for m in re.finditer(r"(?<=<)[^<>]+(?=>)", self.text)]
>>> file = Marked(b"1 <Hello> 2 <Bye>", "a.txt")
>>> file.segments, file.render(["Bonjour", None])
(['Hello', 'Bye'], b'1 <Bonjour> 2 <Bye>')
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lamella.data.documents.prose import decode_document, encode_as
from lamella.data.text.encoding import StrPath
from lamella.errors import DataError


@dataclass
class Slot:
    """A place in a file (characters from start to end), the text that it holds, and how an answer is written there."""

    start: int
    end: int
    text: str
    encode: Callable[[str], str] = str
    format: str = ""


class Slots:
    """The base of formats that find their texts with `slots`.

    In: the bytes of a file, its name, for errors, and the target language. Raises DataError where the bytes are no text, or
    where there is nothing in them to translate: `holds` says what was expected.
    """

    holds = "texts"

    def __init__(self, data: bytes, name: str, target_language: str = "", memory: Sequence[StrPath] = ()) -> None:
        if not data:
            raise DataError(f"{name}: expected {self.holds}, received an empty file. Write something into it first")
        self.text, self.encoding = decode_document(data, name)
        self.data, self.name, self.language = data, name, target_language
        self.found = self.slots()
        self.segments = [slot.text for slot in self.found]
        self.formats = [slot.format for slot in self.found]

    def slots(self) -> list[Slot]:
        """The places of the texts, in order, none overlapping another."""
        raise NotImplementedError

    def error(self, place: int, received: str, remedy: str) -> DataError:
        """An error about a place in the text."""
        line = 1 + self.text.count("\n", 0, place)
        return DataError(f"{self.name}, line {line}: expected {self.holds}, received {received}. {remedy}")

    def render(self, answers: Sequence[str | None]) -> bytes:
        """The file with an answer in each place; None, or the text itself, leaves what was there.

        Raises ValueError where there are not as many answers as segments.
        """
        parts, end, changed = [], 0, False
        for slot, answer in zip(self.found, answers, strict=True):
            if answer is not None and answer != slot.text:
                parts += [self.text[end : slot.start], slot.encode(answer)]
                end, changed = slot.end, True
        if not changed:
            return self.data
        return encode_as("".join([*parts, self.text[end:]]), self.encoding)

    def summary(self, answers: Sequence[str | None]) -> dict[str, int]:
        """How many segments there are, and how many have no translation."""
        return {"segments": len(self.segments), "kept": sum(answer is None for answer in answers)}


def worded(text: str) -> bool:
    """Whether a text has letters at all."""
    return any(char.isalpha() for char in text)


def plain_line(text: str) -> str:
    """A text without what would end a value in every format: control characters, and halves of letters."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]", "\ufffd", text)
