"""What comes after the last step of a training, in seconds: the export, and measuring the exported graphs.

Minutes are the user's: they hold all that is done in them. So what comes after the steps is counted before it is done: the export
when the net is there, measuring after the first look, which shows how long answers take.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn

from lamella import model
from lamella.graphs import torch_graphs
from lamella.task import Example, Task, as_measured
from lamella.train.engine import Run
from lamella.train.gather import Gathered
from lamella.train.operations import operations_of, overhead

# What was measured of sixteen tasks (docs/LOG.md), in operations of `overhead`: exporting is made of such.
EXPORT_FIRST, EXPORT_GRAPH, EXPORT_NODE = 240_000, 95_000, 1_750
SHIPPED = 0.7  # of the time that torch takes to answer, onnxruntime takes
BUSIEST = 4.0  # times as long as alone, at most: waiting for a disk is not being busy
TRIED = 16  # examples that are answered to see how long measuring will take


def exporting(net: nn.Module, busy: float) -> float:
    """Seconds that the export of a net takes. busy: how many times as long everything takes beside other work of this machine."""
    return cost(operations_of(net)) * overhead() * min(BUSIEST, max(1.0, busy))


def cost(operations: Mapping[str, int]) -> int:
    """The export of graphs with so many operations, in operations of `overhead`."""
    return EXPORT_FIRST + sum(EXPORT_GRAPH + EXPORT_NODE * count for count in operations.values())


def measuring_of(job: Task, gathered: Gathered) -> Callable[[Run, float], float]:
    """What says, after a look that took so many seconds, how long the last look, calibration and measuring will take."""

    def measuring(run: Run, look: float) -> float:
        quick, measured, held = as_measured(job, quick=True), as_measured(job), gathered.held
        whole = look * len(held) / len(gathered.watched)
        if (
            measured.config != quick.config and not job.training.phases
        ):  # in one of its phases a task may not answer in full
            whole = _answering(measured, run, held[:TRIED]) * len(held) / len(held[:TRIED])
        calibrate = 0.0 if type(job).calibrate is Task.calibrate else look
        return look + SHIPPED * whole + calibrate  # the last look among them

    return measuring


def _answering(job: Task, run: Run, examples: Sequence[Example]) -> float:
    graphs: Any = torch_graphs(run.averaged())
    start = time.perf_counter()
    job.answers(examples, lambda rows: model.run_batches(job, graphs, rows))
    return time.perf_counter() - start
