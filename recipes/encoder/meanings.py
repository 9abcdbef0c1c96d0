"""What words mean, as texts: definitions and examples of WordNet, and lists of words that mean nearly the same.

WordNet's files `data.noun`, `data.verb`, `data.adj` and `data.adv` (Debian's wordnet-base; wndb(5WN) describes them) have a line a
meaning: words that share it, links, and behind a bar the definition with examples in quotation marks. `words.txt` of npm's package
moby has a line a word: the word and those near it, with commas between them (Grady Ward's thesaurus, which is in the public domain).
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

KINDS = ("noun", "verb", "adj", "adv")
NEAR = 12  # words of a list at a time


def meanings(folder: Path) -> Iterator[tuple[list[str], str, list[str]]]:
    """Words, definition and examples of each meaning in WordNet's folder."""
    for kind in KINDS:
        with (folder / f"data.{kind}").open(encoding="utf-8") as lines:
            for line in lines:
                if line.startswith(" ") or " | " not in line:
                    continue
                head, _, gloss = line.partition(" | ")
                fields = head.split()
                count = int(fields[3], 16)  # of the words, each with a number behind it
                words = [re.sub(r"\(\w+\)$", "", w).replace("_", " ") for w in fields[4 : 4 + 2 * count : 2]]
                yield words, *parted(gloss)


def parted(gloss: str) -> tuple[str, list[str]]:
    """A definition without its examples, and the examples.

    >>> parted('being born or beginning; "the nascent chicks"; "a nascent insurgency"')
    ('being born or beginning', ['the nascent chicks', 'a nascent insurgency'])
    """
    examples = [e for e in re.findall(r'"([^"]+)"', gloss) if " " in e]
    return re.sub(r'"[^"]*"', "", gloss).strip(" ;:,-\n").split(";")[0].strip(), examples


def texts(folder: Path) -> Iterator[str]:
    """A passage a meaning: the words, what they mean, and how they are used."""
    for words, definition, examples in meanings(folder):
        yield f"{', '.join(words)}: {'; '.join([definition, *examples])}"


def pairs(folder: Path) -> Iterator[tuple[str, str]]:
    """Words and their definition, for what is not a name."""
    for words, definition, _ in meanings(folder):
        if words[0].islower() and len(definition.split()) > 2:
            yield ", ".join(words), definition


def lists(thesaurus: Path, seed: int = 1) -> Iterator[str]:
    """Words beside some of those that mean nearly the same, a few lists of each."""
    draw = random.Random(seed)
    with thesaurus.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            word, *near = line.strip().split(",")
            draw.shuffle(near)
            for first in range(0, min(len(near), 3 * NEAR), NEAR):
                if len(some := near[first : first + NEAR]) > 3:
                    yield ", ".join([word, *some])
