"""Whether an answer of a net can be a translation of its source, and the mark at its end."""

from __future__ import annotations

import re

from lamella.data.text import placeholders, sentences
from lamella.tasks.translation.plans import FOREIGN

_BROKEN = re.compile(rf"[{FOREIGN}\n\u2047\ufffd]")  # U+2047 is how sentencepiece writes what it does not know
_STUTTER = re.compile(r"(\w{2,30}?)\1{3,}|([^\W\d_])\2{7,}")
_REPEATS = 4


def is_sound(source: str, answer: str, format: str = "") -> bool:
    """Whether an answer can be a translation of the source: its placeholders, a credible length, no loop.

    >>> is_sound("a %s", "un %s"), is_sound("a %s", "un"), is_sound("a day", "un jour " * 4)
    (True, False, False)
    """
    if not answer or len(answer) > 3 * _weight(source) + 20 or 10 * _weight(answer) < _weight(source):
        return False
    if _BROKEN.search(answer) and not set(_BROKEN.findall(answer)) <= set(_BROKEN.findall(source)):
        return False
    return not (_loops(answer) and not _loops(source)) and placeholders.agree(source, answer, format)


def _weight(text: str) -> int:
    """The length of a text; a character of Chinese says as much as three letters."""
    return sum(3 if sentences.is_wide(char) else 1 for char in text)


def _loops(text: str) -> bool:
    """Whether words, or a part of a word, come four times in a row."""
    words = text.split()
    for size in range(1, min(20, len(words) // _REPEATS) + 1):
        run = 0
        for index in range(size, len(words)):
            run = run + 1 if words[index] == words[index - size] else 0
            if run >= (_REPEATS - 1) * size:
                return True
    return bool(_STUTTER.search(text))


_END = re.compile(r"\.{3}$|[…:!?.]$")
_STOPS = ".!?:;…。！？：；।؟"
_STYLES = {
    "fr": {mark: f"\u00a0{mark}" for mark in ":!?"},
    "zh": {":": "：", "!": "！", "?": "？", ".": "。", "...": "……", "…": "……"},
    "ja": {":": "：", "!": "！", "?": "？", ".": "。"},
}


def finish(source: str, answer: str, target: str) -> str:
    """Put back the mark at the end of a sentence where the answer has none, in the style of the target language.

    >>> finish("Name:", "Nom", "fr"), finish("Open...", "Ouvrir.", "fr"), finish("Done.", "Fait !", "fr")
    ('Nom\xa0:', 'Ouvrir...', 'Fait !')
    """
    match = _END.search(source)
    if not match or not answer:
        return answer
    mark = match[0]
    if mark != "." and answer.endswith(".") and not answer.endswith(".."):
        answer = answer[:-1].rstrip()
    if answer[-1:] in tuple(_STOPS) or (mark == "." and not answer[-1:].isalnum()):
        return answer
    return answer + _STYLES.get(target.replace("-", "_").partition("_")[0].lower(), {}).get(mark, mark)
