"""What an answer must hold besides its words: the numbers, names and marks of its sentence.

>>> checks = Checks("Tom has 15 dogs.", "", [], Style("en", "fr"))
>>> checks.judge("Tom a 51 chiens.", {}).text, checks.judge("Tom a des chiens.", {}).faults
('Tom a 15 chiens.', ['digits'])
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lamella.data.text import placeholders
from lamella.data.text.languages import base_code
from lamella.data.text.lazy import lazy
from lamella.data.text.sentences import Span
from lamella.tasks.translation import acronyms, closed, counts, numerals, places
from lamella.tasks.translation.dates import dated, keys, keys_lost
from lamella.tasks.translation.names import Names
from lamella.tasks.translation.numbers import Numbers
from lamella.tasks.translation.plans import is_sign, union
from lamella.tasks.translation.quantities import apart, decades, with_units, without_half_days
from lamella.tasks.translation.soundness import doubts, greeted, left_over
from lamella.tasks.translation.spacing import capital, unglued
from lamella.tasks.translation.typography import set_marks, singles_lost

if TYPE_CHECKING:  # most nets have none
    from lamella.tasks.translation.chinese_names import Person
    from lamella.tasks.translation.dictionary import Dictionary


class Style(NamedTuple):
    """What is the same for all sentences of a call."""

    source: str = ""
    target: str = ""
    curly: bool = False  # whether apostrophes are written as `’`
    cost: Callable[[str], int] | None = None  # how many pieces a word is to the net
    dictionary: Dictionary | None = None  # of both languages, where the model has one

    @property
    def apart(self) -> bool:
        """Whether blanks stand between the words of the target language, and not between those of the source."""
        return base_code(self.source) == "zh" and base_code(self.target) not in ("zh", "ja")


class Verdict(NamedTuple):
    """An answer, put right as far as it is clear how, and what is still wrong with it.

    `spans` are the stretches of the source that it lacks; `faults` what kind they are of: digits, names, marks; `doubts`
    what may be wrong with the words; `unsure` the names that the net should be asked for.
    """

    text: str
    mended: bool
    spans: list[Span]
    faults: list[str]
    doubts: list[str]
    unsure: list[str]
    slight: bool = False  # nothing is wrong but words that begin a sentence, which may be no names
    sure: float | None = None  # the mean log-probability of its pieces, where the net says it


class Checks:
    """The numbers, names and marks of a sentence.

    In: the sentence, its format, the spans that the net never sees, and what is the same for all sentences.
    """

    def __init__(self, source: str, format: str, frozen: Sequence[Span], style: Style) -> None:
        self.source, self.format, self.style = source, format, style
        # An amount whose sign the net cannot read is hidden from it, and still written as the target language does.
        hidden = [span for span in frozen if not any(map(is_sign, source[slice(*span)]))]
        taken = union([*placeholders.spans(source, format), *hidden])
        self.frozen = [source[start:end] for start, end in hidden]
        self.taken = taken
        self.known: list[Person] = []  # what a Chinese source has that is written in Latin letters in one way
        self.numbers = Numbers(source, style.source, style.target, taken)
        spans = [one.span for one in self.numbers.constants]
        self.closed = closed.concerns(source, base_code(style.source))
        self.names = Names(source, style.source, style.target, union([*taken, *keys(source)]), style.cost, spans)

    @property
    def _words_taken(self) -> list[Span]:
        """Where the source has what is no word of a dictionary: placeholders, names, numbers."""
        if base_code(self.style.source) != "de":
            return [*self.taken, *self.constants, *(one.span for one in self.names.names)]
        from lamella.tasks.translation.lexical import is_noun  # of German nouns it is not clear which are names

        maybe = ("initial", "possible")
        names = [
            one.span
            for one in self.names.names
            if one.kind not in maybe and not is_noun(self.source, one.span, self.style.dictionary)
        ]
        return [*self.taken, *self.constants, *names]

    @property
    def codes(self) -> list[Span]:
        """Where the source has what stays letter by letter."""
        exact = [one.span for one in self.names.names if one.kind == "exact"]
        return sorted([*(one.span for one in self.numbers.constants if one.code), *exact])

    @property
    def constants(self) -> list[Span]:
        """Where the source has numbers and codes."""
        return [one.span for one in self.numbers.constants]

    def judge(
        self, answer: str, known: Mapping[str, Sequence[str]], force: bool = False, sure: float | None = None
    ) -> Verdict:
        """What is right and wrong with an answer.

        known: what the net makes of names by themselves; force: see `Numbers`; sure: the mean log-probability of its pieces.
        """
        digits = self.numbers.check(answer, self._taken(answer), force)
        text = self._measured(digits.text)
        src, dst = base_code(self.style.source), base_code(self.style.target)
        if "hal" in self.source:
            text = counts.half_hours(self.source, text, src, dst)
        if self.closed:
            text = closed.mended(self.source, text, src, dst)
        text = acronyms.translated(self.source, dated(self.source, text, src, dst), src, dst)
        text = numerals.crowned(self.source, places.translated(self.source, text, src, dst), src, dst)
        if self.taken:
            text = greeted(self.source, text, self.taken[0], src, dst)
        names = self.names.check(text, self._taken(text), known, sure)
        names = names._replace(text=places.translated(self.source, names.text, src, dst))
        gone: list[Span] = []
        if self.style.dictionary:
            from lamella.tasks.translation import lexical  # only now: most nets have no dictionary

            known_words = self._words_taken, self.style.dictionary, src, dst
            hidden = self._taken(names.text)  # what stands in a placeholder is no word
            held = iter([names.text[slice(*span)] for span in hidden])
            words = lexical.mended(self.source, _blanked(names.text, hidden), *known_words)
            names = names._replace(text=re.sub("\ue000+", lambda _: next(held), words))
            gone = lexical.lost(self.source, names.text, *known_words)
        mended = names.text != answer
        marks = set_marks(self.source, names.text, self.style.source, self.style.target, self.format, self.style.curly)
        text = marks.text if placeholders.agree(self.source, marks.text, self.format) else names.text
        if _LOUD.search(self.source) and dst != "zh":
            from lamella.tasks.translation.tags import emphasised  # only now: most sentences have none

            text = emphasised(self.source, text, self.style.dictionary, src, dst)
        text = capital(self.source, unglued(self.source, text, self.format), base_code(self.style.source))
        unwritten = [(one.start, one.end) for one in self.known if one.latin not in text]
        faults = (
            ["digits"] * bool(digits.missing or digits.alien)
            + ["names"] * bool(names.missing or unwritten)
            + ["marks"] * (not marks.sound)
        )
        signs = [] if marks.places else _signs_lost(self.source, text, self.taken)
        signs = signs or keys_lost(self.source, text, self.taken)
        faults += ["marks"] * bool(signs)
        dates = closed.lost(self.source, text, src, dst) if self.closed else []
        faults += ["names"] * bool(dates and not names.missing)
        spans = union([*digits.missing, *names.missing, *marks.places, *signs, *dates, *unwritten])
        # What stays letter by letter is no word that was left.
        kept = [
            one.text for one in self.names.names if " " in one.text and one.kind == "exact"
        ]  # a quotation, a name of two words
        untouched = union([*self._taken(text), *(m.span() for one in kept for m in re.finditer(re.escape(one), text))])
        typed, said = _blanked(self.source, self.taken), _blanked(text, untouched)
        uncertain = doubts(typed, said, self.style.source, self.style.target)
        if counts.lost(typed, said, src, dst):
            uncertain.append("digits")
        uncertain += ["words"] * bool(gone)
        if marks.sound and singles_lost(typed, said):
            uncertain.append("marks")
        if closed.alien(typed, said, src, dst) and "names" not in faults:
            uncertain.append("names")
        if left_over(typed, said, src, dst):
            faults.append("untranslated")
        if base_code(self.style.source) == "zh" and base_code(self.style.target) != "zh":
            from lamella.tasks.translation.chinese_names import lost  # only now: other texts have none

            listed = self.style.dictionary.find if self.style.dictionary else lambda word: []
            gone_too = lost(self.source, text, lambda word: bool(listed(word)))
            uncertain += ["names"] * ("names" not in faults and gone_too)
        return Verdict(text, mended, spans, faults, uncertain, names.unsure, faults == ["names"] and names.slight, sure)

    def _measured(self, answer: str) -> str:
        """An answer whose numbers have their units, and stand apart from words."""
        if not self.numbers.constants:
            return answer
        src, dst = base_code(self.style.source), base_code(self.style.target)
        written = [one.span for one in self.numbers.constants if one.forms]
        answer = with_units(self.source, answer, src, dst, [*self.taken, *written])
        answer = decades(self.source, without_half_days(self.source, answer, src, dst), src, dst)
        if "零下" in self.source and dst == "en":
            from lamella.tasks.translation.chinese_numbers import with_degrees

            answer = with_degrees(self.source, answer)
        codes = [one.text for one in self.numbers.constants if one.code]
        spans = [match.span() for code in codes for match in re.finditer(re.escape(code), answer)]
        return apart(self.source, answer, union([*spans, *self._taken(answer)])) if dst != "zh" else answer

    def _taken(self, answer: str) -> list[Span]:
        """What in an answer is a placeholder, or was put back as one."""
        spans = list(placeholders.spans(answer, self.format))
        for one in self.frozen:
            if (at := answer.find(one)) >= 0:
                spans.append((at, at + len(one)))
        return union(spans)


_LOUD = lazy("[A-ZÀ-Þ]{3}")
_SIGNS = lazy(r"(?<!\S)(?:&&|\|\||[-=]>|[=!<>]=|>>|<<|\+\+|\+=|:=)(?!\S)")


def _signs_lost(source: str, answer: str, taken: Sequence[Span]) -> list[Span]:
    """Where a source has signs of programs and formulas of which its answer has fewer: `a && b`.

    >>> _signs_lost("make && make test", "make & test", []), _signs_lost("a -> b", "a -> b", [])
    ([(5, 7)], [])
    """
    spans = [match.span() for match in _SIGNS.finditer(source)]
    spans = [one for one in spans if not any(a < one[1] and one[0] < b for a, b in taken)]
    theirs = [match[0] for match in _SIGNS.finditer(answer)] if spans else []
    return spans if any(theirs.count(source[a:b]) < 1 for a, b in spans) else []


def _blanked(text: str, spans: Sequence[Span]) -> str:
    """A text without what is in the spans, as long as before."""
    for start, end in spans:
        text = text[:start] + "\ue000" * (end - start) + text[end:]
    return text
