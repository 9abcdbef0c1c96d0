"""Sample the next token: temperature, top-k, top-p."""

from collections.abc import Callable, Iterator

import numpy as np

from lamella.decode.steps import Array, Arrays

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
    ordered = np.exp(np.take_along_axis(scores, order, axis=1))
    if top_k:
        ordered[:, top_k:] = 0
    ordered /= ordered.sum(axis=1, keepdims=True)
    before = np.cumsum(ordered, axis=1) - ordered  # what the better ones hold: one is kept while they hold too little
    ordered[:, 1:][before[:, 1:] >= top_p] = 0  # the likeliest stays, however little is asked for
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
    rngs = [np.random.default_rng(seed) for _ in prompts]
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
        for place, weights in zip(due, pick(out["scores"][due]) if len(due) else (), strict=True):
            row = rows[place]
            drawn = np.searchsorted(np.cumsum(weights), rngs[row].random() * weights.sum(), side="right")
            texts[row].append(int(min(drawn, np.flatnonzero(weights)[-1])))
            ends[place] = len(texts[row]) - first[row] >= length or bool(done and done(texts[row][first[row] :]))
        if ends.any():
            rows, state = rows[~ends], {name: array[~ends] for name, array in state.items()}
        if len(due):
            yield texts
