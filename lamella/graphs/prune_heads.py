"""Heads of attention in exported graphs: where they are, and how to take whole ones away.

A head is found by following it: from the product that makes queries, keys or values, through the reshape that gives
heads an axis of their own, along everything that keeps them apart, to the product that brings them together again. On
its way it may leave a graph and enter another one, as a decoder's state does, or the memory of what was read: the axis
of that input becomes shorter, which is all that a state of zeros needs to know. What is not understood is left as it
is, and with it all that shares a state with it. Heads were first pruned by Michel et al., 2019, and by Voita et al.,
2019; here those that stay are fitted again to make up for the others.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, numpy_helper

from lamella.graphs import NEXT
from lamella.graphs.least_squares import Floats
from lamella.graphs.prune_layers import give_bias, key, put, readers, reshape_to, tidy, vector

# What is done place by place, the same for all heads unless a stored number says otherwise.
EACH = {
    "Add",
    "Sub",
    "Sum",
    "Mul",
    "Div",
    "Pow",
    "Sqrt",
    "Reciprocal",
    "Softmax",
    "Relu",
    "Tanh",
    "Sigmoid",
    "Cast",
    "Where",
}


@dataclass(frozen=True)
class Place:
    """Where a value holds heads: on an axis of their own, or `joined` with their columns on the last axis."""

    rank: int
    axis: int
    root: str  # the weight that this was followed from
    joined: bool = False

    @property
    def behind(self) -> int:
        """The axis, counted from the end."""
        return self.rank - self.axis


@dataclass
class HeadGroup:
    """Heads of one attention in a graph, and everything whose shape depends on their number."""

    count: int
    size: int  # columns of each
    projections: list[tuple[str, str | None, str]]  # a weight, its bias, and what the node gives that adds the bias
    shapes: set[tuple[str, int]] = field(default_factory=set)  # a reshape's output, and which entry is their number
    outs: set[tuple[str, str]] = field(default_factory=set)  # the weight behind the heads, and the value that enters it
    axes: dict[str, int] = field(default_factory=dict)  # inputs and outputs of the graph -> the axis of heads there
    known: set[str] = field(default_factory=set)  # what another graph may know them by: weights, layers of a state
    understood: bool = True

    def states(self) -> set[str]:
        """The states that they are in."""
        return {name.removeprefix(NEXT) for name in self.axes}


def find(graph: onnx.GraphProto) -> list[HeadGroup]:
    """All groups of heads in a graph, including those that cannot be pruned."""
    return _Trace(graph).run()


def together(graphs: Mapping[str, Sequence[HeadGroup]]) -> list[dict[str, list[HeadGroup]]]:
    """The heads that must be pruned together, by graph name; those that cannot be pruned are left out."""
    groups: list[list[tuple[str, HeadGroup]]] = []
    for name, own in graphs.items():
        for heads in own:
            same = [g for g in groups if any(heads.known & h.known for _, h in g)]
            groups = [g for g in groups if g not in same] + [[(name, heads), *(pair for g in same for pair in g)]]
    stuck = {s for g in groups if not _whole(g) for _, h in g for s in h.states()}
    while more := {s for g in groups for s in _states(g) if _states(g) & stuck} - stuck:
        stuck |= more
    free = [g for g in groups if _whole(g) and not _states(g) & stuck]
    return [{name: [h for n, h in g if n == name] for name, _ in g} for g in free]


def _states(group: Sequence[tuple[str, HeadGroup]]) -> set[str]:
    return {s for _, h in group for s in h.states()}


def _whole(group: Sequence[tuple[str, HeadGroup]]) -> bool:
    """Whether every use of the heads is understood, and exactly one weight reads them."""
    shapes = {(h.count, h.size) for _, h in group}
    outs = {weight for _, h in group for weight, _ in h.outs}
    return all(h.understood for _, h in group) and len(shapes) == len(outs) == 1


def cut(graph: onnx.GraphProto, heads: HeadGroup, kept: NDArray[np.int64], fitted: Floats) -> None:
    """Keep only the heads `kept`, in place; fitted (kept x size, D) is the new weight that reads them."""
    weights = {t.name: t for t in graph.initializer}
    for weight, bias, biased in heads.projections:
        array = numpy_helper.to_array(weights[weight])
        rows = len(array) * array.shape[1] // (heads.count * heads.size)  # queries, keys and values side by side
        put(graph, weight, array.reshape(rows, heads.count, -1)[:, kept].reshape(len(array), -1))
        if bias is not None:
            each = numpy_helper.to_array(weights[bias]).reshape(-1, heads.count, heads.size)
            give_bias(graph, bias, biased, each[:, kept].ravel())
    for weight, _ in heads.outs:
        put(graph, weight, fitted)
    nodes = {n.output[0]: n for n in graph.node}
    for value in dict.fromkeys(out for out, _ in sorted(heads.shapes)):
        changed = {entry for out, entry in heads.shapes if out == value}
        reshape_to(graph, nodes[value], changed, heads.count, len(kept))
    for value_info in (*graph.input, *graph.output):
        if value_info.name in heads.axes:
            dims = value_info.type.tensor_type.shape.dim
            if len(dims) > heads.axes[value_info.name]:
                dims[heads.axes[value_info.name]].dim_value = len(kept)
    tidy(graph)


class _Trace:
    """Follows heads through one graph."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.graph = graph
        self.weights = {t.name: t for t in graph.initializer}
        self.made = {o: n for n in graph.node for o in n.output}
        self.read = readers(graph)
        self.inputs = {v.name: len(v.type.tensor_type.shape.dim) for v in graph.input}
        self.outputs = {v.name for v in graph.output}
        self.places: dict[str, Place] = {}
        self.heads: dict[str, HeadGroup] = {}
        self.parents: dict[str, str] = {}  # root -> the root that it was merged with (union-find)
        self.failed: set[str] = set()

    def run(self) -> list[HeadGroup]:
        for node in self.graph.node:
            if node.op_type == "MatMul" and self._matrix(node.input[1]):
                self._begin(node)
        known = -1
        while known != len(self.places):  # some places follow from later nodes: repeat until nothing new is learned
            known = len(self.places)
            self.failed.clear()
            for node in self.graph.node:
                held = [self.places[i] for i in node.input if i in self.places]
                if held and not self._through(node, held):
                    self.failed |= {p.root for p in held}
        for heads in self.heads.values():
            for value in set(heads.axes) & set(self.inputs):
                rank, axis = self.inputs[value], heads.axes[value]
                # All that reads the state of one layer, which has a place, was followed.
                whole = all(n.op_type == "Gather" or self._beside(n, rank, axis) for n in self.read[value])
                heads.understood &= whole or value in self.places
        for value in self.outputs & set(self.places):
            place, noted = self.places[value], any(value in h.axes for h in self.heads.values())
            if not noted and (place.joined or not self._state(place, value, 0)):  # the state or memory of one layer
                self.failed.add(place.root)
        return self._gathered()

    def _gathered(self) -> list[HeadGroup]:
        """Merge the groups that turned out to be the same heads."""
        groups: dict[str, HeadGroup] = {}
        for name, heads in self.heads.items():
            first = groups.setdefault(self._root(name), heads)
            if first is not heads:
                first.projections += heads.projections
                first.shapes |= heads.shapes
                first.outs |= heads.outs
                first.axes |= heads.axes
                first.known |= heads.known
                first.understood &= heads.understood and (first.count, first.size) == (heads.count, heads.size)
        for name in self.failed:
            groups[self._root(name)].understood = False
        return list(groups.values())

    # ---- where heads begin and end

    def _begin(self, node: NodeProto) -> None:
        """If the columns of this product are reshaped to an axis of heads, start a group there."""
        weight, value, bias, biased = self.weights[node.input[1]], node.output[0], None, ""
        after = self.read.get(value, [])
        if len(after) == 1 and after[0].op_type in ("Add", "Sum"):
            other = [i for i in after[0].input if i != value]
            if len(other) == 1 and vector(self.weights.get(other[0]), weight.dims[1]):
                value, bias, biased = after[0].output[0], other[0], after[0].output[0]
                after = self.read.get(value, [])
        values = list(after[0].output) if len(after) == 1 and after[0].op_type == "Split" else [value]
        sizes = {
            tuple(self._entries(n)[-2:]) if n.op_type == "Reshape" else () for v in values for n in self.read.get(v, [])
        }
        count, size = sizes.pop() if len(sizes) == 1 and all(len(pair) == 2 for pair in sizes) else (None, None)
        if not count or not size or count < 2 or size < 1 or count * size * len(values) != weight.dims[1]:
            return
        if len(self.read[weight.name]) == 1:
            self.heads[weight.name] = HeadGroup(count, size, [(weight.name, bias, biased)], known={key(weight)})
            self.places |= {v: Place(3, 2, weight.name, joined=True) for v in values}

    def _end(self, node: NodeProto, place: Place) -> bool:
        heads, name = self.heads[place.root], node.input[1]
        if not self._matrix(name) or len(self.read[name]) > 1 or node.input[0] not in self.places:
            return False
        heads.outs.add((name, node.input[0]))
        heads.known.add(key(self.weights[name]))
        return int(self.weights[name].dims[0]) == heads.count * heads.size

    # ---- what they pass through

    def _through(self, node: NodeProto, held: Sequence[Place]) -> bool:
        """Note where a node's output holds heads, and where its other inputs must; False if the node is not understood."""
        place, kind = max(held, key=lambda p: p.rank), node.op_type
        if kind == "Reshape":
            return self._reshape(node, place)
        if kind == "Shape":
            return self._beside(node, place.rank, place.axis)
        if kind == "MatMul":
            return self._end(node, place) if place.joined else self._meet(node, place)
        if place.joined:
            return False
        if kind == "Transpose":
            perm = self._list(node, "perm")
            return len(perm) == place.rank and self._put(node.output, place, perm.index(place.axis))
        if kind == "Split":
            return self._number(node, "axis", 0) % place.rank != place.axis and self._put(
                node.output, place, place.axis
            )
        if kind == "Slice":  # of another axis, such as the last position
            axes = self._stored(node.input[3]) if len(node.input) > 3 else None
            other = axes is not None and place.axis not in axes % place.rank
            return other and self._put(node.output, place, place.axis)
        if kind in EACH:
            return self._each(node, held, place)
        moves = {
            "Concat": self._concat,
            "Unsqueeze": self._unsqueeze,
            "Squeeze": self._squeeze,
            "ReduceMean": self._mean,
        }
        return kind in moves and moves[kind](node, place)

    def _reshape(self, node: NodeProto, place: Place) -> bool:
        """Columns get an axis of heads, or lose it; or what stands in front is split or joined, counted from the end."""
        heads, entries = self.heads[place.root], self._entries(node)
        rank, joined = len(entries), place.behind == 2 and not place.joined and entries[-1] != heads.size
        axis = rank - 1 if joined else rank - 2 if place.joined else rank - place.behind
        if axis < 0 or entries[axis] != (heads.count * heads.size if joined else heads.count):
            return False
        heads.shapes.add((node.output[0], axis))
        return self._put(node.output, Place(rank, axis, place.root, joined), axis)

    def _each(self, node: NodeProto, held: Sequence[Place], place: Place) -> bool:
        """Elementwise operations: all inputs hold the heads in the same place, or none, and are then broadcast."""
        if any(p.behind != place.behind or p.joined for p in held):
            return False
        if node.op_type == "Softmax" and self._number(node, "axis", -1) % place.rank == place.axis:
            return False
        shapes = [list(self.weights[name].dims) for name in node.input if name in self.weights]
        if any(len(s) >= place.behind and s[-place.behind] != 1 for s in shapes):
            return False  # a number for each head
        self._join(held)
        return self._put(node.output, place, place.axis)

    def _meet(self, node: NodeProto, place: Place) -> bool:
        """A matrix product of two values, head by head."""
        return (
            place.behind > 2
            and all([self._back(name, place) for name in node.input])
            and self._put(node.output, place, place.axis)
        )

    def _concat(self, node: NodeProto, place: Place) -> bool:
        """Layers are stacked to a state that leaves; or a state grows, its heads staying apart."""
        held = [self.places.get(i) for i in node.input]
        if node.output[0] in self.outputs:
            made = [self.made.get(i) for i in node.input]
            if all(n is not None and n.op_type == "Unsqueeze" for n in made):
                return all([p is not None and self._state(p, node.output[0], i) for i, p in enumerate(held)])
        if self._number(node, "axis", 0) % place.rank == place.axis:
            return False
        return all([self._back(i, place) for i in node.input]) and self._put(node.output, place, place.axis)

    def _unsqueeze(self, node: NodeProto, place: Place) -> bool:
        axis = self._one_axis(node, place.rank + 1)
        if axis is None:
            return False
        after = Place(place.rank + 1, place.axis + (axis <= place.axis), place.root)
        if node.output[0] in self.outputs and not self._state(after, node.output[0], 0):  # of one layer
            return False
        return self._put(node.output, after, after.axis)

    def _squeeze(self, node: NodeProto, place: Place) -> bool:
        axis = self._one_axis(node, place.rank)
        if axis is None or axis == place.axis:
            return False
        after = place.axis - (axis < place.axis)
        return self._put(node.output, Place(place.rank - 1, after, place.root), after)

    def _mean(self, node: NodeProto, place: Place) -> bool:
        axes = self._stored(node.input[1]) if len(node.input) > 1 else None
        if axes is None:
            return False
        over, kept = {int(a) % place.rank for a in axes.ravel()}, self._number(node, "keepdims", 1)
        if place.axis in over:
            return not kept  # the mean of those heads that are there
        if kept:
            return self._put(node.output, place, place.axis)
        left = place.axis - sum(a < place.axis for a in over)
        return self._put(node.output, Place(place.rank - len(over), left, place.root), left)

    # ---- where a state comes in

    def _back(self, name: str, like: Place) -> bool:
        """Require that a value holds the same heads in the same place as another one."""
        if name in self.places:
            place = self.places[name]
            self._join([place, like])
            return place.behind == like.behind and not place.joined
        if name in self.inputs:  # the state of one layer, or its memory
            rank = self.inputs[name]
            whole = Place(rank, rank - like.behind, like.root)
            return whole.axis >= 0 and self._state(whole, name, 0) and self._put([name], whole, whole.axis)
        node = self.made.get(name)
        if node is not None and node.op_type == "Transpose":
            perm = self._list(node, "perm")
            if len(perm) != like.rank or not self._back(node.input[0], Place(like.rank, perm[like.axis], like.root)):
                return False
            return self._put([name], like, like.axis)
        if node is not None and node.op_type == "Gather" and node.input[0] in self.inputs:  # one layer of it
            axis, index = self._number(node, "axis", 0), self._stored(node.input[1])
            if index is None or index.ndim or self.inputs[node.input[0]] != like.rank + 1:
                return False
            whole = Place(like.rank + 1, like.axis + (axis <= like.axis), like.root)
            return self._state(whole, node.input[0], int(index)) and self._put([name], like, like.axis)
        return False

    def _state(self, place: Place, name: str, layer: int) -> bool:
        """Note that a layer of an input or output of the graph holds heads."""
        heads = self.heads[place.root]
        heads.known.add(f"layer {layer} of {name.removeprefix(NEXT)}")
        return heads.axes.setdefault(name, place.axis) == place.axis

    # ---- small things

    def _put(self, names: Iterable[str], place: Place, axis: int) -> bool:
        """Note where values hold heads; False if that contradicts what was noted before."""
        here = Place(place.rank, axis, place.root, place.joined)
        olds = [self.places.setdefault(name, here) for name in names]
        self._join([here, *olds])
        return all((o.rank, o.axis, o.joined) == (here.rank, here.axis, here.joined) for o in olds)

    def _join(self, places: Iterable[Place]) -> None:
        first, *others = dict.fromkeys(self._root(p.root) for p in places)
        self.parents |= dict.fromkeys(others, first)

    def _root(self, name: str) -> str:
        while name in self.parents:
            name = self.parents[name]
        return name

    def _beside(self, node: NodeProto, rank: int, axis: int) -> bool:
        """Whether a Shape node's result is only used for other axes."""
        first, last = self._number(node, "start", 0) % rank, self._number(node, "end", rank)
        return node.op_type == "Shape" and not first <= axis < (last % rank or rank)

    def _matrix(self, name: str) -> bool:
        tensor = self.weights.get(name)
        return tensor is not None and len(tensor.dims) == 2 and tensor.data_type == TensorProto.FLOAT

    def _stored(self, name: str) -> NDArray[np.int64] | None:
        return numpy_helper.to_array(self.weights[name]) if name in self.weights else None

    def _entries(self, node: NodeProto) -> list[int | None]:
        """The entries of a reshape's shape, None for those computed at run time; [] if its origin is not understood."""
        shape = self._stored(node.input[1])
        if shape is not None:
            return [int(x) for x in shape]
        made = self.made.get(node.input[1])
        if made is None or made.op_type != "Concat":
            return []
        stored = [self._stored(piece) for piece in made.input]
        return [x for piece in stored for x in ([None] if piece is None else [int(y) for y in piece])]

    def _one_axis(self, node: NodeProto, rank: int) -> int | None:
        axes = self._stored(node.input[1]) if len(node.input) > 1 else None
        return None if axes is None or axes.size != 1 else int(axes.ravel()[0]) % rank

    def _number(self, node: NodeProto, name: str, default: int) -> int:
        return next((int(a.i) for a in node.attribute if a.name == name), default)

    def _list(self, node: NodeProto, name: str) -> list[int]:
        return next((list(a.ints) for a in node.attribute if a.name == name), [])
