"""Noise of rising strength: none at 0, more of the same at more, and for every kind of value that names some."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from lamella import fields
from lamella.data.media.sounds import Sound
from lamella.data.noise import lists, numbers, pictures, sounds, text

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
SENTENCE = "The old lighthouse keeper, déjà vu, walked to the corner shop: 1 loaf of bread and 2 litres of milk."
COLUMNS = ({"name": "width", "mean": 5.0, "spread": 2.0}, {"name": "colour", "names": ["red", "blue"]})
MANY = tuple({"name": f"column {i}", "mean": 5.0, "spread": 2.0} for i in range(12))
VALUES = [
    (fields.Text(), SENTENCE),
    (fields.Image(), np.random.default_rng(0).integers(0, 255, (24, 32, 3)).astype(np.uint8)),
    (fields.Audio(), Sound(np.sin(np.arange(8000) / 5, dtype=np.float32), 16000)),
    (fields.Series(), [float(i % 7) for i in range(60)]),
    (fields.Row(columns=MANY), {str(column["name"]): 4.0 for column in MANY}),
    (fields.Items(), [f"item {i}" for i in range(30)]),
]


def rng():
    return np.random.default_rng(5)


def same(one, other):
    if isinstance(one, Sound):
        return np.array_equal(one.samples, other.samples)
    return np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other


@pytest.mark.parametrize(("field", "value"), VALUES, ids=[field.kind for field, _ in VALUES])
def test_strengths(field, value):
    """At 0 nothing changes, at 1 something does; one seed gives one result, whatever was asked before."""
    assert field.noises
    for noise in field.noises:
        assert same(field.disturb(value, noise, 0.0, rng()), value), noise
        made = [field.disturb(value, noise, strength, rng()) for strength in STRENGTHS]
        assert not same(made[-1], value), noise
        assert all(same(a, field.disturb(value, noise, s, rng())) for s, a in zip(STRENGTHS, made)), noise
        assert field.check("value", made[-1]) is not None, noise


def test_every_table_is_named_by_its_kind():
    assert set(fields.Text.noises) == set(text.NOISES) and set(fields.Image.noises) == set(pictures.NOISES)
    assert set(fields.Audio.noises) == set(sounds.NOISES) and set(fields.Series.noises) == set(numbers.NOISES)
    assert set(fields.Row.noises) == set(numbers.ROWS) and set(fields.Items.noises) == set(lists.NOISES)


@pytest.mark.parametrize("noise", ["capitals", "small letters", "accents", "lost marks", "doubled words"])
def test_a_stronger_noise_keeps_what_a_weaker_one_changed(noise):
    made = [text.NOISES[noise](SENTENCE, strength, rng()) for strength in STRENGTHS]
    changed = [sum(a != b for a, b in zip(one.split(), SENTENCE.split())) for one in made]
    assert changed == sorted(changed) and changed[-1] > changed[0] == 0


def test_texts():
    full = {name: noise(SENTENCE, 1.0, rng()) for name, noise in text.NOISES.items()}
    assert full["capitals"] == SENTENCE.upper() and full["small letters"] == SENTENCE.lower()
    assert "deja vu" in full["accents"] and not set(",:.") & set(full["lost marks"])
    assert 0 < len(full["lost words"].split()) < len(SENTENCE.split()) < len(full["doubled words"].split())
    digits = [c for c in SENTENCE if c.isdigit()]
    assert [c for c in full["typos"] if c.isdigit()] == digits  # a digit changes what is said
    assert text.NOISES["lost words"]("word", 1.0, rng()) == "word" and text.NOISES["typos"]("", 1.0, rng()) == ""


def test_masks_stay():
    field = fields.Text(fixed="_{3,}")
    for noise in field.noises:
        assert field.disturb("the ___ sat on ___ mat", noise, 1.0, rng()).count("___") == 2


def test_pictures_keep_their_size_and_colours():
    value = np.zeros((20, 30, 3), np.uint8) + np.array([200, 100, 50], np.uint8)
    for noise in pictures.NOISES:
        made = pictures.disturbed(value, noise, 1.0, rng())
        assert made.shape == value.shape and made.dtype == np.uint8, noise
    grey = pictures.disturbed(np.full((20, 30), 90, np.uint8), "blur", 1.0, rng())
    assert grey.shape == (20, 30) and abs(int(grey.mean()) - 90) < 3
    covered = [int((pictures.disturbed(value, "covered", s, rng()) == 128).all(axis=2).sum()) for s in STRENGTHS]
    assert covered == sorted(covered) and covered[0] == 0


def test_sounds():
    sound = Sound(np.sin(np.arange(16000) / 3, dtype=np.float32), 16000)
    made = {noise: sounds.disturbed(sound, noise, 1.0, rng()) for noise in sounds.NOISES}
    loud = {name: float(np.abs(one.samples).max()) for name, one in made.items()}
    assert all(len(one.samples) == 16000 and one.rate == 16000 for one in made.values())
    assert loud["quiet"] < 0.02 and loud["clipped"] < 0.05 and loud["hiss"] > 1
    assert float(np.abs(made["narrow"].samples[500:-500]).max()) > 0.9  # a tone of 850 Hz stays, one of 3,000 goes
    high = Sound(np.sin(np.arange(16000) * 1.2, dtype=np.float32), 16000)
    assert float(np.abs(sounds.disturbed(high, "narrow", 1.0, rng()).samples[500:-500]).max()) < 0.1


def test_rows_of_text_and_what_is_no_number():
    row = numbers.row("4,red", COLUMNS, "inexact", 1.0, rng())
    assert row["colour"] == "red" and row["width"] != 4
    assert numbers.row({"width": "", "colour": "red"}, COLUMNS, "inexact", 1.0, rng()) == {"width": "", "colour": "red"}
    gone = [
        numbers.row({"width": 4.0, "colour": "red"}, COLUMNS, "missing", 1.0, np.random.default_rng(i))
        for i in range(40)
    ]
    assert any(None in one.values() for one in gone) and all(set(one.values()) != {None} for one in gone)


def test_fields_without_noise_say_so():
    assert not fields.Label().noises and msgspec.to_builtins(fields.Text()) == {"kind": "text"}
