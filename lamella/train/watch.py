"""Look at a training: measure the metric now and then on examples kept aside, keep the best weights, stop early."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lamella import model
from lamella.errors import TrainingError
from lamella.graphs import torch_graphs
from lamella.task import Example, Task, as_measured
from lamella.train.engine import Run, Step
from lamella.train.process import Interrupt
from lamella.train.schedule import Budget


def metric_of(job: Task, watched: Sequence[Example]) -> Callable[[Run], float]:
    """What measures the task's metric of a run's averaged weights, as the task answers while it trains."""

    def look(run: Run) -> float:
        graphs, quick = torch_graphs(run.averaged()), as_measured(job, quick=True)
        answers = quick.answers(watched, lambda rows: model.run_batches(quick, graphs, rows))
        return quick.score(answers, watched).values[quick.metric]

    return look


@dataclass
class Watch:
    """Looks at a run. When the next one is due, and which was best, is kept in the run, and so in its checkpoints."""

    run: Run
    measure: Callable[[Run], float]
    budget: Budget
    less_is_better: bool = False
    patience: int | None = None  # stop after so many looks without a better one
    measuring: Callable[[Run, float], float] | None = None  # seconds of what comes after, of the first look's

    def after(self, step: Step) -> None:
        """Look, where that is due after this step."""
        if self.run.looks.due(self.budget, step.index, step.seconds):
            self.look()

    def look(self) -> float:
        """Measure the metric, and keep the average of the weights where it is the best so far."""
        start = time.time()
        try:
            value = self.measure(self.run)
        finally:
            self.run.current()
        spent = time.time() - start
        self.run.seconds += spent  # minutes are the user's: they hold all that is done in them
        if self.measuring and not self.run.looks.points:
            self.run.count_apart(self.budget, self.measuring(self.run, spent))
            self.run.current()
        if self.run.looks.add(self.run.step, value, spent, self.less_is_better):
            self.run.best = [mean.clone() for mean in self.run.average]
        return value

    @property
    def over(self) -> bool:
        """Whether so many looks found nothing better; asked of the run, so that one taken up again after that stops too."""
        return self.patience is not None and self.run.looks.since >= self.patience

    def finish(self, keep_best: bool) -> float:
        """The metric at the end; the best weights are put in the place of the last ones where the task or the user wants that.

        Raises TrainingError where the weights are no finite numbers: those are never shipped.
        """
        run = self.run
        if not run.looks.points or run.looks.points[-1][0] != run.step:
            self.look()
        if run.best and run.looks.best != run.looks.last and (keep_best or self.patience):
            run.average = [mean.clone() for mean in run.best]
        if not all(bool(mean.isfinite().all()) for mean in run.average):
            raise TrainingError(
                "training diverged: the weights are no finite numbers. Train with a lower learning rate (--rate), or check the data."
            )
        return run.looks.last


def say_why_it_ended(
    run: Run,
    watch: Watch,
    budget: Budget,
    metric: str,
    passes: int | None,
    tell: Callable[[str], None],
    stop: Interrupt,
) -> None:
    """A line where it ended early; KeyboardInterrupt where somebody stopped it before its end."""
    if watch.over:
        tell(f"stopped early: {metric} was best {run.looks.since} looks ago, {run.looks.best:.4g}")
    elif passes and budget.steps and budget.seconds and run.step >= budget.steps:
        tell(
            f"done before its time: more than {passes} passes over so few examples teach chance; --epochs and --steps ask for more"
        )
    elif stop() and budget.progress(run.step, run.seconds) < 1:
        raise KeyboardInterrupt(f"stopped at step {run.step}; saved. Go on with the same command and --resume.")
    stop.check()
