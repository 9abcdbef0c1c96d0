"""Whether a task keeps the contract: the checks that every task of lamella passes, for one that lives outside too.

    lamella.check_task("./weather.py")            trains a tiny model on the task's own sample, and tries every verb on it

Each check is a function of a task that was trained, named in CHECKS; the project's own tests run them one by one.
"""

import base64
import io
import json
import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from lamella import model as folder
from lamella import registry
from lamella.errors import DataError, LamellaError, UsageError
from lamella.explain.explain import explain
from lamella.fields import Field
from lamella.model import Model
from lamella.model.answering import predict_file
from lamella.options import all_options
from lamella.task import Answer, Example, Task
from lamella.verbs.compress import compress
from lamella.verbs.evaluate import evaluate
from lamella.verbs.export import export
from lamella.verbs.train import train

STEPS = 45  # of the training: enough to beat the trivial answer, few enough to wait for
EXAMPLES, HELD_OUT = 200, 30  # that a sample must have, and of them for testing
OPTIONS = 16  # at most of a Config that are settled by training, and at most that may change when a model answers
GAIN = 0.1  # of the trivial score, by which a net must be better
ODD = ("", " ", "🎉", "\udce9", "é" * 3000, "<b>%s</b>", "\0", "line\nline", "١٢٣")  # texts that break careless code


class CheckFailed(LamellaError, AssertionError):
    """A task does not keep the contract."""


@dataclass(frozen=True)
class Trained:
    """A task with a model of it."""

    word: str  # its name, or its file
    model: Model

    @property
    def task(self) -> Task:
        return self.model.task

    def questions(self, count: int) -> list[Example]:
        """Test examples without what is wanted."""
        return [{name: e[name] for name in self.task.fields} for e in self.task.sample("test")[:count]]


class _Limits:
    """As large as a request may be."""

    characters = values = 1_000_000


def check_task(task: str, steps: int = STEPS, tell: Callable[[str], None] = print) -> None:
    """Check a task, by its name or its file: train it for so many steps on its sample, and try every verb on the model.

    `tell` gets a line for each check. Raises CheckFailed, which names each check that failed and why, and what `train`
    raises. A test of your own: `def test_weather(): lamella.check_task("weather.py")`.
    """
    problems = []
    with tempfile.TemporaryDirectory() as place:
        out = str(Path(place, "model"))
        trained = Trained(task, train(task, "sample", out=out, size="tiny", steps=steps, tell=lambda line: None))
        for check in CHECKS:
            name = check.__name__.removeprefix("check_").replace("_", " ")
            try:
                check(trained)
                tell(f"passed: {name}")
            except Exception as error:  # whatever a task's own code raises is a finding
                problems.append(f"{name}: {error}" if isinstance(error, LamellaError) else f"{name}: {error!r}")
                tell(f"failed: {problems[-1]}")
    if problems:
        raise CheckFailed(f"{task}: {len(problems)} of {len(CHECKS)} checks failed; {problems[0]}", problems)


def _expect(fine: bool, expected: str, received: object) -> None:
    if not fine:
        raise CheckFailed(f"expected {expected}, received {str(received)[:300]}")


# ---- what it says of itself ----------------------------------------------------------------------------------------


def check_declarations(trained: Trained) -> None:
    """A summary, kinds of value, a metric, and options that explain themselves."""
    cls = registry.find(trained.word)
    summary = registry.summary(cls)
    _expect(summary.endswith("."), "a first line of the file's docstring that ends with a full stop", repr(summary))
    for name, field in {**cls.fields, "answer": cls.answer}.items():
        _expect(isinstance(field, Field), f"a lamella.fields kind for {name}", repr(field))
        _expect(bool(field.description), f"a description of {name}", repr(field))
    _expect(bool(cls.training.nets), "the families of net that build can give, in `training`", cls.training)
    options = all_options(cls.Config)
    _expect(bool(options), "an option in Config", 0)
    for kind in (True, False):
        count = sum(option.answering is kind for option in options)
        when = "that may change when it answers" if kind else "that training settles"
        _expect(count <= OPTIONS, f"at most {OPTIONS} options in Config {when}", count)
    for option in options:
        _expect(
            option.description.endswith("."), f"a description of --{option.flag} that ends with a full stop", option
        )
    _expect(msgspec.convert({}, cls.Config) == cls.Config(), "a default for every option", cls.Config)


def check_sample(trained: Trained) -> None:
    """Enough examples, the same at every call, JSON-able, and none on both sides."""
    job = trained.task
    learn, held = job.sample("train"), job.sample("test")
    _expect(len(learn) + len(held) >= EXAMPLES, f"a sample of {EXAMPLES} examples", len(learn) + len(held))
    _expect(len(held) >= HELD_OUT, f"{HELD_OUT} test examples", len(held))
    _expect(job.sample("train") == learn, "the same sample at every call", "another one")
    missing = {*job.fields, job.target} - set(learn[0])
    _expect(not missing, f"examples with {', '.join((*job.fields, job.target))}", f"none for {sorted(missing)}")
    json.dumps(learn[0])
    keys = {key for example in learn for key in job.keys(example)}
    shared = [e for e in held if keys.intersection(job.keys(e))]
    _expect(not shared, "no test example that shares a key with a training example", shared[:1])


def check_inputs(trained: Trained) -> None:
    """The net never sees the answer."""
    example = trained.task.sample("test")[0]
    [question] = trained.questions(1)
    without = trained.task.inputs(question)
    for name, array in trained.task.inputs(example).items():
        _expect(np.array_equal(array, without[name]), f"{name} that does not depend on the answer", "one that does")


# ---- what it answers -----------------------------------------------------------------------------------------------


def headline(trained: Trained, answers: list[Answer], examples: list[Example]) -> float:
    """The task's own metric."""
    return trained.task.score(answers, examples).values[trained.task.metric]


def check_gain(trained: Trained) -> None:
    """A short training beats answers that ignore the question."""
    job, examples = trained.task, trained.task.sample("test")
    answers = trained.model.predict([{name: e[name] for name in job.fields} for e in examples])
    own = headline(trained, answers, examples)
    trivial = job.trivial(job.sample("train"), examples)
    other = headline(
        trained, trivial or [*answers[1:], answers[0]], examples
    )  # else each the answer to another question
    gain = other - own if job.training.less_is_better else own - other
    _expect(gain > GAIN * abs(other), f"a {job.metric} better than the trivial {other:.4g} by {GAIN:.0%}", f"{own:.4g}")


def check_answers(trained: Trained) -> None:
    """Answers are JSON-able, one line for people, and the same alone and among others."""
    questions = trained.questions(9)
    answers = trained.model.predict(questions)
    _expect(len({json.dumps(a) for a in answers}) > 1, "different answers to nine questions", answers[0])
    for question, answer in zip(questions, answers, strict=True):
        line = trained.task.render(answer)
        _expect(isinstance(line, str) and "\n" not in line, "one line from render", repr(line))
        alone = trained.model.predict(question)
        _expect(alike(alone, answer), f"the same answer alone as among others, {answer}", alone)
    _expect(trained.model.predict([]) == [], "no answers to no examples", "some")


def check_odd_questions(trained: Trained) -> None:
    """To any text an answer, or one line that says why there is none."""
    count = len(trained.task.fields)
    for text in ODD:
        try:
            line = trained.task.render(trained.model.predict(text if count == 1 else (text,) * count))
            _expect(isinstance(line, str), f"a line for the answer to {text!r}", repr(line))
        except (DataError, UsageError) as error:
            first = next(iter(trained.task.fields.values()))
            taken = not first.prose or first.demands or not text.strip()  # nothing can be said of an empty text
            _expect(taken, f"an answer to {text!r}, as to any text", error)


def check_requests(trained: Trained) -> None:
    """Every kind takes its own examples as a request sends them, and says what they are."""
    limits = _Limits()
    for name, field in trained.task.fields.items():
        _expect(field.facts()["control"] != "", f"a form element for {name}", field.facts())
        for example in trained.questions(5):
            field.receive(name, json.loads(json.dumps(example[name])), limits)
        json.dumps(field.schema(limits))


def alike(one: Any, other: Any) -> bool:
    """Whether two answers are the same but for the last digit of a number and the last step of a point of a picture.

    An engine may add in another order where a batch has another size.

    >>> alike({"a": [1.0, "x"]}, {"a": [1.00001, "x"]}), alike([1.0], [1.1]), alike("x", "y")
    (True, False, False)
    """
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-3, abs_tol=2e-4)
    if isinstance(one, str) and isinstance(other, str) and one.startswith("data:image/png;base64,"):
        pictures = [_points(uri) for uri in (one, other)]
        return pictures[0].shape == pictures[1].shape and int(np.abs(pictures[0] - pictures[1]).max()) <= 1
    return bool(one == other)


def _points(uri: str) -> "np.ndarray[Any, Any]":
    """The points of a PNG as whole numbers, in its own size."""
    from PIL import Image  # an answer that is a picture was made by it

    raw = base64.b64decode(uri.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(raw)), np.int64)


# ---- what verbs do with it -----------------------------------------------------------------------------------------


def check_scores(trained: Trained) -> None:
    """What is measured is what was shipped, with an interval around each value."""
    result = evaluate(trained.model, "sample")
    shipped = trained.model.manifest.scores["held out"]["scores"]
    _expect(trained.task.metric in result["scores"], f"a score named {trained.task.metric}", list(result["scores"]))
    for name, score in result["scores"].items():
        _expect(score["low"] <= score["value"] <= score["high"], f"an interval around {name}", score)
        same = math.isclose(score["value"], shipped[name]["value"], rel_tol=1e-6, abs_tol=1e-12)
        _expect(same, f"{name} as it was when the model was shipped, {shipped[name]['value']}", score["value"])


def check_table(trained: Trained) -> None:
    """A table of examples comes back with the answers as new columns."""
    questions = trained.questions(12)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "rows.jsonl")
        path.write_text("".join(json.dumps(q) + "\n" for q in questions), encoding="utf-8")
        raw, _, counts = predict_file(trained.model, path, tell=lambda line: None)
    rows = [json.loads(line) for line in raw.decode().splitlines()]
    _expect(counts.get("answered") == len(rows) == len(questions), "an answer for each of 12 rows", counts)
    for row, question in zip(rows, questions, strict=True):
        _expect({name: row[name] for name in question} == question, "the row's own columns as they were", row)
        _expect(len(row) > len(question), "new columns with the answer", list(row))


def check_explanation(trained: Trained) -> None:
    """An answer is explained by parts of its example, and the explanation says how faithful it is."""
    [question] = trained.questions(1)
    data = explain(trained.model, question).data
    _expect(
        set(data["fields"]) == set(trained.task.fields), f"parts of {', '.join(trained.task.fields)}", data["fields"]
    )
    parts = [part for field in data["fields"].values() for part in field["units"]]
    _expect(1 < len(parts) <= 64, "2 to 64 parts", len(parts))
    _expect(any(part["weight"] for part in parts), "a part that matters", parts[:3])
    _expect(bool(data["faithfulness"]["sentence"]), "how faithful it is, in a sentence", data["faithfulness"])


def check_compression(trained: Trained) -> None:
    """The graphs become smaller, and the metric stays within the tolerance."""
    with tempfile.TemporaryDirectory() as place:
        out = Path(place, "small")
        compress(trained.model, str(out), "sample", tolerance=0.05, task=_outside(trained), tell=lambda line: None)
        small = folder.load(out, _outside(trained))
    sizes = [sum(len(raw) for name, raw in m.files.items() if name.endswith(".onnx")) for m in (small, trained.model)]
    _expect(small.manifest.precision == "int8", "int8 weights", small.manifest.precision)
    _expect(sizes[0] < 0.75 * sizes[1], f"graphs below three quarters of {sizes[1]:,} bytes", f"{sizes[0]:,}")


def check_export(trained: Trained) -> None:
    """One file that answers as the folder does."""
    questions = trained.questions(5)
    with tempfile.TemporaryDirectory() as place:
        packed = folder.load(export(trained.model, str(Path(place, "model.zip"))), _outside(trained))
        _expect(packed.manifest == trained.model.manifest, "the same model.json", "another one")
        same = packed.predict(questions) == trained.model.predict(questions)
        _expect(same, "the same answers from the zip", "others")


def _outside(trained: Trained) -> str | None:
    """What says that the file of a task from outside the package is trusted."""
    return trained.word if trained.word.endswith(".py") else None


CHECKS: tuple[Callable[[Trained], None], ...] = (
    check_declarations,
    check_sample,
    check_inputs,
    check_gain,
    check_answers,
    check_odd_questions,
    check_requests,
    check_scores,
    check_table,
    check_explanation,
    check_compression,
    check_export,
)
