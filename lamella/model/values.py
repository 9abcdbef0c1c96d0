"""Check and convert Python values to examples of a task, or raise an error of one line.

check_example(task, {"text": "Hello"})      the same
check_example(task, {"text": None})         UsageError: text: expected a text, received None. ...
"""

from collections.abc import Mapping
from typing import Any

from lamella.errors import UsageError
from lamella.task import Example, Task

SHOWN = 60  # characters of a wrong value


def check_example(task: Task, example: Mapping[Any, Any]) -> Example:
    """Check that all fields of an example are present and of their kinds; other keys are kept.

    Arrays of other libraries become lists, strings of other types plain ones. Raises UsageError.
    """
    missing = [name for name in task.fields if name not in example]
    if missing:
        received = ", ".join(str(key)[:SHOWN] for key in list(example)[:12]) or "nothing"
        raise UsageError(f"expected an example with {', '.join(task.fields)}, received one with {received}.")
    checked = {name: field.check(name, example[name]) for name, field in task.fields.items()}
    for name, field in task.optional.items():
        if example.get(name) is not None and not isinstance(example[name], Mapping):
            checked[name] = field.check(name, example[name])
    if isinstance(example, dict) and all(example[name] is value for name, value in checked.items()):
        return example
    return {**example, **checked}
