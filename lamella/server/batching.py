"""Dynamic batching: requests that arrive close together are answered in one batch.

Each model has one thread, which takes the waiting jobs, answers them as one batch, and repeats. It waits a few
milliseconds for more jobs only if the last batch had several requests: then the same clients are likely to send again,
while a single client never waits. Long work (documents, tables, many examples) comes in chunks and gets every second
turn, so that it does not block short requests. A job whose client has gone is dropped, before it starts or between two
calls of a graph.

A thread that dies is replaced; one that hangs in a native library long after its time limit is abandoned and replaced.
Jobs in its batch get an error, waiting jobs get their answers. If that happens repeatedly, the model takes no more work
and reports why (`trouble`).
"""

import contextlib
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
from lamella.server.replies import Refused, report
from lamella.server.threads import Crashed
from lamella.server.work import Check, Stopped, checked
from lamella.task import Answer, Example

WAIT = 0.004  # seconds to wait for more jobs, if the last batch had several
AT_ONCE = 64  # most examples of a batch
CHUNK = 32  # examples of a chunk of long work
TIDY = 50  # batches after which free memory is given back
GRACE = 5.0  # seconds after its time limit in which work may still end by itself
NO_THREAD = "this machine gives no more threads. Ask again in a while."
DEATHS = 10  # deaths of a thread in a minute after which it is not replaced
HANGING = 3  # abandoned threads after which no other is started until one of them ends


class Job:
    """The examples of one request, or of a chunk of it, waiting for answers."""

    def __init__(self, model: Model, examples: Sequence[Example], seconds: float, **how: Any) -> None:
        self.model, self.examples, self.seconds = model, examples, seconds
        self.deadline: float = how.get("deadline") or time.monotonic() + seconds
        self.whole: bool = how.get("whole", True)  # the task's answers, or the net's alone
        self.long: bool = how.get("long", False)
        self.future: Future[list[Answer]] = Future()
        self.left = False

    def fits(self, other: "Job") -> bool:
        """Whether two jobs may be answered in one batch."""
        return self.whole == other.whole and _same(self.model, other.model)

    def check(self) -> None:
        if self.left or self.future.cancelled():
            raise Stopped("nobody waits for the answer.")
        if time.monotonic() > self.deadline:
            raise Stopped(f"expected to be done in {self.seconds:g} seconds and was not. Ask for less at once.")


def _same(one: Model, two: Model) -> bool:
    """Whether two copies of a model answer alike: the same files, question and options, and the same model before them."""
    if one.manifest is not two.manifest:  # one is the model from before a reload
        return False
    task, other = one.task, two.task
    if task.state.asked != other.state.asked or task.state.index is not other.state.index:
        return False
    if one.before is None or two.before is None:
        return one.before is two.before and task.config == other.config
    return task.config == other.config and _same(one.before, two.before)


class Worker:
    """One model's thread and its queue."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.name, self.limits = name, limits
        self.short: deque[Job] = deque()
        self.long: deque[Job] = deque()
        self.together = 1  # requests of the last batch
        self._long_next = self._stopping = False
        self._changed = threading.Condition()
        self._batch: list[Job] = []  # the current batch
        self._deaths: deque[float] = deque(maxlen=DEATHS)  # when threads died
        self._hanging: list[threading.Thread] = []
        self._thread: threading.Thread | None = None  # None if it could not be replaced
        self._start()

    def _start(self) -> bool:
        """Start a thread; False if that failed, and the next request tries again."""
        self._thread = threading.Thread(target=self._live, name=f"model {self.name}", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # the system gives no more of them
            self._thread = None
        return self._thread is not None

    @property
    def trouble(self) -> str:
        """Why the model takes no more work; "" if it does."""
        if self._dies:
            return "what answers for this model died again and again. Start the server again, or replace the model."
        if self._hangs:
            return "what answers for this model hangs. Ask again in a while, or replace the model."
        return ""

    @property
    def _dies(self) -> bool:
        return len(self._deaths) == DEATHS and self._deaths[-1] - self._deaths[0] < 60

    @property
    def _hangs(self) -> bool:
        return sum(thread.is_alive() for thread in self._hanging) >= HANGING

    def submit(self, job: Job) -> Job:
        """Queue a job; Refused with 503 if the queue is full."""
        with self._changed:
            if self._stopping:
                raise Refused(503, "the server is stopping. Ask again later.", 5)
            if trouble := self.trouble:
                raise Refused(503, trouble, 60)
            if len(self.short) + len(self.long) >= self.limits.queue:
                raise Refused(503, f"{self.limits.queue} requests wait already. Ask again in a moment.", 1)
            if self._thread is None and not self._start():
                raise Refused(503, NO_THREAD, 10)
            (self.long if job.long else self.short).append(job)
            self._changed.notify_all()
        return job

    def stop(self) -> None:
        """Answer the waiting jobs, then end the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            thread = self._thread
        if thread:
            thread.join(self.limits.seconds)

    def revive(self) -> None:
        """Take work again, as after the model was replaced."""
        with self._changed:
            self._deaths.clear()
            self._hanging.clear()
            if self._thread is None and not self._stopping:
                self._start()

    def relieve(self) -> None:
        """Replace the thread if it hangs: all jobs of its batch are long past their time limits."""
        with self._changed:
            now = time.monotonic()
            if not self._batch or any(now < job.deadline + GRACE for job in self._batch):
                return
            batch, self._batch = self._batch, []
            assert self._thread is not None
            self._hanging = [thread for thread in self._hanging if thread.is_alive()] + [self._thread]
            waiting = self._replace(self._hangs)
        _fail(batch, Stopped("the model did not come to an end in time."))
        _fail(waiting, Refused(503, self.trouble or NO_THREAD, 60))

    def _died(self, error: BaseException) -> None:
        """Fail the jobs of the current batch and let another thread take over."""
        with self._changed:
            if self._thread is not threading.current_thread():  # an abandoned thread that has ended
                return
            batch, self._batch = self._batch, []
            self._deaths.append(time.monotonic())
            waiting = self._replace(self._dies)
        crash = Crashed(f"model {self.name}: {type(error).__name__}: {error}")
        report(crash)
        _fail(batch, crash)
        _fail(waiting, Refused(503, self.trouble or NO_THREAD, 60))

    def _replace(self, give_up: bool) -> list[Job]:
        """Start another thread, or give up and return the waiting jobs, to be refused."""
        self._thread = None
        if not give_up and self._start():
            return []
        waiting = [*self.short, *self.long]
        self.short.clear()
        self.long.clear()
        return waiting

    # ---- in the thread -----------------------------------------------------------------------------------------

    def _live(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self._died(error)

    def _work(self) -> None:
        done = 0
        while batch := self._take():
            self.together = len(batch)
            batch = [job for job in batch if _still(job)]
            if batch:
                answer(batch)
            with self._changed:
                if self._thread is threading.current_thread():
                    self._batch = []
            del batch  # frees the examples before waiting for the next request
            done += 1
            if done % TIDY == 0:
                _give_back()

    def _take(self) -> list[Job]:
        """The next jobs that may be answered together; none when the worker should stop."""
        with self._changed:
            me = threading.current_thread()
            self._changed.wait_for(lambda: self.short or self.long or self._stopping or self._thread is not me)
            if self.together > 1 and not self._stopping:
                self._changed.wait_for(lambda: len(self.short) >= self.together, WAIT)
            if self._thread is not me:
                return []
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
            self._batch = batch
            return batch


def answer(batch: list[Job]) -> None:
    """Answer compatible jobs as one batch; if that fails, each by itself, so that only the faulty one gets an error."""
    try:
        asked = [example for job in batch for example in job.examples]
        model = checked(batch[0].model, lambda: _any(batch), lambda: max(job.deadline for job in batch))
        answers = model.task.answers(asked, model.run) if batch[0].whole else model.run(asked)
        if len(answers) != len(asked):
            raise ValueError(f"the model gave {len(answers)} answers to {len(asked)} examples")
    except BaseException as error:  # also SystemExit, and panics of native libraries
        if len(batch) > 1 and not isinstance(error, Stopped):
            for job in batch:
                answer([job])
            return
        _fail(batch, error)
        return
    at = 0
    for job in batch:
        with contextlib.suppress(Exception):  # the watchdog may have failed it already
            job.future.set_result(answers[at : at + len(job.examples)])
        at += len(job.examples)


def _fail(jobs: Sequence[Job], error: BaseException) -> None:
    """Set an error on jobs, always an `Exception`: others would end a thread or the event loop."""
    if not isinstance(error, Exception) or isinstance(error, StopIteration):
        error = Crashed(f"{type(error).__name__}: {error}")
    for job in jobs:
        if not job.future.done():
            with contextlib.suppress(Exception):
                job.future.set_exception(error)


def _give_back() -> None:
    """Return free memory to the system, since glibc keeps the holes that arrays of varying sizes leave.

    Does nothing with other C libraries.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):  # TypeError: Windows has no library without a name
        ctypes.CDLL(None).malloc_trim(0)


def _still(job: Job) -> bool:
    """Whether a job should start; after that its future cannot be cancelled."""
    try:
        job.check()
    except LamellaError as error:
        if job.future.set_running_or_notify_cancel():
            job.future.set_exception(error)
        return False
    return job.future.set_running_or_notify_cancel()


def _any(batch: Sequence[Job]) -> None:
    """Raise if nobody in the batch is waiting any more or has time left."""
    for job in batch:
        try:
            job.check()
            return
        except LamellaError as error:
            last = error
    raise last


class Chunked(Model):
    """A model for threads with long work, whose net calls go through the queue in chunks."""

    def __init__(self, model: Model, worker: Worker, state: Job, done: Callable[[int, int], None]) -> None:
        """state: the long work, whose time limit and client apply to every chunk; done: called with progress."""
        vars(self).update(vars(model))
        self._model, self._worker, self._state, self._done = model, worker, state, done
        self._seen = self._total = 0

    def run(self, examples: Sequence[Example]) -> list[Answer]:
        """The net's answers, chunk by chunk; examples of similar length share a chunk."""
        order = sorted(range(len(examples)), key=lambda i: len(str(examples[i])))
        answers: list[Answer] = [None] * len(examples)
        self._total += len(examples)
        how: dict[str, Any] = {"whole": False, "long": True, "deadline": self._state.deadline}
        for first in range(0, len(order), CHUNK):
            self._state.check()
            chunk = order[first : first + CHUNK]
            job = Job(self._model, [examples[i] for i in chunk], self._state.seconds, **how)
            self._worker.submit(job)
            for i, one in zip(chunk, _wait(job, self._state.check), strict=True):
                answers[i] = one
            self._seen += len(chunk)
            self._done(self._seen, self._total)
        return answers


def _wait(job: Job, check: Check) -> list[Answer]:
    """Wait for the answers to a job; `check` may raise meanwhile."""
    while True:
        try:
            return job.future.result(1.0)
        except TimeoutError:
            if job.future.done():  # the job's own error, not a timeout of waiting
                raise
        try:
            check()
        except BaseException:
            job.left = True
            raise
