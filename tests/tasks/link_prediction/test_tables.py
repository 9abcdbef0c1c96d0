"""Answers of a small graph that are kept by relation: the same as question by question, and only where nothing can change."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import lamella
from lamella.options import replace_config
from lamella.tasks.link_prediction import tables
from lamella.tasks.link_prediction.knowledge import Knowledge, Paths


@pytest.fixture
def model(trained):
    return lamella.load(trained("link-prediction"))


def asked(model, ask: str) -> list:
    """The answers to questions about known facts and about what is no fact, in one list and one by one."""
    graph = model.task.graph
    facts = list(map(graph.names, graph.knowledge.facts[::17].tolist())) + [
        [graph.entities[3], relation, graph.entities[50]] for relation in graph.relations
    ]
    asked, fields = model.ask(ask), model.task.questions[ask].fields
    rows = [
        {name: value for name, value in zip(("head", "relation", "tail"), f, strict=True) if name in fields}
        for f in facts
    ]
    return [*asked.predict(rows), *map(asked.predict, rows[:5])]


@pytest.mark.parametrize("ask", ["tail", "head", "relation", "true"])
@pytest.mark.parametrize("options", [{}, {"top": 300}, {"facts": "Newcomer | parent of | Leo Hazel"}])
def test_kept_answers_are_those_of_one_question_at_a_time(model, monkeypatch, ask, options):
    model = model.with_config(replace_config(model.task.config, options, "link-prediction"))
    kept = asked(model, ask)
    assert model.task._tables is not None
    alone = lamella.load(model.where).with_config(model.task.config)
    monkeypatch.setattr(tables, "MOST", 0)
    assert alone.task._tables is None
    for one, other in zip(kept, asked(alone, ask), strict=True):
        few = {
            "others": 0,
            "probability": 0,
        }  # which may differ in a last digit, and so in the order of what is as likely
        assert {**one, **few} == {**other, **few}
        likely = [[a["probability"], *(o["probability"] for o in a["others"])] for a in (one, other)]
        assert np.allclose(*likely, atol=2e-4)


def test_relations_with_many_paths_are_asked_one_by_one(model, monkeypatch):
    kept = asked(model, "tail")
    monkeypatch.setattr(tables, "PATHS", 100)
    assert [a["answer"] for a in asked(lamella.load(model.where), "tail")] == [a["answer"] for a in kept]


def test_an_answer_belongs_to_who_asked(model):
    question = model.task.graph.names(model.task.graph.knowledge.facts[0])[:2]
    first = model.predict(tuple(question))
    wanted = copy.deepcopy(dict(first))
    first["others"].clear(), first["known"].append("x"), first["facts"].append("x")
    assert model.predict(tuple(question)) == wanted


def test_nothing_is_kept_of_a_net_that_may_change(model):
    """As in training: its graphs have no `constant`."""

    class Changing:
        def __call__(self, **inputs):
            return {"scores": np.tile(-self.sign * np.arange(144.0, dtype=np.float32), (len(inputs["head"]), 1))}

    net = Changing()
    answers = []
    for net.sign in (1, -1):
        model.task.mix_ = [1.0, 0.0]
        answers += model.task.decode({"tails": net}, {"head": np.array([5]), "relation": np.array([1])})
    assert answers[0]["answer"] != answers[1]["answer"]


def test_added_facts_and_other_weights_have_tables_of_their_own(model):
    first = model.task._tables
    assert model.task._tables is first
    model.task.mix_ = [0.5, *model.task.mix_[1:]]
    assert model.task._tables is not first
    more = model.with_config(replace_config(model.task.config, {"facts": "A | parent of | B"}, "link-prediction"))
    assert more.task._tables.world is not first.world and more.task._tables is more.task._tables


def test_how_many_facts_a_relation_has():
    known = Knowledge(np.array([[0, 0, 2], [1, 0, 2], [1, 1, 0]]), entities=3, relations=2)
    assert [known.count(relation) for relation in range(4)] == [len(known.ends(r)) for r in range(4)] == [2, 1, 2, 1]


def test_paths_that_begin_alike_are_those_of_each():
    """Beginnings are followed once; what is too much to keep, or to follow at all, among it."""
    rng = np.random.default_rng(0)
    known = Knowledge(np.unique(rng.integers(0, [30, 3, 30], (150, 3)), axis=0), entities=30, relations=3)
    bodies = [tuple(rng.integers(0, 6, n).tolist()) for n in (1, 2, 3, 1, 2, 3, 3, 3, 2, 3) for _ in range(4)]
    for starts in (np.array([4]), np.arange(30)):
        for most in (40, 10**6):
            paths = Paths(known, starts, most)
            for body in bodies:
                found, alone = paths.along(body), known.follow(starts, body, most)
                assert (found is None) == (alone is None)
                if found is not None and alone is not None:
                    nodes = np.stack(found[1], axis=1)
                    assert np.array_equal(found[0], alone[0]) and np.array_equal(nodes, alone[1])
                    steps = zip(body, nodes.T[:-1], nodes.T[1:], strict=True)
                    assert all(known.holds(a, r, b).all() for r, a, b in steps)
                    assert all(len(set(row)) == len(row) for row in nodes.tolist())


def test_few_questions_make_no_table(model):
    """It takes longer than they do."""
    graph = model.task.graph
    rows = [(name, "parent of") for name in graph.entities[: 2 * tables.WORTH]]
    first = [model.predict(row) for row in rows[: tables.WORTH - 1]]
    assert not model.task._tables._said
    assert model.predict(list(rows)) == [model.predict(row) for row in rows]
    assert list(model.task._tables._said) == [graph.relation["parent of"]]
    assert [model.predict(row)["answer"] for row in rows[: len(first)]] == [answer["answer"] for answer in first]
