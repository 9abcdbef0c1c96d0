"""The pairs that a translator was adapted to, looked up while it writes: nearest neighbours beside the net.

Weights that learn 2,000 pairs well enough to show forget everything else. So they move little, and what the pairs say is kept
beside them (kNN-MT; Khandelwal et al., 2021, "Nearest Neighbor Machine Translation"): for each position of each translation
the decoder's hidden state, which is what the net knows there, and the piece that follows. While a text is translated, its
hidden states are compared with those of the pairs whose sources are most like it (Dai et al., 2023, "Simple and Scalable
Nearest Neighbor Machine Translation"). Where one is near, what followed there is mixed with what the net says; where none
is, as with texts of other kinds, the net's answer stays as it is.

    head | JSON: the language of the translations, pairs of source and translation | and of a net that has been trained:
        mean (D,) f32 | basis (D, R) f32 | pieces of each translation (P,) u32 | keys (N, R) i8

all little-endian. The positions are those of all translations, one after another; what follows at each is cut anew.
"""

import math
import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from lamella.data.text.pieces import PADDING, START
from lamella.errors import ModelError
from lamella.task import Array, Arrays, Example, GraphLike, Run
from lamella.tasks.translation.outcomes import Outcome

if TYPE_CHECKING:
    from lamella.tasks.translation import Translation

Ids = NDArray[np.int64]
Floats = NDArray[np.float32]
Ask = Callable[[Sequence[Example]], list[Outcome]]

HEAD = struct.Struct("<4sIIIIIffff")  # mark, bytes of the JSON, P, N, R, D; unit, distance, likeness, share
MARK = b"near"
MOST = 10_000  # pairs that are kept
LETTERS = 400  # of a translation that is: whole paragraphs hardly come again
FEWEST = 20  # pairs, below which distances say nothing
DIMENSIONS = 96  # of a key: the principal components of the hidden states
ALIKE = 16  # pairs of whose positions a sentence is compared with
NEAREST = 8  # positions that are mixed
SHARE = 0.8  # of the probability, at most, that is the neighbours'
# Where half of it is left: at which quantile of the distances between a pair's own states and the nearest ones of other pairs,
# and of how alike the most alike other pair is.
FAR, ALIEN = 0.75, 0.4
FALL, SLOPE = 0.3, 0.04  # how fast the share falls beyond: of that distance, and in likeness
WARMTH = 0.2  # of that distance: how much less a farther neighbour counts
LEAST = 1e-3  # a smaller share is none
TRIED = 150  # pairs by which distance and likeness are set
TOLD, SHOWN = 0.1, 5  # probability from a pair on which it is named in an explanation, and pairs named there
ROW = "near"  # the name under which a search keeps which sentence a row is


class Store(Struct, frozen=True):
    """What is kept of the pairs. Before the net is trained they have no keys."""

    to: str  # the language of the translations: a net may know several
    pairs: list[tuple[str, str]]
    mean: Floats  # (D,)
    basis: Floats  # (D, R)
    counts: Ids  # (P,): positions of each pair
    keys: NDArray[np.int8]  # (N, R), in units of
    unit: float
    distance: float  # squared, at which half of `share` is left
    likeness: float  # of the most alike pair, at which half of it is left
    share: float

    def pack(self) -> bytes:
        import json  # here, since a translator that ships has no pairs

        text = json.dumps([self.to, self.pairs], ensure_ascii=False).encode("utf-8", "replace")
        numbers = self.unit, self.distance, self.likeness, self.share
        head = HEAD.pack(MARK, len(text), len(self.pairs), *self.keys.shape, len(self.mean), *numbers)
        arrays = self.mean.astype("<f4"), self.basis.astype("<f4"), self.counts.astype("<u4"), self.keys
        return b"".join([head, text, *(array.tobytes() for array in arrays if self.keys.size)])

    def rows(self, places: Ids) -> Floats:
        """Some keys (M, R) as numbers."""
        return self.keys[places].astype(np.float32) * np.float32(self.unit)


def unpack(raw: bytes) -> Store:
    """ModelError where the bytes are no store of pairs."""
    import json

    try:
        mark, length, pairs, count, size, width, *numbers = HEAD.unpack_from(raw)
        kinds = ("<f4", "<f4", "<u4", "i1")
        counts = (width, width * size, pairs, count * size) if count else (0, 0, 0, 0)
        sizes = [n * np.dtype(kind).itemsize for n, kind in zip(counts, kinds, strict=True)]
        starts = [HEAD.size + length + sum(sizes[:i]) for i in range(5)]
        sound = min(numbers[:2]) > 0 and 0 <= numbers[3] <= 1 and np.isfinite(numbers).all()
        if mark != MARK or starts[4] != len(raw) or not sound:
            raise ValueError(f"expected {starts[4]:,} bytes, received {len(raw):,}")
        to, known = json.loads(raw[HEAD.size : starts[0]])
        texts = [text for pair in known for text in pair]
        if len(known) != pairs or len(texts) != 2 * pairs or not all(isinstance(text, str) for text in (to, *texts)):
            raise ValueError(f"expected {pairs:,} pairs of texts")
        arrays = zip(kinds, counts, starts, strict=False)
        mean, basis, each, keys = (np.frombuffer(raw, kind, n, at if n else 0) for kind, n, at in arrays)
        if int(each.sum()) != count or not np.isfinite(mean).all() or not np.isfinite(basis).all():
            raise ValueError(f"expected {count:,} positions")
        shaped = basis.reshape(width, -1) if count else basis.reshape(0, 0), keys.reshape(count, size)
    except (ValueError, TypeError, struct.error, RecursionError, OverflowError) as error:
        line = str(error).splitlines()[0][:200]
        raise ModelError(
            f"neighbours.model: not the pairs of a translator, or damaged ({line}). Copy the model again."
        ) from error
    return Store(to, list(map(tuple, known)), mean, shaped[0], each.astype(np.int64), shaped[1], *numbers)


def kept(task: "Translation", pairs: Sequence[tuple[str, str]]) -> bytes:
    """The pairs as they are known before a training, after those that the task has already; b"" where they are too few.

    Of too many the last ones. Earlier ones to another language than now are left out.
    """
    store = unpack(task.neighbours_) if task.neighbours_ else None
    old = store.pairs if store and store.to == task.config.dst else []
    rows = list(dict.fromkeys(pair for pair in [*old, *pairs] if len(pair[1]) <= LETTERS))[-MOST:]
    if len(rows) < FEWEST:
        return b""
    none = np.zeros((0, 0), np.float32)
    return Store(
        task.config.dst, rows, none.reshape(-1), none, np.zeros(0, np.int64), none.astype(np.int8), 1.0, 1.0, 0.0, 0.0
    ).pack()


def findings(task: "Translation", *known: object) -> list[str]:
    """What people are told of them."""
    if not task.near:
        return []
    size, count = len(task.neighbours_) / 1e6, len(task.near.store.pairs)
    return [
        f"looks up the {count:,} pairs that it was adapted to while it writes ({size:.1f} MB, neighbours.model); --neighbours "
        "false turns that off"
    ]


def opened(task: "Translation") -> "Neighbours | None":
    """What a task can look up; None before its net is trained."""
    store = unpack(task.neighbours_)
    if not store.keys.size:
        return None
    near = Neighbours(store, *cut(task, store), task)
    if near.starts[-1] != len(store.keys) or len(near.sources) != len(store.counts):
        raise ModelError("neighbours.model: its pairs do not fit the vocabulary of this model. Copy the model again.")
    return near


def cut(task: "Translation", store: Store) -> tuple[list[Ids], list[Ids]]:
    """The ids of sources and translations, the end among them."""
    sources = [task.inputs({"text": source, "to": store.to})["source"] for source, _ in store.pairs]
    return sources, [task.targets({"translation": target})["target"] for _, target in store.pairs]


class Alike:
    """Pairs by the pieces of their sources: the most alike first, by the cosine of pieces, each counted by how rare it is."""

    def __init__(self, sources: Sequence[Ids], vocabulary: int) -> None:
        rows = [np.unique(ids) for ids in sources]
        pieces = np.concatenate(rows)
        order = np.argsort(pieces, kind="stable")
        self._owners = np.repeat(np.arange(len(rows)), [len(row) for row in rows])[order]
        self._starts = np.searchsorted(pieces[order], np.arange(vocabulary + 1))
        self._weights = np.log((len(rows) + 1) / (np.diff(self._starts) + 0.5)) ** 2
        self._norms = np.sqrt(np.array([self._weights[row].sum() for row in rows]) + 1e-9)

    def find(self, source: Ids, without: int = -1) -> tuple[Ids, float]:
        """The places of the most alike pairs, and how alike the first one is, from 0 to 1. without: one that is left out."""
        scores, pieces = np.zeros(len(self._norms)), np.unique(source)
        for piece in pieces:
            scores[self._owners[self._starts[piece] : self._starts[piece + 1]]] += self._weights[piece]
        scores /= self._norms * np.sqrt(self._weights[pieces].sum() + 1e-9)
        if without >= 0:
            scores[without] = 0
        best = np.argsort(-scores, kind="stable")[:ALIKE]
        best = best[scores[best] > 0]
        return best, float(scores[best[0]]) if len(best) else 0.0


class Known(Struct, frozen=True):
    """What may be near while one sentence is translated."""

    keys: Floats  # (R, M)
    norms: Floats  # (M,): squared
    values: Ids  # (M,): the piece that followed at each
    owners: Ids  # (M,): the pair of each
    share: float


class Neighbours:
    """A store that is ready, with its pairs as ids."""

    def __init__(self, store: Store, sources: Sequence[Ids], targets: Sequence[Ids], task: "Translation") -> None:
        self.store, self.sources, self.alike = store, sources, Alike(sources, len(task.pieces))
        self.starts = np.concatenate([[0], np.cumsum([len(ids) for ids in targets])])
        self.values = np.concatenate(targets)
        # A net of several languages is told by the first piece which one to write.
        self.marked = bool(task.config.both or task.directions_ or task.mark_)

    def places(self, pairs: Ids) -> Ids:
        """All positions of some pairs."""
        return np.concatenate([np.zeros(0, np.int64), *(np.arange(*self.starts[i : i + 2]) for i in pairs)])

    def known(self, source: Ids) -> Known:
        """The positions of the pairs whose sources are like this one (S,), padded with zeros, and how much they count."""
        pairs, likeness = self.alike.find(source[source != PADDING])
        share = self.store.share / (1 + math.exp(min((self.store.likeness - likeness) / SLOPE, 50.0)))
        if share < LEAST or (self.marked and self.sources[0][0] != source[0]):
            pairs, share = pairs[:0], 0.0
        places = self.places(pairs)
        keys = self.store.rows(places)
        owners = np.searchsorted(self.starts, places, side="right") - 1
        return Known(keys.T.copy(), np.square(keys).sum(axis=1), self.values[places], owners, share)


def beside(near: Neighbours | None, source: Array, memory: Arrays, step: GraphLike) -> tuple[Arrays, GraphLike]:
    """What an encoder made of sources (B, S), and the graph of a step, which looks up what is near; as they were without."""
    if near is None:
        return memory, step
    return {**memory, ROW: np.arange(len(source))}, Beside(near.store, step, [near.known(row) for row in source])


def own_first(task: "Translation", to: str, examples: Sequence[Example], own: Ask, others: Ask) -> list[Outcome]:
    """Texts like the pairs are answered by the net, which learned from them what a word is there, others with lists of words.

    Before a net is trained nothing says which ones are alike, and there are no lists.
    """
    if not task.neighbours_ or (task.near and task.near.store.to != to):
        return others(examples)
    if task.near is None:
        return own(examples)
    near = task.near
    ids = [task.inputs({"text": e["text"], "to": to})["source"] for e in examples]
    alike = [near.alike.find(source)[1] >= near.store.likeness for source in ids]
    known = iter(own([e for e, yes in zip(examples, alike, strict=True) if yes]))
    rest = iter(others([e for e, yes in zip(examples, alike, strict=True) if not yes]))
    return [next(known if yes else rest) for yes in alike]


class Beside:
    """A graph of a step as one whose scores are those of the net and of the neighbours together.

    A search drops sentences that have ended, so an input named `ROW` (B,) says which one each row is.
    """

    def __init__(self, store: Store, step: GraphLike, known: Sequence[Known]) -> None:
        self._store, self._step, self._known = store, step, known

    def empty(self, **sizes: int) -> Arrays:
        """The state before the first step."""
        return self._step.empty(**sizes)

    def __call__(self, **inputs: Array) -> Arrays:
        rows = inputs.pop(ROW)
        out = self._step(**inputs)
        values, weights, _ = self.found(out["hidden"], rows)
        scores, tokens = mixed(out["scores"], out["tokens"], values, weights)
        return {**out, "scores": scores, "tokens": tokens}

    def found(self, hidden: Array, rows: Array) -> tuple[Ids, Floats, Ids]:
        """Of hidden states (B, K, D) what followed at the nearest positions (B, K, 8), the probability and the pair of each."""
        queries, distance = (hidden - self._store.mean) @ self._store.basis, self._store.distance
        values = np.zeros((*hidden.shape[:2], NEAREST), np.int64)
        weights, owners = np.zeros(values.shape, np.float32), np.zeros(values.shape, np.int64)
        for at, row in enumerate(rows):
            known, query = self._known[row], queries[at]  # (K, R)
            count = min(NEAREST, len(known.values))
            if not count:
                continue
            far = np.square(query).sum(axis=1)[:, None] - 2 * (query @ known.keys) + known.norms  # (K, M)
            best = np.argpartition(far, count - 1, axis=1)[:, :count]
            weights[at, :, :count] = shares(np.take_along_axis(far, best, axis=1), distance, known.share)
            values[at, :, :count], owners[at, :, :count] = known.values[best], known.owners[best]
        return values, weights, owners

    def reasons(self, memory: Arrays, ids: Sequence[int], cut: Callable[[Sequence[int]], str]) -> dict[str, Any]:
        """The pairs that a translation of the first sentence stands on, those that gave most first, for people.

        memory: what the encoder made of it; cut: ids to text.
        """
        memory = {name: array[:1] for name, array in memory.items() if name != ROW}
        state, given = self.empty(batch=1, beam=1), dict[int, list[tuple[float, int]]]()
        for token, wanted in zip([START, *ids], ids, strict=False):
            out = self._step(token=np.full((1, 1), token), **state, **memory)
            state = {name: out[name] for name in state}
            values, weights, owners = (array[0, 0] for array in self.found(out["hidden"], np.zeros(1, np.int64)))
            for pair in {*owners[(values == wanted) & (weights > 0)].tolist()}:
                part = float(weights[(owners == pair) & (values == wanted)].sum())
                given.setdefault(pair, []).append((part, wanted))
        sums = {pair: sum(part for part, _ in parts) for pair, parts in given.items()}
        best = [pair for pair in sorted(sums, key=lambda pair: -sums[pair]) if sums[pair] >= TOLD][:SHOWN]
        together = sum(sums.values()) / max(1, len(ids))
        rules = [
            (cut([piece for part, piece in given[pair] if part >= TOLD]), self._store.pairs[pair]) for pair in best
        ]
        return {
            "kind": "reasons",
            "title": "Pairs that it was adapted to, and what of the translation each gave",
            "reasons": [{"rule": rule or "(end)", "facts": [list(pair)]} for rule, pair in rules],
            "sentence": f"{together:.0%} of the probability of this translation's pieces is that of such pairs.",
        }


def reasons(
    step: GraphLike, memory: Arrays, ids: list[int], task: "Translation"
) -> Callable[[], dict[str, Any]] | None:
    """What an explanation of a translation shows besides, where pairs were looked up."""
    if not isinstance(step, Beside):
        return None
    return lambda: step.reasons(memory, ids, lambda pieces: task.target_pieces.decode([list(pieces)])[0])


def shares(far: Array, distance: float, share: float) -> Floats:
    """Squared distances (K, M) of neighbours -> their probabilities, the nearer the more; together at most `share`."""
    nearest = far.min(axis=1, keepdims=True)
    weights = np.exp((nearest - far) / (WARMTH * distance))
    together = share / (1 + np.exp(np.minimum((nearest - distance) / (FALL * distance), 50.0)))
    made: Floats = (weights * (together / weights.sum(axis=1, keepdims=True))).astype(np.float32)
    return made


def mixed(scores: Array, tokens: Array, values: Ids, weights: Floats) -> tuple[Array, Array]:
    """The best next tokens (B, K, N) of the net and of neighbours (B, K, M) as one list of as many, best first.

    weights: the neighbours' probabilities, together their share. A piece that is on neither list has no probability.

    >>> tokens, values = np.array([[[5, 6]]]), np.array([[[6, 7]]])
    >>> scores, best = mixed(np.log([[[0.8, 0.2]]]), tokens, values, np.array([[[0.5, 0.1]]], np.float32))
    >>> np.exp(scores).round(2).tolist(), best.tolist()
    ([[[0.58, 0.32]]], [[[6, 5]]])
    """
    together = weights.sum(axis=2, keepdims=True)  # (B, K, 1)
    if together.max(initial=0) < LEAST:
        return scores, tokens
    same = tokens[..., :, None] == values[..., None, :]  # (B, K, N, M)
    own = np.exp(scores) * (1 - together) + (same * weights[..., None, :]).sum(axis=3)
    equal = values[..., :, None] == values[..., None, :]  # (B, K, M, M)
    first = ~np.tril(equal, -1).any(axis=3)  # a piece counts once
    new = np.where(first & ~same.any(axis=2), (equal * weights[..., None, :]).sum(axis=3), 0)
    with np.errstate(divide="ignore"):
        both = np.log(np.concatenate([own, new], axis=2))
    order = np.argsort(-both, axis=2, kind="stable")[..., : tokens.shape[2]]
    ids = np.concatenate([tokens, values], axis=2)
    less = together < LEAST  # these rows stay as they were, to the bit
    return (
        np.where(less, scores, np.take_along_axis(both, order, axis=2)),
        np.where(less, tokens, np.take_along_axis(ids, order, axis=2)),
    )


def states(step: GraphLike, memory: Arrays, written: Array) -> list[Array]:
    """The hidden states (T, D) of each of these translations (B, T), which begin with START, had a search chosen them."""
    state, rows = step.empty(batch=len(written), beam=1), []
    for token in written.T:
        out = step(token=token[:, None], **state, **memory)
        state = {name: out[name] for name in state}
        rows.append(out["hidden"][:, 0])
    return list(np.stack(rows, axis=1))


def learn(task: "Translation", run: Run) -> bytes:
    """The store of a task whose net has been trained: the keys of its pairs, and how near is near; b"" where nothing is."""
    store = unpack(task.neighbours_)
    sources, targets = cut(task, store)
    rows = run([{"text": source, "to": store.to, "written": target} for source, target in store.pairs])
    hidden = np.concatenate([row[: len(ids)] for row, ids in zip(rows, targets, strict=True)]).astype(np.float32)
    mean = hidden.mean(axis=0)
    _, axes = np.linalg.eigh(np.cov((hidden - mean).T.astype(np.float64)))
    basis = axes[:, ::-1][:, :DIMENSIONS].astype(np.float32)
    exact = (hidden - mean) @ basis
    unit = max(1e-9, float(np.abs(exact).max()) / 127)
    keys, counts = np.round(exact / unit).astype(np.int8), np.array([len(ids) for ids in targets])
    made = replace(store, mean=mean, basis=basis, counts=counts, keys=keys, unit=unit, share=SHARE)
    near = Neighbours(made, sources, targets, task)
    far, alike = distances(near, exact)
    if not len(far):
        return b""
    distance = max(1e-9, float(np.quantile(far, FAR)))
    return replace(made, distance=distance, likeness=float(np.quantile(alike, ALIEN))).pack()


def distances(near: Neighbours, exact: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of some pairs, as if they were not in the store: the squared distances of their states (N, R) to the nearest ones of
    other pairs, and how alike the most alike pair is."""
    far, alike = [], []
    for pair in range(0, len(near.sources), max(1, len(near.sources) // TRIED)):
        pairs, likeness = near.alike.find(near.sources[pair], without=pair)
        alike.append(likeness)
        others = near.store.rows(near.places(pairs))
        if len(others):
            own = exact[near.starts[pair] : near.starts[pair + 1]]
            far += [float(np.square(others - row).sum(axis=1).min()) for row in own]
    return np.array(far), np.array(alike)
