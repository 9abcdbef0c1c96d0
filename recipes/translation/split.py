"""Split the clean pairs into training, development and test so that nothing tested was seen in training.

Run by `python -m recipes.translation.corpus split`. Whole packages (descriptions: packages of one stem; help: pages;
stories: catalogues; verses: chapters) go to one side, by a hash of their name that never changes. From dev and test
every pair is then dropped of which training has the English or the translation, case, spaces and punctuation aside.
`everyday.tsv` beside this file (English, tab, French; another language: `everyday-LANG.tsv`) is a test set by hand: its
texts and every pangram, which the hand-written tests use too, are taken out of training.
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
from typing import Any

from recipes.translation.common import KINDS, Folders, Pair, base_package, is_reserved, read_pairs, write_rows
from recipes.translation.normalise import key

TESTED_KINDS = ("interface", "descriptions", "help", "verses", "stories")
SHARE = 0.015
# What has fewer pairs, or fewer and larger packages, gives a larger share.
SHARES = {"help": 0.025, "stories": 0.05, "verses": 0.02, "descriptions": 0.02}
LARGEST = 3000  # a larger group stays in training, or too much would be lost for the few pairs tested
SIZES = {"test": 1000, "dev": 400}
SEED = 20240
MINIMUM_CATALOGUES = 1000
MINIMUM_PAIRS = 650_000
PANGRAM_LETTERS = 60
PANGRAM_PHRASES = (
    "quick brown fox", "brown fox", "lazy dog", "renard brun", "chien paresseux", "portez ce vieux whisky",
    "voix ambigue",
)  # fmt: skip
_PANGRAM_HINT = re.compile("fox|dog|brun|chien|whisky|voix")
_STEM = re.compile(r"^(?:lib|python3?-|golang-[a-z]+-|ruby-|node-|r-cran-|r-bioc-|php-|fonts-|gir1\.2-)+|[\d.]+(?=-|$)")


def group(pair: Pair) -> str:
    """The name of what goes to one side of the split as a whole."""
    if pair.kind == "descriptions":
        return _STEM.sub("", pair.package).partition("-")[0] or pair.package
    return pair.package


def side(pair: Pair) -> str:
    """Where the pair's group belongs: dev, test or train."""
    if pair.kind not in TESTED_KINDS:
        return "train"
    share = SHARES.get(pair.kind, SHARE)
    digest = hashlib.sha256(f"{pair.kind}/{group(pair)}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    return "test" if place < share else "dev" if place < 2 * share else "train"


def is_pangram(text: str) -> bool:
    """Whether a text is one of the sentences that show every letter of the alphabet."""
    lower = text.lower()
    if len(set(lower)) < 26 and not _PANGRAM_HINT.search(lower):  # the usual case, without the work below
        return False
    plain = "".join(c for c in unicodedata.normalize("NFD", lower) if not unicodedata.combining(c))
    words = " ".join(re.findall(r"[a-z]+", plain))
    letters = words.replace(" ", "")
    return any(phrase in words for phrase in PANGRAM_PHRASES) or (
        len(letters) <= PANGRAM_LETTERS and len(set(letters)) == 26
    )


def everyday(lang: str) -> tuple[set[str], set[str]]:
    """The keys of the sentences tested by hand, of each side; none, with a message, where there is no such file."""
    path = Path(__file__).with_name("everyday.tsv" if lang == "fr" else f"everyday-{lang}.tsv")
    if not path.exists():
        print(f"split: {path.name} is not there: no everyday sentences taken out of training", flush=True)
        return set(), set()
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return {key(row[0]) for row in rows}, {key(row[1]) for row in rows}


def unseen(pairs: Iterable[Pair], sources: set[str], targets: set[str]) -> list[Pair]:
    """The pairs of which neither side is in the given sets of keys, each English text once."""
    seen = set(sources)
    kept = []
    for pair in pairs:
        source = key(pair.source)
        if source and source not in seen and key(pair.target) not in targets:
            seen.add(source)
            kept.append(pair)
    return kept


def _describe(pairs: list[Pair]) -> dict[str, dict[str, int]]:
    """Pairs, words and packages of each kind."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    packages: dict[str, set[str]] = defaultdict(set)
    for pair in pairs:
        words = {"pairs": 1, "english words": len(pair.source.split()), "target words": len(pair.target.split())}
        for name in ("total", pair.kind):
            counts[name].update(words)
            packages[name].add(base_package(pair.package))
    return {name: {**counts[name], "packages": len(packages[name])} for name in (*KINDS, "total") if name in counts}


def split(folders: Folders) -> None:
    """Write train.tsv, the dev and test files and report.json."""
    sides: dict[str, list[Pair]] = {"train": [], "dev": [], "test": []}
    removed: Counter[str] = Counter()
    by_hand = everyday(folders.lang)
    catalogues = set()
    pairs = list(read_pairs(folders.clean / "pairs.tsv"))
    sizes = Counter((pair.kind, group(pair)) for pair in pairs)
    for pair in pairs:
        assert not is_reserved(pair.package), pair
        if pair.kind in ("interface", "stories"):
            catalogues.add(base_package(pair.package))
        if is_pangram(pair.source) or is_pangram(pair.target):
            removed["pangrams"] += 1
        elif key(pair.source) in by_hand[0] or key(pair.target) in by_hand[1]:
            removed["everyday"] += 1
        else:
            sides["train" if sizes[pair.kind, group(pair)] > LARGEST else side(pair)].append(pair)
    train = sides["train"]
    assert not any(is_pangram(pair.source) or is_pangram(pair.target) for pair in train)

    folders.final.mkdir(parents=True, exist_ok=True)
    sources, targets = {key(pair.source) for pair in train}, {key(pair.target) for pair in train}
    # An earlier training file kept as train-SOMETHING.tsv counts as seen: a training run may have begun with it.
    for earlier in sorted(folders.final.glob("train-*.tsv")):
        for pair in read_pairs(earlier):
            sources.add(key(pair.source))
            targets.add(key(pair.target))
    report: dict[str, Any] = {"language": folders.lang, "train": _describe(train), "removed": dict(removed)}
    overlap = 0
    for name in ("dev", "test"):
        report[name] = {}
        for kind in TESTED_KINDS:
            mine = [pair for pair in sides[name] if pair.kind == kind]
            pairs = unseen(mine, sources, targets)
            random.Random(f"{SEED}/{name}/{kind}").shuffle(pairs)
            pairs = pairs[: SIZES[name]]
            overlap += sum(key(pair.source) in sources or key(pair.target) in targets for pair in pairs)
            groups = len({group(pair) for pair in pairs})
            report[name][kind] = {"pairs": len(pairs), "groups": groups, "before removing the seen": len(mine)}
            write_rows(folders.final / f"{name}-{kind}.tsv", pairs)
    report["pairs of dev and test with a side that training has"] = overlap
    report["catalogue packages"] = len(catalogues)
    report["cleaning"] = json.loads((folders.clean / "rules.json").read_text(encoding="utf-8"))
    assert overlap == 0
    write_rows(folders.final / "train.tsv", train)
    part = folders.final / "report.json.part"
    part.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(part, folders.final / "report.json")

    for name in ("train", "dev", "test"):
        for kind, numbers in report[name].items():
            print(f"split: {name:5} {kind:13}" + "".join(f"{n:12,} {what}" for what, n in numbers.items()), flush=True)
    print(f"split: removed {dict(removed)}; overlap {overlap}; {len(catalogues):,} catalogue packages", flush=True)
    if folders.lang == "fr":  # what the sources hold of French is known; another language has less
        assert len(catalogues) >= MINIMUM_CATALOGUES, len(catalogues)
        assert len(train) > MINIMUM_PAIRS, len(train)
