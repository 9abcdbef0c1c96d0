"""What must be known of answers besides what they say, such as that of a long text a part alone is read."""

from collections.abc import Sequence

from lamella.task import Example, Task


def notes_of(job: Task, examples: Sequence[tuple[str, Example]]) -> list[str]:
    """What a task says of its answers to examples, each with where it stands, "" where there is one: a line, or none.

    Of several examples the first is said, and how many there are.
    """
    if job.output.note is None:
        return []
    found = [(where, note) for where, example in examples if (note := job.output.note(job, example))]
    if not found:
        return []
    where, note = found[0]
    more = f" {len(found) - 1:,} more are like it." if len(found) > 1 else ""
    return [f"note: {where}{': ' if where else ''}{note}{more}"]
