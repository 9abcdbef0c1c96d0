"""Check and convert Python values to examples of a task, or raise an error of one line.

check_example(task, {"text": "Hello"})      the same
check_example(task, {"text": None})         UsageError: text: expected a text, received None. ...
by_columns(task, {"Review": "Fine."})       {"text": "Fine."}, where training read its texts from a column of this name
"""

from collections.abc import Iterable, Mapping
from typing import Any

from lamella.errors import LamellaError, UsageError
from lamella.task import Example, Task

SHOWN = 60  # characters of a wrong value


def check_example(task: Task, example: Mapping[Any, Any]) -> Example:
    """Check that all fields of an example are present and of their kinds; other keys are kept.

    Arrays of other libraries become lists, strings of other types plain ones. Raises UsageError.
    """
    fields = task.fields  # asked once: a task may make them anew each time
    if not fields.keys() <= example.keys():
        example = by_columns(task, example)
        if any(name not in example for name in fields):
            received = ", ".join(str(key)[:SHOWN] for key in list(example)[:12]) or "nothing"
            raise UsageError(f"expected an example with {', '.join(fields)}, received one with {received}.")
    changed: dict[Any, Any] = {}
    for name, field in fields.items():
        value = example[name]
        if (checked := field.check(name, value)) is not value:
            changed[name] = checked
    for name, field in task.optional.items():
        value = example.get(name)
        if value is not None and not isinstance(value, Mapping) and (checked := field.check(name, value)) is not value:
            changed[name] = checked
    return example if not changed and isinstance(example, dict) else {**example, **changed}


def by_columns(task: Task, example: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """A row that names the columns of training instead of the task's fields -> an example; any other as it is.

    Other columns of the row are left out, as where a table is read. The case of names and marks in them do not matter.
    """
    fields = task.fields
    if fields.keys() <= example.keys():
        return example
    from lamella.data.readers.records import fold  # late: it opens all that reads tables

    keys = {fold(key): key for key in example if isinstance(key, str)}
    [name, *others] = fields
    columns = [column["name"] for column in getattr(fields[name], "columns", ())]
    if columns and not others:
        return {name: dict(example)} if keys.keys() >= set(map(fold, columns)) else example
    found: dict[str, Any] = {}
    for field in (*fields, *task.optional):
        column = task.state.columns.get(field, {"name": field})
        several = "+" in str(column.get("number"))
        parts = column["name"].split("+") if several else [column["name"] or field]
        if all(fold(part) in keys for part in parts):
            values = [example[keys[fold(part)]] for part in parts]
            found[field] = values[0] if len(values) == 1 else _joined(values)
    return found if all(field in found for field in fields) else example


def several_of(task: Task, value: Any) -> list[Any] | None:
    """The examples in a value that holds several: a list of rows, or of values that are no lists themselves, as texts are.

    In: a list, a tuple, an array or a Series. None where the value is one example, as a list of numbers is one series.
    """
    if isinstance(value, str | bytes | Mapping):
        return None
    if isinstance(value, list | tuple) and value and all(isinstance(one, Mapping) for one in value):
        return list(value)
    [field, *others] = task.fields.values()
    if others or not (field.prose or field.media):
        return None
    if hasattr(value, "to_list") or field.prose and hasattr(value, "tolist") and getattr(value, "ndim", 0) == 1:
        value = value.tolist() if hasattr(value, "tolist") else value.to_list()
    if not isinstance(value, list | tuple) or any(isinstance(one, int | float | list) for one in value):
        return None
    return list(value)


def is_value(task: Task, value: list[Any]) -> bool:
    """Whether a list is one value of the task's only field, as numbers are one series where a number alone is none."""
    if len(task.fields) != 1 or not value or not all(isinstance(one, int | float) for one in value):
        return False
    [(name, field)] = task.fields.items()
    try:
        field.check(name, value[0])
    except LamellaError:
        return not (field.prose or field.media)
    return False


def are_rows(task: Task, rows: Any) -> bool:
    """Whether these are rows by the columns of training of a task whose rows are no examples, such as a forecaster's."""
    used = task.state.columns
    if not isinstance(rows, list) or not rows or not used or set(used) & set(task.fields):
        return False
    if ".jsonl" not in task.output.suffixes:  # no table is answered as a whole
        return False
    if not all(isinstance(row, Mapping) for row in rows) or any(name in rows[0] for name in task.fields):
        return False
    from lamella.data.readers.records import fold

    names = {fold(part) for column in used.values() for part in str(column["name"] or "").split("+") if part}
    return bool(names & {fold(str(key)) for key in rows[0]})


def _joined(values: Iterable[Any]) -> str:
    return " ".join(text for text in (str(v).strip() for v in values if v is not None) if text)
