"""Quantisers, the net that draws pictures, and its likelihoods, beside what is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lamella.decode import code_grid
from lamella.decode.likelihood import discrete_logistic as in_numpy
from lamella.nets.vae.generator import PRIOR, Generator
from lamella.nets.vae.losses import discrete_logistic as in_torch
from lamella.nets.vae.quantizers import FSQ, LEVELS, VQ, quantizer_of
from lamella.nets.vae.reader import hidden_regions


@pytest.mark.parametrize("levels", LEVELS.values(), ids=str)
def test_every_code_of_fsq_is_reached_and_comes_back(levels):
    """Numbers from far below to far above 0 are rounded to every level, and to no other."""
    quantizer = FSQ(levels)
    every = torch.arange(quantizer.count).view(-1, 1, 1)
    values = quantizer.values(every)  # (K, F, 1, 1)
    assert len({tuple(v.flatten().tolist()) for v in values}) == quantizer.count and values.abs().max() <= 1
    wild = torch.randn(4000, len(levels), 1, 1, generator=torch.Generator().manual_seed(0)) * 3
    seen, codes, loss = quantizer(wild)
    assert codes.min() >= 0 and codes.max() < quantizer.count and loss == 0
    assert torch.equal(quantizer.values(codes), seen)
    for number, count in enumerate(levels):
        assert len(seen[:, number].unique()) == count


def test_gradients_pass_straight_through():
    for quantizer in (FSQ((8, 5)), VQ(8, 2)):
        z = torch.randn(2, 2, 3, 3, requires_grad=True)
        values, _, loss = quantizer(z)
        (values.sum() + loss).backward()
        assert bool((z.grad != 0).all())


def test_vq_finds_clusters_and_leaves_no_code_unused():
    """Points around 8 places: after a few batches one of 32 vectors stands at each of them, wherever they began."""
    torch.manual_seed(0)
    places = torch.randn(8, 4) * 4
    quantizer = VQ(32, 4)
    quantizer.codebook.fill_(100.0)  # nobody is near it
    for _ in range(60):
        rows = places[torch.randint(8, (256,))] + 0.05 * torch.randn(256, 4)
        quantizer(rows.t().reshape(1, 4, 16, 16))
    away = torch.cdist(places, quantizer.codebook).amin(dim=1)
    assert away.max() < 0.3 and bool((quantizer.used > 0).all())
    before = quantizer.codebook.clone()
    quantizer.eval()(torch.randn(1, 4, 2, 2))
    assert torch.equal(before, quantizer.codebook), "outside of training nothing moves"


def test_of_vectors_at_one_place_the_first_is_meant():
    """Two that differ by rounding alone: whatever rounding says, the code is that of the first one."""
    torch.manual_seed(0)
    quantizer = VQ(8, 4).eval()
    quantizer.codebook[5] = quantizer.codebook[3] * (1 + 1e-7)
    for scale in (1 - 1e-6, 1.0, 1 + 1e-6):
        z = (quantizer.codebook[[3, 5, 6]] * scale).t().reshape(1, 4, 1, 3)
        assert quantizer.codes(z).flatten().tolist() == [3, 3, 6]


def test_a_net_in_bfloat16_learns_its_table_in_float32():
    net = Generator(1, 16, 2, 3, width=16, depth=1, heads=2, kind="vq").to(torch.bfloat16)
    before = net.codes.quantizer.codebook.clone()
    out = net(torch.rand(3, 1, 16, 16, dtype=torch.bfloat16), torch.tensor([0, 1, 3]))
    assert out["values"].shape == (3, 1, 16, 16) and bool(out["commitment"].isfinite())
    assert net.codes.quantizer.codebook.dtype == torch.float32 and not torch.equal(before, net.codes.quantizer.codebook)


def test_likelihood_in_torch_is_that_in_numpy_and_adds_up_to_one():
    rng = np.random.default_rng(0)
    values, scale = rng.normal(0.5, 0.6, (5, 2, 3)), rng.uniform(-5, 0, 5)
    wanted = rng.integers(0, 256, (5, 2, 3)) / 255
    tensors = [torch.from_numpy(a.astype(np.float32)) for a in (values, scale, wanted)]
    assert in_torch(*tensors).numpy() == pytest.approx(in_numpy(values, scale, wanted), abs=2e-2, rel=1e-3)
    every = np.arange(256)[None] / 255
    for middle, log_scale in ((-0.3, -4.0), (0.2, -5.0), (0.99, -1.0), (2.0, 0.0)):
        total = np.exp(in_numpy(np.full((1, 256), middle), np.array([log_scale]), every)).sum()
        assert total == pytest.approx(1, abs=0.02)


def test_a_phase_moves_its_own_part_of_the_net():
    net = Generator(1, 16, 2, 3, width=16, depth=1, heads=2)
    pictures, label = torch.rand(3, 1, 16, 16), torch.tensor([0, 1, 3])
    out = net(pictures, label)
    assert out["values"].shape == pictures.shape and out["log_scale"].shape == (3,)
    net.phase = PRIOR
    out = net(pictures, label)
    assert out["likely"].shape == out["missing"].shape == (3, 16) and bool(out["missing"].any(dim=1).all())
    out["likely"].sum().backward()
    moved = {name for name, weight in net.named_parameters() if weight.grad is not None}
    assert moved and all(name.startswith(f"{PRIOR}.") for name in moved)


def test_labels_are_read_beside_the_codes_and_hidden_points_do_not_count():
    torch.manual_seed(0)
    net = Generator(1, 16, 2, 3, width=32, depth=1, heads=2)
    pictures, label = torch.rand(4, 1, 16, 16), torch.tensor([0, 1, 2, 3])
    out = net(pictures, label)
    assert float(out["read"][0].detach()) == 0 and bool(
        (out["read"][1:] < 0).all()
    )  # the first one's label is not known
    out["read"].sum().backward()
    moved = {name for name, weight in net.named_parameters() if weight.grad is not None}
    assert moved and all(name.startswith("reader.") for name in moved)
    net.eval().reader.out.weight.data.normal_()
    hidden = torch.zeros(4, 16, 16)
    hidden[:, 8:] = 1
    other = pictures.clone()
    other[:, :, 8:] = 0.3
    one, two = (net.read(p, hidden)["labels"] for p in (pictures, other))
    assert torch.equal(one, two) and torch.allclose(one.exp().sum(dim=1), torch.ones(4), atol=1e-5)
    assert not torch.allclose(one, net.read(pictures, torch.zeros(4, 16, 16))["labels"])
    plain = Generator(1, 16, 2, 0, width=16, depth=1, heads=2)  # without labels there is nothing to read
    assert plain.reader is None and "read" not in plain.graphs() and "read" in net.graphs()


def test_regions_of_every_kind_are_hidden():
    torch.manual_seed(0)
    hidden = hidden_regions(2000, 28)
    share = hidden.mean(dim=(1, 2))
    assert 0.2 < float((share == 0).float().mean()) < 0.35 and float((share == 1).float().mean()) < 0.05
    halves = (hidden[:, 14:].mean(dim=(1, 2)) > 0.9) & (hidden[:, :10].mean(dim=(1, 2)) < 0.1)
    assert float(halves.float().mean()) > 0.01 and 0.25 < float(share.mean()) < 0.5


@pytest.mark.parametrize(("side", "halvings", "grid"), [(28, 2, 7), (32, 2, 8), (64, 3, 8)])
def test_sides_and_grids(side, halvings, grid):
    net = Generator(3, side, halvings, 0, width=16, depth=1, heads=2).eval()
    codes = net.encode(torch.rand(2, 3, side, side))["codes"]
    assert codes.shape == (2, grid**2) and net.decode(codes)["values"].shape == (2, 3, side, side)


# ---- filling in -----------------------------------------------------------------------------------------------------


def chain(codes: np.ndarray) -> np.ndarray:
    """Codes 0 and 1 at 4 places: a code is its left neighbour's with 9 to 1, where that is known."""
    likely = np.full((*codes.shape, 2), 0.5)
    for row, line in zip(likely, codes, strict=True):
        for place in range(1, len(line)):
            if line[place - 1] >= 0:
                row[place] = 0.1
                row[place, line[place - 1]] = 0.9
    return np.log(likely)


def test_what_is_known_stays_and_the_rest_is_drawn_by_its_seed():
    codes = np.array([[1, -1, -1, -1], [-1, -1, 0, -1]])
    rngs = [[np.random.default_rng(i) for i in range(2)] for _ in range(2)]
    one, two = (code_grid.fill(chain, codes, each, passes=4) for each in rngs)
    assert np.array_equal(one, two) and (one >= 0).all() and one[0, 0] == 1 and one[1, 2] == 0
    alone = code_grid.fill(chain, codes[1:], [np.random.default_rng(1)], passes=4)
    assert np.array_equal(alone[0], one[1]), "no row depends on the others"
    sure = code_grid.fill(lambda c: np.log(np.full((*c.shape, 2), [0.2, 0.8])), codes, rngs[0], temperature=0)
    assert (sure[codes < 0] == 1).all()


def test_likelihoods_of_all_rows_add_up_to_one():
    """Whatever the passes, the order of places gives a distribution over all 16 rows."""
    every = np.array([[a, b, c, d] for a in (0, 1) for b in (0, 1) for c in (0, 1) for d in (0, 1)])
    for passes in (1, 2, 4, 9):
        total = np.exp(code_grid.log_likelihood(chain, every, passes).sum(axis=1)).sum()
        assert total == pytest.approx(1)


def test_quantisers_by_name():
    assert quantizer_of("fsq", 8192).count == 1000 and quantizer_of("fsq", 64).count == 64
