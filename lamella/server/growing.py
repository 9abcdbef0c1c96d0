"""Streamed answers: the answer so far, at longer intervals the longer it gets."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

from lamella.model import Model, whole
from lamella.server.bodies import Put
from lamella.server.models import Served
from lamella.server.replies import encode
from lamella.task import Answer, Example

PAUSE = 0.05  # shortest time between two partial answers, in seconds
PACE = 100_000  # most bytes a second that partial answers take in the long run


def grow(model: Model, example: Example, tell: Callable[[Answer], None]) -> Answer:
    """The answer to one example, computed in the calling thread; `tell` receives the answer so far."""
    job = model.task
    inputs = job.collate([job.inputs({name: whole(value) for name, value in example.items()})])
    due = 0.0
    assert job.output.grow
    for so_far in job.output.grow(job, model.graphs, inputs):
        if time.monotonic() >= due:
            answer = so_far()
            tell(answer)
            due = time.monotonic() + PAUSE + len(encode(answer)) / PACE
    return so_far()


async def lines(served: Served, model: Model, example: Example, put: Put) -> dict[str, Any]:
    """The answer as `predict` gives it; {"partial", "rendered"} is put for each answer so far."""
    loop = asyncio.get_running_loop()

    def tell(answer: Answer) -> None:
        line = {"partial": answer, "rendered": model.task.render(answer)}
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(put, line)

    answer = await served.at_length(model, lambda m: grow(m, example, tell))
    return {"answers": [answer], "rendered": [model.task.render(answer)]}
