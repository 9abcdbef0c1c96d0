"""Translators as other programs keep them, written from the descriptions of their formats: random nets, small vocabularies."""

from __future__ import annotations

import io
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SENTENCES = [
    ("The little dog sleeps in the old house.", "Der kleine Hund schläft im alten Haus."),
    ("We are going to the market tomorrow.", "Wir gehen morgen auf den Markt."),
    ("She reads a long book every evening.", "Sie liest jeden Abend ein langes Buch."),
    ("Open the window, it is warm today!", "Öffne das Fenster, heute ist es warm!"),
    ("Do you know what the children want?", "Weißt du, was die Kinder wollen?"),
    ("The train to the sea leaves at seven.", "Der Zug ans Meer fährt um sieben."),
]


@dataclass(frozen=True)
class Sizes:
    width: int = 16
    inner: int = 24
    heads: int = 2
    depth: int = 2
    decoder_depth: int = 2


SIZES = Sizes()


def pieces(texts: list[str], size: int, **more: Any) -> bytes:
    """A SentencePiece file as Marian's users train it: letters replaced as `nmt_nfkc` says."""
    import sentencepiece

    out = io.BytesIO()
    more = {"normalization_rule_name": "nmt_nfkc", **more}
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=iter(texts * 20), model_writer=out, vocab_size=size, hard_vocab_limit=False, minloglevel=2, **more,
    )  # fmt: skip
    return out.getvalue()


def texts_of(raw: bytes) -> list[str]:
    import sentencepiece

    processor = sentencepiece.SentencePieceProcessor()
    processor.LoadFromSerializedProto(raw)
    return [processor.IdToPiece(i) for i in range(processor.GetPieceSize())]


def weights(
    rows: int, source_rows: int = 0, ssru: bool = False, tied: bool = True, sizes: Sizes = SIZES
) -> dict[str, Any]:
    """A random net by Marian's names, the same each time. Every bias and norm is other than at the start of a training."""
    rng = np.random.default_rng(7)  # with it what is written hangs on the source, and varies
    d, inner = sizes.width, sizes.inner
    found: dict[str, np.ndarray] = {}

    def add(name: str, *shape: int, around: float = 0.0, spread: float = 0.5) -> None:
        found[name] = (around + spread * rng.standard_normal(shape)).astype(np.float32)

    def block(prefix: str) -> None:
        for part in "qkvo":
            add(f"{prefix}_W{part}", d, d)
            add(f"{prefix}_b{part}", 1, d, spread=0.1)
        norm(f"{prefix}_Wo")

    def norm(prefix: str) -> None:
        add(f"{prefix}_ln_scale", 1, d, around=1, spread=0.1)
        add(f"{prefix}_ln_bias", 1, d, spread=0.1)

    for side, depth in (("encoder", sizes.depth), ("decoder", sizes.decoder_depth)):
        for i in range(1, depth + 1):
            at = f"{side}_l{i}"
            if side == "decoder" and ssru:
                add(f"{at}_rnn_W", d, d)
                add(f"{at}_rnn_Wf", d, d)
                add(f"{at}_rnn_bf", 1, d)
                norm(f"{at}_rnn_ffn")
            else:
                block(f"{at}_self")
            if side == "decoder":
                block(f"{at}_context")
            add(f"{at}_ffn_W1", d, inner)
            add(f"{at}_ffn_b1", 1, inner, spread=0.1)
            add(f"{at}_ffn_W2", inner, d)
            add(f"{at}_ffn_b2", 1, d, spread=0.1)
            norm(f"{at}_ffn_ffn")
    if source_rows:
        add("encoder_Wemb", source_rows, d, spread=1.0)
        add("decoder_Wemb", rows, d, spread=1.0)
    else:
        add("Wemb", rows, d, spread=1.0)
    if not tied:
        add("decoder_ff_logit_out_W", d, rows)
    add("decoder_ff_logit_out_b", 1, rows, spread=0.1)
    return found


def settings(
    rows: int, source_rows: int = 0, ssru: bool = False, tied: bool = True, sizes: Sizes = SIZES, **more: Any
) -> str:
    """What Marian writes into `special:model.yml`."""
    lines: dict[str, Any] = {
        "dec-cell": "ssru" if ssru else "gru",
        "dec-depth": sizes.decoder_depth,
        "dim-emb": sizes.width,
        "dim-vocabs": f"\n  - {source_rows or rows}\n  - {rows}",
        "enc-depth": sizes.depth,
        "layer-normalization": "false",
        "tied-embeddings": str(bool(source_rows) and tied).lower(),
        "tied-embeddings-all": str(not source_rows and tied).lower(),
        "tied-embeddings-src": str(not source_rows and not tied).lower(),
        "transformer-decoder-autoreg": "rnn" if ssru else "self-attention",
        "transformer-dim-ffn": sizes.inner,
        "transformer-ffn-activation": "relu" if ssru else "swish",
        "transformer-ffn-depth": 2,
        "transformer-heads": sizes.heads,
        "transformer-postprocess": "dan",
        "transformer-postprocess-emb": "d",
        "transformer-preprocess": '""',
        "transformer-tied-layers": "\n  []",
        "transformer-train-positions": "false",
        "type": "transformer",
        "version": "v1.9.0",
    }
    lines.update(more)
    lines["transformer-tied-layers"] = "[]"
    return "".join(f"{key}: {value}\n" for key, value in lines.items())


def npz(folder: Path, arrays: dict[str, Any], text: str) -> Path:
    path = folder / "model.npz"
    yml = np.frombuffer(text.encode() + b"\0", np.int8)
    np.savez(path, **arrays, **{"special:model.yml": yml})
    return path


def binary(arrays: dict[str, Any], text: str, int8: bool = False) -> bytes:
    """Marian's `.bin`: see `lamella.tasks.translation.foreign.binary`."""
    items: list[tuple[str, int, tuple[int, ...], bytes]] = []
    for name, array in arrays.items():
        matrix = array.ndim == 2 and min(array.shape) > 1
        if int8 and matrix:
            multiplier = np.float32(127 / np.abs(array).max())
            whole = np.clip(np.rint(array * multiplier), -127, 127).astype(np.int8)
            lying = whole if name.endswith("Wemb") else whole.T
            raw = np.ascontiguousarray(lying).tobytes() + np.float32(multiplier).tobytes()
            raw += b"\x55" * (-len(raw) % 256)  # what stands there is whatever was in memory
            items.append((name, 0x4101, array.shape, raw))
            items.append((f"{name}_QuantMultA", 0x404, (1, 1), np.float32(7).tobytes()))
        else:
            items.append((name, 0x404, array.shape, array.astype("<f4").tobytes()))
    items.append(("special:model.yml", 0x101, (len(text.encode()) + 1,), text.encode() + b"\0"))
    out = struct.pack("<QQ", 1, len(items))
    out += b"".join(
        struct.pack("<4Q", len(n.encode()) + 1, kind, len(shape), len(raw)) for n, kind, shape, raw in items
    )
    out += b"".join(n.encode() + b"\0" for n, *_ in items)
    out += b"".join(struct.pack(f"<{len(shape)}i", *shape) for _, _, shape, _ in items)
    padding = -(len(out) + 8) % 256
    return out + struct.pack("<Q", padding) + b"\0" * padding + b"".join(raw for *_, raw in items)


def opus(folder: Path, **net: Any) -> Path:
    """An OPUS-MT release: weights, a vocabulary for both sides in YAML, a SentencePiece file a side."""
    source, target = (pieces([pair[side] for pair in SENTENCES], 60) for side in (0, 1))
    marks = net.pop("marks", [])
    words = ["</s>", "<unk>", *marks]
    words += dict.fromkeys(t for raw in (source, target) for t in texts_of(raw)[3:])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "source.spm").write_bytes(source)
    (folder / "target.spm").write_bytes(target)
    (folder / "opus.vocab.yml").write_text("".join(f"{json.dumps(w)}: {i}\n" for i, w in enumerate(words)), "utf-8")
    more = net.pop("settings", {})
    npz(folder, weights(len(words), **net), settings(len(words), **net, **more))
    return folder


def firefox(folder: Path, int8: bool = True, separate: bool = False, **net: Any) -> Path:
    """A Firefox translator: int8 weights, SSRU decoder, ids of the SentencePiece file itself."""
    ids = {"bos_id": -1, "eos_id": 0, "unk_id": 1, "pad_id": -1}
    folder.mkdir(parents=True, exist_ok=True)
    if separate:
        source, target = (pieces([p[side] for p in SENTENCES], 60, **ids) for side in (0, 1))
        (folder / "srcvocab.ende.spm").write_bytes(source)
        (folder / "trgvocab.ende.spm").write_bytes(target)
    else:
        source = target = pieces([t for p in SENTENCES for t in p], 340, byte_fallback=True, **ids)
        (folder / "vocab.ende.spm").write_bytes(source)
    rows = {"rows": len(texts_of(target)), "source_rows": len(texts_of(source)) if separate else 0}
    arrays = weights(**rows, ssru=True, **net)
    (folder / "model.ende.intgemm.alphas.bin").write_bytes(binary(arrays, settings(**rows, ssru=True, **net), int8))
    return folder


def huggingface(folder: Path, **more: Any) -> Path:
    """A MarianMT folder of Hugging Face with the weights of an OPUS-MT release, by the other names."""
    from safetensors.numpy import save_file

    from lamella.tasks.translation.foreign.settings import read_settings

    opus(folder)
    words = read_settings((folder / "opus.vocab.yml").read_text("utf-8"))
    ids: dict[str, int] = {w: int(str(i)) for w, i in words.items()} | {"<pad>": len(words)}
    arrays = weights(len(words))
    table, bias = arrays["Wemb"], arrays["decoder_ff_logit_out_b"]
    out = {"model.shared.weight": np.vstack([table, np.zeros((1, table.shape[1]), np.float32)])}
    out["final_logits_bias"] = np.hstack([bias, np.zeros((1, 1), np.float32)])
    blocks = {"self": "self_attn", "context": "encoder_attn"}
    norms = {"self_Wo": "self_attn_layer_norm", "context_Wo": "encoder_attn_layer_norm", "ffn_ffn": "final_layer_norm"}
    for name, array in arrays.items():
        if "_l" not in name or name.startswith("decoder_ff"):
            continue
        side, layer, rest = name.split("_", 2)
        at = f"model.{side}.layers.{int(layer[1:]) - 1}."
        if "_ln_" in rest:
            which, kind = rest.split("_ln_")
            out[f"{at}{norms[which]}.{'weight' if kind == 'scale' else 'bias'}"] = array[0]
            continue
        which, part = rest.split("_")
        place = f"fc{part[1]}" if which == "ffn" else f"{blocks[which]}.{part[1] if part[1] != 'o' else 'out'}_proj"
        out[f"{at}{place}.{'weight' if part[0] == 'W' else 'bias'}"] = (
            np.ascontiguousarray(array.T) if part[0] == "W" else array[0]
        )
    for spare in ("model.npz", "opus.vocab.yml"):
        (folder / spare).unlink()
    save_file(out, str(folder / "model.safetensors"), metadata={"format": "pt"})
    pad = len(words)
    config = {
        "model_type": "marian", "architectures": ["MarianMTModel"], "d_model": SIZES.width, "encoder_layers": SIZES.depth,
        "decoder_layers": SIZES.decoder_depth, "encoder_attention_heads": SIZES.heads,
        "decoder_attention_heads": SIZES.heads, "encoder_ffn_dim": SIZES.inner, "decoder_ffn_dim": SIZES.inner,
        "activation_function": "swish", "scale_embedding": True, "vocab_size": pad + 1, "pad_token_id": pad,
        "eos_token_id": 0, "decoder_start_token_id": pad, "bos_token_id": 0, "forced_eos_token_id": 0,
        "max_position_embeddings": 64, "static_position_embeddings": True, "share_encoder_decoder_embeddings": True,
        "tie_word_embeddings": True, "dropout": 0.0, "bad_words_ids": [[pad]],
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps({**config, **more}))
    (folder / "vocab.json").write_text(json.dumps(ids))
    (folder / "tokenizer_config.json").write_text(json.dumps({"source_lang": "en", "target_lang": "de"}))
    return folder


def shortlist(pieces: int, first: int = 8, best: int = 6) -> bytes:
    """A `lex.bin`: for each piece of the source some of the translation, always the same ones."""
    rng = np.random.default_rng(2)
    lists = [np.sort(rng.choice(pieces, best, replace=False)) for _ in range(pieces)]
    starts = np.cumsum([0, *map(len, lists)]).astype("<u8")
    ids = np.concatenate(lists).astype("<u4")
    head = struct.pack("<6Q", 0xF11A48D5013417F5, 0, first, best, len(starts), len(ids))
    return head + starts.tobytes() + ids.tobytes()


ENGINE_SIZES = Sizes(width=64, inner=128, heads=4, depth=2, decoder_depth=2)  # Marian's products want multiples of 8


def for_the_engine(folder: Path, kind: str) -> Path:
    """A model that Marian itself can run: "npz" with attention, "bin" with an SSRU decoder, the same in "int8" or with a "shortlist"."""
    folder.mkdir(parents=True, exist_ok=True)
    raw = pieces([t for pair in SENTENCES for t in pair], 64, bos_id=-1, eos_id=0, unk_id=1, pad_id=-1)
    rows, ssru = len(texts_of(raw)), kind != "npz"
    (folder / "vocab.ende.spm").write_bytes(raw)
    arrays = weights(rows, ssru=ssru, sizes=ENGINE_SIZES)
    arrays = {k: v * np.float32(0.4) if v.ndim == 2 and min(v.shape) > 1 else v for k, v in arrays.items()}
    text = settings(rows, ssru=ssru, sizes=ENGINE_SIZES)
    if kind == "npz":
        npz(folder, arrays, text)
    else:
        (folder / "model.ende.bin").write_bytes(binary(arrays, text, kind == "int8"))
    if kind == "shortlist":
        (folder / "lex.ende.bin").write_bytes(shortlist(rows))
    return folder
