"""Texts for nets that fill masks: running text, of which a word a passage is masked, and cloze tests with their answers.

rows, lines = read_cloze(["letters/"], window=128)         {"text": "... in the ___ of ...", "words": "middle"}
rows, lines = read_cloze(["tests.tsv"], window=128)        columns text and words (or answer), and choices where there are
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lamella.data.readers.suffixes import is_table
from lamella.errors import DataError, UsageError

WORD_NAMES = ("words", "word", "answer", "target", "solution", "label")
CHOICE_NAMES = ("choices", "options", "candidates", "targets")
CLOZE_NAMES = ("text", "sentence", "question", "cloze", "prompt", "masked")
CHARACTERS = 4  # of a piece, about
# A word by itself: letters, with no mark or digit that belongs to it on either side.
WORD = re.compile(r"(?<![\w'’\-])[^\W\d_]{2,}(?![\w'’\-])")

PATTERN = r"_{3,}|\[MASK\]|<mask>|\{\}"  # a mask
MASKS = re.compile(PATTERN)

Check = Callable[[str], int]  # a text -> how many masks it has, or UsageError


def read_cloze(
    paths: Sequence[str],
    window: int,
    check: Check,
    columns: Mapping[str, str] | None = None,
    choices: Callable[[str], object] | None = None,
) -> tuple[list[dict[str, str]], list[str]]:
    """Files -> examples {"text" with masks, "words", "choices" where they are given} and lines that say what was read.

    window: pieces that the net sees at once; running text is cut into passages of about as many. A table with a column of
    answers is a cloze test; any other table, and any other file, holds running text. check, choices: raise UsageError for a text
    or for choices that cannot be asked; the row is left out. Raises DataError where nothing can be used.
    """
    from lamella.data.readers.passages import LONGEST, read_passages
    from lamella.data.readers.tables import list_paths

    rows: list[dict[str, str]] = []
    lines: list[str] = []
    running = []
    for given in list_paths(paths):
        found = _tests(str(given), check, columns, choices) if is_table(Path(given)) and Path(given).is_file() else None
        if found is None:
            running.append(str(given))
        else:
            rows += found[0]
            lines += found[1]
    if running:
        size = max(1, window * CHARACTERS // LONGEST)
        only = {name: column for name, column in (columns or {}).items() if name == "text"} or None
        texts, said = read_passages(running, size, True, only)
        masked = [row for text in texts if (row := mask_a_word(text)) is not None]
        lines += said
        if len(masked) < len(texts):
            lines.append(
                f"left out: {len(texts) - len(masked):,} passages without a word that could be masked, or with a mark such as {{}} that reads as a mask"
            )
        rows += masked
    if not rows:
        raise DataError(f"{', '.join(map(str, paths))}: expected text with words in it, received none.")
    return rows, lines


def mask_a_word(text: str) -> dict[str, str] | None:
    """A text with one of its words masked, always the same one; None where it has none, or what reads as a mask already.

    >>> row = mask_a_word("It rained all day.")
    >>> row["text"].replace("___", row["words"])
    'It rained all day.'
    """
    text = " ".join(text.split())
    words = list(WORD.finditer(text))
    if not words or MASKS.search(text):  # such as the {} of programs
        return None
    chosen = words[int.from_bytes(hashlib.sha256(text.encode(errors="replace")).digest()[:4], "big") % len(words)]
    return {"text": f"{text[: chosen.start()]}___{text[chosen.end() :]}", "words": chosen[0]}


def _tests(
    path: str, check: Check, columns: Mapping[str, str] | None, choices: Callable[[str], object] | None
) -> tuple[list[dict[str, str]], list[str]] | None:
    """The cloze tests of a table; None where it is none: no column of answers, or most texts without a mask."""
    from lamella.data.readers.bad_rows import refuse_many
    from lamella.data.readers.tables import read_table

    wanted = {"text": CLOZE_NAMES, "words": WORD_NAMES, "choices": CHOICE_NAMES}
    table = read_table([path], wanted, columns, optional=("words", "choices"))
    texts = [_spelt(row["text"]) for row in table.rows]
    masked = sum("___" in text or "[MASK]" in text or "<mask>" in text for text in texts)
    if masked < len(texts) / 2 or not any(row.get("words") for row in table.rows):
        return None
    rows: list[dict[str, str]] = []
    bad: list[str] = []
    for row, text in zip(table.rows, texts, strict=True):
        words = " ".join(row.get("words", "").replace(",", " ").split())
        try:
            count = check(text)
            if choices and row.get("choices"):
                choices(row["choices"])
        except UsageError as error:
            bad.append(f"{row.where}: {str(error).removeprefix('--')}")
            continue
        if count != len(words.split()):
            bad.append(f"{row.where}: expected a word for each mask, {count}, received {words[:60]!r}")
            continue
        rows.append({"text": text, "words": words, **({"choices": row["choices"]} if row.get("choices") else {})})
    refuse_many(path, len(rows), bad, "rows", "Correct or remove them.")
    notes = [f"left out: {problem}" for problem in bad]
    return rows, [*table.report.lines(), f"{path}: {len(rows):,} cloze tests", *notes]


def _spelt(text: str) -> str:
    """Cloze tests often have a single _ for the word: a lone one is spelt as a mask is."""
    return re.sub(r"(?<![\w_])_(?![\w_])", "___", text) if "___" not in text else text
