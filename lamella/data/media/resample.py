"""Sounds at another sample rate, in numpy alone: the same samples on every machine, with or without other programs."""

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

CROSSINGS = 12  # zero crossings of the sinc on each side of its middle
ROLL_OFF = 0.94  # share of the lower rate's band that passes: the filter needs the rest to fall
MOST_PHASES = 2000  # of the filter: a ratio of larger numbers is taken as the nearest of smaller ones


def resample(samples: Samples, before: float, after: float) -> Samples:
    """Samples (N,) at a rate of `before` -> (about N * after / before,) at a rate of `after`.

    A windowed sinc (Smith, 1984): what is above half the lower rate is filtered out, since it would come back as another tone.

    >>> tone = np.sin(2 * np.pi * 440 * np.arange(44100) / 44100).astype(np.float32)
    >>> wanted = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    >>> bool(np.abs(resample(tone, 44100, 16000) - wanted)[200:-200].max() < 0.001)
    True
    """
    if before == after or not len(samples):
        return np.asarray(samples, np.float32)
    ratio = Fraction(after / before).limit_denominator(MOST_PHASES)
    if float(ratio) * before != after and before == int(before) and after == int(after):
        exact = Fraction(int(after), int(before))
        ratio = exact if exact.numerator <= MOST_PHASES else ratio
    up, down = ratio.numerator, ratio.denominator
    cutoff = ROLL_OFF * min(1.0, up / down)
    half = math.ceil(CROSSINGS / cutoff)
    # Output n lies at the input's n * down / up: between samples in one of `up` places, each of which has its own filter.
    away = np.arange(-half + 1, half + 1)[None] - (np.arange(up) * down % up / up)[:, None]  # (up, 2 half)
    window = np.cos(np.clip(np.pi * away / (2 * half), -np.pi / 2, np.pi / 2)) ** 2  # Hann
    filters = (cutoff * np.sinc(cutoff * away) * window).astype(np.float32)
    count = math.ceil(len(samples) * up / down)
    padded = np.pad(np.asarray(samples, np.float32), (half - 1, half + down))
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * half)  # (N, 2 half)
    out = np.empty(count, np.float32)
    for phase in range(min(up, count)):
        places = out[phase::up]
        places[:] = (around[phase * down // up :: down][: len(places)] @ filters[phase])[: len(places)]
    return out
