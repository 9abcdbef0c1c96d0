"""Shortlists: read back as they were packed, each sentence by itself, and the same answers where nothing is left out."""

import numpy as np
import pytest
import torch

from lamella.data.text.pieces import END, PADDING, START, UNKNOWN
from lamella.decode import Among, beam, greedy
from lamella.graphs import load_graphs, torch_graphs
from lamella.graphs.int8 import quantize
from lamella.graphs.weights import named_weights
from lamella.nets.layers import MASKED
from lamella.nets.transformer.encoder_decoder import EncoderDecoder, Options
from lamella.tasks.translation import Config, Translation
from lamella.tasks.translation.shortlist import FEWEST, Lists, Shortlist, pack
from lamella.train.export import export_graphs

SIZE = 200
TO = {7: [30, 31], 8: [40], 9: []}  # piece of the source -> of the translation


def lists(mark=0, first=0, frequent=(50, 51)):
    counts = [len(TO.get(i, [])) for i in range(SIZE)]
    ids = np.array([i for piece in range(SIZE) for i in TO.get(piece, [])])
    return Lists(mark, first, np.array(frequent), np.concatenate([[0], np.cumsum(counts)]), ids)


def test_each_sentence_has_its_own():
    shortlist = Shortlist(pack([lists()], (SIZE, SIZE)), (SIZE, SIZE), shared=False)
    source = np.array([[7, 8, END], [8, END, PADDING]])
    ids, allowed = shortlist.candidates(source)
    assert len(ids) >= FEWEST and {PADDING, START} <= {*ids}
    assert [{*ids[row]} for row in allowed] == [{UNKNOWN, END, 50, 51, 30, 31, 40}, {UNKNOWN, END, 50, 51, 40}]
    alone, allowed = shortlist.candidates(source[1:, :2])
    assert {*alone[allowed[0]]} == {UNKNOWN, END, 50, 51, 40}
    copies = Shortlist(pack([lists()], (SIZE, SIZE)), (SIZE, SIZE), shared=True)
    ids, allowed = copies.candidates(source, also=[99])
    assert {7, 8, 99} <= {*ids[allowed[0]]} and 7 not in {*ids[allowed[1]]}


def test_a_target_language_is_told_by_the_mark():
    parts = [lists(mark=4, frequent=[60]), lists(mark=5, frequent=[70])]
    shortlist = Shortlist(pack(parts, (SIZE, SIZE)), (SIZE, SIZE), shared=False)
    ids, allowed = shortlist.candidates(np.array([[4, 8, END], [5, 8, END], [6, 8, END]]))
    rows = [{*ids[row]} for row in allowed]
    assert rows[:2] == [{UNKNOWN, END, 60, 40}, {UNKNOWN, END, 70, 40}]
    assert len(rows[2]) == SIZE - 2, "where no part is of its language nothing is left out"


@pytest.mark.parametrize(
    "damage", [lambda raw: raw[:-1], lambda raw: raw + b"1", lambda raw: b"\xff" * len(raw), lambda raw: b""]
)
def test_damaged_ones_are_refused(damage):
    raw = pack([lists()], (SIZE, SIZE))
    with pytest.raises(ValueError, match="shortlist"):
        Shortlist(damage(raw), (SIZE, SIZE), shared=False)
    with pytest.raises(ValueError, match="pieces"):
        Shortlist(raw, (SIZE, 35), shared=False)
    with pytest.raises(ValueError, match="pieces"):
        Shortlist(raw, (SIZE + 1, SIZE), shared=False)


@pytest.mark.parametrize("options", [{}, {"output_bias": True}, {"tied": False}, {"decoder": "ssru"}], ids=str)
def test_with_all_pieces_the_scores_are_those_of_the_whole_table(options):
    torch.manual_seed(1)
    whole = EncoderDecoder(SIZE, 32, 2, 1, 2, options=Options(**options)).eval()
    if whole.output_bias is not None:
        torch.nn.init.normal_(whole.output_bias)
    short = EncoderDecoder(SIZE, 32, 2, 1, 2, options=Options(**options, shortlist=True)).eval()
    short.load_state_dict(whole.state_dict())
    source, every = np.array([[5, 9, END], [6, END, PADDING]]), np.arange(SIZE)
    a, b = torch_graphs(whole), torch_graphs(short)
    memory = b["encode"](source=source, candidates=every)
    given = {n: memory.pop(n) for n in [*memory] if n.startswith(("row", "column"))}
    memory["candidate_bias"] = np.zeros((2, SIZE), np.float32)
    for graph, held in ((a["step"], a["encode"](source=source)), (Among(b["step"], every, given), memory)):
        out = graph(token=np.array([[START], [17]]), **graph.empty(batch=2, beam=1), **held)
        if graph is a["step"]:
            wanted = out
    assert (out["tokens"] == wanted["tokens"]).all() and np.allclose(out["scores"], wanted["scores"], atol=1e-4)


@pytest.fixture(scope="module")
def both():
    """A net as two sets of int8 graphs: with the whole table in a step, and with that of a batch's candidates."""
    torch.manual_seed(2)
    whole = EncoderDecoder(SIZE, 32, 2, 1, 2).eval()
    with torch.no_grad():
        whole.table[[PADDING, START]] = 0  # never the best: only the shortlist forbids them
    short = EncoderDecoder(SIZE, 32, 2, 1, 2, options=Options(shortlist=True)).eval()
    short.load_state_dict(whole.state_dict())
    return [{n: quantize(raw) for n, raw in export_graphs(net).items()} for net in (whole, short)]


def test_in_bytes_the_table_is_stored_once(both):
    whole, short = both
    weights = [named_weights(files) for files in both]
    assert weights[0].keys() == weights[1].keys()
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert len(whole["step.onnx"]) - len(short["step.onnx"]) > SIZE * 32 - 3000
    encode, step = (load_graphs(short)[name] for name in ("encode", "step"))
    out = encode(source=np.array([[5, END]]), candidates=np.arange(20))
    assert out["rows"].dtype == out["columns"].dtype == np.int8 and (out["columns"] == out["rows"].T).all()
    assert step.axes["rows"][0] is np.int8


def test_the_same_answers_where_nothing_is_left_out(both):
    task = Translation(Config())
    source, limits = (
        np.array([[5, 9, 12, END], [6, END, PADDING, PADDING], [7, 8, END, PADDING]]),
        np.array([12, 9, 10]),
    )
    every = lists(frequent=range(SIZE))
    answers = []
    for files in both:
        graphs = load_graphs(files)
        if files is both[1]:
            task.shortlist_ = pack([every], (SIZE, SIZE))
            vars(task)["shortlist"] = Shortlist(task.shortlist_, (SIZE, SIZE), shared=True)
        memory, step = task._read(graphs, source)

        def further(token, state, fixed, step=step):
            return step(token=token, **state, **fixed)

        asked = further, step.empty(batch=3, beam=1), memory, START, END, limits
        answers.append([h.tokens for h in greedy(*asked)] + [h.tokens for row in beam(*asked, 3) for h in row])
    assert answers[0] == answers[1] and len({*map(tuple, answers[0])}) > 3


def test_masked_pieces_are_never_written(both):
    graphs = load_graphs(both[1])
    source = np.array([[7, 8, END]])
    shortlist = Shortlist(pack([lists()], (SIZE, SIZE)), (SIZE, SIZE), shared=False)
    ids, allowed = shortlist.candidates(source)
    memory = dict(graphs["encode"](source=source, candidates=ids))
    given = {n: memory.pop(n) for n in [*memory] if n.startswith(("row", "column"))}
    memory["candidate_bias"] = np.where(allowed, 0, MASKED).astype(np.float32)
    out = Among(graphs["step"], ids, given)(
        token=np.array([[START]]), **graphs["step"].empty(batch=1, beam=1), **memory
    )
    sure = out["scores"][0, 0] > MASKED / 2
    assert {*out["tokens"][0, 0][sure]} == {*ids[allowed[0]]} and abs(
        np.exp(out["scores"][0, 0][sure]).sum() - 1
    ) < 1e-3


def test_training_goes_on_without_one():
    """A user's texts may need any piece."""
    from lamella.tasks.translation.net import Net

    shipped, mine = Translation(Config()), Translation(Config())
    shipped.net_ = Net(
        vocabulary=SIZE, width=32, depth=2, decoder_depth=1, heads=2, inner=64, block="sequence", decoder="attention",
        activation="relu", positions="interleaved", scale=True, source_vocabulary=0, tied=True, output_bias=False,
    )  # fmt: skip
    shipped.shortlist_ = pack([lists()], (SIZE, SIZE))
    mine.transfer.adopt(mine, shipped, {})
    mine.vocabulary_ = shipped.vocabulary_ = b""  # neither net needs it
    assert mine.net_ == shipped.net_ and not mine.shortlist_
    given = ["candidates" in task.build().graphs()["encode"][0] for task in (shipped, mine)]
    assert given == [True, False]
