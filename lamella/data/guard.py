"""Translate texts so that nothing is lost: placeholders, tags, lines, numbers, emoji, and the text itself.

A net translates one sentence at a time and promises nothing. `translate_texts` cuts texts into sentences, hands all of
them to the net at once, and lets an answer through only if it holds what its sentence held. Where no answer does, it
tries again, each time for all sentences that failed together:

1. the net's candidates in order; words in a script it does not know stand in the sentence as `X1`, `X2`;
2. every placeholder as such a word, put back afterwards;
3. the words between the placeholders by themselves, in the order of the source: no placeholder can be lost;
4. the sentence as it was.

    >>> def upper(sentences):
    ...     return [[sentence.upper()] for sentence in sentences]
    >>> translate_texts(["  Hello {name}!\\n", "42"], upper)
    [Outcome(text='  HELLO {name}!\\n', status='repaired', kept=0), Outcome(text='42', status='copied', kept=0)]

The net is a callback, so nothing here knows of nets.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import msgspec

from lamella.data import placeholders, sentences
from lamella.data.plans import FOREIGN, Node, Plan, Status, Unit, common, cut, has_letters, render, union
from lamella.data.sentences import Span

NBest = Callable[[list[str]], list[list[str]]]
TOKENS = ("X{}",)


class Outcome(msgspec.Struct, frozen=True):
    """What became of a text.

    `status` is `translated`: every sentence is a candidate of the net as it came; `repaired`: some needed a fallback,
    and `kept` of them are still those of the source; `kept`: all of them are; `copied`: there was nothing to translate;
    `empty`: there was nothing but white space.
    """

    text: str
    status: Status
    kept: int = 0

    @property
    def answer(self) -> str | None:
        """The text for a document, or None where it is the source for want of a translation."""
        return None if self.status == "kept" else self.text


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
) -> list[Outcome]:
    """Translate every text, whatever is in it, however long it is.

    In: the texts; `nbest`, which gets different sentences without outer white space and gives for each its candidates,
    best first (it is called at most three times, and cuts into batches itself); `on_count`, told before each call how
    many sentences it is about; the format of each text (see `placeholders`); the target language, for punctuation that
    was dropped; whether the net can read a character, or rewrites it, as it may a curly quote; what stands for a
    placeholder in a sentence, `{}` being its number (with several such words all are tried); and the most characters
    that a sentence may have.

    Out: an outcome for each text, in order. Its placeholders, white space around it and number of lines are those of
    the text. Raises ValueError if `nbest` does not answer every sentence; what `nbest` raises passes through.

        >>> def forgetful(sentences):
        ...     return [[sentence.replace("%s", "").lower()] for sentence in sentences]
        >>> translate_texts(["Copy %s to 🎉 B"], forgetful)[0].text
        'copy %s to 🎉 b'
    """
    flags = formats if formats is not None else [""] * len(texts)
    plans = [Plan(text, flag, known or common, limit) for text, flag in zip(texts, flags, strict=True)]
    net = _Net(nbest, on_count, target)
    failed = net.first([unit for plan in plans for unit in plan.units], tokens[0])
    failed = net.protected(failed, tokens)
    net.divided(failed)
    for unit in failed:
        if unit.status == "kept" and unit.copied:  # whatever was tried, the net says that these words stay: a name
            unit.answer, unit.status = unit.source, "translated"
    return [_outcome(plan) for plan in plans]


def _outcome(plan: Plan) -> Outcome:
    if not plan.units:
        return Outcome(plan.text, "copied" if plan.core else "empty")
    text = render(plan.nodes)
    # Sentences that are sound one by one can still make something new where they meet, as "50 %" and "s'il" do.
    sure = text == text.strip() and text.count("\n") == plan.core.count("\n")
    sure = sure and placeholders.agree(plan.core, text, plan.format)
    kept = sum(unit.status == "kept" for unit in plan.units) if sure else len(plan.units)
    if kept == len(plan.units):
        return Outcome(plan.text, "kept", kept)
    text = placeholders.restore_accelerator(text, plan.mark, plan.format)
    clean = all(unit.status == "translated" for unit in plan.units)
    return Outcome(plan.before + text + plan.after, "translated" if clean else "repaired", kept)


# --- from sentences to answers ---------------------------------------------------------------------------------------


@dataclass
class _Net:
    """The three ways to get an answer; each gives back the units that are still without one."""

    nbest: NBest
    on_count: Callable[[int], None] | None
    target: str

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

    def protected(self, units: list[Unit], tokens: Sequence[str]) -> list[Unit]:
        """The sentences with a word in the place of every placeholder."""
        masks = []
        for unit in units:
            taken = union([*placeholders.spans(unit.source, unit.format), *unit.frozen])
            masks += [(unit, _mask(unit.source, taken, token)) for token in tokens if taken]
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
            if inside and "kept" not in inside:
                self._take(unit, [render(nodes)], "repaired")

    def _take(self, unit: Unit, answers: Iterable[str], status: Status) -> None:
        """The first answer that is sound and has the same numbers, else the first that is sound.

        A copy of a source with placeholders waits until everything else was tried: nets copy what looks like code.
        """
        sound = None
        marked = unit.frozen or placeholders.spans(unit.source, unit.format)
        for answer in answers:
            answer = finish(unit.source, answer.strip(), self.target)
            if not is_sound(unit.source, answer, unit.format):
                continue
            if marked and answer == unit.source:
                unit.copied = True
                continue
            if Counter(_NUMBER.findall(answer)) == Counter(_NUMBER.findall(unit.source)):
                unit.answer, unit.status = answer, status
                return
            sound = sound or answer
        if sound:
            unit.answer, unit.status = sound, status


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


def _mask(source: str, taken: Sequence[Span], token: str) -> _Mask:
    """Put a token for each stretch, as a word of its own: `<b>Stop</b>` becomes `X1 Stop X2`."""
    mask = _Mask("", {}, set())
    number, parts = 0, [""]
    for index, (literal, chunk) in enumerate(cut(source, taken)):
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
    if taken:
        chunks = cut(unit.source, taken)
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


def _fragment(source: str, answer: str, target: str) -> str:
    """An answer as part of a sentence: without the capital and the full stop that nets give to whatever they see."""
    if answer.endswith(".") and not answer.endswith("..") and not source.endswith("."):
        answer = answer[:-1]
    if source[:1].islower() and answer[1:2].islower() and not target.startswith("de"):
        answer = answer[:1].lower() + answer[1:]
    return answer


# --- what is sound ---------------------------------------------------------------------------------------------------

_BROKEN = re.compile(rf"[{FOREIGN}\n\u2047\ufffd]")  # U+2047 is how sentencepiece writes what it does not know
_STUTTER = re.compile(r"(\w{2,30}?)\1{3,}|([^\W\d_])\2{7,}")
_REPEATS = 4


def is_sound(source: str, answer: str, format: str = "") -> bool:
    """Whether an answer can be a translation of the source: its placeholders, a credible length, no loop.

    >>> is_sound("a %s", "un %s"), is_sound("a %s", "un"), is_sound("a day", "un jour " * 4)
    (True, False, False)
    """
    if not answer or len(answer) > 3 * _weight(source) + 20 or 10 * _weight(answer) < _weight(source):
        return False
    if _BROKEN.search(answer) and not set(_BROKEN.findall(answer)) <= set(_BROKEN.findall(source)):
        return False
    return not (_loops(answer) and not _loops(source)) and placeholders.agree(source, answer, format)


def _weight(text: str) -> int:
    """The length of a text; a character of Chinese says as much as three letters."""
    return sum(3 if sentences.is_wide(char) else 1 for char in text)


def _loops(text: str) -> bool:
    """Whether words, or a part of a word, come four times in a row."""
    words = text.split()
    for size in range(1, min(20, len(words) // _REPEATS) + 1):
        run = 0
        for index in range(size, len(words)):
            run = run + 1 if words[index] == words[index - size] else 0
            if run >= (_REPEATS - 1) * size:
                return True
    return bool(_STUTTER.search(text))


_END = re.compile(r"\.{3}$|[…:!?.]$")
_STOPS = ".!?:;…。！？：；।؟"
_STYLES = {
    "fr": {mark: f"\u00a0{mark}" for mark in ":!?"},
    "zh": {":": "：", "!": "！", "?": "？", ".": "。", "...": "……", "…": "……"},
    "ja": {":": "：", "!": "！", "?": "？", ".": "。"},
}


def finish(source: str, answer: str, target: str) -> str:
    """Put back the mark at the end of a sentence where the answer has none, in the style of the target language.

    >>> finish("Name:", "Nom", "fr"), finish("Open...", "Ouvrir.", "fr"), finish("Done.", "Fait !", "fr")
    ('Nom\xa0:', 'Ouvrir...', 'Fait !')
    """
    match = _END.search(source)
    if not match or not answer:
        return answer
    mark = match[0]
    if mark != "." and answer.endswith(".") and not answer.endswith(".."):
        answer = answer[:-1].rstrip()
    if answer[-1:] in tuple(_STOPS) or (mark == "." and not answer[-1:].isalnum()):
        return answer
    return answer + _STYLES.get(target.replace("-", "_").partition("_")[0].lower(), {}).get(mark, mark)
