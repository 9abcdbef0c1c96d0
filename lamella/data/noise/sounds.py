"""Noise in sounds: a hiss, a voice that is faint, a recording that is too loud, a telephone."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lamella.data.media.resample import resample
from lamella.data.media.sounds import Sound, read_sound

Rng = np.random.Generator
HISS, FAINT, CLIPPED, TELEPHONE = 0.0, 40.0, 0.97, 4000  # at full strength: see each


def hiss(sound: Sound, strength: float, rng: Rng) -> Sound:
    """White noise, from 40 decibels below the sound to as loud as it (HISS decibels)."""
    loud = float(np.sqrt(np.mean(np.square(sound.samples)))) or 1e-4
    level = loud * 10 ** (-(40 + (HISS - 40) * strength) / 20)
    noise = rng.standard_normal(len(sound.samples), np.float32)
    return Sound((sound.samples + level * noise).astype(np.float32), sound.rate)


def quiet(sound: Sound, strength: float, rng: Rng) -> Sound:
    """Fainter by up to FAINT decibels, in steps of 16 bits as a recording has them."""
    samples = sound.samples * np.float32(10 ** (-FAINT * strength / 20))
    return Sound((np.round(samples * 32767) / 32767).astype(np.float32), sound.rate)


def clipped(sound: Sound, strength: float, rng: Rng) -> Sound:
    """Cut off at a part of its loudest sample: at 1 - CLIPPED of it."""
    most = float(np.abs(sound.samples).max(initial=0)) * (1 - CLIPPED * strength)
    return Sound(np.clip(sound.samples, -most, most), sound.rate)


def narrow(sound: Sound, strength: float, rng: Rng) -> Sound:
    """Without its high notes, down to a rate of TELEPHONE samples a second: half of a telephone's."""
    rate = round(sound.rate * (TELEPHONE / sound.rate) ** strength) if sound.rate > TELEPHONE else sound.rate
    samples = resample(resample(sound.samples, sound.rate, rate), rate, sound.rate)
    return Sound(samples, sound.rate)


NOISES: dict[str, Callable[[Sound, float, Rng], Sound]] = {
    "hiss": hiss, "quiet": quiet, "clipped": clipped, "narrow": narrow,
}  # fmt: skip


def disturbed(value: Any, noise: str, strength: float, rng: Rng) -> Any:
    """A sound, in any form that is read, with noise; as it came at strength 0."""
    return NOISES[noise](read_sound(value), strength, rng) if strength else value
