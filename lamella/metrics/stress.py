"""How a model's measure falls where its input is worse than what it learned from: `lamella evaluate MODEL DATA --stress`.

Every kind of value names the noise that it meets in practice (`Field.noises`). Each is tried at four strengths, and at 0,
which is the clean score itself. The figure for all of it is the area under the curves: the mean of the measure over the
strengths from 0 to 1, by trapezoids, and over the kinds of noise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from lamella.errors import UsageError
from lamella.metrics.resample import intervals
from lamella.task import Answer, Example, Scores, Task

STRENGTHS = (0.25, 0.5, 0.75, 1.0)
MOST = 200  # examples, where no limit is given: every kind of noise is as much work as the evaluation itself
RESAMPLES = 300  # for the band of each point

Curve = dict[str, Any]


def noises_of(task: Task, chosen: Collection[str] = ()) -> list[tuple[str, str]]:
    """(field, noise) of all that the task's fields meet, or of those that are chosen; UsageError where there are none."""
    all_ = [(name, noise) for name, field in task.fields.items() for noise in field.noises]
    names = list(dict.fromkeys(noise for _, noise in all_))
    if not all_:
        raise UsageError(
            f"--stress: expected a field that may be noisy, received {', '.join(task.fields)}. There is none."
        )
    if odd := [noise for noise in chosen if noise not in names]:
        raise UsageError(f"--noises: expected some of {', '.join(names)}, received {odd[0]}.")
    return [(name, noise) for name, noise in all_ if not chosen or noise in chosen]


def disturbed(
    task: Task, examples: Sequence[Example], name: str, noise: str, strength: float, seed: int = 0
) -> list[Example]:
    """The examples with noise in one field. What each one gets hangs on the seed, the noise and its own keys alone."""
    field, found = task.fields[name], []
    for example in examples:
        digest = hashlib.sha256(repr((seed, name, noise, task.keys(example))).encode(errors="surrogatepass")).digest()
        rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
        found.append(
            {**example, name: field.disturb(example[name], noise, strength, rng)} if name in example else example
        )
    return found


def stress(
    task: Task,
    examples: Sequence[Example],
    clean: Scores,
    answer: Callable[[Sequence[Example]], Sequence[Answer]],
    chosen: Collection[str] = (),
    seed: int = 0,
) -> dict[str, Any]:
    """The curve of the headline measure for each kind of noise.

    In: the scores of the clean examples, what answers examples, the kinds of noise (all where none is named). The answers to
    noisy examples are compared with the clean ones, so that what is right stays what it was.
    Out: {"metric", "strengths", "seed", "count", "area", "curves": [{"field", "noise", "values", "low", "high", "area"}]}.
    """
    whole = intervals(clean, RESAMPLES)[task.metric]
    curves: list[Curve] = []
    for name, noise in noises_of(task, chosen):
        points = [whole]
        for strength in STRENGTHS:
            scores = task.score(answer(disturbed(task, examples, name, noise, strength, seed)), examples)
            points.append(intervals(scores, RESAMPLES)[task.metric])
        curve = {part: [point[part] for point in points] for part in ("value", "low", "high")}
        area = _area(curve["value"])
        curves.append(
            {
                "field": name,
                "noise": noise,
                "values": curve["value"],
                "low": curve["low"],
                "high": curve["high"],
                "area": area,
            }
        )
    return {
        "metric": task.metric,
        "strengths": [0.0, *STRENGTHS],
        "seed": seed,
        "count": len(examples),
        "area": float(np.mean([curve["area"] for curve in curves])),
        "curves": curves,
    }


def _area(values: Sequence[float]) -> float:
    """Under a curve over the strengths, by trapezoids.

    >>> _area([1.0, 1.0, 1.0, 1.0, 1.0]), _area([1.0, 0.75, 0.5, 0.25, 0.0])
    (1.0, 0.5)
    """
    places = [0.0, *STRENGTHS]
    steps = zip(places, places[1:], values, values[1:], strict=False)
    return float(sum((right - left) * (a + b) / 2 for left, right, a, b in steps))


def lines(result: dict[str, Any]) -> list[str]:
    """The same for people: a row a kind of noise, a column a strength."""
    several = len({curve["field"] for curve in result["curves"]}) > 1
    names = [f"{c['field']}, {c['noise']}" if several else c["noise"] for c in result["curves"]]
    width = max(map(len, [*names, "noise"]))
    head = "".join(f"{strength:>9.2f}" for strength in result["strengths"])
    out = [f"stress: {result['metric']} of {result['count']} examples by the strength of the noise, 0 for none"]
    out.append(f"{'noise':{width}}{head}{'area':>9}")
    for name, curve in zip(names, result["curves"], strict=True):
        out.append(f"{name:{width}}{''.join(f'{value:>9.4g}' for value in curve['values'])}{curve['area']:>9.4g}")
    return [*out, f"area under all curves {result['area']:.4g}"]
