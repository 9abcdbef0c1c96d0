"""Readers of sounds and of texts with times, and small files of theirs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lamella.data.media.wave import write_wave

SUBTITLES = "1\n00:00:00,500 --> 00:00:00,900\n<i>Good</i> morning.\n\n2\n00:00:01,000 --> 00:00:01,500\n[music] yes\n"
GRID = (
    'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = 2\ntiers? <exists>\nsize = 1\nitem []:\n item [1]:\n'
    '  class = "IntervalTier"\n  name = "said"\n  xmin = 0\n  xmax = 2\n  intervals: size = 1\n  intervals [1]:\n'
    '   xmin = 0.5\n   xmax = 1.5\n   text = "Good ""morning""."\n'
)
ELAN = (
    '<A><TIME_ORDER><TIME_SLOT TIME_SLOT_ID="a" TIME_VALUE="500"/><TIME_SLOT TIME_SLOT_ID="b" TIME_VALUE="1500"/></TIME_ORDER>'
    '<TIER><ALIGNABLE_ANNOTATION TIME_SLOT_REF1="a" TIME_SLOT_REF2="b"><ANNOTATION_VALUE>yes</ANNOTATION_VALUE>'
    "</ALIGNABLE_ANNOTATION></TIER></A>"
)
PIPED = "input|Yes, 2|Yes, two\n"
MANIFEST = '{"audio_filepath": "sound.wav", "offset": 0.5, "duration": 1, "text": "yes"}\n'
CHUNKS = (
    b"RIFF",
    b"WAVE",
    b"fmt ",
    b"data",
    b"\xff\xff\xff\xff",
    b"\x01\x00",
    b"\x03\x00",
    b"\xfe\xff",
    b"\x40\x1f\x00\x00",
)
GRIDS = (b'"IntervalTier"', b'"TextTier"', b"intervals [1]:", b"xmin = 1e999", b'""', b"[", b"]", b"-1", b"<exists>")


def tone() -> bytes:
    return write_wave(np.sin(np.arange(16000, dtype=np.float32) / 5), 8000)


def waves() -> list[bytes]:
    """Of 16 and of 8 bits, and one that claims more than it has."""
    raw = write_wave(np.sin(np.arange(800, dtype=np.float32) / 5), 8000)
    return [raw, write_wave(np.zeros(801, np.float32), 16000, bits=8), raw[:40] + b"\xff\xff\xff\xff" + raw[44:]]


def read_sound(path: Path) -> None:
    from lamella.data.media.mel import log_mel
    from lamella.data.media.sounds import read_sound, seconds_of

    sound = read_sound(str(path), 16000)
    assert np.isfinite(sound.samples).all() and seconds_of(str(path)) > 0
    assert np.isfinite(log_mel(sound.samples, 16000)).all()


def read_speech(path: Path) -> None:
    from lamella.data.media.sounds import read_sound
    from lamella.data.readers.speech import read_speech

    for stem in (path.stem, "sound"):
        path.with_name(f"{stem}.wav").write_bytes(tone())
    examples, lines = read_speech([str(path)])
    assert examples and lines and all(example["text"].strip() for example in examples)
    for example in examples[:3]:
        assert read_sound(example["audio"]).seconds > 0
