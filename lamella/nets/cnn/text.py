"""A convolutional net over the tokens of a text.

`TextCNN` (Kim, 2014) slides windows of a few widths over a text's tokens; each filter detects one kind of phrase, and
max pooling keeps its best match, wherever that is. A linear part over the text's features is added.

Tensors in, tensors out: what the tokens mean is the task's business. Padding is id 0, at the end.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.layers import Linear, Wide, drop_words


class Windows(nn.Module):
    """A 1-D convolution over windows of `span` tokens, then max pooling over time: (B, T, D) -> (B, C).

    The same as torch's `conv1d` with span - 1 zeros at both ends.

    >>> Windows(width=4, channels=7, span=3)(torch.zeros(2, 5, 4), torch.ones(2, 5)).shape
    torch.Size([2, 7])
    """

    def __init__(self, width: int, channels: int, span: int) -> None:
        super().__init__()
        self.span = span
        self.filters = Linear(span * width, channels)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x (B, T, D); mask (B, T) is 1 at tokens and 0 at padding, where x is 0 too."""
        # Padded at both ends, so that a word at the edge of a text is seen in every place of a window.
        more = self.span - 1
        x = F.pad(x, (0, 0, more, more))  # (B, T + 2 more, D)
        count = x.shape[1] - more
        # One product of the windows laid flat, in the form that int8 quantisation recognises (see `layers.py`).
        flat = torch.cat([x[:, i : i + count] for i in range(self.span)], dim=2)  # (B, T + more, span D)
        # A window of padding alone must not add its bias: a window counts if its first token does.
        inside = F.pad(mask, (more, 0), value=1.0)
        return (torch.relu(self.filters(flat)) * inside[:, :, None]).amax(dim=1)


class TextCNN(nn.Module):
    """Tokens and features of a text -> the scores of its labels.

    >>> net = TextCNN(vocabulary=20, features=30, labels=3, width=8, channels=6)
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
        channels: int = 96,
        spans: tuple[int, ...] = (1, 2, 3, 4),
        dropout: float = 0.5,
        word_dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.vocabulary, self.word_dropout = min(vocabulary, features), word_dropout
        self.table = nn.Parameter(torch.randn(vocabulary, width) * 0.1)
        self.windows = nn.ModuleList(Windows(width, channels, span) for span in spans)
        self.drop_in, self.drop = nn.Dropout(dropout / 2), nn.Dropout(dropout)
        self.out = Linear(channels * len(spans), labels)
        self.wide = Wide(features, labels, dropout)

    def forward(self, pieces: Tensor, features: Tensor) -> dict[str, Tensor]:
        """pieces (B, T), features (B, R, K) -> deep and wide scores (B, labels)."""
        if self.training:
            pieces = drop_words(pieces, self.word_dropout)
        mask = (pieces != 0).to(self.table.dtype)  # (B, T)
        x = self.drop_in(F.embedding(pieces, self.table)) * mask[:, :, None]
        pooled = torch.cat([windows(x, mask) for windows in self.windows], dim=1)  # (B, spans C)
        # Scores in float32, since the loss takes their exponentials.
        return {"deep": self.out(self.drop(pooled)).float(), "wide": self.wide(features)}

    def classify(self, pieces: Tensor, features: Tensor) -> dict[str, Tensor]:
        """The graph that ships."""
        return self(pieces, features)

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        inputs = {"pieces": ("int64", "batch", "time"), "features": ("int64", "batch", "rows", 16)}
        return {"classify": (inputs, ("deep", "wide"))}
