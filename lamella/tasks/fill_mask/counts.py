"""Words and phrases of the training text, counted: which words stood after, before and between which others.

A net of a few million weights that reads a text ten times knows less of its phrases than a table of them does. The tables here
have a row for each context, such as the two words before, with the words that stood there and how often. From the
shortest context to the longest a row is mixed with what the shorter one says (interpolated absolute discounting; Ney, Essen and
Kneser, 1994; Kneser and Ney, 1995), for each side by itself; how the sides, the net and the rest go together is learned
(`mixture.py`).

Contexts of few words are kept even if they were seen once, others if twice or three times, and fewer where all would take more
memory than is allowed.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import compress
from zlib import crc32

import msgspec
import numpy as np
from numpy.typing import NDArray

from lamella.data.text.pieces import UNKNOWN
from lamella.errors import ModelError
from lamella.tasks.fill_mask.passages import Passages

Ints = NDArray[np.integer]
Floats = NDArray[np.float32]

TOKEN = re.compile(r"[^\W\d_]+|\d|[^\w\s]")
EDGE = ""  # before the first and after the last word of a passage
UNSEEN = "\ue000"  # in the place of what is not known, such as another mask
LEFT = ((-1,), (-2, -1), (-3, -2, -1))  # the places of a context, from the word that is wanted
RIGHT = ((1,), (1, 2), (1, 2, 3))
BETWEEN = ((-1, 1), (-2, -1, 1), (-1, 1, 2), (-2, -1, 1, 2))
APART = ((-2,), (2,))
CONTEXTS = (*LEFT, *RIGHT, *BETWEEN, *APART)
NEAREST = (*LEFT[:2], *RIGHT[:2], BETWEEN[0])
# How often a context has to be seen; three times where it is none of these.
LEAST: dict[tuple[int, ...], int] = {**dict.fromkeys(NEAREST, 1), **dict.fromkeys(APART, 2)}
KEPT = 0.25  # of the bytes that counts may take, for the words of passages
REACH = 3  # words on each side that a context looks at
MOST_WORDS = 65_535  # the most frequent ones
DISCOUNTS = np.array([0.7, 0.9, 1.1], np.float32)  # of what was seen once, twice, more often
FLOOR = 0.02  # added to each count of a word by itself, so that none is impossible
# How often something was seen, in a byte: exactly up to 127, then in steps of a fourteenth.
STEPS = np.concatenate([np.arange(128), 127 * 2 ** (np.arange(1, 129) / 10)]).astype(np.float32)
ALIGNED = 4  # bytes that each array in a file begins at a multiple of, or looking something up would copy it first
Row = tuple[Ints, Floats]  # words, and how often each stood there


class Table(msgspec.Struct):
    """Rows of words by context: keys (C,) in order, ends (C,), words (N,) and levels (N,), the number of a step each.

    lone_keys, lone_words (L,): contexts that were seen once, and the word that stood there, which takes less.
    """

    keys: Ints
    ends: Ints
    words: Ints
    levels: Ints
    lone_keys: Ints
    lone_words: Ints

    def row(self, key: int) -> Row | None:
        """The words of a context, and how often each stood there."""
        if (at := _place(self.keys, key)) is not None:
            part = slice(int(self.ends[at - 1]) if at else 0, int(self.ends[at]))
            return self.words[part], STEPS[self.levels[part]]
        if (at := _place(self.lone_keys, key)) is not None:
            return self.lone_words[at : at + 1], STEPS[1:2]
        return None

    @property
    def size(self) -> int:
        """Bytes in a file."""
        return 6 * len(self.keys) + 3 * len(self.words) + 6 * len(self.lone_keys)


def _place(keys: Ints, key: int) -> int | None:
    at = int(np.searchsorted(keys, np.uint32(key)))
    return at if at < len(keys) and keys[at] == key else None


class _Head(msgspec.Struct):
    words: int
    text: int  # bytes of the words
    contexts: list[int]
    entries: list[int]
    lone: list[int]
    passages: list[int] = msgspec.field(
        default_factory=lambda: [0, 0]
    )  # how many, and how many words they have; earlier models have none
    folded: bool = False


class Counts:
    """What was counted in a text.

    words: those of letters, the most frequent first. often, after, before (W,): how often each was seen, after how many
    different words, before how many. lengths, firsts (2, W): how many pieces each has and the first one, with a space before it and
    without. passages: which words each passage had. folded: whether small and capital letters of contexts are the same, which
    they were not in an earlier version.
    """

    def __init__(
        self,
        words: Sequence[str],
        often: Ints,
        sides: Ints,
        lengths: Ints,
        firsts: Ints,
        tables: Sequence[Table],
        passages: Passages,
        folded: bool = True,
    ) -> None:
        self.words, self.often, self.sides, self.lengths, self.firsts = words, often, sides, lengths, firsts
        self.tables, self.passages, self.folded = dict(zip(CONTEXTS, tables, strict=True)), passages, folded

    @cached_property
    def ids(self) -> dict[str, int]:
        """The number of each word."""
        return dict(zip(self.words, range(len(self.words)), strict=True))

    @cached_property
    def alone(self) -> Floats:
        """How likely each word is whatever stands around it, and by after and before how many words it was seen, (3, W)."""
        counts = np.concatenate([self.often[None], self.sides]).astype(np.float32) + np.float32(FLOOR)
        return np.asarray(counts / counts.sum(axis=1, keepdims=True), np.float32)

    @property
    def new(self) -> float:
        """How likely a word is that was not seen: as likely as one that was seen once (Good, 1953)."""
        return float(np.clip((self.often == 1).sum() / max(1, int(self.often.sum())), 1e-4, 0.2))

    def code(self, word: str) -> int:
        """The hash of a word of a context: "And the" at the beginning of a line says what "and the" says within one."""
        return _code(word, self.folded)

    def row(self, places: tuple[int, ...], left: Sequence[str], right: Sequence[str]) -> Row | None:
        """The words of a context around a gap, of which `left` ends before it and `right` begins after it."""
        found = [left[place] if place < 0 else right[place - 1] for place in places]
        hashes = [np.array([self.code(word)], np.uint64) for word in found]
        return self.tables[places].row(int(_keys(hashes)[0]))

    def side(self, places: Sequence[tuple[int, ...]], left: Sequence[str], right: Sequence[str]) -> tuple[Floats, int]:
        """How likely each word is by the contexts of one side (W,), and how many of these were known."""
        likely, level = self.alone[1 if places is LEFT else 2 if places is RIGHT else 0], 0
        for one in places:
            row = self.row(one, left, right)
            if row is None:
                break
            likely, level = discounted(likely, row), level + 1
        return likely, level

    def alike(self, text: Iterable[str]) -> Floats:
        """The logarithm of how likely each word is in texts that have words of this one, (W,); all 0 where that was not kept."""
        if not len(self.passages):
            return np.zeros(len(self.words), np.float32)
        return self.passages.alike({n for word in text if (n := self.ids.get(word)) is not None})

    # ---- from a text -------------------------------------------------------------------------------------------

    @classmethod
    def learn(
        cls,
        texts: Iterable[str],
        spell: Callable[[Sequence[str]], Sequence[tuple[list[int], list[int]]]],
        most: int,
        before: "Counts | None" = None,
    ) -> "Counts":
        """Of normalised texts, in at most about so many bytes; with what an earlier text had, where there is one.

        spell: words -> the pieces of each, with a space before it and without.
        """
        passages = [TOKEN.findall(text) for text in texts]
        seen = Counter(token for tokens in passages for token in tokens if token[0].isalpha())
        if before:
            seen.update(dict(zip(before.words, before.often.tolist(), strict=True)))
        words = [word for word, _ in seen.most_common(MOST_WORDS)]
        spelt = spell(words)
        able = [all(ids and UNKNOWN not in ids for ids in pair) for pair in spelt]
        words, spelt = list(compress(words, able)), list(compress(spelt, able))
        ids = {word: n for n, word in enumerate(words)}
        around = [EDGE] * REACH
        flat = [token for tokens in passages for token in (*around, *tokens)] + around
        folded = before.folded if before else True
        code = {token: _code(token, folded) for token in set(flat)}
        hashes = np.array([code[token] for token in flat], np.uint64)
        numbers = np.array([ids.get(token, -1) for token in flat], np.int64)
        places = np.flatnonzero(numbers >= 0)
        also = np.array([ids.get(word, -1) for word in before.words], np.int64) if before else None
        tables = []
        for context in CONTEXTS:
            keys = _keys([hashes[places + place] for place in context])
            entries, counts = (keys << np.uint64(16)) | numbers[places].astype(np.uint64), None
            if before and also is not None:
                old, often = _entries(before.tables[context], also)
                counts = np.concatenate([np.ones(len(entries), np.float32), often])
                entries = np.concatenate([entries, old])
            tables.append(_gathered(entries, counts))
        sides = np.stack([np.bincount(_words(tables[CONTEXTS.index(c)]), minlength=len(words)) for c in ((-1,), (1,))])
        lengths, firsts = (
            np.array([[f(ids) for ids in pair] for pair in spelt]).reshape(-1, 2).T for f in (len, _first)
        )
        earlier = before.passages.renumbered(also) if before and also is not None else None
        kept = Passages.learn(passages, ids, int(KEPT * most), earlier)
        total = np.array([seen[w] for w in words])
        return cls(words, total, sides, lengths, firsts, _fitting(tables, most - kept.size), kept, folded)

    # ---- as bytes ----------------------------------------------------------------------------------------------

    def dump(self) -> bytes:
        """As bytes: a line of JSON that says how much follows, and that."""
        text, tables = "\n".join(self.words).encode(), list(self.tables.values())
        head = _Head(
            len(self.words),
            len(text),
            [len(t.keys) for t in tables],
            [len(t.words) for t in tables],
            [len(t.lone_keys) for t in tables],
            [len(self.passages), len(self.passages.words)],
            self.folded,
        )
        arrays = [
            self.often.astype("<u4"), self.sides.astype("<u4"), self.lengths.clip(1, 255).astype("<u1"), self.firsts.astype("<u4"),
        ]  # fmt: skip
        for t in tables:
            arrays += [t.keys.astype("<u4"), np.diff(t.ends, prepend=0).astype("<u2"), t.words.astype("<u2")]
            arrays += [t.levels.astype("<u1"), t.lone_keys.astype("<u4"), t.lone_words.astype("<u2")]
        arrays += [np.diff(self.passages.ends, prepend=0).astype("<u4"), self.passages.words.astype("<u2")]
        first = msgspec.json.encode(head)
        first += b" " * (-(len(first) + 1) % ALIGNED) + b"\n"
        return b"".join(part + bytes(-len(part) % ALIGNED) for part in (first, text, *(a.tobytes() for a in arrays)))

    @classmethod
    def load(cls, raw: bytes, pieces: int) -> "Counts":
        """From `dump`, for a vocabulary of so many pieces. ModelError for anything else."""
        first, _, _ = raw.partition(b"\n")
        at = len(first) + 1
        try:
            head = msgspec.json.decode(first, type=_Head)
            words = raw[at : at + max(0, head.text)].decode().split("\n")
        except ValueError as error:
            raise ModelError(f"the counts of words are damaged ({str(error)[:200]}). Copy the model again.") from error
        w = head.words
        kinds = [("<u1", head.text), ("<u4", w), ("<u4", 2 * w), ("<u1", 2 * w), ("<u4", 2 * w)]
        for c, n, lone in zip(head.contexts, head.entries, head.lone, strict=False):
            kinds += [("<u4", c), ("<u2", c), ("<u2", n), ("<u1", n), ("<u4", lone), ("<u2", lone)]
        if any(head.passages):
            kinds += zip(("<u4", "<u2"), head.passages, strict=False)
        sizes = [np.dtype(kind).itemsize * n for kind, n in kinds]
        sums = [w, head.text, *head.contexts, *head.entries, *head.lone, *head.passages]
        few = min(sums) < 0 or len(head.passages) != 2 or not 0 < w <= MOST_WORDS
        tables = len(head.contexts) == len(head.entries) == len(head.lone) == len(CONTEXTS)
        total = at + sum(size + -size % ALIGNED for size in sizes)
        if few or not tables or total != len(raw) or len(words) != w:
            raise ModelError("the counts of words have another size than they say. Do not use this model.")
        arrays = []
        for (kind, n), size in zip(kinds, sizes, strict=True):
            arrays.append(np.frombuffer(raw, kind, n, at))
            at += size + -size % ALIGNED
        often, sides, lengths, firsts = arrays[1], *(a.reshape(2, -1) for a in arrays[2:5])
        last = 5 + 6 * len(CONTEXTS)
        found = [
            Table(keys, np.cumsum(ends, dtype=np.int64), *rest)
            for keys, ends, *rest in zip(*(arrays[5 + i : last : 6] for i in range(6)), strict=True)
        ]
        ends, inside = arrays[last:] or (np.zeros(0, np.int64), np.zeros(0, np.uint16))
        passages = Passages(np.cumsum(ends, dtype=np.int64), inside, w)
        if firsts.max() >= pieces or not passages.sound or not all(_sound(table, w) for table in found):
            raise ModelError("the counts of words name some that are not there. Do not use this model.")
        return cls(words, often, sides, lengths, firsts, found, passages, head.folded)


def discounted(likely: Floats, row: Row) -> Floats:
    """Probabilities (W,) mixed with what was seen: a little of each count is given to all words, by these probabilities.

    >>> out = discounted(np.full(4, 0.25, np.float32), (np.array([2]), np.array([2.0], np.float32)))
    >>> [round(float(p), 2) for p in out]
    [0.11, 0.11, 0.66, 0.11]
    """
    words, often = row
    total = often.sum()
    less = DISCOUNTS[np.minimum(often, 3).astype(np.int64) - 1]
    out = likely * (less.sum() / total)
    out[words] += (often - np.minimum(less, often)) / total
    return np.asarray(out / out.sum(), np.float32)


def _code(word: str, folded: bool) -> int:
    return crc32((word.casefold() if folded else word).encode(errors="replace"))


def _first(ids: Sequence[int]) -> int:
    return ids[0]


def _keys(hashes: Sequence[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """Hashes of the words of contexts, place by place, -> 32 bits for each context."""
    keys = np.full(len(hashes[0]), len(hashes), np.uint64)
    for one in hashes:
        keys = (keys ^ one) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    return (keys * np.uint64(0xBF58476D1CE4E5B9)) >> np.uint64(32)


def _gathered(entries: NDArray[np.uint64], counts: Floats | None) -> tuple[NDArray[np.uint64], Floats]:
    """Entries, a key and a word each, to those that differ, in order, and how often each was seen; counts: of each, None: once."""
    if counts is None:
        entries = np.sort(entries)  # several times as fast as an order
    else:
        order = np.argsort(entries, kind="stable")
        entries, counts = entries[order], counts[order]
    first = np.flatnonzero(np.diff(entries, prepend=~entries[:1]))
    if counts is None or not len(first):
        return entries[first], np.diff(first, append=len(entries)).astype(np.float32)
    return entries[first], np.add.reduceat(counts, first)


def _words(gathered: tuple[NDArray[np.uint64], Floats]) -> NDArray[np.int64]:
    return (gathered[0] & np.uint64(0xFFFF)).astype(np.int64)


def _entries(table: Table, ids: NDArray[np.int64]) -> tuple[NDArray[np.uint64], Floats]:
    """The entries of a table, with other numbers of its words, -1 for one that is left out."""
    keys = np.concatenate([np.repeat(table.keys, np.diff(table.ends, prepend=0)), table.lone_keys]).astype(np.uint64)
    words = ids[np.concatenate([table.words, table.lone_words])]
    often = STEPS[np.concatenate([table.levels, np.ones(len(table.lone_keys), np.int64)])]
    kept = words >= 0
    return (keys[kept] << np.uint64(16)) | words[kept].astype(np.uint64), often[kept]


def _fitting(tables: Sequence[tuple[NDArray[np.uint64], Floats]], most: int) -> list[Table]:
    """Tables of the contexts that were seen often enough for all to be of at most so many bytes.

    At first all that hang on the nearest two words, and of the others those that were seen two or three times.
    """
    least = 1
    while True:
        pairs = zip(CONTEXTS, tables, strict=True)
        made = [_table(entries, counts, max(least, LEAST.get(context, 3))) for context, (entries, counts) in pairs]
        if sum(table.size for table in made) <= most:
            return made
        least += max(1, least // 2)


def _table(entries: NDArray[np.uint64], counts: Floats, least: int) -> Table:
    keys = entries >> np.uint64(16)
    starts = np.flatnonzero(np.diff(keys, prepend=~keys[:1]))
    sizes = np.diff(starts, append=len(keys))
    seen = np.add.reduceat(counts, starts) if len(starts) else np.zeros(0)
    kept = seen >= max(2, least)
    entry = np.repeat(kept, sizes)
    often = counts[entry]
    levels = np.searchsorted(STEPS, often).clip(1, len(STEPS) - 1)
    levels -= (STEPS[levels] - often > often - STEPS[levels - 1]) & (levels > 1)  # the nearer one
    words = (entries & np.uint64(0xFFFF)).astype(np.uint16)
    lone = starts[seen < 2] if least < 2 else starts[:0]
    return Table(
        keys[starts[kept]].astype(np.uint32), np.cumsum(sizes[kept]), words[entry], levels.astype(np.uint8),
        keys[lone].astype(np.uint32), words[lone],
    )  # fmt: skip


def _sound(table: Table, words: int) -> bool:
    """Whether a table of a file names nothing that is not there."""
    whole = int(table.ends[-1]) if len(table.ends) else 0
    steps = all((np.diff(keys.astype(np.int64)) > 0).all() for keys in (table.keys, table.lone_keys))
    known = all(not len(ids) or int(ids.max()) < words for ids in (table.words, table.lone_words))
    filled = not len(table.levels) or int(table.levels.min()) > 0
    ends = bool((np.diff(table.ends, prepend=0) > 0).all())
    return whole == len(table.words) and steps and known and filled and ends
