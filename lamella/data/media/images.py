"""Read pictures as arrays, from a path, a `data:` URI, bytes, or an array.

    read_image("cat.jpg", size=64, channels=3)      (3, 64, 64) of 0 to 255

Pictures may be hostile: 17 kB may decode to 144 million pixels. So the size in the header is compared with a limit before
anything is decoded, and only common formats are opened, since some others are passed to a PostScript interpreter. A
picture that cannot be read is an error that names the file, never a grey square.
"""

import base64
import hashlib
import io
import math
import os
import re
import struct
import sys
import warnings
import zlib
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lamella.data.media import budget
from lamella.data.media.depths import WHITE, White, deep, eight_bits, finite, strips
from lamella.data.text.encoding import quote, show_path
from lamella.errors import DataError, MissingExtra

if TYPE_CHECKING:
    from PIL.Image import Image

Bytes = NDArray[np.uint8]

MOST_POINTS = 50_000_000  # width x height x frames: decoded and changed to RGB it is 400 MB
WEBP_POINTS = 20_000_000  # its decoder holds four copies
MOST_BYTES = 256 << 20  # of a file
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
SUFFIXES = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".gif", ".bmp", ".dib"}
    | {".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm", ".pnm", ".avif"}
)  # of files in these formats
_URI = re.compile(r"data:[^,;]*(;[^,;]*)*,")
# What Pillow raises for files that are damaged; it has no base class of its own for them.
_DAMAGED = (
    *(OSError, SyntaxError, ValueError, TypeError, IndexError, KeyError, EOFError, OverflowError, AttributeError),
    *(struct.error, zlib.error, RuntimeError, MemoryError, ZeroDivisionError, AssertionError),
)


def read_image(value: Any, size: int, channels: int, white: White = WHITE) -> Bytes:
    """A picture -> (channels, size, size) of 0 to 255, stretched to a square.

    value: a path, a `data:image/...;base64,` URI, the bytes of a file, or an array (H, W), (H, W, C) or (C, H, W) of
    bytes, of 16 bits or of floats from 0 to 1, or of any numbers where `white` says what black and white are. channels: 1
    for grey or 3 for colour; white: `white_of` a data set. It is turned as its EXIF says, what is transparent becomes
    white, and of an animation the first frame is taken.
    Raises DataError, one line, for what is no picture or too large, and MissingExtra without Pillow.

    >>> read_image(np.full((2, 2), 0.5), size=4, channels=3).shape
    (3, 4, 4)
    """
    pillow = _pillow()
    picture = _as(open_picture(value, white), "L" if channels == 1 else "RGB")
    if picture.size != (size, size):
        picture = picture.resize((size, size), pillow.Resampling.BILINEAR)  # averages where it makes smaller
    points = np.frombuffer(picture.tobytes(), np.uint8).reshape(size, size, channels)
    return np.ascontiguousarray(points.transpose(2, 0, 1))


def encode_png(points: Bytes) -> str:
    """(H, W), (1, H, W) or (3, H, W) of 0 to 255 -> a `data:` URI that `read_image` reads and browsers show.

    >>> array = np.arange(12, dtype=np.uint8).reshape(1, 3, 4) * 20
    >>> uri = encode_png(array)
    >>> uri[:22], bool((read_image(uri, 4, 1) != 0).any())
    ('data:image/png;base64,', True)
    """
    return "data:image/png;base64," + base64.b64encode(png_bytes(_from_array(points))).decode()


def png_bytes(picture: "Image") -> bytes:
    """An opened picture as the bytes of a PNG."""
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=False, compress_level=9)
    return out.getvalue()


def fingerprint(value: Any) -> str:
    """A key that two pictures share exactly if they have the same pixels.

    >>> fingerprint(np.zeros((2, 2), np.uint8)) == fingerprint(encode_png(np.zeros((2, 2), np.uint8)))
    True
    """
    if isinstance(value, str | Path) and not is_uri(value):
        try:
            about = os.stat(value)
        except (OSError, ValueError):
            return _fingerprint(value)  # which says what is wrong
        return _fingerprint_of_file(str(value), about.st_mtime_ns, about.st_size)
    return _fingerprint(value)


@lru_cache(maxsize=1 << 18)
def _fingerprint_of_file(path: str, changed: int, size: int) -> str:
    """Asked for several times while data are read and split; to decode a photograph takes a tenth of a second."""
    return _fingerprint(path)


def _fingerprint(value: Any) -> str:
    picture = open_picture(value, white=0)
    finer = picture.mode not in ("L", "RGB")  # in 8 bits two dark ones of 16 would be the same
    picture = picture if finer else _as(picture, "RGB")
    points = hashlib.sha256(repr(picture.size).encode())
    for strip in strips(picture):
        points.update(np.ascontiguousarray(picture.crop(strip)).tobytes() if finer else picture.crop(strip).tobytes())
    return points.hexdigest()[:32]


def white_of(values: Sequence[Any]) -> White:
    """The value of white in pictures of 16 bits: the smallest of 255, 511, 1023, ... 65535 that none exceeds.

    Cameras and scanners put 10, 12 or 14 bits into 16. Of pictures that are floats beyond 0 to 1, or whole numbers beyond 16
    bits (heights, temperatures, Hounsfield units), the least and the largest value of all: so one picture is as bright
    beside another as it was. 65535 where no picture has more than 8 bits. DataError for colours of 12 bits in 16, which
    Pillow reads as 8 bits, nearly black.

    >>> white_of([np.array([[0, 4000]], np.uint16)]), white_of([np.zeros((2, 2), np.uint8)])
    (4095, 65535)
    >>> white_of([np.array([[-1000.0, 400.0]]), np.array([[-900.0, 1200.0]])])
    [-1000.0, 1200.0]
    """
    ends: dict[str, list[float]] = {}  # of each kind of number: "I" or "F"
    dark: list[Any] = []
    for value in values:
        picture = open_picture(value, white=0)
        if picture.mode[0] in "IF":
            both = ends.setdefault(picture.mode[0], [math.inf, -math.inf])
            for part in (finite(picture.crop(strip)) for strip in strips(picture)):
                both[:] = min(both[0], float(part.min())), max(both[1], float(part.max()))
        elif picture.info.get("deep"):
            dark.append((max(high for _, high in np.reshape(picture.getextrema(), (-1, 2))), value))
    if dark and max(most for most, _ in dark) < 64:
        raise DataError(
            f"{quote(str(dark[0][1])[:80])}: expected colours of 8 bits, or of 16 that are used, received at most 14 bits in 16. "
            "Convert them to 8 bits a channel."
        )
    whole, floats = ends.get("I"), ends.get("F")
    if (whole and (whole[0] < 0 or whole[1] > WHITE)) or (floats and (floats[0] < 0 or floats[1] > 1)):
        return [min(low for low, _ in ends.values()), max(high for _, high in ends.values())]
    most = int(whole[1]) if whole else 0
    return WHITE if most <= 0 else max(255, (1 << most.bit_length()) - 1)


def even(value: Any, white: White) -> Any:
    """A picture of more than 8 bits as bytes (H, W), by what is white in its data set; any other as it is.

    For those who show or change a picture and do not know the data set.
    """
    if open_picture(value, white=0).mode[0] not in "IF":
        return value
    return np.asarray(open_picture(value, white))


def shape_of(values: Sequence[Any], smallest: int = 12, largest: int = 64, white: White = WHITE) -> tuple[int, int]:
    """A side and channels for these pictures: the median of their longer sides, in steps of four.

    Grey pictures are often stored with three equal channels; one is enough for them.

    >>> shape_of([np.zeros((28, 28), np.uint8)] * 3), shape_of([np.zeros((300, 500, 3), np.uint8)])
    ((28, 1), (64, 1))
    """
    sides, grey = [], True
    for value in values:  # one at a time: all of them may be gigabytes
        picture = _as(open_picture(value, white), "RGB")
        sides.append(max(picture.size))
        grey = grey and np.ptp(np.asarray(picture.resize((16, 16))).astype(int), axis=2).max() <= 2
    side = float(np.median(sides))
    return min(largest, max(smallest, -int(-side // 4) * 4)), 1 if grey else 3


# ---- opening ---------------------------------------------------------------------------------------------------------


def _pillow() -> Any:
    if sys.modules.get("PIL") and (opened := sys.modules.get("PIL.Image")):
        return opened  # to import it again for each picture takes as long as to open one's header
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtra("A picture", "image") from error
    return Image


def is_uri(value: Any) -> bool:
    return isinstance(value, str) and value[:5].lower() == "data:"


def open_picture(value: Any, white: White = WHITE) -> "Image":
    """A picture of mode L or RGB, upright and opaque; white: as of `white_of`, 0 to leave a picture of more bits as it is."""
    if isinstance(value, np.ndarray | list):
        return _from_array(value, white)

    def upright(picture: "Image") -> "Image":
        if picture.info or picture.format != "PNG":  # a PNG keeps all that could say how it is turned there
            from PIL import ImageOps

            ImageOps.exif_transpose(picture, in_place=True)
        return _opaque(picture, white)

    return _open(*raw_bytes(value), upright)


def open_as_stored(name: str, raw: bytes) -> "Image":
    """A picture's first frame in its own mode, as a mask needs it: not turned, palette and 16 bits as they are.

    name: what to call it in an error. `info["frames"]` is how many frames the file holds. Raises DataError as `read_image` does.
    """

    def finish(picture: "Image") -> "Image":
        picture.info["frames"] = getattr(picture, "n_frames", 1)
        return picture.copy()

    return _open(name, raw, finish)


def _open(name: str, raw: bytes, finish: "Callable[[Image], Image]") -> "Image":
    pillow = _pillow()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own limit, which is another than ours, and remarks about odd metadata
        try:
            with pillow.open(io.BytesIO(raw), formats=formats()) as picture:
                _check_size(picture, name)
                picture.seek(0)
                fine = picture.mode[0] not in "IF" and any("16" in str(tile[3]) for tile in picture.tile)
                picture.load()
                if fine:  # its colours have 16 bits, of which Pillow keeps the upper 8
                    picture.info["deep"] = True
                return finish(picture)
        except pillow.DecompressionBombError as error:
            raise DataError(f"{name}: {_too_large('far more')}") from error
        except pillow.UnidentifiedImageError as error:
            raise DataError(
                f"{name}: expected a picture ({', '.join(FORMATS)}), received {_seen(raw)}. Convert or remove it."
            ) from error
        except DataError:
            raise
        except _DAMAGED as error:
            reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
            raise DataError(
                f"{name}: expected a whole picture, received a damaged one ({reason}). Copy it again or remove it."
            ) from error


@cache
def formats() -> tuple[str, ...]:
    """Those that this Pillow reads: AVIF came late, and not everywhere."""
    from PIL import features

    return (*FORMATS, "AVIF") if "avif" in features.get_supported() else FORMATS


def raw_bytes(value: Any) -> tuple[str, bytes]:
    """The bytes of a picture that is a path, a URI or bytes, and what to call it in an error."""
    if isinstance(value, bytes | bytearray):
        return "picture", bytes(value)
    if is_uri(value):
        head = _URI.match(value[:200])
        if not head or "base64" not in head[0]:
            raise DataError(f"{quote(value[:40])}: expected data:image/png;base64, and the bytes of a picture.")
        try:
            return "picture", base64.b64decode(value[head.end() :], validate=True)
        except ValueError as error:
            raise DataError(f"{quote(value[:40])}: expected base64, received something else ({error}).") from error
    if not isinstance(value, str | Path):
        raise DataError(
            f"expected a picture: a path, a data: URI, bytes or an array; received {type(value).__name__} {quote(repr(value)[:40])}."
        )
    path = Path(value)
    name = show_path(path) if str(value).strip() and len(str(value)) <= 1000 else quote(str(value))
    try:
        if not str(value).strip() or not path.is_file():
            what = "a folder" if path.is_dir() and str(value) else "no such file"
            raise DataError(f"{name}: expected a picture file, received {what}. Give the path of a picture.")
        if (size := path.stat().st_size) > MOST_BYTES:
            raise DataError(
                f"{name}: expected at most {MOST_BYTES >> 20} MB, received {size >> 20} MB. Make it smaller."
            )
        return name, path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise DataError(f"{name}: cannot be read ({getattr(error, 'strerror', None) or error}).") from error


def _check_size(picture: "Image", name: str) -> None:
    width, height = picture.size
    most = WEBP_POINTS if picture.format in ("WEBP", "AVIF") else MOST_POINTS
    if width * height > most:
        raise DataError(f"{name}: {_too_large(f'{width} x {height}', most)}")
    frames = getattr(picture, "n_frames", 1)
    if width * height * frames > most:
        raise DataError(f"{name}: {_too_large(f'{frames:,} frames of {width} x {height}', most)}")
    budget.spend(width * height, name)


def _too_large(received: str, most: int = MOST_POINTS) -> str:
    return f"expected at most {most // 1_000_000} million points, received {received}. Make it smaller."


def _seen(raw: bytes) -> str:
    """A description of the beginning of a file that is not a picture."""
    if not raw:
        return "an empty file"
    start = raw[:24].decode("latin-1")
    return ("text that begins " if start.isprintable() else "a file that begins ") + quote(start)


def _as(picture: "Image", mode: str) -> "Image":
    """The picture in a mode; the same object if it has that mode already."""
    return picture if picture.mode == mode else picture.convert(mode)


def _opaque(picture: "Image", white: White = WHITE) -> "Image":
    """Any mode -> L or RGB: transparency on white, 16 bits and more to 8."""
    if picture.mode in ("L", "RGB") and "transparency" not in picture.info:
        return picture.copy()  # one that needs its file no more
    if picture.mode.startswith(("I", "F")):
        return eight_bits(picture, white) if white else picture.copy()
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        return _on_white(picture)
    return picture.convert("L" if picture.mode == "1" else "RGB")


def _on_white(picture: "Image") -> "Image":
    pillow = _pillow()
    out = pillow.new("RGB", picture.size)
    for strip in strips(picture):
        clear = picture.crop(strip).convert("RGBA")
        white = pillow.new("RGBA", clear.size, (255, 255, 255, 255))
        out.paste(pillow.alpha_composite(white, clear).convert("RGB"), strip)
    out.info = {key: True for key in ("deep",) if key in picture.info}
    return out  # type: ignore[no-any-return]


def _from_array(value: Any, white: White = WHITE) -> "Image":
    try:
        points = np.asarray(value)
        if points.ndim == 3 and points.shape[0] in (1, 3) and points.shape[2] not in (1, 3, 4):
            points = points.transpose(1, 2, 0)
        if points.ndim == 3 and points.shape[2] == 1:
            points = points[:, :, 0]
        if points.shape[2:] in ((), (3,)) and (deeper := deep(points, white)) is not None:
            return deeper
        points = points.astype(np.float64) if points.dtype.kind in "fiub" and points.dtype != np.uint8 else points
        if points.dtype.kind == "f":
            # Whole numbers above 1 are bytes that went through JSON.
            points = np.rint(points * (255 if points.max(initial=0) <= 1 else 1))
            if not ((points >= 0) & (points <= 255)).all():
                raise ValueError("a value below 0, above 255 or not a number")
            points = points.astype(np.uint8)
        if (
            points.dtype != np.uint8
            or points.ndim not in (2, 3)
            or points.size == 0
            or points.shape[2:] not in (*((), (3,), (4,)),)
        ):
            raise ValueError(f"an array of shape {points.shape} and type {points.dtype}")
    except (ValueError, TypeError) as error:
        raise DataError(
            f"expected an array (H, W) or (H, W, 3) of 0 to 255, or of 0 to 1, received {str(error)[:120]}."
        ) from error
    if points.shape[0] * points.shape[1] > MOST_POINTS:
        raise DataError(_too_large(f"{points.shape[1]} x {points.shape[0]}"))
    return _opaque(_pillow().fromarray(np.ascontiguousarray(points)))
