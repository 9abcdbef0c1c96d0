"""What became of a text, put together from what became of its sentences."""

from __future__ import annotations

import heapq

import msgspec

from lamella.data.text import placeholders
from lamella.tasks.translation.plans import Plan, Status, render


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
    doubts: list[str] = []  # what may be wrong: digits, names, marks, negation, length, repeated, question

    @property
    def answer(self) -> str | None:
        """The text for a document, or None where it is the source for want of a translation."""
        return None if self.status == "kept" else self.text


def outcome_of(plan: Plan, alternatives: int) -> Outcome:
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
    doubts = list(dict.fromkeys(doubt for unit in plan.units for doubt in unit.doubts))
    return Outcome(plan.before + text + plan.after, "translated" if clean else "repaired", kept, others, doubts)


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
