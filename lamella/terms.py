"""The words in which a task and the verbs speak: arrays, sizes, how a net is trained, questions, scores, explanations.

Tasks import them from `lamella.task`, beside the class that they fill in.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from lamella.fields import Field

Array = NDArray[Any]
Arrays = dict[str, Array]
Example = dict[str, Any]
Answer = Any  # a JSON-able value
Choice = Mapping[str, str] | None  # field -> the column of a table that holds it


class Size(msgspec.Struct, frozen=True):
    """What `--size` moves together. Width, depth and heads mean the same in all families of nets."""

    width: int
    depth: int
    heads: int
    rate: float  # AdamW's peak learning rate
    tokens: int  # of a batch, both padded sides counted once


SIZES = {
    "tiny": Size(width=96, depth=2, heads=2, rate=3e-3, tokens=1024),
    "small": Size(width=192, depth=3, heads=4, rate=2e-3, tokens=2048),
    "base": Size(width=256, depth=6, heads=4, rate=1e-3, tokens=3072),
}

Spec = tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]  # a graph's inputs (type, axes) and output names


class Phase(msgspec.Struct, frozen=True):
    """A part of a training in which some of the weights move, by a loss of their own: first codes, then a prior over them.

    While it lasts the task's `state` and the net have its name as `phase`, by which `loss` and `forward` know it.
    """

    name: str
    share: float = 1.0  # of the budget, beside the shares of the other phases
    trains: tuple[str, ...] = ()  # how the names of the weights begin that move; (): all


EXPLAINED = (
    "explained"  # the phase in which `loss` is that of an answer, where what is trained is a part of what answers
)


class Training(msgspec.Struct, frozen=True, kw_only=True):
    """How a task's net is trained best, where that is not as most nets are; the rest is the user's choice."""

    nets: tuple[str, ...] = ()  # families of net that `build` can give
    noun: str = "examples"  # what its examples are called: windows, pictures, passages
    fewest: int = 12  # of them that can be trained on, those held out among them
    batch: int | None = None  # examples of a batch, where all are of one size; None: by --size's tokens
    rate: float = 1.0  # times the learning rate of --size
    decay: float = 0.01  # weight decay
    muon: bool = True  # for matrices; it costs by the weight, too much where batches are small
    precise: bool = False  # in float32 where bfloat16 is faster too: numbers in, numbers out
    passes: int | None = None  # the most over the examples that a budget of time makes; None: as many as it can
    less_is_better: bool = False  # of the task's metric
    keep_best: bool = False  # ship the weights that were best on what was watched, not the last ones
    generative: bool = False  # it learns what its examples are like, so that noise in them would be learned too
    short_first: int = 0  # epochs at the beginning in which batches of short examples come before those of long ones
    terms: str = ""  # what the loss is the mean over, see `lamella.train.shares`: "rows", or an array of which what is not 0 counts
    phases: tuple[Phase, ...] = ()  # one after another; (): one, in which all weights move
    measured: Mapping[str, Any] = {}  # Config fields while it is scored: what no score asks for is not made
    quick: Mapping[str, Any] = {}  # those that make answers worse and fast besides, for watching a training
    # In what it knows besides an example, such as that some of it is missing: (task, strength from 0 to 1, seed) -> the task with it.
    noises: Mapping[str, Callable[[Any, float, int], Any]] = {}
    # Functions, of the task first where they need it.
    # parts(paths, columns): files of lines in `Part`s that `read` takes one by one. hold_out(task, examples, wanted, seed): the
    # places of those to hold out; else any, by a hash of `keys`. weights(task, examples): how often each is drawn an epoch, (N,).
    # previews(examples): files that show how they were understood, by name. findings(task, graphs, learn, held): what was found
    # out about a trained net besides its scores, in lines for its card.
    parts: Callable[[Sequence[str], Choice], Any] | None = None
    hold_out: Callable[[Any, Sequence[Example], int, int], list[int] | None] | None = None
    weights: Callable[[Any, Sequence[Example]], Array | None] | None = None
    previews: Callable[[Sequence[Example]], dict[str, bytes]] | None = None
    findings: Callable[[Any, Mapping[str, "GraphLike"], Sequence[Example], Sequence[Example]], list[str]] | None = None


V = TypeVar("V")


class as_learned(Generic[V]):
    """Fields, or a training, that depend on what a task has learned, or on its options: a method; the class answers `before`.

    >>> class Job:
    ...     @as_learned({"value": Field("a number, or a row")})
    ...     def fields(self):
    ...         return {"value": Field("a row of 3 columns")}
    >>> Job.fields["value"].description, Job().fields["value"].description
    ('a number, or a row', 'a row of 3 columns')
    """

    def __init__(self, before: V) -> None:
        self.before = before

    def __call__(self, after: Callable[[Any], Any]) -> Any:  # Any: a subclass may have a plain value
        self.after = after
        return self

    def __get__(self, task: Any, cls: type | None = None) -> V:
        return self.before if task is None else self.after(task)


class GraphLike(Protocol):
    """A named function from arrays to arrays, whichever engine runs it."""

    def __call__(self, **inputs: Array) -> Arrays: ...

    def empty(self, **sizes: int) -> Arrays: ...


Run = Callable[[Sequence[Example]], list[Answer]]  # the net's own answers, as `decode` gives them


class Question(msgspec.Struct, frozen=True):
    """One thing that a trained model can be asked: what is given, what comes back. The net is the same for all of them.

    corpus: the name of the question whose answers, vectors, an index is made of, where answers are looked up in one.
    """

    fields: Mapping[str, Field]
    answer: Field
    description: str = ""
    corpus: str = ""


class IndexLike(Protocol):
    """Things to search in, each with a vector."""

    def search(self, vectors: Array, count: int, holding: str = "") -> list[list[tuple[Example, float]]]:
        """The nearest entries of each vector (N, D), nearest first, with their cosines; of those that hold a field."""


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a task's answers besides a value each: whole documents, files, pieces, notes. Functions, of the task first.

    suffixes: of files that `document` opens as a whole. document(task, path, run, columns) gives the same file with the answers
    in their places, and counts; None for a table whose rows are examples. write(task, suffix, examples, answers) gives a file of
    the kind that `suffix` names, such as a picture or another program's format; None where it is none that the task writes: the
    answers are text or a table then. grow(task, graphs, inputs), with a batch of one, gives after each step a function that gives
    the answer so far, at the end the one of `decode`; only a task with one is shown while it works. note(task, example)
    says what must be known of an answer, such as that of a long text a part alone is read; "": nothing.
    """

    suffixes: tuple[str, ...] = ()
    document: Callable[[Any, Path, Run, Choice], tuple[bytes, dict[str, int]] | None] | None = None
    write: Callable[[Any, str, Sequence[Example], Sequence[Answer]], bytes | None] | None = None
    grow: Callable[[Any, Mapping[str, GraphLike], Arrays], Iterator[Callable[[], Answer]]] | None = None
    note: Callable[[Any, Example], str] | None = None

    def written(self, task: Any, suffix: str, examples: Sequence[Example], answers: Sequence[Answer]) -> bytes | None:
        """What `write` gives, where there is one."""
        return self.write(task, suffix, examples, answers) if self.write else None

    def noted(self, task: Any, example: Example) -> str:
        """What `note` says, where there is one."""
        return self.note(task, example) if self.note else ""


class State(msgspec.Struct, frozen=True):
    """What verbs tell a task while they work with it. Frozen: a copy of a task keeps its own, whatever the other one is told."""

    asked: str = ""  # the name of the question, where there are several
    index: IndexLike | None = None  # what is searched, where the question needs that
    reader: Any = None  # the task of the model before, which reads what is given; see `Model.after`
    columns: Mapping[str, Mapping[str, Any]] = {}  # field -> the column that training read it from
    phase: str = ""  # of a training that has several; EXPLAINED where an answer's loss is asked for
    progress: float = 0.0  # how much of a training is done, 0 to 1, for `augment`

    def changed(self, **fields: Any) -> "State":
        """The same with some fields otherwise."""
        return msgspec.structs.replace(self, **fields)


class Focus(msgspec.Struct):
    """What an explanation attributes to the units of an example.

    values: for each row of a batch a number (B,), or one for each part of the answer (B, P), which add up to it.
    """

    name: str  # in words, with its unit where it has one
    values: Array
    parts: Sequence[str] = ()
    amounts: bool = False  # the values are amounts, which a unit moves up or down, not how sure the net is
    # What an explanation of this kind of answer shows besides, of a batch of one: JSON-able, with a "kind".
    details: Callable[[], dict[str, Any]] | None = None


class Scores(msgspec.Struct):
    """What `score` gives: every measure as a function of a resample of the examples, from which intervals are made.

    `measure(weights)` computes all measures where example i counts `weights[i]` times, (N,): with ones it gives their
    values, with the counts of a bootstrap resample one draw of each. A measure need not be a sum over examples: a rank
    correlation and a mean average precision are none. For those that are functions of sums there is `from_sums`.
    """

    count: int  # examples, N
    measure: Callable[[Array], dict[str, float]]
    notes: dict[str, str] = {}  # e.g. a reference library's signature

    @property
    def values(self) -> dict[str, float]:
        """Each measure on all examples."""
        return self.measure(np.ones(self.count))

    @classmethod
    def from_sums(
        cls, parts: Array, measures: Mapping[str, Callable[[Array], float]], notes: Mapping[str, str] | None = None
    ) -> "Scores":
        """Scores whose measures are functions of sums over the examples.

        parts (N, M): the sufficient statistics of each example; measures: functions of their weighted sum (M,).

        >>> Scores.from_sums(np.array([[1.0], [3.0]]), {"total": lambda sums: float(sums[0])}).values
        {'total': 4.0}
        """

        def measure(weights: Array) -> dict[str, float]:
            sums = weights @ parts
            return {name: of_sums(sums) for name, of_sums in measures.items()}

        return cls(len(parts), measure, dict(notes or {}))
