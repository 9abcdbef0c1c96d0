"""What is told about a model that is served: its fields, options, examples, card, scores and the picture of its training."""

import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from lamella import registry
from lamella import task as contract
from lamella.errors import LamellaError
from lamella.fields import Text
from lamella.model import Model, shipped
from lamella.server import published, schema
from lamella.server.limits import Limits
from lamella.server.replies import Refused
from lamella.server.work import Check, Deadline, checked
from lamella.task import Example

EXAMPLES = 6
TABLES = (".csv", ".tsv", ".jsonl")


class Opened:
    """A model as it was read from disk. Nothing of it is run before `warm` is called."""

    def __init__(self, name: str, model: Model, limits: Limits) -> None:
        self.name, self.model, self.limits = name, model, limits

    def warm(self, check: Check, deadline: Deadline) -> None:
        """Build the graphs and answer once, so that copies with other options share what a task makes when first used."""
        self.model.graphs  # noqa: B018
        if self.examples:
            checked(self.model, check, deadline).predict(self.examples[0])
        self.facts  # noqa: B018

    @cached_property
    def languages(self) -> list[str] | None:
        """From and to, of a model that translates: text in, text out, and a Config that declares these two."""
        job, config = self.model.task, self.model.manifest.config
        declared = {field.encode_name for field in msgspec.structs.fields(type(job).Config)}
        texts = all(isinstance(kind, Text) for kind in (*job.fields.values(), job.answer))
        if not (texts and {"from", "to"} <= declared):
            return None
        pair = [str(config.get(side, "")) for side in ("from", "to")]
        return pair if all(pair) else None

    @cached_property
    def examples(self) -> list[Example]:
        """A few that the model can answer: its own, else of the task's set, if it was trained on that or came with lamella."""
        job, found = self.model.task, []
        own = getattr(self.model.manifest, "examples", [])
        if own or not self._knows_the_sample:
            return self._usable(own)
        usual = msgspec.to_builtins(type(job).Config())
        turned = self.languages and self.languages == [usual.get("to"), usual.get("from")]
        if self.languages and not turned and self.languages != [usual.get("from"), usual.get("to")]:
            return []
        for example in job.sample("test")[: 2 * EXAMPLES]:
            found.append({name: example[job.target if turned else name] for name in job.fields})
        return self._usable(found)

    @property
    def _knows_the_sample(self) -> bool:
        """Whether examples of the task's own set are of the kind that it was trained on."""
        shipped_with = Path(self.model.where).resolve().parent == shipped.FOLDER.resolve()
        return shipped_with or any(
            "own sample set" in str(line) for line in self.model.manifest.training.get("data", [])
        )

    def _usable(self, examples: Sequence[Mapping[str, Any]]) -> list[Example]:
        """The fields of those that the model can read."""
        job, found = self.model.task, []
        for example in examples:
            given = {name: example[name] for name in schema.every_field(job) if name in example}
            try:
                job.inputs(schema.check_example(job, given, self.limits))
                found.append(given)
            except LamellaError:
                continue
        return found[:EXAMPLES]

    @property
    def headline(self) -> dict[str, Any] | None:
        """The score of the task's metric on the first set that it was measured on, with its interval."""
        for name, measured in self.model.manifest.scores.items():
            score = measured.get("scores", {}).get(self.model.task.metric) if isinstance(measured, dict) else None
            if isinstance(score, dict):
                return {"set": name, "count": measured.get("count"), **score}
        return None

    @cached_property
    def facts(self) -> dict[str, Any]:
        return self.described(self.examples)

    def described(self, examples: Sequence[Example]) -> dict[str, Any]:
        """The facts with these examples; nothing of the model is run."""
        job, manifest = self.model.task, self.model.manifest
        return {
            "name": self.name,
            "task": registry.name_of(job),
            "summary": summary(type(job)),
            "fields": {k: {**schema.told(f), **_columns(job, k)} for k, f in job.fields.items()},
            "optional": {k: schema.told(f) for k, f in job.optional.items()},
            "answer": {"kind": schema.kind_of(job.answer), "description": job.answer.description},
            "options": [
                {"flag": o.flag, "name": o.name, "kind": o.kind, "default": o.default, "description": o.description}
                for o in schema.offered(job)
            ],
            "examples": list(examples),
            "suffixes": list(self.suffixes),
            "verbs": ["predict", "explain"],
            "metric": job.metric,
            "headline": self.headline,
            "streams": grows(job),
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
        lines = {".txt"} if len(kinds) == 1 and isinstance(kinds[0], Text) else set()
        return tuple(sorted({*job.suffixes, *TABLES, *lines}))

    @cached_property
    def schemas(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """JSON schemas of an example and of the options."""
        return schema.of_example(self.model.task, self.limits), schema.options_schema(self.model.task)

    @cached_property
    def more(self) -> dict[str, Any]:
        """The facts, with the card, the scores and the picture of the training."""
        return {
            **self.facts,
            "card": self.model.files.get("card.md", b"").decode(errors="replace"),
            "scores": self.model.manifest.scores,
            "curves": published.drawing(Path(self.model.where), "training", "curves.svg"),
        }

    # ---- requests ----------------------------------------------------------------------------------------------

    def with_options(self, options: Mapping[str, Any]) -> Model:
        """The model with a request's options; Refused where one is unknown, out of bounds or too much work."""
        config = schema.with_options(self.model.task, options)
        usual = schema.work(self.model.task, self.model.task.config)
        if schema.work(self.model.task, config) > max(usual, self.limits.multiple):
            raise Refused(
                400,
                f"options: expected at most {self.limits.multiple:g} times the usual work for an example, received more.",
            )
        return self.model.with_config(config)

    def check(self, examples: Sequence[Mapping[str, Any]], go_on: Check = lambda: None) -> list[Example]:
        """Examples of a request -> examples for the task; Refused where there are too many or one is wrong."""
        if len(examples) > self.limits.examples:
            raise Refused(413, f"expected at most {self.limits.examples:,} examples, received {len(examples):,}.")
        many = len(examples) > 1
        found: list[Example] = []
        for i, example in enumerate(examples, start=1):
            go_on()
            what = f"example {i}" if many else "the example"
            found.append(schema.check_example(self.model.task, example, self.limits, what))
        schema.limit_characters(self.model.task, found, self.limits)
        return found


def _takes_rows(job: contract.Task) -> bool:
    """Whether a table's rows are examples by themselves, and not names of files: asked of one that is not there."""
    try:
        return job.rows(Path("rows.csv")) is not None
    except LamellaError:
        return True


def _columns(job: contract.Task, field: str) -> dict[str, Any]:
    """The columns of a field that is a row of a table, for a form: names, and what is usual or allowed in each."""
    kept = ("name", "names", "mean")
    found = [{k: column[k] for k in kept if k in column} for column in job.columns.get(field, ())]
    return {"columns": found} if found else {}


def grows(job: contract.Task) -> bool:
    """Whether a task makes its answers piece by piece, so that they can be shown while they are made."""
    return type(job).grow is not contract.Task.grow


def summary(cls: type[contract.Task]) -> str:
    """The first line of a task's file."""
    return ((sys.modules[cls.__module__].__doc__ or "").strip().splitlines() or [""])[0]
