"""Find a task by its name or by its file: the folder `tasks/` is the registry."""

import importlib
import sys
from pathlib import Path
from typing import Any

from lamella.errors import UsageError
from lamella.task import Task


def names() -> list[str]:
    """The words for the tasks in the package: `tasks/weather.py`, or `tasks/weather/`, is `weather`.

    >>> "weather" in names()  # it lies outside the package
    False
    """
    folder = Path(__file__).parent / "tasks"
    places = [p for p in folder.iterdir() if p.suffix == ".py" or (p / "__init__.py").is_file()]
    return sorted(p.stem.replace("_", "-") for p in places if not p.stem.startswith("_"))


def find(word: str) -> type[Task]:
    """The task of a name, or of a file that ends in .py."""
    if word.endswith(".py"):
        return _task_in(_load_file(Path(word)), word)
    if word.replace("_", "-") not in names():
        raise UsageError(f"unknown task {word!r}. Expected one of {', '.join(names())}, or a file that ends in .py.")
    return _task_in(importlib.import_module(f"lamella.tasks.{word.replace('-', '_')}"), word)


def _load_file(path: Path) -> Any:
    if not path.is_file():
        raise UsageError(f"{path}: no such file. Expected a Python file with one subclass of lamella.Task.")
    import importlib.util  # late: tasks of the package do without

    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # annotations of its Config are looked up here
    spec.loader.exec_module(module)
    return module


def _task_in(module: Any, word: str) -> type[Task]:
    found = [
        v
        for v in vars(module).values()
        if isinstance(v, type) and issubclass(v, Task) and v.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise UsageError(f"{word}: expected one subclass of lamella.Task, found {len(found)}.")
    found[0].Config = module.Config
    return found[0]


def name_of(task: Task) -> str:
    """The word for a task: its file's name."""
    return type(task).__module__.rsplit(".", 1)[-1].replace("_", "-")


def summary(cls: type[Task]) -> str:
    """The first line of the docstring of a task's file: its help."""
    return ((sys.modules[cls.__module__].__doc__ or "").strip().splitlines() or [""])[0]
