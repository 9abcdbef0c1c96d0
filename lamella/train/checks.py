"""What is odd about training data, for any task: said before training, since afterwards it has cost an hour.

Readers of single formats say what they drop and why; here stands what can be said of examples whatever they are:
repeats, values that never change, labels that are rare or nearly always the same.
"""

import json
from collections import Counter
from collections.abc import Sequence

from lamella.task import Example, Task

LISTED = 5
ONE_SIDED = 0.9  # of the examples with one label: to say it always is as often right
FEW = 5  # examples of a label


def check(job: Task, examples: Sequence[Example]) -> list[str]:
    """Lines that begin with `note:`, one for each thing found."""
    lines = []
    counts = Counter(json.dumps(e, sort_keys=True, default=str) for e in examples)
    repeats = len(examples) - len(counts)
    if repeats:
        lines.append(
            f"note: {repeats:,} of {len(examples):,} examples repeat an earlier one; they stay on its side of a split"
        )
    for name in job.fields:
        values = {json.dumps(e.get(name), default=str) for e in examples}
        if len(values) == 1 and len(examples) > 1:
            lines.append(
                f"note: {name} is the same in every example ({next(iter(values))[:60]}): nothing can be learned from it"
            )
    if job.answer.classes and job.target:
        lines += _labels(Counter(str(e[job.target]) for e in examples if job.target in e))
    return lines


def _labels(counts: Counter[str]) -> list[str]:
    """
    >>> _labels(Counter({"ham": 95, "spam": 5, "egg": 1}))[0]
    'note: 94% of the examples are "ham": to say it always is as often right'
    """
    total = sum(counts.values())
    if not total:
        return []
    lines = []
    most, often = counts.most_common(1)[0]
    if often > ONE_SIDED * total:
        lines.append(
            f'note: {100 * often / total:.0f}% of the examples are "{most}": to say it always is as often right'
        )
    few = sorted((n, label) for label, n in counts.items() if n < FEW)
    if few:
        shown = ", ".join(f'"{label}" ({n})' for n, label in few[:LISTED])
        more = f" and {len(few) - LISTED} more" if len(few) > LISTED else ""
        lines.append(f"note: fewer than {FEW} examples of {shown}{more}: too few to learn from")
    return lines
