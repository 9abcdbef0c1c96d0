"""MarianMT folders of Hugging Face: `config.json`, `model.safetensors`, `source.spm`, `target.spm`, `vocab.json`.

The nets are those of Marian's Transformer with another order of the sines and cosines that encode positions. Where a folder
holds its weights as a pickle alone (`pytorch_model.bin`), it is refused: a pickle can run any code when it is opened.
"""

from pathlib import Path

import msgspec
import numpy as np

from lamella.errors import ModelError
from lamella.tasks.translation.foreign.vocabulary import Words
from lamella.tasks.translation.foreign.weights import Arrays, Dialect, Floats, Shape, assemble, biases, fits, rows

ACTIVATIONS = {"relu": "relu", "swish": "swish", "silu": "swish", "gelu": "gelu"}
PARTS = {"q": "q_proj", "k": "k_proj", "v": "v_proj", "o": "out_proj", "1": "fc1", "2": "fc2"}
# What a file may hold besides: the one table under its other names, and the sines of the positions, which are made anew.
TABLES = ("model.shared.weight", "model.decoder.embed_tokens.weight", "lm_head.weight")
SPARE = {*TABLES, "model.encoder.embed_tokens.weight"} | {
    f"model.{s}.embed_positions.weight" for s in ("encoder", "decoder")
}


class Config(msgspec.Struct):
    """What of `config.json` decides the net."""

    model_type: str = ""
    d_model: int = 0
    encoder_layers: int = 0
    decoder_layers: int = 0
    encoder_attention_heads: int = 0
    decoder_attention_heads: int = 0
    encoder_ffn_dim: int = 0
    decoder_ffn_dim: int = 0
    activation_function: str = "swish"
    scale_embedding: bool = True
    normalize_before: bool = False
    normalize_embedding: bool = False
    static_position_embeddings: bool = True
    share_encoder_decoder_embeddings: bool = True
    tie_word_embeddings: bool = True
    vocab_size: int = 0
    decoder_vocab_size: int | None = None
    pad_token_id: int | None = None
    eos_token_id: int | list[int] | None = None
    decoder_start_token_id: int | None = None


def read_config(raw: bytes, where: str) -> tuple[Config, Shape]:
    """The bytes of `config.json` -> what it says and the shape of its net. ModelError where that is not supported."""
    try:
        config = msgspec.json.decode(raw, type=Config)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ModelError(f"{where}: expected the config.json of a MarianMT model ({error}). Copy it again.") from error
    if config.model_type != "marian":
        raise ModelError(
            f"{where}: is of the kind {config.model_type[:40]!r}. Supported: 'marian', the translators of OPUS-MT."
        )
    if config.activation_function not in ACTIVATIONS:
        raise ModelError(
            f"{where}: its activation is {config.activation_function[:40]!r}. Supported: {', '.join(ACTIVATIONS)}."
        )
    for name, wanted in (
        ("normalize_before", False),
        ("normalize_embedding", False),
        ("static_position_embeddings", True),
    ):
        if getattr(config, name) != wanted:
            raise ModelError(f"{where}: {name} is {getattr(config, name)}. Supported: {wanted}.")
    if (
        config.decoder_attention_heads != config.encoder_attention_heads
        or config.decoder_ffn_dim != config.encoder_ffn_dim
    ):
        raise ModelError(
            f"{where}: its encoder and decoder have different heads or feed-forward widths: not supported."
        )
    shape = Shape(
        width=config.d_model,
        depth=config.encoder_layers,
        decoder_depth=config.decoder_layers,
        heads=config.encoder_attention_heads,
        inner=config.encoder_ffn_dim,
        activation=ACTIVATIONS[config.activation_function],
        positions="halves",
        scale=config.scale_embedding,
        source_table=not config.share_encoder_decoder_embeddings,
        output_table=not config.tie_word_embeddings,
    )
    shape.check(where)
    return config, shape


class HuggingFace(Dialect):
    """Hugging Face's names: `model.decoder.layers.1.encoder_attn.q_proj.weight`, (out, in)."""

    def matrix(self, side: str, layer: int, block: str, part: str, n_in: int, n_out: int) -> tuple[Floats, Floats]:
        at = f"model.{side}.layers.{layer}"
        inner = {"self": "self_attn.", "cross": "encoder_attn.", "feed": ""}[block]
        name = f"{at}.{inner}{PARTS[part]}"
        weight = np.ascontiguousarray(self.take(f"{name}.weight", n_out, n_in).T)
        return weight, self.take(f"{name}.bias", n_out)

    def norm(self, side: str, layer: int, block: str, width: int) -> tuple[Floats, Floats]:
        name = {"self": "self_attn_layer_norm", "cross": "encoder_attn_layer_norm", "feed": "final_layer_norm"}[block]
        at = f"model.{side}.layers.{layer}.{name}"
        return self.take(f"{at}.weight", width), self.take(f"{at}.bias", width)


def special(words: Words, config: Config, where: str) -> Words:
    """The rows with the special ids that `config.json` names. ModelError where they are none of the vocabulary."""
    end = (
        config.eos_token_id[0] if isinstance(config.eos_token_id, list) and config.eos_token_id else config.eos_token_id
    )
    padding = config.pad_token_id
    start = padding if config.decoder_start_token_id is None else config.decoder_start_token_id
    if (
        not isinstance(end, int)
        or padding is None
        or not (0 <= end < len(words.texts) and 0 <= padding < len(words.texts))
    ):
        raise ModelError(
            f"{where}: eos_token_id {end} and pad_token_id {padding} are none of its {len(words.texts):,} pieces."
        )
    if start != padding:
        raise ModelError(
            f"{where}: decoding starts with id {start}, and with Marian's models it is padding, {padding}."
        )
    return Words(words.texts, words.unknown, end, padding)


def convert(
    arrays: Arrays, config: Config, shape: Shape, source: Words, target: Words, where: str
) -> dict[str, Floats]:
    """Hugging Face's arrays -> the weights of `EncoderDecoder`, their rows in lamella's order."""
    dialect = HuggingFace(arrays, where)
    weights = assemble(dialect, shape)
    inside = [n for n in TABLES[shape.source_table :] if n in arrays]
    if not inside:
        raise ModelError(f"{where}: has no table of embeddings ({', '.join(TABLES)}). Copy the model again.")

    def table(name: str, words: Words) -> Floats:
        count = len(arrays[name]) if name in arrays and arrays[name].ndim == 2 else len(words.texts)
        fits(count, words, name, where)
        return rows(dialect.take(name, count, shape.width), words)

    weights["table"] = table(inside[0], target)
    if shape.source_table:
        weights["source_table"] = table("model.encoder.embed_tokens.weight", source)
    if shape.output_table:
        weights["output_table"] = table("lm_head.weight", target)
    bias = "final_logits_bias"
    zeros = np.zeros(len(target.texts), np.float32)
    weights["output_bias"] = biases(dialect.take(bias, len(target.texts)) if bias in arrays else zeros, target)
    if left := sorted(dialect.unread - SPARE):
        raise ModelError(
            f"{where}: holds arrays that a MarianMT model does not have: {', '.join(left[:4])[:200]}. It is another kind of "
            "net, which cannot be imported."
        )
    return weights


def conversion(folder: Path) -> str:
    """The command that makes safetensors of a pickle, for the user's own environment."""
    text = str(folder)
    code = (
        f"from transformers import MarianMTModel; MarianMTModel.from_pretrained({text!r})"
        f".save_pretrained({text!r}, safe_serialization=True)"
    )
    return f'python -c "{code}"'
