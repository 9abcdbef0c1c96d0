"""A translator that begins from the encoder of another task's net, such as one of masked words."""

from lamella.errors import UsageError
from lamella.task import Arrays, Encoder

NAMES = {"table": "table", "blocks": "encoder", "norm": "norm_encoder"}  # of an encoder -> of the translator's net


def renamed(encoder: Encoder, block: str, both: bool) -> Arrays:
    """The weights of an encoder by the translator's names: its encoder and the table, which the decoder shares.

    UsageError for a net of other blocks, and for one of both directions, whose marks the vocabulary does not have.
    """
    if both or block != "sequence":
        raise UsageError("--init: a net that begins from another task's encoder needs --block sequence, and no --both.")
    parts = [(name.partition("."), array) for name, array in encoder.weights.items()]
    return {NAMES[first] + dot + rest: array for (first, dot, rest), array in parts}
