r"""Subtitles (.srt): numbers and times stay byte for byte, and a sentence is translated whole though it spans several cues.

    >>> film = b"1\n00:00:01,000 --> 00:00:02,500\n<i>I never said</i>\n\n2\n00:00:02,600 --> 00:00:04,000\n<i>that.</i>\n"
    >>> subtitles = Subtitles(film, "film.srt")
    >>> subtitles.segments
    ['I never said that.']
    >>> print(subtitles.render(["Je n'ai jamais dit cela."]).decode(), end="")
    1
    00:00:01,000 --> 00:00:02,500
    <i>Je n'ai jamais dit</i>
    <BLANKLINE>
    2
    00:00:02,600 --> 00:00:04,000
    <i>cela.</i>

A cue is lines; a sentence that was cut in two by the clock reads as nonsense to a net, so lines that run on are joined,
and the answer is cut again at blanks, in proportion to the lengths that the lines had. What stands around a line
(`<i>`, `{\an8}`, a dash, a note of music) stays around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lamella.data.documents.prose import decode_document, encode_as
from lamella.data.text import placeholders, sentences
from lamella.data.text.encoding import StrPath
from lamella.errors import DataError

_CLOCK = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})(?:[,.](\d{1,3}))?"
_TIMES = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}.*")
_TAG = r"<(?P<name>[A-Za-z]+)(?:\s[^<>\n]*)?>"
# No part of these gives back what it has matched: a row of a million dots or notes would else be tried a million times.
_BEFORE = re.compile(r"\s*+(?:\{\\[^{}\n]*+\}\s*+|[♪♫#]++\s*+|[-–—]\s*+(?=\S)|>>++\s*+)*+")
_OPEN = re.compile(_TAG)
_MARKUP = re.compile(r"<[^<>\n]*>|\{\\[^{}\n]*\}")
_CLOSING = "\"'”’»)]"
_STOPS = tuple(".!?…:;。！？")
_SOUND = re.compile(r"[(\[][^()\[\]]*[)\]]")  # [door slams]
# A sound, or the name of who speaks.
_BEGINS = re.compile(r"[(\[][^()\[\]]*[)\]]|[^\W\d_a-z][\w .'’-]{0,24}:(?=\s|$)")
_MOST = 300  # characters of what is joined: more is no sentence
_NEVER = 10_000.0
_PAUSE = 2000  # milliseconds between two cues of one sentence
_NOTES = "♪♫#"
# Elements inside each other, and lines of a cue that one spans: more is no subtitle, and must not take long.
_DEPTH = 20


@dataclass
class Line:
    """A line of a cue: what is translated of it, and what stands around that."""

    before: str
    core: str
    after: str
    eol: str
    cue: int
    number: int  # among the parts of the file
    who: str = ""  # who speaks and in which style, where the file says it: another is another text


@dataclass
class _Segment:
    """Lines that are one text."""

    lines: list[Line] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(line.core for line in self.lines)


class Reading(NamedTuple):
    """What is read of a file: its parts, the lines of each cue, and when each begins and ends, in milliseconds."""

    parts: list[str]
    cues: list[list[Line]]
    clock: list[tuple[int, int]]


class Subtitles:
    """A SubRip file on its way into another language. Raises DataError where there is not one line of times in it."""

    web = False  # whether a cue may have a name before its times, and blocks of notes and styles stand between cues
    inner = ""  # what ends a line inside a cue; "": what ends lines in the file
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
        if not data:
            raise DataError(f"{name}: expected subtitles, received an empty file. Write something into it first")
        text, self.encoding = decode_document(data, name)
        self.parts, cues, self.clock = self.read(text, name)
        self._segments = [_Segment(lines) for lines in self._joined(cues)]
        self.segments = [segment.text for segment in self._segments]
        self.formats = ["srt"] * len(self.segments)

    def read(self, text: str, name: str) -> Reading:
        """The parts of a text and the cues among them; DataError where there is none."""
        pieces = re.split(r"(\r\n|\r|\n)", text)
        raw = list(zip(pieces[::2], [*pieces[1::2], ""], strict=True))
        if not any(_TIMES.match(line) for line, _ in raw):
            raise DataError(
                f"{name}: expected subtitles with times such as 00:00:01,000 --> 00:00:02,000, received none. "
                "Is it another format? Name it .txt"
            )
        return Reading([line + eol for line, eol in raw], *_cues(raw, self.web))

    def _joined(self, cues: list[list[Line]]) -> Iterator[list[Line]]:
        """The lines that are one text each."""
        lines = [line for cue in cues for line in cue]
        # In songs and titles nothing ends with a mark; there only a small letter says that a line goes on.
        punctuated = 3 * sum(_ended(cue[-1].core) for cue in cues if cue) >= len(cues)
        mine: list[Line] = []
        for line in lines:
            if mine and not self._goes_on(mine, line, punctuated):
                yield mine
                mine = []
            mine.append(line)
        if mine:
            yield mine

    def _goes_on(self, mine: list[Line], line: Line, punctuated: bool) -> bool:
        last = mine[-1]
        if line.cue == last.cue and line.number > last.number + 1:  # a blank line inside a cue
            return False
        if line.who != last.who:
            return False
        if _MARKUP.sub("", last.after + line.before).strip():  # a dash, a note of music
            return False
        if _BEGINS.match(line.core) or _SOUND.fullmatch(last.core) or _tags(last.after, "/") != _tags(line.before, ""):
            return False
        if _ended(last.core) and not line.core[:1].islower():
            return False
        if len(line.core) + sum(len(one.core) for one in mine) > _MOST:
            return False
        if line.cue == last.cue:
            return True
        begin, (before, end) = self.clock[line.cue][0], self.clock[last.cue]
        if _ended(last.core) or begin - end > _PAUSE or begin < before:
            return False
        return punctuated or line.core[:1].islower() or last.core.endswith(",")

    def render(self, answers: Sequence[str | None]) -> bytes:
        """The file with an answer for each segment; None, or the segment itself, leaves the source as it was.

        Raises ValueError where there are not as many answers as segments. The encoding is that of the source, or UTF-8
        where that has no room for a letter of the answers.
        """
        parts = list(self.parts)
        for segment, answer in zip(self._segments, answers, strict=True):
            if answer is None or answer == segment.text:
                continue
            for line in segment.lines:
                parts[line.number] = ""
            for line, text in _spread(segment.lines, answer, self.line_length, self.inner):
                parts[line.number] += line.before + text + line.after + line.eol
        return encode_as("".join(parts), self.encoding)

    def summary(self, answers: Sequence[str | None]) -> dict[str, int]:
        """How many segments there are, in how many cues, and how many have no translation."""
        kept = sum(answer is None for answer in answers)
        return {"segments": len(self.segments), "cues": len(self.clock), "kept": kept}


class WebVtt(Subtitles):
    r"""A WebVTT file (.vtt): its head, notes, styles, names and settings of cues stay as they are.

    >>> film = b"WEBVTT\n\nNOTE a remark\n\nfirst\n00:01.000 --> 00:02.500 line:0\n<v Ann>Hello there.\n"
    >>> WebVtt(film, "film.vtt").segments
    ['Hello there.']
    """

    web = True


_BLOCK = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|$)")
_SUNG = re.compile(r"<(?:\d{1,3}:)?\d{1,2}:\d{2}\.\d{1,3}>|</?c>")
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s[^<>\n]*>\s*")


def _cues(raw: list[tuple[str, str]], web: bool) -> tuple[list[list[Line]], list[tuple[int, int]]]:
    """The lines of text of each cue, and when it begins and ends, in milliseconds."""
    cues: list[list[Line]] = []
    clock: list[tuple[int, int]] = []
    beside = False  # in a block that is no cue
    for number, (line, eol) in enumerate(raw):
        if web and not line.strip():
            beside = False
        elif web and _BLOCK.match(line) and (not number or not raw[number - 1][0].strip()):
            beside = True
        if beside:
            continue
        if match := _TIMES.match(line):
            begin, end = (milliseconds(match.groups()[i : i + 4]) for i in (0, 4))
            clock.append((begin, end))
            cues.append([])
        elif cues and line.strip() and "-->" not in line and not _is_number(raw, number, web):
            voice = _VOICE.match(line) if web else None
            before = voice[0] if voice else ""
            core = _SUNG.sub("", line[len(before) :]) if web else line[len(before) :]  # other words have other times
            cues[-1].append(Line(before, core, "", eol, len(cues) - 1, number))
    for cue in cues:
        _peel(cue)
    spoken = [[line for line in cue if line.core] for cue in cues]
    return [cue for cue in spoken if cue], clock


def _is_number(raw: list[tuple[str, str]], at: int, web: bool) -> bool:
    """Whether a line is the number, or with `web` the name, of the cue whose times follow."""
    named = web and (not at or not raw[at - 1][0].strip())
    return (named or raw[at][0].strip().isdigit()) and at + 1 < len(raw) and bool(_TIMES.match(raw[at + 1][0]))


def _tags(text: str, slash: str) -> list[str]:
    """The names of the elements that a text closes, or opens."""
    return sorted(re.findall(rf"<{slash}([A-Za-z]+)", text))


def _ended(text: str) -> bool:
    """Whether a line ends a sentence: with a mark, perhaps closing ones after it.

    >>> _ended('He said "no!" '), _ended("and then")
    (True, False)
    """
    return text.rstrip().rstrip(_CLOSING).endswith(_STOPS)


def milliseconds(parts: Sequence[str | None]) -> int:
    hours, minutes, seconds = (int(part or 0) for part in parts[:3])
    return 1000 * (60 * (60 * hours + minutes) + seconds) + int((parts[3] or "").ljust(3, "0"))


def _peel(cue: list[Line]) -> None:
    """Move what stands around the words of a cue out of them: of each line, or where an element spans several, of those."""
    for line in cue:
        before, core, after = around(line.core)
        line.before, line.core, line.after = line.before + before, core, after
    for number, line in enumerate(cue):
        for _ in range(_DEPTH):
            match = _OPEN.match(line.core)
            if not match:
                break
            close = f"</{match['name']}>"
            near = enumerate(cue[number : number + _DEPTH], start=number)
            end = next((i for i, one in near if close in one.core), number)
            if end == number or cue[end].core.index(close) + len(close) < len(cue[end].core):
                break  # it ends inside a line: then it is a matter of words
            line.before, line.core = line.before + match[0], line.core[match.end() :]
            cue[end].core, cue[end].after = cue[end].core[: -len(close)], close + cue[end].after


def around(text: str) -> tuple[str, str, str]:
    r"""What stands before a line's words, the words, and what stands after them.

    >>> around(r"{\an8}<i>- Who is it?</i> ")
    ('{\\an8}<i>- ', 'Who is it?', '</i> ')
    """
    before = after = ""
    for _ in range(_DEPTH):
        lead = _BEFORE.match(text)
        begin = lead.end() if lead else 0
        end = len(text)
        while end > begin:
            if text[end - 1].isspace() or text[end - 1] in _NOTES:
                end -= 1
            elif text[end - 1] == "}" and text.rfind("{\\", begin, end) > text.rfind("}", begin, end - 1):
                end = text.rfind("{\\", begin, end)
            else:
                break
        before, after = before + text[:begin], text[end:] + after
        text = text[begin:end]
        match = _OPEN.match(text)
        close = f"</{match['name']}>" if match else ""
        if not match or not text.endswith(close) or close in text[match.end() : -len(close)]:
            break
        before, text, after = before + match[0], text[match.end() : -len(close)], close + after
    return before, text, after


def _spread(lines: list[Line], answer: str, length: int, inner: str) -> Iterator[tuple[Line, str]]:
    """The answer cut at blanks, first over the cues and then over the lines of each, in proportion to their lengths.

    A cue whose share is no word shows the whole answer; of its lines as many are used as there are words for, or with
    `length` as few as hold so many characters each.
    """
    cues = [[line for line in lines if line.cue == cue] for cue in sorted({line.cue for line in lines})]
    parts = _cut(answer, [sum(len(line.core) for line in cue) for cue in cues]) or [answer] * len(cues)
    for cue, part in zip(cues, parts, strict=True):
        broken = balanced(part, length) if length else []
        for count in range(min(len(cue), len(broken) or len(cue)), 0, -1):
            rows = _cut(part, [len(line.core) for line in cue[:count]])
            if length:  # what is more than the source's lines stands in its last one
                rows = [*broken[: count - 1], (inner or cue[0].eol or "\n").join(broken[count - 1 :])]
            if rows:
                # What stands after the last line stands there still where there is one line less.
                last = Line(cue[count - 1].before, "", cue[-1].after, cue[-1].eol, cue[0].cue, cue[count - 1].number)
                used = cue if count == len(cue) else [*cue[: count - 1], last]
                yield from zip(used, rows, strict=True)
                break


def balanced(text: str, length: int) -> list[str]:
    r"""A text as lines of at most `length` characters; tags and overrides are none.

    >>> balanced(r"I have {\i1}never{\i0} said that.", 12), balanced("今天天气很好。", 4)
    (['I have {\\i1}never{\\i0}', 'said that.'], ['今天天气', '很好。'])
    """
    hidden = [match.span() for match in _MARKUP.finditer(text)]
    return sentences.balance(text, length, placeholders.spans(text, "srt"), hidden)


def _cut(text: str, sizes: Sequence[int]) -> list[str] | None:
    """A text as parts whose lengths are in proportion to `sizes`, or None where it has not so many words.

    >>> _cut("one two three four", [1, 1]), _cut("one two three four", [3, 1]), _cut("one", [1, 1])
    (['one two', 'three four'], ['one two three', 'four'], None)
    """
    places = sentences.breaks(text, placeholders.spans(text, "srt"))
    if len(places) < len(sizes) - 1:
        return None
    parts, start, first, done = [], 0, 0, 0
    for index, size in enumerate(sizes[:-1], start=1):
        done += size
        ideal = len(text) * done / max(1, sum(sizes))
        last = len(places) - (len(sizes) - 1 - index)  # enough of them are left over for the parts that follow

        def cost(i: int, start: int = start, ideal: float = ideal) -> float:
            # A line of nothing but a number, before the next times, would be that cue's number.
            return _cost(text, places[i], ideal) + _NEVER * text[start : places[i][0]].isdigit()

        chosen = min(range(first, last), key=cost)
        parts.append(text[start : places[chosen][0]])
        start, first = places[chosen][1], chosen + 1
    return [*parts, text[start:]]


def _cost(text: str, place: tuple[int, int], ideal: float) -> float:
    """How bad a cut is: its distance, less after a mark, more inside an element, which a player ends with the cue."""
    before = text[: place[0]]
    open_ = len(re.findall(r"<[A-Za-z][^<>]*>", before)) - len(re.findall(r"</[A-Za-z]", before))
    return abs(place[0] - ideal) - 4 * before.endswith((",", ".", "!", "?", ";", ":")) + 40 * max(0, open_)
