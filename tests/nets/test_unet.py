"""The U-Net, its loss, and windows of pictures and masks."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lamella.nets.cnn.unet import UNet, segmentation_loss
from lamella.nets.windows import cut_windows, random_centres, random_matrices


@pytest.mark.parametrize("stride", [1, 2])
def test_what_ships_is_what_is_trained(stride):
    torch.manual_seed(0)
    net = UNet(3, 4, width=96, depth=2, stride=stride)
    for weight in net.parameters():  # the last layer begins at zero
        torch.nn.init.normal_(weight, std=0.1)
    picture = torch.randn(2, 3, 48, 80)
    wanted = net(picture)["scores"]
    net.eval()
    blocks = picture.reshape(2, 3, 3, 16, 5, 16)
    assert wanted.shape == (2, 4, 48, 80)
    assert torch.allclose(net.segment(blocks)["scores"], wanted, atol=1e-4 * float(wanted.detach().abs().max()))


def test_the_loss_is_cross_entropy_and_dice():
    torch.manual_seed(0)
    scores, labels = torch.randn(2, 3, 5, 4), torch.randint(0, 3, (2, 5, 4))
    labels[0, 0] = 255
    entropy = F.cross_entropy(scores, labels, ignore_index=255)
    known = labels != 255
    likely = scores.softmax(1).movedim(1, -1)[known]
    wanted = F.one_hot(labels[known], 3)
    dice = 1 - (2 * (likely * wanted).sum(0) + 1) / ((likely + wanted).sum(0) + 1)
    assert segmentation_loss(scores, labels, 255, False).item() == pytest.approx(
        (entropy + dice.mean()).item(), rel=1e-5
    )
    assert segmentation_loss(scores, labels, 255, True).item() == pytest.approx(
        (entropy + dice[1:].mean()).item(), rel=1e-5
    )
    nothing = segmentation_loss(scores, torch.full_like(labels, 255), 255, True)
    assert nothing.item() == 0


def test_a_window_and_its_labels_move_together():
    rng = torch.Generator().manual_seed(0)
    labels = torch.arange(40 * 30).view(1, 40, 30)
    picture = labels[:, None].float()
    sizes = torch.tensor([[40, 30]])
    for flip in ("none", "across", "down", "both", "all"):
        for _ in range(5):
            matrices = random_matrices(1, rng, flip=flip)
            cut, names = cut_windows(picture, labels, sizes, torch.rand(1, 2, generator=rng) * 29, matrices, 16)
            assert torch.allclose(cut[:, 0], names.float(), atol=1e-3), flip
            assert len(set(names.flatten().tolist())) == 256


def test_a_window_larger_than_its_picture_is_reflected():
    labels = torch.arange(12).view(1, 3, 4)
    padded = torch.full((1, 8, 8), 99)
    padded[:, :3, :4] = labels
    cut, names = cut_windows(
        padded[:, None].float(), padded, torch.tensor([[3, 4]]), torch.tensor([[1.0, 1.0]]), torch.eye(2)[None], 16
    )
    assert names.max() <= 11 and cut.max() <= 11, "nothing of the padding"


def test_turned_windows_stay_inside_their_picture():
    rng = torch.Generator().manual_seed(1)
    labels = torch.zeros(4, 64, 64, dtype=torch.long)
    labels[:, 60:] = labels[:, :, 60:] = 7
    sizes = torch.full((4, 2), 60)
    matrices = random_matrices(4, rng, scale=0.3, rotate=180, flip="all")
    _, names = cut_windows(labels[:, None].float(), labels, sizes, torch.rand(4, 2, generator=rng) * 59, matrices, 32)
    assert not names.any()


def test_rare_labels_are_sought():
    rng = torch.Generator().manual_seed(0)
    labels = torch.zeros(1, 100, 100, dtype=torch.long)
    labels[0, 90, 10] = 1
    sizes, weights = torch.tensor([[100, 100]]), torch.tensor([0.0, 1.0])
    hits = [random_centres(labels, sizes, weights, 0.5, rng)[0].tolist() == [90, 10] for _ in range(200)]
    assert 70 < sum(hits) < 130
    # One that no picture has cannot be sought.
    assert random_centres(labels * 0, sizes, weights, 1.0, rng).shape == (1, 2)
    assert np.isfinite(random_centres(labels, sizes, weights * 0, 1.0, rng).numpy()).all()
