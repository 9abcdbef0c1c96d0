"""Sounds from whatever they come as: WAV without any other program, FLAC, Ogg, Opus and MP3 by soundfile.

    read_sound("talk.wav", 16000)                   (N,) samples from -1 to 1, one channel
    read_sound("talk.wav#t=12.5,17.2", 16000)       a span of it, in seconds (W3C Media Fragments)

A span is a name: every reader and every verb opens it as it opens a file.
"""

import base64
import hashlib
import io
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from lamella.data.media import budget, wave
from lamella.data.media.resample import Samples, resample
from lamella.data.text.encoding import quote, show_path
from lamella.errors import DataError, MissingExtra

SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3"})
ARRAY_RATE = 16000  # samples a second of an array, which does not say it
MOST_SAMPLES = 400_000_000  # of a recording or span, channels counted: decoded they are 1.6 GB
MOST_BYTES = 2 << 30
SHORTEST = 0.02  # seconds
LOUDEST = 1e6  # of a sample: the power of a larger one has no number
_SPAN = re.compile(r"#t=(\d{1,6}(?:\.\d{1,6})?),(\d{1,6}(?:\.\d{1,6})?)$")
_URI = re.compile(r"data:[^,;]*(;[^,;]*)*,")


class Sound(NamedTuple):
    """Samples that are in memory, with their rate."""

    samples: Samples
    rate: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


def read_sound(value: Any, rate: int = 0) -> Sound:
    """A sound -> its samples at a rate; 0: as they are.

    value: a path, a path with a span, a `data:audio/...;base64,` URI, the bytes of a file, an array of samples at 16,000 a
    second, (N,) or with a column for each channel, or a `Sound`. Channels are averaged. Raises DataError, one line, for what
    is no sound, and MissingExtra for a compressed one where soundfile is not installed.

    >>> read_sound(np.zeros(1600), 8000).samples.shape
    (800,)
    """
    if isinstance(value, Sound):
        sound = value
    else:
        sound = _array(value) if isinstance(value, np.ndarray | list) else _decoded(value)
    if not rate or rate == sound.rate:
        return sound
    return Sound(resample(sound.samples, sound.rate, rate), rate)


def split_span(value: str) -> tuple[str, tuple[float, float] | None]:
    """A name -> the file's own, and the span in seconds where the name has one.

    >>> split_span("talk.wav#t=1.5,3"), split_span("talk.wav")
    (('talk.wav', (1.5, 3.0)), ('talk.wav', None))
    """
    found = _SPAN.search(value)
    return (value[: found.start()], (float(found[1]), float(found[2]))) if found else (value, None)


def name_span(path: str, start: float, end: float) -> str:
    """The name of a span of a file.

    >>> name_span("talk.wav", 1.5, 3)
    'talk.wav#t=1.5,3'
    """
    return f"{path}#t={round(start, 3):g},{round(end, 3):g}" if end < 1000 else f"{path}#t={start:.3f},{end:.3f}"


def seconds_of(value: Any) -> float:
    """How long a sound is, by what its head says where that can be told without decoding it; DataError as `read_sound`."""
    if isinstance(value, Sound | np.ndarray | list):
        return read_sound(value).seconds
    name, span, file = _opened(value)
    with file:
        head = file.read(12)
        if not wave.is_wave(head):
            return read_sound(value).seconds  # compressed: what cannot be decoded has no length
        try:
            about = wave.read_head(file, name)
        except wave.Coded:
            return read_sound(value).seconds
        return _range(name, span, about.rate, about.frames, about.channels)[1] / about.rate


def fingerprint(value: Any) -> str:
    """A key that two sounds share where their files, or samples, are the same."""
    if isinstance(value, str | Path) and str(value)[:5].lower() != "data:":
        path, span = split_span(str(value))
        try:
            about = os.stat(path)
        except (OSError, ValueError):
            return hashlib.sha256(str(value).encode(errors="replace")).hexdigest()[:32]
        return _of_file(path, about.st_mtime_ns, about.st_size) + (f" {span[0]:g}-{span[1]:g}" if span else "")
    raw = value.samples.tobytes() if isinstance(value, Sound) else value
    raw = np.asarray(raw, np.float32).tobytes() if isinstance(raw, np.ndarray | list) else raw
    return hashlib.sha256(raw.encode() if isinstance(raw, str) else bytes(raw)).hexdigest()[:32]


@lru_cache(maxsize=1 << 16)
def _of_file(path: str, changed: int, size: int) -> str:
    """Asked for several times while data are read and split."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def _array(value: Any) -> Sound:
    try:
        samples = np.asarray(value)
        if samples.dtype.kind not in "fiu" or samples.ndim not in (1, 2) or not samples.size:
            raise ValueError(f"an array of shape {samples.shape} and type {samples.dtype}")
        if samples.dtype.kind in "iu":
            samples = samples / np.float32(np.iinfo(samples.dtype).max if samples.dtype != np.int64 else 32768)
        samples = samples if samples.ndim == 1 else samples.mean(axis=int(np.argmin(samples.shape)))
        if not np.isfinite(samples).all():
            raise ValueError("a value that is no finite number")
    except (ValueError, TypeError) as error:
        raise DataError(
            f"expected samples (N,) from -1 to 1 at {ARRAY_RATE:,} a second, received {str(error)[:120]}."
        ) from error
    return _long_enough("sound", np.clip(samples, -LOUDEST, LOUDEST).astype(np.float32), ARRAY_RATE)


def _decoded(value: Any) -> Sound:
    name, span, file = _opened(value)
    with file:
        head = file.read(12)
        if not head:
            raise DataError(f"{name}: expected a sound, received an empty file. Record it again.")
        if wave.is_wave(head):
            try:
                about = wave.read_head(file, name)
            except wave.Coded as error:  # ADPCM, GSM and the like
                file.seek(0)
                try:
                    return _by_soundfile(name, span, file, head)
                except (DataError, MissingExtra):
                    raise error from None
            first, count = _range(name, span, about.rate, about.frames, about.channels)
            return _long_enough(name, wave.read_frames(file, about, first, count), about.rate)
        file.seek(0)
        return _by_soundfile(name, span, file, head)


def _by_soundfile(name: str, span: tuple[float, float] | None, file: BinaryIO, head: bytes) -> Sound:
    """Whatever libsndfile knows by its content, whatever its name."""
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: the library that it loads is missing
        if head[:4] in (b"fLaC", b"OggS", b"FORM", b"caff") or head[:3] == b"ID3" or head[:1] == b"\xff":
            raise MissingExtra(f"{name}: a compressed sound", "audio") from error
        raise _no_sound(name, head) from error
    try:
        with soundfile.SoundFile(file) as opened:
            first, count = _range(name, span, opened.samplerate, opened.frames, opened.channels)
            if first:
                opened.seek(first)
            samples = opened.read(count, dtype="float32", always_2d=True).mean(axis=1)
            return _long_enough(name, np.clip(np.nan_to_num(samples), -LOUDEST, LOUDEST), opened.samplerate)
    except (soundfile.LibsndfileError, RuntimeError, TypeError, ValueError, OSError) as error:
        raise _no_sound(name, head) from error


def _no_sound(name: str, head: bytes) -> DataError:
    start = head.decode("latin-1")
    known = {b"fLaC": "FLAC", b"OggS": "Ogg", b"FORM": "AIFF"}.get(head[:4], "MP3" if head[:3] == b"ID3" else "")
    if known:
        return DataError(
            f"{name}: expected a whole recording, received {known} that is damaged or was cut off. Copy it again."
        )
    if head[4:8] == b"ftyp" or head[:4] == b"\x1aE\xdf\xa3":
        kind = "M4A or MP4 (AAC)" if head[4:8] == b"ftyp" else "WebM or Matroska"
        return DataError(
            f"{name}: expected a sound (WAV, FLAC, Ogg, Opus, MP3), received {kind}. Convert it: ffmpeg -i FILE -ar 16000 -ac 1 sound.wav"
        )
    shown = ("text that begins " if start.isprintable() else "a file that begins ") + quote(start)
    return DataError(
        f"{name}: expected a sound (WAV, FLAC, Ogg, Opus, MP3), received {shown}. Export it as WAV, or remove it."
    )


def _range(name: str, span: tuple[float, float] | None, rate: int, frames: int, channels: int) -> tuple[int, int]:
    """The first frame and how many, of a span or of all."""
    first, last = (0, frames) if span is None else (round(span[0] * rate), round(span[1] * rate))
    last = min(last, frames)
    if span is not None and first >= last:
        raise DataError(
            f"{name}: expected a span inside the recording, received {span[0]:g} to {span[1]:g} of {frames / rate:.1f} s."
        )
    if (last - first) * channels > MOST_SAMPLES:
        raise DataError(
            f"{name}: expected at most {MOST_SAMPLES // 1_000_000} million samples, received "
            f"{(last - first) * channels // 1_000_000} million. Name spans of it: FILE#t=0,3600"
        )
    budget.spend((last - first) * channels, name, "samples in all sounds")
    return first, last - first


def _long_enough(name: str, samples: Samples, rate: int) -> Sound:
    if len(samples) < SHORTEST * rate:
        raise DataError(
            f"{name}: expected at least {SHORTEST * 1000:.0f} ms of sound, received {1000 * len(samples) / rate:.0f} ms."
        )
    return Sound(samples, rate)


def _opened(value: Any) -> tuple[str, tuple[float, float] | None, BinaryIO]:
    """What to call it, the span that is wanted, and its bytes."""
    if isinstance(value, bytes | bytearray):
        return "sound", None, io.BytesIO(bytes(value))
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else ""
    if not isinstance(text, str) or not isinstance(value, str | os.PathLike):
        raise DataError(f"expected a sound: a path, a data: URI, bytes or an array; received {type(value).__name__}.")
    if text[:5].lower() == "data:":
        head = _URI.match(text[:200])
        try:
            if not head or "base64" not in head[0]:
                raise ValueError("no base64")
            return "sound", None, io.BytesIO(base64.b64decode(text[head.end() :], validate=True))
        except ValueError as error:
            raise DataError(
                f"{quote(text[:40])}: expected data:audio/wav;base64, and the bytes of a sound ({error})."
            ) from error
    place, span = split_span(text)
    path = Path(place)
    name = show_path(text) if text.strip() and len(text) <= 1000 else quote(text)
    try:
        if not place.strip() or not path.is_file():
            what = "a folder" if path.is_dir() and place else "no such file"
            raise DataError(f"{name}: expected a sound file, received {what}. Give the path of a recording.")
        if (size := path.stat().st_size) > MOST_BYTES:
            raise DataError(f"{name}: expected at most {MOST_BYTES >> 30} GB, received {size >> 30} GB. Cut it.")
        return name, span, path.open("rb")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise DataError(f"{name}: cannot be read ({getattr(error, 'strerror', None) or error}).") from error
