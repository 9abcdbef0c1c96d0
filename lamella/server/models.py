"""The served models: their state, their work, and reloading when their folders change.

A model runs for the first time after the server listens, in its own thread: a slow or broken model does not delay the
others, and requests to it wait or get a 503 with a time to retry.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from lamella.data.media.budget import Budget
from lamella.errors import ModelError
from lamella.model import Model
from lamella.server import schema
from lamella.server.batching import CHUNK, GRACE, Chunked, Job, Worker
from lamella.server.facts import Opened
from lamella.server.limits import Limits
from lamella.server.replies import Refused, line_of, note, report
from lamella.server.threads import Threads, contained
from lamella.server.watch import GONE, LOOK, Watch
from lamella.server.work import Check, Stopped, checked, prepare
from lamella.task import Answer, Example

__all__ = ["Served", "named"]

T = TypeVar("T")
THREADS = 2  # threads for documents and explanations, which compute between two calls of the net
WAITING = 16  # documents and explanations that may wait for them
LENGTHY = 5000  # characters; a longer text is long work too, sentence by sentence
READERS = 2  # threads that read pictures and large bodies, for all models
START = 10.0  # seconds that a request waits for a model that is not ready yet
Tell = Callable[[int, int], None]


def warm(opened: Opened, check: Check = lambda: None) -> Opened:
    """A model after its first run; whatever that raises becomes an `Exception`. check: may stop it."""
    first = Job(opened.model, [], opened.limits.seconds)

    def go_on() -> None:
        check()
        first.check()

    contained(lambda: opened.warm(go_on, lambda: first.deadline))
    return opened


def read_again(model: Model, task: str | None) -> Model:
    """The model in its folder now, with its index as it is now; ModelError where that is not of this model any more."""
    fresh, index = model.again(task), model.task.state.index
    if index is None:
        return fresh
    from lamella.model.index import Index, identity, searching_in

    assert isinstance(index, Index)
    if index.where:
        index = Index.read(Path(index.where), identity(fresh))
    elif index.model != identity(fresh):
        raise ModelError("its index was made by the model from before. Make it again, and start the server again.")
    return searching_in(fresh, index)


class Tried(NamedTuple):
    """A model that has run in the parent of this process, which looks after its folder too."""

    opened: Opened
    note: str = ""  # what is wrong, in a line without paths
    failed: bool = False  # whether it cannot be used


class Served:
    """A served model and its name."""

    def __init__(
        self, name: str, model: Model | None, limits: Limits, task: str | None = None, tried: Tried | None = None
    ) -> None:
        """task: the file of a task from outside lamella, for when the model is read again. Either model or tried."""
        self.name, self.limits, self.task, self.tried = name, limits, task, tried
        if tried:
            self.now = tried.opened
        else:
            assert model
            self.now = Opened(name, model, limits)
        self.status = "starting"  # or "ready", or "failed"
        self.note = tried.note if tried else ""  # what is wrong, in a line without paths
        self.version = 1
        self._began = time.monotonic()
        self.worker = Worker(name, limits)
        self._watch = Watch(self.now.model)
        self._reading_again = False
        self._waiting: set[Job] = set()
        self._long = Threads(f"long {name}", THREADS, limits.patience + GRACE)
        self._readers = Threads(f"read {name}", READERS, limits.seconds + GRACE)
        self._settled: Future[None] = Future()
        self._settled.set_running_or_notify_cancel()  # so that a client that stops waiting does not cancel it

    def begin(self) -> None:
        """Run the model for the first time, in its own thread, unless it has run."""
        if self.tried:
            self.status = "failed" if self.tried.failed else "ready"
            self._settled.set_result(None)
            return
        threading.Thread(target=self._begin, name=f"begin {self.name}", daemon=True).start()

    def _begin(self) -> None:
        try:
            warm(self.now)
            self.status, self.note = "ready", ""
        except Exception as error:
            self.status = "failed"
            self.tell(f"the model cannot be used: {line_of(error)}")
            report(error)
        finally:
            self._settled.set_result(None)

    async def ready(self, patient: bool = True) -> Opened:
        """The model, once it is ready; Refused with 503 if it is not ready in time or failed.

        patient: wait even if an earlier request has waited already; a list of all models should not wait for one of them.
        """
        self.look()
        if self.status == "starting":
            waited = 0.0 if patient else time.monotonic() - self._began
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, min(START, self.limits.seconds) - waited)):
                    await asyncio.wrap_future(self._settled)
        if self.status == "starting":
            raise Refused(503, f"{self.name} is not ready yet. Ask again in a moment.", 5)
        if self.status == "failed":
            raise Refused(503, self.note, 60)
        return self.now

    def stop(self) -> None:
        self.worker.stop()
        for state in self._waiting:  # such as an explanation of the whole model whose client has gone
            state.left = True

    # ---- replaced on disk --------------------------------------------------------------------------------------

    def ask_again(self) -> None:
        """Read the model again at the next look, changed or not."""
        self._watch.forget()

    def look(self) -> None:
        """Reload the model if its folder has changed; the old one stays until the new one is verified and has answered."""
        if self.tried or self._reading_again:
            return
        changed = self._watch.changed()
        if self._watch.gone:
            self.tell(GONE)
        if not changed:
            return
        self._reading_again = True
        threading.Thread(target=self._read_again, name=f"read {self.name}", daemon=True).start()

    def _read_again(self) -> None:
        try:
            opened = contained(self._opened_again)
        except Exception as error:
            self._watch.failed()
            line = f"the model was replaced on disk by one that cannot be used: {line_of(error)}"
            self.tell(line + (" The one from before still answers." if self.status == "ready" else ""))
        else:
            self.now, self.status = opened, "ready"
            self.version += 1
            self._watch.succeeded()
            self.worker.revive()
            self.tell("")
            note(f"{self.name}: the model was replaced on disk and read again.")
        finally:
            self._reading_again = False

    def tell(self, line: str) -> None:
        """Note a problem: /health shows it, and standard error once."""
        if line and line != self.note:
            note(f"{self.name}: {line}")
        self.note = line

    def _opened_again(self) -> Opened:
        return warm(Opened(self.name, read_again(self.now.model, self.task), self.limits))

    # ---- facts and health ---------------------------------------------------------------------------------------

    @property
    def model(self) -> Model:
        return self.now.model

    @property
    def languages(self) -> list[str] | None:
        return self.now.languages

    @property
    def facts(self) -> dict[str, Any]:
        """The facts; before the model has answered for the first time, without examples."""
        facts = self.now.facts if self.status == "ready" else self.now.described(())
        return {**facts, "status": self.status}

    @property
    def health(self) -> dict[str, str]:
        """The model's status and problem, for /health."""
        trouble = self.worker.trouble
        if trouble and self.status == "ready":
            return {"status": "failed", "note": trouble}
        return {"status": self.status, "note": self.note} if self.note else {"status": self.status}

    # ---- short work --------------------------------------------------------------------------------------------

    def with_options(self, options: Mapping[str, Any]) -> Model:
        return self.now.with_options(options)

    def check(self, examples: Sequence[Mapping[str, Any]]) -> list[Example]:
        return self.now.check(examples)

    async def answers(
        self, model: Model, examples: Sequence[Example], done: Tell | None = None, begun: float = 0.0
    ) -> list[Answer]:
        """The answers; much work is split into chunks between which others run. done: called with progress after each chunk.

        begun: when the request arrived (`time.monotonic`), since reading it counts too.
        """
        if schema.characters(model.task, examples) > LENGTHY:
            return await self.at_length(model, lambda m: list(m.predict(list(examples))), done)
        answers: list[Answer] = []
        chunk = max(1, int(CHUNK / schema.work(model.task, model.task.config)))
        long = len(examples) > chunk
        seconds = self.limits.patience if long else self.limits.seconds
        until = (begun or time.monotonic()) + seconds
        budget = Budget(self.limits.points)
        for first in range(0, len(examples), chunk):
            job = Job(model, [], seconds, long=long, deadline=until)
            try:
                job.examples = await self._prepared(model, examples[first : first + chunk], budget, job)
                answers += await self._answered(job)
            finally:
                job.left = True  # nobody waits any more: it is done, or the client has gone
            if done:
                done(len(answers), len(examples))
        return answers

    async def _prepared(self, model: Model, examples: Sequence[Example], budget: Budget, job: Job) -> Sequence[Example]:
        """The examples with their pictures and sounds read, which is not done in the thread that all wait for."""
        if not schema.has_media(model.task):
            return examples
        return await self.reading(lambda: prepare(model, examples, budget, job.check), job)

    async def try_reading(self, model: Model, example: Example) -> None:
        """Read the picture or the sound of an example once, within the limits; what explains it reads it by itself."""
        state = Job(model, [], self.limits.seconds)
        try:
            await self._prepared(model, [example], Budget(self.limits.points), state)
        finally:
            state.left = True

    async def reading(self, work: Callable[[], T], state: Job) -> T:
        """The result of `work`, run in a reading thread, within the request's time limit."""
        try:
            async with asyncio.timeout(max(0.0, state.deadline - time.monotonic())):
                return await self._readers.run(work)
        except TimeoutError as error:
            state.left = True
            raise Stopped(
                f"expected to be done in {state.seconds:g} seconds and was not. Ask for less at once."
            ) from error

    async def _answered(self, job: Job) -> list[Answer]:
        """The answers to a job; Stopped where even the worker does not know that its time is over."""
        future = asyncio.wrap_future(self.worker.submit(job).future)
        try:
            async with asyncio.timeout(max(0.0, job.deadline - time.monotonic()) + GRACE + 2 * LOOK):
                answers: list[Answer] = await future
                return answers
        except TimeoutError as error:
            if future.done() and not future.cancelled():
                raise
            raise Stopped("the model did not come to an end in time.") from error

    # ---- long work ---------------------------------------------------------------------------------------------

    async def at_length(self, model: Model, work: Callable[[Model], T], done: Tell | None = None) -> T:
        """The result of `work` on the model, run in a thread; its net calls take turns with short requests."""
        if len(self._waiting) >= WAITING:
            raise Refused(503, f"{WAITING} documents and explanations wait already. Ask again in a while.", 10)
        state = Job(model, [], self.limits.patience)
        loop = asyncio.get_running_loop()

        def tell(seen: int, total: int) -> None:
            if done and not state.left:
                with contextlib.suppress(RuntimeError):  # the loop has ended
                    loop.call_soon_threadsafe(done, seen, total)

        def begin() -> T:
            state.check()
            return work(Chunked(checked(model, state.check, lambda: state.deadline), self.worker, state, tell))

        self._waiting.add(state)
        try:
            async with asyncio.timeout(self.limits.patience + GRACE):
                return await self._long.run(begin)
        except TimeoutError as error:
            raise Stopped(f"expected to be done in {self.limits.patience:g} seconds and was not.") from error
        finally:
            state.left = True
            self._waiting.discard(state)


def named(models: Sequence[Model]) -> dict[str, Model]:
    """Models by the names of their folders; a second one of a name becomes name-2."""
    by_name: dict[str, Model] = {}
    for model in models:
        place = Path(model.where).resolve()
        name = base = place.stem if place.suffix == ".zip" else place.name
        number = 2
        while name in by_name:
            name, number = f"{base}-{number}", number + 1
        by_name[name] = model
    return by_name
