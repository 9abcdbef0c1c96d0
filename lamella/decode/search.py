"""Search for the best answer: greedy search and beam search. Numpy only; any engine may compute the scores.

A `Step` takes the last tokens (B, K) of K hypotheses for each of B sentences, and the state, and returns the best next
tokens as "scores" and "tokens" (B, K, N), best first, with "attention" and the new state. Every array has the batch
first, so that one index reorders hypotheses and another drops finished sentences.
"""

import math
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lamella.decode.steps import Arrays, Step

DONE = 0.1  # share of finished rows at which greedy search drops them: copying the state of the others costs time too


class Hypothesis(Struct, frozen=True):
    """One answer: its tokens without start and end, and the sum of their log-probabilities, the end's included."""

    tokens: list[int]
    score: float
    ended: bool

    def mean(self, power: float) -> float:
        """The score divided by length ** power: 0 favours short answers, 1 is the mean (Wu et al., 2016)."""
        return self.score / math.pow(len(self.tokens) + 1, power)


def greedy(
    step: Step, state: Arrays, memory: Arrays, start: int, end: int, limits: NDArray[np.int64]
) -> list[Hypothesis]:
    """Greedy search: always take the most likely next token. It is the test oracle of beam search with one beam.

    state: arrays (B, 1, ...); memory: arrays (B, ...); limits (B,): the most tokens of each answer.
    """
    batch = len(limits)
    rows = np.arange(batch)  # which sentence each row of the shrinking batch is
    token = np.full((batch, 1), start)
    tokens = np.zeros((batch, int(limits.max(initial=0)) + 1), np.int64)
    score, length = np.zeros(batch), np.zeros(batch, np.int64)
    ended, done = np.zeros(batch, dtype=bool), np.zeros(batch, dtype=bool)  # done: of the rows
    for at in range(tokens.shape[1]):
        out = step(token, state, memory)
        token = out["tokens"][:, :, 0]
        going = np.flatnonzero(~done)
        places, new = rows[going], token[going, 0]
        tokens[places, at], length[places] = new, at
        score[places] += out["scores"][going, 0, 0]
        ended[places] = new == end
        done[going] = (new == end) | (at == limits[places])
        finished = np.count_nonzero(done)
        if finished == len(done):
            break
        state = {name: out[name] for name in state}
        if finished >= DONE * len(done):
            kept = np.flatnonzero(~done)
            state, memory = ({n: array[kept] for n, array in part.items()} for part in (state, memory))
            rows, token, done = rows[kept], token[kept], done[kept]
    written = zip(tokens, length.tolist(), score.tolist(), ended.tolist(), strict=True)
    return [Hypothesis(row[:count].tolist(), total, whole) for row, count, total, whole in written]


def beam(
    step: Step,
    state: Arrays,
    memory: Arrays,
    start: int,
    end: int,
    limits: NDArray[np.int64],
    beams: int = 4,
    power: float = 1.0,
    no_repeat: int = 0,
) -> list[list[Hypothesis]]:
    """Beam search: keep the `beams` most likely prefixes of each sentence; finished sentences leave the batch.

    state: arrays (B, 1, ...), memory (B, ...), limits (B,). Returns for each sentence its finished hypotheses, best
    first by their score over length ** power; at least one, at most `beams`. One beam is greedy search. no_repeat: no run of
    so many tokens comes twice in an answer (Paulus et al., 2018); 0: it may.
    """
    batch = len(limits)
    rows = np.arange(batch)  # which sentence each row of the shrinking batch is
    token = np.full((batch, 1), start)
    scores = np.zeros((batch, 1))
    prefixes = np.zeros((batch, 1, 0), dtype=np.int64)
    finished: list[list[Hypothesis]] = [[] for _ in range(batch)]
    for length in range(int(limits.max()) + 1):
        out = step(token, state, memory)
        following = without_repeats(prefixes, out["tokens"], out["scores"], no_repeat) if no_repeat else out["scores"]
        total = scores[:, :, None] + following  # (B, K, N)
        width = total.shape[2]
        flat = total.reshape(len(rows), -1)
        # Twice as many as are kept: at most one for each beam ends here, so enough remain to go on.
        best = np.argsort(-flat, axis=1, kind="stable")[:, : 2 * beams]
        parent, ids = best // width, np.take_along_axis(out["tokens"].reshape(len(rows), -1), best, axis=1)
        best_scores = np.take_along_axis(flat, best, axis=1)
        ends = (ids == end) | (length >= limits[rows])[:, None]
        # Only an end among the best K counts; a beam that ended earlier keeps its place with a score of -inf.
        for row, place in zip(*np.nonzero((ends & np.isfinite(best_scores))[:, :beams]), strict=True):
            if len(finished[rows[row]]) < beams:
                tokens = prefixes[row, parent[row, place]].tolist()
                ended = bool(ids[row, place] == end)
                finished[rows[row]].append(Hypothesis(tokens, float(best_scores[row, place]), ended))
        # The best that have not ended continue: a stable sort brings them to the front in order.
        onward = np.argsort(ends, axis=1, kind="stable")[:, :beams]
        parent, ids = np.take_along_axis(parent, onward, axis=1), np.take_along_axis(ids, onward, axis=1)
        scores = np.take_along_axis(np.where(ends, -np.inf, best_scores), onward, axis=1)
        full = np.array([len(finished[row]) >= beams for row in rows])
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
    return [sorted(hypotheses, key=lambda h: -h.mean(power)) for hypotheses in finished]


def without_repeats(
    prefixes: NDArray[np.int64], tokens: NDArray[np.int64], scores: NDArray[Any], size: int
) -> NDArray[Any]:
    """The scores (B, K, N) of next tokens, -inf for each that would repeat a run of `size` tokens of its prefix (B, K, T).

    >>> without_repeats(np.array([[[5, 6, 7, 5, 6]]]), np.array([[[7, 8]]]), np.zeros((1, 1, 2)), 3).tolist()
    [[[-inf, 0.0]]]
    """
    length = prefixes.shape[2]
    if length < size:
        return scores
    runs = np.lib.stride_tricks.sliding_window_view(prefixes, size, axis=2)  # (B, K, T - size + 1, size)
    last = prefixes[
        :, :, None, length - size + 1 :
    ]  # (B, K, 1, size - 1): how the run that a next token completes begins
    same = (runs[..., :-1] == last).all(axis=-1)  # (B, K, T - size + 1)
    repeated = (same[:, :, :, None] & (runs[..., -1:] == tokens[:, :, None, :])).any(axis=2)  # (B, K, N)
    return np.where(repeated, -np.inf, scores)
