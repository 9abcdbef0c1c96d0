"""Which language a single word is in: the model that detects languages alone, and weighed by what else is known.

    python -m bench.short_texts                 everyday words in each language, asked for in each other one

A word that is written alike in several languages counts as right for each of them.
"""

from pathlib import Path
from typing import Any

from lamella.data.text.told import weigh
from lamella.model import shipped

WORDS = Path(__file__).parent.parent / "recipes" / "translation" / "everyday-words.tsv"
LANGUAGES = ["en", "fr", "de", "es", "zh"]  # the columns of the file


def read() -> list[tuple[str, str, set[str]]]:
    """Words, the language of each, and all languages that it is a word of."""
    rows = []
    for line in WORDS.read_text("utf-8").splitlines()[1:]:
        every = {code: cell.split("|") for code, cell in zip(LANGUAGES, line.split("\t"), strict=True)}
        for code, words in every.items():
            word = words[0].casefold()
            alike = {other for other, those in every.items() if word in map(str.casefold, those)}
            rows.append((words[0], code, alike))
    return rows


def main() -> None:
    rows = read()
    found: list[dict[str, Any]] = shipped.identifier().predict([word for word, _, _ in rows])
    print("languages           questions  model alone  weighed")
    for known in (LANGUAGES[:2], LANGUAGES):
        alone = weighed = count = 0
        for (word, code, alike), answer in zip(rows, found, strict=True):
            for target in known if code in known else ():
                if target != code:
                    likely = answer["probabilities"]
                    count += 1
                    alone += max(likely, key=likely.get) in alike
                    weighed += weigh(word, likely, known, target)[0][0] in alike
        print(f"{' '.join(known):18}  {count:9,}  {alone / count:11.1%}  {weighed / count:7.1%}")


if __name__ == "__main__":
    main()
