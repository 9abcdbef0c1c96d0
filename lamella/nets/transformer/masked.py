"""A Transformer encoder that fills masks: for each masked token, how likely every token of the vocabulary is there.

A masked language model (Devlin et al., 2019): some tokens of a text are hidden, and the net is asked for them, given what
stands on both sides. What differs from BERT: the norms come before each sub-layer (Xiong et al., 2020), there are no
segments and no [CLS], whole words and spans of words are masked (Joshi et al., 2020), a larger share of them than 15% at
first (Wettig et al., 2023), and the product with the vocabulary is made at the masked places alone.

`mask_words` draws the masks. The blocks, the table and the positions are those of the other encoders
(`classifiers.py`, `sentences.py`, `encoder_decoder.py`), so that these can begin from what was learned here.

Tensors in, tensors out: what the tokens mean is the task's business. Padding is id 0, at the end.
"""

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.layers import MASKED, SelfAttention, positions
from lamella.nets.transformer.blocks import PADDING, EncoderBlock

INNER = 4  # width of the feed-forward layers, in widths of the net
SMALL = 0.15  # how large a token's vector is at first, over the usual
NEAR = 1.4  # how sharply the heads that look at the neighbours do so at first
UNCHANGED = 0.1  # share of the masked words that the net still sees, so that it learns vectors of visible words too
SPANS = (0.6, 0.85)  # a span has one word with this probability, at most two with the second one, else three
MEAN_SPAN = 1 * 0.6 + 2 * 0.25 + 3 * 0.15  # words
BEGINS, GOES_ON, OTHER = 1, 2, 3  # what a piece is: the first of a word, a later one, a mark or a digit; 0: padding


class MaskedTransformer(nn.Module):
    """Tokens of which some are masked -> how likely each token is at the masked places.

    >>> net = MaskedTransformer(vocabulary=20, width=8, depth=1, heads=2)
    >>> net.fill(torch.tensor([[7, 4, 9]]), torch.tensor([[0.0, 1.0, 0.0]]))["log_probability"].shape
    torch.Size([1, 20])
    """

    positions: Tensor

    def __init__(
        self,
        vocabulary: int,
        width: int = 192,
        depth: int = 3,
        heads: int = 4,
        dropout: float = 0.0,
        window: int = 128,
    ) -> None:
        super().__init__()
        self.vocabulary, self.width, self.longest = vocabulary, width, window + 1  # the exporter asks for a limit above
        # Small, and multiplied by the root of D at the input: what a token is must not drown out where it stands, on which all
        # hangs at a mask. Of the size of the positions, hundreds of steps teach nothing but how frequent each token is.
        self.table = nn.Parameter(torch.randn(vocabulary, width) * SMALL * width**-0.5)
        self.blocks = nn.ModuleList(EncoderBlock(width, heads, INNER * width, dropout) for _ in range(depth))
        self.norm, self.drop = nn.LayerNorm(width), nn.Dropout(dropout)
        # How frequent a token is, whatever stands around it: the table alone would have to learn that in its lengths.
        self.output_bias = nn.Parameter(torch.zeros(vocabulary))
        # A buffer moves to the device with the net; it is not stored, since it can be computed again.
        self.register_buffer("positions", positions(self.longest, width), persistent=False)
        look_around(cast(EncoderBlock, self.blocks[0]).attention)

    def hidden(self, pieces: Tensor) -> Tensor:
        """Tokens (B, T) -> hidden states (B, T, D), each of which depends on all tokens."""
        mask = (pieces != PADDING).to(self.table.dtype)  # (B, T)
        bias = ((1 - mask) * MASKED)[:, None, None, :]  # (B, 1, 1, T): no position attends to padding
        x = F.embedding(pieces, self.table) * math.sqrt(self.width)
        x = self.drop(x + self.positions[: pieces.shape[1]])
        for block in self.blocks:
            x = block(x, bias)
        return cast(Tensor, self.norm(x))

    def forward(self, pieces: Tensor, choices: Tensor | None = None) -> dict[str, Tensor]:
        """For training: masked tokens (B, T) -> hidden (B, T, D), table (V, D) and bias (V,); the loss multiplies them.

        choices: what an answer is to be chosen among, which training does not ask.
        """
        return {"hidden": self.hidden(pieces), "table": self.table, "bias": self.output_bias}

    def fill(self, pieces: Tensor, asked: Tensor) -> dict[str, Tensor]:
        """The graph that ships: tokens (B, T), asked (B, T) 1 at one place of each -> log-probabilities there (B, V)."""
        hidden = self.hidden(pieces)
        # The product with the table comes after the choice of a place: it costs as much as several blocks.
        at = (asked[:, None] @ hidden)[:, 0]  # (B, D)
        # Subtracted: onnxruntime 1.32 joins an addition to an int8 product with a table that is turned round, and loses it there.
        scores = (at @ self.table.t() - (-self.output_bias)).float()
        return {"log_probability": torch.log_softmax(scores, dim=-1)}

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        inputs: dict[str, tuple[str | int, ...]] = {
            "pieces": ("int64", "batch", "time"),
            "asked": ("float32", "batch", "time"),
        }
        return {"fill": (inputs, ("log_probability",))}


def look_around(attention: SelfAttention) -> None:
    """Let a first block's first two heads begin by looking at the token before and the one after, by their positions alone.

    sin(a + b) and cos(a + b) are linear in sin a and cos a: a query that is the position turned by one place is most like the
    key of the neighbour (Vaswani et al., 2017, section 3.5). Nothing about a mask can be learned before a head looks
    somewhere, and from random weights that takes thousands of steps.
    """
    weight = attention.query_key_value.weight  # (D, 3 D)
    width = weight.shape[0]
    size = width // attention.heads
    even = torch.arange(0, size // 2 * 2, 2)
    sine, cosine = positions(2, width)[1].view(-1, 2).T[:, : len(even)] * NEAR
    with torch.no_grad():
        for head, offset in enumerate((-1, 1)[: attention.heads]):
            query, key = weight.narrow(1, head * size, size), weight.narrow(1, width + head * size, size)
            query.zero_()
            key.zero_()
            query[even, even] = query[even + 1, even + 1] = cosine
            query[even + 1, even], query[even, even + 1] = offset * sine, -offset * sine
            key[even, even] = key[even + 1, even + 1] = NEAR


def mask_words(whole: Tensor, kinds: Tensor, share: float, mask: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Hide whole words and spans of words at random: tokens (B, T) -> masked tokens (B, T), and what is wanted (B, T).

    kinds (V,): what each token is (BEGINS, GOES_ON, OTHER). share: of the words to mask. mask: the id that hides. What is
    wanted is 0 where nothing was hidden. A tenth of what is asked for is left in its place.

    >>> kinds = torch.tensor([0, 3, 1, 2, 3])
    >>> pieces, wanted = mask_words(torch.tensor([[2, 3, 4, 2, 0]]), kinds, 1.0, 1, torch.Generator().manual_seed(1))
    >>> wanted.tolist(), bool((pieces[wanted == 0] == 0).all())
    ([[2, 3, 4, 2, 0]], True)
    """
    kind = kinds[whole]  # (B, T)
    before = F.pad(kind[:, :-1], (1, 0))
    # A later piece belongs to the word before it, unless a mark stands between; every mark and digit is by itself.
    first = (kind == BEGINS) | (kind == OTHER) | ((kind == GOES_ON) & (before != BEGINS) & (before != GOES_ON))
    word = first.cumsum(dim=1)  # (B, T): the number of the word that each token belongs to
    # Drawn where the generator is; one on the CPU gives every device the same. Of no more words than there are tokens.
    draw = torch.rand(3, len(whole), whole.shape[1] + 3, generator=rng, device=rng.device).to(whole.device)
    starts, length, kept = draw[0] < share / MEAN_SPAN, draw[1], draw[2] < UNCHANGED
    two, three = starts & (length > SPANS[0]), starts & (length > SPANS[1])
    hidden = starts | F.pad(two[:, :-1], (1, 0)) | F.pad(three[:, :-2], (2, 0))  # by word
    chosen = hidden.gather(1, word) & (kind != 0)
    if share >= 1:
        chosen = kind != 0
    # A batch without a single mask would teach nothing and has no loss: its first token is asked for then.
    chosen[0, 0] |= ~chosen.any()
    pieces = torch.where(chosen & ~kept.gather(1, word), mask, whole)
    return pieces, torch.where(chosen, whole, 0)
