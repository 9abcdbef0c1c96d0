"""The layers that the Transformers are made of. Shapes are at the line: B sentences, T or S positions, D width, H heads.

Weights are stored (in, out) and applied as `x @ w`, not as torch's (out, in): the exported graph then holds plain
products of an input and a stored matrix, which is the one form that int8 quantisation recognises everywhere.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

HIDDEN = -1e4  # added to a score that may not be seen: exp() gives 0, and every float type can hold it


class Linear(nn.Module):
    """`y = x w + b`, Glorot-uniform weights (Glorot and Bengio, 2010), (..., n_in) -> (..., n_out)."""

    def __init__(self, n_in: int, n_out: int, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_in, n_out))
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
    exponents = torch.arange(0, width, 2) / (max(1, width - 2) if layout == "marian" else width)
    angle = torch.arange(length)[:, None] / 10000.0**exponents  # (T, D/2)
    if layout == "interleaved":
        return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)  # (T, D)
    return torch.cat([angle.sin(), angle.cos()], dim=-1)  # (T, D)


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(B, T, D) -> (B, H, T, D/H)."""
    batch, length, width = x.shape
    return x.view(batch, length, heads, width // heads).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """(B, H, T, D/H) -> (B, T, D)."""
    return x.transpose(1, 2).flatten(2)


def attend(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None, dropout: float = 0.0
) -> tuple[Tensor, Tensor]:
    """`softmax(Q K^T / sqrt(d)) V` (Vaswani et al., 2017), written out.

    Torch's fused `scaled_dot_product_attention` is for long sequences: over sentences of 20 to 30 tokens its bfloat16
    form took 31 ms where these two products and a softmax take 2, and its exported form has three times the nodes.

    query (B, H, T, d), key and value (B, H, S, d); bias is added to the scores, (B, 1 or H, 1 or T, S): 0 where a
    position may be seen and a large negative number where not. Returns the sum (B, H, T, d) and the weights (B, H, T, S).
    """
    scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5  # (B, H, T, S)
    weights = torch.softmax(scores if bias is None else scores + bias, dim=-1)
    if dropout:
        weights = F.dropout(weights, dropout)
    return weights @ value, weights


def causal_bias(length: int, device: torch.device | None = None) -> Tensor:
    """(T, T): 0 where a position may look (itself and before), HIDDEN where it may not (after).

    >>> causal_bias(2).tolist()
    [[0.0, -10000.0], [0.0, 0.0]]
    """
    return torch.full((length, length), HIDDEN, device=device).triu(1)


class SelfAttention(nn.Module):
    """Multi-head self-attention; queries, keys and values come from one product."""

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
    """Multi-head attention of the decoder's positions to the encoder's; keys and values are made once a sentence."""

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
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
    "quick-gelu": lambda x: x * torch.sigmoid(1.702 * x),  # the approximation of the same paper, as Marian has it
}


class FeedForward(nn.Module):
    """Two products with a rectifier, or another of `ACTIVATIONS`, between them: (B, T, D) -> (B, T, D)."""

    def __init__(self, width: int, inner: int, dropout: float = 0.0, activation: str = "relu") -> None:
        super().__init__()
        self.up, self.down, self.dropout = Linear(width, inner), Linear(inner, width), dropout
        self.activation = ACTIVATIONS[activation]

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.activation(self.up(x))
        if self.dropout and self.training:
            hidden = F.dropout(hidden, self.dropout)
        return self.down(hidden)


# ---- for nets that answer about a whole text ---------------------------------------------------------------------


def largest(x: Tensor, real: Tensor) -> Tensor:
    """The largest value over time, and 0 where none is above: (B, T, D), real (B, T) 0 or 1 -> (B, D).

    With 0 for the least a maximum can be kept step by step from an empty start, and padding counts as nothing.
    """
    return (x * real[:, :, None]).amax(dim=1).clamp(min=0)


def mean(x: Tensor, real: Tensor) -> Tensor:
    """The mean over time, padding left out: (B, T, D), real (B, T) 0 or 1 -> (B, D)."""
    return (x * real[:, :, None]).sum(dim=1) / real.sum(dim=1, keepdim=True).clamp(min=1)


def drop_words(tokens: Tensor, share: float, unknown: int = 1) -> Tensor:
    """In training a share of the tokens becomes the unknown one, so that no answer hangs on a single word.

    (B, T) ids -> (B, T) ids; padding (id 0) stays. Word dropout: Iyyer et al., 2015.
    """
    lost = (torch.rand(tokens.shape, device=tokens.device) < share) & (tokens != 0)
    return torch.where(lost, unknown, tokens)


class Wide(nn.Module):
    """Linear in which features a text has: the wide half of a wide and deep net (Cheng et al., 2016).

    features (B, R, K) of ids, 0 being none -> (B, labels). Each label has one weight a feature; the sum over a text's
    features is divided by the root of their number, so that long texts are not surer of everything.
    """

    def __init__(self, features: int, labels: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.zeros(features, labels))
        self.bias = nn.Parameter(torch.zeros(labels))
        self.dropout = dropout

    def forward(self, features: Tensor) -> Tensor:
        ids = features.flatten(1)  # (B, R K)
        there = (ids != 0).float()
        size = there.sum(dim=1, keepdim=True).clamp(min=1).sqrt()
        if self.training and self.dropout:
            there = F.dropout(there, self.dropout)
        weights = F.embedding(ids, self.table).float()  # (B, R K, L)
        return (weights * there[:, :, None]).sum(dim=1) / size + self.bias.float()

    def settle(self, table: Tensor, bias: Tensor) -> None:
        """Be where it should be, (features, labels) and (labels), and stay there."""
        with torch.no_grad():
            self.table.copy_(table)
            self.bias.copy_(bias)
        self.requires_grad_(False)
