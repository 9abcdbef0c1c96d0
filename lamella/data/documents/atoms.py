"""The pieces of a paragraph of an office document, and XML as nodes. See `runs`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lamella.data.documents.formulas import BASE, GOES_ON, RAISED
from lamella.data.documents.xml_text import Token, escape, tokens


@dataclass
class Node:
    """An element: its tags as they are written, and what is in it. Texts are nodes without a name."""

    name: str
    open: str
    close: str = ""
    inside: list[Node] = field(default_factory=list)


@dataclass
class Atom:
    """A text with what is written around it, the beginning or end of an element, or a thing that is no text."""

    kind: str  # text, open, close, thing, break
    text: str = ""
    open: str = ""
    close: str = ""
    node: Node | None = None


def tree(text: str) -> Node:
    """XML as nodes. The nesting has been looked at before."""
    root = Node("", "")
    stack = [root]
    for token in tokens(text):
        if token.kind == "open":
            node = Node(token.name, token.raw)
            stack[-1].inside.append(node)
            stack.append(node)
        elif token.kind == "close" and len(stack) > 1:
            stack.pop().close = token.raw
        else:
            stack[-1].inside.append(Node(_named(token), token.raw))
    return root


def _named(token: Token) -> str:
    return token.name if token.kind == "void" else "" if token.kind == "text" else "!"


def says(atom: Atom) -> bool:
    """Whether a piece of a paragraph is words, or a formula, which is one."""
    formula = atom.node is not None and atom.node.name == "formula"
    return formula or (atom.kind == "text" and bool(atom.text.strip()))


_SHIFTED = re.compile(r"<w:vertAlign\b[^<>]*\"(?:sub|super)script\"|\bbaseline=\"-?[1-9]")


def formulas(atoms: list[Atom]) -> list[Atom]:
    """The pieces of a paragraph with formulas, in which a digit is raised or lowered, as one thing each."""
    found: list[Atom] = []

    def written(atom: Atom, text: str) -> str:
        return atom.open + escape(text) + atom.close if text else ""

    for atom in atoms:
        last = found[-1] if found else None
        if atom.kind != "text" or last is None:
            found.append(atom)
            continue
        formula = last.node if last.kind == "thing" and last.node and last.node.name == "formula" else None
        base = BASE.search(last.text) if last.kind == "text" else None
        if _SHIFTED.search(atom.open) and RAISED.fullmatch(atom.text.strip()) and (formula or base):
            if base:
                found.pop()
                head = last.text[: base.start()]
                found += [Atom("text", head, last.open, last.close)] if head else []
                formula = Node("formula", written(last, base[0]))
                found.append(Atom("thing", node=formula))
            assert formula is not None
            formula.open += written(atom, atom.text)
        elif formula and (match := GOES_ON.match(atom.text)):
            formula.open += written(atom, match[0])
            rest = atom.text[match.end() :]
            found += [Atom("text", rest, atom.open, atom.close)] if rest else []
        else:
            found.append(atom)
    return found


def raw_of(node: Node) -> Iterator[str]:
    yield node.open
    for child in node.inside:
        yield from raw_of(child)
    yield node.close
