"""A net that draws pictures: an autoencoder between pictures and grids of codes, and a Transformer that knows which
codes go together. They are trained one after the other, each by a likelihood. Beside the first one a small net learns to
read labels.

Tensors in, tensors out: B pictures, C channels, S side, T = G x G codes of a picture, K codes there are.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from lamella.nets.transformer.code_grid import GridTransformer
from lamella.nets.vae.coder import Coder
from lamella.nets.vae.reader import LabelReader, hidden_regions

CODES, PRIOR = "codes", "prior"  # the phases of its training, and how the names of their weights begin


class Generator(nn.Module):
    """The autoencoder and the prior; `phase` says which of the two a training step is for.

    >>> net = Generator(channels=1, side=16, halvings=2, labels=3, width=16, depth=1, heads=2)
    >>> codes = net.encode(torch.rand(2, 1, 16, 16))["codes"]
    >>> codes.shape, net.decode(codes)["values"].shape, net.fill(codes, torch.tensor([0, 3]))["scores"].shape
    (torch.Size([2, 16]), torch.Size([2, 1, 16, 16]), torch.Size([2, 16, 240]))
    """

    phase: str = ""

    def __init__(
        self,
        channels: int,
        side: int,
        halvings: int,
        labels: int,
        width: int = 192,
        depth: int = 3,
        heads: int = 4,
        dropout: float = 0.1,
        kind: Literal["fsq", "vq"] = "fsq",
        count: int = 240,
    ) -> None:
        super().__init__()
        self.codes = Coder(channels, side, halvings, width // 2, max(1, depth - 1), kind, count)
        self.count, self.grid = self.codes.quantizer.count, self.codes.grid
        self.prior = GridTransformer(self.count, self.grid, max(1, labels), width, depth + 1, heads, dropout)
        self.reader = LabelReader(channels, side, halvings, labels, width // 2) if labels > 1 else None
        self.vocabulary = min(
            self.count, max(1, labels) + 1
        )  # ids that every graph takes: what an export is tried with

    def encode(self, pictures: Tensor) -> dict[str, Tensor]:
        """Pictures from 0 to 1 (B, C, S, S) -> codes (B, T) in reading order."""
        return {"codes": self.codes.codes(pictures).flatten(1)}

    def decode(self, codes: Tensor) -> dict[str, Tensor]:
        """Codes (B, T) -> values of the points (B, C, S, S), not bounded, and log_scale (B,) of their distribution."""
        values, scale = self.codes.pictures(codes.view(-1, self.grid, self.grid))
        return {"values": values, "log_scale": scale}

    def fill(self, codes: Tensor, label: Tensor) -> dict[str, Tensor]:
        """Codes (B, T), -1 where one is missing, and labels (B,), 0 for any -> log-probabilities "scores" (B, T, K)."""
        return {"scores": self.prior(codes, label)}

    def read(self, pictures: Tensor, hidden: Tensor) -> dict[str, Tensor]:
        """Pictures from 0 to 1 (B, C, S, S), hidden where `hidden` (B, S, S) is 1 -> log-probabilities "labels" (B, L)."""
        assert self.reader is not None
        return {"labels": self.reader(pictures, hidden)}

    def forward(self, pictures: Tensor, label: Tensor) -> dict[str, Tensor]:
        if self.phase != PRIOR:
            out: dict[str, Tensor] = self.codes(pictures)
            if self.reader is not None:
                hidden = hidden_regions(len(pictures), pictures.shape[-1], pictures.device)
                labels = self.reader(pictures, hidden)
                # One without a label teaches nothing here.
                out["read"] = labels.gather(1, (label[:, None] - 1).clamp(min=0))[:, 0] * (label > 0)
            return out
        with torch.no_grad():  # the codes stand still while the prior learns them
            codes = self.codes.codes(pictures).flatten(1)
        likely, missing = self.prior.learn(codes, label)
        return {"likely": likely, "missing": missing}

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        side, codes = self.codes.side, ("int64", "batch", self.grid**2)
        pictures = ("float32", "batch", self.codes.channels, side, side)
        more = {"read": ({"pictures": pictures, "hidden": ("float32", "batch", side, side)}, ("labels",))}
        return {
            "encode": ({"pictures": pictures}, ("codes",)),
            "decode": ({"codes": codes}, ("values", "log_scale")),
            "fill": ({"codes": codes, "label": ("int64", "batch")}, ("scores",)),
            **(more if self.reader is not None else {}),
        }
