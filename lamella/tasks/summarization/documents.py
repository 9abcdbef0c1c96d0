"""Documents that are summarized whole: plain text, Markdown and web pages.

>>> plain("See [the *guide*](guide.html) and `ls`.", "markdown"), plain("A <1>bold</1> word", "html")
('See the guide and ls.', 'A bold word')
"""

import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from lamella.data.documents.formats import open_document
from lamella.task import Choice, Example, Output, Run

if TYPE_CHECKING:
    from lamella.tasks.summarization import Summarization

SUFFIXES = (".htm", ".html", ".markdown", ".md", ".txt")
_TAG = re.compile(r"</?[A-Za-z0-9][^<>]*>")
_LINK = re.compile(r"!?\[([^\[\]]*)\](?:\([^()]*\)|\[[^\[\]]*\])")
_MARKS = re.compile(r"(?<!\w)[*_~]{1,3}(?=\S)|(?<=\S)[*_~]{1,3}(?!\w)|`+")


def plain(text: str, format: str) -> str:
    """A segment of a document without its markup."""
    text = _TAG.sub("", text)
    return _MARKS.sub("", _LINK.sub(r"\1", text)) if format.startswith("markdown") else text


def read(path: Path) -> str:
    """The text of a document: its paragraphs, headings and items, a blank line between them.

    Raises DataError as `open_document` does, for an empty file too.
    """
    document = open_document(path)
    parts = [plain(text, format) for text, format in zip(document.segments, document.formats, strict=True)]
    return "\n\n".join(part for part in parts if part.strip())


def written(summary: list[str], suffix: str) -> bytes:
    """A summary, or several sentences, as a file of the same kind."""
    if suffix in (".htm", ".html"):
        return "".join(f"<p>{escape(part, quote=False)}</p>\n" for part in summary).encode()
    between = "\n\n" if suffix in (".md", ".markdown") else "\n"
    return (between.join(summary) + "\n").encode("utf-8", "backslashreplace")


def _document(task: "Summarization", path: Path, run: Run, columns: Choice) -> tuple[bytes, dict[str, int]] | None:
    text = read(path)
    [answer] = task.answers([{"text": text}], run)
    _, sentences, seen = task._cut(text)
    counts = {
        "documents": 1,
        **({"sentences": sentences, "read": seen} if sentences and not task.state.asked else {}),
    }
    parts = [answer] if isinstance(answer, str) else [found["text"] for found in answer]
    return written(parts, path.suffix.lower()), counts


def _note(task: "Summarization", example: Example) -> str:
    """Of a text longer than the window, how many of its sentences are read."""
    _, sentences, read = task._cut(example["text"]) if task.state.asked != "sentences" else ("", 0, 0)
    if not sentences:
        return ""
    return f"longer than {task.config.max_length} tokens: of its {sentences} sentences the net reads the {read} that say most."


OUTPUT = Output(suffixes=SUFFIXES, document=_document, note=_note)
