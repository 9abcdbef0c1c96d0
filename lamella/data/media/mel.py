"""A sound as a picture of its frequencies over time: the log-mel features that speech nets read.

    features = log_mel(samples, rate)       (T, 80), a row every 10 ms, each column of mean 0 and deviation 1

They are made here and never in a graph: training, prediction and the page have one front end, and numpy's transform is
faster than onnxruntime's.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from lamella.data.media.resample import Samples

BANDS = 80
STEP, WINDOW = 0.010, 0.025  # seconds
POINTS = 512  # of the transform, at 16,000 samples a second and below
RANGE = 18.4  # nats below the loudest that are kept, 80 dB: what is quieter is noise of the recording
AT_ONCE = 4096  # rows that are transformed together, so that an hour needs little memory
Features = NDArray[np.float32]


def log_mel(samples: Samples, rate: int) -> Features:
    """Samples (N,) -> (T, BANDS) with T = 1 + N // (a hundredth of the rate); digital silence gives zeros.

    Hann windows of 25 ms, the power of their Fourier transform in triangular bands that are equally wide on the mel scale
    (Stevens et al., 1937, in O'Shaughnessy's form), in nats, standardised over the sound.

    >>> log_mel(np.zeros(16000, np.float32), 16000).shape
    (101, 80)
    """
    step, window = round(rate * STEP), round(rate * WINDOW)
    before = window // 2
    padded = np.zeros(max(len(samples) + 2 * before, window), np.float32)
    padded[before : before + len(samples)] = samples
    rows = np.lib.stride_tricks.sliding_window_view(padded, window)[::step]
    shape, points = hann(window), max(POINTS, window)
    bands = filters(rate, points)
    parts = []
    for first in range(0, len(rows), AT_ONCE):
        some = rows[first : first + AT_ONCE]
        framed = np.zeros((len(some), points), np.float32)  # numpy's transform is slower where it has to add the zeros
        np.multiply(some, shape, out=framed[:, :window])
        spectrum = np.fft.rfft(framed)
        power = np.square(spectrum.real)
        power += np.square(spectrum.imag)
        parts.append(np.log(np.maximum(power.astype(np.float32, copy=False) @ bands, 1e-10)))
    logs: Features = np.concatenate(parts) if len(parts) > 1 else parts[0]
    logs = np.maximum(logs, logs.max() - RANGE)
    logs -= logs.mean(axis=0)
    logs /= np.maximum(np.sqrt(np.einsum("tm,tm->m", logs, logs) / len(logs)), 1e-3)
    return logs.astype(np.float32, copy=False)


@cache
def hann(window: int) -> Features:
    """A Hann window of so many samples that begins with 0."""
    return np.hanning(window + 1)[:-1].astype(np.float32)


@cache
def filters(rate: int, points: int) -> Features:
    """Triangles in the spectrum of `points` (points / 2 + 1, BANDS), from 40 Hz to just below half the rate."""
    edges = hertz(np.linspace(mels(40.0), mels(rate / 2 * 0.98), BANDS + 2))  # (BANDS + 2,)
    here = np.linspace(0, rate / 2, points // 2 + 1)[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    triangles = np.minimum((here - low) / (middle - low), (high - here) / (high - middle))
    return np.maximum(triangles, 0).astype(np.float32)


def mels(frequency: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Hertz -> mel.

    >>> round(float(mels(1000.0)))
    1000
    """
    return np.asarray(2595 * np.log10(1 + np.asarray(frequency) / 700))


def hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mel -> hertz."""
    return np.asarray(700 * (10 ** (np.asarray(mel) / 2595) - 1))
