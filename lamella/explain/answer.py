"""The explanation of one answer: weights of units and pairs, which units each part of the answer depends on, and a check.

    result = explain_answer(model, {"text": "not a good film"})      a dict that JSON can hold

`method` "ablation" runs over the graphs that answer and needs nothing else; "gradients" is `lamella.explain.gradients`.
"""

from pathlib import Path
from typing import Any

import numpy as np

from lamella.errors import UsageError
from lamella.explain import ablation, faithfulness
from lamella.explain.ablation import Floats, Question
from lamella.explain.interactions import across
from lamella.model import Model
from lamella.task import Example

METHODS = ("ablation", "gradients")


def explain_answer(model: Model, example: Example, method: str = "ablation", pairs: bool = False) -> dict[str, Any]:
    """Why an example gets its answer.

    weight > 0: a unit supports the answer; the notes say what a weight means (`ablation.weigh`). `pairs` and "attention"
    come from removing single units. Raises UsageError for an unknown method and DataError for a wrong example.
    """
    if method not in METHODS:
        raise UsageError(f"--method {method}: expected {' or '.join(METHODS)}.")
    missing = [name for name in model.task.fields if name not in example]
    if missing:
        raise UsageError(f"expected {', '.join(model.task.fields)}, received no {missing[0]}.")
    question = Question(model, example)
    result: dict[str, Any] = {
        "task": model.manifest.task,
        "model": Path(model.where).name,
        "example": {name: parts.shown() for name, parts in question.parts.items()},
        "answer": question.answer,
        "rendered": model.task.render(question.answer),
        "focus": {"name": question.name, "value": _short(question.value)},
    }
    aligned = None
    if method == "ablation":
        weights, how = ablation.weigh(question)
        aligned = alignment(question, ablation.ablate(question).T) if question.part_names else across(question)
        result |= {"method": "ablation", "notes": [how]}
    else:
        from lamella.explain.gradients import integrate

        weights, about = integrate(question)
        result |= {"method": "integrated gradients", "notes": [attributed(about)]}
    joint = ablation.pairs(question) if pairs else []
    return {
        **result,
        "notes": [*([question.note] if question.note else []), *result["notes"]],
        "fields": _fields(question, weights),
        "pairs": [{"units": [question.units[a], question.units[b]], "weight": _short(w)} for a, b, w in joint],
        "attention": aligned,
        "faithfulness": faithfulness.check(question, weights),
        "by kind": question.details() if question.details else {},
    }


def attributed(about: dict[str, Any]) -> str:
    """What the gradients attribute, as a sentence."""
    return (
        f"The weights are shares of {about['of']}: {about['here']:.4g} here, of which the way from an empty example "
        f"explains {about['explained']:.4g}."
    )


def _fields(question: Question, weights: Floats) -> dict[str, Any]:
    """Each field's units with their weights."""
    fields: dict[str, Any] = {}
    for name, parts in question.parts.items():
        own = [float(w) for (field, _), w in zip(question.units, weights, strict=True) if field == name]
        units = [{**unit, "weight": _short(w)} for unit, w in zip(parts.units, own, strict=True)]
        fields[name] = {"kind": parts.kind, **parts.facts(), "units": units, "taken away": parts.how[0]}
    return fields


def alignment(question: Question, by_part: Floats) -> dict[str, Any]:
    """Which units each part of the answer depends on: its loss without each unit, as shares that add up to 1.

    by_part (P, N) -> {"rows": P parts, "columns": N units, "weights": (P, N)}. This is the effect of removing a unit, not
    the net's attention, which may differ (Jain and Wallace, 2019); so it exists for every net.
    """
    shares = np.abs(by_part) if question.amounts else np.maximum(by_part, 0)
    total = shares.sum(axis=1, keepdims=True)
    shares = np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)
    labels = [question.parts[name].units[i]["label"] for name, i in question.units]
    return {"rows": question.part_names, "columns": labels, "weights": shares.round(4).tolist()}


def _short(value: float) -> float:
    """A number rounded to six significant digits.

    >>> _short(0.123456789)
    0.123457
    """
    return float(f"{value:.6g}")
