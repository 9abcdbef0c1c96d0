"""Is an explanation true? Units are taken away in its order, and in random ones, and the focus is watched.

Deletion takes the units away, those first that speak most for the answer: the focus must fall sooner than in a random
order. Insertion begins with all of them away and gives them back in the same order: it must rise sooner (Petsiuk et al.,
2018). Both use another replacement than the attribution did, so that it cannot shine merely by what it put in.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lamella.explain.ablation import Floats, Question

POINTS = 4  # of a curve, both ends aside
DRAWS = 3  # random orders
FEW = 3  # units of which the sentence speaks


def order_of(question: Question, weights: Floats) -> list[int]:
    """Units in the order of an explanation: who speaks most for the answer, or, of amounts, who moves it most."""
    return [int(i) for i in np.argsort(-np.abs(weights) if question.amounts else -weights, kind="stable")]


def kept(question: Question, gone: Sequence[set[int]], other: bool = True) -> Floats:
    """How much is left of the focus without each of these sets of units: (N,). Of amounts, how little they moved."""
    values = question.focus(gone, other)
    if question.amounts:
        return np.asarray(-np.abs(values - question.start).sum(axis=1))
    return np.asarray(values.sum(axis=1))


def curves(question: Question, order: list[int], points: list[int], other: bool = True) -> tuple[Floats, Floats]:
    """What is left after the first k units of an order were taken away, and where only they are there: (K,) each."""
    every = set(order)
    gone = [set(order[:k]) for k in points]
    values = kept(question, [*gone, *(every - removed for removed in gone)], other)
    return values[: len(points)], values[len(points) :]


def check(question: Question, weights: Floats, seed: int = 0) -> dict[str, Any]:
    """Deletion and insertion beside random orders, as means over the curve: 1 is what the whole example has, 0 an empty one.

    Of fewer than two units there are no orders: then only the sentence is there, and says so.
    """
    count = len(weights)
    if count < 2:
        return {"sentence": "There are no two units whose order could be checked."}
    few = min(FEW, count // 2)
    points = sorted({few, *(round(k) for k in np.linspace(0, count, min(POINTS, count - 1) + 2)[1:-1])})
    order, rng = order_of(question, weights), np.random.default_rng(seed)
    full = 0.0 if question.amounts else question.value
    empty = float(kept(question, [set(order)])[0])
    # Where an empty example is answered alike, the heaviest unit gives the scale.
    unit = max(abs(full - empty), float(np.abs(weights).max()), 1e-9)
    own = curves(question, order, points)
    others = [curves(question, rng.permutation(count).tolist(), points) for _ in range(DRAWS)]
    random = [np.mean([o[side] for o in others], axis=0) for side in (0, 1)]
    figures: dict[str, Any] = {}
    for side, (name, beside) in enumerate((("deletion", "random"), ("insertion", "random insertion"))):
        figures[name] = round(float(((own[side] - empty) / unit).mean()), 4)
        figures[beside] = round(float(((random[side] - empty) / unit).mean()), 4)
    at = points.index(few)
    return {**figures, "sentence": sentence(question, few, full, float(own[0][at]), float(random[0][at]))}


def sentence(question: Question, few: int, full: float, left: float, by_chance: float) -> str:
    """What the check found, for people."""
    kinds = {"text": "words", "image": "patches", "series": "steps", "row": "columns"}
    names = {kinds.get(parts.kind, "values") for parts in question.parts.values()}
    units = names.pop() if len(names) == 1 else "units"
    units = units if few > 1 else {"patches": "patch"}.get(units, units[:-1])
    verb = "count" if few > 1 else "counts"
    which = f"{few} {units} at random"
    end = f"(mean of {DRAWS} draws, taken away in another manner than for the weights)."
    if question.amounts:
        moved = f"moves the answer by {full - left:.3g}, {which} by {full - by_chance:.3g}"
        return f"Taking away the {few} {units} that {verb} most {moved} {end}"
    low = f"{left:.3g} without the {few} {units} that {verb} most, {by_chance:.3g} without {which}"
    name = question.name[:1].upper() + question.name[1:]
    return f"{name}: {full:.3g}; {low} {end}"
