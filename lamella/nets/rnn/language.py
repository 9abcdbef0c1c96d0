"""A recurrent language model.

`LanguageRNN` predicts the next token of a text: layers of long short-term memory (LSTM; Hochreiter and Schmidhuber,
1997, with the forget gate of Gers et al., 2000) or of GRUs, and the probabilities of all next tokens on top.

Tensors in, tensors out: what the tokens mean is the task's business. Id 0 is padding, at the end; 2 is the start.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.rnn.cells import GRU, LSTM
from lamella.nets.sequences import crop, shifted


class LanguageRNN(nn.Module):
    """The tokens so far -> how likely each next one is. From the second layer on, layers are residual.

    >>> net = LanguageRNN(vocabulary=20, width=8, depth=2, cell="gru")
    >>> out = net(torch.tensor([[4, 5, 3]]))
    >>> out["hidden"].shape, out["wanted"].tolist()
    (torch.Size([1, 3, 8]), [[4, 5, 3]])
    """

    def __init__(
        self,
        vocabulary: int,
        width: int = 384,
        depth: int = 2,
        cell: str = "lstm",
        window: int = 128,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.vocabulary, self.width, self.window, self.dropout = vocabulary, width, window, dropout
        # N(0, 1), as torch's own embedding starts.
        self.table = nn.Parameter(torch.randn(vocabulary, width))
        # A table of its own, from zeros: the first guess is then that all tokens are equally likely.
        self.out_table = nn.Parameter(torch.zeros(vocabulary, width))
        self.lstm = cell == "lstm"
        self.layers = nn.ModuleList(LSTM(width, width) if self.lstm else GRU(width, width) for _ in range(depth))

    def forward(self, text: Tensor) -> dict[str, Tensor]:
        """For training: passages (B, S) -> for a window of each, hidden (B, T, D) and the next tokens (B, T); and the table."""
        wanted = crop(text, self.window)
        x = F.dropout(F.embedding(shifted(wanted), self.table), self.dropout, self.training)
        for number, layer in enumerate(self.layers):
            out = F.dropout(layer(x), self.dropout, self.training)
            # Residual, so that the gradient of the last layer reaches the first; the first one has no input of its width to keep.
            x = x + out if number else out
        # The scores of all tokens are made in the loss, a block at a time (`losses.tied_cross_entropy`).
        return {"hidden": x, "wanted": wanted, "table": self.out_table}

    def step(self, token: Tensor, hidden: Tensor, memory: Tensor | None = None) -> dict[str, Tensor]:
        """One token further: token (B,), each layer's state and memory (B, L, D) -> log-probabilities (B, V), the new two."""
        x = F.embedding(token, self.table)
        states, cells = [], []
        for number, layer in enumerate(self.layers):
            if memory is not None:
                out, cell = layer.step(x, hidden[:, number], memory[:, number])  # type: ignore[operator]
                cells.append(cell)
            else:
                out = layer.step(x, hidden[:, number])  # type: ignore[operator]
            states.append(out)
            x = x + out if number else out
        scores = torch.log_softmax((x @ self.out_table.t()).float(), dim=-1)
        after = {"scores": scores, "hidden": torch.stack(states, dim=1)}
        return {**after, "memory": torch.stack(cells, dim=1)} if cells else after

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        names = ("hidden", "memory") if self.lstm else ("hidden",)
        state = dict.fromkeys(names, ("float32", "batch", len(self.layers), self.width))
        return {"step": ({"token": ("int64", "batch"), **state}, ("scores", *names))}
