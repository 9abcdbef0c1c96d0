"""Lists of single words for the shipped translators: what a word by itself is most often translated to.

    python -m recipes.translation.lexicon --clones FOLDER -o FOLDER       words-LANG.tsv of each language beside English
    python -m recipes.translation.lexicon --into lamella/models/en-de+es+fr+zh     put the lists into a model that is there

Sources, all of them among those of training (`SOURCES.md`): the pairs of `mix`, among them names of the CLDR, FreeDict,
CC-CEDICT and labels of interfaces; and Wiktionary, from the clone `open-dsl-dict+wiktionary-dict` in FOLDER.

Of each common word the candidates are the translations that a dictionary or a whole label gives. A dictionary counts by
how early it names a candidate, the CLDR most; and a candidate counts by how often sentences that have the word have it too
(the Dice coefficient), so that common meanings come before rare ones. By hand are set phrases alone, such as greetings (`set-phrases.tsv`).
"""

from __future__ import annotations

import argparse
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from lamella import model as folder
from lamella.data.text.common_words import steps
from lamella.tasks.translation.words import ACRONYM, Words, pack
from recipes.translation import wordlists
from recipes.translation.common import Pair, read_pairs
from recipes.translation.mix import CACHE, DEBIAN, LANGUAGES, OUT
from recipes.translation.repositories.clone import Library, decode

HERE = Path(__file__).parent
LISTS = CACHE / "words"
WIKTIONARY = "open-dsl-dict+wiktionary-dict"
MOST = 2600  # words of a direction
FEWEST = 2  # everyday sentences that have a word
SENTENCES = ("tatoeba", "phrases", "interface", "prose", "games")
WEIGHTS = {"cldr-dates-full": 8.0, "cldr-localenames-full": 3.0, "cldr-annotations-full": 1.0, "cldr-units-full": 0.5}
LABEL, DICE = 0.4, 3.0
COMMON = 5  # steps from which a word counts as common (`lamella.data.text.common_words`)
LONGER = 0.4  # off the score for each further word of a translation
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_PLAIN = re.compile(r"[^\W\d_]+(?:[ '’-][^\W\d_]+){0,2}")

Votes = dict[str, dict[str, float]]  # English -> candidates, by how much speaks for each


def words_of(text: str) -> list[str]:
    """The words of a text, with the article of an apostrophe apart: l'eau is two."""
    return [w for part in _WORD.findall(text.replace("’", "'")) for w in re.split(r"(?<=^[ldjmtsnqcLDJMTSNQC]')", part)]


def single(text: str, chinese: bool = False) -> str:
    """A text that is a word or a label of a few, without the mark at its end; "" for others."""
    text = text.strip(" .!?。！？…").replace("’", "'")
    if chinese:
        return text if re.fullmatch(r"[\u4e00-\u9fff]{1,5}", text) else ""
    return text if _PLAIN.fullmatch(text) else ""


class Sentences:
    """How often words stand in sentences, and in which letters: `Monday`, `Hund`.

    Of German a noun and a verb that differ in the capital alone are two words; what begins a sentence counts as it is written
    elsewhere.
    """

    def __init__(self, pairs: Sequence[Pair], lang: str) -> None:
        self.lang = lang
        self.rows: list[tuple[set[str], set[str], str]] = []
        self.english: Counter[str] = Counter()
        self.other: Counter[str] = Counter()
        self.everyday: Counter[str] = Counter()  # of both languages, in everyday sentences alone
        self.forms: dict[str, Counter[str]] = defaultdict(Counter)
        cut = [(words_of(p.source), words_of(p.target) if lang != "zh" else []) for p in pairs]
        for sides in cut:
            for side, code in zip(sides, ("en", lang), strict=True):
                for word in side[1:]:  # the first has a capital anyway
                    self.forms[code + word.casefold()][word] += 1
        for pair, sides in zip(pairs, cut, strict=True):
            english = {word.casefold() for word in sides[0]}
            other = {self.key(word) for word in [*(self.form(w, lang) for w in sides[1][:1]), *sides[1][1:]]}
            self.english.update(english)
            self.other.update(other)
            if pair.kind in ("tatoeba", "phrases"):
                self.everyday.update(english | other)
            self.rows.append((english, other, pair.target if lang == "zh" else ""))

    def key(self, word: str) -> str:
        """A word of the other language as it is counted."""
        return word if self.lang == "de" else word.casefold()

    def form(self, word: str, code: str) -> str:
        """A word in the letters that it mostly has inside sentences."""
        counts = self.forms.get(code + word.casefold())
        return counts.most_common(1)[0][0] if counts else word

    def together(self, votes: Votes) -> dict[tuple[str, str], float]:
        """(English, candidate) -> their Dice coefficient."""
        both: Counter[tuple[str, str]] = Counter()
        wide = {c for some in votes.values() for c in some} if self.lang == "zh" else set()
        longest = max(map(len, wide), default=0)
        for english, other, text in self.rows:
            if wide:
                other = {text[i : i + n] for n in range(1, longest + 1) for i in range(len(text) - n + 1)} & wide
                self.other.update(other)
            for word in english:
                for candidate in votes.get(word, ()):
                    if self.key(candidate) in other:
                        both[word, candidate] += 1
        return {
            (word, candidate): 2 * n / (self.english[word] + self.other[self.key(candidate)])
            for (word, candidate), n in both.items()
        }


def wiktionary(library: Library, lang: str) -> Iterator[tuple[str, str, float]]:
    """English, other, weight: of each entry towards the language the first translations, the first sense most."""
    files, code = library.open(WIKTIONARY), {"zh": "cmn"}.get(lang, lang)
    seen: Counter[str] = Counter()
    for data in files.read([f"src/en-{code}-enwiktionary.txt"]).values():
        for english, other in wordlists.wiktionary(decode(data), True, lang == "zh"):
            seen[english] += 1
            yield english, other, 1 / seen[english] ** 0.5
    for data in files.read([f"src/{code}-en-enwiktionary.txt"]).values():
        for english, other in wordlists.wiktionary(decode(data), False):
            yield english, other, 0.4


def named(pairs: Iterable[Pair], lang: str) -> Counter[str]:
    """Words that are common however few sentences have them: those of the CLDR, days and months first, then what pictures show;
    and what everyday sentences are as a whole, such as good morning."""
    found: Counter[str] = Counter()
    for pair in pairs:
        sides = single(pair.source), single(pair.target, lang == "zh")
        if pair.kind in ("tatoeba", "phrases") and all(sides):
            found.update(side.casefold() for side in sides)
            continue
        rank = {"cldr-dates-full": 10**6, "cldr-annotations-full": 100}.get(pair.package, 0)
        for side in (pair.source, pair.target) if rank else ():
            if " " not in side:
                found[side.casefold()] = max(rank, found[side.casefold()])
    return found


def spoken() -> Counter[str]:
    """How often English words stand in the everyday sentences of all languages."""
    counts: Counter[str] = Counter()
    for lang in LANGUAGES:
        for pair in read_pairs(OUT / f"train-{lang}.tsv"):
            if pair.kind == "tatoeba":
                counts.update({word.casefold() for word in words_of(pair.source)})
    return counts


def candidates(pairs: Iterable[Pair], library: Library | None, lang: str, sentences: Sentences) -> tuple[Votes, Votes]:
    """What dictionaries and labels say of each English word, and in which letters dictionaries write it.

    Of verbs "to eat" is apart from "eat", which has the candidates of both.
    """
    votes: Votes = defaultdict(lambda: defaultdict(float))
    letters: Votes = defaultdict(lambda: defaultdict(float))
    labels: Counter[tuple[str, str]] = Counter()

    def vote(english: str, other: str, weight: float) -> None:
        english = re.sub(r"^(?:an?|the) ", "", english)
        for key in {english, english.removeprefix("to ")}:
            votes[key.casefold()][other] += weight
            letters[key.casefold()][key] += weight

    for pair in pairs:
        english, other = single(pair.source), single(pair.target, lang == "zh")
        if not (english and other):
            continue
        if pair.kind.startswith("words"):
            vote(english, other, WEIGHTS.get(pair.package, 1.0))
        elif pair.kind in SENTENCES:
            whole = other if sentences.forms[lang + other.casefold()][other] else sentences.form(other, lang)
            labels[english.casefold(), whole] += 1
    for english, other, weight in wiktionary(library, lang) if library else ():
        if single(english) and single(other, lang == "zh"):
            vote(english, other, weight)
    for (english, other), count in labels.items():
        if english in votes:
            votes[english][other] += LABEL * min(4, count)
    return votes, letters


_VERBS = {
    "fr": re.compile("(?:er|ir|re)$"),
    "de": re.compile("^[a-zäöü]+n$"),
    "es": re.compile("[aeií]r(?:se)?$"),
    "zh": re.compile(""),
}
ENDINGS = ("s", "es", "e", "en", "er", "n", "a", "as", "os", "ing", "ed", "d")


def top(scores: Mapping[str, float]) -> str:
    """The one with the highest score, of equals the first."""
    return max(scores, key=lambda word: scores[word])


def merged(scores: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """Candidates by their scores (of dictionaries, of sentences), other forms of one counted with it: hours with hour.

    >>> top(merged({"hour": (0.9, 0.2), "hours": (0.3, 0.4)}))
    'hour'
    """
    found: dict[str, float] = defaultdict(float)
    for word, (said, near) in scores.items():
        stems = [word.removesuffix(ending) for ending in ENDINGS if word.endswith(ending)]
        stem = next((s for s in stems if len(s) > 2 and s in scores and scores[s][0] >= said), "")
        found[stem or word] += near if stem else said + near
    return found


def best(
    votes: Votes, letters: Votes, sentences: Sentences, english: Counter[str], certain: Counter[str], into: bool
) -> dict[str, str]:
    """Word -> its translation, for the most common words. into: from English; else to English.

    english: how often English words are met in everyday sentences. certain: words that are common however seldom they are met.
    """
    dice = sentences.together(votes)
    scores: dict[str, dict[str, tuple[float, float]]] = defaultdict(dict)
    for word, some in votes.items():
        if into and word.startswith("to "):  # dictionaries that name verbs without "to" have a say in them
            verbs = {c: w / 2 for c, w in votes.get(word[3:], {}).items() if _VERBS[sentences.lang].search(c)}
            some = {c: max(verbs.get(c, 0.0), some.get(c, 0.0)) for c in (*some, *verbs)}
        for other, weight in some.items():
            said = weight / (weight + 1) - LONGER * (len((other if into else word.removeprefix("to ")).split()) - 1)
            near = dice.get((word.removeprefix("to "), other), 0.0)
            if into:
                scores[word][other] = said, DICE * near
            elif not word.startswith("to "):
                key = other if sentences.lang == "de" else sentences.form(other, sentences.lang)
                before = scores[key].get(word, (-1.0, 0.0))
                scores[key][word] = max(said, before[0]), max(DICE * near, before[1])
    answers = {word: top(merged(some)) for word, some in scores.items()}
    counts: dict[str, int] = {}
    for word, answer in answers.items():
        if into:
            met = english[word.removeprefix("to ")]
        elif sentences.lang == "zh":  # not cut in words: as often as its answer is said with it
            met = round(english[answer] * dice.get((answer, word), 0.0))
        else:
            met = sentences.everyday[sentences.key(word)]
        counts[word] = met + 10 * certain[word.casefold()]
    names = {word: top(some) for word, some in letters.items()}
    common = sorted((word for word in scores if counts[word] >= FEWEST), key=lambda word: -counts[word])[:MOST]
    found = {names[w] if into else w: answers[w] if into else names[answers[w]] for w in common}
    return {word: answer for word, answer in found.items() if len(word) > 1 or not word.isascii()}


def build(lang: str, library: Library | None, english: Counter[str]) -> dict[str, dict[str, str]]:
    """The lists of both directions of a language and English."""
    pairs = list(read_pairs(OUT / f"train-{lang}.tsv"))
    sentences = Sentences([p for p in pairs if p.kind in SENTENCES and len(p.source) < 120], lang)
    labels = CACHE / f"en-{DEBIAN[lang]}" / "train.tsv"
    if labels.is_file():
        pairs += [p for p in read_pairs(labels) if p.kind == "interface" and len(p.source) < 40]
    votes, letters = candidates(pairs, library, lang, sentences)
    certain = named(pairs, lang)
    into = best(votes, letters, sentences, english, certain, into=True)
    return {
        f"en-{lang}": into,
        f"{lang}-en": turned(into, best(votes, letters, sentences, english, certain, into=False), lang),
    }


def turned(into: Mapping[str, str], out: Mapping[str, str], lang: str) -> dict[str, str]:
    """A list to English with the words that only the list from English has, where both words are common ones.

    Of several English words with one translation the commonest counts. The other way round it does not hold: what a rare
    sense is called would become the translation of a common English word.

    >>> turned({"hello": "\u4f60\u597d", "hey": "\u4f60\u597d", "to hello": "\u5582"}, {"\u732b": "cat"}, "zh")
    {'\u732b': 'cat', '\u4f60\u597d': 'hello'}
    """
    known = {word if lang == "de" else word.casefold() for word in out}
    more: dict[str, str] = {}
    for english, word in into.items():
        met = steps(english.lower()).get("en", 0)
        common = met >= COMMON and (lang == "zh" or steps(word.lower()).get(lang, 0) >= COMMON)
        new = (word if lang == "de" else word.casefold()) not in known and " " not in word
        if common and new and (word not in more or met > steps(more[word].lower())["en"]):
            more[word] = english
    return {**out, **more}


def set_phrases(direction: str) -> dict[str, str]:
    """Greetings and other phrases that are said in one way.

    >>> set_phrases("de-en")["guten Tag"], set_phrases("en-zh")["good bye"]
    ('good afternoon', '\u518d\u89c1')
    """
    src, dst = (("en", *LANGUAGES).index(code) for code in direction.split("-"))
    phrases: dict[str, str] = {}
    for line in (HERE / "set-phrases.tsv").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            sides = [cell.split("|") for cell in line.split("\t")]
            for phrase in sides[src]:
                phrases.setdefault(phrase, sides[dst][0])
    return phrases


# What dictionaries have under these words is a rare sense of theirs (`Die`: Wednesday's abbreviation), while at the
# beginning of a label they are common ones, whose entry in small letters holds.
RARE = {
    "de-en": ("Die", "Du", "Es", "Ich", "Ihr", "Spielen"),
    "es-en": ("Novel", "Unicornio", "UNICORNIO", "CAPRICORNIO"),
}


def common(words: Mapping[str, str], name: str) -> dict[str, str]:
    """A list without rare senses; English says I of itself in a capital.

    >>> common({"Die": "wed", "ich": "i", "Hund": "dog"}, "de-en")
    {'ich': 'I', 'Hund': 'dog'}
    """
    kept = {word: target for word, target in words.items() if word not in RARE.get(name, ())}
    return {word: "I" if target == "i" and name.endswith("-en") else target for word, target in kept.items()}


def acronyms(words: Mapping[str, str]) -> dict[str, str]:
    """A list to English with acronyms in capitals, and without those that a dictionary takes for another word.

    >>> acronyms({"ADN": "dna", "US": "mores", "TV": "television", "Hund": "dog"})
    {'ADN': 'DNA', 'TV': 'television', 'Hund': 'dog'}
    """
    kept = {}
    for word, english in words.items():
        acronym = word.isascii() and word.isupper() and 1 < len(word) <= ACRONYM
        if acronym and sorted(word) == sorted(english.upper()):
            kept[word] = english.upper()
        elif not acronym or word[0] == english[0].upper():
            kept[word] = english
    return kept


def packed(directions: Iterable[str], before: bytes = b"") -> bytes:
    """The lists that were built of some directions, as a model has them; b"" where there are none.

    before: lists that are there already, of directions that were not built.
    """
    lists: dict[str, dict[str, str]] = {}
    old = Words(before).lists() if before else {}
    for name in directions:
        path = LISTS / f"{name}.tsv"
        if path.is_file():
            lists[name] = dict(line.split("\t") for line in path.read_text("utf-8").splitlines())
        elif name in old:
            lists[name] = old[name]
        if name in lists:
            lists[name] = lists[name] if name.startswith("en-") else acronyms(lists[name])
            lists[name] = common(lists[name], name)
            # A word by itself may mean more than the phrase: `Gesundheit` is health, and `glace` ice.
            known = (
                {} if name.startswith("en-") else {word: lists[name][word] for word in lists[name] if " " not in word}
            )
            lists[name] |= {**set_phrases(name), **known}
    return pack(lists) if lists else b""


def put(place: Path) -> None:
    """Write the lists into a model folder that is there."""
    manifest = msgspec.json.decode((place / "model.json").read_bytes(), type=folder.Manifest)
    files = {name: (place / name).read_bytes() for name in manifest.files}
    data = packed(manifest.learned["directions_"], files.get("words.model", b""))
    manifest.learned["words_"], files["words.model"] = {"file": "words.model"}, data
    folder.write(manifest, files, place)
    print(f"{place}: words.model, {len(data) / 1e3:.0f} kB, {hashlib.sha256(data).hexdigest()[:12]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lang", choices=LANGUAGES, action="append", help="beside English; else all of them")
    parser.add_argument("--clones", type=Path, help="folder of clones named owner+name")
    parser.add_argument("-o", "--out", type=Path, default=LISTS, help="folder of the lists")
    parser.add_argument("--into", type=Path, nargs="+", help="model folders to put the lists into; nothing is built")
    given = parser.parse_args()
    for place in given.into or ():
        put(place)
    library = Library(given.clones) if given.clones else None
    given.out.mkdir(parents=True, exist_ok=True)
    english = Counter[str]() if given.into else spoken()
    for lang in () if given.into else given.lang or LANGUAGES:
        for name, words in build(lang, library, english).items():
            lines = "".join(f"{source}\t{target}\n" for source, target in sorted(words.items()))
            (given.out / f"{name}.tsv").write_text(lines, "utf-8")
            print(f"{name}: {len(words):,} words, {len(lines.encode()) / 1e3:.0f} kB", flush=True)


if __name__ == "__main__":
    main()
