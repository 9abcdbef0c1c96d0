"""A Conformer that writes down speech.

`Conformer` (Gulati et al., 2020): half a feed-forward layer, attention over the whole sound, a convolution in each channel
over its neighbours, the other half. Convolutions tell where a step is, so that attention needs no positions.

Tensors in, tensors out: what the letters mean is the task's business.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.cnn.speech import Stem
from lamella.nets.ctc import FRAMES, real_steps
from lamella.nets.layers import MASKED, FeedForward, Linear, SelfAttention, filtered

SPAN = 15  # steps of the convolution, 0.6 s


class Block(nn.Module):
    """(B, T, D) -> (B, T, D)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.before = FeedForward(width, 2 * width, dropout, "swish")
        self.after = FeedForward(width, 2 * width, dropout, "swish")
        self.attention = SelfAttention(width, heads, dropout)
        self.gated, self.mix = Linear(width, 2 * width), Linear(width, width)
        self.filter = nn.Parameter(torch.randn(width, 1, SPAN) * SPAN**-0.5)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(6))

    def forward(self, x: Tensor, mask: Tensor, bias: Tensor) -> Tensor:
        """mask (B, T) is 0 at padding, bias (B, 1, 1, T) keeps attention from it."""
        real = mask[:, :, None]
        x = x + 0.5 * self.before(self.norms[0](x))
        x = x + self._drop(self.attention(self.norms[1](x), bias))
        value, gate = self.gated(self.norms[2](x)).chunk(2, dim=2)
        y = filtered(value * torch.sigmoid(gate) * real, self.filter, self.training)
        x = x + self._drop(self.mix(F.silu(self.norms[3](y))))
        x = x + 0.5 * self.after(self.norms[4](x))
        return self.norms[5](x) * real

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout) if self.training and self.dropout else x


class Conformer(nn.Module):
    """Log-mel frames -> scores of the letters, a row for each step of 40 ms.

    >>> net = Conformer(bands=80, letters=28, width=32, depth=1, heads=2)
    >>> net(torch.zeros(2, 25, 4, 80), torch.tensor([25, 20]))["scores"].shape
    torch.Size([2, 25, 28])
    """

    def __init__(
        self, bands: int, letters: int, width: int = 192, depth: int = 3, heads: int = 4, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.bands = bands
        self.stem = Stem(bands, width)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(2 * depth))
        self.out, self.early = Linear(width, letters), Linear(width, letters)

    def forward(self, frames: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        """frames (B, T, 4, M), lengths (B,) in steps -> scores (B, T, V), in training early scores from half the depth too."""
        frames = frames.to(self.out.weight.dtype)
        mask = real_steps(frames, lengths)
        bias = (1 - mask)[:, None, None] * MASKED  # (B, 1, 1, T)
        x = self.stem(frames, mask)
        early = x
        for i, block in enumerate(self.blocks):
            x = block(x, mask, bias)
            if i == len(self.blocks) // 2 - 1:
                early = x
        answer = {"scores": self.out(x).float(), "lengths": lengths}
        return {**answer, "early": self.early(early).float()} if self.training else answer

    def listen(self, frames: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        """The graph that ships."""
        return self(frames, lengths)

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        frames = ("float32", "batch", "time", FRAMES, self.bands)
        return {"listen": ({"frames": frames, "lengths": ("int64", "batch")}, ("scores",))}
