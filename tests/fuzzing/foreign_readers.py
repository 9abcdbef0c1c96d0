"""How the files of other programs' translators are tried, and small ones of each kind."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np

from lamella.errors import LamellaError, ModelError
from tests import foreign_models as models

SMALL = models.Sizes(width=4, inner=4, heads=2, depth=1, decoder_depth=1)
ROWS = 12


def _convert(arrays: dict[str, np.ndarray]) -> None:
    from lamella.tasks.translation.foreign import native
    from lamella.tasks.translation.foreign.vocabulary import Words

    words = Words(["</s>", "<unk>", *(f"w{i}" for i in range(ROWS - 2))], unknown=1, end=0)
    shape = native.shape_of(native.settings_of(arrays, "input"), "input")
    for name, array in native.convert(arrays, shape, words, words, "input").items():
        assert np.isfinite(array).all(), name


def read_marian_binary(path: Path) -> None:
    from lamella.tasks.translation.foreign.binary import read_binary

    raw = path.read_bytes()
    arrays = read_binary(raw, "input")
    assert sum(a.size for a in arrays.values()) <= len(raw)
    _convert(arrays)


def read_marian_npz(path: Path) -> None:
    from lamella.tasks.translation.foreign.archive import read_npz

    _convert(read_npz(path))


def read_marian_settings(path: Path) -> None:
    from lamella.tasks.translation.foreign import native
    from lamella.tasks.translation.foreign.settings import read_settings
    from lamella.tasks.translation.foreign.vocabulary import words_of

    try:
        found = read_settings(path.read_text("utf-8", "replace"))
    except ValueError as error:
        raise ModelError(str(error)) from error
    for use in (lambda: native.shape_of(found, "input"), lambda: words_of(found, "input").order()):
        with suppress(LamellaError):
            use()


def read_marian_config(path: Path) -> None:
    from lamella.tasks.translation.foreign.huggingface import read_config

    read_config(path.read_bytes(), "input")


def read_other_pieces(path: Path) -> None:
    """What is made of any SentencePiece file is one that lamella reads itself."""
    from lamella.data.text.pieces import Pieces
    from lamella.tasks.translation.foreign.vocabulary import read_pieces, words_of_pieces, write_pieces

    found = read_pieces(path.read_bytes(), "input")
    words = words_of_pieces(found, "input")
    pieces = Pieces(write_pieces(words, found), normaliser=found.normaliser)
    assert len(pieces) == len(words.order())
    pieces.decode(pieces.encode(["Hello wörld, ½ \u200b😀"]))


def read_marian_shortlist(path: Path) -> None:
    from lamella.tasks.translation.foreign.shortlist import convert_shortlist
    from lamella.tasks.translation.foreign.vocabulary import Words
    from lamella.tasks.translation.shortlist import Shortlist

    words = Words(["</s>", "<unk>", *(f"w{i}" for i in range(ROWS - 2))], unknown=1, end=0)
    own = convert_shortlist(path.read_bytes(), words, words, "input")
    ids, allowed = Shortlist(own, (ROWS + 2, ROWS + 2), shared=True).candidates(np.array([[5, 7, 3, 0], [13, 3, 0, 0]]))
    assert ids.min() >= 0 and ids.max() < ROWS + 2 and not allowed[:, (ids == 2) | (ids == 0)].any()


def shortlists() -> list[bytes]:
    return [models.shortlist(ROWS, first=3, best=2), models.shortlist(ROWS + 1), b""]


@cache
def _arrays() -> dict[str, np.ndarray]:
    return models.weights(ROWS, ssru=True, sizes=SMALL)


def _text() -> str:
    return models.settings(ROWS, ssru=True, sizes=SMALL)


def binaries() -> list[bytes]:
    return [models.binary(_arrays(), _text()), models.binary(_arrays(), _text(), int8=True), b"\1" + b"\0" * 7]


def npzs() -> list[bytes]:
    out = []
    for save, more in ((np.savez, {}), (np.savez_compressed, {}), (np.savez_compressed, {"x": np.array([{}])})):
        file = io.BytesIO()
        save(file, **_arrays(), **{"special:model.yml": np.frombuffer(_text().encode(), np.int8)}, **more)
        out.append(file.getvalue())
    file = io.BytesIO()
    np.savez_compressed(file, Wemb=_arrays()["Wemb"], **{"special:model.yml": np.frombuffer(_text().encode(), np.int8)})
    return [*out, file.getvalue()]


def settings() -> list[bytes]:
    return [
        _text().encode(),
        b'"\\u2581the": 0\n"\\x41\\"": 1\n\'it\'\'s\': 2\n? long\n: 3\n',
        b"a: [b, c]\n- d\n",
    ]


def configs() -> list[bytes]:
    sizes = {"d_model": 4, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2}
    more = {"decoder_attention_heads": 2, "encoder_ffn_dim": 4, "decoder_ffn_dim": 4, "model_type": "marian"}
    return [json.dumps({**sizes, **more, **changed}).encode() for changed in ({}, {"d_model": -1}, {"d_model": 1e99})]


@cache
def other_pieces() -> list[bytes]:
    texts = [text for pair in models.SENTENCES for text in pair]
    plain = models.pieces(texts, 45, bos_id=-1, eos_id=0, unk_id=1, pad_id=-1, normalization_rule_name="identity")
    return [plain, plain.replace(b"identity", b"nmt_nfkc"), b""]
