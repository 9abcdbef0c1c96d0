"""Search for the answer: greedy, beam, and by chance. Numpy only; what computes the scores is a function, whichever engine runs it.

A `Step` takes the last tokens (B, K), K hypotheses for each of B sentences, and the state so far, and answers the best
next tokens: "scores" and "tokens" (B, K, N), best first, with "attention" and the new state beside them. Everything has
the batch first, so that one index reorders hypotheses and another drops finished sentences.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Arrays = dict[str, Array]
Step = Callable[[Array, Arrays, Arrays], Arrays]  # (token, state, memory) -> scores, tokens and the new state


class Graph(Protocol):
    """A step as it is exported; `empty` is the state before the first one."""

    def __call__(self, **inputs: Array) -> Arrays: ...

    def empty(self, **sizes: int) -> Arrays: ...


@dataclass(frozen=True)
class Hypothesis:
    """One answer: its tokens without start and end, and the sum of their log-probabilities (with the end's)."""

    tokens: list[int]
    score: float
    ended: bool

    def mean(self, power: float) -> float:
        """The score over the length to a power: 0 favours short answers, 1 is the mean (Wu et al., 2016)."""
        return self.score / math.pow(len(self.tokens) + 1, power)


def greedy(
    step: Step, state: Arrays, memory: Arrays, start: int, end: int, limits: NDArray[np.int64]
) -> list[Hypothesis]:
    """The likeliest next token, again and again: the plainest search, and the oracle of the other.

    state: arrays (B, 1, ...); memory: arrays (B, ...); limits (B,): the most tokens of each answer.
    """
    batch = len(limits)
    token = np.full((batch, 1), start)
    tokens: list[list[int]] = [[] for _ in range(batch)]
    score, done, ended = np.zeros(batch), np.zeros(batch, dtype=bool), np.zeros(batch, dtype=bool)
    for length in range(int(limits.max()) + 1):
        out = step(token, state, memory)
        state = {name: out[name] for name in state}
        token = out["tokens"][:, :, 0]
        for row in np.flatnonzero(~done):
            score[row] += float(out["scores"][row, 0, 0])
            if token[row, 0] == end or length == limits[row]:
                done[row], ended[row] = True, token[row, 0] == end
            else:
                tokens[row].append(int(token[row, 0]))
        if done.all():
            break
    return [Hypothesis(t, float(s), bool(e)) for t, s, e in zip(tokens, score, ended, strict=True)]


def beam(
    step: Step,
    state: Arrays,
    memory: Arrays,
    start: int,
    end: int,
    limits: NDArray[np.int64],
    beams: int = 4,
    power: float = 1.0,
) -> list[list[Hypothesis]]:
    """Beam search: the `beams` likeliest prefixes of each sentence go on; finished sentences leave the batch.

    state: arrays (B, 1, ...), memory (B, ...), limits (B,). Returns for each sentence its finished hypotheses, best
    first by their score over length ** power; at least one, at most `beams`. One beam is greedy search.
    """
    batch = len(limits)
    rows = np.arange(batch)  # which sentence each row of the shrinking batch is
    token = np.full((batch, 1), start)
    scores = np.zeros((batch, 1))
    prefixes = np.zeros((batch, 1, 0), dtype=np.int64)
    found: list[list[Hypothesis]] = [[] for _ in range(batch)]
    for length in range(int(limits.max()) + 1):
        out = step(token, state, memory)
        total = scores[:, :, None] + out["scores"]  # (B, K, N)
        width = total.shape[2]
        flat = total.reshape(len(rows), -1)
        # Twice as many as are kept: at worst half of them end here.
        best = np.argsort(-flat, axis=1, kind="stable")[:, : 2 * beams]
        parent, ids = best // width, np.take_along_axis(out["tokens"].reshape(len(rows), -1), best, axis=1)
        best_scores = np.take_along_axis(flat, best, axis=1)
        ends = (ids == end) | (length >= limits[rows])[:, None]
        # An end counts among the best K only, and never that of a beam that ended before and is kept for its place.
        for row, place in zip(*np.nonzero((ends & np.isfinite(best_scores))[:, :beams]), strict=True):
            if len(found[rows[row]]) < beams:
                tokens = prefixes[row, parent[row, place]].tolist()
                ended = bool(ids[row, place] == end)
                found[rows[row]].append(Hypothesis(tokens, float(best_scores[row, place]), ended))
        # The best that have not ended go on: a stable sort brings them to the front in order.
        onward = np.argsort(ends, axis=1, kind="stable")[:, :beams]
        parent, ids = np.take_along_axis(parent, onward, axis=1), np.take_along_axis(ids, onward, axis=1)
        scores = np.take_along_axis(np.where(ends, -np.inf, best_scores), onward, axis=1)
        full = np.array([len(found[row]) >= beams for row in rows])
        alive = np.isfinite(scores).any(axis=1) & (length < limits[rows]) & ~full
        if not alive.any():
            break
        kept = np.flatnonzero(alive)
        index = (kept[:, None], parent[kept])
        prefixes = np.concatenate([prefixes[index], ids[kept][:, :, None]], axis=2)
        state = {name: out[name][index] for name in state}
        if len(kept) < len(rows):
            memory = {name: array[kept] for name, array in memory.items()}
        rows, token, scores = rows[kept], ids[kept], scores[kept]
    return [sorted(mine, key=lambda h: -h.mean(power)) for mine in found]


# ---- chance ------------------------------------------------------------------------------------------------------


def narrowed(scores: Array, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0, first: int = 0) -> Array:
    """Log-probabilities (B, V) -> probabilities (B, V) to draw from; tokens before `first` are never drawn.

    temperature: below 1 the likely becomes likelier, and at 0 the likeliest certain. top_k: only so many of the
    likeliest (0: all; Fan et al., 2018). top_p: only the fewest that together hold this much (nucleus sampling;
    Holtzman et al., 2020). In this order.

    >>> narrowed(np.log([[0.5, 0.3, 0.2]]), top_p=0.6).round(3).tolist()
    [[0.625, 0.375, 0.0]]
    >>> narrowed(np.log([[0.5, 0.3, 0.2]]), top_p=0.0).tolist()
    [[1.0, 0.0, 0.0]]
    >>> narrowed(np.log([[0.5, 0.3, 0.2]]), first=1).round(3).tolist()
    [[0.0, 0.6, 0.4]]
    """
    scores = np.array(scores, dtype=np.float64)
    scores[:, :first] = -np.inf
    if temperature <= 0:
        return np.asarray(np.eye(scores.shape[1])[scores.argmax(axis=1)])
    scores = (scores - scores.max(axis=1, keepdims=True)) / temperature
    order = np.argsort(-scores, axis=1, kind="stable")  # best first
    chances = np.exp(np.take_along_axis(scores, order, axis=1))
    if top_k:
        chances[:, top_k:] = 0
    chances /= chances.sum(axis=1, keepdims=True)
    before = np.cumsum(chances, axis=1) - chances  # what the better ones hold: one is kept while they hold too little
    chances[:, 1:][before[:, 1:] >= top_p] = 0  # the likeliest stays, however little is asked for
    found = np.zeros_like(chances)
    np.put_along_axis(found, order, chances / chances.sum(axis=1, keepdims=True), axis=1)
    return np.asarray(found)


def sample(
    step: Callable[[Array, Arrays], Arrays],
    empty: Callable[[int], Arrays],
    prompts: list[list[int]],
    start: int,
    length: int,
    pick: Callable[[Array], Array],
    done: Callable[[list[int]], bool] | None = None,
    seed: int = 0,
    window: int | None = None,
) -> list[list[int]]:
    """Go on with each prompt by chance: `length` tokens, or fewer where `done(tokens)` says so. As `sampling`, at once."""
    texts = [list(p) for p in prompts]
    for texts in sampling(step, empty, prompts, start, length, pick, done, seed, window):  # noqa: B007
        pass
    return [text[len(prompt) :] for text, prompt in zip(texts, prompts, strict=True)]


def sampling(
    step: Callable[[Array, Arrays], Arrays],
    empty: Callable[[int], Arrays],
    prompts: list[list[int]],
    start: int,
    length: int,
    pick: Callable[[Array], Array],
    done: Callable[[list[int]], bool] | None = None,
    seed: int = 0,
    window: int | None = None,
) -> Iterator[list[list[int]]]:
    """As `sample`, token by token: the prompts with what has been written so far, the same lists each time.

    step(token (B,), state) gives log-probabilities "scores" (B, V) and the new state; empty(B) is the state before
    all; pick turns scores into the probabilities to draw from, `narrowed` say. window: the most tokens that a state may
    have seen, the start among them; then a new one begins and reads the latter half of them again, so that it stands
    as it stood in training. Each prompt has a generator of its own, so that its answer does not depend on its neighbours.
    """
    chances = [np.random.default_rng(seed) for _ in prompts]
    texts = [list(p) for p in prompts]
    first = np.array([len(p) for p in prompts], dtype=np.int64)
    at = np.where(first < window, 0, first - window // 2) if window else np.zeros_like(first)  # the next to be read
    rows, state, seen = np.arange(len(texts)), empty(len(texts)), 0  # rows: those not done, in the order of the state
    while len(rows) and length > 0:
        if window and seen == window:
            at[rows] -= window // 2
            state, seen = empty(len(rows)), 0
        out = step(np.array([texts[r][at[r]] if seen else start for r in rows]), state)
        state = {name: out[name] for name in state}
        at[rows] += seen > 0
        seen += 1
        ends = np.zeros(len(rows), dtype=bool)
        due = np.flatnonzero([at[r] == len(texts[r]) for r in rows])  # all before is read: now something new
        for place, chance in zip(due, pick(out["scores"][due]) if len(due) else (), strict=True):
            row = rows[place]
            drawn = np.searchsorted(np.cumsum(chance), chances[row].random() * chance.sum(), side="right")
            texts[row].append(int(min(drawn, np.flatnonzero(chance)[-1])))
            ends[place] = len(texts[row]) - first[row] >= length or bool(done and done(texts[row][first[row] :]))
        if ends.any():
            rows, state = rows[~ends], {name: array[~ends] for name, array in state.items()}
        if len(due):
            yield texts


# ---- how likely a text is ----------------------------------------------------------------------------------------


def log_probabilities(
    score: Callable[[Array, Array], Array], rows: list[list[int]], start: int, window: int, at_once: int = 64
) -> list[float]:
    """The log-probability of each text, in nats, read in windows one after another, each with nothing before it.

    score(tokens, wanted), both (B, T), gives the log-probability of each wanted token after those up to its place.
    """
    totals = [0.0] * len(rows)
    windows = [(i, row[at : at + window]) for i, row in enumerate(rows) for at in range(0, len(row), window)]
    windows.sort(key=lambda pair: len(pair[1]))  # so that little is padding
    for first in range(0, len(windows), at_once):
        some = windows[first : first + at_once]
        wanted = np.zeros((len(some), len(some[-1][1])), np.int64)
        for place, (_, ids) in zip(wanted, some, strict=True):
            place[: len(ids)] = ids
        tokens = np.concatenate([np.full((len(some), 1), start), wanted[:, :-1]], axis=1)
        sums = np.where(wanted != 0, score(tokens, wanted), 0).sum(axis=1, dtype=np.float64)
        for (i, _), total in zip(some, sums, strict=True):
            totals[i] += float(total)
    return totals


def log_odds(scores: Array, place: int) -> Array:
    """Scores of L labels (B, L), up to a constant their log-probabilities -> the log-odds of one of them, (B,).

    >>> log_odds(np.log([[0.8, 0.1, 0.1]]), 0).round(4).tolist()  # the logarithm of 4 to 1
    [1.3863]
    """
    others = np.delete(np.asarray(scores, np.float64), place, axis=1)
    return np.asarray(scores[:, place] - np.logaddexp.reduce(others, axis=1))


def by_steps(
    step: Callable[[Array, Arrays], Arrays], empty: Callable[[int], Arrays]
) -> Callable[[Array, Array], Array]:
    """A `score` for `log_probabilities`, of a net that has steps alone."""

    def score(tokens: Array, wanted: Array) -> Array:
        state, found = empty(len(tokens)), np.zeros(tokens.shape)
        for t in range(tokens.shape[1]):
            out = step(tokens[:, t], state)
            state = {name: out[name] for name in state}
            found[:, t] = np.take_along_axis(out["scores"], wanted[:, t : t + 1], axis=1)[:, 0]
        return found

    return score


def scorer(graphs: Mapping[str, Graph]) -> Callable[[Array, Array], Array]:
    """A `score` for `log_probabilities`: of all units at once, where there is a graph for that."""
    if "score" not in graphs:
        return by_steps(*stepping(graphs["step"]))
    return lambda tokens, wanted: graphs["score"](tokens=tokens, wanted=wanted)["log_probability"]


def stepping(graph: Graph) -> tuple[Callable[[Array, Arrays], Arrays], Callable[[int], Arrays]]:
    """A graph as `sample` and `by_steps` want it: the step, and the state before the first one."""
    return lambda token, state: graph(token=token, **state), lambda batch: graph.empty(batch=batch)


def forced(step: Graph, memory: Arrays, start: int, ids: list[int], batch: int) -> Array:
    """The log-probability of each of these tokens where a search would have taken them, (B, T).

    A step tells of its likeliest tokens alone; one that is not among them counts as all others together, at most as the
    last that is.
    """
    state, found = step.empty(batch=batch, beam=1), np.zeros((batch, len(ids)))
    for at, (token, wanted) in enumerate(zip([start, *ids], ids, strict=False)):
        out = step(token=np.full((batch, 1), token), **state, **memory)
        state = {name: out[name] for name in state}
        scores, is_it = out["scores"][:, 0].astype(np.float64), out["tokens"][:, 0] == wanted  # (B, N)
        rest = np.log(np.maximum(1 - np.exp(scores).sum(axis=1), 1e-12))
        found[:, at] = np.where(is_it.any(axis=1), (scores * is_it).sum(axis=1), np.minimum(scores[:, -1], rest))
    return found


def both_ways(step: Graph, tokens: Array) -> Arrays:
    """The state after all tokens (B, T), zeros at the end of shorter rows, read one at a time from both ends."""
    lengths = (tokens != 0).sum(axis=1, keepdims=True)
    order = np.maximum(lengths - 1 - np.arange(tokens.shape[1]), 0)
    turned = np.where(tokens != 0, np.take_along_axis(tokens, order, axis=1), 0)
    state = step.empty(batch=len(tokens))
    for token in np.stack([tokens, turned], axis=2).transpose(1, 0, 2):  # (B, 2) at a time
        state = step(token=token, **state)
    return state


def over_patches(step: Graph, patches: Array) -> Array:
    """The state after reading patches (B, N, K) one after another."""
    state = step.empty(batch=len(patches))["state"]
    for patch in patches.transpose(1, 0, 2):
        state = step(patch=np.ascontiguousarray(patch), state=state)["state"]
    return state


def importance_bounds(decode: Graph, x: Array, mean: Array, log_variance: Array, draws: int) -> list[float]:
    """Bounds on the log-likelihoods, in nats, of examples of zeros and ones: (B, ...) and their clouds (B, Z) -> B numbers.

    The log of the mean of p(x, z) / q(z | x) over draws of z from the cloud (Burda et al., 2016): with one draw the
    evidence lower bound, with more ever nearer to the truth, from below. decode(z (K, Z)) gives the probability of a
    one at each place as "values" (K, ...). The noise is the same for every example, so that company changes nothing.
    """
    noise = np.random.default_rng(0).standard_normal((draws, mean.shape[1])).astype(np.float32)  # (K, Z)
    found = []
    for wanted, middle, width in zip(x, mean, log_variance, strict=True):
        z = middle + noise * np.exp(width / 2)
        p = decode(z=z)["values"]
        likely = np.log(np.where(wanted > 0.5, p, 1 - p).clip(1e-7)).reshape(draws, -1).sum(axis=1)  # (K,)
        weights = likely + 0.5 * (np.square(noise) + width - np.square(z)).sum(axis=1)
        found.append(float(np.logaddexp.reduce(weights.astype(float)) - math.log(draws)))
    return found
