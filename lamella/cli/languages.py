"""The languages of texts and files that are translated, as reported on standard error."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from lamella.cli.arguments import is_file
from lamella.cli.streams import visible


class Languages:
    """Collects the language of each text, to be named once at the end."""

    def __init__(self, dst: str) -> None:
        self.dst, self.found = dst, Counter[str]()
        self.told: set[str] = set()

    def add(self, code: str) -> None:
        self.found[code] += 1
        self.route(code)

    def route(self, src: str) -> None:
        """Name the pivot language, once, if a pair has no model of its own."""
        from lamella.model.shipped import between, known_code, language_name

        if src in self.told or known_code(src) == known_code(self.dst):
            return
        self.told.add(src)
        if middle := between(src, self.dst):
            names = language_name(src), language_name(self.dst), language_name(middle)
            click.echo("note: {} to {} goes through {}".format(*names), err=True)

    def tell(self) -> None:
        """Name the languages of all texts."""
        from lamella.model.shipped import known_code, language_name

        several = len(self.found) > 1
        parts = [
            language_name(code)
            + (f" ({count})" if several else "")
            + (" already, as it was" if code == known_code(self.dst) else "")
            for code, count in self.found.most_common()
        ]
        if parts:
            click.echo(f"from {', '.join(parts)}", err=True)

    def chosen(self, trained: Any, path: Path) -> Any:
        """The translator for a file: of its language, by whole documents; of a table's rows one by one; None: stays as it is."""
        from lamella.model.shipped import known_code
        from lamella.model.translate import source_of_file

        if trained.by_rows(path):
            return trained
        code = source_of_file(path, self.dst)
        self.add(code)
        return None if code == known_code(self.dst) else trained.of(code)


def doubt(inputs: Sequence[str], src: str, as_text: bool) -> None:
    """Say where a text or file does not look like the language that was claimed."""
    from lamella.model.shipped import language_name
    from lamella.model.translate import beginning, looks_like

    for word in inputs:
        path = Path(word)
        file = not as_text and is_file(path)
        if other := looks_like(beginning(path) if file else word, src):
            what = visible(word) if file else f'"{visible(word[:40])}"'
            names = language_name(other), language_name(src)
            click.echo("note: {} looks like {}, not {}; --from auto detects it".format(what, *names), err=True)
