"""What a summarizer takes over from a summarizer, a translator, or an encoder of masked words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lamella.data.text.pieces import START
from lamella.errors import UsageError
from lamella.task import Arrays, Example, Task, Transfer

if TYPE_CHECKING:
    from lamella.tasks.summarization import Summarization

MARKS = 10  # rows of the table after the vocabulary: how long a summary is, shortest first
NEAR = 5  # tokens of a text around each one, itself among them, that the net adds to its vector
ENOUGH = 200  # summaries, from which on they say how long such are and which sentences count
LONGEST = 256  # tokens of a summary, its end among them


class FromText(Transfer["Summarization"]):
    """From a translator or an encoder of masked words too."""

    def adopt(self, task: "Summarization", other: Task, weights: Arrays) -> Arrays:
        """Begin from a summarizer, a translator, or an encoder of masked words: its vocabulary, its layers, its table.

        Of an encoder the decoder is new, of either the copy head and the marks of length, which begin as the start token.
        """
        if type(other).__qualname__ == type(task).__qualname__:
            return {**_none(weights["body.table"].shape[1]), **super().adopt(task, other, weights)}
        vocabulary, table = getattr(other, "vocabulary_", b""), weights.get("table")
        renamed = {new: a for name, a in weights.items() if (new := _renamed(name))}
        if (
            not isinstance(vocabulary, bytes)
            or not vocabulary
            or table is None
            or "body.encoder.0.feed.up.weight" not in renamed
        ):
            raise UsageError(
                "summarization cannot begin from this model: expected one of summarization, translation with one vocabulary, or "
                f"fill-mask, received {type(other).__name__}."
            )
        vars(task).pop("pieces", None)
        task.vocabulary_ = vocabulary
        # No weight has a shape that tells how many heads it was trained with.
        task.heads_ = getattr(getattr(other, "net_", None), "heads", 0) or getattr(other, "heads_", 0)
        task.longest_ = min(LONGEST, 2 * task.longest_)  # it was counted in tokens of another vocabulary
        rows = table[: len(task.pieces)]
        table = np.concatenate([rows, np.repeat(rows[START : START + 1], MARKS, axis=0)])
        return {**renamed, "near": _none(table.shape[1])["near"], "body.table": table}

    def renew(self, task: "Summarization", examples: Sequence[Example]) -> None:
        """How long summaries are and which sentences count, of the texts that are learned from now; of few the longer of both."""
        longest = task.longest_
        if len(examples) >= ENOUGH:
            task.learn_sizes(examples)
        else:
            most = max((len(ids) for ids in task.pieces.encode([e["summary"] for e in examples])), default=0)
            task.longest_ = min(LONGEST, max(longest, int(1.5 * most) + 2))


def _none(width: int) -> Arrays:
    """Of what an earlier net had not, weights with which it is as it was."""
    shapes: dict[str, tuple[int, ...]] = {"near": (NEAR, 1, width), "likely.weight": (width, 1), "likely.bias": (1,)}
    return {name: np.zeros(shapes.get(name, ()), np.float32) for name in (*shapes, "follows", "both", "again")}


def _renamed(name: str) -> str:
    """The name here of a weight of another task's Transformer, "" for one that has no place here.

    >>> _renamed("encoder.0.feed.up.weight"), _renamed("blocks.0.feed.up.weight"), _renamed("norm.bias"), _renamed("output_bias")
    ('body.encoder.0.feed.up.weight', 'body.encoder.0.feed.up.weight', 'body.norm_encoder.bias', '')
    """
    first, _, rest = name.partition(".")
    if first in ("encoder", "decoder", "norm_encoder", "norm_decoder"):
        return f"body.{name}"
    mine = {"blocks": "encoder", "norm": "norm_encoder"}.get(first)
    return f"body.{mine}.{rest}" if mine else ""
