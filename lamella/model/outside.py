"""Input that is not a model's own: another task's sample, or a file, whose values are of the same kinds.

examples, what = outside_examples(job, most=200)                 what: "the sample of weather"
sureness(model, examples)                                        how sure the model is of its answer to each
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lamella import registry
from lamella.data.readers.suffixes import is_table
from lamella.errors import DataError, LamellaError, UsageError
from lamella.model import Model
from lamella.model.answering import all_media
from lamella.model.index import read_corpus
from lamella.task import Answer, Example, Task


def outside_examples(job: Task, most: int, source: str = "") -> tuple[list[Example], str]:
    """At most so many examples of this task's fields that are not of its kind, and where they are from.

    source: a table, a text, a file or folder of media, or the name of a task, whose sample is taken; "": the first task by name
    with fields of these kinds. UsageError where there is none, DataError for a file without examples.
    """
    if source and source.replace("_", "-") not in registry.names():
        examples = _in_file(job, Path(source))[:most]
        if not examples:
            raise DataError(f"--outside {source}: expected {' and '.join(job.fields)}, received none.")
        return examples, source
    own = registry.name_of(job)
    for word in [source] if source else registry.names():
        if word == own:
            continue
        examples = _from_sample(job, word, most)
        if examples:
            return examples, f"the sample of {word}"
    kinds = " and ".join(sorted({f"{field.kind}{' of this form' * field.demands}" for field in job.fields.values()}))
    other = f"--outside {source}: that task has" if source else "no other task has"
    raise UsageError(f"{other} a sample with {kinds}. Name a file with --outside FILE.")


def _from_sample(job: Task, word: str, most: int) -> list[Example]:
    """Values of another task's sample as examples of this task, each field by values of its own kind; [] where one has none."""
    if any(field.demands for field in job.fields.values()):  # no other sample has the places that it asks for
        return []
    other = registry.find(word)()
    kinds = {field.kind for field in job.fields.values()}
    try:
        known = {name: field.kind for name, field in other.fields.items() if field.kind in kinds}
    except AttributeError:  # its fields depend on what it learned
        known = {}
    if set(known.values()) != kinds:
        return []
    sample = other.sample("test")
    values = {kind: [e[n] for e in sample for n, k in known.items() if k == kind and n in e] for kind in kinds}
    # Two fields of one kind take two values that follow each other in the sample.
    turns = {kind: sum(field.kind == kind for field in job.fields.values()) for kind in kinds}
    count = min(most, *(len(values[kind]) // turns[kind] for kind in kinds))
    sources = {kind: iter(values[kind]) for kind in kinds}
    return [{name: next(sources[field.kind]) for name, field in job.fields.items()} for _ in range(count)]


def _in_file(job: Task, path: Path) -> list[Example]:
    if not path.exists():
        raise UsageError(f"--outside {path}: expected a file, or the name of a task. There is none of this name.")
    if path.is_file() and all_media(job, [path]):
        return [{name: str(path) for name in job.fields}]
    if path.is_file() and not is_table(path) and (len(job.fields) > 1 or not next(iter(job.fields.values())).prose):
        raise UsageError(f"--outside {path}: expected a table with {' and '.join(job.fields)}, received another file.")
    return read_corpus(job, path, None)


def sureness(trained: Model, examples: Sequence[Example], answers: Sequence[Answer]) -> NDArray[np.float64] | None:
    """How sure a model is of each of its answers, as its `focus` says: log-odds or log-probabilities, the mean over the parts.

    None where the answers of its task have no such thing: they are amounts, or only likenesses.
    """
    job = trained.task
    values: list[float] = []
    if type(job).focus is Task.focus or job.answer.numeric:
        return None
    for example, answer in zip(examples, answers, strict=True):
        try:
            focus = job.focus(trained.graphs, job.collate([job.inputs(example)]), answer)
        except LamellaError:  # an empty answer has no parts
            values.append(-np.inf)
            continue
        if focus.amounts:
            return None
        values.append(float(np.mean(focus.values[0])))
    return np.array(values)
