"""The `.bin` files of Marian, as Firefox and Bergamot use them: arrays by name, read from their bytes.

    u64 version = 1 | u64 count | count x (u64 name length, u64 type, u64 axes, u64 data length)
    names, each with a NUL at its end | shapes, i32 for each axis | u64 padding, and so many bytes | data, end to end

int8 matrices (type 0x4101) hold one byte a weight and, behind the last, one float32 by which all of them were multiplied
before they were rounded. They lie transposed, (out, in), while their shape says (in, out); only the table of embeddings
lies as its shape says. Layouts made for one kind of processor have types of their own and are refused.

The numbers in the file are not trusted: each is compared with the length of the file before anything is made of it.
"""

import math
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lamella.errors import ModelError

VERSION = 1
MOST_ARRAYS = 20_000
MOST_NAME, MOST_AXES = 1024, 8
INTGEMM8 = 0x4101  # int8 for any processor
KINDS = {0x101: "|i1", 0x104: "<i4", 0x201: "|u1", 0x404: "<f4", 0x402: "<f2"}
OTHERS = {0x4102: "int16", 0x801: "int8 packed for one processor", 0x802: "float16 packed for one processor"}
ALIGNED = 256  # bytes: what a block of int8 weights with its multiplier is rounded up to


def read_binary(raw: bytes, where: str) -> dict[str, NDArray[np.generic]]:
    """The bytes of a `.bin` model -> its arrays by name, int8 matrices as float32. Raises ModelError that names `where`."""
    try:
        return _read(raw)
    except (struct.error, ValueError, OverflowError) as error:
        raise ModelError(
            f"{where}: expected a Marian .bin model, and {error}. Copy the file again, or use one of the forms that "
            "`lamella import --help` lists."
        ) from error


def _read(raw: bytes) -> dict[str, NDArray[np.generic]]:
    if len(raw) < 16:
        raise ValueError(f"it has {len(raw)} bytes")
    version, count = struct.unpack_from("<QQ", raw)
    if version != VERSION:
        raise ValueError(f"it does not begin with the version {VERSION}")
    if not 0 < count <= min(MOST_ARRAYS, len(raw) // 32):
        raise ValueError(f"it claims {count:,} arrays ({MOST_ARRAYS:,} are the most)")
    headers = [struct.unpack_from("<4Q", raw, 16 + 32 * i) for i in range(count)]
    at = 16 + 32 * count
    names: list[str] = []
    for length, *_ in headers:
        if not 0 < length <= MOST_NAME or at + length > len(raw):
            raise ValueError(f"a name claims {length:,} bytes")
        names.append(raw[at : at + length].rstrip(b"\0").decode())
        at += length
    if len(set(names)) < len(names):
        raise ValueError("an array stands in it twice")
    shapes: list[tuple[int, ...]] = []
    for _, _, axes, _ in headers:
        if axes > MOST_AXES:
            raise ValueError(f"an array claims {axes:,} axes")
        shapes.append(struct.unpack_from(f"<{axes}i", raw, at))
        at += 4 * axes
    (padding,) = struct.unpack_from("<Q", raw, at)
    at += 8 + padding
    arrays: dict[str, NDArray[np.generic]] = {}
    for name, (_, kind, _, length), shape in zip(names, headers, shapes, strict=True):
        if at + length > len(raw):
            raise ValueError(f"{name[:60]!r} ends behind the end of the file")
        arrays[name] = _array(name, kind, shape, memoryview(raw)[at : at + length])
        at += length
    if at != len(raw):
        raise ValueError(f"{len(raw) - at:,} bytes of it belong to no array")
    return arrays


def _array(name: str, kind: int, shape: tuple[int, ...], data: memoryview) -> NDArray[np.generic]:
    size = math.prod(shape)
    if any(n < 0 for n in shape):
        raise ValueError(f"{name[:60]!r} has the shape {shape}")
    if kind == INTGEMM8:
        if len(data) not in (size + 4, -(-(size + 4) // ALIGNED) * ALIGNED):
            raise ValueError(f"{name[:60]!r} has the shape {shape} and {len(data):,} bytes")
        (multiplier,) = struct.unpack_from("<f", data, size)
        if not (math.isfinite(multiplier) and multiplier > 0):
            raise ValueError(f"{name[:60]!r} was multiplied by {multiplier}")
        weights = np.frombuffer(data, np.int8, size).astype(np.float32) / np.float32(multiplier)
        if name.endswith("Wemb") or len(shape) != 2:
            return weights.reshape(shape)
        return weights.reshape(shape[::-1]).T
    if kind not in KINDS:
        raise ValueError(f"{name[:60]!r} is of type {OTHERS.get(kind, hex(kind))}, which is not supported")
    dtype = np.dtype(KINDS[kind])
    # The writer rounds blocks up to whole lines, so that more bytes than numbers are no fault.
    if not size * dtype.itemsize <= len(data) < size * dtype.itemsize + ALIGNED:
        raise ValueError(f"{name[:60]!r} has the shape {shape} and {len(data):,} bytes")
    return np.frombuffer(data, dtype, size).reshape(shape)


def is_binary(path: Path) -> bool:
    """Whether a file begins as a `.bin` model of Marian does."""
    try:
        with path.open("rb") as file:
            return file.read(8) == VERSION.to_bytes(8, "little")
    except OSError:
        return False
