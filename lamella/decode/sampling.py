"""Sample the next token: temperature, top-k, top-p."""

from collections.abc import Callable, Iterator

import numpy as np

from lamella.decode.steps import Array, Arrays


def narrowed(scores: Array, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0, first: int = 0) -> Array:
    """Log-probabilities (B, V) -> the probabilities (B, V) to sample from; tokens before `first` get 0.

    In this order: temperature divides the log-probabilities (0: always the most likely token). top_k keeps the k most
    likely tokens (0: all; Fan et al., 2018). top_p keeps the fewest tokens whose probabilities add up to p (nucleus
    sampling; Holtzman et al., 2020).

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
    ordered = np.exp(np.take_along_axis(scores, order, axis=1))
    if top_k:
        ordered[:, top_k:] = 0
    ordered /= ordered.sum(axis=1, keepdims=True)
    before = (
        np.cumsum(ordered, axis=1) - ordered
    )  # the sum over better tokens: a token is kept while that is below top_p
    ordered[:, 1:][before[:, 1:] >= top_p] = 0  # the most likely token stays, even with top_p = 0
    probabilities = np.zeros_like(ordered)
    np.put_along_axis(probabilities, order, ordered / ordered.sum(axis=1, keepdims=True), axis=1)
    return np.asarray(probabilities)


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
    """Sample a continuation of each prompt: `length` tokens, or fewer if `done(tokens)` is true. See `sampling`."""
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
    """As `sample`, token by token: yields the prompts with their continuations so far, the same lists each time.

    step(token (B,), state) gives log-probabilities "scores" (B, V) and the new state; empty(B) is the initial state; pick
    turns scores into the probabilities to sample from, such as `narrowed`. window: the most tokens that a state may have
    read, start included; after that a new state begins and reads the second half of them again, so that it never sees
    more than in training. Each prompt has its own random generator, so that no answer depends on the other prompts.
    """
    rngs = [np.random.default_rng(seed) for _ in prompts]
    texts = [list(p) for p in prompts]
    first = np.array([len(p) for p in prompts], dtype=np.int64)
    at = (
        np.where(first < window, 0, first - window // 2) if window else np.zeros_like(first)
    )  # index of the next token to read
    rows, state, seen = (
        np.arange(len(texts)),
        empty(len(texts)),
        0,
    )  # rows: the texts not done yet, in the state's order
    while len(rows) and length > 0:
        if window and seen == window:
            at[rows] -= window // 2
            state, seen = empty(len(rows)), 0
        out = step(np.array([texts[r][at[r]] if seen else start for r in rows]), state)
        state = {name: out[name] for name in state}
        at[rows] += seen > 0
        seen += 1
        ends = np.zeros(len(rows), dtype=bool)
        due = np.flatnonzero([at[r] == len(texts[r]) for r in rows])  # everything is read: a new token is sampled
        for place, weights in zip(due, pick(out["scores"][due]) if len(due) else (), strict=True):
            row = rows[place]
            drawn = np.searchsorted(np.cumsum(weights), rngs[row].random() * weights.sum(), side="right")
            texts[row].append(int(min(drawn, np.flatnonzero(weights)[-1])))
            ends[place] = len(texts[row]) - first[row] >= length or bool(done and done(texts[row][first[row] :]))
        if ends.any():
            rows, state = rows[~ends], {name: array[~ends] for name, array in state.items()}
        if len(due):
            yield texts
