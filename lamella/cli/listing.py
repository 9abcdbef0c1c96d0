"""The list of tasks: what each reads and answers, its nets and its options."""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import asdict

from lamella import registry
from lamella.options import all_options


def describe(names: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The facts of these tasks, or of all; an unknown name is a UsageError."""
    rows: list[dict[str, Any]] = []
    for name in names or registry.names():
        cls = registry.find(name)
        rows.append(
            {
                "name": name,
                "summary": registry.summary(cls),
                "nets": list(cls.training.nets),
                "fields": {k: v.kind for k, v in cls.fields.items()},
                "answer": type(cls.answer).__name__.lower(),
                "metric": cls.metric,
                "options": [asdict(o) for o in all_options(cls.Config)],
            }
        )
    return rows


def lines(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The same for people, a paragraph a task."""
    for row in rows:
        yield f"{row['name']}\n    {row['summary']} Nets: {', '.join(row['nets'])}. Scored by {row['metric']}."
        for option in row["options"]:
            yield f"    --{option['flag']:14} {option['description']} ({option['kind']}, {option['default']!r})"
