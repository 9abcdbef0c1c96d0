"""The kind of value `Audio`: a sound, explained slice by slice."""

from collections.abc import Collection
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from lamella.data.media.sounds import Sound, read_sound, split_span
from lamella.data.media.wave import wave_uri
from lamella.fields.base import Field, Limits, Part, Parts
from lamella.fields.media import beside, data_uri, kept_uri, medium

TYPES = {
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".mp3": "audio/mpeg",
}
GRAIN, FAINTER = (
    0.02,
    0.003,
)  # seconds whose loudness is taken together; noise is fainter than the sound by 25 dB at least
SLICE, MOST = 0.1, 40  # seconds of a slice; slices of a longer sound are longer
HEARD = 30.0  # seconds that go into a report to be played
DRAWN = 240  # points of the drawing of a sound


class Audio(Field, frozen=True, tag="audio"):
    """A sound: a path, a span of one (`talk.wav#t=12.5,17.2`), a `data:audio/...` URI, the bytes of a file, or samples."""

    media: ClassVar[str] = "audio"
    suffixes: ClassVar[frozenset[str]] = frozenset(TYPES)
    control: ClassVar[str] = "audio"
    noises: ClassVar[tuple[str, ...]] = ("hiss", "quiet", "clipped", "narrow")

    def open(self, name: str, path: Path) -> str:
        return str(path)

    def locate(self, value: Any, folder: Path) -> Any:
        if not isinstance(value, str):
            return value
        path, span = split_span(value)
        return beside(path, folder) + value[len(path) :] if span else beside(value, folder)

    def check(self, name: str, value: Any) -> Any:
        return value if isinstance(value, Sound) else medium(name, value)

    def decoded(self, value: Any) -> Sound:
        return read_sound(value)

    def receive(self, name: str, value: Any, limits: Limits) -> str:
        return data_uri(name, value, "audio")

    def schema(self, limits: Limits) -> dict[str, Any]:
        return {"type": "string", "pattern": "^data:audio/"}

    def show(self, value: Any) -> dict[str, Any]:
        return (
            {"text": str(value)} if isinstance(value, str | Path) and str(value)[:5] != "data:" else {"text": "a sound"}
        )

    def keep(self, value: Any, most: int) -> Any:
        if isinstance(value, str) and split_span(value)[1]:
            sound = read_sound(value)
            uri = wave_uri(sound.samples, sound.rate)
            return uri if len(uri) <= most else None
        return kept_uri(value, most, TYPES)

    def disturb(self, value: Any, noise: str, strength: float, rng: "np.random.Generator") -> Any:
        from lamella.data.noise import sounds

        return sounds.disturbed(value, noise, strength, rng)

    def split(self, value: Any, usual: Any = None) -> Parts:
        """
        >>> parts = Audio().split(Sound(np.ones(16000, np.float32), 16000))
        >>> len(parts.units), parts.units[3]["label"], bool(abs(parts.without({3}).samples[5000]) < 0.2)
        (10, '0.3 to 0.4 s', True)
        """
        return AudioParts(value)


class AudioParts:
    """Slices of equal length, at most MOST. In the place of one that is taken away is the noise of the room.

    Digital silence would not do: it is so much quieter than any room that all the rest would look loud beside it.
    """

    kind = "audio"
    how = ("replaced by noise as faint as its quietest part", "replaced by noise twice as loud as that")

    def __init__(self, value: Any) -> None:
        self.sound = read_sound(value)
        count = max(2, min(MOST, round(self.sound.seconds / SLICE)))
        self.edges = np.linspace(0, len(self.sound.samples), count + 1).round().astype(int).tolist()
        times = [edge / self.sound.rate for edge in self.edges]
        self.units: list[Part] = [
            {"label": f"{a:.1f} to {b:.1f} s", "start": round(a, 3), "end": round(b, 3)} for a, b in pairwise(times)
        ]
        grains = np.array_split(self.sound.samples, max(1, round(self.sound.seconds / GRAIN)))
        power = np.array([float((grain.astype(np.float64) ** 2).mean()) for grain in grains])
        faint = min(float(np.quantile(power, 0.05)), FAINTER * float(power.mean()))
        self.noise = np.random.default_rng(0).normal(0, faint**0.5, len(self.sound.samples)).astype(np.float32)

    def without(self, gone: Collection[int], other: bool = False) -> Sound:
        samples = self.sound.samples.copy()
        noise = 2 * self.noise[::-1] if other else self.noise
        for i in gone:
            first, last = self.edges[i : i + 2]
            samples[first:last] = noise[first:last]
        return Sound(samples, self.sound.rate)

    def shown(self) -> str:
        if self.sound.seconds > HEARD:
            return f"a sound of {self.sound.seconds:.1f} s"
        return wave_uri(self.sound.samples, self.sound.rate)

    def facts(self) -> dict[str, Any]:
        """The loudness over time, from 0 to 1, for a drawing."""
        size = np.abs(self.sound.samples)
        groups = np.array_split(size, min(DRAWN, len(size)))
        tops = np.array([float(group.max()) for group in groups])
        values = (tops / max(1e-9, float(tops.max()))).round(3).tolist()
        return {"seconds": round(self.sound.seconds, 3), "values": values}
