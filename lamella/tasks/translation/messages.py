"""ICU messages on their way through the guard: each of their texts is translated by itself."""

from __future__ import annotations

from collections.abc import Sequence

from lamella.data.text import icu
from lamella.data.text.icu import Message
from lamella.tasks.translation.outcomes import Outcome


def parsed(text: str) -> Message | None:
    """A text as an ICU message with a plural or a choice; None for any other."""
    return icu.parse(text) if "{" in text and ("plural" in text or "select" in text) else None


def is_broken(text: str) -> bool:
    """Whether a text is such a message that cannot be read, and therefore stays."""
    return "{" in text and ("plural" in text or "select" in text) and icu.is_broken(text)


def joined(text: str, message: Message | None, outcomes: Sequence[Outcome], target: str) -> Outcome:
    """The outcome of a text from those of its parts. A part without translation leaves that part as it was."""
    if message is None:
        return outcomes[0] if outcomes else Outcome(text, "kept", 1)
    answer = message.render([one.text for one in outcomes], target)
    statuses = {one.status for one in outcomes} - {"empty", "copied"}
    kept = sum(one.kept for one in outcomes)
    if not statuses:
        return Outcome(text, "copied")
    if statuses == {"kept"}:
        return Outcome(text, "kept", kept)
    doubts = list(dict.fromkeys(doubt for one in outcomes for doubt in one.doubts))
    least = min((one for one in outcomes if one.evidence), key=lambda one: one.confidence or 0.0, default=None)
    return Outcome(
        answer,
        "repaired" if statuses - {"translated"} else "translated",
        kept,
        doubts=doubts,
        confidence=least.confidence if least else None,
        evidence=least.evidence if least else None,
    )
