"""How many single everyday words the shipped translators get right, in every direction that is installed.

    python -m bench.words                 shares of the 318 words of recipes/translation/everyday-words.tsv
    python -m bench.words en-fr --wrong   one direction, and its wrong answers

A word counts as right if it is one of the answers written down, case, article and punctuation aside. Words of several
meanings have several answers; from the other language, each of its answers is asked and any English word of that row, or
of another row with the same answer, is right.
"""

import argparse
import re
from collections import defaultdict
from pathlib import Path

from lamella import translate
from lamella.model import shipped

WORDS = Path(__file__).parent.parent / "recipes" / "translation" / "everyday-words.tsv"
CODES = ("en", "fr", "de", "es", "zh")
ARTICLES = re.compile(
    r"^(the|an?|to|le|la|les|l'|un|une|des|der|die|das|ein|eine|el|los|las|unos|unas|una)(?<=')|"
    r"^(the|an?|to|les?|la|une?|des|der|die|das|eine?|el|los|las|una?)\s+",
    re.IGNORECASE,
)


def plain(text: str) -> str:
    """A word as it is compared: no case, no article, no punctuation at the ends."""
    return ARTICLES.sub("", text.strip(" .。!！,，\"'").casefold()).strip()


def questions(src: str, dst: str) -> dict[str, set[str]]:
    """Word -> right answers, of a direction with English on one side."""
    found: dict[str, set[str]] = defaultdict(set)
    for line in WORDS.read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        row = dict(zip(CODES, (cell.split("|") for cell in line.split("\t")), strict=True))
        asked = row[src][:1] if src != "en" else row[src]
        for word in asked:
            found[word] |= {plain(answer) for answer in row[dst]}
    if dst == "en":  # an answer that several rows share has several right words
        shared: dict[str, set[str]] = defaultdict(set)
        for line in WORDS.read_text("utf-8").splitlines():
            if not line.startswith("#"):
                row = dict(zip(CODES, (cell.split("|") for cell in line.split("\t")), strict=True))
                for word in row[src]:
                    shared[word] |= {plain(answer) for answer in row["en"]}
        found = {word: shared[word] for word in found}  # type: ignore[assignment]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directions", nargs="*", help="such as en-fr; else all that are installed")
    parser.add_argument("--wrong", action="store_true", help="print wrong answers too")
    given = parser.parse_args()
    for name in given.directions or shipped.pairs():
        src, dst = name.split("-")
        asked = questions(src, dst)
        answers = translate(list(asked), src, dst)
        wrong = [(w, a) for w, a in zip(asked, answers, strict=True) if plain(a) not in asked[w]]
        print(f"{name}: {len(asked) - len(wrong)} of {len(asked)} right, {1 - len(wrong) / len(asked):.1%}", flush=True)
        if given.wrong:
            print("\n".join(f"    {word} -> {answer}" for word, answer in wrong))


if __name__ == "__main__":
    main()
