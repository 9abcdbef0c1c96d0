"""Noise in lists of names: some that are missing, in another order, or that nobody knows.

>>> NOISES["missing"](["a", "b", "c"], 0.0, np.random.default_rng(0))
['a', 'b', 'c']
"""

from collections.abc import Callable

import numpy as np

Rng = np.random.Generator
MISSING, UNKNOWN = 0.8, 0.6  # the share of names at full strength
NOBODY = "\u2205"  # a name that no catalogue has


def missing(names: list[str], strength: float, rng: Rng) -> list[str]:
    """Names are left out; one stays."""
    draws = rng.random(len(names))
    kept = [name for name, draw in zip(names, draws, strict=True) if draw >= MISSING * strength]
    return kept or names[-1:]


def order(names: list[str], strength: float, rng: Rng) -> list[str]:
    """Names change places with ones further and further away."""
    places = np.arange(len(names)) + strength * len(names) * rng.random(len(names))
    return [names[i] for i in np.argsort(places, kind="stable")]


def unknown(names: list[str], strength: float, rng: Rng) -> list[str]:
    """Names are replaced by one that is in no catalogue."""
    draws = rng.random(len(names))
    return [NOBODY if draw < UNKNOWN * strength else name for name, draw in zip(names, draws, strict=True)]


NOISES: dict[str, Callable[[list[str], float, Rng], list[str]]] = {
    "missing": missing, "order": order, "unknown": unknown,
}  # fmt: skip
