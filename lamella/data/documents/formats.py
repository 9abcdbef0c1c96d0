"""Files that are translated: what is to be translated in them, and the same file with the answers in it.

    document = open_document("README.md", target_language="fr")
    outcomes = guard.translate_texts(document.segments, nbest, formats=document.formats, target="fr")
    data = document.render([outcome.answer for outcome in outcomes])

A format is one class in a file of its own, and one line of `FORMATS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from lamella.data.documents.apple import StringsDict, XcStrings
from lamella.data.documents.ass import Substation
from lamella.data.documents.catalogue import Catalogue
from lamella.data.documents.json_locale import JsonLocale
from lamella.data.documents.key_values import Properties, Strings
from lamella.data.documents.markdown import Markdown
from lamella.data.documents.office import Book, OpenDocument, Slides, WordDocument
from lamella.data.documents.prose import Text
from lamella.data.documents.resources import AndroidStrings, Xliff
from lamella.data.documents.subtitles import Subtitles, WebVtt
from lamella.data.documents.tmx import Memory
from lamella.data.documents.webpages import WebPage
from lamella.data.documents.yaml_locale import YamlLocale
from lamella.data.text.encoding import StrPath, read_bytes, show_path
from lamella.errors import DataError


class Document(Protocol):
    """What is known of a file, whatever its format.

    `segments` are the texts to translate, `formats` the format of each for `placeholders` and `guard`. An answer is a
    text for each segment, or None where there is none: then a document keeps its source, and a catalogue leaves the
    entry untranslated.
    """

    segments: list[str]
    formats: list[str]

    def render(self, answers: Sequence[str | None]) -> bytes:
        """The file with the answers in it. Raises ValueError where there are not as many as segments."""

    def summary(self, answers: Sequence[str | None]) -> dict[str, int]:
        """What was done, in figures: at least `segments`, and `kept`: how many of them have no translation."""


# A format takes the bytes of a file, its name for errors, the target language, and files with translations made before.
FORMATS: dict[str, Callable[..., Document]] = {
    ".arb": JsonLocale,
    ".ass": Substation,
    ".docx": WordDocument,
    ".epub": Book,
    ".htm": WebPage,
    ".html": WebPage,
    ".json": JsonLocale,
    ".markdown": Markdown,
    ".md": Markdown,
    ".mdx": Markdown,
    ".odp": OpenDocument,
    ".odt": OpenDocument,
    ".po": Catalogue,
    ".pot": Catalogue,
    ".pptx": Slides,
    ".properties": Properties,
    ".srt": Subtitles,
    ".ssa": Substation,
    ".strings": Strings,
    ".stringsdict": StringsDict,
    ".tmx": Memory,
    ".txt": Text,
    ".vtt": WebVtt,
    ".xcstrings": XcStrings,
    ".xlf": Xliff,
    ".xliff": Xliff,
    ".xml": AndroidStrings,
    ".yaml": YamlLocale,
    ".yml": YamlLocale,
}


def open_document(
    source: StrPath | bytes,
    name: str | None = None,
    target_language: str = "",
    memory: Sequence[StrPath] | None = None,
    **options: Any,
) -> Document:
    """Read a file that is to be translated.

    In: its path, or its bytes and a name, whose suffix tells the format; the language it is translated to; for
    catalogues, other .po and .mo files whose translations are used first. Options that a format does not have are left
    to those that have them, so that a folder of several kinds has one set: of Markdown `keys`, those of its front matter
    whose texts are translated; of plain text `by_line`, whether each line is a text; of subtitles `line_length`, how many
    characters a line has at most.
    Out: the document. Raises DataError, one line, where the suffix is unknown, the file is missing, empty or binary, or
    is not what its suffix says.

        >>> document = open_document(b"Hello.\\r\\n\\r\\nGoodbye.\\r\\n", "letter.txt")
        >>> document.segments, document.render(["Bonjour.", None])
        (['Hello.', 'Goodbye.'], b'Bonjour.\\r\\n\\r\\nGoodbye.\\r\\n')
        >>> open_document(b"", "letter.doc")
        Traceback (most recent call last):
        lamella.errors.DataError: letter.doc: expected one of .arb .ass .docx .epub .htm .html .json .markdown .md .mdx .odp .odt \
.po .pot .pptx .properties .srt .ssa .strings .stringsdict .tmx .txt .vtt .xcstrings .xlf .xliff .xml .yaml .yml, received .doc. Save it in one of these formats
    """
    label = show_path(name or ("the text" if isinstance(source, bytes) else source))
    suffix = Path(label).suffix.lower()
    if suffix not in FORMATS:
        raise DataError(
            f"{label}: expected one of {' '.join(FORMATS)}, received {suffix or 'a name without a suffix'}. "
            "Save it in one of these formats"
        )
    data = source if isinstance(source, bytes) else read_bytes(source)
    form = FORMATS[suffix]
    own = {name: value for name, value in options.items() if name in getattr(form, "options", ())}
    return form(data, label, target_language, memory or (), **own)
