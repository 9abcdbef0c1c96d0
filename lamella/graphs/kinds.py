"""The number type of each value in a graph, and the check that no integer division can stop the process.

Dividing the smallest integer by -1 or anything by 0 stops the process, and the engine does not check it. So integers may
be divided by constants above 0 only, which is all that sizes need.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

FLOAT32, UINT8, INT32, INT64, BOOL, FLOAT16, FLOAT64, BFLOAT16 = 1, 2, 6, 7, 9, 10, 11, 16  # onnx's numbers for them
FLOATS = {FLOAT32, FLOAT16, FLOAT64, BFLOAT16}
_FIXED = {
    **dict.fromkeys(("Shape", "Size", "ArgMax", "ArgMin"), (INT64,)),
    **dict.fromkeys(("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Not", "And", "Or", "Xor"), (BOOL,)),
    **dict.fromkeys(("IsNaN", "IsInf"), (BOOL,)),
    **dict.fromkeys(("MatMulInteger", "ConvInteger"), (INT32,)),
    "DynamicQuantizeLinear": (UINT8, FLOAT32, UINT8),
}
_LIKE = {
    "Where": 1,
    "OneHot": 2,
    "DequantizeLinear": 1,
    "QLinearConv": 7,
    "QLinearMatMul": 7,
}  # the kind of which input


class Kinds:
    """The number type of every value, propagated from node to node; None if it is not known."""

    def __init__(self) -> None:
        self.of: dict[str, int | None] = {}

    def node(
        self,
        op: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        attributes: Mapping[str, Any],
        values: Mapping[str, NDArray[Any]],
    ) -> None:
        """Propagate through one node; ValueError if it divides integers by anything but a constant above 0."""
        given = [self.of.get(name) for name in inputs]
        if op in ("Div", "Mod") and given[0] not in FLOATS:
            divisor = values.get(inputs[1]) if len(inputs) > 1 else None
            if divisor is None or not (divisor > 0).all():
                raise ValueError(f"{op} of whole numbers by something else than constants above 0")
        self.of.update(zip(outputs, _given(op, given, len(outputs), attributes), strict=True))


def _given(op: str, given: list[int | None], count: int, attributes: Mapping[str, Any]) -> list[int | None]:
    """The number types of a node's outputs."""
    first = given[0] if given else None
    if op in _FIXED:
        return [*_FIXED[op], *[None] * count][:count]
    if op == "Cast":
        return [attributes.get("to")] * count
    if op in ("TopK", "MaxPool"):
        return [first, INT64][:count]
    if op == "QuantizeLinear":
        return [given[2] if len(given) > 2 else attributes.get("output_dtype", UINT8)] * count
    if op in ("Constant", "ConstantOfShape"):
        floats = "value_float" in attributes or "value_floats" in attributes or op == "ConstantOfShape"
        return [attributes.get("kind", FLOAT32 if floats else INT64)] * count
    place = _LIKE.get(op, 0)
    return [given[place] if len(given) > place else None] * count
