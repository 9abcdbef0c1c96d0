"""Dictionaries for the shipped translators: what rarer words and short phrases may be translated to, the commonest first.

    python -m recipes.translation.dictionary --clones FOLDER --sentences FOLDER -o FOLDER      dictionary-SRC-DST.tsv, eight of them
    python -m recipes.translation.dictionary --into lamella/models/en-de+es+fr+zh -o FOLDER    put them into a model that is there

Sources are those of `words.py`: names of the CLDR, Wiktionary, FreeDict, Apertium and CC-CEDICT (`SOURCES.md`). Sentences, which
FOLDER holds as en-LANG.tsv or .tsv.gz (English, tab, other: Tatoeba's; or a name before both), say which words are common and which of their
translations are. The lists of `lexicon.py` come before these: they answer a text at once, a dictionary where the net is unsure.
"""

from __future__ import annotations

import argparse
import gzip
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from lamella import model as folder
from lamella.tasks.translation.dictionary import SEVERAL, SURE, pack
from lamella.tasks.translation.lexical import plain, said
from lamella.tasks.translation.words import Words
from lamella.tasks.translation.words import pack as pack_words
from recipes.translation import words
from recipes.translation.common import Pair
from recipes.translation.lexicon import (
    DICE,
    LABEL,
    WEIGHTS,
    WIKTIONARY,
    Sentences,
    Votes,
    set_phrases,
    single,
    wiktionary,
    words_of,
)
from recipes.translation.mix import CACHE, LANGUAGES, held_out
from recipes.translation.repositories.clone import Library

SINGLE, PHRASES = 11_000, 6_000  # entries of a direction: words, and phrases of several
MOST = 4  # translations of an entry
SHARE = 0.3  # of the score of the first that a further translation has
MISSED, FEW = 0.04, 4  # share of the pairs with a word that may lack its entries, and how many pairs it takes to tell
LOAN = 0.2  # share of the pairs with a word that have it on both sides, from which it is a word of both languages
LONGEST = 36  # characters of a side


def sentences_of(place: Path, lang: str) -> list[Pair]:
    """The pairs of sentences of a language and English."""
    path = next(p for p in (place / f"en-{lang}.tsv", place / f"en-{lang}.tsv.gz") if p.exists())
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    rows = [line.split("\t") for line in data.decode("utf-8").split("\n")]
    texts = [row[:2] if len(row) == 2 or row[2].startswith("CC-BY") else row[1:3] for row in rows if len(row) > 1]
    return [Pair("tatoeba", "tatoeba", *row) for row in texts if not held_out(row[0])]


def gathered(lang: str, library: Library) -> Iterator[tuple[str, str, float]]:
    """English, other, weight: of every dictionary; an early sense of Wiktionary counts more than a late one."""
    yield from wiktionary(library, lang)
    for pair in words.gather(CACHE, lang, library):
        if pair.package != WIKTIONARY:
            yield pair.source, pair.target, WEIGHTS.get(pair.package, 0.5)


def phrase(text: str, chinese: bool = False) -> str:
    """A side of an entry as it is kept, "" for one that is none: a word or a phrase of up to five, with no marks inside."""
    text = text.strip(" .!?。！？…").replace("’", "'").removeprefix("the ").removeprefix("an ").removeprefix("a ")
    if len(text) > LONGEST or any(sign in text for sign in '|\t/,;:()[]{}<>"«»„“”=~@#$%*+…0123456789'):
        return ""
    if chinese:
        return text if text and all("\u4e00" <= sign <= "\u9fff" for sign in text) and len(text) < 9 else ""
    return text if 0 < len(text.split()) < 6 and text[0].isalpha() and text[-1].isalpha() else ""


def entries(lang: str, library: Library, pairs: list[Pair], further: list[Pair]) -> dict[str, dict[str, list[str]]]:
    """The dictionaries of both directions of a language and English: word in small letters -> its translations.

    further: more pairs, which say which phrases are common, and what labels are called.
    """
    chinese = lang == "zh"
    sentences = Sentences([p for p in pairs if len(p.source) < 120], lang)
    votes: Votes = defaultdict(lambda: defaultdict(float))
    for english, other, weight in gathered(lang, library):
        english, other = phrase(english), phrase(other, chinese)
        if english and other:
            votes[english][other] += weight
    labels = Counter(
        (phrase(pair.source), phrase(pair.target, chinese)) for pair in further if len(pair.source) < LONGEST
    )
    for (english, other), count in labels.items():
        if english and other and len(english.split()) < 4:
            whole = other if sentences.forms[lang + other.casefold()][other] else sentences.form(other, lang)
            english = english if english in votes else english[0].lower() + english[1:]
            votes[english][whole if len(other.split()) == 1 else other] += LABEL * min(4, count)
    singles = {
        english.removeprefix("to ").casefold(): {o: 1.0 for o in some if single(o, chinese)}
        for english, some in votes.items()
        if single(english.removeprefix("to "))
    }
    dice = sentences.together(singles)
    into: Votes = defaultdict(lambda: defaultdict(float))
    out: Votes = defaultdict(lambda: defaultdict(float))
    for english, some in votes.items():
        bare = english.removeprefix("to ")
        for other, weight in some.items():
            score = weight / (weight + 1) + DICE * dice.get((bare.casefold(), other), 0.0)
            for word in {bare, english}:
                into[word.casefold()][other] = max(score, into[word.casefold()][other])
            key = other.casefold()
            out[key][bare] = max(score, out[key][bare])
    others = sentences.other if not chinese else _said(pairs, out)
    phrases = _met((pair.source for pair in (*pairs, *further)), {other for some in out.values() for other in some})
    return {f"en-{lang}": _kept(into, sentences.english), f"{lang}-en": _kept(out, others, chinese, phrases)}


def _met(texts: Iterable[str], phrases: set[str]) -> Counter[str]:
    """How often phrases of English stand in texts."""
    counts: Counter[str] = Counter()
    for text in texts:
        parts = words_of(text.casefold())
        for size in range(1, 6):
            counts.update(" ".join(parts[i : i + size]) for i in range(len(parts) - size + 1))
        if len(counts) > 5_000_000:
            counts = Counter({key: count for key, count in counts.items() if key in phrases})
    return Counter({key: count for key, count in counts.items() if key in phrases})


def _said(pairs: list[Pair], out: Votes) -> Counter[str]:
    """How often words of Chinese, which has no blanks, stand in sentences."""
    counts: Counter[str] = Counter()
    for pair in pairs:
        text = pair.target
        counts.update(text[i : i + n] for n in range(1, 9) for i in range(len(text) - n + 1) if text[i : i + n] in out)
    return counts


def _kept(
    votes: Votes, counts: Counter[str], chinese: bool = False, others: Counter[str] | None = None
) -> dict[str, list[str]]:
    """The entries of the commonest words, their translations in order; others: how common these are, of equals."""
    rank = others or Counter()

    def met(word: str) -> float:
        parts = [word] if chinese else [part.casefold() for part in words_of(word)]
        return min((counts[part] + counts[part.capitalize()] for part in parts), default=0)

    # Of equally common words first those that more is said of, so that rare ones come last.
    order = sorted(votes, key=lambda word: (-met(word), -sum(votes[word].values()), word))
    plain = [word for word in order if " " not in word.removeprefix("to ") and (not chinese or len(word) < 4)]
    short = set(plain)
    longer = [word for word in order if word not in short and met(word) > 0]
    found = {}
    for word in plain[:SINGLE] + longer[:PHRASES]:
        some = votes[word]
        best = sorted(
            some, key=lambda other: (-round(some[other], 1), -rank[other.casefold()], -some[other], len(other), other)
        )
        found[word] = [other for other in best[:MOST] if some[other] >= SHARE * some[best[0]]]
    return found


def trusted(table: dict[str, list[str]], sides: Iterable[tuple[str, str]]) -> set[str]:
    """Words whose translation practically always has one of their entries: as seen in pairs, or of few translations and no verb.

    A word that pairs often have on both sides, such as bug in French, becomes one of its own translations.
    """
    met: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    copied: Counter[str] = Counter()
    for source, target in sides:
        answer = plain(target)
        for word in {word.casefold() for word in words_of(source)}:
            if (known := table.get(word)) and len(word) > 3:
                met[word] += 1
                missed[word] += not any(said(answer, one) for one in known)
                copied[word] += plain(word) in answer
    for word, count in copied.items():
        if count >= FEW and count >= LOAN * met[word] and word not in [one.casefold() for one in table[word]]:
            table[word] = [*table[word][: MOST - 1], word]
    return {
        word
        for word, known in table.items()
        if " " not in word
        and len(word) > 3
        and (
            missed[word] <= MISSED * met[word]
            if met[word] >= FEW
            else not missed[word] and len(known) < 3 and f"to {word}" not in table
        )
    }


def write(place: Path, lists: dict[str, dict[str, list[str]]], sure: dict[str, set[str]]) -> None:
    """A table for each direction: a word, a tab, its translations with | between them."""
    place.mkdir(parents=True, exist_ok=True)
    for name, found in lists.items():
        rows = "".join(
            f"{word}\t{SURE * (word in sure[name])}{SEVERAL.join(some)}\n" for word, some in sorted(found.items())
        )
        (place / f"dictionary-{name}.tsv").write_text(rows, encoding="utf-8")
        print(f"{name}: {len(found)} entries, {len(sure[name])} of them sure, {len(rows):,} bytes", flush=True)


def read(place: Path, name: str) -> dict[str, str]:
    """A dictionary as `write` wrote it."""
    rows = (place / f"dictionary-{name}.tsv").read_text("utf-8").splitlines()
    return dict(row.split("\t", 1) for row in rows)


def corrected(words: dict[str, str], table: dict[str, str], direction: str) -> dict[str, str]:
    """A list of `lexicon.py` beside a dictionary: to English, and of verbs, what no dictionary says gives way to its first word.

    Of a word and a form of it, such as cow and cows, both named, the word counts where the dictionary names it first. Other words from
    English stay: theirs were counted in labels, which dictionaries do not know (store: speichern).

    >>> corrected({"permission": "furlough", "vaches": "cows"}, {"permission": "permission", "vaches": "cow|cows"}, "fr-en")
    {'permission': 'permission', 'vaches': 'cow'}
    """
    if direction == "de-en":  # dictionaries do not tell Arm from arm
        return words
    phrases = set_phrases(direction)
    found = {}
    for word, answer in words.items():
        said = table.get(word.casefold(), "").removeprefix(SURE).split(SEVERAL)
        small = [one.casefold() for one in said]
        kept = word in phrases or not said[0] or (direction.startswith("en-") and not word.startswith("to "))
        form = answer.casefold() != small[0] and any(
            answer.casefold() == small[0] + end for end in ("s", "es", "ing", "ly")
        )
        found[word] = answer if kept or (answer.casefold() in small and not form) else said[0]
    return found


def enriched(table: dict[str, str], back: dict[str, str]) -> dict[str, str]:
    """A dictionary from English with what the one to English says first of a word, behind its own translations.

    >>> enriched({"veterinarian": "veto"}, {"v\u00e9t\u00e9rinaire": "veterinarian|vet"})
    {'veterinarian': 'veto|v\u00e9t\u00e9rinaire'}
    """
    found = {word: some.split(SEVERAL) for word, some in table.items()}
    for word, some in back.items():
        known = found.get(some.removeprefix(SURE).split(SEVERAL)[0].casefold(), [""] * MOST)
        if len(known) < MOST and word not in [one.removeprefix(SURE).casefold() for one in known]:
            known.append(word)
    return {word: SEVERAL.join(some) for word, some in found.items()}


def put(place: Path, tables: Path) -> None:
    """Write the dictionaries of a model's directions into its folder, and its lists of words corrected by them."""
    manifest = msgspec.json.decode((place / "model.json").read_bytes(), type=folder.Manifest)
    files = {name: (place / name).read_bytes() for name in manifest.files}
    found = {name: read(tables, name) for name in manifest.learned["directions_"]}
    for name in found:
        src, _, dst = name.partition("-")
        if src == "en" and dst != "de":  # whose nouns are in small letters there
            found[name] = enriched(found[name], read(tables, f"{dst}-en"))
    lists = Words(files["words.model"]).lists()
    files["words.model"] = pack_words({name: corrected(words, found[name], name) for name, words in lists.items()})
    manifest.learned["dictionary_"], files["dictionary.model"] = {"file": "dictionary.model"}, pack(found)
    folder.write(manifest, files, place)
    print(f"{place}: dictionary.model, {len(files['dictionary.model']) / 1e3:.0f} kB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clones", type=Path, help="folder of the clones that words.py names")
    parser.add_argument("--sentences", type=Path, help="folder of en-LANG.tsv")
    parser.add_argument(
        "--also", type=Path, nargs="+", help="further folders of such pairs, for what is always translated so"
    )
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the tables")
    parser.add_argument("--into", type=Path, nargs="+", help="model folders to put the tables into; nothing is built")
    given = parser.parse_args()
    for place in given.into or ():
        put(place, given.out)
    if given.into:
        return
    library = Library(given.clones)
    for lang in LANGUAGES:
        pairs = sentences_of(given.sentences, lang)
        further = [pair for place in given.also or () for pair in sentences_of(place, lang)]
        tables = entries(lang, library, pairs, further)
        pairs += further
        into, out = ([(p.source, p.target) for p in pairs], [(p.target, p.source) for p in pairs])
        sure = {f"en-{lang}": trusted(tables[f"en-{lang}"], into)}
        sure[f"{lang}-en"] = set() if lang == "zh" else trusted(tables[f"{lang}-en"], out)
        write(given.out, tables, sure)


if __name__ == "__main__":
    main()
