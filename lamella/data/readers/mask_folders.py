"""Folders of pictures and masks: which mask belongs to which picture, and what its numbers or colours mean.

    images/a.jpg, masks/a.png              or labels/, SegmentationClass/ beside JPEGImages/, trainannot/ beside train/
    a.jpg, a_mask.png                      in one folder
    dataset.json, imagesTr/a_0000.png, labelsTr/a.png          nnU-Net

A palette is read as places in it, never as colours. Colours need a table of them beside the masks (labelmap.txt). Grey masks
of 0 and 255 are background and foreground; in masks of 16 bits each number is a thing of its own.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lamella.data.media.images import SUFFIXES
from lamella.data.media.masks import (
    BACKGROUND,
    FOREGROUND,
    IGNORE,
    INDEXED,
    MOST_THINGS,
    Mask,
    by_number,
    grey_numbers,
    numbers_of,
    open_mask,
    read_mask,
)
from lamella.data.readers.mask_pairs import pairs, pictures, side_by_side, two_folders
from lamella.data.readers.masked import Account, Marked
from lamella.data.text.encoding import quote, read_bytes, read_text, show_path, split_lines
from lamella.errors import DataError

TABLES = (
    "labelmap.txt",
    "label_colors.txt",
    "colors.txt",
    "colormap.txt",
    "class_dict.csv",
    "colors.csv",
    "labels.csv",
)
NAMES = ("labels.txt", "classes.txt", "names.txt", "class_names.txt")
VOID = ("void", "ignore", "unlabelled", "unlabeled")  # names of points whose label is not known
APART = "masks that have none of the same name and size which tells things apart"
THING = "thing"  # what the numbers of 16-bit masks are, where nothing names them
Colours = dict[tuple[int, int, int], str]


class Legend(msgspec.Struct):
    """What the numbers and colours of a folder's masks mean."""

    colours: Colours = {}
    names: dict[int, str] = {}
    ignored: tuple[int, ...] = (IGNORE,)
    file: str = ""  # that says so
    first: str = ""  # the first mask
    deep: bool | None = None  # whether its numbers, which have no names, are those of things; None: that is not known


def read_folder(place: Path, account: Account) -> list[Marked] | None:
    """The pictures of a folder that have masks beside them; None where masks are no pictures there, or it has none."""
    if (place / "dataset.json").is_file() and (place / "labelsTr").is_dir():
        return _nnunet(place, account)
    found = two_folders(place)
    matched = pairs(*found, account) if found else side_by_side(place, account)
    if not matched:
        return None
    legend = find_legend(list(dict.fromkeys((matched[0][1].parent, found[1] if found else place, place, place.parent))))
    how = f"masks in {show_path(found[1])}" if found else "masks beside their pictures"
    account.lines.append(f"{show_path(place)}: {len(matched):,} pictures with {how}")
    if legend.file:
        account.lines.append(f"{legend.file}: names of {len(legend.colours) or len(legend.names)} labels")
    _say_how(matched[0][1], legend, account)
    legend.first, legend.deep = show_path(matched[0][1]), _has_things(matched[0][1])
    things = _voc_things(found[1]) if found else None
    for _, mask in matched:
        if things and not (things / mask.name).is_file():
            account.leave(APART, show_path(mask))
    return [Marked(str(image), Maker(mask, legend, things), show_path(mask)) for image, mask in matched]


def _say_how(first: Path, legend: Legend, account: Account) -> None:
    """How the first mask is read, in a line; the others are read in the same way."""
    try:
        numbers, notes = numbers_of(first)
    except DataError:
        return
    if "Labels" in notes:
        return
    if notes.get(INDEXED):
        account.lines.append("masks have a palette: the places in it are the labels")
    elif numbers.max() > IGNORE or _deep(first):
        account.lines.append("masks have 16 bits: each number is a thing of its own, 0 the background")
    elif set(np.unique(numbers).tolist()) <= {0, 255} and not legend.names:
        account.lines.append(f"masks are black and white: 0 is {BACKGROUND}, 255 is {FOREGROUND}")


class Maker(msgspec.Struct):
    """Makes the mask of one file."""

    file: Path
    legend: Legend
    things: Path | None = None  # the folder of masks that tell things apart, of the same names

    def __call__(self, width: int, height: int) -> Mask:
        mask = self._labels()
        beside = self.things / self.file.name if self.things else None
        if beside is None or not beside.is_file() or mask.things is not None:
            return mask
        objects = np.asarray(open_mask(beside).convert("RGB"), np.int64) @ np.array([65536, 256, 1])
        if objects.shape != mask.points.shape:
            raise DataError(
                f"expected {show_path(beside)} to be of the same size, {mask.points.shape[1]} x {mask.points.shape[0]}, received "
                f"{objects.shape[1]} x {objects.shape[0]}."
            )
        # A thing is what has one label and one number there; VOC's edges between things have none.
        both = np.where((mask.points == 0) | (mask.points == IGNORE), -1, objects * 256 + mask.points)
        _, numbers = np.unique(np.append(both.ravel(), -1), return_inverse=True)
        return msgspec.structs.replace(mask, things=numbers[:-1].reshape(both.shape).astype(np.int32))

    def _labels(self) -> Mask:
        legend = self.legend
        if legend.colours and (mask := self._by_colour()) is not None:
            return mask
        numbers, notes = numbers_of(self.file)
        if "Labels" in notes:
            return read_mask(self.file)
        deep = _deep(self.file) or numbers.max() > IGNORE
        if not legend.names:
            if legend.deep not in (None, deep):
                bits = ("8 bits, whose numbers are labels", "16 bits or more, whose numbers are things")
                raise DataError(
                    f"expected a mask of {bits[not deep]}, as {legend.first} is, received one of {bits[deep]}. Save all in the same way."
                )
            if not deep:
                return read_mask(self.file)
        if legend.names:
            names = {number: name for number, name in legend.names.items() if name.lower() not in VOID}
            unknown = sorted(set(np.unique(numbers).tolist()) - {*legend.names, *legend.ignored})
            if unknown == [255] and len(legend.names) == 2:
                numbers, unknown = np.where(numbers == 255, max(legend.names), numbers), []
            if unknown:
                raise DataError(
                    f"expected numbers of the {len(legend.names)} labels in {legend.file}, received {unknown[0]}. Add it there."
                )
            return by_number(numbers, names)
        if numbers.max() > MOST_THINGS:
            raise DataError(f"expected at most {MOST_THINGS:,} things, received the number {numbers.max():,}.")
        return Mask((numbers > 0).astype(np.uint8), [BACKGROUND, THING], numbers.astype(np.int32), named=False)

    def _by_colour(self) -> Mask | None:
        """A mask in the colours of the table; None for one of numbers."""
        picture, table = open_mask(self.file), self.legend.colours
        grey = grey_numbers(picture) if picture.mode != "P" else None
        if grey is not None and not set(np.unique(grey).tolist()) <= {r for r, g, b in table if r == g == b}:
            return self._by_order(grey)
        codes = np.asarray(picture.convert("RGB"), np.int64) @ np.array([65536, 256, 1])
        known = {r * 65536 + g * 256 + b: name for (r, g, b), name in table.items()}
        strange = sorted(set(np.unique(codes).tolist()) - set(known))
        if strange and picture.mode == "P":  # a palette of other colours than the table's: the order counts
            return self._by_order(np.asarray(picture).astype(np.int64))
        if strange:
            colours = [f"{c >> 16},{c >> 8 & 255},{c & 255}" for c in strange[:3]]
            others = "another one," if len(strange) == 1 else f"{len(strange):,} others, such as"
            share = np.isin(codes, strange).mean()
            raise DataError(
                f"expected the colours of {self.legend.file}, received {others} {' and '.join(colours)}, "
                f"at {share:.1%} of the points. Add them there, or save the mask without smoothing."
            )
        void = {code for code, name in known.items() if name.lower() in VOID}
        order = list(dict.fromkeys(name for code, name in known.items() if code not in void))
        order.sort(key=lambda name: name != BACKGROUND)  # the background first, the others as the table has them
        points = np.full(codes.shape, IGNORE, np.uint8)
        for code, name in known.items():
            if code not in void:
                points[codes == code] = order.index(name)
        return Mask(points, order)

    def _by_order(self, numbers: NDArray[np.int64]) -> Mask:
        """Numbers that are places in the table of colours."""
        names = dict(enumerate(dict.fromkeys(self.legend.colours.values())))
        if unknown := sorted(set(np.unique(numbers).tolist()) - {*names, *self.legend.ignored}):
            raise DataError(
                f"expected colours of {self.legend.file}, or numbers of its {len(names)} labels, received the number {unknown[0]}. "
                "Add it there."
            )
        return by_number(numbers, {number: name for number, name in names.items() if name.lower() not in VOID})


def _has_things(file: Path) -> bool | None:
    """Whether a mask's numbers are those of things; None where it names labels, or cannot be read."""
    try:
        numbers, notes = numbers_of(file)
        return None if "Labels" in notes else _deep(file) or bool(numbers.max() > IGNORE)
    except DataError:
        return None


def _deep(file: Path) -> bool:
    """Whether a mask has more than 8 bits."""
    return open_mask(file).mode.startswith(("I", "F"))


def _voc_things(masks: Path) -> Path | None:
    """VOC's and CVAT's folder of masks that tell things apart."""
    other = masks.parent / "SegmentationObject"
    return other if masks.name == "SegmentationClass" and other.is_dir() else None


# ---- what numbers and colours mean -----------------------------------------------------------------------------------


def find_legend(places: Sequence[Path]) -> Legend:
    """The first table of colours, or list of names, in these folders."""
    for place in places:
        for name in TABLES:
            if (place / name).is_file() and (colours := _colour_table(place / name)):
                return Legend(colours, file=show_path(place / name))
        for name in NAMES:
            if (place / name).is_file():
                lines = [line.strip() for line in split_lines(read_text(place / name)[0])]
                names = {i: line for i, line in enumerate(lines) if line}
                if names:
                    return Legend(names=names, file=show_path(place / name))
    return Legend()


def _colour_table(path: Path) -> Colours:
    """Lines with a name and three numbers, in either order: CVAT's `name:r,g,b::`, CamVid's `r g b name`, CSV."""
    table: Colours = {}
    for line in split_lines(read_text(path)[0]):
        match = re.search(r"(?<!\d)(\d{1,3})[\s,;]+(\d{1,3})[\s,;]+(\d{1,3})(?!\d)", line)
        if not match or line.lstrip().startswith("#"):
            continue
        before, after = (part.strip(" \t,;:\"'") for part in (line[: match.start()], line[match.end() :]))
        colour = tuple(min(255, int(v)) for v in match.groups())
        if name := (before or after.split(":")[0].strip()):
            table[colour] = name  # type: ignore[index]
    return table


# ---- nnU-Net ---------------------------------------------------------------------------------------------------------


def _nnunet(place: Path, account: Account) -> list[Marked]:
    """nnU-Net's raw format of pictures in PNG or TIFF; `_0000` and so on are channels of one picture."""
    try:
        facts = msgspec.json.decode(read_bytes(place / "dataset.json"), type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise DataError(
            f"{show_path(place / 'dataset.json')}: expected JSON of nnU-Net, received {str(error)[:80]}."
        ) from error
    ending = str(facts.get("file_ending", ""))
    if ending and ending.lower() not in SUFFIXES:
        raise DataError(
            f"{show_path(place)}: expected pictures in PNG or TIFF, received {quote(ending)}. Volumes are not read: export their "
            "slices as pictures."
        )
    legend = Legend(names=_nnunet_names(facts.get("labels")), file=show_path(place / "dataset.json"))
    ignored = facts.get("labels", {}).get("ignore") if isinstance(facts.get("labels"), dict) else None
    legend.ignored = (IGNORE, ignored) if isinstance(ignored, int) else (IGNORE,)
    first = {p.stem.removesuffix("_0000"): p for p in pictures(place / "imagesTr") if p.stem.endswith("_0000")}
    more = [p for p in pictures(place / "imagesTr") if re.search(r"_0\d\d[1-9]$", p.stem)]
    for path in more:
        account.leave("channels beside the first, which are left out", show_path(path))
    marked, masks = [], pictures(place / "labelsTr")
    for stem in sorted(set(first) - {mask.stem for mask in masks}):
        account.leave("pictures with no mask, which are left out", show_path(first[stem]))
    for mask in masks:
        if mask.stem in first:
            marked.append(Marked(str(first[mask.stem]), Maker(mask, legend), show_path(mask)))
        else:
            account.leave("masks without a picture, which are left out", show_path(mask))
    account.lines.append(f"{show_path(place)}: nnU-Net, {len(marked):,} pictures, {len(legend.names)} labels")
    return marked


def _nnunet_names(labels: Any) -> dict[int, str]:
    """{"background": 0, "tumour": 1}, or version 1's {"0": "background"} -> number to name.

    Regions lie inside each other, {"whole": [1, 2], "core": [2]}: a number is called by the smallest that holds it.

    >>> _nnunet_names({"background": 0, "whole": [1, 2], "core": [2]})
    {0: 'background', 1: 'whole', 2: 'core'}
    """
    names: dict[int, str] = {}
    regions = [(n, v) for n, v in labels.items() if isinstance(v, list)] if isinstance(labels, dict) else []
    for name, numbers in sorted(regions, key=lambda region: -len(region[1])):
        names |= {number: str(name) for number in numbers if isinstance(number, int) and 0 < number < IGNORE}
    for key, value in labels.items() if isinstance(labels, dict) else ():
        name, number = (str(value), key) if isinstance(key, str) and key.isdigit() else (str(key), value)
        if str(name) != "ignore" and str(number).isdigit() and int(number) < IGNORE:
            names[int(number)] = BACKGROUND if int(number) == 0 else name
    return dict(sorted(names.items()))
