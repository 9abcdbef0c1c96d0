"""Bodies of four and five facts, for rules of graphs whose entities have few facts.

From both ends of a known fact a few thousand walks are made, and joined where they meet: half a body's length from each end,
so that what is looked at grows with the root of the number of paths.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from lamella.tasks.link_prediction.knowledge import Ints, Knowledge, spread

SHORT = 3  # facts of a body up to which all paths between two entities are looked at
SPARSE = 8.0  # facts of an entity, in the mean, below which short paths lead nowhere
MANY = 8_000  # entities; in a small graph long paths join everything with everything
LONG = 5
FACTS = 3300  # of all relations together, between whose ends is walked
OF_ONE = (20, 300)  # fewest and most of these of one relation
EDGES = 24  # of an entity, by which walks go on
WALKS = 4_000  # from one end


def usual_length(knowledge: Knowledge) -> int:
    """The length of rules where the user names none: longer where entities have few facts."""
    sparse = 2 * len(knowledge.facts) < SPARSE * knowledge.entities
    return LONG if sparse and knowledge.entities > MANY else SHORT


class Walks:
    """Walks over facts both ways; of an entity with many, over some at random."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.rng = np.random.default_rng(1)
        self.relations = knowledge.relations
        # Shuffled and then sorted by head: the first of an entity are some at random, not those of one relation.
        shuffled = self.rng.permutation(len(knowledge.edges[0]))
        order = shuffled[np.argsort(knowledge.edges[0][shuffled], kind="stable")]
        self.heads, self.by, self.tails = (column[order] for column in knowledge.edges)

    def bodies(self, facts: Ints, length: int) -> list[tuple[tuple[int, ...], int]]:
        """Bodies of four facts up to `length` from head to tail of some of these facts (N, 3) of one relation, the commonest first.

        With each stands between the ends of how many facts it was found.
        """
        fewest, most = OF_ONE
        some = self.rng.permutation(len(facts))[: max(fewest, min(most, FACTS // self.relations))]
        counts = Counter[tuple[int, ...]]()
        for head, _, tail in facts[some].tolist():
            forth, back = self.walks(head, tail, (length + 1) // 2), self.walks(tail, head, length // 2)
            for n in range(SHORT + 1, length + 1):
                counts.update(self._joined(forth[(n + 1) // 2 - 1], back[n // 2 - 1]))
        return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))

    def walks(self, start: int, never: int, steps: int) -> list[tuple[Ints, Ints]]:
        """Walks of 1 to `steps` facts that visit no entity twice, and one never: entities (P, n + 1) and relations (P, n)."""
        nodes, by = np.array([[start]]), np.zeros((1, 0), np.int64)
        found = []
        for _ in range(steps):
            low, high = (np.searchsorted(self.heads, nodes[:, -1], side=side) for side in ("left", "right"))
            first = low + (self.rng.random(len(low)) * np.maximum(1, high - low - EDGES + 1)).astype(np.int64)
            origin, at = spread(first, np.minimum(first + EDGES, high))
            tails = self.tails[at]
            fresh = np.flatnonzero((nodes[origin] != tails[:, None]).all(axis=1) & (tails != never))
            if len(fresh) > WALKS:
                fresh = self.rng.choice(fresh, WALKS, replace=False)
            nodes = np.concatenate([nodes[origin[fresh]], tails[fresh, None]], axis=1)
            by = np.concatenate([by[origin[fresh]], self.by[at[fresh], None]], axis=1)
            found.append((nodes, by))
        return found

    def _joined(self, forth: tuple[Ints, Ints], back: tuple[Ints, Ints]) -> Sequence[tuple[int, ...]]:
        """The bodies of walks from both ends that meet at their last entities and nowhere else."""
        (nodes, by), (others, back_by) = forth, back
        order = np.argsort(others[:, -1], kind="stable")
        meeting = others[order, -1]
        low, high = (np.searchsorted(meeting, nodes[:, -1], side=side) for side in ("left", "right"))
        one, at = spread(low, high)
        two = order[at]
        apart = np.ones(len(one), bool)
        for column in range(others.shape[1] - 1):
            apart &= (nodes[one] != others[two, column, None]).all(axis=1)
        one, two = one[apart], two[apart]
        turned = (back_by[two, ::-1] + self.relations) % (2 * self.relations)
        bodies = np.unique(np.concatenate([by[one], turned], axis=1), axis=0)
        return [tuple(body) for body in bodies.tolist()]
