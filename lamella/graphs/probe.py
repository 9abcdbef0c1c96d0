"""Record the hidden values of a net's graphs while it answers.

    probes = attach(files, {"encode": ["relu_1"]})
    task.decode(probes, inputs)
    probes["encode"].calls        for each call its inputs and the inner values, in order

A probe has the same interface as the graph it stands for, so `decode` runs unchanged.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.graphs import OnnxGraph, wire

Array = NDArray[Any]
Arrays = dict[str, Array]


class Enough(Exception):
    """Raised to stop answering once the wanted values are recorded."""


class Probe:
    """A graph that records inputs and hidden values. enough: stop with `Enough` after one call."""

    def __init__(self, raw: bytes, name: str, inner: Sequence[str] = (), enough: bool = False) -> None:
        graph = wire.read(raw)
        given = {*graph.inputs, *graph.outputs}
        self._graph = OnnxGraph(wire.with_outputs(raw, [n for n in inner if n not in given]), name)
        self._inner, self._next = tuple(inner), {n: n.removeprefix("next_") for n in graph.outputs}
        self._hidden = [n for n in inner if n not in given]
        self._enough = enough
        self.calls: list[Arrays] = []  # inputs and inner values, by name
        self.first = float("inf")  # when it was first called

    def __call__(self, **inputs: Array) -> Arrays:
        out = self._graph(**inputs)
        own = {self._next[n]: n for n in self._next}
        seen = {name: out[own_name] for own_name, name in own.items() if name in self._inner}
        inner = {name: out.pop(name) for name in self._hidden}
        self.first = min(self.first, time.perf_counter())
        self.calls.append({**inputs, **seen, **inner})
        if self._enough:
            raise Enough
        return out

    def empty(self, **sizes: int) -> Arrays:
        """The state before the first step."""
        return self._graph.empty(**sizes)


def attach(files: Mapping[str, bytes], inner: Mapping[str, Sequence[str]], enough: str = "") -> dict[str, Probe]:
    """ONNX files by name -> probes by graph name; inner: which values of which graph; enough: the last graph needed."""
    names = {name.removesuffix(".onnx"): raw for name, raw in files.items() if name.endswith(".onnx")}
    return {name: Probe(raw, f"{name}.onnx", inner.get(name, ()), name == enough) for name, raw in names.items()}


def constant(raw: bytes, name: str) -> Array:
    """A value that depends on no input, stored or computed from stored ones: the weights behind int8 as floats."""
    graph = OnnxGraph(wire.with_outputs(raw, [name]), name)
    inputs: Arrays = {
        k: np.zeros([a if isinstance(a, int) else 1 for a in axes], t) for k, (t, axes) in graph.axes.items()
    }
    return graph(**inputs)[name]


def flat(value: Array, axis: int) -> NDArray[np.float32]:
    """(..., U, ...) with its units along `axis` -> (N, U).

    >>> flat(np.zeros((1, 3, 5, 5)), 1).shape, flat(np.zeros((1, 7, 4)), -1).shape
    ((25, 3), (7, 4))
    """
    value = np.moveaxis(value, axis, -1)
    return value.reshape(-1, value.shape[-1]).astype(np.float32)
