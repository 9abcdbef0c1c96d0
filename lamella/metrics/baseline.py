"""What answers score that need no net: what training must beat."""

import math
from collections.abc import Sequence
from typing import Any

from lamella.task import Example, Task


def trivial(
    task: Task, learn: Sequence[Example], answers: Sequence[Any], examples: Sequence[Example]
) -> dict[str, Any]:
    """Each measure of the task's trivial answers to these examples; None where it is no finite number.

    learn: the examples from which such an answer is known. Where the task knows none, each of the net's own answers is
    given to the next question.
    """
    without = task.trivial(learn, examples) or [*answers[1:], answers[0]]
    values = task.score(without, examples).values
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
