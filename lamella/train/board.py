"""What TensorBoard shows of a training: `lamella train --tensorboard`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lamella.train.engine import Run, Step


def board_of(training: Path, step: int) -> Any:
    """A board in the folder of a training, of which it drops what came after this step."""
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(training / "tensorboard"), purge_step=step)


def write_step(board: Any, step: Step) -> None:
    """Write a step on the board, where there is one."""
    if board is not None:
        board.add_scalar("loss", step.loss, step.index)
        board.add_scalar("gradient norm", step.norm, step.index)


def noted(
    measure: Callable[[Run], float], board: Any, metric: str, fetch: Callable[[], None]
) -> Callable[[Run], float]:
    """The same measure of a run that is fetched before, its values written on the board, where there is one."""

    def look(run: Run) -> float:
        fetch()
        value = measure(run)
        if board is not None:
            board.add_scalar(metric, value, run.step)
        return value

    return look
