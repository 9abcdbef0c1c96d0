"""Masks: a label for every point of a picture, and which points belong to one thing, in one PNG.

uri = encode_mask(points, ["background", "cell"])          an indexed PNG in colours that tell labels apart
uri = encode_mask(of, ["background", "cell"], things)      16 bits: the number of each point's thing
read_mask(uri)                                             Mask(points, labels, things), from any PNG without loss

A PNG holds numbers, not names. Those that lamella writes carry the names of their labels in a text chunk "Labels", and of
things the label of each in "Things", both JSON; every other program reads the same file as a plain indexed or grey PNG.
"""

import base64
import io
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lamella.data.media import images
from lamella.data.media.drawing import COLOURS
from lamella.data.text.encoding import show_path
from lamella.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

IGNORE = 255  # a point that teaches nothing and is not scored, as in Pascal VOC
MOST_LABELS = 254  # that a byte can tell apart, beside IGNORE
MOST_THINGS = 65534  # of a picture, in 16 bits
BACKGROUND, FOREGROUND = "background", "foreground"
INDEXED = "indexed"  # among a mask's notes, where it has a palette: 255 is then no white
VOID = "#ffffff"  # the colour of IGNORE
Bytes = NDArray[np.uint8]
Ints = NDArray[np.int32]


class Mask(msgspec.Struct):
    """A mask, decoded."""

    points: Bytes  # (H, W): the place of each point's label in `labels`; IGNORE: none is known
    labels: list[str]
    things: Ints | None = None  # (H, W): the number of each point's thing, 0 for none; None: things are not told apart
    named: bool = True  # the labels are names that came with the mask, not its numbers in words


def read_mask(value: Any) -> Mask:
    """A mask -> its labels' places and, where it tells things apart, their numbers.

    value: a path, a `data:image/png` URI, the bytes of a file, or an array (H, W) of whole numbers. Without names in the
    file a number is its own name, and 0 is the background; a grey one of 0 and 255 alone is background and foreground. Raises
    DataError for colours, for more than 254 labels, and for what `read_image` refuses.

    >>> read_mask(np.array([[0, 2], [2, 7]])).labels
    ['background', '2', '7']
    >>> mask = read_mask(encode_mask(np.array([[0, 1]], np.uint8), ["sky", "sea"]))
    >>> mask.labels, mask.points.tolist()
    (['sky', 'sea'], [[0, 1]])
    """
    numbers, notes = numbers_of(value)
    labels, of = _noted(notes)
    if labels and of:
        return _things(numbers, labels, of)
    if labels:
        if numbers[numbers != IGNORE].max(initial=0) >= len(labels):
            raise DataError(
                f"expected a mask of {len(labels)} labels, received the number {numbers[numbers != IGNORE].max()}."
            )
        return Mask(numbers.astype(np.uint8), labels)
    values = [int(v) for v in np.unique(numbers)]
    if values in ([255], [0, 255]) and not notes.get(INDEXED):
        return by_number(numbers, {0: BACKGROUND, 255: FOREGROUND}, named=False)
    values = [v for v in values if v != IGNORE]
    return by_number(numbers, {v: BACKGROUND if v == 0 else str(v) for v in [0, *values]}, named=False)


def by_number(numbers: NDArray[Any], names: dict[int, str], named: bool = True) -> Mask:
    """Numbers (H, W) and the label of each -> a mask; a number without a label is IGNORE.

    >>> by_number(np.array([[0, 5]]), {0: "background", 5: "crack"}).points.tolist()
    [[0, 1]]
    """
    labels = list(dict.fromkeys(names.values()))
    if len(labels) > MOST_LABELS:
        raise DataError(
            f"expected a mask of at most {MOST_LABELS} labels, received {len(labels):,} different numbers. If each is a thing "
            "of its own, save the mask in 16 bits."
        )
    keys = np.array(sorted(names), np.int64)
    places = np.array([labels.index(names[int(k)]) for k in keys], np.uint8)
    at = np.searchsorted(keys, numbers).clip(0, len(keys) - 1)
    points = np.where(keys[at] == numbers, places[at], np.uint8(IGNORE)).astype(np.uint8)
    return Mask(points, labels, named=named)


def _things(numbers: NDArray[Any], labels: list[str], of: list[int]) -> Mask:
    """Numbers of things (H, W) and the place of each one's label; the largest number of 16 bits is IGNORE."""
    unknown = numbers == 65535
    numbers = np.where(unknown, 0, numbers).astype(np.int32)
    if numbers.max(initial=0) >= len(of):
        raise DataError(f"expected a mask of {len(of) - 1} things, received the number {numbers.max()}.")
    points = np.array(of, np.uint8)[numbers]
    return Mask(np.where(unknown, np.uint8(IGNORE), points).astype(np.uint8), labels, numbers)


def _noted(notes: dict[str, str]) -> tuple[list[str], list[int]]:
    """The names of labels and the labels of things that stand in a PNG's text chunks; empty where there are none."""
    try:
        labels = msgspec.json.decode(notes.get("Labels", "[]"), type=list[str])
        of = msgspec.json.decode(notes.get("Things", "[]"), type=list[int])
    except (msgspec.DecodeError, RecursionError):
        return [], []
    fine = 0 < len(labels) <= MOST_LABELS and len(of) <= MOST_THINGS + 1 and all(0 <= k < len(labels) for k in of)
    return (labels, of) if fine else ([], [])


def numbers_of(value: Any) -> tuple[NDArray[np.int64], dict[str, str]]:
    """The numbers (H, W) of a mask without colours, and the text chunks of its PNG.

    Of an indexed picture the places in its palette, of a grey one its values, of a black and white one 0 and 1. Raises
    DataError for a picture in colours.
    """
    if isinstance(value, np.ndarray | list):
        array = np.asarray(value)
        if array.ndim != 2 or array.dtype.kind not in "iub" or not array.size:
            raise DataError(f"expected a mask (H, W) of whole numbers, received shape {array.shape} of {array.dtype}.")
        return array.astype(np.int64), {}
    picture = open_mask(value)
    if (numbers := grey_numbers(picture)) is None:
        raise DataError(
            f"{_name(value)}: expected a mask of numbers (an indexed or grey PNG), received one in colours. Give a table of "
            "colours, labelmap.txt, beside the masks: name:red,green,blue::"
        )
    if numbers.size and numbers.min() < 0:
        raise DataError(
            f"{_name(value)}: expected a mask of numbers from 0, received {numbers.min()}. Points without a label are {IGNORE}."
        )
    notes = {k: v for k, v in picture.info.items() if isinstance(k, str) and isinstance(v, str)}
    return numbers, {**notes, INDEXED: "yes" if picture.mode == "P" else ""}


def grey_numbers(picture: "Image") -> NDArray[np.int64] | None:
    """The numbers of an opened mask (H, W); None where it has colours."""
    if picture.mode in ("RGB", "RGBA", "LA"):
        points = np.asarray(picture)
        points = points[..., : 1 if picture.mode == "LA" else 3]
        if (points != points[..., :1]).any():
            return None
        return points[..., 0].astype(np.int64)
    numbers = np.asarray(picture)
    if picture.mode.startswith("F"):
        numbers = np.nan_to_num(numbers)
    return numbers.astype(np.int64) if numbers.ndim == 2 else None


def open_mask(value: Any) -> "Image":
    """A mask as Pillow has it, its numbers untouched.

    Raises DataError for what is stored with loss, damaged or too large, for several pages and for shares of a number.
    """
    name, raw = images.raw_bytes(value)
    if kind := _lossy(raw):
        raise DataError(
            f"{name}: expected a mask that is stored without loss, received {kind}, whose compression changes labels. "
            "Save masks as PNG."
        )
    picture = images.open_as_stored(name, raw)
    if (pages := picture.info.pop("frames")) > 1:
        raise DataError(f"{name}: expected one mask, received {pages:,} in one file. Save each beside its own picture.")
    if picture.mode in ("RGBA", "LA") and _clear(np.asarray(picture)):
        raise DataError(
            f"{name}: expected a mask whose colours tell the labels, received one in which points of one colour are clear and "
            "opaque. Save it without transparency."
        )
    if picture.mode.startswith("F"):
        numbers = np.nan_to_num(np.asarray(picture))
        if (odd := numbers[numbers != np.rint(numbers)]).size:
            raise DataError(
                f"{name}: expected a mask of whole numbers, one a label, received {odd[0]:.4g}. Save the labels, not how likely they are."
            )
    return picture


def _clear(points: Bytes) -> bool:
    """Whether points (H, W, C and alpha) of one colour are clear here and opaque there: then the alpha tells what colours do not."""
    colours = points[..., :-1].astype(np.int64) @ np.array([65536, 256, 1])[: points.shape[-1] - 1]
    clear = points[..., -1] == 0
    return bool(np.intersect1d(colours[clear], colours[~clear]).size)


def _lossy(raw: bytes) -> str:
    """What a picture's file is where its compression changes points; "" where none is lost.

    >>> _lossy(b"\\xff\\xd8\\xff"), _lossy(b"RIFF\\x14\\0\\0\\0WEBPVP8L\\x08\\0\\0\\0")
    ('a JPEG', '')
    """
    if raw[:3] == b"\xff\xd8\xff":
        return "a JPEG"
    if raw[4:12] in (b"ftypavif", b"ftypavis"):
        return "an AVIF"
    at = 12 if raw[:4] == b"RIFF" and raw[8:12] == b"WEBP" else len(raw)
    while at + 8 <= len(raw):  # parts: a name, a size, the content, to an even length
        if raw[at : at + 4] == b"VP8 ":
            return "a lossy WebP"
        at += 8 + (size := int.from_bytes(raw[at + 4 : at + 8], "little")) + size % 2
    return ""


def encode_mask(points: NDArray[Any], labels: Sequence[str], things: NDArray[Any] | None = None) -> str:
    """A mask -> a `data:` URI of a PNG that `read_mask` reads and every browser shows.

    points (H, W): places in `labels`, 255 for IGNORE. things (H, W): numbers of things from 1 on, none of which has points
    of two labels; what has no number is the label 0.

    >>> mask = read_mask(encode_mask(np.array([[0, 1, 1]]), ["background", "cell"], np.array([[0, 1, 2]])))
    >>> mask.points.tolist(), mask.things.tolist()
    ([[0, 1, 1]], [[0, 1, 2]])
    """
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    notes = PngInfo()
    notes.add_text("Labels", json.dumps(list(labels)))
    if things is None:
        picture = Image.fromarray(np.ascontiguousarray(points, np.uint8))
        picture.putpalette(palette(len(labels)))
    else:
        of = np.zeros(int(things.max(initial=0)) + 1, np.int64)
        known = points != IGNORE
        of[things[known]] = points[known]
        of[0] = 0
        notes.add_text("Things", json.dumps(of.tolist()))
        picture = Image.fromarray(np.where(known, things, 65535).astype(np.uint16))
    out = io.BytesIO()
    picture.save(out, "PNG", pnginfo=notes, compress_level=6)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


@lru_cache(maxsize=64)
def palette(count: int) -> tuple[int, ...]:
    """256 colours as red, green and blue: black for the first label, then colours that most people tell apart."""
    colours = [(0, 0, 0), *(rgb(colour_of(i)) for i in range(1, count))]
    colours += [(0, 0, 0)] * (IGNORE - len(colours)) + [rgb(VOID)]
    return tuple(value for colour in colours for value in colour)


def colour_of(place: int) -> str:
    """The colour of a label by its place: those of `drawing`, then the same again, darker each time.

    >>> colour_of(1), colour_of(8)
    ('#e69f00', '#ac7700')
    """
    turn, at = divmod(max(0, place - 1), len(COLOURS))
    return "#" + "".join(f"{round(v * 0.75**turn):02x}" for v in rgb(COLOURS[at]))


def rgb(colour: str) -> tuple[int, int, int]:
    """
    >>> rgb("#ff8000")
    (255, 128, 0)
    """
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def placed(mask: Mask, labels: Sequence[str]) -> Bytes:
    """The points of a mask as places in other labels; IGNORE where they are none of these."""
    places = np.full(256, IGNORE, np.uint8)
    for i, label in enumerate(mask.labels):
        places[i] = labels.index(label) if label in labels else IGNORE
    return places[mask.points]


def overlay(picture: Any, mask: Mask, strength: float = 0.5) -> Bytes:
    """A picture with its mask laid over it: (H, W, 3). The first label, the background, stays clear."""
    points = np.asarray(images.open_picture(picture).convert("RGB"), np.float32)
    colours = np.array(palette(len(mask.labels)), np.float32).reshape(256, 3)
    share = np.where(mask.points == 0, 0.0, strength)[..., None].astype(np.float32)
    if mask.labels[0] != BACKGROUND:
        share[...] = strength
    return np.rint(points * (1 - share) + colours[mask.points] * share).astype(np.uint8)


def turned(mask: Mask, orientation: int) -> Mask:
    """A mask, turned as a picture of this EXIF orientation is (6: to the right by a quarter).

    >>> turned(Mask(np.array([[1, 2]], np.uint8), []), 6).points.tolist()
    [[1], [2]]
    """

    def turn(points: NDArray[Any]) -> NDArray[Any]:
        across = points.T if orientation in (5, 6, 7, 8) else points
        down = -1 if orientation in (3, 4, 7, 8) else 1
        return np.ascontiguousarray(across[::down, :: -1 if orientation in (2, 3, 6, 7) else 1])

    things = None if mask.things is None else turn(mask.things)
    return msgspec.structs.replace(mask, points=turn(mask.points), things=things)


def _name(value: Any) -> str:
    return "mask" if not isinstance(value, str | Path) or images.is_uri(value) else show_path(value)
