"""Facts as a graph in which paths are followed: what the rules of a model are mined from, and what they stand on.

    knowledge = Knowledge(facts, entities=3, relations=2)      facts (N, 3): head, relation, tail as ids
    knowledge.follow(np.array([0]), (1, 0))                    paths from entity 0 over relation 1, then relation 0

A relation followed backwards has an id of its own: `r + R`. All facts, both ways, are one sorted list of numbers, so that a
step from many entities at once is two binary searches.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lamella.errors import ModelError

Ints = NDArray[np.int64]
KEPT = 20_000  # paths along the beginning of a body, up to which they are kept for other bodies
MOST_PATHS = 400_000  # that are followed at once; a rule that has more is left out of an answer


@dataclass(frozen=True)
class Knowledge:
    """Facts (N, 3) with ids of head, relation and tail, below the counts `entities` and `relations`."""

    facts: Ints
    entities: int
    relations: int

    @cached_property
    def keys(self) -> Ints:
        """Each fact both ways as one number, sorted: relation, then head, then tail. (2 N,)"""
        h, r, t = self.facts.T
        both = [self.key(h, r, t), self.key(t, r + self.relations, h)]
        return np.unique(np.concatenate(both))

    @cached_property
    def edges(self) -> tuple[Ints, Ints, Ints]:
        """Facts both ways, sorted by head: head, relation, tail (2 N,)."""
        key, tail = np.divmod(self.keys, self.entities)
        relation, head = np.divmod(key, self.entities)
        order = np.argsort(head, kind="stable")
        return head[order], relation[order], tail[order]

    def key(self, head: Ints, relation: Ints | int, tail: Ints) -> Ints:
        return (np.asarray(relation, np.int64) * self.entities + head) * self.entities + tail

    def holds(self, head: Ints, relation: Ints | int, tail: Ints) -> NDArray[np.bool_]:
        """Whether these are facts, (N,)."""
        wanted = self.key(head, relation, tail)
        at = np.searchsorted(self.keys, wanted)
        at = np.minimum(at, max(0, len(self.keys) - 1))
        return self.keys[at] == wanted if len(self.keys) else np.zeros(len(wanted), bool)

    def step(self, heads: Ints, relation: int) -> tuple[Ints, Ints]:
        """From each of these heads (P,) along a relation: the place of the head in them and the tail, (Q,) each."""
        first = (relation * self.entities + heads) * self.entities
        low, high = self.keys.searchsorted(first), self.keys.searchsorted(first + self.entities)
        if len(heads) == 1:  # most often a question begins at one entity, and has few facts
            tails = self.keys[low[0] : high[0]] - first[0]
            return np.zeros(len(tails), np.int64), tails
        origin, at = spread(low, high)
        return origin, self.keys[at] - first[origin]

    def around(self, head: int) -> tuple[Ints, Ints]:
        """The facts that begin or end at an entity: relation and tail, (Q,) each, as they lead away from it."""
        first = (np.arange(2 * self.relations) * self.entities + head) * self.entities
        low, high = np.searchsorted(self.keys, first), np.searchsorted(self.keys, first + self.entities)
        relation, at = spread(low, high)
        return relation, self.keys[at] - first[relation]

    def tails(self, head: int, relation: int) -> Ints:
        """The tails that are known of a head and a relation."""
        return self.step(np.array([head]), relation)[1]

    def ends(self, relation: int) -> Ints:
        """The tails of all facts of a relation, or of a reciprocal one: of each fact one."""
        low, high = self._span(relation)
        return self.keys[low:high] % self.entities

    def count(self, relation: int) -> int:
        """How many facts a relation has."""
        low, high = self._span(relation)
        return high - low

    def _span(self, relation: int) -> tuple[int, int]:
        """Where the facts of a relation, or of a reciprocal one, stand among the keys."""
        low, high = self.keys.searchsorted(np.array([relation, relation + 1]) * self.entities**2).tolist()
        return low, high

    def follow(self, starts: Ints, body: tuple[int, ...], most: int = MOST_PATHS) -> tuple[Ints, Ints] | None:
        """All paths from these starts (S,) along the relations of a body of length L, that visit no entity twice.

        Returns the place of each path's start (P,) and its entities (P, L + 1); None where there are more than `most`.
        """
        paths = Paths(self, starts, most).along(body)
        return None if paths is None else (paths[0], np.stack(paths[1], axis=1))

    def reverse(self, body: tuple[int, ...]) -> tuple[int, ...]:
        """The body that leads from the end of a path to its start.

        >>> Knowledge(np.zeros((0, 3), np.int64), entities=1, relations=10).reverse((3, 14))
        (4, 13)
        """
        return tuple((r + self.relations) % (2 * self.relations) for r in reversed(body))

    def with_facts(self, facts: Ints, entities: int) -> "Knowledge":
        """The same with more facts (M, 3), which may speak of more entities."""
        return Knowledge(np.unique(np.concatenate([self.facts, facts]), axis=0), entities, self.relations)

    def without(self, facts: Ints) -> "Knowledge":
        """The same without these facts (M, 3)."""
        gone, turned = facts.T, facts[:, ::-1].T
        own = self.key(*self.facts.T)
        less = Knowledge(self.facts[~np.isin(own, self.key(*gone))], self.entities, self.relations)
        # Taken out of the sorted keys: sorting all of them anew for each fact that is tried would take most of the time.
        both = np.concatenate([self.key(*gone), self.key(turned[0], turned[1] + self.relations, turned[2])])
        at = np.searchsorted(self.keys, both)
        inside = at < len(self.keys)
        at = at[inside][self.keys[at[inside]] == both[inside]]
        vars(less)["keys"] = np.delete(self.keys, at)
        return less


class Paths:
    """Paths from the same starts (S,) along several bodies, of which many begin alike: what they share is followed once."""

    def __init__(self, knowledge: Knowledge, starts: Ints, most: int = MOST_PATHS) -> None:
        self.knowledge, self.most = knowledge, most
        self.kept: dict[tuple[int, ...], tuple[Ints, list[Ints]] | None] = {(): (np.arange(len(starts)), [starts])}

    def along(self, body: tuple[int, ...]) -> tuple[Ints, list[Ints]] | None:
        """As `Knowledge.follow`, the entities as a column (P,) for each place of a path."""
        if body in self.kept:
            return self.kept[body]
        before = self.along(body[:-1])
        found = before and self._further(*before, body[-1])
        if found is None or len(found[0]) <= KEPT:  # of longer ones memory would hold too many
            self.kept[body] = found
        return found

    def _further(self, origin: Ints, nodes: list[Ints], relation: int) -> tuple[Ints, list[Ints]] | None:
        """One step along a relation."""
        if not len(origin):
            return origin, [*nodes, origin]
        kept, ends = self.knowledge.step(nodes[-1], relation)
        if len(ends) > self.most:
            return None
        if not len(ends):
            return ends, [ends] * (len(nodes) + 1)
        columns = [column[kept] for column in nodes]
        fresh = ends != columns[0]
        for column in columns[1:]:
            fresh &= column != ends
        if fresh.all():
            return origin[kept], [*columns, ends]
        return origin[kept[fresh]], [*(column[fresh] for column in columns), ends[fresh]]


def spread(low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """Ranges [low, high) (P,) -> the place of the range and each number in it, (Q,) both.

    >>> [a.tolist() for a in spread(np.array([5, 0]), np.array([7, 1]))]
    [[0, 0, 1], [5, 6, 0]]
    """
    counts = high - low
    origin = np.repeat(np.arange(len(low)), counts)
    first = np.cumsum(counts) - counts
    return origin, np.arange(len(origin)) - first[origin] + low[origin]


def pack_facts(facts: Ints) -> bytes:
    """Facts (N, 3) as bytes: four of each id."""
    return facts.astype("<i4").tobytes()


def unpack_facts(raw: bytes, entities: int, relations: int) -> Ints:
    """Facts (N, 3) of so many entities and relations; ModelError for others."""
    facts = np.frombuffer(raw[: len(raw) // 12 * 12], "<i4").reshape(-1, 3).astype(np.int64)
    if (
        len(raw) % 12
        or len(facts)
        and (facts.min() < 0 or (facts.max(axis=0) >= [entities, relations, entities]).any())
    ):
        raise ModelError("the model's facts are none of its entities. Do not use this model.")
    return facts
