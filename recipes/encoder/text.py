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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from recipes.encoder import meanings
from recipes.encoder.books import books as read_books
from recipes.translation.chinese import simplify
from recipes.translation.common import Pair, is_reserved, read_pairs

LENGTH = 480  # characters of a passage: about the window of 128 pieces
SHORTEST = 3  # words of a text by itself
SHORTEST_CHINESE = 5  # characters
PLAIN = 0.1  # share of the English passages in small letters, as many messages and data sets are
SEED = 1
UNORDERED = frozenset(
    {"tatoeba", "verses", "meanings", "synonyms"}
)  # neighbours say the same in other words, and would give masks away
# Characters of each kind at most, in English and in each other language. Kinds that are not named here are lists of words.
MOST = {
    "tatoeba": (12_000_000, 5_000_000),
    "prose": (14_000_000, 6_000_000),
    "stories": (4_000_000, 3_000_000),
    "games": (6_000_000, 3_000_000),
    "health": (250_000, 250_000),
    "descriptions": (6_000_000, 4_000_000),
    "documentation": (9_000_000, 4_000_000),
    "verses": (2_000_000, 1_000_000),
    "help": (2_000_000, 1_000_000),
    "interface": (3_000_000, 1_000_000),
    "books": (80_000_000, 0),
    "meanings": (11_000_000, 0),
    "synonyms": (8_000_000, 0),
    "files": (20_000_000, 0),  # `--more`
}
LANGUAGES = ("fr", "de", "es", "zh")

Texts = dict[tuple[str, str, str], list[str]]  # of (language, kind, package)


@dataclass(frozen=True)
class Sources:
    """Where the texts are: what is None or empty is left out."""

    corpora: Sequence[Path]  # of pairs, named for their language: train-fr.tsv or en-fr/train.tsv
    books: Path | None = None  # a clone, see books.py
    wordnet: Path | None = None  # a folder of WordNet's files, see meanings.py
    thesaurus: Path | None = None  # words.txt of npm's moby
    more: Sequence[Path] = ()  # text files in English


def collect(sources: Sources, out: Path, most: int = 0) -> int:
    """Write passages in random order, and return how many. most: characters, 0: all."""
    texts = _of_pairs(sources.corpora)
    for name, paragraphs in read_books(sources.books) if sources.books else ():
        texts["en", "books", name] = paragraphs
    if sources.wordnet:
        texts["en", "meanings", "wordnet"] = list(meanings.texts(sources.wordnet))
    if sources.thesaurus:
        texts["en", "synonyms", "moby"] = list(meanings.lists(sources.thesaurus))
    for path in sources.more:
        blocks = path.read_text(encoding="utf-8", errors="replace").split("\n\n")
        texts["en", "files", path.name] = [" ".join(p.split()) for p in blocks if p.strip()]
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


def language(corpus: Path) -> str:
    """The language that a corpus of pairs is named for.

    >>> language(Path("five/train-zh.tsv")), language(Path("en-zh_CN/train.tsv"))
    ('zh', 'zh')
    """
    found = re.search(r"-([a-z]{2})(_[A-Z]{2})?(/|\.)", f"{corpus.parent.name}/{corpus.name}")
    if not found or found[1] not in LANGUAGES:
        raise SystemExit(f"{corpus}: expected the name of a corpus of {', '.join(LANGUAGES)}, such as train-fr.tsv.")
    return found[1]


def wanted(corpus: Path) -> Iterator[Pair]:
    """The pairs of a corpus that are sentences, without those of reserved packages; Chinese in simplified characters."""
    if not corpus.is_file():
        raise SystemExit(f"{corpus}: not there. Build it first: python -m recipes.translation")
    chinese = language(corpus) == "zh"
    for pair in read_pairs(corpus):
        # The first column is the kind in one recipe's files, and "everyday" and the like stand for the package in another's.
        if pair.kind in MOST and not any(map(is_reserved, re.split(r"[+/:]", pair.package))):
            yield pair._replace(target=simplify(pair.target)) if chinese else pair


def _of_pairs(corpora: Iterable[Path]) -> Texts:
    """The sides of the pairs that are wanted, by language, kind and package, in their order."""
    texts: Texts = defaultdict(list)
    seen: set[int] = set()
    for corpus in corpora:
        other = language(corpus)
        for pair in wanted(corpus):
            for side, text in (("en", pair.source), (other, pair.target)):
                text = " ".join(text.split())
                long = len(text) >= SHORTEST_CHINESE if side == "zh" else len(text.split()) >= SHORTEST
                if long and (key := hash(text.casefold())) not in seen:
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
        left = most = MOST[kind][side != "en"]
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
