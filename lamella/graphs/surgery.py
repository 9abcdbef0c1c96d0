"""The parts of a net (attention heads, layers, states), and the same net without one of them (ablation).

    for part in parts(files, heads):
        files_without = without(files, part)

A head is taken out by zeros for the rows of the weight that reads it; a layer, or one of its branches, by adding zeros to
the stream in its place. Both change the ONNX files and nothing else, so that what is left answers through the same `decode`.
Graphs of one net share weights by name: what is taken out of one is taken out of all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lamella.graphs import wire
from lamella.graphs.anatomy import Anatomy, Branch, Product, layer_of
from lamella.storage.protobuf import Span

Getter = Callable[[str, str], "Part"]
SIZE = {1: 4, 2: 1, 3: 1, 10: 2, 11: 8}  # bytes of a number by its kind: float32, uint8, int8, float16, float64


@dataclass
class Part:
    """A part that can be removed."""

    name: str
    kind: str  # "layer", "branch", "head", "memory" or "output"
    zeros: dict[str, list[Span]] = field(default_factory=dict)  # file -> bytes of stored arrays
    nodes: dict[str, dict[Span, bytes]] = field(default_factory=dict)  # file -> fresh nodes for old ones


def without(files: Mapping[str, bytes], part: Part) -> dict[str, bytes]:
    """The net's files without this part; files that do not contain it are unchanged."""
    out = dict(files)
    for name, spans in part.zeros.items():
        out[name] = wire.zeroed(out[name], spans)
    for name, fresh in part.nodes.items():
        out[name] = wire.replaced(out[name], fresh)
    return out


def parts(files: Mapping[str, bytes], shapes: Mapping[str, Mapping[str, tuple[int, ...]]]) -> list[Part]:
    """All parts of a net: whole layers first, then heads, then the branches of layers.

    shapes: graph -> value -> its shape as seen while it answered; needed of the weights of attention (B, H, T, S) and of
    values that stand side by side.
    """
    by_name: dict[tuple[str, str], Part] = {}

    def get(kind: str, name: str) -> Part:
        return by_name.setdefault((kind, name), Part(name, kind))

    for file, raw in files.items():
        if not file.endswith(".onnx"):
            continue
        anatomy, seen = Anatomy(wire.read(raw)), shapes.get(file.removesuffix(".onnx"), {})
        for number, branch in enumerate(anatomy.branches()):
            fresh = _past(branch.add, branch.stream)
            layer = layer_of(branch.product.path) or f"block {number + 1}"
            for part in (get("layer", layer), get("branch", f"{layer}, {_kind(branch, anatomy)}")):
                part.nodes.setdefault(file, {})[branch.add.span] = fresh
        for heads in anatomy.heads():
            if heads.weights in seen and len(seen[heads.weights]) == 4:
                _heads(anatomy, heads.product, seen[heads.weights][1], file, get)
        for joined in anatomy.joined():
            first = 0
            for value in joined.values:
                if value not in seen:
                    break
                origin, count = anatomy.origin(value), seen[value][-1]
                if origin is not None:
                    _rows(
                        anatomy,
                        joined.product,
                        first,
                        count,
                        file,
                        get("branch", f"the output of {_plain(origin.path)}"),
                    )
                first += count
        for product in anatomy.recurrent():
            rows = anatomy.graph.stored[product.weight].shape[0]
            where = layer_of(product.path) or _plain(product.path)
            _rows(anatomy, product, 0, rows, file, get("memory", f"recurrent weights of {where}"))
        _outputs(anatomy, files, file, seen, get)
    inside = [p for p in by_name.values() if p.kind == "branch"]
    kept = list(by_name.values())
    for whole in [p for p in by_name.values() if p.kind == "layer"]:
        branches = [p for p in inside if p.name.startswith(f"{whole.name}, ")]
        if len(branches) < 2:  # its only branch is the same as the whole layer
            kept.remove(whole)
            for alone in branches:
                alone.kind = "layer"
    kept = [p for p in kept if p.zeros or p.nodes] or _readers(files)
    order = ("layer", "memory", "output", "head", "branch")
    return sorted(kept, key=lambda p: order.index(p.kind))


def _readers(files: Mapping[str, bytes]) -> list[Part]:
    """The layers of a net without residual streams: each layer that reads another one, with its input set to zero."""
    by_name: dict[str, Part] = {}
    for file, raw in files.items():
        if file.endswith(".onnx"):
            anatomy = Anatomy(wire.read(raw))
            for product in anatomy.hidden():
                name = f"what {layer_of(product.path) or _plain(product.path)} reads"
                rows = anatomy.graph.stored[product.weight].shape[0]
                _rows(anatomy, product, 0, rows, file, by_name.setdefault(name, Part(name, "layer")))
    return [p for p in by_name.values() if p.zeros]


def _past(add: wire.Node, stream: str) -> bytes:
    """An Add that brings zeros to the stream: by subtraction, since the sum may be wider than the stream."""
    branch = next(name for name in add.inputs if name != stream)
    none = f"{add.outputs[0]}_without"
    return wire.node("Sub", [branch, branch], [none]) + wire.node("Add", [stream, none], add.outputs)


def _heads(anatomy: Anatomy, product: Product, heads: int, file: str, get: Getter) -> None:
    rows = anatomy.graph.stored[product.weight].shape[0]
    if heads < 2 or rows % heads:
        return
    size = rows // heads
    layer = layer_of(product.path) or _plain(product.path)
    across = ", attention to the source" if ".cross." in product.path else ""
    for h in range(heads):
        _rows(anatomy, product, h * size, size, file, get("head", f"{layer}{across}, head {h + 1}"))


def _rows(anatomy: Anatomy, product: Product, first: int, count: int, file: str, part: Part) -> None:
    """Rows of a product's stored weight (in, out); nothing where it does not lie in the file in that order."""
    stored = anatomy.graph.stored[product.weight]
    if (
        stored.data is None
        or stored.kind not in SIZE
        or len(stored.shape) != 2
        or product.node.inputs[1] != product.weight
    ):
        return
    row = stored.shape[1] * SIZE[stored.kind]
    if stored.data[1] - stored.data[0] != row * stored.shape[0]:
        return
    begin = stored.data[0] + first * row
    part.zeros.setdefault(file, []).append((begin, begin + count * row))


def _outputs(
    anatomy: Anatomy, files: Mapping[str, bytes], file: str, seen: Mapping[str, tuple[int, ...]], get: Getter
) -> None:
    """Outputs that no graph reads: those of one shape, whose answers are mixed outside, and the sides of a joined one."""
    inputs = {name for other, raw in files.items() if other.endswith(".onnx") for name in wire.read(raw).inputs}
    ends = [o for o in anatomy.graph.outputs if o.removeprefix("next_") not in inputs and o in seen]
    for name in ends:
        maker = anatomy.maker.get(name)
        if maker is not None and maker.op == "Concat":  # values side by side, such as the halves of a vector
            for number, value in enumerate(maker.inputs, start=1):
                _zeros(anatomy, value, file, get("output", f"part {number} of {len(maker.inputs)} of {name!r}"))
        if sum(seen[name] == seen[other] for other in ends) < 2 or name not in anatomy.maker:
            continue
        _zeros(anatomy, name, file, get("output", f"the output {name!r}"))


def _zeros(anatomy: Anatomy, name: str, file: str, part: Part) -> None:
    """Zeros in the place of a value, where it is a sum, a product or a quotient of one of its own shape."""
    node = anatomy.maker.get(name)
    if (
        node is not None
        and len(node.outputs) == 1
        and len(node.inputs) == 2
        and node.op in ("Add", "Sum", "Mul", "Div")
    ):
        one = node.inputs[0] if node.inputs[0] in anatomy.maker else node.inputs[1]
        part.nodes.setdefault(file, {})[node.span] = wire.node("Sub", [one, one], [name])


def _kind(branch: Branch, anatomy: Anatomy) -> str:
    if branch.attention:
        return "attention to the source" if ".cross." in branch.product.path else "attention"
    if branch.product.node.op == "Conv":
        return "convolutions"
    return "feed-forward" if anatomy.bent(branch.product.x) else _plain(branch.product.path).split(".")[-1]


def _plain(path: str) -> str:
    """A weight's name without prefix and suffix: net.windows.1.filters.weight -> windows.1.filters."""
    return path.removeprefix("net.").removesuffix(".weight").removesuffix("_table")
