"""Markup of translators' tools inside a text of XLIFF or TMX: `bpt`, `ept`, `ph`, `it`, `ut`, whose content is code.

    >>> raw, codes = coded('Hello <bpt id="1">&lt;b&gt;</bpt>big<ept id="1">&lt;/b&gt;</ept>')
    >>> raw, inserted("Le &lt;1&gt;grand&lt;/1&gt;", codes)
    ('Hello &lt;1&gt;big&lt;/1&gt;', 'Le <bpt id="1">&lt;b&gt;</bpt>grand<ept id="1">&lt;/b&gt;</ept>')

A translator sees `<1>` and `</1>` in their places, as it does in documents of word processors.
"""

from __future__ import annotations

import re

from lamella.data.documents.xml_text import escape

_NATIVE = re.compile(r"<(bpt|ept|ph|it|ut)(?:\s[^<>]*)?(?<!/)>.*?</\1\s*>", re.DOTALL)
_NUMBERED = re.compile(r"&lt;/?\d|<\d")


def coded(raw: str) -> tuple[str, dict[str, str]]:
    """The content of an element with a number in the place of each piece of code, and what stands for what.

    As it is where the text itself holds such numbers.
    """
    if _NUMBERED.search(raw):
        return raw, {}
    codes: dict[str, str] = {}
    open_: list[int] = []
    number = 0

    def code(match: re.Match[str]) -> str:
        nonlocal number
        if match[1] == "ept" and open_:
            tag = f"</{open_.pop()}>"
        else:
            number += 1
            tag = f"<{number}>" if match[1] == "bpt" else f"<{number}/>"
            open_.extend([number] if match[1] == "bpt" else [])
        codes[escape(tag)] = match[0]
        return escape(tag)

    return _NATIVE.sub(code, raw), codes


def inserted(written: str, codes: dict[str, str]) -> str | None:
    """An answer as the content of an element with the code again; None where it has not each piece once."""
    for tag, native in codes.items():
        if written.count(tag) != 1:
            return None
        written = written.replace(tag, native)
    return written
