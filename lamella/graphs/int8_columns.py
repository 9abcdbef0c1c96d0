"""Rows and columns of a table that one graph gives out and another one looks up and multiplies by, in int8.

With a shortlist `encode` reads the candidates of a batch from the table: rows (N, D), by which a `step` embeds, and columns
(D, N), by which it scores. They stay bytes on the way, the table's own, with the scale of each beside them, so
that the products are of whole numbers as with a table that is stored.
"""

from collections.abc import Callable

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

AXES = {"rows": 0, "columns": 1}  # names of such outputs and inputs, and the axis of the candidates
SCALE = "_scale"
Store = Callable[[str], tuple[str, str]]  # the name of a large table -> the names of its bytes and its scales


def give_out(graph: GraphProto, tables: set[str], store: Store) -> None:
    """Change outputs that are looked up in a large table to bytes, with their scales as further outputs."""
    made = {name: node for node in graph.node for name in node.output}
    replaced: list[str] = []  # both outputs may be of one lookup
    added: list[NodeProto] = []
    for value in [o for o in graph.output if o.name in AXES]:
        name, node = value.name, made[value.name]
        lookup = made.get(node.input[0]) if node.op_type == "Transpose" else node
        if lookup is None or lookup.op_type != "Gather" or lookup.input[0] not in tables:
            continue
        table, scale = store(lookup.input[0])
        ids = lookup.input[1]
        fresh: list[NodeProto] = [helper.make_node("Gather", [scale, ids], [f"{name}{SCALE}"])]
        if node.op_type == "Transpose":
            fresh += [
                helper.make_node("Gather", [table, ids], [f"{name}_rows"]),
                helper.make_node("Transpose", [f"{name}_rows"], [name], perm=[1, 0]),
            ]
        else:
            fresh.append(helper.make_node("Gather", [table, ids], [name]))
        graph.output.append(_as_bytes(value))
        replaced += [node.output[0], lookup.output[0]]
        added += fresh
    kept = [node for node in graph.node if node.output[0] not in replaced]
    del graph.node[:]
    graph.node.extend([*kept, *added])  # all that these need are inputs and what is stored


def take_in(graph: GraphProto) -> set[str]:
    """Change such inputs to bytes, with their scales as further inputs; the names."""
    values = [i for i in graph.input if i.name in AXES]
    graph.input.extend([_as_bytes(value) for value in values])
    return {value.name for value in values}


def lookup(node: NodeProto, stored: dict[str, TensorProto]) -> list[NodeProto]:
    """Rows of candidates by their places: bytes times the row's scale."""
    rows, places = node.input
    out = node.output[0]
    stored[f"{out}_axis"] = numpy_helper.from_array(np.array([-1], np.int64), f"{out}_axis")
    return [
        helper.make_node("Gather", [rows, places], [f"{out}_bytes"]),
        helper.make_node("Cast", [f"{out}_bytes"], [f"{out}_float"], to=TensorProto.FLOAT),
        helper.make_node("Gather", [f"{rows}{SCALE}", places], [f"{out}_row"]),
        helper.make_node("Unsqueeze", [f"{out}_row", f"{out}_axis"], [f"{out}_rows"]),
        helper.make_node("Mul", [f"{out}_float", f"{out}_rows"], [out]),
    ]


def _as_bytes(value: ValueInfoProto) -> ValueInfoProto:
    """Make an input or output one of bytes; returns that of its scales."""
    value.type.tensor_type.elem_type = TensorProto.INT8
    axis = value.type.tensor_type.shape.dim[AXES[value.name]]
    return helper.make_tensor_value_info(f"{value.name}{SCALE}", TensorProto.FLOAT, [axis.dim_param or axis.dim_value])
