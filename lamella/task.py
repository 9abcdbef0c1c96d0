"""The contract: what a task is.

A task is one file. It says what goes in and what comes out, which files teach it, how they become arrays, which net
maps the one to the other and how the answer is scored. Everything else - training, evaluating, compressing, exporting -
is a verb, written once, and knows tasks by this contract only.

    file -> read -> dict -> inputs / targets -> batch -> net -> loss -> step          while it trains
    model folder + dict -> inputs -> graphs -> decode -> answer -> print or score      ever after
"""

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import numpy as np

from lamella.errors import UsageError
from lamella.fields import Field
from lamella.terms import (
    EXPLAINED,
    SIZES,
    Answer,
    Array,
    Arrays,
    Choice,
    Example,
    Focus,
    GraphLike,
    IndexLike,
    Output,
    Phase,
    Question,
    Run,
    Scores,
    Size,
    Spec,
    State,
    Training,
    as_learned,
)
from lamella.transfer import Encoder, Imported, Transfer, vectors

if TYPE_CHECKING:  # the light install has no torch
    from torch import Generator, Tensor, nn


__all__ = [
    "EXPLAINED",
    "SIZES",
    "Answer",
    "Array",
    "Arrays",
    "Choice",
    "Encoder",
    "Example",
    "Focus",
    "GraphLike",
    "Imported",
    "IndexLike",
    "Output",
    "Phase",
    "Question",
    "Run",
    "Scores",
    "Size",
    "Spec",
    "State",
    "Task",
    "Training",
    "Transfer",
    "as_asked",
    "as_learned",
    "as_measured",
    "vectors",
]


class Task:
    """Base class of all tasks. A subclass fills in what is marked, and keeps what it learned in names ending in `_`.

    The learned names are declared in the class with their types (`labels_: list[str]`), and hold JSON-able values, or
    bytes, which become a file of their own in the model folder. A model from elsewhere can set no other name.
    """

    Config: ClassVar[type[msgspec.Struct]]
    fields: ClassVar[Mapping[str, Field]]  # what one example holds; `as_learned` where that depends on training
    answer: ClassVar[Field]  # what one prediction is
    # What it can be asked, the one that is scored first; {}: one thing.
    questions: ClassVar[Mapping[str, Question]] = {}
    target: ClassVar[str] = ""  # the example's key of the wanted answer
    metric: ClassVar[str]  # the headline figure
    output: ClassVar[Output] = Output()  # what becomes of answers besides a value each
    transfer: ClassVar[Transfer[Any]] = Transfer()  # what it begins from with `--init`, and what `import` reads
    # Which nets it has and how they are trained best; `as_learned` where that depends on what was learned, or on options.
    training: ClassVar[Training] = Training()
    state: State = State()  # what verbs tell it while they work with it

    def __init__(self, config: Any = None, size: str = "small") -> None:
        self.config: Any = type(self).Config() if config is None else config
        if size not in SIZES:
            raise UsageError(f"unknown size {size!r}. Expected one of {', '.join(SIZES)}.")
        self.size_name = size

    @property
    def size(self) -> Size:
        return SIZES[self.size_name]

    @property
    def optional(self) -> Mapping[str, Field]:
        """What an example may hold beside its fields; it may hang on what was learned."""
        return {}

    # ---- to fill in -------------------------------------------------------------------------------------------

    def read(self, paths: Sequence[str], columns: Choice = None) -> tuple[list[Example], list[str]]:
        """The user's files -> examples, and the lines that say what was understood, kept and dropped."""
        raise NotImplementedError

    def sample(self, split: str) -> list[Example]:
        """A small, seeded, offline set: "train" or "test"."""
        raise NotImplementedError

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn from the training examples what must be known before training: vocabulary_, labels_, mean_."""

    def inputs(self, example: Example) -> Arrays:
        """What the net is given; it never sees the answer. The first axis of each array may vary in length."""
        raise NotImplementedError

    def targets(self, example: Example) -> Arrays:
        """What the net should give, for the loss."""
        raise NotImplementedError

    def prompt(self, example: Example) -> Arrays:
        """What the net is given in training besides: the shifted answer, where it is made piece by piece."""
        return {}

    def augment(self, batch: "dict[str, Tensor]", rng: "Generator") -> "dict[str, Tensor]":
        """A batch changed at random, in training only: inputs and targets together, such as pictures and their boxes.

        rng: the one generator to draw from, on the CPU; it is seeded anew for each step, so a resumed training draws the same.
        """
        return batch

    def build(self) -> "nn.Module":
        """The net, untrained. Its `graphs()` names the methods to export and their axes."""
        raise NotImplementedError

    def loss(self, outputs: "dict[str, Tensor]", targets: "dict[str, Tensor]") -> "Tensor":
        """The net's outputs and the targets -> one number to make small."""
        raise NotImplementedError

    def decode(self, graphs: Mapping[str, GraphLike], inputs: Arrays) -> list[Answer]:
        """A batch of inputs -> answers, over torch while it trains and over onnxruntime afterwards."""
        raise NotImplementedError

    def score(self, answers: Sequence[Answer], examples: Sequence[Example]) -> Scores:
        """Answers beside what was wanted -> measures; the one named by `metric` among them."""
        raise NotImplementedError

    # ---- with a default ----------------------------------------------------------------------------------------

    def trivial(self, learn: Sequence[Example], examples: Sequence[Example]) -> list[Answer] | None:
        """Answers that need no net, such as the most frequent class, the mean or the last value: what training must beat.

        None where the answers to other questions are as good as any such: each then is given to the next question.
        """
        return None

    def keys(self, example: Example) -> list[str]:
        """Examples that share one of these never stand on both sides of a split."""
        return ["\0".join(str(example[name]) for name in self.fields)]

    def collate(self, rows: Sequence[Arrays]) -> Arrays:
        """Examples' arrays -> one batch, shorter ones padded at the end with zeros.

        Ids that are kept in 4 bytes are handed over in 8, which is what graphs take.

        >>> Task.collate(Task, [{"x": np.array([1, 2])}, {"x": np.array([3])}])["x"].tolist()
        [[1, 2], [3, 0]]
        """
        batch: Arrays = {}
        for name in rows[0]:
            arrays = [row[name] for row in rows]
            shapes = {a.shape for a in arrays}
            if len(shapes) == 1:
                [shape] = shapes  # joined and cut anew, in half the time of `np.stack`, where the arrays are small
                out = np.concatenate(arrays).reshape(len(arrays), *shape) if shape else np.array(arrays)
            else:
                out = np.zeros((len(arrays), max(map(len, arrays)), *arrays[0].shape[1:]), arrays[0].dtype)
                for row, a in zip(out, arrays, strict=True):
                    row[: len(a)] = a
            batch[name] = out.astype(np.int64) if out.dtype == np.int32 else out
        return batch

    def answers(self, examples: Sequence[Example], run: Run) -> list[Answer]:
        """Examples -> answers, where `run` gives the net's answer to each; a task may split, check and try again."""
        return run(examples)

    def given(self, example: Example) -> Example:
        """An example of the user's files as it is given one by one: its fields, without the answer."""
        return {name: example[name] for name in self.fields if name in example}

    def calibrate(self, examples: Sequence[Example], run: Run) -> None:
        """Learn, after training and from examples kept aside, how far the net's answers are to be trusted."""

    def excerpt(self, example: Example) -> tuple[Example, str]:
        """What of an example is explained, where the whole is too long, and a line that says so."""
        return example, ""

    def focus(self, graphs: Mapping[str, GraphLike], inputs: Arrays, answer: Answer) -> Focus:
        """How strongly the net is for `answer`, given each row of `inputs`: what `explain` attributes to an example's units.

        Best a number that goes on growing where the net is sure already, such as log-odds. By default the answer itself
        where it is a number, the mean where it is a series, else how alike the answers are: 1 where they are the same.
        """
        return _likeness(answer, self.decode(graphs, inputs))

    def render(self, answer: Answer) -> str:
        """An answer as a line for people."""
        return answer if isinstance(answer, str) else msgspec.json.encode(answer).decode()


def as_asked(task: Task, name: str = "") -> Task:
    """The task as it answers one of its questions, by default the first: `fields` and `answer` are the question's."""
    if not name and not task.state.asked:
        name = next(iter(task.questions), "")
    if not name or name == task.state.asked:
        return task
    if name not in task.questions:
        expected = f"expected one of {', '.join(task.questions)}" if task.questions else "it answers one question only"
        raise UsageError(f"--ask {name[:60]}: {expected}.")
    other = copy.copy(task)
    other.state, question = task.state.changed(asked=name), task.questions[name]
    vars(other).update(fields=question.fields, answer=question.answer)
    return other


def as_measured(task: Task, quick: bool = False) -> Task:
    """The task as it answers while it is scored; `quick`: while it trains, when less will do. See `Training.measured`."""
    other = copy.copy(task)
    options = {**task.training.measured, **(task.training.quick if quick else {})}
    other.config = msgspec.structs.replace(task.config, **options)
    return other


def _likeness(answer: Answer, others: Sequence[Answer]) -> Focus:
    """What can be said of any answer in one number, and that number of each of the others.

    >>> _likeness([1.0, 3.0], [[1.0, 3.0], [5.0, 5.0]])
    Focus(name='mean of the answer', values=array([2., 5.]), parts=(), amounts=True, details=None)
    >>> _likeness("abcd", ["abcd", "ab"]).values.tolist()
    [1.0, 0.6666666666666666]
    """
    if isinstance(answer, int | float):
        return Focus("the answer", np.array(others, np.float64), amounts=True)
    if isinstance(answer, list) and answer and all(isinstance(x, int | float) for x in answer):
        return Focus("mean of the answer", np.array([np.mean(other) for other in others]), amounts=True)
    from difflib import SequenceMatcher  # late: it is for explanations alone

    texts = [a if isinstance(a, str) else msgspec.json.encode(a).decode() for a in (answer, *others)]
    ratios = [SequenceMatcher(None, texts[0], text, False).ratio() for text in texts[1:]]
    return Focus("likeness to the answer", np.array(ratios))
