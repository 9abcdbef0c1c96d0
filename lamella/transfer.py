"""How a task begins from other models, and other tasks from its models: the part of the contract that `--init` and `import` use.

A task that can do more than go on with a model of its own declares a subclass: `transfer = FromPictures()`. Its methods take
the task that begins, which then knows what it needs as after `fit`, and return weights by the names of its net.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
import numpy as np

from lamella.errors import UsageError
from lamella.terms import Arrays, Example, State

if TYPE_CHECKING:
    from torch import nn

T = TypeVar("T")  # the task that it is a part of


class Encoder(msgspec.Struct, frozen=True):
    """The part of a net that reads text, for nets of other tasks to begin from.

    weights: `table` (V, D), those of pre-norm blocks as `blocks.0.norm_attention.weight` and so on (nets/transformer/blocks.py),
    and of the norm at their end as `norm.weight` and `norm.bias`. Texts keep their case.
    """

    vocabulary: bytes
    width: int
    depth: int
    heads: int
    inner: int  # width of the feed-forward layers
    weights: Arrays


class Imported(msgspec.Struct):
    """A net that another program has trained, or another model, in the terms of a task."""

    config: dict[str, Any]  # fields of the task's Config
    learned: dict[str, Any]  # what the task has learned, by names that end in _
    weights: dict[str, Any]  # arrays by the names of the net that the task's `build` then gives
    notes: list[str]  # what it is and where it is from, for people


class Transfer(Generic[T]):
    """Where nothing else is said: a task goes on with all of a model of its own."""

    begun: Mapping[str, Any] = {}  # Config fields where it begins from another task's net and nobody says otherwise
    few: int = 0  # labelled examples up to which it begins from a model that ships; 0: never by itself
    usual: str = "encoder"  # the name of that model
    forgets: frozenset[str] = frozenset()  # of what a model of its own learned, what is not gone on with
    importable: str = ""  # what `imported` reads, in words

    def imported(self, source: Path, options: Mapping[str, Any]) -> Imported | None:
        """A net that another program has trained, read from its files; None where they are nothing of this task's kind.

        options: fields of Config that the user gives. ModelError for what is damaged, incomplete or not supported.
        """
        return None

    def adopt(self, task: T, other: Any, weights: Arrays) -> Arrays:
        """Begin where another model's task ended: take over what it learned, in the place of `fit`, and its weights.

        weights: the other net's, by name; returns those that the net of `build` then begins with, by its own names. By
        default all of a model of the same task, and of others what they give as an `encoder`. UsageError where nothing fits.
        """
        if type(other).__qualname__ != type(task).__qualname__ or type(other).__module__ != type(task).__module__:
            encoder = other.transfer.encoder(other, weights)
            if encoder is None:
                raise UsageError(f"{_word(task)} cannot begin from a model of {_word(other)}.")
            return self.begin(task, encoder)
        learned = {k: v for k, v in vars(other).items() if k.endswith("_") and not k.startswith("_")}
        vars(task).update({k: v for k, v in learned.items() if k not in self.forgets})
        if columns := other.state.columns:
            vars(task)["state"] = vars(task).get("state", State()).changed(columns=columns)
        return weights

    def renew(self, task: T, examples: Sequence[Example]) -> None:
        """Learn anew what belongs to a text and not to a net, where the task began from a model of its own; nothing by default."""

    def begin(self, task: T, encoder: Encoder) -> Arrays:
        """Begin with what another task's net knows of a language: keep its vocabulary, which `fit` then does not learn.

        UsageError where it cannot, as by default.
        """
        raise UsageError(f"{_word(task)} cannot begin from an encoder of text.")

    def settle(self, task: T, net: "nn.Module", examples: Sequence[Example]) -> float:
        """Set what is new in a net of `build` by what its weights that were taken say of the examples, before training.

        Returns by which factor on the learning rate all of it moves then; 1: each weight as it would without. Nothing by default.
        """
        return 1.0

    def encoder(self, task: T, weights: Arrays) -> Encoder | None:
        """What of this task's net reads text, for nets of other tasks to begin from; None: nothing of it."""
        return None

    def headless(self, task: T) -> bool:
        """Whether it learned without answers, so that its net is begun from as another task's is, and not gone on with."""
        return False

    def replay(self, task: T) -> list[Example]:
        """Examples of what a model of this configuration was made for, to train on beside new ones; []: none."""
        return []

    def reach(self, task: T, count: int) -> float:
        """Of the way to the new weights, the share that ships at most, after training on so many new examples beside `replay`.

        Less than 1 where `replay` is only a part of what must not be forgotten, so that measuring on it shows too little.
        """
        return 1.0


def vectors(table: Any, width: int, size: float = 0.1) -> Any:
    """A table of pieces (V, D) for a bag of words of another width: (V, width), without the mean that all rows share.

    A narrower one has the principal components, a wider one zeros behind. size: the root mean square of what is not zero.

    >>> vectors(np.array([[1.0, 0.0, 5.0], [0.0, 2.0, 5.0], [-1.0, 0.0, 5.0]]), 2).round(2).shape
    (3, 2)
    """
    centred = np.asarray(table, np.float64) - np.mean(table, axis=0)
    if width < centred.shape[1]:
        _, axes = np.linalg.eigh(centred.T @ centred)
        axes = axes[:, ::-1][:, :width]
        # The sign of an axis is arbitrary, and libraries differ in it: its largest number is positive here.
        axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(width)])
        centred = centred @ axes
    scaled = centred * (size / max(1e-9, float(np.sqrt(np.mean(centred**2)))))
    return np.pad(scaled, ((0, 0), (0, width - scaled.shape[1]))).astype(np.float32)


def _word(task: Any) -> str:
    """What a task is called on the command line: its class in small letters, with hyphens."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", type(task).__name__).lower()
