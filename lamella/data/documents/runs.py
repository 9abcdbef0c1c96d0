"""Paragraphs of office documents: runs of one format are joined, so that a sentence over several is one text.

What differs from the paragraph's main format stands between `<1>` and `</1>`, and what is no text (a note, a picture) as
`<2/>`; both come back as they were. See `office` for the formats.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate, count

from lamella.data.documents.atoms import Atom, Node, formulas, raw_of, says, tree
from lamella.data.documents.slots import worded
from lamella.data.documents.xml_text import escape, unescape

_TAG = re.compile(r"<(/)?(\d{1,4})(/)?>")
_MOST = 400  # texts and things in a row: more is no sentence


@dataclass(frozen=True)
class Shape:
    """The elements of a format, each a set of names."""

    paragraphs: frozenset[str]
    runs: frozenset[str]  # hold a text and its properties; none where texts stand in the paragraph itself
    texts: frozenset[str]
    properties: frozenset[str]
    breaks: frozenset[str]  # end a text: a line break, a tab
    dropped: frozenset[str]  # mean nothing once the text is another
    blank: frozenset[str] = frozenset()  # stand for a blank
    closed: frozenset[str] = frozenset()  # whose texts are not translated
    whole: frozenset[str] = (
        frozenset()
    )  # stand for themselves, though there are texts in them: a note, the number of a page
    preserve: str = ""  # an attribute that keeps blanks at the ends of a text


@dataclass
class Segment:
    """A stretch of a paragraph that is one text."""

    atoms: list[Atom]
    text: str = ""
    table: dict[int, tuple[Atom, Atom | None]] = field(default_factory=dict)
    base: Atom | None = None
    answer: str | None = None


class Part:
    """One file of a document: its paragraphs, and the texts in them in order."""

    def __init__(self, text: str, shape: Shape) -> None:
        self.shape = shape
        self.root = tree(text)
        self.segments: list[Segment] = []
        self.plans: dict[int, list[Segment | Atom]] = {}
        self._walk(self.root)

    def _walk(self, node: Node) -> None:
        stack = [node]
        while stack:
            node = stack.pop()
            if node.name in self.shape.closed:
                continue
            if node.name in self.shape.paragraphs:
                self._paragraph(node)
            stack += reversed(node.inside)

    # ---- reading ----------------------------------------------------------------------------------------------------

    def _paragraph(self, node: Node) -> None:
        plan: list[Segment | Atom] = []
        atoms: list[Atom] = []
        depth = 0
        for atom in formulas(_merged(list(self._atoms(node)))):
            depth += (atom.kind == "open") - (atom.kind == "close")
            if atom.kind == "break" and depth == 0:
                plan += [*self._segment(atoms), atom]
                atoms = []
            else:
                atoms.append(atom)
        plan += self._segment(atoms)
        if any(isinstance(one, Segment) for one in plan):
            self.plans[id(node)] = plan

    def _atoms(self, node: Node) -> Iterator[Atom]:
        """What is in a paragraph, or in an element of one."""
        shape = self.shape
        field_depth = 0  # a field of Word: instructions and their result, from a `begin` to its `end`
        held: list[Node] = []
        for child in node.inside:
            marks = re.findall(r'w:fldCharType="(begin|end)"', "".join(raw_of(child))) if child.name == "w:r" else []
            if field_depth or marks:
                field_depth += marks.count("begin") - marks.count("end")
                held.append(child)
                shown = field_depth == 1 and _shows_text(held)  # a link: what follows is a text like any other
                if field_depth <= 0 or shown:
                    yield Atom("thing", node=Node("field", "", "", held))
                    field_depth, held = 0, []
            elif child.name in shape.dropped:
                yield Atom("dropped", node=child)
            elif child.name in shape.properties:
                yield Atom("thing", node=child)
            elif child.name in shape.runs:
                yield from self._run(child)
            elif child.name == "" and not shape.runs:
                yield Atom("text", unescape(child.open))
            elif child.name in shape.blank:
                yield Atom("text", " ")
            elif child.name in shape.breaks:
                yield Atom("break", node=child)
            elif child.name not in shape.closed | shape.whole and child.inside and self._speaks(child):
                yield Atom("open", open=child.open)
                yield from self._atoms(child)
                yield Atom("close", close=child.close)
            else:
                yield Atom("thing", node=child)
        if held:
            yield Atom("thing", node=Node("field", "", "", held))

    def _run(self, run: Node) -> Iterator[Atom]:
        """The texts of a run, each with the run's properties around it."""
        shape = self.shape
        heads = [child for child in run.inside if child.name in shape.properties]
        head = re.sub(r"\s[\w:]*rsid\w*=\"[^\"]*\"", "", run.open) + "".join(
            part for one in heads for part in raw_of(one)
        )
        for child in run.inside:
            if child in heads or (child.name == "" and not child.open.strip()):
                continue
            if child.name in shape.texts:
                start = child.open
                if shape.preserve and shape.preserve not in start:
                    start = start.rstrip("/>") + f" {shape.preserve}>"
                text = unescape("".join(one.open for one in child.inside if one.name == ""))
                close = (child.close or f"</{child.name}>") + run.close
                yield Atom("text", text, head + start.replace("/>", ">"), close)
            elif child.name not in shape.dropped:
                kind = "break" if child.name in shape.breaks else "thing"
                yield Atom(kind, node=Node("", "", "", [Node(run.name, head, run.close, [child])]))

    def _speaks(self, node: Node) -> bool:
        """Whether there is a text in an element that belongs to the paragraph around it."""
        stack = [node]
        while stack:
            one = stack.pop()
            if one.name in self.shape.paragraphs:
                continue
            if one.name in self.shape.texts or (not self.shape.runs and one.name == "" and one.open.strip()):
                return True
            stack += one.inside
        return False

    def _segment(self, atoms: list[Atom]) -> list[Segment | Atom]:
        """A stretch as what is before its words, its text, and what is after."""
        first, last = 0, len(atoms)
        while first < last and not says(atoms[first]):
            first += 1
        while last > first and not says(atoms[last - 1]):
            last -= 1
        # An element that begins within and ends without, or the other way round, is taken in whole.
        while first < last:
            depth = [(a.kind == "open") - (a.kind == "close") for a in atoms[first:last]]
            if min(accumulate(depth)) < 0 and first > 0:
                first -= 1
            elif sum(depth) > 0 and last < len(atoms):
                last += 1
            else:
                break
        inner = atoms[first:last]
        if not worded("".join(a.text for a in inner)) or len(inner) > _MOST:
            return list(atoms)
        segment = Segment(inner)
        self._write(segment)
        self.segments.append(segment)
        return [*atoms[:first], segment, *atoms[last:]]

    def _write(self, segment: Segment) -> None:
        """The text of a segment, with numbers for what is around and between its words."""
        sizes: Counter[tuple[str, str]] = Counter()
        for atom in segment.atoms:
            if atom.kind == "text":
                sizes[_style(atom.open), atom.close] += len(atom.text)
        base = max(sizes, key=lambda one: sizes[one])
        segment.base = next(a for a in segment.atoms if a.kind == "text" and (_style(a.open), a.close) == base)
        plain = "".join(a.text for a in segment.atoms)
        own = {int(match[2]) for match in _TAG.finditer(plain)}
        numbers = iter(n for n in count(1) if n not in own)

        parts: list[str] = []
        stack: list[tuple[int, Atom]] = []
        for atom in _wrapped(segment.atoms):
            if atom.kind == "text" and (_style(atom.open), atom.close) == base:
                parts.append(atom.text)
            elif atom.kind == "text":
                here = next(numbers)
                segment.table[here] = atom, None
                parts.append(f"<{here}>{atom.text}</{here}>")
            elif atom.kind == "open":
                here = next(numbers)
                stack.append((here, atom))
                parts.append(f"<{here}>")
            elif atom.kind == "close" and stack:
                here, begun = stack.pop()
                segment.table[here] = begun, atom
                parts.append(f"</{here}>")
            elif atom.kind in ("thing", "break"):
                here = next(numbers)
                segment.table[here] = atom, None
                parts.append(f"<{here}/>")
        segment.text = "".join(parts)

    # ---- writing ----------------------------------------------------------------------------------------------------

    def render(self) -> str:
        """The file with the answers that its segments have been given."""
        return "".join(self._node(self.root))

    def _node(self, node: Node) -> Iterator[str]:
        plan = self.plans.get(id(node))
        changed = plan is not None and any(isinstance(one, Segment) and one.answer is not None for one in plan)
        yield node.open
        if plan is None or not changed:
            for child in node.inside:
                yield from self._node(child)
        else:
            for one in plan:
                yield from self._segment_out(one) if isinstance(one, Segment) else self._atom(one)
        yield node.close

    def _atom(self, atom: Atom) -> Iterator[str]:
        if atom.kind == "text":
            yield atom.open + escape(atom.text) + atom.close
        elif atom.node is not None:
            yield from self._node(atom.node)
        else:
            yield atom.open + atom.close

    def _segment_out(self, segment: Segment) -> Iterator[str]:
        written = self._answered(segment) if segment.answer is not None else None
        if written is not None:
            yield written
        else:
            for atom in segment.atoms:
                yield from self._atom(atom)

    def _answered(self, segment: Segment) -> str | None:
        """An answer with everything back around and between its words; None where something is missing or not nested."""
        assert segment.base is not None and segment.answer is not None
        parts: list[str] = []
        used: list[int] = []
        stack: list[int] = []
        end = 0

        def put(text: str) -> None:
            if text:
                around = segment.table[stack[-1]][0] if stack else segment.base
                around = around if around is not None and around.kind == "text" else segment.base
                assert around is not None
                parts.append(around.open + escape(text) + around.close)

        for match in _TAG.finditer(segment.answer):
            number = int(match[2])
            if number not in segment.table:
                continue
            put(segment.answer[end : match.start()])
            end = match.end()
            first, second = segment.table[number]
            if match[3]:
                if first.node is None:
                    return None
                parts += self._node(first.node)
                used.append(number)
            elif match[1]:
                if not stack or stack.pop() != number:
                    return None
                parts.append(second.close if second else "")
            else:
                if first.node is not None or (stack and segment.table[stack[-1]][0].kind == "text"):
                    return None
                stack.append(number)
                used.append(number)
                parts.append(first.open if second else "")
        put(segment.answer[end:])
        return "".join(parts) if not stack and sorted(used) == sorted(segment.table) else None


def _shows_text(field: list[Node]) -> bool:
    """Whether a field of Word has come to its result, and that is a text of the document: of a link, a table of contents."""
    if 'w:fldCharType="separate"' not in "".join(raw_of(field[-1])):
        return False
    said = re.findall(r"<w:instrText[^<>]*>([^<]*)", "".join(part for node in field for part in raw_of(node)))
    return "".join(said).split()[:1] in (["HYPERLINK"], ["TOC"])


def _style(open_: str) -> str:
    """What is written before a text, without what does not change how it looks."""
    plain = re.sub(r"<w:(?:lang|noProof)\b[^<>]*/>|\s(?:lang|altLang|dirty|err|smtClean)=\"[^\"]*\"", "", open_)
    return re.sub(r"<(?:w|a):rPr\s*(?:/>|></(?:w|a):rPr>)", "", plain)


def _merged(atoms: list[Atom]) -> list[Atom]:
    """Texts of one look that stand side by side are one."""
    found: list[Atom] = []
    for atom in atoms:
        if atom.kind == "dropped":
            continue
        last = found[-1] if found else None
        if (
            last
            and atom.kind == last.kind == "text"
            and (_style(last.open), last.close) == (_style(atom.open), atom.close)
        ):
            found[-1] = Atom("text", last.text + atom.text, last.open, last.close)
        else:
            found.append(atom)
    return found


def _wrapped(atoms: list[Atom]) -> list[Atom]:
    """Atoms, where an element with nothing but one text in it is a text of its own look: a link, a span."""
    found: list[Atom] = []
    for atom in atoms:
        if atom.kind == "close" and len(found) > 1 and found[-1].kind == "text" and found[-2].kind == "open":
            text, begun = found.pop(), found.pop()
            atom = Atom("text", text.text, begun.open + text.open, text.close + atom.close)
        found.append(atom)
    return found
