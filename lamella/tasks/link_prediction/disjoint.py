"""What rules an answer out: relations that never join the same two entities, and relations that nothing has to itself.

Who is somebody's parent is not also their spouse: where one is known, the other is none. Such pairs of relations are read off
the facts, both ways round, as the axioms of disjointness that an ontology would state (Völker and Niepert, 2011, "Statistical
schema induction"). Rules say what follows from facts; this says what does not.
"""

import numpy as np
from numpy.typing import NDArray

from lamella.errors import ModelError
from lamella.tasks.link_prediction.knowledge import Ints, Knowledge

FEWEST = 10  # facts of a relation, from which on it tells something that two never meet
MOST = 2000  # relations, of which every pair has a bit


def learn(knowledge: Knowledge) -> bytes:
    """Which relations are disjoint, as bits: row r, column s where no pair is joined by both, the last column for r itself.

    A relation the other way round is one of its own, so that there are 2 R rows, of 2 R + 1 columns.
    """
    count = 2 * knowledge.relations
    if not 0 < knowledge.relations <= MOST or not len(knowledge.facts):
        return b""
    heads, relations, tails = knowledge.edges
    met = np.zeros((count, count + 1), bool)
    pairs = heads * knowledge.entities + tails
    order = np.argsort(pairs, kind="stable")
    starts = np.flatnonzero(np.diff(pairs[order], prepend=-1, append=-1))
    relation = relations[order]
    for at in np.flatnonzero(np.diff(starts) > 1).tolist():  # pairs of entities with several relations
        both = relation[starts[at] : starts[at + 1]]
        met[both[:, None], both] = True
    met[relations[heads == tails], count] = True
    met[np.arange(count), np.arange(count)] = True  # a relation is not disjoint with itself
    often = np.bincount(relations, minlength=count) >= FEWEST
    found = ~met & often[:, None]
    found[:, :count] &= often
    return np.packbits(found).tobytes()


def read(raw: bytes, relations: int) -> NDArray[np.bool_]:
    """The bits of `learn` as an array (2 R, 2 R + 1); ModelError where they are not of so many relations."""
    shape = 2 * relations, 2 * relations + 1
    if not raw:
        return np.zeros(shape, bool)
    size = shape[0] * shape[1]
    if len(raw) != -(-size // 8):
        raise ModelError("the model's disjoint relations are none of its relations. Do not use this model.")
    return np.unpackbits(np.frombuffer(raw, np.uint8), count=size).astype(bool).reshape(shape)


def ruled_out(
    disjoint: NDArray[np.bool_], knowledge: Knowledge, heads: Ints, relations: Ints, entities: int
) -> NDArray[np.float32]:
    """Heads and relations (B,) -> (B, entities): 1 where a candidate is ruled out by what is known of it and the head."""
    out = np.zeros((len(heads), entities), np.float32)
    for row, head, relation in zip(out, heads.tolist(), relations.tolist(), strict=True):
        others, tails = knowledge.around(head)
        row[tails[disjoint[relation, others]]] = 1
        row[head] = max(row[head], float(disjoint[relation, -1]))
    return out
