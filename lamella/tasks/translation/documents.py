"""Files translated in place, and the memory of translations made before that comes first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from lamella.data.text.encoding import StrPath
from lamella.task import Example
from lamella.tasks.translation.guard import CURLY
from lamella.tasks.translation.outcomes import Outcome
from lamella.tasks.translation.typography import curls

Outcomes = Callable[[Sequence[Example]], list[Outcome]]
CATALOGUES = (".po", ".pot")  # which look into catalogues themselves, context by context
COMPILED = (".po", ".mo")


def translate_document(
    path: Path, src: str, dst: str, memory: str, outcomes: Outcomes
) -> tuple[bytes, dict[str, int]] | None:
    """A file with its texts translated, and what was done in figures; None where it is a table.

    memory: "" or a file of translations made before, of any kind that pairs are read from: what it has of a text, word for
    word, comes before the net. outcomes: the translations of texts with their formats.
    """
    from lamella.data.documents import formats
    from lamella.data.documents.json_locale import is_locale

    if path.suffix.lower() == ".json" and not is_locale(path):
        return None
    own = path.suffix.lower() in CATALOGUES and Path(memory).suffix.lower() in COMPILED
    document = formats.open_document(path, target_language=dst, memory=[memory] if memory and own else None)
    known = remembered(memory, src, dst) if memory and not own else {}
    answers: list[str | None] = [known.get(_key(text)) for text in document.segments]
    open_ = [i for i, answer in enumerate(answers) if answer is None]
    curly = f" {CURLY}" if curls(document.segments) else ""  # the same apostrophes in the whole file
    asked = [{"text": document.segments[i], "format": (document.formats[i] + curly).strip()} for i in open_]
    for i, outcome in zip(open_, outcomes(asked), strict=True):
        answers[i] = outcome.answer
    counts = document.summary(answers)
    if known:
        counts["memory"] = len(answers) - len(open_)
    return document.render(answers), counts


def remembered(path: StrPath, src: str, dst: str) -> dict[str, str]:
    """The translations of a memory: .tmx, .po, .mo or a table of pairs. Of several of one text the first counts.

    DataError where the file is none of them, or has nothing in these languages.
    """
    from lamella.data.readers.parallel import read_parallel

    found: dict[str, str] = {}
    for row in read_parallel([path], src, dst, check_language=False).rows:
        found.setdefault(_key(row["src"]), row["dst"])
    return found


def _key(text: str) -> str:
    return " ".join(text.split())
