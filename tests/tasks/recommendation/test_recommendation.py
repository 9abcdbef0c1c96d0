"""Recommendations: what is asked, what is not known, repeats, reasons, and that the net and its graph agree."""

from __future__ import annotations

import numpy as np
import pytest

import lamella
from lamella.errors import ModelError, UsageError
from lamella.graphs import torch_graphs
from lamella.options import replace_config
from lamella.storage.tensors import read_tensors
from lamella.tasks.recommendation import Config, Recommendation, mixture
from lamella.tasks.recommendation import counts as counting
from lamella.tasks.recommendation.catalogue import Catalogue, fold
from lamella.tasks.recommendation.counts import Counts, weigh
from tests.serving import serving


@pytest.fixture
def folder(trained):
    return trained("recommendation")


@pytest.fixture
def model(folder):
    return lamella.load(folder)


def items(answer):
    return [entry["item"] for entry in answer["items"]]


def test_a_history_is_given_by_name(folder, model, cli):
    history = "Orbit, Part One; comet, part one"
    answer = cli("predict", folder, "--history", history, "--top", 4, "--json").json["answers"][0]
    assert answer == model.with_config(Config(top=4)).predict(history) and len(answer["items"]) == 4
    both = lamella.predict(model, {"history": ["Orbit, Part One", "Comet, Part One"]}, top=4)
    assert items(both) == items(answer)
    wrong = cli("predict", folder, "an argument", "--history", history)
    assert wrong.code == 2 and "expected --history alone, received the argument" in wrong.err
    assert "because" in cli("explain", folder, "--history", history).out.lower()


def test_unknown_items_are_named_and_ignored(folder, model, cli):
    known = model.predict("Orbit, Part One")
    some = model.predict("Zzz; Orbit, Part One; Qqq")
    assert items(some) == items(known) and some["unknown"] == ["Zzz", "Qqq"]
    assert cli("predict", folder, "Zzz; Orbit, Part One").out.strip().endswith("| not known: Zzz")
    none = model.predict("Zzz")
    assert none["unknown"] == ["Zzz"] and items(none) == items(model.predict("")), "what anybody would be told"
    spoken = model.predict("Orbit, Part Nine; Comet, Part One")
    assert spoken["unknown"] == ["Orbit, Part Nine"], "its words say something, and it is named all the same"


def test_what_was_chosen_is_recommended_again_only_where_the_data_do_so(model):
    history = ["Orbit, Part One", "Comet, Part One"]
    every = model.with_config(Config(top=500)).predict({"history": history})
    assert not set(history) & set(items(every)) and len(every["items"]) == 126
    again = model.with_config(Config(top=500, repeats="yes")).predict({"history": history})
    assert set(history) <= set(items(again)) and len(again["items"]) == 128
    job = Recommendation()
    job.fit([{"history": ["a", "b", "a", "c", "a"], "next": "b"}, {"history": ["c", "a", "c"], "next": "a"}] * 3)
    assert job.repeated_ > 0.4 and job.again
    everything = list(model.task.known.names)
    assert model.predict({"history": everything})["items"] == []
    assert model.task.render(model.predict({"history": everything})) == "nothing is left to recommend"


def test_reasons_are_what_a_recommendation_falls_without(model):
    asked = model.with_config(Config(top=3, because=2))
    history = ["Orbit, Part One", "Comet, Part One", "Bread, Part One"]
    answer = asked.predict({"history": history})
    assert all(set(entry["because"]) <= set(history) for entry in answer["items"])
    first = next(entry for entry in answer["items"] if entry["because"])
    left = [name for name in history if name != first["because"][0]]
    without = {
        e["item"]: e["probability"] for e in model.with_config(Config(top=500)).predict({"history": left})["items"]
    }
    assert without[first["item"]] < first["probability"]
    found = model.explain({"history": history}).data
    assert found["by kind"]["title"] == "Because of these items"
    assert found["by kind"]["reasons"] and found["by kind"]["sentence"].startswith("Without ")
    assert found["attention"]["rows"] == items(model.predict({"history": history}))[:5]
    assert found["attention"]["columns"] == history


def test_an_explanation_of_little(model):
    assert model.explain({"history": ["Orbit, Part One"]}).data["fields"]["history"]["units"]
    assert model.explain({"history": []}).data["faithfulness"]["sentence"]
    with pytest.raises(UsageError, match="nothing was recommended that could be explained"):
        model.task.focus(model.graphs, model.task.collate([model.task.inputs({"history": []})]), {"items": []})


def test_the_graph_answers_as_the_net_does(folder, model):
    import torch

    kept = torch.bfloat16 if model.manifest.training["precision"] == "bfloat16" else torch.float32
    net = model.task.build().to(kept).float()  # the angles of positions stay as they were rounded in training
    weights = read_tensors((folder / "training" / "weights.safetensors").read_bytes(), "weights")
    net.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in weights.items()}, strict=False)
    over_torch = torch_graphs(net.eval())["next"]
    rng = np.random.default_rng(0)
    for batch, time, unknown in ((9, 23, 2), (1, 1, 1), (3, 50, 6)):
        given = {
            "items": rng.integers(1, 100, (batch, time)),
            "new": rng.integers(0, unknown, (batch, time)),
            "words": rng.integers(0, len(model.task.known.vocabulary), (unknown, 8)),
            "shares": rng.random((unknown, 8)).astype(np.float32),
            "hidden": np.where(np.arange(time) < rng.integers(0, time, (batch, 1)), -1e4, 0).astype(np.float32),
        }
        one, other = (graph(**given)["scores"] for graph in (over_torch, model.graphs["next"]))
        assert np.allclose(one, other, atol=1e-4 * np.abs(one).max())


def test_the_graph_that_ships_computes_what_was_trained(model):
    """The last position of `NextItem.hidden`, whatever stands beside it in a batch and however it is padded."""
    import torch

    torch.manual_seed(0)
    net = model.task.build().eval()
    for block in net.blocks:  # which are the identity at first
        torch.nn.init.normal_(block.out.weight, std=0.1)
        torch.nn.init.normal_(block.down.weight, std=0.1)
    histories = [[2, 5, 9, 4], [2, 7], [2], [2, 1, 5, 1, 6, 8]]  # of ids: the start, known items, unknown ones
    words = [[[1, 2, 0, 0, 0, 0, 0, 0], [3, 0, 0, 0, 0, 0, 0, 0]] if 1 in h else [[0] * 8] for h in histories]
    rows = [{"items": np.array(h), "words": np.array(w)} for h, w in zip(histories, words, strict=True)]
    batch, graph = model.task.collate(rows), torch_graphs(net)["next"]
    found = mixture.net_scores(graph, batch["items"], batch["words"], 3, 1)
    with torch.no_grad():
        for own, history, spoken in zip(found, histories, words, strict=True):
            ids = torch.tensor(history)
            x = net.vectors[ids].clone()
            x[ids == 1] += net.spoken(torch.tensor(spoken))[: int((ids == 1).sum())]
            wanted = net.hidden(x[None])[0, -1] @ net.vectors.t()
            assert np.allclose(own, wanted.numpy()[3:], atol=1e-4)


def test_a_graph_of_before_is_given_what_it_asks_for():
    class Before:
        axes = {"items": (np.int64, ("batch", "time")), "words": (np.int64, ("batch", "unknown", 8))}

        def __call__(self, items, words):
            return {"scores": items[:, -1:] + words[:, 0]}

    items, words = np.array([[2, 5], [2, 0]]), np.arange(16).reshape(2, 1, 8)
    assert mixture.net_scores(Before(), items, words, 3, 1).tolist() == (items[:, -1:] + words[:, 0]).tolist()


@pytest.mark.parametrize("few", [0, 1000])
def test_counts_of_a_batch_are_those_of_each_history(monkeypatch, few):
    """In full matrices and in sparse ones, beside the definition written out."""
    monkeypatch.setattr(counting, "FEW", few)
    rng = np.random.default_rng(0)
    counts = Counts.learn([rng.integers(0, 30, rng.integers(2, 20)) for _ in range(50)], 40)
    histories = [rng.integers(0, 40, n).tolist() for n in (0, 1, 2, 5, 17)] + [[3, 3, 3], [39]]
    seen = np.zeros((len(histories), 17), np.int64)
    for row, history in zip(seen, histories, strict=True):
        row[: len(history)] = np.array(history, np.int64) + 1
    logs = counts.logs(seen)
    for at, history in enumerate(histories):
        follows, near, before = np.zeros(40), np.zeros(40), np.zeros(40)
        total = 0.0
        for weight, item in zip(counting.STEPS, reversed(history), strict=False):
            ids, values = counts.follows.row(item)
            prior = counting.SHRUNK / (values.sum() + counting.SHRUNK)
            follows[ids] += weight * (1 - prior) / max(values.sum(), counting.LEAST) * values
            follows += weight * prior * counts.popular
            total += weight
        for age, item in enumerate(reversed(history)):
            before[item] += counting.DECAY**age
            if age < counting.LATEST:
                ids, values = counts.near.row(item)
                near[ids] += values * counting.DECAY**age
        wanted = [
            follows / total if total else counts.popular,
            0.9 / near.sum() * near + 0.1 * counts.popular if near.sum() else counts.popular,
            counts.popular,
            before / before.sum() + counting.LEAST if before.sum() else np.ones(40),
        ]
        found = [np.broadcast_to(part, (len(histories), 40))[at] for part in logs]
        assert np.allclose(found, np.log(np.maximum(wanted, 1e-9)), atol=1e-4)
        assert np.allclose(counts.scores(history), wanted, atol=1e-5)


@pytest.mark.parametrize("options", [{}, {"repeats": "yes"}, {"top": 200}])
def test_an_answer_is_the_mixture_of_its_parts(model, options):
    model = model.with_config(replace_config(model.task.config, options, "recommendation"))
    job = model.task
    histories = [e["history"] for e in job.sample("test")[:9]] + [[], ["nobody knows this"], job.known.names[:60]]
    answers = model.predict([{"history": history} for history in histories])
    for history, answer in zip(histories, answers, strict=True):
        [parts] = job._parts(model.graphs, job.collate([job.inputs({"history": history})]))
        likely = np.exp(job._logs(parts))
        wanted = np.sort(likely[likely > 0])[::-1][: job.config.top]
        assert np.allclose([entry["probability"] for entry in answer["items"]], wanted, atol=2e-5)
        assert items(answer) == items(model.predict([{"history": history}])[0])


def test_new_items_of_the_table_can_be_recommended():
    job = Recommendation(size="tiny")
    job.described = {"New, Part One": {"shelf": "space"}, "Orbit, Part One": {"shelf": "space"}}
    job.fit([{"history": ["Orbit, Part One", "b"], "next": "c"}, {"history": ["b", "c"], "next": "b"}])
    assert job.known.names[-1] == "New, Part One" and job.known.chosen == 3
    graphs = torch_graphs(job.build().eval())
    [answer] = job.decode(graphs, job.collate([job.inputs({"history": ["b"]})]))
    assert "New, Part One" in items(answer)


def test_names_are_found_however_they_are_typed():
    known = Catalogue.learn(["Matrix, The (1999)", "Amélie (2001)", "Amélie (2001)", "50"], {}, {"Amélie (2001)": "17"})
    assert known.names[0] == "Amélie (2001)"
    for text, name in (
        ("the matrix", "Matrix, The (1999)"),
        ("AMELIE", "Amélie (2001)"),
        ("17", "Amélie (2001)"),
        ("50", "50"),
    ):
        assert known.names[known.find(text)] == name
    assert known.find("") is None and fold("!!!") == "!!!"
    again = Catalogue.load(known.dump())
    assert (again.names, again.ids, again.words, again.chosen) == (known.names, known.ids, known.words, known.chosen)


def test_choices_of_one_user_teach_nothing(tmp_path, model):
    (tmp_path / "mine.csv").write_text("user,item\n" + "".join(f"me,i{n % 7}\n" for n in range(60)))
    with pytest.raises(lamella.DataError, match=r"mine\.csv: expected the choices of many users, .* one, 'me'"):
        type(model.task)().read([str(tmp_path / "mine.csv")])
    assert model.task.read([str(tmp_path / "mine.csv")])[0], "a model answers for one"


def test_damaged_files_of_a_model_are_refused_in_one_line():
    known = Catalogue.learn(["a", "b", "a"], {}, {})
    counts = Counts.learn([np.array([0, 1, 0])], 2)
    body = counts.dump()
    for raw in (b"", b"{}", b"[1]", known.dump()[:-3], known.dump().replace(b'"chosen":2', b'"chosen":9')):
        with pytest.raises(ModelError) as caught:
            Catalogue.load(raw)
        assert "\n" not in str(caught.value)
    for raw in (
        b"",
        body[:-1],
        body + b"x",
        body.replace(b'"items":2', b'"items":3'),
        body[:40] + b"\xff" * (len(body) - 40),
    ):
        with pytest.raises(ModelError) as caught:
            Counts.load(raw)
        assert "\n" not in str(caught.value)


def test_counts_agree_with_counting_by_hand():
    histories = [np.array([0, 1, 2, 1]), np.array([2, 0]), np.array([1])]
    counts = Counts.learn(histories, 4)
    assert counts.often.tolist() == [2, 3, 2, 0]
    follows = {(0, 1): 1 + 0.33, (0, 2): 0.5, (1, 2): 1.0, (1, 1): 0.5, (2, 1): 1.0, (2, 0): 1.0}
    for (before, after), value in follows.items():
        ids, values = counts.follows.row(before)
        assert dict(zip(ids.tolist(), values.tolist(), strict=True))[after] == pytest.approx(value)
    ids, values = counts.near.row(0)
    near = dict(zip(ids.tolist(), values.tolist(), strict=True))
    assert near == pytest.approx({1: 2 / 6**0.5, 2: 2 / 2})
    again = Counts.load(counts.dump())
    for part in ("follows", "near"):
        assert np.array_equal(getattr(again, part).ids, getattr(counts, part).ids)
    for history in ([], [3], [0, 1], [2, 2, 2]):
        scores = counts.scores(history)
        assert all(np.isfinite(s).all() and (s >= 0).all() for s in scores)
        assert all(abs(float(s.sum()) - 1) < 1e-4 for s in scores[:3])


def test_weights_of_the_parts_are_those_of_the_highest_likelihood():
    rng = np.random.default_rng(0)
    parts = rng.normal(size=(300, 2, 20))
    likely = np.exp(2.0 * parts[:, 0] + 0.5 * parts[:, 1])
    wanted = np.array([rng.choice(20, p=p / p.sum()) for p in likely])
    found = weigh(parts, wanted, (1.0, 0.3), doubt=0.01)
    assert found == pytest.approx([2.0, 0.5], abs=0.25)
    forbidden = parts.copy()
    forbidden[:, :, 19] = -np.inf
    assert np.isfinite(weigh(forbidden, np.minimum(wanted, 18), (1.0, 0.3))).all()


def test_requests(model):
    with serving({"shop": model}) as server:
        given = {"history": ["Orbit, Part One", 7]}
        found = server.post("/models/shop/predict", {"examples": [given], "options": {"top": 2, "because": 1}}).json
        assert len(found["answers"][0]["items"]) == 2 and found["answers"][0]["unknown"] == ["7"]
        for wrong in ([["a"]], {"a": 1}, 5, [1.5], [True]):
            assert server.post("/models/shop/predict", {"examples": [{"history": wrong}]}).status == 400
        [facts] = server.get("/models").json["models"]
        assert "Orbit, Part One" in facts["fields"]["history"]["names"]
