"""Hashes of the training examples, to detect when a model is evaluated on data that it was trained on.

`fingerprint.bin` holds a salt and a sorted list of 40-bit hashes of the examples' keys (`Task.keys`: the text in one
form, the points of a picture). No text can be read from it; it only shows whether a given text is in it. With N keys, a
key that was not trained on matches by accident with a probability of N / 2^40: 3e-8 for 32,000, 1e-6 for a million.

Of more than MOST keys the smallest hashes are kept, a sample that depends on no order: those whose hash lies above
the last one kept are unknown, and what is counted is scaled up from the others.
"""

import hashlib
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from lamella.errors import ModelError

FILE = "fingerprint.bin"
MOST = 32_000  # keys, of 5 bytes each: 160 kB
WIDTH = 5  # bytes of a hash
MAGIC, SALT = b"LFP1", 8


class TrainedOn(msgspec.Struct, frozen=True):
    """How many of the given examples a model was trained on."""

    count: int
    of: int
    exact: bool  # False: scaled up from a sample of the keys


def make(keys: Iterable[Sequence[str]]) -> bytes:
    """The keys of each example -> a fingerprint; the same keys give the same bytes, in whatever order.

    >>> make([["a"], ["b", "c"]]) == make([["c"], ["b"], ["a"]])
    True
    """
    distinct = sorted({key for group in keys for key in group})
    salt = hashlib.blake2b("\0".join(distinct).encode(errors="surrogatepass"), digest_size=SALT).digest()
    return of(hashes([distinct], salt), salt)


def hashes(keys: Iterable[Sequence[str]], salt: bytes) -> NDArray[np.uint64]:
    """The keys of each example -> their hashes with this salt, each once, the smallest first."""
    return np.unique(np.array([_hash(key, salt) for group in keys for key in group], np.uint64))


def of(hashes: NDArray[np.uint64], salt: bytes) -> bytes:
    """A fingerprint of hashes in their order, such as those of a corpus whose keys are never together in memory."""
    complete = len(hashes) <= MOST
    rows = hashes[:MOST].astype(">u8").view(np.uint8).reshape(-1, 8)[:, -WIDTH:]
    return MAGIC + bytes([complete]) + salt + rows.tobytes()


def trained_on(raw: bytes, keys: Sequence[Sequence[str]]) -> TrainedOn:
    """Count the examples that share a key with the training data. ModelError if the bytes are not a fingerprint.

    >>> trained_on(make([["a"], ["b", "c"]]), [["c", "x"], ["d"]])
    TrainedOn(count=1, of=2, exact=True)
    """
    body = raw[len(MAGIC) + 1 + SALT :]
    if not raw.startswith(MAGIC) or raw[len(MAGIC) :][:1] not in (b"\0", b"\1") or len(body) % WIDTH:
        raise ModelError(f"{FILE}: expected a fingerprint of training data. Do not use this model.")
    complete, salt = bool(raw[len(MAGIC)]), raw[len(MAGIC) + 1 :][:SALT]
    known = _numbers(body)
    limit = (1 << 8 * WIDTH) - 1 if complete or not len(known) else int(known[-1])
    hits = known_rows = 0
    members = set(known.tolist())
    for group in keys:
        hashes = [h for key in group if (h := _hash(key, salt)) <= limit]
        known_rows += bool(hashes)
        hits += any(h in members for h in hashes)
    if complete:
        return TrainedOn(hits, len(keys), True)
    return TrainedOn(round(hits * len(keys) / known_rows) if known_rows else 0, len(keys), False)


def _numbers(body: bytes) -> NDArray[np.uint64]:
    rows = np.zeros((len(body) // WIDTH, 8), np.uint8)
    rows[:, -WIDTH:] = np.frombuffer(body, np.uint8).reshape(-1, WIDTH)
    return rows.view(">u8").ravel().astype(np.uint64)


def _hash(key: str, salt: bytes) -> int:
    raw = hashlib.blake2b(key.encode(errors="surrogatepass"), digest_size=WIDTH, key=salt).digest()
    return int.from_bytes(raw, "big")
