"""ComplEx: facts as a product of complex vectors (Trouillon et al., 2016), each relation with its reciprocal.

A fact (head, relation, tail) scores `Re(sum_k h_k r_k conj(t_k))`. Complex numbers let a relation hold in one direction only,
which a product of real vectors cannot. Each relation has a second vector for the question asked the other way round, so that
"which head?" is "which tail?" of the reciprocal relation, and one graph answers both (Lacroix et al., 2018).
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

START = 0.1  # standard deviation of the first vectors
ALL = 8_000  # entities, up to which a step compares what is right with all of them
SAMPLED = 2_000  # of more, drawn anew for each step


class ComplEx(nn.Module):
    """entities: E; relations: R, without the reciprocals; rank: complex numbers of a vector, K; members: M.

    Several members are that many nets, each with a loss of its own, whose scores are averaged: an ensemble, which is one net again, since
    a mean of products is a product of the vectors end to end.

    >>> ComplEx(entities=5, relations=2, rank=4, members=3)(*torch.zeros(3, 2, dtype=torch.int64))["tails"].shape
    torch.Size([6, 5])
    """

    adagrad = (
        "entity_table",
        "relation_table",
    )  # of what few facts speak the vector settles late, of what many do soon

    def __init__(self, entities: int, relations: int, rank: int, dropout: float = 0.0, members: int = 1) -> None:
        super().__init__()
        self.relations, self.members = relations, members
        self.vocabulary = min(entities, 2 * relations)  # ids below it may stand at any input: export tries some
        self.entity_table = nn.Parameter(torch.randn(entities, 2 * rank * members) * START)
        self.relation_table = nn.Parameter(torch.randn(2 * relations, 2 * rank * members) * START)
        self.dropout = nn.Dropout(dropout)

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """One graph: the scores of all entities as the tail."""
        return {"tails": ({"head": ("int64", "batch"), "relation": ("int64", "batch")}, ("scores",))}

    def tails(self, head: Tensor, relation: Tensor) -> dict[str, Tensor]:
        """head, relation (B,): ids, from R on those of reciprocal relations -> scores (B, E)."""
        query = _product(F.embedding(head, self.entity_table), F.embedding(relation, self.relation_table))
        return {"scores": query @ self.entity_table.t() / self.members}

    def _apart(self, vectors: Tensor) -> list[Tensor]:
        """Vectors (N, 2 K M), the real parts of all members before the imaginary ones -> those of each member (N, 2 K)."""
        if self.members == 1:
            return [vectors]
        parts = vectors.chunk(2 * self.members, dim=1)
        return [torch.cat([parts[m], parts[m + self.members]], dim=1) for m in range(self.members)]

    def _scores(self, head: Tensor, relation: Tensor, among: Tensor | None = None) -> Tensor:
        """Vectors (B, 2 K M) -> scores as the tail by each member, of all entities (M B, E), or of some, ids (C,) -> (M B, C)."""
        table = self.entity_table if among is None else F.embedding(among, self.entity_table)
        pairs = zip(self._apart(_product(head, relation)), self._apart(table), strict=True)
        return torch.cat([self.dropout(query) @ own.t() for query, own in pairs])

    def forward(self, head: Tensor, relation: Tensor, tail: Tensor) -> dict[str, Tensor]:
        """Facts (B,) each -> scores as the tail and as the head (M B, C), where the right ones stand in them (M B,), and the N3 penalty of
        each (B,), in the mean of all members.

        C: all E entities, in their order; of very many, which would take minutes for each look at all facts, those of the batch and
        a sample, and each that is wrong then stands for E / C of them (sampled softmax; Jean et al., 2015).
        """
        entities, relations = self.entity_table, self.relation_table
        one, other = F.embedding(head, entities), F.embedding(tail, entities)
        forth, back = F.embedding(relation, relations), F.embedding(relation + self.relations, relations)
        penalty = (cubes(one) + cubes(other) + (cubes(forth) + cubes(back)) / 2) / self.members
        among, tail_at, head_at = None, tail, head
        if self.training and len(entities) > ALL:
            drawn = torch.randint(len(entities), (SAMPLED,), device=head.device)
            among = torch.unique(torch.cat([head, tail, drawn]))
            tail_at, head_at = torch.searchsorted(among, tail), torch.searchsorted(among, head)
        tails, heads = self._scores(one, forth, among), self._scores(other, back, among)
        tail_at, head_at = tail_at.repeat(self.members), head_at.repeat(self.members)
        if among is not None:
            less = math.log(len(entities) / len(among))
            right = F.one_hot(torch.stack([tail_at, head_at]), len(among)) * less
            tails, heads = tails - right[0], heads - right[1]
        return {"tails": tails, "heads": heads, "tail_at": tail_at, "head_at": head_at, "penalty": penalty}


def _product(head: Tensor, relation: Tensor) -> Tensor:
    """The products of complex vectors (B, 2 K) each, what is compared with the entities."""
    (a, b), (c, d) = head.chunk(2, dim=1), relation.chunk(2, dim=1)
    return torch.cat([a * c - b * d, a * d + b * c], dim=1)


def cubes(vectors: Tensor) -> Tensor:
    """The sum of the cubed absolute values of complex vectors (B, 2 K) -> (B,): the nuclear 3-norm's penalty, N3.

    >>> cubes(torch.tensor([[3.0, 4.0]])).tolist()  # |3 + 4i| = 5
    [125.0]
    """
    real, imaginary = vectors.chunk(2, dim=1)
    return (real.square() + imaginary.square()).clamp(min=1e-20).pow(1.5).sum(dim=1)
