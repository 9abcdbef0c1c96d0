"""Long recordings cut where it is quiet, so that no word is cut and no net hears more than it was trained on."""

from typing import Any

import numpy as np

from lamella.data.media.resample import Samples

LONGEST = 20.0  # seconds of a piece
QUIET = 0.2  # seconds that are quiet together at a good place to cut
GRAIN = 0.02  # seconds whose loudness is taken together
SILENT = -60.0  # decibels below full scale: nothing louder is no speech


def cut(samples: Samples, rate: int, longest: float = LONGEST) -> list[tuple[int, int]]:
    """Samples (N,) -> where pieces of at most `longest` seconds begin and end, each cut at the quietest place that will do.

    >>> sound = np.ones(300, np.float32)
    >>> sound[140:160] = 0
    >>> cut(sound, rate=10)
    [(0, 150), (150, 300)]
    """
    most, grain = round(longest * rate), max(1, round(GRAIN * rate))
    pieces, first = [], 0
    while len(samples) - first > most:
        # Not in the first half: pieces of a word or two have little to tell them by.
        low, high = first + most // 2, first + most
        loud = loudness(samples[low:high], grain)
        width = max(1, min(round(QUIET / GRAIN), len(loud)))
        smooth = np.convolve(loud, np.ones(width) / width, mode="valid")
        quietest = np.flatnonzero(smooth <= smooth.min() + 1e-12)
        at = low + (int(quietest[len(quietest) // 2]) + width // 2) * grain
        pieces.append((first, at))
        first = at
    return [*pieces, (first, len(samples))]


def loudness(samples: Samples, grain: int) -> Any:
    """The mean power of each grain: (N // grain,), one grain at least."""
    whole = samples[: len(samples) // grain * grain] if len(samples) >= grain else np.resize(samples, grain)
    grains = whole.reshape(-1, grain).astype(np.float64)
    return np.einsum("ij,ij->i", grains, grains) / grain


def is_silent(samples: Samples, rate: int) -> bool:
    """Whether nothing in it is loud enough for speech.

    >>> is_silent(np.zeros(1600, np.float32), 16000), is_silent(np.full(1600, 0.1, np.float32), 16000)
    (True, False)
    """
    power = float(loudness(samples, max(1, round(GRAIN * rate))).max())
    return power < 10 ** (SILENT / 10)
