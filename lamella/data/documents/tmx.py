"""Translation memories (.tmx) as documents: units that lack the target language get a `tuv` of it.

    >>> unit = '<tu><tuv xml:lang="en"><seg>Hello</seg></tuv></tu>'
    >>> file = Memory(f'<tmx><body>{unit}</body></tmx>'.encode(), "a.tmx", "fr")
    >>> file.segments, file.render(["Bonjour"]).decode()[56:-18]
    (['Hello'], '<tuv xml:lang="fr"><seg>Bonjour</seg></tuv>')

What is translated stays; other languages, notes and properties too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from lamella.data.documents.native import coded, inserted
from lamella.data.documents.resources import XmlSlots, children, closing, gap_before, inner, outer, unmarked
from lamella.data.documents.slots import Slot, worded
from lamella.data.documents.xml_text import Token, check, escape, tokens
from lamella.data.text.encoding import StrPath
from lamella.data.text.languages import base_code

Element = tuple[Token, Token]


class Memory(XmlSlots):
    """TMX 1.1 to 1.4: a `tuv` in the target language for each unit that has none with a text in it.

    source_language: which `tuv` is translated; "": that of the header's `srclang`, else the first of the unit.
    """

    holds = "a translation memory with <tu> elements"
    options = ("source_language",)

    def __init__(
        self,
        data: bytes,
        name: str,
        target_language: str = "",
        memory: Sequence[StrPath] = (),
        source_language: str = "",
    ) -> None:
        self.source = source_language
        super().__init__(data, name, target_language, memory)

    def slots(self) -> list[Slot]:
        check(self.body().encode("utf-8", "replace"), self.name)
        return self.texts(list(tokens(self.text)))

    def texts(self, pieces: list[Token]) -> list[Slot]:
        root = next((token for token in pieces if token.kind == "open"), None)
        units = [at for at, token in enumerate(pieces) if token.kind == "open" and token.name == "tu"]
        if root is None or root.name != "tmx" or not units:
            raise self.error(0, "none" if root and root.name == "tmx" else "another root", "Is it TMX?")
        header = next((token for token in pieces if token.name == "header"), None)
        said = header.attribute("srclang") if header else ""
        wanted = base_code(self.source or ("" if said == "*all*" else said))
        found: list[Slot] = []
        theirs: set[str] = set()
        for at in units:
            unit = pieces[at : closing(pieces, at) + 1]
            sides = [one for one in children(unit) if one[0].name == "tuv"]
            languages = [_language(first) for first, _ in sides]
            theirs.update(languages)
            source = languages.index(wanted) if wanted in languages else 0 if sides and not wanted else None
            if source is not None:
                target = languages.index(base_code(self.language)) if base_code(self.language) in languages else None
                slot = self._slot(unit, sides[source], None if target is None else sides[target])
                found += [slot] if slot else []
        if wanted and wanted not in theirs:
            have = ", ".join(sorted(filter(None, theirs))) or "none"
            raise self.error(0, f"units in {have}, none in {wanted}", "Choose --from one of them")
        return found

    def _slot(self, unit: list[Token], source: Element, target: Element | None) -> Slot | None:
        """Where the target of a unit goes; None where there is one, or nothing to translate."""
        if target and self._seg(unit, target):
            return None
        raw, codes = coded(self._seg(unit, source))
        text = inner(raw).strip()
        if not worded(unmarked(text)):
            return None
        start, end = (target[0].start, target[1].end) if target else (source[1].end, source[1].end)
        gap = "" if target else self.text[gap_before(self.text, source[0].start) : source[0].start]
        return Slot(start, end, text, partial(self._written, text, codes, gap, start, end))

    def _written(self, text: str, codes: dict[str, str], gap: str, start: int, end: int, answer: str) -> str:
        written = outer(text, answer)
        written = None if written is None else inserted(written, codes)
        if written is None:
            return self.text[start:end]
        return f'{gap}<tuv xml:lang="{escape(self.language)}"><seg>{written}</seg></tuv>'

    def render(self, answers: Sequence[str | None]) -> bytes:
        """See `Slots`; an answer that is the source is a translation here, and is written."""
        own = self.found
        self.found = [Slot(slot.start, slot.end, "\0", slot.encode) for slot in own]
        try:
            return super().render(answers)
        finally:
            self.found = own

    def _seg(self, unit: list[Token], side: Element) -> str:
        """The content of the `seg` of a `tuv`, "" where it has none."""
        inside = [token for token in unit if side[0].start <= token.start <= side[1].start]
        found = next((one for one in children(inside) if one[0].name == "seg"), None) if len(inside) > 1 else None
        return "" if found is None or found[0] is found[1] else self.text[found[0].end : found[1].start]


def _language(tuv: Token) -> str:
    return base_code(tuv.attribute("xml:lang") or tuv.attribute("lang"))
