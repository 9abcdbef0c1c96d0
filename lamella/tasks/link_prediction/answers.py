"""What net and rules say together: the ends of facts, relations, and whether a fact is true; and what an answer stands on."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lamella.decode.best import best_of
from lamella.task import Answer, Array, Arrays
from lamella.tasks.link_prediction.disjoint import ruled_out
from lamella.tasks.link_prediction.frequency import log_shares
from lamella.tasks.link_prediction.graph import Graph
from lamella.tasks.link_prediction.knowledge import Ints, Knowledge
from lamella.tasks.link_prediction.mixture import MOST_ODDS, log_likely, log_softmax
from lamella.tasks.link_prediction.reasons import SHOWN, Reason, Removal, Rules, facts_of, reasons, take_away, usual
from lamella.tasks.link_prediction.rules import LEAST, Rule
from lamella.tasks.link_prediction.tables import Said, Tables

Floats = NDArray[np.float32]
ROWS = 64  # questions whose answers are made at once: each has a score for every entity
VARIABLES = "XABCD"
LOWEST = -1e30  # a score of what cannot be


class Ends(msgspec.Struct):
    """How likely each entity is the tail of a head and a relation, or of a reciprocal relation."""

    net: Any  # a graph
    world: Graph
    rules: Rules
    mix: Sequence[float]  # weights of the parts, in their order
    disjoint: NDArray[np.bool_]
    learned: Knowledge  # that the net was made from, whatever is known now
    tables: Tables | None = None  # what is kept of a small world

    def from_net(self, heads: Ints, relations: Ints) -> Floats:
        """Log-probabilities by the net, (B, E); it knows nothing of entities that only added facts speak of."""
        count, trained = len(self.world.entities), self.world.trained
        likely = np.full((len(heads), count), -np.log(count), np.float32)
        inside = np.flatnonzero(heads < trained)
        if len(inside):
            scores = self.net(head=heads[inside], relation=relations[inside])["scores"]
            likely[inside, :trained] = log_softmax(scores.astype(np.float32))
        return likely

    def parts(self, heads: Ints, relations: Ints) -> list[Floats]:
        """What the net says beyond how often a relation leads to each entity, what rules say, -1 for what is ruled out, how often it
        does, and the logarithm of what rules say: (B, E) each."""
        known, count = self.world.knowledge, len(self.world.entities)
        support = self.rules.support(known, heads, relations)
        return [
            self.from_net(heads, relations) - log_shares(self.learned, relations, count),
            support,
            -ruled_out(self.disjoint, known, heads, relations, count),
            log_shares(known, relations, count),
            log_likely(support),
        ]

    def scores(self, heads: Ints, relations: Ints) -> Floats:
        """All together, (B, E)."""
        net = self.from_net(heads, relations)
        if self.tables is not None and all(map(self.table, set(relations.tolist()))):
            return np.asarray(np.float32(self.mix[0]) * net + self.tables.rows(heads, relations))
        return self.mixed(net, heads, relations, self.world.knowledge)

    def table(self, relation: int) -> Said | None:
        """What is kept of a relation; None where the world is large, its rules have many paths, or weights are others."""
        if self.tables is None or self.tables.mix != list(self.mix):
            return None
        return self.tables.said(relation, self.rules, partial(self.said, self.world.knowledge))

    def mixed(self, net: Floats, heads: Ints, relations: Ints, knowledge: Knowledge) -> Floats:
        """What the net says and what is said by that which is known, weighed: (B, E)."""
        support = self.rules.support(knowledge, heads, relations) if any((self.mix[1], *self.mix[4:])) else None
        return np.asarray(np.float32(self.mix[0]) * net + self.said(knowledge, heads, relations, support))

    def said(self, knowledge: Knowledge, heads: Ints, relations: Ints, support: Floats | None) -> Floats:
        """What is said by that which is known, weighed, where rules say so much (B, E) in nats: (B, E)."""
        count = knowledge.entities
        total = np.zeros((len(heads), count), np.float32)
        mix = [*self.mix, 0.0, 0.0, 0.0][:5]  # a model of before has two weights, or three, or four
        if support is not None:
            total += np.float32(mix[1]) * support
            if mix[4]:
                total += np.float32(mix[4]) * log_likely(support)
        if mix[2]:
            total -= np.float32(mix[2]) * ruled_out(self.disjoint, knowledge, heads, relations, count)
        if len(self.mix) > 3:
            total -= np.float32(mix[0]) * log_shares(self.learned, relations, count)
            total += np.float32(mix[3]) * log_shares(knowledge, relations, count)
        return total


class Asked:
    """One of the four questions, answered."""

    def __init__(self, ends: Ends, question: str, truth: Sequence[float], top: int) -> None:
        self.ends, self.question, self.truth, self.top = ends, question, truth, top
        self.world = ends.world

    def answers(self, inputs: Arrays) -> list[Answer]:
        """A batch of ids -> conclusions."""
        count = len(next(iter(inputs.values())))
        found: list[Answer] = []
        for first in range(0, count, ROWS):
            rows = {name: array[first : first + ROWS] for name, array in inputs.items()}
            found += self._answers(rows, len(next(iter(rows.values()))))
        return found

    def _answers(self, inputs: Arrays, count: int) -> list[Answer]:
        found = self._kept(inputs, count)
        if left := [n for n in range(count) if n not in found]:
            asked = {name: array[left] for name, array in inputs.items()}
            scores = self._scores(asked)
            rows = [{name: int(array[n]) for name, array in inputs.items()} for n in left]
            known = [self._known(row) for row in rows]
            for n, row, best, likely, some in zip(left, rows, *self._best(scores, known), known, strict=True):
                found[n] = self._conclusion(self._fact(row, best[0]), best, likely, some)
        return [found[n] for n in range(count)]

    def _kept(self, inputs: Arrays, count: int) -> dict[int, Answer]:
        """The answers that stand in tables, by their places, of a small world and a net whose weights do not change."""
        tables, constant = self.ends.tables, getattr(self.ends.net, "constant", None)
        if tables is None or constant is None or self.question not in ("tail", "head"):
            return {}
        heads, relations = (array.tolist() for array in self._query(inputs))
        tables.asked.update(relations)
        of = {
            r: tables.answers((r, self.top, constant), partial(self._of_relation, r)).of
            for r in set(relations)
            if self.ends.table(r)
        }
        return {n: of[r](heads[n]) for n, r in enumerate(relations) if r in of}

    def _of_relation(self, relation: int) -> Callable[[int], Answer]:
        """What gives the answer to each question of a relation, all of which are looked at together."""
        every = np.arange(len(self.world.entities))
        scores = self.ends.scores(every, np.full(len(every), relation))
        known = [self.world.knowledge.tails(head, relation) for head in every.tolist()]
        best, likely = self._best(scores, known)
        # Kept longer than what was asked with: a net, such as one with the time limit of a request, is not.
        later = Asked(msgspec.structs.replace(self.ends, net=None), "tail", self.truth, self.top)
        return lambda head: later._conclusion((head, relation, best[head][0]), best[head], likely[head], known[head])

    def _names(self) -> list[str]:
        if self.question == "true":
            return ["false", "true"]
        return self.world.relations if self.question == "relation" else self.world.entities

    def _scores(self, inputs: Arrays) -> Floats:
        """Scores of all candidates (B, C), whose softmax is how likely they are."""
        if self.question == "true":
            odds = self.truth[0] * self._fact_odds(inputs["head"], inputs["relation"], inputs["tail"]) + self.truth[1]
            return np.stack([np.zeros_like(odds), odds], axis=1)
        if self.question == "relation":
            return np.stack([self._relations(h, t) for h, t in zip(inputs["head"], inputs["tail"], strict=True)])
        return self.ends.scores(*self._query(inputs))

    def _query(self, inputs: Arrays) -> tuple[Ints, Ints]:
        """What is given of a fact with one end missing, as a head and a relation."""
        if self.question == "head":
            count = len(self.world.relations)
            return inputs["tail"], (inputs["relation"] + count) % (2 * count)
        return inputs["head"], inputs["relation"]

    def _known(self, row: Mapping[str, int]) -> Ints:
        """The candidates that are facts already."""
        knowledge = self.world.knowledge
        if self.question == "true":
            return np.array([1] if row["tail"] in knowledge.tails(row["head"], row["relation"]) else [], np.int64)
        if self.question == "relation":
            every = range(len(self.world.relations))
            return np.array([r for r in every if row["tail"] in knowledge.tails(row["head"], r)], np.int64)
        [head], [relation] = self._query({name: np.array([i]) for name, i in row.items()})
        return np.unique(knowledge.tails(int(head), int(relation)))

    def _fact_odds(self, heads: Ints, relations: Ints, tails: Ints) -> Floats:
        """The log-odds of a fact's two ends among all others that may be right, their mean: (B,)."""
        count, total = len(self.world.relations), np.zeros(len(heads))
        for one, relation, other in ((heads, relations, tails), (tails, (relations + count) % (2 * count), heads)):
            scores = self.ends.scores(one, relation)
            for n, (h, r, t) in enumerate(zip(one.tolist(), relation.tolist(), other.tolist(), strict=True)):
                rest = self.world.knowledge.tails(h, r)
                scores[n, rest[rest != t]] = -np.inf
                total[n] += _log_odds(scores[n], t) / 2
        return np.clip(total, -MOST_ODDS, MOST_ODDS).astype(np.float32)

    def _relations(self, head: int, tail: int) -> Floats:
        """Scores of the relations of two entities: both ends' log-probabilities, and how frequent a relation is."""
        count = len(self.world.relations)
        often = np.bincount(self.world.knowledge.facts[:, 1], minlength=count)
        every = np.arange(count)
        forth = log_softmax(self.ends.scores(np.full(count, head), every))[:, tail]
        back = log_softmax(self.ends.scores(np.full(count, tail), every + count))[:, head]
        return np.asarray((forth + back) / 2 + np.log((often + 1) / (often.sum() + count)), np.float32)

    def log_odds(self, inputs: Arrays, answer: str) -> Array:
        """The log-odds of a candidate, by name: (B,)."""
        names = self._names()
        scores = self._scores(inputs)
        at = names.index(answer)
        if self.question != "true":  # answers are given among those that are no facts yet
            for n, row in enumerate(scores):
                known = self._known({name: int(array[n]) for name, array in inputs.items()})
                row[known[known != at]] = -np.inf
        return np.array([_log_odds(row, at) for row in scores])

    # ---- a conclusion ----------------------------------------------------------------------------------------------

    def _best(self, scores: Floats, known: Sequence[Ints]) -> tuple[list[list[int]], list[list[float]]]:
        """Scores (B, C) and what is known already of each row -> the best of the others, and how likely each is."""
        for row, some in zip(scores, known, strict=True):
            if self.question == "true":
                row[1:][: len(some)] = np.inf
            elif len(some) < len(row):
                row[some] = -np.inf
        finite = np.nan_to_num(scores, nan=LOWEST, posinf=60.0, neginf=LOWEST)
        best = best_of(finite, max(1, self.top))
        rows = np.arange(len(best))[:, None]
        likely = np.exp(log_softmax(finite)[rows, best]).astype(np.float64).round(4).tolist()
        counts = (finite[rows, best] > LOWEST / 2).sum(axis=1).tolist()  # what is ruled out comes last
        return (
            [places[:count] for places, count in zip(best.tolist(), counts, strict=True)],
            [shares[:count] for shares, count in zip(likely, counts, strict=True)],
        )

    def _fact(self, row: Mapping[str, int], best: int) -> tuple[int, int, int] | None:
        """The fact that an answer says, as head, relation and tail, in the direction in which it was asked; None for "false"."""
        if self.question == "true":
            return (row["head"], row["relation"], row["tail"]) if best else None
        if self.question == "relation":
            return row["head"], best, row["tail"]
        [head], [relation] = self._query({name: np.array([i]) for name, i in row.items()})
        return int(head), int(relation), best

    def _conclusion(
        self, fact: tuple[int, int, int] | None, best: Sequence[int], likely: Sequence[float], known: Ints
    ) -> Answer:
        """The answer to one question, with the rule and the facts behind it."""
        names = self._names()
        answer, *others = [{"answer": names[i], "probability": p} for i, p in zip(best, likely, strict=True)]
        why = self._first_reason(*fact) if fact else None
        return {
            **answer,
            "rule": self.say(why.rule) if why else "",
            "facts": [self.world.names(one) for one in why.ways[0]] if why else [],
            "others": others,
            "known": ["this fact"] * len(known)
            if self.question == "true"
            else [names[i] for i in known[:SHOWN].tolist()],
        }

    def _first_reason(self, head: int, relation: int, tail: int) -> Reason | None:
        """What an answer shows: the surest rule that leads there, or at last that the relation often does."""
        known, kept = self.world.knowledge, self.ends.table(relation)
        if kept is None:
            return next(reasons(self.ends.rules, known, head, relation, tail), None) or self._often(relation, tail)
        if (found := kept.reason(head, tail)) is None:
            return self._often(relation, tail)
        rule, nodes, body = found
        return Reason(rule, [facts_of(nodes, body, known.relations)])

    def _often(self, relation: int, tail: int) -> Reason | None:
        """That the relation often leads to this end, where it does so often enough."""
        often = usual(self.world.knowledge, relation, tail) if self.ends.rules.of else None
        return often if often and often.rule.confidence >= LEAST else None

    def reasons(self, row: Mapping[str, int], best: int) -> list[Reason]:
        """The rules that lead to an answer, the surest first, and at last that the relation often leads there.

        None speaks for what is false.
        """
        if (fact := self._fact(row, best)) is None:
            return []
        often = self._often(*fact[1:])
        return [*reasons(self.ends.rules, self.world.knowledge, *fact), *([often] if often else [])]

    def say(self, rule: Rule) -> str:
        """A rule in words: "X parent of A, A parent of Y: X grandparent of Y; 31 of 34"."""
        names = self.world.relations
        counts = f"{rule.support} of {rule.predicted}"
        if not rule.body:  # how often the relation leads to this end
            forth, name = rule.relation < len(names), names[rule.relation % len(names)]
            return f"{f'A {name} Y' if forth else f'X {name} A'}: X {name} Y; {counts}"
        letters = [*VARIABLES[: len(rule.body)], "Y"]
        steps = []
        for at, relation in enumerate(rule.body):
            one, other = letters[at], letters[at + 1]
            if relation >= len(names):
                one, other = other, one
            steps.append(f"{one} {names[relation % len(names)]} {other}")
        return f"{', '.join(steps)}: X {names[rule.relation]} Y; {counts}"

    # ---- an explanation --------------------------------------------------------------------------------------------

    def explained(self, row: Mapping[str, int], answer: Answer) -> dict[str, Any]:
        """The rules behind an answer with their facts, and what is answered without these facts."""
        best = self._names().index(answer["answer"])
        why = self.reasons(row, best)
        title = "Rules that lead to this answer"
        if not why:
            return {
                "kind": "reasons",
                "title": title,
                "reasons": [],
                "sentence": NO_RULE,
                "changed": False,
                "removed": [],
            }
        removed = self._removed(row, why)
        # First those that the facts taken away belong to: they are what the answer hangs on.
        why = sorted(why, key=lambda reason: -len({f for way in reason.ways for f in way} & set(removed)))
        other = self._without(removed).answers({name: np.array([i]) for name, i in row.items()})[0]
        changed = other["answer"] != answer["answer"]
        return {
            "kind": "reasons",
            "title": title,
            "reasons": [
                {"rule": self.say(r.rule), "ways": len(r.ways), "facts": [self.world.names(f) for f in r.ways[0]]}
                for r in why[:SHOWN]
            ],
            "removed": [self.world.names(fact) for fact in removed],
            "without": {"answer": other["answer"], "probability": other["probability"]},
            "changed": changed,
            "sentence": self._told(why, removed)
            + (
                f"the answer is {other['answer']}."
                if changed
                else f"the answer is still {answer['answer']}, by what the net has learned: {other['probability']:.2f}."
            ),
        }

    def _told(self, why: Sequence[Reason], removed: Sequence[tuple[int, int, int]]) -> str:
        """How many rules there are, and what was taken away: the beginning of a sentence."""
        every = {fact for reason in why for way in reason.ways for fact in way}
        more = f"{len(why)} rules lead to it, on {len(every)} facts. " if len(why) > SHOWN else ""
        often = {way[0] for reason in why if not reason.rule.body for way in reason.ways}
        first = "; ".join(" ".join(self.world.names(fact)) for fact in removed[:SHOWN])
        more += f"Without {len(removed)} of the facts" if len(removed) > 1 else "Without one fact"
        more += f" ({first}{'; ...' if len(removed) > SHOWN else ''})"
        if often and often <= set(removed):
            more += f", among them all {len(often)} by which the relation leads there,"
        return f"{more} "

    def _removed(self, row: Mapping[str, int], why: Sequence[Reason]) -> list[tuple[int, int, int]]:
        """The facts to take away: of an end as few as change the answer, else all that the rules stand on."""
        if self.question in ("relation", "true"):
            return sorted({fact for reason in why for way in reason.ways for fact in way})
        [head], [relation] = self._query({name: np.array([i]) for name, i in row.items()})
        return self.removal(int(head), int(relation)).facts

    def removal(self, head: int, relation: int) -> Removal:
        """Which facts change the answer to what the tail is, where they are taken away."""
        heads, relations = np.array([head]), np.array([relation])
        net, known = self.ends.from_net(heads, relations), self.world.knowledge.tails(head, relation)

        def scores(knowledge: Knowledge) -> Floats:
            [row] = self.ends.mixed(net, heads, relations, knowledge)
            if len(known) < len(row):
                row[known] = -np.inf
            return np.asarray(row)

        return take_away(self.ends.rules, self.world.knowledge, head, relation, scores)

    def _without(self, facts: Sequence[tuple[int, int, int]]) -> "Asked":
        """The same question to a world without these facts; answers that are known stay left out."""
        gone = np.array(facts, np.int64).reshape(-1, 3)
        world = Graph(self.world.entities, self.world.relations, self.world.knowledge.facts, self.world.trained)
        world.knowledge = self.world.knowledge.without(gone)
        ends = Ends(self.ends.net, world, self.ends.rules, self.ends.mix, self.ends.disjoint, self.ends.learned)
        other = Asked(ends, self.question, self.truth, self.top)
        other._known = self._known  # type: ignore[method-assign]
        return other


NO_RULE = "No rule leads to this answer: it is what the net has learned, and no single facts can be named."


def _log_odds(scores: Array, at: int) -> float:
    """The log-odds of one candidate against all others, whose scores (C,) may be -inf."""
    rest = np.delete(scores, at)
    rest = rest[np.isfinite(rest)].astype(np.float64)
    if not len(rest):
        return 0.0
    top = rest.max()
    return float(scores[at] - top - np.log(np.exp(rest - top).sum()))
