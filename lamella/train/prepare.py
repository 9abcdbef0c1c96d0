"""From the arguments of a command to a task with its data: what `train` and `plan` do before the first step.

Nothing here is fitted or built yet. Examples are read, split and checked (`lamella.train.gather`), a model to begin from is
opened (`lamella.train.further`).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from lamella import model, registry
from lamella.errors import UsageError
from lamella.model.reading import as_files, several, without_places
from lamella.options import make_config
from lamella.task import Task
from lamella.train import augment
from lamella.train.settings import Settings

if TYPE_CHECKING:  # torch is imported when a training begins
    from lamella.train.further import Origin
    from lamella.train.gather import Gathered


@dataclass(frozen=True)
class Prepared:
    """A task with its data, ready to be trained."""

    job: Task
    gathered: "Gathered"
    origin: "Origin | None"  # the model that it begins from
    own_data: bool  # the data are the user's, not the task's sample
    facts: dict[str, Any]  # what decides the training besides its settings: a checkpoint goes on with the same only


def prepare(
    task: str,
    data: Any,
    settings: Settings,
    own: dict[str, Any],
    size: str | None = None,
    init: str | None = None,
    keep: Any = (),
    test: Any = (),
    columns: Mapping[str, str] | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> Prepared:
    """The task as the user wants it, its examples, and the model that it begins from, if there is one.

    own: the task's own options. tell: takes a line now and then while a large corpus is read.
    The other arguments are those of `lamella.train`. Raises UsageError and DataError.
    """
    from lamella.train import further

    job, origin = _job(task, size, own, init)
    if settings.augment:
        augment.refuse(job)
    gathered, origin, own_data = _gather(job, data, several(test), columns, settings, origin, several(keep), tell)
    if init is None and size is None and (origin := further.usual_origin(job, task, own, gathered)):
        job.config, job.size_name = further.config_of(origin, type(job), own, task), origin.model.manifest.size
    facts = {
        "task": task,
        "size": job.size_name,
        "config": msgspec.to_builtins(job.config),
        "seed": settings.seed,
        "accumulate": settings.accumulate,
        "data": _digest(gathered),
        **({"augment": settings.augment} if settings.augment else {}),
        **({"init": origin.digest} if origin else {}),
    }
    return Prepared(job, gathered, origin, own_data, facts)


def _job(task: str, size: str | None, own: dict[str, Any], init: str | None) -> "tuple[Task, Origin | None]":
    """The task as the user wants it, and the model that it begins from, if there is one."""
    cls = registry.find(task)
    if init is None or init == "none":
        return cls(make_config(cls.Config, own, task), size or "small"), None
    from lamella.train import further

    origin = further.open_origin(init, task)
    return cls(further.config_of(origin, cls, own, task), size or origin.model.manifest.size), origin


def _gather(
    job: Task,
    data: Any,
    test: Any,
    columns: Mapping[str, str] | None,
    settings: Settings,
    origin: "Origin | None",
    keep: Any,
    tell: Callable[[str], None],
) -> "tuple[Gathered, Origin | None, bool]":
    """The user's examples, with old ones among them where it begins from a model, and whether they are the user's own."""
    from lamella.train import further
    from lamella.train.corpus import gather_corpus
    from lamella.train.gather import gather

    seed = settings.seed
    if keep and origin is None:
        raise UsageError("--keep: expected with --init MODEL, whose knowledge is to be kept.")
    with as_files(data) as paths, as_files(test) as test_paths, as_files(keep) as old:
        large = gather_corpus(job, paths, test_paths, columns, settings, tell) if settings.shards else None
        gathered = large or gather(job, paths, test_paths, columns, seed)
        if origin is not None:
            origin, gathered = further.with_replay(job, origin, gathered, old, columns, seed)
        gathered.lines[:] = [without_places(line) for line in gathered.lines]
        return gathered, origin, paths != ["sample"]


def _digest(gathered: "Gathered") -> str:
    """Of the data: a checkpoint goes on with the same only."""
    whole = [gathered.corpus.digest] if gathered.corpus else []
    rows = json.dumps([gathered.learn, gathered.held, *whole], sort_keys=True, default=str)
    return model.digest(rows.encode(errors="surrogatepass"))
