"""Rules mined from facts: "a grandparent of Y is a parent of a parent of Y", with how often that holds.

    mined = mine(knowledge, most=100, length=3, fewest=2)
    mined[0]        Rule(relation=2, body=(0, 0), support=31, predicted=34), which says 2(X, Y) <- 0(X, A), 0(A, Y)

A rule's body is a path of one to three facts, or five in sparse graphs (`longer`); it visits no entity twice. Bodies come from paths that lead from the head to the
tail of known facts; support and confidence are then counted from both ends of many such paths (Galarraga et al., 2013, AMIE;
Meilicke et al., 2019, AnyBURL, whose confidence with a constant in the divisor this is).
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from lamella.errors import ModelError
from lamella.tasks.link_prediction.knowledge import Ints, Knowledge, spread
from lamella.tasks.link_prediction.longer import LONG, SHORT, Walks

SAMPLED = 200  # facts of a relation whose heads and tails paths are looked for between
EDGES = 24  # of an entity, by which paths go on
STARTS = 100  # entities from which a rule is counted
PATHS = 4_000  # that are counted of one rule
RELATIONS = 50  # with fewer, each is looked at more closely in the same time
CLOSER = 9.0  # times as closely at most
DOUBT = 5  # predictions added that failed: a rule seen twice is not as sure as one seen often
FEW = 20  # facts of a relation; where there are more, a body must be seen twice
LONGEST = LONG
BROKEN = "the model's rules are none of its relations. Do not use this model."
LEAST = 0.01  # confidence of a rule that is kept


class Rule(msgspec.Struct, frozen=True):
    """relation(X, Y) <- body: a path from X to Y."""

    relation: int
    body: tuple[int, ...]
    support: int  # predictions that are facts
    predicted: int

    @property
    def confidence(self) -> float:
        """How likely what the rule predicts is a fact."""
        return self.support / (self.predicted + DOUBT)


def mine(knowledge: Knowledge, most: int, length: int, fewest: int) -> list[Rule]:
    """The rules of each relation, at most `most` of up to three facts and as many longer ones, those with the highest confidence first.

    length: most facts of a body; fewest: predictions that must be facts.
    """
    rng = np.random.default_rng(0)
    rules: list[Rule] = []
    closer = min(CLOSER, max(1.0, RELATIONS / max(1, knowledge.relations)))
    sampled = round(SAMPLED * closer)
    walks = Walks(knowledge) if most and length > SHORT else None
    for relation in range(knowledge.relations if most else 0):
        facts = knowledge.facts[knowledge.facts[:, 1] == relation]
        if len(facts) > sampled:
            facts = facts[rng.permutation(len(facts))[:sampled]]
        bodies = _bodies(knowledge, facts, length, rng)
        if walks:
            bodies += walks.bodies(facts, length)
        often = [body for body, count in bodies if count > 1 or len(facts) < FEW]
        # The commonest of each length: there are far more long ones than short ones.
        tried = [b for n in range(1, length + 1) for b in [body for body in often if len(body) == n][:most]]
        counted = [_count(knowledge, relation, body, rng, closer) for body in tried]
        kept = [rule for rule in counted if rule.support >= fewest and rule.confidence >= LEAST]
        kept.sort(key=lambda rule: (-rule.confidence, len(rule.body), rule.body))
        for longer in (False, True):
            rules += [rule for rule in kept if (len(rule.body) > SHORT) == longer][:most]
    return rules


def _bodies(
    knowledge: Knowledge, facts: Ints, length: int, rng: "np.random.Generator"
) -> list[tuple[tuple[int, ...], int]]:
    """Bodies that lead from head to tail of these facts (N, 3) of one relation, and of how many; the commonest first."""
    heads, relations, tails = knowledge.edges
    pairs, paired = _pairs(knowledge)
    R, E = knowledge.relations, knowledge.entities
    base = 2 * R + 1  # a body is a number with a digit for each relation, counted from 1
    codes = []
    for h, r, t in facts.tolist():
        out = _some(heads, h, rng)
        back = _some(heads, t, rng)
        first, a = relations[out] + 1, tails[out]
        last, b = (relations[back] + R) % (2 * R) + 1, tails[back]
        same = np.concatenate([first[a == t], last[b == h]])
        found = [same[same != r + 1]]
        if length > 1:
            i, j = np.nonzero((a[:, None] == b) & (a[:, None] != h) & (a[:, None] != t))
            found.append(first[i] * base + last[j])
        if length > 2:
            i, j = np.nonzero((a[:, None] != b) & (a[:, None] != h) & (a[:, None] != t) & (b != h) & (b != t))
            wanted = a[i] * E + b[j]
            at, middle = spread(np.searchsorted(pairs, wanted), np.searchsorted(pairs, wanted, side="right"))
            found.append((first[i[at]] * base + paired[middle] + 1) * base + last[j[at]])
        codes.append(np.unique(np.concatenate(found)))
    bodies, counts = np.unique(np.concatenate(codes), return_counts=True) if codes else (np.zeros(0, np.int64),) * 2
    order = np.argsort(-counts, kind="stable")
    return [
        (_digits(code, base), count) for code, count in zip(bodies[order].tolist(), counts[order].tolist(), strict=True)
    ]


def _digits(code: int, base: int) -> tuple[int, ...]:
    """A number -> its digits less one.

    >>> _digits(213, 10)
    (1, 0, 2)
    """
    body = []
    while code:
        code, digit = divmod(code, base)
        body.append(digit - 1)
    return tuple(reversed(body))


def _pairs(knowledge: Knowledge) -> tuple[Ints, Ints]:
    """Each fact both ways: head and tail as one number, sorted, and the relation."""
    heads, relations, tails = knowledge.edges
    pairs = heads * knowledge.entities + tails
    order = np.argsort(pairs, kind="stable")
    return pairs[order], relations[order]


def _some(heads: Ints, head: int, rng: "np.random.Generator") -> Ints:
    """The places of at most EDGES facts that begin at an entity, in the sorted heads of all."""
    low, high = int(np.searchsorted(heads, head)), int(np.searchsorted(heads, head + 1))
    if high - low <= EDGES:
        return np.arange(low, high)
    return low + rng.choice(high - low, EDGES, replace=False)


def _count(
    knowledge: Knowledge, relation: int, body: tuple[int, ...], rng: "np.random.Generator", closer: float
) -> Rule:
    """A body -> the rule with its support and predictions, counted from some of the entities at which it begins."""
    most = round(STARTS * closer)
    first = body[0] * knowledge.entities
    low, high = np.searchsorted(
        knowledge.keys, [first * knowledge.entities, (first + knowledge.entities) * knowledge.entities]
    )
    starts = np.unique(knowledge.keys[low:high] // knowledge.entities) - first
    if len(starts) > most:
        starts = starts[rng.permutation(len(starts))[:most]]
    paths = None
    while len(starts) and (paths := knowledge.follow(starts, body, round(PATHS * closer))) is None:
        starts = starts[: len(starts) // 4]
    if paths is None:
        return Rule(relation, body, 0, 0)
    ends = np.unique(np.stack([starts[paths[0]], paths[1][:, -1]], axis=1), axis=0)
    right = int(knowledge.holds(ends[:, 0], relation, ends[:, 1]).sum())
    return Rule(relation, body, right, len(ends))


def pack(rules: Sequence[Rule]) -> bytes:
    """Rules as bytes: numbers of four bytes each, first -LONGEST, then of each rule LONGEST + 3, -1 where its body is shorter."""
    rows = [[r.relation, *r.body, *[-1] * (LONGEST - len(r.body)), r.support, r.predicted] for r in rules]
    return np.array([-LONGEST, *(number for row in rows for number in row)] if rows else [], "<i4").tobytes()


def unpack(raw: bytes, relations: int) -> list[Rule]:
    """The rules of `pack`; ModelError where they are not of so many relations.

    Models of before have rules of at most SHORT facts and no number before them.
    """
    if len(raw) % 4:
        raise ModelError(BROKEN)
    numbers = np.frombuffer(raw, "<i4")
    longest = SHORT
    if len(numbers) and numbers[0] < 0:
        longest, numbers = -int(numbers[0]), numbers[1:]
    if not SHORT <= longest <= LONGEST or len(numbers) % (longest + 3):
        raise ModelError(BROKEN)
    rows = numbers.reshape(-1, longest + 3)
    rules = []
    for relation, *body, support, predicted in rows.tolist():
        path = tuple(r for r in body if r >= 0)
        if not (0 <= relation < relations and path and max(path) < 2 * relations and 0 <= support <= predicted):
            raise ModelError(BROKEN)
        rules.append(Rule(relation, path, support, predicted))
    return rules
