"""What the nets that are compiled share: the library, its structures, and weights packed as its products take them."""

import ctypes
from collections.abc import Callable, Mapping
from ctypes import POINTER, Structure, c_float, c_int, c_size_t, c_void_p
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lamella.errors import ModelError

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

Array = NDArray[Any]
LIBRARY = Path(__file__).with_name("transformer.so")
ALIGNED = 64  # bytes: packed weights are read a whole register at a time
SEVERAL = 16  # rows from which on a second thread is worth its start
FAILED = {1: "there is not enough memory", 2: "an id, a length or a path is out of range"}


class Matrix(Structure):
    _fields_ = [
        ("rows", c_int),
        ("columns", c_int),
        *((name, c_void_p) for name in ("packed", "scale", "bias", "zero")),
    ]


class Norm(Structure):
    _fields_ = [("weight", c_void_p), ("bias", c_void_p)]


class Layer(Structure):
    _fields_ = [
        *((name, Norm) for name in ("norm_attention", "norm_cross", "norm_feed")),
        *((name, Matrix) for name in ("joint", "out", "query", "cross_out", "up", "down")),
    ]


class Net(Structure):
    _fields_ = [
        *((name, c_int) for name in ("width", "heads", "inner", "pieces", "longest", "encoders", "decoders")),
        *((name, c_void_p) for name in ("table", "places", "table_scale", "places_scale", "positions")),
        ("factor", c_float),
        ("layers", POINTER(Layer)),
        ("key_value", POINTER(Matrix)),
        ("norm_encoder", Norm),
        ("norm_decoder", Norm),
    ]


@cache
def library() -> ctypes.CDLL | None:
    """The compiled functions; None where there are none, or where this processor cannot run them."""
    if not LIBRARY.is_file():
        return None
    try:
        found = ctypes.CDLL(str(LIBRARY))
        found.packed_size.restype = c_size_t
        return found if found.able() else None
    except (AttributeError, OSError):  # of another system, or of another release
        return None


class Packed:
    """A net whose weights are handed to the library. arrays: by name, as of `weights.py`. threads: the most at once."""

    def __init__(self, functions: ctypes.CDLL, arrays: Mapping[str, Array], threads: int) -> None:
        self.functions, self.arrays, self.threads = functions, arrays, threads
        self.kept: list[Array] = []  # what the structures of this net point to

    @cached_property
    def workers(self) -> "ThreadPoolExecutor":
        """Threads beside the one that asks: the functions let others run."""
        from concurrent.futures import ThreadPoolExecutor  # imported late: one sentence needs none

        return ThreadPoolExecutor(self.threads - 1, "lamella compiled")

    def parts(self, rows: int) -> list[tuple[int, int]]:
        """Rows in as many parts as there are threads, where that is worth it."""
        count = self.threads if rows >= SEVERAL else 1
        edges = [rows * i // count for i in range(count + 1)]
        return list(pairwise(edges))

    def spread(self, work: Callable[[int, int], int], parts: list[tuple[int, int]]) -> None:
        """Do the parts at once. ModelError where one fails."""
        others = [self.workers.submit(work, *part) for part in parts[1:]]
        for failed in [work(*parts[0]), *(other.result() for other in others)]:
            if failed:
                raise ModelError(f"the compiled net cannot be run: {FAILED.get(failed, failed)}.")

    def packed(self, rows: Array, ids: Array) -> tuple[Array, Array]:
        """Those of some rows (N, in) of bytes as the products take them, and 128 times the sum of each."""
        count, wide = len(ids), rows.shape[1]
        if count and not 0 <= ids.min() <= ids.max() < len(rows):
            raise ModelError(f"the compiled net cannot be run: {FAILED[2]}.")
        packed, zero = aligned(self.functions.packed_size(count, wide)), np.empty(count, np.int32)
        self.functions.pack_rows(
            *map(c_void_p, map(address_of, (rows, ids))), count, wide, *map(c_void_p, map(address_of, (packed, zero)))
        )
        return packed, zero

    def at(self, array: Array) -> int:
        self.kept.append(array)
        return address_of(array)

    def norm(self, name: str) -> Norm:
        return Norm(*(self.at(self.arrays[f"{name}.{part}"]) for part in ("weight", "bias")))

    def matrix(self, name: str) -> Matrix:
        arrays = self.arrays
        weight = arrays[f"{name}.weight_int8"]
        wide, count = weight.shape
        packed, zero = aligned(self.functions.packed_size(count, wide)), np.empty(count, np.int32)
        self.functions.pack_columns(
            c_void_p(address_of(weight)), count, wide, *map(c_void_p, map(address_of, (packed, zero)))
        )
        kept = packed, arrays[f"{name}.weight_scale"], arrays[f"{name}.bias"], zero
        return Matrix(wide, count, *(self.at(array) for array in kept))

    def layer(self, name: str, decoder: bool = False) -> Layer:
        cross = [self.matrix(f"{name}.cross.{part}") if decoder else Matrix() for part in ("query", "out")]
        return Layer(
            self.norm(f"{name}.norm_attention"), self.norm(f"{name}.norm_cross") if decoder else Norm(),
            self.norm(f"{name}.norm_feed"), self.matrix(f"{name}.attention.query_key_value"),
            self.matrix(f"{name}.attention.out"), *cross, self.matrix(f"{name}.feed.up"), self.matrix(f"{name}.feed.down"),
        )  # fmt: skip


def address_of(array: Array) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def aligned(size: int) -> Array:
    room = np.empty(size + ALIGNED, np.uint8)
    begin = -address_of(room) % ALIGNED
    return room[begin : begin + size]
