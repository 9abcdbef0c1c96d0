"""Recurrent nets.

`TextRNN` reads a text from both ends with a gated recurrent unit each (GRU; Cho et al., 2014; both ways: Schuster and
Paliwal, 1997) and keeps, of each unit, the strongest state it was ever in. Beside it stands a linear part over the
text's features.

It ships as a graph of one step, and the loop over time is the caller's: a loop inside would be frozen at one length
when it is exported. In training torch runs the loop, which is the same arithmetic in one call.

`LanguageRNN` goes on with a text: layers of long short-term memory (LSTM; Hochreiter and Schmidhuber, 1997, with the
forget gate of Gers et al., 2000) or of GRUs, and the likelihood of every next unit on top.

Tensors in, tensors out: what the pieces mean is the task's business. Padding is id 0, at the end.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.language import crop, shifted
from lamella.nets.layers import Linear, Wide, forget_words, largest


class GRU(nn.Module):
    """A gated recurrent unit, by steps or over a whole text; torch's equations and order of gates.

    r = sigmoid(reset), z = sigmoid(update), n = tanh(new, the old state let through by r), h' = (1 - z) n + z h.

    >>> unit = GRU(4, 6)
    >>> unit.step(torch.zeros(2, 4), torch.zeros(2, 6)).shape, unit(torch.zeros(2, 5, 4)).shape
    (torch.Size([2, 6]), torch.Size([2, 5, 6]))
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.enter, self.keep = Linear(width, 3 * hidden), Linear(hidden, 3 * hidden)

    def step(self, x: Tensor, state: Tensor) -> Tensor:
        """x (B, D), state (B, H) -> the next state (B, H)."""
        reset, update, new = self.enter(x).chunk(3, dim=1)
        old_reset, old_update, old_new = self.keep(state).chunk(3, dim=1)
        let = torch.sigmoid(update + old_update)
        fresh = torch.tanh(new + torch.sigmoid(reset + old_reset) * old_new)
        return fresh + let * (state - fresh)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) -> all states (B, T, H), from an empty one."""
        start = x.new_zeros(1, x.shape[0], self.hidden)
        biases = [b for b in (self.enter.bias, self.keep.bias) if b is not None]
        weights = [self.enter.weight.t(), self.keep.weight.t(), *biases]
        # has_biases, layers, dropout, train, both ways, batch first
        states, _ = torch.gru(x, start, weights, True, 1, 0.0, self.training, False, True)
        return states


class TextRNN(nn.Module):
    """Pieces and features of a text -> the scores of its labels.

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
        forget: float = 0.1,
    ) -> None:
        super().__init__()
        self.vocabulary, self.hidden, self.forget = min(vocabulary, features), hidden, forget
        self.table = nn.Parameter(torch.randn(vocabulary, width) * 0.1)
        self.forth, self.back = GRU(width, hidden), GRU(width, hidden)
        self.drop_in, self.drop = nn.Dropout(dropout / 2), nn.Dropout(dropout)
        self.out = Linear(2 * hidden, labels)
        self.wide = Wide(features, labels, dropout)

    def forward(self, pieces: Tensor, features: Tensor) -> dict[str, Tensor]:
        """For training: pieces (B, T), features (B, R, K) -> deep and wide scores (B, labels)."""
        if self.training:
            pieces = forget_words(pieces, self.forget)
        real = (pieces != 0).to(self.table.dtype)
        x = self.drop_in(F.embedding(pieces, self.table))
        # Read backwards, the last piece comes first and padding still last, where it changes no state before it.
        last = (pieces != 0).sum(dim=1, keepdim=True) - 1
        order = (last - torch.arange(pieces.shape[1])[None]).clamp(min=0)  # (B, T)
        turned = x.gather(1, order[:, :, None].expand(-1, -1, x.shape[2]))
        strongest = torch.cat([largest(self.forth(x), real), largest(self.back(turned), real)], dim=1)  # (B, 2 H)
        return self.classify(self.drop(strongest), features)

    def read(self, token: Tensor, hidden: Tensor, strongest: Tensor) -> dict[str, Tensor]:
        """One piece further from both ends: token (B, 2), hidden and strongest (B, 2 H). Padding changes nothing."""
        x = F.embedding(token, self.table)  # (B, 2, D)
        forth, back = hidden.chunk(2, dim=1)
        states = torch.stack([self.forth.step(x[:, 0], forth), self.back.step(x[:, 1], back)], dim=1)  # (B, 2, H)
        real = (token != 0)[:, :, None]
        after = torch.where(real, states, torch.stack([forth, back], dim=1)).flatten(1)
        return {"hidden": after, "strongest": torch.maximum(strongest, after)}

    def classify(self, strongest: Tensor, features: Tensor) -> dict[str, Tensor]:
        """After the last piece: strongest (B, 2 H), features (B, R, K) -> scores."""
        return {"deep": self.out(strongest).float(), "wide": self.wide(features)}

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        state = dict.fromkeys(("hidden", "strongest"), ("float32", "batch", 2 * self.hidden))
        features = ("int64", "batch", "rows", 16)
        return {
            "read": ({"token": ("int64", "batch", 2), **state}, ("hidden", "strongest")),
            "classify": ({"strongest": state["strongest"], "features": features}, ("deep", "wide")),
        }


class LSTM(nn.Module):
    """A long short-term memory, by steps or over a whole text; torch's equations and order of gates.

    c' = sigmoid(forget) c + sigmoid(enter) tanh(new), h' = sigmoid(show) tanh(c').

    >>> unit = LSTM(4, 6)
    >>> h, c = unit.step(torch.zeros(2, 4), torch.zeros(2, 6), torch.zeros(2, 6))
    >>> h.shape, c.shape, unit(torch.zeros(2, 5, 4)).shape
    (torch.Size([2, 6]), torch.Size([2, 6]), torch.Size([2, 5, 6]))
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.enter, self.keep = Linear(width, 4 * hidden), Linear(hidden, 4 * hidden, bias=False)
        assert self.enter.bias is not None
        with torch.no_grad():  # it begins by remembering (Jozefowicz et al., 2015)
            self.enter.bias[hidden : 2 * hidden] = 1.0

    def step(self, x: Tensor, state: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, D), state and cell (B, H) -> the next two (B, H)."""
        enter, forget, new, show = (self.enter(x) + self.keep(state)).chunk(4, dim=1)
        cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(new)
        return torch.sigmoid(show) * torch.tanh(cell), cell

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) -> all states (B, T, H), from an empty one."""
        start = x.new_zeros(1, x.shape[0], self.hidden)
        bias = self.enter.bias
        assert bias is not None
        weights = [self.enter.weight.t(), self.keep.weight.t(), bias, torch.zeros_like(bias)]
        # has_biases, layers, dropout, train, both ways, batch first
        states, _, _ = torch.lstm(x, (start, start), weights, True, 1, 0.0, self.training, False, True)
        return states


class LanguageRNN(nn.Module):
    """Units so far -> how likely each next one is. From the second layer on a layer adds to what it was given.

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
        self.table = nn.Parameter(torch.randn(vocabulary, width))
        self.out_table = nn.Parameter(torch.zeros(vocabulary, width))
        self.lstm = cell == "lstm"
        self.layers = nn.ModuleList(LSTM(width, width) if self.lstm else GRU(width, width) for _ in range(depth))

    def forward(self, text: Tensor) -> dict[str, Tensor]:
        """For training: passages (B, S) -> hidden (B, T, D) of a window of each, what should come there (B, T), table."""
        wanted = crop(text, self.window)
        x = F.dropout(F.embedding(shifted(wanted), self.table), self.dropout, self.training)
        for number, layer in enumerate(self.layers):
            out = F.dropout(layer(x), self.dropout, self.training)
            x = x + out if number else out
        return {"hidden": x, "wanted": wanted, "table": self.out_table}

    def step(self, token: Tensor, hidden: Tensor, memory: Tensor | None = None) -> dict[str, Tensor]:
        """One unit further: token (B,), each layer's state (B, L, D), and its memory's, -> log-probabilities (B, V)."""
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
