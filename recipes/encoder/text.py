"""Collect the text that the encoder learns from: passages of one language each, as JSON lines.

Neighbouring texts of one package are joined to passages of about a window, so that a mask sees more than its own sentence, and no
window is mostly padding. A text that comes again is left out. What people classify is everyday language - opinions, questions,
messages - so sentences, prose and stories are taken whole, and what programs say only in part: `MOST` has the characters of each kind.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from recipes.translation.common import is_reserved, read_pairs

LENGTH = 480  # characters of a passage: about the window of 128 pieces
SHORTEST = 3  # words of a text by itself
PLAIN = 0.1  # share of the English passages in small letters, as many messages and data sets are
SEED = 1
UNORDERED = frozenset({"tatoeba", "verses"})  # neighbours say the same in other words, and would give masks away
# Characters of each kind at most, in English and in French. Kinds that are not named here are lists of words.
MOST = {
    "tatoeba": (12_000_000, 5_000_000),
    "prose": (14_000_000, 5_000_000),
    "stories": (4_000_000, 3_000_000),
    "games": (5_000_000, 1_500_000),
    "health": (250_000, 250_000),
    "descriptions": (6_000_000, 4_000_000),
    "documentation": (5_000_000, 2_000_000),
    "verses": (2_000_000, 1_000_000),
    "help": (2_000_000, 1_000_000),
    "interface": (3_000_000, 1_500_000),
    "files": (20_000_000, 0),  # `--more`
}

Texts = dict[tuple[str, str, str], list[str]]  # of (language, kind, package)


def collect(corpora: Iterable[Path], more: Iterable[Path], out: Path, most: int = 0) -> int:
    """Write passages of corpora of pairs and of text files, in random order, and return how many.

    corpora: pairs of English and another language, of which both sides are taken where the file is named for French ("-fr"), else
    the English one. most: characters, 0: all.
    """
    texts = _of_pairs(corpora)
    for path in more:
        paragraphs = path.read_text(encoding="utf-8", errors="replace").split("\n\n")
        texts["en", "files", path.name] = [" ".join(p.split()) for p in paragraphs if p.strip()]
    passages = list(_chosen(texts))
    random.Random(SEED).shuffle(passages)
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(out.name + ".part")
    count = size = 0
    with part.open("w", encoding="utf-8") as stream:
        for passage in passages:
            stream.write(json.dumps({"text": passage}, ensure_ascii=False) + "\n")
            count, size = count + 1, size + len(passage)
            if most and size >= most:
                break
    os.replace(part, out)
    print(f"text: {count:,} passages, {size:,} characters in {out}", flush=True)
    return count


def _of_pairs(corpora: Iterable[Path]) -> Texts:
    """The sides of the pairs that are wanted, by language, kind and package, in their order."""
    texts: Texts = defaultdict(list)
    seen: set[int] = set()
    for corpus in corpora:
        if not corpus.is_file():
            raise SystemExit(f"{corpus}: not there. Build it first: python -m recipes.translation")
        french = "-fr" in f"{corpus.parent.name}/{corpus.name}"
        for pair in read_pairs(corpus):
            # The first column is the kind in one recipe's files, and "everyday" and the like stand for the package in another's.
            if pair.kind not in MOST or any(map(is_reserved, re.split(r"[+/:]", pair.package))):
                continue
            for side, text in (("en", pair.source), ("fr", pair.target))[: 1 + french]:
                text = " ".join(text.split())
                if len(text.split()) >= SHORTEST and (key := hash(text.casefold())) not in seen:
                    seen.add(key)
                    texts[side, pair.kind, pair.package].append(text)
    return texts


def _chosen(texts: Texts) -> Iterator[str]:
    """Passages of each kind, as many as `MOST` has; which ones is drawn."""
    draw = random.Random(SEED)
    by_kind: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (side, kind, _), several in texts.items():
        if kind in UNORDERED:
            draw.shuffle(several)
        by_kind[side, kind] += joined(several)
    for (side, kind), passages in by_kind.items():
        draw.shuffle(passages)
        left = most = MOST[kind][side == "fr"]
        for passage in passages:
            if left <= 0:
                break
            left -= len(passage)
            yield passage.lower() if side == "en" and draw.random() < PLAIN else passage
        print(f"text: {side} {kind}: {most - left:,} characters", flush=True)


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
