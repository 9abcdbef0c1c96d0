"""Which language each text of a request is in: the model that detects languages, and which languages are served.

Each text is decided by itself, whatever stands beside it.
"""

import re
from collections.abc import Sequence
from html import unescape
from typing import Any, NamedTuple

from starlette.requests import Request

from lamella.data.text.told import weigh
from lamella.server.models import Served
from lamella.server.replies import Refused

READ = 2000  # characters of a text that are read
SLIGHT = 0.01  # languages with a lower probability are left out
SHOWN = 5  # most languages of an answer


class Guess(NamedTuple):
    """A language and how sure it is, in percent."""

    language: str
    confidence: float

    def json(self) -> dict[str, Any]:
        return {"confidence": self.confidence, "language": self.language}


async def guesses(request: Request, texts: Sequence[str], served: Sequence[str], target: str = "") -> list[list[Guess]]:
    """The possible languages of each text, most likely first; none for a text without letters.

    served: the languages in question, which a short text is decided among; target: the one of them that is asked for.
    Refused with 501 where no model that detects languages is installed.
    """
    if not texts:
        return []
    identifier: Served | None = request.app.state.shared.identifier
    if identifier is None:
        raise Refused(501, "no model that detects languages is installed. Name the language of the text.")
    await identifier.ready()
    starts = [text[:READ] for text in texts]
    found = []
    answers = await identifier.answers(identifier.model, identifier.check([{"text": text} for text in starts]))
    for text, answer in zip(starts, answers, strict=True):
        ranked = weigh(text, answer["probabilities"], served, target)
        shown = [(code, p) for i, (code, p) in enumerate(ranked) if i == 0 or p >= SLIGHT][:SHOWN]
        found.append([Guess(code, round(100 * p, 1)) for code, p in shown])
    return found


def without_tags(page: str) -> str:
    """The words of a piece of HTML, to tell their language.

    >>> without_tags("<p>Caf&eacute; <b>noir</b></p>")
    ' Café  noir  '
    """
    return unescape(re.sub("<[^<>]*>", " ", page))  # no `<` inside, so that the time is in proportion to the length
