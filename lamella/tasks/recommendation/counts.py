"""What can be counted in histories: what follows what, what is chosen by the same people, and how often each item is.

On a few thousand histories these counts recommend about as well as a net, and they need no training. Their logarithms are
members of a mixture; how much each counts is learned from choices that none of them has seen (`weigh`).
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lamella.errors import ModelError

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

STEPS = (1.0, 0.5, 0.33)  # how much the latest item counts for what is next, and those before it
APART = 100  # items of a history, between which two count as chosen by the same person
LATEST = 10  # items of a history whose neighbours are looked at
ROW = 100  # entries kept of an item
SHRUNK = 5.0  # strength of the prior on what follows an item: how often each is chosen in all
LIFTED = 0.1  # share of the same prior in what neighbours say
DECAY = 0.8  # of what was chosen before, for each item since
LEAST = 1e-6  # a probability that is nearly none
PARTS = ("the net", "what follows", "neighbours", "popularity", "choices before")
FIRST_GUESS = (1.0, 0.3, 0.3, 0.0, 0.0)  # their weights before any are learned
FEW = 300  # items of a catalogue, up to which matrices are kept in full
FADING: Floats = (DECAY ** np.arange(LATEST)).astype(np.float32)  # of the latest items, the last first
DOUBT = 10.0  # strength of the prior on the weights


class Rows:
    """A sparse matrix (N, N) by rows: of each item some others with a value."""

    def __init__(self, ends: Ints, ids: NDArray[Any], values: NDArray[Any]) -> None:
        self.ends, self.ids, self.values = ends, ids, values

    @classmethod
    def of(cls, keys: Ints, values: NDArray[np.float64], count: int, most: int = ROW) -> "Rows":
        """From entries (row * count + column), each once and in order, with their values: the `most` largest of each row."""
        rows = keys // count
        order = np.lexsort([-values, rows])
        rank = np.arange(len(rows)) - np.searchsorted(rows, rows)  # rows are sorted, and stay so in this order
        kept = order[rank < most]
        kept.sort()
        ends = np.searchsorted(rows[kept], np.arange(count), side="right")
        return cls(ends, (keys[kept] % count).astype(np.int32), values[kept].astype(np.float32))

    def row(self, at: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """The columns and the values of a row."""
        part = slice(int(self.ends[at - 1]) if at else 0, int(self.ends[at]))
        return self.ids[part], self.values[part]


class Counts:
    """The counts of a catalogue's items, numbered from 0.

    >>> counts = Counts.learn([np.array([0, 1, 2]), np.array([0, 1])], items=4)
    >>> [round(float(share), 2) for share in counts.scores([0])[0]]  # after 0 comes 1
    [0.25, 0.52, 0.2, 0.02]
    """

    def __init__(self, often: Ints, follows: Rows, near: Rows) -> None:
        self.often, self.follows, self.near = often, follows, near
        known = often + 0.2
        self.popular: Floats = (known / known.sum()).astype(np.float32)  # (N,)
        self.log_popular: Floats = np.log(self.popular)

    @classmethod
    def learn(cls, histories: Sequence[Ints], items: int) -> "Counts":
        """histories: the items of each in order."""
        flat = np.concatenate([*histories, np.zeros(0, np.int64)]).astype(np.int64)
        owner = np.repeat(np.arange(len(histories)), [len(h) for h in histories])
        often = np.bincount(flat, minlength=items)
        follows, near = _Sums(items), _Sums(items)
        for apart in range(1, APART):
            same = owner[apart:] == owner[:-apart]
            if not same.any():
                break
            before, after = flat[:-apart][same], flat[apart:][same]
            if apart <= len(STEPS):
                follows.add(before, after, STEPS[apart - 1])
            other = before != after
            near.add(before[other], after[other])
            near.add(after[other], before[other])
        keys, sums = near.total()
        cosine = sums / np.sqrt(often[keys // items] * np.maximum(1, often[keys % items]))
        return cls(often, Rows.of(*follows.total(), items), Rows.of(keys, cosine, items))

    def scores(self, history: Sequence[int]) -> tuple[Floats, Floats, Floats, Floats]:
        """Probabilities (N,) by each of the counts: what follows the latest items, their neighbours, popularity, choices
        before."""
        seen = np.array([[item + 1 for item in history] or [0]])
        parts = latest_of(seen)
        follows, near = self._follow(parts[:, : len(STEPS)])[0], self._neighbours(parts)[0]
        return follows, near, self.popular, self._before(seen)[0]

    def logs(self, seen: NDArray[Any], wanted: Sequence[Any] = (1, 1, 1, 1)) -> list[Floats]:
        """The logarithms of `scores` of histories (B, S), as items from 1, padded with 0 at the end: (B, N), or (N,) of what is
        the same for all; of a part that is not wanted one number."""
        latest, unwanted = latest_of(seen), np.zeros((), np.float32)
        return [
            _log(self._follow(latest[:, : len(STEPS)])) if wanted[0] else unwanted,
            _log(self._neighbours(latest)) if wanted[1] else unwanted,
            _log(self.popular) if wanted[2] else unwanted,
            _log(self._before(seen)) if wanted[3] else unwanted,
        ]

    def _follow(self, latest: Ints) -> Floats:
        """What follows the latest items (B, K), the last first, from 1, 0 for none: (B, N)."""
        weights = np.array(STEPS[: latest.shape[1]], np.float32)
        total = ((latest > 0) @ weights)[:, None]
        found = self._gathered(latest, weights, "follows")
        if self._tables is None:
            found += (self.priors[latest] @ weights)[:, None] * self.popular
        return np.where(total > 0, found / np.maximum(total, np.float32(LEAST)), self.popular)

    def _neighbours(self, latest: Ints) -> Floats:
        """What the same people choose as the latest items (B, K): (B, N)."""
        found = self._gathered(latest, FADING[: latest.shape[1]], "near")
        mass = found.sum(axis=1, keepdims=True)
        lifted = (1 - LIFTED) / np.maximum(mass, np.float32(1e-30)) * found + LIFTED * self.popular
        return np.where(mass > 0, lifted, self.popular).astype(np.float32, copy=False)

    def _before(self, seen: NDArray[Any]) -> Floats:
        """What was chosen before, the latest most: (B, N)."""
        rows, columns = np.nonzero(seen)
        age = np.count_nonzero(seen, axis=1)[rows] - 1 - columns
        places = rows * len(self.often) + seen[rows, columns] - 1
        counts = np.bincount(places, DECAY**age, len(seen) * len(self.often)).reshape(len(seen), -1)
        mass = counts.sum(axis=1, keepdims=True)
        return np.where(mass > 0, counts / np.maximum(mass, LEAST) + LEAST, 1.0).astype(np.float32)

    def _gathered(self, latest: Ints, weights: Floats, name: str) -> Floats:
        """The rows of items (B, K), from 1, 0 for none, each times its weight (K,), added up: (B, N)."""
        if self._tables is not None:
            return np.asarray(weights @ self._tables[name][latest])
        rows, ranks = np.nonzero(latest)
        items, own = latest[rows, ranks] - 1, weights[ranks]
        if name == "follows":
            own = own * self.shares[items]
        matrix: Rows = getattr(self, name)
        low = np.where(items > 0, matrix.ends[items - 1], 0)
        counts = matrix.ends[items] - low
        origin = np.repeat(np.arange(len(items)), counts)
        at = np.arange(len(origin)) - (np.cumsum(counts) - counts - low)[origin]
        places = rows[origin] * len(self.often) + matrix.ids[at]
        summed = np.bincount(places, own[origin] * matrix.values[at], len(latest) * len(self.often))
        return summed.reshape(len(latest), -1).astype(np.float32)

    @cached_property
    def priors(self) -> Floats:
        """How much of what follows each item, from 1, is popularity: (1 + N,), 0 for none."""
        return np.concatenate([[0], SHRUNK / (self._sums + SHRUNK)]).astype(np.float32)

    @cached_property
    def shares(self) -> Floats:
        """By how much counts of what follows each item are divided: (N,)."""
        return ((1 - self.priors[1:]) / np.maximum(self._sums, LEAST)).astype(np.float32)

    @property
    def _sums(self) -> NDArray[np.float64]:
        """The sum of the counts of what follows each item."""
        rows = np.repeat(np.arange(len(self.often)), np.diff(self.follows.ends, prepend=0))
        return np.bincount(rows, self.follows.values, len(self.often)).astype(np.float64)

    @cached_property
    def _tables(self) -> dict[str, Floats] | None:
        """Both matrices in full, of few items: row 0 for none, and in what follows popularity is counted in."""
        count = len(self.often)
        if count > FEW:
            return None
        tables = {}
        for name, scale in (("follows", self.shares), ("near", np.ones(count, np.float32))):
            matrix: Rows = getattr(self, name)
            table = np.zeros((count + 1, count), np.float32)
            rows = np.repeat(np.arange(count), np.diff(matrix.ends, prepend=0))
            table[rows + 1, matrix.ids] = matrix.values * scale[rows]
            tables[name] = table
        tables["follows"] += self.priors[:, None] * self.popular
        return tables

    def evidence(self, item: int, history: Sequence[int]) -> list[tuple[int, float, float]]:
        """Of each item of a history: (item, how often the other came within three choices, how alike their choosers are)."""
        found = []
        for one in dict.fromkeys(history):
            values = [float(v[ids == item].sum()) for ids, v in (self.follows.row(one), self.near.row(one))]
            found.append((one, values[0], values[1]))
        return found

    def dump(self) -> bytes:
        """As bytes: a line of JSON that says how many numbers follow, and these."""
        arrays = [a for rows in (self.follows, self.near) for a in (rows.ends, rows.ids, rows.values)]
        head = _Head(len(self.often), len(self.follows.ids), len(self.near.ids))
        kinds = ("<i4", "<i4", "<f2") * 2
        body = [np.asarray(a).astype(k).tobytes() for a, k in zip(arrays, kinds, strict=True)]
        return b"".join([msgspec.json.encode(head), b"\n", self.often.astype("<i4").tobytes(), *body])

    @classmethod
    def load(cls, raw: bytes) -> "Counts":
        """From `dump`. ModelError for anything else."""
        first, _, body = raw.partition(b"\n")
        try:
            head = msgspec.json.decode(first, type=_Head)
        except ValueError as error:
            raise ModelError(f"the counts of items are damaged ({error}). Copy the model again.") from error
        n, sizes = head.items, [head.items, head.items, head.follows, head.follows, head.items, head.near, head.near]
        kinds = ["<i4", "<i4", "<i4", "<f2", "<i4", "<i4", "<f2"]
        widths = [np.dtype(kind).itemsize for kind in kinds]
        if min(sizes) < 0 or sum(s * w for s, w in zip(sizes, widths, strict=True)) != len(body):
            raise ModelError("the counts of items have another size than they say. Do not use this model.")
        arrays, at = [], 0
        for size, kind, width in zip(sizes, kinds, widths, strict=True):
            arrays.append(np.frombuffer(body, kind, size, at))
            at += size * width
        often, *rest = arrays
        rows = []
        for ends, ids, values in (rest[:3], rest[3:]):
            sound = not len(ids) or 0 <= ids.min() <= ids.max() < n
            grows = n and ends[0] >= 0 and (np.diff(ends) >= 0).all() and ends[-1] == len(ids)
            if not (sound and grows and np.isfinite(values).all() and (values >= 0).all()):
                raise ModelError("the counts of items name some that are not there. Do not use this model.")
            rows.append(Rows(ends.astype(np.int64), ids, values.astype(np.float32)))
        if (often < 0).any():
            raise ModelError("the counts of items are less than none. Do not use this model.")
        return cls(often.astype(np.int64), rows[0], rows[1])


class _Head(msgspec.Struct):
    items: int
    follows: int
    near: int


class _Sums:
    """Entries of a sparse matrix, added up now and then, so that memory holds few of them twice."""

    MANY = 4_000_000  # entries that wait; a matrix of so many is added up whole, which needs no sorting

    def __init__(self, count: int) -> None:
        self.count, self.waiting = count, 0
        self.keys: list[Ints] = []
        self.values: list[NDArray[np.float64]] = []
        self.whole = np.zeros(count * count) if count * count <= self.MANY else None

    def add(self, rows: Ints, columns: Ints, value: float = 1.0) -> None:
        self.keys.append(rows * self.count + columns)
        self.values.append(np.full(len(rows), value))
        self.waiting += len(rows)
        if self.waiting > self.MANY:
            self._add_up()

    def _add_up(self) -> None:
        keys = np.concatenate([*self.keys, np.zeros(0, np.int64)])
        values = np.concatenate([*self.values, np.zeros(0)])
        if self.whole is not None:
            self.whole += np.bincount(keys, values, len(self.whole))
            self.keys, self.values = [], []
        else:
            entries, inverse = np.unique(keys, return_inverse=True)
            self.keys, self.values = [entries], [np.bincount(inverse, values, len(entries)).astype(np.float64)]
        self.waiting = 0

    def total(self) -> tuple[Ints, NDArray[np.float64]]:
        """Each entry once, in order, and its sum."""
        self._add_up()
        if self.whole is not None:
            entries = np.flatnonzero(self.whole)
            return entries, self.whole[entries]
        return self.keys[0], self.values[0]


def latest_of(seen: NDArray[Any], count: int = LATEST) -> Ints:
    """Histories (B, S), padded with 0 at the end -> their latest items (B, K), the last first, 0 for none.

    >>> latest_of(np.array([[4, 5, 6], [7, 0, 0]]), 2).tolist()
    [[6, 5], [7, 0]]
    """
    columns = np.count_nonzero(seen, axis=1)[:, None] - 1 - np.arange(min(count, seen.shape[1]))
    return np.where(columns >= 0, np.take_along_axis(seen, np.maximum(columns, 0), axis=1), 0)


def _log(shares: Floats) -> Floats:
    return np.log(np.maximum(shares, np.float32(1e-9)))


def weigh(parts: NDArray[Any], wanted: Ints, first: Sequence[float] = FIRST_GUESS, doubt: float = DOUBT) -> list[float]:
    """The weights (P,) of parts of a score under which what was chosen is likeliest, by Newton's method.

    parts (R, P, V): logarithms by each part for all items of R choices, minus infinity where an item cannot be chosen; wanted
    (R,): what was. The loss is convex; the weights are pulled towards `first`, so that a few choices change little.

    >>> right = np.log(np.array([[[0.9, 0.1], [0.5, 0.5]]] * 50))
    >>> [round(w, 1) for w in weigh(right, np.zeros(50, np.int64), (1.0, 1.0))]
    [1.4, 1.0]
    """
    prior = np.array(first, np.float64)
    weights = prior.copy()
    rows = np.arange(len(wanted))
    for _ in range(30):
        slope, bend = doubt * (weights - prior), doubt * np.eye(len(prior))
        for row in rows:  # one at a time: all at once are large
            allowed = np.isfinite(parts[row]).all(axis=0)
            x = parts[row][:, allowed].astype(np.float64)  # (P, V)
            likely = softmax(weights @ x)
            mean = x @ likely
            slope -= parts[row][:, wanted[row]] - mean
            bend += (x * likely) @ x.T - np.outer(mean, mean)
        step = np.linalg.solve(bend, slope)
        weights -= np.clip(step, -0.5, 0.5)
        if np.abs(step).max() < 1e-3:
            break
    return [round(float(w), 4) for w in weights]


def softmax(scores: NDArray[Any]) -> NDArray[np.float64]:
    """Scores (..., V), minus infinity for what cannot be -> probabilities (..., V).

    >>> softmax(np.array([0.0, 0.0, -np.inf])).tolist()
    [0.5, 0.5, 0.0]
    """
    scores = scores.astype(np.float64)
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=-1, keepdims=True))
