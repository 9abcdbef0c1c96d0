"""The items that somebody chose, in order -> how likely each item of a catalogue is the next: SASRec with a full softmax.

The decoder of a language model over items instead of words (Kang and McAuley, 2018), learned with the cross-entropy over
the whole catalogue (Klenitskiy and Vasilev, 2023), not with a few negatives. An item's vector is one of its own and the
mean of those of its words (genres, title): an item that nobody chose yet has a vector too. The own ones are left out at
random in training, so that the words learn.

Tensors in, tensors out: what the ids mean is the task's business. Id 0 is padding, at the end; 1 an item without a vector
of its own; 2 the start.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.layers import attend, causal_bias
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
    >>> items, none = torch.tensor([[0, 2, 3, 4]]), torch.zeros(1, 4)
    >>> net.next(items, none.long(), torch.zeros(1, SPOKEN).long(), torch.zeros(1, SPOKEN), none)["scores"].shape
    torch.Size([1, 6])
    """

    cos: Tensor
    sin: Tensor
    words: Tensor
    vectors: Tensor
    causal: Tensor
    ones: Tensor
    turn: Tensor
    places = {"new": "unknown"}  # inputs that are places among the rows of that axis

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
            ("causal", causal_bias(self.longest)),
            ("ones", torch.ones(width // heads)),
            ("turn", _turn(self.longest, width // heads)),
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
                # Not as rounded in training: only exact angles make a history the same wherever it stands in a row.
                self.turn = _turn(self.longest, len(self.ones), self.turn.device)
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
        cos, sin, bias = self.cos[:length], self.sin[:length], self.causal[:length, :length].to(x.dtype)
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

    def next(self, items: Tensor, new: Tensor, words: Tensor, shares: Tensor, hidden: Tensor) -> dict[str, Tensor]:
        """The graph that ships: histories (B, T), padded at the beginning -> scores (B, FIRST + V).

        new (B, T): of an item without an id the row of its words, else 0; words, shares (U, 8): the words of such items, and
        how much each counts in their mean, nothing in row 0; hidden (B, T): 0 where there is an item, MASKED at padding.
        """
        spoken = shares[:, None] @ F.embedding(words, self.word_table)  # (U, 1, D)
        x = self.enter(F.embedding(items, self.vectors) + F.embedding(new, spoken[:, 0]))
        length = x.shape[1]
        padding = hidden[:, None, None]  # (B, 1, 1, T)
        turn = self.turn[:, :length].to(x.dtype)
        *lower, top = cast(list[CausalBlock], list(self.blocks))
        for block in lower:
            query, key, value = _parts(block, x)
            heads = self._turned(query, turn), self._turned(key, turn), value.transpose(1, 2)
            x = block.add(x, attend(*heads, self.causal[:length, :length] + padding)[0])
        # Of the highest block the last position alone is used.
        query, key, value = _parts(top, x)
        heads = self._turned(query[:, -1:], turn[:, -1:]), self._turned(key, turn), value.transpose(1, 2)
        x = top.add(x[:, -1:], attend(*heads, padding)[0])
        return {"scores": (self.norm(x)[:, 0] @ self.vectors.t()).float()}

    def _turned(self, x: Tensor, turn: Tensor) -> Tensor:
        """Queries or keys (B, T, H, d), normalised and rotated as in `CausalBlock.project`: (B, H, T, d).

        In half as many operators, which is what most of the time of a single history goes to.
        """
        x = F.rms_norm(x, (x.shape[-1],), self.ones, eps=1e-5)  # with weights it is one operator of the engine
        one, other = x.chunk(2, dim=-1)
        return (x * turn[0] + torch.cat([other, one], dim=-1) * turn[1]).transpose(1, 2)

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        inputs: dict[str, tuple[str | int, ...]] = {
            "items": ("int64", "batch", "time"),
            "new": ("int64", "batch", "time"),
            "words": ("int64", "unknown", SPOKEN),
            "shares": ("float32", "unknown", SPOKEN),
            "hidden": ("float32", "batch", "time"),
        }
        return {"next": (inputs, ("scores",))}


def _turn(length: int, size: int, device: torch.device | None = None) -> Tensor:
    """What the columns of a head, and those half a head away, are multiplied by at each position: (2, T, 1, d)."""
    cos, sin = rotary_angles(length, size, device)
    return torch.stack([torch.cat([cos, cos], dim=1), torch.cat([-sin, sin], dim=1)])[:, :, None]


def _parts(block: CausalBlock, x: Tensor) -> list[Tensor]:
    """Queries, keys and values (B, T, H, d)."""
    parts = block.query_key_value(block.norm_attention(x)).chunk(3, dim=-1)
    return [part.view(*part.shape[:2], block.heads, block.size) for part in parts]


__all__ = ["FIRST", "SPOKEN", "START", "UNKNOWN", "NextItem"]
