"""Losses of nets that give a vector a thing: what belongs together shall lie together, and in the right order."""

import torch
from torch import Tensor
from torch.nn import functional as F

from lamella.nets.layers import HIDDEN


def info_nce(
    one: Tensor, other: Tensor, keys: tuple[Tensor, Tensor], positive: Tensor, temperature: float = 0.05
) -> Tensor:
    """InfoNCE (van den Oord et al., 2018): tell each one's partner from all others of the batch, in both directions.

    one, other (B, D): unit vectors of pairs; keys: (B,) numbers of what stands on either side: where two are the same
    thing, or one thing has two partners, none is a negative of the other. positive (B,): which rows are pairs that belong
    together; the vectors of other rows are negatives only. 0 where there is no pair.

    >>> one = F.normalize(torch.eye(3), dim=1)
    >>> keys = torch.arange(3), torch.arange(3, 6)
    >>> bool(info_nce(one, one, keys, torch.tensor([True, True, True])) < 1e-6)
    True
    """
    if not positive.any():
        return one.sum() * 0
    left, right = keys
    alike = (left[:, None] == left) | (right[:, None] == right) | (left[:, None] == right)  # (B, B)
    alike = alike & ~torch.eye(len(one), dtype=torch.bool, device=one.device)
    scores = (one @ other.t()).float() / temperature  # (B, B)
    scores = scores.masked_fill(alike, HIDDEN)
    target = torch.arange(len(one), device=one.device)[positive]
    forth, back = F.cross_entropy(scores[positive], target), F.cross_entropy(scores.t()[positive], target)
    return (forth + back) / 2


def cosent(cosines: Tensor, grades: Tensor, scale: float = 20.0) -> Tensor:
    """CoSENT (Su, 2022): a pair with a higher grade shall have a higher cosine than one with a lower grade.

    cosines, grades (B,) -> log(1 + sum of exp(scale (c_j - c_i)) over all i, j where i has the higher grade).

    >>> low, high = torch.tensor([0.1, 0.9]), torch.tensor([0.9, 0.1])
    >>> bool(cosent(low, torch.tensor([1.0, 5.0])) < 1e-3 < cosent(high, torch.tensor([1.0, 5.0])))
    True
    """
    gaps = scale * (cosines[None, :] - cosines[:, None])  # (B, B): row i above column j is wanted
    wrong = gaps.masked_fill(grades[:, None] <= grades[None, :], HIDDEN)
    return torch.logsumexp(torch.cat([wrong.flatten(), wrong.new_zeros(1)]), dim=0)
