"""Train a task from the user's own files, and write a model folder.

    lamella train TASK data.csv -o my-model --minutes 10

What happens, in order: read and say what was understood; hold out a part that training never sees; learn the vocabulary
and the like; train, saving as it goes; export to ONNX; measure the exported graphs on what was held out; write the
folder with scores, curves and a card. Ctrl-C saves, and `--resume` goes on at the exact step.

With `--processes N`, or started by torchrun on several machines, each process does the same until the training has ended, and
computes some rows of each batch; then the first one goes on alone. A process that is started here runs this file as a program.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamella import machine, model
from lamella.data.text.encoding import encoded_as, named_encoding
from lamella.errors import MissingExtra, UsageError
from lamella.model import card, foreseen, held_out
from lamella.model.reading import as_files, several
from lamella.train import plans, process
from lamella.train.prepare import Prepared, prepare
from lamella.train.settings import Settings, split

if TYPE_CHECKING:  # torch is imported when a training begins
    from lamella.train.loop import Trained
    from lamella.train.team import Team


def train(
    task: str,
    *data: Any,
    out: str,
    size: str | None = None,
    init: str | None = None,
    keep: Any = (),
    columns: Mapping[str, str] | None = None,
    test: Any = (),
    force: bool = False,
    examples: bool = True,
    like: str | None = None,
    plan: str | None = None,
    tell: Callable[[str], None] | None = None,
    **options: Any,
) -> model.Model:
    """Train `task` on files, or on the word "sample", and write the model folder `out`.

    data: paths, or tables in memory: frames of pandas or polars, arrays, lists of dicts, dicts of columns. size: tiny, small
    or base; where it is not given small, or tiny where small would make fewer than 200 steps in the minutes given. init: a model to begin from, by its path or, where it came with the package, its
    name: it is adapted to the data and forgets little. Of a model of another task the encoder is taken; "none": from none, where
    a task of few examples would begin from the encoder that ships. keep: files or tables of what it must not forget. test: files or
    tables to measure on; where there are none a tenth of the data is held out. examples: keep three held-out ones in
    the model, for its page. like: a model whose training is repeated with its options, and compared with it. plan: a file of
    forecasts by `lamella.plan`, one of which is compared with what happens; by default that of `out`, where there is one. tell: takes each line of progress, which otherwise go to standard error. options: how to train
    (`minutes`, `steps` or `epochs`, `device`, `seed`, `rate`, `resume` and the others of
    `lamella.train.settings.Settings`), and the task's own fields. Returns the model, opened; under torchrun only
    the first process does, the others end when the training has ended (SystemExit). Raises UsageError or DataError for wrong arguments or files, TrainingError where training cannot go on.
    """
    begun = time.perf_counter()
    machine.forget_peak()
    try:
        import torch

        from lamella.train import launch

        if not launch.follows():
            import onnxscript  # noqa: F401
    except ImportError as error:
        raise MissingExtra("Training", "train") from error
    from lamella.train.follow import follow
    from lamella.train.loop import train_task
    from lamella.train.repeat import Repeat
    from lamella.train.suit import suit

    tell = tell or (lambda line: print(line, file=sys.stderr))
    place = Path(out)
    again = Repeat.of(like, task) if like else None
    if again:
        init, options, size = again.init(init), again.options(options), size or again.manifest.size
    settings, own = split(options)
    _check_arguments(task, data, settings, place, plan)
    if not launch.follows():
        _check_place(place, force, settings.resume)
    given = {"task": task, "out": out, "size": size, "init": init, "columns": columns, "options": options}
    with process.interrupt() as stop, _team(settings, given, data, test, keep) as (team, paths, tests, old):
        settings = launch.settings_of(settings, team)
        torch.set_num_threads(settings.threads)
        torch.manual_seed(settings.seed)
        heard = tell if team.leads else (lambda line: None)
        prepared = prepare(task, paths, settings, own, size, init, old, tests, columns, heard)
        job, gathered, origin, facts = prepared.job, prepared.gathered, prepared.origin, prepared.facts
        if size is None and team.size == 1:
            suit(prepared, settings, init, heard, place / "training")
        if not team.leads:
            follow(job, gathered, settings, facts, stop, origin, team)
        for line in (*gathered.lines, *launch.remarks(team, settings.threads)):
            tell(line)
        forecast = plans.wanted(plan, place, plans.facts_of(facts, settings)) if not settings.resume else None
        with process.only_one(place / "training"):
            _check_place(place, force, settings.resume)  # once more: another training may have ended here just now
            team.meet(facts, settings.device, len(gathered.learn))
            trained = train_task(job, gathered, settings, place / "training", facts, tell, stop, origin, team, begun)
            team.leave()
            manifest = _ship(task, prepared, trained, settings, place, examples, forecast, begun, tell, stop)
    lines = card.remarks(manifest.scores["held out"], job.metric, job.training.less_is_better)
    lines += card.table(manifest.scores) + foreseen.lines(manifest.training)
    for line in lines + (again.compared(manifest) if again else []):
        tell(line)
    return model.load(place, task=task if task.endswith(".py") else None)


def _ship(
    task: str, prepared: Prepared, trained: "Trained", settings: Settings, place: Path, examples: bool,
    forecast: plans.Kept | None, begun: float, tell: Callable[[str], None], stop: process.Interrupt,
) -> model.Manifest:  # fmt: skip
    """Export a trained net, measure it, and write the model with all that `model.json` says of its training."""
    from lamella.train.repeat import facts as of_training
    from lamella.train.ship import keep_examples, put, ship

    job, gathered, facts = prepared.job, prepared.gathered, prepared.facts
    files, manifest = ship(job, task, gathered, trained, settings, tell)
    manifest.training["run"] = of_training(settings, facts["data"], facts.get("init", ""))
    if examples:
        tell(keep_examples(job, manifest, files, gathered.held, settings))
    stop.check()
    if prepared.own_data:
        manifest.training["held_out"] = len(gathered.held)
    if forecast:
        manifest.training |= plans.compared(forecast, time.perf_counter() - begun, trained.run, files)
    put(manifest, files, place, trained, job.metric)
    if examples and prepared.own_data:
        held_out.keep(place / "training", job, gathered.held)
    return manifest


@contextmanager
def _team(
    settings: Settings, given: dict[str, Any], data: Any, test: Any, keep: Any
) -> "Iterator[tuple[Team, Any, Any, Any]]":
    """The processes that train together, and the data as paths that all of them can read."""
    from lamella.train import launch

    if settings.processes == 1 or launch.joined():
        with launch.team_of(settings, dict) as team:
            yield team, data, test, keep
        return
    with as_files(data) as paths, as_files(several(test)) as tests, as_files(several(keep)) as old:
        files = {"data": paths, "test": tests, "keep": old, "encoding": named_encoding()}
        with launch.team_of(settings, lambda: {**given, **files}) as team:
            yield team, paths, tests, old


def _keep_apart(shards: str | None, place: Path) -> None:
    if shards and Path(shards).resolve().is_relative_to(place.resolve()):
        raise UsageError(f"--shards {shards}: expected a folder outside of the model, received one within {place}.")


def _check_arguments(task: str, data: Any, settings: Settings, place: Path, plan: str | None) -> None:
    """Refuse what does not fit together, before anything is begun."""
    _keep_apart(settings.shards, place)
    if plan is not None and settings.resume:
        raise UsageError(
            "--plan: does not fit --resume, since a forecast is of a whole training. Leave one of them out."
        )
    if settings.tensorboard and not find_spec("tensorboard"):
        raise MissingExtra("--tensorboard", "tensorboard")
    if not data:
        raise UsageError(f'no data given. Expected files, or the word "sample": lamella train {task} sample -o {place}')
    machine.find_device(settings.device)


def _check_place(place: Path, force: bool, resume: bool) -> None:
    model.free(place, force or resume, whole=True)
    begun = any((place / "training" / "checkpoint").glob("step-*"))
    if begun and not (force or resume):
        raise UsageError(f"{place}: holds an unfinished training. Go on with it by --resume, or begin anew by --force.")
    if resume and not begun:
        raise UsageError(f"{place}: nothing to resume: it holds no checkpoint. Train without --resume.")


def _member() -> int:
    """Train as one of several processes, which another one has started; errors are for that one to show."""
    from lamella.train import launch
    from lamella.train.team import Lost

    given = launch.told()
    try:
        with encoded_as(given.pop("encoding")):
            train(given.pop("task"), *given.pop("data"), **given.pop("options"), **given, tell=lambda line: None)
    except Lost:
        return launch.LEFT
    except Exception as error:
        print(f"{error or type(error).__name__}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return launch.LEFT
    return 0


if __name__ == "__main__":
    sys.exit(_member())
