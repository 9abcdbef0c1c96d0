"""Source, pivot and target language of a translation, as reported on standard error."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

BYTES = 4000  # of a file or of standard input, which tell the language


def tell_source(inputs: Sequence[str], dst: str, as_text: bool) -> str:
    """Detect the language of the inputs and name it on standard error.

    UsageError if it cannot be detected, or no installed model reads it.
    """
    from lamella.model.shipped import language_name, source_of

    src = source_of("\n".join(map(str, _beginnings(inputs, as_text))), dst)
    click.echo(f"from {language_name(src)}", err=True)
    return src


def tell_route(src: str, dst: str) -> None:
    """Name the pivot language on standard error, if a pair has no model of its own."""
    from lamella.model.shipped import between, language_name

    if middle := between(src, dst):
        click.echo(f"note: {language_name(src)} to {language_name(dst)} goes through {language_name(middle)}", err=True)


def _beginnings(inputs: Sequence[str], as_text: bool) -> list[str]:
    """The first characters of each text and file; standard input is only peeked at."""
    if tuple(inputs) == ("-",) and not as_text:
        return [sys.stdin.buffer.peek(BYTES)[:BYTES].decode(errors="ignore")]  # type: ignore[union-attr]
    from lamella.model.shipped import words_of

    beginnings = []
    for word in inputs:
        path = Path(word)
        if not as_text and path.is_file():
            with path.open("rb") as file:
                beginnings.append(words_of(path) or file.read(BYTES).decode(errors="ignore"))
        else:
            beginnings.append(word)
    return beginnings
