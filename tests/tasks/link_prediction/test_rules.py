"""Rules beside what they mean: paths by brute force, support and confidence, mixing, removal."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import lamella
from lamella.nets.factorization.complex import ComplEx
from lamella.tasks.link_prediction import Config, LinkPrediction, disjoint, frequency, leaks, mixture, penalty
from lamella.tasks.link_prediction.graph import Graph, parse_facts
from lamella.tasks.link_prediction.knowledge import Knowledge
from lamella.tasks.link_prediction.longer import Walks, usual_length
from lamella.tasks.link_prediction.reasons import Rules, reasons, take_away, usual
from lamella.tasks.link_prediction.rules import Rule, mine, pack, unpack


@pytest.fixture
def knowledge() -> Knowledge:
    rng = np.random.default_rng(1)
    facts = np.unique(
        np.stack([rng.integers(0, 7, 30), rng.integers(0, 2, 30), rng.integers(0, 7, 30)], axis=1), axis=0
    )
    return Knowledge(facts, 7, 2)


def edges(knowledge: Knowledge) -> set[tuple[int, int, int]]:
    """All facts both ways."""
    plain = {tuple(fact) for fact in knowledge.facts.tolist()}
    return plain | {(t, r + knowledge.relations, h) for h, r, t in plain}


@pytest.mark.parametrize("body", [(0,), (3,), (0, 1), (2, 1), (0, 3, 1)])
def test_paths(knowledge, body):
    there, starts = edges(knowledge), np.array([3, 0, 5])
    origin, nodes = knowledge.follow(starts, body)
    wanted = {
        (start, *path)
        for start in starts.tolist()
        for path in product(range(7), repeat=len(body))
        if len({start, *path}) == len(body) + 1
        and all((a, r, b) in there for a, r, b in zip((start, *path), body, path, strict=False))
    }
    assert {tuple(row) for row in nodes.tolist()} == wanted and len(nodes) == len(wanted)
    assert (starts[origin] == nodes[:, 0]).all()
    back = {tuple(row[::-1]) for row in knowledge.follow(np.arange(7), knowledge.reverse(body))[1].tolist()}
    assert wanted <= back
    if wanted:
        assert knowledge.follow(starts, body, most=0) is None


def test_facts_are_found_added_and_taken_away(knowledge):
    h, r, t = knowledge.facts.T
    assert knowledge.holds(h, r, t).all() and knowledge.holds(t, r + 2, h).all()
    every = np.array(list(product(range(7), range(2), range(7))))
    assert knowledge.holds(*every.T).sum() == len(knowledge.facts)
    less = knowledge.without(knowledge.facts[:5])
    anew = Knowledge(less.facts, less.entities, less.relations)
    assert less.keys.tolist() == anew.keys.tolist(), "taken out of the sorted keys as if all were sorted anew"
    assert knowledge.without(every).keys.tolist() == []
    assert sorted(knowledge.ends(0)) == sorted(t[r == 0]) and sorted(knowledge.ends(2)) == sorted(h[r == 0])
    assert len(less.facts) == len(knowledge.facts) - 5 and not less.holds(h[:5], r[:5], t[:5]).any()
    more = less.with_facts(np.array([[7, 0, 1]]), 8)
    assert more.tails(7, 0).tolist() == [1] and 7 in more.tails(1, 2)


def families(count: int) -> Graph:
    """Each with a grandparent of two grandchildren, of which the second is not stated in the last family."""
    facts = []
    for n in range(count):
        facts += [(f"g{n}", "parent", f"p{n}"), (f"p{n}", "parent", f"a{n}"), (f"p{n}", "parent", f"b{n}")]
        facts += [(f"g{n}", "grandparent", f"{child}{n}") for child in "ab"][: 1 if n == count - 1 else 2]
    graph = Graph(
        sorted({e for h, _, t in facts for e in (h, t)}), ["grandparent", "parent"], np.zeros((0, 3), np.int64)
    )
    return Graph(graph.entities, graph.relations, graph.ids(facts))


def test_a_rule_is_found_with_its_support():
    graph = families(12)
    rules = mine(graph.knowledge, most=20, length=3, fewest=2)
    [rule] = [r for r in rules if r.relation == 0 and r.body == (1, 1)]
    assert (rule.support, rule.predicted) == (23, 24) and rule.confidence == 23 / 29
    assert unpack(pack(rules), 2) == rules
    with pytest.raises(lamella.LamellaError, match="rules"):
        unpack(pack([Rule(5, (1, 1), 1, 2)]), 2)
    with pytest.raises(lamella.LamellaError, match="rules"):
        unpack(pack(rules)[:-1], 2)
    assert mine(graph.knowledge, most=0, length=3, fewest=2) == []
    assert all(len(r.body) == 1 for r in mine(graph.knowledge, most=20, length=1, fewest=2))


@pytest.mark.parametrize("length", [4, 5])
def test_bodies_of_walks_beside_brute_force(length):
    rng = np.random.default_rng(2)
    columns = [rng.integers(0, 12, 26), rng.integers(0, 2, 26), rng.integers(0, 12, 26)]
    knowledge = Knowledge(np.unique(np.stack(columns, axis=1), axis=0), 12, 2)
    walks, some = Walks(knowledge), 0
    bodies = [body for n in range(4, length + 1) for body in product(range(4), repeat=n)]
    for head, relation, tail in knowledge.facts[:4].tolist():
        paths = {b: knowledge.follow(np.array([head]), b) for b in bodies}
        wanted = {b for b, (_, nodes) in paths.items() if tail in nodes[:, -1]}
        assert set(walks.bodies(np.array([[head, relation, tail]]), length)) == {(b, 1) for b in wanted}
        some += len(wanted)
    assert some > 3


def chains(count: int) -> Graph:
    """Each of six entities in a row, the last of which is under the first: only a path of five facts says so."""
    facts = [(f"{n}-{i}", f"step{i}", f"{n}-{i + 1}") for n in range(count) for i in range(5)]
    facts += [(f"{n}-0", "above", f"{n}-5") for n in range(count)]
    names = sorted({e for h, _, t in facts for e in (h, t)})
    graph = Graph(names, sorted({r for _, r, _ in facts}), np.zeros((0, 3), np.int64))
    return Graph(graph.entities, graph.relations, graph.ids(facts))


def test_longer_rules_are_found_in_sparse_graphs():
    graph = chains(30)
    assert usual_length(graph.knowledge) == 3, "it is small"
    assert usual_length(Knowledge(graph.knowledge.facts, 10_000, 6)) == 5
    above = graph.relation["above"]
    short = mine(graph.knowledge, most=20, length=3, fewest=2)
    rules = mine(graph.knowledge, most=20, length=5, fewest=2)
    assert not [r for r in short if r.relation == above]
    [rule] = [r for r in rules if r.relation == above]
    assert rule.body == tuple(graph.relation[f"step{i}"] for i in range(5)) and rule.support == 30
    assert unpack(pack(rules), 6) == rules
    [why] = reasons(Rules(rules, 6), graph.knowledge, graph.entity["3-0"], above, graph.entity["3-5"])
    assert [graph.names(fact)[1] for fact in why.ways[0]] == [f"step{i}" for i in range(5)]


def test_rules_of_earlier_models_are_read():
    """They have room for three facts, and no number before them that says so."""
    raw = np.array([[0, 1, 1, -1, 23, 24], [1, 0, -1, -1, 2, 3]], "<i4").tobytes()
    assert unpack(raw, 2) == [Rule(0, (1, 1), 23, 24), Rule(1, (0,), 2, 3)]
    for broken in (raw[:-4], np.array([-9], "<i4").tobytes() + raw, np.array([-1, 0, 1, 2, 2], "<i4").tobytes()):
        with pytest.raises(lamella.LamellaError, match="rules"):
            unpack(broken, 2)
    assert unpack(b"", 2) == [] and pack([]) == b""


def test_the_facts_behind_an_answer_decide_it():
    graph = families(12)
    rules = Rules([Rule(0, (1, 1), 23, 24)], 2)
    head, wanted = graph.entity["g11"], graph.entity["b11"]
    support = rules.support(graph.knowledge, np.array([head]), np.array([0]))[0]
    assert set(np.flatnonzero(support)) == {graph.entity["a11"], wanted}
    [why] = reasons(rules, graph.knowledge, head, 0, wanted)
    assert [graph.names(fact) for fact in why.ways[0]] == [["g11", "parent", "p11"], ["p11", "parent", "b11"]]
    # Asked backwards it is the same rule.
    [back] = reasons(rules, graph.knowledge, wanted, 2, head)
    assert {tuple(f) for f in back.ways[0]} == {tuple(f) for f in why.ways[0]}

    def scores(knowledge):
        row = rules.support(knowledge, np.array([head]), np.array([0]))[0]
        row[graph.entity["a11"]] = -np.inf  # a fact already
        return row

    assert scores(graph.knowledge).argmax() == wanted
    removal = take_away(rules, graph.knowledge, head, 0, scores)
    assert removal.facts == [why.ways[0][1]] or removal.facts == [why.ways[0][0]]


def test_only_facts_that_an_answer_needs_are_taken_away():
    """The head has two grandparents by the same rule; one fact of the path is enough, and what was tried before it is put back."""
    graph = families(12)
    head, wanted = graph.entity["g11"], graph.entity["b11"]

    def scores(knowledge):
        row = np.zeros(len(graph.entities))
        row[graph.entity["a0"]] = 0.5
        row[wanted] = knowledge.holds(*np.array([[graph.entity["p11"]], [1], [wanted]]))[0]
        return row

    rules = Rules([Rule(0, (1, 1), 23, 24)], 2)
    removal = take_away(rules, graph.knowledge, head, 0, scores)
    assert [graph.names(fact) for fact in removal.facts] == [["p11", "parent", "b11"]]


def test_where_rules_do_not_decide_it_is_where_the_relation_leads():
    """No path leads to the only ends of a relation: an answer then hangs on all facts that lead there."""
    facts = [(f"x{n}", "kept in", "Oslo") for n in range(9)] + [("y", "kept in", "Rome"), ("z", "near", "x1")]
    graph = Graph(sorted({e for h, _, t in facts for e in (h, t)}), ["kept in", "near"], np.zeros((0, 3), np.int64))
    graph = Graph(graph.entities, graph.relations, graph.ids(facts))
    oslo = graph.entity["Oslo"]

    def scores(knowledge):
        return frequency.log_shares(knowledge, np.array([0]), len(graph.entities))[0]

    removal = take_away(Rules([], 2), graph.knowledge, graph.entity["z"], 0, scores)
    assert removal.changes(oslo) and removal.answer == graph.entity["Rome"]
    assert sorted(graph.names(fact) for fact in removal.facts) == sorted(map(list, facts[:9]))
    often = usual(graph.knowledge, 0, oslo)
    assert (often.rule.support, often.rule.predicted, often.rule.body) == (9, 10, ())
    assert usual(graph.knowledge, 0, graph.entity["z"]) is None
    assert len(usual(graph.knowledge, 2, graph.entity["x1"]).ways) == 1, (
        "the head is asked for: the same the other way round"
    )


def test_how_often_a_relation_leads_to_an_end():
    known = Knowledge(np.array([[0, 0, 2], [1, 0, 2], [1, 0, 0], [2, 1, 0]]), 3, 2)
    shares = np.exp(frequency.log_shares(known, np.array([0, 2, 0]), 4))
    assert np.allclose(shares.sum(axis=1), 1) and np.allclose(shares[0], [1.1 / 3.4, 0.1 / 3.4, 2.1 / 3.4, 0.1 / 3.4])
    assert shares[0].tolist() == shares[2].tolist() and shares[1].argmax() == 1


def test_weights_of_the_parts_are_those_of_the_likelihood():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(3000, 6, 2))
    likely = np.exp(mixture.log_softmax(features @ np.array([1.5, 0.5])))
    right = [int(rng.choice(6, p=row)) for row in likely]
    weights = mixture.fit(list(map(mixture.Query, features, right)), (1.0, 1.0))
    assert np.allclose(weights, [1.5, 0.5], atol=0.1)


def test_candidates_leave_out_what_is_right_as_well():
    net, rules = np.arange(5000.0), np.zeros(5000)
    features, right, many = mixture.candidates([net, rules, rules, rules], 5, np.array([5, 4999]))
    assert right == 0 and features[0, 0] == 5 and 4999 not in features[:, 0] and 4998 in features[:, 0]
    assert len(features) == len(many) < 1100
    assert round(np.exp(many).sum()) == 4999, "those left out are stood for"


def test_weights_from_some_of_many_candidates_are_those_from_all():
    """Of the likeliest alone a net that is too sure would be believed least."""
    rng = np.random.default_rng(1)
    whole, few = [], []
    for _ in range(150):
        parts = [rng.normal(size=4000) * 2, *np.zeros((2, 4000)), rng.normal(size=4000)]
        share = np.exp(mixture.log_softmax((0.8 * parts[0] + 0.5 * parts[3])[None])[0])
        wanted = int(rng.choice(4000, p=share))
        whole.append(mixture.Query(np.stack([np.roll(part, -wanted) for part in parts], axis=1), 0))
        few.append(mixture.candidates(parts, wanted, np.zeros(0, np.int64)))
    start = (1.0, 0.0, 0.0, 1.0)
    assert np.allclose(mixture.fit(few, start), mixture.fit(whole, start), atol=0.05)


def test_what_facts_rule_out():
    """Relations that never join the same two, in either direction, and what nobody has to itself."""
    parents = [(f"p{n}", "parent of", f"c{n}") for n in range(12)] + [
        (f"q{n}", "parent of", f"c{n}") for n in range(12)
    ]
    couples = [(f"p{n}", "married to", f"q{n}") for n in range(12)] + [
        (f"q{n}", "married to", f"p{n}") for n in range(12)
    ]
    facts = [*parents, *couples, ("c0", "near", "c1")]
    graph = Graph(
        list(dict.fromkeys(e for h, _, t in facts for e in (h, t))), ["married to", "near", "parent of"],
        np.zeros((0, 3), np.int64),
    )  # fmt: skip
    known = Knowledge(graph.ids(facts), len(graph.entities), 3)
    found = disjoint.read(disjoint.learn(known), 3)
    married, near, parent = range(3)
    child = parent + 3
    assert found[parent, married] and found[married, parent] and found[parent, child] and found[parent, -1]
    assert not found[married, married + 3] and not found[parent, parent], "couples are married both ways"
    assert not found[near].any() and not found[:, near].any(), "one fact tells nothing"
    ids = graph.entity
    [row] = disjoint.ruled_out(found, known, np.array([ids["p0"]]), np.array([parent]), known.entities)
    assert set(np.flatnonzero(row)) == {ids["p0"], ids["q0"]}, "neither parent of oneself nor of one's wife"
    added = known.with_facts(np.array([[ids["p0"], married, ids["c5"]]]), known.entities)
    assert (
        disjoint.ruled_out(found, added, np.array([ids["p0"]]), np.array([parent]), known.entities)[0, ids["c5"]] == 1
    )
    assert not disjoint.read(b"", 3).any()
    with pytest.raises(lamella.ModelError, match="disjoint relations are none of its relations"):
        disjoint.read(b"abc", 3)


def test_relations_that_tell_each_other():
    facts = [(f"a{n}", "parent of", f"b{n}") for n in range(20)] + [(f"b{n}", "child of", f"a{n}") for n in range(20)]
    facts += [(f"a{n}", "near", f"a{n + 1}") for n in range(20)] + [(f"a{n + 1}", "near", f"a{n}") for n in range(20)]
    one, two = sorted(leaks.warnings(facts))
    assert '"child of" and "parent of" are inverses' in one and '"near" holds in both directions' in two
    assert leaks.warnings([(f"a{n}", "r", f"b{n}") for n in range(20)]) == []
    known = Knowledge(np.array([[n, 0, n + 20] for n in range(20)] + [[n + 20, 1, n] for n in range(19)]), 40, 2)
    assert leaks.told(np.array([[19, 0, 39], [39, 1, 19]]), known) == 0.5


def test_facts_as_they_are_typed():
    assert parse_facts("a|r|b;\n c\tr\td ;") == [("a", "r", "b"), ("c", "r", "d")]
    with pytest.raises(lamella.UsageError, match="names of at most 1,000 characters, received one of 3,000"):
        parse_facts("a" * 3000 + "|r|b")
    for wrong in ("a | r", "a | r | ", "a|b|c|d"):
        with pytest.raises(lamella.UsageError, match=r"--facts: expected head \| relation \| tail, received"):
            parse_facts(wrong)


def test_the_penalty_is_searched_for_where_there_is_enough(monkeypatch):
    """The best of the weights tried, by facts that are held out."""
    facts = np.array([[n, 0, (n + 1) % 500] for n in range(500)] + [[n, 1, (n + 2) % 500] for n in range(500)])
    known = Knowledge(facts, 500, 2)
    assert penalty.search(lambda: ComplEx(500, 2, 8), facts[:900], known, 16) == penalty.USUAL
    assert penalty.search(lambda: ComplEx(500, 2, 8), facts, Knowledge(facts, 10**6, 2), 16) == penalty.OF_MANY
    monkeypatch.setattr(penalty, "STEPS", (1, 3))
    first = penalty._tried(ComplEx(500, 2, 8), facts[400:], facts[:400], known, 0.01, 3)
    assert 0 < first < 1
    monkeypatch.setattr(penalty, "_tried", lambda net, learn, held, known, weight, steps: -abs(weight - 0.03))
    assert penalty.search(lambda: ComplEx(500, 2, 8), facts, known, 16) == 0.03
    later = {(0.01, 3): 0.30, (0.03, 3): 0.31, (0.003, 3): 0.20, (0.01, 12): 0.40, (0.03, 12): 0.38}
    monkeypatch.setattr(penalty, "_tried", lambda net, learn, held, known, weight, steps: later[weight, steps])
    assert penalty.search(lambda: ComplEx(500, 2, 8), facts, known, 16) == 0.01, "what learns sooner may end lower"


@pytest.mark.parametrize("asked, entities, share", [(-1.0, 1000, 0.2), (-1.0, 1001, 0.0), (0.1, 1001, 0.1)])
def test_dropout_is_for_small_graphs(asked, entities, share):
    task = LinkPrediction(Config(dropout=asked))
    task.entities_, task.relations_, task.facts_ = "\n".join(map(str, range(entities))).encode(), ["near"], b""
    assert task.build().dropout.p == share
