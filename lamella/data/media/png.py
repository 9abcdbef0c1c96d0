"""Small, plain pictures as PNG, written and read without Pillow, which sets up for pictures of any kind and size.

    png_of(points)          (H, W) or (H, W, 3) -> the bytes of a file
    points_of(raw)          the bytes of such a file -> (H, W, C); None for any other picture, which Pillow reads

Plain are grey and colour of 8 bits whose rows are stored as they are, as differences from the point before or from the row
above, with nothing else in the file: such are those of `png_of` and of OpenCV.
"""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

SMALL = 4096  # bytes of points up to which a picture is written here
READ = 1 << 16  # bytes of a file, and of its points, up to which it is read here
BEGIN = b"\x89PNG\r\n\x1a\n"
END = b"\0\0\0\0IEND\xaeB`\x82"
CHANNELS = {0: 1, 2: 3}  # by the kind of picture, grey or colour
NONE, SUB, UP = 0, 1, 2  # filters of a row
Bytes = NDArray[np.uint8]


def png_of(points: Bytes) -> bytes:
    """Points (H, W) or (H, W, 3) as the bytes of a file.

    >>> points_of(png_of(np.array([[3, 200, 7]], np.uint8))).tolist()
    [[[3], [200], [7]]]
    """
    height, width = points.shape[:2]
    values = points.reshape(height, width, -1)
    rows = np.empty((height, 1 + values.size // height), np.uint8)
    rows[:, 0] = SUB  # before each row its filter
    less = rows[:, 1:].reshape(values.shape)  # a view
    less[:, 0] = values[:, 0]
    np.subtract(values[:, 1:], values[:, :-1], out=less[:, 1:])
    raw = rows.tobytes()
    # A window and tables no larger than the picture: to clear those for any size takes most of the time.
    bits = min(15, max(9, len(raw).bit_length()))
    packer = zlib.compressobj(9, zlib.DEFLATED, bits, min(9, bits - 5))
    head = struct.pack(">4sIIBBBBB", b"IHDR", width, height, 8, 0 if values.shape[2] == 1 else 2, 0, 0, 0)
    body = b"IDAT" + packer.compress(raw) + packer.flush()
    return b"".join((BEGIN, _number(len(head) - 4), head, _sum(head), _number(len(body) - 4), body, _sum(body), END))


def _number(value: int) -> bytes:
    return value.to_bytes(4, "big")


def _sum(chunk: bytes) -> bytes:
    """What stands behind a chunk, by which damage is seen."""
    return _number(zlib.crc32(chunk))


def points_of(raw: bytes) -> Bytes | None:
    """The points (H, W, C) of a plain picture; None for another one, and for one that is damaged."""
    try:
        return _points(raw) if len(raw) <= READ and raw[:8] == BEGIN else None
    except (struct.error, zlib.error, ValueError):  # ValueError: fewer chunks than there must be
        return None


def _points(raw: bytes) -> Bytes | None:
    chunks, at = list[tuple[bytes, bytes]](), 8
    while at < len(raw):
        size, kind = struct.unpack_from(">I4s", raw, at)
        body, at = raw[at + 8 : at + 8 + size], at + 12 + size
        if zlib.crc32(body, zlib.crc32(kind)) != struct.unpack_from(">I", raw, at - 4)[0]:
            return None
        chunks.append((kind, body))
    (first, head), *stored, (last, _) = chunks
    if first != b"IHDR" or last != b"IEND" or not stored or any(kind != b"IDAT" for kind, _ in stored):
        return None
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", head)
    count = CHANNELS.get(colour, 0)
    size = height * (1 + width * count)
    if depth != 8 or not count or any(rest) or not 0 < width * height <= READ or size > READ:
        return None
    unpacker = zlib.decompressobj()
    out = unpacker.decompress(b"".join(body for _, body in stored), size + 1)
    if len(out) != size or not unpacker.eof:
        return None
    rows = np.frombuffer(bytearray(out), np.uint8).reshape(height, -1)
    filters, values = rows[:, 0], rows[:, 1:].reshape(height, width, count)
    kinds = filters.tobytes()
    if kinds.count(SUB) == height:  # as `png_of` and OpenCV write it
        return np.add.accumulate(values, axis=1, dtype=np.uint8)
    if max(kinds) > UP:
        return None
    beside = filters == SUB
    values[beside] = np.add.accumulate(values[beside], axis=1, dtype=np.uint8)
    for row in np.flatnonzero(filters == UP).tolist():
        values[row] += values[row - 1] if row else 0
    return values
