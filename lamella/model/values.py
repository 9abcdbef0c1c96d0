"""Values as they come from Python -> examples that a task may be given, or one line that says what is wrong.

check_example(task, {"text": "Hello"})      the same
check_example(task, {"text": None})         UsageError: text: expected a text, received None. ...
"""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import numpy as np

from lamella.errors import UsageError
from lamella.fields import Audio, Field, Id, Image, Label, Number, Series, Text
from lamella.task import Example, Task

SHOWN = 60  # characters of a wrong value


def check_example(task: Task, example: Mapping[Any, Any]) -> Example:
    """An example whose fields are all there and of their kind; what else it holds stays.

    Arrays of other libraries become lists, strings of other types plain ones. Raises UsageError.
    """
    missing = [name for name in task.fields if name not in example]
    if missing:
        received = ", ".join(str(key)[:SHOWN] for key in list(example)[:12]) or "nothing"
        raise UsageError(f"expected an example with {', '.join(task.fields)}, received one with {received}.")
    checked = {name: _check(name, kind, example[name]) for name, kind in task.fields.items()}
    for name, kind in task.optional.items():
        if example.get(name) is not None and not isinstance(example[name], Mapping):
            checked[name] = _check(name, kind, example[name])
    if isinstance(example, dict) and all(example[name] is value for name, value in checked.items()):
        return example
    return {**example, **checked}


def _check(name: str, kind: Field, value: Any) -> Any:
    if isinstance(kind, Text | Label | Id):
        if isinstance(value, str):
            return value if type(value) is str else str.__str__(value)
        raise _wrong(name, "a text", value)
    if isinstance(kind, Series):
        return value if isinstance(value, str) else _series(name, value)
    if isinstance(kind, Number):
        return _number(name, value)
    if isinstance(kind, Image | Audio):
        return _medium(name, value)
    return value


def _series(name: str, value: Any) -> list[Any]:
    """Numbers in order: the list as it came, or an array's values."""
    what = "finite numbers in a list, or in a text with spaces between them"
    if not isinstance(value, list | tuple | range) and not hasattr(value, "__array__"):
        raise _wrong(name, what, value)
    try:
        numbers = np.asarray(value, dtype=np.float64)
    except Exception as error:  # whatever the array of another library raises
        raise _wrong(name, what, value) from error
    if numbers.ndim != 1 or not np.isfinite(numbers).all():
        raise _wrong(name, what, value)
    return value if isinstance(value, list) else list(numbers.tolist())


def _number(name: str, value: Any) -> Any:
    try:
        if not isinstance(value, bool | bytes) and np.isfinite(float(value)):
            return value
    except (TypeError, ValueError, OverflowError):
        pass
    raise _wrong(name, "a finite number", value)


def _medium(name: str, value: Any) -> Any:
    """A path, a data: URI, bytes, points, or the row or the seed that some tasks take in the place of a picture."""
    if isinstance(value, str | PurePath | bytes | bytearray | list | np.ndarray):
        return value
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value):
            return value if isinstance(value, dict) else dict(value)
        raise _wrong(name, "a row whose columns have names", value)
    if hasattr(value, "__array__") or hasattr(value, "__array_interface__"):  # a picture of another library, say
        try:
            return np.asarray(value)
        except Exception as error:
            raise _wrong(name, "an array of points", value) from error
    raise _wrong(name, "a file's path, bytes or an array", value)


def _wrong(name: str, expected: str, value: Any) -> UsageError:
    try:
        shown = repr(value)
    except Exception:  # an object that cannot even be shown
        shown = "an object"
    kind = type(value).__name__
    received = shown if kind in ("NoneType", "bool", "float", "int") else f"{kind} {shown}"
    hint = ""
    if isinstance(value, bytes | bytearray):
        hint = " Decode it first."
    elif not isinstance(value, str) and hasattr(value, "__iter__"):
        hint = " Several examples are a list, each of them one value or a dict."
    return UsageError(f"{name}: expected {expected}, received {received[:SHOWN]}.{hint}")
