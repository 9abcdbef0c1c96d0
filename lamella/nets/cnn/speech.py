"""A convolutional net that writes down speech.

`SpeechCNN` is built of blocks that mix time and channels apart, as QuartzNet (Kriman et al., 2020) and Citrinet (Majumdar
et al., 2021) are, in the form of ConvNeXt (Liu et al., 2022): a wide filter in each channel alone, then two products
over the channels of each step. Such blocks learn more a second of processor time than any other that was tried here.

The filters are narrow and nothing is averaged over the sound (no squeeze-excite): a net that hears a whole sentence at once learns
the few hundred sentences of an hour by heart. One that hears a second learns sounds; sentences are the language model's.

Tensors in, tensors out: what the letters mean is the task's business.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.ctc import FRAMES, real_steps
from lamella.nets.layers import Linear, filtered


class Halve(nn.Module):
    """A convolution over three neighbours that keeps every second: (B, 2 N, C) -> (B, N, D).

    One product of neighbours laid side by side, in the form that int8 quantisation recognises (see `layers.py`).
    """

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.filters = Linear(3 * n_in, n_out)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, channels = x.shape
        pairs = x.reshape(batch, length // 2, 2, channels)
        # The second of the pair before stands on the left, zeros before the first.
        before = F.pad(pairs[:, :, 1], (0, 0, 1, 0))[:, :-1]
        return torch.relu(self.filters(torch.cat([before, pairs[:, :, 0], pairs[:, :, 1]], dim=2)))


class Stem(nn.Module):
    """Frames -> steps: (B, T, 4, M) to (B, T, D), a quarter of the rate."""

    def __init__(self, bands: int, width: int) -> None:
        super().__init__()
        self.first, self.second = Halve(bands, width), Halve(width, width)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """mask (B, T): padding is set to 0 after each part, or its bias would reach the last steps of a sound."""
        batch, steps, four, bands = frames.shape
        x = self.first(frames.reshape(batch, steps * four, bands))  # (B, 2 T, D)
        x = x * mask[:, :, None].expand(batch, steps, 2).reshape(batch, steps * 2)[:, :, None]
        return self.second(x) * mask[:, :, None]


class Separable(nn.Module):
    """`x + down(silu(up(norm(filter(x)))))`: (B, T, D) -> (B, T, D).

    The last product starts at zero, so a block is nothing at first and a deep net learns as a shallow one does.
    """

    def __init__(self, width: int, span: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.filter = nn.Parameter(torch.randn(width, 1, span) * span**-0.5)  # one for each channel
        self.norm = nn.LayerNorm(width)
        self.up, self.down = Linear(width, 2 * width), Linear(2 * width, width)
        nn.init.zeros_(self.down.weight)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        y = self.down(F.silu(self.up(self.norm(filtered(x, self.filter, self.training)))))
        if self.training and self.dropout:
            y = F.dropout(y, self.dropout)
        return (x + y) * mask[:, :, None]


class SpeechCNN(nn.Module):
    """Log-mel frames -> scores of the letters, `rows` for each step of 40 ms.

    Letters follow each other faster than steps do in a word such as `through`, and CTC can write one a row only; more rows cost
    no more than a larger last product.

    >>> net = SpeechCNN(bands=80, letters=28, width=32, depth=1, rows=2)
    >>> net(torch.zeros(2, 25, 4, 80), torch.tensor([25, 20]))["scores"].shape
    torch.Size([2, 50, 28])
    """

    def __init__(
        self, bands: int, letters: int, width: int = 192, depth: int = 3, dropout: float = 0.1, rows: int = 1
    ) -> None:
        super().__init__()
        self.bands, self.letters, self.rows = bands, letters, rows
        self.stem = Stem(bands, width)
        # Wider and wider: letters first, then syllables.
        count = 3 * depth
        spans = [5 + 2 * round(2 * i / max(1, count - 1)) for i in range(count)]
        self.blocks = nn.ModuleList(Separable(width, span, dropout) for span in spans)
        self.norm, self.out = nn.LayerNorm(width), Linear(width, rows * letters)
        self.early = Linear(width, rows * letters)

    def forward(self, frames: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        """frames (B, T, 4, M), lengths (B,) in steps -> scores (B, rows T, V), in training early scores from half the depth too.

        A loss of its own at half the depth (Lee and Watanabe, 2021, "Intermediate loss") trains the lower blocks sooner.
        """
        frames = frames.to(self.out.weight.dtype)
        mask = real_steps(frames, lengths)
        x = self.stem(frames, mask)
        early = x
        for i, block in enumerate(self.blocks):
            x = block(x, mask)
            if i == len(self.blocks) // 2 - 1:
                early = x
        answer = {"scores": self._scores(self.out(self.norm(x))), "lengths": lengths * self.rows}
        return {**answer, "early": self._scores(self.early(early))} if self.training else answer

    def _scores(self, y: Tensor) -> Tensor:
        batch, steps, _ = y.shape
        return y.reshape(batch, steps * self.rows, self.letters).float()

    def listen(self, frames: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        """The graph that ships."""
        return self(frames, lengths)

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        frames = ("float32", "batch", "time", FRAMES, self.bands)
        return {"listen": ({"frames": frames, "lengths": ("int64", "batch")}, ("scores",))}
