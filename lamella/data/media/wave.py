"""WAV files, read and written without any other program: PCM of 8 to 32 bits, floats, A-law and mu-law.

Sizes in the file are claims: a header that promises 4 GB costs nothing, and a recording that was cut off is read as far as it
goes. A span is read from where it lies, so that a sentence of a long recording needs little.
"""

import base64
import io
import struct
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from lamella.data.media.resample import Samples
from lamella.errors import DataError

PCM, FLOAT, A_LAW, MU_LAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
MOST_CHUNKS = 1000
AT_ONCE = 1 << 22  # bytes


@dataclass(frozen=True)
class Wave:
    """What the head of a WAV file says, as far as its bytes bear it out."""

    coding: int
    channels: int
    rate: int
    width: int  # bytes of a sample
    start: int  # of the samples in the file
    frames: int


class Coded(DataError):
    """A WAV file whose samples are coded in a way that only a library reads."""


def is_wave(head: bytes) -> bool:
    return head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE"


def read_head(file: BinaryIO, name: str) -> Wave:
    """The head of a WAV file; DataError where there is none, it has no samples, or they are of another kind."""
    size = file.seek(0, io.SEEK_END)
    at, coding = 12, b""
    for _ in range(MOST_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            break
        kind, claimed = head[:4], int.from_bytes(head[4:], "little")
        if kind == b"fmt ":
            coding = file.read(min(claimed, 40))
        if kind == b"data" and len(coding) >= 16:
            return _checked(coding, at + 8, min(claimed, size - at - 8), name)
        at += 8 + claimed + claimed % 2
    raise DataError(f"{name}: expected a WAV file with samples, received one without. Record or export it again.")


def _checked(coding: bytes, start: int, count: int, name: str) -> Wave:
    tag, channels, rate, _, block, bits = struct.unpack("<HHIIHH", coding[:16])
    tag = int.from_bytes(coding[24:26], "little") if tag == EXTENSIBLE and len(coding) >= 26 else tag
    width = bits // 8
    known = {PCM: (1, 2, 3, 4), FLOAT: (4, 8), A_LAW: (1,), MU_LAW: (1,)}.get(tag, ())
    if width not in known or not 1 <= channels <= 64 or block != width * channels:
        raise Coded(
            f"{name}: expected PCM of 8 to 32 bits, floats, A-law or mu-law, received coding {tag} of {bits} bits in "
            f"{channels} channels. Save it as 16-bit PCM."
        )
    if not 1000 <= rate <= 768_000:
        raise DataError(f"{name}: expected 1,000 to 768,000 samples a second, received {rate:,}. Save it at 16,000.")
    if count < block:
        raise DataError(f"{name}: expected a sound, received a WAV file without samples. Record it again.")
    return Wave(tag, channels, rate, width, start, count // block)


def read_frames(file: BinaryIO, wave: Wave, first: int, count: int) -> Samples:
    """Some of the frames, their channels averaged: (count,) from -1 to 1."""
    block = wave.width * wave.channels
    file.seek(wave.start + first * block)
    parts = []
    left = count * block
    while left > 0 and (raw := file.read(min(left, AT_ONCE // block * block))):
        left -= len(raw)
        part = decode(raw[: len(raw) // block * block], wave)
        parts.append(part if wave.channels == 1 else part.reshape(-1, wave.channels).mean(axis=1))
    if len(parts) == 1:
        return parts[0].astype(np.float32, copy=False)
    return np.concatenate(parts).astype(np.float32) if parts else np.zeros(0, np.float32)


def decode(raw: bytes, wave: Wave) -> NDArray[np.float32]:
    """Bytes -> numbers from -1 to 1, all channels one after another; a float that is no number is 0."""
    if wave.coding == FLOAT:
        floats = np.frombuffer(raw, f"<f{wave.width}")
        return np.asarray(np.nan_to_num(np.clip(floats, -1e6, 1e6), nan=0.0), np.float32)
    if wave.coding in (A_LAW, MU_LAW):
        return np.asarray(companded(wave.coding)[np.frombuffer(raw, np.uint8)], np.float32)
    if wave.width == 1:
        return np.asarray((np.frombuffer(raw, np.uint8).astype(np.float32) - 128) / 128, np.float32)
    if wave.width == 3:
        low, middle, high = np.frombuffer(raw, np.uint8).reshape(-1, 3).T.astype(np.int32)
        whole = (high << 24 | middle << 16 | low << 8) >> 8
        return np.asarray(whole.astype(np.float32) / (1 << 23), np.float32)
    whole = np.frombuffer(raw, f"<i{wave.width}")
    return whole.astype(np.float32) / np.float32(1 << (8 * wave.width - 1))


def companded(coding: int) -> NDArray[np.float32]:
    """The value of each of the 256 bytes of telephony (ITU-T G.711)."""
    code = np.arange(256) ^ (0x55 if coding == A_LAW else 0xFF)
    exponent, mantissa = code >> 4 & 7, code & 15
    if coding == MU_LAW:
        size = ((mantissa << 3) + 132 << exponent) - 132
        sign = np.where(code & 128, -1, 1)
    else:
        size = np.where(exponent > 0, (mantissa << 4) + 264 << np.maximum(exponent - 1, 0), (mantissa << 4) + 8)
        sign = np.where(code & 128, 1, -1)
    return np.asarray(sign * size / 32768, np.float32)


def write_wave(samples: Samples, rate: int, bits: int = 16) -> bytes:
    """Samples (N,) from -1 to 1 -> a WAV file of one channel, of 8 or 16 bits."""
    clipped = np.clip(samples, -1, 1)
    if bits == 8:
        raw = np.clip(np.rint(clipped * 127 + 128), 0, 255).astype(np.uint8).tobytes()
    else:
        raw = np.rint(clipped * 32767).astype("<i2").tobytes()
    width = bits // 8
    head = struct.pack("<HHIIHH", PCM, 1, rate, rate * width, width, bits)
    body = b"WAVEfmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", len(raw)) + raw
    padded = body + b"\0" * (len(raw) % 2)
    return b"RIFF" + struct.pack("<I", len(padded)) + padded


def wave_uri(samples: Samples, rate: int, bits: int = 16) -> str:
    """The same as a `data:` URI, which browsers play."""
    return "data:audio/wav;base64," + base64.b64encode(write_wave(samples, rate, bits)).decode()
