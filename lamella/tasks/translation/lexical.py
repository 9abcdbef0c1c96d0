"""Words of a sentence beside a dictionary: a word that an answer only copied gets its translation, one that it lost is named.

>>> from lamella.tasks.translation.dictionary import Dictionary
>>> soap = Dictionary("soap\\t!savon\\nwater\\t!eau")
>>> mended("Use soap and water.", "Utilisez du soap et de l'eau.", [], soap, "en", "fr")
"Utilisez du savon et de l'eau."
>>> lost("Use soap and water.", "Utilisez du sofa et de l'eau.", [], soap, "en", "fr")
[(4, 8)]
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from lamella.data.text import common_words
from lamella.data.text.lazy import lazy
from lamella.data.text.sentences import Span, is_wide
from lamella.tasks.translation.dictionary import Dictionary

_WORD = lazy(r"(?<![\w@#./\\:&%$-])[^\W\d_]{3,}(?![\w@/\\:-]|\.\w|['’]\w{3})")
_ENDINGS = {
    "en": ("s", "es", "ies:y", "ing", "ing:e", "ed", "d"), "fr": ("s", "x", "es", "e", "aux:al"),
    "de": ("n", "en", "e", "s", "es", "er", "em", "er:"), "es": ("s", "es", "a:o", "as:o", "os:o", "as:a"),
}  # fmt: skip
_OFTEN = 6  # steps of frequency from which a word is one of the target language too
_NEAR = 0.75  # how alike a word and what a net made of it are, from 0 to 1
_FIRST = 4  # steps by which another translation has to be more common than the first
_ALIKE = 6  # letters that a word and a translation of the same origin begin with
_STEM = 4  # letters that what is nearly a copy begins with


def entry(dictionary: Dictionary, word: str, language: str) -> list[str]:
    """What a word may be translated to, and the words that it may be a form of; its own translations first."""
    found = dictionary.find(word)
    for ending in _ENDINGS.get(language, ()):
        end, _, instead = ending.partition(":")
        if word.lower().endswith(end) and len(word) - len(end) + len(instead) >= 3 - (end == "ing"):
            found += dictionary.find(word[: len(word) - len(end)] + instead)
    return found


def plain(text: str) -> str:
    """A text in small letters without accents."""
    if text.isascii():
        return text.casefold()
    return "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if unicodedata.category(c) != "Mn")


def said(answer: str, translation: str) -> bool:
    """Whether an answer, which is `plain`, has a translation in whatever form: the beginning of each of its words.

    >>> said("les savons", "savon"), said("das kernseifenstuck", "Seife"), said("用水洗", "洗手"), said("la sopa", "jabon")
    (True, True, True, False)
    """
    if any(map(is_wide, translation)):
        return any(letter in answer for letter in translation if letter not in "的地得了子")
    return all(_stem(word) in answer for word in plain(translation).split() if len(word) > 3 or " " not in translation)


def _stem(word: str) -> str:
    return word[: max(4, len(word) - 2 - (len(word) > 7))]


def _words(source: str, taken: Sequence[Span]) -> Iterator[re.Match[str]]:
    for match in _WORD.finditer(source):
        if not any(start < match.end() and match.start() < end for start, end in taken):
            yield match


def mended(source: str, answer: str, taken: Sequence[Span], dictionary: Dictionary, src: str, dst: str) -> str:
    """An answer in which a word of the source that was copied, or nearly, gives way to its translation.

    taken: spans of the source with names and placeholders. A word that is one of the target language too stays.
    """
    copied = None
    for match in _words(source, taken):
        word = match[0]
        if copied is None:
            copied = {one[0].casefold(): one.span() for one in _WORD.finditer(answer)}
        place = copied.get(word.casefold()) or _near(word, source, answer, dictionary, dst)
        if src != "de" and word[0].isupper() and not _begins(source, match.start(), match.end()):
            continue  # a name, or a word of one
        if not place or common_words.steps(word.lower()).get(dst, 0) >= _OFTEN:
            continue
        found = entry(dictionary, word, src)
        if copy := _is_tagged_copy(word, answer, place, dst):
            # A list may have the word itself far down: `house` for a kind of music.
            found = found[:2] + [one for one in found[2:] if not plain(word).startswith(plain(one))]
        if word[0].isupper() and found and found[0][0].isupper() and dst != "de":
            continue  # a name, which is kept: Maria
        rest = plain(answer[: place[0]] + "\ue000" + answer[place[1] :])
        if not found or any(one.casefold() == word.casefold() or said(rest, one) for one in found):
            continue
        if any(
            said(plain(answer[slice(*place)]), one) for one in found if not copy or plain(word).startswith(plain(one))
        ):
            continue
        best = _best(word, found[:3], dst)
        new = _plural(best, word, dictionary, src, dst)
        if answer[place[0]].isupper() and (not place[0] or word[0].isupper() and src != "de"):
            new = new[0].upper() + new[1:]
        if answer[slice(*place)].isupper():
            new = new.upper()
        answer, copied = _elided(answer[: place[0]], new, dst) + new + answer[place[1] :], None
    return answer


def _is_tagged_copy(word: str, answer: str, place: Span, dst: str) -> bool:
    """Whether an answer has a word of the source as it was beside a tag, where nets copy; its language seldom uses it."""
    beside = {answer[: place[0]][-1:], answer[place[1] :][:1]} & {"\ue000", ">", "<", "{", "}"}
    rare = common_words.steps(word.lower()).get(dst, 0) < 2
    return bool(beside) and rare and answer[slice(*place)].casefold() == word.casefold()


def _best(word: str, found: Sequence[str], dst: str) -> str:
    """Of several translations the one that begins as the word does, else to other languages than English the commonest.

    >>> _best("veterinarian", ["veto", "v\u00e9t\u00e9rinaire"], "fr"), _best("oven", ["four"], "fr")
    ('v\u00e9t\u00e9rinaire', 'four')
    """
    alike = [one for one in found if plain(one)[:_ALIKE] == plain(word)[:_ALIKE]]
    if alike or dst == "en":
        return (alike or found)[0]
    steps = [common_words.steps(one.lower()).get(dst, 0) + _FIRST * (not i) for i, one in enumerate(found)]
    return found[steps.index(max(steps))]


def _plural(new: str, word: str, dictionary: Dictionary, src: str, dst: str) -> str:
    """A translation in the plural, of a source word whose ending says so."""
    if src == "de" or dictionary.find(word) or not word.lower().endswith("s") or " " in new or new[-1:] in "sxz":
        return new
    if dst == "fr":
        return f"{new}x" if new.endswith(("eau", "eu")) else f"{new[:-2]}aux" if new.endswith("al") else f"{new}s"
    if dst == "es":
        return new + ("s" if new[-1:] in "aeiouáéó" else "es")
    if dst == "en":
        return f"{new[:-1]}ies" if re.search("[^aeiou]y$", new) else f"{new}s"
    return new


_FULL = {"l'": "le ", "d'": "de ", "qu'": "que "}


def _elided(before: str, new: str, dst: str) -> str:
    """What stands before a French word, with its article as the word wants it: l'oven, le four.

    >>> _elided("dans l'", "four", "fr"), _elided("une pincée de ", "eau", "fr")
    ('dans le ', "une pincée d'")
    """
    if dst != "fr":
        return before
    vowel = plain(new)[:1] in "aeiouy"
    if not vowel and (match := re.search(r"(?<!\w)(l|d|qu)['’]$", before)):
        return before[: match.start()] + _FULL[match[1] + "'"]
    if vowel and (match := re.search(r"(?<!\w)(l|d)[ea] $", before)):
        return f"{before[: match.start()]}{match[1]}'"
    return before


_DETERMINED = lazy(
    r"(?:^|\s)(?:d(?:er|ie|as|en|em|es)|(?:k?ein|mein|dein|sein|ihr|unser|dies|jed|welch)(?:e[rnms]?)?|zu[rm]|[iav]m|vom|beim|ins|[0-9]+(?: k?g| ml| l)?) $",
    re.IGNORECASE,
)


def is_noun(source: str, span: Span, dictionary: Dictionary | None) -> bool:
    """Whether a German word that may be a name is a noun: one of the dictionary, behind an article or a number.

    >>> words = Dictionary("mieter\\ttenant\\nbonn\\tBonn")
    >>> [is_noun(text, (4, 10), words) for text in ("Der Mieter zahlt.", "Hat Mieter recht?")]
    [True, False]
    """
    if dictionary is None or not _DETERMINED.search(source, max(0, span[0] - 12), span[0]):
        return False
    found = dictionary.find(source[slice(*span)])
    return bool(found) and found[0][0].islower()


_JOINED = lazy(r"(?:, | and | et | y | e | & )[A-ZÀ-Þ]")


def _begins(source: str, start: int, end: int) -> bool:
    """Whether a word with a capital has it for its place alone: it begins the text, and no list of names."""
    return not re.search(r"\w", re.sub(r"<[^<>]*>|\{[^{}]*\}", "", source[:start])) and not _JOINED.match(source, end)


def _near(word: str, source: str, answer: str, dictionary: Dictionary, dst: str) -> Span | None:
    """Where an answer has a word that is nearly one of the source and none of the target language: `tenante` of `tenant`."""
    key = plain(word)
    if len(key) < 6 or not key.isascii():
        return None
    ours = {one[0].casefold() for one in _WORD.finditer(source)}
    for match in _WORD.finditer(answer):
        other = plain(match[0])
        if other[:_STEM] != key[:_STEM] or len(other) < 5 or match[0].casefold() in ours:
            continue
        if match[0][0].isupper() and match.start() and dst != "de":
            continue  # a name
        from difflib import SequenceMatcher  # late: seldom needed

        if SequenceMatcher(None, key, other, False).ratio() < _NEAR:
            continue
        if not common_words.steps(match[0].lower()).get(dst) and not dictionary.gives(match[0]):
            return match.span()
    return None


def lost(source: str, answer: str, taken: Sequence[Span], dictionary: Dictionary, src: str, dst: str) -> list[Span]:
    """Where a source has words of which an answer has no translation, of those whose translations are few and always used."""
    if src == "zh":  # has no blanks between its words
        return []
    text, found = plain(answer), []
    for match in _words(source, taken):
        known, sure = dictionary.look(match[0]) if len(match[0]) > 3 else ([], False)
        if not sure or (known[0][0].isupper() and dst != "de" and plain(match[0]) in text):
            continue  # a name that is kept
        if not any(said(text, one) for one in known):
            found.append(match.span())
    return found
