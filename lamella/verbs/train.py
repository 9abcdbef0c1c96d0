"""Train a task from the user's own files, and write a model folder.

    lamella train TASK data.csv -o my-model --minutes 10

What happens, in order: read and say what was understood; hold out a part that training never sees; learn the vocabulary
and the like; train, saving as it goes; export to ONNX; measure the exported graphs on what was held out; write the
folder with scores, curves and a card. Ctrl-C saves, and `--resume` goes on at the exact step.
"""

import json
import random
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from lamella import __version__, card, fields, metrics, model
from lamella import task as contract
from lamella.errors import DataError, MissingExtra, UsageError
from lamella.graphs import load_graphs
from lamella.machine import cores, precision
from lamella.task import Example, Task
from lamella.train import process
from lamella.train.progress import Progress, speed, time_of

HELD_OUT = 0.1  # of a user's one file
MOST_HELD_OUT = 2000
LOOK = 200  # examples of the training set, kept aside, that the metric is watched on
SHORT = 0.15  # of the time may go into watching it
WARM = 4  # steps, slower than all others
SAVE_EVERY = 60.0  # seconds


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
    tell: Callable[[str], None] | None = None,
    **options: Any,
) -> model.Model:
    """Train `task` on files, or on the word "sample", and write the model folder `out`.

    minutes, steps or epochs: how long (5 minutes where none is given); minutes count watching too. test: files to
    measure on; where there are none a tenth of the data is held out. accumulate: batches an update. patience: stop after
    so many looks at the metric without a better one, and keep the best. schedule: how the learning rate falls, "linear" at
    the end or "cosine" throughout. options: the task's own fields. Returns the model, opened.
    Raises UsageError or DataError for wrong arguments or files, TrainingError where training cannot go on.
    """
    try:
        import onnxscript  # noqa: F401
        import torch
    except ImportError as error:
        raise MissingExtra("Training", "train") from error
    tell = tell or (lambda line: print(line, file=sys.stderr))
    place = Path(out)
    model.free(place, force or resume, whole=True)
    begun = any((place / "training" / "checkpoint").glob("step-*"))
    if begun and not (force or resume):
        raise UsageError(f"{out}: holds an unfinished training. Go on with it by --resume, or begin anew by --force.")
    if resume and not begun:
        raise UsageError(f"{out}: nothing to resume: it holds no checkpoint. Train without --resume.")
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
    cls = contract.find(task)
    job = cls(fields.make(cls.Config, options, task), size)
    rate = job.size.rate if rate is None else rate
    threads = threads or cores()
    torch.set_num_threads(threads)
    torch.manual_seed(seed)

    learn, held, watched, lines = _gather(job, data, test, columns, seed)
    for line in lines:
        tell(line)
    with process.only_one(place / "training"):
        how = How(minutes, steps, epochs, resume, rate, seed, threads, accumulate, patience, schedule, tensorboard)
        return _train(job, task, learn, held, watched, lines, place, how, tell)


@dataclass(frozen=True)
class How:
    """How to train: all that is neither the task's nor its data's."""

    minutes: float | None
    steps: int | None
    epochs: float | None
    resume: bool
    rate: float
    seed: int
    threads: int
    accumulate: int
    patience: int | None
    schedule: str | None
    tensorboard: bool


def _gather(
    job: Task, data: Sequence[str], test: Sequence[str], columns: Mapping[str, str] | None, seed: int
) -> tuple[list[Example], list[Example], list[Example], list[str]]:
    """Training examples, held-out ones, a few of the former to watch, and what was understood."""
    if list(data) == ["sample"]:
        learn, held, lines = job.sample("train"), job.sample("test"), ["data: the task's own sample set"]
    else:
        learn, lines = job.read(list(data), columns)
        if test:
            held, _ = job.read(list(test), columns)
            seen = {key for e in learn for key in job.keys(e)}
            fresh = [e for e in held if not seen.intersection(job.keys(e))]
            if len(fresh) < len(held):
                lines.append(
                    f"note: {len(held) - len(fresh)} test examples are in the training data too and are left out"
                )
            held = fresh
        else:
            learn, held = hold_out(job, learn, HELD_OUT, MOST_HELD_OUT, seed)
            lines.append(f"held out: {len(held)} examples, by seed {seed}, never trained on")
    if len(learn) < 10 or not held:
        raise DataError(
            f"{', '.join(data)}: expected at least 12 examples, received {len(learn) + len(held)}. Add more."
        )
    from lamella.train.checks import check

    lines += check(job, learn)
    learn, watched = hold_out(job, learn, min(0.05, LOOK / len(learn)), LOOK, seed + 1)
    watched = watched or learn[:LOOK]  # where all hang together
    lines.append(f"examples: {len(learn)} to train on, {len(watched)} to watch it by, {len(held)} to measure it with")
    for example in random.Random(seed).sample(learn, 3):
        lines.append("sample: " + " | ".join(map(_shown, example.values())))
    return learn, held, watched, lines


def _shown(value: Any) -> str:
    """A value on one line, not too long; of a picture in a text only what kind it is."""
    text = str(value)
    return text.partition(",")[0] if text.startswith("data:") else " ".join(text[:100].split())


def hold_out(
    job: Task, examples: list[Example], share: float, most: int, seed: int
) -> tuple[list[Example], list[Example]]:
    """Split by seed, so that what is alike stands on one side; the order is kept."""
    from lamella.train import split

    wanted = max(1, min(most, round(share * len(examples))))
    chosen = job.hold_out(examples, wanted, seed)
    held = set(split.hold_out([job.keys(e) for e in examples], wanted, seed) if chosen is None else chosen)
    return [e for i, e in enumerate(examples) if i not in held], [examples[i] for i in sorted(held)]


def _train(
    job: Task,
    name: str,
    learn: list[Example],
    held: list[Example],
    watched: list[Example],
    lines: list[str],
    place: Path,
    how: How,
    tell: Callable[[str], None],
) -> model.Model:
    import torch

    from lamella.graphs import torch_graphs
    from lamella.train import checkpoint, curves
    from lamella.train.batches import an_epoch
    from lamella.train.engine import Run, Store, steps
    from lamella.train.export import export_graphs
    from lamella.train.optimizer import Optimizer
    from lamella.train.schedule import Budget, Schedule, budget_of

    training = place / "training"
    facts = {
        "task": name,
        "size": job.size_name,
        "config": msgspec.to_builtins(job.config),
        "seed": how.seed,
        "accumulate": how.accumulate,
        "data": model.digest(json.dumps([learn, held], sort_keys=True, default=str).encode(errors="surrogatepass")),
    }
    found = checkpoint.peek(training / "checkpoint") if how.resume else None
    if how.resume and found is None:
        raise UsageError(f"{place}: nothing to resume: it holds no complete checkpoint. Train without --resume.")
    job.fit(learn)
    store = Store.of([{**job.inputs(e), **job.prompt(e), **job.targets(e)} for e in learn])
    before = msgspec.convert(found["facts"]["budget"], Budget) if found else None
    count = partial(an_epoch, store.lengths(), job.size.tokens, job.batch)
    budget = budget_of(how.minutes, how.steps, how.epochs, count, before)
    ways = list(job.inputs(learn[0])) + list(job.prompt(learn[0]))
    kind = found["facts"]["precision"] if found else "float32" if job.precise else precision()
    net = job.build().to(getattr(torch, kind))
    run = Run(net, Optimizer(net, how.rate, decay=job.decay, muon=job.muon))
    if found:
        checkpoint.load(run, training / "checkpoint", facts)
        tell(f"resumed at step {run.step}")
    elif training.exists():
        shutil.rmtree(training / "checkpoint", ignore_errors=True)
    parameters = sum(p.numel() for p in net.parameters())
    tell(f"net: {parameters / 1e6:.2f} million parameters, {kind}, {how.threads} threads")
    facts["precision"] = kind
    facts["budget"] = msgspec.to_builtins(budget)
    facts["schedule"] = how.schedule or (found["facts"].get("schedule") if found else None) or Schedule().shape

    def loss(net: Any, batch: dict[str, Any]) -> Any:
        dtype = next(net.parameters()).dtype
        batch = {k: v.to(dtype) if v.is_floating_point() else v for k, v in batch.items()}
        return job.loss(net(**{k: batch[k] for k in ways}), batch)

    show, watch = Progress(tell), _Watch(job, watched)
    best: tuple[float, list[Any]] | None = None
    since = 0  # looks at the metric since the best one
    losses = curves.read_log(training / "log.jsonl", run.step) if found else []
    saved = time.time()
    speeds: list[tuple[float, int, int]] = []
    board = None
    if how.tensorboard:
        from torch.utils.tensorboard import SummaryWriter

        board = SummaryWriter(str(training / "tensorboard"), purge_step=run.step)
    schedule = Schedule(min(100, max(10, (budget.steps or 1000) // 10)), shape=facts["schedule"])
    estimated = False

    def save() -> None:
        checkpoint.save(run, training / "checkpoint", facts)
        curves.write_log(training / "log.jsonl", losses)

    with process.interrupt() as stopped:
        sizes: dict[str, Any] = {"tokens": job.size.tokens, "examples": job.batch, "accumulate": how.accumulate}
        for step in steps(run, store, job.collate, loss, budget, schedule, seed=how.seed, **sizes):
            losses.append((step.index, step.loss))
            speeds = [*speeds[-50:], (step.seconds - watch.spent, step.tokens, step.index)]
            rate_now, left = speed(speeds, budget, watch.spent)
            if not estimated and len(speeds) == WARM + 8:  # the first steps are slower than all others
                left = speed(speeds[WARM:], budget, watch.spent)[1] * (1 if budget.seconds else 1 + SHORT / 2)
                tell(f"estimate: {time_of(left)} of training, {rate_now:,.0f} tokens/s; then exporting and measuring")
                estimated = True
            recent = sum(v for _, v in losses[-20:]) / len(losses[-20:])
            seen = f", {job.metric} {watch.points[-1][1]:.4g}" if watch.points else ""
            show.line(f"step {step.index}, loss {recent:.3f}, {rate_now:,.0f} tokens/s, {time_of(left)} left{seen}")
            if board is not None:
                board.add_scalar("loss", step.loss, step.index)
                board.add_scalar("gradient norm", step.norm, step.index)
            if watch.due(step.seconds, step.progress):
                value = watch.measure(run, step.index)
                if board is not None:
                    board.add_scalar(job.metric, value, step.index)
                if best is None or (value != best[0] and (value < best[0]) == job.less_is_better):
                    best, since = (value, [a.clone() for a in run.average]), 0
                else:
                    since += 1
                if how.patience and since >= how.patience:
                    tell(f"stopped early: {job.metric} was best {since} looks ago, {best[0]:.4g}")
                    break
            if time.time() - saved > SAVE_EVERY:
                save()
                saved = time.time()
            if stopped():
                break
    show.done()
    save()
    if stopped() and budget.progress(run.step, run.seconds) < 1:
        raise KeyboardInterrupt(f"stopped at step {run.step}; saved. Go on with the same command and --resume.")
    watch.measure(run, run.step)
    if board is not None:
        board.close()
    last = watch.points[-1][1]
    if best and (job.keep_best or how.patience) and best[0] != last and (best[0] < last) == job.less_is_better:
        run.average = best[1]
    tell(
        f"trained: {run.step} steps in {time_of(run.seconds)}, {job.metric} {watch.points[-1][1]:.4g} on what was watched"
    )
    net.float()  # what ships is the mean as it was kept, not rounded to the type that training computed in
    final = torch_graphs(run.averaged())
    job.calibrate(watched, lambda some: model.run_batches(job, final, some))
    tell("exporting and measuring the exported graphs")
    files = export_graphs(run.averaged())
    learned, blobs = store_learned(job)
    files.update(blobs)
    manifest = model.Manifest(
        lamella=__version__,
        task=name,
        task_digest=model.digest(Path(name).read_bytes()) if name.endswith(".py") else "",
        config=msgspec.to_builtins(job.config),
        size=job.size_name,
        fields={k: msgspec.to_builtins(v) for k, v in job.fields.items()},
        learned=learned,
        parameters=parameters,
        training={
            "data": lines,
            "steps": run.step,
            "seconds": round(run.seconds, 1),
            "precision": kind,
            "seed": how.seed,
        },
    )
    graphs = load_graphs({k: v for k, v in files.items() if k.endswith(".onnx")}, how.threads)
    manifest.scores = {"held out": measure(job, graphs, held)}
    files["card.md"] = card.write(manifest, sum(map(len, files.values()))).encode()
    model.write(manifest, files, place)
    (training / "curves.svg").write_text(curves.svg(losses, watch.points, job.metric), encoding="utf-8")
    for line in card.table(manifest.scores):
        tell(line)
    return model.load(place, task=name if name.endswith(".py") else None)


def measure(job: Task, graphs: Mapping[str, contract.GraphLike], examples: Sequence[Example]) -> dict[str, Any]:
    """Answers of these graphs scored with intervals, as a score set of `model.json`."""
    job = job.to_measure()
    answers = job.answers(examples, lambda some: model.run_batches(job, graphs, some))
    scores = job.score(answers, examples)
    more = metrics.details(job, answers, examples)
    return {"count": len(examples), "scores": metrics.intervals(scores), "notes": scores.notes, **more}


class _Watch:
    """The task's metric on a few examples, measured now and then, for at most a seventh of the time."""

    def __init__(self, job: Task, examples: list[Example]) -> None:
        self.job, self.examples = job, examples
        self.points: list[tuple[float, float]] = []
        self.spent = 0.0
        self.next = 0.04

    def due(self, seconds: float, progress: float) -> bool:
        return progress >= self.next and self.spent < SHORT * seconds

    def measure(self, run: Any, step: int) -> float:
        from lamella.graphs import torch_graphs

        start = time.time()
        graphs = torch_graphs(run.averaged())
        job = self.job.to_measure(quick=True)
        try:
            answers = job.answers(self.examples, lambda some: model.run_batches(job, graphs, some))
        finally:
            run.current()
        scores = job.score(answers, self.examples)
        value = scores.measures[job.metric](scores.parts.sum(axis=0))
        self.points.append((step, value))
        self.spent += time.time() - start
        run.seconds += time.time() - start  # minutes are the user's: they hold all that is done in them
        self.next += 0.06
        return value


def store_learned(job: Task) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What fit learned: JSON-able values by name, and bytes as files."""
    values, files = {}, {}
    for name, value in contract.learned(job).items():
        if isinstance(value, bytes):
            file = f"{name.rstrip('_')}.model"
            values[name], files[file] = {"file": file}, value
        else:
            values[name] = value
    return values, files
