"""How likely an answer is according to a net: log-probabilities, log-odds, bounds by importance sampling."""

import math
from collections.abc import Callable

import numpy as np

from lamella.decode.steps import Array, Graph

# ---- how likely a text is ----------------------------------------------------------------------------------------


def log_probabilities(
    score: Callable[[Array, Array], Array], rows: list[list[int]], start: int, window: int, at_once: int = 64
) -> list[float]:
    """The log-probability of each text, in nats: the sum over its consecutive windows, each read without context.

    score(tokens, wanted), both (B, T), gives the log-probability of each wanted token after those up to its place.
    """
    totals = [0.0] * len(rows)
    windows = [(i, row[at : at + window]) for i, row in enumerate(rows) for at in range(0, len(row), window)]
    windows.sort(key=lambda pair: len(pair[1]))  # so that a batch has little padding
    for first in range(0, len(windows), at_once):
        batch = windows[first : first + at_once]
        wanted = np.zeros((len(batch), len(batch[-1][1])), np.int64)
        for place, (_, ids) in zip(wanted, batch, strict=True):
            place[: len(ids)] = ids
        tokens = np.concatenate([np.full((len(batch), 1), start), wanted[:, :-1]], axis=1)
        sums = np.where(wanted != 0, score(tokens, wanted), 0).sum(axis=1, dtype=np.float64)
        for (i, _), total in zip(batch, sums, strict=True):
            totals[i] += float(total)
    return totals


def log_odds(scores: Array, place: int) -> Array:
    """The log-odds (B,) of one of L labels, from their unnormalised log-probabilities (B, L).

    >>> log_odds(np.log([[0.8, 0.1, 0.1]]), 0).round(4).tolist()  # the logarithm of 4 to 1
    [1.3863]
    """
    others = np.delete(np.asarray(scores, np.float64), place, axis=1)
    return np.asarray(scores[:, place] - np.logaddexp.reduce(others, axis=1))


def importance_bounds(decode: Graph, x: Array, mean: Array, log_variance: Array, draws: int) -> list[float]:
    """Lower bounds on the log-likelihoods of binary examples (B, ...), in nats, by importance sampling: B numbers.

    The log of the mean of p(x, z) / q(z | x) over samples of z from q, given by mean and log_variance (B, Z) (Burda et al.,
    2016): with one draw it is the evidence lower bound, with more it gets tighter. decode(z (K, Z)) gives the probability
    of a 1 at each place as "values" (K, ...). All examples share the noise, so no result depends on the other examples.
    """
    noise = np.random.default_rng(0).standard_normal((draws, mean.shape[1])).astype(np.float32)  # (K, Z)
    bounds = []
    for wanted, middle, width in zip(x, mean, log_variance, strict=True):
        z = middle + noise * np.exp(width / 2)
        p = decode(z=z)["values"]
        likely = np.log(np.where(wanted > 0.5, p, 1 - p).clip(1e-7)).reshape(draws, -1).sum(axis=1)  # (K,)
        weights = likely + 0.5 * (np.square(noise) + width - np.square(z)).sum(axis=1)
        bounds.append(float(np.logaddexp.reduce(weights.astype(float)) - math.log(draws)))
    return bounds


def discrete_logistic(values: Array, log_scale: Array, wanted: Array) -> Array:
    """The log-likelihood of bytes, in nats a point: (B, ...) twice -> (B, ...); see `lamella.nets.vae.losses`.

    >>> steps = np.arange(256)[None] / 255
    >>> round(float(np.exp(discrete_logistic(np.full((1, 256), 0.3), np.array([-3.0]), steps)).sum()), 4)
    1.0
    """
    values, wanted = np.asarray(values, np.float64), np.asarray(wanted, np.float64)
    scale = np.exp(np.asarray(log_scale, np.float64)).reshape(-1, *[1] * (values.ndim - 1))
    upper, lower = ((wanted - values + step / 510) / scale for step in (1, -1))
    inside = _sigmoid(upper) - _sigmoid(lower)
    middle = (wanted - values) / scale
    far = middle - 2 * np.logaddexp(0, middle) - np.log(scale) - math.log(255)
    between = np.where(inside > 1e-4, np.log(inside.clip(1e-6)), far)
    ends = np.where(wanted > 0.999, -np.logaddexp(0, lower), between)
    return np.asarray(np.where(wanted < 0.001, upper - np.logaddexp(0, upper), ends))


def _sigmoid(x: Array) -> Array:
    return np.asarray(np.exp(-np.logaddexp(0, -x)))
