"""Answers of a small graph, made for all its entities at once, when a relation has been asked for a few times.

A graph of a few hundred entities has few questions, and what rules and facts say to one costs as much as to all of a relation:
following a rule from every entity takes numpy hardly longer than from one. So of each relation are kept, until what is known
changes: what is said of every pair of entities besides the net, by which rule and over which entities one leads to the other, and
the answers of a net whose weights do not change. Larger graphs are answered question by question.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lamella.task import Answer
from lamella.tasks.link_prediction.graph import Graph
from lamella.tasks.link_prediction.knowledge import Ints
from lamella.tasks.link_prediction.reasons import TOGETHER, Rules
from lamella.tasks.link_prediction.rules import Rule

MOST = 1_000_000  # numbers in the tables of all relations, both ways, up to which they are made
PATHS = 100_000  # that the rules of a relation may have; one with more is answered question by question
WORTH = 5  # questions of a relation that take about as long as its table
ROUNDS = 4  # tables of answers that are kept of each relation, such as for several options
Floats = NDArray[np.float32]
Reason = tuple[Rule, list[int], tuple[int, ...]]
"""A rule, the entities of the first path by which it leads somewhere, and the relations along it."""


class Said(msgspec.Struct):
    """What is said of all pairs of a head and a tail besides the net."""

    scores: Floats  # (E, E)
    why: NDArray[np.int32]  # (E, E): the place of the reason, -1 where no rule leads there
    reasons: list[Reason]

    def reason(self, head: int, tail: int) -> Reason | None:
        """The surest rule that leads from a head to a tail, and the first path by which it does; None where none does."""
        at = int(self.why[head, tail])
        return self.reasons[at] if at >= 0 else None


class Answers:
    """The answers to all questions of a relation: names with how likely they are, and what stands behind them."""

    def __init__(self, count: int, make: Callable[[int], Answer]) -> None:
        self.made: list[tuple[Any, ...] | None] = [None] * count
        self.make = make

    def of(self, head: int) -> Answer:
        """The answer to one, with lists of its own, so that nobody changes another's."""
        made = self.made[head]
        if made is None:
            answer = self.make(head)
            others = [(one["answer"], one["probability"]) for one in answer["others"]]
            kept = {**answer, "others": others}
            made = self.made[head] = tuple(kept[name] for name in PARTS)
        name, probability, rule, facts, others, known = made
        return {
            "answer": name,
            "probability": probability,
            "rule": rule,
            "facts": [fact[:] for fact in facts],
            "others": [{"answer": one, "probability": likely} for one, likely in others],
            "known": known[:],
        }


PARTS = ("answer", "probability", "rule", "facts", "others", "known")


class Tables:
    """What is kept of a world, for these weights of the parts."""

    def __init__(self, world: Graph, mix: Sequence[float]) -> None:
        self.world, self.mix = world, list(mix)
        self.asked: Counter[int] = Counter()  # questions of each relation so far
        self._said: dict[int, Said | None] = {}
        self._answers: dict[Any, Answers] = {}

    @classmethod
    def fits(cls, world: Graph) -> bool:
        """Whether a graph is small enough."""
        return 2 * len(world.relations) * len(world.entities) ** 2 <= MOST

    def said(self, relation: int, rules: Rules, scored: Callable[[Ints, Ints, Floats], Floats]) -> Said | None:
        """What is said of a relation; None where its rules have too many paths, or few questions were asked.

        scored: heads and relations (E,) and what rules say in nats (E, E) -> all that is said besides the net, (E, E).
        """
        if relation not in self._said and self.asked[relation] >= WORTH:
            self._said[relation] = self._look(relation, rules, scored)
        return self._said.get(relation)

    def _look(self, relation: int, rules: Rules, scored: Callable[[Ints, Ints, Floats], Floats]) -> Said | None:
        count, known = len(self.world.entities), self.world.knowledge
        heads, left = np.arange(count), PATHS
        support, times = np.zeros((count, count), np.float32), np.zeros(count * count, np.int8)
        why, found = np.full(count * count, -1, np.int32), list[Reason]()
        for rule, body in rules.bodies(relation, known):
            if (paths := known.follow(heads, body, left)) is None:
                return None
            left -= len(paths[0])
            places, first = np.unique(paths[0] * count + paths[1][:, -1], return_index=True)
            new = why[places] < 0  # the surest rule is the reason, and of its paths the first
            why[places[new]] = np.arange(len(found), len(found) + int(new.sum()))
            found += [(rule, nodes, body) for nodes in paths[1][first[new]].tolist()]
            places = places[times[places] < TOGETHER]
            support.ravel()[places] -= np.float32(np.log1p(-rule.confidence))
            times[places] += 1
        scores = scored(heads, np.full(count, relation), support)
        return Said(scores, why.reshape(count, count), found)

    def rows(self, heads: Ints, relations: Ints) -> Floats:
        """What is said to questions (B,) by the tables of their relations, which are there: (B, E)."""
        tables = {relation: said.scores for relation, said in self._said.items() if said is not None}
        return np.stack([tables[r][h] for h, r in zip(heads.tolist(), relations.tolist(), strict=True)])

    def answers(self, key: Any, make: Callable[[], Callable[[int], Answer]]) -> Answers:
        """The answers to all questions of a relation, under a key that says all that they depend on."""
        answers = self._answers.get(key)
        if answers is None:
            if len(self._answers) >= ROUNDS * 2 * len(self.world.relations):
                self._answers = {}
            answers = self._answers[key] = Answers(len(self.world.entities), make())
        return answers
