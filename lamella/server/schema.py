"""JSON schema and checks of requests, from the typed fields of a task. Each limit stands here or in the field, once."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any, TypeVar

import msgspec

from lamella.errors import UsageError
from lamella.fields import Field, TooLarge
from lamella.model.values import by_columns
from lamella.options import Option, all_options, hints
from lamella.server.limits import Limits
from lamella.server.replies import Refused
from lamella.task import Example, Task

MOST = 2**31 - 1  # limit of integers that have none of their own
LONGEST = 1000  # most characters of an option
NO_OTHER = Limits()
T = TypeVar("T")


class Ask(msgspec.Struct, forbid_unknown_fields=True):
    """The body of predict."""

    examples: list[dict[str, Any] | list[Any]] | dict[str, list[Any]]
    options: dict[str, Any] = {}
    ask: str = ""  # which question, if the model answers several


class AskWhy(msgspec.Struct, forbid_unknown_fields=True):
    """The body of explain; without an example, of the whole model."""

    example: dict[str, Any] | None = None
    options: dict[str, Any] = {}
    method: str = ""
    ask: str = ""


def decode(raw: bytes, kind: type[T]) -> T:
    """Decode a JSON body as this type; Refused with 400 if it does not fit."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, f"expected JSON as /openapi.json describes it: {str(error)[:200]}.") from error


# ---- values ------------------------------------------------------------------------------------------------------


def of_field(field: Field, limits: Limits) -> dict[str, Any]:
    """The JSON schema of one field's value.

    >>> of_field(Field("Anything."), Limits())
    {'description': 'Anything.'}
    """
    shape = field.schema(limits)
    return {**shape, "description": field.description} if field.description else shape


def rows_of(job: Task, given: Sequence[Any] | Mapping[str, Sequence[Any]]) -> list[Mapping[str, Any]]:
    """The examples of a request, which may be a table: an object of columns, or lists of values in the order of the fields."""
    if isinstance(given, Mapping):
        lengths = {name: len(column) for name, column in given.items()}
        if len(set(lengths.values())) > 1:
            raise Refused(400, f"examples: expected columns of one length, received {str(lengths)[:100]}.")
        return [dict(zip(given, row, strict=True)) for row in zip(*given.values(), strict=True)]
    rows: list[Mapping[str, Any]] = []
    for i, row in enumerate(given, start=1):
        names = list(job.fields)
        if isinstance(row, list):
            if len(names) > 1 and len(row) != len(names):
                raise Refused(400, f"example {i}: expected {' and '.join(names)}, received {len(row)} values.")
            alone = len(row) == 1 and not hasattr(job.fields[names[0]], "columns")
            row = dict(zip(names, row, strict=True)) if len(names) > 1 or alone else {names[0]: row}
        rows.append(row)
    return rows


def as_table(rows: list[Mapping[str, Any]], limits: Limits) -> list[Mapping[str, Any]]:
    """Rows of a table that is answered as a whole; Refused with 413 where they are too many, with 400 where a cell holds several values."""
    if len(rows) > limits.values:
        raise Refused(413, f"examples: expected at most {limits.values:,} rows, received {len(rows):,}.")
    for i, row in enumerate(rows, start=1):
        for name, cell in row.items():
            if isinstance(cell, list | dict):
                raise Refused(400, f"example {i}, {name[:40]}: expected one value in each row, received several.")
    return rows


def check_example(job: Task, given: Mapping[str, Any], limits: Limits, what: str = "the example") -> Example:
    """Check a request's example: all fields present, each of its kind, no others; or the columns that training read."""
    every = every_field(job)
    given = {name: value for name, value in by_columns(job, given).items() if value is not None or name in job.fields}
    unknown, missing = set(given) - set(every), set(job.fields) - set(given)
    if unknown or missing:
        names = ", ".join(sorted(map(str, given)))[:100] or "nothing"
        also = f", and maybe {', '.join(job.optional)}" if job.optional else ""
        used = [
            str(column["name"]) for name, column in job.state.columns.items() if name in job.fields and column["name"]
        ]
        also += f" (or {', '.join(used)}, as in training)" if used and used != list(job.fields) else ""
        if job.state.columns and not set(job.state.columns) & set(job.fields):
            names_of = ", ".join(str(column["name"]) for column in job.state.columns.values() if column["name"])
            also += f" (or rows of a table with {names_of}, as in training)" if names_of else ""
        raise Refused(400, f"{what}: expected the fields {', '.join(job.fields)}{also}, received {names}.")
    return {
        name: receive(field, f"{what}, {name}", given[name], limits) for name, field in every.items() if name in given
    }


def every_field(job: Task) -> dict[str, Field]:
    """The required and the optional fields of an example."""
    return {**job.fields, **job.optional}


def receive(field: Field, where: str, value: Any, limits: Limits) -> Any:
    """A request's value in the task's form; Refused with 400 for the wrong kind, with 413 if it is too large."""
    try:
        return field.receive(where, value, limits)
    except UsageError as error:
        raise Refused(413 if isinstance(error, TooLarge) else 400, str(error)) from error


def characters(job: Task, examples: Sequence[Example]) -> int:
    """The number of characters in the examples; pictures and sounds do not count."""
    names = [name for name, field in every_field(job).items() if not field.media]
    return sum(len(e[name]) for e in examples for name in names if isinstance(e.get(name), str))


def limit_characters(job: Task, examples: Sequence[Example], limits: Limits) -> None:
    """Refused if there is too much text, before any of it is processed."""
    total = characters(job, examples)
    if total > limits.characters:
        raise Refused(
            413, f"expected at most {limits.characters:,} characters, received {total:,}. Send a file instead."
        )


# ---- options -----------------------------------------------------------------------------------------------------


def offered(job: Task) -> list[Option]:
    """The options that a request may change: those of answering that name no file of this machine."""
    return [o for o in all_options(type(job).Config) if o.answering and o.holds != "file"]


def usual(job: Task, option: Option) -> Any:
    """What a model does where a request does not say: of numbers that training may have set, its own."""
    if option.kind not in ("int", "float"):
        return option.default
    own: type[msgspec.Struct] = type(job.config)
    return getattr(job.config, _attribute(own, option.name))


@cache
def options_of(config: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """The type of a request's options: each field as the task declares it, none required."""
    types = hints(config)
    fields: list[tuple[str, Any, Any]] = []
    for option in all_options(config):
        if option.answering and option.holds != "file":
            bound = {"int": msgspec.Meta(le=MOST), "str": msgspec.Meta(max_length=LONGEST)}.get(option.kind)
            hint = types[option.name]
            if option.holds == "value":
                bound = None
            fields.append((option.name, _bounded(hint, bound) if bound else hint, option.default))
    return msgspec.defstruct("Options", fields, kw_only=True, forbid_unknown_fields=True)


def _bounded(hint: Any, bound: msgspec.Meta) -> Any:
    """The type hint with a bound, unless it has one of that kind."""
    metas = getattr(hint, "__metadata__", ())
    if any(
        m.le is not None or m.lt is not None or m.max_length is not None for m in metas if isinstance(m, msgspec.Meta)
    ):
        return hint
    return Annotated[hint, bound]


def with_options(job: Task, given: Mapping[str, Any], limits: Limits = NO_OTHER) -> Any:
    """The task's configuration with a request's options; Refused with 400 if one is unknown or out of bounds."""
    if not given:
        return job.config
    known = {o.name: o for o in offered(job)}
    if unknown := set(given) - set(known):
        named = ", ".join(sorted(unknown))[:100]
        raise Refused(400, f"options: expected some of {', '.join(known) or 'none'}, received {named}.")
    try:
        converted = msgspec.convert(dict(given), options_of(type(job).Config), strict=False)
    except msgspec.ValidationError as error:
        raise Refused(400, f"options: {error}.") from error
    except (UsageError, OverflowError, RecursionError) as error:
        raise Refused(400, "options: out of bounds.") from error
    values = {name: getattr(converted, name) for name in given}  # by their stored names, such as `from`
    for name, value in values.items():
        if known[name].holds == "value" and value:
            read = receive(next(iter(job.fields.values())), f"options, {name}", value, limits)
            values[name] = read if isinstance(read, str) else json.dumps(read)
    own: type[msgspec.Struct] = type(job.config)
    return msgspec.structs.replace(job.config, **{_attribute(own, name): value for name, value in values.items()})


def work(job: Task, config: Any) -> float:
    """How much more work than usual these options ask for, at least 1: beams, samples, or the length of a text.

    An option with an upper bound is an amount; one without, such as a seed, is not.
    """
    usual, factor = type(job).Config(), 1.0
    types = hints(type(job).Config)
    for option in offered(job):
        metas = [m for m in getattr(types[option.name], "__metadata__", ()) if isinstance(m, msgspec.Meta)]
        if option.kind == "int" and any(m.le is not None for m in metas):
            name = _attribute(type(job).Config, option.name)
            factor *= max(1.0, getattr(config, name) / max(1, getattr(usual, name)))
    return factor


@cache
def _attribute(config: type[msgspec.Struct], name: str) -> str:
    """The Python name of a field that is stored under another name."""
    return next(f.name for f in msgspec.structs.fields(config) if f.encode_name == name)


def has_media(job: Task) -> bool:
    """Whether an example holds a picture or a sound."""
    return any(field.media for field in job.fields.values())


def options_schema(job: Task) -> dict[str, Any]:
    schema = msgspec.json.schema(options_of(type(job).Config))
    return dict(schema["$defs"]["Options"])


def of_example(job: Task, limits: Limits) -> dict[str, Any]:
    """The JSON schema of an example."""
    return {
        "type": "object",
        "properties": {name: of_field(field, limits) for name, field in every_field(job).items()},
        "required": list(job.fields),
        "additionalProperties": False,
    }
