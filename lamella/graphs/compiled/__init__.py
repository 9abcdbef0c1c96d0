"""Transformers in int8, compiled: the encoder and the step of a translator as one function each, and an encoder that fills masks.

onnxruntime runs a step as 170 operators, of which each takes microseconds however little it computes: most of the time of one
sentence. `transformer.c` computes the same with the same weights and the same rounding. It is compiled when lamella is
installed, where there is a C compiler, and used where the processor can multiply bytes (AVX-512 with VNNI); everywhere else,
and for models that did not come with the package, onnxruntime does the same work. `LAMELLA_COMPILED=0` in the environment
turns it off.
"""

import ctypes
import os
from collections.abc import Container, Mapping
from ctypes import Structure, byref, c_int, c_void_p

import numpy as np

from lamella.graphs.compiled.fill import FILL, CompiledFill
from lamella.graphs.compiled.packed import Array, Layer, Matrix, Net, Packed, address_of, library
from lamella.graphs.compiled.weights import Weights, read_encoder, read_weights

__all__ = ["Compiled", "CompiledFill", "CompiledStep", "compiled", "library", "runs"]

Arrays = dict[str, Array]
FILES = ("encode.onnx", "step.onnx")
SWITCH = "LAMELLA_COMPILED"


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


def compiled(files: Mapping[str, bytes], threads: int = 1) -> "Compiled | CompiledFill | None":
    """Of a model that came with the package what does the work of its graphs; None where onnxruntime is to run them.

    These are `encode` and `step` of a translator, `fill` of an encoder that fills masks.
    """
    if not runs(files):
        return None
    there = library()
    if FILL in files:
        encoder = read_encoder(files[FILL])
        return CompiledFill(there, encoder, threads) if there and encoder else None
    weights = read_weights(*(files[name] for name in FILES))
    return Compiled(there, weights, threads) if there and weights else None


def runs(names: Container[str]) -> bool:
    """Whether a model of the package with these files is of a kind that is compiled, and this machine can run it."""
    if os.environ.get(SWITCH) == "0" or not (FILL in names or all(name in names for name in FILES)):
        return False
    there = library()
    return there is not None and (FILL not in names or hasattr(there, "fill"))  # which earlier releases had not


class Compiled(Packed):
    """An encoder and a decoder that were compiled. threads: the most at once."""

    files = FILES  # whose work it does

    def __init__(self, functions: ctypes.CDLL, weights: Weights, threads: int) -> None:
        super().__init__(functions, weights.arrays, threads)
        w = self.weights = weights
        self._layers = (Layer * (w.encoders + w.decoders))(
            *(self.layer(f"encoder.{i}", decoder=False) for i in range(w.encoders)),
            *(self.layer(f"decoder.{i}", decoder=True) for i in range(w.decoders)),
        )
        self._key_value = (Matrix * w.decoders)(
            *(self.matrix(f"decoder.{i}.cross.key_value") for i in range(w.decoders))
        )
        self.net = Net(
            w.width, w.heads, w.inner, w.pieces, w.longest, w.encoders, w.decoders,
            *(self.at(array) for array in (w.table, w.places, w.table_scale, w.places_scale, w.positions)),
            w.factor, self._layers, self._key_value, self.norm("norm_encoder"), self.norm("norm_decoder"),
        )  # fmt: skip

    def answer(self, inputs: Arrays) -> Arrays | None:
        """Nothing: a search asks for `read`, and whoever runs a graph by itself has the engine do it."""
        return None

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
                byref(self.net), c_void_p(address_of(begin[0])), source.shape[1], c_void_p(address_of(begin[1])),
                last - first, memory.shape[1], c_void_p(address_of(begin[2])),
            )  # fmt: skip
            return failed

        self.spread(encode, parts)
        return {"sentence": np.arange(len(source))}, CompiledStep(self, memory, lengths, candidates, allowed)


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
        self._fixed_at = [None if array is None else address_of(array) for array in self._fixed]

    def empty(self, **sizes: int) -> Arrays:
        """The state before the first step."""
        return {"path": np.zeros((sizes["batch"], sizes["beam"], 0), np.int32)}

    def __call__(self, **inputs: Array) -> Arrays:
        token, path, sentence = inputs["token"], inputs["path"], inputs["sentence"]
        (batch, beam), length = token.shape, path.shape[2]
        rows, w = batch * beam, self._of.weights
        self._past[length:] = [np.empty((rows, 2 * w.width * w.decoders), np.float32)]
        self._places[:, length] = address_of(self._past[length]), rows
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
        past, past_rows, candidates = (
            address_of(self._places[0]),
            address_of(self._places[1]),
            address_of(self._candidates),
        )
        each = tokens, whose, grown, scores, found
        at = [(address_of(array), array.strides[0]) for array in each]

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
