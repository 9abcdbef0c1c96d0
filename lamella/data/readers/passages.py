"""Running text from the files people have -> passages, for nets that learn to go on with a text.

    passages, lines = read_passages(["novels/", "letters.jsonl"], window=128)
    passages[0]                     "It is a truth universally acknowledged, ..."
    "".join(passages)               every letter of every file, in order

A text is cut into passages of many windows each. A passage is what may be held out; a net in training sees a window of it
from wherever it likes, and so never the same cut twice, and never a letter of what is held out.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from lamella.data.readers.bad_rows import refuse_many
from lamella.data.readers.suffixes import is_table
from lamella.data.readers.tables import list_paths, read_table
from lamella.data.text.encoding import read_text, show_path
from lamella.errors import DataError

TEXT_NAMES = (
    *("text", "content", "body", "document", "story", "article", "sentence", "message", "lyrics", "poem", "name"),
)
LONGEST = 32  # windows of a passage
WANTED = 100  # passages that a text is cut into, so that those held out show how sure a measure is
FEWEST = 20  # passages of little text: a tenth of them can be held out
SHORTEST = 16  # characters of a passage
_LISTED = 10


def read_passages(
    paths: Sequence[str], window: int, whole_words: bool = False, columns: Mapping[str, str] | None = None
) -> tuple[list[str], list[str]]:
    """Text files, folders of them, and tables with a column of texts -> passages and lines that say what was read.

    window: characters that a net sees at once; passages are a whole number of windows long where there is text enough.
    Where there are 20 texts or more, only those longer than 32 windows are cut.
    whole_words: cut at white space, for nets that read pieces of words. A row of a table is a text by itself and is
    given a line break as its end. Raises DataError where more than a tenth of the files cannot be read, or all are empty.
    """
    texts: list[str] = []
    lines: list[str] = []
    for given in list_paths(paths):
        path = Path(given)
        if is_table(path) and path.is_file():
            table = read_table([given], {"text": TEXT_NAMES}, columns)
            texts += [_lines_end_alike(row["text"]).rstrip("\n") + "\n" for row in table.rows]
            lines += table.report.lines()
        else:
            found, said = _read_folder(path) if path.is_dir() else _read_file(given)
            texts += found
            lines += said
    total = sum(map(len, texts))
    if not total:
        raise DataError(
            f"{', '.join(map(show_path, paths))}: expected text, received empty files. Name files with text."
        )
    length = LONGEST * window if len(texts) >= FEWEST else passage_length(total, window)
    passages = [passage for text in texts for passage in cut(text, length, whole_words)]
    lines.append(f"{len(passages):,} passages of at most {length:,} characters, {total:,} in all")
    if total <= window:
        lines.append(f"note: all text together is shorter than a window ({window} characters), and is read as it is")
    return passages, lines


def passage_length(total: int, window: int) -> int:
    """Characters of a passage: whole windows, 32 at most, so that there are a hundred passages; shorter for little text.

    >>> passage_length(1_000_000, 128), passage_length(50_000, 128), passage_length(5_000, 128), passage_length(500, 128)
    (4096, 384, 128, 25)
    """
    windows = min(LONGEST, max(total // (WANTED * window), int(total >= FEWEST * window)))
    return windows * window if windows else max(SHORTEST, total // FEWEST)


def cut(text: str, length: int, whole_words: bool = False) -> list[str]:
    """A text in passages of `length` characters, the last one shorter; together they are the text.

    >>> cut("to be or not to be", 8), cut("to be or not to be", 8, whole_words=True)
    (['to be or', ' not to ', 'be'], ['to be ', 'or not ', 'to be'])
    """
    found, first = [], 0
    while first < len(text):
        last = min(len(text), first + length)
        if whole_words and last < len(text):
            # Back to behind the last white space, where there is any in the second half.
            while last > first + length // 2 and not text[last - 1].isspace():
                last -= 1
            if not text[last - 1].isspace():
                last = first + length
        found.append(text[first:last])
        first = last
    return found


def _read_file(path: str | os.PathLike[str]) -> tuple[list[str], list[str]]:
    text, encoding = read_text(path)
    if not text.strip():
        raise DataError(f"{show_path(path)}: expected text, received an empty file. Name a file with text.")
    return [_lines_end_alike(text)], [f"{show_path(path)}: text, {encoding}; {len(text):,} characters"]


def _read_folder(folder: Path) -> tuple[list[str], list[str]]:
    """Every file in a folder and in those below it, in order of their names; hidden ones are left alone."""
    inside = sorted(p for p in folder.rglob("*") if not p.is_dir() and not _hidden(p.relative_to(folder)))
    files = [p for p in inside if p.is_file()]
    others = [show_path(p) for p in inside if not p.is_file()]
    name = show_path(folder)
    if not files:
        raise DataError(f"{name}: expected a folder with text files, received one without files. Check the path.")
    texts, bad, empty, encodings = [], [], [], Counter[str]()
    for path in files:
        try:
            text, encoding = read_text(path)
        except DataError as error:
            bad.append(str(error))
            continue
        if text.strip():
            texts.append(_lines_end_alike(text))
            encodings[encoding] += 1
        else:
            empty.append(show_path(path))
    refuse_many(name, len(files) - len(bad), bad, "files", "Correct or remove them.")
    how = ", ".join(f"{count:,} in {encoding}" for encoding, count in encodings.most_common())
    lines = [f"{name}: {len(texts):,} text files ({how}); {sum(map(len, texts)):,} characters"]
    lines += [f"left out: {problem}" for problem in bad]
    if others:  # to read a pipe would be to wait
        lines.append(f"left out: {len(others):,} that are no files: {', '.join(others[:_LISTED])}")
    if empty:
        lines.append(f"left out: {len(empty):,} empty files: {', '.join(empty[:_LISTED])}")
    return texts, lines


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _lines_end_alike(text: str) -> str:
    """A line ends in one way whatever system wrote it.

    >>> _lines_end_alike("one\\r\\ntwo\\rthree")
    'one\\ntwo\\nthree'
    """
    return text.replace("\r\n", "\n").replace("\r", "\n")
