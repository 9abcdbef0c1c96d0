"""A trained net -> ONNX files, one for each of its graphs, compared with the net before they are believed.

The exporter specialises silently: a length that Python looked at is frozen into the file, which then is right at one
shape and wrong at the next. So each graph goes through `torch.export` with named axes, which refuses instead, and
afterwards is run at several sizes, 1 and large ones among them, beside the net it came from.
"""

import inspect
import io
import logging
import warnings
from typing import Any

import numpy as np
import onnx
import torch
from torch import nn
from torch._ops import OpOverload

from lamella.errors import LamellaError
from lamella.graphs import NEXT, OnnxGraph, TorchGraph

OPSET = 20
EXAMPLES = (3, 5, 7, 11, 13)  # each free axis has a size of its own, so that no two are taken for one
TRIED = ((1, 1, 1, 1, 1), (2, 3, 5, 7, 4), (4, 1, 40, 2, 9), (1, 4, 17, 33, 2))
CLOSE = 2e-3  # float32 sums in another order differ by this much of the largest value at most


def export_graphs(net: nn.Module) -> dict[str, bytes]:
    """A net, moved to the processor and into float32 -> {"encode.onnx": ..., "step.onnx": ...}, weights inside."""
    net = net.cpu().float().eval()
    # Looking up what an operator gave before takes longer than asking it, where sizes are symbols: a third of the time.
    with torch._dynamo.config.patch(fake_tensor_cache_enabled=False):
        return {f"{name}.onnx": _export(net, name) for name in net.graphs()}  # type: ignore[operator]


class _Method(nn.Module):
    """A method of a net as a module whose forward has that method's named arguments: the exporter asks for both."""

    def __init__(self, net: nn.Module, name: str, inputs: list[str], outputs: tuple[str, ...]) -> None:
        super().__init__()
        self.net, self.name, self.outputs = net, name, outputs
        parameters = [inspect.Parameter(i, inspect.Parameter.POSITIONAL_OR_KEYWORD) for i in inputs]
        self.forward.__func__.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD), *parameters]
        )
        self.inputs = inputs

    def forward(self, *args: torch.Tensor, **kwargs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        out = getattr(self.net, self.name)(**dict(zip(self.inputs, args, strict=False)), **kwargs)
        return tuple(out[name] for name in self.outputs)


def _export(net: nn.Module, name: str) -> bytes:
    inputs, outputs = net.graphs()[name]  # type: ignore[operator]
    words = list(dict.fromkeys(a for axes in inputs.values() for a in axes[1:] if isinstance(a, str)))
    longest = getattr(net, "longest", 1 << 16)  # a table of positions ends somewhere, and the exporter wants to know
    dims = {word: torch.export.Dim(word, min=_fewest(net, word, 0), max=longest - 1) for word in words}
    args = arrays_of(net, name, sizes_of(net, words, EXAMPLES))
    shapes = {key: {i: dims[a] for i, a in enumerate(axes[1:]) if isinstance(a, str)} for key, axes in inputs.items()}
    module = _Method(net, name, list(inputs), outputs)
    for apart in (False, True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            logging.getLogger("torch.onnx").setLevel(logging.ERROR)
            program = torch.export.export(
                module,
                tuple(torch.from_numpy(a) for a in args.values()),
                dynamic_shapes=tuple(shapes.values()),
                strict=False,
            )
            if not apart:
                _whole(program)
            try:
                raw = _strip(_name_axes(_convert(program, list(inputs), outputs), inputs))
                _compare(net, name, raw)
                break
            except (torch.onnx.OnnxExporterError, LamellaError):
                # An operator that only its parts make right, or that a graph must not have: again, all taken apart.
                if apart:
                    raise
    return raw


def _whole(program: torch.export.ExportedProgram) -> None:
    """Keep a program as it was traced, if its operators need not be taken apart.

    The exporter traces once more to take operators apart, which is half of its time. Where ONNX has all of them as they
    are, and none writes in place or gives a list, there is nothing to take apart.
    """
    _plainer(program.graph)
    operators = {node.target for node in program.graph.nodes if node.op == "call_function"}
    apart = program.run_decompositions

    def only_if_needed(table: dict[Any, Any] | None = None, **options: Any) -> torch.export.ExportedProgram:
        changes = any(isinstance(o, OpOverload) and o._schema.is_mutable for o in operators)
        needed = changes or operators & {*(table or {}), torch.ops.aten.unbind.int}
        return apart(table, **options) if needed else program

    program.run_decompositions = only_if_needed


def _convert(program: torch.export.ExportedProgram, inputs: list[str], outputs: tuple[str, ...]) -> onnx.ModelProto:
    exported = torch.onnx.export(
        program,
        input_names=inputs,
        output_names=[NEXT + o if o in inputs else o for o in outputs],
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    assert exported is not None
    return exported.model_proto


def _plainer(graph: torch.fx.Graph) -> None:
    """Four operators that ONNX lacks, in place, as those that it has: `x.float()`, `x.square()`, `1 - x` and RMSNorm."""
    aten = torch.ops.aten
    for node in graph.find_nodes(op="call_function", target=aten.to.dtype):
        source, kind = node.args[:2]
        if source.meta["val"].dtype == kind and not any(user.op == "output" for user in node.users):
            node.replace_all_uses_with(source)  # else a weight would become a constant of another name
            graph.erase_node(node)
            continue
        node.target, node.args, node.kwargs = aten._to_copy.default, (source,), {"dtype": kind}
    for node in graph.find_nodes(op="call_function", target=aten.square.default):
        node.target, node.args = aten.pow.Tensor_Scalar, (*node.args, 2)
    for node in graph.find_nodes(op="call_function", target=aten.rsub.Scalar):
        if len(node.args) == 2 and not node.kwargs:
            node.target, node.args = aten.sub.Tensor, node.args[::-1]
    for node in graph.find_nodes(op="call_function", target=aten.rms_norm.default):
        if len(node.args) == 4 and node.args[0].meta["val"].dtype == torch.float32:
            with graph.inserting_before(node):
                _rms_norm(node)


def _rms_norm(node: torch.fx.Node) -> None:
    """A node that is an RMSNorm becomes the last product of x / sqrt(mean of x squared + eps) * weight."""
    aten = torch.ops.aten
    x, shape, weight, eps = node.args

    def put(operator: OpOverload, *args: Any) -> torch.fx.Node:
        added = node.graph.call_function(operator, args)
        values = [a.meta["val"] if isinstance(a, torch.fx.Node) else a for a in args]
        added.meta = {**node.meta, "val": operator(*values)}
        return added

    axes = list(range(-len(shape), 0))  # type: ignore[arg-type]
    mean = put(aten.mean.dim, put(aten.pow.Tensor_Scalar, x, 2), axes, True)
    factors = x, put(aten.sqrt.default, put(aten.add.Scalar, mean, eps))
    # Divided by the root, not multiplied by its inverse: the engine makes one operator of this form, not of the other.
    node.target = aten.div.Tensor if weight is None else aten.mul.Tensor
    node.args = factors if weight is None else (put(aten.div.Tensor, *factors), weight)


def _name_axes(model: onnx.ModelProto, inputs: dict[str, tuple[str | int, ...]]) -> onnx.ModelProto:
    """Free axes under the words of the spec, where the exporter wrote `s11`."""
    words: dict[str, str] = {}
    for value in model.graph.input:
        for dim, axis in zip(value.type.tensor_type.shape.dim, inputs[value.name][1:], strict=True):
            if isinstance(axis, str):
                words[dim.dim_param] = axis
                dim.dim_param = axis
    for value in model.graph.output:
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_param = " ".join(words.get(part, part) for part in dim.dim_param.split(" "))
    return model


def _strip(model: onnx.ModelProto) -> bytes:
    """Without stack traces and paths of the machine that exported it."""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    del model.graph.value_info[:]
    del model.graph.metadata_props[:]
    del model.metadata_props[:]
    del model.functions[:]
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        del value.metadata_props[:]
        value.doc_string = ""
    out = io.BytesIO()
    onnx.save_model(model, out)
    return out.getvalue()


def arrays_of(net: nn.Module, name: str, sizes: dict[str, int]) -> dict[str, np.ndarray[Any, Any]]:
    """Inputs of given sizes: ids of the vocabulary where whole numbers are wanted, else noise."""
    inputs, _ = net.graphs()[name]  # type: ignore[operator]
    chance = np.random.default_rng(sum(sizes.values()))
    found: dict[str, np.ndarray[Any, Any]] = {}
    for key, (kind, *axes) in inputs.items():
        shape = [sizes[a] if isinstance(a, str) else a for a in axes]
        if key in (places := getattr(net, "places", {})):  # of rows of another input
            found[key] = chance.integers(0, max(1, sizes[places[key]]), shape)
        elif kind == "int64":
            # Below the least number of candidates, where a graph has those: their places are tokens.
            ids: Any = min([getattr(net, "vocabulary", 9), *getattr(net, "fewest", {}).values()])
            found[key] = chance.integers(min(1, ids - 1), ids, shape)  # a vocabulary may hold the padding alone
        else:
            found[key] = chance.standard_normal(shape).astype(kind) * 0.5
    return found


def _fewest(net: nn.Module, word: str, fewest: int = 1) -> int:
    """The least size of a free axis: a net says so in `fewest` where it needs more than one."""
    return max(fewest, getattr(net, "fewest", {}).get(word, 0))


def sizes_of(net: nn.Module, words: list[str], sizes: tuple[int, ...]) -> dict[str, int]:
    """The free axes' sizes, each at least what the net needs."""
    return {word: size + _fewest(net, word) - 1 for word, size in zip(words, sizes, strict=False)}


def _compare(net: nn.Module, name: str, raw: bytes) -> None:
    """The file beside the net, shapes and values, at several sizes."""
    onnx_graph, torch_graph = OnnxGraph(raw, f"{name}.onnx"), TorchGraph(net, name)
    inputs, _ = net.graphs()[name]  # type: ignore[operator]
    words = list(dict.fromkeys(a for axes in inputs.values() for a in axes[1:] if isinstance(a, str)))
    for tried in TRIED:
        arrays = arrays_of(net, name, sizes_of(net, words, tried))
        wanted, came = torch_graph(**arrays), onnx_graph(**arrays)
        for key, value in wanted.items():
            if came[key].shape != value.shape:
                raise LamellaError(f"{name}.onnx: {key} has shape {came[key].shape}, and {value.shape} in torch.")
            if value.dtype.kind == "f":
                error = np.abs(came[key] - value).max(initial=0) / max(1e-6, np.abs(value).max(initial=0))
                if not error < CLOSE:
                    raise LamellaError(f"{name}.onnx: {key} differs from torch by {error:.2g} of its largest value.")
