"""Clean the extracted pairs: normalise them, then drop what would teach a translator something wrong.

Run by `python -m recipes.translation.corpus clean`. Prints how many pairs each rule dropped, by kind, and writes the
same to `clean/LANG/rules.json`, which the report of the split repeats. `judge` has the rules in their order.
"""

from __future__ import annotations

import json
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from multiprocessing import Pool

from recipes.translation import normalise
from recipes.translation.common import KINDS, Folders, Pair, is_reserved, read_pairs, write_rows
from recipes.translation.extract_books import sentences
from recipes.translation.languages import looks_like

MAX_CHARACTERS = 600
MAX_RATIO = 3.0
MAX_MARKUP = 0.3
MAX_TRANSLATIONS = 3
KEPT_COPIES = 50  # one of so many short texts that are the same in both languages is kept

_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_MOJIBAKE = re.compile("\ufffd|ï¿½|Ã[\u0080-\u00bf©¨ª«®´¹»§ ]|â€|Â[\u0080-\u00bf]|\\?\\?\\?")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ue000-\uf8ff]")
_CODE_TOKEN = re.compile(
    r"^(?:\w+://\S+|www\.\S+|\S+@\S+\.\w+|~?/\S+/\S*|[A-Za-z]:\\\S*|\S+/\S+/\S+|--?[A-Za-z][\w-]*\S*|\w+_\w+\S*"
    r"|\w+\(\)?\S*|\S*[=;{}\\]\S*|[A-Z]+[A-Z0-9_]{3,}|\w+\.\w+(?:\.\w+)+)$"
)
_IDENTIFIER = re.compile(r"^[\w.:/@#$+-]*(?:[_/@#$\\=]|[a-z0-9][.:][a-z]|[a-z][A-Z])\S*$")
_CREDITS = frozenset({"translator-credits", "translator_credits", "your names", "your emails", "name of translators"})


def _is_code(text: str) -> bool:
    """Whether a text is mostly identifiers, options, paths or addresses, or shouts."""
    tokens = text.split()
    if len(tokens) == 1:
        return bool(_IDENTIFIER.match(text))
    if re.match(r"--?\w|/", text):
        return True
    return sum(bool(_CODE_TOKEN.match(token)) for token in tokens) > 0.5 * len(tokens)


def _words(text: str) -> int:
    return len(text.split())


def _unequal(source: str, target: str) -> bool:
    """Whether one side is more than three times as long as the other; short texts are not judged."""
    if max(len(source), len(target)) <= 20:
        return False
    lengths = (len(source), len(target)), (_words(source), _words(target))
    return any(max(pair) > MAX_RATIO * min(pair) for pair in lengths)


def _unequal_chinese(source: str, target: str) -> bool:
    """The same for Chinese, whose texts have about a third as many characters as the English."""
    return max(len(source), 3 * len(target)) > 30 and not 0.1 < len(target) / len(source) < 1.1


def judge(pair: Pair, lang: str) -> str:
    """The name of the first rule that a pair breaks, or an empty text."""
    source, target = pair.source, pair.target
    if not source or not target:
        return "empty"
    if normalise.key(source) in _CREDITS or source.lower() in _CREDITS:
        return "credits"
    if len(source) > MAX_CHARACTERS or len(target) > MAX_CHARACTERS:
        return "too long"
    if _CONTROL.search(source) or _CONTROL.search(target):
        return "control characters"
    if _MOJIBAKE.search(source) or _MOJIBAKE.search(target):
        return "mojibake"
    bare = normalise.without_markup(source), normalise.without_markup(target)
    letters = [sum(map(str.isalpha, text)) for text in bare]
    if min(letters) < (1 if lang.startswith("zh") else 2):
        return "no letters"
    if any(len(text) < (1 - MAX_MARKUP) * len(whole) for text, whole in zip(bare, (source, target), strict=True)):
        return "markup"
    if any(count < 0.5 * len(text.replace(" ", "")) for count, text in zip(letters, bare, strict=True)):
        return "symbols"
    # Chinese has no blanks: its sentence is one token, and one name in it would make all of it an identifier.
    if _is_code(source) or (_is_code(target) and not (lang.startswith("zh") and normalise.has_chinese(target))):
        return "code, paths, addresses"
    if normalise.placeholders(source) != normalise.placeholders(target):
        return "placeholders differ"
    if source.lower() == target.lower():
        short = _words(source) <= 2 and len(source) <= 20
        if not short or zlib.crc32(source.lower().encode()) % KEPT_COPIES:
            return "untranslated"
    if _unequal(source, target) if not lang.startswith("zh") else _unequal_chinese(source, target):
        return "length ratio"
    if looks_like(target, "en", lang):
        return "swapped" if looks_like(source, lang, "en") else "translation is English"
    if looks_like(source, lang, "en"):
        return "source is not English"
    return ""


def prepare(pair: Pair, lang: str) -> Iterator[Pair]:
    """A raw pair brought to one way of writing, as one pair or several of a line each; none if its lines differ."""
    source, target = pair.source, pair.target
    if pair.kind in ("interface", "stories"):
        source = normalise.strip_context(source, target)
        source, target = normalise.strip_accelerators(source, target)
    source, target = normalise.characters(source, "en"), normalise.characters(target, lang)
    for line in normalise.split_lines(source, target):
        if max(map(len, line)) > MAX_CHARACTERS:
            parts = [sentences(text) for text in line]
            lines = list(zip(*parts, strict=True)) if len(parts[0]) == len(parts[1]) else [line]
        else:
            lines = [line]
        yield from (Pair(pair.kind, pair.package, *normalise.trim(*texts)) for texts in lines)


def _clean_chunk(task: tuple[str, list[tuple[Pair, int]]]) -> tuple[list[tuple[Pair, int]], Counter[tuple[str, str]]]:
    lang, chunk = task
    kept, counts = [], Counter[tuple[str, str]]()
    for raw, times in chunk:
        pairs = list(prepare(raw, lang))
        if not pairs:
            counts[raw.kind, "lines differ"] += 1
        for pair in pairs:
            rule = judge(pair, lang)
            if rule:
                counts[pair.kind, rule] += 1
            else:
                kept.append((pair, times))
    return kept, counts


def _merge(pairs: Iterator[tuple[Pair, int]], counts: Counter[tuple[str, str]]) -> list[tuple[Pair, int]]:
    """The pairs without exact duplicates, each with how often it was there; the first of equals stands for all."""
    first: dict[tuple[str, str], Pair] = {}
    times: Counter[tuple[str, str]] = Counter()
    for pair, number in pairs:
        texts = pair.source, pair.target
        if first.setdefault(texts, pair) is not pair:
            counts[pair.kind, "duplicate"] += 1
        times[texts] += number
    return [(pair, times[texts]) for texts, pair in first.items()]


def _few_translations(pairs: list[tuple[Pair, int]], counts: Counter[tuple[str, str]]) -> list[Pair]:
    """At most three translations of each English text, case and punctuation aside: the most frequent ones."""
    groups: dict[str, list[int]] = defaultdict(list)
    for index, (pair, _) in enumerate(pairs):
        groups[normalise.key(pair.source)].append(index)
    dropped = set()
    for group in groups.values():
        for index in sorted(group, key=lambda index: -pairs[index][1])[MAX_TRANSLATIONS:]:
            dropped.add(index)
            counts[pairs[index][0].kind, "more translations"] += 1
    return [pair for index, (pair, _) in enumerate(pairs) if index not in dropped]


def _raw(folders: Folders, counts: Counter[tuple[str, str]]) -> Iterator[tuple[Pair, int]]:
    """Every extracted pair, the kinds with fewer pairs first, since the first of equal pairs is the one kept."""
    order = {"verses": 0, "dictionaries": 1, "names": 2, "games": 3, "documents": 4, "descriptions": 5, "catalogues": 6}
    for path in sorted(folders.extracted.glob("*.tsv"), key=lambda path: (order.get(path.stem, 5), path.stem)):
        for pair in read_pairs(path):
            assert not is_reserved(pair.package), pair
            counts[pair.kind, "raw"] += 1
            yield pair, 1


def table(counts: Counter[tuple[str, str]]) -> str:
    """The counts as text: a row for each rule, a column for each kind."""
    rules = list(dict.fromkeys(["raw", *sorted({rule for _, rule in counts} - {"raw", "kept"}), "kept"]))
    rows = [f"{'':24}" + "".join(f"{kind:>14}" for kind in KINDS)]
    rows += [f"{rule:24}" + "".join(f"{counts[kind, rule]:14,}" for kind in KINDS) for rule in rules]
    return "\n".join(rows)


def clean(folders: Folders) -> None:
    """Clean every extracted pair and write `pairs.tsv` and `rules.json`."""
    counts: Counter[tuple[str, str]] = Counter()
    raw = _merge(_raw(folders, counts), counts)
    chunks = ((folders.lang, raw[start : start + 5000]) for start in range(0, len(raw), 5000))
    cleaned: list[tuple[Pair, int]] = []
    with Pool() as pool:
        for kept, dropped in pool.imap(_clean_chunk, chunks):
            cleaned += kept
            counts += dropped
    pairs = _few_translations(_merge(iter(cleaned), counts), counts)
    counts.update((pair.kind, "kept") for pair in pairs)
    write_rows(folders.clean / "pairs.tsv", pairs)
    rules: dict[str, dict[str, int]] = defaultdict(dict)
    for (kind, rule), number in sorted(counts.items()):
        rules[kind][rule] = number
    (folders.clean / "rules.json").write_text(json.dumps(rules, indent=2) + "\n", encoding="utf-8")
    print(table(counts), flush=True)
