"""Which of several translations are worth showing beside the best one."""

import math
from collections.abc import Sequence

from lamella.data.text.sentences import is_wide
from lamella.decode.search import Hypothesis

SHARE, SURE = 0.25, 0.05  # below these alternatives are words that there are not, or that do not agree (docs/LOG.md)


def likely(texts: Sequence[str], best: Sequence[Hypothesis]) -> list[str]:
    """The best, and of the others those worth showing: at least a `SHARE` as likely, each word at least `SURE` on average."""
    floors = [max(best[0].score + math.log(SHARE), words(text) * math.log(SURE)) for text in texts]
    return [t for i, (t, h, low) in enumerate(zip(texts, best, floors, strict=True)) if not i or h.score >= low]


def words(text: str) -> float:
    """How many words a text has; of writing without spaces two letters are one.

    >>> words("Le chien dort."), words("犬が寝る")
    (3, 2.0)
    """
    wide = sum(map(is_wide, text))
    return wide / 2 if wide else len(text.split())
