"""Train, understand and ship small neural networks on the machine you have.

>>> import lamella
>>> "translate" in lamella.__all__
True
"""

from __future__ import annotations

import os
import sys

# onnxruntime sends its maker how it is used, unless this stands in the environment before its first import: later
# calls come too late. A person's own setting is kept. tests/test_offline.py looks for files and connections.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

from lamella.version import __version__ as __version__

# Nothing is imported here that Python has not loaded already: the command must first take Ctrl-C, and `typing` alone takes
# longer than to start Python.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lamella.checks import check_task
    from lamella.errors import DataError, LamellaError, MissingExtra, ModelError, TrainingError, UsageError
    from lamella.model import Model
    from lamella.model.named import load
    from lamella.model.shipped import detect
    from lamella.model.translate import translate
    from lamella.registry import names as tasks
    from lamella.task import Task
    from lamella.verbs.compress import compress
    from lamella.verbs.evaluate import evaluate
    from lamella.verbs.explain import explain
    from lamella.verbs.export import export
    from lamella.verbs.import_model import import_model
    from lamella.verbs.plan import plan
    from lamella.verbs.predict import predict
    from lamella.verbs.serve import serve
    from lamella.verbs.show import show
    from lamella.verbs.train import train

# Names are imported when they are first used: `lamella --help` should not wait for numpy.
_PLACES = {
    "DataError": "lamella.errors",
    "LamellaError": "lamella.errors",
    "MissingExtra": "lamella.errors",
    "Model": "lamella.model",
    "ModelError": "lamella.errors",
    "Task": "lamella.task",
    "TrainingError": "lamella.errors",
    "UsageError": "lamella.errors",
    "check_task": "lamella.checks",
    "compress": "lamella.verbs.compress",
    "detect": "lamella.model.shipped",
    "evaluate": "lamella.verbs.evaluate",
    "explain": "lamella.verbs.explain",
    "export": "lamella.verbs.export",
    "import_model": "lamella.verbs.import_model",
    "load": "lamella.model.named",
    "plan": "lamella.verbs.plan",
    "predict": "lamella.verbs.predict",
    "serve": "lamella.verbs.serve",
    "show": "lamella.verbs.show",
    "tasks": "lamella.registry:names",
    "train": "lamella.verbs.train",
    "translate": "lamella.model.translate",
}
__all__ = [
    "DataError",
    "LamellaError",
    "MissingExtra",
    "Model",
    "ModelError",
    "Task",
    "TrainingError",
    "UsageError",
    "check_task",
    "compress",
    "detect",
    "evaluate",
    "explain",
    "export",
    "import_model",
    "load",
    "plan",
    "predict",
    "serve",
    "show",
    "tasks",
    "train",
    "translate",
]


def __getattr__(name: str) -> Any:
    import importlib

    if name not in _PLACES:
        raise AttributeError(f"module 'lamella' has no attribute {name!r}")
    module, _, attribute = _PLACES[name].partition(":")
    return getattr(importlib.import_module(module), attribute or name)


class _Package(type(sys)):  # type: ignore[misc]
    """`lamella.explain` and `lamella.train` are verbs and `lamella.tasks` the list, though folders have these names too.

    Importing `lamella.train.engine` makes Python set `lamella.train` to the folder's module; here that is not done.
    The folders are still found by `import` and `from`, which look in `sys.modules`.
    """

    explain = property(lambda self: __getattr__("explain"), lambda self, module: None)
    train = property(lambda self: __getattr__("train"), lambda self, module: None)
    tasks = property(lambda self: __getattr__("tasks"), lambda self, module: None)


sys.modules[__name__].__class__ = _Package
