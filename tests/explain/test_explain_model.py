"""A whole model explained: the wire reader beside `onnx`, inner values and cut nets beside torch, planted causes."""

from __future__ import annotations

import contextlib
import importlib
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import nn

import lamella
from lamella.data.text.pieces import Pieces
from lamella.errors import MissingExtra, ModelError
from lamella.explain import pictures, sections
from lamella.explain.observe import Layer, Observed, letters, look, observe
from lamella.fields import Image, Label, Text
from lamella.graphs import OnnxGraph, surgery, wire
from lamella.graphs.anatomy import Anatomy, layer_of
from lamella.graphs.int8 import quantize
from lamella.graphs.probe import Probe, constant
from lamella.nets.cnn.image import ImageCNN
from lamella.nets.layers import Linear
from lamella.nets.rnn.language import LanguageRNN
from lamella.nets.transformer.blocks import ParallelEncoderBlock
from lamella.nets.transformer.classifiers import ImageTransformer
from lamella.registry import find
from lamella.storage import protobuf
from lamella.train.export import export_graphs

WEATHER = str(Path(__file__).parents[1] / "tasks" / "weather.py")
explain = importlib.import_module("lamella.explain.model")


class Parallel(nn.Module):
    """Two blocks whose sub-layers stand side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(ParallelEncoderBlock(8, 2, 16, 0.0) for _ in range(2))
        self.out = Linear(8, 3)

    def answer(self, x):
        for block in self.blocks:
            x = block(x)
        return {"scores": self.out(x)}

    def graphs(self):
        return {"answer": ({"x": ("float32", "batch", "time", 8)}, ("scores",))}


def shaken(net: nn.Module) -> nn.Module:
    """As if trained: nothing is zero any more."""
    torch.manual_seed(0)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(torch.randn_like(p) * 0.1)
    return net.eval()


MADE = {
    "patches": lambda: ImageTransformer(1, 8, 4, 5, width=64, depth=2, heads=2),
    "convolutions": lambda: ImageCNN(1, 8, 5, width=16, depth=2),
    "parallel": Parallel,
    "steps": lambda: LanguageRNN(20, width=8, depth=2),
}


@pytest.fixture(scope="module")
def net():
    """net("patches"): a net and its files, exported once."""
    made: dict[str, tuple[nn.Module, dict[str, bytes]]] = {}

    def get(name):
        if name not in made:
            module = shaken(MADE[name]())
            made[name] = module, export_graphs(module)
        return made[name]

    return get


def arrays(module, name, batch=3):
    inputs, _ = module.graphs()[name]
    chance = np.random.default_rng(0)
    shapes = {k: [a if isinstance(a, int) else batch for a in axes] for k, (_, *axes) in inputs.items()}
    ids = {k: axes[0] == "int64" for k, axes in inputs.items()}
    return {
        k: chance.integers(1, 9, s) if ids[k] else chance.normal(size=s).astype(np.float32) for k, s in shapes.items()
    }


def answers(files, given):
    name = next(n for n in files if n.endswith(".onnx"))
    return OnnxGraph(files[name], name)(**given)


def shapes(files, given):
    """Of all values that are floats, as seen in one run."""
    found = {}
    for name, raw in files.items():
        anatomy = Anatomy(wire.read(raw))
        inner = [h.weights for h in anatomy.heads()] + [v for j in anatomy.joined() for v in j.values]
        probe = Probe(raw, name, [*inner, *anatomy.graph.outputs])
        probe(**given)
        found[name.removesuffix(".onnx")] = {k: v.shape for k, v in probe.calls[0].items()}
    return found


def part(files, given, name):
    return next(p for p in surgery.parts(files, shapes(files, given)) if p.name == name)


# --- the file


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("rounded", [False, True], ids=["float32", "int8"])
def test_the_reader_beside_onnx(net, name, rounded):
    for raw in net(name)[1].values():
        raw = quantize(raw) if rounded else raw
        graph, theirs = wire.read(raw), onnx.load_model_from_string(raw).graph
        assert len(graph.nodes) == len(theirs.node) > 5
        for mine, other in zip(graph.nodes, theirs.node, strict=True):
            assert (mine.op, mine.name) == (other.op_type, other.name)
            assert (mine.inputs, mine.outputs) == (tuple(other.input), tuple(other.output))
            assert mine.ints == {a.name: a.i for a in other.attribute if a.type == onnx.AttributeProto.INT}
        assert graph.inputs == [i.name for i in theirs.input] and graph.outputs == [o.name for o in theirs.output]
        assert set(graph.stored) == {t.name for t in theirs.initializer}
        for t in theirs.initializer:
            stored = graph.stored[t.name]
            assert (stored.shape, stored.kind) == (tuple(t.dims), t.data_type)
            assert stored.data is not None and raw[slice(*stored.data)] == numpy_helper.to_array(t).tobytes()
        node = graph.nodes[3]
        assert wire.replaced(raw, {node.span: raw[slice(*node.span)]}) == raw
        assert wire.with_outputs(raw, []) == raw == wire.zeroed(raw, [])


def test_what_is_no_file_is_refused(net):
    raw = net("parallel")[1]["answer.onnx"]
    chance = np.random.default_rng(0)
    for bad in (
        b"",
        b"not a graph",
        b"\x80\x04\x95",
        b"\xff" * 40,
        b"\x3a\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\x08\x08",
    ):
        with pytest.raises(ModelError, match="expected an ONNX file, received"):
            wire.read(bad)
    for _ in range(300):  # cut off, or with a byte of the first part changed: an error of ours, or another graph
        bad = bytearray(raw[: chance.integers(1, len(raw))])
        bad[chance.integers(0, min(len(bad), 2000))] = chance.integers(0, 256)
        with contextlib.suppress(ModelError):
            wire.read(bytes(bad))


def test_too_many_fields_are_refused():
    begun = time.monotonic()
    with pytest.raises(ModelError, match="more than"):
        wire.read(b"\x08\x01" * (protobuf.MOST + 1))
    assert time.monotonic() - begun < 5


# --- inner values


def test_an_inner_value_is_the_nets_own(net):
    module, files = net("patches")
    given = arrays(module, "classify")
    kept = []
    hook = module.blocks[1].feed.up.register_forward_hook(lambda m, i, out: kept.append(torch.relu(out)))
    with torch.no_grad():
        module.classify(torch.from_numpy(given["pictures"]))
    hook.remove()
    anatomy = Anatomy(wire.read(files["classify.onnx"]))
    bent = [p for p in anatomy.hidden() if anatomy.bent(p.x)]
    assert [p.path for p in bent] == [f"net.blocks.{i}.feed.down.weight" for i in (0, 1)]
    probe = Probe(files["classify.onnx"], "classify", [bent[1].x])
    out = probe(**given)
    np.testing.assert_allclose(probe.calls[0][bent[1].x], kept[0].numpy(), rtol=1e-4, atol=1e-4)
    plain = answers(files, given)
    assert set(out) == set(plain) and np.array_equal(out["scores"], plain["scores"]), "it answers as the graph does"


def test_stored_weights_come_out_as_floats(net):
    """What int8 keeps as bytes and scales is read as the net uses it."""
    module, files = net("convolutions")
    raw = files["classify.onnx"]
    filters = constant(raw, Anatomy(wire.read(raw)).first("pictures").node.inputs[1])
    wanted = module.stem.weight.detach().numpy().reshape(filters.shape)
    np.testing.assert_allclose(filters, wanted, rtol=1e-6)
    module, files = net("patches")
    product = Anatomy(wire.read(files["classify.onnx"])).first("pictures")
    kernels = sections.as_filters(constant(files["classify.onnx"], product.node.inputs[1]), 1)
    weight = module.enter.weight.detach().numpy()  # (P P, D)
    assert kernels.shape == (64, 1, 4, 4) and np.array_equal(kernels[7, 0, 1, 2], weight[1 * 4 + 2, 7])


# --- parts


def test_names_of_parts(net):
    module, files = net("patches")
    names = [p.name for p in surgery.parts(files, shapes(files, arrays(module, "classify")))]
    layers = [f"layer {i}" for i in (1, 2)]
    heads = [f"layer {i}, head {h}" for i in (1, 2) for h in (1, 2)]
    inside = [f"layer {i}, {what}" for i in (1, 2) for what in ("attention", "feed-forward")]
    assert names == [*layers, *heads, *inside]
    assert layer_of("net.decoder.0.cross.out.weight") == "decoder layer 1"
    small = {n: quantize(raw) for n, raw in files.items()}
    assert [p.name for p in surgery.parts(small, shapes(small, arrays(module, "classify")))] == names


@pytest.mark.parametrize("rounded", [False, True], ids=["float32", "int8"])
def test_a_dead_head_changes_nothing_and_a_live_one_does(net, rounded):
    module = shaken(MADE["patches"]())
    with torch.no_grad():
        module.blocks[0].attention.out.weight[32:] = 0  # what the second head of two says is not heard
    files = export_graphs(module)
    files = {n: quantize(raw) for n, raw in files.items()} if rounded else files
    given = arrays(module, "classify")
    before = answers(files, given)["scores"]
    dead, live = (answers(surgery.without(files, part(files, given, f"layer 1, head {h}")), given) for h in (2, 1))
    assert np.array_equal(dead["scores"], before)
    assert np.abs(live["scores"] - before).max() > 1e-3
    if not rounded:
        with torch.no_grad():
            module.blocks[0].attention.out.weight[:32] = 0
            wanted = module.classify(torch.from_numpy(given["pictures"]))["scores"].numpy()
        np.testing.assert_allclose(live["scores"], wanted, rtol=1e-4, atol=1e-4)


def silent(*products):
    """Products that give nothing, for a while."""
    for p in products:
        for value in (p.weight, p.bias):
            value.data.zero_()


CUTS = {
    "layer 2": ("patches", "classify", lambda m: silent(m.blocks[1].attention.out, m.blocks[1].feed.down)),
    "layer 1, attention": ("patches", "classify", lambda m: silent(m.blocks[0].attention.out)),
    "layer 1, feed-forward": ("patches", "classify", lambda m: silent(m.blocks[0].feed.down)),
    "block 2, convolutions": ("convolutions", "classify", lambda m: silent(m.blocks[1].second)),
    "layer 1": ("parallel", "answer", lambda m: silent(m.blocks[0].attention.out, m.blocks[0].feed.down)),
    "layer 2, head 1": ("parallel", "answer", lambda m: m.blocks[1].attention.out.weight.data[:4].zero_()),
    "recurrent weights of layer 1": ("steps", "step", lambda m: m.layers[0].keep.weight.data.zero_()),
}


@pytest.mark.parametrize("name", CUTS)
def test_a_net_without_a_part_is_torchs_net_without_it(net, name):
    kind, graph, cut = CUTS[name]
    module, files = net(kind)
    given = arrays(module, graph)
    came = answers(surgery.without(files, part(files, given, name)), given)
    other = MADE[kind]().eval()
    other.load_state_dict(module.state_dict())
    cut(other)
    with torch.no_grad():
        wanted = getattr(other, graph)(**{k: torch.from_numpy(v) for k, v in given.items()})
        whole = getattr(module, graph)(**{k: torch.from_numpy(v) for k, v in given.items()})
    assert (whole["scores"] - wanted["scores"]).abs().max() > 1e-3
    np.testing.assert_allclose(came["scores"], wanted["scores"].numpy(), rtol=1e-4, atol=1e-4)


def test_side_by_side_readers_and_windows_are_parts(trained):
    model = lamella.load(trained("text-classification"))
    example = model.task.sample("test")[0]
    found = surgery.parts(model.files, look(model, example).shapes)
    names = [p.name for p in found]
    assert {"the output 'deep'", "the output 'wide'"} <= set(names)
    assert sum(name.startswith("the output of windows.") for name in names) == 4
    given = model.task.collate([model.task.inputs(example)])
    out = answers(surgery.without(model.files, next(p for p in found if "wide" in p.name)), given)
    assert not out["wide"].any() and out["deep"].any()


# --- sections


def test_weights_and_inputs_as_pictures():
    grey = pictures.weights(np.array([[[0.0, 1.0], [-1.0, 0.5]]]), times=1)
    assert grey.tolist() == [[[128, 255], [0, 191]]], "nothing is grey, for is light, against is dark"
    assert pictures.weights(np.ones((3, 2, 5)), times=4).shape == (3, 8, 20)
    seen = pictures.picture(np.array([[[-3.0, 1.0]], [[0.0, 5.0]]]))
    assert seen.tolist() == [[[48, 191]]], "of two channels the mean, from the least to the largest value"


def test_the_plane_is_the_two_directions_of_most_variance():
    values = np.random.default_rng(0).normal(size=(200, 6)) * [5, 3, 1, 1, 0.5, 0.1]
    points, share = sections.principal(values)
    power = np.sort(np.linalg.eigvalsh(np.cov(values.T)))[::-1]
    np.testing.assert_allclose(points.var(axis=0, ddof=1), power[:2])
    assert share == pytest.approx(power[:2].sum() / power.sum())


def fake(model, texts, values, pieces):
    product = next(iter(Anatomy(wire.read(next(r for n, r in model.files.items() if n.endswith(".onnx")))).products))
    return Observed(model, [Layer("score", product, values)], [{"text": t} for t in texts], pieces)


def test_the_planted_unit_is_found_in_a_text(trained):
    """Of 40 units of noise one says whether it stands within quotation marks."""
    model = lamella.load(trained("text-generation"))
    job, chance = model.task, np.random.default_rng(0)
    texts = ['He said "never mind" and left.', '"Go on" was all that I heard her say.', 'A "word" or two.'] * 6
    values, pieces = [], []
    for text in texts:
        rows = chance.normal(size=(len(text), 40)).astype(np.float32)
        rows[:, 17] = sections.properties(text)["being within quotation marks"]
        values.append(rows)
        pieces.append(np.array(job.units.encode(text)))
    [found] = sections.coloured(fake(model, texts, values, pieces), "text", 1)
    assert found["unit"] == "17" and "quotation marks" in found["note"]
    inside = [bool(v > 0.5) for c, v in zip(found["text"], found["values"]) if c != "\n"]
    assert inside[: len(texts[0])] == [c > 0 for c in sections.properties(texts[0])["being within quotation marks"]]
    assert len(found["values"]) == len(found["text"]) and max(map(abs, found["values"])) <= 1


def test_the_planted_unit_tells_labels_apart(trained):
    model = lamella.load(trained("text-classification"))
    chance = np.random.default_rng(0)
    examples = [e for e in model.task.sample("test") if e["label"] != "neutral"][:60]
    values = [chance.normal(size=(1, 30)).astype(np.float32) for _ in examples]
    for row, example in zip(values, examples):
        row[0, 9] = (example["label"] == "positive") + chance.normal() * 0.1
    seen = fake(model, ["-"] * len(examples), values, [None] * len(examples))
    seen.examples = examples
    [section] = sections.units(model, seen)
    assert section["items"][0]["unit"] == "9" and len(section["items"]) <= sections.UNITS
    assert {e["label"] for e in section["items"][0]["examples"]} == {"positive"}


def test_letters_belong_to_their_pieces(trained):
    model = lamella.load(trained("translation"))
    pieces = Pieces(model.task.vocabulary_)
    text = "The students find the heavy hat on Sunday."
    ids = model.task.inputs({"text": text})["source"]
    places = letters(model, {"text": text}, ids)
    assert len(places) == len(text) and (np.diff(places) >= 0).all()
    spoken = [pieces.decode([[int(i)]])[0] for i in ids]
    there = [c in spoken[p] for c, p in zip(text, places) if c != " "]
    assert np.mean(there) > 0.9, "but for what joins another piece only later on"
    assert places[-1] == len(ids) - 2, "the full stop before the end"


def test_a_language_model_has_read_a_letter_in_the_row_behind_it(trained):
    model = lamella.load(trained("text-generation"))
    quick = explain._quick(model)
    examples = [{"text": "So he went to the dark wood."}]
    seen = observe(quick, examples, look(quick, examples[0]), 5.0)
    places = seen.places(seen.layers[0], 0)
    count = len(examples[0]["text"])
    assert places.tolist() == [min(i + 1, count - 1) for i in range(count)]


@pytest.fixture
def brief(monkeypatch):
    """Less of everything: a test is not a report."""
    for name, value in {"SEEN": 24, "ABLATED": 8, "FEWEST": 4, "ABLATION_SECONDS": 1.0, "CALIBRATED": 40}.items():
        monkeypatch.setattr(explain, name, value)


@pytest.mark.parametrize("word", [*lamella.tasks(), WEATHER], ids=lambda word: Path(word).stem)
def test_every_model_is_explained(word, trained, brief):
    model = lamella.load(trained(word), **({"task": word} if word.endswith(".py") else {}))
    found = explain.explain_model(model)
    json.dumps(found, allow_nan=False)
    kinds = [s["kind"] for s in found["sections"]]
    job = find(word)
    assert found["task"] == word and {"units", "map"} <= set(kinds), kinds
    # Embeddings that are multiplied with each other have no layer that could be taken out.
    assert ("ablation" in kinds) == (word != "link-prediction"), kinds
    assert ("filters" in kinds) == any(isinstance(f, Image) for f in job.fields.values())
    if isinstance(job.answer, Label):
        assert "calibration" in kinds
    if job.target in job.fields and isinstance(job.answer, Text):
        assert kinds.count("coloured text") == 3
    for section in found["sections"]:
        assert section["title"] and section["note"].endswith(".")
        for row in section.get("rows", ()):
            assert row["change"] == pytest.approx(row["value"] - section["base"], rel=0.01, abs=1e-3)
        for item in section.get("items", ()):
            values = [e["value"] for e in item["examples"]]
            assert values == sorted(values, reverse=True)


def test_calibration_is_that_of_evaluate(trained, monkeypatch):
    folder = trained("image-classification")
    model = lamella.load(folder)
    mine = explain.calibration(model, model.task.sample("test"), seconds=60.0)[0]
    theirs = lamella.evaluate(model, "sample")["calibration"]
    assert mine["error"] == pytest.approx(theirs["error"]) and len(mine["bins"]) == len(theirs["bins"])


def test_without_the_reference_library_answers_are_compared(trained, brief, monkeypatch):
    def missing(*_):
        raise MissingExtra("BLEU and chrF", "evaluate")

    model = explain._quick(lamella.load(trained("translation")))
    monkeypatch.setattr(type(model.task), "score", missing)
    examples = model.task.sample("test")[:6]
    [section] = explain.ablation(model, examples, look(model, examples[0]), 5.0)
    assert section["metric"] == "same answers" and section["base"] == 1.0
    assert min(r["value"] for r in section["rows"]) < 1.0


def test_torch_is_not_needed(trained):
    code = (
        "import sys; sys.modules['torch'] = sys.modules['onnx'] = None\n"
        "import lamella\n"
        "from lamella.explain import model as m\n"
        "m.SEEN, m.ABLATED, m.CALIBRATED = 12, 6, 20\n"
        f"print(len(m.explain_model(lamella.load({str(trained('image-classification'))!r}))['sections']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and int(done.stdout) >= 5, done.stderr
