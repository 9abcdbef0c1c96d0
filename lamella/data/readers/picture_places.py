"""Where the picture is that an annotation file names: beside it, in `images/`, or anywhere below by its own name.

Annotation files move more often than pictures do, and the paths in them are those of the machine that wrote them.
"""

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from lamella.data.media.images import SUFFIXES
from lamella.data.readers.parts import part_of

BESIDE = ("", "images", "JPEGImages", "data", "img", "imgs")
PARENTS = {"annotations", "labels", "xml", "xmls", "json", "ann", "anno"}  # folders that lie beside those of pictures
MOST = 200_000  # files of a folder that are looked at


class Places:
    """Looks for pictures around one folder; what lies below it is listed once, when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        home = self.folder.parent if part_of(self.folder.name) else self.folder  # Annotations/train/
        self.root = home.parent if home.name.lower() in PARENTS else self.folder
        self._index: dict[str, list[Path]] | None = None

    def find(self, name: str) -> Path | None:
        """The file of a picture, None where there is none or several could be meant.

        name: as it stands in the file: a path of this or of another machine, with or without a suffix.
        """
        if "://" in name[:10]:  # a picture of the web that was saved under its own name
            name = unquote(name.partition("://")[2].partition("?")[0])
        path = PurePosixPath(name.strip().replace("\\", "/"))
        if not path.name or "\0" in name or len(name) > 1000:
            return None
        for home in dict.fromkeys((self.folder, self.root)):
            for inside in BESIDE:
                for tail in (path, PurePosixPath(path.name)):
                    place = home / inside / tail
                    if _is_file(place):
                        return place
        places = self._all().get(path.name.lower(), [])
        if not places and path.suffix.lower() not in SUFFIXES:
            places = self._all().get(f"{path.name.lower()}.", [])
        if len(places) > 1:  # the longest common end decides, where it decides
            named = (self.folder.name, *path.parts)  # Annotations/train/1.xml means images/train/1.jpg
            ends = [_common_end(named, place.parts) for place in places]
            places = [place for place, end in zip(places, ends, strict=True) if end == max(ends)]
        return places[0] if len(places) == 1 else None

    def pictures(self) -> list[Path]:
        """All pictures below, in order."""
        return sorted({place for places in self._all().values() for place in places})

    def _all(self) -> dict[str, list[Path]]:
        """Name in lower case -> places; `photo.` stands for the name without its suffix."""
        if self._index is None:
            self._index = {}
            seen = 0
            for inside, folders, files in os.walk(self.root):
                folders[:] = sorted(f for f in folders if not f.startswith("."))
                seen += len(files)
                if seen > MOST:
                    break
                for file in sorted(files):
                    place = Path(inside, file)
                    if place.suffix.lower() in SUFFIXES and not file.startswith("."):
                        self._index.setdefault(file.lower(), []).append(place)
                        self._index.setdefault(f"{place.stem.lower()}.", []).append(place)
        return self._index


def unnamed(places: Iterable[Places], named: Iterable[str]) -> list[Path]:
    """The pictures around folders of annotations that none of these names, masks aside: paths as they stand in messages."""
    known = {Path(name).resolve() for name in named if len(name) < 1000}
    every = {place for near in places for place in near.pictures()}
    return sorted(p for p in every - known if not p.parent.name.lower().startswith(("segmentation", "mask")))


def _is_file(place: Path) -> bool:
    """False too for what can be no name of a file, such as one that is too long."""
    try:
        return place.is_file()
    except (OSError, ValueError):
        return False


def _common_end(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How many parts two paths share at their end.

    >>> _common_end(("train", "a.jpg"), ("x", "train", "a.jpg"))
    2
    """
    count = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        count += 1
    return count
