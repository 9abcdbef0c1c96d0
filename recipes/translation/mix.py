"""Bring all sources of four languages together for training: clean, hold out, learn one vocabulary, encode.

    python -m recipes.translation.mix pairs --parallel DIR --tatoeba DIR --tico DIR     clean pairs of each language
    python -m recipes.translation.mix vocabulary                                         pieces of all five languages
    python -m recipes.translation.mix encode                                             pairs as arrays of ids
    python -m recipes.translation.mix pack -o FOLDER                                     a part of them for another machine

`--parallel` holds en-XX.tsv or en-XX.tsv.gz, as `repositories` writes them, and words-XX.tsv, as `words` does; en-XX.tsv.gz of `--tatoeba`
English and other; `--tico` one .txt.gz a language, line by line. The Debian corpus of `corpus.py` joins where it was built.

Nothing that is measured on is trained on: a pair goes where any development or test set has its English or its other
side, case, spaces and punctuation aside. Of Tatoeba the English sentences whose hash is below `HELD_OUT` are the
development set, in all languages at once, since one net learns all of them.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import random
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from lamella.data.text.pieces import Pieces, learn
from lamella.data.text.pieces import normalise as one_form
from recipes.translation import normalise
from recipes.translation.chinese import simplify
from recipes.translation.clean import judge, prepare
from recipes.translation.common import Pair, read_pairs, write_rows
from recipes.translation.normalise import key
from recipes.translation.repositories.__main__ import SOURCES
from recipes.translation.split import is_pangram

LANGUAGES = ("fr", "de", "es", "zh")
DEBIAN = {"fr": "fr", "de": "de", "es": "es", "zh": "zh_CN"}  # the name of each language in the Debian corpus
HERE = Path(__file__).parent
CACHE = Path.home() / ".cache" / "lamella" / "translation"
OUT = CACHE / "five"
HELD_OUT = 0.02  # of Tatoeba's English sentences
DEV = 1000  # pairs of each development set
GREETING = 4  # words; what is said so shortly is said in one way, and seen more often
LONG = 128  # pieces of a side; longer pairs are few
# Kinds whose reader cleans by itself, and for which rules made for software strings are too strict.
READY = ("prose", "games", "documentation", "names", "interface", "words", "words-clean")
FORMATS = ("%s", "%d", "%1", "%2", "%3", "%i", "%u", "%lu", "%ld")


def lines_of(path: Path) -> Iterator[list[str]]:
    """Rows of a tab-separated file, packed or not."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as stream:
        for line in stream:
            yield line.rstrip("\n").split("\t")


def held_out(english: str) -> bool:
    """Whether an English sentence of Tatoeba is for development."""
    digest = hashlib.sha256(key(english).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < HELD_OUT


def measured(lang: str) -> tuple[set[str], set[str]]:
    """Keys of the English and the other side of everything that is measured on."""
    english, other = set(), set()
    for path in (CACHE / f"en-{DEBIAN[lang]}").glob("*-*.tsv"):
        if path.name.startswith(("dev-", "test-")):
            for pair in read_pairs(path):
                english.add(key(pair.source))
                other.add(key(pair.target))
    names = ("everyday.tsv", "everyday-dev.tsv") if lang == "fr" else (f"everyday-{lang}.tsv",)
    for name in names:
        if (HERE / name).is_file():
            for row in lines_of(HERE / name):
                english.add(key(row[0]))
                other.add(key(row[1]))
    return english, other


def raw(lang: str, parallel: Path, tatoeba: Path, tico: Path) -> Iterator[Pair]:
    """Every pair of a language beside the Debian corpus, as it came."""
    for row in lines_of(tatoeba / f"en-{lang}.tsv.gz"):
        yield Pair("tatoeba", "everyday", row[0], row[1])
    for path in (parallel / f"en-{lang}.tsv", parallel / f"words-{lang}.tsv"):
        if path.is_file():
            yield from read_pairs(path)
    packed = parallel / f"en-{lang}.tsv.gz"
    if packed.is_file():
        kinds = {source.name: source.kind for source in SOURCES}
        for source, english, translation in lines_of(packed):
            # What the table no longer names was found to be a machine's work, or not free.
            if kind := kinds.get(source, "prose" if source.startswith("book-") else ""):
                yield Pair(kind, source, english, translation)
    if (tico / f"{lang}.txt.gz").is_file():
        for en, xx in zip(lines_of(tico / "en.txt.gz"), lines_of(tico / f"{lang}.txt.gz"), strict=True):
            yield Pair("health", "health", en[0], xx[0])


def pairs(lang: str, parallel: Path, tatoeba: Path, tico: Path) -> None:
    """Clean the pairs of a language, hold some out, and write train-XX.tsv and dev-KIND-XX.tsv."""
    english, other = measured(lang)
    counts: Counter[tuple[str, str]] = Counter()
    kept: dict[tuple[str, str], Pair] = {}
    for rough in raw(lang, parallel, tatoeba, tico):
        if rough.kind == "tatoeba":  # short, and clean already: the rules for software strings would drop good ones
            tidy = [
                Pair(*rough[:2], normalise.characters(rough.source, "en"), normalise.characters(rough.target, lang))
            ]
        else:
            tidy = [rough] if rough.kind in READY else list(prepare(rough, DEBIAN[lang]))
        for pair in tidy:
            rule = "" if pair.kind in {"tatoeba", *READY} else judge(pair, DEBIAN[lang])
            sides = key(pair.source), key(pair.target)
            if not rule and (sides[0] in english or sides[1] in other):
                rule = "measured on"
            if not rule and (not all(sides) or is_pangram(pair.source) or is_pangram(pair.target)):
                rule = "empty or a pangram"
            if not rule and sides in kept and rough.kind != "tatoeba":
                rule = "duplicate"
            counts[pair.kind, rule or "kept"] += 1
            if not rule:
                kept[pair.source, pair.target] = pair
    dev = [p for p in kept.values() if p.kind == "tatoeba" and held_out(p.source)]
    health = [p for p in kept.values() if p.kind == "health"]
    dev += health[::4]
    sides = {key(p.source) for p in dev}, {key(p.target) for p in dev}
    train = [p for p in kept.values() if key(p.source) not in sides[0] and key(p.target) not in sides[1]]
    # An English sentence held out is held out in every language, whoever translated it.
    train = [p for p in train if not held_out(p.source)]
    for kind in ("tatoeba", "health"):
        once: dict[str, Pair] = {}
        for pair in dev:
            if pair.kind == kind:
                once.setdefault(key(pair.source), pair)
        chosen = sorted(once.values(), key=lambda p: hashlib.sha256(p.source.encode()).digest())[:DEV]
        if chosen:
            write_rows(OUT / f"dev-{kind}-{lang}.tsv", chosen)
    write_rows(OUT / f"train-{lang}.tsv", train)
    print(lang, {f"{k} {r}": n for (k, r), n in sorted(counts.items())}, f"train {len(train):,}", flush=True)


def debian(lang: str) -> list[Pair]:
    """The training pairs of the Debian corpus, where it was built; what is held out here goes."""
    path = CACHE / f"en-{DEBIAN[lang]}" / "train.tsv"
    rows = read_pairs(path) if path.is_file() else []
    # `words` reads dictionaries with more care, and the German one of FreeDict is made from a reserved package's data.
    return [p for p in rows if p.kind != "words" and not held_out(p.source)]


def written(lang: str) -> list[Pair]:
    """Sentences written for this recipe, where there are some."""
    names = sorted(HERE.glob("phrases*.tsv")) if lang == "fr" else sorted(HERE.glob(f"*-{lang}-phrases.tsv"))
    rows = [row for path in names for row in lines_of(path)]
    english, other = measured(lang)
    found = [
        Pair("greetings" if len(row[0].split()) < GREETING or lang != "fr" else "phrases", "phrases", *row[:2])
        for row in rows
    ]
    return [p for p in found if key(p.source) not in english and key(p.target) not in other and not held_out(p.source)]


def listed(lang: str) -> list[Pair]:
    """The single words of `lexicon`, which a net should know inside sentences too; each for the direction it was made for."""
    found = []
    for kind, name in (("listed-to", f"en-{lang}"), ("listed-from", f"{lang}-en")):
        path = CACHE / "words" / f"{name}.tsv"
        rows = [row[:2] for row in lines_of(path)] if path.is_file() else []
        found += [Pair(kind, "lexicon", *(row if kind == "listed-to" else row[::-1])) for row in rows]
    return found


def noisy(pair: Pair, rng: random.Random) -> Pair | None:
    """A pair as people type it: without capitals, without the last stop, with a slip; the translation stays right."""
    source, target = pair.source, pair.target
    choice = rng.random()
    if choice < 0.4:
        source = source.lower()
    elif choice < 0.6:
        source = re.sub(r"[.!。！]$", "", source)
        target = re.sub(r"\s*[.!。！]$", "", target)
    elif choice < 0.8:
        source = re.sub(r"[.,!?;:。，！？'’]", "", source).lower()
    elif len(source) > 12:
        at = rng.randrange(1, len(source) - 2)
        swapped = source[:at] + source[at + 1] + source[at] + source[at + 2 :]
        doubled = source[:at] + source[at] + source[at:]
        source = rng.choice([swapped, doubled, source[:at] + source[at + 1 :]])
    changed = source != pair.source and bool(source.strip()) and bool(target.strip())
    return Pair("noise", pair.package, source, target) if changed else None


def joined(rows: list[Pair], lang: str, count: int, rng: random.Random) -> Iterator[Pair]:
    """Two or three short pairs as one text: people do not type one sentence at a time."""
    space = "" if lang == "zh" else " "
    short = [p for p in rows if len(p.source) < 60 and p.source[-1:] in ".!?" and p.target[-1:] in ".!?。！？"]
    for _ in range(count if short else 0):
        some = rng.sample(short, rng.choice([2, 2, 3]))
        yield Pair("joined", "everyday", " ".join(p.source for p in some), space.join(p.target for p in some))


COMMON = 3000  # English words that are everyday ones


def with_common_words(rows: list[Pair]) -> list[Pair]:
    """The same pairs; those of dictionaries for the commonest words of everyday sentences are a kind of their own.

    A net that sees `Monday` alone once in a training makes up `Mondi`; these few thousand pairs are worth more repeats.
    """
    counts: Counter[str] = Counter()
    for pair in rows:
        if pair.kind == "tatoeba":
            counts.update(re.findall(r"[a-z]+", pair.source.lower()))
    common = {word for word, _ in counts.most_common(COMMON)}
    return [
        pair._replace(kind="words-common")
        if pair.kind in ("words", "words-clean") and pair.source.lower().removeprefix("to ") in common
        else pair
        for pair in rows
    ]


def everything(lang: str) -> list[Pair]:
    """All training pairs of a language, with variants for sturdiness."""
    rng = random.Random(f"mix/{lang}")
    own = with_common_words(list(read_pairs(OUT / f"train-{lang}.tsv")))
    spoken = [p for p in own if p.kind == "tatoeba"]
    more = [n for p in spoken if rng.random() < 0.2 and (n := noisy(p, rng))]
    general = [p for p in own if p.kind in ("prose", "games", "health") and rng.random() < 0.08]
    more += [n for p in general if (n := noisy(p, rng))]
    rows = own + written(lang) + listed(lang) + debian(lang) + more + list(joined(spoken, lang, len(spoken) // 8, rng))
    if lang != "zh":
        return rows
    # Written in simplified characters alone; the other script is read too: a twentieth of the pairs, from Chinese only,
    # would need it as a source, so what came in it stays as a further source of the same English.
    plain = [Pair(p.kind, p.package, p.source, simplify(p.target)) for p in rows]
    return plain + [Pair("traditional", *p[1:]) for p, q in zip(rows, plain, strict=True) if p.target != q.target]


# Which share of the texts that the vocabulary is learned from each kind has: everyday language first.
SHARES = {
    "tatoeba": 0.30,
    "prose": 0.22,
    "games": 0.08,
    "documentation": 0.12,
    "debian": 0.18,
    "phrases": 0.05,
    "health": 0.05,
}

# What covers 99.9% of the characters of the Chinese texts, and how much a pair of each kind counts among them. By their
# share of all five languages' characters a quarter of the health texts had one that no piece stood for.
CHARACTERS = 3400
# Rare letters and signs that any of the languages needs, and those of its neighbours' names.
LETTERS = "".join(map(chr, range(33, 127))) + (
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿßŒœŸẞ¿¡«»£€¥§©®™°ªº²³½¼¾·×÷±≤≥≠≈→←–—•µ¢¶†‰√∞"
    "āăąćčďđēėęěğģīįıķļłńņňōőřśşšťţūůűųźżžșțαβγδεθλμπσφω"
    "《》〈〉「」『』【】（）、。，！？：；～％￥—·〇○●"
)
CHARACTER_SHARES = {"tatoeba": 3.0, "prose": 2.0, "words": 0.5, "health": 4.0, "interface": 0.3, "documentation": 0.5}


def texts_for_vocabulary(count: int, languages: Iterable[str]) -> Iterator[str]:
    """A sample in which each language has about as much to say, English as much as two of the others."""
    rng = random.Random("vocabulary")
    for lang in languages:
        groups: dict[str, list[Pair]] = {}
        for pair in [*read_pairs(OUT / f"train-{lang}.tsv"), *written(lang)]:
            groups.setdefault(pair.kind, []).append(pair)
        groups["debian"] = debian(lang)
        for kind, share in SHARES.items():
            rows = groups.get(kind, [])
            for pair in rng.sample(rows, min(len(rows), int(share * count))):
                yield one_form(simplify(pair.target) if lang == "zh" else pair.target)
                if rng.random() < 0.5:
                    yield one_form(pair.source)


def characters() -> str:
    """The Chinese characters that are most frequent in everyday texts and prose; each has a piece of its own."""
    counts: Counter[str] = Counter()
    for pair in read_pairs(OUT / "train-zh.tsv"):
        weight = CHARACTER_SHARES.get(pair.kind, 1.0)
        for character in simplify(pair.target):
            if "\u4e00" <= character <= "\u9fff":
                counts[character] += weight  # type: ignore[assignment]
    return "".join(character for character, _ in counts.most_common(CHARACTERS))


def with_characters(model: bytes, wanted: str) -> bytes:
    """A vocabulary in which each of these characters is a piece: those that are not take the place of the rarest pieces."""
    from sentencepiece import sentencepiece_model_pb2 as format

    proto = format.ModelProto()
    proto.ParseFromString(model)
    there = {p.piece for p in proto.pieces}
    rare = sorted((p for p in proto.pieces if p.type == p.NORMAL and len(p.piece) > 2), key=lambda p: p.score)
    lowest = min(p.score for p in proto.pieces if p.type == p.NORMAL)
    for character, piece in zip(dict.fromkeys(c for c in wanted if c not in there), rare, strict=False):
        piece.piece, piece.score = character, lowest
    return bytes(proto.SerializeToString())


def vocabulary(size: int, languages: Iterable[str] = LANGUAGES) -> None:
    """Learn the pieces of English and these languages together."""
    texts = list(texts_for_vocabulary(150_000, languages))
    marks = [f"<2{code}>" for code in ("en", *LANGUAGES)]
    threads = os.cpu_count() or 1
    model = learn(texts, size, [*marks, *FORMATS], threads=threads, sentences=len(texts), required=characters())
    model = with_characters(model, LETTERS)
    (OUT / f"vocabulary-{size}.model").write_bytes(model)
    print(f"vocabulary: {len(Pieces(model)):,} pieces from {len(texts):,} texts", flush=True)


def encode(size: int, languages: Iterable[str] = LANGUAGES) -> None:
    """Pairs -> ids end to end, with the kind of each beside them: encoded-SIZE-XX.npz."""
    pieces = Pieces((OUT / f"vocabulary-{size}.model").read_bytes())
    for lang in languages:
        rows = everything(lang)
        sides = [pieces.processor.EncodeAsIds([one_form(p[side]) for p in rows], num_threads=2) for side in (2, 3)]
        kept = [i for i, (a, b) in enumerate(zip(*sides, strict=True)) if 0 < len(a) <= LONG and 0 < len(b) <= LONG]
        kinds = sorted({p.kind for p in rows})
        arrays = {"kind": np.array([kinds.index(rows[i].kind) for i in kept], np.int8), "kinds": np.array(kinds)}
        for name, side in zip(("en", "xx"), sides, strict=True):
            arrays[name] = np.concatenate([np.array(side[i], np.uint16) for i in kept])
            arrays[f"{name}_starts"] = np.concatenate([[0], np.cumsum([len(side[i]) for i in kept])])
        np.savez(OUT / f"encoded-{size}-{lang}.npz", **arrays)
        facts = {k: int((arrays["kind"] == i).sum()) for i, k in enumerate(kinds)}
        tokens = len(arrays["en"]), len(arrays["xx"])
        print(lang, f"{len(kept):,} of {len(rows):,} pairs, pieces {tokens}", json.dumps(facts), flush=True)


# What goes along first where not all can: of a kind with 0.2 every fifth pair.
CARRIED = {"interface": 0.12, "descriptions": 0.4, "help": 0.3, "verses": 0.4, "documentation": 0.6, "games": 0.8}


def pack(size: int, out: Path) -> None:
    """What training on another machine needs, in a small folder: fewer of what is many, packed; the development sets."""
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for lang in LANGUAGES:
        with np.load(OUT / f"encoded-{size}-{lang}.npz") as file:
            part = {k: file[k] for k in file.files}
        share = np.array([CARRIED.get(str(kind), 1.0) for kind in part["kinds"]])[part["kind"]]
        kept = np.flatnonzero(rng.random(len(share)) < share)
        arrays = {"kind": part["kind"][kept], "kinds": part["kinds"]}
        for side in ("en", "xx"):
            starts, lengths = part[f"{side}_starts"][:-1][kept], np.diff(part[f"{side}_starts"])[kept]
            ends = np.cumsum(lengths)
            at = np.arange(ends[-1]) + np.repeat(starts - (ends - lengths), lengths)
            arrays |= {side: part[side][at], f"{side}_starts": np.concatenate([[0], ends]).astype(np.int32)}
        np.savez_compressed(out / f"encoded-{size}-{lang}.npz", **arrays)
    for path in [OUT / f"vocabulary-{size}.model", *OUT.glob("dev-*.tsv")]:
        shutil.copy(path, out)
    total = sum(p.stat().st_size for p in out.iterdir())
    print(f"{out}: {total / 2**20:.1f} MiB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["pairs", "vocabulary", "encode", "pack"])
    parser.add_argument("--parallel", type=Path)
    parser.add_argument("--tatoeba", type=Path)
    parser.add_argument("--tico", type=Path)
    parser.add_argument("--size", type=int, default=16000, help="pieces of the vocabulary")
    parser.add_argument("--lang", choices=LANGUAGES, action="append", help="one language alone; may be repeated")
    parser.add_argument("-o", dest="out", type=Path, default=Path("pack"), help="folder that `pack` writes")
    given = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    if given.step == "pairs":
        for lang in given.lang or LANGUAGES:
            pairs(lang, given.parallel, given.tatoeba, given.tico)
    elif given.step == "vocabulary":
        vocabulary(given.size, given.lang or LANGUAGES)
    elif given.step == "pack":
        pack(given.size, given.out)
    else:
        encode(given.size, given.lang or LANGUAGES)


if __name__ == "__main__":
    main()
