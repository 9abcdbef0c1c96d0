"""A graph is a named function from arrays to arrays. Two engines run it: onnxruntime, and torch while it trains.

Both have one interface, so that `decode` is written once and gives the same answers with either:

    out = graph(token=..., keys=...)       named arrays in, named arrays out
    state = graph.empty(batch=2, beam=1)   its state before the first step: zeros, free axes of the given sizes or 0

An input that is an output too is state. ONNX forbids one name for both, so the file says `next_keys` for the output.
"""

from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lamella.errors import ModelError
from lamella.graphs import limits
from lamella.graphs.apart import apart

if TYPE_CHECKING:
    from torch import nn

    from lamella.graphs.compiled import Compiled, CompiledFill

Array = NDArray[Any]
Arrays = dict[str, Array]
Axes = tuple[str | int, ...]
NEXT = "next_"
TYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(bool)": np.bool_, "tensor(int8)": np.int8}
SILENT = 4  # log level of onnxruntime: errors are raised as exceptions, so they need no log line as well
# What loses the biases of products of bytes with a scale a row (`int8._keep_biases`), and by what a file shows that it has none to
# lose: the field of a node that is a Sum.
FUSION, KEPT = "MatMulIntegerToFloatFusion", b"\x22\x03Sum"
LINE = 300  # most characters of an engine's error message


class OnnxGraph:
    """An ONNX file, run by onnxruntime.

    Only files that come with the package are `trusted`; any other is checked first (`check`), and its time and memory are
    limited. Errors of the engine are raised as ModelError.
    """

    compiled: "Compiled | CompiledFill | None" = (
        None  # what does the work of this graph and its companions in the engine's place
    )

    def __init__(self, raw: bytes, name: str, threads: int = 1, trusted: bool = False) -> None:
        import onnxruntime as ort

        self._name, self._limited, self._run_options = name, not trusted, ort.RunOptions
        self._raw, self._threads, self._parts = raw, threads, dict[tuple[str, ...], OnnxGraph]()
        self.constant = object()  # stands for its weights, which never change: what was computed with them may be kept
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = SILENT
        # A memory plan is kept for every input shape, and texts and batches have new shapes nearly every time.
        options.enable_mem_pattern = False
        # Denormal numbers slow some processors tenfold, and no answer depends on them.
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        # Spinning threads gain nothing here on an idle machine, and take time from others on a busy one.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if self._limited:
            from lamella.graphs.check import check  # imported late: models of the package start without it
            from lamella.graphs.growth import Growth

            check(raw, name)
            most = str(Growth(len(raw)).most)
            options.add_session_config_entry("optimization.constant_folding_max_output_size_in_bytes", most)
            limits.share_memory(ort, options)
            limits.begin(id(options), lambda: options.set_load_cancellation_flag(True), limits.SECONDS)
        ort.set_default_logger_severity(SILENT)
        # What is handed over beside the file lives as long as the session.
        self._beside: dict[str, Any] = {}
        try:
            if trusted:
                raw, arrays = apart(raw)
                self._beside = {key: ort.OrtValue.ortvalue_from_numpy(array) for key, array in arrays.items()}
                # Once for what the engine computes beforehand, once so that it makes no copy.
                options.add_external_initializers(list(self._beside), list(self._beside.values()))
                for key, value in self._beside.items():
                    options.add_initializer(key, value)
            left_out = [FUSION] if b"MatMulInteger" in raw and KEPT not in raw else []
            self._session = ort.InferenceSession(
                raw, options, providers=["CPUExecutionProvider"], disabled_optimizers=left_out
            )
            given = [(i.name, i.type, tuple(i.shape)) for i in self._session.get_inputs()]
            self._files = [o.name for o in self._session.get_outputs()]
        except Exception as error:  # onnxruntime's own exceptions share no base class
            raise ModelError(f"{name}: onnxruntime cannot load this graph ({_line(error)}).") from error
        finally:
            limits.end(id(options))
        if odd := [f"{i} {kind}" for i, kind, _ in given if kind not in TYPES]:
            raise ModelError(f"{name}: expected inputs of float32, int64, int8 or bool, received {', '.join(odd)}.")
        self.axes = {i: (TYPES[kind], shape) for i, kind, shape in given}
        self._outputs = [o.removeprefix(NEXT) for o in self._files]

    def __call__(self, **inputs: Array) -> Arrays:
        try:
            run = self._run_limited if self._limited else self._run
            values = run(inputs)
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(f"{self._name}: onnxruntime cannot run this graph ({_line(error)}).") from error
        return Outputs(self._name, zip(self._outputs, values, strict=True))

    def only(self, *outputs: str) -> "OnnxGraph":
        """A graph that gives these outputs alone, and takes and computes what they need; made once."""
        if outputs not in self._parts:
            from lamella.graphs.partial import partial  # late: few answers leave out a part of a graph

            files = dict(zip(self._outputs, self._files, strict=True))
            raw = partial(self._raw, [files.get(name, name) for name in outputs])
            self._parts[outputs] = OnnxGraph(raw, self._name, self._threads, not self._limited)
        return self._parts[outputs]

    def _run(self, inputs: Arrays) -> list[Array]:
        values: list[Array] = self._session.run(self._files, inputs)
        return values

    def _run_limited(self, inputs: Arrays) -> list[Array]:
        """As `run`, within the time limit."""
        options = self._run_options()
        seconds = limits.seconds()
        limits.begin(id(options), lambda: setattr(options, "terminate", True), seconds)
        try:
            values: list[Array] = self._session.run(self._files, inputs, options)
            return values
        except Exception as error:
            if options.terminate:
                raise ModelError(
                    f"{self._name}: has not ended after {seconds:.3g} s and was stopped. Give it less at a time, "
                    "or do not use this model."
                ) from error
            raise
        finally:
            limits.end(id(options))

    def empty(self, **sizes: int) -> Arrays:
        """The state before the first step."""
        return _empty(self.axes, self._outputs, sizes)


class LaterGraph(OnnxGraph):
    """A graph that the engine opens when it is asked to run: what answers is `compiled`."""

    def __init__(self, compiled: "Compiled | CompiledFill", *opened: Any) -> None:
        self.compiled, self._opened = compiled, opened

    def __call__(self, **inputs: Array) -> Arrays:
        own = self.compiled.answer(inputs) if self.compiled else None
        return super().__call__(**inputs) if own is None else Outputs(self._opened[1], own.items())

    def __getattr__(self, name: str) -> Any:
        """What a graph has once it is open."""
        if name.startswith("__") or name == "_opened":
            raise AttributeError(name)
        super().__init__(*self._opened)
        return object.__getattribute__(self, name)


class Outputs(dict[str, Array]):
    """A graph's outputs by name; ModelError for a name that it does not have."""

    def __init__(self, graph: str, values: Iterable[tuple[str, Array]]) -> None:
        super().__init__(values)
        self._graph = graph

    def __missing__(self, name: str) -> Array:
        raise ModelError(f"{self._graph}: gives {', '.join(self) or 'nothing'}, and the task needs {name}.")


class Graphs(dict[str, OnnxGraph]):
    """A model's graphs by name; ModelError for a name that it does not have."""

    def __missing__(self, name: str) -> OnnxGraph:
        raise ModelError(f"{name}.onnx: missing: the model has {', '.join(self) or 'no graphs'}. Copy the model again.")


def _line(error: Exception) -> str:
    """The engine's error message in one line, without places in its source code."""
    text = " ".join(str(error).split())
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= LINE else f"{text[:LINE]}..."


class TorchGraph:
    """A method of a net, run by torch without gradients."""

    def __init__(self, net: "nn.Module", name: str) -> None:
        self._net, self._method = net, getattr(net, name)
        inputs, self._outputs = net.graphs()[name]  # type: ignore[operator]
        self.axes = {key: (np.dtype(axes[0]).type, tuple(axes[1:])) for key, axes in inputs.items()}

    def __call__(self, **inputs: Array) -> Arrays:
        import torch

        weight = next(self._net.parameters())  # the net may compute in another type, and on another device
        tensors = {k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in inputs.items()}
        # The type first: not every device has float64, which numpy makes.
        given = {k: (v.to(weight.dtype) if v.is_floating_point() else v).to(weight.device) for k, v in tensors.items()}
        with torch.no_grad():
            out = self._method(**given)
        return {k: (out[k].float() if out[k].is_floating_point() else out[k]).cpu().numpy() for k in self._outputs}

    def empty(self, **sizes: int) -> Arrays:
        """The state before the first step."""
        return _empty(self.axes, self._outputs, sizes)


def torch_graphs(net: "nn.Module") -> dict[str, TorchGraph]:
    """All graphs of a net, over torch."""
    return {name: TorchGraph(net, name) for name in net.graphs()}  # type: ignore[operator]


def load_graphs(files: Mapping[str, bytes], threads: int = 1, trusted: Container[str] = ()) -> dict[str, OnnxGraph]:
    """ONNX files by name -> graphs by name. `trusted`: names of those that came with the package."""
    from lamella.graphs.compiled import compiled  # imported late: few models are of its kind

    own = compiled({name: raw for name, raw in files.items() if name in trusted}, threads)

    def opened(raw: bytes, name: str) -> OnnxGraph:
        how = raw, name, threads, name in trusted
        return LaterGraph(own, *how) if own and name in own.files else OnnxGraph(*how)

    return Graphs({Path(name).stem: opened(raw, name) for name, raw in files.items()})


def _empty(axes: Mapping[str, tuple[Any, Axes]], outputs: Any, sizes: Mapping[str, int]) -> Arrays:
    return {
        name: np.zeros([sizes.get(a, 0) if isinstance(a, str) else a for a in shape], dtype)
        for name, (dtype, shape) in axes.items()
        if name in outputs
    }
