"""The queue before a model: requests that come close together are answered together.

One thread a model takes what waits, answers it in one go and begins again. It waits for company only after a batch that
had some: then the same clients are likely to ask again within milliseconds, while a single client never waits for
nobody. Long work (documents, tables, many examples) comes in chunks and has every second turn, so that a short question
is not kept by a book. What nobody waits for any more is dropped, before it begins or between two calls of a graph.
"""

import contextlib
import copy
import ctypes
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from lamella.errors import LamellaError
from lamella.model import Model
from lamella.server.limits import Limits
from lamella.server.replies import Refused
from lamella.task import Answer, Array, Arrays, Example, GraphLike, flatten

COMPANY = 0.004  # seconds to wait for others, where others were there before
AT_ONCE = 64  # examples of a batch
CHUNK = 32  # examples of a piece of long work
TIDY = 50  # batches after which free memory is given back
Check = Callable[[], None]  # raises where the work should go no further


class Stopped(Refused):
    """Work that goes no further: its time is over, or nobody waits for it."""

    def __init__(self, why: str) -> None:
        super().__init__(503, why, 10)


class Job:
    """Examples of one request, or of a piece of it, that wait for their answers."""

    def __init__(self, model: Model, examples: Sequence[Example], seconds: float, **how: Any) -> None:
        self.model, self.examples, self.seconds = model, examples, seconds
        self.deadline: float = how.get("deadline") or time.monotonic() + seconds
        self.whole: bool = how.get("whole", True)  # the task's answers, or the net's alone
        self.long: bool = how.get("long", False)
        self.apart: str = how.get("apart", "")  # jobs with another word here are not answered together
        self.future: Future[list[Answer]] = Future()
        self.left = False

    def fits(self, other: "Job") -> bool:
        """Whether both may be answered in one go."""
        mine, its = self.model.task.config, other.model.task.config
        return self.whole == other.whole and self.apart == other.apart and (mine is its or mine == its)

    def check(self) -> None:
        if self.left or self.future.cancelled():
            raise Stopped("nobody waits for the answer.")
        if time.monotonic() > self.deadline:
            raise Stopped(f"expected to be done in {self.seconds:g} seconds and was not. Ask for less at once.")


class Worker:
    """One model's thread and what waits for it."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.limits = limits
        self.short: deque[Job] = deque()
        self.long: deque[Job] = deque()
        self.together = 1  # requests of the last batch
        self._long_next = self._stopping = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name=f"model {name}", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> Job:
        """Let a job wait; Refused with 503 where too many do."""
        with self._changed:
            if self._stopping:
                raise Refused(503, "the server is stopping. Ask again later.", 5)
            if len(self.short) + len(self.long) >= self.limits.queue:
                raise Refused(503, f"{self.limits.queue} requests wait already. Ask again in a moment.", 1)
            (self.long if job.long else self.short).append(job)
            self._changed.notify()
        return job

    def stop(self) -> None:
        """Finish what waits, then end the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(self.limits.seconds)

    def _work(self) -> None:
        done = 0
        while batch := self._take():
            self.together = len(batch)
            batch = [job for job in batch if _still(job)]
            if batch:
                answer(batch)
            del batch  # what was asked is not kept until the next request
            done += 1
            if done % TIDY == 0:
                _give_back()

    def _take(self) -> list[Job]:
        """The next jobs that may be answered together; none when it is time to stop."""
        with self._changed:
            self._changed.wait_for(lambda: self.short or self.long or self._stopping)
            if self.together > 1 and not self._stopping:
                self._changed.wait_for(lambda: len(self.short) >= self.together, COMPANY)
            queue = self.long if self.long and (self._long_next or not self.short) else self.short
            self._long_next = queue is self.short
            batch: list[Job] = []
            others: list[Job] = []
            count = 0
            while queue and count < AT_ONCE:
                job = queue.popleft()
                if not batch or (job.fits(batch[0]) and count + len(job.examples) <= AT_ONCE):
                    batch.append(job)
                    count += len(job.examples)
                else:
                    others.append(job)
            queue.extendleft(reversed(others))
            return batch


def answer(batch: list[Job]) -> None:
    """Answer jobs that fit together. Where one of them is at fault, each gets its own answer."""
    asked = flatten([job.examples for job in batch])
    model = checked(batch[0].model, lambda: _any(batch))
    try:
        found = model.task.answers(asked, model.run) if batch[0].whole else model.run(asked)
    except Exception as error:
        if len(batch) > 1 and not isinstance(error, Stopped):
            for job in batch:
                answer([job])
            return
        for job in batch:
            if not job.future.done():
                job.future.set_exception(error)
        return
    at = 0
    for job in batch:
        if not job.future.done():
            job.future.set_result(found[at : at + len(job.examples)])
        at += len(job.examples)


def _give_back() -> None:
    """Give free memory back to the system: arrays of ever other sizes leave holes that glibc keeps for itself.

    Other C libraries have no such call, and nothing is done.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):  # TypeError: Windows has no library without a name
        ctypes.CDLL(None).malloc_trim(0)


def _still(job: Job) -> bool:
    """Whether a job should begin; from then on its future is not cancelled but left."""
    try:
        job.check()
    except LamellaError as error:
        if job.future.set_running_or_notify_cancel():
            job.future.set_exception(error)
        return False
    return job.future.set_running_or_notify_cancel()


def _any(batch: Sequence[Job]) -> None:
    """Go on while anyone in the batch waits and has time."""
    for job in batch:
        try:
            job.check()
            return
        except LamellaError as error:
            last = error
    raise last


# ---- work that can be stopped ------------------------------------------------------------------------------------


class Checked:
    """A graph that looks before each call whether there is still a reason to run."""

    def __init__(self, graph: GraphLike, check: Check) -> None:
        self._graph, self._check = graph, check

    def __call__(self, **inputs: Array) -> Arrays:
        self._check()
        return self._graph(**inputs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._graph, name)


def checked(model: Model, check: Check) -> Model:
    """The same model, whose graphs look before each call."""
    other = copy.copy(model)
    vars(other)["graphs"] = {name: Checked(graph, check) for name, graph in model.graphs.items()}
    return other


class Chunked(Model):
    """A model whose net takes its turns in the queue: what a thread with long work calls, in place of the model."""

    def __init__(self, model: Model, worker: Worker, check: Check, done: Callable[[int, int], None]) -> None:
        vars(self).update(vars(model))
        self._model, self._worker, self._check, self._done = model, worker, check, done
        self._seen = self._total = 0

    def run(self, examples: Sequence[Example]) -> list[Answer]:
        """Answers of the net alone, chunk by chunk; those of about one length together."""
        order = sorted(range(len(examples)), key=lambda i: len(str(examples[i])))
        found: list[Answer] = [None] * len(examples)
        self._total += len(examples)
        for first in range(0, len(order), CHUNK):
            self._check()
            mine = order[first : first + CHUNK]
            job = Job(self._model, [examples[i] for i in mine], self._worker.limits.patience, whole=False, long=True)
            self._worker.submit(job)
            for i, one in zip(mine, job.future.result(), strict=True):
                found[i] = one
            self._seen += len(mine)
            self._done(self._seen, self._total)
        return found
