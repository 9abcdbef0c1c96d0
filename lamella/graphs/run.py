"""A graph is a named function from arrays to arrays. Two engines run it: onnxruntime, and torch while it trains.

Both show one face, so that `decode` is written once and gives the same answers over either:

    out = graph(token=..., keys=...)       named arrays in, named arrays out
    state = graph.empty(batch=2, beam=1)   its state before the first step: zeros, free axes of the given sizes or 0

An input that is an output too is state. ONNX forbids one name for both, so the file says `next_keys` for the output.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lamella.errors import ModelError

if TYPE_CHECKING:
    from torch import nn

Array = NDArray[Any]
Arrays = dict[str, Array]
Axes = tuple[str | int, ...]
NEXT = "next_"


class OnnxGraph:
    """An ONNX file, run by onnxruntime."""

    def __init__(self, raw: bytes, name: str, threads: int = 1) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # A plan of memory is kept for every shape that was seen; texts and batches have a new one nearly every time.
        options.enable_mem_pattern = False
        # Denormal numbers slow some processors tenfold, and no answer depends on them.
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        # Threads that wait in a loop gain nothing here on a quiet machine, and on a busy one they keep out the work.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = ort.InferenceSession(raw, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own exceptions share no base class
            raise ModelError(f"{name}: onnxruntime cannot load this graph ({str(error).splitlines()[0]}).") from error
        types = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(bool)": np.bool_}
        self.axes = {i.name: (types[i.type], tuple(i.shape)) for i in self._session.get_inputs()}
        self._files = [o.name for o in self._session.get_outputs()]
        self._outputs = [o.removeprefix(NEXT) for o in self._files]

    def __call__(self, **inputs: Array) -> Arrays:
        return dict(zip(self._outputs, self._session.run(self._files, inputs), strict=True))

    def empty(self, **sizes: int) -> Arrays:
        """The state before the first step."""
        return _empty(self.axes, self._outputs, sizes)


class TorchGraph:
    """A method of a net, run by torch without gradients."""

    def __init__(self, net: "nn.Module", name: str) -> None:
        self._net, self._method = net, getattr(net, name)
        inputs, self._outputs = net.graphs()[name]  # type: ignore[operator]
        self.axes = {key: (np.dtype(axes[0]).type, tuple(axes[1:])) for key, axes in inputs.items()}

    def __call__(self, **inputs: Array) -> Arrays:
        import torch

        dtype = next(self._net.parameters()).dtype
        tensors = {k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in inputs.items()}
        with torch.no_grad():
            out = self._method(**{k: v.to(dtype) if v.is_floating_point() else v for k, v in tensors.items()})
        return {k: (out[k].float() if out[k].is_floating_point() else out[k]).numpy() for k in self._outputs}

    def empty(self, **sizes: int) -> Arrays:
        """The state before the first step."""
        return _empty(self.axes, self._outputs, sizes)


def torch_graphs(net: "nn.Module") -> dict[str, TorchGraph]:
    """All graphs of a net, over torch."""
    return {name: TorchGraph(net, name) for name in net.graphs()}  # type: ignore[operator]


def load_graphs(files: Mapping[str, bytes], threads: int = 1) -> dict[str, OnnxGraph]:
    """ONNX files by name -> graphs by name."""
    return {Path(name).stem: OnnxGraph(raw, name, threads) for name, raw in files.items()}


def _empty(axes: Mapping[str, tuple[Any, Axes]], outputs: Any, sizes: Mapping[str, int]) -> Arrays:
    return {
        name: np.zeros([sizes.get(a, 0) if isinstance(a, str) else a for a in shape], dtype)
        for name, (dtype, shape) in axes.items()
        if name in outputs
    }
