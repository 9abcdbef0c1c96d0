"""The compiled encoder and decoder beside the graphs that they stand for."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import lamella
from lamella.errors import ModelError
from lamella.graphs import OnnxGraph, load_graphs
from lamella.graphs.compiled import Compiled, compiled, library
from lamella.graphs.compiled.weights import read_encoder, read_weights
from lamella.graphs.run import LaterGraph
from lamella.model import run_batches
from lamella.model.shipped import translator
from lamella.options import replace_config

ROOT = Path(__file__).parents[2]
needs_library = pytest.mark.skipif(library() is None, reason="no C compiler, or a processor that cannot multiply bytes")
TEXTS = [line.split("\t")[0] for line in (ROOT / "recipes/translation/everyday.tsv").read_text("utf-8").splitlines()][
    :60
]


@pytest.fixture(scope="module")
def shipped():
    return translator("en", "fr")


@pytest.fixture(scope="module")
def net(shipped) -> Compiled:
    found = compiled(shipped.files)
    assert found is not None
    return found


def sources(model, texts) -> np.ndarray:
    return model.task.collate([model.task.inputs({"text": text}) for text in texts])["source"]


def answers(model, graphs, texts, beams=1) -> list[str]:
    task = model.with_config(replace_config(model.task.config, {"beams": beams}, model.manifest.task)).task
    return [str(best[0]) for best in run_batches(task, graphs, [{"text": text} for text in texts])]


@needs_library
def test_the_encoder_gives_what_its_graph_gives(shipped, net):
    source = sources(shipped, TEXTS[:20])
    candidates, allowed = shipped.task.shortlist.candidates(source)
    out = load_graphs(onnx_files(shipped))["encode"](source=source, candidates=candidates)
    _, step = net.read(source, candidates, allowed)
    memory, lengths = step._fixed[:2]
    width = net.weights.width
    for layer in range(net.weights.decoders):
        for name, begin in (("keys", 0), ("values", width)):
            wanted = out[f"memory_{name}_{layer}"].transpose(0, 2, 1, 3).reshape(*source.shape, width)
            begin += 2 * width * layer
            for row, length in enumerate(lengths):
                apart = memory[row, :length, begin : begin + width] - wanted[row, :length]
                # A number on the edge between two bytes may fall to either side; a bias or a scale that is lost is 50 times this.
                assert np.sqrt((apart**2).mean() / (wanted**2).mean()) < 0.03


def onnx_files(model) -> dict[str, bytes]:
    return {name: raw for name, raw in model.files.items() if name.endswith(".onnx")}


@needs_library
@pytest.mark.parametrize("beams", [1, 4])
def test_answers_are_those_of_the_graphs(shipped, net, beams):
    graphs = {name: LaterGraph(net, raw, name) for name, raw in (("encode", b""), ("step", b""))}
    ours = answers(shipped, graphs, TEXTS, beams)
    theirs = answers(shipped, load_graphs(onnx_files(shipped)), TEXTS, beams)
    assert sum(a == b for a, b in zip(ours, theirs, strict=True)) >= 0.93 * len(TEXTS)


@needs_library
def test_an_answer_does_not_hang_on_those_beside_it(shipped, net):
    threads = compiled(shipped.files, threads=2)
    together, alone, spread = (
        [
            answer
            for part in parts
            for answer in answers(shipped, {"encode": LaterGraph(by), "step": LaterGraph(by)}, part, 2)
        ]
        for by, parts in ((net, [TEXTS]), (net, [[text] for text in TEXTS]), (threads, [TEXTS[:37], TEXTS[37:]]))
    )
    assert together == alone == spread


@needs_library
def test_long_and_short_sources(shipped, net):
    rng = np.random.default_rng(0)
    source = np.zeros((40, 511), np.int64)
    for row, length in enumerate([1, 2, 511, 300, *[7] * 36]):
        source[row, :length] = rng.integers(4, net.weights.pieces, length)
    candidates = np.arange(0, net.weights.pieces, 7)
    allowed = np.ones((40, len(candidates)), bool)
    state, step = net.read(source, candidates, allowed)
    out = step(token=np.full((40, 1), candidates[3]), **step.empty(batch=40, beam=1), **state)
    assert np.isfinite(out["scores"]).all() and (np.diff(out["scores"], axis=2) <= 0).all()
    _, one = net.read(source[2:3], candidates, allowed[2:3])
    alone = one(token=np.full((1, 1), candidates[3]), **one.empty(batch=1, beam=1), sentence=np.arange(1))
    np.testing.assert_array_equal(alone["scores"][0], out["scores"][2])


@needs_library
def test_what_is_not_allowed_is_not_answered(net):
    candidates = np.arange(2, 402)
    allowed = np.zeros((2, 400), bool)
    allowed[0, 10:60], allowed[1, 200:250] = True, True
    state, step = net.read(np.array([[5, 6, 7, 3], [5, 6, 7, 3]]), candidates, allowed)
    tokens = step(token=np.full((2, 1), 2), **step.empty(batch=2, beam=1), **state)["tokens"]
    assert ((tokens[0] >= 12) & (tokens[0] < 62)).all() and ((tokens[1] >= 202) & (tokens[1] < 252)).all()


@needs_library
@pytest.mark.parametrize("what", ["source", "candidates", "token", "path", "sentence"])
def test_what_is_out_of_range_is_refused(net, what):
    source, candidates = np.array([[5, 6, 3]]), np.arange(50)
    if what == "source":
        with pytest.raises(ModelError, match="out of range"):
            net.read(np.array([[5, net.weights.pieces, 3]]), candidates, np.ones((1, 50), bool))
        return
    if what == "candidates":
        with pytest.raises(ModelError, match="out of range"):
            net.read(source, candidates + net.weights.pieces - 49, np.ones((1, 50), bool))
        return
    state, step = net.read(source, candidates, np.ones((1, 50), bool))
    given = {"token": np.array([[2]]), **step.empty(batch=1, beam=1), **state}
    first = step(**given)
    wrong = {"token": np.array([[-1]]), "path": np.array([[[3]]], np.int32), "sentence": np.array([1])}
    with pytest.raises(ModelError, match="out of range"):
        step(**{**given, "path": first["path"], what: wrong[what]})


@needs_library
def test_only_models_of_the_package_are_compiled(shipped, monkeypatch):
    files = onnx_files(shipped)
    assert isinstance(load_graphs(files, trusted=[*files])["step"], LaterGraph)
    assert not isinstance(load_graphs(files)["step"], LaterGraph)
    monkeypatch.setenv("LAMELLA_COMPILED", "0")
    assert not isinstance(load_graphs(files, trusted=[*files])["step"], LaterGraph)


@needs_library
def test_a_graph_is_opened_where_its_values_are_asked_for(shipped):
    graph = load_graphs(onnx_files(shipped), trusted=[*onnx_files(shipped)])["step"]
    assert "token" in graph.axes and isinstance(graph, OnnxGraph)


def test_other_nets_are_left_to_the_engine(shipped):
    encode, step = (shipped.files[f"{name}.onnx"] for name in ("encode", "step"))
    assert read_weights(encode, step) is not None
    for old, new in ((b"norm_feed", b"norm_fees"), (b"keys_0", b"kays_0"), (b"table_int8", b"table_int4")):
        assert read_weights(encode.replace(old, new), step.replace(old, new)) is None
    assert read_weights(step, step) is None


@pytest.fixture(scope="module")
def encoder():
    return lamella.load("encoder")


def asked_rows(model, rows: int, longest: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Texts of odd lengths, and one place in each."""
    rng = np.random.default_rng(1)
    pieces, asked = np.zeros((rows, longest), np.int64), np.zeros((rows, longest), np.float32)
    for row, length in enumerate([1, 2, longest, *rng.integers(3, longest, rows - 3)]):
        pieces[row, :length] = rng.integers(4, len(model.task.pieces), length)
        asked[row, rng.integers(length)] = 1
    return pieces, asked


@needs_library
def test_an_encoder_gives_what_its_graph_gives(encoder):
    files = onnx_files(encoder)
    ours, theirs = load_graphs(files, trusted=[*files])["fill"], load_graphs(files)["fill"]
    assert isinstance(ours, LaterGraph) and ours.compiled is not None
    pieces, asked = asked_rows(encoder, 40)
    found = ours(pieces=pieces, asked=asked)["log_probability"]
    wanted = theirs(pieces=pieces, asked=asked)["log_probability"]
    # A number on the edge between two bytes may fall to either side.
    assert np.sqrt(((found - wanted) ** 2).mean()) < 0.01 * wanted.std()
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1, rtol=1e-4)
    threads = load_graphs(files, 2, [*files])["fill"](pieces=pieces, asked=asked)["log_probability"]
    alone = [ours(pieces=pieces[i : i + 1], asked=asked[i : i + 1])["log_probability"][0] for i in range(40)]
    np.testing.assert_array_equal(threads, found)
    np.testing.assert_array_equal(alone, found)


@needs_library
def test_what_only_the_graph_of_an_encoder_takes_is_left_to_it(encoder):
    files = onnx_files(encoder)
    ours, theirs = load_graphs(files, trusted=[*files])["fill"], load_graphs(files)["fill"]
    pieces, asked = asked_rows(encoder, 4, 9)
    inside, twice = pieces.copy(), asked.copy()
    inside[2, 4], twice[2] = 0, 0.5
    for given in ({"pieces": inside, "asked": asked}, {"pieces": pieces, "asked": twice}):
        np.testing.assert_array_equal(ours(**given)["log_probability"], theirs(**given)["log_probability"])
    with pytest.raises(ModelError, match="out of range"):
        ours(pieces=pieces + (pieces > 0) * len(encoder.task.pieces), asked=asked)


def test_other_encoders_are_left_to_the_engine(encoder):
    raw = encoder.files["fill.onnx"]
    found = read_encoder(raw)
    assert found is not None and (found.heads, found.layers) == (encoder.task.size.heads, encoder.task.size.depth)
    for old, new in ((b"norm_feed", b"norm_fees"), (b"table_int8", b"table_int4"), (b"Concat", b"Concet")):
        assert read_encoder(raw.replace(old, new)) is None


def test_installing_goes_on_without_a_compiler(tmp_path, monkeypatch):
    """What is built says nothing of a library where there is none, and compiling leaves nothing half done."""
    fake = ModuleType("hatchling.builders.hooks.plugin.interface")
    fake.BuildHookInterface = type("BuildHookInterface", (), {"__class_getitem__": classmethod(lambda cls, _: cls)})
    monkeypatch.setitem(sys.modules, fake.__name__, fake)
    monkeypatch.syspath_prepend(ROOT)
    import hatch_build

    place = tmp_path / "lamella/graphs/compiled"
    place.mkdir(parents=True)
    (place / "transformer.c").write_text("this is no C")
    hook = hatch_build.Compile()
    said: list[str] = []
    hook.root, hook.app = str(tmp_path), SimpleNamespace(display_warning=said.append)
    for compiler in (["/bin/false"], []):
        monkeypatch.setattr(hatch_build.shutil, "which", lambda name, found=compiler: found[0] if found else None)
        for version in ("standard", "editable"):
            data: dict[str, object] = {"force_include": {}}
            hook.initialize(version, data)
            assert data == {"force_include": {}} and [path.name for path in place.iterdir()] == ["transformer.c"]
    assert len(said) == 2 * (sys.platform != "win32")
