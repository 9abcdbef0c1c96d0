"""Pictures of more than 8 bits: one is as bright beside another as it was."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from lamella import DataError
from lamella.data.media.images import even, fingerprint, read_image, shape_of, white_of

Image = pytest.importorskip("PIL.Image")
RAMP = np.linspace(0, 1, 64).reshape(8, 8)
KINDS = {  # of pictures that say more than 8 bits do: how each is stored, and how the data set is read
    "12 bits": (lambda part: (RAMP * part * 4095).astype(np.uint16), "png", 4095),
    "12 bits, big-endian": (lambda part: Image.frombytes("I;16B", (8, 8), (RAMP * part * 4095).astype(">u2").tobytes()),
                            "tif", 4095),
    "16 bits, of a portable map": (lambda part: (RAMP * part * 65535).astype(np.uint16), "pgm", 65535),
    "floats to 1": (lambda part: (RAMP * part).astype(np.float32), "tif", 65535),
    "floats of a camera": (lambda part: (RAMP * part * 4095).astype(np.float32), "tif", [0, 4095]),
    "heights below the sea": (lambda part: (RAMP * part * 2000 - 1000).astype(np.float32), "tif", [-1000, 1000]),
    "whole numbers with a sign": (lambda part: (RAMP * part * 2000 - 1000).astype(np.int32), "tif", [-1000, 1000]),
    "more than 16 bits": (lambda part: (RAMP * part * 100_000).astype(np.int32), "tif", [0, 100_000]),
    "not all are numbers": (lambda part: np.where(RAMP < 0.1, np.nan, RAMP * part * 300).astype(np.float32), "tif", [0, 300]),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_one_picture_is_as_bright_beside_another_as_it_was(kind, tmp_path):
    make, suffix, wanted = KINDS[kind]
    paths = [tmp_path / f"{name}.{suffix}" for name in "ab"]
    for path, part in zip(paths, (1.0, 0.5), strict=True):
        made = make(part)
        (Image.fromarray(made) if isinstance(made, np.ndarray) else made).save(path)
    white = white_of(paths)
    assert white == pytest.approx(wanted, abs=1)
    assert [int(read_image(path, 8, 1, white).max()) for path in paths] == pytest.approx([255, 127], abs=1)
    assert shape_of(paths, white=white)[1] == 1 and fingerprint(paths[0]) != fingerprint(paths[1])
    shown = even(paths[1], white)
    assert shown.dtype == np.uint8 and np.array_equal(read_image(shown, 8, 1), read_image(paths[1], 8, 1, white))


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (lambda part: np.stack([RAMP * part * 4095] * 3, axis=2).astype(np.uint16), 4095),
        (lambda part: (RAMP * part * 4095).astype(np.uint16)[:, :, None], 4095),
        (lambda part: (RAMP * part * 4095).astype(np.int64).tolist(), 4095),
        (lambda part: RAMP * part * 4095, [0, 4095]),
        (lambda part: RAMP * part * 3 - 1.5, [-1.5, 1.5]),
        (lambda part: (RAMP * part * 2000 - 1000).astype(np.int16), [-1000, 1000]),
    ],
)
def test_arrays_of_more_than_eight_bits(make, wanted):
    white = white_of([make(1.0), make(0.5)])
    assert white == pytest.approx(wanted, abs=1)
    assert [int(read_image(make(part), 8, 1, white).max()) for part in (1.0, 0.5)] == pytest.approx([255, 127], abs=1)
    if not isinstance(white, int):
        with pytest.raises(DataError, match="0 to 255, or of 0 to 1"):
            read_image(make(1.0), 8, 1)  # a model of other pictures does not know what is white here
    dark = np.full((8, 8), 200, np.uint16)
    assert read_image(dark, 8, 1, 4095).max() == 12, "dark among pictures of 12 bits, not 200 of 255"


def test_colours_of_twelve_bits_in_sixteen_are_refused(tmp_path):
    def chunk(tag, raw):
        return struct.pack(">I", len(raw)) + tag + raw + struct.pack(">I", zlib.crc32(tag + raw))

    def png(kind, points):
        head = struct.pack(">IIBBBBB", 8, 8, 16, kind, 0, 0, 0)
        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in points)
        parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
        return b"\x89PNG\r\n\x1a\n" + parts

    for kind, clear in ((2, []), (4, [RAMP * 0 + 65535]), (6, [RAMP * 0 + 65535])):
        for most, fine in ((4095, False), (65535, True)):
            colours = [RAMP * most] * (1 if kind == 4 else 3)
            raw = png(kind, np.stack([*colours, *clear], axis=2))
            if fine:
                assert white_of([raw]) == 65535 and read_image(raw, 8, 1).max() == 255
            else:
                with pytest.raises(DataError, match=r"at most 14 bits in 16.*Convert"):
                    white_of([raw])
