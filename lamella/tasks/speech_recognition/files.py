"""What is said as files: text, subtitles, JSON, Praat's TextGrid."""

import json
from collections.abc import Sequence
from typing import Any

from lamella.task import Answer

MOST_LETTERS, MOST_SECONDS, PAUSE = 42, 6.0, 0.8  # of a subtitle: a line that can be read in the time; a pause ends one
Words = Sequence[dict[str, Any]]


def write(suffix: str, seconds: Sequence[float], answers: Sequence[Answer]) -> bytes | None:
    """One recording's answer as the bytes of a file; None where a file with this suffix holds no speech.

    seconds: how long the recording is.
    """
    words = answers[0]["words"]
    if suffix == ".txt":
        return _text(words)
    if suffix in (".srt", ".vtt"):
        return _subtitles(words, suffix).encode()
    if suffix == ".json":
        return (
            json.dumps({**answers[0], "seconds": round(seconds[0], 3)}, ensure_ascii=False, indent=1) + "\n"
        ).encode()
    return _textgrid(words, seconds[0]).encode() if suffix == ".textgrid" else None


def cues(words: Words) -> list[Words]:
    """Words -> subtitles: a few words each, cut where there is a pause.

    >>> said = [{"word": "one", "start": 0.0, "end": 0.4}, {"word": "two", "start": 2.0, "end": 2.4}]
    >>> [[word["word"] for word in cue] for cue in cues(said)]
    [['one'], ['two']]
    """
    found: list[list[dict[str, Any]]] = []
    for word in words:
        now = found[-1] if found else []
        letters = sum(len(w["word"]) + 1 for w in now) + len(word["word"])
        goes_on = now and word["start"] - now[-1]["end"] < PAUSE and letters <= MOST_LETTERS
        if goes_on and word["end"] - now[0]["start"] <= MOST_SECONDS:
            now.append(word)
        else:
            found.append([word])
    return [list(cue) for cue in found]


def clock(seconds: float, mark: str) -> str:
    """
    >>> clock(3723.5, ",")
    '01:02:03,500'
    """
    whole = round(seconds * 1000)
    return f"{whole // 3600000:02}:{whole // 60000 % 60:02}:{whole // 1000 % 60:02}{mark}{whole % 1000:03}"


def _text(words: Words) -> bytes:
    """A line for what is said between two long pauses."""
    lines: list[list[str]] = []
    end = -10.0
    for word in words:
        if word["start"] - end > 2 * PAUSE:
            lines.append([])
        lines[-1].append(word["word"])
        end = word["end"]
    return "".join(" ".join(line) + "\n" for line in lines).encode()


def _subtitles(words: Words, suffix: str) -> str:
    mark = "," if suffix == ".srt" else "."
    blocks = []
    shown = cues(words)
    for i, cue in enumerate(shown, start=1):
        start, end = cue[0]["start"], cue[-1]["end"]
        if i < len(shown):
            end = min(end, shown[i][0]["start"])  # two at once hide each other
        times = f"{clock(start, mark)} --> {clock(max(end, start + 0.04), mark)}"
        blocks.append(f"{i}\n{times}\n{' '.join(word['word'] for word in cue)}\n")
    return ("WEBVTT\n\n" if suffix == ".vtt" else "") + "\n".join(blocks)


def _textgrid(words: Words, seconds: float) -> str:
    """An interval for each word and for each pause, without a gap, as Praat wants it."""
    rows: list[tuple[float, float, str]] = []
    end = 0.0
    for word in words:
        start = max(end, word["start"])
        stop = min(max(seconds, start), max(word["end"], start + 0.01))
        if start > end:
            rows.append((end, start, ""))
        rows.append((start, stop, word["word"].replace('"', '""')))
        end = stop
    last = max(seconds, end)
    if end < last or not rows:
        rows.append((end, last, ""))
    head = f'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n{last:g}\n<exists>\n1\n"IntervalTier"\n"words"\n0\n{last:g}\n'
    return head + f"{len(rows)}\n" + "".join(f'{a:.2f}\n{b:.2f}\n"{text}"\n' for a, b, text in rows)
