"""What became of a text, put together from what became of its sentences."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import msgspec

from lamella.data.text import placeholders
from lamella.tasks.translation.confidence import PLAIN, Curve, Evidence, evidence_of
from lamella.tasks.translation.plans import Plan, Status, render


class Outcome(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """What became of a text.

    `status` is `translated`: every sentence is a candidate of the net as it came; `repaired`: some needed a fallback,
    and `kept` of them are still those of the source; `kept`: all of them are; `copied`: there was nothing to translate;
    `empty`: there was nothing but white space; `remembered`: the memory of translations made before had it; `dictionary`:
    the list of single words that ships with a model had it.
    """

    text: str
    status: Status
    kept: int = 0
    others: list[str] = []  # further translations, where they were asked for, best first
    doubts: list[
        str
    ] = []  # what may be wrong: digits, names, marks, words, negation, length, repeated, question, untranslated
    confidence: float | None = None  # from 0 to 1; None where nothing was translated or the net says nothing of itself
    evidence: Evidence | None = None  # what that was made of, where it is the net's

    @property
    def score(self) -> float:
        """How sure the net is, on the scale of the rules around it; 0 where it says nothing of itself."""
        return self.evidence.score if self.evidence else 0.0

    def by(self, curve: Curve) -> Outcome:
        """The same with the confidence that a curve gives it."""
        return msgspec.structs.replace(self, confidence=curve.confidence(self.evidence)) if self.evidence else self

    def details(self) -> dict[str, str | float | list[str] | None]:
        """The translation and what is known of it, for people and programs."""
        sure = None if self.confidence is None else round(self.confidence, 3)
        return {"translation": self.text, "status": self.status, "confidence": sure, "doubts": self.doubts}

    def left(self, text: str) -> Outcome:
        """The source in the place of a translation that is not sure enough."""
        return (
            self
            if self.status in ("empty", "copied")
            else msgspec.structs.replace(self, text=text, status="kept", others=[])
        )

    @property
    def answer(self) -> str | None:
        """The text for a document, or None where it is the source for want of a translation."""
        return None if self.status == "kept" else self.text


def kept_below(least: float, outcomes: Sequence[Outcome], texts: Sequence[str]) -> list[Outcome]:
    """The outcomes, with the source in the place of each translation whose confidence is below `least`."""
    return [
        one if one.confidence is None or one.confidence >= least else one.left(text)
        for one, text in zip(outcomes, texts, strict=True)
    ]


def outcome_of(plan: Plan, alternatives: int) -> Outcome:
    if not plan.units:
        return Outcome(plan.text, "copied" if plan.core else "empty")
    text = render(plan.nodes)
    others = _others(plan, text, alternatives - 1) if alternatives > 1 else []
    # Sentences that are sound one by one can still make something new where they meet, as "50 %" and "s'il" do.
    sound = text == text.strip() and text.count("\n") == plan.core.count("\n")
    sound = sound and placeholders.agree(plan.core, text, plan.format)
    kept = sum(unit.status == "kept" for unit in plan.units) if sound else len(plan.units)
    if kept == len(plan.units):
        return Outcome(plan.text, "kept", kept)
    text = placeholders.restore_accelerator(text, plan.mark, plan.format)
    clean = all(unit.status == "translated" for unit in plan.units)
    doubts = list(dict.fromkeys(doubt for unit in plan.units for doubt in unit.doubts))
    repaired = 1 - sum(unit.status == "translated" for unit in plan.units) / len(plan.units)
    sentences = [(unit.sure, len(unit.source)) for unit in plan.units if unit.sure is not None]
    evidence = evidence_of(sentences, len(doubts), repaired)
    sure = PLAIN.confidence(evidence) if evidence else None
    status: Status = "translated" if clean else "repaired"
    return Outcome(plan.before + text + plan.after, status, kept, others, doubts, sure, evidence)


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
