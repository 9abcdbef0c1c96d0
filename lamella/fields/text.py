"""The kind of value `Text`: written language of any length, explained word by word."""

import math
import re
from collections.abc import Collection, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from lamella.errors import UsageError
from lamella.fields.base import Field, Limits, Part, Parts, json_kind, plain_text

if TYPE_CHECKING:
    import numpy as np

MOST = 60  # parts: a longer text is cut into as many pieces of several words
KEPT = 600  # characters of a text that travels with a model
IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff"  # written without spaces: each is taken for a word


class Text(Field, frozen=True, tag="text"):
    """A string of any length.

    fixed: a pattern of what must stand in it and is no part of an explanation, such as the mask where a word is wanted.
    written: whether an empty text is refused, since nothing can be said of it.
    """

    fixed: str = ""
    written: bool = False

    prose: ClassVar[bool] = True
    control: ClassVar[str] = "text"
    noises: ClassVar[tuple[str, ...]] = (
        "typos", "capitals", "small letters", "accents", "scanned", "lost words", "doubled words", "lost marks",
    )  # fmt: skip

    @property
    def demands(self) -> bool:
        return bool(self.fixed)

    def check(self, name: str, value: Any) -> str:
        return self._written(name, plain_text(name, value))

    def receive(self, name: str, value: Any, limits: Limits) -> str:
        if not isinstance(value, str):
            raise UsageError(f"{name}: expected a string, received {json_kind(value)}.")
        return self._written(name, value)

    def _written(self, name: str, value: str) -> str:
        if self.written and not value.strip():
            raise UsageError(f"{name}: expected a text, received an empty one.")
        return value

    def schema(self, limits: Limits) -> dict[str, Any]:
        return {"type": "string", "maxLength": limits.characters}

    def keep(self, value: Any, most: int) -> Any:
        """A long text ends at the last word that fits."""
        if isinstance(value, str) and len(value) > KEPT:
            return value[:KEPT].rsplit(maxsplit=1)[0]
        return value

    def group(self, value: Any, before: Any = None) -> str:
        words = len(str(value).split())
        return "up to 5 words" if words < 6 else "6 to 10 words" if words < 11 else "more than 10 words"

    def disturb(self, value: Any, noise: str, strength: float, rng: "np.random.Generator") -> str:
        from lamella.data.noise import text

        return text.around(self.fixed, str(value), text.NOISES[noise], strength, rng) if strength else str(value)

    def confidence(self, answer: Any) -> float | None:
        """Minus the logarithm of its perplexity, of a text that says how likely its beginning was."""
        perplexity = answer.get("perplexity") if isinstance(answer, dict) else None
        return -math.log(perplexity) if perplexity else None

    def split(self, value: Any, usual: Any = None) -> Parts:
        """
        >>> Text().split("not a good film").without({0, 3})
        'a good'
        >>> [part["label"] for part in Text(fixed="_{3,}").split("the ___ sat").units]
        ['the', 'sat']
        """
        return TextParts(str(value), self.fixed)


def letters_per_piece(vocabulary: bytes, texts: Sequence[str]) -> float:
    """How well a vocabulary fits texts: see `Pieces.letters_per_piece`."""
    from lamella.data.text.pieces import Pieces

    return Pieces(vocabulary).letters_per_piece(texts)


@cache
def _word() -> re.Pattern[str]:
    """A word, a mark, or an ideograph. Compiled when it is needed: an answer without an explanation does not wait for it."""
    return re.compile(rf"[{IDEOGRAPHS}]|[^\W{IDEOGRAPHS}]+(?:['’\-][^\W{IDEOGRAPHS}]+)*|[^\w\s]+|_+")


class TextParts:
    """Words and marks; in a long text several neighbours are one part, so that there are at most MOST."""

    kind = "text"
    how = ("left out", "replaced by _")

    def __init__(self, text: str, fixed: str = "") -> None:
        kept = [match.span() for match in re.finditer(fixed, text)] if fixed else []
        words = [match.span() for match in _word().finditer(text)]
        words = [(a, b) for a, b in words if not any(a < end and start < b for start, end in kept)]
        step = max(1, math.ceil(len(words) / MOST))
        spans: list[tuple[int, int]] = []
        for i in range(0, len(words), step):
            for a, b in words[i : i + step]:  # together, but for what is kept between them
                if a == words[i][0] or any(spans[-1][1] <= start < a for start, _ in kept):
                    spans.append((a, b))
                else:
                    spans[-1] = spans[-1][0], b
        self.text, self.spans = text, spans
        self.units: list[Part] = [{"label": text[a:b], "start": a, "end": b} for a, b in spans]

    def without(self, gone: Collection[int], other: bool = False) -> str:
        out, at = "", 0
        for i in sorted(gone):
            start, end = self.spans[i]
            out, at = out + self.text[at:start] + "_" * other, end
            if not other and (not out or out[-1].isspace()) and self.text[at : at + 1].isspace():
                at += 1  # of the spaces on both sides one stays
        out += self.text[at:]
        return out if other or out == self.text else out.strip()

    def shown(self) -> str:
        return self.text

    def facts(self) -> dict[str, Any]:
        return {}
