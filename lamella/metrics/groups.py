"""The score of each group of examples, by a column of the table they are from: which group a model serves worst.

A mean over all examples hides a group for which the model is bad. A small group's score says little: its interval is wide, and it is
flagged and named worst only where all groups are small.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lamella.task import Scores

SMALL = 30  # examples of a group, below which it is flagged
RESAMPLES = 300


def by_group(
    scores: Scores, groups: Mapping[str, Sequence[int]], metric: str, less_is_better: bool, seed: int = 0
) -> dict[str, Any]:
    """The headline measure of each group, the worst first, with 95% bootstrap intervals from resamples within the group.

    In: the scores of all examples; the places of each group's examples among them. Out: {"metric", "rows": [{"name", "count", "value",
    "low", "high", "small"}], "worst", "small": SMALL}; worst: the name of the group with the worst value among those not small.

    >>> parts = np.array([[1.0, 1.0]] * 40 + [[0.0, 1.0]] * 40)
    >>> scores = Scores.from_sums(parts, {"right": lambda sums: sums[0] / sums[1]})
    >>> by_group(scores, {"old": range(40), "new": range(40, 80)}, "right", less_is_better=False)["worst"]
    'new'
    """
    rows: list[dict[str, Any]] = []
    for name, places in groups.items():
        rng = np.random.default_rng(seed)

        def value(counts: Any, places: Sequence[int] = places) -> float:
            weights = np.zeros(scores.count)
            weights[list(places)] = counts
            return float(scores.measure(weights)[metric])

        count = len(places)
        draws = [value(rng.multinomial(count, np.full(count, 1 / count))) for _ in range(RESAMPLES if count > 1 else 0)]
        own = value(np.ones(count))
        low, high = np.percentile(draws or [own], [2.5, 97.5])
        rows.append(
            {
                "name": name,
                "count": count,
                "value": own,
                "low": float(low),
                "high": float(high),
                "small": count < SMALL,
            }
        )
    rows.sort(key=lambda row: (row["value"] if not less_is_better else -row["value"], row["name"]))
    large = [row for row in rows if not row["small"]] or rows
    return {"metric": metric, "rows": rows, "worst": large[0]["name"], "small": SMALL}


def rows(result: Mapping[str, Any]) -> list[list[str]]:
    """The groups as a table of cells, its head first."""
    table = [[str(result["column"]), "examples", str(result["metric"]), "95% interval"]]
    for row in result["rows"]:
        small = f" (fewer than {result['small']})" if row["small"] else ""
        table.append(
            [
                str(row["name"]),
                f"{row['count']}{small}",
                f"{row['value']:.4g}",
                f"{row['low']:.4g} to {row['high']:.4g}",
            ]
        )
    return table


def summary(result: Mapping[str, Any]) -> str:
    """The worst group in words, and how many examples are in none."""
    left = f"; {result['without']} examples are in no group" if result.get("without") else ""
    return f"worst group by {result['column']}: {result['worst']}{left}"
