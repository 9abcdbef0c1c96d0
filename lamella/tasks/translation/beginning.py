"""What a translator begins from: another translator, one of another program, or an encoder of masked words."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from lamella.data.text.languages import base_code
from lamella.errors import UsageError
from lamella.task import Arrays, Encoder, Example, Imported, Transfer
from lamella.tasks.translation import neighbours
from lamella.tasks.translation.net import Net

if TYPE_CHECKING:
    from lamella.tasks.translation import Translation

NAMES = {"table": "table", "blocks": "encoder", "norm": "norm_encoder"}  # of an encoder -> of the translator's net

FEW_PAIRS, NEAR = 5000, 0.1  # so many move the weights by so much of the way at most

# English and another language, a pair a line: what is trained on again where a shipped translator is adapted.
REPLAYED = {"fr": "replay.tsv", "de": "replay-de.tsv", "es": "replay-es.tsv", "zh": "replay-zh.tsv"}


def renamed(encoder: Encoder, block: str, both: bool) -> Arrays:
    """The weights of an encoder by the translator's names: its encoder and the table, which the decoder shares.

    UsageError for a net of other blocks, and for one of both directions, whose marks the vocabulary does not have.
    """
    if both or block != "sequence":
        raise UsageError("--init: a net that begins from another task's encoder needs --block sequence, and no --both.")
    parts = [(name.partition("."), array) for name, array in encoder.weights.items()]
    return {NAMES[first] + dot + rest: array for (first, dot, rest), array in parts}


class Beginning(Transfer["Translation"]):
    """From what other programs trained and from an encoder of masked words too."""

    forgets = frozenset({"shortlist_"})  # any piece may be in the translations of the user's own texts
    importable = (
        "translators: a Hugging Face MarianMT folder with model.safetensors, an OPUS-MT release with its .npz, a Firefox "
        "(Bergamot) folder with model.*.bin"
    )

    def begin(self, task: "Translation", encoder: Encoder) -> Arrays:
        task.vocabulary_ = encoder.vocabulary
        vars(task).pop("pieces", None)
        weights = renamed(encoder, task.config.block, task.config.both)
        if encoder.heads != task.size.heads:  # no weight has a shape that tells
            if task.config.decoders > 1:
                raise UsageError(f"--init: an encoder of {encoder.heads} heads has one decoder. Leave --decoders out.")
            task.net_ = Net(
                vocabulary=len(task.pieces), width=encoder.width, depth=encoder.depth, heads=encoder.heads, inner=encoder.inner,
                decoder_depth=task.config.decoder_depth, decoder=task.config.decoder, block="sequence", activation="relu",
                positions="interleaved", scale=True, source_vocabulary=0, tied=True, output_bias=False,
            )  # fmt: skip
        return weights

    def renew(self, task: "Translation", examples: Sequence[Example]) -> None:
        """Keep the pairs, beside those that the other model was adapted to; not what is trained on again beside them."""
        again = {(e["text"], e["translation"]) for e in self.replay(task)}
        pairs = [pair for e in examples if (pair := (e["text"], e["translation"])) not in again]
        task.neighbours_ = neighbours.kept(task, pairs) if task.config.neighbours else b""
        if not task.neighbours_:
            # Nothing tells the user's own texts, among which a word may mean something else, from all others.
            task.words_ = task.dictionary_ = b""

    def imported(self, source: Path, options: Mapping[str, Any]) -> Imported | None:
        from lamella.tasks.translation import foreign

        found = foreign.read(source, str(options.get("from", "")), str(options.get("to", "")))
        if found is None:
            return None
        net = found.net()
        config = {
            "from": found.src, "to": found.dst, "decoder": net.decoder, "block": net.block, "vocabulary_size": net.vocabulary,
            "decoder_depth": net.decoder_depth,
        }  # fmt: skip
        learned: dict[str, Any] = {
            "vocabulary_": found.source_pieces,
            "normaliser_": found.normaliser,
            "mark_": found.mark,
            "net_": msgspec.to_builtins(net),
        }
        if found.target_pieces:
            learned["target_vocabulary_"] = found.target_pieces
        if found.shortlist:
            learned["shortlist_"] = found.shortlist
        return Imported(config, learned, dict(found.weights), found.notes)

    def reach(self, task: "Translation", count: int) -> float:
        """Of few pairs most is looked up, and everyday sentences do not show what weights forget of everything else."""
        return NEAR if count <= FEW_PAIRS and task.config.neighbours else 1.0

    def replay(self, task: "Translation") -> list[Example]:
        """Everyday sentences, of English and a language that the shipped translators know."""
        src, dst = base_code(task.config.src), base_code(task.config.dst)
        name = REPLAYED.get(dst if src == "en" else src) if "en" in (src, dst) else None
        if name is None:
            return []
        pairs = [row.split("\t") for row in Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()]
        side = int(src != "en")
        return [{"text": pair[side], "translation": pair[1 - side]} for pair in pairs]
