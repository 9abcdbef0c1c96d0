"""Which pairs of languages the served models translate: with one model, or through English with two.

A model may translate several pairs, as one of English to German, Spanish and Chinese. A pair without a model of its own
goes through another language where both halves are served, as `lamella.model.shipped.translator` does.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from lamella.data.text.languages import base_code
from lamella.model import Model
from lamella.server.models import Served

PIVOT = "en"  # the language between two others, where it is served


class Way(NamedTuple):
    """How a pair is translated: by `last`, or by `first` into `middle` and from there by `last`."""

    src: str
    dst: str
    last: Served
    first: Served | None = None
    middle: str = ""

    async def model(self, options: Mapping[str, Any] | None = None) -> Model:
        """The model of this pair with a request's options, once it is ready; Refused with 503 if it is not in time."""
        for served in (self.first, self.last):
            if served:
                await served.ready()
        model = self.last.with_options({"from": self.middle or self.src, "to": self.dst, **(options or {})})
        if self.first is None:
            return model
        return model.after(self.first.with_options({"from": self.src, "to": self.middle}))


class Pairs:
    """The pairs that these models translate, and the codes of their languages."""

    def __init__(self, models: Mapping[str, Served]) -> None:
        self.direct: dict[tuple[str, str], Served] = {}
        directions = [(served, served.now.directions) for served in models.values()]
        for served, own in directions:  # a model made for a pair comes before one that translates it too
            for pair in own[:1]:
                self.direct.setdefault(pair, served)
        for served, own in directions:
            for pair in own[1:]:
                self.direct.setdefault(pair, served)
        self.codes = sorted({code for pair in self.direct for code in pair})

    def code(self, given: str) -> str:
        """A language as it is served: `fr_CA`, `FR` and `fr` are `fr`; "" for one that is not served."""
        known = {code.casefold(): code for code in self.codes}
        return known.get(given.casefold()) or known.get(base_code(given), "")

    def way(self, src: str, dst: str) -> Way | None:
        """How a pair of served codes is translated; None where no models lead from one to the other."""
        if (src, dst) in self.direct:
            return Way(src, dst, self.direct[src, dst])
        middles = sorted((b for a, b in self.direct if a == src), key=lambda code: code != PIVOT)
        for middle in middles:
            if src != dst and (middle, dst) in self.direct:
                return Way(src, dst, self.direct[middle, dst], self.direct[src, middle], middle)
        return None

    def all(self) -> list[Way]:
        """Every pair that can be translated, the direct ones first."""
        relayed = [way for a in self.codes for b in self.codes if (a, b) not in self.direct and (way := self.way(a, b))]
        return [*(Way(a, b, served) for (a, b), served in self.direct.items()), *relayed]

    def sources(self, dst: str) -> list[str]:
        """The languages that can be translated to another, without that one."""
        return [code for code in self.codes if code != dst and self.way(code, dst)]

    def targets(self, src: str) -> list[str]:
        """The languages that another can be translated to, without that one."""
        return [code for code in self.codes if code != src and self.way(src, code)]


def through(models: Mapping[str, Served], served: Served, model: Model) -> Model:
    """A model with a request's options, after another one where it cannot read the language that it is to translate.

    So `{"options": {"from": "fr", "to": "de"}}` works with a model of English to German where one of French to English
    is served too.
    """
    pair = served.now.languages_of(model)
    if pair is None or pair in served.now.directions:
        return model
    way = Pairs(models).way(*pair)
    if way is None or way.first is None or way.last is not served:
        return model  # which says what it translates
    config = served.now.between(model, way.middle, way.dst)
    return config.after(way.first.with_options({"from": way.src, "to": way.middle}))
