"""Translators of other programs: the same numbers as the program they come from, and what is refused.

Hugging Face's own program is too large to be installed for a test (transformers and what it pulls in are 200 MB), so what it
gave for the net of `foreign_models.huggingface` is written down here; `python bench/import_marian.py` computes it again.
For Marian's own formats the net is written out in numpy below, from the papers and Marian's names, and what Marian itself
translates is written down too (`bench/import_bergamot.py`).
"""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import lamella
from lamella.cli.commands import main
from lamella.data.text.pieces import END, START, UNKNOWN, Pieces, normalise
from lamella.decode import greedy
from lamella.errors import LamellaError, ModelError, UsageError
from lamella.graphs import torch_graphs
from lamella.graphs.weights import named_weights
from lamella.tasks.translation import foreign
from lamella.tasks.translation.foreign.vocabulary import words_of
from lamella.tasks.translation.shortlist import Shortlist, read_with
from lamella.train.adopt import fill
from lamella.verbs.import_model import import_model
from tests import foreign_models as models

SIZES = models.SIZES


def net_of(folder: Path, **languages: str):
    found = foreign.read(folder, **{"src": "en", "dst": "de", **languages})
    assert found is not None
    net = found.net().build(0.0, 64, bool(found.shortlist))
    fill(net, found.weights).all_or_error("test")
    return net.eval(), found


def scores(net, source: list[int], target: list[int]) -> np.ndarray:
    """Log-probabilities (T, V) with the right beginning given, ids as lamella has them."""
    with torch.no_grad():
        out = net(torch.tensor([source]), torch.tensor([[START, *target]]))
        return torch.log_softmax(out["hidden"] @ out["table"].t() + out["bias"], dim=-1)[0].numpy()


# --- against numpy


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def marian(arrays: dict, source: list[int], target: list[int], ssru: bool) -> np.ndarray:
    """Marian's Transformer for one sentence, ids as Marian has them: log-probabilities (T, V)."""
    w = {name: array.astype(np.float64) for name, array in arrays.items()}
    d, heads = SIZES.width, SIZES.heads

    def norm(x, prefix):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6)
        return x * w[f"{prefix}_ln_scale"] + w[f"{prefix}_ln_bias"]

    def attention(x, y, prefix, causal=False):
        q, k, v = (
            (a @ w[f"{prefix}_W{p}"] + w[f"{prefix}_b{p}"]).reshape(len(a), heads, -1).transpose(1, 0, 2)
            for a, p in ((x, "q"), (y, "k"), (y, "v"))
        )
        weights = q @ k.transpose(0, 2, 1) / np.sqrt(d / heads)
        if causal:
            weights = weights + np.triu(np.full((len(x), len(y)), -1e9), 1)
        mixed = (softmax(weights) @ v).transpose(1, 0, 2).reshape(len(x), d)
        return norm(x + mixed @ w[f"{prefix}_Wo"] + w[f"{prefix}_bo"], f"{prefix}_Wo")

    def feed(x, prefix):
        inner = x @ w[f"{prefix}_W1"] + w[f"{prefix}_b1"]
        inner = np.maximum(inner, 0) if ssru else inner * sigmoid(inner)
        return norm(x + inner @ w[f"{prefix}_W2"] + w[f"{prefix}_b2"], f"{prefix}_ffn")

    def recurrent(x, prefix):
        forget, value, cell, out = sigmoid(x @ w[f"{prefix}_Wf"] + w[f"{prefix}_bf"]), x @ w[f"{prefix}_W"], 0, []
        for f, v in zip(forget, value):
            cell = f * cell + (1 - f) * v
            out.append(np.maximum(cell, 0))
        return norm(x + np.array(out), f"{prefix}_ffn")

    def embed(rows):
        angles = np.arange(len(rows))[:, None] * 10000.0 ** -(np.arange(d // 2) / (d / 2 - 1))
        return rows * np.sqrt(d) + np.concatenate([np.sin(angles), np.cos(angles)], axis=1)

    x = embed(w.get("encoder_Wemb", w.get("Wemb"))[source])
    for i in range(1, SIZES.depth + 1):
        x = feed(attention(x, x, f"encoder_l{i}_self"), f"encoder_l{i}_ffn")
    table = w.get("decoder_Wemb", w.get("Wemb"))
    y = embed(np.concatenate([np.zeros((1, d)), table[target]]))  # the first step has nothing before it: zeros
    for i in range(1, SIZES.decoder_depth + 1):
        at = f"decoder_l{i}"
        y = recurrent(y, f"{at}_rnn") if ssru else attention(y, y, f"{at}_self", causal=True)
        y = feed(attention(y, x, f"{at}_context"), f"{at}_ffn")
    out = w.get("decoder_ff_logit_out_W", table.T)
    return np.log(softmax(y @ out + w["decoder_ff_logit_out_b"]))


CASES = {
    "npz": lambda folder: models.opus(folder),
    "npz, output untied": lambda folder: models.opus(folder, tied=False),
    "bin of floats, a vocabulary a side": lambda folder: models.firefox(folder, int8=False, separate=True),
    "bin of int8, SSRU": lambda folder: models.firefox(folder),
}


@pytest.mark.parametrize("case", CASES)
def test_as_marian_computes(case, tmp_path):
    folder = CASES[case](tmp_path / "source")
    net, found = net_of(folder)
    ssru, untied, separate = "bin" in case, "untied" in case, "a side" in case
    rows, own = len(found.weights["table"]) - 2, len(found.weights.get("source_table", [0, 0])) - 2
    arrays = models.weights(rows, own, ssru=ssru, tied=not untied)
    if "int8" in case:  # as the file has them: rounded
        arrays |= {
            name: np.rint(a * np.float32(127 / np.abs(a).max())) / np.float32(127 / np.abs(a).max())
            for name, a in arrays.items()
            if min(a.shape) > 1
        }
    rng = np.random.default_rng(4)
    # Marian's ids are </s> 0, <unk> 1 and pieces from 2; lamella's pieces are two further.
    for length in (1, 6):
        source, target = rng.integers(2, own if separate else rows, length), rng.integers(2, rows, 7)
        wanted = marian(arrays, [*source, 0], list(target), ssru)
        came = scores(net, [*(source + 2).tolist(), END], (target + 2).tolist())
        assert np.abs(came[:, [END, UNKNOWN, *range(4, rows + 2)]] - wanted).max() < 1e-4
        assert came[:, [0, START]].max() < -500  # padding and start are never written


# --- against Marian itself

ENGINE = json.loads((Path(__file__).parent / "marian.json").read_text("utf-8"))  # by bench/import_bergamot.py


@pytest.mark.parametrize("kind", ["npz", "bin", "shortlist"])
def test_as_marian_itself_translates(kind, tmp_path):
    folder = models.for_the_engine(tmp_path, kind)
    net, found = net_of(folder)
    graphs, pieces = torch_graphs(net), Pieces(found.source_pieces, normaliser=found.normaliser)
    assert len({case["translation"] for case in ENGINE[kind]}) > 5

    def further(token, state, fixed):
        return step(token=token, **state, **fixed)

    for case in ENGINE[kind]:
        source = np.array([[*pieces.encode([case["text"]])[0], END]])
        step, state = graphs["step"], graphs["step"].empty(batch=1, beam=1)
        if kind == "shortlist":
            shortlist = Shortlist(found.shortlist, (len(pieces), len(pieces)), shared=True)
            memory, step = read_with(shortlist, graphs, source)
        else:
            memory = graphs["encode"](source=source)
        [h] = greedy(further, state, memory, START, END, np.array([min(30, 2 * source.shape[1])]))
        [came] = pieces.decode([h.tokens])
        assert came and case["translation"].startswith(came)  # each stops a long answer at a place of its own


# --- against Hugging Face

RECORDED = json.loads((Path(__file__).parent / "marian_mt.json").read_text())


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """A MarianMT folder and the model made of it."""
    folder = models.huggingface(tmp_path_factory.mktemp("hf") / "marian")
    return folder, import_model(str(folder), str(folder.parent / "model"), tell=lambda line: None)


def test_as_hugging_face_computes(imported):
    folder, model = imported
    net, _ = net_of(folder)
    last = len(json.loads((folder / "vocab.json").read_text()))
    for case in RECORDED["cases"]:
        came = scores(net, [*(i + 2 for i in case["source"]), END], [i + 2 for i in case["target"]])
        wanted = np.array(case["log_probabilities"])  # of the pieces, padding left out, as far as it is written down
        assert np.abs(came[-1, 4 : 4 + len(wanted)] - wanted).max() < 1e-4
        source = np.array([[*(i + 2 for i in case["source"]), END]])
        step = model.graphs["step"]
        memory = model.graphs["encode"](source=source)
        limits = np.array([len(case["greedy"])])

        def further(token, state, fixed, step=step):
            return step(token=token, **state, **fixed)

        [h] = greedy(further, step.empty(batch=1, beam=1), memory, START, END, limits)
        assert h.tokens[: len(case["greedy"])] == case["greedy"]
    assert last == RECORDED["pieces"] and len({tuple(c["greedy"]) for c in RECORDED["cases"]}) > 1


# --- vocabularies


@pytest.mark.parametrize("text", ["The dog sleeps.", "ﬁne  old½ house\u3000!", "Zug 犬 ö", " a\u200bb ", ""])
def test_texts_are_cut_as_the_source_cuts_them(text, tmp_path):
    import sentencepiece

    folder = models.opus(tmp_path)
    found = foreign.read(folder, "en", "de")
    for side, raw in (("source", found.source_pieces), ("target", found.target_pieces)):
        own = sentencepiece.SentencePieceProcessor()
        own.LoadFromSerializedProto((folder / f"{side}.spm").read_bytes())
        words = words_of(foreign._yaml(folder / "opus.vocab.yml"), "x").texts
        ids = [words.index(p) if p in words else 1 for p in own.EncodeAsPieces(text)]
        pieces = Pieces(raw, normaliser=found.normaliser)
        assert pieces.encode([text])[0] == [UNKNOWN if i == 1 else i + 2 for i in ids]
        assert len(pieces) == len(words) + 2


def test_letters_that_no_piece_holds_are_written_as_bytes(tmp_path):
    found = foreign.read(models.firefox(tmp_path), "", "")
    pieces = Pieces(found.source_pieces, normaliser=found.normaliser)
    assert (found.src, found.dst, found.target_pieces) == ("en", "de", b"")  # of the file's name; one vocabulary
    ids = pieces.encode(["dog 😀"])[0]
    assert UNKNOWN not in ids and pieces.decode([ids]) == ["dog 😀"] and pieces.knows("犬")


def test_a_mark_asks_for_the_language(tmp_path):
    folder = models.opus(tmp_path / "en-roa", marks=[">>fra<<", ">>spa<<"])
    _, found = net_of(folder, dst="fr")
    assert found.mark == ">>fra<<" and Pieces(found.source_pieces).mark(found.mark) == 4
    with pytest.raises(UsageError, match=r"several languages, and de is none of them.*fra, spa"):
        foreign.read(folder, "en", "de")


def test_normalise_leaves_what_the_source_reads():
    assert normalise("The dog’s “house”") == 'The dog\'s "house"'


# --- what is refused


def without(*names):
    return lambda folder: [(folder / name).unlink() for name in names]


def config(**changes):
    def change(folder):
        path = folder / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return change


def pickled(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def fewer_words(folder):
    path = folder / "vocab.json"
    words = json.loads(path.read_text())
    left = [w for w in words if w not in ("<pad>",)][:-3]
    path.write_text(json.dumps({w: i for i, w in enumerate([*left, "<pad>"])}))
    config(pad_token_id=len(left), decoder_start_token_id=len(left))(folder)


def cut(name, share=0.7):
    def change(folder):
        raw = (folder / name).read_bytes()
        (folder / name).write_bytes(raw[: int(share * len(raw))])

    return change


def objects(folder):
    np.savez(folder / "model.npz", a=np.array([{}], dtype=object))


def other_settings(**changes):
    return lambda folder: models.opus(folder, settings={k.replace("_", "-"): v for k, v in changes.items()})


REFUSED = {
    "a pickle": (models.huggingface, pickled, r"pytorch_model.bin: is a pickle.*python -c .*safe_serialization=True.*npz"),
    "no vocabulary": (models.huggingface, without("vocab.json"), r"has no vocab.json.*It holds config.json.*Copy"),
    "no source.spm": (models.opus, without("source.spm"), r"has no source.spm"),
    "a vocabulary of another model": (models.huggingface, fewer_words, r"has 85 rows, and the vocabulary 82 pieces"),
    "another kind": (models.huggingface, config(model_type="bart"), r"is of the kind 'bart'. Supported: 'marian'"),
    "another activation": (models.huggingface, config(activation_function="tanh"), r"activation is 'tanh'. Supported: relu"),
    "more layers": (models.huggingface, config(decoder_layers=3), r"has no array model.decoder.layers.2"),
    "fewer layers": (models.huggingface, config(decoder_layers=1), r"does not have: model.decoder.layers.1"),
    "another width": (models.huggingface, config(d_model=32), r"has the shape .* ask for"),
    "no sizes": (models.huggingface, config(encoder_layers=10**9), r"expected sizes of a net"),
    "half a file": (models.huggingface, cut("model.safetensors"), r"ends behind the end of the file"),
    "half an npz": (models.opus, cut("model.npz"), r"expected a Marian .npz model.*it is no zip"),
    "half a bin": (models.firefox, cut("model.ende.intgemm.alphas.bin"), r"ends behind the end of the file"),
    "half a vocabulary": (models.firefox, cut("vocab.ende.spm"), r"expected a SentencePiece vocabulary"),
    "objects": (models.opus, objects, r"is a pickle, which could run any code"),
    "a recurrent net": (models.opus, other_settings(type="s2s"), r"type is 's2s', and what can be imported is 'transformer'"),
    "another cell": (models.opus, other_settings(transformer_decoder_autoreg="rnn"), r"cells 'gru'.*'ssru'"),
    "learned positions": (models.opus, other_settings(transformer_train_positions="true"), r"transformer-train-positions"),
    "no languages": (models.opus, lambda folder: None, r"does not say which languages.*--from CODE --to CODE"),
    "nothing known": (models.opus, without("model.npz"), r"nothing that can be imported.*translation reads translators"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, tmp_path):
    make, change, message = REFUSED[case]
    folder, out = make(tmp_path / "source"), tmp_path / "model"
    change(folder)
    languages = {} if case == "no languages" else {"from": "en", "to": "de"}
    with pytest.raises(LamellaError, match=message) as error:
        import_model(str(folder), str(out), tell=lambda line: None, **languages)
    assert isinstance(error.value, ModelError | UsageError) and not out.exists()


def test_archives_are_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "opus.zip", "w") as archive:
        archive.writestr("README", "x")
    with pytest.raises(UsageError, match=r"is packed\. Unpack it first: unzip opus.zip -d model"):
        foreign.read(tmp_path / "opus.zip", "en", "de")
    with pytest.raises(UsageError, match="no such file or folder"):
        import_model(str(tmp_path / "none"), str(tmp_path / "out"))


def test_a_bomb_is_not_unpacked(tmp_path):
    folder = models.opus(tmp_path)
    with zipfile.ZipFile(folder / "model.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", b"\0" * (80 << 20))
    with pytest.raises(ModelError, match="would unpack to 83,886,080 bytes"):
        foreign.read(folder, "en", "de")


# --- what an imported model can do


def test_weights_travel_by_name(imported):
    """What a training would begin with: out of the graphs and into the net again, the same function."""
    folder, model = imported
    net, found = net_of(folder)
    again = model.task.build().eval()
    filled = fill(again, named_weights(model.files))
    assert (filled.missing, filled.odd) == ([], []) and re.match(r"weights: 6\d taken", filled.lines()[0])
    assert np.abs(scores(net, [5, 6, END], [7, 8]) - scores(again, [5, 6, END], [7, 8])).max() < 1e-6
    other = type(model.task)()
    assert other.transfer.adopt(other, model.task, found.weights) is found.weights and other.net_ == model.task.net_
    assert other.pieces.encode(["dog"]) == model.task.pieces.encode(["dog"])


@pytest.fixture(scope="module")
def firefox(tmp_path_factory):
    """A Firefox translator with its shortlist, and the int8 model made of it."""
    folder = models.firefox(tmp_path_factory.mktemp("firefox") / "ende")
    rows = len(models.texts_of((folder / "vocab.ende.spm").read_bytes()))
    (folder / "lex.50.50.ende.s2t.bin").write_bytes(models.shortlist(rows))
    return import_model(str(folder), str(folder.parent / "model"), int8=True, tell=lambda line: None)


def test_only_the_shortlist_is_scored(firefox):
    task, shortlist = firefox.task, firefox.task.shortlist
    source = np.array([[5, 9, END, 0], [17, 30, 8, END]])
    ids, allowed = shortlist.candidates(source)
    assert len(ids) < len(task.pieces) / 3 and (np.diff(ids) > 0).all()
    rows = [{*ids[row]} for row in allowed]
    assert all({UNKNOWN, END, *s[s > 0]} <= row for s, row in zip(source, rows))  # one vocabulary: copies may be right
    assert not any({0, START} & row for row in rows)
    memory, step = task._read(firefox.graphs, source)
    out = step(token=np.full((2, 1), START), **step.empty(batch=2, beam=1), **memory)
    for row, tokens, scores_ in zip(rows, out["tokens"][:, 0], out["scores"][:, 0]):
        assert {*tokens} <= row and np.exp(scores_).sum() < 1 + 1e-3
    ids, allowed = shortlist.candidates(source, also=[40, 41])
    assert {40, 41} <= {*ids[allowed[0]]}
    one = task.collate([{"source": source[0]}])["source"]
    ids, allowed = shortlist.candidates(one)
    assert {*ids[allowed[0]]} == rows[0]  # whoever else is in the batch


def test_a_shortlist_of_another_model(tmp_path):
    folder = models.firefox(tmp_path)
    rows = len(models.texts_of((folder / "vocab.ende.spm").read_bytes()))
    whole = models.shortlist(rows)
    for raw, message in (
        (models.shortlist(rows + 9), "it claims"),
        (whole[:-3], "it claims"),
        (b"\0" * 8 + whole[8:], "it does not begin as one"),
        (whole[:-4] + b"\xff\xff\0\0", "it names pieces beyond"),
    ):
        (folder / "lex.bin").write_bytes(raw)
        with pytest.raises(ModelError, match=message):
            foreign.read(folder, "en", "de")


def test_every_verb_works_on_it(firefox, tmp_path):
    """Answers of a random net say nothing; that each verb gives one does."""
    model = firefox
    dev = tmp_path / "dev.tsv"
    dev.write_text("en\tde\n" + "".join(f"{en}\t{de}\n" for en, de in models.SENTENCES), "utf-8")
    facts = lamella.evaluate(model, str(dev))
    assert 0 <= facts["scores"]["chrF"]["value"] <= 100
    assert model.predict("The dog sleeps.") and len(model.predict(["a", "The house."])) == 2
    why = lamella.explain(model, "The dog sleeps.")
    assert "log-probability" in why.to_json() and "dog" in why.to_text(False, 80)
    shown = lamella.show(model)
    assert shown["config"]["block"] == "post-norm" and shown["scores"] == {}
    zipped = lamella.load(lamella.export(model, str(tmp_path / "model.zip")))
    assert zipped.predict("The dog sleeps.") == model.predict("The dog sleeps.")
    [line] = (CliRunner().invoke(main, ["predict", model.where, "The house.", "--beams", "1"]).output.splitlines())[:1]
    assert line
