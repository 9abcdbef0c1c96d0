"""Train a task from the user's own files, and write a model folder.

    lamella train TASK data.csv -o my-model --minutes 10

What happens, in order: read and say what was understood; hold out a part that training never sees; learn the vocabulary
and the like; train, saving as it goes; export to ONNX; measure the exported graphs on what was held out; write the
folder with scores, curves and a card. Ctrl-C saves, and `--resume` goes on at the exact step.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from lamella import machine, model, registry
from lamella.errors import MissingExtra, UsageError
from lamella.model import card, held_out
from lamella.options import make_config
from lamella.train import process
from lamella.train.settings import split

if TYPE_CHECKING:  # torch is imported when a training begins
    from lamella.train.gather import Gathered


def train(
    task: str,
    *data: str,
    out: str,
    size: str = "small",
    columns: Mapping[str, str] | None = None,
    test: Sequence[str] = (),
    force: bool = False,
    examples: bool = True,
    tell: Callable[[str], None] | None = None,
    **options: Any,
) -> model.Model:
    """Train `task` on files, or on the word "sample", and write the model folder `out`.

    test: files to measure on; where there are none a tenth of the data is held out. examples: keep three held-out ones in
    the model, for its page. tell: takes each line of progress, which otherwise go to standard error. options: how to train
    (`minutes`, `steps` or `epochs`, `device`, `seed`, `rate`, `resume` and the others of
    `lamella.train.settings.Settings`), and the task's own fields. Returns the model, opened.
    Raises UsageError or DataError for wrong arguments or files, TrainingError where training cannot go on.
    """
    try:
        import onnxscript  # noqa: F401
        import torch
    except ImportError as error:
        raise MissingExtra("Training", "train") from error
    from lamella.train.gather import gather
    from lamella.train.loop import train_task
    from lamella.train.ship import keep_examples, put, ship

    tell = tell or (lambda line: print(line, file=sys.stderr))
    place = Path(out)
    settings, own = split(options)
    _check_place(place, force, settings.resume)
    if settings.tensorboard and not find_spec("tensorboard"):
        raise MissingExtra("--tensorboard", "tensorboard")
    if not data:
        raise UsageError(f'no data given. Expected files, or the word "sample": lamella train {task} sample -o {out}')
    device, threads = machine.find_device(settings.device), settings.threads or machine.cores()
    settings = msgspec.structs.replace(settings, device=device, threads=threads)
    cls = registry.find(task)
    job = cls(make_config(cls.Config, own, task), size)
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    with process.interrupt() as stop:
        gathered = gather(job, data, test, columns, settings.seed)
        for line in gathered.lines:
            tell(line)
        facts = {
            "task": task,
            "size": job.size_name,
            "config": msgspec.to_builtins(job.config),
            "seed": settings.seed,
            "accumulate": settings.accumulate,
            "data": _digest(gathered),
        }
        with process.only_one(place / "training"):
            _check_place(place, force, settings.resume)  # once more: another training may have ended here just now
            trained = train_task(job, gathered, settings, place / "training", facts, tell, stop)
            files, manifest = ship(job, task, gathered, trained, settings, tell)
            if examples:
                tell(keep_examples(job, manifest, files, gathered.held, settings))
            stop.check()
            if list(data) != ["sample"]:
                manifest.training["held_out"] = len(gathered.held)
            put(manifest, files, place, trained, job.metric)
            if examples and list(data) != ["sample"]:
                held_out.keep(place / "training", job, gathered.held)
    said = card.remarks(manifest.scores["held out"], job.metric, job.less_is_better)
    for line in (*said, *card.table(manifest.scores)):
        tell(line)
    return model.load(place, task=task if task.endswith(".py") else None)


def _check_place(place: Path, force: bool, resume: bool) -> None:
    model.free(place, force or resume, whole=True)
    begun = any((place / "training" / "checkpoint").glob("step-*"))
    if begun and not (force or resume):
        raise UsageError(f"{place}: holds an unfinished training. Go on with it by --resume, or begin anew by --force.")
    if resume and not begun:
        raise UsageError(f"{place}: nothing to resume: it holds no checkpoint. Train without --resume.")


def _digest(gathered: "Gathered") -> str:
    """Of the data: a checkpoint goes on with the same only."""
    rows = json.dumps([gathered.learn, gathered.held], sort_keys=True, default=str)
    return model.digest(rows.encode(errors="surrogatepass"))
