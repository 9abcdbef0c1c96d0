r"""Advanced SubStation subtitles (.ass, .ssa): the texts of `Dialogue` lines; times, styles and overrides stay.

>>> film = b"[Events]\nFormat: Start, End, Text\nDialogue: 0:00:01.00,0:00:02.00,{\\i1}Who is\\Nthere?{\\i0}\n"
>>> file = Substation(film, "film.ass")
>>> file.segments
['Who is there?']
>>> file.render(["Qui est ici ?"]).decode().splitlines()[-1]
'Dialogue: 0:00:01.00,0:00:02.00,{\\i1}Qui est\\Nici ?{\\i0}'
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

from lamella.data.documents.slots import Slot, Slots, plain_line, worded
from lamella.data.documents.subtitles import balanced
from lamella.data.text import placeholders, sentences
from lamella.data.text.encoding import StrPath
from lamella.errors import DataError

_FORMAT = re.compile(r"^Format:(?P<names>[^\r\n]*)", re.MULTILINE)
_EVENTS = re.compile(r"^\[Events\]", re.MULTILINE | re.IGNORECASE)
_DIALOGUE = re.compile(r"^Dialogue:[^\r\n]*", re.MULTILINE)
_EDGES = re.compile(r"(?:\{[^{}]*+\}|\s|[-–—](?=\s*+[^\W\d])|>>++)*+")
_TURN = re.compile(
    r"\\[Nn](?=\s*+(?:\{[^{}]*+\}\s*+)*+(?:[-–—]\s*+[^\W\d]|>>|\[))"
)  # where another begins to speak, or a sound
_BREAK = re.compile(r"[ ]*\\[Nn][ ]*")
_DRAWN = re.compile(r"\\p[1-9]")


class Substation(Slots):
    """A file of SubStation Alpha. Raises DataError where it has no `Dialogue` with a text."""

    holds = "subtitles with lines of Dialogue"
    options = ("line_length",)

    def __init__(
        self,
        data: bytes,
        name: str,
        target_language: str = "",
        memory: Sequence[StrPath] = (),
        line_length: int = 0,
    ) -> None:
        """line_length: how many characters a line of an answer has at most; 0: as many lines as the source has."""
        self.line_length = line_length
        super().__init__(data, name, target_language, memory)

    def slots(self) -> list[Slot]:
        events = _EVENTS.search(self.text)
        names = _FORMAT.search(self.text, events.end()) if events else None
        commas = names["names"].count(",") if names else 9
        found = []
        for match in _DIALOGUE.finditer(self.text, events.end() if events else 0):
            fields = match[0].split(",", commas)
            if len(fields) <= commas or _DRAWN.search(fields[-1]):
                continue
            text, start = fields[-1], match.end() - len(fields[-1])
            turns = [0, *(match.end() for match in _TURN.finditer(text)), len(text)]
            for begin, end in pairwise(turns):
                found += self._texts(text[begin:end], start + begin)
        if not found:
            raise DataError(f"{self.name}: expected {self.holds}, received none. Is it another format? Name it .txt")
        return found

    def _texts(self, text: str, start: int) -> list[Slot]:
        """What one speaker says, which begins at `start`: a slot, or none where there is no word."""
        lead = _EDGES.match(text)
        begin = lead.end() if lead else 0
        core = text[begin : _end(text, begin)]
        plain = _BREAK.sub(" ", core)
        if not worded(re.sub(r"\{[^{}]*\}", "", plain)):
            return []
        write = partial(_lines, 1 + len(_BREAK.findall(core)), self.line_length)
        return [Slot(start + begin, start + begin + len(core), plain, write, "srt")]


def _end(text: str, begin: int) -> int:
    """Where the words of a text end, before white space and overrides."""
    end = len(text)
    while end > begin:
        if text[end - 1].isspace():
            end -= 1
        elif text[begin:end].endswith(("\\N", "\\n")):
            end -= 2
        elif text[end - 1] == "}" and text.rfind("{", begin, end) >= 0:
            end = text.rfind("{", begin, end)
        else:
            break
    return end


def _lines(count: int, length: int, answer: str) -> str:
    """An answer on as many lines as its source had, where it has so many words, or on lines of `length` characters."""
    answer = " ".join(plain_line(answer).split())
    if length:
        return "\\N".join(balanced(answer, length))
    rows = sentences.spread(answer, count, placeholders.spans(answer, "srt")) if count > 1 else None
    return "\\N".join(rows) if rows else answer
