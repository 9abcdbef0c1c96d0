"""Texts with times: subtitles (.srt, .vtt), Praat's TextGrid, ELAN's .eaf -> what is said from when to when."""

import re
from pathlib import Path
from typing import NamedTuple

from lamella.data.text.encoding import read_bytes, read_text, show_path, split_lines
from lamella.errors import DataError

CUES = {".srt": "SubRip", ".vtt": "WebVTT", ".textgrid": "TextGrid", ".eaf": "ELAN"}
LATEST = 1e6  # seconds
_CLOCK = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})"
_TIMES = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}")
_MARKUP = re.compile(r"<[^<>\n]*>|\{\\[^{}\n]*\}")
_SOUND = re.compile(r"[(\[][^()\[\]]*[)\]]|[♪♫#]+")  # [door slams], notes of music
_PAUSES = {"sp", "sil", "spn", "<eps>", "<p>", "silence"}  # what programs that align words write where nothing is said
_LABEL = re.compile(r"\s*(\d+(?:\.\d+)?)\t(\d+(?:\.\d+)?)\t(.*)")
WORD, GAP, JOINED = 1.0, 0.3, 12.0  # seconds: a word's, between words that belong together, and those together
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE]-?\d+)?")


class Cue(NamedTuple):
    """What is said from when to when, in seconds."""

    start: float
    end: float
    text: str
    where: str
    noted: bool = False
    """Something stands there, if only a sound in brackets."""


def read_cues(path: Path) -> tuple[list[Cue], dict[str, list[str]]]:
    """A file with texts and times -> its cues in order, without sounds in brackets; and where others stand, by the reason.

    Raises DataError where it has none.
    """
    suffix = path.suffix.lower()
    if suffix == ".eaf":
        cues = _elan(path)
    elif suffix == ".textgrid":
        cues = _textgrid(path)
    else:
        cues = _subtitles(path)
    left: dict[str, list[str]] = {}
    kept = []
    for cue in cues:
        if not 0 <= cue.start < cue.end < LATEST:
            left.setdefault("cues that do not end after they begin", []).append(cue.where)
        elif cue.text:
            kept.append(cue)
        elif cue.noted:  # pauses of a TextGrid are no cues
            left.setdefault("cues of sounds alone, such as [music]", []).append(cue.where)
    if not kept:
        raise DataError(f"{show_path(path)}: expected texts with their times, received none. Is it another format?")
    return kept, left


def _subtitles(path: Path) -> list[Cue]:
    cues: list[Cue] = []
    lines = split_lines(read_text(path)[0])
    at = 0
    while at < len(lines):
        times = _TIMES.match(lines[at])
        at += 1
        if not times:
            continue
        first, said = at, []
        while at < len(lines) and lines[at].strip() and not _TIMES.match(lines[at]):
            said.append(lines[at])
            at += 1
        text = _SOUND.sub(" ", _MARKUP.sub("", " ".join(said)))
        text = " ".join(re.sub(r"(^|\s)[-–—]\s", " ", text).split())
        cues.append(
            Cue(
                _seconds(*times.groups()[:4]),
                _seconds(*times.groups()[4:]),
                text,
                f"{show_path(path)}, line {first}",
                bool(said),
            )
        )
    return cues


def _seconds(hours: str | None, minutes: str, seconds: str, parts: str) -> float:
    """
    >>> _seconds(None, "01", "02", "5"), _seconds("1", "00", "00", "250")
    (62.5, 3600.25)
    """
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{parts}")


def _textgrid(path: Path) -> list[Cue]:
    """Intervals of the first tier that has words in it; the long and the short form, which have the same values in order.

    Praat's words (`xmin =`, `intervals [1]:`) only stand between the numbers and the texts in quotes.
    """
    text = read_text(path)[0]
    if "TextGrid" not in text[:200]:
        raise DataError(f"{show_path(path)}: expected a TextGrid of Praat, received another text.")
    # Texts and numbers in order; what is inside brackets only counts.
    values: list[tuple[str, str]] = []
    for part in re.finditer(r'"(?:[^"]|"")*"|\[[^\[\]\n]*\]|[^\s"\[\]]+', text):
        word = part[0]
        if word.startswith('"'):
            values.append((word[1:-1].replace('""', '"'), "text"))
        elif _NUMBER.fullmatch(word):
            values.append((word, "number"))
    tiers: list[list[Cue]] = []
    at = 0
    while at < len(values):
        word, kind = values[at]
        if kind == "text" and word in ("IntervalTier", "TextTier"):
            tiers.append([])
            if word == "TextTier":
                at += 1
                continue
            at += 4  # its name, begin and end, and how many follow
            while at + 3 < len(values) and [k for _, k in values[at + 1 : at + 4]] == ["number", "number", "text"]:
                start, end, said = (v for v, _ in values[at + 1 : at + 4])
                where = f"{show_path(path)}, {float(start):g} s"
                tiers[-1].append(Cue(float(start), float(end), " ".join(_SOUND.sub(" ", said).split()), where))
                at += 3
        at += 1
    tiers = [[cue._replace(text="") if cue.text.lower() in _PAUSES else cue for cue in tier] for tier in tiers]
    spoken = [tier for tier in tiers if any(" " in cue.text for cue in tier)]
    words = [tier for tier in tiers if any(cue.text for cue in tier)]
    return spoken[0] if spoken else _joined(words[0]) if words else []


def _joined(words: list[Cue]) -> list[Cue]:
    """Single words, as programs that align them write them, put together to what is said without a pause."""
    said = sorted((cue for cue in words if cue.text and cue.end > cue.start), key=lambda cue: cue.start)
    if len(said) < 3 or sorted(cue.end - cue.start for cue in said)[len(said) // 2] > WORD:
        return words
    cues = said[:1]
    for word in said[1:]:
        last = cues[-1]
        if word.start - last.end <= GAP and word.end - last.start <= JOINED:
            cues[-1] = last._replace(end=max(last.end, word.end), text=f"{last.text} {word.text}")
        else:
            cues.append(word)
    return cues


def labels_of(text: str, where: str) -> list[Cue]:
    """Labels as Audacity exports them: begin, end and text on a line, with tabs between; [] for any other text.

    >>> [cue[:3] for cue in labels_of("0.5\\t2.0\\thello\\n", "a.txt")], labels_of("5 minutes", "b.txt")
    ([(0.5, 2.0, 'hello')], [])
    """
    lines = [(n, line) for n, line in enumerate(split_lines(text), 1) if line.strip()]
    found = [(n, _LABEL.fullmatch(line)) for n, line in lines]
    rows = [(n, match) for n, match in found if match]
    if not rows or len(rows) < len(found):
        return []
    return [Cue(float(m[1]), float(m[2]), " ".join(m[3].split()), f"{where}, line {n}") for n, m in rows]


def _elan(path: Path) -> list[Cue]:
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException  # type: ignore[import-untyped,unused-ignore]
    from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped,unused-ignore]

    try:
        root = fromstring(read_bytes(path))
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise DataError(f"{show_path(path)}: expected ELAN's XML, received something else ({error}).") from error
    times = {}
    for slot in root.iter("TIME_SLOT"):
        value = slot.get("TIME_VALUE", "")
        if value.isdigit():
            times[slot.get("TIME_SLOT_ID")] = int(value) / 1000
    for tier in root.iter("TIER"):
        cues = []
        for one in tier.iter("ALIGNABLE_ANNOTATION"):
            start, end = times.get(one.get("TIME_SLOT_REF1")), times.get(one.get("TIME_SLOT_REF2"))
            said = " ".join((one.findtext("ANNOTATION_VALUE") or "").split())
            if start is not None and end is not None:
                cues.append(Cue(start, end, said, f"{show_path(path)}, {start:g} s"))
        if any(cue.text for cue in cues):
            return cues
    return []
