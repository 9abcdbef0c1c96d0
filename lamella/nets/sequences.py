"""What language models of all families share: windows of a text, targets that are one unit ahead, likelihoods."""

import torch
from torch import Tensor

START = 2


def crop(text: Tensor, window: int) -> Tensor:
    """A window of each text from wherever chance has it, padding never in front: (B, S) -> (B, at most `window`).

    Places are drawn from half a window before the text to half a window after it and then held inside, so that a
    text's ends are seen about as often as its middle.

    >>> crop(torch.tensor([[4, 5, 6, 7, 8], [4, 5, 0, 0, 0]]), 2)[1].tolist()
    [4, 5]
    """
    window = min(window, text.shape[1])
    room = ((text != 0).sum(dim=1) - window).clamp(min=0)  # (B,): the last place where a window begins
    drawn = (torch.rand(len(text), device=text.device) * (room + 1 + window)).floor() - window // 2
    first = torch.minimum(drawn.clamp(min=0), room).long()
    return text.gather(1, first[:, None] + torch.arange(window, device=text.device))


def shifted(wanted: Tensor) -> Tensor:
    """What the net sees while it should say `wanted`: the start, and all but the last. (B, T) -> (B, T)."""
    start = torch.full_like(wanted[:, :1], START)
    return torch.cat([start, wanted[:, :-1]], dim=1)


def chosen(scores: Tensor, wanted: Tensor) -> Tensor:
    """Log-probabilities of what came: scores (B, T, V), wanted (B, T) -> (B, T)."""
    return torch.log_softmax(scores.float(), dim=-1).gather(2, wanted[:, :, None])[:, :, 0]
