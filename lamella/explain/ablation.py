"""What each unit does for the answer: units are removed and the focus is measured again (causal ablation).

    question = Question(model, example)
    weights, how = weigh(question)      (N,) of the units, and in words what they are
    single = ablate(question)           (N, P): the effect of removing each one alone on each part of the answer

For pictures this is occlusion (Zeiler and Fergus, 2014), for words erasure (Li et al., 2016). Removing a single unit shows
nothing if another unit carries the same information. So a weight is a Shapley value: the mean effect of removing the
unit over all sets of other units that are removed already. Only for a series it is the effect of each step alone.
`pairs` looks for units that are weak alone and strong together. Everything runs on the graphs that answer, so that the
explanation is of what was shipped.
"""

from collections.abc import Collection, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.fields import Parts
from lamella.model import Model, whole
from lamella.task import Answer, Arrays, Example, Focus

AT_ONCE = 64  # examples of a batch
ROUNDS = 4  # most rounds, each with a random order and its reverse
MEASURES = 4000  # evaluations times parts of the answer; beyond that there are fewer rounds
STRONG, ALONE = 6, 6  # units whose pairs are tried: the heaviest, and those with the largest effect alone
MARGIN = 0.25  # a pair must exceed the sum of its two units by this share of the heaviest unit
PAIRS = 5  # most pairs that are reported
SHAPLEY = "A weight is by how much this falls without the unit, in the mean over what else is away already (Shapley)."
SINGLE = "A weight is by how much this falls when the unit alone is taken away."
Floats = NDArray[np.float64]


class Question:
    """An example cut into units, and the model's support for one answer when some of them are removed."""

    def __init__(self, model: Model, example: Example, answer: Answer = None) -> None:
        self.model, self.task = model, model.task
        example, self.note = self.task.excerpt({k: whole(v) for k, v in example.items()})
        # If the right answer is known, the model must not see it.
        names = {k for k in example if k in self.task.fields or k != self.task.target}
        self.example = {k: v for k, v in example.items() if k in names}
        self.answer = model.predict(self.example) if answer is None else answer
        self.parts: dict[str, Parts] = {
            name: field.split(self.example[name], self._usual(name))
            for name, field in self.task.fields.items()
            if name in self.example
        }
        self.parts |= {  # covariates can be a reason, as the past can; times cannot
            name: field.split(self.example[name])
            for name, field in self.task.optional.items()
            if name in self.example and field.numeric
        }
        self.units = [(name, i) for name, parts in self.parts.items() for i in range(len(parts.units))]
        first = self._measure([self.inputs()])
        self.name, self.part_names, self.amounts = first.name, list(first.parts), first.amounts
        self.details = first.details
        self.start = self._split(first.values)[0]  # (P,)

    def _usual(self, name: str) -> Any:
        """Replacements for single values: typical values from the task's sample."""
        field = self.task.fields[name]
        if not field.single:
            return None
        return field.usual([e[name] for e in self.task.sample("train") if e.get(name) is not None])

    @property
    def value(self) -> float:
        """The focus of the unchanged example."""
        return float(self.start.sum())

    def without(self, gone: Collection[int] = (), other: bool = False) -> Example:
        """The example without these units (indices into `units`)."""
        changed = dict(self.example)
        for name, parts in self.parts.items():
            removed = {i for at, (field, i) in enumerate(self.units) if field == name and at in gone}
            changed[name] = parts.without(
                removed, other
            )  # even if none is removed, so that every variant is read in the same way
        return changed

    def inputs(self, gone: Collection[int] = (), other: bool = False) -> Arrays:
        """The net's input without these units."""
        return self.task.inputs(self.without(gone, other))

    def focus(self, gone: Sequence[Collection[int]], other: bool = False) -> Floats:
        """The focus without each of these sets of units, for each part of the answer: (N, P)."""
        values = []
        for first in range(0, len(gone), AT_ONCE):
            rows = [self.inputs(removed, other) for removed in gone[first : first + AT_ONCE]]
            values.append(self._split(self._measure(rows).values))
        return np.concatenate(values) if values else np.zeros((0, len(self.start)))

    def _measure(self, rows: Sequence[Arrays]) -> Focus:
        return self.task.focus(self.model.graphs, self.task.collate(rows), self.answer)

    def _split(self, values: Any) -> Floats:
        array = np.asarray(values, np.float64)
        return array if array.ndim == 2 else array[:, None]


def weigh(question: Question) -> tuple[Floats, str]:
    """The weights (N,) of the units and a description: Shapley values, or for a series each step's own effect.

    A removed step of a series is interpolated from its neighbours, so that sets of steps would credit them for it.
    """
    if any(parts.kind == "series" for parts in question.parts.values()):
        return ablate(question).sum(axis=1), SINGLE
    return shapley(question), SHAPLEY


def shapley(question: Question, rounds: int | None = None, seed: int = 0) -> Floats:
    """Shapley values (N,): how much the focus falls with each unit, averaged over random orders of removal.

    Permutation sampling (Castro et al., 2009; Strumbelj and Kononenko, 2014) with the orders in pairs, each with its
    reverse (Mitchell et al., 2022): 2 N evaluations a round. For any orders, the weights add up to the difference between
    the example and an empty one; for an additive model they are its terms.
    """
    count, rng = len(question.units), np.random.default_rng(seed)
    if rounds is None:
        rounds = min(ROUNDS, max(1, MEASURES // max(1, 2 * count * len(question.start))))
    orders = [rng.permutation(count).tolist() for _ in range(rounds)]
    orders += [order[::-1] for order in orders]
    paths = [[frozenset(order[:k]) for k in range(count + 1)] for order in orders]
    sets = list(dict.fromkeys(subset for path in paths for subset in path))
    left = dict(zip(sets, question.focus(sets).sum(axis=1).tolist(), strict=True))
    weights = np.zeros(count)
    for order, path in zip(orders, paths, strict=True):
        weights[order] -= np.diff([left[subset] for subset in path]) / len(orders)
    return weights


def ablate(question: Question) -> Floats:
    """How much each part of the focus falls when a single unit is removed: (N, P)."""
    left: Floats = question.focus([{i} for i in range(len(question.units))])
    fallen: Floats = question.start - left
    return fallen


def pairs(question: Question) -> list[tuple[int, int, float]]:
    """Pairs of units that do more together than separately: (unit, unit, effect of removing both), strongest first.

    Candidates are the heaviest units, and those with the largest effect when they alone are present: a unit that others can
    replace shows its effect only then.
    """
    single = ablate(question).sum(axis=1)
    count = len(single)
    if count < 2:
        return []
    every = frozenset(range(count))
    alone = question.focus([every, *(every - {i} for i in range(count))]).sum(axis=1)
    gain = np.abs(alone[1:] - alone[0])
    best = [*np.argsort(-np.abs(single))[:STRONG], *np.argsort(-gain)[:ALONE]]
    tried = list(combinations(sorted({int(i) for i in best}), 2))
    joint = question.value - question.focus([{a, b} for a, b in tried]).sum(axis=1)
    strongest = []
    margin = MARGIN * max(float(np.abs(single).max()), float(np.abs(joint).max()))
    for (a, b), both in zip(tried, joint, strict=True):
        if abs(both) - abs(single[a] + single[b]) > margin:
            strongest.append((a, b, float(both)))
    return sorted(strongest, key=lambda pair: -abs(pair[2]))[:PAIRS]
