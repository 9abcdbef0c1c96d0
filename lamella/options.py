"""Typed fields of a task's Config, read once and used everywhere: flags, help, `model.json`, schemas.

A field is written once, as `name: Annotated[type, Meta(description=...)] = default`; this file turns that into what the
command line and the verbs need.
"""

import re
import typing
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from lamella.errors import UsageError

SHOWN = 200  # characters of what was given that a message shows


class Option(msgspec.Struct, frozen=True):
    """One field as a flag."""

    flag: str  # as it is typed: decoder-depth
    name: str  # as it is stored: decoder_depth
    kind: str  # int, float, bool, str, or the choices: cnn|rnn|transformer
    default: Any
    description: str
    answering: bool  # may be changed when the model answers, not only when it is trained
    holds: str = ""  # "file": its name, for this machine's user alone; "value": one of the task's field
    was: str = ""  # its name in earlier versions
    short: str = ""  # the letter by which it may be typed: n for -n
    formats: tuple[str, ...] = ()  # the suffixes of files that it is for, "" for texts; none: all
    asks: tuple[str, ...] = ()  # the questions that it is for; none: all


def hints(config: type[msgspec.Struct]) -> dict[str, Any]:
    """The annotated types of a Config's fields, by the names under which they are stored."""
    found = get_type_hints(config, include_extras=True)
    return {field.encode_name: found[field.name] for field in msgspec.structs.fields(config)}


def all_options(config: type[msgspec.Struct]) -> list[Option]:
    """A Config's fields in order."""
    return list(_options(config))


@cache  # a command asks five times, and each takes as long as a step of a net
def _options(config: type[msgspec.Struct]) -> tuple[Option, ...]:
    types = hints(config)
    found = []
    for field in msgspec.structs.fields(config):
        hint = types[field.encode_name]
        meta = next((m for m in getattr(hint, "__metadata__", ()) if isinstance(m, msgspec.Meta)), None)
        extra = (meta.extra if meta else None) or {}
        found.append(
            Option(
                flag=field.encode_name.replace("_", "-"),
                name=field.encode_name,
                kind=_kind(hint),
                default=_default(field),
                description=(meta.description if meta else None) or "",
                answering=extra.get("when") == "predict",
                holds=extra.get("holds", ""),
                was=extra.get("was", ""),
                short=extra.get("short", ""),
                formats=tuple(extra.get("formats", ())),
                asks=tuple(extra.get("asks", ())),
            )
        )
    return tuple(found)


def switches(config: type[msgspec.Struct]) -> frozenset[str]:
    """The names of the fields that are yes or no, which need no value on the command line."""
    return frozenset(o.name for o in all_options(config) if o.kind == "bool")


def _default(field: msgspec.structs.FieldInfo) -> Any:
    """What a field is where nobody says; None where that must be said."""
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return None if field.default is msgspec.NODEFAULT else field.default


def _kind(hint: Any) -> str:
    while get_origin(hint) is typing.Annotated:
        hint = get_args(hint)[0]
    if get_origin(hint) is Literal:
        return "|".join(map(str, get_args(hint)))
    if get_origin(hint) in (UnionType, typing.Union):
        return _kind(next(a for a in get_args(hint) if a is not type(None)))
    return str(getattr(hint, "__name__", hint))


def make_config(config: type[msgspec.Struct], given: Mapping[str, Any], task: str) -> Any:
    """Values by field name, strings allowed for numbers -> a Config; an unknown name or a wrong value is an error."""
    known = {o.name: o for o in all_options(config)}
    renamed = {o.was: o.flag for o in known.values() if o.was}
    letters = {o.short: o.name for o in known.values() if o.short}
    values = {}
    for name, value in given.items():
        key = letters.get(name, name.replace("-", "_"))
        if key in renamed:
            raise UsageError(f"--{name} is called --{renamed[key]} now.")
        if key not in known:
            if way := getattr(config, "elsewhere", {}).get(key):
                raise UsageError(f"--{name}: {task} does not have it. {way}")
            raise UsageError(
                f"unknown option --{_short(name)} for {task}. Expected one of: {', '.join('--' + o.flag for o in known.values())}."
            )
        values[key] = value
    try:
        return msgspec.convert(values, config, strict=False)
    except msgspec.ValidationError as error:
        at = re.search(r" - at `\$\.(\w+)`", str(error))
        if not at:
            raise UsageError(f"wrong value for an option of {task}: {error}. Received {_short(given)}.") from error
        what, flag = str(error)[: at.start()], at[1].replace("_", "-")
        raise UsageError(
            f"wrong value for an option of {task}: --{flag}: {what}, received {_short(repr(values[at[1]]))}."
        ) from error


def _short(value: Any) -> str:
    """What was given as a piece of a message of one line: the beginning of it, without line breaks.

    >>> _short(chr(10).join("ab")), len(_short("a" * 1000))
    ('a b', 203)
    """
    text = str(value)
    plain = "".join(c if c.isprintable() else " " for c in text[:SHOWN])  # nothing that moves a terminal's cursor
    return " ".join(plain.split()) + "..." * (len(text) > SHOWN)


def refuse_unfit(config: type[msgspec.Struct], given: Mapping[str, Any], suffixes: Collection[str]) -> None:
    """UsageError for an option that means nothing to any of the inputs, which would be read and ignored.

    given: options by name. suffixes: of the files that are answered, "" for a text.
    """
    for option in all_options(config):
        if option.formats and option.name in given and not {*suffixes} & {*option.formats}:
            texts = "a text, " if "" in option.formats else ""
            received = ", ".join(sorted({suffix or "a text" for suffix in suffixes}))
            raise UsageError(
                f"--{option.flag}: expected {texts}{' '.join(filter(None, option.formats))}, received {received}. Leave it out."
            )


def refuse_unasked(config: type[msgspec.Struct], given: Iterable[str], asked: str, questions: Iterable[str]) -> None:
    """UsageError for an option that means nothing to the question, which would be read and ignored.

    given: names of options. asked: the question, "" for the first of the `questions`.
    """
    question = asked or next(iter(questions), "")
    named = {name.replace("-", "_") for name in given}
    for option in all_options(config):
        if option.asks and question not in option.asks and named & {option.name, option.short or option.name}:
            raise UsageError(
                f"--{option.flag}: expected with --ask {' or '.join(option.asks)}, received --ask {question}. Leave it out."
            )


def current_names(config: type[msgspec.Struct], stored: Mapping[str, Any]) -> dict[str, Any]:
    """A stored Config of this or of an earlier version, whose fields had other names, by the names of today."""
    renamed = {o.was: o.name for o in all_options(config) if o.was}
    return {renamed.get(name, name) if renamed.get(name) not in stored else name: v for name, v in stored.items()}


def replace_config(config: Any, given: Mapping[str, Any], task: str) -> Any:
    """A trained model's Config with fields changed that may change when it answers."""
    if not given:
        return config
    changeable = [o for o in all_options(type(config)) if o.answering]
    letters = {o.short: o.name for o in changeable if o.short}
    given = {letters.get(name, name): value for name, value in given.items()}
    for name in given:
        if name.replace("-", "_") not in {o.name for o in changeable}:
            may = ", ".join("--" + o.flag for o in changeable) or "none"
            raise UsageError(
                f"--{name.replace('_', '-')} cannot be changed once {task} is trained. Options when answering: {may}."
            )
    now = msgspec.to_builtins(config)
    return make_config(type(config), {**now, **given}, task)
