"""Encoder-decoder Transformers in int8, compiled: the encoder and the step of a decoder as one function each.

onnxruntime runs a step as 170 operators, of which each takes microseconds however little it computes: most of the time of one
sentence. `transformer.c` computes the same with the same weights and the same rounding. It is compiled when lamella is
installed, where there is a C compiler, and used where the processor can multiply bytes (AVX-512 with VNNI); everywhere else,
and for models that did not come with the package, onnxruntime does the same work. `LAMELLA_COMPILED=0` in the environment
turns it off.
"""

import ctypes
import os
from collections.abc import Callable, Container, Mapping
from ctypes import POINTER, Structure, byref, c_float, c_int, c_size_t, c_void_p
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lamella.errors import ModelError
from lamella.graphs.compiled.weights import Weights, read_weights

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

Array = NDArray[Any]
Arrays = dict[str, Array]
FILES = ("encode.onnx", "step.onnx")
LIBRARY = Path(__file__).with_name("transformer.so")
SWITCH = "LAMELLA_COMPILED"
ALIGNED = 64  # bytes: packed weights are read a whole register at a time
SEVERAL = 16  # hypotheses from which on a second thread is worth its start
FAILED = {1: "there is not enough memory", 2: "an id, a length or a path is out of range"}


class _Matrix(Structure):
    _fields_ = [
        ("rows", c_int),
        ("columns", c_int),
        *((name, c_void_p) for name in ("packed", "scale", "bias", "zero")),
    ]


class _Norm(Structure):
    _fields_ = [("weight", c_void_p), ("bias", c_void_p)]


class _Layer(Structure):
    _fields_ = [
        *((name, _Norm) for name in ("norm_attention", "norm_cross", "norm_feed")),
        *((name, _Matrix) for name in ("joint", "out", "query", "cross_out", "up", "down")),
    ]


class _Net(Structure):
    _fields_ = [
        *((name, c_int) for name in ("width", "heads", "inner", "pieces", "longest", "encoders", "decoders")),
        *((name, c_void_p) for name in ("table", "places", "table_scale", "places_scale", "positions")),
        ("factor", c_float),
        ("layers", POINTER(_Layer)),
        ("key_value", POINTER(_Matrix)),
        ("norm_encoder", _Norm),
        ("norm_decoder", _Norm),
    ]


class _Step(Structure):
    _fields_ = [
        *((name, c_int) for name in ("first", "rows", "sentences", "length")),
        *((name, c_void_p) for name in ("tokens", "sentence", "path", "past", "past_rows", "memory", "lengths")),
        ("longest", c_int),
        ("candidates", c_void_p),
        ("count", c_int),
        *((name, c_void_p) for name in ("packed", "scale", "zero", "allowed")),
        ("best", c_int),
        ("scores", c_void_p),
        ("found", c_void_p),
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


def compiled(files: Mapping[str, bytes], threads: int = 1) -> "Compiled | None":
    """The graphs `encode` and `step` of a model that came with the package; None where onnxruntime is to run them."""
    if not runs(files):
        return None
    there, weights = library(), read_weights(*(files[name] for name in FILES))
    return Compiled(there, weights, threads) if there and weights else None


def runs(names: Container[str]) -> bool:
    """Whether a model of the package with these files is of the kind that is compiled, and this machine can run it."""
    return os.environ.get(SWITCH) != "0" and all(name in names for name in FILES) and library() is not None


class Compiled:
    """An encoder and a decoder that were compiled. threads: the most at once."""

    files = FILES  # whose work it does

    def __init__(self, functions: ctypes.CDLL, weights: Weights, threads: int) -> None:
        self.functions, self.weights, self.threads = functions, weights, threads
        self._kept: list[Array] = []  # what the structures below point to
        w = weights
        self._layers = (_Layer * (w.encoders + w.decoders))(
            *(self._layer(f"encoder.{i}", decoder=False) for i in range(w.encoders)),
            *(self._layer(f"decoder.{i}", decoder=True) for i in range(w.decoders)),
        )
        self._key_value = (_Matrix * w.decoders)(
            *(self._matrix(f"decoder.{i}.cross.key_value") for i in range(w.decoders))
        )
        self.net = _Net(
            w.width, w.heads, w.inner, w.pieces, w.longest, w.encoders, w.decoders,
            *(self._at(array) for array in (w.table, w.places, w.table_scale, w.places_scale, w.positions)),
            w.factor, self._layers, self._key_value, self._norm("norm_encoder"), self._norm("norm_decoder"),
        )  # fmt: skip

    @cached_property
    def workers(self) -> "ThreadPoolExecutor":
        """Threads beside the one that asks: the functions let others run."""
        from concurrent.futures import ThreadPoolExecutor  # imported late: one sentence needs none

        return ThreadPoolExecutor(self.threads - 1, "lamella compiled")

    def read(self, source: Array, candidates: Array, allowed: Array) -> tuple[Arrays, "CompiledStep"]:
        """Encode sources (B, S), padded with zeros: what a search carries for each, and the step that continues them.

        candidates (N,): the ids that are scored, in order; allowed (B, N): which of them are each sentence's.
        """
        w = self.weights
        source, lengths = np.ascontiguousarray(source, np.int64), (source != 0).sum(axis=1).astype(np.int64)
        memory = np.empty((len(source), int(lengths.max(initial=1)), 2 * w.width * w.decoders), np.float32)
        parts = self.parts(len(source))

        def encode(first: int, last: int) -> int:
            begin = source[first:last], lengths[first:last], memory[first:last]
            failed: int = self.functions.encode(
                byref(self.net), c_void_p(_address(begin[0])), source.shape[1], c_void_p(_address(begin[1])),
                last - first, memory.shape[1], c_void_p(_address(begin[2])),
            )  # fmt: skip
            return failed

        self.spread(encode, parts)
        return {"sentence": np.arange(len(source))}, CompiledStep(self, memory, lengths, candidates, allowed)

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
        packed, zero = _aligned(self.functions.packed_size(count, wide)), np.empty(count, np.int32)
        self.functions.pack_rows(
            *map(c_void_p, map(_address, (rows, ids))), count, wide, *map(c_void_p, map(_address, (packed, zero)))
        )
        return packed, zero

    def _at(self, array: Array) -> int:
        self._kept.append(array)
        return _address(array)

    def _norm(self, name: str) -> _Norm:
        return _Norm(*(self._at(self.weights.arrays[f"{name}.{part}"]) for part in ("weight", "bias")))

    def _matrix(self, name: str) -> _Matrix:
        arrays = self.weights.arrays
        weight = arrays[f"{name}.weight_int8"]
        wide, count = weight.shape
        packed, zero = _aligned(self.functions.packed_size(count, wide)), np.empty(count, np.int32)
        self.functions.pack_columns(
            c_void_p(_address(weight)), count, wide, *map(c_void_p, map(_address, (packed, zero)))
        )
        kept = packed, arrays[f"{name}.weight_scale"], arrays[f"{name}.bias"], zero
        return _Matrix(wide, count, *(self._at(array) for array in kept))

    def _layer(self, name: str, decoder: bool) -> _Layer:
        cross = [self._matrix(f"{name}.cross.{part}") if decoder else _Matrix() for part in ("query", "out")]
        return _Layer(
            self._norm(f"{name}.norm_attention"), self._norm(f"{name}.norm_cross") if decoder else _Norm(),
            self._norm(f"{name}.norm_feed"), self._matrix(f"{name}.attention.query_key_value"),
            self._matrix(f"{name}.attention.out"), *cross, self._matrix(f"{name}.feed.up"), self._matrix(f"{name}.feed.down"),
        )  # fmt: skip


class CompiledStep:
    """The next pieces of translations: tokens are ids, not places among the candidates. One search at a time.

    Keys and values stay where each step wrote them. A hypothesis carries its `path`: in which row each of its positions was
    computed, so that reordering hypotheses moves a few numbers and not their keys.
    """

    def __init__(self, of: Compiled, memory: Array, lengths: Array, candidates: Array, allowed: Array) -> None:
        self._of, self._past = of, list[Array]()
        self._places = np.empty(
            (2, of.weights.longest + 1), np.int64
        )  # of each step, where its keys are and how many rows
        self._candidates = np.ascontiguousarray(candidates, np.int64)
        self._packed, zero = of.packed(of.weights.table, self._candidates)
        scale = of.weights.table_scale[self._candidates]
        all_of_all = None if allowed.all() else np.ascontiguousarray(allowed).view(np.uint8)
        self._fixed = memory, lengths, self._packed, scale, zero, all_of_all
        self._fixed_at = [None if array is None else _address(array) for array in self._fixed]

    def empty(self, **sizes: int) -> Arrays:
        """The state before the first step."""
        return {"path": np.zeros((sizes["batch"], sizes["beam"], 0), np.int32)}

    def __call__(self, **inputs: Array) -> Arrays:
        token, path, sentence = inputs["token"], inputs["path"], inputs["sentence"]
        (batch, beam), length = token.shape, path.shape[2]
        rows, w = batch * beam, self._of.weights
        self._past[length:] = [np.empty((rows, 2 * w.width * w.decoders), np.float32)]
        self._places[:, length] = _address(self._past[length]), rows
        grown = np.empty((rows, length + 1), np.int32)
        grown[:, :length], grown[:, length] = path.reshape(rows, length), np.arange(rows)
        tokens = np.ascontiguousarray(token, np.int64).reshape(rows)
        whose = (
            np.repeat(np.ascontiguousarray(sentence, np.int64), beam)
            if beam > 1
            else np.ascontiguousarray(sentence, np.int64)
        )
        scores, found = np.empty((rows, w.best), np.float32), np.empty((rows, w.best), np.int64)
        memory, lengths, packed, scale, zero, allowed = self._fixed_at
        past, past_rows, candidates = _address(self._places[0]), _address(self._places[1]), _address(self._candidates)
        each = tokens, whose, grown, scores, found
        at = [(_address(array), array.strides[0]) for array in each]

        def step(first: int, last: int) -> int:
            token_at, whose_at, path_at, scores_at, found_at = (place + first * stride for place, stride in at)
            asked = _Step(
                first, last - first, len(self._fixed[0]), length, token_at, whose_at, path_at, past, past_rows, memory, lengths,
                self._fixed[0].shape[1], candidates, len(self._candidates), packed, scale, zero, allowed, w.best, scores_at, found_at,
            )  # fmt: skip
            failed: int = self._of.functions.step(byref(self._of.net), byref(asked))
            return failed

        self._of.spread(step, self._of.parts(rows))
        shape = batch, beam, w.best
        return {
            "scores": scores.reshape(shape),
            "tokens": found.reshape(shape),
            "path": grown.reshape(batch, beam, length + 1),
        }


def _address(array: Array) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _aligned(size: int) -> Array:
    room = np.empty(size + ALIGNED, np.uint8)
    begin = -_address(room) % ALIGNED
    return room[begin : begin + size]
