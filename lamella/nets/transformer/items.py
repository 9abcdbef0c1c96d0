"""The items that somebody chose, in order -> how likely each item of a catalogue is the next: SASRec with a full softmax.

The decoder of a language model over items instead of words (Kang and McAuley, 2018), learned with the cross-entropy over
the whole catalogue (Klenitskiy and Vasilev, 2023), not with a few negatives. An item's vector is one of its own and the
mean of those of its words (genres, title): an item that nobody chose yet has a vector too. The own ones are left out at
random in training, so that the words learn.

Tensors in, tensors out: what the ids mean is the task's business. Id 0 is padding, at the end; 1 an item without a vector
of its own; 2 the start.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.layers import causal_bias
from lamella.nets.part import whole
from lamella.nets.sequences import START, crop
from lamella.nets.transformer.language import CausalBlock, rotary_angles

UNKNOWN, FIRST = 1, 3  # the id of an item without a vector of its own; the id of the first item
SPOKEN = 8  # words that stand for an item without an id
SAMPLED = 12_000  # items above which the softmax is over those of the batch and as many others at random


class NextItem(nn.Module):
    """Histories (B, T) of ids -> scores of all items (B, V).

    words (V, K): the ids of each item's words, 0 for none; chosen: how many of the items somebody chose, these first.

    >>> net = NextItem(torch.tensor([[1, 2], [2, 0], [1, 0]]), chosen=2, vocabulary=3, width=8, depth=1, heads=2).eval()
    >>> net.next(torch.tensor([[2, 3, 4, 0]]), torch.zeros(1, 1, SPOKEN, dtype=torch.long))["scores"].shape
    torch.Size([1, 3])
    """

    cos: Tensor
    sin: Tensor
    words: Tensor
    vectors: Tensor

    def __init__(
        self,
        words: Tensor,
        chosen: int,
        vocabulary: int,
        width: int = 64,
        depth: int = 2,
        heads: int = 2,
        window: int = 50,
        dropout: float = 0.3,
        item_dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.vocabulary = min(len(words) + FIRST, vocabulary)  # of either kind of id: the exporter tries such
        self.known, self.window, self.dropout, self.item_dropout = chosen + FIRST, window, dropout, item_dropout
        self.longest = window + 2  # the start, and one more than is ever needed: the exporter asks for a limit above it
        self.item_table = nn.Parameter(torch.randn(len(words) + FIRST, width) * 0.02)
        self.word_table = nn.Parameter(torch.randn(vocabulary, width) * 0.02)
        self.blocks = nn.ModuleList(CausalBlock(width, heads, 2 * width, dropout) for _ in range(depth))
        self.norm = nn.RMSNorm(width, 1e-5)
        self.enter = nn.RMSNorm(width, 1e-5)
        # Buffers move to the device with the net; these are not stored, since they can be computed again.
        cos, sin = rotary_angles(self.longest, width // heads)
        special = words.new_zeros(FIRST, words.shape[1])
        for name, buffer in (
            ("cos", cos),
            ("sin", sin),
            ("words", torch.cat([special, words])),
            ("vectors", torch.zeros(len(words) + FIRST, width)),
        ):
            self.register_buffer(name, buffer, persistent=False)

    def train(self, mode: bool = True) -> "NextItem":
        """As in torch; where training ends, the vectors of all items are made once, so that no answer makes them again."""
        super().train(mode)
        if not mode:
            with torch.no_grad():
                ids = torch.arange(len(self.item_table), device=self.item_table.device)
                own = torch.where(ids < self.known, ids, UNKNOWN)  # what nobody chose has learned nothing of its own
                self.vectors = F.embedding(own, self.item_table) + self.spoken(self.words)
        return self

    def spoken(self, words: Tensor) -> Tensor:
        """The mean of the vectors of words (..., K), 0 for none -> (..., D)."""
        present = (words != 0).to(self.word_table.dtype)[..., None]
        total = (F.embedding(words, self.word_table) * present).sum(dim=-2)
        return total / present.sum(dim=-2).clamp(min=1)

    def hidden(self, x: Tensor) -> Tensor:
        """Vectors of items (B, T, D) -> hidden states (B, T, D); position t depends on items 0 to t only."""
        length = x.shape[1]
        # As large as the blocks' own outputs, however small the vectors are: those are scores' factors too.
        x = F.dropout(self.enter(x), self.dropout, self.training)
        cos, sin, bias = self.cos[:length], self.sin[:length], causal_bias(length, x.device).to(x.dtype)
        for block in self.blocks:
            x = block(x, cos, sin, bias)
        out: Tensor = self.norm(x)
        return out

    def forward(self, sequence: Tensor, **history: Tensor) -> dict[str, Tensor]:
        """For training: whole sequences (B, S) -> for a window of each, hidden (B, T, D), the ids that came next (B, T), and
        the vectors of all items, or of so many that the loss needs no more memory. The history that is given when it
        answers is part of the sequence."""
        window = crop(sequence, self.window + 1)  # (B, T + 1), beginning with the start where the sequence does
        given, wanted = window[:, :-1], window[:, 1:]
        lost = (torch.rand(given.shape, device=given.device) < self.item_dropout) & (given >= FIRST)
        own = torch.where(lost, UNKNOWN, given)
        x = F.embedding(own, self.item_table) + self.spoken(self.words[given])
        ids = torch.arange(self.known, device=given.device)
        if self.known > SAMPLED:
            with whole(wanted) as every:
                others = torch.randint(FIRST, self.known, (SAMPLED,), device=given.device)
                ids = torch.cat([wanted.new_zeros(1), every.flatten(), others]).unique()  # type: ignore[no-untyped-call]
            wanted = torch.searchsorted(ids, wanted)  # padding, the smallest, stays 0
        table = F.embedding(ids, self.item_table) + self.spoken(self.words[ids])
        return {"hidden": self.hidden(x), "wanted": wanted, "table": table}

    def next(self, items: Tensor, words: Tensor) -> dict[str, Tensor]:
        """The graph that ships: histories (B, T), and of their items without an id, in order, the words (B, U, 8) -> scores
        (B, V)."""
        new = items == UNKNOWN
        number = new.long().cumsum(dim=1) * new  # (B, T): 1 for the first of them, 2 for the second
        places = torch.arange(words.shape[1], device=words.device) + 1  # (U,)
        spoken = (number[:, :, None] == places).to(self.vectors.dtype) @ self.spoken(words)  # (B, T, D)
        x = F.embedding(items, self.vectors) + spoken
        last = ((items != 0).sum(dim=1) - 1).clamp(min=0)  # (B,)
        state = self.hidden(x).gather(1, last[:, None, None].expand(-1, 1, x.shape[2]))[:, 0]  # (B, D)
        return {"scores": (state @ self.vectors.t()).float()[:, FIRST:]}

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        inputs: dict[str, tuple[str | int, ...]] = {
            "items": ("int64", "batch", "time"),
            "words": ("int64", "batch", "unknown", SPOKEN),
        }
        return {"next": (inputs, ("scores",))}


__all__ = ["FIRST", "SPOKEN", "START", "UNKNOWN", "NextItem"]
