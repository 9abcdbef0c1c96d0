"""The cross-entropy of a large vocabulary, computed in blocks.

With a vocabulary of 8,000 and a batch of 3,000 tokens the scores (logits) are the largest array of a training step, and
the plain form reads and writes them seven times. Here a few hundred rows at a time are computed, turned into their
gradient and added to the result, so that they never leave the cache and are never stored.
"""

from typing import Any

import torch
from torch import Tensor

ROWS = (
    384  # in one block: 384 x 16,000 numbers of two bytes are 12 MB, within the last-level cache of ordinary machines
)
ROWS_ELSEWHERE = 16_384  # in one block on an accelerator, which is slow at small products and has no such cache
EVEN = 32  # rows of a block are filled up to a multiple: the engine makes and keeps kernels of each new number of rows
TINY = 1e-37  # a probability below this is as good as rounded to zero
IGNORE = 0  # padding: targets with this id add nothing to the loss


class _TiedCrossEntropy(torch.autograd.Function):
    """The gradient by the scores is the softmax minus the target distribution: 1 - e on the target, e spread over all.

    Only the softmax needs the whole array of scores. The target distribution's part is linear, so it is added afterwards
    to arrays of the size of the input: the table's row of the target token, and the mean of the table for the rest.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, table: Tensor, targets: Tensor, smoothing: float, bias: Tensor | None
    ) -> Tensor:
        count = max(1, len(targets))
        grad_hidden, grad_table = torch.empty_like(hidden), torch.zeros_like(table, dtype=torch.float32)
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        grad_bias = None if bias is None else torch.zeros_like(bias, dtype=torch.float32)
        mean_row = table.float().mean(dim=0)  # (D,)
        size = ROWS if hidden.device.type == "cpu" else ROWS_ELSEWHERE
        for first in range(0, len(targets), size):
            rows = slice(first, first + size)
            target = targets[rows, None]
            part, n = _even(hidden[rows]), len(target)
            scores = part @ table.t()  # (N, V) and rows of zeros, in the type of the net
            if bias is not None:
                scores += bias
            filled = torch.softmax(scores, dim=1)  # one pass; sums are float32 inside whatever the type
            scores, softmax = scores[:n], filled[:n]
            right = scores.gather(1, target).float()  # (N, 1)
            likely = softmax.gather(1, target).float()
            log_mass = right - likely.clamp(min=TINY).log()
            vanished = (likely <= TINY).flatten()
            if vanished.any():  # rounded to zero, which has no logarithm: these few rows are computed again
                log_mass[vanished] = torch.logsumexp(scores[vanished].float(), dim=1, keepdim=True)
            wanted = right
            if smoothing:
                mean_score = (part[:n].float() @ mean_row)[:, None] + (0 if bias is None else bias.float().mean())
                wanted = (1 - smoothing) * right + smoothing * mean_score
            total += (log_mass - wanted).sum()
            # The gradients are made now, while softmax is in the cache: backward() has nothing left to do but scale them.
            grad_hidden[rows] = (filled @ table)[:n]
            grad_table += filled.t() @ part  # rows of zeros add nothing
            if grad_bias is not None:
                grad_bias += softmax.float().sum(dim=0)
        grad_hidden -= (1 - smoothing) * table.index_select(0, targets) + (smoothing * mean_row).to(table.dtype)
        grad_hidden *= 1 / count
        grad_table.index_add_(0, targets, hidden.float(), alpha=-(1 - smoothing))
        grad_table -= smoothing / len(table) * hidden.float().sum(dim=0)
        if bias is not None and grad_bias is not None:
            grad_bias.index_add_(0, targets, torch.ones_like(targets, dtype=torch.float32), alpha=-(1 - smoothing))
            grad_bias = ((grad_bias - smoothing * count / len(table)) / count).to(bias.dtype)
        ctx.save_for_backward(grad_hidden, grad_table.mul_(1 / count).to(table.dtype), grad_bias)
        return total / count

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        grad_hidden, grad_table, grad_bias = ctx.saved_tensors
        by_bias = None if grad_bias is None else grads[0] * grad_bias
        return grads[0] * grad_hidden, grads[0] * grad_table, None, None, by_bias


def _even(rows: Tensor) -> Tensor:
    """Rows (N, D) with zeros behind them, up to a multiple of EVEN.

    >>> [len(_even(torch.ones(n, 4))) for n in (1, 32, 33)], _even(torch.ones(1, 4)).sum().item()
    ([32, 32, 64], 4.0)
    """
    lacking = -len(rows) % EVEN
    return torch.cat([rows, rows.new_zeros(lacking, rows.shape[1])]) if lacking else rows


def tied_cross_entropy(
    hidden: Tensor, table: Tensor, targets: Tensor, smoothing: float = 0.0, bias: Tensor | None = None
) -> Tensor:
    """Mean cross-entropy in nats of the softmax of `hidden @ table.T + bias`, with label smoothing (Szegedy et al., 2016).

    hidden (..., D), table (V, D), bias (V,), targets (...) of ids; padding (id 0) is ignored. Equal to
    `torch.nn.functional.cross_entropy(scores, targets, ignore_index=0, label_smoothing=smoothing)`.

    >>> hidden, table = torch.zeros(2, 3, 4), torch.zeros(10, 4)
    >>> round(tied_cross_entropy(hidden, table, torch.ones(2, 3, dtype=torch.long)).item(), 4)  # log 10
    2.3026
    """
    kept = (targets != IGNORE).flatten().nonzero()[:, 0]
    hidden = hidden.flatten(0, -2).index_select(0, kept)  # no time is spent on the rows of padding
    loss: Tensor = _TiedCrossEntropy.apply(hidden, table, targets.flatten()[kept], smoothing, bias)  # type: ignore[no-untyped-call]
    return loss
