"""Train a net: go on from a checkpoint or begin, save as it goes, watch it, and stop.

    trained = train_task(job, gathered, settings, place / "training", facts, tell, stop)

`loop` is what every training runs in, a recipe's too: steps come out one by one, saved and watched. `train_task` is the
same for a task and its examples, with a log and a line of progress.

What a run must have to end bit-equal to one that was never stopped is in its checkpoint (`lamella.train.checkpoint`):
weights, moments and their average, the best weights and the looks, the budget, the rate, the precision, how far it is.
The log is written before the checkpoint and cut at its step when the run is taken up again: no line is lost or doubled.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import torch
from msgspec import Meta

from lamella import machine, model
from lamella.errors import ModelError, TrainingError, UsageError
from lamella.model.learned import learned
from lamella.storage import disk
from lamella.task import Phase, Task
from lamella.train import augment, checkpoint, curves, ending, further
from lamella.train.board import board_of, noted, write_step
from lamella.train.corpus import encoded
from lamella.train.divided import Divided
from lamella.train.engine import Batches, Run, Step, steps
from lamella.train.further import Origin
from lamella.train.gather import Gathered, encode
from lamella.train.looks import BEFORE
from lamella.train.pace import Pace
from lamella.train.process import Interrupt
from lamella.train.progress import Shown, time_of, unit_of, waiting
from lamella.train.schedule import Budget, Part, Schedule, budget_of
from lamella.train.settings import Settings
from lamella.train.shares import shared_loss
from lamella.train.team import ALONE, Lost, Team
from lamella.train.watch import Watch, metric_of, say_why_it_ended

SAVE_EVERY = 60.0  # seconds


class Course(msgspec.Struct, kw_only=True):
    """What a checkpoint's facts say of how it is trained: what need not be said again when it goes on."""

    precision: Literal["float32", "bfloat16", "float16"]
    budget: Budget
    schedule: Literal["linear", "cosine"] = "linear"
    rate: float | None = None  # an earlier version kept none
    phase: Annotated[int, Meta(ge=0)] = 0  # which of the task's phases
    begun: Annotated[int, Meta(ge=0)] = 0  # the step at which that began


@dataclass
class Trained:
    """A net at the end of its training."""

    run: Run
    losses: list[tuple[int, float]]  # (step, loss)
    precision: str
    parameters: int


def loop(
    run: Run,
    made: Iterable[Step],
    save: Callable[[Run], object],
    stop: Callable[[], bool],
    watch: Watch | None = None,
    every: float | None = None,
    agree: Callable[[bool, bool], bool] = lambda stop, over: stop or over,
) -> Iterator[Step]:
    """Steps as they are made. After each: look where that is due, save every so many seconds, end where that is wished.

    It ends by itself where `stop()` is true, the watch is over or no step is left, and saves once more then. Leave it by
    `stop` and not by `break`, or what was done since the last save is lost. agree: whether to end, of whether this process
    wants to stop and whether its watch is over; several processes must end after the same step.
    """
    saved = time.time()
    for step in () if agree(False, watch is not None and watch.over) else made:
        yield step
        if watch is not None:
            watch.after(step)
        if time.time() - saved > (SAVE_EVERY if every is None else every):
            save(run)
            saved = time.time()
        if agree(stop(), watch is not None and watch.over):
            break
    save(run)


def train_task(
    job: Task,
    gathered: Gathered,
    settings: Settings,
    training: Path,
    facts: dict[str, Any],
    tell: Callable[[str], None],
    stop: Interrupt,
    origin: Origin | None = None,
    team: Team = ALONE,
    begun: float | None = None,
) -> Trained:
    """Fit the task to its examples, train its net on them, and save as it goes; from `origin` it begins where that ended.

    training: the folder for checkpoint, log and curves. facts: what must be the same to go on from a checkpoint. team: the
    processes that train together, of which this is the first; `lamella.train.follow` is what the others do. begun: when the
    command began, by `time.perf_counter`, where the net is exported and measured afterwards and its minutes hold that too. Raises
    KeyboardInterrupt where it was stopped before its end, saved; TrainingError where it cannot go on; UsageError where
    there is nothing to resume.
    """
    saved = _newest(training) if settings.resume else None
    whole, batches, course, before = _begun(job, gathered, settings, saved, origin, tell, team, begun)
    trained = Trained(whole, [], course.precision, sum(p.numel() for p in whole.net.parameters()))
    if saved:
        _take_up(trained, training, facts, tell, stop)
    else:
        checkpoint.forget(training / "checkpoint")
        _preview(job, gathered, training, tell)
    whole.spread(team)
    divided = Divided(whole, team, settings.device) if settings.fsdp else None
    run, fetch = (divided.run, divided.fetch) if divided else (whole, _nothing)  # the whole is looked at and saved
    tell(_net_of(trained, settings, team.size if divided else 0))

    def save(run: Run) -> None:
        fetch()
        # The log first: cut at the checkpoint's step it is right whichever of the two was the last to be written.
        curves.write_log(training / "log.jsonl", trained.losses)
        checkpoint.save(whole, training / "checkpoint", {**facts, **msgspec.to_builtins(course)})
        stop.kept = _kept(whole.step)

    with board_of(training, run.step) if settings.tensorboard else nullcontext() as board:
        measuring = ending.measuring_of(job, gathered) if begun is not None and course.budget.seconds else None
        watch = Watch(
            whole, noted(metric_of(job, gathered.watched), board, job.metric, fetch), course.budget, job.training.less_is_better,
            settings.patience, None if divided else measuring,
        )  # fmt: skip
        shown = Shown(tell, course.budget, whole.looks, job.metric, unit_of(job.training))
        loss = task_loss(job, gathered, team)
        pace = Pace(ALONE if divided else team, tell)  # one process may be too small for it
        stop.patient = True
        try:
            job.state = job.state.changed(progress=course.budget.progress(run.step, run.seconds))
            for part in phases(job, run, course, watch, tell, team):
                pace.alone(run, batches, task_loss(job, gathered))
                made = steps(run, batches, loss, part, schedule_of(course, run, origin), team)
                for step in loop(run, made, save, stop, watch, agree=agreeing(team, job, run, stop, divided)):
                    job.state = job.state.changed(progress=course.budget.progress(run.step, run.seconds))
                    trained.losses.append((step.index, round(step.loss, 5)))
                    shown.step(trained.losses, step)
                    pace.step()
                    write_step(board, step)
                if stop():
                    break
            shown.done()
            if divided:
                divided.settle()
        except Lost as error:
            if not divided:  # else a part of the net is gone too
                save(run)
            raise TrainingError(f"{error}; {stop.kept}") from error
        finally:
            stop.patient = False
        say_why_it_ended(whole, watch, course.budget, job.metric, job.training.passes, tell, stop)
        value = watch.finish(job.training.keep_best)
    _blend(whole, job, origin, before, gathered, tell)
    spent = time_of(whole.seconds - whole.looks.apart)
    tell(f"trained: {whole.step} steps in {spent}, {job.metric} {value:.4g} on what was watched")
    whole.net.float()  # what ships is the mean as it was kept, not rounded to the type that training computed in
    return trained


def _net_of(trained: Trained, settings: Settings, parts: int) -> str:
    """The line that says what is trained: how large it is, in which type, where, and among how many processes it is divided."""
    where = "" if settings.device == "cpu" else f" on {machine.device_name(settings.device)}"
    where += f", divided among {parts} processes" if parts else ""
    size = f"{trained.parameters / 1e6:.2f} million parameters"
    return f"net: {size}, {trained.precision}{where}, {settings.threads} threads"


def _blend(
    whole: Run, job: Task, origin: Origin | None, before: dict[str, Any], gathered: Gathered,
    tell: Callable[[str], None],
) -> None:  # fmt: skip
    """Where it went on with a model of its own: put what ships between that and what it has learned now."""
    if origin is None or origin.transfer:
        return
    for line in further.blend(whole, job, origin, before, gathered.watched):
        tell(line)
        gathered.lines.append(line)  # the card says it too


def _take_up(
    trained: Trained, training: Path, facts: dict[str, Any], tell: Callable[[str], None], stop: Interrupt
) -> None:
    """Be where the newest checkpoint is."""
    checkpoint.load(trained.run, training / "checkpoint", facts)
    trained.losses = curves.read_log(training / "log.jsonl", trained.run.step)
    tell(f"resumed at step {trained.run.step}")
    stop.kept = _kept(trained.run.step)


def _preview(job: Task, gathered: Gathered, training: Path, tell: Callable[[str], None]) -> None:
    """Show the data as they were read, before they are trained on."""
    for name, raw in (job.training.previews(gathered.learn) if job.training.previews else {}).items():
        disk.write_file(raw, training / name)
        tell(f"the data as they were read: {training / name}")


def begin(
    job: Task,
    gathered: Gathered,
    settings: Settings,
    saved: checkpoint.Saved | None,
    origin: Origin | None,
    tell: Callable[[str], None],
    team: Team = ALONE,
) -> tuple[Run, Batches, Course, dict[str, torch.Tensor]]:
    """A task that knows its examples: its run before the first step, its batches, how it is trained, its first weights."""
    factors: dict[str, float] = {}
    if origin is None:
        job.fit(gathered.learn)
        net = job.build()
    else:
        net, factors = further.adopt(job, origin, gathered.learn, tell)
    if team.size > 1:
        digests = {name: model.digest(repr(value).encode()) for name, value in learned(job).items()}
        team.compare("learned", digests, "Give every process the same data, and the same versions of all libraries.")
    before = {name: weight.detach().clone() for name, weight in net.named_parameters()} if origin else {}
    store = encoded(job, gathered, settings, tell) if settings.shards else None
    noises = augment.chosen(job, settings.augment) if settings.augment else []
    batches = encode(job, gathered.learn, settings.seed, settings.accumulate, store, noises)
    if noises:
        gathered.lines.append(f"augment: half of the examples of each epoch with {', '.join(augment.names(noises))}")
        tell(gathered.lines[-1])
    own = job.training
    usual = job.size.rate * own.rate * (further.RATE if origin and not origin.transfer else 1.0)
    course: Course = team.from_first(
        "course", lambda: _course(settings, _course_of(saved) if saved else None, job, batches, usual), Course
    )
    own_phases = own.phases or (Phase(""),)
    if settings.fsdp and own.phases:
        raise UsageError("--fsdp: does not fit a training in phases, as this task has it. Leave it out.")
    if saved and course.phase >= len(own_phases):
        raise ModelError(f"{saved.path}: a checkpoint of a phase that the task does not have. Begin anew with --force.")
    trains = own_phases[course.phase].trains
    device = "cpu" if settings.fsdp else settings.device
    run = Run.start(net, course.rate or usual, course.precision, device, own.decay, own.muon, trains, factors)
    run.begun = course.begun
    if origin:
        further.begin(run, before)
    return run, batches, course, before


def _begun(
    job: Task, gathered: Gathered, settings: Settings, saved: checkpoint.Saved | None, origin: Origin | None,
    tell: Callable[[str], None], team: Team, begun: float | None,
) -> tuple[Run, Batches, Course, dict[str, torch.Tensor]]:  # fmt: skip
    """The same, its time counted in the minutes of the training; where that is long, it is said that it goes on."""
    start, own = time.perf_counter(), time.process_time()
    with waiting(tell, "learning what must be known before training, and encoding the examples"):
        run, batches, course, before = begin(job, gathered, settings, saved, origin, tell, team)
    busy = (time.perf_counter() - start) / max(1e-3, time.process_time() - own)
    if not saved:
        run.count_apart(course.budget, time.perf_counter() - (start if begun is None else begun), BEFORE)
        if begun is not None and course.budget.seconds:
            run.count_apart(course.budget, ending.exporting(run.net, busy))
    return run, batches, course, before


def schedule_of(course: Course, run: Run, origin: Origin | None) -> Schedule:
    """How fast it learns in the phase that a run is in."""
    # Weights that are good already need no long one, and a few minutes may have few steps.
    warmup = (
        further.WARMUP if origin and not origin.transfer else min(100, max(10, (course.budget.steps or 1000) // 10))
    )
    return Schedule(warmup, shape=course.schedule, begun=run.begun)


def agreeing(team: Team, job: Task, run: Run, stop: Interrupt, divided: Divided | None) -> Callable[[bool, bool], bool]:
    """What all processes agree on after a step: whether to end, the time that is used up and how far the training is."""

    def agree(wish: bool, over: bool) -> bool:
        if divided:
            divided.settle()
        wish, over, run.seconds, progress = team.agree(wish, over, run.seconds, job.state.progress)
        job.state = job.state.changed(progress=progress)
        stop.asked |= wish
        return wish or over

    return agree


def phases(
    job: Task, run: Run, course: Course, watch: Watch | None, tell: Callable[[str], None], team: Team = ALONE
) -> Iterator[Budget | Part]:
    """The part of the budget of each phase that is left, while task, net and run are in it."""
    own = job.training.phases or (Phase(""),)
    total = sum(phase.share for phase in own)
    start = run.looks.start(course.budget)
    ends = [start + (1 - start) * end / total for end in accumulate(phase.share for phase in own)]
    for number, phase in enumerate(own):
        if number < course.phase:
            continue
        if number > course.phase:
            if watch is not None:
                watch.finish(job.training.keep_best)
            team.spread(run.average)  # of the first process, which may have put the best in its place
            run.next_phase(phase.trains, job.training.muon)
            course.phase, course.begun = number, run.step
        if len(own) == 1:
            yield Part(course.budget, start, 1.0) if start else course.budget
            continue
        tell(f"phase {number + 1} of {len(own)}: {phase.name}")
        job.state, run.net.phase = job.state.changed(phase=phase.name), phase.name  # type: ignore[assignment]
        yield Part(course.budget, ends[number - 1] if number else start, ends[number])
        job.state, run.net.phase = job.state.changed(phase=""), ""  # type: ignore[assignment]


def task_loss(job: Task, gathered: Gathered, team: Team = ALONE) -> Callable[[Any, dict[str, Any]], Any]:
    """The loss of a net on a batch of a task's arrays, augmented; of several processes, this one's share of it."""
    example = gathered.learn[0]
    given = [*job.inputs(example), *job.prompt(example)]
    if team.size > 1:
        return shared_loss(job, given, team)

    def loss(net: Any, batch: dict[str, Any]) -> Any:
        dtype = next(net.parameters()).dtype
        batch = job.augment(batch, torch.default_generator)
        batch = {k: v.to(dtype) if v.is_floating_point() else v for k, v in batch.items()}
        return job.loss(net(**{k: batch[k] for k in given}), batch)

    return loss


def _newest(training: Path) -> checkpoint.Saved:
    saved = checkpoint.peek(training / "checkpoint")
    if saved is None:
        raise UsageError(f"{training.parent}: nothing to resume: it holds no checkpoint. Train without --resume.")
    return saved


def _course_of(saved: checkpoint.Saved) -> Course:
    """How a checkpoint was trained; ModelError where it does not say that."""
    try:
        course = msgspec.convert(saved.state.facts, Course)
        if not any(limit and 0 < limit < 1e12 for limit in (course.budget.steps, course.budget.seconds)):
            raise msgspec.ValidationError("its budget is none")
        return course
    except msgspec.ValidationError as error:
        raise ModelError(
            f"{saved.path / 'run.json'}: not a checkpoint of lamella train ({error}). Begin anew with --force."
        ) from error


def _course(settings: Settings, before: Course | None, job: Task, batches: Batches, usual: float) -> Course:
    """How to train: as the user wants it, else as it was `before`, else as the task and the device have it."""
    now = settings.minutes, settings.steps, settings.epochs
    rates = (settings.rate, before.rate if before else None, usual)
    chosen: Any = (
        before.precision if before else "float32" if job.training.precise else machine.precision(settings.device)
    )
    shape: Any = settings.schedule or (before.schedule if before else Schedule().shape)
    return Course(
        precision=chosen,
        budget=budget_of(*now, batches.in_epoch, before.budget if before else None, job.training.passes),
        schedule=shape,
        rate=next(rate for rate in rates if rate is not None),
        phase=before.phase if before else 0,
        begun=before.begun if before else 0,
    )


def _kept(step: int) -> str:
    return f"the checkpoint of step {step} is kept. Go on with the same command and --resume."


def _nothing() -> None:
    pass
