"""What net an imported translator has, as `model.json` keeps it: its sizes and options are its own, not those of `--size`."""

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

if TYPE_CHECKING:
    from torch import nn

Rows = Annotated[int, Meta(ge=0, le=1_000_000)]
Width = Annotated[int, Meta(ge=2, le=16_384)]
Layers = Annotated[int, Meta(ge=1, le=64)]


class Net(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of `lamella.nets.transformer.encoder_decoder.EncoderDecoder`, its options among them."""

    vocabulary: Rows
    width: Width
    depth: Layers
    decoder_depth: Layers
    heads: Width | Literal[1]
    inner: Width
    block: Literal["sequence", "post-norm"]
    decoder: Literal["attention", "ssru"]
    activation: Literal["relu", "swish", "gelu", "quick-gelu"]
    positions: Literal["interleaved", "halves", "marian"]
    scale: bool
    source_vocabulary: Rows  # 0: one table for both sides
    tied: bool
    output_bias: bool

    def build(self, dropout: float, longest: int, shortlist: bool = False, hidden: bool = False) -> "nn.Module":
        """The net, untrained. shortlist: a step scores the candidates of a batch alone. hidden: it gives hidden states too."""
        from lamella.nets.transformer.encoder_decoder import EncoderDecoder, Options

        options = Options(
            decoder=self.decoder,
            activation=self.activation,
            positions=self.positions,
            scale=self.scale,
            source_vocabulary=self.source_vocabulary,
            tied=self.tied,
            output_bias=self.output_bias,
            shortlist=shortlist,
            hidden=hidden,
        )
        return EncoderDecoder(
            self.vocabulary, self.width, self.depth, self.decoder_depth, self.heads, self.inner, dropout, longest,
            block=self.block, options=options,
        )  # fmt: skip
