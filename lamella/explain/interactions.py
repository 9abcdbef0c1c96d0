"""Alignment of two text fields of an example, word by word: the interaction of pairs of units.

across(question)      rows: the second field's units, columns: the first's; None where an example has no two texts
"""

from typing import Any

import numpy as np

from lamella.explain.ablation import Floats, Question

MOST = 900  # pairs of units that are measured, each by a run of the net


def across(question: Question) -> dict[str, Any] | None:
    """An alignment of the units of two fields that are cut into words: {"rows", "columns", "weights", "title"}.

    The interaction of a pair is the focus with both, minus that without the one, minus that without the other, plus that
    without both: what the focus gains because both are present. The shares of a row add up to 1; negative ones count as 0.
    """
    names = [name for name, parts in question.parts.items() if parts.kind == "text"]
    if len(names) != 2 or len(question.part_names) > 1:
        return None
    one, other = ([i for i, (field, _) in enumerate(question.units) if field == name] for name in names)
    if not one or not other or len(one) * len(other) > MOST:
        return None
    single = dict(zip([*one, *other], question.focus([{i} for i in (*one, *other)]).sum(axis=1), strict=True))
    both = question.focus([{a, b} for b in other for a in one]).sum(axis=1).reshape(len(other), len(one))
    alone = np.array([single[b] for b in other])[:, None] + np.array([single[a] for a in one])[None, :]
    together: Floats = np.maximum(question.value - alone + both, 0)
    total = together.sum(axis=1, keepdims=True)
    shares = np.divide(together, total, out=np.zeros_like(together), where=total > 0)
    labels = [
        [question.parts[field].units[i]["label"] for field, i in map(question.units.__getitem__, side)]
        for side in (other, one)
    ]
    return {
        "rows": labels[0],
        "columns": labels[1],
        "weights": shares.round(4).tolist(),
        "title": f"Which part of {names[1]} goes with which of {names[0]}",
    }
