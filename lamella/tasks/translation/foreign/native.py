"""Marian's own models, `.npz` of OPUS-MT and `.bin` of Firefox: settings and weights by Marian's names.

The settings stand in the file itself, as the array `special:model.yml`. Marian can build many kinds of net; what is
supported is the Transformer in the forms that OPUS-MT and Firefox publish, and whatever differs is named.
"""

from collections.abc import Mapping

import numpy as np

from lamella.errors import ModelError
from lamella.tasks.translation.foreign.settings import Value, read_settings
from lamella.tasks.translation.foreign.vocabulary import Words
from lamella.tasks.translation.foreign.weights import Arrays, Dialect, Floats, Shape, assemble, biases, fits, rows

SETTINGS = "special:model.yml"
ACTIVATIONS = {"relu": "relu", "swish": "swish", "gelu": "quick-gelu"}  # Marian's gelu is x * sigmoid(1.702 x)
# Settings that must have one of these values where they stand; others would be another net.
EXPECTED: Mapping[str, tuple[str, ...]] = {
    "type": ("transformer",),
    "transformer-ffn-depth": ("2",),
    "transformer-decoder-autoreg": ("self-attention", "rnn"),
    "transformer-no-projection": ("false",),
    "transformer-train-positions": ("false",),
    "transformer-train-position-embeddings": ("false",),
    "transformer-rnn-projection": ("false",),
    "transformer-no-bias": ("false",),
    "transformer-no-affine": ("false",),
    "transformer-postprocess-emb": ("", "d"),
    "lemma-dim-emb": ("0",),
    "ulr": ("false",),
    "factors-combine": ("sum",),
    "layer-normalization": ("false",),
}
FORMS = {("", "dan"): False, ("n", "da"): True}  # (preprocess, postprocess) -> whether norms come first
BLOCKS = {"self": "self", "cross": "context"}


def settings_of(arrays: Arrays, where: str) -> dict[str, Value]:
    """What `special:model.yml` says. Raises ModelError where it is missing or says something that is not supported."""
    if SETTINGS not in arrays:
        raise ModelError(
            f"{where}: has no {SETTINGS}, so it is no model of Marian's. It holds {', '.join(sorted(arrays)[:5])[:200]}."
        )
    raw = np.asarray(arrays[SETTINGS]).tobytes().rstrip(b"\0")
    try:
        settings = read_settings(raw.decode())
    except ValueError as error:
        raise ModelError(f"{where}: its {SETTINGS} cannot be read ({error}). Copy the model again.") from error
    for name, allowed in EXPECTED.items():
        value = settings.get(name, allowed[0])
        if (value if value != [] else "") not in allowed:
            raise ModelError(
                f"{where}: {name} is {str(value)[:60]!r}, and what can be imported is {' or '.join(map(repr, allowed))}."
            )
    if settings.get("transformer-tied-layers", []) != []:
        raise ModelError(
            f"{where}: its layers are tied to each other (transformer-tied-layers), which is not supported."
        )
    return settings


def shape_of(settings: Mapping[str, Value], where: str) -> Shape:
    """The settings as the shape of a net."""

    def number(name: str, default: int | None = None) -> int:
        value = settings.get(name, default)
        if value is None or not str(value).isdecimal() or len(str(value)) > 9:
            raise ModelError(f"{where}: expected a whole number as {name}, received {str(value)[:40]!r}.")
        return int(str(value))

    def text(name: str, default: str) -> str:
        value = settings.get(name, default)
        return value if isinstance(value, str) else ""

    form = text("transformer-preprocess", ""), text("transformer-postprocess", "dan")
    activation = text("transformer-ffn-activation", "swish")
    if form not in FORMS or activation not in ACTIVATIONS:
        raise ModelError(
            f"{where}: its norms stand as {form} and its activation is {activation!r}; supported are "
            f"{' and '.join(map(str, FORMS))}, and {', '.join(ACTIVATIONS)}."
        )
    recurrent = text("transformer-decoder-autoreg", "self-attention") == "rnn"
    if recurrent and text("dec-cell", "") != "ssru":
        raise ModelError(
            f"{where}: its decoder is of cells {text('dec-cell', '')!r}, and what can be imported is 'ssru'."
        )
    everything = text("tied-embeddings-all", "false") == "true"
    source = text("tied-embeddings-src", "false") == "true"
    shape = Shape(
        width=number("dim-emb"),
        depth=number("enc-depth"),
        decoder_depth=number("dec-depth"),
        heads=number("transformer-heads"),
        inner=number("transformer-dim-ffn"),
        activation=ACTIVATIONS[activation],
        norm_first=FORMS[form],
        decoder="ssru" if recurrent else "attention",
        source_table=not (everything or source),
        output_table=not (everything or text("tied-embeddings", "false") == "true"),
    )
    if number("transformer-decoder-dim-ffn", 0) not in (0, shape.inner):
        raise ModelError(f"{where}: the decoder's feed-forward is of another width than the encoder's: not supported.")
    shape.check(where)
    return shape


class Marian(Dialect):
    """Marian's names: `decoder_l2_context_Wq`."""

    def __init__(self, arrays: Arrays, where: str, norm_first: bool) -> None:
        super().__init__(arrays, where)
        self.ending = "_pre" if norm_first else ""

    def matrix(self, side: str, layer: int, block: str, part: str, n_in: int, n_out: int) -> tuple[Floats, Floats]:
        at = f"{side}_l{layer + 1}"
        if block == "ssru":
            weight = self.take(f"{at}_rnn_{'W' if part == 'x' else 'Wf'}", n_in, n_out)
            return weight, self.take(f"{at}_rnn_bf", n_out) if part == "f" else np.zeros(n_out, np.float32)
        prefix = f"{at}_ffn" if block == "feed" else f"{at}_{BLOCKS[block]}"
        return self.take(f"{prefix}_W{part}", n_in, n_out), self.take(f"{prefix}_b{part}", n_out)

    def norm(self, side: str, layer: int, block: str, width: int) -> tuple[Floats, Floats]:
        at = f"{side}_l{layer + 1}"
        prefix = {
            "feed": f"{at}_ffn_ffn",
            "ssru": f"{at}_rnn" if self.ending else f"{at}_rnn_ffn",
            "top": f"{side}_top",
        }.get(block) or f"{at}_{BLOCKS[block]}_Wo"
        ending = "" if block == "top" else self.ending
        return self.take(f"{prefix}_ln_scale{ending}", width), self.take(f"{prefix}_ln_bias{ending}", width)


def convert(arrays: Arrays, shape: Shape, source: Words, target: Words, where: str) -> dict[str, Floats]:
    """Marian's arrays -> the weights of `EncoderDecoder`, their rows in lamella's order."""
    dialect = Marian(arrays, where, shape.norm_first)
    weights = assemble(dialect, shape)

    def table(name: str, words: Words) -> Floats:
        count = len(arrays[name]) if name in arrays and arrays[name].ndim == 2 else len(words.texts)
        fits(count, words, name, where)
        return rows(dialect.take(name, count, shape.width), words)

    weights["table"] = table("decoder_Wemb" if "decoder_Wemb" in arrays and "Wemb" not in arrays else "Wemb", target)
    if shape.source_table:
        weights["source_table"] = table("encoder_Wemb", source)
    if shape.output_table:
        name = "decoder_ff_logit_out_W"
        count = arrays[name].shape[-1] if name in arrays and arrays[name].ndim == 2 else len(target.texts)
        fits(count, target, name, where)
        weights["output_table"] = rows(np.ascontiguousarray(dialect.take(name, shape.width, count).T), target)
    weights["output_bias"] = biases(dialect.take("decoder_ff_logit_out_b", len(target.texts)), target)
    left = [n for n in sorted(dialect.unread) if not n.startswith("special:") and not n.endswith("QuantMultA")]
    if left:
        raise ModelError(
            f"{where}: holds arrays that the Transformer of its settings does not have: {', '.join(left[:4])[:200]}. "
            "It is another kind of net, which cannot be imported."
        )
    return weights
