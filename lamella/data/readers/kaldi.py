"""Kaldi's data folders: `wav.scp` names recordings, `segments` parts of them, `text` what is said in each."""

from pathlib import Path

from lamella.data.media.sounds import name_span
from lamella.data.text.encoding import quote, read_text, show_path, split_lines
from lamella.errors import DataError


def is_kaldi(place: Path) -> bool:
    return (place / "wav.scp").is_file() and (place / "text").is_file()


def read_kaldi(place: Path) -> list[tuple[str, str, str]]:
    """A data folder -> (recording or a span of it, text, where that stands) for each line of `text`.

    A line of `text` that names nothing gives a recording of that name, which is not there. DataError where a recording comes
    out of a command, which is never run, or a part is of no recording.
    """
    sounds = {key: _sound(place, key, rest) for _, key, rest in _rows(place / "wav.scp")}
    parts = {}
    if (place / "segments").is_file():
        for number, key, rest in _rows(place / "segments"):
            cells = rest.split()
            try:
                name, start, end = cells[0], float(cells[1]), float(cells[2])
                if not 0 <= start < end < 1e6:
                    raise ValueError("times that are none")
                parts[key] = name_span(sounds[name], start, end)
            except (KeyError, ValueError, IndexError) as error:
                raise DataError(
                    f"{show_path(place / 'segments')}, line {number}: expected a part, a recording of wav.scp, start and end in "
                    f"seconds, received {quote(f'{key} {rest}')}."
                ) from error
    known = parts or sounds
    found = []
    for number, key, rest in _rows(place / "text"):
        where = f"{show_path(place / 'text')}, line {number}"
        found.append((known.get(key, str(place / key)), rest, where))
    return found


def _rows(path: Path) -> list[tuple[int, str, str]]:
    """(number of the line, its first word, the rest)."""
    rows = []
    for number, line in enumerate(split_lines(read_text(path)[0]), start=1):
        key, *rest = line.split(maxsplit=1)[:2] or [""]
        if key:
            rows.append((number, key, "".join(rest).strip()))
    return rows


def _sound(place: Path, key: str, rest: str) -> str:
    if rest.endswith("|") or not rest:
        raise DataError(
            f"{show_path(place / 'wav.scp')}: expected a file for {quote(key)}, received "
            f"{'a command, which is not run' if rest else 'nothing'}. Write the sounds to files first."
        )
    return str(next((p for p in (Path(rest), place / rest) if p.is_file()), place / rest))
