"""ComplEx: facts as a product of complex vectors (Trouillon et al., 2016), each relation with its reciprocal.

A fact (head, relation, tail) scores `Re(sum_k h_k r_k conj(t_k))`. Complex numbers let a relation hold in one direction only,
which a product of real vectors cannot. Each relation has a second vector for the question asked the other way round, so that
"which head?" is "which tail?" of the reciprocal relation, and one graph answers both (Lacroix et al., 2018).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

START = 0.1  # standard deviation of the first vectors


class ComplEx(nn.Module):
    """entities: E; relations: R, without the reciprocals; rank: complex numbers of a vector, K."""

    def __init__(self, entities: int, relations: int, rank: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.relations = relations
        self.entity_table = nn.Parameter(torch.randn(entities, 2 * rank) * START)
        self.relation_table = nn.Parameter(torch.randn(2 * relations, 2 * rank) * START)
        self.dropout = nn.Dropout(dropout)

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """One graph: the scores of all entities as the tail."""
        return {"tails": ({"head": ("int64", "batch"), "relation": ("int64", "batch")}, ("scores",))}

    def tails(self, head: Tensor, relation: Tensor) -> dict[str, Tensor]:
        """head, relation (B,): ids, from R on those of reciprocal relations -> scores (B, E)."""
        return {
            "scores": self._scores(F.embedding(head, self.entity_table), F.embedding(relation, self.relation_table))
        }

    def _scores(self, head: Tensor, relation: Tensor) -> Tensor:
        """Vectors (B, 2 K) -> scores of all entities as the tail (B, E)."""
        (a, b), (c, d) = head.chunk(2, dim=1), relation.chunk(2, dim=1)
        query = torch.cat([a * c - b * d, a * d + b * c], dim=1)  # the complex product, (B, 2 K)
        return self.dropout(query) @ self.entity_table.t()

    def forward(self, head: Tensor, relation: Tensor, tail: Tensor) -> dict[str, Tensor]:
        """Facts (B,) each -> scores of all entities as the tail and as the head (B, E), and the N3 penalty of each (B,)."""
        entities, relations = self.entity_table, self.relation_table
        one, other = F.embedding(head, entities), F.embedding(tail, entities)
        forth, back = F.embedding(relation, relations), F.embedding(relation + self.relations, relations)
        penalty = cubes(one) + cubes(other) + (cubes(forth) + cubes(back)) / 2
        return {"tails": self._scores(one, forth), "heads": self._scores(other, back), "penalty": penalty}


def cubes(vectors: Tensor) -> Tensor:
    """The sum of the cubed absolute values of complex vectors (B, 2 K) -> (B,): the nuclear 3-norm's penalty, N3.

    >>> cubes(torch.tensor([[3.0, 4.0]])).tolist()  # |3 + 4i| = 5
    [125.0]
    """
    real, imaginary = vectors.chunk(2, dim=1)
    return (real.square() + imaginary.square()).clamp(min=1e-20).pow(1.5).sum(dim=1)
