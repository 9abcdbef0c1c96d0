"""Share the texts between training, development and test, and cut training's into what people type.

    python -m recipes.languages.split

Whole packages, pages, chapters and topics go to one side, in all languages together, by a hash of their name that never
changes; what the two other sides have that training has too, case and punctuation aside, is dropped. The hand-written
sentences of `everyday.tsv` beside this file, and those of the translator's recipe, are taken out of training.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from recipes.languages.common import CACHE, CODES, PROMISED, Item, read_items
from recipes.languages.extract import DENSE, SCRIPTS
from recipes.translation import split as translation
from recipes.translation.common import base_package, is_reserved, write_rows
from recipes.translation.normalise import key

# How often each kind is drawn beside the others, as long as there is some left.
SHARES = {
    "stories": 4.0, "talk": 3.0, "fortunes": 2.0, "verses": 1.5, "requests": 0.7, "words": 0.7, "descriptions": 2.0,
    "help": 2.0, "interface": 2.0,
}  # fmt: skip
UNTESTED = ("requests", "words", "fortunes")  # made of templates, no sentences, or a few large files
HELD_OUT = 0.08  # of the packages on either side
TEXTS = {True: 6000, False: 2500}  # of a promised language, and of another
TESTED = {"dev": 150, "test": 400}  # of each kind and language
PLAIN = 0.06  # of the texts lose their accents, as people type
WHOLE = 0.3  # of the texts are whole sentences
SEED = 4


def side(item: Item) -> str:
    """Where what belongs together goes: train, dev or test."""
    if item.kind in UNTESTED:
        return "train"
    digest = hashlib.sha256(f"{item.kind}/{item.package}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    return "test" if place < HELD_OUT else "dev" if place < 2 * HELD_OUT else "train"


def by_hand() -> set[str]:
    """The keys of sentences that are for tests: this recipe's and the translator's, of every language."""
    keys = set()
    for path in (Path(__file__).with_name("everyday.tsv"), Path(translation.__file__).with_name("everyday.tsv")):
        for line in path.read_text(encoding="utf-8").splitlines():
            keys.update(key(cell) for cell in line.split("\t"))
    return keys


def crop(text: str, dense: bool, chance: random.Random) -> str:
    """Some neighbouring words of a text, or characters where there are no spaces: 8 to 120 of them, short ones as often.

    >>> crop("one two three four five six", False, random.Random(1))
    'two three four five'
    """
    length = 8 * 15 ** chance.random()
    if dense and " " not in text[:20]:
        length = max(3, int(length / 2))
        start = chance.randrange(max(1, len(text) - length + 1))
        return text[start : start + length]
    words = text.split(" ")
    start = chance.randrange(len(words))
    end = start + 1
    while end < len(words) and len(" ".join(words[start:end])) < length:
        end += 1
    while start and len(" ".join(words[start:end])) < length:
        start -= 1
    return " ".join(words[start:end])


def without_accents(text: str) -> str:
    """Letters as keyboards without accents have them.

    >>> without_accents("¿Dónde está?")
    '¿Donde esta?'
    """
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def draw(items: list[Item], count: int, chance: random.Random) -> list[Item]:
    """So many texts, the kinds by their shares, none twice."""
    kinds: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        kinds[item.kind].append(item)
    for there in kinds.values():
        chance.shuffle(there)
    drawn: list[Item] = []
    while len(drawn) < count and any(kinds.values()):
        left = [kind for kind, there in kinds.items() if there]
        drawn.append(kinds[chance.choices(left, [SHARES[kind] for kind in left])[0]].pop())
    return drawn


def written(item: Item, chance: random.Random) -> str:
    """A text as training sees it: whole or a part, now and then without accents; never what tests have."""
    text = item.text if chance.random() < WHOLE else crop(item.text, item.language in DENSE, chance)
    if item.language not in SCRIPTS and chance.random() < PLAIN:
        text = without_accents(text)
    return re.sub(r"\s+", " ", text).strip()


def write_texts(path: Path, rows: Iterable[tuple[str, str]]) -> None:
    """(text, label) as JSON lines, which is what `lamella train` and `evaluate` read."""
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8", newline="\n") as stream:
        for text, label in rows:
            stream.write(json.dumps({"text": text, "label": label}, ensure_ascii=False) + "\n")
    os.replace(part, path)


def split() -> None:
    """Write train.jsonl, dev.jsonl and test.tsv."""
    sides: dict[str, dict[str, list[Item]]] = {name: defaultdict(list) for name in ("train", "dev", "test")}
    hand = by_hand()
    for item in read_items(CACHE / "texts.tsv"):
        assert not is_reserved(base_package(item.package)), item
        if key(item.text) not in hand:
            sides[side(item)][item.language].append(item)
    chance = random.Random(SEED)
    train, seen = [], set()
    for label in CODES:
        theirs = sides["train"][label]
        seen.update(key(item.text) for item in theirs)
        drawn = draw(theirs, TEXTS[label in PROMISED], chance)
        kinds = Counter(item.kind for item in drawn)
        print(f"split: {label} {len(drawn):6,} of {len(theirs):7,} texts: {dict(kinds.most_common())}", flush=True)
        train += [(written(item, chance), label) for item in drawn]
    train = [(text, label) for text, label in train if key(text) and key(text) not in hand]
    chance.shuffle(train)
    write_texts(CACHE / "train.jsonl", train)
    for name, most in TESTED.items():
        kept: list[Item] = []
        counts: Counter[tuple[str, str]] = Counter()
        for label in CODES:
            theirs = sides[name][label]
            chance.shuffle(theirs)
            for item in theirs:
                if counts[label, item.kind] < most and key(item.text) not in seen:
                    counts[label, item.kind] += 1
                    kept.append(item)
        write_rows(CACHE / f"{name}.tsv", kept)
        packages = len({(item.kind, item.package) for item in kept})
        print(f"split: {name}: {len(kept):,} texts of {packages:,} packages, pages, chapters and topics", flush=True)
    dev = [(written(item, chance), item.language) for item in read_items(CACHE / "dev.tsv")]
    fresh = {key(text) for text, _ in train}
    write_texts(CACHE / "dev.jsonl", [(text, label) for text, label in dev if key(text) and key(text) not in fresh])
    print(f"split: {len(train):,} texts to train on", flush=True)


if __name__ == "__main__":
    split()
