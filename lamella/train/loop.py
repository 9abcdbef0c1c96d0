"""Train a task's net: go on from a checkpoint or begin, look at the metric now and then, save, and stop.

    trained = train_net(job, learn, how, folder, facts, look, tell, stop)

What a run must have to end bit-equal to one that was never stopped is in its checkpoint (`lamella.train.checkpoint`):
weights, moments and their average, the best weights and the looks, the budget, the rate, the precision, how far it is.
The log is written before the checkpoint and cut at its step when the run is taken up again: no line is lost or doubled.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec
import torch

from lamella.errors import ModelError, TrainingError, UsageError
from lamella.task import Example, Task
from lamella.train import checkpoint, curves
from lamella.train.batches import an_epoch
from lamella.train.engine import Run, Store, steps
from lamella.train.looks import LEAST, between
from lamella.train.optimizer import Optimizer
from lamella.train.process import Interrupt
from lamella.train.progress import Progress, speed, time_of
from lamella.train.schedule import Budget, Schedule, budget_of

WARM = 4  # steps, slower than all others
SAVE_EVERY = 60.0  # seconds


@dataclass(frozen=True)
class How:
    """How to train: all that is neither the task's nor its data's."""

    precision: Callable[[], str]  # of the net while it computes, where neither the task nor a checkpoint says
    minutes: float | None = None
    steps: int | None = None
    epochs: float | None = None
    resume: bool = False
    rate: float | None = None
    seed: int = 0
    threads: int = 1
    accumulate: int = 1
    patience: int | None = None
    schedule: str | None = None
    tensorboard: bool = False


class Settings(msgspec.Struct, kw_only=True):
    """What a checkpoint's facts say of how it was made: what is not said again when it goes on."""

    precision: Literal["float32", "bfloat16", "float16"]
    budget: Budget
    schedule: Literal["linear", "cosine"] = "linear"
    rate: float | None = None  # an earlier version kept none


@dataclass
class Trained:
    """A net at the end of its training."""

    run: Run
    losses: list[tuple[int, float]]  # (step, loss)
    precision: str
    parameters: int


def train_net(
    job: Task,
    learn: list[Example],
    how: How,
    training: Path,
    facts: dict[str, Any],
    look: Callable[[Run], float],
    tell: Callable[[str], None],
    stop: Interrupt,
) -> Trained:
    """Fit the task to its examples, train its net on them, and save as it goes; `look` measures the metric of a run.

    facts: what must be the same to go on from a checkpoint. Raises KeyboardInterrupt where it was stopped before its end,
    saved; TrainingError where it cannot go on; UsageError where there is nothing to resume.
    """
    folder = training / "checkpoint"
    saved = checkpoint.peek(folder) if how.resume else None
    if how.resume and saved is None:
        raise UsageError(f"{training.parent}: nothing to resume: it holds no checkpoint. Train without --resume.")
    before = _settings(saved) if saved else None
    job.fit(learn)
    store = Store.of([{**job.inputs(e), **job.prompt(e), **job.targets(e)} for e in learn])
    count = partial(an_epoch, store.lengths(), job.size.tokens, job.batch)
    budget = budget_of(how.minutes, how.steps, how.epochs, count, before.budget if before else None)
    kind = before.precision if before else "float32" if job.precise else how.precision()
    rates = (how.rate, before.rate if before else None, job.size.rate)
    rate = next(given for given in rates if given is not None)
    shape: Any = how.schedule or (before.schedule if before else Schedule().shape)
    net = job.build().to(getattr(torch, kind))
    run = Run(net, Optimizer(net, rate, decay=job.decay, muon=job.muon))
    losses: list[tuple[int, float]] = []
    if saved:
        checkpoint.load(run, folder, facts)
        losses = curves.read_log(training / "log.jsonl", run.step)
        tell(f"resumed at step {run.step}")
        stop.kept = _kept(run.step)
    else:
        checkpoint.forget(folder)
    parameters = sum(p.numel() for p in net.parameters())
    tell(f"net: {parameters / 1e6:.2f} million parameters, {kind}, {how.threads} threads")
    settings = {"precision": kind, "budget": msgspec.to_builtins(budget), "schedule": shape, "rate": rate}
    trained = Trained(run, losses, kind, parameters)

    def save() -> None:
        # The log first: cut at the checkpoint's step it is right whichever of the two was the last to be written.
        curves.write_log(training / "log.jsonl", losses)
        checkpoint.save(run, folder, {**facts, **settings})
        stop.kept = _kept(run.step)

    ways = list(job.inputs(learn[0])) + list(job.prompt(learn[0]))

    def loss(net: Any, batch: dict[str, Any]) -> Any:
        dtype = next(net.parameters()).dtype
        batch = job.augment(batch, torch.default_generator)
        batch = {k: v.to(dtype) if v.is_floating_point() else v for k, v in batch.items()}
        return job.loss(net(**{k: batch[k] for k in ways}), batch)

    schedule = Schedule(min(100, max(10, (budget.steps or 1000) // 10)), shape=shape)
    sizes: dict[str, Any] = {"tokens": job.size.tokens, "examples": job.batch, "accumulate": how.accumulate}
    sizes["weights"] = job.weights(learn)
    show = _Shown(Progress(tell), tell, budget, run, job.metric)
    board = _board(training, run.step) if how.tensorboard else None
    last_save = time.time()
    stop.patient = True
    try:
        made = steps(run, store, job.collate, loss, budget, schedule, seed=how.seed, **sizes)
        for step in made if not _over(run, how.patience) else ():
            losses.append((step.index, round(step.loss, 5)))
            show.step(losses, step.seconds, step.tokens)
            if run.looks.due(budget, step.index, step.seconds):
                value = _look(run, look, job)
                if board is not None:
                    board.add_scalar(job.metric, value, step.index)
            if board is not None:
                board.add_scalar("loss", step.loss, step.index)
                board.add_scalar("gradient norm", step.norm, step.index)
            if time.time() - last_save > SAVE_EVERY:
                save()
                last_save = time.time()
            if stop() or _over(run, how.patience):
                break
        show.progress.done()
        save()
    finally:
        stop.patient = False
        if board is not None:
            board.close()
    if _over(run, how.patience):
        tell(f"stopped early: {job.metric} was best {run.looks.since} looks ago, {run.looks.best:.4g}")
    elif stop() and budget.progress(run.step, run.seconds) < 1:
        raise KeyboardInterrupt(f"stopped at step {run.step}; saved. Go on with the same command and --resume.")
    stop.check()
    if not run.looks.points or run.looks.points[-1][0] != run.step:
        _look(run, look, job)
    _choose(run, job, how.patience)
    tell(f"trained: {run.step} steps in {time_of(run.seconds)}, {job.metric} {run.looks.last:.4g} on what was watched")
    net.float()  # what ships is the mean as it was kept, not rounded to the type that training computed in
    return trained


def _kept(step: int) -> str:
    return f"the checkpoint of step {step} is kept. Go on with the same command and --resume."


def _settings(saved: checkpoint.Saved) -> Settings:
    try:
        settings = msgspec.convert(saved.state.facts, Settings)
        if not any(limit and 0 < limit < 1e12 for limit in (settings.budget.steps, settings.budget.seconds)):
            raise msgspec.ValidationError("its budget is none")
        return settings
    except msgspec.ValidationError as error:
        raise ModelError(
            f"{saved.path / 'run.json'}: not a checkpoint of lamella train ({error}). Begin anew with --force."
        ) from error


def _over(run: Run, patience: int | None) -> bool:
    """Whether so many looks found nothing better; asked of the run, so that one taken up again after that stops too."""
    return patience is not None and run.looks.since >= patience


def _look(run: Run, look: Callable[[Run], float], job: Task) -> float:
    """Measure the metric and keep the average of the weights where it is the best so far."""
    start = time.time()
    try:
        value = look(run)
    finally:
        run.current()
    spent = time.time() - start
    run.seconds += spent  # minutes are the user's: they hold all that is done in them
    if run.looks.add(run.step, value, spent, job.less_is_better):
        run.best = [mean.clone() for mean in run.average]
    return value


def _choose(run: Run, job: Task, patience: int | None) -> None:
    """Ship the weights that were best, where the task or the user wants that; what is no number is never shipped."""
    if run.best and run.looks.best != run.looks.last and (job.keep_best or patience):
        run.average = [mean.clone() for mean in run.best]
    if not all(bool(mean.isfinite().all()) for mean in run.average):
        raise TrainingError(
            "training diverged: the weights are no finite numbers. Train with a lower learning rate (--rate), or check the data."
        )


def _board(training: Path, step: int) -> Any:
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(training / "tensorboard"), purge_step=step)


@dataclass
class _Shown:
    """What is told while it trains."""

    progress: Progress
    tell: Callable[[str], None]
    budget: Budget
    run: Run
    metric: str
    speeds: tuple[tuple[float, int, int], ...] = ()
    estimated: bool = False

    def step(self, losses: list[tuple[int, float]], seconds: float, tokens: int) -> None:
        """A line with the loss of late, the speed and the time left; once, how long all of it will take."""
        spent, index = self.run.looks.spent, losses[-1][0]
        self.speeds = (*self.speeds[-50:], (seconds - spent, tokens, index))
        pace, left = speed(self.speeds, self.budget, spent)
        steps = self.budget.steps if self.budget.seconds is None else None
        # The first steps are slower than all others, and how long a look takes is known after the first one.
        known = len(self.speeds) >= WARM + 8 and bool(self.run.looks.points or not steps or steps <= LEAST)
        if not self.estimated and known:
            left = speed(self.speeds[WARM:], self.budget, spent)[1]
            if steps and self.run.looks.points:
                left += (steps - index) / between(steps) * spent / len(self.run.looks.points)
            self.tell(f"estimate: {time_of(left)} of training, {pace:,.0f} tokens/s; then exporting and measuring")
            self.estimated = True
        recent = sum(v for _, v in losses[-20:]) / len(losses[-20:])
        seen = f", {self.metric} {self.run.looks.last:.4g}" if self.run.looks.points else ""
        self.progress.line(f"step {index}, loss {recent:.3f}, {pace:,.0f} tokens/s, {time_of(left)} left{seen}")
