"""Read parallel text from clones of public repositories, and say how much each gave.

    python -m recipes.translation.repositories --clones FOLDER --lang fr -o en-fr.tsv
    python -m recipes.translation.repositories --list                       what to clone, with licences and revisions

FOLDER holds the clones as `owner+name` (`git clone --bare` will do; some are read at an older revision, so without
`--depth`), and what `apt-get source --download-only cataclysm-dda` brings. The file has the recipe's pair format
(`common.py`); a name that ends in .gz gets source, English and other, packed, which is what `mix` reads.
Files that a person downloads can be added: `--tatoeba FILE` (lines English, tab, other), `--tico EN OTHER` (two files
of lines). `--without FILE` takes out every pair of which one side is a line or a column of FILE: a test set, say.
"""

from __future__ import annotations

import argparse
import gzip
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from recipes.translation.common import Pair, escape, write_rows
from recipes.translation.normalise import key
from recipes.translation.repositories import general, manuals
from recipes.translation.repositories.clone import Library, Unavailable
from recipes.translation.repositories.downloads import held_back, tatoeba, tico
from recipes.translation.repositories.segments import clean
from recipes.translation.repositories.source import LANGUAGES, Source

SOURCES: tuple[Source, ...] = (*general.SOURCES, *manuals.SOURCES)


def raw_pairs(source: Source, library: Library, lang: str) -> Iterator[Pair]:
    """The pairs of a source as they stand there, without markup."""
    for read in source.readers:
        for document, english, other in read(library, source.codes[lang]):
            if english.strip() and other.strip():
                yield Pair(source.kind, f"{source.name}/{document}", english, other)


def is_there(source: Source, library: Library) -> bool:
    """Whether what a source needs is in the library."""
    if "*" in source.name:
        return bool(library.matching(source.name.partition("@")[0])) and all(map(library.has, source.also))
    return all(
        map(library.has, source.also if source.name.startswith("wikimedia+Growth") else (source.name, *source.also))
    )


def read_all(library: Library, lang: str, only: str = "") -> Iterator[Pair]:
    """The clean pairs of every source that has a language; prints a line for each."""
    print(f"{'source':50}{'pairs':>9}{'earlier':>9}{'raw':>9}  seconds, most frequent reasons for dropping", flush=True)
    for source in SOURCES:
        if lang not in source.codes or only not in source.name:
            continue
        if not is_there(source, library):
            print(f"{source.name:50}{'-':>9}{source.expects(lang):>9,}  no clone of it here", flush=True)
            continue
        start, count, dropped = time.monotonic(), 0, Counter[str]()
        raw = Counter[str]()

        def counted(pairs: Iterable[Pair], raw: Counter[str] = raw) -> Iterator[Pair]:
            for pair in pairs:
                raw["raw"] += 1
                yield pair

        try:
            for pair in clean(counted(raw_pairs(source, library, lang)), lang, source.whole, dropped):
                count += 1
                yield pair
        except Unavailable as error:
            print(f"{source.name:50}{count:>9,}{source.expects(lang):>9,}  {error}", flush=True)
            continue
        reasons = ", ".join(f"{name} {number:,}" for name, number in dropped.most_common(3))
        seconds = time.monotonic() - start
        numbers = f"{count:>9,}{source.expects(lang):>9,}{raw['raw']:>9,}"
        print(f"{source.name:50}{numbers}  {seconds:.0f} s; {reasons}", flush=True)


def distinct(pairs: Iterable[Pair], without: frozenset[str], counts: Counter[str]) -> Iterator[Pair]:
    """Each pair once over all sources, the first of equals; none of which a side is held back for tests."""
    seen: set[tuple[str, str]] = set()
    for pair in pairs:
        sides = key(pair.source), key(pair.target)
        if sides[0] in without or sides[1] in without:
            counts["in a test set"] += 1
        elif sides in seen:
            counts["in two sources"] += 1
        else:
            seen.add(sides)
            counts["pairs"] += 1
            yield pair


def write(path: Path, pairs: Iterable[Pair]) -> None:
    """Write pairs in the recipe's format, or packed as source, English and other."""
    if path.suffix != ".gz":
        write_rows(path, pairs)
        return
    part = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(part, "wt", encoding="utf-8", newline="\n", compresslevel=6) as stream:
        for pair in pairs:
            texts = (escape(text).replace("\\n", " ") for text in (pair.source, pair.target))
            stream.write("\t".join([pair.package.partition("/")[0], *texts]) + "\n")
    os.replace(part, path)


def listing() -> str:
    """The sources as a table in Markdown."""
    rows = ["| source | kind | licence | credit | languages | note |", "| --- | --- | --- | --- | --- | --- |"]
    for s in SOURCES:
        names = f"`{s.name}`" + "".join(f", `{name}`" for name in s.also)
        rows.append(f"| {names} | {s.kind} | {s.licence} | {s.credit} | {' '.join(s.codes)} | {s.caveat} |")
    return "\n".join(rows)


def main(arguments: list[str] | None = None) -> None:
    """Read the arguments and the sources."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clones", type=Path, help="folder of clones named owner+name")
    parser.add_argument("--lang", choices=LANGUAGES, help="the language beside English")
    parser.add_argument("-o", "--out", type=Path, help="file to write")
    parser.add_argument("--only", default="", help="only sources whose name holds this")
    parser.add_argument("--tatoeba", type=Path, help="file of lines: English, tab, other; plain or .gz")
    parser.add_argument("--tico", type=Path, nargs=2, metavar=("EN", "OTHER"), help="two files of lines; plain or .gz")
    parser.add_argument("--without", type=Path, nargs="*", default=[], help="files of texts to take out")
    parser.add_argument("--list", action="store_true", help="print the sources as a table and stop")
    given = parser.parse_args(arguments)
    if given.list:
        print(listing())
        return
    if not given.lang or not given.out or not (given.clones or given.tatoeba or given.tico):
        parser.error("expected --lang, -o and at least one of --clones, --tatoeba, --tico")

    def everything() -> Iterator[Pair]:
        if given.tatoeba:
            yield from tatoeba(given.tatoeba, given.lang)
        if given.tico:
            yield from tico(*given.tico, given.lang)
        if given.clones:
            yield from read_all(Library(given.clones), given.lang, given.only)

    counts = Counter[str]()
    try:
        write(given.out, distinct(everything(), held_back(given.without), counts))
    except Unavailable as error:
        raise SystemExit(str(error)) from None
    print(f"{given.out}: {', '.join(f'{number:,} {name}' for name, number in counts.items())}", flush=True)


if __name__ == "__main__":
    main()
