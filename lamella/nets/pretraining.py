"""Learn from pictures without labels, for nets that later learn from few of them.

`Views` shows the net two changed copies of each picture, whose vectors should agree and yet tell pictures apart (VICReg;
Bardes et al., 2022): for nets of convolutions. `Patches` hides patches of a picture, which the net should paint (SimMIM; Xie et al.,
2022): for the Transformer, which has no built-in idea of neighbours and learns it so. Both hold the net of
`cnn/image.py` or `transformer/classifiers.py` under the name `net`, so that its weights can be taken as they are.

Tensors in, tensors out: B pictures, C channels, S side, D numbers of a vector.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.cnn.image import ImageCNN
from lamella.nets.cnn.pyramid import PyramidCNN
from lamella.nets.layers import Linear
from lamella.nets.transformer.classifiers import ImageTransformer
from lamella.nets.transformer.patch_classifier import PatchClassifier

HIDDEN = 0.6  # share of the patches that are hidden
AGREE, SPREAD, APART = 25.0, 25.0, 1.0  # weights of the three terms, as in the paper


class Views(nn.Module):
    """A net that pools what it sees, and a projector, which only training needs: the loss is hard on what it looks at, and the net's own
    vector is not.

    >>> net = Views(ImageCNN(1, 12, 1, width=16, depth=2))
    >>> out = net(torch.zeros(6, 1, 12, 12))  # two views of three pictures
    >>> out["one"].shape, net.embed(torch.zeros(2, 1, 12, 12))["vector"].shape
    (torch.Size([3, 64]), torch.Size([2, 16]))
    """

    def __init__(self, net: ImageCNN | PyramidCNN | PatchClassifier) -> None:
        super().__init__()
        wide = 4 * net.features
        self.net, self.longer, self.project = net, Linear(net.features, wide), Linear(wide, wide)

    def embed(self, pictures: Tensor) -> dict[str, Tensor]:
        """The graph that ships: pictures (B, C, S, S) -> vectors of length 1 (B, D)."""
        return {"vector": F.normalize(self.net.pooled(pictures).float(), dim=1)}

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """Two views of each picture, one half after the other (2 B, C, S, S) -> their projections (B, 4 D) each."""
        one, other = self.project(torch.relu(self.longer(self.net.pooled(pictures)))).float().chunk(2)
        return {"one": one, "other": other}

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        return _graphs(self.net)


class Patches(nn.Module):
    """A Transformer that paints hidden patches.

    >>> net = Patches(ImageTransformer(1, 16, 4, 1, width=8, depth=1, heads=2), 8)
    >>> out = net(torch.zeros(2, 1, 16, 16))
    >>> out["made"].shape, out["hidden"].shape, net.embed(torch.zeros(2, 1, 16, 16))["vector"].shape
    (torch.Size([2, 16, 16]), torch.Size([2, 16]), torch.Size([2, 8]))
    """

    def __init__(self, net: ImageTransformer, width: int) -> None:
        super().__init__()
        self.net = net
        self.mask = nn.Parameter(torch.randn(width) * 0.02)
        self.paint = Linear(width, net.channels * net.patch**2)

    def embed(self, pictures: Tensor) -> dict[str, Tensor]:
        """The graph that ships: pictures (B, C, S, S) -> vectors of length 1 (B, D)."""
        return {
            "vector": F.normalize(self.net.read(self.net.enter(self.net.patches(pictures))).mean(dim=1).float(), dim=1)
        }

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """Pictures (B, C, S, S) -> patches as they are and as they are painted (B, T, C P P), and which were hidden (B, T)."""
        wanted = self.net.patches(pictures)
        hidden = torch.rand(wanted.shape[:2], device=pictures.device) < HIDDEN
        x = torch.where(hidden[:, :, None], self.mask, self.net.enter(wanted))
        return {"made": self.paint(self.net.read(x)).float(), "wanted": wanted, "hidden": hidden}

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        return _graphs(self.net)


def _graphs(
    net: ImageCNN | PyramidCNN | PatchClassifier | ImageTransformer,
) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
    return {"embed": ({"pictures": ("float32", "batch", net.channels, net.side, net.side)}, ("vector",))}


def vicreg(one: Tensor, other: Tensor) -> Tensor:
    """Variance, invariance and covariance (Bardes et al., 2022): (B, D) twice -> a number.

    Two views agree; each number varies over the batch by 1 at least, so that not all pictures are alike; no two numbers say
    the same.

    >>> same = torch.zeros(4, 2)
    >>> round(vicreg(same, same).item(), 1)  # nothing varies: a collapse, whose views agree
    24.8
    """
    agree = F.mse_loss(one, other)
    spread, apart = one.new_zeros(()), one.new_zeros(())
    for z in (one, other):
        centred = z - z.mean(dim=0)
        deviation = (centred.square().sum(dim=0) / (len(z) - 1) + 1e-4).sqrt()
        spread = spread + torch.relu(1 - deviation).mean() / 2
        covariance = centred.t() @ centred / (len(z) - 1)
        apart = apart + (covariance.square().sum() - covariance.diagonal().square().sum()) / z.shape[1]
    return AGREE * agree + SPREAD * spread + APART * apart


def painting_error(made: Tensor, wanted: Tensor, hidden: Tensor) -> Tensor:
    """The mean squared error of the hidden patches: (B, T, P) twice, (B, T) -> a number."""
    errors = (made - wanted.float()).square().mean(dim=2) * hidden
    return errors.sum() / hidden.sum().clamp(min=1)
