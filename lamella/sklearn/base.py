"""What the estimators share: parameters, training on tables in memory, saving as model folders."""

from __future__ import annotations

import copy
import numbers
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from lamella import model as folder
from lamella import registry
from lamella.errors import UsageError
from lamella.model import Model, load
from lamella.storage import temporary
from lamella.task import Task
from lamella.verbs.train import train

Array = NDArray[Any]


class Estimator(BaseEstimator):  # type: ignore[misc]
    """What all four share: parameters, training, saving.

    task: the name of a task, or the path of a task's file; None: the one that fits the class and X. minutes, steps, size: of
    training, as in `lamella.train`; steps, where given, count instead of minutes. random_state: a number, a RandomState, or None
    for seed 0, so that the same data give the same model. options: all other options of `lamella.train` and of the task, such as
    `{"latent_size": 3, "threads": 1}`. verbose: whether progress goes to standard error.
    """

    def __init__(
        self,
        task: str | None = None,
        *,
        minutes: float = 1.0,
        steps: int | None = None,
        size: str | None = None,
        random_state: Any = None,
        options: Mapping[str, Any] | None = None,
        verbose: bool = False,
    ) -> None:
        self.task = task
        self.minutes = minutes
        self.steps = steps
        self.size = size
        self.random_state = random_state
        self.options = options
        self.verbose = verbose

    # ---- saving ------------------------------------------------------------------------------------------------

    def save(self, place: str | Path, force: bool = False) -> None:
        """Write the trained model as a model folder, for `load`, `lamella.load` and every command.

        Raises NotFittedError before `fit`, UsageError where the place is taken and `force` is not given.
        """
        check_is_fitted(self)
        folder.free(Path(place), force, whole=True)
        folder.write(self.model_.manifest, self.model_.files, Path(place))

    @classmethod
    def load(cls, place: str | Path, task: str | None = None) -> Any:
        """An estimator with the model of a folder or zip, trained by any way; labels are texts then.

        task: the file of a task from outside the package. Raises ModelError for what is damaged, UsageError for a model of
        another kind of task.
        """
        model = load(place, task)
        if not cls._answers(type(model.task)):
            raise UsageError(f"{place}: expected a model for {cls.__name__}, received one of {model.manifest.task}.")
        estimator = cls(task or model.manifest.task)
        estimator.model_ = model
        estimator._opened()
        return estimator

    def _opened(self) -> None:
        """Set what `fit` sets besides the model, from the model alone."""

    def __getstate__(self) -> dict[str, Any]:
        if hasattr(self, "model_"):
            raise UsageError(
                f"{type(self).__name__}: a trained estimator is not pickled, since a pickle runs code where it is opened. "
                "Use save(FOLDER) and load(FOLDER); cross-validation and searches in several processes need no pickle of it."
            )
        state: dict[str, Any] = super().__getstate__()
        return state

    def __copy__(self) -> Any:
        other = type(self).__new__(type(self))
        other.__dict__.update(vars(self))
        return other

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """A copy that shares the model, which is never changed."""
        other = self.__copy__()
        rest = {name: copy.deepcopy(value, memo) for name, value in vars(self).items() if name != "model_"}
        vars(other).update(rest)
        return other

    # ---- training ----------------------------------------------------------------------------------------------

    @classmethod
    def _answers(cls, task: type[Task]) -> bool:
        """Whether a task answers what this class answers."""
        raise NotImplementedError

    def _task(self, fits: Callable[[type[Task]], bool], what: str) -> str:
        """The task's name: the parameter, checked, or the one task that answers what this class does and `fits` X."""
        name = self.task
        if name is None:
            found = [n for n in registry.names() if self._answers(registry.find(n)) and fits(registry.find(n))]
            if len(found) != 1:
                several = f"Choose it with task: {', '.join(found)}." if found else "There is no such task."
                raise UsageError(f"{type(self).__name__}: expected data of one task, received {what}. {several}")
            return found[0]
        if not self._answers(registry.find(name)):
            raise UsageError(f"{type(self).__name__}: task {name!r} does not answer what this estimator predicts.")
        return name

    def _trained(self, task: str, table: Any, columns: Mapping[str, str] | None = None, **more: Any) -> Model:
        """Train on a table in memory; the model is kept in memory too, its folder is temporary."""
        options = {**more, **(self.options or {})}
        taken = {"out", "minutes", "steps", "size", "seed", "columns", "tell"} & set(options)
        if taken:
            raise UsageError(f"options: {', '.join(sorted(taken))} is set by the estimator itself. Leave it out.")
        tell = (lambda line: print(line, file=sys.stderr)) if self.verbose else (lambda line: None)
        length = {"minutes": self.minutes} if self.steps is None else {"steps": self.steps}
        with temporary.folder("sklearn") as place:
            out = str(place / "model")
            return train(
                task,
                table,
                out=out,
                size=self.size,
                seed=self._seed(),
                columns=columns,
                tell=tell,
                **length,
                **options,
            )

    def _seed(self) -> int:
        if isinstance(self.random_state, numbers.Integral):
            return int(self.random_state)
        return 0 if self.random_state is None else int(check_random_state(self.random_state).randint(2**31))

    def _enough(self, rows: Sequence[Any], task: str) -> list[Any]:
        """Rows, given several times over where there are fewer than a training needs."""
        fewest = registry.find(task).training.fewest
        if len(rows) >= fewest:
            return list(rows)
        warnings.warn(
            f"n_samples={len(rows)}: a training needs {fewest}, so each is given several times.",
            UserWarning,
            stacklevel=3,
        )
        return [rows[i % len(rows)] for i in range(fewest)]
