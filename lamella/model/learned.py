"""What `fit` learned (vocabularies, labels, scales): from the task into `model.json`, and back.

A task declares it in its class, name by name (`labels_: list[str]`); names end in `_`. A model folder may come from
anywhere, so nothing is set but those names, and only to values of the declared types.
"""

from collections.abc import Mapping
from typing import Any, get_type_hints

import msgspec

from lamella.errors import UsageError
from lamella.task import Task

COLUMNS = "used_columns_"  # the columns that training read, by their name in model.json


def declared(cls: type[Task]) -> dict[str, Any]:
    """What a task may learn: the names ending in `_` that its class declares, and their types."""
    names = {n for c in cls.__mro__ for n in vars(c).get("__annotations__", ()) if n.endswith("_") and n[0] != "_"}
    try:
        hints = get_type_hints(cls, include_extras=True) if names else {}
    except NameError as error:
        raise UsageError(
            f"{cls.__name__}: the types of what it learns are not known ({error}). Import them."
        ) from error
    return {name: hints[name] for name in sorted(names)}


def learned(task: Task) -> dict[str, Any]:
    """What `fit` learned: the attributes whose names end in `_`, all declared by the class."""
    kept = {k: v for k, v in vars(task).items() if k.endswith("_") and not k.startswith("_")}
    if unknown := sorted(kept.keys() - declared(type(task)).keys()):
        raise UsageError(
            f"{type(task).__name__} has learned {unknown[0]}, which its class does not declare. Add a line such as "
            f"{unknown[0]}: {type(kept[unknown[0]]).__name__} to the class."
        )
    return {**({COLUMNS: task.state.columns} if task.state.columns else {}), **kept}


def restore(task: Task, values: Mapping[str, Any]) -> None:
    """Restore what a task learned in `fit`. ValueError if it does not match the declarations of its class."""
    types = declared(type(task))
    for name, value in values.items():
        if name == COLUMNS:
            task.state = task.state.changed(columns=_converted(name, value, dict[str, dict[str, Any]]))
            continue
        if name not in types:
            raise ValueError(f"{name[:100]!r} is nothing that this task learns")
        if types[name] is bytes and not isinstance(value, bytes):
            raise ValueError(f"{name} is not in a file of its own")
        setattr(task, name, _converted(name, value, types[name]))
    if missing := [name for name in types if name not in values and not hasattr(type(task), name)]:
        raise ValueError(f"{missing[0]} is missing")


def _converted(name: str, value: Any, kind: Any) -> Any:
    """A value of the declared type; ValueError where it is of another."""
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, OverflowError, RecursionError) as error:
        raise ValueError(f"{name}: {error}") from error
