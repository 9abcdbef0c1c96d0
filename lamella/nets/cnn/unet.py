"""A convolutional net that gives each point of a picture its label.

`UNet` (Ronneberger et al., 2015): a residual net halves the picture three times, so that it sees what is around; then its
levels are doubled again and joined, so that edges stay exact.

    picture (B, C, H, W) -> levels at strides s, 2s, 4s, 8s -> joined upwards by sums -> scores (B, labels, H, W)

Levels are joined by sums and not side by side: a sum needs no common scale when the net becomes int8, and is a third
cheaper. Doubling repeats points and a convolution smooths them: a transposed convolution leaves a chequered pattern (Odena
et al., 2016). With s = 2 the levels begin at half the picture's sides, where they cost a quarter, and one cheap layer at
full size puts the edges back.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.cnn.centers import NormedBlock, NormedConvolution, doubled
from lamella.nets.cnn.image import Convolution

MULTIPLE = 16  # the sides of a picture are multiples of this: they are halved up to four times


class UNet(nn.Module):
    """Pictures -> the scores of each point's labels, as unnormalised log-probabilities.

    >>> net = UNet(channels=3, labels=4, width=96, depth=2, stride=2)
    >>> net(torch.zeros(2, 3, 32, 48))["scores"].shape
    torch.Size([2, 4, 32, 48])
    """

    def __init__(self, channels: int, labels: int, width: int = 192, depth: int = 3, stride: int = 2) -> None:
        super().__init__()
        self.channels, self.stride = channels, stride
        widths = width // 8, width // 4, 3 * width // 8, width // 2
        self.stem = NormedConvolution(channels, widths[0], stride=stride, gain=1.0)
        down, now = [], widths[0]
        for i, wide in enumerate(widths):
            # The first level has the most points, where each block costs most.
            count = max(1, (depth + (i > 0)) // 2)
            blocks = [NormedBlock(wide if j else now, wide, 2 if i and not j else 1) for j in range(count)]
            down.append(nn.Sequential(*blocks))
            now = wide
        self.down = nn.ModuleList(down)
        pairs = list(zip(widths[1:], widths[:-1], strict=True))
        self.rise = nn.ModuleList(NormedConvolution(n_in, n_out, side=1) for n_in, n_out in pairs)
        self.lateral = nn.ModuleList(NormedConvolution(wide, wide, side=1) for wide in widths[:-1])
        # Without shortcuts: a block that begins as one would leave the joined levels idle for the first hundred steps.
        self.up = nn.ModuleList(NormedConvolution(wide, wide) for wide in widths[:-1])
        fine = max(8, width // 12)
        if stride > 1:
            self.fine = NormedConvolution(channels, fine, gain=1.0)
            self.last = NormedConvolution(widths[0], fine, side=1)
            self.mix = NormedConvolution(fine, fine)
        self.out = Convolution(fine if stride > 1 else widths[0], labels, zero=True)

    def forward(self, pictures: Tensor, sizes: Tensor | None = None) -> dict[str, Tensor]:
        """pictures (B, C, H, W) -> scores (B, labels, H, W); H and W are multiples of 16.

        sizes is ignored: it is in the batch because `decode` gives masks at the size of the original picture.
        """
        if self.training:
            pictures = pictures.contiguous(memory_format=torch.channels_last)
        x = self.stem(pictures)
        levels = []
        for level in self.down:
            x = level(x)
            levels.append(x)
        for i in reversed(range(len(self.up))):
            joined = self.lateral[i](torch.relu(levels[i])) + doubled(self.rise[i](torch.relu(x)))
            x = self.up[i](torch.relu(joined))
        if self.stride > 1:
            x = self.mix(torch.relu(self.fine(pictures) + doubled(self.last(torch.relu(x)))))
        return {"scores": self.out(torch.relu(x)).float()}

    def segment(self, blocks: Tensor) -> dict[str, Tensor]:
        """The graph that ships: pictures of any height and width, (B, C, H/16, 16, W/16, 16) -> scores (B, labels, H, W).

        The exporter has to know that a side can be halved four times without a rest. Cut into blocks of 16 it cannot be
        otherwise, and for the caller that is only another view of the same array.
        """
        b, c, rows, side, columns, _ = blocks.shape
        return self(blocks.reshape(b, c, rows * side, columns * side))

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        axes = "float32", "batch", self.channels, "rows", MULTIPLE, "columns", MULTIPLE
        return {"segment": ({"blocks": axes}, ("scores",))}


def segmentation_loss(scores: Tensor, labels: Tensor, ignore: int, without_first: bool) -> Tensor:
    """Cross-entropy and soft Dice (Milletari et al., 2016), which weigh points and labels alike; one number.

    scores (B, L, H, W); labels (B, H, W) of whole numbers, `ignore` where none is known: such points count in neither.
    Dice is summed over the batch: a label that a picture lacks would be noise by itself. without_first: the first label,
    the background, is left out of it. Dice alone would collapse to the background where labels are rare.

    >>> scores = torch.tensor([[[[9.0]], [[-9.0]]]])
    >>> round(segmentation_loss(scores, torch.tensor([[[0]]]), 255, False).item(), 3)
    0.0
    """
    logs = F.log_softmax(scores.float(), dim=1)
    labels, known = labels.flatten(), (labels != ignore).flatten()
    safe = torch.where(known, labels, 0)
    count = logs.shape[1]
    flat = logs.movedim(1, -1).reshape(-1, count)  # (N, L), a point a row
    right = flat.gather(1, safe[:, None])[:, 0]  # (N,)
    entropy = -(right * known).sum() / known.sum().clamp(min=1)
    # The sums over each label's points without an array of ones and zeros for all labels.
    both = torch.zeros(count, device=logs.device).index_add(0, safe, right.exp() * known)
    wanted = torch.zeros(count, device=logs.device).index_add(0, safe, known.float())
    dice = 1 - (2 * both + 1) / (known.float() @ flat.exp() + wanted + 1)  # (L,); 1: for labels that neither side has
    present = wanted > 0
    if without_first:
        present = present & (torch.arange(count, device=logs.device) > 0)
    return entropy + (dice * present).sum() / present.sum().clamp(min=1)
