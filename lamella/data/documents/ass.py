r"""Advanced SubStation subtitles (.ass, .ssa): the texts of `Dialogue` lines; times, styles and overrides stay.

>>> film = b"[Events]\nFormat: Start, End, Text\nDialogue: 0:00:01.00,0:00:02.00,{\\i1}Who is\\Nthere?{\\i0}\n"
>>> file = Substation(film, "film.ass")
>>> file.segments
['Who is there?']
>>> file.render(["Qui est ici ?"]).decode().splitlines()[-1]
'Dialogue: 0:00:01.00,0:00:02.00,{\\i1}Qui est\\Nici ?{\\i0}'

As in other subtitles, a sentence over several of them is one text, where one speaker says it in one style.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lamella.data.documents.slots import plain_line, worded
from lamella.data.documents.subtitles import Line, Reading, Subtitles, around, milliseconds
from lamella.errors import DataError

_FORMAT = re.compile(r"^Format:(?P<names>[^\r\n]*)", re.MULTILINE)
_EVENTS = re.compile(r"^\[Events\]", re.MULTILINE | re.IGNORECASE)
_DIALOGUE = re.compile(r"^Dialogue:[^\r\n]*", re.MULTILINE)
_BREAK = re.compile(r"([ ]*\\[Nn][ ]*)")
_DRAWN = re.compile(r"\\p[1-9]")
_PLACED = re.compile(
    r"\\(?:pos|move|clip|org)\b|\\k"
)  # a sign that stands somewhere, or words that are sung one by one
_CLOCK = re.compile(r"\s*(\d{1,3}):(\d{1,2}):(\d{1,2})(?:[.,:](\d{1,3}))?\s*$")
_NAMES = "Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"  # where a file does not say


class Substation(Subtitles):
    """A file of SubStation Alpha. Raises DataError where it has no `Dialogue` with a text."""

    inner = "\\N"

    def read(self, text: str, name: str) -> Reading:
        events = _EVENTS.search(text)
        first = events.end() if events else 0
        head = _FORMAT.search(text, first) if events else None
        names = [one.strip().lower() for one in (head["names"] if head else _NAMES).split(",")]
        parts: list[str] = []
        cues: list[list[Line]] = []
        clock: list[tuple[int, int]] = []
        end = 0
        for match in _DIALOGUE.finditer(text, first):
            fields = match[0].partition(":")[2].split(",", len(names) - 1)
            if len(fields) < len(names) or _DRAWN.search(fields[-1]):
                continue
            parts.append(text[end : match.end() - len(fields[-1])])
            end = match.end()
            facts = dict(zip(names, fields, strict=True))
            clock.append((_time(facts.get("start", "")), _time(facts.get("end", ""))))
            # Another voice, style or place is another text.
            who = ",".join(facts.get(key, "").strip() for key in ("layer", "style", "name", "actor"))
            cues.append([])
            pieces = _BREAK.split(fields[-1])
            for row, gap in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
                before, core, after = around(_spoken(row))
                if worded(re.sub(r"\{[^{}]*\}", "", core)):
                    alone = who + (f" {len(parts)}" if _PLACED.search(fields[-1]) else "")
                    cues[-1].append(Line(before, core, after, gap, len(cues) - 1, len(parts), alone))
                parts.append(row + gap)
        if not any(cues):
            raise DataError(
                f"{name}: expected subtitles with lines of Dialogue, received none. Is it another format? Name it .txt"
            )
        return Reading([*parts, text[end:]], [cue for cue in cues if cue], clock)

    def render(self, answers: Sequence[str | None]) -> bytes:
        """See `Subtitles`."""
        if len(answers) != len(self.segments):
            raise ValueError(f"Expected an answer for each of {len(self.segments)} segments. Received: {len(answers)}")
        flat = [None if a in (None, s) else " ".join(plain_line(a or "").split()) for a, s in zip(answers, self.segments, strict=True)]  # fmt: skip
        return super().render(flat)


_SUNG = re.compile(r"\\(?:k[fot]?|K)(?P<time>\d{1,5})")


def _spoken(row: str) -> str:
    r"""A line without the times of words that are sung one by one, but for one of all of them: other words have other times.

    >>> _spoken(r"{\k20}The {\kf30\i1}sun {\k10}is hot")
    '{\\k60}The {\\i1}sun is hot'
    """
    times = [int(match["time"]) for match in _SUNG.finditer(row)]
    if len(times) < 2:
        return row
    plain = _SUNG.sub("", row).replace("{}", "")
    return f"{{\\k{sum(times)}}}{plain}"


def _time(text: str) -> int:
    match = _CLOCK.match(text)
    return milliseconds(match.groups()) if match else 0
