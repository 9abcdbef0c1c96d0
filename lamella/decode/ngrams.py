"""A count-based language model: how likely a symbol is after those before it.

    model = NGrams.learn([np.array([3, 5, 5])], symbols=8, order=3)
    model.distribution((3, 5))              (8,): the probability of each symbol after 3 5

Interpolated Kneser-Ney (Kneser and Ney, 1995; Chen and Goodman, 1999): of every count a discount is taken off and given to what
a shorter history says, where a symbol counts by the number of different symbols that it follows. Symbols are whole numbers;
those of an n-gram are packed into one, in order, so that all that go on from a history lie side by side.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
BITS = 62  # of a packed n-gram
SMALL = 2**31 - 1  # the largest count that 4 bytes hold
NEAR = 64  # n-grams that are looked through before all are
MOST_KNOWN = 50_000  # distributions and places that are kept: a search asks for the same ones again and again


class NGrams:
    """N-grams of every order with their counts; see the top of the file."""

    def __init__(self, symbols: int, keys: Sequence[Ints], counts: Sequence[Ints]) -> None:
        """keys, counts: for each order the packed n-grams, sorted, and how often each is counted."""
        self.symbols, self.keys, self.counts = symbols, list(keys), list(counts)
        self.bits = width_of(symbols)
        self.discounts = [discount(c) for c in self.counts]
        self._known: dict[tuple[int, ...], Floats] = {}
        self._after: dict[tuple[int, ...], tuple[int, int, int]] = {}

    @classmethod
    def learn(cls, sequences: Sequence[Ints], symbols: int, order: int) -> "NGrams":
        """Count sequences of whole numbers from 0 to symbols - 1; the order is lowered where its n-grams cannot be packed."""
        bits = width_of(symbols)
        order = max(1, min(order, BITS // bits))
        sequences = [s for s in sequences if len(s)]
        flat = np.concatenate([np.asarray(s, np.int64) for s in sequences]) if sequences else np.zeros(0, np.int64)
        line = np.repeat(np.arange(len(sequences)), [len(s) for s in sequences])
        begins = np.concatenate([[True], line[1:] != line[:-1]]) if len(line) else np.zeros(0, bool)
        packed = [flat]
        starts = [begins]
        for n in range(2, order + 1):
            whole = line[: len(line) - n + 1] == line[n - 1 :]  # all in one sequence
            longer = (packed[-1][: len(whole)] << bits) + flat[n - 1 :]
            packed.append(np.where(whole, longer, -1))
            starts.append(begins[: len(whole)])
        keys, counts = [], []
        for n, grams in enumerate(packed, start=1):
            real = grams >= 0
            if n == order:
                unique, count = np.unique(grams[real], return_counts=True)
            else:
                # By what comes before it, not by how often it occurs; the start of a sequence is one more such.
                wider = np.unique(packed[n][packed[n] >= 0]) & ((1 << bits * n) - 1)
                first = np.unique(grams[real & starts[n - 1]])
                unique, count = np.unique(np.concatenate([wider, first]), return_counts=True)
            keys.append(unique)
            counts.append(count.astype(np.int64))
        return cls(symbols, keys, counts)

    def distribution(self, history: tuple[int, ...]) -> Floats:
        """The probability of each symbol (symbols,) after these; only the last few of them count."""
        history = history[max(0, len(history) - len(self.keys) + 1) :]
        if history not in self._known:
            if len(self._known) > MOST_KNOWN:
                self._known.clear()
            self._known[history] = self._distribution(history)
        return self._known[history]

    def _distribution(self, history: tuple[int, ...]) -> Floats:
        # What the shorter history says is mostly known already.
        shorter = self.distribution(history[1:]) if history else np.full(self.symbols, 1 / self.symbols)
        low, high, total = self.after(history)
        if low == high:
            return shorter
        n, off = len(history), self.discounts[len(history)]
        likely: Floats = shorter * (off * (high - low) / total)
        likely[self.keys[n][low:high] & ((1 << self.bits) - 1)] += (self.counts[n][low:high] - off) / total
        return likely

    def probability(self, history: tuple[int, ...], symbol: int, base: float) -> float:
        """The probability of one symbol; base: that which the shortest history falls back to, in the place of all equal."""
        history = history[max(0, len(history) - len(self.keys) + 1) :]
        for n in range(len(history) + 1):
            context = history[len(history) - n :]
            low, high, total = self.after(context)
            if low == high:
                break
            base *= self.discounts[n] * (high - low) / total
            key = self._pack((*context, symbol))
            at = low + int(self.keys[n][low:high].searchsorted(key))
            if at < high and self.keys[n][at] == key:
                base += (self.counts[n][at] - self.discounts[n]) / total
        return base

    def left_over(self, history: tuple[int, ...]) -> float:
        """The share that a history leaves, over all shorter ones, to symbols that were never counted at all."""
        share = 1.0
        for n in range(min(len(history), len(self.keys) - 1) + 1):
            low, high, total = self.after(history[len(history) - n :])
            if low == high:
                break
            share *= self.discounts[n] * (high - low) / total
        return share

    def after(self, context: tuple[int, ...]) -> tuple[int, int, int]:
        """The n-grams that go on from a history: from, to, and the sum of their counts."""
        found = self._after.get(context)
        if found is None:
            key, keys, counts = self._pack(context), self.keys[len(context)], self.counts[len(context)]
            low, end = int(keys.searchsorted(key << self.bits)), (key + 1) << self.bits
            # Most histories go on in few ways: what is near is in the processor's cache already.
            high = low + int(keys[low : low + NEAR].searchsorted(end))
            high = int(keys.searchsorted(end)) if high == low + NEAR else high
            if len(self._after) > MOST_KNOWN:
                self._after.clear()
            found = self._after[context] = low, high, int(np.add.reduce(counts[low:high], dtype=np.int64))
        return found

    def _pack(self, symbols: tuple[int, ...]) -> int:
        key = 0
        for symbol in symbols:
            key = (key << self.bits) + symbol
        return key

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What a model folder keeps of it; the counts in half the bytes where they are small enough."""
        counts: list[NDArray[Any]] = [c.astype(np.int32) if c.max(initial=0) <= SMALL else c for c in self.counts]
        return {
            f"{prefix}{kind}{n}": array
            for kind, arrays in (("keys", self.keys), ("counts", counts))
            for n, array in enumerate(arrays)
        }

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, Ints], prefix: str, symbols: int) -> "NGrams":
        """From what `arrays` gave; ValueError where these are no n-grams of so many symbols."""
        keys: list[Ints] = []
        counts: list[Ints] = []
        while f"{prefix}keys{len(keys)}" in arrays:
            # Numbers of a file need not lie at places that are multiples of 8, and such arrays are copied by each search in them.
            keys.append(np.require(arrays[f"{prefix}keys{len(keys)}"], np.int64, ["C", "ALIGNED"]))
            counts.append(np.require(arrays[f"{prefix}counts{len(counts)}"], None, ["C", "ALIGNED"]))
        fine = bool(keys) and len(keys) * width_of(symbols) <= BITS
        for n, (grams, count) in enumerate(zip(keys, counts, strict=True), start=1):
            inside = grams.shape == count.shape and grams.ndim == 1 and count.dtype in (np.int32, np.int64)
            inside = inside and (not len(grams) or (grams[0] >= 0 and int(grams[-1]) >> width_of(symbols) * n == 0))
            fine = fine and inside and bool((grams[1:] > grams[:-1]).all()) and bool((count > 0).all())
            last = (grams & ((1 << width_of(symbols)) - 1)) if inside else grams
            fine = fine and bool((last < symbols).all())
        if not fine:
            raise ValueError("its n-grams are damaged")
        return cls(symbols, keys, counts)


def width_of(symbols: int) -> int:
    """Bits of a symbol.

    >>> width_of(8), width_of(9)
    (3, 4)
    """
    return max(1, (symbols - 1).bit_length())


def discount(counts: Ints) -> float:
    """What is taken off each count, by how many n-grams were counted once and twice (Ney et al., 1994)."""
    once, twice = np.count_nonzero(counts == 1), np.count_nonzero(counts == 2)
    return once / (once + 2 * twice) if once and twice else 0.5
