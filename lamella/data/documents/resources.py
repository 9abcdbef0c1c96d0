r"""Texts in XML: Android's strings.xml, and XLIFF 1.2 and 2.0.

    >>> file = AndroidStrings(b'<resources><string name="a">It\\\'s <b>%s</b></string></resources>', "strings.xml")
    >>> file.segments, file.render(["C'est <b>%s</b>"])
    (["It's <b>%s</b>"], b'<resources><string name="a">C\\\'est <b>%s</b></string></resources>')

Elements within a text stay in it as they are written, which a translator keeps; entities become letters and are written
as entities again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from lamella.data.documents.native import coded, inserted
from lamella.data.documents.slots import Slot, Slots, worded
from lamella.data.documents.xml_text import Token, check, escape, tokens, unescape
from lamella.data.text.icu import fitting
from lamella.data.text.languages import base_code
from lamella.errors import DataError

_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!\[CDATA\[.*?\]\]>|<!--.*?-->", re.DOTALL)
_GAP = 500  # characters of white space before an element that are looked at
_MARK = re.compile(r"<[^<>]*>")
_LEAD = re.compile(r"(?:\s|\\u00(?:20|[aA]0)|\\n)*+")
_TAIL = ("\\n", "\\u0020", "\\u00a0", "\\u00A0")
_LETTER = re.compile(
    r"(?<!\\)\\u(?!d[89a-f]|00[0-7])([0-9a-f]{4})", re.IGNORECASE
)  # an escape of Android that a net would not read


def inner(raw: str) -> str:
    """The content of an element as a text: entities as letters, tags as they are."""
    parts, end = [], 0
    for match in _TAG.finditer(raw):
        parts += [unescape(raw[end : match.start()]), match[0]]
        end = match.end()
    return "".join([*parts, unescape(raw[end:])])


def outer(source: str, answer: str) -> str | None:
    """An answer as the content of an element; None where its tags are not those of the source."""
    allowed = {match[0] for match in _TAG.finditer(source)}
    if sorted(match[0] for match in _TAG.finditer(answer) if match[0] in allowed) != sorted(
        match[0] for match in _TAG.finditer(source)
    ):
        return None
    parts, end = [], 0
    open_: list[str] = []
    for match in _TAG.finditer(answer):
        if match[0] not in allowed:
            continue
        name = re.match(r"</?([^\s<>/]+)", match[0])
        if name and match[0].startswith("</"):
            if not open_ or open_.pop() != name[1]:
                return None
        elif name and not match[0].endswith("/>"):
            open_.append(name[1])
        parts += [escape(answer[end : match.start()]), match[0]]
        end = match.end()
    return None if open_ else "".join([*parts, escape(answer[end:])])


def unmarked(text: str) -> str:
    """A text without its tags."""
    return _MARK.sub("", text)


class XmlSlots(Slots):
    """A file of XML, whose tokens are looked through once."""

    def slots(self) -> list[Slot]:
        check(self.body().encode("utf-8", "replace"), self.name)
        found = self.texts(list(tokens(self.text)))
        if not found:
            raise DataError(f"{self.name}: expected {self.holds}, received none. Is it another kind of file?")
        return found

    def body(self) -> str:
        """The text that has to be well-formed XML: without the encoding that its bytes had."""
        return re.sub(r"^(\s*<\?xml[^>]*?)\s+encoding\s*=\s*(?:\"[^\"]*\"|'[^']*')", r"\1", self.text)

    def texts(self, pieces: list[Token]) -> list[Slot]:
        raise NotImplementedError


def closing(pieces: list[Token], at: int) -> int:
    """Where the element that opens at a place closes."""
    depth = 0
    for index in range(at, len(pieces)):
        depth += (pieces[index].kind == "open") - (pieces[index].kind == "close")
        if depth == 0:
            return index
    return len(pieces) - 1


# --- Android ---------------------------------------------------------------------------------------------------------


class AndroidStrings(XmlSlots):
    """`string` elements, and the `item` of plurals and arrays; not those marked `translatable="false"`."""

    holds = "Android's <resources> with <string> elements"

    def texts(self, pieces: list[Token]) -> list[Slot]:
        found: list[Slot] = []
        index = 0
        while index < len(pieces):
            token, index = pieces[index], index + 1
            typed = token.name == "item" and token.attribute("type") == "string"
            if token.kind != "open" or not (typed or token.name in ("string", "plurals", "string-array")):
                continue
            last = closing(pieces, index - 1)
            if token.attribute("translatable") == "false":
                index = last + 1
            elif token.name in ("string", "item"):
                found += self._slot(token.end, pieces[last].start)
                index = last + 1
            elif token.name == "plurals":
                found += self._plurals(pieces[index - 1 : last + 1])
                index = last + 1
            else:
                while index < last:
                    item, index = pieces[index], index + 1
                    if item.kind == "open" and item.name == "item":
                        end = closing(pieces, index - 1)
                        found += self._slot(item.end, pieces[end].start)
                        index = end + 1
        return found

    def _plurals(self, pieces: list[Token]) -> list[Slot]:
        """The forms of a plural, which become those of the target language: missing ones are copies of `other`."""
        items = [one for one in children(pieces) if one[0].name == "item" and one[0].kind == "open"]
        stay, lacking = fitting([first.attribute("quantity") for first, _ in items], self.language)
        found = []
        for first, last in items:
            quantity = first.attribute("quantity")
            for slot in self._slot(first.end, last.start):
                if quantity in stay and not (quantity == "other" and lacking):
                    found.append(slot)
                    continue
                start = gap_before(self.text, first.start)
                write = partial(self._forms, start, first, last, slot, lacking if quantity in stay else None)
                found.append(Slot(start, last.end, slot.text, write))
        return found

    def _forms(self, start: int, first: Token, last: Token, slot: Slot, lacking: list[str] | None, answer: str) -> str:
        """A form with copies for the categories that the source lacks; nothing for one that the target language has not."""
        if lacking is None:
            return ""
        before, lead, tail = (
            self.text[a:b] for a, b in ((start, first.start), (first.end, slot.start), (slot.end, last.start))
        )
        tags = [re.sub(r"(quantity\s*=\s*[\"'])other", rf"\g<1>{name}", first.raw) for name in (*lacking, "other")]
        return "".join(f"{before}{tag}{lead}{slot.encode(answer)}{tail}{last.raw}" for tag in tags)

    def _slot(self, start: int, end: int) -> list[Slot]:
        start, end = _bounds(self.text, start, end)
        raw = self.text[start:end]
        quoted = len(raw) > 1 and raw[0] == raw[-1] == '"' and raw[-2] != "\\"
        literal = raw.startswith("<![CDATA[") and raw.endswith("]]>") and raw.count("<![CDATA[") == 1
        content = raw[9:-3] if literal else inner(raw[1:-1] if quoted else raw)
        text = _LETTER.sub(lambda m: chr(int(m[1], 16)), re.sub(r"\\(['\"@?])", r"\1", content))
        if not worded(unmarked(text)) or raw.startswith(("@string/", "?")):
            return []
        return [Slot(start, start + len(raw), text, partial(_android, raw, text, quoted, literal))]


def gap_before(text: str, place: int) -> int:
    """Where the white space before a place begins."""
    gap = text[max(0, place - _GAP) : place]
    return place - len(gap) + len(gap.rstrip())


def _bounds(text: str, start: int, end: int) -> tuple[int, int]:
    """Where the words of a text begin and end: blanks around them, escaped ones too, are no part of them."""
    lead = _LEAD.match(text, start, end)
    start = lead.end() if lead else start
    while start < end:
        tail = next((one for one in _TAIL if text.endswith(one, start, end)), "")
        if text[end - 1].isspace():
            end -= 1
        elif tail and text[end - len(tail) - 1 : end - len(tail)] != "\\":
            end -= len(tail)
        else:
            break
    return start, end


def _android(raw: str, text: str, quoted: bool, literal: bool, answer: str) -> str:
    answer = answer.replace("\n", " ")
    parts = re.split(r"(<[^<>]*>)", answer)
    marks = r"(?<!\\)\"" if quoted else r"(?<!\\)(['\"])"
    answer = "".join(p if i % 2 else re.sub(marks, lambda m: "\\" + m[0], p) for i, p in enumerate(parts))
    if answer[:1] in ("@", "?"):
        answer = "\\" + answer
    if literal:
        return raw if "]]>" in answer else f"<![CDATA[{answer}]]>"
    written = outer(text, answer)
    if written is None:
        return raw
    return f'"{written}"' if quoted else written


# --- XLIFF -----------------------------------------------------------------------------------------------------------


# States of a target that holds no translation yet (often a copy of the source), and of what must stay as it is.
_WAITING = ("new", "needs-translation", "needs-l10n", "initial")
_FINAL = ("final", "signed-off")
_REVIEW = "needs-review-translation"


def children(pieces: list[Token]) -> list[tuple[Token, Token]]:
    """The elements right within the one that these pieces are: where each opens and closes."""
    found = []
    at = 1
    while at < len(pieces) - 1:
        last = closing(pieces, at) if pieces[at].kind == "open" else at
        if pieces[at].kind in ("open", "void"):
            found.append((pieces[at], pieces[last]))
        at = last + 1
    return found


def _with(tag: str, name: str, value: str) -> str:
    """A tag with an attribute, whatever that was before.

    >>> _with('<target state="new">', "state", "final"), _with("<target>", "state", "new")
    ('<target state="final">', '<target state="new">')
    """
    plain = re.sub(rf"\s+{name}\s*=\s*(?:\"[^\"]*\"|'[^']*')", "", tag)
    return f'{plain[:-1]} {name}="{value}">'


class Xliff(XmlSlots):
    """XLIFF 1.2 and 2.0: a `target` for every `source` that has none with a text in it, or one that waits for translation.

    What is final, signed off or approved stays. What was translated gets the state `needs-review-translation` (1.2: a person
    is to look at it) or `translated` (2.0: not reviewed yet).
    The target language is written into the head where it is missing. Raises DataError where the file is for another one.
    """

    holds = "XLIFF with <source> elements"

    def texts(self, pieces: list[Token]) -> list[Slot]:
        root = next((token for token in pieces if token.kind == "open"), None)
        if root is None or root.name.rpartition(":")[2] != "xliff":
            raise self.error(0, "another root", "Is it XLIFF 1.2 or 2.0?")
        self.heads: list[tuple[int, str]] = []
        second = root.attribute("version").startswith("2")
        self.head(root if second else None, [t for t in pieces if t.kind == "open" and t.name == "file"], second)
        units = ("segment",) if second else ("trans-unit",)
        found: list[Slot] = []
        off: list[int] = []
        for index, token in enumerate(pieces):
            off = [end for end in off if index <= end]
            if token.kind != "open":
                continue
            if token.attribute("translate") == "no":
                off.append(closing(pieces, index))
            elif token.name in units and not off:
                found += self._unit(pieces[index : closing(pieces, index) + 1], second)
        return found

    def head(self, root: Token | None, files: list[Token], second: bool) -> None:
        """Where the target language is written, and that it is ours."""
        name = "trgLang" if second else "target-language"
        for token in [root] if root else files:
            theirs = token.attribute(name)
            if theirs and self.language and base_code(theirs) != base_code(self.language):
                raise self.error(
                    token.start,
                    f"a file for {theirs[:20]}",
                    f"Choose --to {base_code(theirs)[:20]}, or take {name} out",
                )
            if not theirs and self.language:
                self.heads.append((token.end - 1, f' {name}="{escape(self.language)}"'))

    def _unit(self, pieces: list[Token], second: bool) -> list[Slot]:
        inside = children(pieces)
        source = next((one for one in inside if one[0].name == "source"), None)
        if source is None:
            return []
        raw, codes = coded(self.text[source[0].end : source[1].start])
        text = inner(raw)
        target = next((one for one in inside if one[0].name == "target"), None)
        if not worded(unmarked(text)) or self._is_done(pieces[0], target, second):
            return []
        # The schema of 1.2 has a source in segments between the source and the target.
        place = next((one for one in inside if one[0].name == "seg-source"), source)[1].end
        begin, end = (target[0].start, target[1].end) if target else (place, place)
        gap = self.text[max(0, source[0].start - _GAP) : source[0].start]
        before = "" if target else gap[len(gap.rstrip()) :]
        head = target[0].raw.rstrip("/>") + ">" if target else "<target>"
        edges = re.match(r"(\s*)(.*?)(\s*)$", text, re.DOTALL)
        lead, core, tail = edges.groups() if edges else ("", text, "")
        unit = pieces[0]
        start = unit.start if second else begin  # the state of 2.0 stands at the segment

        def write(answer: str) -> str:
            written = outer(core, answer)
            written = None if written is None else inserted(written, codes)
            if written is None:
                return self.text[start:end]
            opened = head if second else _with(head, "state", _REVIEW)
            target = f"{before}{opened}{lead}{written}{tail}</target>"
            if not second:
                return target
            return _with(unit.raw, "state", "translated") + self.text[unit.end : begin] + target

        return [Slot(start, end, core, write)]

    def _is_done(self, unit: Token, target: tuple[Token, Token] | None, second: bool) -> bool:
        """Whether a unit is translated: its target has a text whose state is not that of one to translate, or it is final."""
        state = unit.attribute("state") if second else target[0].attribute("state") if target else ""
        if state in _FINAL or unit.attribute("approved") == "yes":
            return True
        text = self.text[target[0].end : target[1].start] if target and target[0] is not target[1] else ""
        return bool(text.strip()) and state not in _WAITING

    def render(self, answers: Sequence[str | None]) -> bytes:
        """See `Slots`; an answer that is the source is a translation here, and is written."""
        if all(answer is None for answer in answers):
            return self.data
        slots = [Slot(s.start, s.end, "\0", s.encode) for s in self.found]
        heads = [(Slot(place, place, ""), new) for place, new in self.heads]
        both = sorted([*zip(slots, answers, strict=True), *heads], key=lambda one: one[0].start)
        own, self.found = self.found, [slot for slot, _ in both]
        try:
            return super().render([answer for _, answer in both])
        finally:
            self.found = own
