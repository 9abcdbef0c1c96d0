"""Losses that the tasks share.

`tied_cross_entropy` is the one that matters for speed: with 8,000 pieces and 3,000 tokens the scores are the largest
array of a training step, read and written by seven passes in the plain form. Here they are made, turned into their own
gradient and used up a few hundred rows at a time, so that they never leave the cache and are never kept.
"""

from typing import Any

import torch
from torch import Tensor

ROWS = 384  # rows at a time: 384 x 8,000 floats are 12 MB, within the last-level cache of ordinary machines
IGNORE = 0  # targets of this id (padding) count nothing


class _TiedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, table: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        vocabulary = table.shape[0]
        grad_hidden, grad_table = torch.empty_like(hidden), torch.zeros(table.shape, dtype=torch.float32)
        total = torch.zeros((), dtype=torch.float32)
        count = max(1, len(targets))
        for first in range(0, len(targets), ROWS):
            rows = slice(first, first + ROWS)
            scores = (hidden[rows] @ table.t()).float()  # (N, V)
            scores -= scores.amax(dim=1, keepdim=True)
            right = scores.gather(1, targets[rows, None])  # (N, 1)
            mean = scores.mean(dim=1, keepdim=True) if smoothing else right
            scores.exp_()
            mass = scores.sum(dim=1, keepdim=True)
            log_mass = mass.log()
            # With smoothing e the wanted distribution is 1 - e on the right token and e spread over all of them.
            total += ((1 - smoothing) * (log_mass - right) + smoothing * (log_mass - mean)).sum()
            # The gradient by the scores is softmax minus the wanted distribution.
            scores *= 1 / (mass * count)
            if smoothing:
                scores -= smoothing / vocabulary / count
            scores.scatter_add_(1, targets[rows, None], torch.full_like(right, -(1 - smoothing) / count))
            narrow = scores.to(hidden.dtype)
            grad_hidden[rows] = narrow @ table
            grad_table += narrow.t() @ hidden[rows]
        ctx.save_for_backward(grad_hidden, grad_table.to(table.dtype))
        return total / count

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        grad_hidden, grad_table = ctx.saved_tensors
        return grads[0] * grad_hidden, grads[0] * grad_table, None, None


def tied_cross_entropy(hidden: Tensor, table: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
    """Mean cross-entropy in nats of the softmax of `hidden @ table.T`, with label smoothing (Szegedy et al., 2016).

    hidden (..., D), table (V, D), targets (...) of ids; padding (id 0) counts nothing. Equal to
    `torch.nn.functional.cross_entropy(scores, targets, ignore_index=0, label_smoothing=smoothing)`.

    >>> hidden, table = torch.zeros(2, 3, 4), torch.zeros(10, 4)
    >>> round(tied_cross_entropy(hidden, table, torch.ones(2, 3, dtype=torch.long)).item(), 4)  # log 10
    2.3026
    """
    kept = (targets != IGNORE).flatten().nonzero()[:, 0]
    hidden = hidden.flatten(0, -2).index_select(0, kept)  # the padding's rows are not even multiplied
    loss: Tensor = _TiedCrossEntropy.apply(hidden, table, targets.flatten()[kept], smoothing)  # type: ignore[no-untyped-call]
    return loss
