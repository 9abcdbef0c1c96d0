"""Train a task from the user's own files, and write a model folder.

    lamella train TASK data.csv -o my-model --minutes 10

What happens, in order: read and say what was understood; hold out a part that training never sees; learn the vocabulary
and the like; train, saving as it goes; export to ONNX; measure the exported graphs on what was held out; write the
folder with scores, curves and a card. Ctrl-C saves, and `--resume` goes on at the exact step.
"""

import json
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from lamella import metrics, model, registry
from lamella import task as contract
from lamella.errors import LamellaError, MissingExtra, UsageError
from lamella.graphs import load_graphs
from lamella.machine import cores, precision
from lamella.model import card, fingerprint
from lamella.model import examples as kept
from lamella.model.learned import learned
from lamella.options import make_config
from lamella.task import Example, Task
from lamella.train import process
from lamella.train.gather import Gathered, gather
from lamella.version import __version__

if TYPE_CHECKING:  # torch is imported when a training begins
    from lamella.train.engine import Run
    from lamella.train.loop import Trained


def train(
    task: str,
    *data: str,
    out: str,
    minutes: float | None = None,
    steps: int | None = None,
    epochs: float | None = None,
    size: str = "small",
    resume: bool = False,
    accumulate: int = 1,
    patience: int | None = None,
    schedule: str | None = None,
    tensorboard: bool = False,
    device: str = "cpu",
    columns: Mapping[str, str] | None = None,
    test: Sequence[str] = (),
    seed: int = 0,
    rate: float | None = None,
    threads: int | None = None,
    force: bool = False,
    examples: bool = True,
    tell: Callable[[str], None] | None = None,
    **options: Any,
) -> model.Model:
    """Train `task` on files, or on the word "sample", and write the model folder `out`.

    minutes, steps or epochs: how long (5 minutes where none is given); minutes count watching too. test: files to
    measure on; where there are none a tenth of the data is held out. accumulate: batches an update. patience: stop after
    so many looks at the metric without a better one, and keep the best. schedule: how the learning rate falls, "linear" at
    the end or "cosine" throughout. examples: keep three held-out ones in the model, for its page. options: the task's own
    fields. Returns the model, opened.
    Raises UsageError or DataError for wrong arguments or files, TrainingError where training cannot go on.
    """
    try:
        import onnxscript  # noqa: F401
        import torch
    except ImportError as error:
        raise MissingExtra("Training", "train") from error
    tell = tell or (lambda line: print(line, file=sys.stderr))
    place = Path(out)
    _check_place(place, force, resume)
    if any(given is not None and not given > 0 for given in (minutes, steps, epochs)):
        raise UsageError("--minutes, --steps and --epochs: expected a number above 0.")
    if accumulate < 1 or (patience is not None and patience < 1):
        raise UsageError("--accumulate and --patience: expected a whole number above 0.")
    if schedule not in (None, "linear", "cosine"):
        raise UsageError(f"--schedule {schedule}: expected linear or cosine.")
    if tensorboard and not find_spec("tensorboard"):
        raise MissingExtra("--tensorboard", "tensorboard")
    if seed < 0:
        raise UsageError(f"--seed {seed}: expected a whole number, 0 or more.")
    if not data:
        raise UsageError(f'no data given. Expected files, or the word "sample": lamella train {task} sample -o {out}')
    if device != "cpu" and not torch.cuda.is_available():
        raise UsageError(f"--device {device}: expected cpu, since torch finds no such device on this machine.")
    from lamella.train.loop import How, train_net

    cls = registry.find(task)
    job = cls(make_config(cls.Config, options, task), size)
    threads = threads or cores()
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    how = How(
        precision=precision,
        minutes=minutes,
        steps=steps,
        epochs=epochs,
        resume=resume,
        rate=rate,
        seed=seed,
        threads=threads,
        accumulate=accumulate,
        patience=patience,
        schedule=schedule,
        tensorboard=tensorboard,
    )
    with process.interrupt() as stop:
        found = gather(job, data, test, columns, seed)
        for line in found.lines:
            tell(line)
        facts = {
            "task": task,
            "size": job.size_name,
            "config": msgspec.to_builtins(job.config),
            "seed": seed,
            "accumulate": accumulate,
            "data": _digest(found),
        }
        with process.only_one(place / "training"):
            _check_place(place, force, resume)  # once more: another training may have ended here just now
            trained = train_net(
                job, found.learn, how, place / "training", facts, _look_at(job, found.watched), tell, stop
            )
            files, manifest = _ship(job, task, found, trained, how.seed, threads, tell)
            if examples:
                tell(_keep_examples(job, manifest, files, found.held, how.seed, threads))
            files["card.md"] = card.write(manifest, sum(map(len, files.values()))).encode()
            stop.check()
            _write(manifest, files, place, trained, job.metric)
    for line in card.table(manifest.scores):
        tell(line)
    return model.load(place, task=task if task.endswith(".py") else None)


def _check_place(place: Path, force: bool, resume: bool) -> None:
    model.free(place, force or resume, whole=True)
    begun = any((place / "training" / "checkpoint").glob("step-*"))
    if begun and not (force or resume):
        raise UsageError(f"{place}: holds an unfinished training. Go on with it by --resume, or begin anew by --force.")
    if resume and not begun:
        raise UsageError(f"{place}: nothing to resume: it holds no checkpoint. Train without --resume.")


def _digest(found: Gathered) -> str:
    """Of the data: a checkpoint goes on with the same only."""
    rows = json.dumps([found.learn, found.held], sort_keys=True, default=str)
    return model.digest(rows.encode(errors="surrogatepass"))


def _look_at(job: Task, watched: Sequence[Example]) -> "Callable[[Run], float]":
    """What measures the task's metric on the examples that a training is watched by."""

    def look(run: "Run") -> float:
        from lamella.graphs import torch_graphs

        graphs, quick = torch_graphs(run.averaged()), job.to_measure(quick=True)
        answers = quick.answers(watched, lambda rows: model.run_batches(quick, graphs, rows))
        scores = quick.score(answers, watched)
        return scores.values[quick.metric]

    return look


def _ship(
    job: Task, name: str, found: Gathered, trained: "Trained", seed: int, threads: int, tell: Callable[[str], None]
) -> tuple[dict[str, bytes], model.Manifest]:
    """A trained net -> the files of its model and what model.json says, measured on what was held out."""
    from lamella.graphs import torch_graphs
    from lamella.train.export import export_graphs

    run = trained.run
    graphs: Any = torch_graphs(run.averaged())
    job.calibrate(found.watched, lambda rows: model.run_batches(job, graphs, rows))
    tell("exporting and measuring the exported graphs")
    files = export_graphs(run.averaged())
    learned, blobs = store_learned(job)
    files.update(blobs)
    files[fingerprint.FILE] = fingerprint.make(job.keys(e) for e in (*found.learn, *found.watched))
    manifest = model.Manifest(
        lamella=__version__,
        task=name,
        task_digest=model.digest(Path(name).read_bytes()) if name.endswith(".py") else "",
        config=msgspec.to_builtins(job.config),
        size=job.size_name,
        fields={k: msgspec.to_builtins(v) for k, v in job.fields.items()},
        learned=learned,
        parameters=trained.parameters,
        training={
            "data": found.lines,
            "steps": run.step,
            "seconds": round(run.seconds, 1),
            "precision": trained.precision,
            "seed": seed,
        },
    )
    loaded = load_graphs({k: v for k, v in files.items() if k.endswith(".onnx")}, threads)
    manifest.scores = {"held out": measure(job, loaded, found.held)}
    manifest.files = {file: model.digest(raw) for file, raw in files.items()}  # the card speaks of them
    return files, manifest


def _keep_examples(
    job: Task, manifest: model.Manifest, files: Mapping[str, bytes], held: Sequence[Example], seed: int, threads: int
) -> str:
    """Put a few held-out examples, without their answers, into the manifest; the line that says so."""
    graphs = load_graphs({k: v for k, v in files.items() if k.endswith(".onnx")}, threads)
    for example in random.Random(seed).sample(held, min(len(held), kept.TRIED)):
        shown = kept.without_answer(job, example)
        try:
            if shown is None or len(manifest.examples) == kept.MOST:
                continue
            job.to_measure(quick=True).answers([shown], lambda rows: model.run_batches(job, graphs, rows))
        except LamellaError:  # it needs what stays behind
            continue
        manifest.training["examples"] = [*manifest.examples, shown]
    if not manifest.examples:
        return "no held-out example is small enough to be kept in the model for its page"
    return f"{kept.COUNTS[len(manifest.examples)]} kept in the model for its page; --no-examples leaves them out"


def _write(manifest: model.Manifest, files: Mapping[str, bytes], place: Path, trained: "Trained", metric: str) -> None:
    """The picture of the training, then the model, complete when its model.json is there."""
    from lamella.train import curves

    points = [(step, value) for step, value in trained.run.looks.points if value is not None]
    curves.put(place / "training" / "curves.svg", curves.svg(trained.losses, points, metric))
    model.write(manifest, files, place)


def measure(job: Task, graphs: Mapping[str, contract.GraphLike], examples: Sequence[Example]) -> dict[str, Any]:
    """Answers of these graphs scored with intervals, as a score set of `model.json`."""
    job = job.to_measure()
    answers = job.answers(examples, lambda some: model.run_batches(job, graphs, some))
    scores = job.score(answers, examples)
    more = metrics.details(job, answers, examples)
    return {"count": len(examples), "scores": metrics.intervals(scores), "notes": scores.notes, **more}


def store_learned(job: Task) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What fit learned: JSON-able values by name, and bytes as files."""
    values, files = {}, {}
    for name, value in learned(job).items():
        if isinstance(value, bytes):
            file = f"{name.rstrip('_')}.model"
            values[name], files[file] = {"file": file}, value
        else:
            values[name] = value
    return values, files
