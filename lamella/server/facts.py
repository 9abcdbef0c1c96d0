"""The facts about a served model: its fields, options, examples, card, scores and training curves."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from lamella import registry
from lamella import task as contract
from lamella.data.readers.suffixes import TABLES
from lamella.errors import LamellaError
from lamella.model import Model, shipped
from lamella.options import refuse_unasked, replace_config
from lamella.server import published, schema
from lamella.server.limits import Limits
from lamella.server.replies import Refused
from lamella.server.work import Check, Deadline, checked
from lamella.task import Example

EXAMPLES = 6


class Opened:
    """A model as read from disk; its graphs do not run before `warm` is called."""

    def __init__(self, name: str, model: Model, limits: Limits) -> None:
        self.name, self.model, self.limits = name, model, limits

    def warm(self, check: Check, deadline: Deadline) -> None:
        """Build the graphs and answer once, so that copies with other options share what a task caches on first use."""
        self.model.graphs  # noqa: B018
        if self.examples:
            checked(self.model, check, deadline).predict(self.examples[0])
        self.facts  # noqa: B018

    @cached_property
    def languages(self) -> list[str] | None:
        """The languages (from, to) of a translation model: text in, text out, and a Config that declares these two."""
        job, config = self.model.task, msgspec.to_builtins(self.model.task.config)
        declared = {field.encode_name for field in msgspec.structs.fields(type(job).Config)}
        texts = all(field.prose for field in (*job.fields.values(), job.answer))
        if not (texts and {"from", "to"} <= declared):
            return None
        pair = [str(config.get(side, "")) for side in ("from", "to")]
        return pair if all(pair) else None

    @cached_property
    def directions(self) -> list[tuple[str, str]]:
        """What a translation model translates, as (from, to): several where it was trained for them; else none."""
        if self.languages is None:
            return []
        own = (self.languages[0], self.languages[1])
        return list(dict.fromkeys([own, *getattr(self.model.task, "directions", [])]))

    def languages_of(self, model: Model) -> tuple[str, str] | None:
        """The languages (from, to) that a copy of this model with other options is to translate."""
        if self.languages is None:
            return None
        config = msgspec.to_builtins(model.task.config)
        return str(config["from"]), str(config["to"])

    def between(self, model: Model, src: str, dst: str) -> Model:
        """A copy of this model that translates another of its directions."""
        config = replace_config(model.task.config, {"from": src, "to": dst}, self.model.manifest.task)
        return model.with_config(config)

    @cached_property
    def examples(self) -> list[Example]:
        """A few examples to try: the model's own, else the task's sample if it was trained on that or came with lamella."""
        job, examples = self.model.task, []
        own = getattr(self.model.manifest, "examples", [])
        if own or not self._knows_the_sample:
            return self._usable(own)
        usual = msgspec.to_builtins(type(job).Config())
        turned = self.languages and self.languages == [usual.get("to"), usual.get("from")]
        if self.languages and not turned and self.languages != [usual.get("from"), usual.get("to")]:
            return []
        for example in job.sample("test")[: 2 * EXAMPLES]:
            examples.append({name: example[job.target if turned else name] for name in job.fields})
        return self._usable(examples)

    @property
    def _knows_the_sample(self) -> bool:
        """Whether the model was trained on the task's sample, or came with lamella."""
        shipped_with = Path(self.model.where).resolve().parent == shipped.FOLDER.resolve()
        return shipped_with or any(
            "own sample set" in str(line) for line in self.model.manifest.training.get("data", [])
        )

    def _usable(self, examples: Sequence[Mapping[str, Any]]) -> list[Example]:
        """Those examples that the model can read."""
        job, usable = self.model.task, []
        for example in examples:
            given = {name: example[name] for name in schema.every_field(job) if name in example}
            try:
                job.inputs(schema.check_example(job, given, self.limits))
                usable.append(given)
            except LamellaError:
                continue
        return usable[:EXAMPLES]

    @property
    def headline(self) -> dict[str, Any] | None:
        """The score of the task's metric on the first evaluated set, with its interval."""
        for name, measured in self.model.manifest.scores.items():
            score = measured.get("scores", {}).get(self.model.task.metric) if isinstance(measured, dict) else None
            if isinstance(score, dict):
                return {"set": name, "count": measured.get("count"), **score}
        return None

    @cached_property
    def facts(self) -> dict[str, Any]:
        return self.described(self.examples)

    def described(self, examples: Sequence[Example]) -> dict[str, Any]:
        """The facts with these examples; does not run the model."""
        job, manifest = self.model.task, self.model.manifest
        return {
            "name": self.name,
            "task": registry.name_of(job),
            "summary": registry.summary(type(job)),
            "fields": {name: field.facts() for name, field in job.fields.items()},
            "optional": {name: field.facts() for name, field in job.optional.items()},
            "answer": job.answer.facts(),
            "questions": [self._question(name, examples) for name in self.questions],
            "options": [
                {"flag": o.flag, "name": o.name, "kind": o.kind, "description": o.description}
                | {"default": schema.usual(job, o)}
                | ({"asks": list(o.asks)} if o.asks else {})
                for o in schema.offered(job)
            ],
            "examples": list(examples),
            "suffixes": list(suffixes(job)),
            "verbs": ["predict", "explain"],
            "metric": job.metric,
            "headline": self.headline,
            "streams": grows(job),
            "bytes": self.model.bytes,
            "parameters": manifest.parameters,
            "precision": manifest.precision,
            "languages": self.languages,
            "directions": self.directions,
        }

    @cached_property
    def questions(self) -> dict[str, Model]:
        """The model as it answers each of its questions, without those that need something to search in and have none."""
        offered = {name: self.model.ask(name) for name in self.model.task.questions}
        return {n: m for n, m in offered.items() if m.task.state.index is not None or not m.task.questions[n].corpus}

    def _question(self, name: str, examples: Sequence[Example]) -> dict[str, Any]:
        """The facts about a question that a form needs."""
        job = self.questions[name].task
        return {
            "name": name,
            "description": job.questions[name].description,
            "fields": {key: field.facts() for key, field in job.fields.items()},
            "answer": job.answer.facts(),
            # A picture that is kept as an example says nothing of a text that it may be asked for.
            "examples": [given for given in map(job.given, examples) if set(job.fields) <= set(given)],
            "suffixes": list(suffixes(job)),
        }

    @cached_property
    def schemas(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """JSON schemas of an example and of the options."""
        jobs = [model.task for model in self.questions.values()] or [self.model.task]
        examples = {str(job.fields): schema.of_example(job, self.limits) for job in jobs}  # questions may share fields
        one, *more = examples.values()
        return {"anyOf": [one, *more]} if more else one, schema.options_schema(self.model.task)

    @cached_property
    def more(self) -> dict[str, Any]:
        """The facts, with the card, the scores and the training curves."""
        return {
            **self.facts,
            "card": self.model.files.get("card.md", b"").decode(errors="replace"),
            "scores": self.model.manifest.scores,
            "curves": published.drawing(Path(self.model.where), "training", "curves.svg"),
        }

    # ---- requests ----------------------------------------------------------------------------------------------

    def with_options(self, options: Mapping[str, Any], ask: str = "") -> Model:
        """The model with a request's options, asked one of its questions, by default the first.

        Refused where the question or an option is unknown, or an option is out of bounds or too much work.
        """
        if ask and ask not in self.questions:
            known = ", ".join(self.questions) or "none: this model answers one question only"
            raise Refused(400, f"ask: expected one of {known}, received {ask[:60]!r}.")
        model = self.questions[ask] if ask else self.model
        config = schema.with_options(self.model.task, options, self.limits)
        refuse_unasked(type(config), options, ask, self.model.task.questions)
        usual = schema.work(self.model.task, self.model.task.config)
        if schema.work(self.model.task, config) > max(usual, self.limits.multiple):
            raise Refused(
                400,
                f"options: expected at most {self.limits.multiple:g} times the usual work for an example, received more.",
            )
        return model.with_config(config)

    def check(
        self, examples: Sequence[Mapping[str, Any]], go_on: Check = lambda: None, model: Model | None = None
    ) -> list[Example]:
        """Examples of a request -> examples for the task; Refused where there are too many or one is wrong.

        model: the one with the request's options, which may ask for other fields.
        """
        job = (model or self.model).task
        if len(examples) > self.limits.examples:
            raise Refused(413, f"expected at most {self.limits.examples:,} examples, received {len(examples):,}.")
        many = len(examples) > 1
        checked: list[Example] = []
        for i, example in enumerate(examples, start=1):
            go_on()
            what = f"example {i}" if many else "the example"
            checked.append(schema.check_example(job, example, self.limits, what))
        schema.limit_characters(job, checked, self.limits)
        return checked


def suffixes(job: contract.Task) -> tuple[str, ...]:
    """Of files that are answered as a whole. A table that names pictures is none: nothing is loaded for a request."""
    fields = list(job.fields.values())
    if any(field.media for field in fields):
        return ()
    lines = {".txt"} if len(fields) == 1 and fields[0].prose else set()
    return tuple(sorted({*job.output.suffixes, *TABLES, ".xlsx", *lines}))


def grows(job: contract.Task) -> bool:
    """Whether a task can stream its answers."""
    return job.output.grow is not None
