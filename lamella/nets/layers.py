"""The layers that the Transformers are made of. Shapes are at the line: B sentences, T or S positions, D width, H heads.

Weights are stored (in, out) and applied as `x @ w`, not as torch's (out, in): the exported graph then holds plain
products of an input and a stored matrix, which is the one form that int8 quantisation recognises everywhere.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Not -inf: a row that is masked everywhere would give NaN, and float16 could not hold a much larger number.
MASKED = -1e4  # added to the score of a position that may not be attended to: exp() of it is 0


class Linear(nn.Module):
    """`y = x w + b`, Glorot-uniform weights (Glorot and Bengio, 2010), (..., n_in) -> (..., n_out)."""

    def __init__(self, n_in: int, n_out: int, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_in, n_out))
        # The bias starts at zero: only the weights must differ from each other for units to learn different things.
        self.bias = nn.Parameter(torch.zeros(n_out)) if bias else None
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        y = x @ self.weight
        return y if self.bias is None else y + self.bias

    def __repr__(self) -> str:
        return f"Linear({self.weight.shape[0]} -> {self.weight.shape[1]})"


def positions(length: int, width: int, layout: str = "interleaved") -> Tensor:
    """Sinusoidal position encoding (Vaswani et al., 2017, section 3.5), (length, width).

    "interleaved", as in the paper: even columns hold sin(t / 10000^(i / width)), odd columns the cosine of the same angle.
    "halves": all sines first, then all cosines (MarianMT of Hugging Face). "marian": halves, where the angles go down to
    1 / 10000 exactly, as in Tensor2Tensor and Marian.

    >>> positions(3, 4)[0].tolist(), positions(3, 4, "halves")[0].tolist()
    ([0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0])
    """
    # Each pair of columns has its own wavelength, from 2 pi to about 10,000 times 2 pi: short ones tell neighbours
    # apart, long ones tell the start of a text from its end.
    exponents = torch.arange(0, width, 2) / (max(1, width - 2) if layout == "marian" else width)
    angle = torch.arange(length)[:, None] / 10000.0**exponents  # (T, D/2)
    if layout == "interleaved":
        return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)  # (T, D)
    return torch.cat([angle.sin(), angle.cos()], dim=-1)  # (T, D)


def grid_positions(side: int, width: int) -> Tensor:
    """Where each cell of a grid is, row by row (side * side, width): half of the columns say its row, the others its column.

    Sines and cosines whose waves go from four times the grid to two cells long. Random numbers in their place have to be
    learned into such an order first, in which nets of few steps fail: they cannot tell which of two things is above the other.

    >>> grid_positions(3, 8).shape, grid_positions(2, 4).mul(10).int()[:, :2].tolist()
    (torch.Size([9, 8]), [[3, 9], [3, 9], [9, 3], [9, 3]])
    """
    waves = math.pi / (2 * side) * (2.0 * side) ** torch.linspace(0, 1, max(2, -(-width // 4)))
    angle = (torch.arange(side) + 0.5)[:, None] * waves[: -(-width // 4)]
    line = torch.cat([angle.sin(), angle.cos()], dim=1)[:, : width // 2]  # (side, D / 2)
    rows, columns = line[:, None].expand(-1, side, -1), line[None].expand(side, -1, -1)
    return torch.cat([rows, columns], dim=2).flatten(0, 1)


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(B, T, D) -> (B, H, T, D/H)."""
    batch, length, width = x.shape
    # The heads come before time, so that one batched product serves all of them.
    return x.view(batch, length, heads, width // heads).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """(B, H, T, D/H) -> (B, T, D)."""
    batch, heads, length, width = x.shape
    # Not `flatten`: in ONNX that asks for the shape and cuts it, at every call.
    return x.transpose(1, 2).reshape(batch, length, heads * width)


def attend(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None, dropout: float = 0.0
) -> tuple[Tensor, Tensor]:
    """`softmax(Q K^T / sqrt(d)) V` (Vaswani et al., 2017), written out.

    Torch's fused `scaled_dot_product_attention` is for long sequences: over sentences of 20 to 30 tokens its bfloat16
    form took 31 ms where these two products and a softmax take 2, and its exported form has three times the nodes.

    query (B, H, T, d), key and value (B, H, S, d); bias is added to the scores, (B, 1 or H, 1 or T, S): 0 where a
    position may be seen and a large negative number where not. Returns the sum (B, H, T, d) and the weights (B, H, T, S).
    """
    # Divided by the root of d: a sum of d products has variance d, and a softmax of large scores has no gradient.
    scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5  # (B, H, T, S)
    weights = torch.softmax(scores if bias is None else scores + bias, dim=-1)
    if dropout:
        weights = F.dropout(weights, dropout)
    return weights @ value, weights


def causal_bias(length: int, device: torch.device | None = None) -> Tensor:
    """Causal mask (T, T) to add to scores: 0 for a position itself and those before it, MASKED for those after it.

    >>> causal_bias(2).tolist()
    [[0.0, -10000.0], [0.0, 0.0]]
    """
    return torch.full((length, length), MASKED, device=device).triu(1)


class SelfAttention(nn.Module):
    """Multi-head self-attention; one product makes queries, keys and values: (B, T, D) -> (B, T, D)."""

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.query_key_value = Linear(width, 3 * width)
        self.out = Linear(width, width)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, T, D) -> three of (B, H, T, d)."""
        query, key, value = self.query_key_value(x).chunk(3, dim=-1)
        return split_heads(query, self.heads), split_heads(key, self.heads), split_heads(value, self.heads)

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        mixed, _ = attend(*self.project(x), bias, self.dropout if self.training else 0.0)
        return self.out(merge_heads(mixed))


class CrossAttention(nn.Module):
    """Multi-head attention from the decoder's positions (B, T, D) to the encoder's output (B, S, D)."""

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        # Apart from the query: keys and values are computed once a sentence, the query once a token.
        self.query = Linear(width, width)
        self.key_value = Linear(width, 2 * width)
        self.out = Linear(width, width)

    def remember(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """The encoder's output (B, S, D) -> keys and values, (B, H, S, d) each."""
        key, value = self.key_value(memory).chunk(2, dim=-1)
        return split_heads(key, self.heads), split_heads(value, self.heads)

    def forward(self, x: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
        query = split_heads(self.query(x), self.heads)
        mixed, _ = attend(query, key, value, bias, self.dropout if self.training else 0.0)
        return self.out(merge_heads(mixed))


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "swish": F.silu,  # x sigmoid(x) (Ramachandran et al., 2017)
    "gelu": F.gelu,  # x times the normal distribution's share below x (Hendrycks and Gimpel, 2016)
    "quick-gelu": lambda x: x * torch.sigmoid(1.702 * x),  # the same paper's approximation, which Marian uses
}


class FeedForward(nn.Module):
    """Two linear layers with a ReLU, or another of `ACTIVATIONS`, between them: (B, T, D) -> (B, T, D)."""

    def __init__(self, width: int, inner: int, dropout: float = 0.0, activation: str = "relu") -> None:
        super().__init__()
        self.up, self.down, self.dropout = Linear(width, inner), Linear(inner, width), dropout
        self.activation = ACTIVATIONS[activation]

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.activation(self.up(x))
        if self.dropout and self.training:
            hidden = F.dropout(hidden, self.dropout)
        return self.down(hidden)


def filtered(x: Tensor, weight: Tensor, training: bool = False) -> Tensor:
    """A filter of its own over time in each channel, with zeros at both ends: x (B, T, D), weight (D, 1, K) -> (B, T, D).

    The same as torch's `conv1d` in groups of one. Where it is exported it is written in two dimensions: onnxruntime has a kernel
    for such filters of pictures alone, and reads channels that come last as they are; a net of speech takes a quarter less time.

    >>> filtered(torch.ones(1, 4, 2), torch.ones(2, 1, 3))[0, :, 0].tolist()
    [2.0, 3.0, 3.0, 2.0]
    """
    half, channels = weight.shape[2] // 2, x.shape[2]
    if training:
        return F.conv1d(x.transpose(1, 2), weight, padding=half, groups=channels).transpose(1, 2)
    y = F.conv2d(x.unsqueeze(1).permute(0, 3, 1, 2), weight.unsqueeze(2), padding=(0, half), groups=channels)
    return y.permute(0, 2, 3, 1).squeeze(1)


# ---- pooling and features, for nets that classify a whole text ---------------------------------------------------


def max_over_time(x: Tensor, mask: Tensor) -> Tensor:
    """The maximum over time, at least 0: x (B, T, D), mask (B, T) 1 at tokens and 0 at padding -> (B, D).

    The lower limit of 0 lets a maximum be kept step by step from a state of zeros, and padding never raises it.
    """
    return (x * mask[:, :, None]).amax(dim=1).clamp(min=0)


def mean_over_time(x: Tensor, mask: Tensor) -> Tensor:
    """The mean over time without padding: x (B, T, D), mask (B, T) 1 at tokens and 0 at padding -> (B, D)."""
    # A text without tokens has no mean: it is divided by 1, not by 0.
    return (x * mask[:, :, None]).sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(min=1)


def drop_words(tokens: Tensor, share: float, unknown: int = 1) -> Tensor:
    """Replace a random share of the tokens by the unknown token, so that no prediction depends on a single word.

    tokens (B, T) ids -> (B, T) ids; padding (id 0) stays. For training: word dropout (Iyyer et al., 2015).
    """
    dropped = (torch.rand(tokens.shape, device=tokens.device) < share) & (tokens != 0)
    return torch.where(dropped, unknown, tokens)


class Wide(nn.Module):
    """A linear classifier over sparse features: the wide half of a wide and deep net (Cheng et al., 2016).

    features (B, R, K) of ids, where 0 means none -> scores (B, labels). The sum of the weights of a text's features is
    divided by the root of their number; otherwise scores would grow with the length of the text.
    """

    def __init__(self, features: int, labels: int, dropout: float = 0.0) -> None:
        super().__init__()
        # Zeros are a fair start for a linear model: its loss is convex, so there is no symmetry to break.
        self.table = nn.Parameter(torch.zeros(features, labels))
        self.bias = nn.Parameter(torch.zeros(labels))
        self.dropout = dropout

    def forward(self, features: Tensor) -> Tensor:
        ids = features.flatten(1)  # (B, R K)
        present = (ids != 0).float()
        size = present.sum(dim=1, keepdim=True).clamp(min=1).sqrt()
        if self.training and self.dropout:
            present = F.dropout(present, self.dropout)
        # The sum is made in float32: thousands of small numbers lose too much in bfloat16.
        weights = F.embedding(ids, self.table).float()  # (B, R K, L)
        return (present[:, None] @ weights)[:, 0] / size + self.bias.float()

    def freeze(self, table: Tensor, bias: Tensor) -> None:
        """Set the table (features, labels) and the bias (labels,) to a known solution, and exclude them from training."""
        with torch.no_grad():
            self.table.copy_(table)
            self.bias.copy_(bias)
        self.requires_grad_(False)
