"""Sounds: WAV in all its codings, spans, rates, and files that are none."""

from __future__ import annotations

import base64
import struct
import sys
import wave as standard
from pathlib import Path

import numpy as np
import pytest

from lamella.data.media import wave
from lamella.data.media.mel import BANDS, filters, log_mel
from lamella.data.media.resample import resample
from lamella.data.media.sounds import Sound, fingerprint, name_span, read_sound, seconds_of, split_span
from lamella.errors import DataError, MissingExtra

RATE = 16000
TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.float32)


def riff(coding: int, bits: int, raw: bytes, channels: int = 1, rate: int = RATE, claimed: int | None = None) -> bytes:
    width = bits // 8 * channels
    head = struct.pack("<HHIIHH", coding, channels, rate, rate * width, width, bits)
    body = (
        b"WAVEfmt "
        + struct.pack("<I", 16)
        + head
        + b"data"
        + struct.pack("<I", len(raw) if claimed is None else claimed)
    )
    return b"RIFF" + struct.pack("<I", len(body) + len(raw)) + body + raw


def test_a_wav_of_every_width_is_the_same_sound():
    whole = [
        riff(1, 8, np.rint(TONE * 127 + 128).astype(np.uint8).tobytes()),
        riff(1, 16, (TONE * 32767).astype("<i2").tobytes()),
        riff(1, 24, b"".join(int(v * 8388607).to_bytes(3, "little", signed=True) for v in TONE.tolist())),
        riff(1, 32, (TONE.astype(float) * 2147483647).astype("<i4").tobytes()),
        riff(3, 32, TONE.astype("<f4").tobytes()),
        riff(3, 64, TONE.astype("<f8").tobytes()),
    ]
    for raw in whole:
        assert read_sound(raw).rate == RATE and np.abs(read_sound(raw).samples - TONE).max() < 0.01


def test_telephone_codings_are_those_of_the_standard():
    mu, a = wave.companded(wave.MU_LAW), wave.companded(wave.A_LAW)
    assert mu[0xFF] == 0 and mu[0x80] == pytest.approx(32124 / 32768) and mu[0x00] == -mu[0x80]
    assert a[0xD5] == pytest.approx(8 / 32768) and a[0xAA] == pytest.approx(32256 / 32768) and a[0x2A] == -a[0xAA]


def test_what_is_written_the_standard_library_reads(tmp_path):
    path = tmp_path / "tone.wav"
    path.write_bytes(wave.write_wave(TONE, RATE))
    with standard.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (1, RATE, RATE)
    assert np.abs(read_sound(path).samples - TONE).max() < 1e-4


def test_stereo_at_96_khz_becomes_one_channel_at_16():
    left = 0.5 * np.sin(2 * np.pi * 440 * np.arange(96000) / 96000)
    both = np.stack([left, np.zeros(96000)], axis=1).astype("<f4")
    heard = read_sound(riff(3, 32, both.tobytes(), channels=2, rate=96000), RATE)
    assert len(heard.samples) == RATE and np.abs(heard.samples - TONE / 2)[100:-100].max() < 1e-3


@pytest.mark.parametrize("before", [8000, 11025, 22050, 44100, 48000])
def test_another_rate_keeps_a_tone_and_its_length(before):
    time = np.arange(before) / before
    again = resample(np.sin(2 * np.pi * 440 * time).astype(np.float32), before, RATE)
    assert len(again) == RATE and np.abs(again - 2 * TONE)[300:-300].max() < 2e-3
    high = np.sin(2 * np.pi * 7000 * np.arange(RATE) / RATE).astype(np.float32)  # would come back as another tone
    assert np.abs(resample(high, RATE, 8000))[300:-300].max() < 2e-3


def test_features_have_a_row_each_ten_milliseconds_and_show_a_tone():
    features = log_mel(TONE, RATE)
    assert features.shape == (101, BANDS) and abs(float(features.mean())) < 1e-3
    swept = np.concatenate([TONE[:8000], (0.5 * np.sin(2 * np.pi * 3000 * np.arange(8000) / RATE)).astype(np.float32)])
    rows = log_mel(swept, RATE)
    assert int(rows[20].argmax()) < int(rows[80].argmax())
    assert not log_mel(np.zeros(1600, np.float32), RATE).any()


@pytest.mark.parametrize("rate", [RATE, 8000])
@pytest.mark.parametrize("count", [1, 150, 4321])
def test_features_are_their_definition(rate, count):
    samples = np.random.default_rng(count).normal(0, 0.1, count).astype(np.float32)
    step, window = round(rate * 0.01), round(rate * 0.025)
    padded = np.pad(samples, (window // 2, window // 2 + max(0, window - count - 2 * (window // 2))))
    rows = np.array([padded[i : i + window] for i in range(0, len(padded) - window + 1, step)], np.float64)
    power = np.abs(np.fft.rfft(rows * np.hanning(window + 1)[:-1], max(512, window))) ** 2
    logs = np.log(np.maximum(power @ filters(rate, max(512, window)), 1e-10))
    logs = np.maximum(logs, logs.max() - 18.4)
    wanted = (logs - logs.mean(axis=0)) / np.maximum(logs.std(axis=0), 1e-3)
    np.testing.assert_allclose(log_mel(samples, rate), wanted, atol=2e-3)


def test_a_span_is_a_part_of_a_file(tmp_path):
    path = tmp_path / "talk.wav"
    path.write_bytes(wave.write_wave(np.concatenate([TONE * 0, TONE]), RATE))
    name = name_span(str(path), 1.0, 1.5)
    assert split_span(name) == (str(path), (1.0, 1.5)) and seconds_of(name) == 0.5
    assert np.abs(read_sound(name).samples - TONE[:8000]).max() < 1e-4
    assert fingerprint(name) != fingerprint(str(path)) != fingerprint(name_span(str(path), 0, 1))
    with pytest.raises(DataError, match=r"expected a span inside the recording, received 3 to 4 of 2.0 s"):
        read_sound(name_span(str(path), 3, 4))


def test_a_header_that_claims_four_gigabytes_costs_nothing():
    raw = riff(1, 16, (TONE * 32767).astype("<i2").tobytes(), claimed=0xFFFFFFFF)
    assert len(read_sound(raw).samples) == RATE
    assert len(read_sound(raw[: len(raw) // 2]).samples) < RATE  # cut off: as far as it goes


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (riff(1, 16, b""), "a WAV file without samples"),
        (riff(1, 16, b"\0\0" * 20), "at least 20 ms of sound, received 1 ms"),
        (riff(2, 4, b"\0" * 4000), "expected PCM of 8 to 32 bits"),
        (riff(1, 16, b"\0\0" * 2000, rate=7), "samples a second, received 7"),
        (b"RIFF\0\0\0\0WAVE", "expected a WAV file with samples"),
        (b"", "an empty file"),
        (b"Dear reader, this is a letter.", "received text that begins"),
        ("nothing.wav", "no such file"),
        (".", "a folder"),
        ("data:audio/wav;base64,!!", "expected data:audio/wav;base64"),
        ([], "expected samples"),
        ([1.0, float("nan")], "no finite number"),
        (3.5, "received float"),
    ],
)
def test_what_is_no_sound_is_said_in_one_line(value, says):
    with pytest.raises((DataError, MissingExtra)) as error:
        read_sound(value)
    assert says in str(error.value) and "\n" not in str(error.value)


def test_compressed_sounds_whatever_their_name(tmp_path, monkeypatch):
    soundfile = pytest.importorskip("soundfile")
    for kind, suffix in (("FLAC", ".flac"), ("OGG", ".ogg"), ("MP3", ".mp3")):
        path = tmp_path / f"tone{suffix}"
        soundfile.write(path, TONE, RATE, format=kind)
        renamed = Path(path.with_name(f"{kind}.wav"))  # such as an mp3 that is called .wav
        renamed.write_bytes(path.read_bytes())
        for place in (path, renamed):
            heard = read_sound(place)
            assert heard.rate == RATE and 0.3 < float(np.abs(heard.samples).max()) < 0.7
            assert abs(seconds_of(place) - 1) < 0.15
    uri = "data:audio/flac;base64," + base64.b64encode((tmp_path / "tone.flac").read_bytes()).decode()
    assert np.abs(read_sound(uri).samples - TONE).max() < 1e-3
    assert read_sound(f"{tmp_path / 'tone.flac'}#t=0.25,0.75").seconds == 0.5
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(MissingExtra, match=r"lamella\[audio\]"):
        read_sound(tmp_path / "tone.flac")


def test_arrays_and_sounds_in_memory():
    assert read_sound(TONE).rate == RATE
    assert np.abs(read_sound((TONE * 32767).astype(np.int16)).samples - TONE).max() < 1e-3
    assert read_sound(np.stack([TONE, TONE])).samples.shape == TONE.shape
    sound = Sound(TONE, RATE)
    assert read_sound(sound, RATE) is sound and read_sound(sound, 8000).rate == 8000
    assert fingerprint(sound) == fingerprint(TONE)


@pytest.mark.parametrize("coding", ["IMA_ADPCM", "GSM610"])
def test_coded_samples_are_read_by_the_library(tmp_path, coding):
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / "a.wav", np.sin(np.arange(16000) / 8), 8000, subtype=coding)
    assert abs(seconds_of(str(tmp_path / "a.wav")) - 2) < 0.1
    assert read_sound(str(tmp_path / "a.wav"), 8000).samples.std() > 0.5


def test_what_is_wrong_with_a_compressed_sound_is_said(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    for suffix in ("flac", "ogg"):
        path = tmp_path / f"a.{suffix}"
        soundfile.write(path, np.sin(np.arange(160000) / 8), 16000)
        path.write_bytes(path.read_bytes()[:60])
        with pytest.raises(DataError, match="damaged or was cut off"):
            read_sound(str(path))
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(100))
    with pytest.raises(DataError, match="received M4A or MP4"):
        read_sound(str(tmp_path / "a.m4a"))


def test_samples_beyond_all_measure_have_features():
    """A warning of numpy is an error here."""
    with np.errstate(all="raise"):
        assert np.isfinite(log_mel(read_sound(np.full(RATE, 1e30)).samples, RATE)).all()
