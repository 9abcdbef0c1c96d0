"""Limits on the size of a graph's constants: a few bytes may ask for gigabytes, as ConstantOfShape of [30000, 30000] does.

Nodes that read only stored arrays are constants too, which the engine computes while it opens the file. Their shapes are
propagated here, and their values if these are few, since they may be the shapes of others. The exporter leaves hardly
any, so an unknown operator is refused if all its inputs are constant. Whatever depends on inputs has sizes that are known
only at run time, and is limited there.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

FEW = 1024  # numbers of a constant whose values are followed
LEAST = 32 << 20  # bytes that a constant may have, however small the file is
TIMES = 4  # or so many times the file
STRETCH = 1 << 20  # by how much Tile, Resize and the like may make an input larger
Array = NDArray[Any]

# The output has the shape of the inputs, broadcast against each other.
_EACH = """
Abs Add And Ceil Clip Cos DequantizeLinear Div Elu Equal Erf Exp Floor Gelu Greater GreaterOrEqual HardSigmoid
Identity IsInf IsNaN LeakyRelu Less LessOrEqual Log Max Mean Min Mod Mul Neg Not Or Pow QuantizeLinear Reciprocal Relu
Round Sigmoid Sign Sin Softmax Softplus Softsign Sqrt Sub Sum Tanh Trilu Where Xor
"""
EACH = frozenset(_EACH.split())
MOVES = frozenset(("Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"))  # the same numbers elsewhere
VALUES: dict[str, Callable[..., Any]] = {
    "Abs": np.abs, "Add": np.add, "Div": lambda a, b: a // b if a.dtype.kind in "iu" else a / b, "Identity": np.copy,
    "Max": np.maximum, "Min": np.minimum, "Mod": np.mod, "Mul": np.multiply, "Neg": np.negative, "Sub": np.subtract,
}  # fmt: skip
NUMBERS = {
    1: np.float32,
    2: np.uint8,
    3: np.int8,
    6: np.int32,
    7: np.int64,
    9: np.bool_,
    10: np.float16,
    11: np.float64,
}


class Growth:
    """The constants of one graph: the shape of each, and the values of small ones."""

    def __init__(self, size: int) -> None:
        self.most = max(LEAST, TIMES * size)
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.values: dict[str, Array] = {}

    def store(self, name: str, array: Array) -> None:
        self.shapes[name] = array.shape
        if array.size <= FEW:
            self.values[name] = array

    def node(self, op: str, inputs: Sequence[str], outputs: Sequence[str], attributes: Mapping[str, Any]) -> None:
        """ValueError if the node makes too large a constant, or enlarges its input too much."""
        if op == "Constant":
            self.store(outputs[0], _constant(attributes))
            return
        self._stretch(op, inputs, attributes)
        if not any(inputs) or not all(name in self.shapes for name in inputs if name):
            return
        shapes = self._shapes(op, inputs, attributes, len(outputs))
        for name, shape in zip(outputs, shapes, strict=True):
            if op not in MOVES or math.prod(shape) > math.prod(self.shapes[inputs[0]]):
                self._limit(op, shape)
            self.shapes[name] = shape
        if len(outputs) == 1 and math.prod(shapes[0]) <= FEW and all(i in self.values for i in inputs if i):
            value = _value(op, [self.values[i] for i in inputs if i], shapes[0], attributes)
            if value is not None:
                self.values[outputs[0]] = value.reshape(shapes[0])

    def _limit(self, op: str, shape: Sequence[int]) -> None:
        if 8 * math.prod(shape) > self.most:  # bytes, at the most: eight a number
            raise ValueError(f"{op} makes a constant of shape {list(shape)} out of a file of a few bytes")

    def _known(self, op: str, inputs: Sequence[str], place: int) -> list[Any] | None:
        """The values of an input; None if it is left out or depends on the graph's inputs."""
        name = inputs[place] if len(inputs) > place else ""
        if not name or name not in self.shapes:
            return None
        if name not in self.values:
            raise ValueError(f"{op} takes a size from a constant that cannot be followed")
        return list(self.values[name].ravel().tolist())

    def _stretch(self, op: str, inputs: Sequence[str], attributes: Mapping[str, Any]) -> None:
        """Sizes that are constant while what is stretched is not."""
        if op in ("ConstantOfShape", "Expand"):
            shape = self._known(op, inputs, 0 if op == "ConstantOfShape" else 1)
            self._limit(op, [max(1, abs(n)) for n in shape or []])
        elif op == "Range":
            ends = [self._known(op, inputs, i) for i in range(3)]
            if all(ends):
                first, last, step = (float(e[0]) for e in ends if e)
                self._limit(op, [int(min(abs((last - first) / step), 1e18)) if step else 1 << 60])
        elif op == "Tile":
            self._most(op, [max(1, n) for n in self._known(op, inputs, 1) or []])
        elif op == "OneHot":
            self._most(op, self._known(op, inputs, 1) or [])
        elif op == "Pad":
            pads = self._known(op, inputs, 1) or []
            half = len(pads) // 2
            self._most(op, [1 + max(0, a) + max(0, b) for a, b in zip(pads[:half], pads[half:], strict=False)])
        elif op == "Resize":
            self._most(op, [max(1, n) for n in self._known(op, inputs, 2) or []])
            self._limit(op, [max(1, n) for n in self._known(op, inputs, 3) or []])
        for name in ("strides", "pads", "output_padding") if op in ("ConvTranspose", "Conv") else ():
            self._most(op, [1 + n for n in attributes.get(name, [])])

    def _most(self, op: str, factors: Sequence[float]) -> None:
        if not all(map(math.isfinite, factors)) or math.prod(factors) > STRETCH:
            raise ValueError(f"{op} makes what it is given {math.prod(factors):.2g} times as large")

    def _shapes(
        self, op: str, inputs: Sequence[str], attributes: Mapping[str, Any], outputs: int
    ) -> list[tuple[int, ...]]:
        """The output shapes of a node that reads only constants."""
        given = [self.shapes[name] for name in inputs if name]
        first = given[0]
        if op in EACH:
            return [tuple(np.broadcast_shapes(*given))] if op != "DequantizeLinear" else [first]
        if op in ("Cast", "Softmax", "LogSoftmax", "CumSum"):
            return [first]
        if op == "Transpose":
            return [tuple(first[i] for i in attributes.get("perm") or range(len(first))[::-1])]
        if op in ("Reshape", "Flatten"):
            return [_reshaped(first, self._known(op, inputs, 1) if op == "Reshape" else [-1])]
        if op in ("Unsqueeze", "Squeeze"):
            return [_squeezed(op, first, self._known(op, inputs, 1))]
        if op == "Shape":
            return [(len(first[attributes.get("start", 0) : attributes.get("end", len(first))]),)]
        if op == "Size":
            return [()]
        if op == "Gather":
            axis = attributes.get("axis", 0) % len(first)
            return [(*first[:axis], *given[1], *first[axis + 1 :])]
        if op == "Concat":
            axis = attributes["axis"] % len(first)
            return [(*first[:axis], sum(shape[axis] for shape in given), *first[axis + 1 :])]
        if op in ("Slice", "Split"):
            return [first] * outputs  # or less
        if op == "MatMul" and min(map(len, given)) >= 2:
            return [(*np.broadcast_shapes(given[0][:-2], given[1][:-2]), given[0][-2], given[1][-1])]
        if op == "ConstantOfShape":
            return [tuple(self._known(op, inputs, 0) or ())]
        if op == "Expand":
            return [tuple(np.broadcast_shapes(first, tuple(self._known(op, inputs, 1) or ())))]
        if op == "Range":
            ends = [(self._known(op, inputs, i) or [0])[0] for i in range(3)]
            return [(max(0, math.ceil((ends[1] - ends[0]) / ends[2])),)]
        raise ValueError(f"{op} of constants alone, which the exporter would have computed")


def _value(op: str, values: list[Array], shape: tuple[int, ...], attributes: Mapping[str, Any]) -> Array | None:
    """The numbers of a small constant; None where they are not followed."""
    with np.errstate(all="ignore"):
        if op in VALUES and len(values) <= 2:
            return np.asarray(VALUES[op](*values))
        if op == "Cast" and attributes.get("to") in NUMBERS:
            return values[0].astype(NUMBERS[attributes["to"]])
        if op in ("Unsqueeze", "Squeeze", "Reshape", "Flatten"):
            return values[0]
        if op == "Concat":
            return np.concatenate(values, axis=attributes["axis"])
        if op == "Gather":
            return np.take(values[0], values[1].astype(np.int64), axis=attributes.get("axis", 0))
    return None


def _constant(attributes: Mapping[str, Any]) -> Array:
    """The value of a Constant node, whichever attribute holds it."""
    kinds: dict[str, Any] = {
        "value_float": np.float32, "value_floats": np.float32, "value_int": np.int64, "value_ints": np.int64,
    }  # fmt: skip
    values = {name: value for name, value in attributes.items() if name != "kind"}
    if len(values) != 1 or not values.keys() <= {"value", *kinds}:
        raise ValueError("Constant with another value than numbers")
    ((name, value),) = values.items()
    return np.asarray(value) if name == "value" else np.asarray(value, kinds[name])


def _reshaped(shape: tuple[int, ...], wanted: list[int] | None) -> tuple[int, ...]:
    if wanted is None or any(n < -1 or (n == 0 and i >= len(shape)) for i, n in enumerate(wanted)):
        raise ValueError(f"Reshape of a constant to {wanted}")
    sides = [shape[i] if n == 0 else n for i, n in enumerate(wanted)]
    rest = math.prod(n for n in sides if n != -1)
    return tuple(math.prod(shape) // max(1, rest) if n == -1 else n for n in sides)


def _squeezed(op: str, shape: tuple[int, ...], axes: list[int] | None) -> tuple[int, ...]:
    if op == "Squeeze":
        gone = {a % len(shape) for a in axes} if axes is not None else {i for i, n in enumerate(shape) if n == 1}
        return tuple(n for i, n in enumerate(shape) if i not in gone)
    rank = len(shape) + len(axes or [])
    ones, rest = {a % rank for a in axes or []}, list(shape)
    return tuple(1 if i in ones else rest.pop(0) for i in range(rank))
