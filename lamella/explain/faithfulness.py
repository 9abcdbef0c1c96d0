"""Is an explanation faithful? Units are removed in its order and in random orders, and the focus is measured.

Deletion removes the units that support the answer most first: the focus must fall sooner than in a random order.
Insertion starts without any unit and adds them in the same order: it must rise sooner (Petsiuk et al., 2018). Both use a
different replacement for removed units than the attribution, so that the replacement cannot be the reason.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lamella.explain.ablation import Floats, Question

POINTS = 4  # points of a curve between its ends
DRAWS = 3  # random orders to compare with
FEW = 3  # units that the sentence mentions


def order_of(question: Question, weights: Floats) -> list[int]:
    """Units in the order of an explanation: strongest support first, or, for amounts, largest effect first."""
    return [int(i) for i in np.argsort(-np.abs(weights) if question.amounts else -weights, kind="stable")]


def kept(question: Question, gone: Sequence[set[int]], other: bool = True) -> Floats:
    """The remaining focus (N,) without each of these sets of units; for amounts, minus how far they moved."""
    values = question.focus(gone, other)
    if question.amounts:
        return np.asarray(-np.abs(values - question.start).sum(axis=1))
    return np.asarray(values.sum(axis=1))


def curves(question: Question, order: list[int], points: list[int], other: bool = True) -> tuple[Floats, Floats]:
    """The focus without the first k units of an order, and with only those: (K,) each."""
    every = set(order)
    gone = [set(order[:k]) for k in points]
    values = kept(question, [*gone, *(every - removed for removed in gone)], other)
    return values[: len(points)], values[len(points) :]


def check(question: Question, weights: Floats, seed: int = 0) -> dict[str, Any]:
    """Mean deletion and insertion curves against random orders; 1 is the whole example's focus, 0 an empty one's.

    With fewer than two units there is no order: only a sentence is returned, which says so.
    """
    count = len(weights)
    if count < 2:
        return {"sentence": "There are no two units whose order could be checked."}
    few = min(FEW, count // 2)
    points = sorted({few, *(round(k) for k in np.linspace(0, count, min(POINTS, count - 1) + 2)[1:-1])})
    order, rng = order_of(question, weights), np.random.default_rng(seed)
    full = 0.0 if question.amounts else question.value
    empty = float(kept(question, [set(order)])[0])
    # If an empty example gets the same focus, the heaviest unit sets the scale.
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
    """The result of the check as a sentence."""
    kinds = {"text": "words", "image": "patches", "series": "steps", "audio": "slices", "row": "columns"}
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
