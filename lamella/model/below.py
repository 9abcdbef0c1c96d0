"""The files below a folder that can be answered."""

import os
from collections import Counter
from collections.abc import Collection
from pathlib import Path


def files_below(place: Path, suffixes: Collection[str], but: Path | None = None) -> tuple[list[Path], Counter[str]]:
    """The files of a folder that can be answered, in order, and how many others there are by suffix.

    Hidden files and folders are left out, and so is what is below `but`, where the answers go.
    """
    found, others = [], Counter[str]()
    for inside, folders, files in os.walk(place):
        folders[:] = sorted(
            n for n in folders if not n.startswith(".") and not (but and same_place(Path(inside, n), but))
        )
        for name in sorted(n for n in files if not n.startswith(".")):
            if name.lower().endswith(tuple(suffixes)):
                found.append(Path(inside, name))
            else:
                others[Path(name).suffix.lower() or "no suffix"] += 1
    return found, others


def same_place(a: Path, b: Path) -> bool:
    """Whether two paths are of one folder, which need not exist."""
    return os.path.realpath(a) == os.path.realpath(b)
