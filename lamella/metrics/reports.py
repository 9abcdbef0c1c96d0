"""Details beside the scores: calibration, and the score of each label."""

from collections.abc import Sequence
from typing import Any

from lamella.metrics import boxes, masks
from lamella.metrics.label import by_label, calibration
from lamella.task import Example, Task


def details(task: Task, answers: Sequence[Any], examples: Sequence[Example]) -> dict[str, Any]:
    """Details to print beside the scores: for labels, calibration and the worst labels; for boxes, each label's AP; for masks its IoU."""
    if task.answer.kind == "mask":
        return {"masks": masks.by_label(answers, [e[task.target] for e in examples])}
    if answers and all(isinstance(a, list) and all(isinstance(b, dict) and "box" in b for b in a) for a in answers):
        wanted_boxes = [e[task.target] for e in examples]
        labels = sorted({one["label"] for all_of_one in wanted_boxes for one in all_of_one})
        return {"boxes": boxes.by_label(answers, wanted_boxes, labels)}
    if not (task.answer.classes and answers and all(isinstance(a, dict) and "label" in a for a in answers)):
        return {}
    wanted = [str(e[task.target]) for e in examples]
    facts: dict[str, Any] = {"labels": by_label([a["label"] for a in answers], wanted)[:10]}
    if "probabilities" in answers[0]:
        facts["calibration"] = calibration(answers, wanted)
    return facts
