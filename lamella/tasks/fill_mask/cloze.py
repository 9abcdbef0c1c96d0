"""Texts with masks: where the masks are, what the text is without them, and its tokens.

A mask is ___ (three or more), [MASK], <mask> or {}, and stands for a whole word. A word may have several pieces, so a
mask in a text is one mark, in whose place a search lays as many mask tokens as it tries pieces.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lamella.data.readers.cloze import MASKS
from lamella.data.text.pieces import START, Pieces, normalise
from lamella.errors import UsageError
from lamella.task import Array, Example

MASK = "<mask>"  # the piece that hides
JOINED = START  # stands for a mask with no space before it, in what `tokens` gives; no text holds this id
WORD = re.compile(r"[^\W\d_]+")
MOST = 20  # masks of a text
BEGINS, GOES_ON, OTHER = 1, 2, 3  # as in nets/transformer/masked.py


def check(text: str) -> int:
    """How many masks a text has; UsageError where there is none, where there are too many, or one inside a word."""
    found = list(MASKS.finditer(text))
    if not found:
        received = f"received {' '.join(text.split())[:60]!r}" if text.strip() else "received an empty text"
        raise UsageError(
            f"expected a text with a mask, ___ or [MASK], where a word is wanted, {received}. Put ___ in the place of the word."
        )
    if len(found) > MOST:
        raise UsageError(f"expected at most {MOST} masks in a text, received {len(found)}. Ask for fewer at a time.")
    for match in found:
        around = text[max(0, match.start() - 1) : match.start()] + text[match.end() : match.end() + 1]
        if any(c.isalnum() for c in around) or MASKS.match(text, match.end()):
            raise UsageError(
                f"expected a mask in the place of a whole word, received {text[max(0, match.start() - 12) : match.end() + 12]!r}. "
                "Put spaces or marks around it."
            )
    return len(found)


def choices(text: str) -> list[str]:
    """Words with commas between them, each once; UsageError for what is no single word.

    >>> choices("men, women,men")
    ['men', 'women']
    """
    words = list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if text.strip() and not words:
        raise UsageError(
            f"--choices: expected words with commas between them, such as men,women; received {text[:60]!r}."
        )
    if odd := [word for word in words if not WORD.fullmatch(normalise(word))]:
        raise UsageError(
            f"--choices: expected single words with commas between them, such as men,women; received {odd[0][:60]!r}."
        )
    return words


def filled(text: str, words: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """A text with words in the places of its masks, and where they stand.

    >>> filled("the ___ sat", ["cat"])
    ('the cat sat', [(4, 7)])
    """
    out, at, spans = "", 0, []
    for match, word in zip(MASKS.finditer(text), words, strict=False):
        out += text[at : match.start()]
        spans.append((len(out), len(out) + len(word)))
        out, at = out + word, match.end()
    return out + text[at:], spans


def whole(example: Example) -> str:
    """The text with its words in the places of its masks."""
    words = str(example.get("words") or "").split()
    return " ".join(filled(example["text"], words)[0].split())


@dataclass(frozen=True)
class Kinds:
    """What each piece of a vocabulary is: (V,) of BEGINS, GOES_ON, OTHER, 0 for padding, and the pieces themselves."""

    of: Array
    text: list[str]

    @classmethod
    def make(cls, pieces: Pieces) -> "Kinds":
        """Read them off the pieces: ▁ begins a word, letters alone are a word's."""
        text = [str(pieces.processor.IdToPiece(i)) for i in range(len(pieces))]
        kinds = [OTHER] * len(text)
        for i, piece in enumerate(text):
            letters = piece.removeprefix("▁")
            if piece == "▁" or WORD.fullmatch(letters):  # a word may begin with its space alone
                kinds[i] = BEGINS if piece.startswith("▁") else GOES_ON
        kinds[0] = 0
        return cls(np.array(kinds, np.int64), text)

    @cached_property
    def alone(self) -> NDArray[np.bool_]:
        """Which pieces may be a whole word by themselves, (V,): all but the space."""
        return np.array([piece != "▁" for piece in self.text])

    @cached_property
    def first(self) -> dict[tuple[bool, bool], Array]:
        """The pieces that may begin a word: by whether no space stands before it, and whether it is the whole word."""
        there = {joined: self.of == (GOES_ON if joined else BEGINS) for joined in (False, True)}
        return {
            (joined, lone): np.flatnonzero(kind & self.alone if lone else kind)
            for joined, kind in there.items()
            for lone in (False, True)
        }

    @cached_property
    def later(self) -> Array:
        """The pieces that may go on with a word."""
        return np.flatnonzero(self.of == GOES_ON)

    def word(self, ids: Sequence[int]) -> str:
        """The word that these pieces make."""
        return "".join(self.text[i] for i in ids).removeprefix("▁")


def tokens(pieces: Pieces, text: str) -> list[list[int]]:
    """The ids of each part of a text between white space; a mask is one id, `MASK` or `JOINED`."""
    parts = [normalise(MASKS.sub(MASK, part)) for part in text.split()]
    mask, space = pieces.mark(MASK), pieces.mark("▁")
    found = []
    for ids in pieces.encode([part for part in parts if part]):
        # The mark has no space of its own: it belongs to the word that is wanted.
        found.append(ids[1:] if ids[:2] == [space, mask] else [JOINED if i == mask else i for i in ids])
    return found


def groups(ids: Sequence[int], kinds: Kinds) -> list[tuple[int, int]]:
    """Where the words made of letters begin and end among these ids."""
    spans: list[tuple[int, int]] = []
    for at, i in enumerate(ids):
        kind = kinds.of[i]
        if kind == GOES_ON and spans and spans[-1][1] == at:
            spans[-1] = spans[-1][0], at + 1
        elif kind in (BEGINS, GOES_ON):
            spans.append((at, at + 1))
    return [(a, b) for a, b in spans if b - a > 1 or kinds.text[ids[a]] != "▁"]  # a space before a mark is no word


def spots(pieces: Pieces, text: str, kinds: Kinds) -> list[tuple[int, int] | None]:
    """For each word among the tokens of a text, in order, where it stands in the text; None where that cannot be told."""
    found: list[tuple[int, int] | None] = []
    parts = [m for m in re.finditer(r"\S+", text) if normalise(MASKS.sub(MASK, m[0]))]
    for part, ids in zip(parts, tokens(pieces, text), strict=True):
        words = [(part.start() + m.start(), part.start() + m.end()) for m in WORD.finditer(MASKS.sub(_blank, part[0]))]
        known = [kinds.word(ids[a:b]) for a, b in groups(ids, kinds)]
        same = len(known) == len(words)
        # A letter that no piece holds parts a word: what is left of it is none.
        found += [
            place if same and text[slice(*place)] == word else None for place, word in zip(words, known, strict=False)
        ]
        found += [None] * max(0, len(known) - len(words))
    return found


def _blank(match: "re.Match[str]") -> str:
    return " " * len(match[0])
