"""How `decode` runs a graph: one step at a time, all steps at once, from both ends, or over patches."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Arrays = dict[str, Array]
Step = Callable[[Array, Arrays, Arrays], Arrays]  # (token, state, memory) -> scores, tokens and the new state


class Graph(Protocol):
    """An exported graph of one step; `empty` is the state before the first step."""

    def __call__(self, **inputs: Array) -> Arrays: ...

    def empty(self, **sizes: int) -> Arrays: ...


def by_steps(
    step: Callable[[Array, Arrays], Arrays], empty: Callable[[int], Arrays]
) -> Callable[[Array, Array], Array]:
    """A `score` for `log_probabilities`, made from a net that is exported as single steps."""

    def score(tokens: Array, wanted: Array) -> Array:
        state, likelihoods = empty(len(tokens)), np.zeros(tokens.shape)
        for t in range(tokens.shape[1]):
            out = step(tokens[:, t], state)
            state = {name: out[name] for name in state}
            likelihoods[:, t] = np.take_along_axis(out["scores"], wanted[:, t : t + 1], axis=1)[:, 0]
        return likelihoods

    return score


def scorer(graphs: Mapping[str, Graph]) -> Callable[[Array, Array], Array]:
    """A `score` for `log_probabilities`: all tokens at once if there is a graph for that, else step by step."""
    if "score" not in graphs:
        return by_steps(*stepping(graphs["step"]))
    return lambda tokens, wanted: graphs["score"](tokens=tokens, wanted=wanted)["log_probability"]


def stepping(graph: Graph) -> tuple[Callable[[Array, Arrays], Arrays], Callable[[int], Arrays]]:
    """A graph in the form that `sample` and `by_steps` take: the step, and a function for the initial state."""
    return lambda token, state: graph(token=token, **state), lambda batch: graph.empty(batch=batch)


class Among:
    """A graph of a step whose tokens are places among candidates, as one whose tokens are ids.

    candidates (N,): ids in order; fixed: what the graph is given at each step besides, whatever is left of the batch.
    """

    def __init__(self, step: Graph, candidates: Array, fixed: Arrays) -> None:
        self.candidates, self._step, self._fixed = candidates, step, fixed

    def empty(self, **sizes: int) -> Arrays:
        """The state before the first step."""
        return self._step.empty(**sizes)

    def __call__(self, **inputs: Array) -> Arrays:
        places = np.searchsorted(self.candidates, inputs["token"])
        out = self._step(**{**inputs, **self._fixed, "token": places})
        return {**out, "tokens": self.candidates[out["tokens"]]}


def forced(step: Graph, memory: Arrays, start: int, ids: list[int], batch: int) -> Array:
    """The log-probability (B, T) of each of these tokens, had a search chosen them (teacher forcing).

    A step returns only its most likely tokens. Any other token counts as much as all the others together, but at most as
    much as the last one returned.
    """
    state, likelihoods = step.empty(batch=batch, beam=1), np.zeros((batch, len(ids)))
    for at, (token, wanted) in enumerate(zip([start, *ids], ids, strict=False)):
        out = step(token=np.full((batch, 1), token), **state, **memory)
        state = {name: out[name] for name in state}
        scores, is_it = out["scores"][:, 0].astype(np.float64), out["tokens"][:, 0] == wanted  # (B, N)
        rest = np.log(np.maximum(1 - np.exp(scores).sum(axis=1), 1e-12))
        likelihoods[:, at] = np.where(is_it.any(axis=1), (scores * is_it).sum(axis=1), np.minimum(scores[:, -1], rest))
    return likelihoods


def both_ways(step: Graph, tokens: Array) -> Arrays:
    """The state of a bidirectional net after all tokens (B, T), one step at a time; shorter rows are padded with 0."""
    lengths = (tokens != 0).sum(axis=1, keepdims=True)
    order = np.maximum(lengths - 1 - np.arange(tokens.shape[1]), 0)
    backward = np.where(tokens != 0, np.take_along_axis(tokens, order, axis=1), 0)
    state = step.empty(batch=len(tokens))
    for token in np.stack([tokens, backward], axis=2).transpose(1, 0, 2):  # (B, 2) at a time
        state = step(token=token, **state)
    return state


def over_patches(step: Graph, patches: Array) -> Array:
    """The state after reading patches (B, N, K) one after another."""
    state = step.empty(batch=len(patches))["state"]
    for patch in patches.transpose(1, 0, 2):
        state = step(patch=np.ascontiguousarray(patch), state=state)["state"]
    return state
