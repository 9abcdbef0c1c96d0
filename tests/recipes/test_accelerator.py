"""The packed training of translators: rows hold every pair once, and each sees only itself."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lamella.nets import layers
from lamella.nets.transformer.encoder_decoder import EncoderDecoder
from recipes.translation import accelerator
from recipes.translation.accelerator import END, SMOOTHING, START, Epochs, packed


@pytest.fixture
def part():
    """Forty pairs of 1 to 30 pieces, of two kinds."""
    rng = np.random.default_rng(0)
    made = {"kind": np.arange(40) % 2, "kinds": np.array(["tatoeba", "prose"])}
    for side in ("en", "xx"):
        lengths = rng.integers(1, 30, 40)
        made[side] = rng.integers(5, 50, lengths.sum()).astype(np.uint16)
        made[f"{side}_starts"] = np.concatenate([[0], np.cumsum(lengths)])
    return made


def pair(part, side, at):
    return part[side][part[f"{side}_starts"][at] : part[f"{side}_starts"][at + 1]].tolist()


@pytest.mark.parametrize("stage", ["to", "from"])
def test_rows_hold_the_pairs_that_were_drawn(part, stage, monkeypatch):
    monkeypatch.setattr(accelerator, "EPOCH", 20_000)  # pieces
    epochs = Epochs({"fr": part}, stage, {"en": 50, "fr": 51}, seed=0)
    drawn = epochs.draw()
    epochs.draw = lambda: drawn
    rows = epochs.rows()
    sides, mark = (("en", "xx"), 51) if stage == "to" else (("xx", "en"), 50)
    found = []
    for row in range(len(rows["source"])):
        for segment in range(1, rows["source_segments"][row].max() + 1):
            of = [rows[n][row][rows[f"{k}_segments"][row] == segment].tolist() for n, k in
                  (("source", "source"), ("prompt", "target"), ("target", "target"))]  # fmt: skip
            assert of[0][0] == mark and of[0][-1] == END and of[1][0] == START and of[2] == [*of[1][1:], END]
            found.append((of[0][1:-1], of[1][1:]))
    assert sorted(found) == sorted((pair(part, sides[0], i), pair(part, sides[1], i)) for i in drawn)
    shares = np.bincount(part["kind"][drawn], minlength=2)
    assert shares[0] > shares[1]  # a kind that counts more is drawn more often


def test_the_loss_is_that_of_each_pair_alone(part, monkeypatch):
    torch.manual_seed(0)
    net = EncoderDecoder(52, 16, 2, 1, 2, dropout=0.0).eval()
    epochs = Epochs({"fr": part}, "to", {"en": 50, "fr": 51}, seed=0)
    epochs.draw = lambda: np.arange(40)
    batch = {name: torch.from_numpy(array.astype(np.int32)) for name, array in epochs.rows().items()}
    losses = []
    for at in range(40):
        source = torch.tensor([[51, *pair(part, "en", at), END]])
        target = pair(part, "xx", at)
        out = net(source=source, prompt=torch.tensor([[START, *target]]))
        scores = (out["hidden"] @ out["table"].t())[0]
        losses.append(
            F.cross_entropy(scores, torch.tensor([*target, END]), reduction="none", label_smoothing=SMOOTHING)
        )
    monkeypatch.setattr(layers, "attend", accelerator.fused)
    assert packed(net, batch).item() == pytest.approx(torch.cat(losses).mean().item(), abs=1e-5)
