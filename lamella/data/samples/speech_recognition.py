"""Words said by a machine that has a tone for each letter: the offline sample of speech recognition.

Each letter is two tones at once, as the vowels of a voice are, or hisses. Voices are high or low, fast or slow, the room is
noisy, and two words sound like two others, so that not everything can be right.
"""

from functools import lru_cache

import numpy as np

from lamella.data.media.resample import Samples
from lamella.data.media.wave import wave_uri

RATE = 8000
COUNTS = {"train": 240, "test": 40}
WORDS = ("red", "blue", "green", "lamp", "door", "fan", "on", "off", "up", "down", "stop", "go", "read", "blew")
SPOKEN = {"read": "red", "blew": "blue"}  # nobody can hear which of the two it is: only how often each is said can tell
SHARES = (0.09, 0.09, *[0.072] * 10, 0.05, 0.05)
LETTERS = "".join(sorted({letter for word in WORDS for letter in word}))
LOW, HIGH = (320.0, 560.0, 880.0, 1250.0), (1600.0, 2100.0, 2700.0, 3400.0)  # hertz: a letter has one of each
HISSING = "fst"


@lru_cache(maxsize=2)
def recordings(split: str) -> tuple[tuple[str, str], ...]:
    """(sound as a WAV data URI, what is said) of a split, "train" or "test", the same at every call.

    >>> len(recordings("test")), recordings("test")[0][0][:22]
    (40, 'data:audio/wav;base64,')
    """
    rng = np.random.default_rng(["train", "test"].index(split) + 23)
    rows = []
    for _ in range(COUNTS[split]):
        text = " ".join(rng.choice(WORDS, rng.integers(1, 4), p=SHARES))
        rows.append((wave_uri(say(text, rng), RATE, bits=8), text))
    return tuple(rows)


def say(text: str, rng: np.random.Generator) -> Samples:
    """A text of these letters and spaces, spoken by a voice that is drawn by chance."""
    pitch, pace = rng.uniform(0.94, 1.06), rng.uniform(0.07, 0.095)
    parts = [np.zeros(round(RATE * rng.uniform(0.03, 0.3)))]
    for letter in " ".join(SPOKEN.get(word, word) for word in text.split()):
        count = round(RATE * pace * rng.uniform(0.85, 1.15))
        parts.append(np.zeros(count) if letter == " " else _letter(letter, count, pitch, rng))
    parts.append(np.zeros(round(RATE * rng.uniform(0.03, 0.3))))
    sound = np.concatenate(parts) * rng.uniform(0.3, 0.8)
    return np.asarray(sound + rng.normal(0, 0.01, len(sound)), np.float32)


def _letter(
    letter: str, count: int, pitch: float, rng: np.random.Generator
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    time = np.arange(count) / RATE
    low, high = (table[i] for table, i in zip((LOW, HIGH), divmod(LETTERS.index(letter), len(HIGH)), strict=True))
    wave = np.sin(2 * np.pi * low * pitch * time) + 0.7 * np.sin(2 * np.pi * high * pitch * time)
    if letter in HISSING:
        wave = 0.7 * wave + rng.normal(0, 0.35, count)
    edge = np.minimum(1, np.minimum(time, time[::-1]) / 0.012)
    return np.asarray(0.4 * wave * edge)
