"""Translate texts so that nothing is lost: placeholders, tags, lines, numbers, emoji, and the text itself.

A net translates one sentence at a time and promises nothing. `translate_texts` cuts texts into sentences, hands all of
them to the net at once, and lets an answer through only if it holds what its sentence held. Where no answer does, it
tries again, each time for all sentences that failed together:

1. the net's candidates in order; words in a script it does not know stand in the sentence as `X1`, `X2`;
2. names that an answer has not are shown to the net by themselves: what it makes of them there counts as their translation;
3. every placeholder, number, code or name that is missing as a word like `X1`, put back afterwards;
4. the words between them by themselves, in the order of the source: nothing that stays can be lost;
5. the best of the answers that lack something, which the outcome says, or the sentence as it was.

What an answer must hold besides its words is the matter of `checks`: digits, names, quotation marks and brackets are put
right where it is clear how; where it is not, the next candidate or the next way is taken.

Where a glossary decides what some words become, only answers with these pass: a candidate that has them by itself, or
in which the net's own word for the term gives way to the wanted one; else the term too stands in the sentence as `X1`.

    >>> def upper(sentences):
    ...     return [[sentence.upper()] for sentence in sentences]
    >>> translate_texts(["  Hello {name}!\\n", "42"], upper)
    [Outcome(text='  HELLO {name}!\\n', status='repaired'), Outcome(text='42', status='copied')]

The net is a callback, so nothing here knows of nets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct, field, structs

from lamella.data.text import placeholders
from lamella.data.text.languages import base_code
from lamella.data.text.sentences import is_wide
from lamella.tasks.translation import messages, typography
from lamella.tasks.translation.checks import Checks, Style, Verdict
from lamella.tasks.translation.chinese import joined
from lamella.tasks.translation.confidence import Candidate, changed
from lamella.tasks.translation.masks import bare, divide, fragment, in_latin, mask_of, parts_of, with_tags
from lamella.tasks.translation.outcomes import Outcome, outcome_of
from lamella.tasks.translation.plans import Plan, Status, Unit, common, has_letters, render, union
from lamella.tasks.translation.soundness import finish, in_script, is_sound
from lamella.tasks.translation.spacing import half_width, narrow_mark

if TYPE_CHECKING:  # most translations have none
    from lamella.tasks.translation.dictionary import Dictionary
    from lamella.tasks.translation.glossary import Glossary

NBest = Callable[[list[str]], Sequence[Sequence[str]]]


class Lists(NamedTuple):
    """What a model looks up: a text that is a line by itself, and words of a sentence in a dictionary."""

    line: Callable[[str], str | None] | None = None
    dictionary: Dictionary | None = None


TOKENS = ("X{}",)
CURLY = "curly"  # among the flags of a format: apostrophes are written as `’`


def glossary_of(path: str, language: str) -> Glossary | None:
    """The glossary of a file, where one is named."""
    if not path:
        return None
    from lamella.tasks.translation.glossary import read_glossary  # only now: a short answer should not wait for it

    return read_glossary(path, language)


def translate_texts(
    texts: Sequence[str],
    nbest: NBest,
    on_count: Callable[[int], None] | None = None,
    *,
    formats: Sequence[str] | None = None,
    source: str = "",
    target: str = "",
    known: Callable[[str], bool] | None = None,
    cost: Callable[[str], int] | None = None,
    tokens: Sequence[str] = TOKENS,
    glossary: Glossary | None = None,
    alternatives: int = 1,
    lists: Lists | None = None,
) -> list[Outcome]:
    """Translate every text, whatever is in it, however long it is.

    In: the texts; `nbest`, which gets different sentences without outer white space and gives for each its candidates,
    best first (it is called at most four times, with a glossary six, and cuts into batches itself); `on_count`, told before
    each call how many sentences it is about; the format of each text (see `placeholders`); the languages, for numbers,
    names and punctuation; whether the net can read a character, or rewrites it, as it may a curly quote; how many pieces
    a word is to the net, which tells names; what stands for a placeholder in a sentence, `{}` being its number (with
    several such words all are tried); a glossary; how many different translations of each text are wanted, if there are as
    many; and the lists of words of the model.

    Out: an outcome for each text, in order. Its placeholders, white space around it and number of lines are those of
    the text. Raises ValueError if `nbest` does not answer every sentence; what `nbest` raises passes through.

        >>> def forgetful(sentences):
        ...     return [[sentence.replace("%s", "").lower()] for sentence in sentences]
        >>> translate_texts(["Copy %s to 🎉 B"], forgetful)[0].text
        'Copy %s to 🎉 B'
    """
    flags = formats if formats is not None else [""] * len(texts)
    found = [messages.parsed(text) for text in texts]
    if any(found) or any(map(messages.is_broken, texts)):
        parts = [
            message.texts if message else [text] * (not messages.is_broken(text))
            for text, message in zip(texts, found, strict=True)
        ]
        answers = iter(
            translate_texts(
                [part for some in parts for part in some], nbest, on_count,
                formats=[flag for some, flag in zip(parts, flags, strict=True) for _ in some], source=source, target=target,
                known=known, cost=cost, tokens=tokens, glossary=glossary, lists=lists,
            )
        )  # fmt: skip
        return [
            messages.joined(text, message, [next(answers) for _ in some], target)
            for text, message, some in zip(texts, found, parts, strict=True)
        ]
    flags = [
        f"{flag} {CURLY}".strip() if typography.curls([text]) else flag for text, flag in zip(texts, flags, strict=True)
    ]
    plans = [Plan(half_width(text), flag, known or common) for text, flag in zip(texts, flags, strict=True)]
    style = Style(source, target, False, cost, lists.dictionary if lists else None)
    net = _Net(nbest, on_count, style, glossary, alternatives > 1)
    units = [unit for plan in plans for unit in plan.units]
    if style.apart:
        _name_in_latin(units, style.dictionary)
    if glossary:
        for unit in units:
            unit.terms = glossary.find(unit.source, [*placeholders.spans(unit.source, unit.format), *unit.frozen])
    failed = net.first(_listed(units, lists.line if lists else None, target), tokens[0])
    if glossary:
        failed = net.termed(failed, tokens[0])
    failed = net.named(failed)
    failed = net.protected(failed, tokens)
    net.divided(net.forced(failed))
    _take_what_there_is(failed)
    if base_code(source) == "zh" and base_code(target) not in ("zh", "ja"):
        for plan in plans:
            plan.nodes = [narrow_mark(node) if isinstance(node, str) else node for node in plan.nodes]
    return _of_texts(texts, flags, [outcome_of(plan, alternatives) for plan in plans], target)


def _of_texts(texts: Sequence[str], flags: Sequence[str], outcomes: Sequence[Outcome], target: str) -> list[Outcome]:
    """Outcomes as their texts have it: what is untouched to the letter, sentences of Chinese without blanks between them."""
    untouched = ("kept", "copied", "empty")
    whole = [
        structs.replace(one, text=text) if one.status in untouched else one
        for text, one in zip(texts, outcomes, strict=True)
    ]
    if base_code(target) != "zh":
        return whole
    return [
        structs.replace(one, text=joined(one.text, flag)) if one.answer else one
        for one, flag in zip(whole, flags, strict=True)
    ]


# --- from sentences to answers ---------------------------------------------------------------------------------------


def _listed(units: Sequence[Unit], listed: Callable[[str], str | None] | None, target: str) -> list[Unit]:
    """The sentences that are left when those are answered that a list of words has: as a line by itself, or a set phrase."""
    if listed is None:
        return list(units)
    from lamella.tasks.translation.words import addressed

    for unit in units:
        whole = unit.whole or " " in unit.source or any(map(is_wide, unit.source))
        answer = listed(unit.source) if whole and not unit.terms else None
        if answer is None and not unit.terms:
            answer = addressed(unit.source, listed, target)
        if answer is not None:
            unit.answer, unit.status, unit.sure = answer, "translated", 0.0
    return [unit for unit in units if unit.status == "kept"]


def _name_in_latin(units: Sequence[Unit], dictionary: Dictionary | None) -> None:
    """Note what of Chinese sentences the net is not to see: names, and characters it has not."""
    from lamella.tasks.translation.places import held  # only now: other texts have none

    for unit in units:
        people, unit.known = held(unit.source, unit.frozen, dictionary)
        unit.latin = {one.text: one.latin for one in (*people, *unit.known)}
        unit.frozen = union([*unit.frozen, *((one.start, one.end) for one in people)])


def _take_what_there_is(failed: Sequence[Unit]) -> None:
    """For what no candidate is sound of: the best of those that were refused, rather than nothing."""
    for unit in failed:
        if unit.status == "kept" and unit.flawed:
            unit.settle(min(unit.flawed, key=lambda one: len(one.faults)), "repaired")
        elif unit.status == "kept" and unit.spare:  # better a translation that lacks a term than none
            unit.answer, unit.status = unit.spare[0], "translated"
        elif unit.status == "kept" and unit.copied:  # whatever was tried, the net says that these words stay: a name
            unit.answer, unit.status = unit.source, "translated"


class _Net(Struct):
    """The ways to get an answer; each gives back the units that are still without one."""

    nbest: NBest
    on_count: Callable[[int], None] | None
    style: Style
    glossary: Glossary | None = None
    more: bool = False  # whether further answers are of use
    names: dict[str, list[str]] = field(default_factory=dict)  # what the net makes of a name by itself

    def ask(self, wanted: Iterable[str]) -> dict[str, Sequence[str]]:
        """The candidates for each different sentence."""
        unique = list(dict.fromkeys(wanted))
        if not unique:
            return {}
        if self.on_count:
            self.on_count(len(unique))
        answers = self.nbest(unique)
        if len(answers) != len(unique):
            raise ValueError(
                f"Expected a list of candidates for each of {len(unique)} sentences. Received: {len(answers)}"
            )
        return dict(zip(unique, answers, strict=True))

    def first(self, units: list[Unit], token: str) -> list[Unit]:
        """The sentences as they are, but for what the net cannot read."""
        masks = [mask_of(unit.source, unit.frozen, token) for unit in units]
        parts = parts_of(units, self.style)
        apart = [text for one in parts if one for text in (one.plain, *(pair.text for pair in one.inner))]
        answers = self.ask([*(mask.sent for mask in masks), *apart])
        for unit, mask, one in zip(units, masks, parts, strict=True):
            found: Iterator[str] = (changed(a, mask.lift) for a in answers[mask.sent])
            self._take(unit, chain(with_tags(one, answers, self.style) if one else (), found), "translated")
        return [unit for unit in units if unit.status == "kept"]

    def termed(self, units: list[Unit], token: str) -> list[Unit]:
        """The sentences that lack terms: the net's own word for a term gives way, else a word stands in its place."""
        lacking = [unit for unit in units if unit.terms and unit.spare]
        words = self.ask(unit.source[t.start : t.end] for unit in lacking for t in unit.terms)
        for unit in lacking:
            spare, unit.spare = unit.spare, []
            self._take(unit, (a for one in spare for a in self._swapped(unit, one, words)), "repaired")
            unit.spare += spare
        lacking = [unit for unit in units if unit.terms and unit.status == "kept"]
        masks = [(unit, mask_of(unit.source, unit.frozen, token, unit.terms)) for unit in lacking]
        answers = self.ask(mask.sent for _, mask in masks)
        for unit, mask in masks:
            self._take(unit, (changed(a, mask.lift) for a in answers[mask.sent]), "repaired")
        return [unit for unit in units if unit.status == "kept"]

    def _swapped(self, unit: Unit, answer: str, words: dict[str, Sequence[str]]) -> Iterator[str]:
        """An answer with the terms in the place of what the net calls them, if it uses one of its own names for each."""
        assert self.glossary is not None
        for term in unit.terms:
            if self.glossary.honoured(answer, unit.terms) == len(unit.terms):
                break
            names = {bare(name) for name in words[unit.source[term.start : term.end]]} - {""}
            if re.search(rf"(?<!\w){re.escape(term.target)}(?!\w)", answer, re.IGNORECASE):
                continue
            either = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
            own = re.compile(rf"(?<![\w-])(?:{either})(?![\w-])", re.IGNORECASE)
            answer = own.sub(term.target.replace("\\", r"\\"), answer, count=1)
        yield answer

    def named(self, units: list[Unit]) -> list[Unit]:
        """The sentences whose answers lack names, once it is known what the net makes of these by themselves."""
        unsure = [unit for unit in units if any(one.unsure for one in unit.flawed)]
        asked = {name for unit in unsure for one in unit.flawed for name in one.unsure}
        forms = {name: [name, name.lower()] if name.isupper() else [name] for name in sorted(asked)}
        answers = self.ask(form for some in forms.values() for form in some)
        self.names |= {name: [changed(a, bare) for form in some for a in answers[form]] for name, some in forms.items()}
        for unit in unsure:
            self._again(unit, "translated")
            if unit.status == "kept" and unit.waiting:
                unit.settle(unit.waiting, "translated")
        return [unit for unit in units if unit.status == "kept"]

    def protected(self, units: list[Unit], tokens: Sequence[str]) -> list[Unit]:
        """The sentences with a word in the place of every placeholder, or of all that their best answer lacks."""
        masks = []
        for unit in units:
            best = unit.best()
            checks = self._checks(unit)
            lacking = best.spans if best else [*placeholders.spans(unit.source, unit.format), *checks.codes]
            taken = union([*lacking, *unit.frozen])
            if taken and has_letters(unit.source, taken, least=2):  # of tokens alone a net says nothing
                masks += [(unit, mask_of(unit.source, taken, token, unit.terms)) for token in tokens]
        answers = self.ask(mask.sent for _, mask in masks)
        for unit, mask in masks:
            if unit.status == "kept":
                self._take(unit, (changed(a, mask.lift) for a in answers[mask.sent]), "repaired")
        return [unit for unit in units if unit.status == "kept"]

    def forced(self, units: list[Unit]) -> list[Unit]:
        """The sentences in whose answers one number stands where another one should."""
        for unit in units:
            self._again(unit, "repaired", force=True)
        return [unit for unit in units if unit.status == "kept"]

    def divided(self, units: list[Unit]) -> None:
        """The words between the placeholders, or where there are none the clauses, each by itself."""
        plans = []
        for unit in units:
            best = unit.best()
            checks = self._checks(unit)
            further = [*checks.codes, *(best.spans or checks.constants if best else ())]
            plans.append((unit, divide(unit, further, self.style.apart)))
        parts = [part for _, nodes in plans for part in nodes if isinstance(part, Unit)]
        answers = self.ask(part.source for part in parts)
        within = {id(part) for _, nodes in plans for part in nodes[2:] if isinstance(part, Unit)}
        cases = base_code(self.style.source) not in ("de", "zh")
        for part in parts:
            part_of = partial(fragment, part.source, target=self.style.target, within=id(part) in within and not cases)
            self._take(part, (changed(one, part_of) for one in answers[part.source]), "repaired")
            if part.status == "kept" and (best := part.best()):
                part.settle(best, "repaired")
            part.answer = part_of(part.answer)  # checks give a sentence its capital, and this is a part of one
        for unit, nodes in plans:
            inside = [part.status for part in nodes if isinstance(part, Unit)]
            if (inside or unit.terms) and "kept" not in inside:
                means = [
                    (part.sure, len(part.source)) for part in nodes if isinstance(part, Unit) and part.sure is not None
                ]
                size = sum(length for _, length in means)
                text = render(nodes)
                mean = sum(mean * length for mean, length in means) / size if size else None
                self._take(unit, [text if mean is None else Candidate(text, mean)], "repaired")

    def _checks(self, unit: Unit) -> Checks:
        if unit.checks is None:
            style = self.style._replace(curly=CURLY in unit.format.split())
            style = style._replace(dictionary=None) if unit.terms else style  # the glossary decides
            unit.checks = Checks(unit.source, unit.format, unit.frozen, style)
            unit.checks.frozen += unit.latin.values()
            unit.checks.known = unit.known
        return unit.checks

    def _take(self, unit: Unit, answers: Iterable[str], status: Status) -> None:
        """The first answer that is sound and lacks nothing, before others one that raises no doubts.

        A copy of a source with placeholders waits until everything else was tried: nets copy what looks like code.
        """
        doubtful: Verdict | None = None
        marked = unit.frozen or placeholders.spans(unit.source, unit.format)
        checks = self._checks(unit)
        for raw in answers:
            answer = finish(unit.source, in_latin(raw.strip(), unit.latin), self.style.target)
            if self.glossary and unit.terms:
                answer = self._settled(unit, answer)
            if not is_sound(unit.source, answer, unit.format) or not in_script(unit.source, answer, self.style.target):
                continue
            if self.glossary and self.glossary.honoured(answer, unit.terms) < len(unit.terms):
                unit.spare.append(answer)
                continue
            verdict = checks.judge(answer, self.names, sure=getattr(raw, "mean", None))
            if unit.status != "kept":
                unit.others += [] if verdict.faults else [verdict.text]
            elif marked and answer == unit.source:
                unit.copied = True
            elif verdict.faults:
                unit.flawed.append(verdict)
            elif any(one.slight and one.unsure for one in unit.flawed):
                unit.waiting = unit.waiting or verdict
            elif verdict.doubts:
                doubtful = doubtful or verdict
            else:
                unit.settle(verdict, status)
                unit.others = [doubtful.text] if doubtful else []
                if not self.more:
                    return
        if doubtful and unit.status == "kept":
            unit.settle(doubtful, status)

    def _again(self, unit: Unit, status: Status, force: bool = False) -> None:
        """The answers that lacked something, judged by what is known now."""
        checks = self._checks(unit)
        verdicts = [checks.judge(one.text, self.names, force, one.sure) for one in unit.flawed]
        unit.flawed = [one for one in verdicts if one.faults]
        for verdict in sorted((one for one in verdicts if not one.faults), key=lambda one: len(one.doubts)):
            if unit.status == "kept":
                unit.settle(verdict, status)
                unit.doubts += ["digits"] * force
            elif self.more:
                unit.others.append(verdict.text)

    def _settled(self, unit: Unit, answer: str) -> str:
        assert self.glossary is not None
        answer = self.glossary.settle(answer, unit.terms)
        return answer[:1].upper() + answer[1:] if unit.source[:1].isupper() else answer
