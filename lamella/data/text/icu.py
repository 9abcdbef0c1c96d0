"""Messages of ICU: `{count, plural, one {# file} other {# files}}` as the texts in it and what stands around them.

    >>> message = parse("You have {n, plural, one {# message} other {# messages}}.")
    >>> message.texts
    ['You have {n}.', '{n_number} message', '{n_number} messages']
    >>> message.render(["Vous avez {n}.", "{n_number} message", "{n_number} messages"], "fr")
    'Vous avez {n, plural, one {# message} other {# messages}}.'

The `#` of a plural stands in its texts as `{name_number}`, which a translator keeps. Keywords and structure stay as they are; a plural gets the categories of the target language (Unicode CLDR).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct, field

from lamella.data.text.languages import base_code
from lamella.data.text.lazy import lazy

_OPEN = lazy(
    r"\{\s*(?P<name>\w{1,60})\s*,\s*(?P<kind>plural|select|selectordinal)\s*,\s*(?P<offset>offset:\s*\d{1,9}\s+)?"
)
_SELECTOR = lazy(r"\s*(?P<key>=\d{1,9}|[\w-]{1,60})\s*\{")
DEPTH = 8  # complex arguments within one another
# The categories of cardinal and ordinal numbers that whole numbers have.
CARDINAL = {"zh": ("other",), "ja": ("other",), "ko": ("other",), "en": ("one", "other"), "de": ("one", "other"), "es": ("one", "other"), "fr": ("one", "other")}  # fmt: skip
ORDINAL = {
    "en": ("one", "two", "few", "other"),
    "fr": ("one", "other"),
    "de": ("other",),
    "es": ("other",),
    "zh": ("other",),
}
CATEGORIES = ("zero", "one", "two", "few", "many", "other")


class Argument(Struct):
    """A plural, ordinal or select argument: its head as written, and its branches."""

    name: str
    place: str  # what stands for it in the texts, between braces: the name, with a number where that is there already
    kind: str
    head: str  # from the brace to before the first selector
    branches: list[tuple[str, str, Message]] = field(
        default_factory=list
    )  # what is before the brace, the key, the text
    tail: str = ""  # before the last brace
    gap: str = " "  # between a selector and its brace


class Message(Struct):
    """A text with such arguments in it; in `texts` each stands as `{name}`."""

    text: str
    arguments: list[Argument]
    number: str = ""  # what stands for its `#`, within a plural

    @property
    def texts(self) -> list[str]:
        """The texts to translate: the message itself, then its branches, depth first."""
        return [self.text, *(one for a in self.arguments for _, _, m in a.branches for one in m.texts)]

    def render(self, answers: Sequence[str], target: str) -> str:
        """The message with an answer for each of its texts. Raises ValueError where there are not as many as texts."""
        remaining = iter(answers)
        text = _rendered(self, remaining, base_code(target))
        if next(remaining, None) is not None:
            raise ValueError(f"expected {len(self.texts)} answers, received more")
        return text


def _rendered(message: Message, answers: Iterator[str], target: str) -> str:
    text = next(answers, None)
    if text is None:
        raise ValueError(f"expected {len(message.texts)} answers, received fewer")
    if message.number:
        text = text.replace(message.number, "#")
    for argument in message.arguments:
        branches = [(before, key, _rendered(inner, answers, target)) for before, key, inner in argument.branches]
        whole = argument.head + "".join(
            f"{before}{key}{argument.gap}{{{text}}}" for before, key, text in _fitted(argument.kind, branches, target)
        )
        text = text.replace(f"{{{argument.place}}}", whole + argument.tail + "}", 1)
    return text


def _fitted(kind: str, branches: list[tuple[str, str, str]], target: str) -> list[tuple[str, str, str]]:
    """The branches for the target language: of a plural, one for each category; missing ones are copies of `other`."""
    table = {"plural": CARDINAL, "selectordinal": ORDINAL}.get(kind, {}).get(target)
    by_key = {key: text for _, key, text in branches}
    if not table or "other" not in by_key:
        return branches
    # `many`, which French and Spanish have for millions, stays where it is there.
    also = ("many",) if kind == "plural" and target in ("fr", "es") else ()
    fitting = [branch for branch in branches if branch[1] not in CATEGORIES or branch[1] in (*table, *also)]
    keys = {key for _, key, _ in fitting}
    gap = branches[-1][0] or " "
    for key in table:
        if key not in keys:
            fitting.insert(len(fitting) - 1, (gap, key, by_key["other"]))
    return fitting


def fitting(categories: Sequence[str], target: str, always: Sequence[str] = ()) -> tuple[list[str], list[str]]:
    """Which plural categories of a source a target language has, and which it has besides: those are copies of `other`.

    always: those that stay in any case. `many`, which French and Spanish have for millions, stays where it is there.

    >>> fitting(["one", "other"], "zh"), fitting(["other"], "de"), fitting(["few", "other"], "xx")
    ((['other'], []), (['other'], ['one']), (['few', 'other'], []))
    """
    table = CARDINAL.get(base_code(target))
    if not table or "other" not in categories:
        return list(categories), []
    also = (*always, *(("many",) if base_code(target) in ("fr", "es") else ()))
    return [one for one in categories if one in table or one in also], [one for one in table if one not in categories]


def is_broken(text: str) -> bool:
    """Whether a text begins a plural or select argument and is no message: its keywords are not to be translated.

    >>> is_broken("{n, plural, one {a}"), is_broken("{n, plural, one {a} other {b}}"), is_broken("a plural")
    (True, False, False)
    """
    return bool(_OPEN.search(text)) and parse(text) is None


def parse(text: str) -> Message | None:
    """Parse a text as an ICU message; None if it has no plural or select argument, or is malformed."""
    if not _OPEN.search(text):
        return None
    try:
        message, end = _parse(text, 0, 0)
    except (ValueError, RecursionError):
        return None
    return message if end == len(text) and message.arguments else None


def _parse(text: str, at: int, depth: int, number: str = "") -> tuple[Message, int]:
    """The message from a place to the brace that closes it, or to the end. Raises ValueError where it is none."""
    if depth > DEPTH:
        raise ValueError("too deep")
    parts: list[str] = []
    arguments: list[Argument] = []
    start, braces = at, 0
    while at < len(text):
        char = text[at]
        if char == "'" and text[at + 1 : at + 2] in tuple("{}#|"):  # what is quoted is no structure
            end = text.find("'", at + 1)
            at = len(text) if end < 0 else end + 1
        elif char == "{" and (match := _OPEN.match(text, at)):
            parts.append(text[start:at])
            argument, at = _argument(text, match, depth, number)
            tried = 1
            while f"{{{argument.place}}}" in text or any(argument.place == other.place for other in arguments):
                argument.place, tried = f"{argument.name}_{tried}", tried + 1
            arguments.append(argument)
            parts.append(f"{{{argument.place}}}")
            start = at
        elif char == "#" and number and not braces:
            parts += [text[start:at], number]
            start = at = at + 1
        elif char == "{":
            braces, at = braces + 1, at + 1
        elif char == "}" and braces == 0:
            break
        else:
            braces, at = braces - (char == "}"), at + 1
    return Message("".join([*parts, text[start:at]]), arguments, number), at


def _argument(text: str, match: re.Match[str], depth: int, number: str) -> tuple[Argument, int]:
    at = match.end()
    head = match[0].rstrip()
    argument = Argument(match["name"], match["name"], match["kind"], head)
    at = match.start() + len(head)
    while branch := _SELECTOR.match(text, at):
        counted = f"{{{match['name']}_number}}" if match["kind"] != "select" else number
        inner, end = _parse(text, branch.end(), depth + 1, counted)
        if text[end : end + 1] != "}":
            raise ValueError("a branch is not closed")
        before = branch[0][: len(branch[0]) - len(branch[0].lstrip())]
        if not argument.branches:
            argument.gap = branch[0].rstrip("{")[len(before) + len(branch["key"]) :]
        argument.branches.append((before, branch["key"], inner))
        at = end + 1
    close = re.compile(r"\s*\}").match(text, at)
    if not close or not argument.branches:
        raise ValueError("an argument is not closed")
    argument.tail = close[0][:-1]
    return argument, close.end()
