"""One screen about a model: what it is, what it learned from, how good and how big it is, its layers.

lamella show my-model
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from lamella.errors import LamellaError
from lamella.metrics import robustness
from lamella.model import Model, card, foreseen
from lamella.model.named import load


def show(model: str | Model, task: str | None = None) -> dict[str, Any]:
    """A model's facts: task, size, precision, scores, files, graphs with their inputs."""
    trained = model if isinstance(model, Model) else load(model, task)
    m = trained.manifest
    return {
        "model": trained.where,
        "task": m.task,
        "parameters": m.parameters,
        "precision": m.precision,
        "bytes": trained.bytes,
        "config": m.config,
        "size": m.size,
        "training": m.training,
        "scores": m.scores,
        "examples": [sketched(trained, example) for example in m.examples],
        "remarks": [
            f"{name}: {line}"
            for name, result in m.scores.items()
            for line in card.remarks(result, trained.task.metric, trained.task.training.less_is_better)
        ],
        "files": {name: len(raw) for name, raw in sorted(trained.files.items())},
        "graphs": {
            n: {k: list(map(str, shape)) for k, (_, shape) in g.axes.items()} for n, g in trained.graphs.items()
        },
    }


def sketched(trained: Model, example: Mapping[str, Any]) -> dict[str, list[str]]:
    """A held-out example that is kept with the model, each of its values as lines for a terminal."""
    fields, sketches = {**trained.task.optional, **trained.task.fields}, {}
    for name, value in example.items():
        with suppress(LamellaError):  # a model from elsewhere may hold anything
            sketches[name] = fields[name].sketch(value) if name in fields else [str(value)[:60]]
    return sketches


def lines(facts: dict[str, Any]) -> list[str]:
    """The same for people."""
    out = [
        f"{facts['model']}: {facts['task']}, {facts['parameters'] / 1e6:.2f} million parameters, {facts['precision']}, "
        f"{facts['bytes'] / 1e6:.1f} MB",
        "config: " + ", ".join(f"{k}={v}" for k, v in facts["config"].items() if v not in ("", None)),
        *facts["training"].get("data", []),
        *foreseen.lines(facts["training"]),
        *(line for number, one in enumerate(facts["examples"], 1) for line in _example(number, one)),
        "",
        *facts["remarks"],
        *card.table(facts["scores"]),
        *(line for result in facts["scores"].values() for line in card.beside(result)),
        *(line for result in facts["scores"].values() for line in robustness.lines(result)),
        "",
        *[f"{name:20} {size:12,} bytes" for name, size in facts["files"].items()],
        "",
    ]
    for name, inputs in facts["graphs"].items():
        out += [f"graph {name}", *[f"  {key:16} {' x '.join(shape)}" for key, shape in inputs.items()]]
    return out


def _example(number: int, sketches: dict[str, list[str]]) -> list[str]:
    """A kept example: what is one line after its name, what is more below it; pictures of the first alone."""
    out = []
    for name, found in sketches.items():
        head = f"held-out example {number}, {name}:"
        if len(found) == 1:
            out.append(f"{head} {found[0]}")
        elif number == 1:
            out += [head, *(f"  {line}" for line in found)]
    return out
