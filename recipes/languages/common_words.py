"""How common words are in each language that is translated: what tells the language of a text of a few words.

    python -m recipes.languages.common_words        writes lamella/data/text/common-words.tsv

Counted in what the translators learned from (`recipes.translation.mix` and `split`), everyday sentences and interface strings alike:
of each language its 4,000 most frequent words, those left out that stand in both languages of a pair. Days, months and the like are there whatever their number. A line is a word and, for each language, how frequent it is there: twice the
binary logarithm of one and its count in a million words, as a letter from A (0) on.
"""

import math
import re
from collections import Counter
from pathlib import Path

import lamella
from recipes.translation.common import read_pairs
from recipes.translation.mix import CACHE, DEBIAN, OUT

LANGUAGES = ("en", "fr", "de", "es")
MOST = 4000
KINDS = {"tatoeba": 3.0, "words": 3.0, "words-common": 3.0, "words-clean": 3.0, "phrases": 3.0, "interface": 2.0}
ALONE = 20.0  # how often a word of such a list counts as met
PLACE = Path(lamella.__file__).parent / "data" / "text" / "common-words.tsv"
_WORD = re.compile(r"[^\W\d_]+")


def counted() -> tuple[dict[str, Counter[str]], set[str]]:
    """Language -> its words and how often they were met, and those of days, months and the like, which sentences lack.

    Kinds of text that are as short as what is asked count more.
    """
    found: dict[str, Counter[str]] = {code: Counter() for code in LANGUAGES}
    single: set[str] = set()
    for code in LANGUAGES[1:]:
        for path in (OUT / f"train-{code}.tsv", CACHE / f"en-{DEBIAN[code]}" / "train.tsv"):
            for pair in read_pairs(path):
                times = KINDS.get(pair.kind, 0.2)
                source, target = (_WORD.findall(text.lower()) for text in (pair.source, pair.target))
                for word in source:
                    found["en"][word] += times
                if pair.kind == "words-clean" and len(source) == len(target) == 1 and source != target:
                    single |= {source[0], target[0]}
                    found["en"][source[0]] += ALONE
                    found[code][target[0]] += ALONE
                for word in target:  # what stands on both sides is a name, or English that was left
                    found[code][word] += times * (word not in source)
    return found, single


def main() -> None:
    found, single = counted()
    totals = {code: sum(words.values()) / 1e6 for code, words in found.items()}
    chosen = sorted(single | {word for words in found.values() for word, _ in words.most_common(MOST)})
    lines = []
    for word in chosen:
        shares = [found[code][word] / totals[code] for code in LANGUAGES]
        lines.append(word + "\t" + "".join(chr(65 + min(57, round(2 * math.log2(1 + share)))) for share in shares))
    PLACE.write_text(f"# {' '.join(LANGUAGES)}\n" + "\n".join(lines) + "\n", "utf-8")
    print(f"wrote {PLACE}: {len(lines):,} words, {PLACE.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
