"""What rules say of a question, the facts that they stand on, and what becomes of an answer without these."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import msgspec
import numpy as np
from numpy.typing import NDArray

from lamella.tasks.link_prediction.knowledge import Ints, Knowledge, Paths
from lamella.tasks.link_prediction.rules import Rule

TOGETHER = 5  # of the rules that lead to one candidate, the surest are counted: the rest mostly repeat them
MOST_REMOVED = 60  # facts that are taken away to see whether an answer changes
TRIED = 6  # facts of which the best is taken away next
SHOWN = 3  # reasons of an answer that are printed
Floats = NDArray[np.float32]


class Rules:
    """Rules by relation, asked forwards and backwards."""

    def __init__(self, rules: Sequence[Rule], relations: int) -> None:
        self.of: defaultdict[int, list[Rule]] = defaultdict(list)
        self.relations = relations
        self._bodies: dict[int, list[tuple[Rule, tuple[int, ...]]]] = {}
        for rule in sorted(rules, key=lambda rule: -rule.confidence):
            self.of[rule.relation].append(rule)

    def bodies(self, relation: int, knowledge: Knowledge) -> list[tuple[Rule, tuple[int, ...]]]:
        """The rules for a relation, with the body that leads from what is given to what is asked."""
        if relation not in self._bodies:
            rules, backwards = self.of.get(relation % self.relations, ()), relation >= self.relations
            self._bodies[relation] = [(r, knowledge.reverse(r.body) if backwards else r.body) for r in rules]
        return self._bodies[relation]

    def support(self, knowledge: Knowledge, heads: Ints, relations: Ints) -> Floats:
        """The noisy-or of the rules that lead to each entity, in nats: heads, relations (B,) -> (B, E), 0 where none does."""
        total = np.zeros((len(heads), knowledge.entities), np.float32)
        count = np.zeros(total.shape, np.int8)
        for relation in np.unique(relations).tolist():
            rows = np.flatnonzero(relations == relation)
            paths = Paths(knowledge, heads[rows])
            for rule, body in self.bodies(relation, knowledge):
                found = paths.along(body)
                if found is None or not len(found[0]):
                    continue
                places = np.unique(rows[found[0]] * knowledge.entities + found[1][-1])
                places = places[count.ravel()[places] < TOGETHER]
                total.ravel()[places] -= np.float32(np.log1p(-rule.confidence))
                count.ravel()[places] += 1
        return total


class Reason(msgspec.Struct):
    """A rule that leads to an answer, and the ways in which it does: each way the facts of a path, head, relation, tail."""

    rule: Rule
    ways: list[list[tuple[int, int, int]]]


def reasons(rules: Rules, knowledge: Knowledge, head: int, relation: int, tail: int) -> Iterator[Reason]:
    """The rules that lead from a head to a tail, the surest first, looked for one after another."""
    paths = Paths(knowledge, np.array([head]))
    for rule, body in rules.bodies(relation, knowledge):
        found = paths.along(body)
        if found is None or not (there := found[1][-1] == tail).any():
            continue
        nodes = np.stack([column[there] for column in found[1]], axis=1)
        yield Reason(rule, [facts_of(row, body, knowledge.relations) for row in nodes.tolist()])


def facts_of(nodes: Sequence[int], body: Sequence[int], relations: int) -> list[tuple[int, int, int]]:
    """The facts of a path, each as it is known: not the way round in which it is walked."""
    steps = zip(nodes[:-1], body, nodes[1:], strict=True)
    return [(a, r, b) if r < relations else (b, r - relations, a) for a, r, b in steps]


class Removal(msgspec.Struct):
    """What was taken away, and what is answered without it."""

    facts: list[tuple[int, int, int]]
    answer: int

    def changes(self, before: int) -> bool:
        """Whether the answer is another one."""
        return self.answer != before


def usual(knowledge: Knowledge, relation: int, tail: int) -> Reason | None:
    """That a relation often leads to this end, whoever begins it: a rule without a path, which stands on all such facts."""
    count = knowledge.relations
    heads = knowledge.tails(tail, (relation + count) % (2 * count))
    if not len(heads):
        return None
    rule = Rule(relation, (), len(heads), knowledge.count(relation))
    return Reason(rule, [facts_of((h, tail), (relation,), count) for h in heads.tolist()])


def take_away(
    rules: Rules, knowledge: Knowledge, head: int, relation: int, scores: Callable[[Knowledge], Floats]
) -> Removal:
    """Take away facts that the best answer stands on until it is another one: a set of which none can stay.

    scores: of all candidates (E,), given what is known; -inf for those that are facts. First the facts of rules, one after
    another. Where that is not enough, all facts by which the relation leads to this answer, whoever begins it, and then
    those of rules.
    """
    answer = int(scores(knowledge).argmax())
    removal = _greedy(rules, knowledge, head, relation, scores, answer)
    often = usual(knowledge, relation, answer)
    if not removal.changes(answer) and often:
        group = [fact for way in often.ways for fact in way]
        left = knowledge.without(np.array(group))
        more = _greedy(rules, left, head, relation, scores, answer)
        if more.changes(answer):
            return Removal(_needed(more.facts, left, scores, answer) + group, more.answer)
        return removal
    if removal.changes(answer):
        facts = _needed(removal.facts, knowledge, scores, answer)
        removal = Removal(facts, int(scores(knowledge.without(_array(facts))).argmax()))
    return removal


def _greedy(
    rules: Rules,
    knowledge: Knowledge,
    head: int,
    relation: int,
    scores: Callable[[Knowledge], Floats],
    answer: int,
) -> Removal:
    """Take away facts of rules one after another, until the answer changes or no rule leads to it.

    Of the facts that the surest rules need most, the one goes whose loss brings another candidate nearest: so few facts are
    enough, and those that the rules for the others need too stay.
    """
    now, gone, current = knowledge, list[tuple[int, int, int]](), int(scores(knowledge).argmax())
    while len(gone) < MOST_REMOVED and current == answer:
        weight: defaultdict[tuple[int, int, int], float] = defaultdict(float)
        for reason in islice(reasons(rules, now, head, relation, answer), TOGETHER):
            for way in reason.ways:
                for fact in way:
                    weight[fact] -= np.log1p(-reason.rule.confidence) / len(reason.ways)
        if not weight:
            break
        tried = sorted(weight, key=lambda fact: (-weight[fact], fact))[:TRIED]
        left = [now.without(np.array([fact])) for fact in tried]
        leads = [_lead(scores(world), answer) for world in left]
        chosen = int(np.argmin([lead for lead, _ in leads]))
        gone.append(tried[chosen])
        now, current = left[chosen], leads[chosen][1]
    return Removal(gone, current)


def _needed(
    facts: list[tuple[int, int, int]], knowledge: Knowledge, scores: Callable[[Knowledge], Floats], answer: int
) -> list[tuple[int, int, int]]:
    """Those of facts whose loss changes an answer without which it would not: each is put back, the first first."""
    kept = list(facts)
    for fact in facts:
        less = [other for other in kept if other != fact]
        if int(scores(knowledge.without(_array(less))).argmax()) != answer:
            kept = less
    return kept


def _array(facts: Sequence[tuple[int, int, int]]) -> Ints:
    return np.array(facts, np.int64).reshape(-1, 3)


def _lead(scores: Floats, answer: int) -> tuple[float, int]:
    """By how much an answer is ahead of the next, and which is the best."""
    own = float(scores[answer])
    others = scores.copy()
    others[answer] = -np.inf
    other = int(others.argmax())
    return own - float(others[other]), answer if own >= others[other] else other
