"""Bring the two sides of a pair to one way of writing: characters, spaces, quotes, accelerators, line breaks.

Used by `clean.py`. Placeholders (`%s`, `{name}`, `<b>`) stay where they are: a translator has to learn to carry them.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from recipes.translation.common import words

_CHARACTERS = str.maketrans(
    {
        **dict.fromkeys("\u2019\u2018\u02bc\u00b4`", "'"),
        **dict.fromkeys("\u00a0\u202f\u2009\u2007\u2002\u2003\u200a\u3000\u22c5", " "),
        **dict.fromkeys("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\r\u00b6", ""),
        "\u2026": "...",
        "\t": " ",
    }
)
_SPACES = re.compile(r"[^\S\n]+")
_BULLET = re.compile(r"^\s*(?:[*•·‣–—]|-(?=\s))\s+")
_NUMBER = re.compile(r"^(?:\d+\.)+\d*\s+")  # of a section; "Chapter 3." and the like are words and stay
_LINE_END = re.compile(r"[.!?:;…][\"'»)]*$")
_OPTION_LINE = re.compile(r"^\s*--?\w", re.MULTILINE)
_CONTEXT = re.compile(r"^(?:\?\w+:|[\w /:.-]{1,60}[|^])(?=\S)")

# What a message carries unchanged into its translation.
PLACEHOLDER = re.compile(
    r"%\([\w.]+\)[-+#0-9.]*[a-zA-Z]"  # %(name)s
    r"|%(?:\d+\$)?[-+#0']*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh|ll|[hlLqjzt])?[diouxXeEfFgGcrsaAp](?![a-zA-Z])"  # %5.2f
    r"|%L?\d+|%n|%%|%[A-Z]\b"
    r"|\$?\{[\w.:!#@%$-]*\}"  # {name}, ${name}
    r"|\$\w+|@\w+@"
    r"|\\[nt]"
    r"|&#?\w+;"
)
_TAG = re.compile(r"<(/?)([A-Za-z][\w:-]*)[^<>]*>")
_POSITION = re.compile(r"^%\d+\$")
_KNOWN_TAGS = words(
    "a b i u p br em strong span ul ol li tt code html body head qt table tr td th h1 h2 h3 h4 h5 h6 font img small big"
    " sub sup pre div hr center nobr interface filename command emphasis para link application title email resource"
    " message warning note numid icode bcode shortcut placeholder nl big style dl dt dd blockquote var kbd"
)


def placeholders(text: str) -> Counter[str]:
    """The placeholders and known tags of a text; a numbered `%1$s` counts as `%s`."""
    found = Counter(_POSITION.sub("%", match) for match in PLACEHOLDER.findall(text) if match != "%%")
    tags = (slash + name.lower() for slash, name in _TAG.findall(text))
    found.update(f"<{tag}>" for tag in tags if tag.lstrip("/") in _KNOWN_TAGS)
    return found


def without_markup(text: str) -> str:
    """The text with its placeholders and tags taken out."""
    return _TAG.sub("", PLACEHOLDER.sub("", text))


def characters(text: str, lang: str) -> str:
    """One way of writing apostrophes, spaces, dots and quotes; line breaks stay."""
    text = unicodedata.normalize("NFC", text).translate(_CHARACTERS).replace("''", '"' if lang == "en" else "''")
    if lang.startswith("zh"):
        return chinese(_SPACES.sub(" ", re.sub(r"\.{4,}", "...", text)))
    if lang != "en":
        text = re.sub(r"[„“]\s*([^“”„]*?)\s*[”“]", _quoted(lang), text)
    if lang != "de":
        text = re.sub(r"[“”„‟]", '"', text)
    if lang == "fr":
        text = re.sub(r"«\s*", "« ", text)
        text = re.sub(r"\s*»", " »", text)
        text = re.sub(r"(?<=[\w)\"'»%}>\]])(?=[;:!?](?:\s|$))", " ", text)
    return _SPACES.sub(" ", re.sub(r"\.{4,}", "...", text))


_HAN = "[\u3400-\u4dbf\u4e00-\u9fff\u3001\u3002\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f\u201c\u201d\u300a\u300b]"
_WIDE = str.maketrans(",;:!?", "，；：！？")
_NARROW_MARK = re.compile(rf"(?<={_HAN})[ \t]*([,;:!?])(?![\w/]*[@=/])[ \t]*|([,;:!?])[ \t]*(?={_HAN})")
_NARROW_STOP = re.compile(rf"(?<={_HAN})[ \t]*\.(?=\s|$|{_HAN})[ \t]*")
_NARROW_BRACKETS = re.compile(rf"(?<={_HAN})[ \t]*\(([^()]*)\)|\(([^()]*{_HAN}[^()]*)\)[ \t]*")
_QUOTES = re.compile(r"[\"“”]([^\"“”\n]*)[\"“”]")
_HAN_BLANK = re.compile(rf"(?<={_HAN})[ \t]+|[ \t]+(?={_HAN})")


def has_chinese(text: str) -> bool:
    """Whether a text has at least two Chinese characters or marks."""
    return len(re.findall(_HAN, text)) > 1


def chinese(text: str) -> str:
    """Chinese with full-width marks, curled quotes and no blanks beside its characters; other scripts keep theirs.

    >>> chinese("你好, 世界! 打开 (Python) 文件."), chinese("he said, 3.14 (x)")
    ('你好，世界！打开（Python）文件。', 'he said, 3.14 (x)')
    """
    if not re.search(_HAN, text):
        return text
    text = _QUOTES.sub(r"“\1”", text)
    text = _NARROW_BRACKETS.sub(lambda match: f"（{match[1] if match[1] is not None else match[2]}）", text)
    text = _NARROW_MARK.sub(lambda match: (match[1] or match[2]).translate(_WIDE), text)
    text = _NARROW_STOP.sub("。", text)
    return _HAN_BLANK.sub("", text)


def _quoted(lang: str) -> str:
    return {"fr": r"« \1 »", "de": r"„\1“"}.get(lang, r'"\1"')


def _accelerator(marker: str) -> re.Pattern[str]:
    """A marker directly before a letter or digit, that is no HTML entity and no part of a longer run of markers."""
    return re.compile(rf"(?<!{marker}){marker}(?=[^\W_])(?!#?\w+;)(?!{marker})")


_ACCELERATORS = tuple((marker, _accelerator(marker)) for marker in "_&~")
_SNAKE = re.compile(r"\w*[^\W_]_[^\W_]\w*")


def strip_accelerators(source: str, target: str) -> tuple[str, str]:
    """Both sides without the marker of a keyboard accelerator, where there is exactly one of a kind."""
    for marker, pattern in _ACCELERATORS:
        counts = source.count(marker), target.count(marker)
        if counts == (0, 0) or max(counts) > 1:
            continue
        if counts == (1, 1) and marker == "_":
            left, right = _SNAKE.search(source), _SNAKE.search(target)
            if left and right and left[0] == right[0]:  # an identifier, carried over as it is
                continue
        # Where only one side has the marker it must begin a word: inside one it is rather part of a name.
        alone = counts != (1, 1)
        for side in (source, target):
            match = pattern.search(side)
            if side.count(marker) and (not match or (alone and match.start() and side[match.start() - 1].isalnum())):
                break
        else:
            source, target = pattern.sub("", source), pattern.sub("", target)
    # Scripts without our letters put the accelerator in parentheses after the word: strip what is left of it.
    return source, re.sub(r"\s?\([A-Z0-9]\)(?=[.:]*$)", "", target) if not source.endswith(")") else target


def strip_context(source: str, target: str) -> str:
    """An English message without the context some programs write before it (`noun|File`, `female^Archer`)."""
    match = _CONTEXT.match(source)
    return source[match.end() :] if match and not any(mark in target for mark in "|^?") else source


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n")]


def split_lines(source: str, target: str) -> list[tuple[str, str]]:
    """A text of several lines as pairs of one line each; none where the lines of the two sides do not correspond.

    Paragraphs correspond if there are as many. Within one, lines that each end a sentence or are items of a list are
    pairs of their own; lines that were only wrapped are joined.
    """
    source, target = source.strip(), target.strip()
    if "\n" not in source and "\n" not in target:
        return [(source, target)]
    if _OPTION_LINE.search(source):
        return []
    left, right = (re.split(r"\n\s*\n", text) for text in (source, target))
    if len(left) != len(right):
        return []
    pairs = []
    for first, second in zip(left, right, strict=True):
        lines = _lines(first), _lines(second)
        separate = all(_LINE_END.search(line) for line in lines[0][:-1]) or any(map(_BULLET.match, lines[0]))
        if separate and len(lines[0]) == len(lines[1]):
            pairs += zip(*lines, strict=True)
        elif not any(_BULLET.match(line) for side in lines for line in side):
            pairs.append((" ".join(lines[0]), " ".join(lines[1])))
    return pairs


def trim(source: str, target: str) -> tuple[str, str]:
    """Both sides without bullets, the same section number and outer spaces.

    The comma or semicolon at the end of an item of a list goes if only the translation has it.
    """
    source, target = (_BULLET.sub("", text).strip() for text in (source, target))
    numbers = _NUMBER.match(source), _NUMBER.match(target)
    if numbers[0] and numbers[1] and numbers[0][0] == numbers[1][0]:
        source, target = source[numbers[0].end() :], target[numbers[1].end() :]
    if target.endswith((";", ",")) and not source.endswith((";", ",")):
        target = target[:-1].rstrip() + ("." if source.endswith(".") else "")
    return source, target


def key(text: str) -> str:
    """What is left of a text when case, spaces and punctuation do not count: two texts with one key are the same."""
    return "".join(filter(str.isalnum, text.lower()))
