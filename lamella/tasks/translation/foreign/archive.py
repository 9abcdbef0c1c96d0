"""`.npz` files, a zip of arrays as numpy and Marian write it: read without running anything that a file asks for.

What is checked before an array is made: how many members the list of contents holds, that each is stored or deflated and of
a size that its own header confirms, and that it holds numbers. An array of Python objects is a pickle and is refused.
"""

import math
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.errors import ModelError

LARGEST = 2 << 30  # bytes of all arrays together
MOST_MEMBERS = 20_000
RATIO, LEAST = 100, 64 << 20  # unpacked to packed; what holds less than that unpacked may be any times larger
END = b"PK\5\6"  # of a zip: the record that says how many members there are
NUMBERS = "fiub"  # kinds of dtype


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """A `.npz` file -> its arrays by name. Raises ModelError where it is damaged, too large, or holds objects."""
    try:
        _few_members(path)
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            packed, unpacked = sum(m.compress_size for m in members), sum(m.file_size for m in members)
            if unpacked > LARGEST or (unpacked > LEAST and unpacked > RATIO * packed):
                raise ValueError(f"it would unpack to {unpacked:,} bytes")
            names = [m.filename.removesuffix(".npy") for m in members]
            if len(set(names)) < len(names):
                raise ValueError("an array stands in it twice")
            return {name: _array(archive, member) for name, member in zip(names, members, strict=True)}
    except (
        OSError, ValueError, SyntaxError, TypeError, RecursionError, MemoryError, OverflowError, NotImplementedError,
        RuntimeError, EOFError, struct.error, zlib.error, zipfile.BadZipFile,
    ) as error:  # fmt: skip
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise ModelError(
            f"{path}: expected a Marian .npz model, a zip of numpy arrays, and {reason}. Copy the file again."
        ) from error


def _few_members(path: Path) -> None:
    """The library reads the whole list of contents into objects before one can look, so the end is read first."""
    size = path.stat().st_size
    if size > LARGEST:
        raise ValueError(f"it has {size:,} bytes")
    with path.open("rb") as file:
        file.seek(max(0, size - 65_557))
        tail = file.read(65_557)
    place = tail.rfind(END)
    if place < 0 or len(tail) < place + 22:
        raise ValueError("it is no zip")
    (count,) = struct.unpack_from("<H", tail, place + 10)
    if not 0 < count <= MOST_MEMBERS:
        raise ValueError(f"it has {count:,} members, expected 1 to {MOST_MEMBERS:,}")


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    name = member.filename[:60]
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name!r} is packed in a way that numpy does not use")
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"{name!r} is of version {version} of the format")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_columns, dtype = read(file)
        if dtype.hasobject:
            raise ValueError(f"{name!r} is a pickle, which could run any code; lamella opens none")
        if dtype.kind not in NUMBERS or len(shape) > 8 or any(n < 0 for n in shape):
            raise ValueError(f"{name!r} holds {dtype} of the shape {shape[:8]}")
        size = math.prod(shape) * dtype.itemsize
        if size > member.file_size:
            raise ValueError(f"{name!r} claims {size:,} bytes and has {member.file_size:,}")
        data = file.read(size + 1)
    if len(data) != size:
        raise ValueError(f"{name!r} does not end where its header says")
    array = np.frombuffer(data, dtype)
    return array.reshape(shape[::-1]).T if by_columns else array.reshape(shape)
