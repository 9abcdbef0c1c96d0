"""A recurrent net over the tokens of a text.

`TextRNN` is a bidirectional GRU (Cho et al., 2014; Schuster and Paliwal, 1997) with max pooling: of each channel it
keeps the largest value over time. A linear part over the text's features is added.

It is exported as a graph of one step, and the caller loops over time: a loop inside would be fixed to one length by the
export. In training torch runs the loop, which is the same arithmetic in one call.

Tensors in, tensors out: what the pieces mean is the task's business. Padding is id 0, at the end.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.layers import Linear, Wide, drop_words, max_over_time
from lamella.nets.rnn.cells import GRU


class TextRNN(nn.Module):
    """Tokens and features of a text -> the scores of its labels.

    >>> net = TextRNN(vocabulary=20, features=30, labels=3, width=8, hidden=6)
    >>> out = net(torch.tensor([[4, 5, 3, 0]]), torch.zeros(1, 1, 16, dtype=torch.long))
    >>> out["deep"].shape, out["wide"].shape
    (torch.Size([1, 3]), torch.Size([1, 3]))
    """

    def __init__(
        self,
        vocabulary: int,
        features: int,
        labels: int,
        width: int = 192,
        hidden: int = 96,
        dropout: float = 0.5,
        word_dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.vocabulary, self.hidden, self.word_dropout = min(vocabulary, features), hidden, word_dropout
        self.table = nn.Parameter(torch.randn(vocabulary, width) * 0.1)
        self.forth, self.back = GRU(width, hidden), GRU(width, hidden)
        self.drop_in, self.drop = nn.Dropout(dropout / 2), nn.Dropout(dropout)
        self.out = Linear(2 * hidden, labels)
        self.wide = Wide(features, labels, dropout)

    def forward(self, pieces: Tensor, features: Tensor) -> dict[str, Tensor]:
        """For training: pieces (B, T), features (B, R, K) -> deep and wide scores (B, labels)."""
        if self.training:
            pieces = drop_words(pieces, self.word_dropout)
        mask = (pieces != 0).to(self.table.dtype)  # (B, T)
        x = self.drop_in(F.embedding(pieces, self.table))
        # Reversed, the last token comes first and padding is still at the end, where it cannot change an earlier state.
        last = (pieces != 0).sum(dim=1, keepdim=True) - 1
        order = (last - torch.arange(pieces.shape[1], device=pieces.device)[None]).clamp(min=0)  # (B, T)
        reversed_x = x.gather(1, order[:, :, None].expand(-1, -1, x.shape[2]))
        # Max pooling rather than the last state: a decisive word early in a long text is not forgotten.
        strongest = torch.cat([max_over_time(self.forth(x), mask), max_over_time(self.back(reversed_x), mask)], dim=1)
        return self.classify(self.drop(strongest), features)

    def read(self, token: Tensor, hidden: Tensor, strongest: Tensor) -> dict[str, Tensor]:
        """One token further from both ends: token (B, 2), hidden and strongest (B, 2 H). Padding changes nothing."""
        x = F.embedding(token, self.table)  # (B, 2, D)
        forth, back = hidden.chunk(2, dim=1)
        states = torch.stack([self.forth.step(x[:, 0], forth), self.back.step(x[:, 1], back)], dim=1)  # (B, 2, H)
        # Texts of a batch end at different steps: where one is over, its state stays as it was.
        real = (token != 0)[:, :, None]
        after = torch.where(real, states, torch.stack([forth, back], dim=1)).flatten(1)
        return {"hidden": after, "strongest": torch.maximum(strongest, after)}

    def classify(self, strongest: Tensor, features: Tensor) -> dict[str, Tensor]:
        """After the last token: strongest (B, 2 H), features (B, R, K) -> deep and wide scores (B, labels)."""
        return {"deep": self.out(strongest).float(), "wide": self.wide(features)}

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        state = dict.fromkeys(("hidden", "strongest"), ("float32", "batch", 2 * self.hidden))
        features = ("int64", "batch", "rows", 16)
        return {
            "read": ({"token": ("int64", "batch", 2), **state}, ("hidden", "strongest")),
            "classify": ({"strongest": state["strongest"], "features": features}, ("deep", "wide")),
        }
