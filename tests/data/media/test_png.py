"""Small PNGs without Pillow: what is written can be read by Pillow, what is read is what Pillow reads, the rest is left to it."""

from __future__ import annotations

import base64
import io
import struct
import sys
import zlib

import numpy as np
import pytest

from lamella.data.media import budget
from lamella.data.media.images import encode_png, read_image
from lamella.data.media.png import BEGIN, READ, png_of, points_of
from lamella.errors import DataError

Image = pytest.importorskip("PIL.Image")


def filed(points, filters, kind: int = 0, depth: int = 8, more=(), whole: bool = True) -> bytes:
    """A PNG of points (H, W, C) with these filters of its rows, written out by the definition of each."""
    height, width, count = points.shape
    rows, before = [], np.zeros((width, count), int)
    for row, way in zip(points.astype(int), filters, strict=True):
        left = np.vstack([np.zeros((1, count), int), row[:-1]])
        corner = np.vstack([np.zeros((1, count), int), before[:-1]])
        guess = left + before - corner
        away = [abs(guess - one) for one in (left, before, corner)]
        paeth = np.where(
            (away[0] <= away[1]) & (away[0] <= away[2]), left, np.where(away[1] <= away[2], before, corner)
        )
        less = (np.zeros_like(row), left, before, (left + before) // 2, paeth)[way]
        rows.append(bytes([way]) + ((row - less) % 256).astype(np.uint8).tobytes())
        before = row
    data = zlib.compress(b"".join(rows) if whole else b"".join(rows)[:-1])
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    parts = [(b"IHDR", head), *more, (b"IDAT", data[:9]), (b"IDAT", data[9:]), (b"IEND", b"")]
    return BEGIN + b"".join(struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in parts)


def by_pillow(raw: bytes):
    points = np.asarray(Image.open(io.BytesIO(raw)))
    return points[:, :, None] if points.ndim == 2 else points


@pytest.mark.parametrize("shape", [(1, 1, 1), (16, 16, 1), (3, 50, 3), (33, 9, 3), (64, 64, 1), (1, 900, 3)])
def test_what_is_written_is_read(shape):
    rng = np.random.default_rng(0)
    for points in (rng.integers(0, 256, shape, np.uint8), np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8)):
        given = points[:, :, 0] if shape[2] == 1 else points
        raw = png_of(given)
        assert (points_of(raw) == points).all() and (by_pillow(raw) == points).all()
        assert encode_png(given) == "data:image/png;base64," + base64.b64encode(raw).decode()


def test_an_array_is_written_as_pillow_writes_it():
    rng = np.random.default_rng(0)
    for shape in ((1, 12, 12), (3, 12, 12), (12, 12, 3), (12, 12), (1, 70, 70), (3, 5, 3)):
        points = rng.integers(0, 256, shape, np.uint8)
        wanted = points.transpose(1, 2, 0) if shape[0] in (1, 3) and shape[2] > 4 else points
        assert (by_pillow(base64.b64decode(encode_png(points)[22:])).squeeze() == wanted.squeeze()).all()


@pytest.mark.parametrize("kind, count", [(0, 1), (2, 3)])
def test_rows_with_filters_are_read(kind, count):
    points = np.random.default_rng(1).integers(0, 256, (12, 7, count), np.uint8)
    for filters in ([0] * 12, [1] * 12, [2] * 12, [2, 2, 1, 0, 2, 2, 1, 2, 0, 0, 1, 2]):
        raw = filed(points, filters, kind)
        assert (by_pillow(raw) == points).all() and (points_of(raw) == points).all()
    for other in (3, 4):  # left to Pillow, and read by it
        raw = filed(points, [0] * 11 + [other], kind)
        assert points_of(raw) is None and (by_pillow(raw) == points).all()


def test_other_and_damaged_pictures_are_left_to_pillow():
    points = np.random.default_rng(1).integers(0, 256, (8, 8, 1), np.uint8)
    good = filed(points, [0] * 8)
    assert (points_of(good) == points).all()
    for at in range(
        8, len(good)
    ):  # each byte changed: nothing, since every chunk has a checksum, and its length a meaning
        changed = good[:at] + bytes([good[at] ^ 4]) + good[at + 1 :]
        assert points_of(changed) is None, at
    for end in range(len(good)):
        assert points_of(good[:end]) is None
    assert points_of(good + b"more") is None and points_of(good + good) is None and points_of(b"") is None
    assert points_of(filed(points, [0] * 8, more=[(b"tRNS", b"\0\7")])) is None  # what is transparent becomes white
    assert points_of(filed(points, [0] * 8, whole=False)) is None and points_of(filed(points, [0] * 8, 3)) is None
    assert points_of(filed(points, [0] * 8, depth=16)) is None
    huge = filed(np.zeros((1, READ, 1), np.uint8), [0])
    assert points_of(huge) is None and by_pillow(huge).shape == (1, READ, 1)


def test_a_picture_that_grows_is_not_unpacked():
    """The bytes that come out are counted, whatever the header says."""
    head = struct.pack(">IIBBBBB", 4, 4, 8, 0, 0, 0, 0)
    parts = (b"IHDR", head), (b"IDAT", zlib.compress(bytes(50_000_000))), (b"IEND", b"")
    raw = BEGIN + b"".join(struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in parts)
    assert len(raw) < READ and points_of(raw) is None


def test_pictures_are_read_the_same_with_and_without(monkeypatch):
    rng = np.random.default_rng(2)
    uris = [encode_png(rng.integers(0, 256, shape, np.uint8)) for shape in ((16, 16), (3, 16, 16), (20, 16), (3, 9, 9))]
    asked = [(uri, size, channels) for uri in uris for size in (16, 9) for channels in (1, 3)]
    fast = [read_image(*one) for one in asked]
    monkeypatch.setattr("lamella.data.media.images.points_of", lambda raw: None)
    for one, own in zip(asked, fast, strict=True):
        assert (read_image(*one) == own).all() and own.shape == (one[2], one[1], one[1])


def test_points_are_paid_for():
    uri = encode_png(np.zeros((16, 16), np.uint8))
    with budget.at_most(budget.Budget(300)):
        read_image(uri, 16, 1)
        with pytest.raises(DataError, match="million"):
            read_image(uri, 16, 1)


def test_a_small_png_needs_no_pillow(monkeypatch):
    uri = encode_png(np.full((5, 5), 9, np.uint8))
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert (read_image(uri, 5, 1) == 9).all()
