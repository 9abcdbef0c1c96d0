"""Pairs that are looked up while a translator writes: kept, found, mixed with the net, and damaged ones refused."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

import lamella
from lamella.data.samples import translation as samples
from lamella.errors import ModelError
from lamella.graphs import load_graphs, torch_graphs
from lamella.graphs.int8 import quantize
from lamella.model import run_batches
from lamella.options import replace_config
from lamella.tasks.translation import Config, Translation
from lamella.tasks.translation.neighbours import ALIKE, Alike, kept, mixed, own_first, shares, unpack
from lamella.tasks.translation.outcomes import Outcome
from lamella.train.export import export_graphs

PAIRS = samples.sentences("train")[:150]
FEW = [{"text": source} for source, _ in PAIRS[:12]]


@dataclass
class Adapted:
    """A task and the graphs of its net."""

    task: Translation
    graphs: dict

    def run(self, rows):
        return run_batches(self.task, self.graphs, rows)

    def answers(self, graphs=None, **options):
        task = Translation(Config(beams=1, **options), "tiny")
        vars(task).update({k: v for k, v in vars(self.task).items() if k.endswith("_")})
        return [str(best[0]) for best in run_batches(task, graphs or self.graphs, FEW)]


@pytest.fixture(scope="module")
def adapted():
    """A net that has learned nothing, and what it would look up."""
    torch.manual_seed(0)
    task = Translation(Config(vocabulary_size=200), "tiny")
    task.fit([{"text": a, "translation": b} for a, b in PAIRS])
    task.neighbours_ = kept(task, PAIRS)
    net = task.build().eval()
    made = Adapted(task, torch_graphs(net))
    assert task.near is None, "there are no keys yet"
    task.calibrate([], made.run)
    made.net = net
    return made


def test_an_untrained_net_writes_what_the_pairs_say(adapted):
    """Its own probabilities are all alike, so that a pair's position decides wherever one is near: all of it, in a known text."""
    wanted = [target for _, target in PAIRS[:12]]
    with_pairs = adapted.answers()
    assert sum(a == b for a, b in zip(with_pairs, wanted, strict=True)) >= 10, with_pairs
    assert not {*adapted.answers(neighbours=False)} & {*wanted}


def test_exported_and_int8_graphs_look_up_the_same(adapted):
    files = export_graphs(adapted.net)
    for changed in (lambda raw: raw, quantize):
        graphs = load_graphs({name: changed(raw) for name, raw in files.items()})
        assert graphs["step"].empty(batch=1, beam=1).keys() == adapted.graphs["step"].empty(batch=1, beam=1).keys()
        same = sum(a == b for a, b in zip(adapted.answers(graphs), adapted.answers(), strict=True))
        assert same >= 11


def test_an_answer_is_likelier_where_a_pair_says_it(adapted):
    """`explain` measures what answers, the pairs among it."""
    source, target = PAIRS[0]
    inputs = adapted.task.collate([adapted.task.inputs({"text": source})])
    here = adapted.task.focus(adapted.graphs, inputs, target).values.sum()
    task = adapted.task
    try:
        task.config = replace_config(task.config, {"neighbours": False}, "translation")
        alone = task.focus(adapted.graphs, inputs, target).values.sum()
    finally:
        task.config = replace_config(task.config, {"neighbours": True}, "translation")
    assert here > alone + 5 and task.focus(adapted.graphs, inputs, "Chat.").details is not None


def test_an_explanation_names_the_pairs(adapted):
    source, target = PAIRS[0]
    inputs = adapted.task.collate([adapted.task.inputs({"text": source})])
    found = adapted.task.focus(adapted.graphs, inputs, target).details()
    assert found["kind"] == "reasons" and found["reasons"][0]["facts"] == [[source, target]]
    assert found["reasons"][0]["rule"].split()[0] == target.split()[0] and 1 <= len(found["reasons"]) <= 5
    share = int(found["sentence"].partition("%")[0])
    assert 30 < share <= 100, found["sentence"]


def test_a_text_of_another_kind_is_answered_as_before(adapted):
    """To the bit: the scores of the net are not even computed anew."""
    task, graphs = adapted.task, adapted.graphs
    inputs = task.collate([task.inputs({"text": "Zzz qqq 77."})])
    memory, step = task._read(graphs, inputs["source"])
    token, state = np.full((1, 1), 2), step.empty(batch=1, beam=1)
    out = step(token=token, **state, **memory)
    memory.pop("near")
    alone = graphs["step"](token=token, **state, **memory)
    assert np.array_equal(out["scores"], alone["scores"]) and np.array_equal(out["tokens"], alone["tokens"])


def test_pairs_of_another_language_are_not_asked(adapted):
    task = Translation(Config(both=True, vocabulary_size=200), "tiny")
    task.fit([{"text": a, "translation": b} for a, b in PAIRS])
    task.neighbours_ = kept(task, PAIRS)
    made = Adapted(task, torch_graphs(task.build().eval()))
    task.calibrate([], made.run)
    forth, back = (task.inputs({"text": PAIRS[0][0], "to": to})["source"] for to in ("fr", "en"))
    assert len(task.near.known(forth).values) and not len(task.near.known(back).values)


def test_kept_pairs_are_read_back_and_added_to():
    task = Translation(Config(), "tiny")
    assert kept(task, PAIRS[:5]) == b"", "so few say nothing of distances"
    task.neighbours_ = kept(task, [*PAIRS[:50], ("a", "b" * 1000)])
    assert unpack(task.neighbours_).pairs == PAIRS[:50]
    task.neighbours_ = kept(task, PAIRS[40:60])
    assert unpack(task.neighbours_).pairs == PAIRS[:60], "a second adaptation adds to the first"
    task.config = replace_config(task.config, {"to": "de"}, "translation")
    assert unpack(kept(task, PAIRS[:30])).pairs == PAIRS[:30], "what was written in another language is of no use"


def test_lists_of_words_are_asked_about_other_texts_alone(adapted):
    def own(examples):
        return [Outcome(e["text"], "translated") for e in examples]

    def others(examples):
        return [Outcome(e["text"], "dictionary") for e in examples]

    asked = [{"text": text} for text in (PAIRS[0][0], "Zzz qqq 77.", PAIRS[1][0])]
    found = own_first(adapted.task, "fr", asked, own, others)
    assert [o.text for o in found] == [e["text"] for e in asked]
    assert [o.status for o in found] == ["translated", "dictionary", "translated"]
    assert {o.status for o in own_first(adapted.task, "de", asked, own, others)} == {"dictionary"}, "another language"
    task = Translation(Config(), "tiny")
    assert {o.status for o in own_first(task, "fr", asked, own, others)} == {"dictionary"}
    task.neighbours_ = kept(task, PAIRS)
    assert {o.status for o in own_first(task, "fr", asked, own, others)} == {"translated"}, "not trained yet"


def test_what_is_kept_of_a_translator_that_ships():
    task = Translation(Config(), "tiny")
    for count, kept_lists in ((40, b"1"), (5, b"")):
        task.neighbours_, task.words_, task.dictionary_ = b"", b"1", b"1"
        replayed = task.transfer.replay(task)[:30]
        task.transfer.renew(task, [{"text": a, "translation": b} for a, b in PAIRS[:count]] + replayed)
        assert task.words_ == task.dictionary_ == kept_lists
        assert not task.neighbours_ or unpack(task.neighbours_).pairs == PAIRS[:count], "nothing of the replay"
    assert task.transfer.reach(task, 2000) < 0.5 and task.transfer.reach(task, 50_000) == 1
    task.config = replace_config(task.config, {"neighbours": False}, "translation")
    task.transfer.renew(task, [{"text": a, "translation": b} for a, b in PAIRS])
    assert task.neighbours_ == b"" and task.transfer.reach(task, 2000) == 1, "as it is learned without them"


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:-1],
        lambda raw: raw + b"1",
        lambda raw: b"\xff" * len(raw),
        lambda raw: b"",
        lambda raw: raw[:40] + b"}" + raw[41:],
        lambda raw: raw[:8] + b"\x01" + raw[9:],
        lambda raw: raw[:36] + b"\0\0\x80\xbf" + raw[40:],  # a share of -1
        lambda raw: raw[:28] + b"\0\0\xc0\x7f" + raw[32:],  # a distance that is no number
    ],
)
def test_damaged_ones_are_refused(adapted, damage):
    with pytest.raises(ModelError, match=r"neighbours.model: .*Copy the model again"):
        unpack(damage(adapted.task.neighbours_))


def test_pairs_that_do_not_fit_the_vocabulary_are_refused(adapted):
    task = Translation(Config(vocabulary_size=90), "tiny")
    task.fit([{"text": a, "translation": b} for a, b in PAIRS])
    task.neighbours_ = adapted.task.neighbours_
    with pytest.raises(ModelError, match="do not fit the vocabulary"):
        assert task.near


def test_the_most_alike_come_first():
    sources = [np.array([5, 6, 7]), np.array([5, 8, 9]), np.array([5, 6, 10])]
    alike = Alike(sources, 20)
    assert alike.find(np.array([5, 8, 9]))[0][0] == 1 and alike.find(np.array([5, 8, 9]))[1] == pytest.approx(1)
    places, likeness = alike.find(sources[0], without=0)
    assert places[0] == 2 and 0 not in places and 0 < likeness < 1
    none, likeness = alike.find(np.array([15]))
    assert not len(none) and likeness == 0
    assert len(Alike([np.array([4, i]) for i in range(5, 5 + 2 * ALIKE)], 99).find(np.array([4, 5]))[0]) <= ALIKE


def test_probabilities_are_those_of_both_together():
    """Beside a table of all probabilities."""
    rng = np.random.default_rng(0)
    net = rng.dirichlet(np.ones(30), size=(3, 2))
    tokens = np.argsort(-net, axis=2)[..., :12]
    scores = np.log(np.take_along_axis(net, tokens, axis=2))
    values, weights = rng.integers(0, 30, (3, 2, 8)), rng.random((3, 2, 8)).astype(np.float32) / 12
    weights[1] = 0
    found, ids = mixed(scores, tokens, values, weights)
    assert np.array_equal(found[1], scores[1]) and np.array_equal(ids[1], tokens[1])
    for row in (0, 2):
        for beam in range(2):
            whole = np.zeros(30)
            whole[tokens[row, beam]] = np.exp(scores[row, beam]) * (1 - weights[row, beam].sum())
            np.add.at(whole, values[row, beam], weights[row, beam])
            best = np.argsort(-whole)[:12]
            assert ids[row, beam].tolist() == best.tolist()
            assert np.exp(found[row, beam]) == pytest.approx(whole[best])


def test_the_share_falls_with_the_distance():
    near, far = shares(np.array([[0.0, 10.0], [300.0, 310.0]]), distance=100.0, share=0.6)
    assert near.sum() == pytest.approx(0.6, abs=0.03) and near[0] > near[1] and far.sum() < 1e-3


def test_a_model_folder_keeps_them(tiny_model, tmp_path):
    rows = [(a.upper(), b.upper()) for a, b in samples.sentences("test")[:60]]
    table, out = tmp_path / "pairs.tsv", tmp_path / "mine"
    table.write_text("en\tfr\n" + "".join(f"{a}\t{b}\n" for a, b in rows), "utf-8")
    lamella.train(
        "translation",
        str(table),
        out=str(out),
        init=str(tiny_model),
        keep=["sample"],
        steps=2,
        threads=1,
        tell=lambda line: None,
    )
    opened = lamella.load(out)
    kept_pairs = opened.task.near.store.pairs
    assert {*kept_pairs} <= {*rows, *samples.sentences("train")} and {*rows} & {*kept_pairs}
    assert opened.predict([rows[0][0]]) and (out / "neighbours.model").stat().st_size < 1e6
    (out / "neighbours.model").write_bytes((out / "neighbours.model").read_bytes()[:-1])
    with pytest.raises(ModelError):
        lamella.load(out)
