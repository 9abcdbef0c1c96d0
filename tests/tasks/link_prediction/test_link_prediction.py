"""Link prediction: net and graph, questions, facts added, bad input, ranks, HTTP."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import lamella
from lamella.data.samples.link_prediction import facts
from lamella.nets.factorization.complex import ComplEx
from lamella.options import replace_config
from lamella.registry import find
from lamella.train.export import export_graphs
from tests.serving import serving

HEAD, RELATION = "Jon Hazel", "grandparent of"


@pytest.fixture
def folder(trained):
    return trained("link-prediction")


@pytest.fixture
def model(folder):
    return lamella.load(folder)


def with_options(model, **options):
    return model.with_config(replace_config(model.task.config, options, "link-prediction"))


def test_the_graph_is_the_net(folder, model):
    net = model.task.build()
    net.load_state_dict(load_file(folder / "training" / "weights.safetensors"))
    net.eval()
    rng = np.random.default_rng(0)
    for count in (1, 2, 17, 300):  # sizes that export did not see
        head = rng.integers(0, len(net.entity_table), count)
        relation = rng.integers(0, len(net.relation_table), count)
        with torch.no_grad():
            wanted = net.tails(torch.from_numpy(head), torch.from_numpy(relation))["scores"].numpy()
        found = model.graphs["tails"](head=head, relation=relation)["scores"]
        np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_an_answer_stands_on_facts_that_are_known(model):
    graph, ruled = model.task.graph, 0
    known = {tuple(graph.names(fact)) for fact in graph.knowledge.facts.tolist()}  # those watched in training are not
    for head, relation, _ in facts("test")[:40]:
        answer = model.predict((head, relation))
        assert (head, relation, answer["answer"]) not in known and set(map(tuple, answer["facts"])) <= known
        assert bool(answer["rule"]) == bool(answer["facts"])
        assert sum(one["probability"] for one in (answer, *answer["others"])) <= 1.001
        assert all((head, relation, name) in known for name in answer["known"])
        ruled += bool(answer["rule"])
    assert ruled > 24


def test_every_question_of_a_held_out_fact(model):
    right = dict.fromkeys(("tail", "head", "true", "false"), 0)
    held = [fact for fact in facts("test") if fact[1] in ("grandparent of", "uncle or aunt of")]
    for head, relation, tail in held:
        right["tail"] += tail in names(model.predict((head, relation)))
        right["head"] += head in names(model.ask("head").predict((relation, tail)))
        right["true"] += model.ask("true").predict((head, relation, tail))["answer"] == "true"
        right["false"] += model.ask("true").predict((tail, relation, head))["answer"] == "false"
    assert all(count > 0.75 * len(held) for count in right.values()), right
    assert "parent of" in model.ask("relation").predict(("Ines Hazel", "Leo Hazel"))["known"]
    turned = model.predict(("Leo Hazel", "^grandparent of"))
    assert turned == model.ask("head").predict(("grandparent of", "Leo Hazel"))


def names(answer) -> list[str]:
    return [answer["answer"], *(one["answer"] for one in answer["others"])]


def test_facts_that_are_added_are_used_at_once(model, cli, folder, tmp_path):
    with pytest.raises(lamella.DataError, match=r"none speaks\..*--facts"):
        model.ask("head").predict(("grandparent of", "Zed"))
    graph = model.task.graph
    known = [tuple(graph.names(fact)) for fact in graph.knowledge.facts.tolist()]
    children = {t for _, r, t in known if r == "parent of"}
    parent = next(h for h, r, t in known if r == "parent of" and h in children)
    added = f"{parent} | parent of | Zed"
    answer = with_options(model, facts=added).ask("head").predict(("grandparent of", "Zed"))
    elders = {h for h, r, t in known if r == "parent of" and t == parent}
    assert answer["answer"] in elders and [parent, "parent of", "Zed"] in answer["facts"]
    (tmp_path / "more.tsv").write_text(added.replace(" | ", "\t") + "\n")
    done = cli(
        "predict", folder, "grandparent of", "Zed", "--ask", "head", "--facts-file", tmp_path / "more.tsv", "--json"
    )
    assert done.json["answers"] == [answer]
    backwards = with_options(model, facts=f"Zed | ^parent of | {parent}").ask("head").predict(("grandparent of", "Zed"))
    assert backwards == answer
    for wrong, message in (("a | b", "expected head"), ("Zed | parrot of | Leo Hazel", "relation: expected one of")):
        with pytest.raises(lamella.LamellaError, match=message):
            with_options(model, facts=wrong).predict((HEAD, RELATION))


@pytest.mark.parametrize(
    ("question", "values", "message"),
    [
        ("tail", ("Jon Hazle", RELATION), "head: expected an entity .* Did you mean 'Jon Hazel'"),
        ("tail", (HEAD, "grandparent"), "relation: expected one of the 9 of training.* Did you mean 'grandparent of'"),
        ("tail", (HEAD, "xyzzy"), "It knows cousin of"),
        ("tail", ("JON HAZEL", RELATION), "Did you mean 'Jon Hazel'\\?"),
        ("head", (RELATION, ""), "tail: expected an entity"),
        ("true", (HEAD, RELATION, "nobody"), "tail: expected an entity"),
    ],
)
def test_names_that_were_never_seen(model, question, values, message):
    with pytest.raises(lamella.DataError, match=message) as caught:
        model.ask(question).predict(values)
    assert "\n" not in str(caught.value)


def test_a_row_with_an_unknown_name_is_named_and_the_others_answered(cli, folder, tmp_path):
    (tmp_path / "a.csv").write_text(f"head,relation\n{HEAD},{RELATION}\nNobody,{RELATION}\n")
    done = cli("predict", folder, tmp_path / "a.csv", "-o", tmp_path / "b.csv")
    assert done.code == 0 and "line 3" in done.err and "'Nobody'" in done.err
    assert "Leo Hazel" in (tmp_path / "b.csv").read_text()


def test_ranks_are_given_for_rows_that_have_their_tail(model):
    fact = dict(zip(("head", "relation", "tail"), next(f for f in facts("test") if f[1] == RELATION), strict=True))
    ranked = with_options(model, ranks=True).predict([fact, {k: fact[k] for k in ("head", "relation")}])
    assert len(ranked[0]["ranks"]) == 2 and "ranks" not in ranked[1] and "scores" not in ranked[0]
    assert min(ranked[0]["ranks"]) >= 1
    with pytest.raises(lamella.UsageError, match="--ranks: expected with --ask tail, received --ask head"):
        lamella.predict(model, (RELATION, fact["tail"]), ask="head", ranks=True)
    json.dumps(ranked)


def test_why(model, cli, folder, tmp_path):
    found = model.explain({"head": HEAD, "relation": RELATION}).data["by kind"]
    assert found["kind"] == "reasons" and found["reasons"] and found["removed"]
    known = set(facts("train"))
    assert {tuple(fact) for fact in found["removed"]} <= known
    # What it says of an answer without these facts is true of a model that is asked without them.
    asked = model.task._asked(model.graphs)
    rows = {name: np.array([i]) for name, i in model.task.inputs({"head": HEAD, "relation": RELATION}).items()}
    gone = [tuple(model.task.graph.ids([tuple(fact)])[0].tolist()) for fact in found["removed"]]
    assert asked._without(gone).answers(rows)[0]["answer"] == found["without"]["answer"]
    screen = cli("explain", folder, HEAD, RELATION).out
    assert found["sentence"] in screen and found["reasons"][0]["rule"] in screen
    assert cli("explain", folder, HEAD, RELATION, "-o", tmp_path / "why.html").code == 0
    assert found["title"] in (tmp_path / "why.html").read_text()
    of_truth = model.ask("true").explain({"head": HEAD, "relation": RELATION, "tail": "Leo Hazel"}).data["by kind"]
    assert of_truth["kind"] == "reasons"


def test_a_model_of_other_facts_has_examples_that_it_knows(model):
    """An explanation puts the most frequent entity and relation of the examples in the place of what it takes away."""
    task = type(model.task)(type(model.task.config)(n3=0.01))
    rows = [(f"shop{n}", "owns", f"store{n}") for n in range(30)] + [
        (f"ware{n}", "kept in", f"store{n}") for n in range(30)
    ]
    assert task.sample("test") == model.task.sample("test"), "before it has learned: the sample"
    task.fit([dict(zip(("head", "relation", "tail"), row, strict=True)) for row in rows])
    for split in ("train", "test"):
        examples = task.sample(split)
        assert len(examples) == 60 and all(len(task.inputs(example)) == 2 for example in examples)
    assert len(model.task.sample("test")) == len(facts("test"))


@pytest.mark.parametrize(("entities", "relations"), [(40, 1), (40, 2), (3, 9)])
def test_few_relations_and_few_entities_are_exported(entities, relations):
    [graph] = export_graphs(ComplEx(entities, relations, 4)).values()
    assert graph


def test_a_model_of_before_has_fewer_weights(model):
    """Two, or three: what the net says of how often a relation leads to an end is then left in it."""
    asked = model.task.inputs({"head": HEAD, "relation": RELATION})
    row = {name: np.array([i]) for name, i in asked.items()}
    ends = model.task._ends(model.graphs)
    ends.mix = (1.0, 0.0)
    alone = ends.scores(row["head"], row["relation"])
    assert np.allclose(alone, ends.from_net(row["head"], row["relation"]))
    ends.mix = (1.0, 0.0, 0.0, 1.0, 0.0)  # taken out of the net and added again
    assert np.allclose(ends.scores(row["head"], row["relation"]), alone, atol=1e-4)
    parts = ends.parts(row["head"], row["relation"])
    ends.mix = (0.5, 2.0, 3.0, 0.7, 0.4)
    mixed = sum(w * part for w, part in zip(ends.mix, parts, strict=True))
    assert np.allclose(ends.scores(row["head"], row["relation"]), mixed, atol=1e-3)


def test_over_http(model):
    with serving({"kin": model}) as server:
        facts_of = server.get("/models").json["models"][0]
        assert "facts" in {o["name"] for o in facts_of["options"]} and "facts_file" not in {
            o["name"] for o in facts_of["options"]
        }
        body = {"examples": [{"relation": "parent of", "tail": "Leo Hazel"}], "ask": "head"}
        assert server.post("/models/kin/predict", body).json["answers"][0]["known"]
        wrong = server.post("/models/kin/predict", {"examples": [{"head": "Nobody", "relation": RELATION}]})
        assert wrong.status in (400, 422) and "none speaks" in wrong.raw.decode()


def test_a_model_whose_facts_are_of_other_entities_is_refused(model):
    model.task.facts_ = np.array([[0, 0, 10**6]], "<i4").tobytes()
    with pytest.raises(lamella.ModelError, match="Do not use this model"):
        model.predict((HEAD, RELATION))


def test_of_many_entities_a_batch_is_larger():
    """A step costs as much as the table of all entities, whatever is in its batch."""
    cls = find("link-prediction")
    few, many = cls(), cls()
    few.entities_, many.entities_ = b"a\nb", "\n".join(map(str, range(20_000))).encode()
    assert cls.training.batch == few.training.batch < many.training.batch
    assert many.training.rate == few.training.rate and many.training.measured == few.training.measured


def test_learning_from_many_facts_takes_time_in_proportion():
    """With each looked up in all of them anew, 40,000 took half a minute."""
    cls = find("link-prediction")
    task = cls(cls.Config(rules=0, n3=0.01))
    task.seen = dict.fromkeys((f"a{n}", "r", f"b{n % 1000}") for n in range(40_000))
    start = time.process_time()
    task.fit([dict(zip(("head", "relation", "tail"), fact, strict=True)) for fact in list(task.seen)[1000:]])
    assert time.process_time() - start < 10
    assert len(task.filter_) == 1000 * 12 and len(task.facts_) == 39_000 * 12
