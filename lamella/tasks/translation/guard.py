"""Translate texts so that nothing is lost: placeholders, tags, lines, numbers, emoji, and the text itself.

A net translates one sentence at a time and promises nothing. `translate_texts` cuts texts into sentences, hands all of
them to the net at once, and lets an answer through only if it holds what its sentence held. Where no answer does, it
tries again, each time for all sentences that failed together:

1. the net's candidates in order; words in a script it does not know stand in the sentence as `X1`, `X2`;
2. every placeholder as such a word, put back afterwards;
3. the words between the placeholders by themselves, in the order of the source: no placeholder can be lost;
4. the sentence as it was.

Where a glossary decides what some words become, only answers with these pass: a candidate that has them by itself, or
in which the net's own word for the term gives way to the wanted one; else the term too stands in the sentence as `X1`.

    >>> def upper(sentences):
    ...     return [[sentence.upper()] for sentence in sentences]
    >>> translate_texts(["  Hello {name}!\\n", "42"], upper)
    [Outcome(text='  HELLO {name}!\\n', status='repaired'), Outcome(text='42', status='copied')]

The net is a callback, so nothing here knows of nets.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from lamella.data.text import placeholders, sentences
from lamella.data.text.sentences import Span
from lamella.tasks.translation.plans import Node, Plan, Status, Unit, common, cut, has_letters, render, union
from lamella.tasks.translation.soundness import finish, is_sound

if TYPE_CHECKING:  # most translations have none
    from lamella.tasks.translation.glossary import Glossary, Term

NBest = Callable[[list[str]], list[list[str]]]
TOKENS = ("X{}",)


class Outcome(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """What became of a text.

    `status` is `translated`: every sentence is a candidate of the net as it came; `repaired`: some needed a fallback,
    and `kept` of them are still those of the source; `kept`: all of them are; `copied`: there was nothing to translate;
    `empty`: there was nothing but white space.
    """

    text: str
    status: Status
    kept: int = 0
    others: list[str] = []  # further translations, where they were asked for, best first

    @property
    def answer(self) -> str | None:
        """The text for a document, or None where it is the source for want of a translation."""
        return None if self.status == "kept" else self.text


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
    target: str = "",
    known: Callable[[str], bool] | None = None,
    tokens: Sequence[str] = TOKENS,
    limit: int = sentences.LIMIT,
    glossary: Glossary | None = None,
    alternatives: int = 1,
) -> list[Outcome]:
    """Translate every text, whatever is in it, however long it is.

    In: the texts; `nbest`, which gets different sentences without outer white space and gives for each its candidates,
    best first (it is called at most three times, with a glossary five, and cuts into batches itself); `on_count`, told before each call how
    many sentences it is about; the format of each text (see `placeholders`); the target language, for punctuation that
    was dropped; whether the net can read a character, or rewrites it, as it may a curly quote; what stands for a
    placeholder in a sentence, `{}` being its number (with several such words all are tried); the most characters that
    a sentence may have; a glossary; and how many different translations of each text are wanted, if there are as many.

    Out: an outcome for each text, in order. Its placeholders, white space around it and number of lines are those of
    the text. Raises ValueError if `nbest` does not answer every sentence; what `nbest` raises passes through.

        >>> def forgetful(sentences):
        ...     return [[sentence.replace("%s", "").lower()] for sentence in sentences]
        >>> translate_texts(["Copy %s to 🎉 B"], forgetful)[0].text
        'copy %s to 🎉 b'
    """
    flags = formats if formats is not None else [""] * len(texts)
    plans = [Plan(text, flag, known or common, limit) for text, flag in zip(texts, flags, strict=True)]
    net = _Net(nbest, on_count, target, glossary, alternatives > 1)
    units = [unit for plan in plans for unit in plan.units]
    if glossary:
        for unit in units:
            unit.terms = glossary.find(unit.source, [*placeholders.spans(unit.source, unit.format), *unit.frozen])
    failed = net.first(units, tokens[0])
    if glossary:
        failed = net.termed(failed, tokens[0])
    failed = net.protected(failed, tokens)
    net.divided(failed)
    for unit in failed:
        if unit.status == "kept" and unit.spare:  # better a translation that lacks a term than none
            unit.answer, unit.status = unit.spare[0], "translated"
        elif unit.status == "kept" and unit.copied:  # whatever was tried, the net says that these words stay: a name
            unit.answer, unit.status = unit.source, "translated"
    return [_outcome(plan, alternatives) for plan in plans]


def _outcome(plan: Plan, alternatives: int) -> Outcome:
    if not plan.units:
        return Outcome(plan.text, "copied" if plan.core else "empty")
    text = render(plan.nodes)
    others = _others(plan, text, alternatives - 1) if alternatives > 1 else []
    # Sentences that are sound one by one can still make something new where they meet, as "50 %" and "s'il" do.
    sure = text == text.strip() and text.count("\n") == plan.core.count("\n")
    sure = sure and placeholders.agree(plan.core, text, plan.format)
    kept = sum(unit.status == "kept" for unit in plan.units) if sure else len(plan.units)
    if kept == len(plan.units):
        return Outcome(plan.text, "kept", kept)
    text = placeholders.restore_accelerator(text, plan.mark, plan.format)
    clean = all(unit.status == "translated" for unit in plan.units)
    return Outcome(plan.before + text + plan.after, "translated" if clean else "repaired", kept, others)


def _others(plan: Plan, best: str, count: int) -> list[str]:
    """Further translations of a text: of its sentences second and third answers, as few at a time as there can be."""
    found, known = [best], {_letters(best)}
    own = [unit.answer for unit in plan.units]
    pool = [answers for unit in plan.units if (answers := [unit.answer, *unit.others])]
    waiting, seen = [(0, (0,) * len(pool))], {(0,) * len(pool)}
    while waiting and len(found) <= count:
        _, ranks = heapq.heappop(waiting)
        for unit, answers, rank in zip(plan.units, pool, ranks, strict=True):
            unit.answer = answers[rank]
        text = render(plan.nodes)
        if (
            _letters(text) not in known
            and text.count("\n") == best.count("\n")
            and placeholders.agree(plan.core, text, plan.format)
        ):
            found.append(text)
            known.add(_letters(text))
        for i, rank in enumerate(ranks):
            further = (*ranks[:i], rank + 1, *ranks[i + 1 :])
            if rank + 1 < len(pool[i]) and further not in seen:
                seen.add(further)
                heapq.heappush(waiting, (sum(r * r for r in further), further))
    for unit, answer in zip(plan.units, own, strict=True):
        unit.answer = answer
    return [plan.before + placeholders.restore_accelerator(t, plan.mark, plan.format) + plan.after for t in found[1:]]


def _letters(text: str) -> str:
    """What tells two translations apart: letters and digits, whatever their case and the punctuation between them."""
    return "".join(filter(str.isalnum, text.casefold())) or text


# --- from sentences to answers ---------------------------------------------------------------------------------------


@dataclass
class _Net:
    """The ways to get an answer; each gives back the units that are still without one."""

    nbest: NBest
    on_count: Callable[[int], None] | None
    target: str
    glossary: Glossary | None = None
    more: bool = False  # whether further answers are of use

    def ask(self, wanted: Iterable[str]) -> dict[str, list[str]]:
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
        masks = [_mask(unit.source, unit.frozen, token) for unit in units]
        answers = self.ask(mask.sent for mask in masks)
        for unit, mask in zip(units, masks, strict=True):
            self._take(unit, map(mask.lift, answers[mask.sent]), "translated")
        return [unit for unit in units if unit.status == "kept"]

    def termed(self, units: list[Unit], token: str) -> list[Unit]:
        """The sentences that lack terms: the net's own word for a term gives way, else a word stands in its place."""
        lacking = [unit for unit in units if unit.terms]
        words = self.ask(unit.source[t.start : t.end] for unit in lacking for t in unit.terms)
        for unit in lacking:
            spare, unit.spare = unit.spare, []
            self._take(unit, (a for one in spare for a in self._swapped(unit, one, words)), "repaired")
            unit.spare += spare
        lacking = [unit for unit in lacking if unit.status == "kept"]
        masks = [(unit, _mask(unit.source, unit.frozen, token, unit.terms)) for unit in lacking]
        answers = self.ask(mask.sent for _, mask in masks)
        for unit, mask in masks:
            self._take(unit, map(mask.lift, answers[mask.sent]), "repaired")
        return [unit for unit in units if unit.status == "kept"]

    def _swapped(self, unit: Unit, answer: str, words: dict[str, list[str]]) -> Iterator[str]:
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

    def protected(self, units: list[Unit], tokens: Sequence[str]) -> list[Unit]:
        """The sentences with a word in the place of every placeholder."""
        masks = []
        for unit in units:
            taken = union([*placeholders.spans(unit.source, unit.format), *unit.frozen])
            masks += [(unit, _mask(unit.source, taken, token, unit.terms)) for token in tokens if taken]
        answers = self.ask(mask.sent for _, mask in masks)
        for unit, mask in masks:
            if unit.status == "kept":
                self._take(unit, map(mask.lift, answers[mask.sent]), "repaired")
        return [unit for unit in units if unit.status == "kept"]

    def divided(self, units: list[Unit]) -> None:
        """The words between the placeholders, or where there are none the clauses, each by itself."""
        plans = [(unit, _divide(unit)) for unit in units]
        parts = [part for _, nodes in plans for part in nodes if isinstance(part, Unit)]
        answers = self.ask(part.source for part in parts)
        for part in parts:
            self._take(part, (_fragment(part.source, one, self.target) for one in answers[part.source]), "repaired")
        for unit, nodes in plans:
            inside = [part.status for part in nodes if isinstance(part, Unit)]
            if (inside or unit.terms) and "kept" not in inside:
                self._take(unit, [render(nodes)], "repaired")

    def _take(self, unit: Unit, answers: Iterable[str], status: Status) -> None:
        """The first answer that is sound and has the same numbers, else the first that is sound.

        A copy of a source with placeholders waits until everything else was tried: nets copy what looks like code.
        """
        sound = None
        marked = unit.frozen or placeholders.spans(unit.source, unit.format)
        for answer in answers:
            answer = finish(unit.source, answer.strip(), self.target)
            if self.glossary and unit.terms:
                answer = self._settled(unit, answer)
            if not is_sound(unit.source, answer, unit.format):
                continue
            if self.glossary and self.glossary.honoured(answer, unit.terms) < len(unit.terms):
                unit.spare.append(answer)
                continue
            if unit.status != "kept":
                unit.others.append(answer)
                continue
            if marked and answer == unit.source:
                unit.copied = True
                continue
            if Counter(_NUMBER.findall(answer)) == Counter(_NUMBER.findall(unit.source)):
                unit.answer, unit.status = answer, status
                unit.others = [sound] if sound else []
                if self.more:
                    continue
                return
            sound = sound or answer
        if sound and unit.status == "kept":
            unit.answer, unit.status = sound, status

    def _settled(self, unit: Unit, answer: str) -> str:
        assert self.glossary is not None
        answer = self.glossary.settle(answer, unit.terms)
        return answer[:1].upper() + answer[1:] if unit.source[:1].isupper() else answer


_NUMBER = re.compile(r"\d+")


@dataclass
class _Mask:
    """A sentence with tokens in the place of stretches of it."""

    sent: str
    table: dict[str, str]  # a token -> what it stands for
    glued: set[tuple[str, int]]  # tokens that got a blank on the left (0) or right (1), which goes again afterwards

    def lift(self, answer: str) -> str:
        """The answer with what its tokens stand for; empty unless each is there exactly once."""
        if not self.table:
            return answer
        pattern = re.compile(rf"( ?)(?<!\w)({'|'.join(map(re.escape, self.table))})(?!\w)( ?)")
        if sorted(match[2] for match in pattern.finditer(answer)) != sorted(self.table):
            return ""

        def original(match: re.Match[str]) -> str:
            before, after = ("" if (match[2], side) in self.glued else match[2 * side + 1] for side in (0, 1))
            return before + self.table[match[2]] + after

        return pattern.sub(original, answer)


def _terms_too(source: str, taken: Sequence[Span], terms: Sequence[Term]) -> Iterator[tuple[str, str]]:
    """The source as `cut` gives it, terms among the stretches and their targets in their place."""
    at = 0
    for literal, chunk in cut(source, union([*taken, *((term.start, term.end) for term in terms)])):
        end = at + len(literal)
        new = literal
        for term in reversed(terms):
            if literal and at <= term.start < end:
                new = new[: term.start - at] + term.target + new[term.end - at :]
        yield new, chunk
        at = end + len(chunk)


def _mask(source: str, taken: Sequence[Span], token: str, terms: Sequence[Term] = ()) -> _Mask:
    """Put a token for each stretch, as a word of its own: `<b>Stop</b>` becomes `X1 Stop X2`."""
    mask = _Mask("", {}, set())
    number, parts = 0, [""]
    for index, (literal, chunk) in enumerate(_terms_too(source, taken, terms)):
        if index:
            number += 1
            while token.format(number) in source:
                number += 1
            name = token.format(number)
            mask.table[name] = literal
            sides = parts[-1][-1:], chunk[:1]
            mask.glued |= {(name, side) for side in (0, 1) if sides[side].isalnum()}
            parts.append(" " * sides[0].isalnum() + name + " " * sides[1].isalnum())
        parts.append(chunk)
    mask.sent = "".join(parts)
    return mask


# What a part of a sentence is better without: the end of what came before, the beginning of what comes after.
_PART = re.compile(r"(?P<before>[^\w\"'“‘«¿¡]*)(?P<core>.*?)(?P<after>[\s(\[{<\"“‘«/|=+]*)", re.DOTALL)


def _divide(unit: Unit) -> list[Node]:
    taken = union([*placeholders.spans(unit.source, unit.format), *unit.frozen])
    nodes: list[Node] = []
    chunks: Iterable[tuple[str, str]]
    if taken or unit.terms:
        chunks = _terms_too(unit.source, taken, unit.terms)
    else:
        pieces = sentences.split(unit.source, max(40, len(unit.source) // 2))
        if len(pieces) < 2:
            return []
        chunks = [pair for piece in pieces for pair in (("", piece.text), (piece.after, ""))]
    for literal, chunk in chunks:
        match = _PART.fullmatch(chunk)
        before, core, after = match.group("before", "core", "after") if match else ("", chunk, "")
        # One letter is no word: it is the rest of something, as in "{name}'s".
        node = Unit(core, unit.format, []) if has_letters(core, least=2) else core
        nodes += [literal + before, node, after]
    return nodes


def bare(name: str) -> str:
    """What a net calls a thing, asked for it alone: without article and full stop.

    >>> bare("Le fichier."), bare("l'eau")
    ('fichier', 'eau')
    """
    return re.sub(r"^(?:(?:the|an?|le|la|les|une?|des|du)\s+|[ld]['’])|[.!?,;:\s]+$", "", name, flags=re.IGNORECASE)


def _fragment(source: str, answer: str, target: str) -> str:
    """An answer as part of a sentence: without the capital and the full stop that nets give to whatever they see."""
    if answer.endswith(".") and not answer.endswith("..") and not source.endswith("."):
        answer = answer[:-1]
    if source[:1].islower() and answer[1:2].islower() and not target.startswith("de"):
        answer = answer[:1].lower() + answer[1:]
    return answer
