"""Files translated in place, and the memory of translations made before that comes first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lamella.task import Example
from lamella.tasks.translation.guard import CURLY
from lamella.tasks.translation.memory import read_memory
from lamella.tasks.translation.outcomes import Outcome
from lamella.tasks.translation.typography import curls

Outcomes = Callable[[Sequence[Example]], list[Outcome]]
CATALOGUES = (".po", ".pot")  # which look into catalogues themselves, context by context
COMPILED = (".po", ".mo")


def translate_document(
    path: Path, src: str, dst: str, memory: str, outcomes: Outcomes, options: Mapping[str, Any] = MappingProxyType({})
) -> tuple[bytes, dict[str, int]] | None:
    """A file with its texts translated, and what was done in figures; None where it is a table.

    memory: "" or a file of translations made before, of any kind that pairs are read from. A catalogue asks one of its own
    kind itself, by context. outcomes: the translations of texts with their formats, those of the memory among them.
    options: of the formats, see `formats.open_document`.
    """
    from lamella.data.documents import formats
    from lamella.data.documents.json_locale import is_locale

    if path.suffix.lower() == ".json" and not is_locale(path):
        return None
    options = {"source_language": src, **options}
    own = path.suffix.lower() in CATALOGUES and Path(memory).suffix.lower() in COMPILED
    document = formats.open_document(path, target_language=dst, memory=[memory] if memory and own else None, **options)
    curly = f" {CURLY}" if curls(document.segments) else ""  # the same apostrophes in the whole file
    texts = zip(document.segments, document.formats, strict=True)
    found = outcomes([{"text": text, "format": (form + curly).strip()} for text, form in texts])
    answers = [outcome.answer for outcome in found]
    counts = document.summary(answers)
    if memory and not own:
        counts["memory"] = sum(outcome.status == "remembered" for outcome in found)
        if unread := read_memory(memory, src, dst).unread:
            counts["broken entries of the memory"] = unread
    return document.render(answers), counts
