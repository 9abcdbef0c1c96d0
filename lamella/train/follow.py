"""What every process but the first does in a training of several: compute its rows of each batch until all agree to stop."""

from __future__ import annotations

from typing import Any, NoReturn

from lamella.task import Task
from lamella.train.divided import Divided
from lamella.train.engine import Run, steps
from lamella.train.further import Origin
from lamella.train.gather import Gathered
from lamella.train.loop import agreeing, begin, loop, phases, schedule_of, task_loss
from lamella.train.process import Interrupt
from lamella.train.settings import Settings
from lamella.train.team import Team


def follow(
    job: Task, gathered: Gathered, settings: Settings, facts: dict[str, Any], stop: Interrupt, origin: Origin | None, team: Team
) -> NoReturn:  # fmt: skip
    """Train beside the first process, `lamella.train.loop.train_task`, and end. Nothing is saved, looked at or said here.

    Raises SystemExit at the end of the training, and Lost where another process is gone.
    """
    team.meet(facts, settings.device, len(gathered.learn))
    run, batches, course, _ = begin(job, gathered, settings, None, origin, _nothing, team)
    run.spread(team)
    divided = Divided(run, team, settings.device) if settings.fsdp else None
    if divided:
        run = divided.run
    loss = task_loss(job, gathered, team)
    stop.patient = True  # a wish to stop is told to all, and granted after the step
    job.state = job.state.changed(progress=course.budget.progress(run.step, run.seconds))
    for part in phases(job, run, course, None, _nothing, team):
        made = steps(run, batches, loss, part, schedule_of(course, run, origin), team)
        for _ in loop(run, made, _nothing, stop, agree=agreeing(team, job, run, stop, divided)):
            pass
        if stop():
            break
    if divided:
        divided.settle()  # the last look and the last checkpoint
    team.wait_for_the_end()
    team.leave()
    raise SystemExit(0)


def _nothing(what: str | Run) -> None:
    pass
