"""Losses of vectors by hand, and a net that gives one whatever stands beside a text in its batch."""

import math

import pytest

torch = pytest.importorskip("torch")
from torch.nn import functional as F  # noqa: E402

from lamella.nets.contrast import cosent, info_nce, sigmoid_pairs  # noqa: E402
from lamella.nets.transformer.sentences import SentenceEncoder  # noqa: E402


def unit(*rows):
    return F.normalize(torch.tensor(rows, dtype=torch.float32), dim=1)


def test_info_nce_by_hand():
    one, other = unit([1, 0], [0, 1]), unit([1, 0], [1, 1])
    keys = torch.tensor([1, 2]), torch.tensor([3, 4])
    cos = math.sqrt(0.5)
    forth = [math.log(1 + math.exp((cos - 1) / 0.5)), math.log(1 + math.exp((0 - cos) / 0.5))]
    back = [math.log(1 + math.exp((0 - 1) / 0.5)), math.log(1 + math.exp((cos - cos) / 0.5))]
    loss = info_nce(one, other, keys, torch.tensor([True, True]), temperature=0.5)
    assert loss.item() == pytest.approx((sum(forth) + sum(back)) / 4, rel=1e-5)
    only = info_nce(one, other, keys, torch.tensor([False, True]), temperature=0.5)
    assert only.item() == pytest.approx((forth[1] + back[1]) / 2, rel=1e-5)
    assert info_nce(one, other, keys, torch.tensor([False, False])).item() == 0


@pytest.mark.parametrize("keys", [([1, 1], [3, 4]), ([1, 2], [3, 3]), ([1, 3], [3, 4])])
def test_the_same_text_is_no_negative_of_itself(keys):
    one, other = unit([1, 0], [1, 0]), unit([1, 0], [1, 0])
    loss = info_nce(one, other, tuple(map(torch.tensor, keys)), torch.tensor([True, True]))
    assert loss.item() < math.log(2) - 1e-3


def test_cosent_by_hand():
    cosines, grades = torch.tensor([0.5, 0.4, 0.9]), torch.tensor([5.0, 1.0, 1.0])
    wanted = math.log(1 + math.exp(10 * (0.4 - 0.5)) + math.exp(10 * (0.9 - 0.5)))
    assert cosent(cosines, grades, scale=10).item() == pytest.approx(wanted, rel=1e-5)
    assert cosent(torch.zeros(0), torch.zeros(0)).item() == 0


@pytest.mark.parametrize("depth", [0, 2])
def test_padding_changes_nothing_and_training_sums_the_same(depth):
    torch.manual_seed(0)
    net = SentenceEncoder(torch.rand(20) + 1, torch.rand(30) + 1, 8, 4, depth, 2, dropout=0.0)
    pieces, features = torch.tensor([[4, 5, 6]]), torch.randint(1, 30, (1, 1, 16))
    alone = net.eval().embed(pieces, features)["vector"]
    padded = F.pad(pieces, [0, 3]), F.pad(features, [0, 0, 0, 2])
    assert torch.allclose(net.embed(*padded)["vector"], alone, atol=1e-6)
    assert alone.norm(dim=1).item() == pytest.approx(1, abs=1e-4)
    both = net.train()(pieces, features, *padded)
    assert torch.allclose(both["one"], alone, atol=1e-5) and torch.allclose(both["other"], alone, atol=1e-5)
    empty = net.eval().embed(torch.zeros(1, 1, dtype=torch.long), torch.zeros(1, 1, 16, dtype=torch.long))["vector"]
    assert torch.isfinite(empty).all()


def test_the_sigmoid_loss_by_hand():
    one, other = unit([1, 0], [0, 1]), unit([1, 0], [0.6, 0.8])
    alike = torch.tensor([[True, False], [True, True]])
    logits = [[2 * c - 1 for c in row] for row in ([1.0, 0.6], [0.0, 0.8])]
    signs = [[1, -1], [1, 1]]
    wanted = sum(math.log(1 + math.exp(-s * x)) for xs, ss in zip(logits, signs) for x, s in zip(xs, ss)) / 2
    loss = sigmoid_pairs(one, other, alike, torch.tensor(math.log(2.0)), torch.tensor(-1.0))
    assert loss.item() == pytest.approx(wanted, rel=1e-5)
