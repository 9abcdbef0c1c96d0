"""The weights of a Marian net, in whichever names they came -> those of `lamella.nets.transformer.EncoderDecoder`.

Two dialects give the same parts under their own names: Marian's (`encoder_l1_self_Wq`, (in, out), in `.npz` and `.bin`) and
Hugging Face's (`model.encoder.layers.0.self_attn.q_proj.weight`, (out, in)). A `Dialect` hands over one part by its plain
name, in the form that lamella stores: matrices (in, out), biases flat.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.data.text.pieces import PADDING, START
from lamella.errors import ModelError
from lamella.tasks.translation.foreign.vocabulary import Words

Floats = NDArray[np.float32]
Arrays = Mapping[str, NDArray[Any]]
LAYERS, WIDEST = 64, 16_384  # of a net that can be imported
NEVER = -1000.0  # the bias of padding and start, which are no answers: exp() of it is 0


@dataclass
class Shape:
    """What a net is made of; the keys of `net()` are the arguments of `EncoderDecoder`."""

    width: int
    depth: int
    decoder_depth: int
    heads: int
    inner: int
    activation: str = "relu"
    norm_first: bool = False
    decoder: str = "attention"
    positions: str = "marian"
    scale: bool = True
    source_table: bool = False  # the source has a table of its own
    output_table: bool = False  # the output has a table of its own
    output_bias: bool = True

    def check(self, where: str) -> None:
        """ModelError where a size is none of a net."""
        counts = (self.depth, self.decoder_depth)
        sizes = (self.width, self.heads, self.inner)
        if not all(0 < n <= LAYERS for n in counts) or not all(0 < n <= WIDEST for n in sizes):
            raise ModelError(f"{where}: expected sizes of a net, received {self}.")
        if self.width % self.heads or self.width % 2:
            raise ModelError(f"{where}: expected an even width that {self.heads} heads divide, received {self.width}.")


class Dialect:
    """One format's arrays, handed over part by part; what was never asked for is left in `unread`."""

    def __init__(self, arrays: Arrays, where: str) -> None:
        self.arrays, self.where, self.unread = arrays, where, set(arrays)

    def take(self, name: str, *shape: int) -> Floats:
        """An array in float32, of this shape. ModelError where it is missing, of another shape, or not finite."""
        if name not in self.arrays:
            raise ModelError(
                f"{self.where}: has no array {name}, so it is another kind of net than its settings say. Supported: "
                "Transformers of Marian; copy the model again if it should be one."
            )
        self.unread.discard(name)
        array = self.arrays[name]
        if array.dtype.kind != "f":
            raise ModelError(f"{self.where}: {name} holds {array.dtype}, expected floats.")
        if np.squeeze(array).shape != tuple(n for n in shape if n != 1):  # Marian's biases are (1, D)
            raise ModelError(f"{self.where}: {name} has the shape {array.shape}, and its settings ask for {shape}.")
        flat = array.reshape(shape)
        if not np.isfinite(flat).all():
            raise ModelError(f"{self.where}: {name} holds NaN or infinity. Copy the model again.")
        return np.ascontiguousarray(flat, np.float32)

    def matrix(self, side: str, layer: int, block: str, part: str, n_in: int, n_out: int) -> tuple[Floats, Floats]:
        """A product's weight (in, out) and bias (out,)."""
        raise NotImplementedError

    def norm(self, side: str, layer: int, block: str, width: int) -> tuple[Floats, Floats]:
        """The scale and the shift of the norm that goes with a block, (D,) each."""
        raise NotImplementedError


def assemble(dialect: Dialect, shape: Shape) -> dict[str, Floats]:
    """All layers of a net under the names of `EncoderDecoder`; its tables come from `tables`."""
    found: dict[str, Floats] = {}
    d = shape.width

    def put(name: str, pair: tuple[Floats, Floats]) -> None:
        found[f"{name}.weight"], found[f"{name}.bias"] = pair

    def together(side: str, layer: int, block: str, parts: str) -> tuple[Floats, Floats]:
        pairs = [dialect.matrix(side, layer, block, part, d, d) for part in parts]
        return np.concatenate([w for w, _ in pairs], axis=1), np.concatenate([b for _, b in pairs])

    for side, depth in (("encoder", shape.depth), ("decoder", shape.decoder_depth)):
        for i in range(depth):
            at = f"{side}.{i}"
            if side == "decoder" and shape.decoder == "ssru":
                found[f"{at}.attention.input.weight"], _ = dialect.matrix(side, i, "ssru", "x", d, d)
                put(f"{at}.attention.forget", dialect.matrix(side, i, "ssru", "f", d, d))
                put(f"{at}.norm_attention", dialect.norm(side, i, "ssru", d))
            else:
                put(f"{at}.attention.query_key_value", together(side, i, "self", "qkv"))
                put(f"{at}.attention.out", dialect.matrix(side, i, "self", "o", d, d))
                put(f"{at}.norm_attention", dialect.norm(side, i, "self", d))
            if side == "decoder":
                put(f"{at}.cross.query", dialect.matrix(side, i, "cross", "q", d, d))
                put(f"{at}.cross.key_value", together(side, i, "cross", "kv"))
                put(f"{at}.cross.out", dialect.matrix(side, i, "cross", "o", d, d))
                put(f"{at}.norm_cross", dialect.norm(side, i, "cross", d))
            put(f"{at}.feed.up", dialect.matrix(side, i, "feed", "1", d, shape.inner))
            put(f"{at}.feed.down", dialect.matrix(side, i, "feed", "2", shape.inner, d))
            put(f"{at}.norm_feed", dialect.norm(side, i, "feed", d))
        if shape.norm_first:
            put(f"norm_{side}", dialect.norm(side, 0, "top", d))
    return found


def rows(table: Floats, words: Words) -> Floats:
    """A table (V, D) in lamella's order of ids (`Words.order`); what it has no row for is zeros."""
    order = words.order()
    moved = np.take(table, [0 if row is None else row for row in order], axis=0)
    moved[[row is None for row in order]] = 0
    return moved


def biases(bias: Floats, words: Words) -> Floats:
    """A bias for each row (V,) in lamella's order; padding and the start are never written."""
    moved = rows(bias, words)
    moved[[PADDING, START]] = NEVER
    return moved


def fits(count: int, words: Words, table: str, where: str) -> None:
    """ModelError where a vocabulary does not have a piece for each row of its table."""
    if count != len(words.texts):
        raise ModelError(
            f"{where}: the table {table} has {count:,} rows, and the vocabulary {len(words.texts):,} pieces: they are of "
            "different models. Use the vocabulary that came with these weights."
        )
