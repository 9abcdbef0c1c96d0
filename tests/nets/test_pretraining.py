"""Learning without labels: the losses beside closed forms, and what is hidden stays hidden."""

from __future__ import annotations

import pytest
import torch

from lamella.nets.cnn.image import ImageCNN
from lamella.nets.cnn.pyramid import PyramidCNN
from lamella.nets.pretraining import AGREE, APART, SPREAD, Patches, Views, painting_error, vicreg
from lamella.nets.transformer.classifiers import ImageTransformer


def test_vicreg_has_its_three_terms():
    torch.manual_seed(0)
    z = torch.randn(4000, 3)
    white = z @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(z.t()))).t()  # covariance 1
    assert vicreg(white, white).item() == pytest.approx(0, abs=1e-2)
    assert vicreg(white, white + 2).item() == pytest.approx(AGREE * 4, rel=1e-2)
    same = white[:, :1].expand(-1, 3)
    assert vicreg(same, same).item() == pytest.approx(APART * 2 * 6 / 3, rel=1e-2)  # 6 covariances of 1, in both
    still = torch.zeros(100, 3)
    assert vicreg(still, still).item() == pytest.approx(SPREAD * 0.99, rel=1e-3)


def test_only_hidden_patches_count():
    made, wanted = torch.zeros(1, 2, 4), torch.tensor([[[2.0] * 4, [9.0] * 4]])
    assert painting_error(made, wanted, torch.tensor([[True, False]])).item() == 4
    torch.manual_seed(0)
    net = Patches(ImageTransformer(1, 16, 4, 1, width=16, depth=1, heads=2), 16).eval()
    picture = torch.rand(1, 1, 16, 16)
    torch.manual_seed(1)
    one = net(picture)
    other = net.net.patches(picture).clone()
    other[one["hidden"]] = 5.0  # what is hidden is another picture now
    changed = other.view(1, 4, 4, 1, 4, 4).permute(0, 3, 1, 4, 2, 5).reshape(1, 1, 16, 16)
    assert torch.equal(net.net.patches(changed), other)
    torch.manual_seed(1)
    two = net(changed)
    assert torch.equal(one["hidden"], two["hidden"]) and torch.allclose(one["made"], two["made"])


NETS = [
    ImageCNN(1, 16, 1, width=16, depth=2),
    PyramidCNN(1, 16, 1, width=48, depth=2),
    ImageTransformer(1, 16, 4, 1, width=16, depth=1, heads=2),
]


@pytest.mark.parametrize("net", NETS, ids=lambda net: type(net).__name__)
def test_vectors_have_length_one(net):
    whole = Patches(net, 16) if isinstance(net, ImageTransformer) else Views(net)
    vectors = whole.eval().embed(torch.rand(3, 1, 16, 16))["vector"]
    assert vectors.norm(dim=1).tolist() == pytest.approx([1, 1, 1], abs=1e-5)
