"""Collect the text that the encoder learns from: passages of one language each, as JSON lines.

Neighbouring texts of one package are joined to passages of about a window, so that a mask sees more than its own sentence, and no
window is mostly padding. A text that comes again is left out.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from recipes.translation.common import base_package, is_reserved, read_pairs

LENGTH = 480  # characters of a passage: about the window of 128 pieces
SHORTEST = 3  # words of a text by itself


def collect(corpus: Path, more: Iterable[Path], out: Path, most: int = 0) -> int:
    """Write the passages of a corpus of pairs and of text files, and return how many; `most` characters, 0: all."""
    if not corpus.is_file():
        raise SystemExit(f"{corpus}: not there. Build it first: python -m recipes.translation.corpus all --lang fr")
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(out.name + ".part")
    count = size = 0
    with part.open("w", encoding="utf-8") as stream:
        for passage in (*_of_files(more), *_of_pairs(corpus)):
            stream.write(json.dumps({"text": passage}, ensure_ascii=False) + "\n")
            count, size = count + 1, size + len(passage)
            if most and size >= most:
                break
    os.replace(part, out)
    print(f"text: {count:,} passages, {size:,} characters in {out}", flush=True)
    return count


def _of_pairs(corpus: Path) -> Iterator[str]:
    """Both sides of the pairs, each package's texts joined in their order."""
    texts: dict[tuple[str, str], list[str]] = defaultdict(list)
    seen: set[int] = set()
    for pair in read_pairs(corpus):
        assert not is_reserved(base_package(pair.package)), pair.package
        for side, text in (("en", pair.source), ("fr", pair.target)):
            text = " ".join(text.split())
            if hash(text) not in seen and len(text.split()) >= SHORTEST:
                seen.add(hash(text))
                texts[side, pair.package].append(text)
    for several in texts.values():
        yield from joined(several)


def _of_files(paths: Iterable[Path]) -> Iterator[str]:
    """Paragraphs of text files."""
    for path in paths:
        paragraphs = path.read_text(encoding="utf-8", errors="replace").split("\n\n")
        yield from joined([" ".join(p.split()) for p in paragraphs if p.strip()])


def joined(texts: Iterable[str]) -> Iterator[str]:
    """Texts joined to passages of at most `LENGTH` characters; a longer text is a passage by itself.

    >>> list(joined(["One.", "Two.", "x" * 478]))[0]
    'One. Two.'
    """
    passage = ""
    for text in texts:
        if passage and len(passage) + len(text) >= LENGTH:
            yield passage
            passage = ""
        passage = f"{passage} {text}".strip()
    if passage:
        yield passage
