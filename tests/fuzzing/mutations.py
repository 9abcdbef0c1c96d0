"""Bytes -> other bytes that are nearly of the same format: what the loop of `tests.fuzzing` tries next."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from functools import partial

LARGEST = 1 << 16  # bytes of a mutated input
NUMBERS = (
    *(b"0", b"-1", b"1", b"255", b"65536", b"4294967295", b"9223372036854775808", b"-9223372036854775809"),
    *(b"99999", b"0.5", b"1e999", b"-1e-999", b"1e308", b"nan", b"inf", b"9" * 5000, b"0x10", b"\xd9\xa3", b"1_000"),
)
BYTES = (
    *(b"\x00", b"\xff", b"\x7f", b"\x80", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\x00\x00", b"\r", b"\n"),
    *(
        b"\r\n",
        b"\x1a",
        b"\xed\xa0\x80",
        b"\xc2\x85",
        b"\xe2\x80\xa8",
        b"\xe2\x80\x8f",
        b"\xf0\x9f\x98\x80",
        b"\xcc\x81",
    ),
    *(b"\x1b[2J", b"\xc3", b" ", b"\t", b"\\", b'"', b"'", b"\xc3\xa9", b"\xe4\xbd\xa0", b"\xd7\xa9"),
)
_NUMBER = re.compile(rb"\d+(?:\.\d+)?")

Mutation = Callable[[random.Random, bytes, Sequence[bytes], Sequence[bytes]], bytes]


def _span(rng: random.Random, data: bytes) -> tuple[int, int]:
    """The begin and the end of a stretch, mostly a short one."""
    begin = rng.randint(0, len(data))
    length = rng.randint(0, 8) if rng.random() < 0.7 else rng.randint(0, max(1, len(data) // 2))
    return begin, min(len(data), begin + length)


def _flip(rng: random.Random, data: bytes, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    if not data:
        return b"\x00"
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _byte(rng: random.Random, data: bytes, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    begin, end = _span(rng, data)
    return data[:begin] + rng.choice(BYTES) + data[end if rng.random() < 0.5 else begin :]


def _word(rng: random.Random, data: bytes, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    begin, end = _span(rng, data)
    return data[:begin] + rng.choice(words or BYTES) + data[end if rng.random() < 0.4 else begin :]


def _delete(rng: random.Random, data: bytes, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    begin, end = _span(rng, data)
    return data[:begin] + data[end:]


def _truncate(rng: random.Random, data: bytes, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    return data[: rng.randint(0, len(data))]


def _repeat(rng: random.Random, data: bytes, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    """A stretch or a word many times over: what shows effort that grows faster than the input."""
    begin, end = _span(rng, data)
    part = data[begin:end] if rng.random() < 0.5 else rng.choice(words or BYTES)
    count = rng.choice((2, 3, 10, 100, 1000)) if len(part) < 200 else 2
    return data[:begin] + part * count + data[begin if rng.random() < 0.5 else end :]


def _splice(rng: random.Random, data: bytes, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    other = rng.choice(others) if others else data
    begin, end = _span(rng, other)
    at = rng.randint(0, len(data))
    return data[:at] + (other[begin:end] if rng.random() < 0.5 else other[begin:])


def _swap(rng: random.Random, data: bytes, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    a, b, c = sorted(rng.randint(0, len(data)) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def _lines(rng: random.Random, data: bytes, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    lines = data.splitlines(keepends=True)
    if len(lines) > 1:
        a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
        action = rng.randrange(3)
        if action == 0:
            lines[a], lines[b] = lines[b], lines[a]
        elif action == 1:
            lines.insert(a, lines[b])
        else:
            del lines[a]
    return b"".join(lines)


def _number(rng: random.Random, data: bytes, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    places = list(_NUMBER.finditer(data[:LARGEST]))
    if not places:
        return data + rng.choice(NUMBERS)
    match = rng.choice(places)
    return data[: match.start()] + rng.choice(NUMBERS) + data[match.end() :]


def _binary(rng: random.Random, data: bytes, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    """Another whole number of 1, 2, 4 or 8 bytes, of either order."""
    size = rng.choice((1, 2, 4, 8))
    if len(data) < size:
        return data
    at = rng.randint(0, len(data) - size)
    value = rng.choice(
        (0, 1, len(data), len(data) - 1, at, 2 ** (8 * size) - 1, 2 ** (8 * size - 1), rng.getrandbits(8))
    )
    raw = (value % 2 ** (8 * size)).to_bytes(size, rng.choice(("little", "big")))
    return data[:at] + raw + data[at + size :]


def _encode(rng: random.Random, data: bytes, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    codec = rng.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "utf-8-sig", "cp1251", "shift-jis"))
    return data.decode("utf-8", "replace").encode(codec, "replace")


def _ends(rng: random.Random, data: bytes, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\n", rng.choice((b"\r\n", b"\r", b"\n\n", b" ", b"")))


MUTATIONS: tuple[tuple[Mutation, int], ...] = (
    *((_flip, 3), (_byte, 3), (_word, 5), (_delete, 2), (_truncate, 1), (_repeat, 3), (_splice, 2)),
    *((_swap, 1), (_lines, 2), (_number, 2), (_binary, 2), (_encode, 1), (_ends, 1)),
)
_WEIGHTED = [mutation for mutation, weight in MUTATIONS for _ in range(weight)]


def mutate(rng: random.Random, data: bytes, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    """A few changes, one after the other. others: inputs that parts may be taken from."""
    for _ in range(rng.choice((1, 1, 2, 2, 3, 5, 8))):
        data = rng.choice(_WEIGHTED)(rng, data, words, others)[:LARGEST]
    return data


def assembled(rng: random.Random, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    """Words of the format and lines of other inputs in any order."""
    lines = [line for other in others[:50] for line in other[:4096].splitlines(keepends=True)][:500]
    pool = [*words, *BYTES, *NUMBERS[:8], *lines] or [b""]
    return b"".join(rng.choices(pool, k=rng.choice((1, 3, 10, 30, 100))))[:LARGEST]


def repeats(words: Sequence[bytes], seeds: Sequence[bytes], size: int) -> list[Callable[[], bytes]]:
    """What makes inputs of about `size` bytes of one thing many times: a word, a seed, a line, or a word inside a seed;
    and of a word many times before another, as brackets that open and close."""

    def many(part: bytes, share: int = 1) -> bytes:
        return part * max(1, size // share // max(1, len(part)))

    def numbered(word: bytes) -> bytes:
        return b"".join(word + str(number).encode() for number in range(max(1, size // (len(word) + 5))))

    makers: list[Callable[[], bytes]] = []
    for word in words:
        makers += [partial(many, word), partial(lambda w: b"a" + many(w + b"\n") + b"a", word), partial(numbered, word)]
    for seed in filter(None, seeds[:6]):
        makers.append(partial(many, seed))
        makers += [partial(many, line) for line in seed[:4096].splitlines(keepends=True)[:12]]
        makers += [partial(lambda s, w: s[: len(s) // 2] + many(w) + s[len(s) // 2 :], seed, word) for word in words]
    for first in words[:24]:
        makers += [partial(lambda a, b: many(a, 2) + many(b, 2), first, second) for second in words[:24]]
    return makers
