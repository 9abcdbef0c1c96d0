"""Safetensors files: the header checked before any tensor is made of it.

    8 bytes: length of the header | header: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}} | data

What is checked: the size of the header and the number of tensors (a header of 300,000 entries takes other readers 16 s),
known types, whole sizes, and that the tensors cover the data end to end, without a gap or an overlap.
"""

import math
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lamella.errors import ModelError

MOST_HEADER = 4 << 20  # bytes
MOST_TENSORS = 20_000
KINDS = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BOOL": "|b1",
    "I64": "<i8", "I32": "<i4", "I8": "|i1", "U16": "<u2", "U8": "|u1",
}  # fmt: skip


class _Entry(msgspec.Struct):
    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


def read_tensors(raw: bytes, where: str) -> dict[str, NDArray[Any]]:
    """The bytes of a safetensors file -> its arrays by name, read-only. Raises ModelError that names `where`.

    >>> header = b'{"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}'
    >>> raw = len(header).to_bytes(8, "little") + header + np.array([1, 2], "<f4").tobytes()
    >>> read_tensors(raw, "x.safetensors")["x"].tolist()
    [1.0, 2.0]
    """

    def refused(why: str) -> ModelError:
        return ModelError(f"{where}: expected a safetensors file, and {why}. Do not use this file.")

    size = int.from_bytes(raw[:8], "little")
    if len(raw) < 10 or raw[8:9] != b"{":
        raise refused("it does not begin with a header")  # a pickle ends here, whatever it is called
    if size > min(MOST_HEADER, len(raw) - 8):
        raise refused(f"its header claims {size:,} bytes: {MOST_HEADER:,} are the most, and those of the file")
    header = raw[8 : 8 + size]
    try:
        parts = msgspec.json.decode(header, type=dict[str, msgspec.Raw])
        parts.pop("__metadata__", None)
        if len(parts) > MOST_TENSORS:
            raise refused(f"it holds {len(parts):,} tensors: {MOST_TENSORS:,} are the most")
        entries = {name: msgspec.json.decode(part, type=_Entry) for name, part in parts.items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refused(f"its header is damaged ({error})") from error
    data, end = memoryview(raw)[8 + size :], 0
    tensors: dict[str, NDArray[Any]] = {}
    for name, entry in sorted(entries.items(), key=lambda pair: pair[1].data_offsets):
        first, last = entry.data_offsets
        kind = KINDS.get(entry.dtype)
        if kind is None or len(entry.shape) > 8 or any(n < 0 for n in entry.shape):
            raise refused(f"{name[:60]!r} is of type {entry.dtype[:20]!r} and shape {entry.shape[:8]}")
        if first != end or last - first != math.prod(entry.shape) * np.dtype(kind).itemsize:
            raise refused(f"{name[:60]!r} does not fill its place in the file")
        if last > len(data):
            raise refused(f"{name[:60]!r} ends behind the end of the file")
        tensors[name], end = np.frombuffer(data[first:last], kind).reshape(entry.shape), last
    if end != len(data):
        raise refused(f"{len(data) - end:,} bytes of it belong to no tensor")
    return tensors


def write_tensors(tensors: dict[str, NDArray[Any]]) -> bytes:
    """Arrays by name -> the bytes of a safetensors file that `read_tensors` reads.

    >>> read_tensors(write_tensors({"x": np.array([1, 2])}), "x")["x"].tolist()
    [1, 2]
    """
    names = {np.dtype(kind): name for name, kind in KINDS.items()}
    header, parts, at = {}, [], 0
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array)
        raw = raw.astype(raw.dtype.newbyteorder("<"))
        header[name] = _Entry(names[raw.dtype], list(raw.shape), (at, at + raw.nbytes))
        parts.append(raw.tobytes())
        at += raw.nbytes
    head = msgspec.json.encode(header)
    head += b" " * (-len(head) % 8)
    return b"".join([len(head).to_bytes(8, "little"), head, *parts])
