"""What language models of all families share: random windows of a text, shifted targets, log-probabilities."""

import torch
from torch import Tensor

START = 2  # the id of the token that stands before the first one of a text


def crop(text: Tensor, window: int) -> Tensor:
    """A window from a random place of each text, never beginning with padding: (B, S) -> (B, at most `window`).

    Places are drawn from half a window before the text to half a window after it and then clamped, so that the ends of a
    text are seen about as often as its middle.

    >>> crop(torch.tensor([[4, 5, 6, 7, 8], [4, 5, 0, 0, 0]]), 2)[1].tolist()
    [4, 5]
    """
    window = min(window, text.shape[1])
    room = ((text != 0).sum(dim=1) - window).clamp(min=0)  # (B,): the last place where a window begins
    # Drawn where the texts are, so that nothing is copied between devices.
    drawn = (torch.rand(len(text), device=text.device) * (room + 1 + window)).floor() - window // 2
    first = torch.minimum(drawn.clamp(min=0), room).long()
    return text.gather(1, first[:, None] + torch.arange(window, device=text.device))


def shifted(wanted: Tensor) -> Tensor:
    """Teacher forcing: the inputs whose next tokens are `wanted`, the start token and all but the last: (B, T) -> (B, T)."""
    start = torch.full_like(wanted[:, :1], START)
    return torch.cat([start, wanted[:, :-1]], dim=1)


def chosen(scores: Tensor, wanted: Tensor) -> Tensor:
    """Log-probabilities of the tokens that came: scores (B, T, V), wanted (B, T) -> (B, T)."""
    return torch.log_softmax(scores.float(), dim=-1).gather(2, wanted[:, :, None])[:, :, 0]


def pick_segments(tokens: Tensor, end: int, which: Tensor) -> Tensor:
    """One segment of each row, of those that `end` closes: (B, S), which (B,) from 0 -> (B, longest), `end` included.

    >>> pick_segments(torch.tensor([[5, 6, 3, 7, 3], [8, 3, 0, 0, 0]]), end=3, which=torch.tensor([1, 0])).tolist()
    [[7, 3], [8, 3]]
    """
    ends = tokens == end
    inside = (ends.cumsum(dim=1) - ends.long() == which[:, None]) & (tokens != 0)
    length = inside.sum(dim=1)  # (B,)
    first = inside.long().argmax(dim=1)
    places = torch.arange(int(length.max()), device=tokens.device)
    picked = tokens.gather(1, (first[:, None] + places).clamp(max=tokens.shape[1] - 1))
    return picked * (places < length[:, None])
