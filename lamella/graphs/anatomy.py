"""The parts of an ONNX graph: its layers, the branches of its residual streams, its attention heads.

They are recognised by how operations are connected, never by a task's or a net's name; the names of weights only serve
to name parts. float32 and int8 files are read alike: rounding before a product is skipped over.

    anatomy = Anatomy(wire.read(raw))
    anatomy.products       every product or convolution with a stored weight, in order
    anatomy.branches()     what is added to a residual stream: an attention, a feed-forward part, two convolutions
    anatomy.heads()        of an attention, the product that mixes its heads again
    anatomy.joined()       what stands side by side before a product reads it
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lamella.graphs.wire import Graph, Node

PRODUCTS = ("MatMul", "MatMulInteger", "Conv", "Gemm")
ROUNDING = ("DynamicQuantizeLinear", "QuantizeLinear", "DequantizeLinear", "Cast")
SHAPING = ("Reshape", "Transpose", "Squeeze", "Unsqueeze", "Identity", "Flatten")
BENT = ("Relu", "Tanh", "Sigmoid", "Gelu", "Pow", "Mul")  # Mul: a gate, or x * sigmoid(x)


@dataclass(frozen=True)
class Product:
    """A product of an activation with a stored weight."""

    node: Node
    x: str  # what flows in, before it is rounded
    weight: str  # the stored array
    path: str  # the weight's name without what rounding added: net.encoder.0.feed.down.weight
    axis: int  # of x, along which its units lie


@dataclass(frozen=True)
class Branch:
    """What an Add brings to a stream: without it `stream` goes on as it is."""

    add: Node
    stream: str
    product: Product  # the last of the branch
    attention: bool


@dataclass(frozen=True)
class Heads:
    """An attention: `weights` (B, H, T, S) are its softmax, `product` mixes what its heads gathered."""

    weights: str
    product: Product


@dataclass(frozen=True)
class Joined:
    """Values side by side along the last axis, which one product reads."""

    product: Product
    values: tuple[str, ...]


class Anatomy:
    """A graph, with the node that makes each value and the nodes that read it."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.maker = {out: node for node in graph.nodes for out in node.outputs}
        self.readers: dict[str, list[Node]] = {}
        for node in graph.nodes:
            for name in node.inputs:
                self.readers.setdefault(name, []).append(node)
        self._flows = set(graph.inputs)  # values that depend on an input
        for node in graph.nodes:
            if self._flows.intersection(node.inputs):
                self._flows.update(node.outputs)
        self.products = [p for p in map(self._product, graph.nodes) if p is not None]
        self._by_output = {p.node.outputs[0]: p for p in self.products}

    def _product(self, node: Node) -> Product | None:
        if node.op not in PRODUCTS or len(node.inputs) < 2 or node.inputs[0] not in self._flows:
            return None
        weight = self._stored(node.inputs[1])
        if weight is None:
            return None
        path = re.sub(r"_(int8|quantized)$", "", weight)
        return Product(node, self.behind(node.inputs[0], ROUNDING), weight, path, 1 if node.op == "Conv" else -1)

    def _stored(self, name: str) -> str | None:
        """The stored array from which alone a value is computed; the largest of several; None if it depends on inputs."""
        names: list[str] = []
        todo, seen = [name], set()
        while todo:
            name = todo.pop()
            if name in self._flows:
                return None
            if name in self.graph.stored:
                names.append(name)
            elif name in self.maker and name not in seen:
                seen.add(name)
                todo += self.maker[name].inputs
        return max(names, key=lambda n: _size(self.graph.stored[n].shape)) if names else None

    def behind(self, name: str, through: Sequence[str]) -> str:
        """Go back from a value through operations of these kinds to the value they started from."""
        while name in self.maker and self.maker[name].inputs[0] in self._flows:
            # Before it is rounded a row is divided by its scale.
            if self.maker[name].op not in through and not ("QuantizeLinear" in through and name.endswith("_unit")):
                break
            name = self.maker[name].inputs[0]
        return name

    def source(self, name: str) -> Product | None:
        """The product that a value comes from; a bias, a scale, an activation or a reshape may lie between."""
        for _ in range(20):
            if name in self._by_output:
                return self._by_output[name]
            node = self.maker.get(name)
            if node is None:
                return None
            flowing = [i for i in node.inputs if i in self._flows]
            if node.op in ("Add", "Mul") and len(flowing) == 2:  # of int8: the sum times the scale of what came in
                flowing = [i for i in flowing if node.op == "Mul" and not i.endswith("_both")]
            elif node.op not in ("Add", "Sum", "Mul", "Relu", *SHAPING, *ROUNDING):
                return None
            if not flowing:
                return None
            name = flowing[0]
        return None

    def before(self, name: str) -> set[str]:
        """All values that this one depends on, itself among them."""
        earlier: set[str] = set()
        todo = [name]
        while todo:
            now = todo.pop()
            if now not in earlier:
                earlier.add(now)
                todo += self.maker[now].inputs if now in self.maker else ()
        return earlier

    def branches(self) -> list[Branch]:
        """Additions x + f(x), or 1 x 1 convolution of x + f(x), where f ends in a product (He et al., 2016)."""
        mixing = {h.product.node.outputs[0] for h in self.heads()}
        branches = []
        for node in self.graph.nodes:
            if node.op != "Add" or len(node.inputs) != 2 or not self._flows.issuperset(node.inputs):
                continue
            for stream, branch in (node.inputs, node.inputs[::-1]):
                product = self.source(branch)
                if product is None:
                    continue
                beside = self.source(stream)
                shortcut = beside is not None and self._side(beside) == 1 < self._side(product)
                if shortcut or self._parts_of(stream) & self.before(product.x):
                    branches.append(Branch(node, stream, product, product.node.outputs[0] in mixing))
                    break
        return branches

    def _parts_of(self, stream: str) -> set[str]:
        """A stream and the sums it consists of: parallel branches all read the value before the first sum."""
        parts, todo = set(), [stream]
        while todo:
            name = todo.pop()
            parts.add(name)
            node = self.maker.get(name)
            if node is not None and node.op == "Add" and self._flows.issuperset(node.inputs):
                todo += node.inputs
        return parts

    def _side(self, product: Product) -> int:
        """How many points of a picture each filter of a convolution covers; 0 of other products."""
        node = product.node
        if node.op != "Conv":
            return 0
        shape = self.graph.stored[product.weight].shape  # (K, C, h, w), or a row a filter
        return _size(shape[2:]) if len(shape) > 2 else 9

    def heads(self) -> list[Heads]:
        """softmax -> product with values -> heads side by side again -> product with a stored weight."""
        heads = []
        for node in self.graph.nodes:
            if node.op != "Softmax":
                continue
            for reader in self.readers.get(node.outputs[0], ()):
                if reader.op != "MatMul" or reader.inputs[0] != node.outputs[0]:
                    continue
                product = self._after(reader.outputs[0])
                if product is not None:
                    heads.append(Heads(node.outputs[0], product))
        return heads

    def _after(self, name: str) -> Product | None:
        """The product that reads a value; reshapes and rounding may lie between."""
        for _ in range(8):
            readers = [node for node in self.readers.get(name, []) if not node.outputs[0].endswith("_size")]
            if len(readers) != 1:
                return None
            if readers[0].outputs[0] in self._by_output:
                return self._by_output[readers[0].outputs[0]]
            if readers[0].op not in (*SHAPING, *ROUNDING) and not readers[0].outputs[0].endswith("_unit"):
                return None
            name = readers[0].outputs[0]
        return None

    def joined(self) -> list[Joined]:
        """Values of several origins side by side before a product of matrices; those that products made, each by its own."""
        joined = []
        for product in self.products:
            node = self.maker.get(product.x)
            if node is None or node.op != "Concat" or product.axis != -1:
                continue
            origins = [self.origin(value) for value in node.inputs]
            paths = [o.path for o in origins if o is not None]
            if paths and len(set(paths)) == len(paths):
                joined.append(Joined(product, node.inputs))
        return joined

    def origin(self, name: str) -> Product | None:
        """The nearest product above a value."""
        todo, seen = [name], set()
        while todo:
            now = todo.pop(0)
            if now in self._by_output:
                return self._by_output[now]
            if now in self.maker and now not in seen:
                seen.add(now)
                todo += self.maker[now].inputs
        return None

    def recurrent(self) -> list[Product]:
        """Products that read a state as the step before left it: an input that is an output too."""
        states = {name for name in self.graph.inputs if f"next_{name}" in self.graph.outputs}
        return [p for p in self.products if self.behind(p.x, (*SHAPING, *ROUNDING, "Gather", "Split")) in states]

    def hidden(self, fed: Collection[str] = ()) -> list[Product]:
        """Products that read what the net made itself; what they read are its hidden layers. fed: inputs that another
        graph of the net made."""
        made = {out for p in self.products for out in p.node.outputs} | set(fed)
        return [p for p in self.products if made & self.before(p.x)]

    def bent(self, name: str) -> bool:
        """Whether a value is the direct output of an activation function: there single units mean most."""
        node = self.maker.get(name)
        return node is not None and node.op in BENT and (node.op != "Mul" or self._flows.issuperset(node.inputs))

    def first(self, name: str) -> Product | None:
        """The product that reads an input as it came, or cut into squares."""
        return next((p for p in self.products if self.behind(p.x, (*SHAPING, *ROUNDING)) == name), None)


def _size(shape: Sequence[int]) -> int:
    size = 1
    for n in shape:
        size *= n
    return size


def layer_of(path: str) -> str:
    """The layer that a weight belongs to, in words; "" where its name tells none.

    >>> layer_of("net.encoder.2.attention.out.weight"), layer_of("net.blocks.0.down.weight"), layer_of("net.out.weight")
    ('encoder layer 3', 'layer 1', '')
    >>> layer_of("net.members.0.reader.1.feed.down.weight"), layer_of("view_3")
    ('member 1, reader layer 2', '')
    """
    words = []
    for word, number in re.findall(r"([A-Za-z]\w*)\.(\d+)(?=\.)", path):
        plain = word.strip("_")
        if plain == "members":
            words.append(f"member {int(number) + 1}")
        else:
            words.append(("" if plain in ("blocks", "layers", "net") else f"{plain} ") + f"layer {int(number) + 1}")
    return ", ".join(words)
