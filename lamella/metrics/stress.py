"""How a model's measure falls where its input is worse than what it learned from: `lamella evaluate MODEL DATA --stress`.

Every kind of value names the noise that it meets in practice (`lamella.metrics.noise`). Each is tried at four strengths, and at
0, which is the clean score itself. The figure for all of it is the area under the curves: the mean of the measure over the
strengths from 0 to 1, by trapezoids, and over the kinds of noise. A noise that the model was trained with (`train --augment`)
tells nothing of noise that it does not know, and is left out of that figure unless it is asked for by name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from lamella.errors import UsageError
from lamella.metrics.confidence import calibration_error
from lamella.metrics.noise import Noise, disturbed, noises_of
from lamella.metrics.resample import intervals
from lamella.task import Answer, Example, Scores, Task

STRENGTHS = (0.25, 0.5, 0.75, 1.0)
MOST = 200  # examples, where no limit is given: every kind of noise is as much work as the evaluation itself
RESAMPLES = 300  # for the band of each point

Curve = dict[str, Any]
Answering = Callable[[Task, Sequence[Example]], Sequence[Answer]]
"""The model's answers to examples, by its task or by that task with noise in what it knows."""


def chosen_noises(task: Task, chosen: Collection[str] = ()) -> list[Noise]:
    """The noises to measure with: all, or those chosen; UsageError where the task has none, or none of a name."""
    found = noises_of(task, chosen)
    if not found:
        raise UsageError(
            f"--stress: expected a field that may be noisy, received {', '.join(task.fields)}. There is none."
        )
    return found


def stress(
    task: Task,
    examples: Sequence[Example],
    clean: tuple[Sequence[Answer], Scores],
    answering: Answering,
    chosen: Collection[str] = (),
    seed: int = 0,
    known: Collection[str] = (),
) -> dict[str, Any]:
    """The curve of the headline measure for each kind of noise, and of the calibration error where answers are probabilities.

    In: the answers to the clean examples and their scores, what answers examples, the kinds of noise (all where none is named),
    the seed of the noise, and the noises that the model was trained with.
    Out: {"metric", "strengths", "seed", "count", "area", "trained", "curves": [{"field", "noise", "trained", "values", "low", "high",
    "area", "calibration": {"values", "low", "high"}}]}. area: None where the model was trained with all of the noises.
    """
    first = _point(task, *clean, examples)
    curves: list[Curve] = []
    for noise in chosen_noises(task, chosen):
        points = [first]
        for strength in STRENGTHS:
            if noise[0]:
                noisy, wanted = disturbed(task, examples, noise, strength, seed)
                answers = answering(task, noisy)
            else:
                answers, wanted = (
                    answering(task.training.noises[noise[1]](task, strength, seed), examples),
                    list(examples),
                )
            points.append(_point(task, answers, task.score(answers, wanted), wanted))
        curve = {"field": noise[0], "noise": noise[1], "trained": noise[1] in known, **_columns(points, task.metric)}
        if task.metric in first and ERROR in first:
            curve["calibration"] = _columns(points, ERROR)
            del curve["calibration"]["area"]
        curves.append(curve)
    counted = [curve["area"] for curve in curves if chosen or not curve["trained"]]
    return {
        "metric": task.metric,
        "strengths": [0.0, *STRENGTHS],
        "seed": seed,
        "count": len(examples),
        "area": float(np.mean(counted)) if counted else None,
        "trained": [curve["noise"] for curve in curves if curve["trained"]],
        "curves": curves,
    }


ERROR = "calibration error"


def _point(
    task: Task, answers: Sequence[Answer], scores: Scores, examples: Sequence[Example]
) -> dict[str, dict[str, float]]:
    """The headline measure, and the calibration error where there is one, each with its band."""
    point = {task.metric: intervals(scores, RESAMPLES)[task.metric]}
    if (error := calibration_error(task, answers, examples)) is not None:
        point[ERROR] = intervals(error, RESAMPLES)["error"]
    return point


def _columns(points: Sequence[Mapping[str, Mapping[str, float]]], measure: str) -> Curve:
    values = {part: [point[measure][part] for point in points] for part in ("value", "low", "high")}
    return {"values": values["value"], "low": values["low"], "high": values["high"], "area": _area(values["value"])}


def _area(values: Sequence[float]) -> float:
    """Under a curve over the strengths, by trapezoids.

    >>> _area([1.0, 1.0, 1.0, 1.0, 1.0]), _area([1.0, 0.75, 0.5, 0.25, 0.0])
    (1.0, 0.5)
    """
    places = [0.0, *STRENGTHS]
    steps = zip(places, places[1:], values, values[1:], strict=False)
    return float(sum((right - left) * (a + b) / 2 for left, right, a, b in steps))


def rows(result: Mapping[str, Any]) -> list[list[str]]:
    """The curves as a table of cells, a row a kind of noise and a column a strength, its head first; "*": trained with it."""
    several = len({curve["field"] for curve in result["curves"]} - {""}) > 1
    table = [["noise", *(f"{strength:.2f}" for strength in result["strengths"]), "area"]]
    sure = any("calibration" in curve for curve in result["curves"])
    table[0] += [f"{ERROR} at 0", "at 1"] if sure else []
    for curve in result["curves"]:
        name = f"{curve['field']}, {curve['noise']}" if several and curve["field"] else curve["noise"]
        cells = [
            f"{name}{' *' if curve.get('trained') else ''}",
            *(f"{v:.4g}" for v in (*curve["values"], curve["area"])),
        ]
        if sure:
            values = curve.get("calibration", {}).get("values", ())
            cells += [f"{values[0]:.3f}", f"{values[-1]:.3f}"] if values else ["", ""]
        table.append(cells)
    return table


def summary(result: Mapping[str, Any]) -> str:
    """The one figure in words, and which noises the model was trained with."""
    trained = result.get("trained", [])
    named = f"; * it was trained with {', '.join(trained)}" if trained else ""
    if result["area"] is None:
        return (
            f"no area: it was trained with all of these kinds of noise, {', '.join(trained)}. Name some with --noises"
        )
    unknown = " that it was not trained with" if 0 < len(trained) < len(result["curves"]) else ""
    return f"area under the curves of noise{unknown}: {result['area']:.4g}{named}"
