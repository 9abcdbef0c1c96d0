"""Recordings with what is said in them, whatever they come as -> examples.

    examples, lines = read_speech(["talks/"])
    examples[0]         {"audio": "talks/one.wav#t=3.2,5.9", "text": "Good morning."}

LJSpeech (metadata.csv, wavs/), Common Voice (TSV, clips/), Kaldi (wav.scp, text, segments), LibriSpeech (.trans.txt), manifests in
JSONL, tables, `x.wav` with `x.txt`, a folder for each word (Speech Commands), and long recordings with subtitles, a TextGrid or
labels of Audacity beside them, which are cut by their times.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lamella.data.media.sounds import SUFFIXES, name_span, seconds_of
from lamella.data.readers.bad_rows import refuse_many
from lamella.data.readers.cues import CUES, LATEST, Cue, labels_of, read_cues
from lamella.data.readers.kaldi import is_kaldi, read_kaldi
from lamella.data.readers.report import counted
from lamella.data.readers.suffixes import is_table
from lamella.data.readers.tables import read_table
from lamella.data.text.encoding import quote, read_text, show_path, split_lines
from lamella.errors import DataError

EXPECTED = (
    "LJSpeech (metadata.csv and wavs/), Common Voice (TSV and clips/), Kaldi (wav.scp and text), LibriSpeech (.trans.txt), a JSONL "
    "manifest, a table of audio and text, recordings with .txt, .srt, .vtt or .TextGrid beside them, or a folder for each word"
)
AUDIO_NAMES = (
    *("audio", "audio_filepath", "path", "file", "filename", "file_name", "wav", "wav_filename", "sound", "recording"),
    *("clip", "audio_path", "filepath", "audio_file"),
)
TEXT_NAMES = ("text", "sentence", "transcript", "transcription", "normalized_text", "normalised", "words", "label")
BESIDE = ("", "wavs", "clips", "wav", "audio", "recordings", "sounds")
TRANSCRIPTS = (".txt", ".lab", ".normalized.txt")
LONGEST = 35.0  # seconds of an example: longer ones are cut by their subtitles, or left out
FASTEST = 25.0  # letters a second: a step of the net is 40 ms, and nobody speaks so fast
Found = tuple[str, str, str]  # the recording, its text, where that stands


def read_speech(
    paths: Sequence[str | Path], columns: Mapping[str, str] | None = None
) -> tuple[list[dict[str, Any]], list[str]]:
    """Files and folders -> [{"audio", "text"}], and lines that say what was understood, kept and left out.

    columns: of a table, which column is the `audio` and which the `text`. Raises DataError where no format is recognised,
    or more than a tenth of the recordings cannot be read.
    """
    found: list[Found] = []
    lines: list[str] = []
    for given in paths:
        place = Path(given)
        if not place.exists():
            raise DataError(f"{show_path(place)}: expected {EXPECTED}; received no such file or folder.")
        found += _folder(place, lines) if place.is_dir() else _file(place, columns, lines)
    where = " and ".join(show_path(p) for p in paths[:3])
    if not found:
        raise DataError(f"{where}: expected {EXPECTED}; received no recording with its text.")
    return _usable(found, where, lines)


def _usable(found: Sequence[Found], where: str, lines: list[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """What can be trained on: sounds that can be opened, with a text that fits into them."""
    kept: list[dict[str, Any]] = []
    left: Counter[str] = Counter()
    first: dict[str, str] = {}
    bad: list[str] = []
    total = 0.0
    for audio, text, at in found:
        reason = ""
        try:
            seconds = seconds_of(audio)
        except DataError as error:
            bad.append(f"{at}: {error}" if at not in str(error) else str(error))
            continue
        if not text.strip():
            reason = "without a text"
        elif seconds > LONGEST:
            reason = f"longer than {LONGEST:g} s: put subtitles beside them (.srt), by which they are cut"
        elif len(text) > FASTEST * seconds:
            reason = f"with a text that is too long for them, more than {FASTEST:g} letters a second"
        if reason:
            left[reason] += 1
            first.setdefault(reason, at)
            continue
        total += seconds
        kept.append({"audio": audio, "text": text})
    refuse_many(where, len(found) - len(bad), bad, "recordings", "Correct or remove them.")
    if not kept:
        why = "; ".join(f"{count:,} {reason}" for reason, count in left.items())
        raise DataError(f"{where}: expected recordings that can be learned from, received {len(found):,}, {why}.")
    lines.append(f"kept {counted(len(kept), 'recording')}, {total / 60:.1f} minutes")
    lines += [f"left out {count:,} {reason} (the first: {first[reason]})" for reason, count in left.items()]
    lines += [f"left out {len(bad):,} that cannot be read"] if bad else []
    lines += [f"left out: {line}" for line in bad[:10]]
    if total < 1800:
        lines.append(
            "note: less than half an hour teaches a closed domain, such as digits or commands, and little of free speech"
        )
    return kept, lines


# ---- folders and files -------------------------------------------------------------------------------------------------


def _folder(place: Path, lines: list[str]) -> list[Found]:
    """What is in a folder decides: tables and lists first, else files beside recordings."""
    if is_kaldi(place):
        return _said(place, "Kaldi", read_kaldi(place), lines)
    names = {p.name.lower(): p for p in sorted(place.iterdir()) if p.is_file() and not p.name.startswith(".")}
    for name in ("metadata.csv", "metadata.txt", "metadata.tsv", "transcripts.csv", "manifest.jsonl", "manifest.json"):
        if name in names:
            return _file(names[name], None, lines)
    if "validated.tsv" in names or "train.tsv" in names:
        return _file(names.get("train.tsv", names.get("validated.tsv", place)), None, lines)
    said: list[str] = []
    found = _beside(place, said)
    if not found and (listed := _listed(place, lines)):
        return listed
    if found:
        lines += said
        return found
    tables = [path for name, path in names.items() if is_table(name)]
    if len(tables) == 1:
        return _file(tables[0], None, lines)
    if found := _commands(place, lines):
        return found
    why = f" {said[0]}." if said else ""
    raise DataError(f"{show_path(place)}: expected {EXPECTED}; received a folder without any of these.{why}")


def _listed(place: Path, lines: list[str]) -> list[Found]:
    """LibriSpeech: `84-121.trans.txt` beside its recordings, a name and what is said on each line."""
    found: list[Found] = []
    for path in sorted(place.rglob("*.trans.txt")):
        find = _finder(path.parent)
        for number, line in enumerate(split_lines(read_text(path)[0]), start=1):
            name, _, text = line.strip().partition(" ")
            if name:
                found.append((find(name), text, f"{show_path(path)}, line {number}"))
    return _said(place, "LibriSpeech", found, lines) if found else []


def _commands(place: Path, lines: list[str]) -> list[Found]:
    """Speech Commands: a folder for each word, with recordings of it and nothing else."""
    folders = [p for p in sorted(place.iterdir()) if p.is_dir() and not p.name.startswith((".", "_"))]
    inside = {folder: [p for p in sorted(folder.iterdir()) if not p.name.startswith(".")] for folder in folders}
    if len(folders) < 2 or not all(p and all(f.suffix.lower() in SUFFIXES for f in p) for p in inside.values()):
        return []
    found = [
        (str(path), folder.name.replace("_", " "), show_path(path))
        for folder, files in inside.items()
        for path in files
    ]
    return _said(place, f"a folder for each of {len(folders):,} words", found, lines)


def _file(path: Path, columns: Mapping[str, str] | None, lines: list[str]) -> list[Found]:
    suffix = path.suffix.lower()
    if suffix in CUES:
        return _said(path, CUES[suffix], _by_cues(path, _cues(path, lines)), lines)
    if suffix in SUFFIXES:
        found = _one(path, lines)
        if not found:
            raise DataError(
                f"{show_path(path)}: expected a text beside it, {path.stem}.txt, .srt, .vtt or .TextGrid; received none."
            )
        return _said(path, "a recording", found, lines)
    if path.name in ("wav.scp", "segments", "text") and is_kaldi(path.parent):
        return _said(path.parent, "Kaldi", read_kaldi(path.parent), lines)
    if suffix in (".csv", ".txt") and columns is None and (found := _piped(path)):
        return _said(path, "LJSpeech", found, lines)
    if is_table(path):
        return _table(path, columns, lines)
    raise DataError(f"{show_path(path)}: expected {EXPECTED}; received a file with the suffix {quote(path.suffix)}.")


def _said(place: Path, kind: str, found: list[Found], lines: list[str]) -> list[Found]:
    lines.append(f"{show_path(place)}: {kind}; {counted(len(found), 'text')}")
    return found


def _beside(place: Path, lines: list[str]) -> list[Found]:
    """All recordings below a folder that have a text beside them."""
    found: list[Found] = []
    said: list[str] = []
    alone: list[str] = []
    stems, texts = set[str](), list[Path]()
    for inside, folders, files in os.walk(place):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in sorted(f for f in files if not f.startswith(".")):
            path, suffix = Path(inside, name), Path(name).suffix.lower()
            if suffix in (*CUES, *TRANSCRIPTS):
                texts.append(path)
            if suffix in SUFFIXES:
                one = _one(path, said)
                found += one
                alone += [] if one else [show_path(path)]
                stems.add(str(path.with_suffix("")).lower())
    if not found:
        lines += said
        if alone:
            lines.append(f"{counted(len(alone), 'recording')} without a text beside it, the first: {alone[0]}")
    else:
        lines.append(f"{show_path(place)}: recordings with texts beside them; {counted(len(found), 'text')}")
        lines += said
        others = [show_path(text) for text in texts if not stems & set(_stems(text))]
        for noun, names in (("recording without a text", alone), ("text without a recording", others)):
            if names:
                lines.append(f"left out {len(names):,}: a {noun} beside it (the first: {names[0]})")
    return found


def _stems(text: Path) -> list[str]:
    """The names without suffix that the recording of a text may have: of `talk.en.srt` talk.en and talk."""
    first = text.with_suffix("")
    return [str(first).lower(), str(first.with_suffix("")).lower()]


def _one(sound: Path, lines: list[str]) -> list[Found]:
    """The text of one recording that stands beside it, cut by its times where it has such."""
    names = {p.name.lower(): p for p in (sound.parent.iterdir() if sound.parent.is_dir() else ())}
    for suffix in (*CUES, *TRANSCRIPTS):
        of_languages = [
            n for n in names if re.fullmatch(re.escape(sound.stem.lower()) + r"\.[a-z]{2,3}(-\w+)?" + suffix, n)
        ]
        for name in (
            f"{sound.stem}{suffix}",
            f"{sound.name}{suffix}",
            *(of_languages if len(of_languages) == 1 else ()),
        ):
            path = names.get(name.lower())
            if path and suffix in CUES:
                return _spans(sound, _cues(path, lines))
            if path:
                text = read_text(path)[0]
                labels = labels_of(text, show_path(path))
                return _spans(sound, labels) or [(str(sound), " ".join(text.split()), show_path(path))]
        if len(of_languages) > 1:
            lines.append(
                f"{show_path(sound)}: {' and '.join(sorted(of_languages)[:3])} beside it, of which one can be used"
            )
    return []


def _cues(path: Path, lines: list[str]) -> list[Cue]:
    """The cues of a file that say something; the others are counted."""
    cues, left = read_cues(path)
    lines += [f"left out {len(places):,}: {reason} (the first: {places[0]})" for reason, places in left.items()]
    return cues


def _by_cues(path: Path, cues: Sequence[Cue]) -> list[Found]:
    """The recording beside subtitles, cut by them."""
    stems = (path.stem, Path(path.stem).stem)  # talk.en.srt belongs to talk.wav too
    for stem in stems:
        for other in sorted(path.parent.iterdir()):
            if other.suffix.lower() in SUFFIXES and other.stem.lower() == stem.lower():
                return _spans(other, cues)
    raise DataError(
        f"{show_path(path)}: expected the recording beside it, {stems[-1]}.wav or another sound of that name; received none."
    )


def _spans(sound: Path, cues: Sequence[Cue]) -> list[Found]:
    return [(name_span(str(sound), cue.start, cue.end), cue.text, cue.where) for cue in cues if cue.text]


# ---- tables ------------------------------------------------------------------------------------------------------------


def _piped(path: Path) -> list[Found]:
    """LJSpeech: `id|text|text with numbers written out`, without a header; [] where the file is something else."""
    rows = [(n, line.split("|")) for n, line in enumerate(split_lines(read_text(path)[0]), start=1) if line.strip()]
    if not rows or not all(2 <= len(cells) <= 4 for _, cells in rows[:20]):
        return []
    find = _finder(path.parent)
    if not any(_is_file(Path(find(cells[0]))) for _, cells in rows[:20]):
        return []
    three = [cells for _, cells in rows if len(cells) == 3]
    # The third column has numbers written out; in lists of other programs it is the number of a speaker.
    at = 2 if len(three) > len(rows) / 2 and 2 * sum(len(c[2]) for c in three) > sum(len(c[1]) for c in three) else 1
    return [
        (
            find(cells[0]),
            (cells[at] if len(cells) > at else "") or cells[1 % len(cells)],
            f"{show_path(path)}, line {n}",
        )
        for n, cells in rows
    ]


def _table(path: Path, columns: Mapping[str, str] | None, lines: list[str]) -> list[Found]:
    """A table, or a manifest: a recording and its text a row, and of a part of one where it begins and how long it is."""
    wanted = {"audio": AUDIO_NAMES, "text": TEXT_NAMES, "offset": ("offset", "start"), "duration": ("duration",)}
    table = read_table([path], wanted, columns, optional=("offset", "duration"))
    lines += table.report.lines()
    find = _finder(path.parent)
    found = []
    for row in table.rows:
        audio = find(row["audio"])
        try:
            offset, duration = float(row.get("offset") or 0), float(row.get("duration") or 0)
        except ValueError:
            offset = duration = 0.0
        if 0 <= offset < LATEST and 0 < duration < LATEST and row.get("offset") and "#t=" not in audio:
            audio = name_span(audio, offset, offset + duration)
        found.append((audio, row["text"], row.where))
    return found


def _finder(folder: Path) -> Callable[[str], str]:
    """What finds a recording that a table in a folder names: beside it, in wavs/ or clips/, with or without a suffix."""

    def find(name: str) -> str:
        name = name.strip()
        if name[:5].lower() == "data:" or "\0" in name or len(name) > 1000:
            return name
        plain, mark, span = name.partition("#t=")
        tails = dict.fromkeys([plain, plain.replace("\\", "/").rpartition("/")[2]])
        for tail in tails:
            for inside in BESIDE:
                for suffix in ("", ".wav", ".flac", ".ogg", ".opus", ".mp3"):
                    place = folder / inside / (tail + suffix)
                    if _is_file(place):
                        return str(place) + mark + span
        return str(folder / name)

    return find


def _is_file(place: Path) -> bool:
    try:
        return place.is_file()
    except (OSError, ValueError):
        return False
