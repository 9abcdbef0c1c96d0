"""A glossary: words whose translation is decided, `source TAB target` a line.

    file	fichier
    files	fichiers
    pull request	demande de tirage

A source matches whole words, whatever their case; of two that match, the longer one counts. Other forms of a word are
lines of their own. A first line of names (source, target, or the languages) is a header; blank lines and lines that
begin with `#` say nothing. `guard` sees to it that the answers have the targets; here is what is found where.

    >>> terms = Glossary({"file": "fichier", "file system": "système de fichiers"}, "fr")
    >>> terms.find("A File on the file system, not a filename.")
    [Term(start=2, end=6, target='fichier'), Term(start=14, end=25, target='système de fichiers')]
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from lamella.data.text.encoding import StrPath, quote, read_text, show_path, split_lines
from lamella.data.text.languages import NAMES
from lamella.data.text.sentences import Span
from lamella.errors import DataError

_HEADERS = frozenset(("source", "src", "term", "from", "target", "dst", "tgt", "translation", "to", *NAMES))


class Term(NamedTuple):
    """A place in a sentence, and what its words are to become."""

    start: int
    end: int
    target: str


class Glossary:
    """Source forms with their targets, for sentences that are translated to one language."""

    def __init__(self, targets: Mapping[str, str], language: str = "") -> None:
        self.language = re.split("[-_]", language.lower())[0]
        self.targets = {_key(source): target for source, target in targets.items()}
        self.sources = _pattern(targets)
        self.wanted = _pattern(targets.values())

    def find(self, text: str, taken: Iterable[Span] = ()) -> list[Term]:
        """The terms of a sentence in order, those that touch what is taken left out."""
        closed = list(taken)
        found = []
        for match in self.sources.finditer(text):
            if not any(start < match.end() and match.start() < end for start, end in closed):
                found.append(Term(*match.span(), self.targets[_key(match[0])]))
        return found

    def honoured(self, answer: str, terms: Sequence[Term]) -> int:
        """How many of a sentence's terms an answer has, each as often as the sentence.

        >>> terms = Glossary({"file": "fichier"}, "fr")
        >>> terms.honoured("Le fichier.", terms.find("The file."))
        1
        """
        have = Counter(_key(match[0]) for match in self.wanted.finditer(answer))
        want = Counter(_key(term.target) for term in terms)
        return sum(min(count, have[target]) for target, count in want.items())

    def settle(self, answer: str, terms: Iterable[Term]) -> str:
        """An answer in which terms were put, with the little words before them as they must be.

        >>> glossary = Glossary({"computer": "ordinateur", "tool": "logiciel"}, "fr")
        >>> terms = glossary.find("computer tool")
        >>> glossary.settle("La ordinateur ouvre l'logiciel de ordinateur.", terms)
        "L'ordinateur ouvre le logiciel d'ordinateur."
        """
        for target in dict.fromkeys(term.target for term in terms):
            vowel = unicodedata.normalize("NFD", target[:1])[:1].lower() in tuple("aeiouyhœ")
            for before, after in _LITTLE.get((self.language, vowel), ()):
                put = partial(_cased, after)
                answer = re.sub(rf"(?<!\w){before}(?={re.escape(target)}(?!\w))", put, answer, flags=re.IGNORECASE)
        return answer


# Before a vowel, and before a consonant.
_LITTLE = {
    ("fr", True): (
        *(("l[ea] ", "l'"), ("de ", "d'"), ("du ", "de l'"), ("de la ", "de l'"), ("au ", "à l'"), ("que ", "qu'")),
        *(("ce ", "cet "), ("je ", "j'"), ("ne ", "n'")),
    ),
    ("fr", False): (("l['’]", "le "), ("d['’]", "de "), ("qu['’]", "que "), ("cet ", "ce ")),
    ("en", True): (("a ", "an "),),
    ("en", False): (("an ", "a "),),
}


def _cased(new: str, match: re.Match[str]) -> str:
    return new[:1].upper() + new[1:] if match[0][:1].isupper() else new


def _key(text: str) -> str:
    """A form as it is compared: whatever its case, its blanks and its apostrophes."""
    return " ".join(unicodedata.normalize("NFC", text).replace("’", "'").casefold().split())


def _pattern(forms: Iterable[str]) -> re.Pattern[str]:
    """Whole words that are one of the forms, the longest there is; a part of `file-name` is no word."""
    longest = sorted({_key(form) for form in forms}, key=len, reverse=True)
    either = "|".join(re.escape(form).replace(r"\ ", r"\s+").replace("'", "['’]") for form in longest)
    return re.compile(rf"(?<![\w-])(?:{either})(?!\w|-\w)" if longest else r"(?!)", re.IGNORECASE)


def read_glossary(path: StrPath, language: str = "") -> Glossary:
    """The glossary of a file. Raises DataError, with the first ten, where lines are not `source TAB target`."""
    name = show_path(path)
    text, _ = read_text(path)
    targets: dict[str, str] = {}
    bad = []
    for number, line in enumerate(split_lines(text), start=1):
        cells = [" ".join(cell.split()) for cell in line.split("\t")]
        if not line.strip() or line.startswith("#") or (not targets and {_key(cell) for cell in cells[:2]} <= _HEADERS):
            continue
        if len(cells) < 2 or not all(cells[:2]) or not re.search(r"\w", cells[0]):
            bad.append(f"{name}, line {number}: expected a word, a tab and its translation, received {quote(line)}")
        elif targets.setdefault(_key(cells[0]), cells[1]) != cells[1]:
            bad.append(f"{name}, line {number}: expected one translation of {quote(cells[0])}, received a second")
    if bad:
        raise DataError(f"{bad[0]}. {len(bad)} of such lines in the glossary: mend them first", bad[:10])
    if not targets:
        raise DataError(
            f"{name}: expected a glossary, a word, a tab and its translation a line, received none. Add some"
        )
    return Glossary(targets, language)
