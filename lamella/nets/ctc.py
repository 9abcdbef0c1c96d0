"""What nets that write down sounds share: their loss, and noise for training.

B sounds, T steps of four frames each (40 ms), M mel bands, V letters, of which 0 is the blank.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

FRAMES = 4  # of 10 ms in a step: letters are hardly shorter
GROUPS = 2  # of bands that are hidden


def real_steps(frames: Tensor, lengths: Tensor) -> Tensor:
    """A mask (B, T): 1 at steps of the sound, 0 at padding.

    frames (B, T, 4, M), lengths (B,) in steps.
    """
    return (torch.arange(frames.shape[1], device=frames.device)[None] < lengths[:, None]).to(frames.dtype)


def ctc_loss(scores: Tensor, lengths: Tensor, letters: Tensor) -> Tensor:
    """Connectionist temporal classification (Graves et al., 2006): the mean over the batch of the loss per letter.

    scores (B, T, V); lengths (B,) steps; letters (B, S) ids, padded with the blank's 0. A text that is longer than its sound
    has no path and counts as 0.
    """
    likely = F.log_softmax(scores.float(), dim=-1).transpose(0, 1)  # (T, B, V)
    wanted = (letters != 0).sum(dim=1)
    return F.ctc_loss(likely, letters, lengths, wanted, blank=0, reduction="mean", zero_infinity=True)


def stretch(
    frames: Tensor, lengths: Tensor, rng: torch.Generator, share: float, pitch: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Each sound played faster or slower by up to `share`, as a tape would be: its pitch moves with its speed, and by up to
    `pitch` without it.

    Speed perturbation (Ko et al., 2015), done on the features, so that every pass has speeds of its own and nothing is
    stored. frames (B, T, 4, M), lengths (B,) -> the same with another T.
    """
    speed = 1 + share * (2 * torch.rand(len(frames), generator=rng) - 1)
    higher = speed if not pitch else speed * (1 + pitch * (2 * torch.rand(len(frames), generator=rng) - 1))
    speed, higher = speed.to(frames.device), higher.to(frames.device)
    batch, steps, four, bands = frames.shape
    fresh = (lengths / speed).round().long().clamp(min=1)  # (B,)
    flat = frames.reshape(batch, steps * four, bands)
    # T', the same for all batches of one T, since the engine makes kernels for each.
    now = math.ceil(steps / (1 - share))
    # Where each new frame lies among the old ones.
    at = torch.arange(now * four, device=frames.device)[None] * (lengths / fresh)[:, None]  # (B, T')
    flat = _between(flat, at.clamp(max=steps * four - 1), dim=1)
    # Half the bands are in the lower, nearly linear part of the mel scale, where a factor moves each by its own place.
    mel = torch.arange(bands, device=frames.device) / bands * 7.6  # about ln(1 + hertz / 700) times a constant
    place = torch.log1p(torch.expm1(mel * 0.33)[None] / higher[:, None]) / 0.33 / 7.6 * bands  # (B, M)
    flat = _between(flat, place.clamp(0, bands - 1), dim=2)
    inside = torch.arange(flat.shape[1], device=frames.device)[None] < (fresh * four)[:, None]
    return (flat * inside[:, :, None]).reshape(batch, -1, four, bands), fresh


def _between(x: Tensor, places: Tensor, dim: int) -> Tensor:
    """Values of x (B, T, M) at places (B, N) of an axis, on straight lines between its neighbours."""
    low = places.floor().long()
    high = (low + 1).clamp(max=x.shape[dim] - 1)
    share = (places - low).to(x.dtype)
    if dim == 1:
        rows = torch.arange(len(x), device=x.device)[:, None]
        return x[rows, low] * (1 - share)[:, :, None] + x[rows, high] * share[:, :, None]
    shape = (-1, x.shape[1], -1)
    low, high = low[:, None].expand(*shape), high[:, None].expand(*shape)
    return x.gather(2, low) * (1 - share)[:, None] + x.gather(2, high) * share[:, None]


def hide(
    frames: Tensor, lengths: Tensor, rng: torch.Generator, share: float, bands: int, stretches: int = GROUPS
) -> Tensor:
    """SpecAugment (Park et al., 2019): set some stretches of time and two groups of bands of each sound to their mean, 0.

    share: the longest stretch as a share of the sound; bands: the most bands of a group.
    """
    batch, steps, four, count = frames.shape
    draws = torch.rand(4, max(stretches, GROUPS), batch, generator=rng).to(frames.device)
    time = torch.arange(steps * four, device=frames.device)[None]
    gone = torch.zeros(batch, steps * four, dtype=torch.bool, device=frames.device)
    for k in range(stretches):
        wide = draws[0, k] * share * lengths * four  # (B,) frames
        first = draws[1, k] * (lengths * four - wide)
        gone |= (time >= first[:, None]) & (time < (first + wide)[:, None])
    out = frames.masked_fill(gone.reshape(batch, steps, four, 1), 0.0)
    band = torch.arange(count, device=frames.device)[None]
    gone = torch.zeros(batch, count, dtype=torch.bool, device=frames.device)
    for k in range(GROUPS):
        high = draws[2, k] * bands
        low = draws[3, k] * (count - high)
        gone |= (band >= low[:, None]) & (band < (low + high)[:, None])
    return out.masked_fill(gone[:, None, None, :], 0.0)
