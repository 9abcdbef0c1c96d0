"""What other tasks begin from, and what is counted anew where a model goes on with another text."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lamella.errors import UsageError
from lamella.task import Arrays, Encoder, Example, Transfer
from lamella.tasks.fill_mask.cloze import whole

if TYPE_CHECKING:
    from lamella.tasks.fill_mask import FillMask


class Gives(Transfer["FillMask"]):
    """What other tasks begin from: all of its net but what follows the last norm."""

    def encoder(self, task: "FillMask", weights: Arrays) -> Encoder:
        depth = task.size.depth
        names = ["table", *(f"{part}.{side}" for part in parts(depth) for side in ("weight", "bias"))]
        if missing := [name for name in names if name not in weights]:
            raise UsageError(
                f"--init: the model's graphs do not hold {missing[0]} by that name. Begin from the folder that lamella train wrote."
            )
        inner = int(weights["blocks.0.feed.up.bias"].size)
        kept = {name: weights[name] for name in names}
        return Encoder(task.vocabulary_, task.size.width, depth, task.heads_ or task.size.heads, inner, kept)

    def renew(self, task: "FillMask", examples: Sequence[Example]) -> None:
        task.count_phrases([whole(e) for e in examples], task.counts if task.counts_ else None)


def parts(depth: int) -> list[str]:
    """The layers with a weight and a bias of an encoder of so many blocks (nets/transformer/blocks.py)."""
    layers = ("norm_attention", "attention.query_key_value", "attention.out", "norm_feed", "feed.up", "feed.down")
    return ["norm", *(f"blocks.{number}.{layer}" for number in range(depth) for layer in layers)]
