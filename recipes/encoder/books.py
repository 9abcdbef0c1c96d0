"""Paragraphs of novels and tales from a clone of a public repository, by the years in which they were printed.

The repository is github.com/mlschmitt/classic-books-markdown: a file each, with its title, author and year at the top. Books of 1928
and before are read, which are in the public domain in the United States, and none older than `OLDEST`, whose language is another one.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

OLDEST, LATEST = 1840, 1928
YEAR = re.compile(r"^## Year: +(\d{4})\s*$", re.MULTILINE)
SHORTEST = 20  # letters of a paragraph


def books(clone: Path) -> Iterator[tuple[str, list[str]]]:
    """Name and paragraphs of each book in a clone, with or without a work tree."""
    git = ["git", "-C", str(clone)]
    listed = subprocess.run([*git, "ls-tree", "-r", "-z", "HEAD"], capture_output=True, check=True).stdout
    for entry in filter(None, listed.decode().split("\0")):
        facts, _, name = entry.partition("\t")
        found = subprocess.run([*git, "cat-file", "blob", facts.split()[2]], capture_output=True)
        if found.returncode or not name.endswith(".md"):  # a snapshot may lack its largest files
            continue
        text = found.stdout.decode("utf-8", errors="replace")
        year = YEAR.search(text)
        if year and OLDEST <= int(year[1]) <= LATEST:
            yield name, paragraphs(text)


def paragraphs(text: str) -> list[str]:
    """What is told, without headings, rules, notes and Markdown's marks.

    >>> paragraphs("# Title: Emma\\n\\n-------\\n\\nEmma Woodhouse, _handsome_, clever,\\nand rich--\\n\\n## CHAPTER I.")
    ['Emma Woodhouse, handsome, clever, and rich--']
    """
    found = []
    for block in re.split(r"\n\s*\n", text):
        plain = " ".join(re.sub(r"[_*]+|\[\d+\]", "", block).split())
        if sum(map(str.isalpha, plain)) >= SHORTEST and not block.lstrip().startswith(("#", "---", "|", ">", "<")):
            found.append(plain)
    return found
