"""Extract raw pairs from the fetched packages: one file for each source in `extracted/LANG/`.

Run by `python -m recipes.translation.corpus extract`. A source is read again only when something was fetched since;
delete its file to read it again after changing its extractor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from recipes.translation import extract_books, extract_catalogues, extract_documents, extract_games
from recipes.translation.common import Folders, Pair, is_reserved, read_pairs, write_rows

SOURCES: dict[str, Callable[[Folders], Iterable[Pair]]] = {
    "descriptions": extract_books.descriptions,
    "verses": extract_books.verses,
    "dictionaries": extract_books.dictionaries,
    "names": extract_books.names,
    "catalogues": extract_catalogues.catalogues,
    "games": extract_games.games,
    "documents": extract_documents.documents,
    "debconf": extract_documents.debconf,
}


def _newest(packages: Path) -> float:
    """When something was last fetched."""
    folders = [*packages.iterdir(), *(path for root in packages.glob("debian-*") for path in root.iterdir())]
    return max(path.stat().st_mtime for path in folders)


def _allowed(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """The pairs of packages that may be used, with both sides present."""
    return (pair for pair in pairs if pair.source and pair.target and not is_reserved(pair.package))


def extract(folders: Folders) -> None:
    """Read every source that has something new, and print how many pairs each gave."""
    newest = _newest(folders.packages)
    for name, read in SOURCES.items():
        path = folders.extracted / f"{name}.tsv"
        if not path.exists() or path.stat().st_mtime < newest:
            write_rows(path, _allowed(read(folders)))
        kinds = Counter(pair.kind for pair in read_pairs(path))
        print(f"extract: {name}: " + ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common()), flush=True)
