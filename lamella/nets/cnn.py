"""Convolutional nets.

`ImageCNN` is a residual net over pictures (He et al., 2016): every block adds a correction to what came in, so that a
deep net begins as a shallow one.

`TextCNN` (Kim, 2014) slides windows of a few widths over a text's pieces; each filter looks for one phrase and reports
how well its best match fits, wherever it stands. Beside it stands a linear part over the text's features.

Tensors in, tensors out: what the pieces mean is the task's business. Padding is id 0, at the end.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.layers import Linear, Wide, forget_words, moved


class Windows(nn.Module):
    """Filters over windows of `span` neighbours, ends included, and the best match of each: (B, T, D) -> (B, C).

    Written as one product of the windows laid flat; it is torch's `conv1d` with span - 1 zeros at both ends.

    >>> Windows(width=4, channels=7, span=3)(torch.zeros(2, 5, 4), torch.ones(2, 5)).shape
    torch.Size([2, 7])
    """

    def __init__(self, width: int, channels: int, span: int) -> None:
        super().__init__()
        self.span = span
        self.filters = Linear(span * width, channels)

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        """x (B, T, D); real (B, T) is 1 at pieces and 0 at padding, where x is 0 too."""
        more = self.span - 1
        x = F.pad(x, (0, 0, more, more))  # (B, T + 2 more, D)
        count = x.shape[1] - more
        flat = torch.cat([x[:, i : i + count] for i in range(self.span)], dim=2)  # (B, T + more, span D)
        # A window that holds padding alone must not answer with its bias: it counts if its first piece does.
        inside = F.pad(real, (more, 0), value=1.0)
        return (torch.relu(self.filters(flat)) * inside[:, :, None]).amax(dim=1)


class TextCNN(nn.Module):
    """Pieces and features of a text -> the scores of its labels.

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
        forget: float = 0.1,
    ) -> None:
        super().__init__()
        self.vocabulary, self.forget = min(vocabulary, features), forget
        self.table = nn.Parameter(torch.randn(vocabulary, width) * 0.1)
        self.windows = nn.ModuleList(Windows(width, channels, span) for span in spans)
        self.drop_in, self.drop = nn.Dropout(dropout / 2), nn.Dropout(dropout)
        self.out = Linear(channels * len(spans), labels)
        self.wide = Wide(features, labels, dropout)

    def forward(self, pieces: Tensor, features: Tensor) -> dict[str, Tensor]:
        """pieces (B, T), features (B, R, K) -> deep and wide scores (B, labels)."""
        if self.training:
            pieces = forget_words(pieces, self.forget)
        real = (pieces != 0).to(self.table.dtype)
        x = self.drop_in(F.embedding(pieces, self.table)) * real[:, :, None]
        found = torch.cat([windows(x, real) for windows in self.windows], dim=1)  # (B, spans C)
        return {"deep": self.out(self.drop(found)).float(), "wide": self.wide(features)}

    def classify(self, pieces: Tensor, features: Tensor) -> dict[str, Tensor]:
        """The graph that ships."""
        return self(pieces, features)

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        inputs = {"pieces": ("int64", "batch", "time"), "features": ("int64", "batch", "rows", 16)}
        return {"classify": (inputs, ("deep", "wide"))}


class Convolution(nn.Module):
    """Filters over squares of neighbours, zeros around the edge: (B, C, H, W) -> (B, K, H / stride, W / stride).

    It is torch's `conv2d`. The weight is kept as a matrix, a row a filter: the optimizer then turns it as one.

    >>> Convolution(3, 8, stride=2)(torch.zeros(2, 3, 6, 6)).shape
    torch.Size([2, 8, 3, 3])
    """

    def __init__(self, n_in: int, n_out: int, side: int = 3, stride: int = 1, zero: bool = False) -> None:
        super().__init__()
        self.shape, self.stride, self.edge = (n_out, n_in, side, side), stride, side // 2
        fan = n_in * side**2
        self.weight = nn.Parameter(torch.zeros(n_out, fan) if zero else torch.randn(n_out, fan) * (2 / fan) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(n_out))

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight.view(self.shape).contiguous(memory_format=torch.channels_last)
        return F.conv2d(x, weight, self.bias, self.stride, self.edge)


class ResidualBlock(nn.Module):
    """`shortcut(x) + conv(relu(conv(relu(x))))`, the rectifiers first (He et al., 2016, "Identity mappings").

    The second convolution begins as zero (Zhang et al., 2019, "Fixup"): a block is its shortcut until it has learned
    something. That takes the place of batch normalisation, so an answer never hangs on which pictures are beside it.
    """

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.first, self.second = Convolution(n_in, n_out, stride=stride), Convolution(n_out, n_out, zero=True)
        self.shortcut = nn.Identity() if n_in == n_out and stride == 1 else Convolution(n_in, n_out, side=1)

    def forward(self, x: Tensor) -> Tensor:
        beside = F.avg_pool2d(x, self.stride) if self.stride > 1 else x
        return self.shortcut(beside) + self.second(torch.relu(self.first(torch.relu(x))))


class ImageCNN(nn.Module):
    """Pictures -> the scores of their labels: three resolutions, each half of the one before and twice as wide.

    >>> ImageCNN(channels=1, side=28, labels=10, width=32, depth=2)(torch.zeros(2, 1, 28, 28))["scores"].shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        channels: int,
        side: int,
        labels: int,
        width: int = 192,
        depth: int = 3,
        dropout: float = 0.2,
        shift: float = 0.0,
        turn: float = 0.0,
        zoom: float = 0.0,
        mirror: bool = False,
    ) -> None:
        super().__init__()
        self.channels, self.side, self.moves = channels, side, (shift, turn, zoom, mirror)
        widths = (width // 4, width // 2, width)
        self.stem = Convolution(channels, widths[0], stride=2 if side > 40 else 1)
        blocks, now = [], widths[0]
        for stage, wide in enumerate(widths):
            # Of two blocks none is at full resolution, where they cost most.
            for i in range((depth + stage) // 3):
                blocks.append(ResidualBlock(now, wide, stride=2 if stage and not i else 1))
                now = wide
        self.blocks = nn.ModuleList(blocks)
        self.drop, self.out = nn.Dropout(dropout), Linear(width, labels)

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """pictures (B, C, H, W) -> scores (B, labels)."""
        if self.training:
            pictures = moved(pictures, *self.moves)
            pictures = pictures.contiguous(memory_format=torch.channels_last)  # as the convolutions like it
        x = self.stem(pictures)  # (B, W/4, H, W)
        for block in self.blocks:
            x = block(x)
        seen = torch.relu(x).mean(dim=(2, 3))  # (B, W)
        return {"scores": self.out(self.drop(seen)).float()}

    def classify(self, pictures: Tensor) -> dict[str, Tensor]:
        """The graph that ships."""
        return self(pictures)

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        return {"classify": ({"pictures": ("float32", "batch", self.channels, self.side, self.side)}, ("scores",))}
