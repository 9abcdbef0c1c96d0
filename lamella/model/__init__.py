"""The model folder: read, verify, write, call.

    my-model/
      model.json         what it is, what fit learned, scores, sha256 of every other file and of its own content
      *.onnx             what predict runs
      vocabulary.model   what fit learned as bytes
      card.md            for people
      training/          log, curves, checkpoints; left out when shipped, and not part of what is verified

The same thing may be one `.zip`. Nothing in it is code, and nothing is unpickled. Every file's checksum is verified
before it is used: with single-bit flips most files load silently wrong.
"""

import copy
import os
import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from lamella import registry
from lamella import task as contract
from lamella.errors import ModelError, UsageError
from lamella.graphs import OnnxGraph
from lamella.model import ahead
from lamella.model.learned import restore
from lamella.model.manifest import FORMAT, Manifest, digest, own_digest
from lamella.model.notebook import drawn, framed, scores
from lamella.model.read import read_zip, verify
from lamella.model.undo import read_whole
from lamella.model.values import are_rows, check_example, is_value, several_of
from lamella.model.write import free, seal, write, write_file, write_zip
from lamella.options import current_names
from lamella.storage.disk import read_regular
from lamella.task import Answer, Example, Task, as_asked

__all__ = [
    "FORMAT",
    "Manifest",
    "Model",
    "as_example",
    "digest",
    "free",
    "load",
    "own_digest",
    "run_batches",
    "seal",
    "single_threaded",
    "whole",
    "write",
    "write_file",
    "write_zip",
]

MOST_CURVES = 1 << 20  # bytes of a picture of a training
BATCH_TOKENS = 2048  # tokens of a batch in prediction, padding included


class Model:
    """A trained task: `predict` gives answers.

    Opened with `lamella.load`. All files are read and verified at once; graphs are built when first used.
    """

    before: "Model | None" = None  # the model whose answers are this one's inputs: see `after`
    _ahead: ahead.Ahead | None = None  # what opens the graphs already

    def __init__(self, manifest: Manifest, files: Mapping[str, bytes], task: Task, where: str) -> None:
        self.manifest, self.files, self.task, self.where = manifest, dict(files), task, where
        self.trusted: frozenset[str] = frozenset()  # names of graphs that came with the package
        self.threads = 0  # of each graph; 0: as many as there are cores
        self._building = threading.Lock()
        self._built: list[dict[str, OnnxGraph]] = []  # at most one; shared with copies that have another configuration
        values: dict[str, Any] = {}
        for name, value in manifest.learned.items():
            is_file = isinstance(value, dict) and set(value) == {"file"} and isinstance(value["file"], str)
            if is_file and value["file"] not in self.files:
                raise ModelError(
                    f"{where}/model.json: {name} is in a file that the model has not: {value['file']}. Do not use this model."
                )
            values[name] = self.files[value["file"]] if is_file else value
        try:
            restore(task, values)
        except ValueError as error:
            raise ModelError(
                f"{where}/model.json: not of a {manifest.task} ({error}). Do not use this model."
            ) from error

    def __repr__(self) -> str:
        m = self.manifest
        return f"<Model {m.task}, {m.parameters / 1e6:.1f} M parameters, {m.precision}, {self.where}>"

    def _repr_html_(self) -> str:
        """For a notebook: what it is, the course of its training where its folder holds that, and its scores."""
        from html import escape  # late, as commands never draw a model

        try:
            curves = framed(
                read_regular(Path(self.where, "training", "curves.svg"), MOST_CURVES).decode(errors="replace")
            )
        except (OSError, ValueError):  # a zip, or shipped
            curves = ""
        found = "".join(scores(name, result) for name, result in self.manifest.scores.items())
        return f"<div><p>{escape(repr(self)[1:-1])}</p>{curves}{found}</div>"

    @property
    def graphs(self) -> dict[str, OnnxGraph]:
        """The graphs, run by onnxruntime, built on first use."""
        with self._building:
            if not self._built:
                opened = self._ahead.graphs() if self._ahead else None
                self._built.append(opened or ahead.open_graphs(self.files, self.trusted, self.threads))
        return self._built[0]

    def run(self, examples: Sequence[Example]) -> list[Answer]:
        """The net's answers, in batches of similar length."""
        return run_batches(self.task, self.graphs, self.relayed(examples))

    def relayed(self, examples: Sequence[Example]) -> Sequence[Example]:
        """The net's examples: those given, or, after another model, that model's best answers to them."""
        if self.before is None:
            return examples
        name = next(iter(self.task.fields))
        answers = self.before.run([{name: example[name]} for example in examples])
        best = [answer[0] if isinstance(answer, list) else answer for answer in answers]
        return [{**example, name: answer} for example, answer in zip(examples, best, strict=True)]

    def predict(self, examples: Any) -> Any:
        """An example, or its one field's value, -> its answer; a list of them -> a list of answers.

        A data frame, and of a task that reads series rows by the columns of training, is answered as a table of its own.
        Lists and dicts among them are plain ones that a notebook draws; see `lamella.model.notebook`.
        """
        if not isinstance(examples, list) and hasattr(examples, "columns"):
            from lamella.data.readers.frames import rows_of  # late, as commands know no frames

            return self.predict(rows_of(examples))
        if isinstance(examples, Mapping) and are_rows(self.task, [examples]):  # columns
            from lamella.data.readers.frames import rows_of

            return self.predict(rows_of(examples))
        if not isinstance(examples, list) or is_value(self.task, examples):
            several = several_of(self.task, examples)
            return self._several([examples])[0] if several is None else self.predict(several)
        return self._several(examples)

    def _several(self, examples: list[Any]) -> Any:
        """The answers to a list, each of which is an example or a value: [3] is not one value here, as it is to `predict`."""
        if are_rows(self.task, examples):
            from lamella.model.whole_tables import answer_rows

            return answer_rows(self, examples)
        rows = [as_example(self.task, e) for e in examples]
        return drawn(self.task, rows, self.task.answers(rows, self.run))

    def explain(self, example: Any = None, method: str = "ablation", pairs: bool = False) -> Any:
        """Explain an example's answer, or, without an example, the whole model: `lamella.explain`."""
        from lamella.explain.explain import explain  # the only import of a higher room, and only on use

        return explain(self, example, method=method, pairs=pairs)

    def with_config(self, config: Any) -> "Model":
        """A copy of the model with another configuration."""
        if config is self.task.config:
            return self
        other = copy.copy(self)
        other.task = copy.copy(self.task)
        other.task.config = config
        return other

    def ask(self, name: str = "") -> "Model":
        """A copy of the model that answers one of its questions, by default the first; UsageError for an unknown one."""
        other = copy.copy(self)
        other.task = as_asked(self.task, name)
        return other

    def after(self, first: "Model") -> "Model":
        """This model with another one before its net (pivot translation): each sentence goes through both, as French does to
        German by English.

        Pre- and post-processing, such as restoring placeholders, see the first source and the last answer. What the first
        net can read, and in which language, its task knows: the copy's task has it as its `reader`.
        """
        other = copy.copy(self)
        other.before = first
        other.task = copy.copy(self.task)
        other.task.state = other.task.state.changed(reader=first.task)
        return other

    def again(self, task: str | None = None) -> "Model":
        """The model in its folder now, read again, with this model's configuration."""
        fresh = load(self.where, task)
        fresh.threads = self.threads
        if msgspec.to_builtins(self.task.config) != current_names(type(self.task.config), self.manifest.config):
            fresh = fresh.with_config(self.task.config)
        return fresh.after(self.before) if self.before else fresh

    @property
    def bytes(self) -> int:
        """The size in bytes of all files that ship."""
        return sum(len(raw) for raw in self.files.values())


def single_threaded(models: Sequence[Model]) -> list[Model]:
    """Copies whose graphs are built anew, with one thread each, as a process needs that is forked after they were built.

    Copies of models that share their graphs share them too.
    """
    shared: dict[int, list[dict[str, OnnxGraph]]] = {}

    def copied(model: Model) -> Model:
        other = copy.copy(model)
        other.threads, other._built = 1, shared.setdefault(id(model._built), [])
        other._ahead = None
        other.before = copied(model.before) if model.before else None
        return other

    return [copied(model) for model in models]


def as_example(task: Task, value: Any) -> Example:
    """Turn a value into an example: a dict as it is, a tuple by the fields in order, other values as the only field.

    Raises UsageError where a field is missing or of another kind.
    """
    if type(value) is dict or isinstance(value, Mapping):  # most are dicts, which is seen at once
        return check_example(task, value)
    names = list(task.fields)
    if isinstance(value, tuple) and len(value) == len(names) > 1:
        return check_example(task, dict(zip(names, value, strict=True)))
    if len(names) != 1:
        raise UsageError(f"expected {' and '.join(names)}, as a dict or a tuple, received {type(value).__name__}.")
    return check_example(task, {names[0]: value})


def run_batches(task: Task, graphs: Mapping[str, contract.GraphLike], examples: Sequence[Example]) -> list[Answer]:
    """Examples -> answers in their order, batched by length so that there is little padding."""
    rows = [task.inputs(_whole(example)) for example in examples]
    axes = bool(rows) and any(a.ndim for a in rows[0].values())  # of numbers alone each example is as long
    longest = [max([len(a) for a in row.values() if a.ndim] or [1]) if axes else 1 for row in rows]
    order = sorted(range(len(rows)), key=longest.__getitem__) if len(rows) > 1 else [0] * len(rows)
    answers: list[Answer] = [None] * len(rows)
    first, most = 0, task.training.batch
    while first < len(order):
        last = first + 1
        while last < len(order) and (
            last - first < most if most else (last + 1 - first) * longest[order[last]] <= BATCH_TOKENS
        ):
            last += 1
        batch = order[first:last]
        for i, answer in zip(batch, _decoded(task, graphs, [rows[i] for i in batch]), strict=True):
            answers[i] = answer
        first = last
    return answers


def _decoded(task: Task, graphs: Mapping[str, contract.GraphLike], rows: Sequence[contract.Arrays]) -> list[Answer]:
    """Rows -> their answers. ModelError where the graphs give something else than this task's graphs do."""
    inputs = task.collate(rows)
    try:
        answers = task.decode(graphs, inputs)
        if len(answers) != len(rows):
            raise ValueError(f"{len(answers)} answers to {len(rows)} examples")
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ModelError(
            f"the model's graphs do not fit its task, {registry.name_of(task)} ({type(error).__name__}: {error})."
        ) from error
    return answers


def _whole(example: Example) -> Example:
    """An example whose texts are `whole`; most are, and then it is the example itself."""
    for value in example.values():
        if isinstance(value, str) and not value.isascii() and _LONE.search(value):
            return {name: whole(value) for name, value in example.items()}
    return example


def whole(value: Any) -> Any:
    """A text with U+FFFD in place of unpaired surrogates, which no tokenizer accepts; without any, the text itself."""
    return re.sub("[\ud800-\udfff]", "\ufffd", value) if isinstance(value, str) and _LONE.search(value) else value


_LONE = re.compile("[\ud800-\udfff]")


def load(path: str | os.PathLike[str], task: str | None = None) -> Model:
    """Open a model folder or `.zip`, every byte of it verified.

    A model of a task from outside the package needs `task`, the path of its file: code is never run unasked.
    """
    if not isinstance(path, str | os.PathLike):
        raise UsageError(f"expected a path of a model folder or its .zip, received {type(path).__name__}.")
    where, begun = Path(path), None
    if _is_file(where):
        files = read_zip(where)
        manifest = verify(files, where)
    else:
        begun = ahead.begin(where)
        files, manifest = begun.whole() if begun else read_whole(where)
    cls = _task_of(manifest, where, task)
    try:
        opened = Model(
            manifest,
            files,
            cls(msgspec.convert(current_names(cls.Config, manifest.config), cls.Config), manifest.size),
            str(where),
        )
    except (msgspec.ValidationError, UsageError, OverflowError) as error:
        raise ModelError(
            f"{where / 'model.json'}: its configuration is not one of {manifest.task} ({error})."
        ) from error
    opened.trusted, opened._ahead = ahead.trusted(manifest), begun
    return opened


def _is_file(where: Path) -> bool:
    try:
        return where.is_file()
    except (OSError, ValueError):  # a name that is too long, or with a NUL in it
        return False


def _task_of(manifest: Manifest, where: Path, task: str | None) -> type[Task]:
    """The task of a model; one from outside the package only from the named file, whose digest must match."""
    if not manifest.task.endswith(".py"):
        if task is None and manifest.task.replace("_", "-") not in registry.names():
            raise ModelError(
                f"{where}: of an unknown task {manifest.task!r}. Expected one of {', '.join(registry.names())}. "
                "Install a newer lamella."
            )
        return registry.find(task or manifest.task)
    if task is None:
        raise UsageError(
            f"{where}: its task is {manifest.task}, from outside lamella. Run it with --task FILE.py if you trust it."
        )
    if not Path(task).is_file():
        raise UsageError(f"{task}: no such file. Expected the file of the task that this model was trained with.")
    if digest(Path(task).read_bytes()) != manifest.task_digest:
        raise ModelError(f"{task}: not the file this model was trained with (sha256 {manifest.task_digest[:12]}...).")
    return registry.find(task)
