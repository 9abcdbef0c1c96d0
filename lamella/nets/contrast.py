"""Contrastive losses of nets that embed each example as a vector: InfoNCE, CoSENT for graded pairs, sigmoid of SigLIP."""

import torch
from torch import Tensor
from torch.nn import functional as F

from lamella.nets.layers import MASKED


def info_nce(
    one: Tensor, other: Tensor, keys: tuple[Tensor, Tensor], positive: Tensor, temperature: float = 0.05
) -> Tensor:
    """InfoNCE (van den Oord et al., 2018): find each vector's partner among all of the batch, in both directions.

    one, other (B, D): unit vectors, row by row a pair. keys: two (B,) ids of the texts on either side; equal ids are the
    same text, which is never a negative of itself or of its partners. positive (B,): which rows are true pairs; the
    vectors of other rows serve as negatives only. The loss is 0 if no row is a pair.

    >>> one = F.normalize(torch.eye(3), dim=1)
    >>> keys = torch.arange(3), torch.arange(3, 6)
    >>> bool(info_nce(one, one, keys, torch.tensor([True, True, True])) < 1e-6)
    True
    """
    if not positive.any():
        return one.sum() * 0  # not a plain 0: the caller goes on to ask for its gradient
    left, right = keys
    alike = (left[:, None] == left) | (right[:, None] == right) | (left[:, None] == right)  # (B, B)
    alike = alike & ~torch.eye(len(one), dtype=torch.bool, device=one.device)
    scores = (one @ other.t()).float() / temperature  # (B, B)
    scores = scores.masked_fill(alike, MASKED)
    target = torch.arange(len(one), device=one.device)[positive]
    forth, back = F.cross_entropy(scores[positive], target), F.cross_entropy(scores.t()[positive], target)
    return (forth + back) / 2


def cosent(cosines: Tensor, grades: Tensor, scale: float = 20.0) -> Tensor:
    """CoSENT (Su, 2022): a ranking loss, smallest when pairs with a higher grade have a higher cosine similarity.

    cosines, grades (B,) -> log(1 + sum of exp(scale (c_j - c_i)) over all i, j where i has the higher grade).

    >>> low, high = torch.tensor([0.1, 0.9]), torch.tensor([0.9, 0.1])
    >>> bool(cosent(low, torch.tensor([1.0, 5.0])) < 1e-3 < cosent(high, torch.tensor([1.0, 5.0])))
    True
    """
    gaps = scale * (cosines[None, :] - cosines[:, None])  # (B, B): row i above column j is wanted
    # Pairs of pairs without an order between them are masked; the 0 that is appended is the 1 inside the logarithm.
    wrong = gaps.masked_fill(grades[:, None] <= grades[None, :], MASKED)
    return torch.logsumexp(torch.cat([wrong.flatten(), wrong.new_zeros(1)]), dim=0)


def sigmoid_pairs(one: Tensor, other: Tensor, alike: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """The sigmoid loss of SigLIP (Zhai et al., 2023): whether each pair of the batch belongs together, by itself.

    one, other (B, D): unit vectors; alike (B, B): which pairs belong together; scale, bias: learned, the logit of a pair
    is exp(scale) cosine + bias. Unlike InfoNCE it needs no large batch, and a row may have several partners.

    >>> one = torch.eye(3)
    >>> right, wrong = torch.eye(3, dtype=torch.bool), torch.eye(3, dtype=torch.bool).roll(1, 0)
    >>> losses = [sigmoid_pairs(one, one, a, torch.tensor(3.0), torch.tensor(-10.0)) for a in (right, wrong)]
    >>> bool(losses[0] < 1e-3 < losses[1])
    True
    """
    logits = (one @ other.t()).float() * scale.float().exp() + bias.float()  # (B, B)
    signs = torch.where(alike, 1.0, -1.0)
    return -F.logsigmoid(signs * logits).sum() / len(one)
