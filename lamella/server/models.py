"""The models that are served: their names, what is told about each, and the work they do."""

import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from lamella import task as contract
from lamella.errors import LamellaError
from lamella.model import Model
from lamella.server import schema
from lamella.server.batching import CHUNK, Chunked, Job, Worker, checked
from lamella.server.limits import Limits
from lamella.server.replies import Refused
from lamella.task import Answer, Example

EXAMPLES = 6
T = TypeVar("T")
THREADS = 2  # for documents and explanations, which think between two calls of the net
WAITING = 16  # of those
LENGTHY = 5000  # characters: a text with so many is long work too, sentence by sentence
TABLES = (".csv", ".tsv", ".jsonl")


class Served:
    """One model under a name."""

    def __init__(self, name: str, model: Model, limits: Limits) -> None:
        self.name, self.model, self.limits = name, model, limits
        model.graphs  # built now, so that copies with other options share them  # noqa: B018
        if self.examples:
            model.predict(self.examples[0])  # what a task makes when it is first used, too
        self.worker = Worker(name, limits)
        self._pool = ThreadPoolExecutor(THREADS, f"long {name}")
        self._waiting: set[Job] = set()

    def stop(self) -> None:
        self.worker.stop()
        for state in self._waiting:  # such as an explanation of the whole model that nobody waits for
            state.left = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    # ---- what is told ------------------------------------------------------------------------------------------

    @cached_property
    def languages(self) -> list[str] | None:
        """From and to, of a model that translates."""
        config = self.model.manifest.config
        pair = [str(config.get(side, "")) for side in ("from", "to")]
        return pair if all(pair) else None

    @cached_property
    def examples(self) -> list[Example]:
        """A few that the model can answer; of a model of other data than the task's own set, maybe none."""
        job, found = self.model.task, []
        usual = msgspec.to_builtins(type(job).Config())
        turned = self.languages and self.languages == [usual.get("to"), usual.get("from")]
        if self.languages and not turned and self.languages != [usual.get("from"), usual.get("to")]:
            return []
        for example in job.sample("test")[: 2 * EXAMPLES]:
            given = {name: example[job.target if turned else name] for name in job.fields}
            try:
                job.inputs(schema.check_example(job, given, self.limits))
                found.append(given)
            except LamellaError:
                continue
        return found[:EXAMPLES]

    @cached_property
    def facts(self) -> dict[str, Any]:
        job, manifest = self.model.task, self.model.manifest
        return {
            "name": self.name,
            "task": contract.name_of(job),
            "summary": summary(type(job)),
            "fields": {k: schema.told(f) for k, f in job.fields.items()},
            "optional": {k: schema.told(f) for k, f in job.optional.items()},
            "answer": {"kind": schema.kind_of(job.answer), "description": job.answer.description},
            "options": [
                {"flag": o.flag, "name": o.name, "kind": o.kind, "default": o.default, "description": o.description}
                for o in schema.offered(job)
            ],
            "examples": self.examples,
            "suffixes": list(self.suffixes),
            "verbs": ["predict", "explain"],
            "metric": job.metric,
            "bytes": self.model.bytes,
            "parameters": manifest.parameters,
            "precision": manifest.precision,
            "languages": self.languages,
        }

    @cached_property
    def suffixes(self) -> tuple[str, ...]:
        """Of files that are answered as a whole. A table that names pictures is none: nothing is loaded for a request."""
        job = self.model.task
        kinds = list(job.fields.values())
        if any(isinstance(kind, schema.MEDIA) for kind in kinds) and not _takes_rows(job):
            return ()
        lines = {".txt"} if len(kinds) == 1 and isinstance(kinds[0], contract.Text) else set()
        return tuple(sorted({*job.suffixes, *TABLES, *lines}))

    @cached_property
    def more(self) -> dict[str, Any]:
        """The facts, with the card, the scores and the picture of the training."""
        curves = Path(self.model.where) / "training" / "curves.svg"
        return {
            **self.facts,
            "card": self.model.files.get("card.md", b"").decode(errors="replace"),
            "scores": self.model.manifest.scores,
            "curves": curves.read_text(encoding="utf-8") if curves.is_file() else "",
        }

    # ---- short work --------------------------------------------------------------------------------------------

    def with_options(self, options: Mapping[str, Any]) -> Model:
        return self.model.with_config(schema.with_options(self.model.task, options))

    def check(self, examples: Sequence[Mapping[str, Any]]) -> list[Example]:
        """Examples of a request -> examples for the task; Refused where there are too many or one is wrong."""
        if len(examples) > self.limits.examples:
            raise Refused(413, f"expected at most {self.limits.examples:,} examples, received {len(examples):,}.")
        many = len(examples) > 1
        found = [
            schema.check_example(self.model.task, e, self.limits, f"example {i}" if many else "the example")
            for i, e in enumerate(examples, start=1)
        ]
        schema.limit_characters(self.model.task, found, self.limits)
        return found

    async def answers(
        self, model: Model, examples: Sequence[Example], done: Callable[[int, int], None] | None = None, apart: str = ""
    ) -> list[Answer]:
        """The answers; much work is done in chunks, which let others pass. `done` is told after each: how many of how many."""
        if schema.characters(model.task, examples) > LENGTHY:
            return await self.at_length(model, lambda m: list(m.predict(list(examples))), done)
        found: list[Answer] = []
        long = len(examples) > CHUNK
        seconds = self.limits.patience if long else self.limits.seconds
        until = time.monotonic() + seconds
        for first in range(0, len(examples), CHUNK):
            some = examples[first : first + CHUNK]
            job = Job(model, some, seconds, long=long, apart=apart, deadline=until)
            try:
                answers: list[Answer] = await asyncio.wrap_future(self.worker.submit(job).future)
                found += answers
            finally:
                job.left = True  # nobody waits any more, whether it is done or the client has gone
            if done:
                done(len(found), len(examples))
        return found

    # ---- long work ---------------------------------------------------------------------------------------------

    async def at_length(
        self, model: Model, work: Callable[[Model], T], done: Callable[[int, int], None] | None = None
    ) -> T:
        """What `work` makes of the model, in a thread; its net takes turns with short questions."""
        if len(self._waiting) >= WAITING:
            raise Refused(503, f"{WAITING} documents and explanations wait already. Ask again in a while.", 10)
        state = Job(model, [], self.limits.patience)
        loop = asyncio.get_running_loop()

        def tell(seen: int, total: int) -> None:
            if done and not state.left:
                loop.call_soon_threadsafe(done, seen, total)

        def begin() -> T:
            state.check()
            return work(Chunked(checked(model, state.check), self.worker, state.check, tell))

        self._waiting.add(state)
        try:
            return await loop.run_in_executor(self._pool, begin)
        finally:
            state.left = True
            self._waiting.discard(state)


def _takes_rows(job: contract.Task) -> bool:
    """Whether a table's rows are examples by themselves, and not names of files: asked of one that is not there."""
    try:
        return job.rows(Path("rows.csv")) is not None
    except LamellaError:
        return True


def summary(cls: type[contract.Task]) -> str:
    """The first line of a task's file."""
    return ((sys.modules[cls.__module__].__doc__ or "").strip().splitlines() or [""])[0]


def named(models: Sequence[Model]) -> dict[str, Model]:
    """Models by the names of their folders; of equal ones the second is name-2."""
    found: dict[str, Model] = {}
    for model in models:
        place = Path(model.where).resolve()
        name = base = place.stem if place.suffix == ".zip" else place.name
        number = 2
        while name in found:
            name, number = f"{base}-{number}", number + 1
        found[name] = model
    return found
