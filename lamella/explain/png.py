"""Small pictures as PNG, without a library: a filter of a net, a picture as the net is given it."""

import base64
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


def png(points: Bytes) -> bytes:
    """(H, W) grey or (H, W, 3) red, green and blue, 0 to 255 -> a PNG file (W3C Recommendation, 2003, section 11).

    >>> png(np.zeros((2, 3), np.uint8))[:4]
    b'\\x89PNG'
    """
    colour = 2 if points.ndim == 3 else 0
    head = struct.pack(">IIBBBBB", points.shape[1], points.shape[0], 8, colour, 0, 0, 0)
    rows = b"".join(b"\0" + np.ascontiguousarray(row).tobytes() for row in points)  # 0: a row as it is
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    body = b"".join(struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + body


def as_uri(points: Bytes) -> str:
    """The same as a data URI."""
    return "data:image/png;base64," + base64.b64encode(png(points)).decode()


def picture(array: NDArray[Any]) -> Bytes:
    """What a net is given, (C, H, W) on any scale -> points from its least to its largest value."""
    low, high = float(array.min()), float(array.max())
    return _channels((array - low) * (255 / max(high - low, 1e-9)))


def weights(array: NDArray[Any], times: int = 8) -> Bytes:
    """A filter (C, H, W) -> points, 0 in the middle grey, each weight a square of so many points."""
    scaled = 127.5 + array * (127.5 / max(float(np.abs(array).max()), 1e-9))
    return _channels(scaled).repeat(times, axis=0).repeat(times, axis=1)


def _channels(array: NDArray[Any]) -> Bytes:
    """Three channels are colours; of any other number the mean is shown."""
    shown = array.transpose(1, 2, 0) if len(array) == 3 else array.mean(axis=0)
    points: Bytes = np.clip(np.rint(shown), 0, 255).astype(np.uint8)
    return points
