"""What a score does not say: how far confidences can be trusted, and how well each label is found."""

from collections.abc import Sequence
from typing import Any

from lamella.metrics.label import by_label, calibration
from lamella.task import Example, Task


def details(task: Task, answers: Sequence[Any], examples: Sequence[Example]) -> dict[str, Any]:
    """What stands beside the scores where answers are labels: calibration, and the labels that are answered worst."""
    if not (task.answer.classes and answers and all(isinstance(a, dict) and "label" in a for a in answers)):
        return {}
    wanted = [str(e[task.target]) for e in examples]
    found: dict[str, Any] = {"labels": by_label([a["label"] for a in answers], wanted)[:10]}
    if "probabilities" in answers[0]:
        found["calibration"] = calibration(answers, wanted)
    return found
