"""The score of trivial answers, which need no net: the baseline that training must beat."""

import math
from collections.abc import Sequence
from typing import Any

from lamella.task import Example, Task


def trivial(
    task: Task, learn: Sequence[Example], answers: Sequence[Any], examples: Sequence[Example]
) -> dict[str, Any]:
    """Each measure of the task's trivial answers to these examples; None for values that are not finite.

    learn: the training examples, from which such answers come. For a task without a trivial answer, the net's own answers
    are shifted by one example.
    """
    without = task.trivial(learn, examples) or [*answers[1:], answers[0]]
    values = task.score(without, examples).values
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
