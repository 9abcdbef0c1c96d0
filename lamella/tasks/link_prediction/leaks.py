"""Relations that say the same as another, or the same the other way round: facts held out of one are told by the other.

FB15k and WN18 were hard to learn from for one reason only (Toutanova and Chen, 2015): most of their test facts stood in the
training data with another relation. Such data make every model look good.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from lamella.data.readers.triples import Fact
from lamella.tasks.link_prediction.knowledge import Ints, Knowledge

ALIKE = 0.8  # share of the pairs of two relations that both have (Jaccard)
FEWEST = 10  # facts of a relation that is looked at
MOST = 10  # warnings
WORTH = 0.05  # share of facts that are told by others which is worth a note


def warnings(facts: Sequence[Fact]) -> list[str]:
    """A line for each pair of relations of which one tells the other.

    >>> warnings([(f"a{n}", r, f"b{n}") for n in range(10) for r in ("likes", "loves")])
    ['"likes" and "loves" say nearly the same (100% of their pairs): facts held out of one are told by the other']
    """
    pairs: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for h, r, t in facts:
        pairs[r].add((h, t))
    names = sorted(r for r, both in pairs.items() if len(both) >= FEWEST)
    # Only relations that share pairs can be alike: their common pairs are counted, not all relations compared.
    owners: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for name in names:
        for pair in pairs[name]:
            owners[pair].append(name)
    same, turned = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for (h, t), there in owners.items():
        same.update((a, b) for a in there for b in there if a < b)
        turned.update((a, b) for a in there for b in owners.get((t, h), ()) if a <= b)
    found = []
    for counts, how in ((same, "say nearly the same"), (turned, "are inverses of each other")):
        for (a, b), common in counts.items():
            share = common / (len(pairs[a]) + len(pairs[b]) - common)
            if share <= ALIKE:
                continue
            line = f'"{a}" and "{b}" {how} ({share:.0%} of their pairs): facts held out of one are told by the other'
            if a == b:
                line = f'"{a}" holds in both directions ({share:.0%} of its pairs): a fact held out is told by the other direction'
            found.append((-share, line))
    lines = [line for _, line in sorted(found)]
    return lines[:MOST] + ([f"and {len(lines) - MOST} more pairs of relations"] if len(lines) > MOST else [])


def told(facts: Ints, known: Knowledge) -> float:
    """The share of facts (N, 3) whose two ends are known to be related already, by a relation that is alike or an inverse."""
    if not len(facts):
        return 0.0
    alike = _alike(known)
    hits = np.zeros(len(facts), bool)
    for n, (h, r, t) in enumerate(facts.tolist()):
        hits[n] = any(t in known.tails(h, other) for other in alike[r])
    return float(hits.mean())


def _alike(known: Knowledge) -> dict[int, list[int]]:
    """For each relation those, backwards ones among them, that have nearly the same pairs."""
    count = known.relations
    pairs = [known.keys[slice(*np.searchsorted(known.keys, [r * known.entities**2, (r + 1) * known.entities**2]))] % known.entities**2
             for r in range(2 * count)]  # fmt: skip
    found: dict[int, list[int]] = {}
    for r in range(count):
        found[r] = []
        for other in range(2 * count):
            small, large = sorted((len(pairs[r]), len(pairs[other])))
            if other != r and small >= FEWEST and small > ALIKE * large:
                common = len(np.intersect1d(pairs[r], pairs[other], assume_unique=True))
                if common > ALIKE * (small + large - common):
                    found[r].append(other)
    return found
