"""Work that can be stopped: a model that checks before each example and each call of a graph whether to go on.

Reading counts as much as answering: a photograph takes a second to decode, and a request may hold many.
"""

from collections.abc import Callable, Sequence
from typing import Any

from lamella.data.media.budget import Budget, at_most
from lamella.errors import DataError, ModelError
from lamella.graphs import limits
from lamella.model import Model, run_batches, whole
from lamella.server.replies import Refused
from lamella.task import Answer, Array, Arrays, Example, GraphLike, Task

Check = Callable[[], None]  # raises to stop the work
Deadline = Callable[[], float]  # the time limit, by `time.monotonic`


class Stopped(Refused):
    """Raised to stop work whose time is over or that nobody waits for."""

    def __init__(self, why: str) -> None:
        super().__init__(503, why, 10)


class Prepared:
    """The task's arrays for an example, in place of its picture or sound, which has been read already."""

    __slots__ = ("arrays",)

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = arrays

    def __repr__(self) -> str:
        return "Prepared"


def prepare(model: Model, examples: Sequence[Example], budget: Budget, check: Check) -> list[Example]:
    """Read the pictures and sounds of examples, so that the thread of the model need not; others stay as they are.

    Raises Refused with 413 where they have more points than the budget, and what the task and `check` raise.
    """
    job = model.task
    media = next((name for name, field in job.fields.items() if field.media), None)
    if media is None:
        return list(examples)
    prepared: list[Example] = []
    with at_most(budget):
        for example in examples:
            check()
            try:
                # A task may cut what it is given, as a long recording; where it cannot, all of its reading is done here.
                ahead = job.fields[media].decoded(example[media])
                if ahead is None:
                    ahead = Prepared(job.inputs({name: whole(value) for name, value in example.items()}))
            except DataError as error:
                if budget.spent:
                    raise Refused(413, str(error)) from error
                raise
            prepared.append({**example, media: ahead})
    return prepared


class _Reading:
    """A task that checks before each example whether to go on."""

    def __init__(self, task: Task, check: Check) -> None:
        self._task, self._check = task, check

    def inputs(self, example: Example) -> Arrays:
        for value in example.values():
            if isinstance(value, Prepared):
                return value.arrays
        self._check()
        return self._task.inputs(example)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)


class Checked:
    """A graph that checks before each call whether to go on, and is stopped when its time is over."""

    def __init__(self, graph: GraphLike, check: Check, deadline: Deadline) -> None:
        self._graph, self._check, self._deadline = graph, check, deadline

    def __call__(self, **inputs: Array) -> Arrays:
        self._check()
        try:
            with limits.until(self._deadline()):
                return self._graph(**inputs)
        except ModelError:
            self._check()  # it was stopped because its time is over
            raise

    def only(self, *outputs: str) -> "Checked":
        return Checked(self._graph.only(*outputs), self._check, self._deadline)  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._graph, name)


class CheckedModel(Model):
    """The same model, with these checks before each example and each call of a graph."""

    def __init__(self, model: Model, check: Check, deadline: Deadline) -> None:
        vars(self).update(vars(model))
        self._check = check
        graphs: Any = {name: Checked(graph, check, deadline) for name, graph in model.graphs.items()}
        self._built = [graphs]
        self.before = checked(model.before, check, deadline) if model.before else None

    def run(self, examples: Sequence[Example]) -> list[Answer]:
        reading: Any = _Reading(self.task, self._check)
        return run_batches(reading, self.graphs, self.relayed(examples))


def checked(model: Model, check: Check, deadline: Deadline) -> Model:
    """The same model, which stops where `check` raises, and within a call of a graph when its deadline has passed."""
    return CheckedModel(model, check, deadline)
